"""Units: what a plan is built of; each writes its forward and its backward calls into a builder.

A unit is one or several operations of a traced program that are computed together, for example a
convolution with its bias, activation, pooling and dropout. Which operations join is the table in
`rules.py`; how they become calls of kernels is here, and nowhere else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ...core.operation import Operation, Pointwise
from ..builder import Builder, Image, Margin, image_size
from ..program import Program, Step


@dataclass(frozen=True, eq=False)
class Unit(ABC):
    """Steps of a program that are computed together, in their order."""

    program: Program
    steps: tuple[Step, ...]
    why: str = ""  # the reason for this unit, in words, for the explanation of a plan

    name = "unit"

    @property
    def output(self) -> int:
        """Number of the value that the unit gives."""
        return self.steps[-1].output

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """Numbers of the values that it takes, in the order in which its steps do."""
        own = {value for step in self.steps for value in step.outputs}
        return tuple(value for step in self.steps for value in step.inputs if value not in own)

    def size(self, value: int) -> tuple[int, int, int]:
        """Return a value's height, width and channels."""
        shape = self.program.values[value].shape
        assert None not in shape, "the rules give programs whose sizes are all known"
        return image_size(shape)  # type: ignore[arg-type]

    def operation(self, *kinds: type) -> Operation | None:
        """Return the unit's operation of this kind, if it has one."""
        found = (step.operation for step in self.steps if isinstance(step.operation, kinds))
        return next(found, None)

    def trains(self) -> bool:
        """Return whether training changes a weight of the unit."""
        return any(p.requires_grad for step in self.steps for p in step.layer.parameters())

    # ---- what a unit answers ---------------------------------------------------------------------

    def margin(self, value: int) -> Margin:
        """Return the cells of zeros that the unit reads around one of its inputs."""
        return Margin()

    def needs_contiguous(self, value: int) -> bool:
        """Return whether the unit wants the numbers of an input without gaps."""
        return False

    def place(self, builder: Builder, margin: Margin, contiguous: bool) -> None:
        """Make room for the output."""
        builder.images[self.output] = builder.image(
            self.size(self.output), f"{self.steps[-1].name}", margin, packed=contiguous
        )

    @abstractmethod
    def forward(self, builder: Builder) -> None:
        """Write the calls that compute the output."""

    @abstractmethod
    def backward(self, builder: Builder) -> None:
        """Write the calls that compute the gradients of inputs and weights from the output's."""

    def write_gradient(self, builder: Builder, write: Callable[[Image | None], None]) -> None:
        """Write the gradients of a unit with weights: the input's too, if it is needed."""
        if self.inputs[0] in builder.learned:
            builder.add_gradient(self.inputs[0], write)
        else:
            write(None)


def slope_of(activation: Operation | None) -> tuple[int, float] | None:
    """Return the kernels' number and the slope below zero of an activation, None if it is curved.

    Activations that are a line on either side of zero are part of the kernels before them: their
    gradient is seen in their output.
    """
    if activation is None:
        return 0, 0.0
    if not isinstance(activation, Pointwise) or activation.function not in ("relu", "leaky_relu"):
        return None
    slope = activation.parameters[0] if activation.parameters else 0.0
    if activation.function == "relu" and activation.parameters:
        limit, slope, threshold = activation.parameters
        if limit != float("inf") or threshold != 0.0:
            return None
    if slope < 0:  # the output does not tell which side of zero the input was on
        return None
    return (2, slope) if slope else (1, 0.0)
