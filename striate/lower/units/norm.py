"""Normalisation: by the statistics of the batch, by kept ones, or of each place by itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.operation import Affine, BatchNorm, LayerNorm, Merge, Pointwise
from ..builder import Builder, Image, Weight, copied
from ..plan import ABSENT, ABSENT_VIEW, GROUP, Call, Value, View, round_up
from ..weights import folded, vector
from .unit import Unit, slope_of


@dataclass(frozen=True, eq=False)
class BatchNormalization(Unit):
    """Batch normalisation [+ another value] [+ activation], in training.

    The sums over the batch come from the convolution before it, where that gives them; the division
    by their root waits for all samples, so a new stage begins behind it.
    """

    name = "batch normalisation"

    def forward(self, builder: Builder) -> None:
        """Add the calls: sums, their end by one thread, and the normalisation."""
        operation, image = self._norm(), builder.images[self.inputs[0]]
        channels = image.channels
        row = round_up(channels, GROUP)
        if self.inputs[0] not in builder.statistics:
            builder.add_statistics(self.inputs[0], channels)
            statistics = builder.statistics[self.inputs[0]]
            fields = {"input": image.view, **image.size, "statistics": statistics}
            builder.samples(Call("batch_statistics", fields))
        mean = builder.plan.add(row, 1, f"mean of {self.steps[0].name}")
        rstd = builder.plan.add(row, 1, f"1 / deviation of {self.steps[0].name}")
        builder.moments[self.output] = (mean, rstd)
        moving_mean, moving_variance = self._moving(builder)
        builder.alone(
            Call(
                "batch_norm_finish",
                {
                    "statistics": builder.statistics[self.inputs[0]],
                    "block": builder.block,
                    "count_per_sample": image.height * image.width,
                    "channels": channels,
                    "mean": mean,
                    "rstd": rstd,
                    "moving_mean": moving_mean.buffer,
                    "moving_variance": moving_variance.buffer,
                    "momentum": operation.momentum,
                    "epsilon": operation.epsilon,
                    "unbiased": int(operation.unbiased),
                },
            )
        )
        gamma, beta = self._weights(builder)
        builder.samples(
            Call(
                "batch_norm_apply",
                {
                    "input": image.view,
                    "output": builder.images[self.output].view,
                    **image.size,
                    "mean": mean,
                    "rstd": rstd,
                    "gamma": _buffer(gamma),
                    "beta": _buffer(beta),
                    "addend": self._addend(builder),
                    **self._slope(),
                },
            )
        )

    def backward(self, builder: Builder) -> None:
        """Add the calls: sums of the gradient, their end by one thread, and the gradient."""
        image, gradient = builder.images[self.inputs[0]], builder.gradient(self.output)
        mean, rstd = builder.moments[self.output]
        row = round_up(image.channels, GROUP)
        blocks = -(-builder.plan.batch // builder.block)
        sums = builder.plan.add(2 * row, blocks, f"gradient sums of {self.steps[0].name}")
        total = builder.plan.add(2 * row, 1, f"gradient sum of {self.steps[0].name}")
        moments: dict[str, Value] = {"mean": mean, "rstd": rstd}
        builder.samples(
            Call(
                "batch_norm_gradient_sums",
                {
                    "input": image.view,
                    "output": builder.images[self.output].view,
                    "output_gradient": gradient.view,
                    **image.size,
                    **moments,
                    **self._slope(),
                    "sums": sums,
                    "masked_gradient": gradient.view,
                },
            )
        )
        gamma, beta = self._weights(builder)
        builder.alone(
            Call(
                "batch_norm_gradient_finish",
                {
                    "sums": sums,
                    "block": builder.block,
                    "channels": image.channels,
                    "total": total,
                    "gamma_gradient": ABSENT if gamma is None else builder.single(gamma),
                    "beta_gradient": ABSENT if beta is None else builder.single(beta),
                },
            )
        )
        for value in self.inputs[1:]:
            if value in builder.learned:
                builder.add_gradient(value, lambda to: builder.samples(copied(gradient, to)))
        if self.inputs[0] not in builder.learned:
            return

        def write(target: Image) -> None:
            fields = {
                "input": image.view,
                "output_gradient": gradient.view,
                "input_gradient": target.view,
                **image.size,
                "count_per_sample": image.height * image.width,
                **moments,
                "gamma": _buffer(gamma),
                "total": total,
            }
            builder.samples(Call("batch_norm_backward", fields))

        builder.add_gradient(self.inputs[0], write)

    def _norm(self) -> BatchNorm:
        operation = self.steps[0].operation
        assert isinstance(operation, BatchNorm)
        return operation

    def _weights(self, builder: Builder) -> tuple[Weight | None, Weight | None]:
        step, operation = self.steps[0], self._norm()
        return vector(builder, step, operation.gamma), vector(builder, step, operation.beta)

    def _moving(self, builder: Builder) -> tuple[Weight, Weight]:
        step, operation = self.steps[0], self._norm()
        mean = vector(builder, step, operation.mean)
        variance = vector(builder, step, operation.variance)
        assert mean is not None and variance is not None
        return mean, variance

    def _addend(self, builder: Builder) -> View:
        if not isinstance(self.operation(Merge), Merge):
            return ABSENT_VIEW
        return builder.images[self.inputs[1]].view

    def _slope(self) -> dict[str, Value]:
        slope = slope_of(self.operation(Pointwise))
        assert slope is not None, "the rules join no other activation"
        return {"activation": slope[0], "slope": slope[1]}


@dataclass(frozen=True, eq=False)
class Scaling(Unit):
    """One scale and one offset for each channel: constants, or kept statistics at inference."""

    name = "scaling"

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        image, output = builder.images[self.inputs[0]], builder.images[self.output]
        self._scale(builder, image, output, self._constant(builder, 1))

    def backward(self, builder: Builder) -> None:
        """Add the call that scales the gradient."""
        gradient = builder.gradient(self.output)
        builder.add_gradient(
            self.inputs[0], lambda target: self._scale(builder, gradient, target, ABSENT)
        )

    def _scale(self, builder: Builder, source: Image, target: Image, offset: int) -> None:
        fields = {"input": source.view, "output": target.view, **source.size}
        scale = self._constant(builder, 0)
        builder.samples(Call("affine", {**fields, "scale": scale, "offset": offset}))

    def _constant(self, builder: Builder, which: int) -> int:
        """Return the buffer of the scale (0) or the offset (1)."""
        step = self.steps[0]
        channels = self.size(self.output)[2]

        def given() -> Tensor:
            if isinstance(step.operation, BatchNorm):
                return folded(step)[which].expand(channels)
            assert isinstance(step.operation, Affine)
            numbers = (step.operation.scale, step.operation.offset)[which]
            return torch.tensor(numbers, dtype=torch.float32).expand(channels)

        name = f"{('scale', 'offset')[which]} of {step.name}, value {self.output}"
        return builder.constant(name, channels, given)


@dataclass(frozen=True, eq=False)
class LayerNormalization(Unit):
    """Each vector along the channels, less its mean, divided by its deviation."""

    name = "layer normalisation"

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        image = builder.images[self.inputs[0]]
        gamma, beta = self._weights(builder)
        fields = {
            "input": image.view,
            "output": builder.images[self.output].view,
            **image.size,
            "gamma": _buffer(gamma),
            "beta": _buffer(beta),
            "epsilon": self._norm().epsilon,
        }
        builder.samples(Call("layer_norm", fields))

    def backward(self, builder: Builder) -> None:
        """Add one call."""
        image, gradient = builder.images[self.inputs[0]], builder.gradient(self.output)
        gamma, beta = self._weights(builder)

        def write(target: Image | None) -> None:
            fields = {
                "input": image.view,
                "output_gradient": gradient.view,
                "input_gradient": target.view if target else ABSENT_VIEW,
                **image.size,
                "gamma": _buffer(gamma),
                "epsilon": self._norm().epsilon,
                "gamma_gradient": ABSENT if gamma is None else builder.slotted(gamma),
                "beta_gradient": ABSENT if beta is None else builder.slotted(beta),
            }
            builder.samples(Call("layer_norm_backward", fields))

        self.write_gradient(builder, write)

    def _norm(self) -> LayerNorm:
        operation = self.steps[0].operation
        assert isinstance(operation, LayerNorm)
        return operation

    def _weights(self, builder: Builder) -> tuple[Weight | None, Weight | None]:
        step, operation = self.steps[0], self._norm()
        return vector(builder, step, operation.gamma), vector(builder, step, operation.beta)


def _buffer(weight: Weight | None) -> int:
    return ABSENT if weight is None else weight.buffer
