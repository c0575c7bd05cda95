"""Contents: whether tensors hold what they held, whoever changed them and by whatever way."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from .runtime import Library

SOME = 1024  # bytes of a tensor that are looked at where looking at all would take too long
ALL = 2**62

version = attrgetter("_version")


class _Bytes(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_int64))


class Contents:
    """What some tensors on the processor hold.

    Torch counts the changes of a tensor, but not those through `.data`, through NumPy, or by its
    own fused optimizers: these are seen in the numbers. All of them are looked at where `sure`,
    else those of small tensors and a part of those of large ones.
    """

    def __init__(self, tensors: Sequence[Tensor], library: Library, sure: bool = False) -> None:
        self.tensors, self.library = tensors, library
        self.most = ALL if sure else SOME
        self.places: list[int] = []
        self.table = (_Bytes * len(tensors))()

    def state(self) -> tuple[tuple[int, ...], int]:
        """Return what is another one when a tensor has changed."""
        dense = [one if one.is_contiguous() else one.contiguous() for one in self.tensors]
        places = [one.data_ptr() for one in dense]
        if places != self.places:
            self.places = places
            for row, place, one in zip(self.table, places, dense, strict=True):
                row.data, row.size = place, one.nbytes
        found = self.library.calls.striate_digest(self.table, len(dense), self.most)
        return tuple(map(version, self.tensors)), found
