"""Units that take each number, or each place of an image, by itself: activations, merges..."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.operation import Affine, Drop, Merge, Pointwise
from ..builder import Builder, Image, copied
from ..plan import ABSENT_VIEW, Call, Value
from .unit import Unit, slope_of

# Numbers of the functions in native/kernels/pointwise.cpp.
FUNCTIONS = {
    "relu": 1, "leaky_relu": 2, "elu": 4, "selu": 5, "sigmoid": 6, "tanh": 7, "softplus": 8,
    "softsign": 9, "exponential": 10, "gelu": 11, "gelu_tanh": 12, "silu": 13, "mish": 14,
    "hard_sigmoid": 15, "hard_silu": 16,
}  # fmt: skip
CLIPPED, AFFINE = 3, 17
MERGES = {"add": 1, "subtract": 2, "multiply": 3, "average": 4, "maximum": 5, "minimum": 6}


def function_of(operation: Pointwise | Affine) -> tuple[int, float, float] | None:
    """Return the kernel's number of a function and its two parameters, None if it has none."""
    if isinstance(operation, Affine):
        plain = len(operation.scale) == len(operation.offset) == 1
        return (AFFINE, operation.scale[0], operation.offset[0]) if plain else None
    line = slope_of(operation)
    if line is not None:
        return (*line, 0.0)
    if operation.function == "relu6":
        return CLIPPED, 6.0, 0.0
    if operation.function == "relu":
        limit, slope, threshold = operation.parameters
        return (CLIPPED, limit, slope) if threshold == 0.0 else None
    if operation.function not in FUNCTIONS:
        return None
    return (
        FUNCTIONS[operation.function],
        *operation.parameters,
        *(0.0,) * (2 - len(operation.parameters)),
    )  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class Function(Unit):
    """A function of each number."""

    name = "function"

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        image = builder.images[self.inputs[0]]
        output = builder.images[self.output]
        fields = {"input": image.view, "output": output.view, **image.size, **self._function()}
        builder.samples(Call("pointwise", fields, str(self.steps[0].operation)))

    def backward(self, builder: Builder) -> None:
        """Add one call."""
        image, output = builder.images[self.inputs[0]], builder.images[self.output]
        gradient = builder.gradient(self.output)

        def write(target: Image) -> None:
            fields = {
                "input": image.view,
                "output": output.view,
                "output_gradient": gradient.view,
                "input_gradient": target.view,
                **image.size,
                **self._function(),
            }
            builder.samples(Call("pointwise_backward", fields))

        builder.add_gradient(self.inputs[0], write)

    def _function(self) -> dict[str, Value]:
        operation = self.steps[0].operation
        assert isinstance(operation, (Pointwise, Affine))
        found = function_of(operation)
        assert found is not None, "the rules give only functions that have a number"
        return dict(zip(("function", "a", "b"), found, strict=True))


@dataclass(frozen=True, eq=False)
class Softmax(Unit):
    """exp(x) / sum of exp(x) over the channels of each place, or the logarithm of that."""

    name = "softmax"

    @property
    def kernel(self) -> str:
        """The name of the kernel."""
        operation = self.steps[0].operation
        assert isinstance(operation, Pointwise)
        return operation.function

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        image = builder.images[self.inputs[0]]
        output = builder.images[self.output].view
        builder.samples(Call(self.kernel, {"input": image.view, "output": output, **image.size}))

    def backward(self, builder: Builder) -> None:
        """Add one call."""
        image, gradient = builder.images[self.output], builder.gradient(self.output)

        def write(target: Image) -> None:
            fields = {
                "output": image.view,
                "output_gradient": gradient.view,
                "input_gradient": target.view,
                **image.size,
            }
            builder.samples(Call(f"{self.kernel}_backward", fields))

        builder.add_gradient(self.inputs[0], write)


@dataclass(frozen=True, eq=False)
class Dropout(Unit):
    """Zero in the place of some numbers; the others grow so much that the mean stays."""

    name = "dropout"

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        operation = self.steps[0].operation
        assert isinstance(operation, Drop)
        builder.draws[self.output] = {
            "rate": operation.rate,
            "key": builder.key(),
            "per_channel": int(bool(operation.shared)),
        }
        source, target = builder.images[self.inputs[0]], builder.images[self.output]
        self._drop(builder, source, target)

    def backward(self, builder: Builder) -> None:
        """Add the same call, on the gradient."""
        gradient = builder.gradient(self.output)
        builder.add_gradient(self.inputs[0], lambda target: self._drop(builder, gradient, target))

    def _drop(self, builder: Builder, source: Image, target: Image) -> None:
        fields = {"input": source.view, "output": target.view, **source.size}
        builder.samples(Call("drop", {**fields, **builder.draws[self.output]}))


@dataclass(frozen=True, eq=False)
class Merging(Unit):
    """Inputs of one shape, combined number by number; two of them, or a sum of any number."""

    name = "merge"

    def forward(self, builder: Builder) -> None:
        """Add a call for each input after the first."""
        output = builder.images[self.output]
        left = builder.images[self.inputs[0]]
        for value in self.inputs[1:]:
            fields = {
                "kind": self._kind(),
                "left": left.view,
                "right": builder.images[value].view,
                "output": output.view,
                **output.size,
            }
            builder.samples(Call("merge", fields))
            left = output

    def backward(self, builder: Builder) -> None:
        """Add a call for each input that learns."""
        gradient = builder.gradient(self.output)
        for position, value in enumerate(self.inputs):
            if value not in builder.learned:
                continue

            def write(target: Image, position: int = position) -> None:
                if self._kind() == MERGES["add"]:
                    builder.samples(copied(gradient, target))
                else:
                    self._one_side(builder, gradient, target, position)

            builder.add_gradient(value, write)

    def _one_side(self, builder: Builder, gradient: Image, target: Image, position: int) -> None:
        left, right = (builder.images[value].view for value in self.inputs)
        fields = {
            "kind": self._kind(),
            "left": left,
            "right": right,
            "output_gradient": gradient.view,
            "left_gradient": target.view if position == 0 else ABSENT_VIEW,
            "right_gradient": target.view if position == 1 else ABSENT_VIEW,
            **gradient.size,
        }
        builder.samples(Call("merge_backward", fields))

    def _kind(self) -> int:
        operation = self.steps[0].operation
        assert isinstance(operation, Merge)
        return MERGES[operation.kind]
