"""Elements of `tf.data`: tensors, tuples and dictionaries of them, taken one after the other."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..symbolic import tensor
from .tf_sparse import Sparse
from .tf_texts import Text, Texts, texts


class Arrays:
    """The elements of a data set as arrays, one after the other."""

    def __init__(self, dataset: Iterable[Any]) -> None:
        self.running = iter(dataset)

    def __iter__(self) -> Arrays:
        return self

    def __next__(self) -> Any:
        return tree(next(self.running), lambda one: one.numpy())

    next = __next__


class Steps(Arrays):
    """The elements of a data set one after the other, as TensorFlow 1 takes them."""

    def __next__(self) -> Any:
        return next(self.running)

    next = __next__

    def get_next(self, name: Any = None) -> Any:
        """Return the next element, whose parts know where the ones behind them come from."""
        item = next(self)
        for place, part in enumerate(flat(item)):
            if isinstance(part, Tensor):
                vars(part)["drawn"] = (self, place)
        return item


def flat(item: Any) -> list[Any]:
    """Return the parts of an element in a list."""
    parts: list[Any] = []
    tree(item, parts.append)
    return parts


def spread(function: Callable[..., Any], item: Any) -> Any:
    """Call a function with the parts of an element, if it takes several."""
    if isinstance(item, tuple):
        try:
            kinds = [p.kind for p in inspect.signature(function).parameters.values()]
        except (TypeError, ValueError):
            return function(*item)
        one = len(kinds) == 1 and inspect.Parameter.VAR_POSITIONAL not in kinds
        return function(item) if one and len(item) > 1 else function(*item)
    return function(item)


def tree(value: Any, function: Callable[[Any], Any]) -> Any:
    """Return a function of each part of an element."""
    if isinstance(value, tuple):
        return tuple(tree(item, function) for item in value)
    if isinstance(value, Mapping):
        return {key: tree(item, function) for key, item in value.items()}
    return function(value)


def first(value: Any) -> Any:
    """Return the first part of an element."""
    while isinstance(value, (tuple, dict)):
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return value


def padded(items: list[Any]) -> Any:
    """Return elements on each other, shorter ones with zeros behind."""
    first = items[0]
    if isinstance(first, tuple):
        return tuple(padded([item[index] for item in items]) for index in range(len(first)))
    if isinstance(first, Tensor) and first.dim():
        return torch.nn.utils.rnn.pad_sequence(items, batch_first=True)
    return stacked(items)


def parts_of(value: Any) -> Any:
    """Return a part as a data set holds it: a tensor, or texts; what is cut into elements."""
    if isinstance(value, (Sparse, Text, Texts)):
        return value
    found = texts(value)
    return tensor(value) if found is None else found


def stacked(items: list[Any]) -> Any:
    """Return elements on each other."""
    first = items[0]
    if isinstance(first, (Text, Texts)):
        return Texts(items)
    if isinstance(first, Sparse):
        return Sparse.stacked(items)
    if isinstance(first, tuple):
        return tuple(stacked([item[index] for item in items]) for index in range(len(first)))
    if isinstance(first, Mapping):
        return {key: stacked([item[key] for item in items]) for key in first}
    return torch.stack([tensor(item) for item in items])
