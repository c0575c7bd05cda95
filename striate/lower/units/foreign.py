"""Foreign: what no kernel computes; it runs as torch operations between two native segments."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.operation import Drop, Linear, Opaque
from ..builder import Builder, Margin, TorchBackward, TorchForward, Weight
from ..reference import compute
from ..weights import Logical, dense_kernel
from .unit import Unit


@dataclass(frozen=True, eq=False)
class Foreign(Unit):
    """One step of a program, computed by its layer itself, with gradients by torch's autograd."""

    name = "torch"

    def place(self, builder: Builder, margin: Margin, contiguous: bool) -> None:
        """Make room for each output."""
        for value in self.steps[0].outputs:
            builder.images[value] = builder.image(
                self.size(value), self.steps[0].name, margin, packed=contiguous
            )
            builder.lasting.add(builder.images[value].view.buffer)

    def compute(self, inputs: list[Tensor]) -> tuple[Tensor, ...]:
        """Return the outputs; all tensors are channels last, as values of a program are."""
        step, values = self.steps[0], self.program.values
        given = [
            x.to(getattr(torch, values[at].dtype))
            for at, x in zip(step.inputs, inputs, strict=True)
        ]
        if not isinstance(step.operation, (Opaque, Drop)):  # a part of what the layer does
            return (compute(step.operation, given, step.weight),)
        # code may say `view`, which takes nothing that lies otherwise than torch would lay it
        laid = [
            values[at].to_user(x).contiguous() for at, x in zip(step.inputs, given, strict=True)
        ]
        out = step.layer(*laid)
        several = out if isinstance(out, tuple) else (out,)
        return tuple(
            values[at].from_user(one) for at, one in zip(step.outputs, several, strict=True)
        )

    def forward(self, builder: Builder) -> None:
        """End the native segment: torch goes on."""
        learned = tuple(at in builder.learned for at in self.steps[0].inputs)
        builder.lasting.update(builder.images[at].view.buffer for at in self.steps[0].inputs)
        builder.torch(TorchForward(self, learned))

    def backward(self, builder: Builder) -> None:
        """End the native segment: torch goes on, and leaves gradients in the arena."""
        step = self.steps[0]
        outputs = tuple(
            builder.gradient(at) if builder.root(at) in builder.written else None
            for at in step.outputs
        )
        weights = [weight for weight in self._weights(builder) if weight.trained]
        buffers = tuple((weight, builder.single(weight)) for weight in weights)
        targets = [builder.gradient_target(at) for at in step.inputs if at in builder.learned]
        inputs = tuple(image for image, _ in targets)
        given = (image for image in outputs if image is not None)
        builder.lasting.update(image.view.buffer for image in (*inputs, *given))
        builder.torch(TorchBackward(self, outputs, inputs, buffers))
        for _, addition in targets:
            if addition is not None:
                builder.samples(addition)

    def _weights(self, builder: Builder) -> list[Weight]:
        """Return the weights that the step reads, stored as they are."""
        step = self.steps[0]
        if isinstance(step.operation, Linear):
            dense_kernel(builder, step)  # lies as other calls of the layer may want it
        return [
            builder.weight(f"{step.name}.{name}", tensor, tensor.numel(), _as_is(tensor))
            for name, tensor in step.parameters().items()
            if tensor.is_floating_point()
        ]


def _as_is(tensor: Tensor) -> Logical:
    shape, size = tuple(tensor.shape), tensor.numel()
    return lambda master: master[:size].view(shape)
