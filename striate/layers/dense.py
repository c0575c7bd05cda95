"""Dense: each output is a weighted sum of all values along the last axis."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ..core.operation import Chain, Linear, along
from ..core.spec import Spec, checked_count
from ..core.window import Geometry
from ..errors import ShapeError
from .activation import across
from .kernel import Activation, OneKernel


class Dense(OneKernel):
    """Mix the last axis: y = activation(x @ kernel + bias).

    Fields: `units`, the number of outputs; `activation`, a name, a function or None; `use_bias`;
    words for the weights `kernel` (inputs, units) and `bias` (units,).

    Shape: (..., inputs) -> (..., units): with more than one axis, each place is mixed on its own,
    as in Keras. The last axis is meant in both layouts; L.Flatten() before it reads all of it.
    Raises: ConfigError for a value that cannot work; ShapeError where the number of inputs is not
    known, or is not that of the layer's first call.
    Source: Keras 3's Dense.

    Example:
        >>> import torch
        >>> Dense(10, activation="softmax")(torch.zeros(2, 64)).shape
        torch.Size([2, 10])
    """

    units: int
    activation: Activation = None
    use_bias: bool = True

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        checked_count(self.where, "units", self.units)
        super().__post_init__()

    def windows(self, *x: Spec) -> Geometry:
        """Mix the last axis, at each place of the others."""
        return across(x[0], len(x[0].shape) - 1)

    def build(self, *x: Spec) -> None:
        """Create the kernel (inputs, units) and the bias (units,)."""
        self.kernel = self.add_kernel("kernel", (self.inputs(x[0]), self.units))
        self.bias = self.add_bias(self.units)

    def infer(self, *x: Spec) -> Spec:
        """Return the input's spec with `units` on the last axis."""
        self.inputs(x[0])
        return x[0].reshape((*x[0].shape[:-1], self.units))

    def macs(self, *specs: Spec) -> int:
        """Return outputs * inputs of each."""
        x, y = specs
        return (y.numel or 0) * (x.shape[-1] or 0)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Mix the last axis, then the activation."""
        mix = along(x[0], len(x[0].shape) - 1, Linear("kernel", self.bias_name))
        return self.ended(self.infer(*x), *mix)

    def before_activation(self, *x: Tensor) -> Tensor:
        """Multiply by the kernel and add the bias."""
        return functional.linear(x[0], self.kernel.mT, self.bias)

    def inputs(self, x: Spec) -> int:
        """Return the size of the last axis, or raise: the kernel cannot be made without it."""
        if not x.shape or x.shape[-1] is None:
            raise ShapeError(
                self.where,
                "the size of the last axis must be known",
                got=f"input {x}",
                need="a number on the last axis",
                fix="L.GlobalAveragePooling2D() in place of L.Flatten(), or known sizes in "
                "L.Input(shape)",
            )
        width = x.shape[-1]
        if self.built and width != self.kernel.shape[0]:
            raise ShapeError(
                self.where,
                "is shared by inputs of different widths",
                got=f"input {x}",
                need=f"{self.kernel.shape[0]} on the last axis, as at its first call",
                fix="one layer for each input",
            )
        return width
