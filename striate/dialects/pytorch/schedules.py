"""Schedulers as they were: `verbose` prints what a step has changed, and epochs begin with a step.

Up to 1.0 a scheduler's first step was that of epoch 0, so that scripts made it before they trained
an epoch. Today it is that of epoch 1, and torch warns of a step before the optimizer's.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

from torch.optim import lr_scheduler

from ..dialect import Patch

PLATEAU = lr_scheduler.ReduceLROnPlateau
VERBOSE = 4  # place among the arguments of ReduceLROnPlateau, up to 2.1


def patches(version: str) -> Iterator[Patch]:
    """Yield the rows of every scheduler that takes no `verbose` today."""
    types = {one for one in vars(lr_scheduler).values() if isinstance(one, type)}
    for kind in (one for one in types if issubclass(one, lr_scheduler.LRScheduler)):
        takes = inspect.signature(kind.__init__).parameters
        if "verbose" in takes:
            continue
        yield kind, "__init__", _spoken(kind.__init__, len(takes) - 1)
        if "step" in vars(kind) and kind is not PLATEAU:
            step = _from_zero(kind.step) if version == "pytorch0" else kind.step
            yield kind, "step", _told(step)
    yield PLATEAU, "_reduce_lr", _reduced(vars(PLATEAU)["_reduce_lr"])


def _spoken(original: Callable[..., None], places: int) -> Callable[..., None]:
    @functools.wraps(original)
    def begin(self: Any, *args: Any, **words: Any) -> None:
        verbose = words.pop("verbose", False)
        plateau = isinstance(self, PLATEAU)
        if plateau and len(args) > VERBOSE and isinstance(args[VERBOSE], bool):
            verbose, args = args[VERBOSE], args[:VERBOSE] + args[VERBOSE + 1 :]
        elif len(args) > places:
            verbose, args = args[places], args[:places]
        original(self, *args, **words)
        if verbose and verbose != "deprecated":
            self.verbose = True
            if not plateau:
                _say(self)

    return begin


def _say(scheduler: Any) -> None:
    for number, group in enumerate(scheduler.optimizer.param_groups):
        rate = float(group["lr"])
        sys.stdout.write(f"Adjusting learning rate of group {number} to {rate:.4e}.\n")


def _from_zero(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def step(self: Any, *args: Any, **words: Any) -> None:
        trained = getattr(self.optimizer, "_opt_called", False)
        first = getattr(self, "_step_count", 0) == 1 and not trained
        if first:
            self._step_count += 1
            self.last_epoch -= 1
        self._is_initial = first
        original(self, *args, **words)
        self._is_initial = False

    return step


def _told(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def step(self: Any, *args: Any, **words: Any) -> None:
        original(self, *args, **words)
        if getattr(self, "verbose", False):
            _say(self)

    return step


def _reduced(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def reduce_lr(self: Any, epoch: Any) -> None:
        groups = self.optimizer.param_groups
        before = [float(group["lr"]) for group in groups]
        original(self, epoch)
        now = f"{epoch:.2f}" if isinstance(epoch, float) else f"{epoch:05d}"
        for number, group in enumerate(groups):
            after = float(group["lr"])
            if getattr(self, "verbose", False) and after != before[number]:
                what = f"reducing learning rate of group {number} to {after:.4e}."
                sys.stdout.write(f"Epoch {now}: {what}\n")

    return reduce_lr
