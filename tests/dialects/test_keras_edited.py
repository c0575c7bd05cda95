"""Networks that are changed after they are made: `pop`, `add`, and edits of the list of layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.dialects import installed

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
VERSIONS = ["keras1", "keras2", "keras23", "tf", "keras3"]


@pytest.mark.parametrize("version", VERSIONS)
def test_layers_are_taken_off_and_put_on_after_training(version: str) -> None:
    with installed(version):
        from keras.layers import Dense
        from keras.models import Sequential

        model = Sequential([Dense(5, input_shape=(4,)), Dense(3), Dense(2)])
        model.compile("sgd", "mse")
        model.fit(X, X[:, :2], verbose=0)
        kernel = model.get_weights()[0]
        model.pop()
        assert model.predict(X).shape == (6, 3)
        model.add(Dense(7))
        model.compile("sgd", "mse")
        np.testing.assert_array_equal(model.get_weights()[0], kernel)
        model.fit(X, np.ones((6, 7)), verbose=0)
        assert not np.allclose(model.get_weights()[0], kernel)
        for _ in range(3):
            model.pop()
        model.add(Dense(2, input_shape=(4,)))  # says the input again
        assert model.predict(X).shape == (6, 2)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_list_of_layers_is_the_models_own_up_to_keras_2_3(version: str) -> None:
    def made() -> Any:
        from keras.layers import Dense, Input
        from keras.models import Model

        x = Input((4,))
        model = Model(x, Dense(3, name="end")(Dense(5, name="first")(x)))
        model.layers.pop()
        end = Dense(2)(model.layers[-1].output)
        return model.layers[-1].name, Model(model.inputs, end).count_params()

    with installed(version):
        found = made()
    whole = 4 * 5 + 5 + 5 * 3 + 3 + 3 * 2 + 2
    edited = ("first", 4 * 5 + 5 + 5 * 2 + 2)
    assert found == (("end", whole) if version in ("tf", "keras3") else edited)
