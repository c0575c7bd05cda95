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
        small = keras.applications.MobileNet(weights=None)
        assert small.name == "mobilenet_1.00_224"
        assert type(small.get_layer("conv1_relu")).__name__ == "ReLU"
        assert small.get_layer("conv1_relu").max_value == 6
