"""Schedulers as they were: `verbose`, by its word or its place, prints what a step has changed."""

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


def patches() -> Iterator[Patch]:
    """Yield the rows of every scheduler that takes no `verbose` today."""
    types = {one for one in vars(lr_scheduler).values() if isinstance(one, type)}
    for kind in (one for one in types if issubclass(one, lr_scheduler.LRScheduler)):
        takes = inspect.signature(kind.__init__).parameters
        if "verbose" in takes:
            continue
        yield kind, "__init__", _spoken(kind.__init__, len(takes) - 1)
        if "step" in vars(kind) and kind is not PLATEAU:
            yield kind, "step", _told(kind.step)
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
