"""The HTML report: valid, the same bytes, no address, and names that cannot become markup."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext

import html5lib
import numpy as np
import pytest
from reported import HISTORY, data, network, results, written

import striate as st
from striate import layers as L
from striate.inspect.mistakes import told as told_mistakes
from striate.report import Data, Evidence, known, page, write, write_last
from striate.report.verdict import alarms, verdict
from striate.store.run import Run

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><body onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</svg><script>alert(1)</script>",
    "</pre><iframe src=javascript:alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "<!--<script>",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
]


def parsed(text):
    """Return the tree of a page; the strict parser raises for whatever is not valid."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def shape(text):
    """Return tags and names of attributes, in order, and the values of those that can act."""
    tree = [node for node in parsed(text).iter() if isinstance(node.tag, str)]
    acting = [
        value for node in tree for name, value in node.attrib.items() if name in ("href", "src")
    ]
    return [(node.tag, sorted(node.attrib)) for node in tree], acting


def test_the_page_has_every_section_and_is_valid(tmp_path):
    text = written(tmp_path)
    tree = parsed(text)
    sections = [node.attrib["id"] for node in tree.iter("section")]
    assert sections == ["results", "training", "model", "inside", "data", "use", "again"]
    links = [node.attrib["href"] for node in tree.iter("a")]
    ids = [node.attrib["id"] for node in tree.iter() if "id" in node.attrib]
    assert len(set(ids)) == len(ids)
    assert {link.removeprefix("#") for link in links} <= set(ids)  # every number opens its images
    assert any(link.startswith("#cell-") for link in links)
    words = "".join(tree.itertext())
    for said in (
        "before training", "Grad-CAM of pool", "Labels that may be wrong",
        "(8 + 0 - 3) // 1 + 1 = 6", "3*3*3*4 + 4 = 112", "Health of", "weights, SHA-256",
        "How sure, how right",
        "An image that is right", "The worst mistake", "st.load('runs/seven')",
    ):  # fmt: skip
        assert said in words


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return shape(written(tmp_path_factory.mktemp("plain")))


@pytest.mark.parametrize("word", PAYLOADS)
def test_names_have_no_effect(word, plain, tmp_path):
    found = shape(written(tmp_path, word))
    assert found == plain  # not one tag, attribute or address more
    assert "script" not in {tag for tag, _ in found[0]}


def test_the_same_run_gives_the_same_bytes_and_no_address(tmp_path):
    text = written(tmp_path / "a")
    assert text == written(tmp_path / "b")
    style = text.split("<style>")[1].split("</style>")[0]
    assert "@import" not in style and "url(" not in style and "//" not in style
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in shape(text)[1])
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "<script" not in text and "default-src 'none'" in text


def test_numbers_are_those_of_the_results(tmp_path):
    text = written(tmp_path)
    model, given = network(), data(["one", "seven", "seven two"])
    matrix = np.array(results(model, given)["confusion"])
    tables = parsed(text).iter("table")
    counts = next(one for one in tables if one.attrib["class"] == "matrix")
    rows = [list(row.iter("td")) for row in counts.iter("tr")][1:]
    shown = [[int("".join(cell.itertext()) or 0) for cell in row] for row in rows]
    assert shown == matrix.tolist()


def test_what_lies_between_the_epochs_is_a_light_line(tmp_path):
    run = Run.create(tmp_path, "small")
    run.epochs = [*HISTORY]
    lines = [{"at": n / 10, "step": n, "steps": 1, "loss": 1 / n, "lr": 0.01, "images_s": 100.0 + n}
             for n in range(1, 21)]  # fmt: skip
    (run.path / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = write(run, network(), data(["a", "b", "c"])).read_text()
    parsed(text)
    light = [one for one in text.splitlines() if 'class="steps"' in one]
    assert [one.count(",") for one in light] == [20, 20, 20]  # loss, learning rate, speed
    assert "images a second" in text


def test_three_sentences():
    matrix = [[3, 1], [0, 4]]
    told = {"classes": ["a", "b"], "confusion": matrix, "seconds": 9.6, "epochs": 2}
    run = Evidence("x", told, [{"epoch": 1, "val_loss": 0.4}, {"epoch": 2, "val_loss": 0.5}])
    assert verdict(run) == (
        "87.50 % of 8 test images are right (95 % interval 52.91 to 97.76 %). "
        "Training took 10 s for 2 epochs, the best by validation loss being epoch 1. "
        "Most often, a is taken for b: 1 of 1 mistakes."
    )
    perfect = Evidence("x", {**told, "confusion": [[4, 0], [0, 4]], "epochs": 1})
    assert verdict(perfect).endswith(
        "Training took 10 s for 1 epoch. No image is taken for another class."
    )


def test_alarms_say_what_helps():
    rows = [
        {"epoch": n + 1, "loss": 1 / (n + 1), "val_loss": value}
        for n, value in enumerate([1.0, 0.5, 0.9])
    ]
    assert list(alarms(Evidence("x", {}, rows))) == [
        "Overfitting since epoch 2: val_loss was 0.5000 there and is 0.9000 now; "
        "EarlyStopping(restore_best_weights=True), dropout or augmentation help."
    ]
    gap = [{"epoch": 1, "loss": 1.0, "accuracy": 0.95, "val_accuracy": 0.7}]
    assert list(alarms(Evidence("x", {}, gap))) == [
        "Overfitting: the accuracy is 0.950 in training and 0.700 in validation; "
        "more data, L.Dropout or augmentation (L.RandomTranslation) help."
    ]
    young = st.Sequential([L.Input((4,)), L.BatchNormalization(), L.Dense(2)])
    (said,) = alarms(Evidence("x", {"steps": 16}, gap, model=young))
    assert said.startswith("batch_normalization (BatchNormalization) has seen 16 batches: ")
    (said,) = alarms(Evidence("x", {"steps": 1600}, gap, model=young))
    assert said.startswith("Overfitting: ")
    rising = [{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 2.0}]
    assert list(alarms(Evidence("x", {}, rising))) == [
        "The loss rose from 1 to 2: the learning rate is too high; model.find_lr(x, y) suggests "
        "one."
    ]
    broken = [{"epoch": 1, "loss": float("nan")}]
    assert list(alarms(Evidence("x", {}, broken))) == [
        "The loss is no number any more since epoch 1: try a lower learning rate "
        "(model.find_lr suggests one) or clipnorm=1.0."
    ]
    same = {"classes": ["a", "b"], "confusion": [[9, 0], [3, 0]]}
    assert list(alarms(Evidence("x", same))) == [
        "Always saying a would be right as often: check that images and labels belong together, "
        "then try another learning rate."
    ]
    sure = Evidence("x", {"classes": ["a", "b"], "confusion": [[3, 1], [1, 3]]})
    chances = np.array([[0.99, 0.01]] * 4 + [[0.01, 0.99]] * 4)
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 0])
    sure.__dict__["mistakes"] = told_mistakes("net", chances, labels)
    assert list(alarms(sure)) == [
        "The network is surer than it is right, by 24.0 % on average: do not read its "
        "probabilities as chances; label_smoothing=0.1 in the loss helps."
    ]
    few = Data(("a", "b"), train=(np.zeros((12, 2)), np.array([0] * 11 + [1])))
    assert list(alarms(Evidence("x", {"classes": ["a", "b"]}, data=few))) == [
        "Classes are unbalanced: 11 of a, 1 of b; read the recall of each class, and try "
        "class_weight."
    ]


def test_a_run_that_ended_early_says_so_first(tmp_path):
    run = Run.create(tmp_path, "first")
    run.write("results.json", {"classes": ["a"], "stopped": "oh <b>", "seconds": 1, "epochs": 0})
    text = write(run, network(1)).read_text()
    tree = parsed(text)
    assert "Training ended early: oh <b>" in "".join(tree.itertext())
    assert "Not tested: oh <b>. Training took 1" in "".join(tree.itertext()).replace("\xa0", " ")
    assert not list(tree.iter("b")) or "oh" not in [b.text for b in tree.iter("b")]
    assert text.index("ended early") < text.index("<section")


def test_a_run_of_a_script_tells_what_training_ended_with():
    rows = [{"epoch": 1, "loss": 0.5, "val_acc": 0.75}]
    assert verdict(Evidence("x", {}, rows)) == (
        "Not tested by itself: at the end the validation accuracy was 0.7500. "
        "Trained for 1 epoch. The model is kept as it was when training ended."
    )


def test_a_script_is_run_again_by_its_name(tmp_path):
    run = Run.create(tmp_path, "old")
    run.write("config.json", {"script": "old.py", "arguments": ["--fast"], "dialect": "keras2"})
    words = "".join(parsed(write(run, network()).read_text()).itertext())
    assert "striate run old.py --fast" in words
    for verb in ("predict", "explain"):  # both bring pictures to the script's own values
        assert f"striate {verb} {run.path} image.png" in words
    assert "striate evaluate" not in words  # which needs a recipe's test set


@pytest.mark.parametrize(("pooling", "has"), [(L.MaxPooling2D(2), True), (L.L2Pooling2D(2), False)])
def test_a_model_that_keras_has_too_is_converted_by_a_line(pooling, has, tmp_path):
    model = st.Sequential(
        [L.Input((8, 8, 3)), pooling, L.Flatten(), L.Dense(3, activation="softmax")]
    )
    run = Run.create(tmp_path, "kept")
    words = "".join(parsed(write(run, model, data("abc")).read_text()).itertext())
    run.finish(model)
    line = f"striate convert {run.path} model.keras"
    assert (line in words) is has
    target = tmp_path / "model.keras"
    with nullcontext() if has else pytest.raises(st.errors.StoreError):
        st.load(run.path).save(target)
    assert target.is_file() is has


def test_epochs_with_seconds_tell_the_pace(tmp_path):
    run = Run.create(tmp_path, "timed")
    run.epochs = [{"epoch": 1, "loss": 1.0, "lr": 0.1, "seconds": 0.5}]
    words = "".join(parsed(write(run, network(), data("abc")).read_text()).itertext())
    assert "An epoch took 0.5 s on average, validation included: 100 images a second." in words


def test_a_model_whose_input_is_not_known_has_a_page(tmp_path):
    class Net(st.Model):
        def forward(self, x):
            return x

    text = write(Run.create(tmp_path, "open"), Net(), data("abc")).read_text()
    assert "Samples" in text and "Use it" not in text
    parsed(text)


def test_a_run_with_nothing_but_a_name_has_a_page():
    parsed(page(Evidence("empty")))


def test_data_that_are_no_pictures_have_a_page(tmp_path):
    model = st.Sequential([L.Input((6,)), L.Dense(3, activation="softmax")])
    given = data(["a", "b", "c"], (6,))
    run = Run.create(tmp_path, "table")
    run.epochs = HISTORY
    run.write("results.json", results(model, given))
    text = write(run, model, given).read_text()
    assert "<img" not in text and "What is taken for what" in text
    parsed(text)


def test_channels_first_and_hundred_classes(tmp_path):
    x = L.Input((1, 16, 16), data_format="channels_first")
    h = L.Conv2D(2, 3, activation="relu")(x)
    model = st.Model(x, L.Dense(100)(L.Flatten()(h)))  # logits
    given = data([f"class {n}" for n in range(100)], (1, 16, 16), 150)
    run = Run.create(tmp_path, "wide")
    run.write("results.json", results(model, given))
    text = write(run, model, given).read_text()
    assert "100 classes" in text and "<img" in text
    parsed(text)


def test_compared_with_the_run_before(tmp_path):
    written(tmp_path, test_accuracy=0.5, test_correct=20, test_total=40)
    text = written(tmp_path, "six", test_accuracy=0.9, test_correct=36, test_total=40)
    words = "".join(parsed(text).itertext())
    assert "Compared with small" in words
    assert "+40.00 percentage points: outside the 95 % interval of the run before." in words
    again = written(tmp_path, "six", test_accuracy=0.9, test_correct=36, test_total=40)
    assert "Compared with small-2" in again and "it may be chance" in again


def test_a_range_test_is_drawn_with_the_rate_that_it_suggests(tmp_path):
    model, given = network(), data(["one", "two", "three"])
    model.compile(loss="sparse_categorical_crossentropy")
    found = model.find_lr(*given.train, batch_size=8, steps=5)
    run = Run.create(tmp_path, "small")
    run.write("results.json", results(model, given, run=str(run.path)))
    run.write("environment.json", {})
    run.epochs = [*HISTORY]
    run.write("config.json", {"recipe": "small"})
    text = write(run, model, given).read_text()
    assert "loss by learning rate" in text and f">{found['suggestion']:.2g}<" in text
    model.setup.range_test = None  # as of a model that was read from its file
    assert write(run, model, given).read_text() == text


def test_where_the_time_went_adds_up(tmp_path):
    spent = {"data": 1.0, "steps": 6.0, "validation": 2.0, "hooks": 1.0}
    text = written(tmp_path, spent=spent)
    words = "".join(parsed(text).itertext())
    assert "Where the time went" in words
    for said in ("waiting for batches10.0%1.00 s", "steps60.0%6.00 s", "validation20.0%2.00 s"):
        assert said in re.sub(r"\n", "", words), said


@pytest.mark.parametrize("form", ["numbers", "column", "one-hot"])
def test_what_a_program_trained_on_is_known(form, tmp_path):
    model, given = network(), data(["0", "1", "2"])
    (x, y), (vx, vy) = given.train, given.test
    shaped = {"numbers": lambda v: v, "column": lambda v: v[:, None], "one-hot": np.eye(3).take}
    change = (lambda v: np.eye(3)[v]) if form == "one-hot" else shaped[form]
    found, told = known(model, [x], change(y), (vx, change(vy)))
    assert [name for name, _, _ in found.parts()] == ["training", "validation"]
    assert (found.parts()[0][2] == y).all()
    said = model.predict(vx).argmax(1)
    assert np.trace(told["confusion"]) == (said == vy).sum()
    run = Run.create(tmp_path, "script")
    run.write("config.json", {"script": "a.py"})
    run.write("environment.json", {})
    run.write("results.json", told)
    text = write(run, model, found).read_text()
    assert f"of {len(vy)} validation images are right" in text
    assert "test images" not in text


def test_what_is_no_classification_is_not_known():
    model, (x, _) = network(), data(["0", "1", "2"]).train
    several = np.random.default_rng(0).random((len(x), 3))
    for y in (several, np.full(len(x), 3), np.full(len(x), 0.5), [1, 2], None):
        assert known(model, x, y) == (None, {})
    assert known(model, {"a": x, "b": x}, np.zeros(len(x), int)) == (None, {})
    assert known(model, {"a": x}, {"b": np.zeros(len(x), int)})[0] is not None


def test_what_was_not_committed_is_on_the_page_up_to_a_length(tmp_path):
    run = Run.create(tmp_path, "changed")
    run.write("config.json", {})
    run.write("changes.diff", "+<b>bold</b>\n" + "x" * 30_000)
    page = write(run, network()).read_text()
    words = "".join(parsed(page).itertext())
    assert "what differed from the commit" in words and "+<b>bold</b>" in words
    assert "... 10,013 characters more in changes.diff" in words
    assert "<b>bold" not in page


def test_a_run_of_two_classes_and_one_output_has_its_report(tmp_path):
    model = st.Sequential(
        [L.Input((8, 8, 1)), L.Conv2D(4, 3), L.Flatten(), L.Dense(1, activation="sigmoid")]
    )
    x = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
    data, results = known(model, x, np.arange(20) % 2, (x, np.arange(20) % 2))
    run = Run.create(tmp_path, "two")
    run.write("results.json", results)
    text = write(run, model, data).read_text()
    assert "Grad-CAM" in text and "of 20 validation images are right" in text


def test_a_report_that_fails_does_not_take_the_run_with_it(tmp_path, monkeypatch):
    def broken(*_: object) -> str:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("striate.report.page", broken)
    run = Run.create(tmp_path, "x")
    assert write_last(run, network(1)) == (
        "the report could not be written (ZeroDivisionError: division by zero); "
        "the run is kept without it"
    )
