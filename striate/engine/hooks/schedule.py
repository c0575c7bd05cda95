"""Hooks that change the learning rate between epochs."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import ConfigError
from ...settings import check_range, plain
from ..progress import say
from ..setup import held
from .hook import Hook, Logs, Watching

if TYPE_CHECKING:
    from ...model import Model


class ReduceLROnPlateau(Watching):
    """Multiply the learning rate by `factor` after `patience` epochs without improvement.

    For `cooldown` epochs after that nothing is counted; the rate stays at least `min_lr`;
    `verbose`: 0 says nothing of it.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 1,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        for field, value, interval, usual in (
            ("factor", factor, "(0, 1)", 0.1),
            ("patience", patience, "int [0, inf)", 10),
            ("cooldown", cooldown, "int [0, inf)", 0),
            ("min_lr", min_lr, "[0, inf)", 0.0),
        ):
            check_range("ReduceLROnPlateau", field, value, interval, usual)
        self.verbose = verbose
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
                if self.verbose:
                    why = f"{self.monitor} has not improved for {self.waited} epochs"
                    say(f"{why}: learning rate {rate:.3g}")
            self.waited, self.cooling = 0, self.cooldown


class LearningRateScheduler(Hook):
    """Set the learning rate of each epoch: `schedule(epoch)` or `schedule(epoch, rate so far)`."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule) or isinstance(schedule, type):
            raise ConfigError(
                "LearningRateScheduler",
                f"schedule={schedule!r} is not a function",
                need="a function of the epoch, or of the epoch and the rate so far",
                fix="LearningRateScheduler(lambda epoch: 0.1 * 0.5**epoch)",
            )
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        takes = inspect.signature(self.schedule).parameters
        both = len(takes) > 1 or any(p.kind is p.VAR_POSITIONAL for p in takes.values())
        given = (epoch, current_rate(self.model)) if both else (epoch,)
        rate = plain(self.schedule(*given))
        check_range("LearningRateScheduler", f"schedule({epoch})", rate, "(0, inf)")
        set_rate(self.model, float(rate))
        if self.verbose:
            say(f"epoch {epoch + 1}: learning rate {float(rate):.3g}")


def current_rate(model: Model) -> float:
    """Return the learning rate of the model's next step."""
    setup = held(model)
    return float(setup.optimizer.rate(setup.state or {"step": 0}))


def set_rate(model: Model, rate: float) -> None:
    """Set a constant learning rate from the next step on."""
    setup = held(model)
    setup.optimizer = dataclasses.replace(setup.optimizer, learning_rate=rate)
