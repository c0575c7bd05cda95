"""Distributors of ReNom: data in batches, and in parts for training and testing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import DataError, caller


class Distributor:
    """Arrays `x` and `y` of one length.

    Raises: DataError where the lengths differ.
    """

    def __init__(self, x: Any = None, y: Any = None, **words: Any) -> None:
        if x is None or y is None or len(x) != len(y):
            raise DataError(
                f"rm.{type(self).__name__}",
                "takes x and y of one length",
                got=f"{0 if x is None else len(x)} and {0 if y is None else len(y)}",
                need="as many labels as samples",
                at=caller(),
            )
        self._data_x, self._data_y = x, y

    def __len__(self) -> int:
        return len(self._data_x)

    @property
    def x(self) -> Any:
        """The samples."""
        return self._data_x

    @property
    def y(self) -> Any:
        """What is to be said of them."""
        return self._data_y

    def data(self) -> tuple[Any, Any]:
        """Return samples and labels."""
        return self._data_x, self._data_y

    def batch(
        self, batch_size: int, shuffle: bool = True, steps: int | None = None
    ) -> Iterator[tuple[Any, Any]]:
        """Yield batches, the last one with what is left; at most `steps` of them."""
        order = _order(len(self), shuffle)
        for step, begin in enumerate(range(0, len(self), batch_size)):
            if steps is not None and step >= steps:
                return
            places = order[begin : begin + batch_size]
            yield self._data_x[places], self._data_y[places]

    def split(self, ratio: float = 0.8, shuffle: bool = True) -> Iterator[Any]:
        """Yield two distributors: with this part of the data, and with the others."""
        order = _order(len(self), shuffle)
        edge = int(len(self) * ratio)
        for places in (order[:edge], order[edge:]):
            yield type(self)(self._data_x[places], self._data_y[places])

    def kfold(
        self, num: int = 4, overlap: bool = False, shuffle: bool = True
    ) -> Iterator[tuple[Any, Any]]:
        """Yield `num` pairs of distributors: for training, and the fold that is left out."""
        order = _order(len(self), shuffle)
        for fold in np.array_split(order, num):
            rest = order if overlap else np.setdiff1d(order, fold)
            first, second = (
                type(self)(self._data_x[one], self._data_y[one]) for one in (rest, fold)
            )
            yield first, second


class TimeSeriesDistributor(Distributor):
    """Distributor of series, whose order is kept."""

    def batch(
        self, batch_size: int, shuffle: bool = False, steps: int | None = None
    ) -> Iterator[tuple[Any, Any]]:
        """Yield batches in order."""
        return super().batch(batch_size, shuffle, steps)


def _order(size: int, shuffle: bool) -> Any:
    return np.random.permutation(size) if shuffle else np.arange(size)  # noqa: NPY002  seeded there
