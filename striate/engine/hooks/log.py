"""Log: a run learns what each epoch gave."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...store import epochs
from ...store.steps import Steps
from .hook import Hook
from .schedule import current_rate

if TYPE_CHECKING:
    from ...store.run import Run


class Log(Hook):
    """Writes each epoch's numbers into a run, some between, and the weights of a small network.

    The epochs of a run are counted through where a program trains more than once.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.steps = Steps(run.path)
        self.made = self.length = 0  # steps so far, and those of an epoch

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Keep the weights that training begins with."""
        epochs.keep(self.run.path, len(self.run.epochs), self.model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the clock."""
        self.began = self.looked = time.monotonic()
        self.before = (0, 0, 0.0)
        self.length = self.params.get("steps") or self.length

    def wants_steps(self) -> bool:
        """Return whether it is time for a line between two epochs."""
        return self.steps.due()

    def steps_ended(self, done: int, samples: int, loss: float) -> None:
        """Write what the steps since the last line gave, where the length of an epoch is known."""
        now = time.monotonic()
        few = now - self.looked < self.steps.every_s / 4
        if few and self.before[0]:
            return  # the rest of an epoch, too short for a speed
        steps, images, sum_ = (
            a - b for a, b in zip((done, samples, loss), self.before, strict=True)
        )
        passed, self.looked, self.before = now - self.looked, now, (done, samples, loss)
        if not (steps and images):
            return
        part = done / max(self.length, done) if self.length else 1.0
        self.steps.add(
            {
                "at": round(len(self.run.epochs) + part, 5),
                "step": self.made + done,
                "steps": steps,
                "loss": sum_ / images,
                "lr": current_rate(self.model),
                "images_s": images / max(passed, 1e-9),
            }
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the line and the weights."""
        self.made += self.length or self.before[0]
        self.length = self.length or self.before[0]
        seconds = round(time.monotonic() - self.began, 3)
        rate = current_rate(self.model)
        self.run.log(len(self.run.epochs), {**(logs or {}), "lr": rate, "seconds": seconds})
        epochs.keep(self.run.path, len(self.run.epochs), self.model)
