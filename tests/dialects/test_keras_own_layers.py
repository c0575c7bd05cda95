"""Layers and models that a script writes: their names, their `build`, what they derive from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed
from striate.dialects.program import run_script

x = np.random.default_rng(0).normal(size=(8, 6)).astype("float32")


@pytest.fixture(autouse=True)
def served() -> Iterator[None]:
    with installed("tf"):
        yield


def test_a_script_may_call_its_attributes_as_the_package_calls_its_own() -> None:
    from tensorflow.keras import Input, Model, layers

    names = ("predictor", "graph", "windows", "config", "infer", "trace", "where", "operations")
    for base in (layers.Layer, Model):

        class Own(base):  # type: ignore[misc, valid-type]
            def __init__(self) -> None:
                super().__init__()
                for number, name in enumerate(names):
                    setattr(self, name, layers.Dense(3) if number % 2 else number)

            def call(self, z: Any) -> Any:
                return sum(self.told(z, getattr(self, name)) for name in names)

            def told(self, z: Any, one: Any) -> Any:
                return one if isinstance(one, int) else one(z)

        model = Own()
        if base is layers.Layer:
            begin = Input((6,))
            model = Model(begin, model(begin))
        model.compile("sgd", "mse")
        model.fit(x, np.zeros((8, 3)), verbose=0)
        assert model.predict(x, verbose=0).shape == (8, 3)
        assert len(model.get_weights()) == len(names)


def test_layers_are_built_by_shapes_within_the_build_of_another() -> None:
    from tensorflow.keras import Input, Model, Sequential, layers

    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = layers.Conv2D(4, 3), layers.BatchNormalization()
            self.add, self.end = layers.Add(), Sequential([layers.Dense(2)])

        def build(self, input_shape: Any) -> None:
            self.conv.build(input_shape)
            inner = self.conv.compute_output_shape(input_shape)
            self.norm.build(inner)
            self.add.build([inner, inner])
            self.end.build(inner)
            self.conv.kernel.assign(np.zeros(self.conv.kernel.shape))

        def call(self, inputs: Any) -> Any:
            return self.end(self.add([self.norm(self.conv(inputs)), self.conv(inputs)]))

    begin = Input((8, 8, 3))
    model = Model(begin, Block()(begin))
    assert model.output_shape == (None, 6, 6, 2)
    assert not model.predict(np.ones((1, 8, 8, 3)), verbose=0).any()  # the zeros are kept
    assert [tuple(w.shape) for w in model.weights[:2]] == [(3, 3, 3, 4), (4,)]


def test_a_layer_of_the_table_is_derived_from_with_a_build_of_its_own() -> None:
    import tensorflow as tf
    from tensorflow.keras import Input, Model, layers

    class Standard(layers.Conv2D):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.gain = self.add_weight(name="gain", shape=(self.filters,), initializer="ones")

        def call(self, inputs: Any) -> Any:
            kernel = self.kernel * self.gain
            out = tf.nn.conv2d(inputs, kernel, self.strides, self.padding.upper())
            return self.activation(out + self.bias)

    class Whole(layers.Conv2D):
        def build(self, input_shape: Any) -> None:
            shape = (*self.kernel_size, input_shape[-1], self.filters)
            self.kernel = self.add_weight(shape=shape, initializer="ones", name="kernel")

        def call(self, inputs: Any) -> Any:
            return tf.nn.conv2d(inputs, self.kernel, self.strides, "SAME")

    begin = Input((6, 6, 2))
    model = Model(begin, Whole(1, 3, strides=2)(Standard(4, 3, activation="relu")(begin)))
    assert model.output_shape == (None, 2, 2, 1)
    assert [tuple(w.shape) for w in model.weights] == [(3, 3, 2, 4), (4,), (4,), (3, 3, 4, 1)]
    assert (model.predict(x[:2, :1, None, None].repeat(6, 1).repeat(6, 2).repeat(2, 3)) >= 0).all()


def test_windows_are_read_of_a_layer_with_a_number_for_each_axis() -> None:
    from tensorflow.keras import layers

    conv, pool = layers.Conv2D(4, 3), layers.MaxPooling2D(2)
    assert (conv.kernel_size, conv.strides, conv.dilation_rate) == ((3, 3), (1, 1), (1, 1))
    assert (pool.pool_size, pool.strides) == ((2, 2), (2, 2))
    assert layers.Conv1D(4, 5, 2).get_config()["strides"] == (2,)


def test_spectra_are_numpys() -> None:
    import tensorflow as tf

    made = tf.signal.stft(x.reshape(-1), frame_length=15, frame_step=8)
    assert made.shape == (5, 9)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(15) / 15)
    frame = x.reshape(-1)[8:23] * hann
    np.testing.assert_allclose(tf.abs(made)[1], np.abs(np.fft.rfft(frame, 16)), atol=1e-5)
    flat = tf.signal.fft2d(tf.cast(x, tf.complex64))
    np.testing.assert_allclose(tf.math.real(flat), np.fft.fft2(x).real, atol=1e-4)
    with installed("keras3"):
        from keras import ops

        real, imag = ops.fft2((x, ops.zeros_like(x)))
        np.testing.assert_allclose(real.numpy() + 1j * imag.numpy(), np.fft.fft2(x), atol=1e-4)
        np.testing.assert_allclose(ops.irfft(ops.rfft(x)), x, atol=1e-5)


def test_operators_of_an_array_and_a_tensor_give_a_tensor() -> None:
    import tensorflow as tf

    one, two = tf.constant([1.0, 2.0]), np.array([3.0, 4.0])
    for found, wanted in (
        (two + one, [4, 6]), (two - one, [2, 2]), (one * two, [3, 8]), (two / one, [3, 2]),
        (two**one, [3, 16]), (one**two, [1, 16]), (two @ one, 11), (two // one, [3, 2]),
    ):  # fmt: skip
        assert tf.is_tensor(found)
        np.testing.assert_allclose(found, wanted)
    assert (one < two).numpy().tolist() == (two > one).numpy().tolist() == [True, True]
    one += two
    two += one
    np.testing.assert_allclose(two, [7, 10])


def test_a_network_for_pictures_of_any_size_is_kept(tmp_path: Path) -> None:
    script = tmp_path / "free.py"
    script.write_text("""
import numpy as np
from tensorflow.keras import Input, Model, layers
class Doubled(layers.Layer):
    def call(self, x):
        return layers.add([x, x])
begin = Input((None, None, 3))
x = begin
for filters in (4, 4):
    x = layers.MaxPooling2D()(layers.Conv2D(filters, 3)(Doubled()(x)))
model = Model(begin, layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(x))))
model.compile("sgd", "mse")
model.fit(np.ones((4, 24, 24, 3)), np.ones((4, 2)), verbose=0)
""")
    run = run_script(script, root=tmp_path / "runs")
    assert (run / "model.striate").exists()


def test_outputs_of_code_are_numbered_or_called_by_their_keys() -> None:
    from tensorflow.keras import Model, layers

    class Two(Model):  # type: ignore[misc]
        def __init__(self, keys: Any = None) -> None:
            super().__init__()
            self.a, self.b, self.keys = layers.Dense(2), layers.Dense(1), keys

        def call(self, z: Any) -> Any:
            both = self.a(z), self.b(z)
            return dict(zip(self.keys, both, strict=True)) if self.keys else both

    y = np.zeros((8, 2)), np.zeros((8, 1))
    model = Two()
    model.compile("sgd", "mse", metrics=["mae"])
    assert sorted(model.fit(x, y, verbose=0).history) == [
        "loss", "output_1_loss", "output_1_mae", "output_2_loss", "output_2_mae",
    ]  # fmt: skip
    assert model.output_names == ["output_1", "output_2"]
    model = Two(("box", "kind"))
    model.compile("sgd", {"box": "mse", "kind": "mae"}, metrics={"kind": ["mse"]})
    named = dict(zip(("box", "kind"), y, strict=True))
    history = model.fit(x, named, verbose=0, validation_data=(x, named)).history
    assert sorted(history)[:4] == ["box_loss", "kind_loss", "kind_mse", "loss"]
    assert sorted(model.predict(x, verbose=0)) == ["box", "kind"]


def test_numbers_of_the_scripts_own_are_followed() -> None:
    import tensorflow as tf
    from tensorflow.keras import Input, Model, Sequential, layers

    begin = Input((6,))
    middle = layers.Dense(3)(begin)
    model = Model(begin, layers.Dense(2)(middle))
    model.add_metric(tf.reduce_mean(begin * 2), name="twice", aggregation="mean")
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(x, x[:, :2], verbose=0, validation_data=(x, x[:, :2])).history
    assert list(history) == [
        "loss", "mae", "twice", "val_loss", "val_mae", "val_twice",
    ]  # fmt: skip
    assert history["val_twice"][0] == pytest.approx(2 * x.mean(), rel=1e-5)

    class Told(layers.Layer):  # type: ignore[misc]
        def call(self, z: Any) -> Any:
            self.add_metric(tf.reduce_sum(z), name="sum", aggregation="mean")
            return z

    model = Sequential([Input((6,)), Told(), layers.Dense(2)])
    model.compile("sgd", "mse")
    history = model.fit(x, x[:, :2], batch_size=4, epochs=2, verbose=0).history
    assert history["sum"] == pytest.approx([x.sum() / 2] * 2, rel=1e-5)


def test_layers_in_lists_that_a_script_fills_are_trained() -> None:
    import tensorflow as tf
    from tensorflow.keras import Input, Model, layers

    class Blocks(layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first: list[Any] = []
            for _ in range(2):
                self.first.append(layers.Dense(3))

        def build(self, shape: Any) -> None:
            self.pairs: list[Any] = []
            for _ in range(2):
                self.pairs.append([layers.Dense(3), layers.BatchNormalization()])
            self.held = {"scale": tf.Variable([1.0, 1.0, 1.0])}

        def call(self, z: Any) -> Any:
            for one in self.first:
                z = one(z)
            for dense, norm in self.pairs:
                z = norm(dense(z))
            return z * self.held["scale"]

    begin, blocks = Input((6,)), Blocks()
    model = Model(begin, blocks(begin))
    assert len(model.weights) == 2 * 2 + 2 * 6 + 1 and len(blocks.trainable_weights) == 13
    model.compile("sgd", "mse")
    before = [weight.numpy().copy() for weight in model.trainable_weights]
    model.fit(x, np.ones((8, 3)), verbose=0)
    pairs = zip(before, model.trainable_weights, strict=True)
    kernels = [(old != new.numpy()).any() for old, new in pairs if old.ndim == 2]
    assert kernels == [True] * 4


@pytest.mark.parametrize("subclassed", [False, True])
def test_a_layer_that_changes_its_trained_weights_is_run_by_its_code(subclassed: bool) -> None:
    """Numbers of Keras 3.15."""
    x, y = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32"), np.ones((8, 1), "float32")
    with installed("keras3"):
        import keras
        from keras import layers, ops

        class Unit(layers.Layer):
            def build(self, shape: Any) -> None:
                self.k = self.add_weight(shape=(shape[-1], 2), initializer="ones")

            def call(self, x: Any, training: Any = None) -> Any:
                if training:
                    self.k.assign(self.k / ops.norm(self.k))
                return ops.matmul(x, self.k)

        class Behind(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.unit, self.dense = Unit(), layers.Dense(1, kernel_initializer="ones")

            def call(self, x: Any, training: Any = None) -> Any:
                return self.dense(self.unit(x, training=training))

        start, unit = keras.Input((3,)), Unit()
        model = keras.Model(start, layers.Dense(1, kernel_initializer="ones")(unit(start)))
        model = Behind() if subclassed else model
        model.compile(keras.optimizers.SGD(0.1), "mse")
        history = model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0).history
        assert history["loss"] == pytest.approx([2.9983788, 0.9809247], rel=1e-5)
        kernel = model.unit.k if subclassed else unit.k
        wanted = [[0.1863] * 2, [0.367] * 2, [0.5477] * 2]
        np.testing.assert_allclose(kernel.detach(), wanted, atol=1e-4)
