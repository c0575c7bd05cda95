"""Sizes of symbols: numbers where they are known, and symbols of those that a run alone tells."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ..core.symbol import Symbol
from .symbolic import lift, tensor

OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv,
    "floordiv": operator.floordiv, "mod": operator.mod,
}  # fmt: skip


class Sizes(tuple[Any, ...]):
    """The sizes of all axes of a symbol, with which a script calculates as with a tensor."""

    def __getitem__(self, index: Any) -> Any:
        """Return a size, or several."""
        found = tuple.__getitem__(self, index)
        return Sizes(found) if isinstance(index, slice) else found


def _each(compute: Callable[[Any, Any], Any], turned: bool) -> Callable[[Sizes, Any], Sizes]:
    def calculate(self: Sizes, other: Any) -> Sizes:
        several = isinstance(other, (list, tuple)) or (isinstance(other, Tensor) and other.dim())
        others = list(other) if several else [other] * len(self)
        pairs = zip(self, others, strict=True)
        return Sizes(compute(b, a) if turned else compute(a, b) for a, b in pairs)

    return calculate


for _word, _compute in OPERATORS.items():
    setattr(Sizes, f"__{_word}__", _each(_compute, False))
    setattr(Sizes, f"__r{_word}__", _each(_compute, True))


def size_of(x: Any, axis: int) -> Tensor:
    """Return the size of an axis."""
    return tensor(int(tensor(x).shape[axis]))


def sizes_of(x: Symbol, known: tuple[Any, ...]) -> Sizes:
    """Return the sizes of a symbol, of which those that are None are symbols themselves."""
    return Sizes(
        lift(size_of)(x, axis) if size is None else int(size) for axis, size in enumerate(known)
    )
