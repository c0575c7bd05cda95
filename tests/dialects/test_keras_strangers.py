"""What scripts of strangers do that no tutorial does, in the words of their Keras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.dialects.program import run_script
from striate.dialects.table import DialectError

TF = "import numpy as np\nimport tensorflow as tf\nfrom tensorflow.keras import layers\n"
SIZES = (
    TF
    + """
a, b = tf.keras.Input((None, 8)), tf.keras.Input((4,))
made = {}
made['tile'] = tf.tile(tf.expand_dims(b, 1), [1, tf.shape(a)[1], 1])
made['drawn'] = b + tf.random.normal((tf.shape(b)[0], tf.shape(b)[1]))
made['drawn like'] = b + tf.keras.backend.random_normal(shape=tf.keras.backend.shape(b))
made['kept'] = tf.reshape(a, [tf.shape(a)[0], -1, 4])
made['twice'] = tf.reshape(a, [-1, tf.shape(a)[1] * 2, 4])
made['rows'] = tf.reshape(a, (tf.shape(a)[0] * tf.shape(a)[1], 8))
made['zeros'] = tf.concat([b, tf.zeros((tf.shape(b)[0], 2))], 1)
made['steps'] = a + tf.cast(tf.range(tf.shape(a)[1]), tf.float32)[None, :, None]
made['larger'] = tf.image.resize(a[..., None], tf.shape(a)[1:3] * 2)
made['half'] = a[:, :tf.shape(a)[1] // 2]
x, y = np.ones((6, 5, 8), 'float32'), np.ones((6, 4), 'float32')
for name, symbol in made.items():
    out = tf.keras.Model([a, b], symbol).predict([x, y], verbose=0)
    print(name, tuple(symbol.shape), out.shape)
"""
)

PROGRAMS = {
    "sizes of symbols that a run alone tells": ("tf", SIZES, [
        "tile (None, None, 4) (6, 5, 4)", "drawn (None, 4) (6, 4)", "drawn like (None, 4) (6, 4)",
        "kept (None, None, 4) (6, 10, 4)", "twice (None, None, 4) (6, 10, 4)",
        "rows (None, 8) (30, 8)", "zeros (None, 6) (6, 6)", "steps (None, None, 8) (6, 5, 8)",
        "larger (None, None, 16, 1) (6, 10, 16, 1)", "half (None, None, 8) (6, 2, 8)"]),
    "an input whose rows and columns change by chance": ("tf", TF + """
change = tf.keras.Sequential([layers.RandomHeight(0.3), layers.RandomWidth(0.3, name='wide')])
start = tf.keras.Input((12, 10, 3))
x = change(start)
print(tuple(x.shape))
x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(x))
model = tf.keras.Model(start, layers.Dense(1)(x))
model.compile('sgd', 'mse')
past = model.fit(np.ones((20, 12, 10, 3)), np.ones(20), batch_size=10, epochs=3, verbose=0)
print(past.history['loss'][2] < past.history['loss'][0])
print(tuple(change(np.ones((2, 12, 10, 3)), training=False).shape))
""", ["(None, None, None, 3)", "True", "(2, 12, 10, 3)"]),
    "1.3 steps are two": ("keras2", """
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
net = Sequential([Dense(1, input_dim=3)])
net.compile('sgd', 'mse')
def batches():
    while True:
        yield np.ones((4, 3)), np.ones((4, 1))
print(net.predict_generator(batches(), 5 / 4).shape, net.predict_generator(batches(), .3).shape)
seen = []
def counted():
    for batch in batches():
        seen.append(1)
        yield batch
net.fit_generator(counted(), steps_per_epoch=5 / 4, epochs=1, verbose=0)
print(len(seen) >= 2)
net.evaluate_generator(batches(), 2, verbose=1)
""", ["(8, 1) (4, 1)", "True", "2/2 ["]),
    "labels of one sample": ("tf", TF + """
one = np.array([0., 1., 0.])
guess = tf.constant([[.2, .5, .3]])
loss = tf.keras.losses.CategoricalCrossentropy()(one, guess)
print(round(float(loss), 4), tf.keras.losses.categorical_crossentropy(one, guess).shape)
print(round(float(tf.keras.losses.MeanSquaredError()(one, guess)), 4))
print(tf.keras.losses.sparse_categorical_crossentropy(np.array([1]), guess).shape)
""", ["0.6931 (1,)", "0.1267", "(1,)"]),
    "a mask in the second place": ("tf", TF + """
double = layers.Lambda(lambda x: 2 * x)
print(float(double(tf.ones((1, 1)), 1)[0, 0]))
""", ["2.0"]),
    "gathered in pairs": ("tf", TF + """
x = tf.reshape(tf.range(12), (2, 3, 2))
print(tf.gather(x, [[2], [0]], axis=1, batch_dims=1).numpy().tolist())
print(tf.gather(x, [1], axis=-1).shape, tf.gather(params=x, indices=[1]).numpy().tolist())
""", ["[[[4, 5]], [[6, 7]]]", "(2, 3, 1) [[[6, 7], [8, 9], [10, 11]]]"]),
    "pictures by their older name": ("keras3", """
import keras, numpy as np
x = np.arange(32.).reshape(1, 4, 4, 2)
print(keras.ops.image.extract_patches(image=x, size=2, strides=2, padding='valid').shape)
print(keras.ops.image.resize(image=x, size=(2, 2)).shape)
""", ["(1, 2, 2, 8)", "(1, 2, 2, 2)"]),
    "channels first where the order is read later": ("keras1", """
from keras.layers import Input, Convolution2D
from keras.models import Model
from keras import backend as K
start = Input(shape=(3, 16, 16))
end = Convolution2D(4, 3, 3)(start)
print(Model(start, end).output_shape, K.image_dim_ordering())
""", ["(None, 4, 14, 14) th"]),
    "the order that was read holds": ("keras1", """
from keras.layers import Input
from keras import backend as K
shape = (3, 16, 16) if K.image_dim_ordering() == 'th' else (16, 16, 3)
print(Input(shape=shape).get_shape()[1], K.image_dim_ordering())
""", ["16 tf"]),
    "an HDF5 file without a mode": ("keras2", """
import h5py
import numpy as np
import keras
with h5py.File('features.h5') as f:
    f.create_dataset('x', data=np.arange(3))
print(h5py.File('features.h5')['x'].value)
""", ["[0 1 2]"]),
    "a picture that keeps its proportions": ("tf", TF + """
x = tf.zeros((20, 40, 3))
print(tf.image.resize(x, (10, 10), preserve_aspect_ratio=True).shape)
""", ["(5, 10, 3)"]),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_unmodified(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    version, text, lines = PROGRAMS[name]
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(text)
    run_script("script.py", seed=1, root="runs", dialect=version)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == len(lines)
    assert all(line.startswith(wanted) for line, wanted in zip(said, lines, strict=True)), said


FOLDERS = """
import tensorflow as tf
from tensorflow.keras.utils import image_dataset_from_directory as read
def names(part, **words):
    return [x.numpy()[:, 0, 0, 0].astype(int).tolist()
            for x, _ in read('pictures', image_size=(6, 6), **words)]
print(names('', shuffle=False))
print(sum(names('', shuffle=False, validation_split=.25, subset='validation'), []))
train, test = read('pictures', image_size=(6, 6), validation_split=.25, subset='both', seed=3)
print(sorted(sum([x.numpy()[:, 0, 0, 0].astype(int).tolist() for x, _ in test], [])))
x, _ = next(iter(read('pictures', image_size=(4, 4), shuffle=False, crop_to_aspect_ratio=True)))
print(x.numpy()[0, :, :, 1].astype(int).tolist())
"""


def test_pictures_of_folders_are_read_as_tensorflow_reads_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for label, name in enumerate("ab"):
        (Path("pictures") / name).mkdir(parents=True)
        for number in range(4):
            array = np.full((4, 8, 3), 10 * (4 * label + number), "uint8")
            array[:, :, 1] = 20 * np.arange(8)
            Image.fromarray(array).save(Path("pictures") / name / f"{number}.png")
    Path("script.py").write_text(FOLDERS)
    run_script("script.py", seed=1, root="runs", dialect="tf")
    order = np.arange(8)
    np.random.RandomState(3).shuffle(order)
    found = "Found 8 files belonging to 2 classes."
    assert capsys.readouterr().out.splitlines() == [
        found, "[[0, 10, 20, 30, 40, 50, 60, 70]]",
        found, "Using 2 files for validation.", "[60, 70]",
        found, "Using 6 files for training.", "Using 2 files for validation.",
        str(sorted((10 * order[6:]).tolist())),
        found, str([[40, 60, 80, 100]] * 4),
    ]  # fmt: skip


def test_parts_of_an_order_by_chance_need_a_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (Path("pictures") / "a").mkdir(parents=True)
    Path("script.py").write_text(
        "import tensorflow as tf\n"
        "tf.keras.utils.image_dataset_from_directory('pictures', validation_split=.2,"
        " subset='training')\n"
    )
    with pytest.raises(DialectError) as caught:
        run_script("script.py", root="runs", dialect="tf")
    assert str(caught.value) == (
        "keras.utils: validation_split takes parts of files in an order by chance, which each call"
        " draws\n"
        "  got   shuffle=True, seed=None\n"
        "  need  the same seed in both calls, or shuffle=False\n"
        "  at    script.py:2"
    )
