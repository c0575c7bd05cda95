"""Hooks: what may happen at named moments of training, under Keras's callback names."""

from __future__ import annotations

import csv
import dataclasses
import inspect
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, MissingExtra, nearest, one_of
from .progress import say
from .setup import held

if TYPE_CHECKING:
    from ..model import Model

Logs = dict[str, float]


class Hook:
    """Something that watches training; override the moments that matter.

    `model` is the model, `params` the numbers of the run (epochs, steps). `logs` are the epoch's
    numbers. A hook may ask training to end with `self.stop(reason)`. Keras knows them as callbacks,
    with the same moments; a callback written for it works.

    Example:
        >>> class Echo(Hook):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, sorted(logs))
    """

    model: Model
    params: dict[str, Any]
    stopped = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a method that looks like a moment but is none."""
        super().__init_subclass__(**kwargs)
        for name in cls.__dict__:
            if name.startswith("on_") and name not in MOMENTS:
                raise ConfigError(
                    cls.__name__,
                    f"there is no moment {name!r}",
                    need="one of " + ", ".join(MOMENTS),
                    fix=nearest(name, MOMENTS),
                )

    def set_model(self, model: Model) -> None:
        """Remember the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Remember the numbers of the run."""
        self.params = params

    def stop(self, reason: str) -> None:
        """Ask training to end after this moment."""
        self.stopped = reason or "a hook asked for it"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Training has ended."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch begins; `epoch` counts from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch and its validation have ended."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A step begins."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A step has ended. `logs` is empty: reading numbers here would wait for the device."""


MOMENTS = tuple(name for name in vars(Hook) if name.startswith("on_"))


class Watching(Hook):
    """A hook that follows one number; better is lower, or higher for accuracies and the like."""

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0
    ) -> None:
        one_of(type(self).__name__, "mode", mode, ("auto", "min", "max"))
        higher = any(word in monitor for word in ("acc", "auc", "precision", "recall", "f1"))
        self.monitor, self.min_delta = monitor, abs(min_delta)
        self.sign = 1 if mode == "max" or (mode == "auto" and higher) else -1
        self.best = -math.inf

    def improved(self, logs: Logs | None) -> bool | None:
        """Return whether the number is the best so far; None where it is not there."""
        if not logs or self.monitor not in logs:
            validated = any(name.startswith("val_") for name in logs or {})
            if self.monitor.startswith("val_") and self.params.get("validates") and not validated:
                return None  # an epoch without validation: validation_freq
            known = ", ".join(logs or {})
            raise ConfigError(
                type(self).__name__,
                f"there is no number {self.monitor!r} to watch",
                need=f"one of {known}",
                fix=nearest(self.monitor, logs or {})
                or ("fit(..., validation_data=...)" if self.monitor.startswith("val_") else ""),
            )
        value = self.sign * logs[self.monitor]
        if value > self.best + self.min_delta:
            self.best = value
            return True
        return False


class EarlyStopping(Watching):
    """Stop when a number has not improved for `patience` epochs.

    `restore_best_weights` gives the model the weights of its best epoch back; `baseline` is a value
    to beat; nothing is watched before `start_from_epoch`.
    """

    kept: dict[str, Any] | None

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.baseline = patience, baseline
        self.restore, self.first = restore_best_weights, start_from_epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier training."""
        self.best = -math.inf if self.baseline is None else self.sign * self.baseline
        self.waited, self.kept = 0, None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Count the epochs without improvement."""
        better = None if epoch < self.first else self.improved(logs)
        if better is None:
            return
        if better:
            self.waited, self.best_epoch = 0, epoch
            if self.restore:
                state = self.model.state_dict()
                self.kept = {name: value.clone() for name, value in state.items()}
            return
        self.waited += 1
        if self.waited >= max(self.patience, 1):
            self.stop(f"{self.monitor} has not improved for {self.waited} epochs")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Give the best weights back."""
        if self.kept is not None:
            self.model.load_state_dict(self.kept)


class ModelCheckpoint(Watching):
    """Save the model after each epoch, or after those that are the best so far.

    `filepath` may hold {epoch} and the names of numbers: "best-{epoch:02d}-{val_loss:.3f}.striate".
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        save_best_only: bool = False,
        mode: str = "auto",
        save_weights_only: bool = False,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath, self.best_only = str(filepath), save_best_only
        self.weights_only = save_weights_only

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save."""
        if self.best_only and not self.improved(logs):
            return
        path = self.filepath.format(epoch=epoch + 1, **(logs or {}))
        self.model.save_weights(path) if self.weights_only else self.model.save(path)


class ReduceLROnPlateau(Watching):
    """Multiply the learning rate by `factor` after `patience` epochs without improvement.

    For `cooldown` epochs after that nothing is counted; the rate stays at least `min_lr`.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ConfigError(
                "ReduceLROnPlateau",
                f"factor={factor!r} cannot work",
                need="0 < factor < 1",
                fix="factor=0.1",
            )
        self.factor, self.patience, self.cooldown, self.min_lr = factor, patience, cooldown, min_lr

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier training."""
        self.best, self.waited, self.cooling = -math.inf, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Count the epochs without improvement."""
        better = self.improved(logs)
        if better is None:
            return
        self.cooling = max(self.cooling - 1, 0)
        if better or self.cooling:
            self.waited = 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            before = current_rate(self.model)
            rate = max(before * self.factor, self.min_lr)
            if rate < before:
                set_rate(self.model, rate)
                why = f"{self.monitor} has not improved for {self.waited} epochs"
                say(f"{why}: learning rate {rate:.3g}")
            self.waited, self.cooling = 0, self.cooldown


class LearningRateScheduler(Hook):
    """Set the learning rate of each epoch: `schedule(epoch)` or `schedule(epoch, rate so far)`."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        takes = inspect.signature(self.schedule).parameters
        both = len(takes) > 1 or any(p.kind is p.VAR_POSITIONAL for p in takes.values())
        given = (epoch, current_rate(self.model)) if both else (epoch,)
        rate = self.schedule(*given)
        set_rate(self.model, float(rate))
        if self.verbose:
            say(f"epoch {epoch + 1}: learning rate {float(rate):.3g}")


class TerminateOnNaN(Hook):
    """Stop when the loss is no longer a number."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        if logs and not math.isfinite(logs.get("loss", 0.0)):
            self.stop(f"the loss is {logs['loss']} in epoch {epoch + 1}")


class CSVLogger(Hook):
    """Write the numbers of each epoch to a CSV file, one line an epoch."""

    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False) -> None:
        self.path, self.separator, self.append = Path(filename), separator, append
        self.columns: Sequence[str] = ()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the file."""
        if not self.append:
            self.path.unlink(missing_ok=True)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a line."""
        row = {"epoch": epoch, **(logs or {})}
        new = not self.path.exists()
        self.columns = self.columns or list(row)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(
                file, self.columns, delimiter=self.separator, extrasaction="ignore"
            )
            if new:
                writer.writeheader()
            writer.writerow(row)


class LambdaCallback(Hook):
    """A hook of functions, by the moments' names: `LambdaCallback(on_epoch_end=print)`."""

    def __init__(self, **moments: Callable[..., None]) -> None:
        for name, function in moments.items():
            one_of("LambdaCallback", "moment", name, MOMENTS)
            setattr(self, name, function)


class TensorBoard(Hook):
    """Write the numbers of each epoch for TensorBoard."""

    def __init__(self, log_dir: str | Path = "logs") -> None:
        self.log_dir = str(log_dir)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the log."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingExtra("tensorboard", "tensorboard") from None
        self.writer = SummaryWriter(self.log_dir)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the numbers."""
        for name, value in (logs or {}).items():
            self.writer.add_scalar(f"epoch_{name}", value, epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the log."""
        self.writer.close()


class History(Hook):
    """The numbers of each epoch, `history.history["loss"][3]`, and why training ended."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append the numbers."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


def current_rate(model: Model) -> float:
    """Return the learning rate of the model's next step."""
    setup = held(model)
    return float(setup.optimizer.rate(setup.state or {"step": 0}))


def set_rate(model: Model, rate: float) -> None:
    """Set a constant learning rate from the next step on."""
    setup = held(model)
    setup.optimizer = dataclasses.replace(setup.optimizer, learning_rate=rate)


def ready(hooks: Sequence[Any] | None, model: Model, params: dict[str, Any]) -> list[Any]:
    """Return the hooks, told of the model, after checking that they are hooks."""
    several = [hooks] if isinstance(hooks, Hook) else list(hooks or [])
    for hook in several:
        if isinstance(hook, type) or not hasattr(hook, "on_epoch_end"):
            raise ConfigError(
                "callbacks",
                f"{hook!r} is not a hook",
                need="an object with on_epoch_end and the other moments",
                fix=f"{hook.__name__}()" if isinstance(hook, type) else "subclass st.hooks.Hook",
            )
        if isinstance(hook, Hook):
            hook.stopped = ""  # what an earlier training ended for
        hook.set_model(model)
        hook.set_params(params)
    return several


def tell(hooks: Sequence[Any], moment: str, *args: Any) -> str:
    """Call a moment of every hook; return why training shall stop, or an empty string."""
    for hook in hooks:
        getattr(hook, moment)(*args)
    return next((hook.stopped for hook in hooks if getattr(hook, "stopped", "")), "")
