"""Loaders of a script take a batch from arrays in memory as a whole, not sample by sample."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.utils.data import Subset, TensorDataset
from torch.utils.data._utils import fetch
from torch.utils.data.dataloader import default_collate

from ..dialect import Patch
from .datasets import Images, rows


def patches() -> Sequence[Patch]:
    """Let what a loader fetches be gathered at once, where it would only be stacked anyway.

    The numbers, their order and what is drawn on the way are the same.
    """
    kind = fetch._MapDatasetFetcher
    return ((kind, "fetch", _fetching(kind.fetch)),)


def _fetching(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def fetch(self: Any, possibly_batched_index: Any) -> Any:
        if self.auto_collation and self.collate_fn is default_collate:
            whole = gathered(self.dataset, possibly_batched_index)
            if whole is not None:
                return whole
        return original(self, possibly_batched_index)

    return fetch


def gathered(data: Any, places: Sequence[int]) -> list[Tensor] | None:
    """Return these samples, stacked, or None where only the data set knows how to make one."""
    while type(data) is Subset:
        places, data = [data.indices[place] for place in places], data.dataset
    if type(data) is TensorDataset:
        return [rows(tensor, places) for tensor in data.tensors]
    return data.batch(places) if isinstance(data, Images) else None
