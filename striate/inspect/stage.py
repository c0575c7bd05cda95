"""Stage: one step of the arithmetic that gives a unit its value, and the records it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formulas import number_text

Values = NDArray[np.float64]
Index = tuple[int, ...]
Axes = tuple[tuple[int, ...], ...]
Weight = Callable[[str], Values | None]
SHOWN_TERMS = 20  # of a long sum: the largest; the others are added up
EARLIER = -1  # in the place of the number of an input: the cells are of the stage before


@dataclass(frozen=True)
class Part:
    """Cells that a stage reads, and what becomes of them.

    Fields: `name`; `input`, the number of the layer's input that has the cells (-1: the stage
    before); `axes`, for each axis of that input, in the user's order, the positions read (-1: a
    cell of padding, or between spread inputs), the cells being all their combinations (empty:
    not single cells); `x`, the cells; `weights` and `products` in the same shape, where there are;
    `padding`, True at cells that are no inputs; `total`, what the part adds to the stage.
    """

    name: str
    input: int
    axes: Axes
    x: Values
    total: float
    weights: Values | None = None
    products: Values | None = None
    padding: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Stage:
    """One step from what a unit reads to its value.

    Fields: `kind`, a word for programs ("sum", "bias", "batch_norm", "function", "softmax",
    "maximum", "mean", "norm", "standardize", "scale", "merge", "row", "moved", "padding", "own
    code"); `title`, the same for people; `value`, after the step; `formula`, with its numbers;
    `numbers`, those that the formula has, by name; `parts`, what is read; `python`, an expression
    in which `{}` stands for the value before.
    """

    kind: str
    title: str
    value: float
    formula: str
    python: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()

    def __str__(self) -> str:
        return f"{self.title}: {self.formula} = {short(self.value)}"


@dataclass(frozen=True)
class Source:
    """The value that an operation reads, cell by cell, in channels-last order.

    Fields: `shape`; `at(index)`, the value of a cell; `home(axes)`, the number of the layer's input
    and the positions on its axes, in the user's order, if the cells are cells of an input; `array`,
    all cells, where they are at hand.
    """

    shape: tuple[int, ...]
    at: Callable[[tuple[int, ...]], float]
    home: Callable[[Axes], tuple[int, Axes]]
    array: Values | None = None

    def block(self, axes: Sequence[Sequence[int]], otherwise: float = 0.0) -> Values:
        """Return all combinations of positions; `otherwise` where one of them is -1."""
        sizes = [len(axis) for axis in axes]
        if self.array is not None:
            places = [np.asarray(axis, dtype=int) for axis in axes]
            found: Any = self.array[np.ix_(*places)] if places else self.array
            for n, place in enumerate(places):
                if place.min(initial=0) < 0:
                    laid = place.reshape([-1 if axis == n else 1 for axis in range(len(sizes))])
                    found = np.where(laid < 0, otherwise, found)
            return np.array(found)
        out = np.full(sizes, otherwise)
        for cell in np.ndindex(*sizes):
            index = tuple(axis[at] for axis, at in zip(axes, cell, strict=True))
            if min(index, default=0) >= 0:
                out[cell] = self.at(index)
        return out

    def part(self, name: str, axes: Iterable[Iterable[int]], x: Values, **fields: Any) -> Part:
        """Return a part that reads these cells."""
        number, home = self.home(tuple(tuple(map(int, axis)) for axis in axes))
        return Part(name, number, home, x, **fields)


def short(value: float) -> str:
    """Return a number with four digits."""
    return f"{value:.4g}"


def listed(values: Values) -> str:
    """Return numbers as a list that Python reads."""
    return "[" + ", ".join(map(number_text, values.flatten().tolist())) + "]"


def product_sum(x: Values, weights: Values) -> str:
    """Return the expression of a sum of products, cells of padding left out."""
    kept = (x.flatten() != 0) | (weights.flatten() != 0)
    a, b = x.flatten()[kept], weights.flatten()[kept]
    return f"sum(a * b for a, b in zip({listed(a)}, {listed(b)}))"


def ranked(
    source: Source, axes: Axes, along: int, x: Values, weights: Values, noun: str
) -> tuple[Part, ...]:
    """Return the largest terms of a sum along one axis as a part, and the rest as one number."""
    products = x * weights
    order = np.argsort(-np.abs(products), kind="stable")
    if len(order) > SHOWN_TERMS + 1:
        kept, rest = order[:SHOWN_TERMS], order[SHOWN_TERMS:]
    else:
        kept, rest = np.arange(len(order)), order[:0]
    places = [
        [axes[along][at] for at in kept] if n == along else axis for n, axis in enumerate(axes)
    ]
    top = source.part(
        f"the largest {len(kept)} of {len(order):,} {noun}" if len(rest) else f"all {noun}",
        places,
        x[kept],
        total=float(products[kept].sum()),
        weights=weights[kept],
        products=products[kept],
    )
    if not len(rest):
        return (top,)
    others = Part(
        f"the other {len(rest):,}", top.input, (), np.zeros(0), total=float(products[rest].sum())
    )
    return top, others
