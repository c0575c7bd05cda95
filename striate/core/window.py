"""How one axis of an output reads one axis of an input: sizes, fields and their arithmetic.

Every layer describes itself in these words, one `Axis` for each axis of its input (the batch
aside), or with one `Whole` word for all of them. Size, receptive field and the printed arithmetic
follow. This file knows no tensors.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, nearest

Reach = NDArray[np.bool_]  # (outputs, inputs): does this output read this input?


class Whole(enum.Enum):
    """One word about all axes at once."""

    POINTWISE = "each output reads the input at its own place"
    ROWS = "each output row stands for the number at its own place; its values are the last axis"
    MOVES = "outputs are inputs in other places; where, the layer itself shows"
    EVERYTHING = "each output reads every input of its sample"
    UNKNOWN = "not stated, and never guessed"


POINTWISE, ROWS, MOVES, EVERYTHING, UNKNOWN = Whole


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides along an axis.

    `kernel` taps, `dilation` apart, move by `stride` over an input that has `low` and `high` cells
    of padding (negative: cropped) and, for transposed convolutions, `up - 1` zeros between its
    values.
    """

    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    low: int = 0
    high: int = 0
    up: int = 1

    @staticmethod
    @lru_cache(maxsize=4096)
    def same(size: int | None, kernel: int, stride: int = 1, dilation: int = 1) -> Window:
        """Return the window whose output has ceil(size / stride) places, the odd cell at the end.

        For an axis of unknown size the padding is that of a size which the stride divides.
        Source: TensorFlow's SAME rule.
        """
        extent = dilation * (kernel - 1) + 1
        places = -(-(size or stride) // stride)
        total = max((places - 1) * stride + extent - (size or stride), 0)
        return Window(kernel, stride, dilation, total // 2, total - total // 2)

    @property
    def extent(self) -> int:
        """Cells from the first tap to the last."""
        return self.dilation * (self.kernel - 1) + 1

    def size(self, size: int | None) -> int | None:
        """Return the number of places of the window; below 1 means that it does not fit."""
        if size is None:
            return None
        return ((size - 1) * self.up + 1 + self.low + self.high - self.extent) // self.stride + 1

    def smallest(self) -> int:
        """Return the smallest input size that has one place for the window."""
        missing = self.extent - 1 - self.low - self.high
        return max(-(-missing // self.up) + 1, 1)

    def arithmetic(self, size: int | None) -> str:
        """Return the size formula with its numbers, like `(28 + 0 - 3) // 1 + 1 = 26`."""
        if size is None:
            return "the input size is known only at run time"
        spread = f"({size} - 1)*{self.up} + 1" if self.up > 1 else f"{size}"
        extent = f"{self.extent}"
        if self.dilation > 1:
            extent = f"({self.dilation}*({self.kernel} - 1) + 1)"
        pad = self.low + self.high
        sign = "-" if pad < 0 else "+"
        return f"({spread} {sign} {abs(pad)} - {extent}) // {self.stride} + 1 = {self.size(size)}"

    def reads(self, inputs: int, outputs: int) -> Reach:
        """Return which of `inputs` each of `outputs` reads; padding and zeros are no inputs."""
        tap = np.arange(outputs)[:, None] * self.stride - self.low
        tap = tap + np.arange(self.kernel)[None, :] * self.dilation  # (outputs, kernel)
        place, rest = np.divmod(tap, self.up)
        real = (rest == 0) & (place >= 0) & (place < inputs)
        reach = np.zeros((outputs, inputs), dtype=bool)
        reach[np.nonzero(real)[0], place[real]] = True
        return reach


Pad = str | int | tuple[int, ...] | tuple[tuple[int, int], ...]


@lru_cache(maxsize=4096)
def windows(
    sizes: tuple[int | None, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Pad = "valid",
    dilation: tuple[int, ...] | None = None,
) -> tuple[Window, ...]:
    """Return one window per axis of these sizes.

    `padding` is "same" (TensorFlow's rule), "valid" (none), "causal" (all of it at the start), or
    the number of cells on both sides: for all axes, per axis, or per axis and side.
    """
    dilation = dilation or (1,) * len(sizes)
    pads = explicit(padding, len(sizes)) if not isinstance(padding, str) else None
    out = []
    for axis, (size, taps, stride, apart) in enumerate(
        zip(sizes, kernel, strides, dilation, strict=True)
    ):
        if padding == "same":
            out.append(Window.same(size, taps, stride, apart))
        else:
            low, high = pads[axis] if pads else (0, 0)
            if padding == "causal":
                low = apart * (taps - 1)
            out.append(Window(taps, stride, apart, low, high))
    return tuple(out)


def explicit(padding: Pad, rank: int) -> tuple[tuple[int, int], ...]:
    """Return (low, high) per axis from a number, one number per axis, or one pair per axis."""
    sides: tuple[Any, ...] = (padding,) * rank if isinstance(padding, int) else tuple(padding)
    return tuple((side, side) if isinstance(side, int) else (side[0], side[1]) for side in sides)


def checked_padding(where: str, padding: object, rank: int, words: tuple[str, ...]) -> Pad:
    """Return `padding` in lower case or as tuples, or raise ConfigError."""
    if isinstance(padding, str) and padding.lower() in words:
        return padding.lower()
    if isinstance(padding, int) and not isinstance(padding, bool) and padding >= 0:
        return padding
    if isinstance(padding, (tuple, list)) and len(padding) == rank:
        sides = tuple(tuple(side) if isinstance(side, list) else side for side in padding)
        flat = [n for side in sides for n in (side if isinstance(side, tuple) else (side, side))]
        if len(flat) == 2 * rank and all(isinstance(n, int) and n >= 0 for n in flat):
            return sides
    raise ConfigError(
        where,
        f"padding={padding!r} is not known",
        need=", ".join(f'"{word}"' for word in words)
        + f", a number of cells, or a tuple of {rank} numbers or pairs",
        fix=(nearest(padding, words) if isinstance(padding, str) else "") or 'padding="same"',
    )


@dataclass(frozen=True, slots=True)
class Mix:
    """Each output reads the whole axis, or, with `groups`, the part of it that is its group's."""

    groups: int = 1

    def reads(self, inputs: int, outputs: int) -> Reach:
        """Return which of `inputs` each of `outputs` reads."""
        group_out = np.arange(outputs) * self.groups // outputs
        group_in = np.arange(inputs) * self.groups // inputs
        equal: Reach = group_out[:, None] == group_in[None, :]
        return equal


@dataclass(frozen=True, slots=True)
class Gone:
    """The axis is reduced to one value and is no longer there."""

    def reads(self, inputs: int, outputs: int) -> Reach:
        """Return which of `inputs` each of `outputs` reads: all of them."""
        return np.ones((outputs, inputs), dtype=bool)


@dataclass(frozen=True, slots=True)
class Table:
    """Output i reads the inputs from `spans[i][0]` up to, not including, `spans[i][1]`."""

    spans: tuple[tuple[int, int], ...]

    def reads(self, inputs: int, outputs: int) -> Reach:
        """Return which of `inputs` each of `outputs` reads."""
        place = np.arange(inputs)[None, :]
        start, stop = np.array(self.spans).reshape(-1, 2).T
        reach: Reach = (place >= start[:, None]) & (place < stop[:, None])
        return reach


Axis = Window | Mix | Gone | Table
Geometry = tuple[Axis, ...] | Whole


@dataclass(frozen=True, slots=True)
class Field:
    """The closed form of a field: output i reads inputs from low + i*step to high + i*step.

    It ignores the borders of the image and of every map between; `Window.reads` does not.
    Source: Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks,
    Distill 2019, doi 10.23915/distill.00021.
    """

    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)
    step: Fraction = Fraction(1)

    def then(self, window: Window) -> Field:
        """Return the field after one more window."""
        low = Fraction(-window.low, window.up)
        high = Fraction(window.extent - 1 - window.low, window.up)
        step = Fraction(window.stride, window.up)
        return Field(self.low + self.step * low, self.high + self.step * high, self.step * step)

    def join(self, other: Field) -> Field | None:
        """Return the field of a unit that reads two maps, or None where their steps disagree."""
        if self.step != other.step:
            return None
        return Field(min(self.low, other.low), max(self.high, other.high), self.step)

    @property
    def size(self) -> int:
        """Inputs from the first to the last that one output reads."""
        return int(self.high // 1 - -(-self.low // 1)) + 1
