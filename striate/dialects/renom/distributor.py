"""Distributors of ReNom: data in batches, and in parts for training and testing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import DataError, caller
from ..picture_files import picture


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


class ImageClassificationDistributor:
    """Distributor of picture files, read batch by batch: (N, C, H, W) of 0 to 255, and labels.

    Fields: `imsize`, width and height; `color`, "RGB" or "GRAY"; `augmentation`, an object whose
    `create` changes a batch (N, H, W, C).
    """

    def __init__(self, image_path_list: Any, y_list: Any = None, class_list: Any = None,
                 imsize: tuple[int, int] = (360, 360), color: str = "RGB",
                 augmentation: Any = None) -> None:  # fmt: skip
        self._data_table, self._data_y, self._class_list = image_path_list, y_list, class_list
        self._imsize, self._color, self._augmentation = imsize, color, augmentation

    def __len__(self) -> int:
        return len(self._data_table)

    def _read(self, path: Any) -> Any:
        found = picture(path).convert({"GRAY": "L"}.get(self._color, self._color))
        array = np.asarray(found.resize(self._imsize), np.float32)
        return array[..., None] if array.ndim == 2 else array

    def batch(self, batch_size: int, shuffle: bool = True, steps: int | None = None) -> Any:
        """Yield batches, the last one with what is left; at most `steps` of them."""
        order = _order(len(self), shuffle)
        for begin in range(0, len(self), batch_size)[:steps]:
            places = order[begin : begin + batch_size]
            images = np.stack([self._read(self._data_table[at]) for at in places])
            if self._augmentation is not None:
                images = np.asarray(self._augmentation.create(images), np.float32)
            x = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
            yield x if self._data_y is None else (x, np.array([self._data_y[at] for at in places]))


def _order(size: int, shuffle: bool) -> Any:
    return np.random.permutation(size) if shuffle else np.arange(size)  # noqa: NPY002  seeded there
