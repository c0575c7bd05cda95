"""What layers with weights share: weights made by the words that their fields say about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .. import constraints, initializers, regularizers
from ..core.layer import Layer
from ..errors import StriateError

Initial = Any  # a name, an initializers.Initializer, or a function of a shape
Penalty = Any  # a name, a regularizers.Regularizer, a function of a weight, or None
Limit = Any  # a name, a constraints.Constraint, a function of a weight, or None

ROOMS = {
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}


class Worded(Layer):
    """A layer that declares, for its weights, fields that end in the names of `ROOMS`."""

    def __post_init__(self) -> None:
        """Look every word up, so that a misspelt one is an error here and not at the first call."""
        for field in self.config():
            if field.rpartition("_")[2] in ROOMS:
                self.word(field)

    def add_worded(self, weight: str, shape: Sequence[int], words: str = "") -> Tensor:
        """Create a weight with the initializer, regularizer and constraint of the fields `words`_*.

        `words` is the name of the weight if not given.
        """
        words = words or weight
        return self.add_weight(
            weight,
            shape,
            self.word(f"{words}_initializer"),
            regularizer=self.word(f"{words}_regularizer"),
            constraint=self.word(f"{words}_constraint"),
        )

    def word(self, field: str) -> Any:
        """Return the object that the word in a field stands for."""
        try:
            return ROOMS[field.rpartition("_")[2]](getattr(self, field))
        except StriateError as error:
            error.where = f"{self.where}, {field}"
            raise
