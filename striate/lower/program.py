"""Program: a model as a flat list of operations over numbered values."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from ..core.layer import Layer
from ..core.operation import Opaque, Operation, channels_last
from ..core.spec import Shape, Spec

WEIGHTS = ("kernel", "bias", "gamma", "beta")  # fields of operations that name parameters


@dataclass(frozen=True)
class Value:
    """A tensor between operations: its shape in channels-last order, without the batch.

    `channels_first` says that the user's tensor has its channels first.
    """

    shape: Shape
    dtype: str = "float32"
    channels_first: bool = False

    @staticmethod
    def of(x: Spec) -> Value:
        """Return the value that stands for the user's tensor."""
        if channels_last(x):
            return Value(x.shape, x.dtype)
        return Value((*x.shape[1:], x.shape[0]), x.dtype, channels_first=True)

    def from_user(self, x: Tensor) -> Tensor:
        """Return a batch of the user's in channels-last order."""
        return x.movedim(1, -1) if self.channels_first else x

    def to_user(self, x: Tensor) -> Tensor:
        """Return a batch in the order that the user sees."""
        return x.movedim(-1, 1) if self.channels_first else x

    def array_from_user(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return an array of the user's in channels-last order."""
        return x.transpose(0, *range(2, x.ndim), 1) if self.channels_first else x

    def array_to_user(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return an array in the order that the user sees."""
        return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1)) if self.channels_first else x


@dataclass(frozen=True, eq=False)
class Step:
    """One operation of a layer on numbered values; all but `Opaque` have one output.

    `name` is the path of the layer's name through nested models; steps of one layer share it, and
    of a layer that is called twice both calls do.
    """

    operation: Operation
    layer: Layer
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def output(self) -> int:
        """Number of the first output, for most the only one."""
        return self.outputs[0]

    def weight(self, name: str) -> Tensor | None:
        """Return a weight by the name that the operation has for it; None where it has none."""
        if not name:
            return None
        weight = attrgetter(name)(self.layer)
        assert isinstance(weight, Tensor)
        return weight

    def parameters(self) -> dict[str, Tensor]:
        """Return the parameters that the operation reads, by their names in the layer."""
        every: dict[str, Tensor] = dict(self.layer.named_parameters())
        if isinstance(self.operation, Opaque):
            return every
        named = (getattr(self.operation, kind, "") for kind in WEIGHTS)
        return {name: every[name] for name in named if name in every}


@dataclass
class Program:
    """Steps in the order of execution; numbers of values are places in `values`."""

    training: bool
    values: list[Value] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()

    def add(self, value: Value) -> int:
        """Add a value and return its number."""
        self.values.append(value)
        return len(self.values) - 1
