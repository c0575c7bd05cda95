"""Hooks that end training: when nothing improves, and when the loss is no number."""

from __future__ import annotations

import math
from typing import Any

from ...settings import check_range
from ..progress import say
from .hook import Hook, Logs, Watching


class EarlyStopping(Watching):
    """Stop when a number has not improved for `patience` epochs.

    `restore_best_weights` gives the model the weights of its best epoch back; `baseline` is a value
    to beat; nothing is watched before `start_from_epoch`; `verbose`: 1 says whose weights they are.
    """

    kept: dict[str, Any] | None

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        check_range("EarlyStopping", "patience", patience, "int [0, inf)", 0)
        check_range("EarlyStopping", "start_from_epoch", start_from_epoch, "int [0, inf)", 0)
        if baseline is not None:
            check_range("EarlyStopping", "baseline", baseline, "(-inf, inf)", 0.5)
        self.patience, self.baseline, self.verbose = patience, baseline, verbose
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
            if self.verbose:
                say(f"the weights are those of epoch {self.best_epoch + 1}, the best")


class TerminateOnNaN(Hook):
    """Stop when the loss is no longer a number."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        if logs and not math.isfinite(logs.get("loss", 0.0)):
            self.stop(f"the loss is {logs['loss']} in epoch {epoch + 1}")
