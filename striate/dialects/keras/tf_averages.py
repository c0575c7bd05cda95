"""`tf.train.ExponentialMovingAverage`: averages of variables over the steps of training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class ExponentialMovingAverage:
    """Averages that `apply` moves towards the variables: by 1 - decay, less in the first steps.

    With `num_updates`, the decay is at most (1 + num_updates) / (10 + num_updates).
    """

    def __init__(self, decay: float, num_updates: Any = None, zero_debias: bool = False,
                 name: str = "ExponentialMovingAverage") -> None:  # fmt: skip
        self.decay, self.num_updates, self.name = decay, num_updates, name
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}  # variable and average, by its id

    def apply(self, var_list: Iterable[Tensor]) -> None:
        """Take the variables in; the first time, their values are the averages."""
        decay = float(self.decay)
        if self.num_updates is not None:
            steps = float(self.num_updates)
            decay = min(decay, (1 + steps) / (10 + steps))
        with torch.no_grad():
            for one in var_list:
                if id(one) in self.kept:
                    self.kept[id(one)][1].lerp_(one.detach(), 1 - decay)
                else:
                    self.kept[id(one)] = (one, one.detach().clone())

    def average(self, var: Tensor) -> Tensor | None:
        """Return the average of a variable."""
        return self.kept[id(var)][1] if id(var) in self.kept else None

    def variables_to_restore(self, moving_avg_variables: Any = None) -> dict[str, Tensor]:
        """Return the averages by numbers."""
        return {str(at): average for at, (_, average) in enumerate(self.kept.values())}
