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


@pytest.mark.parametrize("version", ["tf", "keras3"])
def test_the_loss_of_a_smaller_last_batch_counts_less(version: str) -> None:
    y = X.sum(1, keepdims=True)
    with installed(version):
        import keras

        class Doubled(keras.layers.Layer):  # type: ignore[misc]
            def call(self, x):  # type: ignore[no-untyped-def]
                self.add_loss(0.0)  # which is what steps of Python are for
                return 2 * x

        model = keras.Sequential([keras.layers.Dense(1), Doubled()])
        model.compile("sgd", "mse")
        whole = model.evaluate(X, y, batch_size=5, verbose=0)
        assert model.evaluate(X, y, batch_size=4, verbose=0) == pytest.approx(whole, rel=1e-5)
        shares = np.linspace(0, 1, 5)
        whole = model.evaluate(X, y, batch_size=5, sample_weight=shares, verbose=0)
        found = model.evaluate(X, y, batch_size=3, sample_weight=shares, verbose=0)
        assert found == pytest.approx(whole, rel=1e-5)


def test_minus_a_symbol_is_no_layer_of_keras_3() -> None:
    with installed("keras3"):
        import keras

        x = keras.Input((3,))
        model = keras.Model(x, keras.layers.Dense(2, name="end")(-x))
        assert [one.name for one in model.layers[1:]] == ["end"]
        np.testing.assert_allclose(
            model.predict(X, verbose=0), -X @ model.get_weights()[0], atol=1e-6
        )
