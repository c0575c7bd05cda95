"""Log: a run learns what each epoch gave."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...store import epochs
from .hook import Hook
from .schedule import current_rate

if TYPE_CHECKING:
    from ...store.run import Run


class Log(Hook):
    """Writes each epoch's numbers into a run, and the weights of a small network.

    The epochs of a run are counted through where a program trains more than once.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Keep the weights that training begins with."""
        epochs.keep(self.run.path, len(self.run.epochs), self.model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the clock."""
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the line and the weights."""
        seconds = round(time.monotonic() - self.began, 3)
        rate = current_rate(self.model)
        self.run.log(len(self.run.epochs), {**(logs or {}), "lr": rate, "seconds": seconds})
        epochs.keep(self.run.path, len(self.run.epochs), self.model)
