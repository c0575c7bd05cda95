"""Batches of a Keras script: generators, Sequences and datasets as something fit can go through."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch


class Stream:
    """Batches (x, y) or (x, y, weight) of a generator, a Sequence, a dataset or a loader.

    A generator has one pass, which each epoch goes on with; all others begin again.
    """

    def __init__(self, source: Any) -> None:
        self.source = source
        self.names: list[str] = []  # of the inputs that are taken out of dictionaries
        self.seen: list[Any] = []
        self.passed = 0  # batches of the last pass
        self.asked = 0  # samples of an epoch, where the script counts them
        self.ordered: Callable[[Any], Any] = lambda item: item
        self.change: Callable[[Any], Any] = as_batch
        self.indexed = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self.again: Callable[[], Iterator[Any]] | None = None
        if self.indexed:
            self.again = self._indexed
        elif iter(source) is not source:
            self.again = lambda: iter(source)
        self.running: Iterator[Any] = iter(()) if self.again else iter(source)

    def _indexed(self) -> Iterator[Any]:
        """Yield the batches of a Sequence, and tell it once no more of them are taken."""
        try:
            for index in range(len(self.source)):
                yield self.source[index]
        except GeneratorExit:  # the last batch of an epoch was taken, and none is asked for
            pass
        ended = getattr(self.source, "on_epoch_end", None)
        if ended is not None:
            ended()

    def size(self) -> int:
        """Return the number of samples in a batch."""
        known = getattr(self.source, "batch_size", 0)
        if known:
            return int(known)
        return _count(self.first())

    def first(self) -> Any:
        """Return the next batch, which the next pass begins with all the same."""
        if self.seen:
            return self.seen[0]
        if self.indexed:
            return self.source[0]
        batch = next(self.again() if self.again else self.running)
        self.seen = [] if self.again else [batch]
        return batch

    def steps_of(self, samples: int) -> int:
        """Return in how many steps so many samples are seen."""
        self.asked = samples
        return max(1, math.ceil(samples / self.size()))

    def steps(self, asked: int | None, limit: int | None) -> int | None:
        """Return the steps of an epoch: those asked for, or all there are; not above the limit."""
        if asked is None:
            asked = length(self.source) or None
        if limit is not None:
            most = max(1, math.ceil(limit / self.size()))
            if asked is None and self.again is not None:  # which of the two is known by counting
                asked = sum(1 for _ in itertools.islice(self.again(), most))
            asked = most if asked is None else min(asked, most)
        return None if asked is None else math.ceil(asked)  # 1.3 steps are two, as in Keras

    def __iter__(self) -> Iterator[Any]:
        if self.again is not None:
            for self.passed, item in enumerate(map(self._changed, self.again()), 1):  # noqa: B020
                yield item
            return
        while self.seen:
            yield self._changed(self.seen.pop())
        yield from map(self._changed, self.running)

    def _changed(self, item: Any) -> Any:
        item = self.ordered(item)
        if self.names and isinstance(item, (tuple, list)) and item:
            item = (named(item[0], self.names), *item[1:])
        return self.change(item)

    def of(self, names: list[str], ordered: Callable[[Any], Any]) -> Stream:
        """Take only the inputs of these names out of each batch, which is put in an order first."""
        self.names, self.ordered = names, ordered
        return self

    def changed(self, change: Callable[[Any], Any]) -> Stream:
        """Let each batch, as the loop takes it, be changed on its way."""
        self.change = lambda item: change(as_batch(item))
        return self

    def bounded(self, steps: int | None) -> Bounded:
        """Return passes of so many batches; an endless generator goes on where it was."""
        return Bounded(self, steps)

    def inputs(self, steps: int | None) -> Iterator[Any]:
        """Yield the inputs of so many batches."""
        for batch in itertools.islice(iter(self), steps):
            yield (batch[0] if isinstance(batch, tuple) else batch,)


class Bounded:
    """Passes of a number of batches over a stream."""

    def __init__(self, source: Stream, steps: int | None) -> None:
        self.source, self.count = source, steps

    def __iter__(self) -> Iterator[Any]:
        return itertools.islice(iter(self.source), self.count)

    def __len__(self) -> int:
        return self.count or 0


def passed(data: Any) -> int:
    """Return how many batches the last pass had, where data are a stream's."""
    return getattr(getattr(data, "source", None), "passed", 0)


def length(source: Any) -> int | None:
    """Return how many batches there are; None where a source does not know."""
    try:
        return len(source)
    except TypeError:
        return None


def named(x: Any, names: list[str]) -> Any:
    """Return the inputs of a model out of a dictionary that holds more, as Keras takes them."""
    if isinstance(x, Mapping) and names and set(names) < set(x):
        return {name: x[name] for name in names}
    return x


def stream(source: Any) -> Stream:
    """Return a source of batches as a stream, once."""
    return source if isinstance(source, Stream) else Stream(source)


def as_batch(item: Any) -> Any:
    """Return a batch in the form the loop takes: a tuple of arrays or tensors."""
    if isinstance(item, list) and len(item) in (2, 3):
        item = tuple(item)
    if not isinstance(item, tuple):
        return (plain(item),)
    return tuple(plain(part) for part in item)


def plain(part: Any) -> Any:
    """Return arrays that own their numbers."""
    if isinstance(part, (list, tuple)):
        if part and isinstance(part[0], (np.ndarray, torch.Tensor)) and part[0].ndim > 0:
            return [plain(item) for item in part]
        return np.asarray(part)
    if isinstance(part, np.ndarray) and part.dtype == np.float16:
        return part.astype("float32")
    return part.detach() if isinstance(part, torch.Tensor) else part


def _count(batch: Any) -> int:
    first = batch[0] if isinstance(batch, (tuple, list)) else batch
    while isinstance(first, (list, tuple, dict)):
        first = next(iter(first.values())) if isinstance(first, dict) else first[0]
    return len(first)
