"""What whole repositories of strangers do in the words of Keras 0 and 1, mostly on Theano."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from striate.data.datasets import fetch
from striate.dialects.program import run_script

OLD = "import numpy as np\nfrom keras import backend as K\nfrom keras.layers import *\n"
PROGRAMS = {
    "an optimizer that looks at the loss": ("keras1", OLD + """
from keras.models import Sequential
from keras.optimizers import Optimizer
class Own(Optimizer):
    def get_updates(self, params, constraints, loss):
        shapes = [K.get_variable_shape(p) for p in params]
        self.first, self.count, self.kept = K.variable(0), K.variable(0), K.zeros(shapes[0])
        first = K.switch(K.greater(self.count, 0.), self.first, loss)
        grads = self.get_gradients(loss, params)
        self.updates = [K.update(self.first, first), K.update_add(self.count, 1)]
        return self.updates + [K.update(p, p - .1 * loss * g) for p, g in zip(params, grads)]
x, y = np.ones((4, 2)), np.full((4, 1), 1.75)
model = Sequential([Dense(1, init='one', input_dim=2, bias=False)])
own = Own()
model.compile(own, 'mse')
for _ in range(2):
    print(round(float(model.train_on_batch(x, y)), 6), model.get_weights()[0].ravel().round(6))
print(float(K.get_value(own.first)), own.count.get_value())
model.layers[0].W.set_value(np.ones((2, 1)))
print(model.get_weights()[0].sum())
# 2 - 1.75 = .25: loss .0625, gradient .5: 1 - .1 * .0625 * .5 = .996875
""", ["0.0625 [0.996875 0.996875]", "0.059414 [0.993979 0.993979]", "0.0625 2.0", "2.0"]),
    "names of what Keras 1 merges, normalises and is told": ("keras1", OLD + """
from keras.models import Model
class JoinLayer(Layer):
    def call(self, x, mask=None):
        return x[0] + x[1]
    def get_output_shape_for(self, shape):
        return shape[0]
a = Input((4,))
b = BatchNormalization(mode=1)(Dense(4)(a))
c = merge([JoinLayer()([a, b]), b], mode='concat')
c = merge([c, c], mode=lambda x: x[0] - x[1], output_shape=lambda s: s[0])
net = Model(a, c)
print([layer.name for layer in net.layers])
net.summary()
""", [
        "['input_1', 'dense_1', 'batchnormalization_1', 'joinlayer_1', 'merge_1', 'merge_2']",
        "batchnormalization_1 (BatchNorma (None, 4) ", "joinlayer_1 (JoinLayer) ",
        "merge_1 (Merge)  "]),
    "mode=2 normalises by the batch in tests too": ("keras1", OLD + """
from keras.models import Sequential
for mode in (0, 2):
    net = Sequential([Dense(3, input_dim=3, init='identity'), BatchNormalization(mode=mode)])
    net.compile('sgd', 'mse')
    out = net.predict(np.array([[1., 2, 6], [3, 2, 6]]), batch_size=2)
    print(out.round(2).tolist())
print(abs(net.predict(np.ones((1, 3)))).max())
""", ["[[1.0, 2.0, 6.0], [3.0, 2.0, 6.0]]", "[[-1.0, 0.0, -0.0], [1.0, 0.0, -0.0]]", "0.0"]),
    "a bar of its own, which is not at its end": ("keras1", """
from keras.utils.generic_utils import Progbar
bar = Progbar(8, width=4, interval=0)
bar.add(2, values=[('loss', 4)])
bar.add(2, values=[('loss', 2)])
print('')
""", ["2/8 [>...] - loss: 4.0000", "4/8 [=>..] - loss: 3.0000"]),
    "the rate as a variable of Theano": ("keras1", OLD + """
from keras.models import Sequential
net = Sequential([Dense(1, input_dim=1)])
net.compile('sgd', 'mse')
net.optimizer.lr.set_value(np.float32(.25))
print(net.optimizer.lr.get_value(), K._BACKEND)
""", ["0.25 tensorflow"]),
    "pictures in the order of axes that is set": ("keras1", OLD + """
from keras.preprocessing.image import *
K.set_image_dim_ordering('th')
x = np.arange(24.).reshape(3, 4, 2)
image = array_to_img(x, scale=False)
print(image.size, img_to_array(image).shape, img_to_array(image, 'tf').shape)
print((img_to_array(image, 'default') == x).all(), img_to_array(image.convert('L')).shape)
turn = transform_matrix_offset_center(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]), 4, 4)
print(turn[:2, 2], apply_transform(x, np.eye(3), 0).tolist() == x.tolist())
print(flip_axis(x, 2)[0, 0].tolist(), random_rotation(x, 0).shape, random_shift(x, .5, .5).shape)
print(random_zoom(x, (.5, .5))[0].ravel()[[0, 7]], random_channel_shift(x, 0).max())
""", ["(2, 4) (3, 4, 2) (4, 2, 3)", "True (1, 4, 2)", "[5. 0.] True",
      "[1.0, 0.0] (3, 4, 2) (3, 4, 2)", "[1.75 5.25] 23.0"]),
    "what stars bring along": ("keras2", """
from keras.models import *
from keras.layers import *
from keras.callbacks import *
print(np.ones(2).sum(), os.path.basename('a/b'), json.dumps([1]), time.time() > 0)
K.set_image_data_format('channels_first')
print(Conv2D(2, 3, input_shape=(1, 8, 8)).get_config()['data_format'], regularizers.l2(.5).l2)
""", ["2.0 b [1] True", "channels_first 0.5"]),
    "batch normalisation of a script's own, as Keras 1 wrote its": ("keras1", OLD + """
from keras import initializations
from keras.models import Sequential
class Norm(Layer):
    def build(self, shape):
        size = (shape[-1],)
        self.gamma = initializations.get('one')(size, name='gamma')
        self.trainable_weights = [self.gamma]
        self.mean, self.spread = K.zeros(size, name='mean'), K.ones(size, name='spread')
        self.non_trainable_weights = [self.mean, self.spread]
    def call(self, x, mask=None):
        normed, mean, spread = K.normalize_batch_in_training(x, self.gamma, None, [0], 1e-3)
        self.updates = [K.moving_average_update(self.mean, mean, .5),
                        K.moving_average_update(self.spread, spread, .5)]
        return K.in_train_phase(normed, (x - self.mean) * self.gamma / K.sqrt(self.spread + 1e-3))
x = np.random.RandomState(0).rand(8, 3)
nets = [Sequential([Dense(2, input_dim=3), norm])
        for norm in (Norm(), BatchNormalization(epsilon=1e-3, momentum=.5))]
start = nets[0].get_weights()
nets[1].set_weights(start[:3] + [np.zeros(2)] + start[3:])
for net in nets:
    net.compile('sgd', 'mse')
    net.fit(x, x[:, :2], batch_size=8, nb_epoch=2, verbose=0)
own, theirs = nets[0].get_weights(), nets[1].get_weights()
print([len(own), len(nets[0].layers[1].non_trainable_weights), nets[0].count_params()])
print([bool(abs(a - b).max() < 1e-5) for a, b in zip(own[3:], theirs[4:])], own[3].any())
""", ["[5, 2, 14]", "[True, True] True"]),
    "sums of the last epoch": ("keras0", OLD.replace(".layers ", ".layers.core ") + """
from keras.models import Sequential
net = Sequential()
net.add(Dense(1, input_dim=2))
net.compile('sgd', 'mse')
r = net.fit(np.ones((6, 2)), np.ones(6), nb_epoch=2, verbose=0)
print(r.seen, bool(abs(r.totals['loss'] / 6 - r.history['loss'][1]) < 1e-6))
""", ["6 True"]),
    "a batch whose size is written in what a Lambda calls": ("keras1", OLD + """
from keras.models import Model
def build(batch_size, side):
    def flat(x):
        x = K.reshape(x, (batch_size * side, 3))
        more = K.zeros((batch_size * side, 1))
        return K.reshape(K.concatenate([x, more], axis=1), (batch_size, side, 4))
    a = Input((side, 3))
    return Model(a, Lambda(lambda z: flat(z), output_shape=(side, 4))(a))
net = build(6, 5)
print(net.output_shape, net.predict(np.ones((6, 5, 3)), batch_size=6)[0, 0])
""", ["(None, 5, 4) [1. 1. 1. 0.]"]),
    "steps come before channels whatever the order of images": ("keras0", """
import numpy as np
from keras.models import Graph, Sequential
from keras.layers.core import Dense, Flatten
from keras.layers.embeddings import Embedding
from keras.layers.convolutional import Convolution1D, MaxPooling1D
net = Graph()
net.add_input(name='words', input_shape=[20], dtype='int')
net.add_node(Embedding(60, 16, input_length=20), name='e', input='words')
net.add_node(Convolution1D(nb_filter=8, filter_length=3), name='c', input='e')
net.add_node(MaxPooling1D(pool_length=18), name='p', input='c')
net.add_node(Flatten(), name='f', input='p')
net.add_output(name='out', input='f')
net.compile('sgd', {'out': 'mse'})
print(net.predict({'words': np.ones((2, 20))})['out'].shape)
net = Sequential([Embedding(60, 16, input_length=20), Convolution1D(8, 3), MaxPooling1D(3)])
print(net.output_shape)
""", ["(2, 8)", "(None, 6, 8)"]),
    "what a callback holds of a Graph": ("keras0", """
import numpy as np
from keras.callbacks import Callback
from keras.models import Graph
from keras.layers.core import Dense
class Seen(Callback):
    def on_epoch_end(self, epoch, logs={}):
        out = self.model.predict({'a': np.ones((2, 3))})
        print(sorted(out), out['p'].shape, round(float(self.model.optimizer.lr), 4))
        self.model.stop_training = True
net = Graph()
net.add_input('a', (3,))
for name in ('p', 'q'):
    net.add_node(Dense(2), name=name + 'd', input='a')
    net.add_output(name, input=name + 'd')
net.compile('sgd', {'p': 'mse', 'q': 'mse'})
data = {'a': np.ones((4, 3)), 'p': np.ones((4, 2)), 'q': np.ones((4, 2))}
r = net.fit(data, nb_epoch=3, verbose=0, callbacks=[Seen()])
print(len(r.history['loss']))
""", ["['p', 'q'] (2, 2) 0.01", "1"]),
    "samples of an epoch that the last batch has fewer of": ("keras1", OLD + """
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator
net = Sequential([Flatten(input_shape=(4, 4, 1)), Dense(1)])
net.compile('sgd', 'mse')
flow = ImageDataGenerator().flow(np.ones((10, 4, 4, 1)), np.ones(10), batch_size=4)
net.fit_generator(flow, samples_per_epoch=10, nb_epoch=1)
""", ["10/10 ["]),
    "batches of a script's own in the order of the framework": ("keras1", OLD + """
from keras.preprocessing.image import Iterator
class Pairs(Iterator):
    def __init__(self, x):
        self.x = x
        super(Pairs, self).__init__(len(x), 2, False, 1)
    def next(self):
        with self.lock:
            index_array, start, count = next(self.index_generator)
        return self.x[index_array], (start, count)
class Newer(Iterator):
    def _get_batches_of_transformed_samples(self, index_array):
        return index_array.tolist()
pairs = Pairs(np.arange(3))
print([next(pairs)[1] for _ in range(20)][-3:], pairs.N)
newer = Newer(3, 2, True, 5)
print(sorted(next(newer) + next(newer)), len(newer), len(newer[1]))
""", ["[(2, 1), (0, 2), (2, 1)] 3", "[0, 1, 2] 2 1"]),
}  # fmt: skip


@pytest.mark.parametrize(("version", "text", "expected"), PROGRAMS.values(), ids=PROGRAMS)
def test_it_does_what_its_framework_does(
    version: str, text: str, expected: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script.py").write_text(text)
    run_script(tmp_path / "script.py", seed=1, root=tmp_path / "runs", dialect=version)
    lines = iter(capsys.readouterr().out.replace("\r", "\n").splitlines())
    for line in expected:
        assert any(one.startswith(line) for one in lines), line


@pytest.mark.parametrize(
    ("said", "shape"),
    [
        ("img_channels, img_rows = 3, 32\nshape = (img_channels, img_rows, img_rows)", (3, 32, 32)),
        ("shape = (32, 32, 3)", (32, 32, 3)),
        ("shape = (3, 32, 32)\nother = (64, 64, 3)", (32, 32, 3)),
    ],
)
def test_images_lie_as_a_script_writes_their_sizes(
    said: str,
    shape: tuple[int, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    part = np.zeros((4, 32, 32, 3), "uint8"), np.zeros(4, "uint8")
    monkeypatch.setattr(fetch, "cifar10", lambda: (part, part))
    text = f"from keras.datasets import cifar10\n{said}\nprint(cifar10.load_data()[0][0].shape)\n"
    (tmp_path / "script.py").write_text(text)
    run_script(tmp_path / "script.py", root=tmp_path / "runs", dialect="keras1")
    captured = capsys.readouterr()
    assert captured.out == f"{(4, *shape)}\n"
    assert ("note: images are channels first" in captured.err) == (shape[0] == 3)
