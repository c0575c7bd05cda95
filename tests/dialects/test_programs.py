"""Small programs in the words of each version, run as a person would run them."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from striate.cli import app
from striate.cli.report import data_of
from striate.data.datasets import mnist
from striate.dialects.program import port_script, run_script
from striate.explorer.results import data, overview
from striate.explorer.subject import Subjects
from striate.model import Model, load
from striate.report import write
from striate.store import samples
from striate.store.run import Run

DATA = """
import numpy as np
from {root}.datasets import mnist
(x, y), (x_test, y_test) = mnist.load_data()
assert x.shape == (60000, 28, 28) and y_test.shape == (10000,) and x.dtype == np.uint8
x, y, x_test, y_test = x[:300], y[:300], x_test[:100], y_test[:100]
"""
PLAIN = (
    DATA.format(root="keras")
    + """
from keras.utils import np_utils
x = x.reshape(-1, 28, 28, 1).astype('float32') / 255
Y = np_utils.to_categorical(y, 10)
"""
)
NET = """
from keras.models import Sequential
from keras.layers import *
model = Sequential()
model.add(Convolution2D(4, 3, 3, border_mode='same', input_shape=(28, 28, 1)))
model.add(Activation('relu'))
model.add(MaxPooling2D((4, 4)))
model.add(Flatten())
model.add(Dense(10, activation='softmax'))
"""
FIT = "model.compile('sgd', 'categorical_crossentropy', metrics=['accuracy'])\n"
TF = (
    DATA.format(root="tensorflow.keras")
    + """
import tensorflow as tf
from tensorflow.keras import layers, models
x = x[..., None] / 255.0
"""
)

PROGRAMS = {
    "tutorial 001": ("keras2", """
from keras import layers, models, Input
from keras.models import Model
from keras.datasets import mnist
from keras.utils import to_categorical
(x, y), (xt, yt) = mnist.load_data()
x = x.reshape((60000, 28, 28, 1)).astype('float32') / 255
y = to_categorical(y)
x0 = Input(shape=(28, 28, 1))
h = layers.Conv2D(32, (3, 3), activation='relu', input_shape=(28, 28, 1))(x0)
h = layers.MaxPooling2D((2, 2))(h)
h = layers.Flatten()(h)
net = Model(inputs=x0, outputs=layers.Dense(10, activation='softmax')(h))
net.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['accuracy'])
net.fit(x, y, epochs=4, batch_size=64)
print(net.count_params(), net.name)
""", "54410 model_1"),
    "tutorial 002": ("keras2", """
from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import Dense, Conv2D, Flatten
from keras.utils import to_categorical
(x, y), (xt, yt) = mnist.load_data()
x = x.reshape(60000, 28, 28, 1); xt = xt.reshape(10000, 28, 28, 1)
y = to_categorical(y); yt = to_categorical(yt)
m = Sequential()
m.add(Conv2D(6, kernel_size=3, activation='relu', input_shape=(28, 28, 1)))
m.add(Conv2D(3, kernel_size=3, activation='relu'))
m.add(Flatten())
m.add(Dense(10, activation='softmax'))
m.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
h = m.fit(x, y, validation_data=(xt, yt), epochs=3)
print(m.predict(xt[:4]).shape, sorted(h.history))
""", "(4, 10) ['acc', 'loss', 'val_acc', 'val_loss']"),
    "tutorial 004": ("keras2", PLAIN + """
from keras.models import Sequential
from keras.layers import Dense, Dropout, Flatten, Convolution2D, MaxPooling2D
m = Sequential()
m.add(Convolution2D(filters=6, kernel_size=3, activation='relu', input_shape=(28, 28, 1)))
m.add(MaxPooling2D(pool_size=2))
m.add(Convolution2D(filters=16, kernel_size=3, activation='relu'))
m.add(MaxPooling2D(pool_size=(2, 2)))
m.add(Dropout(0.25)); m.add(Flatten()); m.add(Dense(128, activation='relu'))
m.add(Dropout(0.5)); m.add(Dense(10, activation='softmax'))
m.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
m.fit(x, Y, batch_size=32, epochs=10, verbose=1)
score = m.evaluate(x, Y, verbose=1)
m.summary()
print(m.metrics_names, len(score))
""", "['loss', 'acc'] 2"),
    "numbers after the filters are the kernel's sides": (
        "keras1", PLAIN + NET + "print(model.layers[0].kernel_size, model.layers[0].strides)",
        "(3, 3) (1, 1)"),
    "in tf.keras they are kernel and strides": (
        "tf", TF + "l = layers.Conv2D(4, 3, 3)\nprint(l.kernel_size, l.strides, l.name)",
        "(3, 3) (3, 3) conv2d"),
    "names of Keras 1": ("keras1", PLAIN + NET + "print([l.name for l in model.layers])",
        "['convolution2d_1', 'activation_1', 'maxpooling2d_1', 'flatten_1', 'dense_1']"),
    "the rate of Adadelta": (
        "keras1", PLAIN + NET + "model.compile('adadelta', 'mse')\nprint(float(model.optimizer.lr))"
        "\nnb_epoch = dict(nb_epoch=1)", "1.0"),
    "the rate of Adadelta in tf.keras": (
        "tf", TF + "m = models.Sequential([layers.Flatten(input_shape=(28, 28, 1)),"
        " layers.Dense(10)])\nm.compile('adadelta', 'mse')\nprint(float(m.optimizer.lr))", "0.001"),
    "keys of the history": ("keras1", PLAIN + NET + FIT
        + "h = model.fit(x, Y, nb_epoch=2, validation_split=0.2).history\n"
        "print(list(h), h['accuracy'] == h['acc'], len(h['loss']))",
        "['loss', 'acc', 'val_loss', 'val_acc'] True 1"),
    "keys as written": ("tf", TF + """
m = models.Sequential([layers.Flatten(input_shape=(28, 28, 1)),
                       layers.Dense(10, activation='softmax')])
m.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
print(list(m.fit(x, y, epochs=1, verbose=0).history))
""", "['loss', 'accuracy']"),
    "channels first by setting": ("keras1", DATA.format(root="keras") + """
from keras import backend as K
from keras.models import Sequential
from keras.layers import Convolution2D
K.set_image_dim_ordering('th')
m = Sequential([Convolution2D(4, 3, 3, border_mode='valid', input_shape=(1, 28, 28))])
print(m.output_shape, K.image_data_format())
""", "(None, 4, 26, 26) channels_first"),
    "channels first by the shape": ("keras1", """
from keras.models import Sequential
from keras.layers import Convolution2D
m = Sequential([Convolution2D(4, 3, 3, border_mode='valid', input_shape=(1, 28, 28))])
print(m.output_shape)
""", "(None, 4, 26, 26)"),
    "channels first of one layer": ("keras2", """
from keras.models import Sequential
from keras.layers import Conv2D
m = Sequential()
m.add(Conv2D(32, kernel_size=3, data_format='channels_first', input_shape=(1, 28, 28)))
m.add(Conv2D(64, kernel_size=3))
print(m.output_shape, m.layers[1].count_params())
""", "(None, 30, 24, 64) 15040"),
    "merge": ("keras1", """
from keras.layers import Input, merge, Dense
from keras.models import Model
a = Input(shape=(3,))
b = merge([Dense(2, init='one')(a), Dense(2, init='zero')(a)], mode='concat')
print(Model(input=a, output=b).predict([[1.0, 2.0, 3.0]]).tolist())
""", "[[6.0, 6.0, 0.0, 0.0]]"),
    "functions of merging": ("keras2", """
from keras.layers import Input, add, Dense
from keras.models import Model
a = Input(shape=(3,))
print(Model(inputs=a, outputs=add([a, Dense(units=3)(a)])).output_shape)
""", "(None, 3)"),
    "a rate that is set": ("keras2", PLAIN + NET.replace("3, 3, border_mode", "(3, 3), padding")
        + FIT + "from keras import backend as K\nK.set_value(model.optimizer.lr, 0.125)\n"
        "print(K.get_value(model.optimizer.lr))\nmodel.fit(x, Y, epochs=1)\nprint('end')", "end"),
    "a callback of one's own": ("keras1", PLAIN + NET + FIT + """
from keras.callbacks import Callback
class Stop(Callback):
    def on_epoch_end(self, epoch, logs={}):
        print('seen', logs['accuracy'] == logs['acc'], self.params['epochs'])
model.fit(x, Y, nb_epoch=1, callbacks=[Stop()], verbose=0)
""", "seen True 1"),
    "a generator": ("keras1", PLAIN + NET + FIT + """
def batches():
    while True:
        for i in range(0, 300, 50):
            yield x[i:i + 50], Y[i:i + 50]
h = model.fit_generator(batches(), samples_per_epoch=300, nb_epoch=1)
print(len(h.epoch), round(len(x) / 50))
""", "1 6"),
    "a loss of one's own": ("keras2", PLAIN + NET.replace("3, 3, border_mode", "(3, 3), padding")
        + "from keras import backend as K\n"
        "model.compile('sgd', lambda t, p: K.mean(K.square(t - p), axis=-1))\n"
        "model.fit(x, Y, epochs=1, verbose=0)\n"
        "print(type(model.evaluate(x, Y)).__name__)", "float"),
    "classes": ("keras1", PLAIN + NET + FIT + "print(model.predict_classes(x[:7]).shape)", "(7,)"),
    "initial weights": ("keras1", """
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
w = [np.full((2, 3), 2.0), np.ones(3)]
m = Sequential([Dense(3, weights=w, input_dim=2, init='zero'), Dense(output_dim=1)])
print(m.predict(np.ones((1, 2))).shape, m.layers[0].get_weights()[0].sum())
""", "(1, 1) 12.0"),
    "removed words of NumPy and Python": ("keras2", """
import time, numpy as np
from keras.utils import to_categorical
start = time.clock()
print(to_categorical([[2], [0]]).tolist(), np.zeros(1, dtype=np.float).dtype)
""", "[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]] float64"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_unmodified(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version, text, last = PROGRAMS[name]
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    run = run_script(script, max_epochs=1, limit_samples=200, seed=1, root=tmp_path / "runs")
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == last
    assert captured.err.startswith(f"dialect  {version} (")
    assert json.loads((run / "config.json").read_text())["dialect"] == version


def test_arguments_and_the_place_of_a_script_are_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "beside.py").write_text("WORD = 'beside'\n")
    script = tmp_path / "My Script.py"
    script.write_text("import sys, beside\nprint(__name__, sys.argv[1:], beside.WORD)\n")
    run = run_script(script, ["--size", "3"], root=tmp_path / "runs")
    assert capsys.readouterr().out == "__main__ ['--size', '3'] beside\n"
    assert run == tmp_path / "runs" / "my-script"


def test_shown_pictures_are_saved_by_number(tmp_path: Path) -> None:
    script = tmp_path / "curves.py"
    script.write_text(
        "import matplotlib.pyplot as plt\n"
        "plt.plot([1, 2])\nplt.show()\nplt.figure()\nplt.plot([3])\nplt.show()\n"
    )
    program = "import sys; from striate.cli import main; main()"
    words = [sys.executable, "-c", program, "run", str(script), "--runs", str(tmp_path / "runs")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    pictures = sorted((tmp_path / "runs" / "curves").glob("*.png"))
    assert [picture.name for picture in pictures] == ["figure-1.png", "figure-2.png"]
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


def test_the_run_of_a_script_can_be_looked_at_like_that_of_a_recipe(tmp_path: Path) -> None:
    script = tmp_path / "small.py"
    fit = "model.fit(x, Y, nb_epoch=2, validation_data=(x[:50], Y[:50]), verbose=0)\n"
    script.write_text(PLAIN + NET + FIT + fit)
    root = tmp_path / "runs"
    run = run_script(script, seed=1, root=root)
    subject = Subjects(root)["small"]
    assert subject.train is not None and subject.test is not None
    assert subject.train.x.shape == (300, 28, 28, 1)
    digits = mnist()[0][1][:300]
    assert np.array_equal(subject.train.y, digits)
    told = overview(subject)
    assert np.asarray(told["confusion"]).sum() == told["total"] == 50
    assert told["confusion"] == json.loads((run / "results.json").read_text())["confusion"]
    assert data(subject)["counts"]["test"] == np.bincount(digits[:50], minlength=10).tolist()
    before, after = (subject.at(epoch).weights[0] for epoch in (0, 2))
    assert not torch.equal(before, after)
    assert torch.equal(after, subject.model.weights[0])
    first = (run / "report.html").read_text()
    opened = Run.open(run)
    write(opened, subject.model, data_of(opened))
    assert (run / "report.html").read_text().count("<img") == first.count("<img") > 20


def test_two_runs_of_a_script_are_listed_and_compared(tmp_path: Path) -> None:
    script, root = tmp_path / "small.py", tmp_path / "runs"
    fit = "model.fit(x, Y, nb_epoch=2, validation_data=(x[:50], Y[:50]), verbose=0)\n"
    script.write_text(PLAIN + NET + FIT + fit)
    one, other = (run_script(script, seed=seed, root=root) for seed in (1, 2))
    told = [Run(path).results for path in (one, other)]
    rows = [json.loads(line) for line in (one / "metrics.jsonl").read_text().splitlines()]
    assert told[0]["epochs"] == 2
    assert told[0]["seconds"] == pytest.approx(sum(row["seconds"] for row in rows), abs=0.01)
    assert told[0]["validation_accuracy"] == pytest.approx(rows[-1]["val_acc"])
    listed = CliRunner().invoke(app, ["runs", "--runs", str(root)]).stdout
    assert f"{100 * told[0]['validation_accuracy']:.2f} % of validation" in listed
    words = ["compare", str(one), str(other), "--json"]
    found = json.loads(CliRunner().invoke(app, words).stdout)["disagreements"]
    x, _ = samples.load(one)["test"]
    says = [load(path).predict(x).argmax(1) for path in (one, other)]
    assert found["images"] == 50
    assert found["different"] == int((says[0] != says[1]).sum()) > 0


NATIVE = """
import striate as st
from striate import layers as L
(x, y), (x_test, y_test) = st.datasets.mnist()
model = st.Sequential([L.Input((28, 28, 1)), L.Rescaling(1 / 255), L.MaxPooling2D(4), L.Flatten(),
                       L.Dense(10, activation="softmax")])
model.compile("adam", "crossentropy", metrics=["accuracy"])
history = model.fit(x[:500], y[:500], epochs=4, verbose=0, {words})
print(len(history.history["loss"]), model.evaluate(x_test[:50], y_test[:50], verbose=0)[0] > 0)
"""


@pytest.mark.parametrize(
    "words", ["validation_data=(x_test[:60], y_test[:60])", "validation_split=0.2"]
)
def test_a_script_in_native_words_has_a_run_too(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "own.py"
    script.write_text(NATIVE.format(words=words))
    run = run_script(script, max_epochs=2, limit_samples=200, root=tmp_path / "runs")
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "2 True"
    assert captured.err.startswith("dialect  none: the script is in the native vocabulary\n")
    assert json.loads((run / "config.json").read_text())["dialect"] == "native"
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2] and "val_accuracy" in rows[0]
    subject = Subjects(tmp_path / "runs")["own"]
    judged = 60 if "data" in words else 40
    assert overview(subject)["total"] == judged
    assert data(subject)["sizes"]["train"] == [200 if "data" in words else 160, 28, 28, 1]
    assert "report.html" in {file.name for file in run.iterdir()}
    assert Model.fit.__module__ == "striate.engine.loop"  # no longer watched
    assert port_script(script) == script.read_text()


FOLDER = """
import striate as st
from striate import layers as L
images = st.data.image_folder({folder!r}, (8, 8), validation=0.25, test=0.25)
model = st.Sequential([L.Input((8, 8, 3)), L.Rescaling(1 / 255), L.Flatten(), L.Dense(2)])
model.compile("adam", "crossentropy")
model.fit(*images.train, epochs=1, verbose=0, validation_data=images.validation)
"""


def test_a_folder_that_a_script_in_native_words_reads_is_known_to_its_run(tmp_path: Path) -> None:
    from PIL import Image

    for label, name in enumerate(("day", "night")):
        (tmp_path / "sky" / name).mkdir(parents=True)
        for number in range(8):
            colour = (200 * label + number, 90, 90)
            Image.new("RGB", (9 + number % 2, 8), colour).save(
                tmp_path / "sky" / name / f"{number}.png"
            )
    (tmp_path / "sky" / "day" / "notes.txt").write_text("cloudy")
    script = tmp_path / "own.py"
    script.write_text(FOLDER.format(folder=str(tmp_path / "sky")))
    run = run_script(script, root=tmp_path / "runs")
    told = data(Subjects(tmp_path / "runs")["own"])
    assert told["classes"] == ["day", "night"]
    assert told["counts"] == {"train": [4, 4], "validation": [2, 2], "test": [2, 2]}
    assert told["sizes"]["validation"] == [4, 8, 8, 3]
    assert told["folder"]["skipped"] == [["day/notes.txt", "is no image by its name (.txt)"]]
    assert told["folder"]["sizes"] == [[8, 9, 8], [8, 10, 8]]
    assert "day/notes.txt" in (run / "report.html").read_text()


def test_a_figure_that_is_not_shown_is_not_another_scripts(tmp_path: Path) -> None:
    import matplotlib

    before = matplotlib.get_backend()
    matplotlib.use("module://striate.dialects.pictures")  # as where a script imported it first
    script = tmp_path / "curves.py"
    try:
        script.write_text("import matplotlib.pyplot as plt\nplt.plot([1, 2])\n")
        run_script(script, root=tmp_path / "runs")
        script.write_text("import matplotlib.pyplot as plt\nplt.figure()\nplt.show()\n")
        run = run_script(script, root=tmp_path / "runs")
        assert [one.name for one in run.glob("figure-*.png")] == ["figure-1.png"]
    finally:
        matplotlib.use(before)
