"""The commands, in the process and as a program, on a few samples; and the text of each mistake."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import striate as st
from striate import cli, layers as L
from striate.cli.recipe import recipe_names
from striate.cli.score import accuracy_line, score
from striate.dialects.program import run_script
from striate.errors import ConfigError, StriateError
from striate.explorer.subject import Subject
from striate.report.verdict import LOOP
from striate.store.run import Run

TINY = ["samples=512", "epochs=1"]


def call(*words: object) -> Any:
    """Run a command in this process."""
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one run, trained on 512 digits for one epoch by the program itself."""
    folder = tmp_path_factory.mktemp("a folder") / "runs"
    program = [sys.executable, "-W", "error", "-c", "from striate.cli import main; main()"]
    done = subprocess.run(
        [*program, "train", "mnist", *TINY, "--json", "--runs", str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    results = json.loads(done.stdout)
    assert results == json.loads((folder / "mnist" / "results.json").read_text())
    talk = done.stderr
    for word in (st.__version__, "epochs=1", "conv2d (Conv2D)", "512 images", "epoch 1/1", "next:"):
        assert word in talk, word
    return folder


def test_train_keeps_everything_about_the_run(root: Path) -> None:
    run = root / "mnist"
    names = {path.name for path in run.iterdir()}
    assert names - {"changes.diff"} == {  # which is there where the checkout was changed
        "MANIFEST.sha256", "config.json", "environment.json", "epochs",
        "history.csv", "metrics.jsonl", "model.json", "model.striate", "optimizer.safetensors",
        "report.html", "report.md", "results.json", "steps.jsonl", "weights.safetensors",
    }  # fmt: skip
    assert 200_000 < (run / "report.html").stat().st_size < 2_000_000
    results = json.loads((run / "results.json").read_text())
    assert results["run"] == str(run)
    assert results["command"] == "striate train mnist samples=512 epochs=1"
    assert results["epochs"] == 1 and results["seconds"] > 0 and results["stopped"] == ""
    confusion = np.array(results["confusion"])
    assert confusion.sum() == 10_000
    assert np.trace(confusion) == results["test_accuracy"] * 10_000
    (line,) = (run / "metrics.jsonl").read_text().splitlines()
    numbers = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"}
    assert json.loads(line).keys() == numbers
    asked = json.loads((run / "config.json").read_text())
    assert asked["recipe"] == "mnist" and asked["settings"]["samples"] == 512


def test_same_seed_same_numbers_and_a_folder_of_its_own(root: Path, tmp_path: Path) -> None:
    first = json.loads((root / "mnist" / "results.json").read_text())
    place = tmp_path / "mnist-2"
    (tmp_path / "mnist").mkdir()
    again = call("train", "mnist", *TINY, "--runs", tmp_path)
    assert (again.exit_code, again.stdout) == (0, accuracy_line(first) + "\n")
    results = json.loads((place / "results.json").read_text())
    assert results["confusion"] == first["confusion"]
    assert again.stderr.endswith(
        f"next: striate predict {place} image.png   or   striate evaluate {place}\n"
    )


def test_ctrl_c_closes_the_run_without_a_look_at_the_test_set(tmp_path: Path) -> None:
    heard = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # also behind &
    )
    command = f"{heard}; from striate.cli import main; main()"
    program = [sys.executable, "-W", "error", "-c", command]
    words = ["train", "mnist", "samples=256", "epochs=1000", "--runs", str(tmp_path)]
    with subprocess.Popen(
        [*program, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr and running.stdout
        talk = ""
        while "epoch 2/1000" not in talk:
            talk += running.stderr.readline()
        running.send_signal(signal.SIGINT)
        talk += running.stderr.read()
        assert running.stdout.read() == ""
    assert running.returncode == 130
    run = tmp_path / "mnist"
    results = json.loads((run / "results.json").read_text())
    assert results["stopped"] == "interrupted" and results["epochs"] >= 1
    assert "test_accuracy" not in results
    assert "Not tested: interrupted. Training took" in (run / "report.md").read_text()
    page = (run / "report.html").read_text()
    assert "Not tested: interrupted. Training took" in page
    assert page.index("Training ended early: interrupted") < page.index("<section")
    assert (run / "optimizer.safetensors").stat().st_size > 8 * 55_000
    assert talk.endswith(
        f"kept in {run} (see report.html there)\n"
        "the test set was not touched, as training did not end by itself\n"
        "next: striate train mnist samples=256 epochs=1000   to train again, or   "
        f"striate evaluate {run}\n"
    )
    assert "stopped by Ctrl-C; the weights and the history so far are kept\n" in talk
    listed = call("runs", "--runs", tmp_path).stdout
    assert listed.startswith(f"{run}  not tested  ")
    assert json.loads(call("runs", "--runs", tmp_path, "--json").stdout)["runs"][0]["run"]
    assert "test accuracy" in call("evaluate", run).stdout


def test_training_that_fails_leaves_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*words: object) -> None:
        raise RuntimeError("out <of> memory")

    monkeypatch.setattr(sys.modules["striate.cli.train"], "_fit", fail)
    done = call("train", "mnist", *TINY, "--runs", tmp_path)
    assert done.exit_code == 1 and isinstance(done.exception, RuntimeError)
    page = (tmp_path / "mnist" / "report.html").read_text()
    error = "Training ended early: RuntimeError: out &lt;of&gt; memory"
    assert page.index(error) < page.index("<section")
    assert json.loads((tmp_path / "mnist" / "results.json").read_text())["epochs"] == 0


def test_a_loss_that_is_no_number_ends_with_1(tmp_path: Path) -> None:
    done = call("train", "mnist", *TINY, "learning_rate=1e30", "--json", "--runs", tmp_path)
    assert done.exit_code == 1
    assert "test_accuracy" not in json.loads(done.stdout)
    assert "the loss is nan in epoch 1" in done.stderr


def test_evaluate_repeats_the_test_of_the_training(root: Path) -> None:
    results = json.loads((root / "mnist" / "results.json").read_text())
    done = call("evaluate", root / "mnist")
    assert (done.exit_code, done.stdout) == (0, accuracy_line(results) + "\n")
    told = json.loads(call("evaluate", "mnist", "--runs", root, "--json").stdout)
    assert told.items() <= results.items()
    assert told.keys() >= {"run", "test_accuracy", "test_loss", "confusion"}


def test_predict_tells_class_and_probabilities(
    root: Path, tmp_path: Path, digits: tuple[Any, Any]
) -> None:
    digit = digits[0][0]
    file = tmp_path / "seven.png"
    Image.fromarray(digit[:, :, 0]).save(file)
    done = call("predict", root / "mnist", file, "--json")
    (item,) = json.loads(done.stdout)["predictions"]
    expected = st.load(root / "mnist").predict(digit)[0]
    np.testing.assert_allclose(list(item["probabilities"].values()), expected, atol=1e-6)
    assert item["class"] == str(expected.argmax())

    plain = call("predict", "mnist", file, file, "--runs", root).stdout.splitlines()
    assert plain[0] == plain[1]
    assert plain[0].startswith(
        f"{file}: {item['class']}  ({item['class']} {100 * expected.max():.1f} %  "
    )


def test_the_run_of_a_script_predicts_and_has_no_test_set(tmp_path: Path) -> None:
    model = st.Sequential([L.Input((8, 8, 1)), L.Flatten(), L.Dense(3)])
    run = Run.create(tmp_path, "script")
    run.write("config.json", {"script": "old.py"})
    run.finish(model)
    file = tmp_path / "image.png"
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(file)
    found = json.loads(call("predict", run.path, file, "--json").stdout)["predictions"][0]
    assert list(found["probabilities"]) == ["0", "1", "2"]
    logits = model.predict(file)[0]
    assert found["class"] == str(logits.argmax())
    chances = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    np.testing.assert_allclose(list(found["probabilities"].values()), chances, rtol=1e-5)
    assert call("runs", "--runs", tmp_path).stdout.startswith(f"{run.path}  not tested  ")
    assert call("evaluate", run.path).stderr == (
        f"{run.path}: the run has no test set: a script made it, and kept its data to itself\n"
        "  need  the run of a recipe\n"
        f'  fix   st.load("{run.path}"), then compile and evaluate(x, y)\n'
    )


def test_pictures_are_brought_to_the_values_that_a_script_trained_on(tmp_path: Path) -> None:
    script, file = tmp_path / "loop.py", tmp_path / "image.png"
    script.write_text(SCALED)
    run = run_script(script, root=tmp_path / "runs")
    bytes_ = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    Image.fromarray(bytes_).save(file)
    assert Run(run).input_range == (-1.0, 3.0)
    done = call("predict", run, file, "--json")
    found = list(json.loads(done.stdout)["predictions"][0]["probabilities"].values())
    logits = st.load(run).predict((bytes_ / 255 * 4 - 1).astype(np.float32)[None, None])[0]
    chances = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    np.testing.assert_allclose(found, chances, rtol=1e-4)
    assert "the script trained on values from -1 to 3" in done.stderr
    grid = Subject(Path(run)).grid
    assert (grid.low, grid.high, grid.raw) == (-1.0, 3.0, False)
    assert LOOP in (run / "report.html").read_text()


SCALED = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
step = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(2):
    x = torch.rand(16, 1, 8, 8) * 4 - 1
    x[0, 0, 0, 0], x[1, 0, 0, 0] = -1, 3
    loss = nn.functional.cross_entropy(net(x), torch.arange(16) % 3)
    step.zero_grad()
    loss.backward()
    step.step()
"""


def test_a_network_without_classes_is_told_to_predict(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "maps")
    run.write("config.json", {})
    run.finish(st.Sequential([L.Input((8, 8, 1)), L.Conv2D(2, 3)]))
    file = tmp_path / "image.png"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(file)
    assert call("predict", run.path, file).stderr == (
        f"{run.path}: the network tells no classes\n"
        "  got   output (6, 6, 2) for each image\n"
        "  need  one row of numbers, a number for each class\n"
        f'  fix   st.load("{run.path}").predict(image) gives the numbers themselves\n'
    )


@pytest.fixture
def digits() -> tuple[Any, Any]:
    """The real test images and labels."""
    return st.datasets.mnist()[1]


def test_summary_of_run_file_and_recipe_is_the_same(root: Path) -> None:
    by_recipe = call("summary", "mnist").stdout
    assert "Conv2D" in by_recipe and "5*5*1*16 = 400" in by_recipe
    assert call("summary", root / "mnist").stdout == by_recipe
    assert call("summary", root / "mnist" / "model.striate").stdout == by_recipe
    assert json.loads(call("summary", "mnist", "--json").stdout)["parameters"] == 55_898


def test_runs_lists_accuracy_and_date(root: Path, tmp_path: Path) -> None:
    results = json.loads((root / "mnist" / "results.json").read_text())
    (item,) = json.loads(call("runs", "--runs", root, "--json").stdout)["runs"]
    assert item["run"] == str(root / "mnist")
    assert item["test_accuracy"] == results["test_accuracy"]
    line = f"{item['run']}  {100 * item['test_accuracy']:.2f} %  {item['date']}\n"
    assert call("runs", "--runs", root).stdout == line
    none = call("runs", "--runs", tmp_path)
    assert (none.exit_code, none.stdout) == (0, "")
    assert none.stderr == f"no runs in {tmp_path}; begin with: striate train mnist\n"


def test_doctor_tells_versions_and_threads() -> None:
    found = json.loads(call("doctor", "--json").stdout)
    assert found["striate"] == st.__version__ and found["threads"] >= 1
    assert f"{found['torch']}\n" in call("doctor").stdout


def test_score_counts_each_sample_once() -> None:
    class Fixed:
        def predict(self, x: Any) -> Any:
            return x

    outputs = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    found = score(Fixed(), outputs, np.array([0, 1, 1]), ["a", "b"])  # type: ignore[arg-type]
    assert found["confusion"] == [[1, 0], [1, 1]]
    assert (found["test_correct"], found["test_total"]) == (2, 3)
    assert found["test_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.3]).mean())
    assert accuracy_line(found) == (
        "test accuracy 66.67 % (2 of 3; 95 % interval 20.77 to 93.85 %)  loss 0.5108"
    )


MISTAKES = {
    "train mnst": "striate: unknown recipe 'mnst'\n  need  one of images, mnist\n"
    '  fix   did you mean "mnist"?\n',
    "train mnist epoch=3": "train mnist: unknown setting 'epoch'\n"
    "  need  one of batch_size, epochs, learning_rate, samples, seed\n"
    "  fix   epochs=3\n",
    "train mnist lr=3e-3": "train mnist: unknown setting 'lr'\n"
    "  need  one of batch_size, epochs, learning_rate, samples, seed\n"
    "  fix   learning_rate=3e-3\n",
    "train mnist batch=64": "train mnist: unknown setting 'batch'\n"
    "  need  one of batch_size, epochs, learning_rate, samples, seed\n"
    "  fix   batch_size=64\n",
    "summary mnst": "striate: unknown recipe 'mnst'\n  need  one of images, mnist\n"
    '  fix   did you mean "mnist"?\n',
    "summary my.striate": "my.striate: cannot be read\n  got   No such file or directory\n"
    "  fix   check the path\n",
    "train mnist epochs=many": "train mnist: epochs=many cannot work\n"
    "  need  a valid integer, unable to parse string as an integer\n  fix   epochs=8\n",
    "train mnist samples=70000": "train mnist: samples=70000 cannot work\n"
    "  need  less than or equal to 55000\n",
    "train mnist epochs": "train mnist: 'epochs' is not a setting\n"
    "  need  key=value\n  fix   epochs=3\n",
    "train mnist --epochs 3": "train mnist: there is no option '--epochs'\n"
    "  need  settings as key=value; the options are --runs and --json\n"
    "  fix   epochs=3\n",
    "train mnist --learning-rate=0.1": "train mnist: there is no option '--learning-rate=0.1'\n"
    "  need  settings as key=value; the options are --runs and --json\n"
    "  fix   learning_rate=0.1\n",
    "train mnist --jsn": "train mnist: there is no option '--jsn'\n"
    "  need  settings as key=value; the options are --runs and --json\n"
    '  fix   did you mean "--json"?\n',
    "train mnist epochs=1 epochs=2": "train mnist: epochs is given twice\n"
    "  got   epochs=1 epochs=2\n  fix   epochs=2\n",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_told_without_a_traceback(words: str, tmp_path: Path) -> None:
    assert recipe_names() == ["images", "mnist"]
    done = call(*words.split(), "--runs", tmp_path / "runs")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", MISTAKES[words])
    assert not (tmp_path / "runs").exists()


def test_debug_lets_the_mistake_through() -> None:
    done = call("--debug", "train", "mnst")
    assert isinstance(done.exception, ConfigError)
    assert isinstance(done.exception, StriateError)
    assert isinstance(call("train", "mnst", "--debug").exception, ConfigError)


def test_help_loads_no_command() -> None:
    program = (
        "import sys\nfrom striate.cli import main\ntry: main()\n"
        "except SystemExit:\n"
        "    print(*{'torch', 'pydantic', 'PIL', 'striate.recipes'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Begin with: striate train mnist" in done.stdout
    assert done.stdout.endswith("\n\n")


def test_the_version() -> None:
    assert call("--version").stdout == f"striate {st.__version__}\n"


def test_usage_errors_exit_with_2() -> None:
    assert call("trian").exit_code == 2
    assert call("train").exit_code == 2
    assert call("runs", "--jsn").exit_code == 2


def test_convert_writes_the_model_in_another_format(tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "golden" / "keras_files"
    done = call("convert", golden / "keras2_plain.h5", tmp_path / "model.striate")
    assert done.stdout == f"{tmp_path / 'model.striate'}\n"
    model = st.load(tmp_path / "model.striate")
    weights = tmp_path / "only.h5"
    model.save_weights(weights)
    done = call("convert", weights, tmp_path / "new.keras", "--network", tmp_path / "model.striate")
    assert done.exit_code == 0
    again = st.load(tmp_path / "new.keras")
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
