"""`model.losses` after a prediction, and copies of models that hold such penalties."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from striate.dialects import installed

X = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


def test_penalties_on_outputs_are_those_of_the_last_batch() -> None:
    with installed("keras3"):
        import keras

        model = keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(2, activity_regularizer="l1")]
        )
        for size, last in ((32, X), (2, X[4:]), (5, X)):
            out = model.predict(X, batch_size=size, verbose=0)[-len(last) :]
            (found,) = model.losses
            assert float(found) == pytest.approx(0.01 * np.abs(out).sum() / len(last), rel=1e-5)
        out = model.predict_on_batch(X[:3])
        assert float(model.losses[0]) == pytest.approx(0.01 * np.abs(out).sum() / 3, rel=1e-5)


def test_a_model_that_has_been_called_can_be_copied() -> None:
    with installed("keras3"):
        import keras

        model = keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(2, activity_regularizer="l1")]
        )
        model(X)  # whose penalty has a history
        again = copy.deepcopy(model)
        assert float(again.losses[0]) == float(model.losses[0])
