"""Loaders of a script take batches from arrays in memory as a whole, not sample by sample."""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)
from torch.utils.data._utils import fetch
from torch.utils.data.dataloader import (
    _BaseDataLoaderIter,
    _SingleProcessDataLoaderIter,
    default_collate,
)

from ..dialect import Patch
from .datasets import Images, rows

AHEAD = 4 << 20  # bytes of batches that are gathered before they are asked for, at most
Places = Sequence[int] | NDArray[np.int64]  # numbers of samples
NUMBERS = (torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8)


def patches() -> Sequence[Patch]:
    """Let what a loader fetches be gathered at once, where it would only be stacked anyway.

    The numbers, their order and what is drawn on the way are the same.
    """
    kind, loader = fetch._MapDatasetFetcher, _BaseDataLoaderIter
    return ((kind, "fetch", _fetching(kind.fetch)), (loader, "__next__", _next(loader.__next__)))


def _fetching(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def fetch(self: Any, possibly_batched_index: Any) -> Any:
        if self.auto_collation and self.collate_fn is default_collate:
            whole = gathered(self.dataset, possibly_batched_index)
            if whole is not None:
                return whole
        return original(self, possibly_batched_index)

    return fetch


def gathered(data: Any, places: Places) -> list[Tensor] | None:
    """Return these samples, stacked, or None where only the data set knows how to make one."""
    while type(data) is Subset:
        places, data = _of_subset(data.indices, places), data.dataset
    if type(data) is TensorDataset:
        return [rows(tensor, places) for tensor in data.tensors]
    return data.batch(places) if isinstance(data, Images) else None


def _of_subset(indices: Any, places: Places) -> Places:
    """Return the numbers that a part of a data set has for these samples in the whole."""
    if type(indices) is range:
        given = np.asarray(places, np.int64)
        if given.size and given.min() >= 0 and given.max() < len(indices):
            within: NDArray[np.int64] = indices.start + indices.step * given
            return within
    return [indices[place] for place in places]


def _next(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def next_batch(self: Any) -> Any:
        words = vars(self)
        if "ahead" not in words:
            words["ahead"] = Ahead(self) if Ahead.possible(self) else None
        if words["ahead"] is None or torch._C._autograd._profiler_enabled():  # which counts batches
            return original(self)
        batch = words["ahead"].batch()
        self._num_yielded += 1
        return batch

    return next_batch


class Ahead:
    """Batches of a loader in one process, gathered several at a time.

    More at each time, up to `AHEAD` bytes; where the data set is changed meanwhile, anew.
    """

    def __init__(self, loader: Any) -> None:
        self.loader, self.count = loader, 1
        self.places: deque[Sequence[int]] = deque()  # of the batches to come
        self.ready: deque[list[Tensor]] = deque()
        self.state: object = None  # of the data set, when they were gathered

    @staticmethod
    def possible(loader: Any) -> bool:
        """Return whether it is all the same when the batches of a loader are gathered."""
        if type(loader) is not _SingleProcessDataLoaderIter or loader._pin_memory:
            return False
        batches = loader._index_sampler
        if type(batches) is not BatchSampler or loader._collate_fn is not default_collate:
            return False
        order = batches.sampler
        if type(order) is RandomSampler and order.replacement:
            return False  # it draws from the script's generator on the way
        if type(order) is RandomSampler and order.num_samples != len(order.data_source):
            return False
        known = type(order) in (RandomSampler, SequentialSampler, SubsetRandomSampler)
        return known and _state(loader._dataset) is not None

    def batch(self) -> Any:
        """Return the next batch.

        Raises: StopIteration.
        """
        if not self.ready or self.state != _state(self.loader._dataset):
            self._gather()
        places = self.places.popleft()
        if not self.ready:
            return self.loader._dataset_fetcher.fetch(places)
        return self.ready.popleft()

    def _gather(self) -> None:
        self.ready.clear()
        if not self.places:
            self.places.append(self.loader._next_index())
            while len(self.places) < self.count:
                try:
                    self.places.append(self.loader._next_index())
                except StopIteration:
                    break
        self.state = _state(self.loader._dataset)
        if self.state is None:
            return
        numbers = np.fromiter(itertools.chain.from_iterable(self.places), np.int64)
        whole = gathered(self.loader._dataset, numbers)
        if whole is None or not all(map(_plain, whole)):
            return
        begin = 0
        arrays = [tensor.numpy() for tensor in whole]
        for several in self.places:
            end = begin + len(several)
            self.ready.append([torch.from_numpy(array[begin:end]) for array in arrays])
            begin = end
        size = sum(array.nbytes for array in arrays) // len(self.places)
        self.count = max(1, min(2 * self.count, AHEAD // max(size, 1)))


def _plain(tensor: Tensor) -> bool:
    return tensor.dtype in NUMBERS and tensor.device.type == "cpu" and not tensor.requires_grad


def _state(data: Any) -> object:
    """Return what changes when a data set does, or None where nothing shows that."""
    while type(data) is Subset:
        data = data.dataset
    if type(data) is TensorDataset:
        return tuple((id(tensor), tensor._version) for tensor in data.tensors)
    if not isinstance(data, Images):
        return None
    numbers = data.data, data.targets
    if not all(isinstance(one, Tensor) for one in numbers):
        return None
    changes = data.transform, data.target_transform
    return *[(id(one), one._version) for one in numbers], *map(id, changes)
