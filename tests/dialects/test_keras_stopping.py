"""EarlyStopping and the rate of schedules, as each version of Keras has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.dialects import installed

X, Y = np.ones((4, 1), "float32"), np.zeros((4, 1), "float32")


def stopped(version: str, rates: list[float], **words: Any) -> tuple[int, float, str]:
    """Train w (x = 1, y = 0) at given rates; return the epochs, the last |w|, and what was said."""
    lines: list[str] = []
    with installed(version), pytest.MonkeyPatch.context() as patch:
        from keras.callbacks import EarlyStopping, LearningRateScheduler
        from keras.layers import Dense
        from keras.models import Sequential
        from keras.optimizers import SGD

        model = Sequential([Dense(1, use_bias=False, input_shape=(1,))])
        model.set_weights([np.ones((1, 1))])
        model.compile(SGD(0.1), "mse")
        patch.setattr("builtins.print", lambda *args, **_: lines.append(" ".join(map(str, args))))
        calls = [LearningRateScheduler(lambda epoch: rates[epoch]),
                 EarlyStopping("loss", verbose=1, **words)]  # fmt: skip
        history = model.fit(X, Y, batch_size=4, epochs=len(rates), verbose=0, callbacks=calls)
        return len(history.epoch), abs(model.get_weights()[0].item()), "\n".join(lines)


@pytest.mark.parametrize("version", ["keras2", "tf", "keras3"])
def test_the_best_weights_come_back_when_training_is_stopped(version: str) -> None:
    # w becomes -2 w: losses 1, 4, 16
    epochs, w, said = stopped(version, [1.5] * 5, patience=2, restore_best_weights=True)
    assert (epochs, w) == (3, pytest.approx(2.0, rel=1e-5))
    assert "early stopping" in said and "Restoring model weights" in said


@pytest.mark.parametrize(("version", "w"), [("keras2", 4.0), ("tf", 4.0), ("keras3", 2.0)])
def test_keras_3_gives_them_back_however_training_ends(version: str, w: float) -> None:
    epochs, found, _ = stopped(version, [1.5] * 2, patience=5, restore_best_weights=True)
    assert (epochs, found) == (2, pytest.approx(w, rel=1e-5))


def test_the_first_epoch_is_never_the_last_one_in_newer_versions() -> None:
    baseline: dict[str, Any] = {"patience": 0, "baseline": 0.5, "mode": "min"}
    assert stopped("keras2", [0.1] * 3, **baseline)[0] == 1
    assert stopped("keras3", [0.1] * 3, **baseline)[0] == 3


def test_the_rate_of_a_schedule_is_that_of_the_step() -> None:
    with installed("keras3"):
        import keras

        falling = keras.optimizers.schedules.InverseTimeDecay(0.02, 2, 0.5)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(falling), "mse")
        model.fit(X, Y, verbose=0)
        assert float(model.optimizer.learning_rate) == pytest.approx(0.016)
    with installed("keras2"):
        from keras.layers import Dense
        from keras.models import Sequential
        from keras.optimizers import SGD

        old = Sequential([Dense(1, input_shape=(1,))])
        old.compile(SGD(0.02, decay=0.5), "mse")
        old.fit(X, Y, verbose=0)
        assert float(old.optimizer.lr) == pytest.approx(0.02)
