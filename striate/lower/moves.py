"""Moves: arrays that are copied again and again, whatever the order of their axes, in one call."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.graph import increment_version

if TYPE_CHECKING:
    from .runtime import Library

FLOAT = 4  # bytes
NO_PAIR = (np.empty(0), np.empty(0))
Pair = tuple[NDArray[Any], NDArray[Any]]
Axis = tuple[int, int, int]  # its size, and the floats from one number to the next in both arrays
Shown = Callable[[NDArray[Any]], NDArray[Any]]  # another form of an array, in the same memory


def as_it_is(array: NDArray[Any]) -> NDArray[Any]:
    """Show an array in its own form."""
    return array


class Seen:
    """Shows a tensor as an array in another form; the same memory is shown by the same array."""

    def __init__(self, shown: Shown = as_it_is) -> None:
        self.shown = shown
        self.key: tuple[int, tuple[int, ...]] | None = None
        self.array: NDArray[Any] = np.empty(0)

    def __call__(self, tensor: Tensor) -> NDArray[Any]:
        """Return the array."""
        key = tensor.data_ptr(), tensor.stride()
        if key != self.key:
            self.key, self.array = key, self.shown(tensor.detach().numpy())
        return self.array


class Block(ctypes.Structure):
    """Matrices that are copied, as the native library reads them."""

    _fields_ = (
        *(("from", ctypes.c_void_p), ("from_row", ctypes.c_int64), ("from_step", ctypes.c_int64)),
        *(("to", ctypes.c_void_p), ("to_row", ctypes.c_int64), ("to_step", ctypes.c_int64)),
        *((name, ctypes.c_int64) for name in ("rows", "columns", "count", "exchanged")),
    )


class Form(NamedTuple):
    """How arrays of a shape and of strides are copied: the fields of a block but the addresses.

    `from_begin` and `to_begin` are bytes from the first number to where the block begins.
    """

    from_begin: int
    to_begin: int
    from_row: int
    from_step: int
    to_row: int
    to_step: int
    rows: int
    columns: int
    times: int
    exchanged: bool


class Moves:
    """Pairs of arrays, by number, that `run` copies on this thread alone.

    What is set stays set: where a pair is the same as before, nothing is done.
    """

    def __init__(self, library: Library, count: int) -> None:
        self.library, self.count = library, count
        self.blocks = (Block * count)()
        self.pairs: list[Pair] = [NO_PAIR] * count
        self.others: dict[int, Pair] = {}  # which NumPy copies
        # of a tensor that is sent to: its strides, and the bytes from its beginning to the block's
        self.steps: list[tuple[int, ...] | None] = [None] * count
        self.begins = [0] * count

    def set(self, number: int, target: NDArray[Any], source: NDArray[Any]) -> bool:
        """Let a pair be these arrays of one shape, which must last as long as runs use them.

        Returns whether it was another one before.
        """
        known = self.pairs[number]
        if known[0] is target and known[1] is source:
            return False
        self.pairs[number] = (target, source)
        self.others.pop(number, None)
        found = None
        if target.dtype == source.dtype == np.float32:
            found = form(source.shape, source.strides, target.strides)
        if found is None:
            self.blocks[number] = Block()
            self.others[number] = (target, source)
        else:
            self.blocks[number] = block(found, target, source)
        return True

    def send(self, number: int, target: Tensor, source: NDArray[Any]) -> None:
        """Let a pair be an array, the same each time, and a tensor, which is another each time."""
        steps = target.stride()
        if self.steps[number] != steps:
            self.set(number, target.numpy(), source)
            if number not in self.others:
                self.steps[number] = steps
                self.begins[number] = self.blocks[number].to - target.data_ptr()
        else:
            self.blocks[number].to = target.data_ptr() + self.begins[number]

    def clear(self, number: int) -> bool:
        """Let there be no such pair; returns whether there was one."""
        if not self.blocks[number].count and number not in self.others:
            return False
        self.blocks[number] = Block()
        self.others.pop(number, None)
        self.pairs[number], self.steps[number] = NO_PAIR, None
        return True

    def forget(self) -> None:
        """Hold on to no array; each pair is set anew before the next run, or sent."""
        self.pairs = [NO_PAIR] * self.count
        self.others.clear()

    def run(self) -> None:
        """Copy."""
        self.library.calls.striate_move(self.blocks, self.count)
        self.run_others()

    def run_others(self) -> None:
        """Copy what is more than matrices, where a run of a plan has copied the rest."""
        for target, source in self.others.values():
            np.copyto(target, source)


class Exchange:
    """Arrays that have the numbers of tensors, and give them back: each way is one call."""

    def __init__(self, library: Library, own: Sequence[NDArray[Any]]) -> None:
        self.own = own
        self.seen = [Seen() for _ in own]
        self.coming, self.going = (Moves(library, len(own)) for _ in range(2))

    def enter(self, tensors: Sequence[Tensor]) -> None:
        """Copy the numbers of the tensors into the arrays; there may be fewer than of these."""
        for number, tensor in enumerate(tensors):
            self.coming.set(number, self.own[number], self.seen[number](tensor))
        for number in range(len(tensors), len(self.own)):
            self.coming.clear(number)
        self.coming.run()

    def leave(self, tensors: Sequence[Tensor]) -> None:
        """Copy them back; torch counts the change."""
        for number, tensor in enumerate(tensors):
            self.going.set(number, self.seen[number](tensor), self.own[number])
        for number in range(len(tensors), len(self.own)):
            self.going.clear(number)
        self.going.run()
        increment_version(tensors)


def block(form: Form, target: NDArray[Any], source: NDArray[Any]) -> Block:
    """Return what is copied, with its addresses."""
    from_begin, to_begin, from_row, from_step, to_row, to_step, *sizes = form
    begin, end = source.ctypes.data + from_begin, target.ctypes.data + to_begin
    return Block(begin, from_row, from_step, end, to_row, to_step, *sizes)


@functools.lru_cache(1024)
def form(
    shape: Sequence[int], from_strides: Sequence[int], to_strides: Sequence[int]
) -> Form | None:
    """Return how arrays of floats are copied, or None where it takes more than matrices."""
    given = zip(shape, from_strides, to_strides, strict=True)
    axes = [(size, here // FLOAT, there // FLOAT) for size, here, there in given if size != 1]
    apart = any(stride % FLOAT for stride in (*from_strides, *to_strides))
    if apart or 0 in shape or any(here == 0 for _, here, _ in axes):
        return None
    turned = [axis for axis in axes if axis[1] < 0]  # they are gone through from their other end
    axes = [_back(axis) if axis[1] < 0 else axis for axis in axes]
    *outer, last = _merged(sorted(axes, key=lambda axis: -axis[1])) or [(1, 1, 1)]
    exchanged = last[2] != 1
    row = next((axis for axis in outer if abs(axis[2]) == 1), None) if exchanged else None
    if last[1] != 1 or (exchanged and row is None):
        return None
    if row is None:
        row = outer[-1] if outer else (1, 0, 0)
    rest = [axis for axis in outer if axis is not row]
    if len(rest) > 1:
        return None
    if row[2] < 0:
        turned.append(row)
        row = _back(row)
    from_begin = sum((size - 1) * here for size, here, _ in turned) * FLOAT
    to_begin = sum((size - 1) * there for size, _, there in turned) * FLOAT
    step = rest[0] if rest else (1, 0, 0)
    to_row = last[2] if exchanged else row[2]
    return Form(
        *(from_begin, to_begin, row[1], step[1], to_row, step[2]),
        *(row[0], last[0], step[0], exchanged),
    )


def _back(axis: Axis) -> Axis:
    size, here, there = axis
    return size, -here, -there


def _merged(axes: Sequence[Axis]) -> list[Axis]:
    """Return the axes with those as one that lie without a gap in both arrays."""
    out: list[Axis] = []
    for size, here, there in axes:
        before = out[-1] if out else None
        if before and before[1] == size * here and before[2] == size * there:
            out[-1] = (before[0] * size, here, there)
        else:
            out.append((size, here, there))
    return out
