"""What layers with kernels share: weights made by their words, a bias, an activation at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from torch import Tensor

from ..core.layer import Layer
from ..core.operation import Chain, Operation, joined
from ..core.spec import Spec
from . import activation as activations
from .words import Initial, Limit, Penalty, Worded

__all__ = ["Activation", "Initial", "Kernelled", "Limit", "OneKernel", "Penalty"]

Activation = activations.Function | str | None


class Kernelled(Worded):
    """A layer that ends with activation(what its kernels give + bias).

    A subclass declares `activation`, `use_bias` and, for each of its kernels, fields that end in
    `_initializer`, `_regularizer` and `_constraint`; it computes in `before_activation`.
    """

    bias_initializer: Initial = dataclasses.field(default="zeros", kw_only=True)
    bias_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    bias_constraint: Limit = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Look every word up, so that a misspelt one is an error here and not at the first call."""
        activations.get(self.where, self.config()["activation"])
        super().__post_init__()

    def ensure_built(self, x: tuple[Spec, ...]) -> None:
        """Create the weights, those of a layer that is the activation too."""
        super().ensure_built(x)
        end = self.config()["activation"]
        if isinstance(end, Layer):
            end.ensure_built((self.infer(*x),))

    def add_kernel(self, weight: str, shape: Sequence[int], words: str = "kernel") -> Tensor:
        """Create a weight by the fields `words`_initializer, _regularizer and _constraint."""
        return self.add_worded(weight, shape, words)

    def add_bias(self, size: int) -> Tensor | None:
        """Create the bias, if the layer has one."""
        return self.add_kernel("bias", (size,), "bias") if self.config()["use_bias"] else None

    def ended(self, y: Spec, *operations: Operation) -> Chain | None:
        """Return the operations that give `y`, and those of the activation behind them."""
        given = self.config()["activation"]
        if isinstance(given, Layer):
            end = None if given.weights else given.operations(y)
        else:
            end = activations.operations(given, y)
        return None if end is None else joined((*operations, *end))

    @property
    def bias_name(self) -> str:
        """Name of the bias, or an empty string."""
        return "bias" if self.config()["use_bias"] else ""

    def forward(self, *x: Tensor) -> Tensor:
        """Compute the layer."""
        return activations.apply(
            self.where, self.config()["activation"], self.before_activation(*x)
        )

    @property
    def activation_name(self) -> str:
        """Name of the activation that the layer ends with, or an empty string."""
        return activations.name_of(self.config()["activation"])


class OneKernel(Kernelled):
    """A layer whose only kernel is called `kernel`."""

    kernel_initializer: Initial = dataclasses.field(default="glorot_uniform", kw_only=True)
    kernel_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    kernel_constraint: Limit = dataclasses.field(default=None, kw_only=True)
