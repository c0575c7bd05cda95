"""Programs of a decade over what is easy to get wrong; each asserts what its dialect means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from striate.dialects.program import run_script

DATA = """
import numpy as np
np.random.seed(7)
rng = np.random.RandomState(0)
y = rng.randint(0, 4, 80)
x = rng.rand(80, 8, 8, 1) * 0.5 + (np.arange(8) // 2 == y[:, None])[:, :, None, None]
"""
PROGRAMS = {
    "Adadelta of Keras 1 learns at the rate of 1": ("keras1", DATA + """
from keras.models import Sequential
from keras.layers import Dense, Flatten
m = Sequential([Flatten(input_shape=(8, 8, 1)), Dense(4, activation='softmax', init='zero')])
m.compile('adadelta', 'sparse_categorical_crossentropy')
before = m.get_weights()[0].copy()
g = -(np.eye(4)[y] - 0.25).T.dot(x.reshape(80, -1)).T / 80
m.fit(x, y, batch_size=80, nb_epoch=1, verbose=0)
step = g * np.sqrt(1e-8) / np.sqrt(0.05 * g ** 2 + 1e-8)
assert np.allclose(before - m.get_weights()[0], step, atol=1e-6)
"""),
    "numbers after the filters": ("keras2", """
from keras.models import Sequential
from keras.layers import Conv2D, Convolution2D
m = Sequential()
m.add(Conv2D(64, 3, 3, border_mode='same', input_shape=(28, 28, 1)))
m.add(Convolution2D(32, (5, 5), padding='valid'))
assert m.output_shape == (None, 24, 24, 32), m.output_shape
assert m.count_params() == 3 * 3 * 64 + 64 + 5 * 5 * 64 * 32 + 32
"""),
    "numbers after the filters in tf.keras": ("tf", """
import tensorflow as tf
layers = tf.keras.layers
m = tf.keras.Sequential([layers.Conv2D(64, 3, 3, input_shape=(28, 28, 1))])
assert m.output_shape == (None, 9, 9, 64)  # strides of 3
"""),
    "channels first, kernels and all": ("keras0", """
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Flatten, Activation
from keras.layers.convolutional import Convolution2D, MaxPooling2D
w = np.arange(8.).reshape(2, 1, 2, 2)
m = Sequential()
m.add(Convolution2D(2, 2, 2, weights=[w, np.array([0., 1.])], input_shape=(1, 4, 4)))
m.add(MaxPooling2D(pool_size=(3, 3)))
m.add(Flatten())
x = np.arange(16.).reshape(1, 1, 4, 4)
wanted = [(w[k, 0] * x[0, 0, 2:, 2:]).sum() + k for k in range(2)]
turned = [(w[k, 0, ::-1, ::-1] * x[0, 0, 2:, 2:]).sum() + k for k in range(2)]
out = m.predict(x)[0]
assert np.allclose(out, wanted) or np.allclose(out, turned), (out, wanted, turned)
assert m.layers[0].get_weights()[0].shape == (2, 1, 2, 2)
"""),
    "an order of axes that is set": ("keras1", """
import numpy as np
from keras import backend as K
from keras.datasets import cifar10, mnist
from keras.models import Sequential
from keras.layers import Convolution2D, MaxPooling2D, Flatten, Dense
K.set_image_dim_ordering('th')
(x, y), _ = mnist.load_data()
if K.image_dim_ordering() == 'th':
    x, shape = x[:64].reshape(64, 1, 28, 28), (1, 28, 28)
m = Sequential([Convolution2D(3, 5, 5, input_shape=shape), MaxPooling2D((4, 4)), Flatten(),
                Dense(10, activation='softmax')])
assert m.layers[0].output_shape == (None, 3, 24, 24) and m.output_shape == (None, 10)
assert m.layers[3].get_weights()[0].shape == (108, 10)
"""),
    "the keys of the history": ("keras2", DATA + """
from keras.models import Sequential
from keras.layers import Dense, Flatten
m = Sequential([Flatten(input_shape=(8, 8, 1)), Dense(4, activation='softmax')])
m.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
h = m.fit(x, y, epochs=2, verbose=0, validation_split=0.25)
assert sorted(h.history) == ['acc', 'loss', 'val_acc', 'val_loss']
assert h.history['acc'] == h.history['accuracy'] and m.metrics_names == ['loss', 'acc']
"""),
    "the keys of Keras 2.3 are as written": ("keras23", DATA + """
from keras.models import Sequential
from keras.layers import Dense, Flatten
m = Sequential([Flatten(input_shape=(8, 8, 1)), Dense(4, activation='softmax')])
m.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
h = m.fit(x, y, epochs=1, verbose=0, validation_data=(x, y))
assert list(h.history)[-1] in ('val_accuracy', 'accuracy')
assert 'acc' not in list(h.history), list(h.history)
"""),
    "classes of BigDL count from 1": ("bigdl", DATA + """
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
from bigdl.optim.optimizer import *
net = Sequential().add(Reshape([64])).add(Linear(64, 4)).add(LogSoftMax())
Optimizer.create(net, (x, y + 1), ClassNLLCriterion(), MaxEpoch(12), 20,
                 Adam(learningrate=0.05)).optimize()
guessed = np.array(net.predict_class(x))
assert set(guessed) <= {1, 2, 3, 4} and (guessed == y + 1).mean() > 0.95
try:
    ClassNLLCriterion().forward(net.forward(x), y)
except Exception as error:
    assert 'counts classes from 1' in str(error)
else:
    assert False, 'a label of 0 has to be refused'
"""),
    "same with strides of 2 puts more at the end": ("keras2", """
import numpy as np
from keras.models import Sequential
from keras.layers import Conv2D, MaxPooling2D, AveragePooling2D, Conv2DTranspose
x = np.arange(1., 37.).reshape(1, 6, 6, 1)
one = dict(kernel_initializer='ones', use_bias=False)
m = Sequential([Conv2D(1, 3, strides=2, padding='same', input_shape=(6, 6, 1), **one)])
big = np.pad(x[0, :, :, 0], ((0, 1), (0, 1)), 'constant')
wanted = [[big[r:r + 3, c:c + 3].sum() for c in (0, 2, 4)] for r in (0, 2, 4)]
assert np.allclose(m.predict(x)[0, :, :, 0], wanted)
a = Sequential([AveragePooling2D(2, padding='same', input_shape=(5, 5, 1))])
assert a.predict(np.ones((1, 5, 5, 1))).min() == 1  # padding is no part of the mean
p = Sequential([MaxPooling2D(2, padding='same', input_shape=(5, 5, 1))])
assert p.predict(-np.ones((1, 5, 5, 1))).max() == -1  # nor of the maximum
t = Sequential([Conv2DTranspose(1, 3, strides=2, padding='same', input_shape=(3, 3, 1), **one)])
assert t.output_shape == (None, 6, 6, 1)
assert np.allclose(t.predict(np.ones((1, 3, 3, 1)))[0, 0, :, 0], [1, 1, 2, 1, 2, 1])
"""),
    "same of BigDL puts more at the end": ("bigdl", """
import numpy as np
from bigdl.nn.keras.topology import Sequential
from bigdl.nn.keras.layer import *
m = Sequential()
m.add(Convolution2D(1, 3, 3, init='one', border_mode='same', subsample=(2, 2), bias=False,
                    input_shape=(1, 6, 6)))
x = np.arange(1., 37.).reshape(1, 1, 6, 6)
big = np.pad(x[0, 0], ((0, 1), (0, 1)), 'constant')
wanted = [[big[r:r + 3, c:c + 3].sum() for c in (0, 2, 4)] for r in (0, 2, 4)]
assert np.allclose(m.forward(x)[0, 0], wanted)
"""),
    "maxima of ReNom are padded with zeros": ("renom", """
import numpy as np
import renom as rm
x = -np.ones((1, 1, 4, 4))
assert float(np.max(rm.MaxPool2d(filter=3, padding=1)(x))) == 0
assert rm.MaxPool2d(filter=2)(x).shape == (1, 1, 3, 3)  # strides of 1
w = np.array([[[[1., 2.], [3., 4.]]]])
conv = rm.Conv2d(1, 2, ignore_bias=True)
conv(x)
conv.params = {'w': rm.Variable(w)}
one = np.zeros((1, 1, 2, 2)); one[0, 0, 0, 0] = 1
assert conv(one).ravel()[0] == 4  # a kernel is turned before it is laid on
"""),
    "dropout of ReNom outside of train": ("renom", DATA + """
import renom as rm
net = rm.Sequential([rm.Flatten(), rm.Dense(32), rm.Relu(), rm.Dropout(0.5), rm.Dense(4)])
t = np.eye(4)[y]
x = x.transpose(0, 3, 1, 2)
with net.train():
    loss = rm.softmax_cross_entropy(net(x), t)
loss.grad().update(rm.Sgd(lr=0.1))
first, second = net(x), net(x)
assert not np.allclose(first, second)  # it drops although no train() is open
net.set_models(inference=True)
assert np.allclose(net(x), net(x))
before = net[1].params.w.copy()
rm.softmax_cross_entropy(net(x), t).grad().update(rm.Sgd(lr=0.1))
assert np.array_equal(before, net[1].params.w)  # nothing is learned outside
"""),
    "a functional twin shares the weights": ("keras1", DATA + """
from keras.models import Model, Sequential
from keras.layers import Dense, Flatten, Input, Convolution2D
layers = [Convolution2D(3, 3, 3, activation='relu', input_shape=(8, 8, 1)), Flatten(),
          Dense(4, activation='softmax')]
net = Sequential()
for layer in layers:
    net.add(layer)
begin = Input(shape=(8, 8, 1))
end = begin
for layer in layers:
    end = layer(end)
twin = Model(input=begin, output=end)
before = twin.predict(x)
net.compile('sgd', 'sparse_categorical_crossentropy')
net.fit(x, y, nb_epoch=2, verbose=0)
assert np.array_equal(net.predict(x), twin.predict(x)) and not np.allclose(before, twin.predict(x))
"""),
    "transfer by sharing layers": ("keras1", DATA + """
from keras.models import Sequential
from keras.layers import Dense, Dropout, Activation, Flatten, Convolution2D
from keras.utils import np_utils
features = [Convolution2D(4, 3, 3, border_mode='valid', input_shape=(8, 8, 1)),
            Activation('relu'), Flatten()]
head = [Dense(8), Activation('relu'), Dense(2), Activation('softmax')]
m = Sequential(features + head)
low, high = y < 2, y >= 2
def fit(part, labels, epochs):
    m.compile(loss='categorical_crossentropy', optimizer='adadelta', metrics=['accuracy'])
    return m.fit(x[part], np_utils.to_categorical(labels, 2), batch_size=10, nb_epoch=epochs,
                 verbose=0).history['acc'][-1]
fit(low, y[low], 3)
kernel = features[0].get_weights()[0].copy()
dense = head[0].get_weights()[0].copy()
for layer in features:
    layer.trainable = False
assert fit(high, y[high] - 2, 30) > 0.9
assert np.array_equal(kernel, features[0].get_weights()[0])
assert not np.allclose(dense, head[0].get_weights()[0])
other = Sequential(features)
assert np.array_equal(other.layers[0].get_weights()[0], kernel)
"""),
    "a convolutional autoencoder, channels first": ("keras1", """
import numpy as np
from keras.layers import Input, Convolution2D, MaxPooling2D, UpSampling2D
from keras.models import Model
rng = np.random.RandomState(0)
x = np.zeros((60, 1, 8, 8))
x[np.arange(60), 0, rng.randint(0, 8, 60)] = 1  # a row of ink, somewhere
begin = Input(shape=(1, 8, 8))
code = MaxPooling2D((1, 2), border_mode='same')(
    Convolution2D(4, 3, 3, activation='relu', border_mode='same')(begin))
end = Convolution2D(1, 3, 3, activation='sigmoid', border_mode='same')(UpSampling2D((1, 2))(code))
net = Model(begin, end)
net.compile(optimizer='adadelta', loss='binary_crossentropy')
h = net.fit(x, x, nb_epoch=60, batch_size=10, verbose=0, validation_data=(x, x))
assert h.history['val_loss'][-1] < 0.15, h.history['val_loss'][-1]
assert np.corrcoef(net.predict(x).ravel(), x.ravel())[0, 1] > 0.9  # each where it belongs
"""),
    "generators count samples in Keras 1": ("keras1", DATA + """
from keras.models import Sequential
from keras.layers import Dense, Flatten
calls = []
def batches():
    while True:
        for i in range(0, 80, 20):
            calls.append(i)
            yield x[i:i + 20], y[i:i + 20]
m = Sequential([Flatten(input_shape=(8, 8, 1)), Dense(4, activation='softmax')])
m.compile('sgd', 'sparse_categorical_crossentropy')
h = m.fit_generator(batches(), samples_per_epoch=80, nb_epoch=3, verbose=0)
assert len(h.history['loss']) == 3 and 12 <= len(calls) <= 24, len(calls)
"""),
    "generators count steps in Keras 2": ("keras2", DATA + """
from keras.models import Sequential
from keras.layers import Dense, Flatten
seen = []
def batches():
    while True:
        for i in range(0, 80, 20):
            yield x[i:i + 20], y[i:i + 20]
from keras.callbacks import LambdaCallback
m = Sequential([Flatten(input_shape=(8, 8, 1)), Dense(4, activation='softmax')])
m.compile('sgd', 'sparse_categorical_crossentropy')
m.fit_generator(batches(), steps_per_epoch=2, epochs=2, verbose=0,
                callbacks=[LambdaCallback(on_batch_end=lambda batch, logs: seen.append(batch))])
assert seen == [0, 1, 0, 1], seen
"""),
    "a callback of a script's own stops": ("keras2", DATA + """
from keras.callbacks import Callback
from keras.models import Sequential
from keras.layers import Dense, Flatten
class Losses(Callback):
    def on_train_begin(self, logs={}):
        self.losses = []
    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get('loss'))
    def on_epoch_end(self, epoch, logs={}):
        if logs.get('acc') is not None and epoch == 1:
            self.model.stop_training = True
m = Sequential([Flatten(input_shape=(8, 8, 1)), Dense(4, activation='softmax')])
m.compile('sgd', 'sparse_categorical_crossentropy', metrics=['acc'])
own = Losses()
h = m.fit(x, y, batch_size=20, epochs=9, verbose=0, callbacks=[own])
assert len(h.history['loss']) == 2 and len(own.losses) == 8
assert abs(np.mean(own.losses[4:]) - h.history['loss'][1]) < 1e-5
"""),
    "early stopping of Keras 2": ("keras2", DATA + """
from keras.callbacks import EarlyStopping
from keras.models import Sequential
from keras.layers import Dense, Flatten
m = Sequential([Flatten(input_shape=(8, 8, 1)), Dense(1, kernel_initializer='zeros',
                                                        use_bias=False)])
m.compile('sgd', 'mse')
h = m.fit(x * 0, y * 0, epochs=9, verbose=0, callbacks=[EarlyStopping('loss', patience=2)])
assert len(h.history['loss']) == 3  # the first, and two without improvement
"""),
    "saved and read again": ("keras2", DATA + """
from keras.models import Sequential, load_model, model_from_json
from keras.layers import Dense, Flatten, Conv2D, BatchNormalization, Dropout
m = Sequential([Conv2D(3, 3, input_shape=(8, 8, 1)), BatchNormalization(), Flatten(),
                Dropout(0.5), Dense(4, activation='softmax')])
m.compile('adam', 'sparse_categorical_crossentropy', metrics=['acc'])
m.fit(x, y, epochs=2, verbose=0)
m.save('whole.h5'); m.save_weights('weights.h5')
again = load_model('whole.h5')
assert np.array_equal(again.predict(x), m.predict(x))
assert np.allclose(again.evaluate(x, y, verbose=0), m.evaluate(x, y, verbose=0))
third = model_from_json(m.to_json())
assert not np.allclose(third.predict(x), m.predict(x))
third.load_weights('weights.h5')
assert np.array_equal(third.predict(x), m.predict(x))
again.fit(x, y, epochs=1, verbose=0)  # it goes on with its optimizer
"""),
    "saved and read again in ReNom": ("renom", DATA + """
import h5py
import renom as rm
def net():
    return rm.Sequential([rm.Conv2d(3, filter=3), rm.BatchNormalize(mode='feature'), rm.Relu(),
                          rm.Flatten(), rm.Dense(4)])
x = x.transpose(0, 3, 1, 2)
one, two = net(), net()
with one.train():
    loss = rm.softmax_cross_entropy(one(x), np.eye(4)[y])
loss.grad().update(rm.Adam())
one.save('net.h5')
two.load('net.h5')
for each in (one, two):
    each.set_models(inference=True)
assert np.array_equal(one(x), two(x))
with h5py.File('net.h5', 'r') as file:
    assert np.array_equal(file['values/root.l0/w'][()], one[0].params.w)
"""),
    "two models in threads": ("renom", DATA + """
from concurrent.futures import ThreadPoolExecutor
import renom as rm
x, t = x.transpose(0, 3, 1, 2), np.eye(4)[y]
def train(number):
    net = rm.Sequential([rm.Flatten(), rm.Dense(4)])
    net(x)
    net[1].params = {'w': rm.Variable(np.full((64, 4), 0.01 * number)),
                     'b': rm.Variable(np.zeros((1, 4)))}
    opt = rm.Sgd(lr=0.2, momentum=0.0)
    for _ in range(25):
        with net.train():
            loss = rm.softmax_cross_entropy(net(x), t)
        loss.grad().update(opt)
    return float(loss), np.array(net[1].params.w)
alone = [train(number) for number in (1, 2)]
with ThreadPoolExecutor(2) as pool:
    together = list(pool.map(train, (1, 2)))
for (a, v), (b, w) in zip(alone, together):
    assert abs(a - b) < 1e-5 and np.allclose(v, w, atol=1e-5)
assert alone[0][0] < 1.2
"""),
    "batch normalisation of BigDL keeps the last batch": ("bigdl", """
import numpy as np
from bigdl.nn.keras.topology import Sequential
from bigdl.nn.keras.layer import *
m = Sequential()
m.add(BatchNormalization(input_shape=(2, 4, 4)))
a, b = np.random.rand(6, 2, 4, 4), np.random.rand(6, 2, 4, 4) * 3 + 5
m.forward(a); m.forward(b)
m.evaluate()
out = m.forward(b)
assert abs(out.mean()) < 0.1 and abs(out.std() - 1) < 0.1, (out.mean(), out.std())
"""),
    "the order of Flatten in channels first": ("keras2", """
import numpy as np
from keras import backend as K
from keras.models import Sequential
from keras.layers import Flatten, Dense
K.set_image_data_format('channels_first')
x = np.arange(12.).reshape(1, 2, 2, 3)
m = Sequential([Flatten(input_shape=(2, 2, 3))])
assert m.predict(x)[0].tolist() == x.ravel().tolist()
"""),
    "a binary loss of two columns counts each": ("keras2", """
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
m = Sequential([Dense(2, activation='sigmoid', input_dim=2, kernel_initializer='identity')])
m.compile('sgd', 'binary_crossentropy', metrics=['accuracy'])
x, y = np.array([[1., 1.], [1., -1.]]), np.array([[1., 0.], [1., 0.]])
loss, acc = m.evaluate(x, y, verbose=0)
assert acc == 0.75  # three of four elements, not one of two samples
"""),
    "PyTorch of 2017": ("pytorch0", """
import torch, torch.nn as nn, torch.nn.functional as F
from torch.autograd import Variable
torch.manual_seed(0)
net = nn.Linear(4, 3)
data, target = Variable(torch.rand(6, 4)), Variable(torch.LongTensor([0, 1, 2, 0, 1, 2]))
output = F.log_softmax(net(data))
total = F.nll_loss(output, target, size_average=False)
mean = F.nll_loss(output, target)
assert abs(total.data[0] - 6 * mean.data[0]) < 1e-4
pred = output.data.max(1, keepdim=True)[1]
correct = pred.eq(target.data.view_as(pred)).cpu().sum()
text = '{}/{} ({:.0f}%)'.format(correct, 6, 100. * correct / 6)
assert text.endswith('%)')
"""),
    "momentum of BigDL is damped by itself": ("bigdl", """
import numpy as np
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
from bigdl.optim.optimizer import *
net = Sequential().add(Linear(1, 1, with_bias=False))
net.set_weights([np.ones((1, 1))])
x, y = np.ones((4, 1)), np.zeros((4, 1))
Optimizer.create(net, (x, y), MSECriterion(), MaxIteration(3), 4,
                 SGD(learningrate=0.1, momentum=0.5)).optimize()
w, v = 1.0, 0.0
for step in range(3):
    g = 2 * w
    v = g if step == 0 else 0.5 * v + (1 - 0.5) * g
    w -= 0.1 * v
assert abs(net.get_weights()[0][0, 0] - w) < 1e-5
"""),
    "layers of Keras 3 by their newest words": ("keras3", DATA + """
import keras
from keras import layers, ops
m = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(4, 3, 3), layers.Flatten(),
                      layers.Dense(4, activation='softmax')])
assert m.layers[0].output.shape == (None, 2, 2, 4)
m.compile(optimizer=keras.optimizers.Adagrad(), loss='sparse_categorical_crossentropy')
before = m.get_weights()[-1].copy()
m.fit(x, y, batch_size=80, epochs=1, verbose=0)
moved = np.abs(m.get_weights()[-1] - before).max()
assert 0 < moved < 0.001  # a rate of 0.001, and squares that begin with 0.1
assert ops.shape(ops.zeros((2, 3))) == (2, 3)
"""),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Implicit dimension", "ignore:size_average")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_means_what_its_dialect_means(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, text = PROGRAMS[name]
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(text)
    run = run_script("script.py", seed=1, root="runs", dialect=version)
    told = json.loads((run / "config.json").read_text())["dialect"]
    assert version in (told if isinstance(told, list) else [told])
