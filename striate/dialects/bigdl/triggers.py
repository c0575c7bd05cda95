"""Triggers: when training ends, is validated and kept."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Progress:
    """How far training is: epochs and iterations that are done, the last score and loss; `ended`
    whether an epoch has just ended.
    """

    epoch: int = 0
    iteration: int = 0
    score: float = -math.inf
    loss: float = math.inf
    ended: bool = False


class Trigger:
    """A condition on the progress; `watches_steps` whether it may be met inside an epoch."""

    watches_steps = False

    def fires(self, progress: Progress) -> bool:
        """Return whether the condition is met."""
        raise TypeError(f"{type(self).__name__} does not define fires")

    def epochs(self, steps: int) -> float:
        """Return how many epochs of so many steps are enough for it to be met."""
        return math.inf


@dataclass
class MaxEpoch(Trigger):
    """So many epochs are done."""

    max: int

    def fires(self, progress: Progress) -> bool:
        """Return whether the condition is met."""
        return progress.epoch >= self.max

    def epochs(self, steps: int) -> float:
        """Return them."""
        return self.max


@dataclass
class MaxIteration(Trigger):
    """So many iterations are done."""

    max: int
    watches_steps = True

    def fires(self, progress: Progress) -> bool:
        """Return whether the condition is met."""
        return progress.iteration >= self.max

    def epochs(self, steps: int) -> float:
        """Return the epochs that hold so many."""
        return math.ceil(self.max / steps)


class EveryEpoch(Trigger):
    """An epoch has ended."""

    def fires(self, progress: Progress) -> bool:
        """Return whether the condition is met."""
        return progress.ended


@dataclass
class SeveralIteration(Trigger):
    """Another so many iterations are done."""

    interval: int
    watches_steps = True

    def fires(self, progress: Progress) -> bool:
        """Return whether the condition is met."""
        return not progress.ended and progress.iteration % self.interval == 0


@dataclass
class MaxScore(Trigger):
    """The last score is larger."""

    max: float

    def fires(self, progress: Progress) -> bool:
        """Return whether the condition is met."""
        return progress.score > self.max


@dataclass
class MinLoss(Trigger):
    """The last loss is smaller."""

    min: float

    def fires(self, progress: Progress) -> bool:
        """Return whether the condition is met."""
        return progress.loss < self.min


class Several(Trigger):
    """A condition of conditions."""

    def __init__(self, first: Trigger, *other: Trigger) -> None:
        self.parts = (first, *other)
        self.watches_steps = any(part.watches_steps for part in self.parts)


class TriggerAnd(Several):
    """All of them are met."""

    def fires(self, progress: Progress) -> bool:
        """Return whether the condition is met."""
        return all(part.fires(progress) for part in self.parts)

    def epochs(self, steps: int) -> float:
        """Return the most that one of them needs."""
        return max(part.epochs(steps) for part in self.parts)


class TriggerOr(Several):
    """One of them is met."""

    def fires(self, progress: Progress) -> bool:
        """Return whether the condition is met."""
        return any(part.fires(progress) for part in self.parts)

    def epochs(self, steps: int) -> float:
        """Return the least that one of them needs."""
        return min(part.epochs(steps) for part in self.parts)


TRIGGERS = (MaxEpoch, MaxIteration, EveryEpoch, SeveralIteration, MaxScore, MinLoss, TriggerAnd,
            TriggerOr)  # fmt: skip
