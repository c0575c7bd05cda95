"""Habits of published programs that few scripts have: each asserts what it must mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from striate.dialects import DialectError
from striate.dialects.program import run_script

KERAS: dict[str, str] = {
    "weights for a network whose shapes are not known yet": """
import numpy as np
import tensorflow as tf
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = tf.keras.layers.Dense(3), tf.keras.layers.Dense(1)
    def call(self, x):
        return self.b(self.a(x))
x = np.ones((2, 4), 'float32')
one, other = Net(), Net()
one(x)
one.save_weights('ck/cp-0001.ckpt')
other.load_weights(tf.train.latest_checkpoint('ck')).expect_partial()
assert (other(x).numpy() == one(x).numpy()).all()
found = tf.unique([3, 3, 1])
assert found.y.numpy().tolist() == [3, 1] and found.idx.numpy().tolist() == [0, 0, 1]
assert tf.math.top_k([1.0, 3.0], 1).indices.numpy().tolist() == [1]
""",
    "changes of a picture that are told, and drawn beforehand": """
import numpy as np
from keras.preprocessing.image import ImageDataGenerator
x = np.random.rand(6, 8, 1)
made = ImageDataGenerator(rotation_range=20, width_shift_range=.2, horizontal_flip=True,
                          brightness_range=None)
told = made.get_random_transform(x.shape, seed=3)
assert set(told) >= {'theta', 'tx', 'zx', 'flip_horizontal'} and abs(told['theta']) <= 20
assert (made.apply_transform(x, told) == made.apply_transform(x, told)).all()
flipped = made.apply_transform(x, {'flip_horizontal': True})
assert np.allclose(flipped, x[:, ::-1]) and np.allclose(made.apply_transform(x, {}), x)
moved = made.apply_transform(x, {'tx': 2})
assert np.allclose(moved[:4], x[2:], atol=1e-6)
""",
    "files of several patterns, passes over nothing, and metrics by the names of classes": """
import numpy as np
import tensorflow as tf
for name in ('a1.txt', 'a2.txt', 'b1.txt'):
    open(name, 'w').close()
assert tf.io.gfile.glob(['a*.txt', 'b*.txt']) == ['a1.txt', 'a2.txt', 'b1.txt']
assert list(tf.data.Dataset.range(0).repeat()) == []
assert [int(one) for one in tf.data.Dataset.range(2).repeat().take(5)] == [0, 1, 0, 1, 0]
model = tf.keras.Sequential([tf.keras.layers.Dense(1, activation='sigmoid', input_shape=(3,))])
model.compile('sgd', 'binary_crossentropy', metrics=['AUC', 'Precision', 'accuracy'])
found = model.evaluate(np.random.rand(8, 3), np.arange(8) % 2, verbose=0, return_dict=True)
assert list(found) == ['loss', 'auc', 'precision', 'accuracy'], found
""",
    "a penalty on a gradient between two batches of one fixed size": """
from functools import partial
import numpy as np
from keras import backend as K
from keras.layers import Dense, Flatten, Input, Lambda
from keras.layers.merge import _Merge
from keras.models import Model, Sequential
from keras.optimizers import SGD
class Between(_Merge):
    def _merge_function(self, inputs):
        share = K.random_uniform((8, 1))
        return share * inputs[0] + (1 - share) * inputs[1]
def penalty(y_true, y_pred, averaged_samples):
    slope = K.gradients(y_pred, averaged_samples)[0]
    size = K.sqrt(K.sum(K.square(slope), axis=np.arange(1, len(slope.shape))))
    return K.mean(K.square(1 - size))
def apart(y_true, y_pred):
    return K.mean(y_true * y_pred)
critic = Sequential([Dense(1, use_bias=False, input_dim=3)])
a, b = Input((3,)), Input((3,))
middle = Between()([a, b])
there = partial(penalty, averaged_samples=middle)
there.__name__ = 'penalty'
model = Model([a, b], [critic(a), critic(b), critic(middle)])
model.compile(SGD(0.1), [apart, apart, there], loss_weights=[1, 1, 10])
w = np.array([[2.0], [1], [2]])
critic.set_weights([w])
x, z = np.random.rand(8, 3), np.random.rand(8, 3)
ones = np.ones((8, 1))
loss = model.train_on_batch([x, z], [-ones, ones, 0 * ones])[0]
assert np.isclose(loss, -(x @ w).mean() + (z @ w).mean() + 10 * (1 - 3) ** 2, rtol=1e-5), loss
slope = (z - x).mean(0)[:, None] + 10 * 2 * (3 - 1) * w / 3
assert np.allclose(critic.get_weights()[0], w - 0.1 * slope, atol=1e-4)
start = Input((4,))
noisy = Lambda(lambda t: t + K.zeros((16, 4)))(start)
assert Model(start, noisy).predict(np.ones((16, 4))).shape == (16, 4)
""",
    "a loss of no sample's own, and centers that updates move": """
import numpy as np
from keras import backend as K
from keras.engine import Layer
from keras.layers import Dense, Input
from keras.models import Model
class Centers(Layer):
    def build(self, shape):
        self.centers = self.add_weight(name='centers', shape=(2, 3), initializer='zeros',
                                       trainable=False)
        super(Centers, self).build(shape)
    def call(self, x, mask=None):
        near = K.dot(x[1], self.centers)
        self.add_update((self.centers, self.centers + K.dot(K.transpose(x[1]), x[0] - near)), x)
        return K.sum(K.square(x[0] - near), axis=1, keepdims=True)
    def compute_output_shape(self, shapes):
        return shapes[0][0], 1
a, b = Input((3,)), Input((2,))
model = Model([a, b], Centers(name='c')([a, b]))
def whole(y_true, y_pred):
    return 0.5 * K.sum(y_pred, axis=0)
x, y = np.ones((4, 3)), np.eye(2)[[0, 1, 1, 1]]
two = Model([a, b], Dense(1, kernel_initializer='ones')(model([a, b])))
two.compile('sgd', whole)
two.predict([x, y])
assert (model.get_layer('c').get_weights()[0] == 0).all()
assert np.isclose(two.train_on_batch([x, y], np.zeros((4, 1))), 6)
assert np.allclose(model.get_layer('c').get_weights()[0], [[1] * 3, [3] * 3])
""",
    "variables of Keras 1's initializations are weights": """
import numpy as np
from keras import initializations
from keras.engine import InputSpec, Layer
from keras.layers import Convolution2D, Flatten
from keras.models import Sequential
class Scale(Layer):
    def __init__(self, **kwargs):
        self.one, self.zero = initializations.get('one'), initializations.get('zero')
        super(Scale, self).__init__(**kwargs)
    def build(self, input_shape):
        self.input_spec = [InputSpec(shape=input_shape)]
        self.gamma = self.one((int(input_shape[-1]),), name='{}_gamma'.format(self.name))
        self.beta = self.zero((int(input_shape[-1]),), name='{}_beta'.format(self.name))
        self.trainable_weights = [self.gamma, self.beta]
    def call(self, x, mask=None):
        return self.gamma * x + self.beta
def first(shape, name=None):
    return initializations.normal(shape, scale=0.01, name=name)
model = Sequential([Convolution2D(2, 3, 3, init=first, input_shape=(5, 5, 1)), Scale(), Flatten()])
model.compile('sgd', 'mse')
before = model.layers[1].get_weights()
model.fit(np.random.rand(8, 5, 5, 1), np.ones((8, 18)), nb_epoch=1, verbose=0)
after = model.layers[1].get_weights()
assert len(after) == 2 and all((a != b).all() for a, b in zip(before, after))
""",
    "tables by rows and by columns, and one mean for all": """
import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential, layers
with open('t.csv', 'w') as file:
    file.write('age,kind,alive\\n22.5,a,1\\n30,b,0\\n,a,1\\n')
rows = tf.data.experimental.CsvDataset('t.csv', [tf.float32, '', 0], header=True, select_cols=None)
rows = tf.data.experimental.CsvDataset('t.csv', [9.0, tf.string, 0], header=True)
assert [float(row[0]) for row in rows] == [22.5, 30, 9]
table = tf.data.experimental.make_csv_dataset('t.csv', 2, label_name='alive', num_epochs=1,
                                              column_defaults=[0.0, '', 0], shuffle=False)
(columns, label), last = list(table)
assert columns['kind'].numpy().tolist() == [b'a', b'b'] and label.numpy().tolist() == [1, 0]
values = np.array([1.0, 2, 3, 6], 'float32')
norm = layers.Normalization(input_shape=[1], axis=None)
norm.adapt(values)
model = Sequential([norm])
out = model.predict(values, verbose=0)
assert np.allclose(out.ravel(), (values - 3) / values.std(), atol=1e-5)
wide = layers.Normalization(axis=-1)
wide.adapt(np.random.rand(5, 3))
assert Sequential([wide, layers.Dense(2)]).output_shape == (None, 2)
assert tf.nn.top_k(tf.constant([[1, 3, 2]]), k=2, name='best')[1].numpy().tolist() == [[1, 2]]
""",
    "models in pickles, copies, and numbers of half precision": """
import copy
import pickle
import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator
x = np.random.rand(12, 3).astype('float16')
model = Sequential([Dense(2, input_dim=3)])
model.compile('sgd', 'mse')
model.fit(x, np.zeros((12, 2)), epochs=1, verbose=0)
held = pickle.dumps(model)
before = model.predict(x)
for other in (pickle.loads(held), copy.deepcopy(model)):
    assert (other.predict(x) == before).all() and other is not model
    other.fit(x, np.ones((12, 2)), epochs=1, verbose=0)
assert (model.predict(x) == before).all()
flow = ImageDataGenerator().flow(np.zeros((4, 5, 5, 1), 'float16'), np.zeros(4), batch_size=2)
assert type(flow).__name__ == 'NumpyArrayIterator'
def batches():
    while True:
        yield x[:4], np.zeros((4, 2))
assert len(model.fit_generator(batches(), steps_per_epoch=2, verbose=0).history['loss']) == 1
""",
    "a model with code comes back from a folder without its class": """
import numpy as np
from tensorflow import keras
class Twice(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
    def call(self, x):
        return self.dense(x) * 2
start = keras.Input((4,))
model = keras.Model(start, Twice()(start))
model.save('folder')
x = np.random.rand(2, 4)
assert (keras.models.load_model('folder').predict(x) == model.predict(x)).all()
""",
    "a layer knows shapes with the batch, and softmax an old word": """
import numpy as np
import tensorflow as tf
from keras import backend as K
from keras.engine.topology import Layer
from keras.layers import Input
from keras.models import Model
class Told(Layer):
    def call(self, x, mask=None):
        self.seen = x._keras_shape
        return tf.nn.softmax(tf.to_float(x), dim=1)
    def compute_output_shape(self, shape):
        return shape
layer = Told()
start = Input((3, 2))
out = Model(start, layer(start)).predict(np.zeros((4, 3, 2)))
assert layer.seen == (None, 3, 2) and np.allclose(out, 1 / 3)
""",
    "an optimizer by its updates, as up to Keras 2": """
import numpy as np
from keras import backend as K
from keras.callbacks import LearningRateScheduler
from keras.layers import Dense
from keras.legacy import interfaces
from keras.models import Sequential
from keras.optimizers import Adam, Optimizer, SGD
class Own(Optimizer):
    def __init__(self, lr=0.01, **kwargs):
        super(Own, self).__init__(**kwargs)
        self.lr, self.iterations = K.variable(lr), K.variable(0)
    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        t = self.iterations + 1
        rate = self.lr * K.sqrt(1. - K.pow(0.999, t)) / (1. - K.pow(0.9, t))
        ms, vs = [[K.zeros(K.int_shape(p)) for p in params] for _ in 'ab']
        for p, g, m, v in zip(params, grads, ms, vs):
            m_t, v_t = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * K.square(g)
            self.updates += [K.update(m, m_t), K.update(v, v_t)]
            self.updates.append(K.update(p, p - rate * m_t / (K.sqrt(v_t) + 1e-7)))
        return self.updates
class Centered(SGD):
    def get_gradients(self, loss, params):
        grads = super(Centered, self).get_gradients(loss, params)
        return [g - K.mean(g, axis=0, keepdims=True) if K.ndim(g) > 1 else g for g in grads]
x = np.random.RandomState(0).rand(32, 4); y = x.dot([[1.], [2], [3], [4]])
def net(optimizer):
    model = Sequential([Dense(1, kernel_initializer='ones', input_dim=4)])
    model.compile(optimizer, 'mse')
    return model
nets = [net(one) for one in (Own(), Adam(lr=0.01))]
for model in nets:
    model.fit(x, y, epochs=2, batch_size=8, verbose=0, shuffle=False)
assert np.allclose(*(model.get_weights()[0] for model in nets), atol=1e-5)
own = nets[0]
assert K.get_value(own.optimizer.iterations) == 8
own.fit(x, y, epochs=1, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 0.25)])
assert float(K.get_value(own.optimizer.lr)) == 0.25
model = net(Centered(lr=.1))
model.train_on_batch(x, y)
assert abs(model.get_weights()[0].sum() - 4) < 1e-5 and not (model.get_weights()[0] == 1).all()
""",
    "optimizers as TensorFlow 2 asks for them": """
import numpy as np
import tensorflow as tf
from tensorflow import keras
class Slots(keras.optimizers.Optimizer):
    def __init__(self, learning_rate=0.01, name='Slots', **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper('learning_rate', kwargs.get('lr', learning_rate))
    def _create_slots(self, var_list):
        for var in var_list:
            self.add_slot(var, 'm')
    def _resource_apply_dense(self, grad, var):
        m = self.get_slot(var, 'm')
        m.assign(0.9 * m + grad)
        var.assign_sub(self._decayed_lr(var.dtype) * m)
class Steps(keras.optimizers.Optimizer):
    def __init__(self, learning_rate=0.01, name='Steps', **kwargs):
        super().__init__(name=name, **kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)
    def build(self, var_list):
        super().build(var_list)
        self.kept = [self.add_variable_from_reference(model_variable=v, variable_name='m')
                     for v in var_list]
    def update_step(self, gradient, variable):
        m = self.kept[self._index_dict[self._var_key(variable)]]
        m.assign(m * 0.9 + gradient)
        variable.assign_add(-m * tf.cast(self.learning_rate, variable.dtype))
class Clipped(keras.optimizers.SGD):
    def apply_gradients(self, grads_and_vars, **kw):
        pairs = [(tf.clip_by_value(g, -1e-3, 1e-3), v) for g, v in grads_and_vars]
        self.seen = len(pairs)
        return super().apply_gradients(pairs, **kw)
x = np.random.RandomState(0).rand(32, 4).astype('float32'); y = x.sum(1, keepdims=True) * 3
def net(optimizer):
    dense = keras.layers.Dense(1, kernel_initializer='ones', input_shape=(4,))
    model = keras.Sequential([dense])
    model.compile(optimizer, 'mse')
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()[0]
wanted = net(keras.optimizers.SGD(0.01, 0.9))
assert np.allclose(wanted, net(Slots()), atol=1e-6) and np.allclose(wanted, net(Steps()), atol=1e-6)
clipped = Clipped(0.1)
assert 0 < abs(net(clipped) - 1).max() < 1e-3 and clipped.seen == 2
one = Slots()
weight = tf.Variable([1.0])
for _ in range(3):
    one.apply_gradients([(tf.constant([1.0]), weight)])
assert int(one.iterations) == 3 and np.isclose(weight.numpy()[0], 1 - 0.01 * (1 + 1.9 + 2.71))
""",
    "dictionaries in dictionaries come out of a model": """
import numpy as np
import tensorflow as tf
class Told(tf.Module):
    def __init__(self, model):
        self.model = model
class Pair(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = tf.keras.layers.Dense(2), tf.keras.layers.Dense(3)
    def call(self, x):
        return {'one': {'a': self.a(x)}, 'rest': [self.b(x), x * 2]}
out = Told(Pair()).model(np.ones((4, 5), 'float32'))
assert out['one']['a'].shape == (4, 2) and [v.shape[1] for v in out['rest']] == [3, 5]
""",
    "metrics of each batch, and what callbacks are told, in Keras 1": """
import numpy as np
from keras.callbacks import Callback
from keras.models import Sequential
from keras.layers.core import AutoEncoder, Dense
from keras.layers import containers
x = np.random.RandomState(0).rand(20, 6); y = (x[:, :4] > .5) * 1.
class Seen(Callback):
    def on_train_begin(self, logs={}):
        self.told = self.params
model = Sequential([Dense(4, activation='sigmoid', input_dim=6)])
model.compile('sgd', 'binary_crossentropy', metrics=['fmeasure', 'precision', 'recall'])
seen = Seen()
model.fit(x, y, nb_epoch=1, verbose=0, callbacks=[seen], validation_data=(x, y))
assert seen.told['nb_sample'] == 20 and seen.told['metrics'][-1] == 'val_recall'
said = model.predict(x).round()
right = (said * y).sum()
p, r = right / said.sum(), right / y.sum()
found = model.evaluate(x, y, verbose=0)
assert np.allclose(found[1:], [2 * p * r / (p + r), p, r], atol=1e-5), (found, p, r)
whole = Sequential()
whole.add(AutoEncoder(containers.Sequential([Dense(3, input_dim=6)]), Dense(6, input_dim=3)))
whole.compile('sgd', 'mse')
whole.fit(x, x, nb_epoch=1, verbose=0)
assert whole.predict(x).shape == (20, 6)
""",
    "the best five of four are all": """
import numpy as np
from tensorflow.keras import Sequential, layers, metrics
model = Sequential([layers.Dense(4, activation='softmax', input_shape=(3,))])
model.compile('sgd', 'categorical_crossentropy',
              metrics=['top_k_categorical_accuracy', metrics.TopKCategoricalAccuracy(2)])
found = model.evaluate(np.random.rand(8, 3), np.eye(4)[[0, 1, 2, 3] * 2], verbose=0)
assert found[1] == 1.0 and 0 <= found[2] <= 1
""",
    "states from one batch to the next": """
import numpy as np
from keras.models import Sequential
from keras.layers import LSTM, GRU, Dense
for layer in (LSTM, GRU):
    model = Sequential([layer(4, batch_input_shape=(2, 3, 1), stateful=True, return_sequences=True),
                        layer(3, stateful=True), Dense(1)])
    model.compile('sgd', 'mse')
    x = np.random.randn(2, 6, 1)
    both = [model.predict(part, batch_size=2) for part in (x[:, :3], x[:, 3:])]
    model.reset_states()
    again = [model.predict(part, batch_size=2) for part in (x[:, :3], x[:, 3:])]
    assert np.allclose(both, again)
    model.layers[0].reset_states(); model.layers[1].reset_states()
    assert not np.allclose(model.predict(x[:, 3:], batch_size=2), both[1])
    model.fit(x[:, :3], np.zeros((2, 1)), batch_size=2, epochs=2, shuffle=False, verbose=0)
""",
    "rows of padding add nothing to the loss": """
import numpy as np
from keras.models import Sequential
from keras.layers import Conv1D
model = Sequential([Conv1D(3, 1, activation='softmax', input_shape=(4, 2))])
model.compile('sgd', 'categorical_crossentropy')
y = np.zeros((2, 4, 3)); y[:, :2, 0] = 1
x = np.ones((2, 4, 2))
p = model.predict(x)
assert np.isclose(model.evaluate(x, y, verbose=0), -np.log(p[:, :2, 0]).sum() / 8, atol=1e-5)
assert np.isclose(model.evaluate(x, 2 * y, verbose=0), -np.log(p[:, :2, 0]).sum() / 4, atol=1e-5)
""",
    "a model on inputs with one axis more": """
import numpy as np
from keras import layers
from keras.models import Sequential, Model
inner = Sequential([layers.Dense(8, input_dim=6), layers.Reshape((2, 4))])
latent, number = layers.Input((6,)), layers.Input((1,), dtype='int32')
outer = Model([latent, number], inner(layers.multiply([latent, layers.Embedding(3, 6)(number)])))
assert outer.predict([np.ones((5, 6)), np.ones((5, 1))]).shape == (5, 2, 4)
""",
}
LATER: dict[str, str] = {
    "attributes of any name": """
import numpy as np
from tensorflow import keras
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.trained, self.own, self.late = False, 1, 2
        self.code, self.predictions = keras.layers.Dense(4), keras.layers.Dense(3)
    def call(self, x):
        return self.predictions(self.code(x))
net = Net(); net.compile("adam", "mse")
net.fit(np.zeros((8, 5)), np.zeros((8, 3)), verbose=0)
net.trained = True
assert net.trained and net.own == 1 and net.late == 2
assert (net.code.units, net.predictions.units) == (4, 3)
""",
    "numbers for texts": """
import numpy as np, tensorflow as tf, keras
from keras import layers
words = layers.TextVectorization(max_tokens=8, output_sequence_length=4)
words.adapt(["the cat sat", "The dog sat, down", "a bird"])
assert words.get_vocabulary()[:4] == ["", "[UNK]", "the", "sat"]
assert words(["the CAT flew!"]).numpy().tolist() == [[2, words.index["cat"], 1, 0]]
assert words("sat").shape == (4,)
bags = layers.TextVectorization(output_mode="multi_hot", vocabulary=["x", "y"])
assert bags(["y y z", "x"]).numpy().tolist() == [[1, 0, 1], [0, 1, 0]]
import zlib
unknown = layers.StringLookup(vocabulary=["a"], num_oov_indices=3)
for word in ("zz", "yy", "xx"):  # the same number in every process
    assert int(unknown(word)) == zlib.crc32(word.encode()) % 3
bags = layers.StringLookup(vocabulary=["a", "b"], output_mode="count")
assert bags([["a", "a"], ["b", "q"]]).numpy().tolist() == [[0, 2, 0], [1, 0, 1]]
assert bags(["a", "b"]).numpy().tolist() == [0, 1, 1] and bags("b").numpy().tolist() == [0, 0, 1]
letters = layers.StringLookup(vocabulary=list("abc"))
assert letters(["a", "c", "z"]).numpy().tolist() == [1, 3, 0]
back = layers.StringLookup(vocabulary=letters.get_vocabulary(), invert=True)
assert tf.strings.reduce_join(back([1, 0, 3])).numpy().decode() == "a[UNK]c"
ages = layers.IntegerLookup(vocabulary=[10, 20, 30], output_mode="one_hot")
assert ages([10, 30, 5]).numpy().argmax(-1).tolist() == [1, 3, 0]
data = tf.data.Dataset.from_tensor_slices((["the cat", "a dog"] * 4, [0, 1] * 4)).batch(4)
data = data.map(lambda x, y: (words(tf.expand_dims(x, -1)), y))
model = keras.Sequential([layers.Embedding(8, 4), layers.GlobalAveragePooling1D(), layers.Dense(1)])
model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
model.fit(data, verbose=0)
try:
    layers.Input((1,), dtype="string")
    assert False
except Exception as error:
    assert "dataset.map(lambda x, y: (layer(x), y))" in str(error)
""",
    "pictures that are mixed": """
import numpy as np, keras
from keras import layers
x = np.random.rand(6, 16, 16, 3).astype("float32") * 255
y = keras.ops.one_hot(np.arange(6) % 3, 3)
for layer in (layers.MixUp(alpha=0.5), layers.CutMix(factor=1.0)):
    out = layer({"images": x, "labels": y}, training=True)
    assert out["images"].shape == x.shape and np.allclose(out["labels"].numpy().sum(-1), 1)
cut = layers.CutMix()({"images": np.stack([np.full((8, 8, 1), v) for v in range(4)]),
                       "labels": np.eye(4)}, training=True)
for image, label in zip(cut["images"].numpy(), cut["labels"].numpy()):
    shares = np.bincount(image.astype(int).ravel(), minlength=4) / 64
    assert np.allclose(shares, label, atol=1e-5)
for layer in (layers.RandAugment(value_range=(0, 255)), layers.AugMix(value_range=(0, 255)),
              layers.RandomColorJitter(brightness_factor=0.2, hue_factor=0.1)):
    out = np.asarray(layer(x, training=True))
    assert out.shape == x.shape and out.min() >= 0 and out.max() <= 255.01
    assert not np.allclose(out, x) and np.allclose(layer(x, training=False), x)
""",
    "numbers that real Keras 3.15 gives": """
import numpy as np
from keras import layers, ops
rng = np.random.default_rng(0)
line = layers.ConvLSTM1D(2, 3, padding="same", return_sequences=True)
line = line, rng.normal(size=(1, 3, 5, 2)).astype("float32")
volume = layers.ConvLSTM3D(2, 2), rng.normal(size=(1, 2, 3, 3, 3, 1)).astype("float32")
wanted = ((-0.61537296, [0.01065432, 0.05725748, -0.03326300, -0.07132729]),
          (-0.67697525, [-0.13412547, 0.02512364, -0.01621133, -0.02824715]))
for (layer, x), (total, first) in zip((line, volume), wanted):
    layer(x)
    layer.set_weights([np.round(rng.normal(size=w.shape) * .3, 2) for w in layer.get_weights()])
    y = np.asarray(layer(x))
    assert np.isclose(y.sum(), total, atol=1e-5) and np.allclose(y.ravel()[:4], first, atol=1e-6)
inner = layers.Conv2D(2, 2)
layer = layers.SpectralNormalization(inner, power_iterations=2)
x = rng.normal(size=(1, 4, 4, 3)).astype("float32"); layer(x)
kernel = rng.normal(size=(2, 2, 3, 2)).astype("float32")
inner.set_weights([kernel, np.zeros(2)])
layer.vector_u.assign(np.array([[.1, .3]], "float32"))
y = np.asarray(layer(x, training=True))
assert np.allclose(y.ravel()[:3], [0.27093852, -1.22027969, 0.26243538], atol=1e-5)
assert np.isclose(np.abs(inner.get_weights()[0]).sum(), 5.04587173, atol=1e-4)
""",
    "both parts of folders, and texts in folders": """
import os, numpy as np, keras
from pathlib import Path
from PIL import Image
for name in ("cats", "dogs"):
    os.makedirs("pictures/" + name); os.makedirs("texts/" + name)
    for n in range(5):
        Image.new("RGB", (20, 10), n * 40).save(f"pictures/{name}/{n}.png")
        Path(f"texts/{name}/{n}.txt").write_text(f"{name} {n}")
train, valid = keras.utils.image_dataset_from_directory(
    "pictures", validation_split=0.2, subset="both", seed=1, image_size=(8, 8), batch_size=4)
assert sum(len(y) for _, y in train) == 8 and sum(len(y) for _, y in valid) == 2
for x, y in keras.utils.text_dataset_from_directory("texts", batch_size=10):
    assert {text.decode().split()[0] for text in x.numpy()} == {"cats", "dogs"}
    assert all((text.numpy()[:4] == b"dogs") == bool(label) for text, label in zip(x, y))
""",
    "statistics that were learned; a network without shapes": """
import numpy as np, keras
from keras import layers
layer = layers.Normalization(); layer.adapt(np.array([[1., 2.], [3., 6.]]))
assert np.allclose(layer.mean.numpy(), [2, 4]) and np.allclose(layer.variance.numpy(), [1, 4])
assert layer.get_config()["mean"] is None
layer.adapt(np.array([[1.], [3.]]) * np.ones((1, 2)))
class Pair(keras.Model):
    def __init__(self):
        super().__init__()
        self.part = keras.Sequential([layers.Input((3,)), layers.Dense(1)])
        self.tracker, self.built = keras.metrics.Mean(name="size"), True
    def train_step(self, x):
        self.tracker.update_state(keras.ops.mean(self.part(x)))
        return {"size": self.tracker.result()}
pair = Pair(); pair.compile()
assert "size" in pair.fit(np.ones((8, 3)), batch_size=4, verbose=0).history
""",
    "labels resized stay labels; a layer's loss for each sample": """
import numpy as np, tensorflow as tf, keras
from keras import layers
mask = tf.image.resize(np.ones((4, 4, 1), "uint8") * 3, (2, 2), method="nearest")
assert mask.numpy().dtype == np.uint8
assert tf.image.convert_image_dtype(mask, "uint8").numpy().max() == 3
class Costs(layers.Layer):
    def call(self, y, x):
        self.add_loss(keras.ops.square(y - x)); return x
i, j = layers.Input((3,)), layers.Input((1,))
x = layers.Dense(1, name="last")(i)
model = keras.Model([i, j], Costs()(j, x)); model.compile("sgd")
model.fit([np.ones((4, 3)), np.ones((4, 1))], verbose=0)
assert keras.Model(i, model.get_layer("last").output).predict(np.ones((2, 3))).shape == (2, 1)
""",
}
BIGDL: dict[str, str] = {
    "cells repeated over time": """
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
from bigdl.optim.optimizer import *
from bigdl.util.common import *
import numpy as np
x = np.random.randn(16, 5, 4).astype("float32"); y = np.random.randint(1, 4, 16)
rdd = sc.parallelize([Sample.from_ndarray(*one) for one in zip(x, y)])
for cell, wide in ((RnnCell(4, 6, Tanh()), 6), (GRU(4, 6), 6), (LSTMPeephole(4, 6), 6)):
    net = Sequential().add(Recurrent().add(cell)).add(Select(2, -1)).add(Linear(wide, 3))
    net.add(LogSoftMax())
    done = Optimizer(net, rdd, ClassNLLCriterion(), MaxEpoch(1), 8, Adam()).optimize()
    assert len(done.predict(rdd).take(2)[0]) == 3
lstm = LSTM(4, 2)
both = BiRecurrent(JoinTable(2, 2)).add(lstm)
assert both.forward(x).shape == (16, 5, 4)
out = Recurrent().add(lstm).forward(x)
w, b, u = lstm.get_weights()
assert (w.shape, b.shape, u.shape) == ((8, 4), (8,), (8, 2))
s = lambda z: 1 / (1 + np.exp(-z))
i, g, f, o = np.split(w @ x[0, 0] + b, 4)
assert np.allclose(out[0, 0], s(o) * np.tanh(s(i) * np.tanh(g)), atol=1e-5)
assert np.allclose(LookupTable(3, 2).forward(np.array([[1.0, 3.0]])).shape, (1, 2, 2))
""",
    "recurrent layers of the Keras-style API": """
from bigdl.nn.keras.topology import Sequential
from bigdl.nn.keras.layer import *
import numpy as np
m = Sequential()
m.add(Embedding(9, 4, input_shape=(6,)))
m.add(LSTM(5, return_sequences=True)); m.add(Bidirectional(GRU(3, return_sequences=True)))
m.add(SimpleRNN(4)); m.add(Dense(2, activation="softmax"))
m.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
x, y = np.random.randint(0, 9, (8, 6)), np.random.randint(1, 3, 8)
m.fit(x, y, batch_size=4, nb_epoch=1, distributed=False)
assert len(m.predict(x, distributed=False).collect()) == 8
assert len(m.predict(x).collect()) == 8
images = Sequential(); images.add(ConvLSTM2D(3, 3, 3, input_shape=(4, 1, 6, 6)))
assert images.get_output_shape() == (None, 3, 6, 6)
""",
    "data frames": """
from pyspark.sql import SQLContext, Row
from pyspark.sql.types import *
from bigdl.dlframes.dl_classifier import *
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
data = sc.parallelize([((2.0, 1.0), 1.0), ((1.0, 2.0), 2.0)] * 4)
schema = StructType([StructField("features", ArrayType(DoubleType(), False), False),
                     StructField("label", DoubleType(), False)])
df = SQLContext(sc).createDataFrame(data, schema)
net = Sequential().add(Linear(2, 2)).add(LogSoftMax())
found = DLClassifier(net, ClassNLLCriterion(), [2]).setBatchSize(4).setLearningRate(0.2)
out = found.setMaxEpoch(40).fit(df).transform(df)
assert [row.prediction for row in out.select("prediction").collect()] == [1.0, 2.0] * 4
assert out.columns == ["features", "label", "prediction"] and out.count() == 8
assert Row(a=1, b=2).asDict() == {"a": 1, "b": 2}
""",
}
RENOM: dict[str, str] = {
    "one call is one step": """
import numpy as np, renom as rm
x = np.random.rand(20, 5, 1); y = x.sum(1)
for layer in (rm.Lstm, rm.Gru, rm.PeepholeLstm):
    model, optimizer, losses = rm.Sequential([layer(4), rm.Dense(1)]), rm.Adam(lr=0.02), []
    for _ in range(40):
        with model.train():
            for t in range(5):
                z = model(x[:, t])
            loss = rm.mse(z, y)
        model.truncate()
        loss.grad().update(optimizer)
        losses.append(float(loss.as_ndarray()))
    assert losses[-1] < 0.5 * losses[0]
lstm = rm.Lstm(2)
z = lstm(x[:, 0]).as_ndarray()
w, b = lstm.params.w.as_ndarray(), lstm.params.b.as_ndarray()
s = lambda v: 1 / (1 + np.exp(-v))
c, f, i, o = np.split(x[:, 0] @ w + b, 4, 1)
assert np.allclose(z, np.tanh(s(i) * np.tanh(c)) * s(o), atol=1e-6)
assert not np.allclose(lstm(x[:, 0]).as_ndarray(), z)
lstm.truncate()
assert np.allclose(lstm(x[:, 0]).as_ndarray(), z)
""",
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what old programs use
@pytest.mark.parametrize("name", [*KERAS, *LATER, *BIGDL, *RENOM])
def test_a_program_means_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "script.py"
    script.write_text({**KERAS, **LATER, **BIGDL, **RENOM}[name])
    assert "assert " in script.read_text()  # it is the program that compares
    run_script(script, seed=0, root=tmp_path / "runs")


def test_an_autoencoder_of_keras_0_gives_one_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "script.py"
    script.write_text("""
from keras.layers.core import AutoEncoder, Dense
AutoEncoder(Dense(3, input_dim=6), Dense(6, input_dim=3), output_reconstruction=False)
""")
    with pytest.raises(DialectError) as told:
        run_script(script, root=tmp_path / "runs", dialect="keras0")
    assert str(told.value).splitlines()[:4] == [
        "AutoEncoder: its output is the decoder's in training and in tests",
        "  got   output_reconstruction=False",
        "  need  output_reconstruction=True, and the encoder called for itself",
        "  fix   output_reconstruction=True",
    ]
