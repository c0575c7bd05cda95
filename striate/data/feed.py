"""Feed: one way to get batches out of arrays, data sets, loaders and generators."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import DataError

Tensors = tuple[Tensor, ...]


@dataclasses.dataclass(frozen=True)
class Batch:
    """Inputs, targets (empty where there are none) and sample weights (None: all 1) of some samples."""

    x: Tensors
    y: Tensors
    weight: Tensor | None = None

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.x[0])


class ArrayFeed:
    """Batches of arrays that are in memory; `uint8` stays `uint8`.

    Each pass goes through all samples, in an order drawn from torch's generator if `shuffle`. The last
    batch may be smaller.
    """

    def __init__(
        self, x: Tensors, y: Tensors, weight: Tensor | None, batch_size: int, shuffle: bool
    ) -> None:
        self.x, self.y, self.weight = x, y, weight
        self.batch_size, self.shuffle = batch_size, shuffle

    @property
    def samples(self) -> int:
        """Number of samples in a pass."""
        return len(self.x[0])

    def __len__(self) -> int:
        return -(-self.samples // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = torch.randperm(self.samples) if self.shuffle else None
        for start in range(0, self.samples, self.batch_size):
            part: Any = slice(start, start + self.batch_size)
            part = part if order is None else order[part]
            yield Batch(
                tuple(x[part] for x in self.x),
                tuple(y[part] for y in self.y),
                None if self.weight is None else self.weight[part],
            )

    def split(self, fraction: float) -> tuple[ArrayFeed, ArrayFeed]:
        """Return the first part and the last `fraction` of the samples, as Keras divides them."""
        cut = int(self.samples * (1 - fraction))

        def part(piece: slice, shuffle: bool) -> ArrayFeed:
            weight = None if self.weight is None else self.weight[piece]
            x, y = tuple(a[piece] for a in self.x), tuple(a[piece] for a in self.y)
            return ArrayFeed(x, y, weight, self.batch_size, shuffle)

        return part(slice(0, cut), self.shuffle), part(slice(cut, None), False)


class IterableFeed:
    """Batches of a loader, or of any iterable of (x,), (x, y) or (x, y, weight)."""

    def __init__(self, source: Iterable[Any]) -> None:
        self.source = source

    def __len__(self) -> int:
        try:
            return len(self.source)  # type: ignore[arg-type]
        except TypeError:
            return 0  # not known before the end

    def __iter__(self) -> Iterator[Batch]:
        for item in self.source:
            parts = item if isinstance(item, (tuple, list)) else (item,)
            x, y, weight = (*parts, None, None)[:3]
            if x is None:
                raise DataError("x", "a batch is empty", need="(x, y) or (x, y, weight)")
            yield Batch(
                tensors("x", x),
                () if y is None else tensors("y", y),
                None if weight is None else tensor("sample_weight", weight),
            )


Feed = ArrayFeed | IterableFeed


def feed(
    x: Any, y: Any = None, weight: Any = None, *, batch_size: int = 32, shuffle: bool = False
) -> Feed:
    """Return the batches of arrays, tensors, a torch Dataset or DataLoader, or an iterable of (x, y)."""
    if isinstance(x, Dataset):
        generator = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
        return IterableFeed(DataLoader(x, batch_size, shuffle=shuffle, generator=generator))
    if not is_array(x):
        return IterableFeed(x)
    return ArrayFeed(
        tensors("x", x),
        () if y is None else tensors("y", y),
        None if weight is None else tensor("sample_weight", weight),
        batch_size,
        shuffle,
    )


def is_array(x: Any) -> bool:
    """Return whether `x` is an array, or a list or tuple of arrays or of numbers."""
    if isinstance(x, (list, tuple)):
        return bool(x) and all(is_array(item) or isinstance(item, (int, float)) for item in x)
    return isinstance(x, (np.ndarray, Tensor))


def tensors(where: str, given: Any) -> Tensors:
    """Return one tensor, or one for each input of a list, a tuple or a dictionary of arrays."""
    if isinstance(given, dict):
        given = list(given.values())
    if isinstance(given, (list, tuple)) and given and isinstance(given[0], (np.ndarray, Tensor)):
        if given[0].ndim > 0:
            return tuple(tensor(where, item) for item in given)
    return (tensor(where, given),)


def tensor(where: str, given: Any) -> Tensor:
    """Return an array as a tensor that shares its memory, or raise DataError if it holds no numbers."""
    if isinstance(given, Tensor):
        return given
    array = np.asarray(given)
    if array.dtype.kind not in "biuf":
        raise DataError(
            where,
            "does not hold numbers",
            got=f"dtype {array.dtype}",
            need="an array of whole or floating-point numbers",
            fix="np.stack(images), with images of one shape" if array.dtype == object else "",
        )
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    if not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(np.ascontiguousarray(array))


def rows(parts: Sequence[Tensor]) -> list[int]:
    """Return the number of samples in each of some tensors."""
    return [len(part) if part.ndim else 0 for part in parts]
