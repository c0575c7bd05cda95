"""Kinds of programs that others write in Keras, in short: sequences, files, loops, tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from striate.dialects import installed
from striate.dialects.program import run_script

ARRAYS = """
import numpy as np
rng = np.random.RandomState(0)
x = rng.rand(48, 12, 12, 1).astype('float32'); y = rng.randint(0, 4, 48)
"""
PICTURES = """
import os
import numpy as np
from PIL import Image
for kind in ('cat', 'dog'):
    os.makedirs('photos/' + kind, exist_ok=True)
    for i in range(6):
        shades = np.random.randint(0, 255, (20, 24, 3), dtype='uint8')
        Image.fromarray(shades).save('photos/%s/%d.jpg' % (kind, i))
"""

PROGRAMS = {
    "texts by convolutions and an LSTM": ("keras2", """
import numpy as np
from keras.preprocessing.text import Tokenizer
from keras.preprocessing import sequence
from keras.models import Sequential
from keras.layers import Embedding, Conv1D, MaxPooling1D, LSTM, Dense
texts = ['the cat sat', 'a dog ran to the park', 'the dog sat'] * 8
words = Tokenizer(num_words=20); words.fit_on_texts(texts)
x = sequence.pad_sequences(words.texts_to_sequences(texts), maxlen=8)
m = Sequential()
m.add(Embedding(20, 6, input_length=8))
m.add(Conv1D(4, 3, activation='relu')); m.add(MaxPooling1D(2)); m.add(LSTM(5))
m.add(Dense(1, activation='sigmoid'))
m.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
m.fit(x, np.array([0, 1, 1] * 8), epochs=1, verbose=0)
print(x[0].tolist(), words.word_index['the'], [l.name for l in m.layers], m.count_params())
""", "[0, 0, 0, 0, 0, 1, 4, 2] 1 ['embedding_1', 'conv1d_1', 'max_pooling1d_1', 'lstm_1', "
     "'dense_1'] 402"),
    "both directions in the words of Keras 1": ("keras1", """
import numpy as np
from keras.models import Model
from keras.layers import Input, Embedding, LSTM, Dense, merge
a = Input(shape=(7,), dtype='int32')
e = Embedding(30, 5, input_length=7, mask_zero=True)(a)
there = LSTM(4, dropout_W=0.2, dropout_U=0.2)(e)
back = LSTM(4, go_backwards=True, inner_activation='hard_sigmoid')(e)
m = Model(input=a, output=Dense(1, activation='sigmoid')(merge([there, back], mode='concat')))
m.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
x = np.random.randint(1, 30, (16, 7)); x[:, 4:] = 0
m.fit(x, np.arange(16) % 2, nb_epoch=1, verbose=0)
cut = x.copy(); cut[:, :] = np.roll(x, 3, 1)
print(abs(m.predict(x) - m.predict(cut)).max() < 1e-6, m.layers[2].count_params())
""", "True 160"),
    "an encoder, a decoder, and both apart": ("keras2", """
import numpy as np
from keras.models import Model, load_model
from keras.layers import Input, LSTM, Dense
a, b = Input(shape=(None, 3)), Input(shape=(None, 4))
_, h, c = LSTM(6, return_state=True)(a)
step = LSTM(6, return_sequences=True, return_state=True)
out, _, _ = step(b, initial_state=[h, c])
end = Dense(4, activation='softmax')
m = Model([a, b], end(out))
m.compile('rmsprop', 'categorical_crossentropy')
x, y = np.random.rand(12, 5, 3), np.random.rand(12, 4, 4)
m.fit([x, y], np.eye(4)[np.random.randint(0, 4, (12, 4))], epochs=1, verbose=0)
states = Model(a, [h, c])
p, q = Input((6,)), Input((6,))
one, h2, c2 = step(b, initial_state=[p, q])
single = Model([b, p, q], [end(one), h2, c2])
held, outs = states.predict(x), []
for at in range(4):
    now, *held = single.predict([y[:, at:at + 1]] + held)
    outs.append(now)
print(np.allclose(np.concatenate(outs, 1), m.predict([x, y]), atol=1e-5))
m.save('both.h5'); print(np.allclose(load_model('both.h5').predict([x, y]), m.predict([x, y])))
""", "True\nTrue"),
    "networks at each step of a film": ("tf", """
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers
net = tf.keras.Sequential([layers.Conv2D(2, 3, activation='relu', input_shape=(8, 8, 1)),
                           layers.Flatten()])
m = tf.keras.Sequential([layers.TimeDistributed(net, input_shape=(3, 8, 8, 1)), layers.GRU(4),
                         layers.Dense(2)])
m.compile('adam', 'mse'); m.fit(np.ones((6, 3, 8, 8, 1)), np.ones((6, 2)), verbose=0)
print(m.output_shape, m.count_params(), [w.shape for w in m.layers[1].get_weights()])
""", "(None, 2) 966 [(72, 12), (4, 12), (2, 12)]"),
    "patches that attend to each other": ("keras3", ARRAYS + """
import os
os.environ['KERAS_BACKEND'] = 'jax'
import keras
from keras import layers, ops
class Patches(layers.Layer):
    def __init__(self, size):
        super().__init__()
        self.size = size
    def call(self, images):
        parts = ops.image.extract_patches(images, size=self.size)
        count, rows, columns, values = ops.shape(parts)
        return ops.reshape(parts, (count, rows * columns, values))
class Placed(layers.Layer):
    def __init__(self, count, width):
        super().__init__()
        self.count, self.mixed = count, layers.Dense(width)
        self.places = layers.Embedding(input_dim=count, output_dim=width)
    def call(self, parts):
        return self.mixed(parts) + self.places(ops.arange(start=0, stop=self.count, step=1))
start = keras.Input((12, 12, 1))
h = Placed(16, 8)(Patches(3)(start))
n = layers.LayerNormalization(epsilon=1e-6)(h)
h = layers.Add()([layers.MultiHeadAttention(2, 8, dropout=0.1)(n, n), h])
end = layers.Dense(4)(layers.Flatten()(h))
m = keras.Model(start, end)
m.compile(keras.optimizers.AdamW(1e-3, weight_decay=1e-4),
          keras.losses.SparseCategoricalCrossentropy(from_logits=True),
          metrics=[keras.metrics.SparseTopKCategoricalAccuracy(2, name='top-2')])
print(sorted(m.fit(x, y, epochs=1, verbose=0).history), m.count_params())
""", "['loss', 'top-2'] 1308"),
    "a table of files": ("tf", PICTURES + """
import pandas as pd
from tensorflow.keras import layers, models
from tensorflow.keras.preprocessing.image import ImageDataGenerator
table = pd.DataFrame([('cat/%d.jpg' % i, 'cat') for i in range(6)]
                     + [('dog/%d.jpg' % i, 'dog') for i in range(6)], columns=['id', 'label'])
make = ImageDataGenerator(rescale=1 / 255, validation_split=0.25)
train = make.flow_from_dataframe(table, 'photos', x_col='id', y_col='label', batch_size=4,
                                 target_size=(16, 16), class_mode='binary', subset='training')
m = models.Sequential([layers.Flatten(input_shape=(16, 16, 3)), layers.Dense(1)])
m.compile('sgd', 'mse'); m.fit(train, epochs=1, verbose=0)
print(train.class_indices, len(train), next(train)[1].dtype)
""", "Found 9 validated image filenames belonging to 2 classes.\n{'cat': 0, 'dog': 1} 3 float32"),
    "paths become pictures": ("tf", PICTURES + """
import tensorflow as tf
names = np.array(sorted(os.listdir('photos')))
def read(path):
    kind = tf.strings.split(path, os.sep)[-2]
    picture = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
    return tf.image.resize(picture, [8, 8]) / 255.0, tf.argmax(kind == names)
files = tf.data.Dataset.list_files('photos/*/*.jpg', shuffle=False)
files = files.shuffle(12, reshuffle_each_iteration=False)
data = files.map(read).batch(5)
first = [labels.numpy().tolist() for _, labels in data]
again = [labels.numpy().tolist() for _, labels in data]
print(len(data), first == again, sum(map(sum, first)), next(iter(data))[0].shape)
""", "3 True 6 (5, 8, 8, 3)"),
    "a model of one's own in a folder": ("tf", ARRAYS + """
import tensorflow as tf
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = tf.keras.layers.Flatten(), tf.keras.layers.Dense(4)
    def call(self, given):
        return self.b(self.a(given))
m = Net(); out = m(x)
m.save('kept/net'); m.save_weights('kept/weights.ckpt')
again = tf.keras.models.load_model('kept/net')
other = Net(); other(x); other.load_weights('kept/weights.ckpt')
import os
print(os.path.isdir('kept/net'), float(tf.reduce_max(tf.abs(again(x) - out))),
      float(tf.reduce_max(tf.abs(other(x) - out))))
print(tf.reduce_sum(tf.constant([[1.0, 2.0]])), f'{tf.constant(0.5):.2f}', np.max(out) < 99)
""", "True 0.0 0.0\ntf.Tensor(3.0, shape=(), dtype=float32) 0.50 True"),
    "weights of samples for each output": ("keras2", ARRAYS + """
from keras.models import Model
from keras.layers import Input, Flatten, Dense
a = Input((12, 12, 1)); f = Flatten()(a)
m = Model(a, [Dense(1, name='one')(f), Dense(1, name='two')(f)])
m.compile('sgd', 'mse')
none, all_ = np.zeros(48), np.ones(48)
total, one, two = m.test_on_batch(x, [y, y], sample_weight=[none, all_])
seen = m.fit(x, [y, y], sample_weight={'one': none, 'two': all_}, verbose=0, epochs=1).history
print(m.metrics_names, one == 0.0, abs(total - two) < 1e-6, seen['one_loss'])
""", "['loss', 'one_loss', 'two_loss'] True True [0.0]"),
    "an LSTM of Keras 2 is read by a new process": ("keras2", """
import subprocess, sys
import numpy as np
from keras.models import Sequential, load_model
from keras.layers import Embedding, LSTM, Dense
m = Sequential([Embedding(20, 4, input_length=6, mask_zero=True), LSTM(5), Dense(2)])
m.compile('adam', 'mse')
x = np.random.randint(1, 20, (9, 6)); x[:, 4:] = 0
out = m.predict(x); m.save('m.h5'); np.save('x.npy', x)
assert np.allclose(load_model('m.h5').predict(x), out, atol=1e-6)
program = ("import numpy as np, striate as st; "
           "print(st.load('m.h5').predict(np.load('x.npy')).sum())")
said = subprocess.run([sys.executable, '-c', program], capture_output=True, check=True).stdout
print(abs(float(said) - out.sum()) < 1e-4)
""", "True"),
    "a drawing, precision, and pictures of tf.image": ("tf", """
import os
import numpy as np, tensorflow as tf
from tensorflow.keras import layers, models, mixed_precision
from tensorflow.keras.utils import plot_model
mixed_precision.set_global_policy('mixed_float16')
assert mixed_precision.global_policy().name == 'mixed_float16'
mixed_precision.set_global_policy('float32')
m = models.Sequential([layers.Conv2D(2, 3, input_shape=(8, 8, 3)), layers.Flatten()])
plot_model(m, to_file='net.png', show_shapes=True, show_layer_names=True)
from PIL import Image
with Image.open('net.png') as drawn: assert drawn.format == 'PNG'
x = tf.constant(np.arange(4 * 4 * 3).reshape(4, 4, 3) / 48.0, tf.float32)
wide = tf.image.resize_with_crop_or_pad(x, 6, 2)
assert wide.shape == (6, 2, 3) and float(tf.reduce_sum(wide[0])) == 0.0
assert np.allclose(tf.image.flip_left_right(x)[:, 0], x[:, -1])
assert np.allclose(tf.image.rot90(x), np.rot90(x))
assert tf.image.random_crop(x, (2, 3, 3)).shape[1] == 3
assert np.allclose(tf.image.adjust_brightness(x, 0.1), np.asarray(x) + 0.1)
assert np.allclose(tf.image.central_crop(x, 0.5), np.asarray(x)[1:3, 1:3])
print(tf.image.rgb_to_grayscale(x).shape, tf.image.resize(x, (8, 8)).shape)
""", "(4, 4, 1) (8, 8, 3)"),
    "weights of steps, and steps that are masked": ("keras2", """
import numpy as np
from keras.models import Sequential
from keras.layers import Masking, LSTM, TimeDistributed, Dense
x = np.random.rand(8, 5, 3); x[:, 3:] = 0; y = np.ones((8, 5, 1))
m = Sequential([Masking(input_shape=(5, 3)), LSTM(4, return_sequences=True),
                TimeDistributed(Dense(1))])
m.compile('sgd', 'mse', sample_weight_mode='temporal')
whole = m.evaluate(x, y, verbose=0); y[:, 3:] = 100
same = m.evaluate(x, y, verbose=0); w = np.zeros((8, 5)); w[:, 0] = 1
one = m.evaluate(x, y, sample_weight=w, verbose=0); away = (m.predict(x)[..., 0] - 1) ** 2
m.fit(x, y, sample_weight=w, epochs=1, verbose=0)
print(whole == same, abs(whole - away[:, :3].mean()) < 1e-5,
      abs(one - away[:, 0].mean() / 0.6) < 1e-5)  # Keras 2.2 divides by both shares
""", "True True True"),
    "a penalty on activities beside weights of samples": ("keras3", """
import numpy as np, keras
from keras import layers
x, y, w = np.random.rand(6, 4), np.arange(6) % 3, np.arange(6.0)
i = keras.Input((4,)); h = layers.Dense(5, activity_regularizer='l1')(i)
m = keras.Model(i, layers.Dense(3, activation='softmax')(h))
m.compile('sgd', 'sparse_categorical_crossentropy')
picked = m.predict(x, verbose=0)[np.arange(6), y]
added = 0.01 * np.abs(keras.Model(i, h).predict(x, verbose=0)).sum() / 6
weighted = m.test_on_batch(x, y, sample_weight=w)
print(abs(weighted - (w * -np.log(picked)).mean() - added) < 1e-5, added > 0)
""", "True True"),
    "where the maximum was": ("keras2", ARRAYS + """
from keras import layers, backend as K
from keras.models import Model
def where(both):
    before, after = both
    return K.gradients(K.sum(after), before)
a = layers.Input((12, 12, 1)); p = layers.MaxPooling2D(2)(a)
at = layers.Lambda(where, output_shape=lambda shapes: shapes[0])([a, p])
m = Model(a, layers.multiply([layers.UpSampling2D(2)(p), at]))
m.compile('adam', 'mse'); out = m.predict(x)
print(out.shape, int((out > 0).sum()), 48 * 36)
""", "(48, 12, 12, 1) 1728 1728"),
    "a loss of the model's own": ("keras3", ARRAYS + """
import keras
from keras import layers, ops
class Taught(keras.Model):
    def __init__(self, pupil, teacher):
        super().__init__()
        self.pupil, self.teacher = pupil, teacher
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return ops.mean(ops.square(self.teacher(x, training=False) - y_pred))
    def call(self, x):
        return self.pupil(x)
def net():
    return keras.Sequential([keras.Input((12, 12, 1)), layers.Flatten(), layers.Dense(4)])
t = Taught(net(), net())
t.compile(optimizer=keras.optimizers.Lion(1e-3),
          metrics=[keras.metrics.SparseCategoricalAccuracy()])
before = t.evaluate(x, y, verbose=0)[0]
t.fit(x, y, epochs=3, verbose=0)
print(t.evaluate(x, y, verbose=0)[0] < before)
""", "True"),
    "the map behind a class": ("keras3", ARRAYS + """
import tensorflow as tf
import keras
m = keras.applications.MobileNet(weights=None, input_shape=(32, 32, 3), classes=4)
m.layers[-1].activation = None
part = keras.models.Model(m.inputs, [m.get_layer('conv_pw_13').output, m.output])
with tf.GradientTape() as tape:
    maps, preds = part(np.random.rand(1, 32, 32, 3))
    channel = preds[:, tf.argmax(preds[0])]
shares = tf.reduce_mean(tape.gradient(channel, maps), axis=(0, 1, 2))
heat = tf.squeeze(maps[0] @ shares[..., tf.newaxis])
print(m.count_params(), maps.shape, heat.shape == (), float(preds.numpy().sum()) != 1.0)
""", "3232964 (1, 1, 1, 1024) True True"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_and_prints_what_it_should(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    version, text, expected = PROGRAMS[name]
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "script.py"
    script.write_text(text)
    run_script(script, dialect=version, seed=0, root=tmp_path / "runs")
    assert capsys.readouterr().out.strip() == expected


def test_evaluate_says_how_many_batches_of_a_data_set_there_were(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with installed("tf"):
        import numpy as np
        import tensorflow as tf

        net = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(3,))])
        net.compile("sgd", "mse")
        data = tf.data.Dataset.from_tensor_slices((np.ones((10, 3)), np.ones(10))).batch(4)
        net.evaluate(data)
    assert capsys.readouterr().out.startswith("3/3 [======")
