"""What scripts derive batches of pictures from, and functions of a matrix of Keras up to 2."""

from __future__ import annotations

import dis
import math
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .image_warp import warp
from .sequence import Sequence
from .session import KerasSession

Array = NDArray[Any]


def apply_transform(x: Any, transform_matrix: Any, channel_axis: int = 0,
                    fill_mode: str = "nearest", cval: float = 0.0, *,
                    channel_index: Any = None) -> Array:  # fmt: skip
    """Return a picture with each pixel taken from where a matrix says."""
    axis = channel_axis if channel_index is None else channel_index
    last = np.moveaxis(np.asarray(x, "float32"), axis, -1)
    moved = warp(last, np.asarray(transform_matrix, float), fill_mode, cval, 0)
    return np.moveaxis(moved, -1, axis)


def transform_matrix_offset_center(matrix: Any, x: int, y: int) -> Array:
    """Return a matrix about the middle of a picture, as Keras up to 2.2 computes it."""
    middle, back = np.eye(3), np.eye(3)
    middle[:2, 2] = x / 2 + 0.5, y / 2 + 0.5
    back[:2, 2] = -middle[:2, 2]
    moved: Array = middle @ np.asarray(matrix) @ back
    return moved


def flip_axis(x: Any, axis: int) -> Array:
    """Return a picture in the opposite order along an axis."""
    return np.flip(np.asarray(x), axis)


class Batches(Sequence):
    """What scripts derive their own batches from: the places of each batch, in an order by chance.

    `next(self.index_generator)` gives the places, up to Keras 2.0 with where the batch begins and
    how many they are: a line that takes three has three.
    """

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: Any) -> None:
        self.n = n
        vars(self).setdefault("N", n)
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self.batch_index = self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: Any = None
        self.index_generator = self._flow_index()

    def reset(self) -> None:
        """Begin again."""
        self.batch_index = 0

    def _set_index_array(self) -> None:
        self.index_array = np.arange(self.n)
        if self.shuffle:
            self.index_array = np.random.permutation(self.n)  # noqa: NPY002

    def on_epoch_end(self) -> None:
        """Draw another order."""
        self._set_index_array()

    def _flow_index(self, *args: Any) -> Iterator[Any]:
        while True:
            if self.seed is not None:
                np.random.seed(self.seed + self.total_batches_seen)  # noqa: NPY002
            if self.batch_index == 0:
                self._set_index_array()
            at = self.batch_index * self.batch_size % self.n
            self.batch_index = self.batch_index + 1 if self.n > at + self.batch_size else 0
            self.total_batches_seen += 1
            places = self.index_array[at : at + self.batch_size]
            yield (places, at, len(places)) if _takes_three(sys._getframe(1)) else places

    def __len__(self) -> int:
        return math.ceil(self.n / self.batch_size)

    def __getitem__(self, index: int) -> Any:
        if self.index_array is None:
            self._set_index_array()
        places = self.index_array[self.batch_size * index : self.batch_size * (index + 1)]
        return self._get_batches_of_transformed_samples(places)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        raise NotImplementedError

    def next(self) -> Any:
        """Return the next batch."""
        with self.lock:
            places = next(self.index_generator)
        return self._get_batches_of_transformed_samples(places)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.next()


def _takes_three(frame: Any) -> bool:
    """Return whether the line that has called, in this frame, unpacks three values."""
    after = (one for one in dis.get_instructions(frame.f_code) if one.offset > frame.f_lasti)
    # a call that runs often is two instructions of Python 3.11
    first = next((one for one in after if not one.opname.startswith(("CACHE", "CALL"))), None)
    return first is not None and first.opname == "UNPACK_SEQUENCE" and first.arg == 3


def names(session: KerasSession) -> dict[str, Any]:
    """Return `Iterator`, and up to Keras 2 the functions of a matrix."""
    several = (apply_transform, flip_axis, transform_matrix_offset_center)
    older = {made.__name__: made for made in several if session.version.folds}
    return {"Iterator": Batches, "BatchFromFilesMixin": object, **older}


__all__ = ["Batches", "names"]
