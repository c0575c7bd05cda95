"""What a Keras script's files say of training: its own losses and metrics, rules, rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import striate as st
from striate.dialects import installed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = RNG.normal(size=(12, 2)).astype("float32")


def fitted(model: Any) -> Any:
    return model.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0).history


def own(keras: Any) -> dict[str, Any]:
    """Return losses and metrics that a script has written."""
    ops = keras.ops

    def cubed(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)

    class Share(keras.losses.Loss):  # type: ignore[misc]
        def __init__(self, share: float = 0.5, **words: Any) -> None:
            super().__init__(**words)
            self.share = share

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return self.share * ops.mean(ops.abs(y_true - y_pred), axis=-1)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "share": self.share}

    class Largest(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self, name: str = "largest", **words: Any) -> None:
            super().__init__(name=name, **words)
            self.value = self.add_weight(name="value", shape=(), initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.value.assign(ops.maximum(self.value, ops.max(ops.abs(y_true - y_pred))))

        def result(self) -> Any:
            return self.value

    return {"cubed": cubed, "Share": Share, "Largest": Largest}


CASES = {
    "functions": lambda keras, own: ("adam", own["cubed"], [own["cubed"]]),
    "objects": lambda keras, own: ("rmsprop", own["Share"](0.25), [own["Largest"]()]),
    "of Keras alone": lambda keras, own: (
        keras.optimizers.Ftrl(keras.optimizers.schedules.CosineDecayRestarts(0.1, 4)),
        keras.losses.Tversky(alpha=0.3),
        [keras.metrics.MeanSquaredError(name="error")],
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_model_is_compiled_again_by_the_scripts_own_words(
    case: str, ending: str, tmp_path: Path
) -> None:
    path = str(tmp_path / f"model.{ending}")
    with installed("keras3"):
        import keras

        known = own(keras)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="sigmoid")])
        optimizer, loss, metrics = CASES[case](keras, known)
        model.compile(optimizer=optimizer, loss=loss, metrics=metrics, weighted_metrics=["mse"])
        fitted(model)
        model.save(path)
        expected = fitted(model)
    with installed("keras3"):  # another script
        import keras

        again = keras.models.load_model(path, custom_objects=own(keras))
        found = fitted(again)
    assert len(found) == 3
    assert found == expected


def test_without_its_optimizer_a_model_is_not_compiled(tmp_path: Path) -> None:
    with installed("keras2"):
        from keras.layers import Dense
        from keras.models import Sequential, load_model

        model = Sequential([Dense(2, input_shape=(4,))])
        model.compile("adam", "mse")
        model.save(str(tmp_path / "model.h5"), include_optimizer=False)
        assert load_model(str(tmp_path / "model.h5")).setup is None


@pytest.mark.parametrize("version", ["keras2", "tf", "keras3"])
def test_the_rate_of_an_optimizer_that_was_given_by_name_can_be_set(version: str) -> None:
    with installed(version):
        from keras.layers import Dense
        from keras.models import Sequential

        model = Sequential([Dense(2, input_shape=(4,))])
        model.compile(optimizer="adam", loss="mse")
        fitted(model)
        before = model.get_weights()[0]
        model.optimizer.lr = 0.0
        fitted(model)
        assert type(model.optimizer).__name__ == "Adam"
    np.testing.assert_array_equal(before, model.get_weights()[0])


FUNCTIONS = {
    "reductions": lambda x, ops: ops.mean(x, axis=1) + ops.max(x, axis=1),
    "slices": lambda x, ops: x[:, -1] * x[:, 0, :],
    "every second value": lambda x, ops: x[..., ::2],
    "forms": lambda x, ops: ops.reshape(
        ops.transpose(ops.expand_dims(x, -1), (0, 2, 1, 3)), (-1, 6)),
    "choices": lambda x, ops: ops.where(x > 0, x, 0.5 * x),
    "products": lambda x, ops: ops.einsum("abc,adc->abd", x, ops.normalize(x, axis=-1)),
    "constants": lambda x, ops: ops.matmul(x, np.arange(6.0, dtype="float32").reshape(3, 2)),
    "lists": lambda x, ops: ops.concatenate([ops.pad(x, ((0, 0), (1, 0), (0, 0))), 1.0 - x], 1),
    "several outputs": lambda x, ops: ops.split(x, 2, axis=1)[1],
}  # fmt: skip


@pytest.mark.parametrize("case", FUNCTIONS)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_functions_of_keras_ops_are_written_and_read(
    case: str, ending: str, tmp_path: Path
) -> None:
    path, x = str(tmp_path / f"model.{ending}"), RNG.normal(size=(3, 2, 3)).astype("float32")
    with installed("keras3"):
        import keras

        begin = keras.Input((2, 3))
        dense = keras.layers.Dense(3)(begin)
        model = keras.Model(begin, FUNCTIONS[case](dense, keras.ops))
        model.save(path)
        expected = model.predict(x, verbose=0)
    with installed("keras3"):  # another script
        import keras

        again = keras.models.load_model(path)
        np.testing.assert_allclose(again.predict(x, verbose=0), expected, atol=1e-6)
        twin = keras.models.clone_model(again)
        twin.set_weights(again.get_weights())
        np.testing.assert_allclose(twin.predict(x, verbose=0), expected, atol=1e-6)


def test_the_classes_of_functions_are_those_of_keras(tmp_path: Path) -> None:
    with installed("keras3"):
        import keras

        begin = keras.Input((4, 3))
        out = keras.ops.expand_dims(begin[:, 1:], axis=-1)
        config = keras.Model(begin, out).get_config()
    sliced, expanded = config["layers"][1:]
    assert (sliced["module"], sliced["class_name"]) == ("keras.src.ops.numpy", "GetItem")
    whole, rest = sliced["inbound_nodes"][0]["kwargs"]["key"]
    assert whole["config"] == {"start": None, "stop": None, "step": None}
    assert rest == {"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": None}}
    assert expanded["class_name"] == "ExpandDims"
    assert expanded["config"] == {"name": expanded["name"], "axis": -1}


def test_a_file_of_functions_is_not_read_where_there_are_none(tmp_path: Path) -> None:
    with installed("keras3"):
        import keras

        begin = keras.Input((4, 3))
        keras.Model(begin, keras.ops.mean(begin, axis=1)).save(str(tmp_path / "model.keras"))
    with pytest.raises(st.errors.StoreError, match="is an operation that is not known"):
        st.load(tmp_path / "model.keras")


def test_cells_on_each_other_are_written_as_keras_has_them(tmp_path: Path) -> None:
    with installed("keras3"):
        import keras
        from keras import layers

        cells = [layers.LSTMCell(3), layers.GRUCell(4), layers.LSTMCell(2)]
        model = keras.Sequential([keras.Input((5, 2)), layers.RNN(cells)])
        model.save_weights(str(tmp_path / "some.weights.h5"))
    with h5py.File(tmp_path / "some.weights.h5") as file:
        held = file["layers/rnn/cell/cells"]
        assert sorted(held) == ["gru_cell", "lstm_cell", "lstm_cell_1"]
        assert held["lstm_cell_1/vars/0"].shape == (4, 8)


@pytest.mark.parametrize(("scheduled", "count"), [(False, 4), (True, 3)])
def test_a_rate_of_a_schedule_is_no_variable(scheduled: bool, count: int) -> None:
    with installed("keras3"):
        import keras

        fall = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        model.compile(keras.optimizers.SGD(fall if scheduled else 0.1, momentum=0.9), "mse")
        fitted(model)
        shapes = [tuple(one.shape) for one in model.optimizer.variables]
    assert shapes == [*[()] * (count - 2), (4, 2), (2,)]


def test_variables_of_an_optimizer_are_in_the_order_of_keras() -> None:
    with installed("keras3"):
        import keras

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        model.compile(keras.optimizers.RMSprop(0.1, momentum=0.9), "mse")
        fitted(model)
        shapes = [tuple(one.shape) for one in model.optimizer.variables[2:]]
        model.compile(keras.optimizers.Adam(0.1), "mse")
        fitted(model)
        adam = [tuple(one.shape) for one in model.optimizer.variables[2:]]
    assert shapes == [(4, 2), (2,), (4, 2), (2,)]
    assert adam == [(4, 2), (4, 2), (2,), (2,)]
