"""Habit: what is known of the training of a network, and what its optimizer lends meanwhile."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from torch import Tensor, optim

from ...engine.early import Early
from ...engine.taped import Taped
from ...engine.taped_plan import Slots
from ...lower.builder import Update
from .deferred import CLASSES
from .optimizers import slots_of

STEADY = 2  # steps by one rule, before the next ones are expected
LENDS = "_lends"  # attribute of an optimizer: the habit that has what it keeps


class Habit(Early):
    """What is known of the training of a network: whose steps follow, by which rule, and how many.

    The network has it (`Taped.habit`), and the optimizer, while that lends what it keeps.
    Fields: `ids` of the weights that are trained; `refused`, for good, as gradients are added to
    others; `spent`, whether a step has used up the gradients, and they are not set to zero yet;
    `lent`, what the optimizer keeps, after `count` steps; `of_classes`, whether the last loss was
    the mean crossentropy of classes alone.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        super().__init__()
        self.ids = [id(one) for one in weights if one.requires_grad]
        self.optimizer: weakref.ref[optim.Optimizer] | None = None
        self.rule: Update | None = None
        self.steps = 0
        self.refused = False
        self.spent = False
        self.lent: Slots | None = None
        self.count = 0
        self.of_classes = False

    def follows(self, taped: Taped, optimizer: optim.Optimizer, rule: Update | None) -> None:
        """Note a step of the network that was made by torch."""
        known = self.is_of(optimizer) and rule is not None and rule == self.rule
        self.steps = self.steps + 1 if known else 0
        if not self.is_of(optimizer):
            self.home()
            self.optimizer = weakref.ref(optimizer)
        self.rule = rule
        if self.steps >= STEADY and rule is not None and not self.refused:
            taped.expect(rule, CLASSES if self.of_classes else None)

    def is_of(self, optimizer: Any) -> bool:
        """Return whether this optimizer made the last step."""
        return self.optimizer is not None and self.optimizer() is optimizer

    def lend(self, optimizer: Any, weights: Sequence[Tensor]) -> Slots | None:
        """Return what the optimizer keeps, to be changed outside; None if not all is there."""
        if self.lent is None:
            home(optimizer)  # from the same network for images of another size
            state = vars(optimizer)["state"]
            names = slots_of(optimizer.param_groups[0])
            kept = [state.get(one, {}) if one.requires_grad else None for one in weights]
            if any(one is not None and None in map(one.get, names) for one in kept):
                return None
            numbers = {float(one["step"]) for one in kept if one is not None and "step" in one}
            if len(numbers) > 1:
                return None
            self.count = int(max(numbers, default=0))
            self.lent = Slots([[one[name] for name in names] if one else [] for one in kept])
            vars(optimizer)[LENDS] = self
        return self.lent

    def home(self) -> None:
        """Let the optimizer have again what was lent."""
        lent, self.lent = self.lent, None
        optimizer = self.optimizer and self.optimizer()
        if lent is None or optimizer is None:
            return
        del vars(optimizer)[LENDS]
        lent.home()
        state = vars(optimizer)["state"]
        for one in weights_of(optimizer):
            trained = id(one) in self.ids  # another one may have been frozen meanwhile
            if trained and isinstance(state.get(one, {}).get("step"), Tensor):
                state[one]["step"].fill_(self.count)


def home(optimizer: Any) -> None:
    """Let an optimizer have what it keeps."""
    habit: Habit | None = vars(optimizer).get(LENDS)
    if habit is not None:
        habit.home()


def weights_of(optimizer: Any) -> list[Tensor]:
    """Return all weights of an optimizer."""
    return [one for group in optimizer.param_groups for one in group["params"]]
