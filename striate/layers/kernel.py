"""What layers with kernels share: weights made by their words, a bias, an activation at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from .. import constraints, initializers, regularizers
from ..core.layer import Layer
from ..errors import StriateError
from . import activation as activations

Initial = Any  # a name, an initializers.Initializer, or a function of a shape
Penalty = Any  # a name, a regularizers.Regularizer, a function of a weight, or None
Limit = Any  # a name, a constraints.Constraint, a function of a weight, or None
Activation = activations.Activation | str | None

ROOMS = {
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}


class Kernelled(Layer):
    """A layer that ends with activation(what its kernels give + bias).

    A subclass declares `activation`, `use_bias` and, for each of its weights, fields that end in
    `_initializer`, `_regularizer` and `_constraint`; it computes in `before_activation`.
    """

    activation: ClassVar[Activation]
    use_bias: ClassVar[bool]

    def __post_init__(self) -> None:
        """Look every word up, so that a misspelt one is an error here and not at the first call."""
        words = self.config()
        activations.get(self.where, words["activation"])
        for field in words:
            if field.rpartition("_")[2] in ROOMS:
                self._word(field)

    def add_kernel(self, weight: str, shape: Sequence[int], words: str = "kernel") -> Tensor:
        """Create a weight with the initializer, regularizer and constraint of the fields `words`_*."""
        return self.add_weight(
            weight,
            shape,
            self._word(f"{words}_initializer"),
            regularizer=self._word(f"{words}_regularizer"),
            constraint=self._word(f"{words}_constraint"),
        )

    def add_bias(self, size: int) -> Tensor | None:
        """Create the bias, if the layer has one."""
        return self.add_kernel("bias", (size,), "bias") if self.config()["use_bias"] else None

    def forward(self, *x: Tensor) -> Tensor:
        """Compute the layer."""
        activation = activations.get(self.where, self.config()["activation"])
        return activation(self.before_activation(*x))

    @property
    def activation_name(self) -> str:
        """Name of the activation that the layer ends with, or an empty string."""
        return activations.name_of(self.config()["activation"])

    def _word(self, field: str) -> Any:
        try:
            return ROOMS[field.rpartition("_")[2]](getattr(self, field))
        except StriateError as error:
            error.where = f"{self.where}, {field}"
            raise
