"""What scripts of Keras do around fit: steps of their own, callbacks of tests, closures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from striate.dialects.evidence import find, words
from striate.dialects.program import run_script
from striate.dialects.table import DialectError

DISTILLER = """
import numpy as np, tensorflow as tf
from tensorflow import keras
class Distiller(keras.Model):
    def __init__(self, student):
        super().__init__()
        self.student = student
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            said = self.student(x, training=True)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, said))
        weights = self.student.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.compiled_metrics.update_state(y, said)
        return {**{m.name: m.result() for m in self.metrics}, 'student_loss': loss}
    def test_step(self, data):
        x, y = data
        self.compiled_metrics.update_state(y, self.student(x, training=False))
        return {m.name: m.result() for m in self.metrics}
x, y = np.eye(4, dtype='float32').repeat(8, 0), np.arange(4).repeat(8)
student = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, activation='softmax')])
model = Distiller(student)
model.compile(keras.optimizers.Adam(0.1), metrics=[keras.metrics.SparseCategoricalAccuracy()])
history = model.fit(x, y, epochs=20, verbose=0).history
assert sorted(history) == ['sparse_categorical_accuracy', 'student_loss'], sorted(history)
assert history['sparse_categorical_accuracy'][-1] == 1
assert model.evaluate(x, y, verbose=0, return_dict=True) == {'sparse_categorical_accuracy': 1.0}
"""
HEARD = """
import keras, numpy as np
told = []
class Heard(keras.callbacks.Callback):
    def on_test_begin(self, logs=None):
        told.append('begin')
    def on_test_batch_end(self, batch, logs=None):
        told.append((batch, round(float(logs['loss']), 4)))
    def on_test_end(self, logs=None):
        told.append('end')
    def on_predict_batch_end(self, batch, logs=None):
        told.append(batch)
class Own(keras.Model):
    def test_step(self, data):
        x, y = data
        return {'loss': self.compute_loss(x, y, self(x, training=False))}
x, y = np.arange(50.0).reshape(50, 1), np.zeros((50, 1))
for kind in (keras.Model, Own):
    inputs = keras.Input((1,))
    model = kind(inputs, keras.layers.Dense(1, kernel_initializer='ones')(inputs))
    model.compile(keras.optimizers.SGD(1e-9), 'mae')
    model.fit(x, y, validation_data=(x, y), callbacks=[Heard()], verbose=0)
    first, last = (15.5, 24.5) if kind is keras.Model else (15.5, 40.5)
    assert told == ['begin', (0, first), (1, last), 'end'], told
    told.clear()
    model.evaluate(x, y, batch_size=50, callbacks=[Heard()], verbose=0)
    assert told == ['begin', (0, 24.5), 'end'], told
    told.clear()
model.predict(x, batch_size=25, callbacks=[Heard()], verbose=0)
assert told == [0, 1], told
"""
CLOSING = """
import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, Lambda, Layer
from keras.models import Model
x = Input((6,))
mean, spread = Dense(2, name='mean')(x), Dense(2, kernel_initializer='zeros')(x)
z = Lambda(lambda both: both[0] + K.exp(both[1]))([mean, spread])
decoded = Dense(6, activation='sigmoid')(z)
class Custom(Layer):
    def vae_loss(self, x, decoded):
        near = K.mean(K.square(K.flatten(x) - K.flatten(decoded)))
        far = -0.5 * K.mean(1 + spread - K.square(mean) - K.exp(spread), axis=-1)
        return K.mean(near + 100 * far)
    def call(self, inputs):
        self.add_loss(self.vae_loss(inputs[0], inputs[1]), inputs=inputs)
        return inputs[0]
vae = Model(x, Custom()([x, decoded]))
vae.compile('adam', loss=None)
data = np.random.RandomState(0).rand(64, 6)
encoder = Model(x, mean)
expected = 50 * (encoder.predict(data) ** 2).mean()
assert abs(vae.evaluate(data, None, verbose=0) - expected) < 0.5, expected
losses = vae.fit(data, epochs=60, batch_size=16, verbose=0).history['loss']
assert losses[-1] < 0.5 * losses[0], losses
"""
UNKNOWN = """
import numpy as np, tensorflow as tf
def walk():
    for number in range(40):
        yield np.full((3,), number, 'float32'), number % 2
data = tf.data.Dataset.from_generator(walk, output_types=(tf.float32, tf.int32)).batch(8)
model = tf.keras.Sequential([tf.keras.layers.Dense(2, activation='softmax')])
model.compile('sgd', 'sparse_categorical_crossentropy')
model.fit(data)
assert model.predict(data).shape == (40, 2)
"""
VALUES = """
import keras, numpy as np
from keras import ops
count = keras.Variable(initializer=np.arange(4), shape=(4,), dtype='int', trainable=False)
drawn = keras.Variable('ones', shape=(2, 3))
assert drawn.shape == (2, 3) and float(ops.sum(drawn)) == 6
assert keras.initializers.RandomNormal(seed=1)(shape=(2, 2), dtype='float32').shape == (2, 2)
class Table(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.table = self.add_weight(shape=(4, 4), initializer='ones')
        self.places = keras.Variable(initializer=np.arange(4), shape=(4,), dtype='int',
                                     trainable=False)
    def call(self, x):
        return x @ ops.take(self.table, self.places, axis=0)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), Table()])
model.compile('adam', keras.losses.mean_absolute_error)
assert model.loss is keras.losses.mean_absolute_error
model.fit(np.ones((8, 4)), np.ones((8, 4)), verbose=0)
assert model.layers[1].places.numpy().tolist() == [0, 1, 2, 3]
"""
JOINED = """
import numpy as np
from keras import backend as K
from keras.layers.core import Dense, Lambda
from keras.models import Graph, Sequential
base = Sequential()
base.add(Dense(3, input_shape=(4,), init='one'))
def distance(given):
    u, v = given.values()
    return K.sum(K.square(u - v), axis=1, keepdims=True)
g = Graph()
g.add_input(name='a', input_shape=(4,))
g.add_input(name='b', input_shape=(4,))
g.add_shared_node(base, name='shared', inputs=['a', 'b'], merge_mode='join')
g.add_node(Lambda(distance), name='d', input='shared')
g.add_output(name='out', input='d')
g.compile(loss={'out': 'mse'}, optimizer='sgd')
said = g.predict({'a': np.ones((2, 4)), 'b': np.zeros((2, 4))})['out']
assert said.tolist() == [[48], [48]], said
"""
HOLDER = """
import keras, numpy as np
from keras import layers, ops
def named(parts):
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.Lambda(lambda x: ops.sin(x))(layers.Dense(2)(inputs)))
class Holder(keras.Model):
    def __init__(self):
        super().__init__()
        self.network = named(2)
    def train_step(self, data):
        return {'loss': ops.sum(self.network(data) * 0)}
model = Holder()
model.compile('adam')
model.fit(np.ones((4, 3)), verbose=0)
model.save_weights('kept.weights.h5')
before = [one.numpy().copy() for one in model.network.weights]
for one in model.network.weights:
    one.assign(one * 0)
model.load_weights('kept.weights.h5')
for one, other in zip(model.network.weights, before):
    assert (one.numpy() == other).all()
other = keras.models.clone_model(model.network)
assert not (other.weights[0].numpy() == before[0]).any()
"""

SWAPPED = """
import keras, numpy as np
x = np.random.RandomState(0).rand(64, 4).astype('float32')
y = x.sum(1, keepdims=True)
KEPT = [[0.3294, 0.3204, 0.304, 0.2971], [0.4659, 0.4547, 0.4294, 0.4237],
        [0.5243, 0.5136, 0.4825, 0.4811]]
MEANS = [[0.1545, 0.1539, 0.1414, 0.1484], [0.2491, 0.2444, 0.2292, 0.2325],
         [0.3386, 0.3313, 0.3118, 0.3136]]
seen = []
class See(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        seen.append((float(logs['val_loss']), self.model.get_weights()[0].ravel()))
for at_end in (False, True):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer='zeros')])
    model.compile(keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9), 'mse')
    seen.clear()
    model.fit(x, y, epochs=3, batch_size=16, shuffle=False, validation_data=(x, y), verbose=0,
              callbacks=[keras.callbacks.SwapEMAWeights(swap_on_epoch=at_end), See()])
    losses, weights = zip(*seen)  # as Keras 3.15.1 has them
    assert np.allclose(losses, [2.19937, 1.31846, 0.70494], atol=1e-4), losses
    assert np.allclose(weights, MEANS if at_end else KEPT, atol=2e-4), weights
    assert np.allclose(model.get_weights()[0].ravel(), MEANS[-1], atol=2e-4)
"""

NAMED = """
import numpy as np, tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
class Tickets(keras.Model):
    def __init__(self):
        super().__init__()
        self.joined, self.end = layers.Concatenate(), layers.Dense(1)
        self.kind = layers.Dense(2, activation='softmax')
    def call(self, inputs):
        x = self.joined([inputs['title'], inputs['body']])
        return self.end(x), self.kind(x)
data = {'title': np.random.randint(0, 2, (8, 3)), 'body': np.random.randint(0, 2, (8, 4))}
model = Tickets()
first, second = model(data)
assert first.shape == (8, 1) and second.shape == (8, 2)
model.compile('sgd', ['mse', 'categorical_crossentropy'])
labels = [np.zeros((8, 1)), np.eye(2)[np.arange(8) % 2]]
model.fit(data, labels, verbose=0, validation_data=(data, labels))
swapped = {'body': data['body'], 'title': data['title']}
assert np.allclose(model.predict(swapped)[0], model(data)[0])
batches = tf.data.Dataset.from_tensor_slices((swapped, tuple(labels))).batch(4)
model.fit(batches, verbose=0, validation_data=batches)
x = keras.Input((4, 4, 1))
y = layers.Conv2D(2, 3, name='conv')(x)
flat = layers.Flatten(name='flat')(y)
model = keras.Model(x, {'map': y, 'row': flat, 'sum': layers.Dense(1)(flat)})
pictures = np.random.rand(5, 4, 4, 1).astype('float32')
out = model(pictures)
assert list(out) == ['map', 'row', 'sum'] and out['map'].shape == (5, 2, 2, 2)
found = model.predict(pictures)
assert np.allclose(found['row'], out['row'], atol=1e-6)
again = keras.Model(x, layers.Dense(3)(model(x)['row']))
assert again.predict(pictures).shape == (5, 3)
model = keras.Model(x, {'row': flat, 'sum': layers.Dense(1)(flat)})
model.compile('sgd', {'sum': 'mse', 'row': 'mae'})
loss = model.evaluate(pictures, {'sum': np.zeros((5, 1)), 'row': np.ones((5, 8))}, verbose=0)
out = model.predict(pictures)
assert abs(loss[0] - (out['sum'] ** 2).mean() - abs(out['row'] - 1).mean()) < 1e-4
model.fit(pictures, {'row': np.ones((5, 8)), 'sum': np.zeros((5, 1))}, verbose=0)
a, b = keras.Input((2,)), keras.Input((2,))
model = keras.Model({'a': a, 'b': b}, layers.subtract([a, b]))
ones, twos = np.ones((3, 2)), np.full((3, 2), 2.0)
assert (model.predict({'b': ones, 'a': twos}) == 1).all()
assert (model({'b': ones, 'a': twos}).numpy() == 1).all()
"""

SCHEDULED = """
import numpy as np, tensorflow as tf
class Masked(tf.keras.layers.Layer):
    def call(self, inputs, training=None, mask=None):
        return inputs if mask is None else inputs * tf.cast(mask, tf.float32)
assert Masked()(tf.ones((1, 2)), mask=tf.constant([[True, False]])).numpy().tolist() == [[1, 0]]
class Warm(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, warmup_steps=4):
        super().__init__()
        self.peak, self.warmup_steps = peak, tf.cast(warmup_steps, tf.float32)
    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        first, second = tf.math.rsqrt(step), step * self.warmup_steps ** -1.5
        return self.peak * tf.math.minimum(first, second)
rate = Warm(0.5, warmup_steps=4)
found = [float(rate(step)) for step in range(6)]
assert np.allclose(found, [0, 0.0625, 0.125, 0.1875, 0.25, 0.5 * 5 ** -0.5]), found
assert np.allclose(rate(tf.range(6, dtype=tf.float32)), found)
model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(
    1, use_bias=False, kernel_initializer='zeros')])
model.compile(tf.keras.optimizers.SGD(rate), 'mae')
model.fit(np.ones((3, 1)), np.full((3, 1), 9.0), batch_size=1, shuffle=False, verbose=0)
assert np.allclose(model.get_weights()[0], 0.0625 + 0.125), model.get_weights()
words = tf.data.Dataset.from_tensor_slices((['a', 'b'], [['x', 'y'], ['z', 'w']])).batch(2)
first, second = next(iter(words))
assert second.shape == (2, 2) and second[1][0].numpy() == b'z'
"""


def run(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "script.py").write_text(text)
    run_script(folder / "script.py", root=folder / "runs")


@pytest.mark.parametrize(
    "text", [DISTILLER, HEARD, CLOSING, VALUES, JOINED, HOLDER, SWAPPED, NAMED, SCHEDULED],
    ids=["distiller", "heard", "closing", "values", "joined", "holder", "swapped", "named",
         "scheduled"],
)  # fmt: skip
def test_scripts_do_what_they_say(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "assert " in text  # it is the script that compares
    run(text, tmp_path, monkeypatch)


def test_an_epoch_of_unknown_length_is_counted_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(UNKNOWN, tmp_path, monkeypatch)
    assert "5/5 [====" in capsys.readouterr().out


def test_averages_that_are_not_kept_are_not_swapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DialectError) as told:
        run(SWAPPED.replace("use_ema=True, ema_momentum=0.9", ""), tmp_path, monkeypatch)
    assert str(told.value).splitlines()[:3] == [
        "SwapEMAWeights: the optimizer keeps no averages of the weights",
        "  got   use_ema=False",
        "  fix   use_ema=True for the optimizer",
    ]


def test_the_table_of_a_network_without_an_input_tells_its_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "from keras import Sequential, layers, ops\nSequential([layers.Conv2D(3, 3)]).summary()"
    run(text, tmp_path, monkeypatch)
    row = next(line for line in capsys.readouterr().out.splitlines() if "conv2d" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "conv2d (Conv2D)", "?", "0 (unbuilt)"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("import keras, tensorflow as tf\nfrom keras import ops\ntf.keras.backend.ctc_decode", "3"),
        ("from tensorflow import keras\nkeras.ops.sum(1)", "3"),
        ("from tensorflow import keras\nkeras.layers.RandomFlip()", "tf"),
        ("import keras\nfrom keras import backend as K\nkeras.Input((2,)); K.mean(1)", "keras2"),
        ("import keras\nfrom keras import backend as K\nkeras.layers.Rescaling(1); K.sum(1)", "tf"),
        ("import keras\nkeras.Input((2,))", "3"),
    ],
)
def test_operations_of_keras_3_tell_the_version(text: str, version: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(text)
    said: Any = find(words(tmp_path / "script.py"))
    assert said[0].version == {"3": "keras3"}.get(version, version)
