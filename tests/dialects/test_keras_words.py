"""Functions and objects of Keras 3 take their arguments by its names, and give its numbers."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = json.loads((GOLDEN / "keras_words.json").read_text())["results"]


@pytest.fixture(scope="module")
def found() -> Any:
    spec = importlib.util.spec_from_file_location("words", GOLDEN / "make_keras_words.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with installed("keras3"):
        import keras

        return module.results(keras)


@pytest.mark.parametrize("name", EXPECTED)
def test_cases_are_those_of_keras(found: Any, name: str) -> None:
    value, wanted = found[name], EXPECTED[name]
    if name.startswith("metrics."):
        assert value[0] == wanted[0]
        value, wanted = value[1], wanted[1]
    several = isinstance(wanted, list) and any(isinstance(one, list) for one in wanted)
    pairs = zip(value, wanted, strict=True) if several else [(value, wanted)]
    for one, other in pairs:
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(one, other, atol=2e-4)


def test_a_class_of_labels_is_left_out_of_training_and_counts_as_wrong() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 4)).astype("float32")
    y = np.arange(12) % 3
    void = np.where(np.arange(12) < 6, y, 255)
    with installed("keras3"):
        import keras

        def trained(*data: Any) -> Any:
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
            model.set_weights([np.eye(4, 3, dtype="float32"), np.zeros(3)])
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
            model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
            history = model.fit(*data, batch_size=12, epochs=2, shuffle=False, verbose=0).history
            return history, model.get_weights()

        some, weights = trained(x, void)
        alone, same = trained(x[:6], y[:6])
    assert some["loss"] == pytest.approx(alone["loss"], rel=1e-5)
    assert some["accuracy"] == pytest.approx([one / 2 for one in alone["accuracy"]])
    for one, other in zip(weights, same, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_metrics_take_their_arguments_by_name() -> None:
    with installed("keras3"):
        import keras

        accuracy = keras.metrics.SparseCategoricalAccuracy()
        accuracy.update_state(y_true=[1, 0], y_pred=[[0.1, 0.9], [0.2, 0.8]])
        assert float(accuracy.result()) == 0.5
        total = keras.metrics.Sum()
        total.update_state(values=[1.0, 2.0], sample_weight=[1.0, 0.5])
        assert float(total.result()) == 2.0


def test_networks_are_made_of_the_layers_of_keras() -> None:
    with installed("keras3"):
        import keras

        model = keras.applications.EfficientNetB0(weights=None)
        assert model.count_params() == 5330571
        assert sum(weight.numel() for weight in model.non_trainable_weights) == 42023
        normal = model.get_layer("normalization")
        x = np.full((1, 8, 8, 3), 3.0, "float32")
        assert np.array_equal(normal(x), x)
        assert keras.applications.Xception(weights=None).input_shape == (None, 299, 299, 3)
        side = keras.applications.MobileNetV2((96, 96, 3), 0.5, False, None, name="own")
        assert (side.name, side.output_shape) == ("own", (None, 3, 3, 1280))
        small = keras.applications.MobileNet(weights=None)
        assert small.name == "mobilenet_1.00_224"
        assert type(small.get_layer("conv1_relu")).__name__ == "ReLU"
        assert small.get_layer("conv1_relu").max_value == 6


def test_the_accuracy_of_each_output_is_chosen_by_its_shape() -> None:
    rng = np.random.default_rng(0)
    x, y = np.eye(4, dtype="float32"), rng.integers(0, 2, (4, 3)).astype("float32")
    first = float((y.argmax(1) == 0).mean())  # outputs that are all the same: the first is largest
    with installed("keras3"):
        import keras

        start = keras.Input((4,))
        ends = [
            keras.layers.Dense(3, kernel_initializer="zeros", name=name)(start) for name in "ab"
        ]
        model = keras.Model(start, ends)
        for asked in (["accuracy"] * 2, [["accuracy"], ["accuracy"]], {"a": ["accuracy"]}):
            model.compile("sgd", ["binary_crossentropy", "mse"], metrics=asked)
            numbers = model.evaluate(x, [y, y], verbose=0, return_dict=True)
            assert numbers["a_accuracy"] == pytest.approx(first)
        model.compile("sgd", ["mse", "mse"], metrics=["mae", "mse"])
        assert [*model.evaluate(x, [y, y], verbose=0, return_dict=True)][3:] == ["a_mae", "b_mse"]
        model.compile("sgd", "binary_crossentropy", metrics={"b": "accuracy"})
        assert model.evaluate(x, [y, y], verbose=0)[-1] == pytest.approx(first)


def test_callbacks_models_and_optimizers_have_what_keras_has() -> None:
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    with installed("keras3"):
        import keras

        heard: list[str] = []

        class Loud(keras.callbacks.Callback):
            def on_test_begin(self, logs: Any = None) -> None:
                super().on_test_begin(logs)
                heard.append("test")

            def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
                super().on_predict_batch_end(batch, logs)
                heard.append("predict")

        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[Loud()])
        model.predict(x, verbose=0, callbacks=[Loud()])
        assert heard == ["test", "predict"]
        names = [tuple(one.shape) for one in model.optimizer.variables]
        assert names == [(), (), (3, 1), (3, 1), (1,), (1,)]
        assert int(model.optimizer.variables[0]) == 1
        assert model.optimizer.variables() == model.optimizer.variables
        for variable in model.optimizer.variables[2:]:
            variable.assign(0 * variable)
        assert not any(float(one.abs().sum()) for one in model.optimizer.variables[2:])
        assert [one.trainable for one in model.weights] == [True, True]
        model.reset_metrics()
        assert set(model.get_metrics_result()) == {"loss", "mae"}
        assert model.layers[0].dtype == "float32" and model.layers[0].supports_masking
        assert not model.run_eagerly and model.layers[0].path == model.layers[0].name
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
        model.compile(scaled, "mse")
        model.fit(x, y, verbose=0)


@pytest.mark.parametrize("end", [".keras", ".h5"])
def test_files_hold_layers_that_only_scripts_have(tmp_path: Path, end: str) -> None:
    x = np.arange(20).reshape(4, 5) % 6
    with installed("keras3"):
        import keras
        from keras import layers

        start = keras.Input((5,), dtype="int32")
        hidden = layers.Identity()(layers.CategoryEncoding(6, output_mode="count")(start))
        out = layers.EinsumDense("ab,bc->ac", output_shape=4, bias_axes="c", activation="relu")
        model = keras.Model(start, out(hidden))
        model.set_weights([np.linspace(-1, 1, 24).reshape(6, 4), np.ones(4)])
        assert float(model.predict(x, verbose=0).sum()) == pytest.approx(11.217391)  # Keras 3.15
        model.save(tmp_path / f"model{end}")
    with installed("keras3"):
        import keras

        same = keras.models.load_model(tmp_path / f"model{end}")
        assert same.layers[3].equation == "ab,bc->ac"
        assert float(same.predict(x, verbose=0).sum()) == pytest.approx(11.217391)


def test_weights_are_called_by_their_place_and_by_their_name() -> None:
    with installed("keras3"):
        import keras
        from keras import layers

        x = keras.Input((5, 3))
        both = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(x)
        last = layers.GRU(2)(layers.TimeDistributed(layers.Dense(2))(both))
        weights = keras.Model(x, last).weights
        assert [one.path for one in weights[:1] + weights[6:9]] == [
            "bidirectional/forward_lstm/lstm_cell/kernel",
            "time_distributed/dense/kernel",
            "time_distributed/dense/bias",
            "gru/gru_cell/kernel",
        ]
        assert [one.name for one in weights[-3:]] == ["kernel", "recurrent_kernel", "bias"]
        inner = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="end")])
        y = keras.Input((3,))
        assert [one.path for one in keras.Model(y, inner(y)).weights] == [
            "sequential/end/kernel", "sequential/end/bias",
        ]  # fmt: skip


def test_objects_go_through_plain_values() -> None:
    with installed("keras3"):
        import keras

        saving = keras.saving

        @saving.register_keras_serializable()
        class Around(keras.layers.Layer):
            def __init__(self, inner: Any, **words: Any) -> None:
                super().__init__(**words)
                self.inner = inner

            def call(self, x: Any) -> Any:
                return self.inner(x)

            def get_config(self) -> Any:
                config = super().get_config()
                return {**config, "inner": saving.serialize_keras_object(self.inner)}

            @classmethod
            def from_config(cls, config: Any) -> Any:
                return cls(saving.deserialize_keras_object(config.pop("inner")), **config)

        told = saving.serialize_keras_object(Around(keras.layers.Dense(3, activation="relu")))
        assert told["class_name"] == "Around"
        inner = told["config"]["inner"]
        assert (inner["module"], inner["class_name"]) == ("keras.layers", "Dense")
        made = saving.deserialize_keras_object(told)
        assert (made.inner.units, made.inner.activation) == (3, "relu")
        penalty = saving.serialize_keras_object(keras.regularizers.L2(0.1))
        assert saving.deserialize_keras_object(penalty).l2 == 0.1
        assert saving.deserialize_keras_object([1, "same"]) == [1, "same"]
