"""What the page shows of a picture is what the model computes."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from explored import Visitor, digits, encoded, keep, lenet, opened, residual
from torch import nn

import striate as st
from striate import layers as L
from striate.explorer.subject import Subject
from striate.explorer.trace import LEVELS
from striate.inspect import feature_maps
from striate.store.run import Run


def picture(height: int, width: int, channels: int) -> Any:
    return np.random.default_rng(1).integers(0, 256, (height, width, channels), np.uint8)


@pytest.fixture
def visitor(tmp_path: Path) -> Visitor:
    keep(tmp_path, "lenet", lenet())
    keep(tmp_path, "residual", residual(), ["cat", "dog", "eel", "fox"])
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2704, 10))
    traced = st.Model.from_torch(module, (1, 28, 28))
    keep(tmp_path, "module", st.Model(traced.inputs, traced.outputs))
    return Visitor(tmp_path, "lenet")


def test_runs_are_listed_newest_first_and_the_chosen_one_is_named(visitor: Visitor) -> None:
    found = visitor.get("runs")
    assert sorted(found["runs"]) == ["lenet", "module", "residual"]
    assert found["chosen"] == "lenet"


def test_the_graph_has_its_branches_side_by_side(visitor: Visitor) -> None:
    model = visitor.get("model", run="residual")
    columns = {column["name"]: column for column in model["columns"]}
    names = list(columns)
    assert [names[at] for at in columns["add"]["inputs"]] == ["conv2d", "batch_normalization"]
    assert columns["conv2d_2"]["depth"] == columns["conv2d_3"]["depth"]
    assert columns["conv2d_2"]["detail"] == "3x3, stride 2, pad 0, 1"
    assert columns["conv2d_2"]["kind"] == "convolution"
    assert columns["add"]["kind"] == "merge"
    assert model["classes"] == ["cat", "dog", "eel", "fox"]
    assert model["grid"] == {
        "height": 16, "width": 16, "channels": 3, "low": 0.0, "high": 1.0, "raw": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("run", "shape"), [("lenet", (28, 28, 1)), ("residual", (16, 16, 3)), ("module", (28, 28, 1))]
)
def test_the_page_predicts_what_the_model_predicts_and_draws_its_maps(
    visitor: Visitor, run: str, shape: tuple[int, int, int]
) -> None:
    pixels = picture(*shape)
    subject = visitor.subjects[run]
    x = subject.grid.sample(pixels)
    answer = visitor.post("predict", run=run, pixels=encoded(pixels))
    assert answer["outputs"] == subject.model.predict(x[None])[0].astype(np.float64).tolist()
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert answer["best"] == int(np.argmax(answer["outputs"]))

    data = visitor.ask("POST", "/api/trace", json={"run": run, "pixels": encoded(pixels)}).content
    heads, levels = opened(data)
    names = [column["name"] for column in visitor.get("model", run=run)["columns"]]
    for maps in feature_maps(subject.model, x).maps:
        at = names.index(maps.layer)
        real = np.moveaxis(maps.values.reshape(*levels[at].shape[1:], -1), -1, 0)[:64]
        if maps.values.ndim == 1:
            real = maps.values[:1024, None, None]
        assert np.abs(levels[at] / LEVELS * heads[at]["peak"] - real).max() <= (
            heads[at]["peak"] / LEVELS
        )


def test_logits_are_what_the_last_activation_is_given(visitor: Visitor) -> None:
    subject = visitor.subjects["lenet"]
    assert subject.test is not None
    x = subject.test.x[3]
    found = visitor.post("logits", run="lenet", pixels=encoded(subject.grid.picture(x)))["logits"]
    with torch.no_grad():
        own = subject.model.before_activation(torch.as_tensor(x[None]).float())[0]
    assert found == pytest.approx(own.tolist(), rel=1e-5, abs=1e-6)
    chances = np.exp(found) / np.exp(found).sum()
    assert chances == pytest.approx(subject.model.predict(x[None])[0], rel=1e-4, abs=1e-7)


def test_drawing_takes_the_path_of_predict(visitor: Visitor) -> None:
    pixels = picture(28, 28, 1)
    subject = visitor.subjects["lenet"]
    assert subject.grid.sample(pixels).dtype == np.uint8
    answer = visitor.post("predict", run="lenet", pixels=encoded(pixels))
    assert answer["outputs"] == subject.model.predict(pixels)[0].astype(np.float64).tolist()


def test_maps_can_be_sorted_by_their_strength(visitor: Visitor) -> None:
    ask = {"run": "lenet", "pixels": encoded(picture(28, 28, 1)), "by_activity": True}
    heads, levels = opened(visitor.ask("POST", "/api/trace", json=ask).content)
    assert sorted(heads[4]["channels"]) == list(range(16))
    means = np.abs(levels[4].astype(float)).mean((1, 2))
    assert (np.diff(means) <= 1e-2).all()


def test_many_maps_come_in_pages_and_large_ones_are_averaged(tmp_path: Path) -> None:
    from striate import layers as L

    model = st.Sequential([L.Input((130, 130, 3)), L.Conv2D(70, 1), L.Flatten(), L.Dense(3)])
    keep(tmp_path, "wide", model)
    visitor = Visitor(tmp_path)
    ask = {"run": "wide", "pixels": encoded(picture(130, 130, 3)), "pages": {"1": 1}}
    heads, levels = opened(visitor.ask("POST", "/api/trace", json=ask).content)
    assert heads[1]["channels"] == list(range(64, 70))
    assert levels[1].shape == (6, 64, 64)
    assert heads[1]["full"] == [70, 130, 130]


def test_a_silenced_map_changes_the_answer_as_zeros_would(visitor: Visitor) -> None:
    pixels = picture(28, 28, 1)
    model = visitor.subjects["lenet"].model
    edits = [{"layer": "conv2d_1", "channel": channel, "factor": 0} for channel in range(16)]
    answer = visitor.post("predict", run="lenet", pixels=encoded(pixels), edits=edits)
    with torch.no_grad():
        rest = torch.zeros(1, 400)
        for name in ("dense", "dense_1"):
            rest = model.get_layer(name)(rest)
    assert answer["outputs"] == pytest.approx(rest[0].tolist(), rel=1e-5)
    untouched = visitor.post("predict", run="lenet", pixels=encoded(pixels))
    assert untouched["outputs"] == model.predict(pixels)[0].astype(np.float64).tolist()


def test_networks_that_are_no_longer_asked_for_are_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits(tmp_path, "first", lenet(), samples=100)
    visitor = Visitor(tmp_path)
    subject = visitor.subjects["first"]
    ask = {"run": "first", "pixels": encoded(np.zeros((28, 28, 1), np.uint8))}
    gc.disable()  # it would come by itself, but late
    try:
        seen = []
        for channel in range(3):
            visitor.post("predict", **ask, edits=[{"layer": "conv2d", "channel": channel}])
            assert subject.changed is not None
            seen.append(weakref.ref(subject.changed[1]))
        assert [one() is None for one in seen] == [True, True, False]
        visitor.post("predict", **ask, epoch=0)
        visitor.post("predict", **ask, epoch=1)
        first = weakref.ref(subject.old[0])
        assert list(subject.old) == [0, 1]  # both stay at hand
        monkeypatch.setattr("striate.explorer.subject.OLD_BYTES", 0)
        visitor.post("predict", **ask, epoch=2)
        assert list(subject.old) == [1, 2] and first() is None
    finally:
        gc.enable()


def test_samples_come_with_their_class(visitor: Visitor) -> None:
    assert visitor.get("sample", run="lenet", kind="index", at=3)["label"] == 0
    assert visitor.get("sample", run="lenet", kind="class", label=7, at=0)["index"] == 17
    assert visitor.get("sample", run="lenet", kind="random")["label"] in range(10)


MESSAGES = [
    (
        ("GET", "/api/model?run=lenot", {}),
        404,
        "run 'lenot': there is no such run\n"
        "  need  one of residual, module, lenet\n"
        '  fix   did you mean "lenet"?',
    ),
    (
        ("GET", "/api/sample?run=residual", {}),
        422,
        "residual: knows no pictures of its own\n"
        "  need  the run of a recipe, or of a script that fits arrays\n"
        "  fix   draw, or drop an image",
    ),
    (
        ("POST", "/api/predict", {"json": {"run": "lenet", "pixels": "AAAA"}}),
        422,
        "pixels: are not a picture of the model's size\n"
        "  got   3 bytes\n"
        "  need  28 x 28 x 1 = 784 bytes",
    ),
    (
        ("POST", "/api/predict", {"json": {"run": "lenet"}}),
        422,
        "pixels: cannot be read\n  need  Field required",
    ),
]


@pytest.mark.parametrize(("asked", "status", "message"), MESSAGES)
def test_messages(visitor: Visitor, asked: Any, status: int, message: str) -> None:
    method, path, words = asked
    found = visitor.refused(method, path, **words)
    if "one of" in message and "lenot" in message:  # the order is that of time
        assert sorted(found[1]) == sorted(message)
    else:
        assert found == (status, message)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 100_000, b'{"run": NaN}', b'{"run": "lenet", "pixels": 1e999}', b"\xff\xfe"],
)
def test_what_is_no_question_is_told_so(visitor: Visitor, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = visitor.ask("POST", "/api/predict", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert "Traceback" not in answer.text and str(Path(__file__).parents[2]) not in answer.text


def test_digits_for_a_script_have_the_values_that_it_trained_on(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "script")
    run.write("config.json", {"script": "old.py", "input_range": [-0.5, 2.5]})
    run.finish(st.Sequential([L.Input((28, 28, 1)), L.Flatten(), L.Dense(10)]))
    subject = Subject(run.path)
    assert subject.test is not None
    assert (subject.test.x.min(), subject.test.x.max()) == (-0.5, 2.5)
    (x, _), _ = st.datasets.mnist()
    drawn = subject.grid.sample(x[0])
    np.testing.assert_allclose(drawn, x[0] / 255 * 3 - 0.5, atol=1e-6)


def test_a_run_without_a_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "config.json").write_text("{}")
    assert Visitor(tmp_path).refused("GET", "/api/model?run=early") == (
        404,
        "early: has no model yet\n"
        "  need  model.striate, which is written when training ends\n"
        "  fix   the curves are there already; wait for the end of training",
    )


def test_a_model_that_reads_no_picture_is_told(tmp_path: Path) -> None:
    from striate import layers as L

    keep(tmp_path, "table", st.Sequential([L.Input((7,)), L.Dense(3)]))
    assert Visitor(tmp_path).refused("GET", "/api/model?run=table") == (
        422,
        "Sequential: reads no picture, so that there is nothing to draw on\n"
        "  got   inputs (7,)\n"
        "  need  one input of grey or colour pixels",
    )
