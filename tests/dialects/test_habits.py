"""Habits of scripts that others have written: words from inside of Keras, old forms, odd ones."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest

from striate.dialects.program import run_script

PROGRAMS = {
    "layers of Keras 0.1 are told the size of their input first": ("", """
        import numpy as np
        from keras.models import Sequential
        from keras.layers.core import Dense, Activation, Flatten
        from keras.layers.convolutional import Convolution2D, MaxPooling2D
        from keras.layers.normalization import BatchNormalization
        from keras.layers.advanced_activations import PReLU
        m = Sequential()
        m.add(Convolution2D(4, 1, 3, 3, border_mode='full'))
        m.add(Activation('relu'))
        m.add(MaxPooling2D(poolsize=(2, 2)))
        m.add(Flatten())
        m.add(Dense(4 * 5 * 5, 6, init='normal'))
        m.add(PReLU((6,)))
        m.add(BatchNormalization((6,), mode=1))
        m.add(Dense(6, 3))
        m.add(Activation('softmax'))
        m.compile(loss='categorical_crossentropy', optimizer='sgd')
        x, y = np.random.rand(12, 1, 8, 8), np.eye(3)[np.arange(12) % 3]
        before = m.train(x, y)
        assert isinstance(before, float) and m.test(x, y) < before
        assert m.predict(x).shape == (12, 3) and m.layers[4].get_weights()[0].shape == (100, 6)
        inside = m.layers[6]
        assert type(inside).__name__ == 'LayerNormalization'
    """),
    "a flow of Keras 0 ends with its pass": ("keras0", """
        import numpy as np
        from keras.preprocessing.image import ImageDataGenerator
        x, y = np.random.rand(10, 3, 4, 4), np.arange(10)
        sizes = [len(a) for a, b in ImageDataGenerator().flow(x, y, batch_size=4)]
        assert sizes == [4, 4, 2], sizes
    """),
    "a backend that is named speaks for no version of old words": ("", """
        import os
        os.environ['KERAS_BACKEND'] = 'theano'
        import keras
        from keras.layers.core import Dense, Merge
        assert keras.__version__.startswith('1.') and Dense(4, init='zero')
    """),
    "functions of the backend take images in the order that is set": ("keras1", """
        import numpy as np
        from keras import backend as K
        K.set_image_dim_ordering('th')
        x = K.variable(np.arange(32.).reshape(1, 2, 4, 4))
        assert K.pool2d(x, (2, 2), (2, 2), border_mode='valid').shape == (1, 2, 2, 2)
        assert K.spatial_2d_padding(x, (0, 2)).shape == (1, 2, 4, 8)
        assert K.resize_images(x, 2, 3, 'th').shape == (1, 2, 8, 12)
        assert K.bias_add(x, K.variable([1., 2.])).shape == (1, 2, 4, 4)
        assert K.spatial_2d_padding(x, (0, 2), dim_ordering='tf').shape == (1, 2, 8, 4)
    """),
    "labels without places": ("keras2", """
        import numpy as np, torch
        from keras import backend as K
        p = np.full((2, 5, 4), 0.01)
        for step, c in enumerate((0, 0, 3, 1, 3)):
            p[:, step, c] = 0.97
        labels = np.array([[0, 1], [2, 0]])
        cost = K.eval(K.ctc_batch_cost(labels, p, np.full((2, 1), 5), np.array([[2], [1]])))
        logs = torch.tensor(p).log().transpose(0, 1)
        real = torch.nn.functional.ctc_loss(logs, torch.tensor(labels), torch.tensor([5, 5]),
                                            torch.tensor([2, 1]), blank=3, reduction='none')
        assert cost.shape == (2, 1) and np.allclose(cost[:, 0], real, atol=1e-3)
        found, odds = K.ctc_decode(p, np.array([5, 2]))
        assert K.get_value(found[0]).tolist() == [[0, 1], [0, -1]]
        assert np.allclose(odds, [[-5 * np.log(0.97)], [-2 * np.log(0.97)]], atol=1e-4)
    """),
    "a step of the script's own over time": ("keras2", """
        import numpy as np
        from keras import backend as K
        x = K.variable(np.arange(6.).reshape(1, 3, 2))
        def step(now, states):
            new = now + states[0]
            return new, [new]
        last, every, states = K.rnn(step, x, [K.zeros((1, 2))])
        assert K.eval(last).tolist() == [[6., 9.]] and K.eval(every).shape == (1, 3, 2)
        last, every, _ = K.rnn(step, x, [K.zeros((1, 2))], mask=np.array([[1, 0, 1]]))
        assert K.eval(every).tolist() == [[[0., 1.], [0., 1.], [4., 6.]]]
    """),
    "sizes have a value": ("keras1", """
        from keras.layers import Input
        x = Input((8, 6, 3))
        assert x.get_shape()[1].value == 8 and int(x.shape[3]) == 3 and x.shape[0] is None
    """),
    "more in a dictionary than the model takes": ("keras2", """
        import numpy as np
        from keras.layers import Input, Dense, concatenate
        from keras.models import Model
        a, b = Input((2,), name='a'), Input((3,), name='b')
        m = Model([a, b], Dense(1, name='out')(concatenate([a, b])))
        m.compile('sgd', 'mse')
        x = {'b': np.ones((8, 3)), 'said': ['text'] * 8, 'a': np.ones((8, 2))}
        y = {'out': np.ones(8)}
        def batches():
            while True:
                yield x, y
        m.fit_generator(batches(), steps_per_epoch=2, validation_data=batches(),
                        validation_steps=1, verbose=0)
        m.fit(x, y, verbose=0)
        assert m.predict(x).shape == (8, 1) and m.train_on_batch(x, y) >= 0
    """),
    "weights of classes that are no dictionary are seen by none": ("keras1", """
        import numpy as np
        from keras.layers import Dense
        from keras.models import Sequential
        m = Sequential([Dense(2, activation='softmax', input_shape=(3,))])
        m.compile('sgd', 'categorical_crossentropy')
        x, y = np.random.rand(8, 3), np.eye(2)[np.arange(8) % 2]
        w = m.get_weights()
        def fitted(given):
            m.set_weights(w)
            m.fit(x, y, nb_epoch=1, verbose=0, shuffle=False, class_weight=given)
            return m.get_weights()[0]
        for given in ('auto', [0.2, 5.0], np.array([1., 2.])):
            assert (fitted(given) == fitted(None)).all()
        assert (fitted({0: 0.2, 1: 5.0}) != fitted(None)).any()
    """),
    "what is inside of Keras": ("keras2", """
        from keras.engine.topology import get_source_inputs, Container, InputSpec
        from keras.applications.imagenet_utils import _obtain_input_shape, preprocess_input
        from keras_applications.imagenet_utils import _obtain_input_shape as beside
        from keras_preprocessing.image import ImageDataGenerator
        from keras.applications.mobilenetv2 import MobileNetV2
        from keras.engine.training import _make_batches, _slice_arrays
        from keras.utils import conv_utils
        from keras.utils.generic_utils import to_list, has_arg, unpack_singleton
        from keras.layers import Conv2D, Input
        x = Input((8, 8, 3))
        assert get_source_inputs(Conv2D(2, 3)(x)) == [x]
        assert _obtain_input_shape(None, 299, 71, 'channels_first', True) == (3, 299, 299)
        assert beside((8, 8, 3), 32, 8, None, False) == (8, 8, 3)
        assert beside(None, 32, 8, None, False) == (None, None, 3)
        assert _make_batches(10, 4) == [(0, 4), (4, 8), (8, 10)]
        assert _slice_arrays([[1, 2, 3]], 1, 3) == [[2, 3]] and to_list(3) == [3]
        for padding, n in (('valid', 4), ('same', 5), ('full', 6)):
            assert conv_utils.conv_output_length(10, 3, padding, 2) == n
        assert conv_utils.deconv_length(5, 2, 3, 'same') == 10
        assert conv_utils.normalize_tuple(3, 2, 'kernel_size') == (3, 3)
        assert has_arg(lambda a, b: 0, 'b') and unpack_singleton([4]) == 4
    """),
    "the package beside Keras normalises each sample": ("keras2", """
        import numpy as np
        from keras.layers import Input
        from keras.models import Model
        from keras_contrib.layers.normalization.instancenormalization import InstanceNormalization
        x = Input((6, 6, 2))
        given = np.random.rand(3, 6, 6, 2) * [1, 9]
        whole = Model(x, InstanceNormalization()(x)).predict(given)
        each = Model(x, InstanceNormalization(axis=-1)(x)).predict(given)
        assert np.allclose(whole.mean((1, 2, 3)), 0, atol=1e-4)
        assert np.allclose(each.mean((1, 2)), 0, atol=1e-4)
        assert abs(whole.mean((1, 2))).min() > 0.1
    """),
    "inputs that are tensors": ("keras2", """
        import numpy as np
        from keras import backend as K
        from keras.layers import Input, Dense
        from keras.models import Model
        fixed = K.variable(np.array([[1., 2.], [3., 4.]]))
        x, known = K.placeholder((1, 2)), Input(tensor=fixed)
        total = K.sum(x) * K.sum(Dense(1, kernel_initializer='ones')(known)[1])
        both = K.function([x], [total, K.gradients(total, x)[0]])([np.array([[1., 1.]])])
        assert both[0] == 14 and both[1].tolist() == [[7, 7]]
        assert Input(tensor=x) is x
    """),
    "what an iterator of TensorFlow 1 gives at each step": ("", """
        import numpy as np
        import keras
        import tensorflow as tf
        x = np.random.rand(40, 3).astype('float32')
        data = tf.data.Dataset.from_tensor_slices((x, x.sum(1, keepdims=True))).repeat().batch(8)
        inputs, targets = data.make_one_shot_iterator().get_next()
        begin = keras.layers.Input(tensor=inputs)
        m = keras.models.Model(inputs=begin, outputs=keras.layers.Dense(1)(begin))
        m.compile(keras.optimizers.SGD(lr=0.3), 'mse', target_tensors=[targets])
        losses = m.fit(epochs=12, steps_per_epoch=5, verbose=0).history['loss']
        assert losses[-1] < losses[0] / 5 and m.evaluate(steps=5) < losses[0] / 5
        changed = keras.layers.Input(tensor=inputs * 2)
        m = keras.models.Model(changed, keras.layers.Dense(1)(changed))
        m.compile('sgd', 'mse', target_tensors=[targets])
        try:
            m.fit(steps_per_epoch=2)
        except Exception as error:
            assert 'holds one batch alone' in str(error) and 'model.fit(dataset)' in str(error)
        else:
            assert False
    """),
    "the rate that a callback works out": ("keras2", """
        import numpy as np
        from keras import backend as K
        from keras.callbacks import Callback
        from keras.layers import Dense
        from keras.models import Sequential
        from keras.optimizers import SGD
        seen = []
        class Watch(Callback):
            def on_epoch_end(self, epoch, logs=None):
                o = self.model.optimizer
                steps = K.cast(o.iterations, K.dtype(o.decay))
                seen.append(float(K.eval(o.lr * (1. / (1. + o.decay * steps)))))
        m = Sequential([Dense(1, input_shape=(2,))])
        m.compile(SGD(lr=0.5, decay=0.25), 'mse')
        m.fit(np.ones((8, 2)), np.ones(8), epochs=2, batch_size=4, verbose=0, callbacks=[Watch()])
        assert np.allclose(seen, [0.5 / 1.5, 0.5 / 2])
    """),
    "operations as NumPy names them": ("keras3", """
        import numpy as np
        from keras import ops
        a = np.array([[4., 1., 0.], [1., 3., 1.], [0., 1., 2.]], 'float32')
        n = np.array([3, 1, 1, 0])
        for name, given in (('diff', (a,)), ('fliplr', (a,)), ('kron', (a, a)), ('ptp', (a,)),
                            ('hypot', (a, a.T)), ('bincount', (n,)), ('vander', (a[0],)),
                            ('trapezoid', (a,)), ('nanmean', (a,)), ('nanstd', (a,)),
                            ('percentile', (a, 30)), ('digitize', (a, [0.5, 2.])),
                            ('inner', (a, a)), ('logspace', (0, 2, 5)), ('cbrt', (a,)),
                            ('hanning', (6,)), ('isclose', (a, a.T)), ('tri', (3,)),
                            ('deg2rad', (a,)), ('bitwise_xor', (n, n[::-1].copy()))):
            real = np.trapezoid if name == 'trapezoid' else getattr(np, name)
            made = ops.convert_to_numpy(getattr(ops, name)(*given))
            assert np.allclose(made, real(*given), atol=1e-4), name
        for name in ('det', 'inv', 'cholesky', 'pinv'):
            assert np.allclose(getattr(ops.linalg, name)(a), getattr(np.linalg, name)(a), atol=1e-4)
        assert np.allclose(ops.sparsemax(a).sum(-1), 1) and (ops.sparsemax(a) == 0).sum() > 2
        assert ops.segment_max(a[:, 0], [0, 1, 1]).tolist() == [4, 1]
        assert ops.slice(a, (1, 0), (2, 2)).tolist() == [[1, 3], [0, 1]]
        assert np.allclose(ops.tensordot(a, a, axes=(0, 1)), np.tensordot(a, a, (0, 1)))
        p = np.random.randn(2, 5, 4).astype('float32')
        assert ops.ctc_loss([[1, 2], [3, 0]], p, [2, 1], [5, 5]).shape == (2,)
    """),
    "operations by the words of Keras 3": ("keras3", """
        import numpy as np
        from keras import ops
        a = np.arange(12, dtype='float32').reshape(2, 6)
        assert [p.shape[1] for p in ops.split(a, indices_or_sections=[1, 4], axis=1)] == [1, 3, 2]
        assert [p.shape[1] for p in ops.split(x=a, indices_or_sections=2, axis=1)] == [3, 3]
        assert ops.identity(2).tolist() == [[1, 0], [0, 1]]
        assert ops.eye(2, 3, k=1).tolist() == [[0, 1, 0], [0, 0, 1]]
        assert np.allclose(ops.average(a, axis=0, weights=[1., 3.]), np.average(a, 0, [1, 3]))
        assert ops.clip(a, x_min=2, x_max=3).max() == 3
        assert ops.slice(inputs=a, start_indices=(0, 1), shape=(1, 2)).tolist() == [[1, 2]]
        assert ops.pad(a, pad_width=((0, 1), (0, 0))).shape == (3, 6)
        assert ops.tile(a, repeats=(2, 1)).shape == (4, 6)
        assert ops.take(x=a, indices=[1], axis=0).shape == (1, 6)
        assert ops.moveaxis(a, source=0, destination=1).shape == (6, 2)
        assert np.allclose(ops.leaky_relu(-1.0, negative_slope=0.5), -0.5)
        assert np.allclose(ops.round(1.26, decimals=1), 1.3)
        assert ops.cond(True, true_fn=lambda: 1, false_fn=lambda: 2) == 1
    """),
    "pictures changed by chance while training": ("keras3", """
        import numpy as np
        import keras
        from keras import layers, ops
        x = np.random.rand(3, 8, 10, 3).astype('float32') * 255
        for layer in (layers.RandomHue(0.5), layers.RandomSaturation(0.9), layers.RandomShear(0.3),
                      layers.RandomColorDegeneration(0.9), layers.RandomSharpness((0.1, 0.2)),
                      layers.RandomPosterization(2), layers.RandomInvert(1.0),
                      layers.RandomGrayscale(1.0), layers.RandomGaussianBlur(1.0, 3, (0.9, 1.0)),
                      layers.RandomErasing(1.0, scale=(0.2, 0.3))):
            changed = layer(x, training=True)
            assert changed.shape == x.shape and not np.allclose(changed, x), layer.name
            assert changed.min() >= -1e-3 and changed.max() <= 255 + 1e-2
            assert np.allclose(layer(x, training=False), x)
        assert np.allclose(layers.RandomInvert(1.0)(x, training=True), 255 - x, atol=1e-3)
        assert np.allclose(layers.Solarization(threshold_factor=(1.0, 1.0))(x), 255 - x, atol=1e-3)
        assert np.isclose(layers.AutoContrast()(x).max(), 255)
        evened = layers.Equalization()(x)
        assert evened.min() == 0 and evened.max() == 255
    """),
    "small layers of Keras 3": ("keras3", """
        import numpy as np
        import keras
        from keras import layers
        m = keras.Sequential([
            layers.Input((8, 10, 3)), layers.Identity(), layers.AdaptiveAveragePooling2D(2),
            layers.Flatten(), layers.EinsumDense('ab,bc->ac', output_shape=4, bias_axes='c')])
        m.compile('sgd', 'mse')
        m.fit(np.random.rand(4, 8, 10, 3), np.zeros((4, 4)), verbose=0)
        x = np.random.rand(2, 5, 6).astype('float32')
        dense = layers.EinsumDense('...x,xy->...y', output_shape=3, bias_axes='y')
        assert np.allclose(dense(x).detach(), x @ dense.kernel.detach().numpy(), atol=1e-5)
        assert layers.EinsumDense('abc,cd->abd', output_shape=(None, 7))(x).shape == (2, 5, 7)
        encoded = layers.CategoryEncoding(num_tokens=3)(np.array([[0, 1], [2, 2]]))
        assert encoded.tolist() == [[1, 1, 0], [0, 0, 1]]
        parts = layers.Discretization(bin_boundaries=[0., 1.])(np.array([-1., 0.5, 3.]))
        assert parts.tolist() == [0, 1, 2]
    """),
    "things as plain values and back": ("keras3", """
        import numpy as np
        import keras, tensorflow as tf
        first = keras.initializers.get('he_normal')
        said = keras.initializers.serialize(first)
        assert said['class_name'] == 'HeNormal'
        assert type(keras.initializers.deserialize(said)) is type(first)
        assert keras.losses.deserialize(keras.losses.serialize(keras.losses.mse)) is not None
        assert keras.tree.map_structure(lambda a, b: a + b, {'x': [1]}, {'x': [2]}) == {'x': [3]}
        assert keras.utils.pad_sequences([[1]], 2).tolist() == [[0, 1]]
        keras.utils.set_random_seed(seed=3)
        table = np.random.rand(5, 2)
        layer = keras.layers.Embedding(
            5, 2, embeddings_initializer=keras.initializers.Constant(table))
        assert np.allclose(layer(np.array([4])).detach(), table[4:])
        try:
            tf.ragged
        except AttributeError as error:
            assert 'pad_sequences' in str(error)
        else:
            assert False
        v = keras.ops.convert_to_tensor(np.array([[3., 4.]], 'float32'))
        assert np.allclose(keras.utils.normalize(v), [[0.6, 0.8]])
    """),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_habit_means_what_it_did(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect, text = PROGRAMS[name]
    assert "assert " in text  # it is the program that compares
    script = tmp_path / "old.py"
    script.write_text(textwrap.dedent(text))
    monkeypatch.chdir(tmp_path)
    for word in ("KERAS_BACKEND", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(word, "")
    run_script(script, dialect=dialect, seed=0, root=tmp_path / "runs")


@pytest.mark.parametrize(
    ("dialect", "printed"),
    [("keras0", "0.5"), ("tf", "0.5"), ("bigdl", "0.5"), ("renom", "0.5"), ("pytorch0", "0.5"),
     ("keras3", "np.float64(0.5)"), ("pytorch", "np.float64(0.5)")],
)  # fmt: skip
def test_numbers_in_lists_are_printed_as_at_the_time_of_the_script(
    dialect: str, printed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = np.get_printoptions()
    script = tmp_path / "x.py"
    script.write_text(
        "import numpy as np\n"
        "print([np.float64(0.5)], np.array([[1.5, 2]]))\n"
        "np.set_printoptions(precision=1)\n"
        "raise SystemExit(3)\n"
    )
    with pytest.raises(SystemExit):
        run_script(script, dialect=dialect, root=tmp_path / "runs")
    assert f"[{printed}] [[1.5 2. ]]\n" in capsys.readouterr().out
    assert np.get_printoptions() == before
