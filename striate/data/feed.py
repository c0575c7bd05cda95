"""Feed: one way to get batches out of arrays, data sets, loaders and generators."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from ..errors import DataError

Tensors = tuple[Tensor, ...]
ARRAYS = (np.ndarray, Tensor)
Weight = Tensor | tuple[Tensor | None, ...] | None  # of samples: for all outputs, or for each
Names = tuple[Sequence[str], Sequence[str]]  # of inputs and outputs: the order of dictionaries


@dataclasses.dataclass(frozen=True)
class Batch:
    """Inputs, targets (maybe none) and weights (None: all 1) of some samples.

    A weight is one number for each sample, or for each value of an output along further axes; a
    tuple has the weights for each output.
    """

    x: Tensors
    y: Tensors
    weight: Weight = None

    def weight_of(self, output: int) -> Tensor | None:
        """Return the weights for an output."""
        return self.weight[output] if isinstance(self.weight, tuple) else self.weight

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.x[0])

    @property
    def steps(self) -> int:
        """Number of steps that the samples are taken in."""
        return 1

    def batches(self) -> Iterator[Batch]:
        """Yield the batches that steps are made on one by one: itself."""
        yield self

    def taken(self, part: Any) -> Batch:
        """Return some of the samples: a slice of them, or those of these numbers."""
        choose = itemgetter(part)
        return Batch(
            tuple(map(choose, self.x)), tuple(map(choose, self.y)), each(self.weight, choose)
        )


class ArrayFeed:
    """Batches of arrays that are in memory; `uint8` stays `uint8`.

    Each pass goes through all samples, in an order drawn from torch's generator if `shuffle`.
    The last batch may be smaller.
    """

    def __init__(
        self, x: Tensors, y: Tensors, weight: Weight, batch_size: int, shuffle: bool
    ) -> None:
        self.x, self.y, self.weight = x, y, weight
        self.batch_size, self.shuffle = batch_size, shuffle

    @property
    def samples(self) -> int:
        """Number of samples in a pass."""
        return len(self.x[0])

    def __len__(self) -> int:
        return (self.samples + self.batch_size - 1) // self.batch_size

    def first(self) -> Batch | None:
        """Return a batch of one sample, from which shapes are known; None where there is none."""
        if not self.samples:
            return None
        return Batch(tuple(x[:1] for x in self.x), tuple(y[:1] for y in self.y))

    def __iter__(self) -> Iterator[Batch]:
        order = self._drawn()
        order = None if order is None else order.to(self.x[0].device)
        for start in range(0, self.samples, self.batch_size):
            part: Any = slice(start, start + self.batch_size)
            yield self.all().taken(part if order is None else order[part])

    def order(self) -> NDArray[np.int32]:
        """Draw the numbers of the samples in the order of a pass."""
        drawn = self._drawn()
        if drawn is None:
            return np.arange(self.samples, dtype=np.int32)
        return drawn.to(torch.int32).numpy()

    def _drawn(self) -> Tensor | None:
        return torch.randperm(self.samples) if self.shuffle else None

    def to(self, device: torch.device) -> ArrayFeed:
        """Return the same samples in the memory of a device."""
        x, y = tuple(a.to(device) for a in self.x), tuple(a.to(device) for a in self.y)
        weight = each(self.weight, lambda one: one.to(device))
        return ArrayFeed(x, y, weight, self.batch_size, self.shuffle)

    def all(self) -> Batch:
        """Return all samples in one batch."""
        return Batch(self.x, self.y, self.weight)

    def split(self, fraction: float) -> tuple[ArrayFeed, ArrayFeed]:
        """Return the first part and the last `fraction` of the samples, as Keras divides them."""
        cut = int(self.samples * (1 - fraction))

        def part(piece: slice, shuffle: bool) -> ArrayFeed:
            weight = each(self.weight, itemgetter(piece))
            x, y = tuple(a[piece] for a in self.x), tuple(a[piece] for a in self.y)
            return ArrayFeed(x, y, weight, self.batch_size, shuffle)

        return part(slice(0, cut), self.shuffle), part(slice(cut, None), False)


class IterableFeed:
    """Batches of a loader, or of any iterable of (x,), (x, y) or (x, y, weight).

    `check` looks at each batch before it is used.
    """

    def __init__(
        self,
        source: Iterable[Any],
        names: Names = ((), ()),
        check: Callable[[Batch], None] | None = None,
    ) -> None:
        self.source, self.names, self.check = source, names, check

    def __len__(self) -> int:
        try:
            return len(self.source)  # type: ignore[arg-type]
        except TypeError:
            return 0  # not known before the end

    def __iter__(self) -> Iterator[Batch]:
        for item in self.source:
            batch = self.batch(item)
            if self.check is not None:
                self.check(batch)
            yield batch

    def first(self) -> Batch | None:
        """Return the first batch, which a generator gives once more, or None."""
        with torch.random.fork_rng(devices=[]):  # a loader draws: looking must change nothing
            source = iter(self.source)
            item = next(source, None)
        if source is self.source and item is not None:
            self.source = itertools.chain([item], source)
        return None if item is None else self.batch(item)

    def batch(self, item: Any) -> Batch:
        """Return what the source gave as a batch."""
        parts = item if isinstance(item, (tuple, list)) else (item,)
        x, y, weight = (*parts, None, None, None)[:3]
        if x is None:
            raise DataError("x", "a batch is empty", need="(x, y) or (x, y, weight)")
        return Batch(
            tensors("x", x, self.names[0]),
            () if y is None else tensors("y", y, self.names[1]),
            _weights(weight, self.names[1]),
        )


Feed = ArrayFeed | IterableFeed


def feed(
    x: Any,
    y: Any = None,
    weight: Any = None,
    *,
    batch_size: int = 32,
    shuffle: bool = False,
    names: Names = ((), ()),
) -> Feed:
    """Return the batches of arrays, a torch Dataset or DataLoader, or an iterable of (x, y)."""
    if not is_array(x) and not (isinstance(x, list) and not x):
        _brings_its_own(x if isinstance(x, Dataset) else iterable(x), y=y, sample_weight=weight)
    if isinstance(x, Dataset):
        shuffle = shuffle and not isinstance(x, IterableDataset)  # which has an order of its own
        generator = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
        return IterableFeed(DataLoader(x, batch_size, shuffle=shuffle, generator=generator), names)
    if not is_array(x):
        return IterableFeed(iterable(x), names)
    return ArrayFeed(
        tensors("x", x, names[0]),
        () if y is None else tensors("y", y, names[1]),
        _weights(weight, names[1]),
        batch_size,
        shuffle,
    )


def each(weight: Weight, act: Callable[[Tensor], Tensor]) -> Weight:
    """Return the weights, each changed."""
    if isinstance(weight, tuple):
        return tuple(None if one is None else act(one) for one in weight)
    return None if weight is None else act(weight)


def _weights(given: Any, names: Sequence[str]) -> Weight:
    """Return weights of samples as tensors; a list or a dictionary of arrays is for each output."""
    if isinstance(given, dict):
        tensors("sample_weight", given, names)  # the names are those of the outputs
        given = [given[name] for name in names or given]
    several = isinstance(given, (list, tuple)) and any(isinstance(one, ARRAYS) for one in given)
    if several and any(one is not None and one.ndim for one in given):
        made = tuple(None if one is None else tensor("sample_weight", one) for one in given)
        return made[0] if len(made) == 1 else made
    return None if given is None else tensor("sample_weight", given)


def _brings_its_own(x: Any, **beside: Any) -> None:
    """Raise DataError for what is given beside batches that have it inside."""
    for field, given in beside.items():
        if given is not None:
            raise DataError(
                field,
                "is given beside batches, which bring their own",
                got=f"x of type {type(x).__name__}",
                need="batches of (x, y) or (x, y, sample_weight)",
                fix=f"put {field} into the batches, or give arrays",
            )


def is_array(x: Any) -> bool:
    """Return whether `x` is an array, a dictionary of them, or a list of arrays or of numbers."""
    if isinstance(x, dict):
        return bool(x) and all(is_array(item) for item in x.values())
    if isinstance(x, list) and x and isinstance(x[0], tuple) and _is_input(x[0][0]):
        return False  # a list of batches (x, y)
    if isinstance(x, (list, tuple)):
        return bool(x) and all(is_array(item) or isinstance(item, (int, float)) for item in x)
    return isinstance(x, ARRAYS)


def _is_input(x: Any) -> bool:
    """Return whether `x` is one array, or several in a list or a dictionary."""
    first = x[0] if isinstance(x, (list, tuple)) and x else x
    return isinstance(first, (*ARRAYS, dict))


def iterable(x: Any) -> Iterable[Any]:
    """Return `x`, or raise DataError if there is no way to go through it."""
    if isinstance(x, Iterable) and not isinstance(x, (str, bytes, dict)):
        return x
    raise DataError(
        "x",
        f"a value of type {type(x).__name__} holds no samples",
        need="arrays, tensors, a Dataset, a DataLoader or an iterable of (x, y)",
    )


def endless(data: Feed) -> Iterator[Batch]:
    """Yield the batches again and again, until a pass gives none."""
    given = True
    while given:
        given = False
        for batch in data:
            given = True
            yield batch


def tensors(where: str, given: Any, names: Sequence[str] = ()) -> Tensors:
    """Return one tensor, or one for each of a list, a tuple or a dictionary by name."""
    if isinstance(given, dict):
        if names and set(given) != set(names):
            raise DataError(
                where,
                "the dictionary has other names than the model",
                got=", ".join(given),
                need=", ".join(names),
            )
        given = [given[name] for name in names or given]
    several = isinstance(given, (list, tuple)) and given and isinstance(given[0], ARRAYS)
    if several and given[0].ndim > 0:
        return tuple(tensor(where, item) for item in given)
    return (tensor(where, given),)


def tensor(where: str, given: Any) -> Tensor:
    """Return an array as a tensor, sharing its memory where both know its numbers.

    Truth values are the bytes 0 and 1.

    Raises: DataError if it holds no numbers.
    """
    if isinstance(given, Tensor):
        return given.view(torch.uint8) if given.dtype == torch.bool else given
    try:
        array = np.asarray(given)
    except ValueError:  # lists of different lengths
        array = np.empty((), object)
    if array.dtype.kind not in "biuf":
        raise DataError(
            where,
            "does not hold numbers",
            got=f"dtype {array.dtype}",
            need="an array of whole or floating-point numbers",
            fix=_as_numbers(where, array.dtype.kind),
        )
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    if array.dtype == np.bool_:
        array = array.view(np.uint8)
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    if not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(np.ascontiguousarray(array))


def _as_numbers(where: str, kind: str) -> str:
    """Return how something of a kind of dtype can be made of numbers."""
    if kind in "US" and where.endswith("y"):
        return f"number the classes: np.unique({where}, return_inverse=True)[1]"
    return "np.stack(images), with images of one shape" if kind == "O" else ""
