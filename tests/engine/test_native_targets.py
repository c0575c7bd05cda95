"""Targets of plans: the losses of a training are torch's, whatever form the targets have."""

import numpy as np
import pytest

import striate as st
from striate import layers as L
from striate.engine.native import Chunk, NativeStep
from striate.errors import ShapeError
from striate.lower.runtime import library

pytestmark = pytest.mark.skipif(library() is None, reason="no native library was built")
NUMBERS = np.arange(60) % 3
TARGETS = {
    "one-hot rows": np.eye(3)[NUMBERS],
    "one-hot truth values": np.eye(3)[NUMBERS] > 0,
    "rows of numbers": np.random.default_rng(1).random((60, 3)),
}


def trained(loss: str, y: np.ndarray, engine: str) -> tuple[list[float], np.ndarray]:
    st.seed(3)
    model = st.Sequential([L.Input((5,)), L.Dense(3, activation="sigmoid")])
    model.compile(st.optimizers.SGD(0.5), loss, engine=engine)
    x = np.random.default_rng(0).random((60, 5))
    history = model.fit(x, y, batch_size=20, epochs=3, shuffle=False, verbose=0).history
    return history["loss"], model.predict(x)


@pytest.mark.parametrize("loss", ["mse", "mae", "binary_crossentropy", "hinge"])
@pytest.mark.parametrize("form", TARGETS)
def test_no_form_of_targets_changes_a_loss(loss: str, form: str) -> None:
    want, outputs = trained(loss, TARGETS[form], "torch")
    losses, found = trained(loss, TARGETS[form], "auto")
    np.testing.assert_allclose(losses, want, rtol=1e-5)
    np.testing.assert_allclose(found, outputs, rtol=1e-4)


def test_one_hot_rows_are_no_class_numbers() -> None:
    with pytest.raises(ShapeError, match="do not fit the outputs"):
        trained("sparse_categorical_crossentropy", TARGETS["one-hot rows"], "auto")


def test_a_chunk_that_no_plan_takes_is_trained_batch_by_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    y = TARGETS["rows of numbers"]
    want, outputs = trained("mse", y, "auto")
    refused = []

    def run(self: NativeStep, batch: object, *, training: bool) -> bool:
        refused.append(type(batch))
        return False

    monkeypatch.setattr(NativeStep, "_run", run)
    losses, found = trained("mse", y, "auto")
    assert Chunk in refused
    np.testing.assert_allclose(losses, want, rtol=1e-5)
    np.testing.assert_allclose(found, outputs, rtol=1e-4)
