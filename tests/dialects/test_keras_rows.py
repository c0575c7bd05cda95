"""Every layer and optimizer of the Keras tables gives what real Keras 3 gives, or says why not."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed
from striate.dialects.keras import VERSIONS
from striate.dialects.keras.rows import LAYERS, MERGES

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = json.loads((GOLDEN / "keras_rows.json").read_text())["results"]
RECURRENT = (GOLDEN / "make_keras_recurrent.py").read_text()
REASONS = {  # rows that Keras 3 cannot be asked about
    "ThresholdedReLU": "gone from Keras 3; by its formula below",
    "RandomCrop": "Keras 3 leaves images as large as they are in inference; the centre below",
}


@pytest.fixture(scope="module")
def found() -> Any:
    with installed("keras3"):
        import keras

        spec = importlib.util.spec_from_file_location("rows", GOLDEN / "make_keras_rows.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.results(keras)


def same(found: Any, expected: Any) -> None:
    """Assert that a case gives what was expected: sizes exactly, numbers nearly."""
    for field, wanted in expected.items():
        if field in ("shapes", "size"):
            assert found[field] == wanted, field
        elif field == "after":
            for value, weight in zip(found[field], wanted, strict=True):
                np.testing.assert_allclose(value, weight, rtol=2e-4, atol=2e-5)
        else:
            np.testing.assert_allclose(found[field], wanted, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", EXPECTED)
def test_as_in_keras_3(name: str, found: Any) -> None:
    same(found[name], EXPECTED[name])


def test_every_row_is_compared_or_says_why_not() -> None:
    compared = {name.partition(" ")[0] for name in EXPECTED}
    rows = {row.target for row in LAYERS}
    later = {name for name in rows - compared if re.search(rf"layers\.{name}\b", RECURRENT)}
    assert rows - compared - later == set(REASONS)
    assert set(MERGES.values()) <= compared
    assert set(VERSIONS["keras3"].optimizers) <= compared
    draws = {name for name, made in EXPECTED.items() if made.get("after") == []}
    assert all(
        name.startswith(("Random", "Dropout", "Spatial", "Gaussian", "Alpha")) for name in draws
    )  # fmt: skip  all others are compared after a step


def test_a_thresholded_rectifier() -> None:
    with installed("keras2"):
        from keras.layers import ThresholdedReLU
        from keras.models import Sequential

        net = Sequential([ThresholdedReLU(0.5, input_shape=(4,))])
        x = np.array([[-1.0, 0.4, 0.6, 2.0]], "float32")
        np.testing.assert_allclose(net.predict(x), [[0, 0, 0.6, 2]])


def test_the_centre_of_a_random_crop() -> None:
    with installed("keras3"):
        import keras

        x = np.arange(30.0).reshape(1, 5, 6, 1)
        net = keras.Sequential([keras.Input((5, 6, 1)), keras.layers.RandomCrop(3, 4)])
        np.testing.assert_allclose(net.predict(x, verbose=0), x[:, 1:4, 1:5])


# What a word of Keras 1 gives, by the word of Keras 3 whose numbers are compared above.
OLD = {
    "Convolution1D(3, 4, subsample_length=2, border_mode='same', activation='tanh')": "Conv1D",
    "AtrousConvolution2D(3, 2, 2, atrous_rate=(2, 3), bias=False)": "Conv2D dilated",
    "Convolution2D(3, 3, 2, border_mode='same', subsample=(2, 2))": "Conv2D",
    "Convolution2D(3, kernel_size=(3, 2), padding='same', strides=2)": "Conv2D",
    "Convolution3D(2, 2, 1, 3, subsample=(1, 2, 2), border_mode='same')": "Conv3D",
    "Deconvolution2D(3, 3, 4, output_shape=None, subsample=(2, 2), border_mode='same')":
        "Conv2DTranspose",
    "SeparableConvolution2D(3, 3, 3, subsample=(2, 2), border_mode='same')": "SeparableConv2D",
    "MaxPooling1D(pool_length=2, border_mode='same')": "MaxPooling1D",
    "MaxPooling2D((3, 3), strides=(2, 2), border_mode='same')": "MaxPooling2D",
    "UpSampling1D(length=3)": "UpSampling1D",
    "Dense(output_dim=3, activation='tanh')": "Dense",
    "BatchNormalization(momentum=0.8, mode=0)": "BatchNormalization",
    "LeakyReLU(alpha=0.2)": "LeakyReLU",
    "Dropout(p=0.4)": "Dropout",
    "GaussianNoise(sigma=0.4)": "GaussianNoise",
}  # fmt: skip


@pytest.mark.parametrize("text", OLD)
def test_a_word_of_keras_1_gives_what_that_of_keras_3_gives(text: str) -> None:
    spec = importlib.util.spec_from_file_location("rows", GOLDEN / "make_keras_rows.py")
    assert spec is not None and spec.loader is not None
    with installed("keras3"):
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    name = OLD[text]
    _, shape = {**module.ONE, **module.STILL}[name]
    with installed("keras1"):
        import keras
        from keras.backend import set_image_dim_ordering

        set_image_dim_ordering("tf")
        layer = eval(f"layers.{text}", {"layers": keras.layers})
        front = [] if name in module.STILL else [
            keras.layers.Dense(shape[-1], bias=False, input_shape=shape)]  # fmt: skip
        net = keras.models.Sequential(
            front or [keras.layers.Activation("linear", input_shape=shape)]
        )
        net.add(layer)
        made = module.of(keras, net, module.numbers(3, *shape), steps=name not in module.STILL)
    same(made, EXPECTED[name])
