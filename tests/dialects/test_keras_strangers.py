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
    "modes and numbers by their places": ("tf", TF + """
class Twice(layers.Layer):
    def call(self, x, training=None):
        return 2 * x if training else x
class Scaled(layers.Layer):
    def call(self, x, scale, training=None):
        return x * scale + (100. if training else 0.)
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.inner, self.norm, self.end = Twice(), layers.BatchNormalization(), layers.Dense(3)
    def call(self, x, y, training, mask):
        return self.norm(self.inner(self.end(x), training), training) + y * mask
x, draws = tf.ones((4, 3)), tf.random.normal((50, 1))
value = lambda made: float(made[0, 0])
print(value(Twice()(x, True)), value(Twice()(x, False)), value(Twice()(x, training=True)))
print(value(Scaled()(x, 3.)), value(Scaled()(x, scale=3.)), value(Scaled()(x, 3, True)))
norm = layers.BatchNormalization()
print(abs(float(norm(draws + 5, True).numpy().mean())) < 1e-3, float(norm.moving_mean[0]) > 0.03)
print(bool((layers.Dropout(0.5)(tf.ones((50, 50)), True) == 0).numpy().any()))
net = Net()
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(net(x, x, True, tf.zeros((4, 3))) ** 2)
print(float(loss) < 1e-6, len(tape.gradient(loss, net.trainable_variables)))
print(np.allclose(net(x, x, False, x) - net(x, x, False, 0 * x), 1.))
""", ["2.0 1.0 2.0", "3.0 3.0 103.0", "True True", "True", "True 4", "True"]),
    "a mask that a layer must be given": ("tf", TF + """
class Mixed(layers.Layer):
    def call(self, a, b, mask):
        return (a + b) * mask
print(Mixed()(tf.ones((2, 3)), tf.ones((2, 3)), tf.zeros((2, 3))).numpy().max())
""", ["0.0"]),
    "layers of one network added to another, its input first": ("keras2", """
import numpy as np
from keras.layers import Conv2D, Dense, Flatten, Input
from keras.models import Model, Sequential
start = Input((8, 8, 1))
first = Model(start, Dense(2)(Flatten()(Conv2D(3, (3, 3))(start))))
second = Sequential()
for layer in first.layers:
    second.add(layer)
second.add(Dense(5))
print(second.output_shape, second.count_params() - first.count_params(), len(second.layers))
x = np.ones((1, 8, 8, 1))
weight, bias = second.layers[-1].get_weights()
print(np.allclose(second.predict(x), first.predict(x) @ weight + bias, atol=1e-5))
""", ["(None, 5) 15 4", "True"]),
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
    "a graph of Keras 0.3 with Theano's words": ("keras0", """
import numpy as np
from keras.models import Graph
from keras.layers.core import Lambda, LambdaMerge, Layer, TimeDistributedDense, TimeDistributedMerge
graph = Graph()
graph.add_input('a', input_shape=(4, 3)), graph.add_input('b', input_shape=(3, 4))
graph.add_node(TimeDistributedDense(5), name='wide', input='a')
graph.add_node(Lambda(lambda x: x.dimshuffle(0, 2, 1), output_shape=(4, 3)), name='t', input='b')
graph.add_node(TimeDistributedDense(5), name='other', input='t')
graph.add_node(Layer(), merge_mode='mul', name='both', inputs=['wide', 'other'])
graph.add_node(TimeDistributedMerge(mode='ave'), name='mean', input='both')
graph.add_output('y', input='mean'), graph.add_output('z', input='mean')
graph.compile('sgd', {'y': 'mse', 'z': 'mse'})
batch = {'a': np.ones((6, 4, 3)), 'b': np.ones((6, 3, 4)), 'y': np.ones((6, 5))}
batch['z'] = batch['y']
def batches():
    while True:
        yield batch
past = graph.fit_generator(batches(), samples_per_epoch=12, nb_epoch=3, verbose=0)
print(sorted(past.history), past.history['loss'][2] < past.history['loss'][0])
print(type(graph.evaluate(batch)).__name__, 'class_name' in graph.to_json())
""", ["['loss'] True", "float True"]),
    "Theano's axes": ("keras1", """
import numpy as np
from keras import backend as K
x = K.variable(np.zeros((2, 1, 3)))
print(tuple(x.dimshuffle(2, 'x', 0, 1).shape), tuple(x.dimshuffle(0, 2).shape))
""", ["(3, 1, 2, 1) (2, 3)"]),
    "metrics of Keras 1 are one number for a batch": ("keras1", """
import numpy as np
from keras import backend as K, metrics
from keras.layers import Dense
from keras.models import Sequential
a, b = K.variable(np.ones((3, 4))), K.variable(np.zeros((3, 4)))
print(K.eval(metrics.mse(a, b)).shape, K.eval(metrics.categorical_accuracy(a, b)).shape)
net = Sequential([Dense(2, input_dim=4)])
net.compile('sgd', 'mse', metrics=[metrics.mae])
print(sorted(net.fit(np.ones((4, 4)), np.ones((4, 2)), nb_epoch=1, verbose=0).history))
""", ["() ()", "['loss', 'mean_absolute_error']"]),
    "one sample beside all": ("keras2", """
import numpy as np
from keras import backend as K, metrics
from keras.layers import Input
start = Input((4,))
apart = metrics.mse(start, K.variable(np.zeros((1, 4))))
print(K.function([start], [apart])([np.ones((3, 4))])[0].tolist())
""", ["[1.0, 1.0, 1.0]"]),
    "tf.layers": ("tf", TF + """
tf.compat.v1.enable_eager_execution()
x = tf.ones((2, 8, 8, 3))
x = tf.layers.max_pooling2d(x, (2, 2), strides=(2, 2))
print(x.shape, tf.compat.v1.layers.flatten(x).shape)
print(tf.layers.conv2d(x, 5, 3, padding='same', activation=tf.nn.relu, name='c').shape)
print(float(tf.reduce_min(tf.layers.dropout(x, 0.5, training=True))))
""", ["(2, 4, 4, 3) (2, 48)", "(2, 4, 4, 5)", "0.0"]),
    "code that asks whether it trains": ("tf", TF + """
class Shifted(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.last = layers.Dense(2), layers.Dense(3)
    def call(self, x, training=None):
        x = self.first(x)
        if training:
            x = x + 100.
        return self.last(x)
class Dropped(Shifted):
    def __init__(self):
        super().__init__()
        self.drop = layers.Dropout(0.5)
    def call(self, x, training=False):
        x = self.first(x)
        if training:
            x = self.drop(x, training=training)
        return self.last(x)
class Several(Shifted):
    def call(self, x, training=False):
        x = self.first(x)
        return (x, self.last(x)) if training else x
x = np.ones((4, 3), 'float32')
for kind in (Shifted, Dropped):
    net = kind()
    plain, other = net(x).numpy(), net(x, training=True).numpy()
    net.compile('sgd', 'mse')
    print(np.allclose(plain, net.predict(x, verbose=0)), np.allclose(plain, other))
several = Several()
print(several(x).shape, len(several(x, training=True)), several(x).shape)
""", ["True False", "True False", "(4, 2) 2 (4, 2)"]),
    "a network with an eval of its own": ("tf", TF + """
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.end = layers.Dense(1)
    def call(self, x):
        return self.end(x)
    def eval(self, data, mode):
        return self(data).shape, mode
net, x = Net(), tf.ones((4, 3))
rule = tf.keras.optimizers.SGD(0.1)
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(net(x) ** 2)
rule.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
print(net.eval(x, 'test'))
""", ["((4, 1), 'test')"]),
    "a network of keras.applications by a name of one's own": ("keras3", """
import keras
print(keras.applications.VGG16(weights=None, include_top=False, name='features').name)
""", ["features"]),
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


CHECKPOINTS = (
    TF
    + """
import os
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.maps, self.norm = layers.Conv2D(3, 3), layers.BatchNormalization()
        self.mean, self.end = layers.GlobalAveragePooling2D(), layers.Dense(2)
    def call(self, x, training=None):
        return self.end(self.mean(self.norm(self.maps(x), training=training)))
x, y = tf.constant(np.random.RandomState(0).rand(8, 9, 9, 1), tf.float32), tf.ones((8, 2))
def begun():
    net, rule = Net(), tf.keras.optimizers.Adam(0.01)
    held = tf.train.Checkpoint(step=tf.Variable(0), rule=rule, net=net)
    return net, rule, held, tf.train.CheckpointManager(held, './all/net', max_to_keep=2)
def trained(net, rule):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((net(x, training=True) - y) ** 2)
    rule.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return float(loss)
net, rule, held, manager = begun()
held.restore(manager.latest_checkpoint)
for _ in range(3):
    trained(net, rule)
    held.step.assign_add(1)
    manager.save()
print(manager.latest_checkpoint, tf.train.latest_checkpoint('all/net'),
      sorted(os.listdir('all/net'))[1])
wanted, going = net(x).numpy(), [trained(net, rule) for _ in range(2)]
net, rule, held, manager = begun()
held.restore(manager.latest_checkpoint).expect_partial()
print(int(held.step), np.allclose(net(x), wanted),
      np.allclose(going, [trained(net, rule) for _ in range(2)]))
print(held.save('all/other/x'), held.restore(None) is not None)
held.restore('all/absent')
"""
)


def test_checkpoints_are_files_that_the_next_run_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(CHECKPOINTS)
    with pytest.raises(DialectError) as caught:
        run_script("script.py", seed=1, root="runs", dialect="tf")
    assert capsys.readouterr().out.splitlines() == [
        "./all/net/ckpt-3 all/net/ckpt-3 ckpt-2.data-00000-of-00001",
        "3 True True",
        "all/other/x-4 True",
    ]
    assert str(caught.value) == (
        "tf.train.Checkpoint: there are no files of this checkpoint\n"
        "  got   all/absent.data-00000-of-00001\n"
        "  need  a path that save() or write() returned\n"
        "  fix   tf.train.latest_checkpoint(folder), or CheckpointManager.latest_checkpoint\n"
        "  at    script.py:37"
    )


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
