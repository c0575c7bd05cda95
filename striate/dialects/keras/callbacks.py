"""Callbacks of a Keras script, with the rules and the messages of each version."""

from __future__ import annotations

import csv
import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.hooks import TensorBoard as NativeBoard
from ...errors import MissingExtra, caller
from ..table import DialectError
from .progress import History
from .session import KerasSession


class Callback:
    """What a script derives its own callbacks from."""

    __module__ = "keras.callbacks"
    model: Any = None
    params: Any = None
    validation_data: Any = None

    def set_model(self, model: Any) -> None:
        """Remember the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Remember the numbers of the run."""
        self.params = params

    _set_model, _set_params = set_model, set_params

    def on_train_begin(self, logs: Any = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: Any = None) -> None:
        """Training has ended."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """An epoch begins."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """An epoch has ended."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A step begins."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """A step has ended."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A step begins."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Judging begins."""

    def on_test_end(self, logs: Any = None) -> None:
        """Judging has ended."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Predicting begins."""

    def on_predict_end(self, logs: Any = None) -> None:
        """Predicting has ended."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A batch to judge begins."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """A batch is judged."""

    on_predict_batch_begin, on_predict_batch_end = on_test_batch_begin, on_test_batch_end

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A step has ended."""


class Watching(Callback):
    """Follows one number; more is better for accuracies."""

    session: KerasSession

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        more = mode == "max" or (mode not in ("min", "max") and (
            "acc" in monitor or monitor.startswith("fmeasure") or "auc" in monitor.lower()
        ))  # fmt: skip
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.sign = 1 if more else -1
        self.best = -self.sign * math.inf

    def better(self, value: float, than: float | None = -math.inf) -> bool:
        """Return whether a value is better than the best so far, or than another one, if any."""
        other = self.best if than == -math.inf else than
        return other is None or self.sign * (value - other) > self.min_delta

    def value(self, logs: Any) -> float | None:
        """Return the number, or say that it is not there."""
        logs = logs or {}
        if self.monitor not in logs:
            self.session.note(
                f"{type(self).__name__}: there is no number {self.monitor!r} to watch, only "
                + ", ".join(logs)
            )
            return None
        return float(logs[self.monitor])

    def say(self, text: str) -> None:
        """Print a message as the version does: from Keras 2 on, on a line of its own."""
        print(text if self.session.version.old else f"\n{text}")  # noqa: T201


class EarlyStopping(Watching):
    """Stops when a number has not improved for `patience` epochs (Keras 1: one more)."""

    def __init__(self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0,
                 verbose: int = 0, mode: str = "auto", baseline: float | None = None,
                 restore_best_weights: bool = False,
                 start_from_epoch: int = 0) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore, self.first = restore_best_weights, start_from_epoch

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget an earlier training."""
        self.wait, self.stopped_epoch = 0, 0
        self.kept: list[Any] | None = None
        newer = self.session.version.steps  # tf.keras and Keras 3
        self.best = -self.sign * math.inf
        self.best = self.best if self.baseline is None or newer else self.baseline
        self.best_epoch = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Count the epochs without improvement."""
        value = self.value(logs)
        if value is None or epoch < self.first:
            return
        newer = self.session.version.steps
        if newer and self.kept is None:
            self._keep(epoch)
        self.wait += newer
        if self.better(value):
            self.best = value
            self._keep(epoch)
            if not newer or self.better(value, self.baseline):
                self.wait = 0
            return
        over = self.wait >= self.patience
        self.wait += not newer
        if newer:
            over = over and epoch > 0
        elif not self.session.version.strict_wait:
            over = self.wait >= self.patience
        if over:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if self.session.version.latches:
                self._give_back()

    def on_train_end(self, logs: Any = None) -> None:
        """Say it; Keras 3 gives the best weights back however training has ended."""
        if self.stopped_epoch and self.verbose:
            number = self.stopped_epoch + (0 if self.session.version.old else 1)
            early = self.session.version.name not in ("tf", "keras3")
            print(f"Epoch {number:05d}: early stopping" if early  # noqa: T201
                  else f"Epoch {number}: early stopping")  # fmt: skip
        if not self.session.version.latches:
            self._give_back()

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore:
            self.kept = [w.detach().clone() for w in self.model.weights]

    def _give_back(self) -> None:
        if self.kept is None:
            return
        if self.verbose:
            which = f": {self.best_epoch + 1}." if self.session.version.steps else ""
            print(f"Restoring model weights from the end of the best epoch{which}")  # noqa: T201
        for weight, value in zip(self.model.weights, self.kept, strict=True):
            weight.data.copy_(value)


class ModelCheckpoint(Watching):
    """Saves the model, or its weights, after each epoch or after the best."""

    def __init__(self, filepath: Any, monitor: str = "val_loss", verbose: int = 0,
                 save_best_only: bool = False, save_weights_only: bool = False, mode: str = "auto",
                 period: int = 1, save_freq: Any = "epoch", **words: Any) -> None:  # fmt: skip
        super().__init__(monitor, mode)
        self.filepath, self.verbose, self.period = str(filepath), verbose, period
        self.best_only, self.weights_only = save_best_only, save_weights_only
        self.since = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save."""
        self.since += 1
        if self.since < self.period:
            return
        self.since = 0
        number = epoch + (0 if self.session.version.old else 1)
        path = self.filepath.format(**{"epoch": number, **_both(logs)})
        head = f"Epoch {number:05d}" if self.session.version.name not in ("tf", "keras3") else (
            f"Epoch {number}"
        )  # fmt: skip
        if not self.best_only:
            if self.verbose:
                self.say(f"{head}: saving model to {path}")
            self._save(path)
            return
        value = self.value(logs)
        if value is None:
            return
        if self.better(value):
            if self.verbose:
                self.say(f"{head}: {self.monitor} improved from {self.best:.5f} to {value:.5f},"
                         f" saving model to {path}")  # fmt: skip
            self.best = value
            self._save(path)
        elif self.verbose:
            end = "" if self.session.version.old else f" from {self.best:.5f}"
            self.say(f"{head}: {self.monitor} did not improve{end}")

    def _save(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        (self.model.save_weights if self.weights_only else self.model.save)(path)


def rate_word(session: KerasSession) -> str:
    """Return what the learning rate is called among the numbers of an epoch."""
    return "learning_rate" if session.version.name == "keras3" else "lr"


class ReduceLROnPlateau(Watching):
    """Multiplies the learning rate by `factor` where a number no longer improves."""

    def __init__(self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10,
                 verbose: int = 0, mode: str = "auto", min_delta: float = 1e-4, cooldown: int = 0,
                 min_lr: float = 0, epsilon: float | None = None,
                 **words: Any) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta if epsilon is None else epsilon)
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget an earlier training."""
        self.wait, self.cooling, self.best = 0, 0, -self.sign * math.inf

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Count the epochs without improvement."""
        value = self.value(logs)
        if logs is not None:
            logs[rate_word(self.session)] = float(self.model.optimizer.lr)
        if value is None:
            return
        if self.cooling > 0:
            self.cooling -= 1
            self.wait = 0
        if self.better(value):
            self.best, self.wait = value, 0
        elif self.cooling <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        before = float(self.model.optimizer.lr)
        if before <= np.float32(self.min_lr):
            return
        rate = max(before * self.factor, self.min_lr)
        self.model.optimizer.lr = rate
        self.wait, self.cooling = 0, self.cooldown
        if self.verbose:
            number = epoch + (0 if self.session.version.old else 1)
            self.say(f"Epoch {number:05d}: ReduceLROnPlateau reducing learning rate to {rate}.")


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch: schedule(epoch), or schedule(epoch, rate)."""

    session: KerasSession

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the rate."""
        takes = inspect.signature(self.schedule).parameters
        before = float(self.model.optimizer.lr)
        needed = [p for p in takes.values() if p.default is p.empty or p.name in ("lr", "rate")]
        rate = self.schedule(epoch, before) if len(needed) > 1 else self.schedule(epoch)
        self.model.optimizer.lr = float(rate)
        if self.verbose:
            late = self.session.version.name in ("tf", "keras3")
            print(f"\nEpoch {epoch + 1:{'' if late else '05d'}}: LearningRateScheduler setting "  # noqa: T201
                  f"learning rate to {float(rate)}.")  # fmt: skip

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Add the rate to the numbers of the epoch."""
        if logs is not None:
            logs[rate_word(self.session)] = float(self.model.optimizer.lr)


class CSVLogger(Callback):
    """Writes the numbers of each epoch to a CSV file."""

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        self.path, self.separator, self.append = Path(filename), separator, append
        self.columns: list[str] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin the file."""
        if not self.append:
            self.path.unlink(missing_ok=True)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a line; names are in order."""
        logs = dict(logs or {})
        self.columns = self.columns or sorted(logs)
        new = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=self.separator)
            if new:
                writer.writerow(["epoch", *self.columns])
            writer.writerow([epoch, *(logs.get(name, "NA") for name in self.columns)])


class TensorBoard(Callback):
    """Writes the numbers of each epoch for TensorBoard, where that is installed."""

    session: KerasSession

    def __init__(self, log_dir: str = "./logs", *args: Any, **words: Any) -> None:
        self.native: Any = NativeBoard(str(log_dir))

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the log."""
        try:
            self.native.on_train_begin()
        except MissingExtra as error:
            self.session.note(f"TensorBoard writes nothing: {error.rows['fix']}")
            self.native = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the numbers."""
        if self.native is not None:
            self.native.on_epoch_end(epoch, dict(logs or {}))

    def on_train_end(self, logs: Any = None) -> None:
        """Close the log."""
        if self.native is not None:
            self.native.on_train_end()


class TerminateOnNaN(Callback):
    """Stops when the loss is no longer a number; with `raise_error`, by an error."""

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            if self.raise_error:
                raise RuntimeError(f"NaN or Inf loss encountered at epoch {epoch}")
            print(f"Epoch {epoch}: Invalid loss, terminating training")  # noqa: T201
            self.model.stop_training = True


class LambdaCallback(Callback):
    """A callback of functions, by the moments' names."""

    def __init__(self, **moments: Callable[..., Any]) -> None:
        for name, function in moments.items():
            if function is not None:
                setattr(self, name, function)


class SwapEMAWeights(Callback):
    """Lets the averages of the weights stand in for them where the model is judged and used.

    With `swap_on_epoch` they do so from the end of an epoch to the begin of the next.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.at_end, self.swapped = swap_on_epoch, False

    def _swap(self, wanted: bool) -> None:
        if self.swapped == wanted:
            return
        setup, self.swapped = self.model._trained.setup, wanted
        if not setup.optimizer.use_ema:
            raise DialectError(
                "SwapEMAWeights",
                "the optimizer keeps no averages of the weights",
                got="use_ema=False",
                fix="use_ema=True for the optimizer",
                at=caller(),
            )
        if not setup.state:
            return
        weights = dict(self.model._trained.named_parameters())
        for name, average in zip(setup.names, setup.state["average"], strict=True):
            kept = weights[name].detach().clone()
            weights[name].detach().copy_(average)
            average.copy_(kept)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Give the weights back."""
        if self.at_end:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the averages in; after the last epoch they stay, as they do without this."""
        if not self.at_end:
            return
        self._swap(True)
        if epoch == self.params["epochs"] - 1:
            setup, weights = self.model._trained.setup, dict(self.model._trained.named_parameters())
            for name, average in zip(setup.names, setup.state["average"], strict=True):
                average.copy_(weights[name].detach())

    def on_test_begin(self, logs: Any = None) -> None:
        """Judge the averages."""
        self._swap(True)

    def on_test_end(self, logs: Any = None) -> None:
        """Give the weights back."""
        self._swap(False)


class Silent(Callback):
    """A callback whose work fit does itself, or that has nothing to do here."""

    def __init__(self, *args: Any, **words: Any) -> None:
        pass


Callback.idle = (Callback, Watching)  # type: ignore[attr-defined]  # they do nothing at a batch


def _both(logs: Any) -> dict[str, Any]:
    """Return numbers under both spellings of the accuracy."""
    known = dict(logs or {})
    for key, value in list(known.items()):
        known.setdefault(key.replace("accuracy", "acc"), value)
        if key.endswith("acc"):
            known.setdefault(key[:-3] + "accuracy", value)
    return known


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.callbacks`, holding the session of the script."""
    watching = (EarlyStopping, ModelCheckpoint, ReduceLROnPlateau, TensorBoard,
                LearningRateScheduler)  # fmt: skip
    bound = {
        cls.__name__: type(cls.__name__, (cls,), {"session": session, "__module__": cls.__module__})
        for cls in watching
    }
    plain = (SwapEMAWeights, CSVLogger, TerminateOnNaN, LambdaCallback, Callback, History)
    silent = ("BaseLogger", "ProgbarLogger", "RemoteMonitor", "BackupAndRestore")
    return {
        **bound, **{cls.__name__: cls for cls in plain},
        **{name: type(name, (Silent,), {}) for name in silent},
    }  # fmt: skip
