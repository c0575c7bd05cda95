"""Hook: the moments of training, and what follows one number through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from ...core.arguments import check_arguments
from ...errors import ConfigError, nearest, one_of
from ...settings import check_range

if TYPE_CHECKING:
    from ...model import Model

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

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Name a misspelt argument before the constructor refuses it."""
        check_arguments(cls, args, kwargs)
        return super().__new__(cls)

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

    def wants_steps(self) -> bool:
        """Return whether `steps_ended` shall be told now."""
        return False

    def steps_ended(self, done: int, samples: int, loss: float) -> None:
        """Some steps have ended, asked for by `wants_steps` or the last of an epoch.

        `done` steps, `samples` and the sum of the losses of the samples since the epoch began.
        Reading the loss waits for the device; the steps of one call of the engine come together.
        """

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
        check_text(type(self).__name__, "monitor", monitor, "val_loss")
        one_of(type(self).__name__, "mode", mode, ("auto", "min", "max"))
        check_range(type(self).__name__, "min_delta", min_delta, "(-inf, inf)", 0.0)
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


def check_text(where: str, field: str, value: Any, usual: str) -> None:
    """Raise ConfigError unless `value` is a text or a path that says something."""
    if not isinstance(value, (str, Path)) or not str(value):
        raise ConfigError(
            where, f"{field}={value!r} is not a name", need="a text", fix=f'{field}="{usual}"'
        )


class History(Hook):
    """The numbers of each epoch, `history.history["loss"][3]`, and why training ended."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.spent: dict[str, float] = {}  # seconds: data, steps, validation, hooks

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append the numbers."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


def ready(hooks: Any, model: Model, params: dict[str, Any]) -> list[Any]:
    """Return the hooks, told of the model, after checking that they are hooks."""
    several = list(hooks or ()) if hooks is None or isinstance(hooks, (list, tuple)) else [hooks]
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


def tell_steps(hooks: Sequence[Any], step: Any, done: int, *, last: bool = False) -> None:
    """Tell the hooks that want to know how far the steps of an epoch are."""
    for hook in hooks:
        if isinstance(hook, Hook) and (hook.wants_steps() or (last and _follows(hook))):
            hook.steps_ended(done, step.samples, float(step.total))


def _follows(hook: Hook) -> bool:
    return type(hook).steps_ended is not Hook.steps_ended


def watch_batches(hooks: Sequence[Any]) -> bool:
    """Return whether a hook has something to do at every batch."""
    return any(
        getattr(type(hook), moment, None) is not getattr(Hook, moment) or moment in vars(hook)
        for hook in hooks
        for moment in ("on_train_batch_begin", "on_train_batch_end")
    )
