"""Values from sessions of TensorFlow 1, and gradients that scripts put in the place of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from striate.dialects.program import run_script
from striate.dialects.table import DialectError

KERAS = """
import numpy as np, tensorflow as tf
from keras import backend as K
from keras.models import Sequential, Model, load_model
from keras.layers import *
"""
TF = "import numpy as np, tensorflow as tf\nfrom tensorflow.keras import layers\n"
PROGRAMS = {
    "a session gives what symbols are for what it is fed": ("keras2", KERAS + """
net = Sequential([Dense(1, use_bias=False, kernel_initializer='ones', input_shape=(2,)),
                  Dropout(.5)])
x, sess = np.array([[1., 2.]]), K.get_session()
print(sess.run(net.output, feed_dict={net.input: x, K.learning_phase(): 0}))
grads = K.gradients(K.sum(K.square(net.output)), net.input)
print(sess.run(grads, {net.input: x}), sess.run(x + .5 * grads[0], {net.input: x}))
with tf.Session() as other:
    other.run(tf.global_variables_initializer())
    found = other.run({'twice': tf.constant(3.) * 2, 'out': (net.output,)}, {net.input: x})
print(found['twice'], found['out'][0].shape)
np.random.seed(0); tf.set_random_seed(0)
many = [sess.run(net.output, {net.input: x, K.learning_phase(): 1})[0, 0] for _ in range(20)]
print(sorted(set(many)))
# 1 + 2 = 3; the gradient of its square is 6; what is kept of 3 is twice as large
""", ["[[3.]]", "[array([[6., 6.]], dtype=float32)] [[4. 5.]]", "6.0 (1, 1)", "[0.0, 6.0]"]),
    "gradients in the place of others, by kinds": ("keras2", KERAS + """
@tf.RegisterGradient('Tenfold')
def tenfold(op, grad):
    return [grad * 10 * op.inputs[0]]
@tf.RegisterGradient('Guided')
def guided(op, grad):
    return tf.where(grad > 0., grad * tf.cast(op.outputs[0] > 0., 'float32'), tf.zeros_like(grad))
graph, v = K.get_session().graph, K.variable([.3, -.6])
with graph.gradient_override_map({'Identity': 'Tenfold', 'Round': 'Identity'}):
    turned, rounded = tf.identity(v), K.round(v * 3)
plain = tf.round(v * 3)
for one in (turned, rounded, plain):
    print(np.round(K.get_value(K.gradients(K.sum(one), [v])[0]), 3))
def make():
    return Sequential([Dense(2, activation='relu', use_bias=False, input_shape=(2,)),
                       Activation('relu'), Dense(1, use_bias=False)])
nets = [make()]
with tf.get_default_graph().gradient_override_map({'Relu': 'Guided'}):
    nets.append(make())
for net in nets:
    net.set_weights([np.eye(2), np.array([[1.], [-1.]])])
    find = K.function([net.input], K.gradients(net.output, net.input))
    print(find([np.array([[1., 1.]])])[0], net.predict(np.array([[1., 1.]]))[0, 0])
""", ["[ 3. -6.]", "[3. 3.]", "[0. 0.]", "[[ 1. -1.]] 0.0", "[[1. 0.]] 0.0"]),
    "a gradient turned round within a layer": ("tf", TF + """
def reversed_(x, share):
    name = 'Reversed%d' % id(x)
    @tf.RegisterGradient(name)
    def back(op, grad):
        return [-share * grad]
    with tf.Graph().as_default() as graph, graph.gradient_override_map({'Identity': name}):
        return tf.identity(x)
class Reversal(layers.Layer):
    def call(self, x):
        return reversed_(x, .25)
x, y = np.ones((4, 3)), np.ones((4, 1))
moved = []
for middle in ([], [Reversal()]):
    net = tf.keras.Sequential([layers.Dense(2, kernel_initializer='zeros', input_shape=(3,)),
                               *middle, layers.Dense(1, kernel_initializer='ones')])
    net.compile(tf.keras.optimizers.SGD(.5), 'mse')
    net.train_on_batch(x, y)
    moved.append(net.get_weights()[0][0, 0])
print(moved)
# the output is 0: its loss moves each weight by .5 * 2, or by a quarter of it the other way
""", ["[1.0, -0.25]"]),
    "shapes as TensorFlow gives them to build": ("tf", TF + """
class Scale(layers.Layer):
    def build(self, input_shape):
        print(input_shape.as_list(), input_shape.ndims, input_shape[-1].__class__ is not None,
              input_shape[1:].num_elements(), isinstance(input_shape, tf.TensorShape))
        self.scale = self.add_weight(name='scale', shape=input_shape[-1:], initializer='ones')
    def call(self, x):
        return x * self.scale
print(Scale()(tf.ones((2, 4, 3))).shape, tf.TensorShape([None, 2]).concatenate([3]).as_list())
""", ["[None, 4, 3] 3 True 12 True", "(2, 4, 3) [None, 2, 3]"]),
    "metrics of compile in a script's own list": ("tf", TF + """
class Own(tf.keras.Model):
    def __init__(self, net):
        super().__init__()
        self.net, self.mean = net, tf.keras.metrics.Mean(name='mean')
    @property
    def metrics(self):
        return [self.mean] + self.compiled_metrics.metrics
    def train_step(self, data):
        x, y = data
        out = self.net(x)
        self.compiled_metrics.update_state(y, out)
        self.mean.update_state(out)
        return {one.name: one.result() for one in self.metrics}
own = Own(tf.keras.Sequential([layers.Dense(1, kernel_initializer='ones', input_shape=(2,))]))
own.compile('sgd', metrics=['mae'])
found = own.fit(np.ones((4, 2)), np.zeros((4, 1)), epochs=2, verbose=0).history
print(found)
""", ["{'mean': [2.0, 2.0], 'mae': [2.0, 2.0]}"]),
    "losses told in order, as TensorFlow 2 has them": ("tf", TF + """
from tensorflow.keras.losses import CategoricalCrossentropy, MeanSquaredError, Reduction
class Weighted(CategoricalCrossentropy):
    def __init__(self, weights, *rest, name='entropy'):
        super().__init__(False, 0, *rest, name='weighted_' + name)
        self.weights = tf.constant(weights)
    def call(self, y_true, y_pred):
        return super().call(y_true, y_pred) * tf.reduce_sum(y_true * self.weights, -1)
y, p = tf.eye(2), tf.constant([[.5, .5], [.75, .25]])
for rest in ((Reduction.SUM,), (-1, 'none'), ()):
    found = Weighted([1., 2.], *rest)
    print(found.name, np.round(found(y, p).numpy(), 4))
print(MeanSquaredError('sum', 'mine').name, float(MeanSquaredError('sum')(y, p)))
# .6931 + 2 * 1.3863 = 3.4657
""", ["weighted_entropy 3.4657", "weighted_entropy [0.6931 2.7726]", "weighted_entropy 1.7329",
      "mine 0.8125"]),
    "modules of Keras 3 by the paths of its own parts": ("keras3", """
import keras.api as keras
from keras.src.optimizers.adamw import AdamW
from keras._tf_keras.keras.layers import Dense
from keras.src.callbacks import EarlyStopping
net = keras.Sequential([keras.Input((2,)), Dense(1, kernel_initializer='ones')])
net.compile(AdamW(0.1), 'mse')
print(net.predict(keras.ops.ones((1, 2)), verbose=0), EarlyStopping().patience)
""", ["[[2.]] 0"]),
    "whether there are cards, as Keras asks TensorFlow 1": ("keras2", """
import keras.backend as K
print(len(K.tensorflow_backend._get_available_gpus()) > 0)
""", ["False"]),
    "a model of the inputs of another, in a list in a list": ("tf", TF + """
x = tf.keras.Input((4, 4, 1))
y = layers.Conv2D(2, 3, name='last', kernel_initializer='ones')(x)
net = tf.keras.Model(x, layers.Dense(1, kernel_initializer='ones')(layers.Flatten()(y)))
both = tf.keras.models.Model([net.inputs], [net.get_layer('last').output, net.output])
with tf.GradientTape() as tape:
    maps, out = both(np.ones((1, 4, 4, 1)))
    loss = out[:, 0]
print(tape.gradient(loss, maps).shape, float(loss[0]), len(both.inputs))
# 2 * 2 places, 2 maps, each 9
""", ["(1, 2, 2, 2) 72.0 1"]),
    "a kernel that two calls of a step divide": ("tf", TF + """
inner = layers.Dense(2, use_bias=False, kernel_initializer='ones')
layer = layers.SpectralNormalization(inner)
layer(tf.ones((1, 2)))
with tf.GradientTape() as tape:
    total = tf.reduce_sum(layer(tf.ones((1, 2)), training=True))
    total += tf.reduce_sum(layer(3 * tf.ones((1, 2)), training=True))
grads = tape.gradient(total, layer.trainable_variables)
print(np.round(float(total), 4), np.round(grads[0].numpy(), 4).tolist())
# a kernel of ones, whose largest singular value is 2: halves, for both
""", ["8.0 [[4.0, 4.0], [4.0, 4.0]]"]),
    "files of networks with code, read by another one of the same layers": ("keras2", KERAS + """
def make(code):
    x = Input((5, 3))
    y = BatchNormalization()(x)
    return Model(x, LSTM(4)(Lambda(lambda t: t * 2)(y) if code else y))
x = np.random.RandomState(0).rand(20, 5, 3)
for code in (False, True):
    net = make(code)
    net.compile('sgd', 'mse')
    net.fit(x, np.ones((20, 4)), verbose=0)
    net.save('whole.h5')
    other = make(code)
    other.load_weights('whole.h5')
    read = load_model('whole.h5')
    print(*(bool(np.array_equal(one.predict(x), net.predict(x))) for one in (other, read)))
""", ["True True", "True True"]),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dialect, text, printed = PROGRAMS[name]
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(text)
    run_script("script.py", root="runs", dialect=dialect)
    assert capsys.readouterr().out.splitlines() == printed


def test_a_gradient_that_is_not_registered_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(
        "import tensorflow as tf\n"
        "@tf.RegisterGradient('Guided')\n"
        "def guided(op, grad):\n    return grad\n"
        "with tf.get_default_graph().gradient_override_map({'Sign': 'Giuded'}):\n"
        "    tf.sign(tf.constant(1.))\n"
    )
    with pytest.raises(DialectError) as caught:
        run_script("script.py", root="runs", dialect="tf")
    assert str(caught.value) == (
        "gradient_override_map: no gradient of the name 'Giuded' is registered\n"
        "  got   {'Sign': 'Giuded'}\n"
        "  need  one of Guided\n"
        "  fix   @tf.RegisterGradient('Giuded') above the function, before the block\n"
        "  at    script.py:6"
    )
