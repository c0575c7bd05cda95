"""Penalties on what layers give: ActivityRegularization, and what a run has added to the loss."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from ...core.layer import Layer
from ...core.spec import Spec
from ...core.symbol import Symbol
from ...core.window import POINTWISE, Geometry
from ...layers import Activation
from ...regularizers import L1L2


class Added(list[Any]):
    """What a run has added to the loss; a copy has the numbers, without their history."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Added:
        return Added(one.detach().clone() if isinstance(one, Tensor) else one for one in self)


class ActivityRegularization(Layer):
    """The input; `l1 * sum(|x|) + l2 * sum(x ** 2)` is added to the loss."""

    of_keras: ClassVar[bool] = True  # files may name the class: its fields have Keras's names
    l1: float = 0.0
    l2: float = 0.0

    @property
    def activity_regularizer(self) -> L1L2:
        """The penalty."""
        return L1L2(float(self.l1), float(self.l2))

    def windows(self, *x: Spec) -> Geometry:
        """Read each value on its own."""
        return POINTWISE

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        return x[0]

    def forward(self, *x: Tensor) -> Tensor:
        """Return the input."""
        return x[0]

    def unfolded(self, *x: Symbol) -> Any:
        """Return the input, by a layer of the native vocabulary."""
        return Activation("linear")(x[0])
