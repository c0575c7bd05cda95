"""Programs over what is easy to get wrong in Keras, each run unmodified in its version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from striate.dialects.program import run_script

ARRAYS = """
import numpy as np
rng = np.random.RandomState(0)
x = rng.rand(96, 12, 12, 1); y = rng.randint(0, 4, 96)
"""
NET = """
from keras.models import Sequential
from keras.layers import Conv2D, Flatten, Dense
from keras.utils import to_categorical
Y = to_categorical(y, 4)
net = Sequential([Conv2D(3, (3, 3), activation='relu', input_shape=(12, 12, 1)), Flatten(),
                  Dense(4, activation='softmax')])
"""
TF = ARRAYS + "import tensorflow as tf\nfrom tensorflow.keras import layers\n"

PROGRAMS = {
    "the loss of code over symbols": ("keras2", ARRAYS + """
from keras.layers import Input, Dense, Lambda, Flatten
from keras.models import Model
from keras import backend as K
flat = x.reshape(96, 144).astype('float32')
start = Input(shape=(144,))
middle, spread = Dense(2)(start), Dense(2)(start)
def draw(both):
    m, s = both
    return m + K.exp(s / 2) * K.random_normal(shape=(K.shape(m)[0], 2))
code = Lambda(draw, output_shape=(2,))([middle, spread])
end = Dense(144, activation='sigmoid')(code)
whole = Model(start, end)
apart = 1 + spread - K.square(middle) - K.exp(spread)
whole.add_loss(K.mean(K.sum(K.square(start - end), axis=-1) - 0.5 * K.sum(apart, axis=-1)))
whole.compile('adam')
past = whole.fit(flat, epochs=2, verbose=0, validation_data=(flat[:32], None)).history
print(sorted(past), past['loss'][1] < past['loss'][0])
""", "['loss', 'val_loss'] True"),
    "a loss that closes over the network": ("keras1", ARRAYS + """
from keras.layers import Input, Dense
from keras.models import Model
from keras import backend as K
flat = x.reshape(96, 144)
a = Input(shape=(144,)); code = Dense(3)(a); b = Dense(144)(code)
def far(y_true, y_pred):
    return K.mean(K.square(y_true - y_pred), axis=-1) + K.mean(K.square(code), axis=-1)
m = Model(input=a, output=b)
m.compile('sgd', far)
print(len(m.fit(flat, flat, nb_epoch=2, verbose=0).history['loss']))
""", "2"),
    "weights that are frozen after compile wait for the next": ("keras2", ARRAYS + NET + """
net.compile('sgd', 'categorical_crossentropy')
net.trainable = False
before = net.get_weights()[0].copy()
net.train_on_batch(x, Y)
moved = (net.get_weights()[0] != before).any()
net.trainable = True
print(bool(moved))
""", "True"),
    "gradients of symbols": ("keras2", """
import numpy as np
from keras.layers import Input, Dense
from keras.models import Model
from keras import backend as K
a = Input((3,)); b = Dense(1, kernel_initializer='ones')(a * a)
slope = K.gradients(K.sum(b), a)[0]
run = K.function([a], [b, slope])
print([v.tolist() for v in run([np.array([[1., 2., 3.]])])])
""", "[[[14.0]], [[2.0, 4.0, 6.0]]]"),
    "a layer of one's own": ("keras2", """
import numpy as np
from keras import backend as K
from keras.engine.topology import Layer
from keras.models import Sequential
class Times(Layer):
    def __init__(self, size, **words):
        self.size = size
        super(Times, self).__init__(**words)
    def build(self, input_shape):
        self.W = self.add_weight(name='W', shape=(input_shape[1], self.size), initializer='one')
        super(Times, self).build(input_shape)
    def call(self, given):
        given -= 1
        return K.dot(given, self.W)
    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.size)
m = Sequential([Times(2, input_shape=(3,))])
m.compile('sgd', 'mse'); m.fit(np.ones((4, 3)), np.ones((4, 2)), epochs=1, verbose=0)
print(m.output_shape, m.predict(np.full((1, 3), 2.0)).round(2).tolist())
""", "(None, 2) [[3.0, 3.0]]"),
    "losses at each batch are those of the batch": ("keras2", ARRAYS + NET + """
from keras.callbacks import Callback
class Each(Callback):
    def on_train_begin(self, logs={}):
        self.seen = []
    def on_batch_end(self, batch, logs={}):
        self.seen.append((batch, logs['size'], logs.get('loss')))
each = Each()
net.compile('sgd', 'categorical_crossentropy', metrics=['accuracy'])
h = net.fit(x, Y, batch_size=32, epochs=1, verbose=0, callbacks=[each])
mean = sum(loss for _, _, loss in each.seen) / 3
print(len(each.seen), abs(mean - h.history['loss'][0]) < 1e-5)
""", "3 True"),
    "old early stopping waits one epoch more": ("keras1", ARRAYS + """
from keras.models import Sequential
from keras.layers import Flatten, Dense
from keras.callbacks import EarlyStopping
m = Sequential([Flatten(input_shape=(12, 12, 1)), Dense(1, init='zero', bias=False)])
m.compile('sgd', 'mse')
stop = EarlyStopping(monitor='loss', patience=1, verbose=1)
h = m.fit(x * 0, y * 0, nb_epoch=9, verbose=0, callbacks=[stop])
print(len(h.history['loss']))
""", "3"),
    "the best model by its file": ("keras2", ARRAYS + NET + """
import glob
from keras.callbacks import ModelCheckpoint, ReduceLROnPlateau, CSVLogger
from keras.models import load_model
net.compile('adam', 'categorical_crossentropy', metrics=['accuracy'])
keep = ModelCheckpoint('best-{epoch:02d}.h5', monitor='val_acc', save_best_only=False)
net.fit(x, Y, epochs=1, verbose=0, validation_split=0.25,
        callbacks=[keep, ReduceLROnPlateau(patience=2), CSVLogger('log.csv')])
again = load_model(glob.glob('best-*.h5')[0])
print(glob.glob('best-*.h5'), abs(again.predict(x) - net.predict(x)).max() == 0,
      np.genfromtxt('log.csv', delimiter=',', names=True).dtype.names)
""", "['best-01.h5'] True ('epoch', 'acc', 'loss', 'lr', 'val_acc', 'val_loss')"),
    "a generator of changed pictures": ("keras2", ARRAYS + NET + """
from keras.preprocessing.image import ImageDataGenerator
make = ImageDataGenerator(rotation_range=10, width_shift_range=0.1, horizontal_flip=True,
                          zoom_range=0.1, featurewise_center=True, rescale=0.5)
make.fit(x)
flow = make.flow(x, Y, batch_size=40, seed=1)
net.compile('sgd', 'categorical_crossentropy')
h = net.fit_generator(flow, epochs=1, verbose=0, validation_data=(x, Y), workers=2)
first, labels = next(flow)
print(len(flow), first.shape, labels.shape, list(h.history))
""", "3 (40, 12, 12, 1) (40, 4) ['loss', 'val_loss']"),
    "a tape": ("tf", TF + """
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(3, 3, activation='relu')
        self.flat = layers.Flatten()
        self.out = layers.Dense(4)
    def call(self, given, training=False):
        return self.out(self.flat(self.conv(given)))
net, rule = Net(), tf.keras.optimizers.Adam(0.01)
far = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
mean = tf.keras.metrics.Mean()
pairs = tf.data.Dataset.from_tensor_slices((x.astype('float32'), y)).shuffle(96).batch(32)
@tf.function
def step(images, labels):
    with tf.GradientTape() as tape:
        loss = far(labels, net(images, training=True))
    slopes = tape.gradient(loss, net.trainable_variables)
    rule.apply_gradients(zip(slopes, net.trainable_variables))
    mean(loss)
seen = []
for epoch in range(3):
    mean.reset_states()
    for images, labels in pairs:
        step(images, labels)
    seen.append(float(mean.result()))
print(len(net.trainable_variables), seen[2] < seen[0], int(rule.iterations))
""", "4 True 9"),
    "a step of training of one's own": ("tf", TF + """
class Own(tf.keras.Model):
    def train_step(self, data):
        given, labels = data
        with tf.GradientTape() as tape:
            out = self(given, training=True)
            loss = self.compiled_loss(labels, out, regularization_losses=self.losses)
        slopes = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(slopes, self.trainable_variables))
        self.compiled_metrics.update_state(labels, out)
        return {m.name: m.result() for m in self.metrics}
start = tf.keras.Input((12, 12, 1))
net = Own(start, layers.Dense(4, activation='softmax')(layers.Flatten()(start)))
net.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
print(list(net.fit(x, y, epochs=1, verbose=0).history))
""", "['loss', 'accuracy']"),
    "a data set that is mapped": ("tf", TF + """
def ready(image, label):
    return tf.cast(image, tf.float32) / 255.0, tf.one_hot(label, 4)
pairs = tf.data.Dataset.from_tensor_slices((x, y)).map(ready).cache().batch(32).prefetch(1)
net = tf.keras.Sequential([layers.Flatten(input_shape=(12, 12, 1)), layers.Dense(4)])
loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
net.compile('adam', loss, metrics=['accuracy'])
net.fit(pairs, epochs=1, verbose=0, validation_data=pairs)
print(len(pairs), net.predict(pairs).shape, tf.nn.softmax(net(x[:2])).numpy().sum().round(4))
""", "3 (96, 4) 2.0"),
    "layers of Keras 3 that add to the loss": ("keras3", ARRAYS + """
import keras
from keras import layers, ops
class Small(layers.Layer):
    def call(self, given):
        self.add_loss(ops.mean(ops.square(given)))
        return given
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.parts = [layers.Flatten(), layers.Dense(4, activation='softmax')]
        self.small = Small()
    def call(self, given):
        for part in self.parts:
            given = part(given)
        return self.small(given)
net = Net()
net.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
h = net.fit(x, y, epochs=1, verbose=0)
print(list(h.history), net(x[:2]).shape)
""", "['loss', 'accuracy'] (2, 4)"),
    "models that are merged": ("keras1", ARRAYS + """
from keras.models import Sequential
from keras.layers import Dense, Flatten, Merge
left = Sequential([Flatten(input_shape=(12, 12, 1)), Dense(3)])
right = Sequential([Flatten(input_shape=(12, 12, 1)), Dense(2)])
both = Sequential()
both.add(Merge([left, right], mode='concat'))
both.add(Dense(1, activation='sigmoid'))
both.compile('rmsprop', 'binary_crossentropy', metrics=['accuracy'])
both.fit([x, x], y % 2, nb_epoch=1, verbose=0)
print(both.predict([x, x]).shape, both.layers[0].name)
""", "(96, 1) dense_3"),
    "shared layers and steps of a sequence": ("keras2", """
import numpy as np
from keras.layers import Input, Dense, TimeDistributed, Conv2D, Flatten, concatenate
from keras.models import Model
shared = Dense(3)
a, b = Input((4,)), Input((4,))
twin = Model([a, b], concatenate([shared(a), shared(b)]))
film = Input((5, 8, 8, 1))
seen = Model(film, TimeDistributed(Flatten())(TimeDistributed(Conv2D(2, (3, 3)))(film)))
print(twin.count_params(), twin.output_shape, seen.predict(np.ones((2, 5, 8, 8, 1))).shape)
""", "15 (None, 6) (2, 5, 72)"),
    "the list of layers begins with the inputs and goes by distance": ("keras2", ARRAYS + """
from keras.layers import Input, InputLayer, Conv2D, Flatten, Dense, add
from keras.models import Model, Sequential
a = Input((12, 12, 1), name='pictures')
far = Conv2D(3, 1, name='second')(Conv2D(3, 1, name='first')(a))
both = add([Conv2D(3, 1, name='short')(a), far], name='sum')
m = Model(a, Dense(4, name='end')(Flatten(name='flat')(both)))
print([l.name for l in m.layers])
first = m.weights[4].name, isinstance(m.layers[0], InputLayer), m.layers[0].output_shape
names = ' '.join(l.name for l in m.layers)
m.layers.pop()
m.outputs = [m.layers[-1].output]
m.layers[-1].outbound_nodes = []
s = Sequential([Dense(3, input_dim=2), Dense(4)])
s.layers.pop()
print(names, *first, m.predict(x).shape, s.output_shape)
""", "pictures first short second sum flat end second/kernel:0 True (None, 12, 12, 1) (96, 432) "
     "(None, 3)"),
    "layers that are shared, inputs that lead nowhere, and operations": ("keras3", """
import keras
from keras import layers
a, b, c = (keras.Input((4,), name=n) for n in 'abc')
shared, other = layers.Dense(4, name='shared'), layers.Dense(4, name='other')
first = shared(a)
end = layers.Dense(4, name='end')(other(shared(layers.Dense(4, name='far')(b)) * 2 + first))
m = keras.Model([a, b, c], [end, first])
print(*(l.name for l in m.layers), '|', *(l.name for l in keras.Model([a, b], first).layers), '|',
      layers.Rescaling(1.0).name, layers.Add().name, layers.Add().name)
""", "b far shared a other c end | a b shared | rescaling add_1 add_2"),
    "a Graph of named nodes": ("keras0", ARRAYS + """
from keras.models import Graph
from keras.layers.core import Dense, Flatten
from keras.layers.convolutional import Convolution2D
from keras.utils import np_utils
data = {'in': x.transpose(0, 3, 1, 2), 'out': np_utils.to_categorical(y, 4)}
g = Graph()
g.add_input(name='in', input_shape=(1, 12, 12))
g.add_node(Convolution2D(2, 3, 3, border_mode='full', activation='relu'), name='a', input='in')
g.add_node(Convolution2D(2, 3, 3, border_mode='same'), name='b', input='a')
g.add_node(Flatten(), name='f', inputs=['a', 'b'], merge_mode='sum')
g.add_node(Dense(4, activation='softmax'), name='d', input='f')
g.add_output(name='out', input='d')
g.compile('rmsprop', {'out': 'categorical_crossentropy'})
h = g.fit(data, nb_epoch=2, verbose=0)
print(len(h.history['loss']), g.predict(data)['out'].shape, g.nodes['a'].output_shape)
""", "2 (96, 4) (None, 2, 14, 14)"),
    "a sequence is told that an epoch has ended": ("keras2", ARRAYS + NET + """
from keras.utils import Sequence
from keras.preprocessing.image import ImageDataGenerator
class Parts(Sequence):
    ends = 0
    def __len__(self):
        return 3
    def __getitem__(self, index):
        return x[index * 32:][:32], Y[index * 32:][:32]
    def on_epoch_end(self):
        self.ends += 1
parts = Parts()
net.compile('sgd', 'categorical_crossentropy')
net.fit_generator(parts, epochs=2, verbose=0)
flow = ImageDataGenerator().flow(x, Y, batch_size=48, seed=1)
order = flow.order.copy()
net.fit_generator(flow, epochs=1, verbose=0)
print(parts.ends, (order != flow.order).any())
""", "2 True"),
    "two networks in one without a call": ("tf", TF + """
class Pair(tf.keras.Model):
    def __init__(self, judge, maker):
        super().__init__()
        self.judge, self.maker = judge, maker
    def compile(self, rule, far):
        super().compile()
        self.rule, self.far = rule, far
        self.seen = tf.keras.metrics.Mean(name='seen')
    @property
    def metrics(self):
        return [self.seen]
    def train_step(self, real):
        count = tf.shape(real)[0]
        for part, sign in ((self.judge, 0.0), (self.maker, 1.0)):
            with tf.GradientTape() as tape:
                made = self.maker(tf.random.normal((count, 3)))
                truth = tf.concat([tf.ones((count, 1)) * sign, tf.ones((count, 1))], 0)
                loss = self.far(truth, self.judge(tf.concat([made, real], 0)))
            slopes, length = tf.clip_by_global_norm(
                tape.gradient(loss, part.trainable_weights), 1.0)
            self.rule.apply_gradients(zip(slopes, part.trainable_weights))
        self.seen.update_state(loss)
        return {'loss': self.seen.result()}
judge = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(1, activation='sigmoid')])
maker = tf.keras.Sequential([tf.keras.Input((3,)), layers.Dense(4)])
pair, rule = Pair(judge, maker), tf.keras.optimizers.Adam(0.01)
pair.compile(rule, tf.keras.losses.BinaryCrossentropy())
real = tf.data.Dataset.from_tensor_slices(x[:64, 0, :4, 0].astype('float32')).batch(32)
kept = list(pair.fit(real, epochs=2, verbose=0).history)
print(kept, int(rule.iterations), [int(s['step']) for s, _ in rule.states.values()])
""", "['loss'] 8 [7, 8]"),
    "a loss of one's own that takes class numbers": ("tf", TF + """
class Own(tf.keras.losses.Loss):
    def call(self, y_true, y_pred):
        wanted = tf.one_hot(tf.squeeze(tf.cast(y_true, tf.int32)), 4)
        return tf.reduce_sum(tf.square(wanted - y_pred), axis=-1)
net = tf.keras.Sequential([layers.Flatten(input_shape=(12, 12, 1)), layers.Dense(4)])
net.compile('adam', Own())
past = net.fit(x, y, epochs=1, verbose=0).history
batch = tf.convert_to_tensor(x)
print(list(past), batch.shape, batch.shape[1:].as_list(), batch.shape.rank)
""", "['loss'] (96, 12, 12, 1) [12, 12, 1] 4"),
    "a layer that keeps variables and adds the only loss": ("keras2", ARRAYS + """
from keras import backend as K, metrics
from keras.engine import Layer, InputSpec
from keras.layers import Input, Dense
from keras.models import Model
class Judge(Layer):
    def build(self, input_shape):
        self.input_spec = [InputSpec(shape=shape) for shape in input_shape]
        self.share = K.variable(np.ones(self.input_spec[0].shape[1:]), name='share')
        self.trainable_weights = [self.share]
    def call(self, inputs):
        true, made = inputs
        one = metrics.binary_crossentropy(K.flatten(true), K.flatten(made))
        self.add_loss(one + K.mean(K.square(self.share * made)), inputs=inputs)
        return true
a = Input((144,))
m = Model(a, Judge()([a, Dense(144, activation='sigmoid')(a)]))
m.compile('rmsprop', loss=None)
flat = x.reshape(96, 144)
h = m.fit(flat, epochs=2, verbose=0, validation_data=(flat, None)).history
print(sorted(h), m.weights[-1].name, h['loss'][1] < h['loss'][0] < 3)
""", "['loss', 'val_loss'] share:0 True"),
    "a penalty on activity goes with a generator": ("keras2", ARRAYS + """
from keras.models import Sequential
from keras.layers import Dense, Flatten
from keras.callbacks import Callback
def batches():
    while True:
        yield x[:32], y[:32]
class Look(Callback):
    def on_epoch_end(self, epoch, logs={}):
        self.shapes = [part.shape for part in self.validation_data]
look = Look()
m = Sequential([Flatten(input_shape=(12, 12, 1)),
                Dense(1, kernel_initializer='ones', activity_regularizer='l1')])
m.compile('sgd', 'mse', metrics=['mae'])
h = m.fit_generator(batches(), steps_per_epoch=2, epochs=1, verbose=0, validation_data=(x, y),
                    callbacks=[look]).history
print(sorted(h), look.shapes)
""", "['loss', 'mean_absolute_error', 'val_loss', 'val_mean_absolute_error'] "
     "[(96, 12, 12, 1), (96,), (96,)]"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_unmodified(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    version, text, last = PROGRAMS[name]
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(text)
    run = run_script("script.py", seed=1, root="runs", dialect=version)
    assert capsys.readouterr().out.splitlines()[-1] == last
    assert json.loads((run / "config.json").read_text())["dialect"] == version


TUTORIALS = {  # a line that each of them prints
    "keras_001": "in both True",
    "keras_002": "val_acc: ",
    "keras_004": "Total params: 53,558",
}


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_runs_to_its_end(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Path(__file__).parent / "tutorials" / f"{name}.py"
    run_script(script, max_epochs=1, limit_samples=200, seed=0, root=tmp_path)
    out = capsys.readouterr().out
    assert TUTORIALS[name] in out and out.splitlines()[-1] in ("reached", "missed")
