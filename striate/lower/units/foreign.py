"""Foreign: what no kernel computes; it runs as torch operations between two native segments."""

from __future__ import annotations

from dataclasses import dataclass

from ..builder import Builder, Margin, Weight
from .unit import Unit


@dataclass(frozen=True)
class Foreign(Unit):
    """One step of a program, computed by its layer itself, with gradients by torch's autograd."""

    name = "torch"

    def needs_contiguous(self, value: int) -> bool:
        """The layer is given tensors that share the arena's memory."""
        return False

    def place(self, builder: Builder, margin: Margin, contiguous: bool) -> None:
        """Make room for each output."""
        for value in self.steps[0].outputs:
            builder.images[value] = builder.image(
                self.size(value), self.steps[0].name, margin, packed=contiguous
            )

    def weights(self, builder: Builder) -> list[Weight]:
        """Return the layer's trainable weights, stored as they are."""
        step = self.steps[0]
        found = []
        for name, tensor in step.layer.named_parameters():
            if tensor.requires_grad:
                shape, size = tuple(tensor.shape), tensor.numel()

                def logical(master, shape=shape, size=size):  # type: ignore[no-untyped-def]
                    return master[:size].view(shape)

                found.append(builder.weight(f"{step.name}.{name}", tensor, size, logical))
        return found

    def forward(self, builder: Builder) -> None:
        """End the native segment: torch goes on."""
        builder.torch(self, backward=False)

    def backward(self, builder: Builder) -> None:
        """End the native segment: torch goes on, and leaves gradients in the arena."""
        builder.gradient(self.output)
        for weight in self.weights(builder):
            builder.single(weight)
        for value in self.inputs:
            if value in builder.learned:
                builder.add_gradient(value, lambda to: None)
        builder.torch(self, backward=True)
