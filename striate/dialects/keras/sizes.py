"""Shapes as TensorFlow gives them: tuples whose sizes have a value."""

from __future__ import annotations

import math
from typing import Any


class Size(int):
    """A size of a shape, as TensorFlow 1 gives it too."""

    @property
    def value(self) -> int:
        """The number."""
        return int(self)


class Shape(tuple[Any, ...]):
    """A shape as TensorFlow gives it."""

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        if isinstance(found, int):
            return Size(found)
        return Shape(found) if isinstance(index, slice) else found

    def __new__(cls, dims: Any = ()) -> Shape:
        """Return the shape of sizes, of one size, or of sizes that are all unknown."""
        return super().__new__(cls, (dims,) if isinstance(dims, int) else dims or ())

    @property
    def dims(self) -> list[Any]:
        """The sizes."""
        return [None if one is None else Size(one) for one in self]

    def concatenate(self, other: Any) -> Shape:
        """Return these sizes and then others."""
        return Shape((*self, *Shape(other)))

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self)

    def num_elements(self) -> int:
        """Return how many numbers there are."""
        return math.prod(self)

    numel = num_elements

    def is_fully_defined(self) -> bool:
        """Return whether all sizes are known."""
        return None not in self

    def as_list(self) -> list[Any]:
        """Return the sizes in a list."""
        return list(self)

    @property
    def ndims(self) -> int:
        """Number of axes."""
        return len(self)
