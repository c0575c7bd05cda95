"""What a script leaves: a notebook, a loop, new code, and one that fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from striate import load
from striate.data.datasets import mnist
from striate.dialects import installed
from striate.dialects.program import port_script, run_script
from striate.dialects.table import DialectError
from striate.store.run import Run

NET = """
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
model = Sequential([Dense(3, input_dim=4, activation="softmax")])
model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
"""
Keep = Callable[[str], Path]
FIT = "model.fit(np.eye(4), np.array([0, 1, 2, 0]), epochs=2, verbose=0)\n"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Run a script in a folder of its own; the folder of its run."""
    monkeypatch.chdir(tmp_path)

    def run(text: str) -> Path:
        (tmp_path / "script.py").write_text(text)
        return run_script("script.py", seed=0, root="runs")

    return run


def notebook(path: Path, *cells: str) -> Path:
    """Write a notebook with these cells of code, and one of text before them."""
    code: list[dict[str, Any]] = [
        {"cell_type": "code", "source": cell.strip("\n").splitlines(keepends=True)}
        for cell in cells
    ]
    text = {"cell_type": "markdown", "source": ["# A network\n", "import nothing"]}
    path.write_text(json.dumps({"cells": [text, *code], "nbformat": 4, "nbformat_minor": 2}))
    return path


def test_a_notebook_runs_as_in_its_kernel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = notebook(
        tmp_path / "course.ipynb",
        "%matplotlib inline\n!pip install keras\nimport matplotlib.pyplot as plt\n" + NET,
        "%%time\n" + FIT + "model.count_params()",
        "%time kept = model.count_params() + 1\nkept;",
        "%%bash\nls /nowhere",
        "plt.plot([1, 2])\nmodel.fit?",
        "plt.plot([3])\nplt.show()\ndisplay('shown', None)",
        "plt.plot([4])\nplt.title('last');\nkept",
    )
    run = run_script(book, seed=1, root=tmp_path / "runs")
    assert capsys.readouterr().out.splitlines() == ["15", "'shown'", "16"]
    pictures = sorted(picture.name for picture in run.glob("*.png"))
    assert pictures == ["figure-1.png", "figure-2.png", "figure-3.png"]
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 2
    assert Run.open(run).read("config.json")["script"] == "course.ipynb"


def test_a_notebook_is_ported_to_a_script(tmp_path: Path) -> None:
    book = notebook(tmp_path / "old.ipynb", NET, "%matplotlib inline\n" + FIT)
    (tmp_path / "new.py").write_text(port_script(book))
    program = "import sys; from striate.cli import main; main()"
    words = [sys.executable, "-c", program, "run", "new.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "native" in done.stderr
    assert (tmp_path / "runs" / "new" / "model.striate").is_file()


def test_the_older_format_of_notebooks_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "old.ipynb"
    cell = {"cell_type": "code", "input": ["print 'of 2014'\n", "1"], "language": "python"}
    book.write_text(json.dumps({"worksheets": [{"cells": [cell]}], "nbformat": 3}))
    run_script(book, root=tmp_path / "runs")
    assert capsys.readouterr().out == "of 2014\n1\n"


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": [{"cell_type": "code"}]}', '{"a": 1}'])
def test_what_is_no_notebook_is_told(text: str, tmp_path: Path) -> None:
    book = tmp_path / "broken.ipynb"
    book.write_text(text)
    with pytest.raises(DialectError, match=r"broken\.ipynb: is no notebook"):
        run_script(book, root=tmp_path / "runs")


def test_what_a_script_has_trained_is_kept_when_it_fails(tmp_path: Path) -> None:
    script = tmp_path / "fails.py"
    script.write_text(NET + FIT + "def plot():\n    return 1 / 0\nplot()\n")
    root = tmp_path / "runs"
    with pytest.raises(ZeroDivisionError):
        run_script(script, root=root)
    run = Run.open(root / "fails")
    said = "the script ended with ZeroDivisionError in line 9: division by zero"
    assert run.results["stopped"] == said
    assert said in (run.path / "report.html").read_text()
    assert (run.path / "model.striate").is_file()


def test_a_script_that_fails_before_it_trains_leaves_no_empty_run(tmp_path: Path) -> None:
    script = tmp_path / "fails.py"
    script.write_text(NET + "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        run_script(script, root=tmp_path / "runs")
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(("code", "stopped"), [("", None), ("0", None), ("3", "SystemExit")])
def test_a_script_may_end_by_exit(code: str, stopped: str | None, tmp_path: Path) -> None:
    script = tmp_path / "ends.py"
    script.write_text(f"import sys\n{NET}{FIT}sys.exit({code})\n")
    if stopped:
        with pytest.raises(SystemExit):
            run_script(script, root=tmp_path / "runs")
    else:
        run_script(script, root=tmp_path / "runs")
    found = Run.open(tmp_path / "runs" / "ends").results.get("stopped")
    assert found is None if stopped is None else stopped in found


def test_an_error_of_a_script_is_told_from_its_own_line_on(tmp_path: Path) -> None:
    notebook(tmp_path / "fails.ipynb", "%matplotlib inline", "one = 1\none / 0")
    program = "import sys; from striate.cli import main; main()"
    words = [sys.executable, "-c", program, "run", "fails.ipynb"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    told = done.stderr[done.stderr.index("Traceback") :]
    assert told.count("File ") == 1 and "one / 0" in told and "fails.ipynb" in told


LOOP = """
import tensorflow as tf
(x, y), _ = tf.keras.datasets.mnist.load_data()
x = (x[:64, ..., tf.newaxis] / 255.0).astype("float32")
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten, self.head = tf.keras.layers.Flatten(), tf.keras.layers.Dense(10)
    def call(self, x):
        return self.head(self.flatten(x))
net, optimizer = Net(), tf.keras.optimizers.Adam()
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
for _ in range(3):
    with tf.GradientTape() as tape:
        total = loss(y[:64], net(x, training=True))
    weights = net.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(total, weights), weights))
print(net(x[:2]).numpy()[1, 3])
"""


def test_a_loop_with_a_tape_leaves_its_model(
    kept: Keep, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept(LOOP)
    shown = float(capsys.readouterr().out)
    x = mnist()[0][0][:2].astype("float32") / 255
    assert load(run).predict(x)[1, 3] == pytest.approx(shown, rel=1e-4)
    assert Run.open(run).input_range == (0.0, 1.0)
    assert (run / "report.html").is_file()


PADDED = """
import torch
from torch import nn
import torch.nn.functional as F
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(1, 4, 3), nn.ConvTranspose2d(4, 4, 2)
        self.last = nn.Conv2d(5, 1, 1)
    def forward(self, x):
        y = self.up(torch.relu(self.down(x)))
        across = x.size(3) - y.size(3)
        y = F.pad(y, [across // 2, across - across // 2, 0, x.size(2) - y.size(2)])
        return self.last(torch.cat([x, y], dim=1))
net = nn.DataParallel(Net())
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
x = torch.rand(8, 1, 10, 10)
for _ in range(2):
    optimizer.zero_grad()
    net(x).square().mean().backward()
    optimizer.step()
torch.save((x, net.eval()(x)), "seen.pt")
"""


def test_a_loop_of_torch_leaves_its_model_in_layers(kept: Keep, tmp_path: Path) -> None:
    run = kept(PADDED)
    x, seen = torch.load(tmp_path / "seen.pt")
    assert np.allclose(load(run).predict(x), seen.detach().numpy(), atol=1e-5)


SEVERAL = """
import torch
from torch import nn
class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
    def forward(self, x, y):
        return (self.inner(x) - self.inner(y)).square().sum(1)
class Centres(nn.Module):
    def __init__(self):
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(8))
    def forward(self, x, y):
        return (x - y - self.centre).square().mean()
net, loss = Pair(), Centres()
optimizer = torch.optim.SGD([*net.parameters(), *loss.parameters()], lr=0.1)
for _ in range(2):
    optimizer.zero_grad()
    loss(net(torch.rand(8, 1, 6, 6), y=torch.rand(8, 1, 6, 6)), torch.ones(8)).backward()
    optimizer.step()
torch.save(net.state_dict(), "seen.pt")
"""


def test_a_network_of_several_inputs_is_kept_by_its_weights_and_a_loss_is_not(
    kept: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept(SEVERAL)
    weights = load_file(Path(run) / "state_dict.safetensors")
    seen = torch.load(tmp_path / "seen.pt")
    assert weights.keys() == seen.keys()
    assert all(torch.equal(weights[name], seen[name]) for name in seen)
    assert not [*Path(run).glob("centres*")]
    said = "note: the run keeps the weights alone, state_dict.safetensors: Pair has several inputs"
    assert said in capsys.readouterr().err


ONE_LAYER = """
import torch
net = torch.nn.Linear(4, 2).double()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
x = torch.rand(8, 4).double()
for _ in range(2):
    optimizer.zero_grad()
    net(x).square().mean().backward()
    optimizer.step()
torch.save((x.float(), net.eval()(x).float()), "seen.pt")
"""


@pytest.mark.parametrize("program", [ONE_LAYER, ONE_LAYER.replace(".double()", "")])
def test_a_loop_over_one_layer_of_torch_leaves_it(kept: Keep, tmp_path: Path, program: str) -> None:
    run = kept(program)
    x, seen = torch.load(tmp_path / "seen.pt")
    assert np.allclose(load(run).predict(x), seen.detach().numpy(), atol=1e-5)


NODES = """
import numpy as np
import renom as rm
class Net(rm.Model):
    def __init__(self):
        self.first, self.second = rm.Conv2d(channel=4, padding=1), rm.Conv2d(channel=4, padding=1)
        self.norm, self.drop = rm.BatchNormalize(mode="feature"), rm.Dropout(0.5)
        self.last = rm.Sequential([rm.Dense(6), rm.Relu6(), rm.Dense(3)])
    def forward(self, x):
        print("called")
        x = rm.relu(self.norm(self.first(x / 255.0)))
        x = rm.max_pool2d(x + self.second(x), filter=2, stride=2)
        x = self.drop(rm.concat(x, rm.LAST(x) * 0.5))
        return rm.softmax(self.last(x.reshape(len(x), -1)))
net, optimizer = Net(), rm.Adam()
x, y = np.random.rand(8, 1, 6, 6) * 255, np.eye(3)[np.arange(8) % 3]
for _ in range(3):
    with net.train():
        loss = rm.cross_entropy(net(x), y)
    loss.grad().update(optimizer)
net.set_models(inference=True)
np.savez("seen.npz", x=x, y=net(x).as_ndarray())
"""


def test_a_loop_of_renom_over_code_leaves_its_model_in_layers(
    kept: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept(NODES.replace("LAST", "tanh"))
    seen = np.load(tmp_path / "seen.npz")
    assert np.allclose(load(run).predict(seen["x"]), seen["y"], atol=1e-5)
    assert (run / "weights.h5").is_file()
    assert (run / "report.html").is_file()
    captured = capsys.readouterr()
    assert captured.out == 4 * "called\n"
    assert "is code" not in captured.err


def test_of_code_of_renom_without_layers_the_weights_are_kept(
    kept: Keep, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept(NODES.replace("LAST", "exp"))
    assert (run / "weights.h5").is_file()
    assert not (run / "model.striate").exists()
    why = "weights.h5: Net is code, there is no native layer for exp"
    assert f"the run keeps the weights alone, {why}" in capsys.readouterr().err


SPREAD = """
import numpy as np
import renom as rm
class Net(rm.Model):
    def __init__(self):
        self.down = rm.Conv2d(channel=4, padding=1)
        self.up = rm.Deconv2d(channel=3, filter=3, stride=2, padding=0)
        self.norm = rm.BatchNormalize(mode="feature")
        self.last = rm.Conv2d(channel=1, filter=1)
    def forward(self, x):
        seen = rm.relu(self.down(x))
        half = rm.max_pool2d(seen, filter=2, stride=2)
        wide = rm.relu(self.norm(self.up(half)))[:, :, :seen.shape[2], :seen.shape[3]]
        return rm.sigmoid(self.last(rm.concat(seen, wide)))
net, optimizer = Net(), rm.Adam()
x = np.random.rand(8, 1, 6, 6)
for _ in range(3):
    with net.train():
        loss = rm.mean_squared_error(net(x), x)
    loss.grad().update(optimizer)
net.set_models(inference=True)
np.savez("seen.npz", x=x, y=net(x).as_ndarray())
"""


def test_transposed_convolutions_and_parts_of_renom_are_kept_in_layers(
    kept: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept(SPREAD)
    seen = np.load(tmp_path / "seen.npz")
    made = load(run)
    assert np.allclose(made.predict(seen["x"]), seen["y"], atol=1e-5)
    kinds = [type(layer).__name__ for layer in made.layers]
    assert "Conv2DTranspose" in kinds and "Cropping2D" in kinds
    assert "is code" not in capsys.readouterr().err


@pytest.mark.parametrize("package", ["striate.keras", "striate.tf.keras"])
def test_new_code_in_the_words_of_keras_has_a_run(
    package: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "new.py"
    script.write_text(NET.replace("from keras", f"from {package}") + FIT)
    run = run_script(script, max_epochs=1, root=tmp_path / "runs")
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 1
    assert load(run).predict(np.eye(4)).shape == (4, 3)
    again = run_script(script, root=tmp_path / "runs")
    assert len((again / "metrics.jsonl").read_text().splitlines()) == 2


PARTS = """
import tensorflow as tf
class Twice(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.coder = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
    def train_step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.coder(x) - 1.0))
        grads = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights))
        return {"loss": loss}
model = Twice()
model.compile(optimizer="sgd")
x = tf.ones((8, 4))
model.fit(x, epochs=2, verbose=0)
print(float(model.coder(x)[0, 1]))
"""


def test_the_models_in_a_model_that_is_code_are_kept(
    kept: Keep, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept(PARTS)
    captured = capsys.readouterr()
    assert "the weights, and of its parts coder.striate: twice (Twice) is code" in captured.err
    found = load(run / "coder.striate").predict(np.ones((1, 4), "float32"))
    assert found[0, 1] == pytest.approx(float(captured.out), rel=1e-5)
    assert (run / "weights.safetensors").is_file()


BLOCKS = """
import tensorflow as tf
layers = tf.keras.layers
class Block(layers.Layer):
    def __init__(self, count, stride=1):
        super().__init__()
        self.first = layers.Conv2D(count, 3, strides=stride, padding="same")
        self.norm, self.relu = layers.BatchNormalization(), layers.Activation("relu")
        self.short = layers.Conv2D(count, 1, strides=stride) if stride > 1 else lambda x: x
    def call(self, inputs, training=None):
        out = self.relu(self.norm(self.first(inputs), training=training))
        return tf.nn.relu(layers.add([out, self.short(inputs)]))
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = tf.keras.Sequential([layers.Conv2D(4, 3), Block(4), Block(8, 2)])
        self.pool, self.head = layers.GlobalAveragePooling2D(), layers.Dense(3)
    def call(self, inputs, training=None):
        return self.head(self.pool(self.stem(inputs, training=training)))
net = Net()
net.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
x = tf.random.uniform((16, 8, 8, 1), seed=1)
net.fit(x, tf.zeros((16,), tf.int32), epochs=2, verbose=0)
import numpy as np
np.save("seen.npy", np.concatenate([x.numpy().ravel(), net.predict(x, verbose=0).ravel()]))
"""


def test_models_that_are_trained_batch_by_batch_are_kept(kept: Keep, tmp_path: Path) -> None:
    path = kept(
        NET + "judge = Sequential([Dense(2, input_dim=3, activation='tanh')], name='judge')\n"
        "judge.compile('sgd', 'mse')\n"
        "for _ in range(3):\n"
        "    judge.train_on_batch(np.ones((4, 3)), np.zeros((4, 2)))\n"
        "    model.train_on_batch(np.eye(4), np.array([0, 1, 2, 0]))\n"
        "np.save('seen.npy', model.predict(np.eye(4)))\n"
        "np.save('other.npy', judge.predict(np.eye(3)))\n"
    )
    assert np.allclose(load(path).predict(np.eye(4)), np.load(tmp_path / "seen.npy"), atol=1e-6)
    other = load(path / "judge-1.striate").predict(np.eye(3))
    assert np.allclose(other, np.load(tmp_path / "other.npy"), atol=1e-6)
    assert (path / "report.html").exists()


def test_a_pickle_leaves_a_folder_that_has_the_name_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text("a letter")
    with installed("keras2"):
        from keras.layers import Dense
        from keras.models import Sequential

        model = Sequential([Dense(2, input_dim=3)])
        unpickle, (_, held) = model.__reduce_ex__(4)
        for folder in (tmp_path, tmp_path / "gone", tmp_path / "no" / "such"):
            found = unpickle(str(folder / "model.keras"), held)
            x = np.ones((2, 3), np.float32)
            assert np.array_equal(found.predict(x), model.predict(x))
    assert [one.name for one in tmp_path.iterdir()] == ["theirs.txt"]


def test_a_model_of_own_layers_is_kept_as_the_layers_in_them(kept: Keep, tmp_path: Path) -> None:
    found = load(kept(BLOCKS))
    seen = np.load(tmp_path / "seen.npy")
    x, outputs = seen[: 16 * 64].reshape(16, 8, 8, 1), seen[16 * 64 :].reshape(16, 3)
    assert np.allclose(found.predict(x), outputs, rtol=1e-4, atol=1e-5)
    assert {"Add", "BatchNormalization"} <= {
        type(node.layer).__name__ for node in found.layers[0].graph.nodes
    }


PREPARED = """
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
image = keras.Input((16, 16, 3))
x = keras.applications.vgg16.preprocess_input(image)
x = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(x))
model = keras.Model(image, layers.Dense(1, activation="sigmoid")(x))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
rng = np.random.default_rng(0)
model.fit(rng.uniform(0, 255, (20, 16, 16, 3)), rng.integers(0, 2, 20), epochs=2, verbose=0)
"""


def test_code_with_constants_of_its_own_is_in_the_report(
    kept: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (kept(PREPARED) / "report.html").read_text()
    assert "could not be written" not in capsys.readouterr().err
    assert "21,168" in page  # 14*14*4 outputs * 3*3*3 of the convolution


TWO = """
import torch
from torch import nn
class Maker(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 4)
    def forward(self, x):
        return torch.tanh(self.one(x))
class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 1)
    def forward(self, x):
        return self.one(x)
maker, judge = Maker(), Judge()
both = torch.optim.SGD([*maker.parameters(), *judge.parameters()], lr=0.1)
for _ in range(3):
    both.zero_grad()
    judge(maker(torch.rand(8, 3))).square().mean().backward()
    both.step()
x = torch.ones(2, 3)
torch.save((x, maker.eval()(x), judge.eval()(maker(x))), "seen.pt")
"""


def test_every_network_of_a_loop_is_kept(
    kept: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept(TWO)
    assert "the other networks of the loop too: maker-1.striate" in capsys.readouterr().err
    x, made, judged = (one.detach().numpy() for one in torch.load(tmp_path / "seen.pt"))
    found = load(run / "maker-1.striate").predict(x)
    assert np.allclose(found, made, atol=1e-6)
    assert np.allclose(load(run).predict(found), judged, atol=1e-5)


LOOKED_AT = (
    TWO
    + """
torch.nn.Linear(3, 5)(x)
net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
for layer in net:
    layer(torch.ones(2, 4))
once = torch.optim.SGD(net.parameters(), lr=0.1)
net(torch.ones(2, 4)).sum().backward()
once.step()
torch.nn.Sequential(torch.nn.Linear(3, 5))(x)
"""
)


def test_what_is_called_once_to_be_looked_at_is_not_kept(kept: Keep) -> None:
    run = kept(LOOKED_AT)
    names = [path.stem for path in Path(run).glob("*.striate")]
    assert sorted(names) == ["judge-2", "maker-1", "model"]
    assert load(run).predict(np.ones((1, 4), np.float32)).shape == (1, 2)


@pytest.mark.parametrize("answer", ["{'kind': self.kind(x), 'place': self.place(x)}",
                                    "self.kind(x), self.place(x)"])  # fmt: skip
def test_a_network_of_torch_with_several_outputs_is_kept_whole(kept: Keep, answer: str) -> None:
    run = kept(f"""
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())
        self.kind, self.place = nn.Linear(144, 2), nn.Linear(144, 1)
    def forward(self, x):
        x = self.body(x)
        return {answer}
net = Net()
optimizer = torch.optim.SGD(net.parameters(), 0.1)
x, y = torch.rand(8, 1, 8, 8), torch.arange(8) % 2
for _ in range(2):
    out = net(x)
    kind, place = out.values() if isinstance(out, dict) else out
    loss = nn.functional.cross_entropy(kind, y) + place.square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""")
    shapes = [out.shape for out in load(run).predict(np.zeros((3, 1, 8, 8), "float32"))]
    assert shapes == [(3, 2), (3, 1)]
