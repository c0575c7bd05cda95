"""Dense: the unit of a plan that mixes all features, with its bias and activation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...core.operation import Linear, Pointwise
from ..builder import Builder, Image
from ..plan import ABSENT, ABSENT_VIEW, GROUP, Call, Value
from ..weights import dense_kernel, vector
from .unit import Unit, slope_of

# Up to so many weights each thread does whole samples with all of them, and gives a share of their
# gradient to be added up; beyond it threads share the weights, and each weight is updated where its
# gradient is made, without a gradient in memory. 128 kB: an eighth of an L2 cache.
SHARED_FROM = 32_768
# Without gradients, from here on: the weights no longer stay in an L2 cache, or, of a lone image,
# two threads gain.
WIDE_FROM = 65_536


@dataclass(frozen=True, eq=False)
class Dense(Unit):
    """y = activation(x @ kernel + bias), over the features of a sample."""

    name = "dense"

    @cached_property
    def features(self) -> int:
        """Numbers that go in, per sample."""
        height, width, channels = self.size(self.inputs[0])
        return height * width * channels

    @cached_property
    def units(self) -> int:
        """Numbers that come out, per sample."""
        return self.size(self.output)[2]

    @cached_property
    def slope(self) -> tuple[int, float]:
        """Return the kernels' number of the activation, and its slope below zero."""
        slope = slope_of(self.operation(Pointwise))
        assert slope is not None, "the rules join no other activation"
        return slope

    @cached_property
    def shared(self) -> bool:
        """Whether the threads share out the weights, not the samples."""
        return self.features * self.units >= SHARED_FROM

    def needs_contiguous(self, value: int) -> bool:
        """Features lie without gaps."""
        return True

    def forward(self, builder: Builder) -> None:
        """Add one call, over samples or over parts of the weights."""
        weight, bias = self._weights(builder)
        wide = self.features * self.units >= WIDE_FROM and self.units > GROUP  # of several parts
        shared = self.shared if builder.training else wide
        call = Call(
            "dense_parts" if shared else "dense",
            {
                "input": builder.images[self.inputs[0]].view,
                "features": self.features,
                "output": builder.images[self.output].view,
                "units": self.units,
                "weight": weight,
                "bias": bias,
                "activation": self.slope[0],
                "slope": self.slope[1],
            },
            f"{self.features} -> {self.units}",
        )
        if shared:
            builder.parts(call)
        else:
            builder.samples(call)

    def backward(self, builder: Builder) -> None:
        """Add one call, or, where the weights are shared out, the activation's part before it."""
        gradient = builder.gradient(self.output)
        if not self.shared:
            self.write_gradient(
                builder, lambda target: self._over_samples(builder, gradient, target)
            )
            return
        if self.slope[0]:
            number, slope = self.slope
            builder.samples(
                Call(
                    "pointwise_backward",
                    {
                        "input": builder.images[self.output].view,
                        "output": builder.images[self.output].view,
                        "output_gradient": gradient.view,
                        "input_gradient": gradient.view,
                        **gradient.size,
                        "function": number,
                        "a": slope,
                        "b": 0.0,
                    },
                )
            )
        self.write_gradient(builder, lambda target: self._over_parts(builder, gradient, target))

    def _weights(self, builder: Builder) -> tuple[int, int]:
        step = self.steps[0]
        assert isinstance(step.operation, Linear)
        bias = vector(builder, step, step.operation.bias)
        return dense_kernel(builder, step).buffer, ABSENT if bias is None else bias.buffer

    def _over_samples(self, builder: Builder, gradient: Image, target: Image | None) -> None:
        step = self.steps[0]
        assert isinstance(step.operation, Linear)
        weight, bias = dense_kernel(builder, step), vector(builder, step, step.operation.bias)
        fields: dict[str, Value] = {
            "input": builder.images[self.inputs[0]].view,
            "features": self.features,
            "output": builder.images[self.output].view,
            "units": self.units,
            "weight": weight.buffer,
            "activation": self.slope[0],
            "slope": self.slope[1],
            "output_gradient": gradient.view,
            "input_gradient": target.view if target else ABSENT_VIEW,
            "weight_gradient": builder.slotted(weight),
            "bias_gradient": ABSENT if bias is None else builder.slotted(bias),
        }
        builder.samples(Call("dense_backward", fields))

    def _over_parts(self, builder: Builder, gradient: Image, target: Image | None) -> None:
        step = self.steps[0]
        assert isinstance(step.operation, Linear)
        weight, bias = dense_kernel(builder, step), vector(builder, step, step.operation.bias)
        fields: dict[str, Value] = {
            "input": builder.images[self.inputs[0]].view,
            "features": self.features,
            "units": self.units,
            "weight": weight.buffer,
            "output_gradient": gradient.view,
            "input_gradient": target.view if target else ABSENT_VIEW,
            "bias": ABSENT if bias is None else bias.buffer,
            **builder.fused_update(weight, bias),
        }
        builder.parts(Call("dense_backward_parts", fields))
