"""Pooling that no convolution has taken over: windows over the edges, or the whole image."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.operation import GlobalPool, Pool
from ...core.window import Window
from ..builder import Builder, Image, Margin
from ..plan import ABSENT, GROUP, Call, Value, round_up
from .unit import Unit

KINDS = {"max": 1, "average": 2}
COUNTS_PADDING = 3  # the kernels' number of an average that counts padding


@dataclass(frozen=True, eq=False)
class Pooling(Unit):
    """The maximum or the average of each window."""

    name = "pooling"

    def place(self, builder: Builder, margin: Margin, contiguous: bool) -> None:
        """Make room for the output, and in training for the winners of the windows."""
        super().place(builder, margin, contiguous)
        height, width, channels = self.size(self.output)
        if builder.training and self._pool().kind == "max":
            floats = height * width * round_up(channels, GROUP) // 4  # a byte for each
            name = f"winners of {self.steps[0].name}"
            builder.indices[self.output] = builder.plan.add(floats, builder.plan.batch, name)

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        views = {
            "input": builder.images[self.inputs[0]].view,
            "output": builder.images[self.output].view,
        }
        builder.samples(Call("pool", {**views, **self._fields(builder)}))

    def backward(self, builder: Builder) -> None:
        """Add one call."""
        gradient = builder.gradient(self.output)

        def write(target: Image) -> None:
            views = {"output_gradient": gradient.view, "input_gradient": target.view}
            builder.samples(Call("pool_backward", {**self._fields(builder), **views}))

        builder.add_gradient(self.inputs[0], write)

    def _pool(self) -> Pool:
        operation = self.steps[0].operation
        assert isinstance(operation, Pool)
        return operation

    def _fields(self, builder: Builder) -> dict[str, Value]:
        pool = self._pool()
        in_height, in_width, channels = self.size(self.inputs[0])
        height, width, _ = self.size(self.output)
        rows, columns = (Window(), *pool.windows)[-2:]
        return {
            "in_height": in_height,
            "in_width": in_width,
            "channels": channels,
            "height": height,
            "width": width,
            "kind": COUNTS_PADDING
            if pool.kind == "average" and pool.counts_padding
            else KINDS[pool.kind],
            "kernel_height": rows.kernel,
            "kernel_width": columns.kernel,
            "stride_y": rows.stride,
            "stride_x": columns.stride,
            "pad_y": rows.low,
            "pad_x": columns.low,
            "dilation_y": rows.dilation,
            "dilation_x": columns.dilation,
            "index": builder.indices.get(self.output, ABSENT),
        }


@dataclass(frozen=True, eq=False)
class GlobalPooling(Unit):
    """The maximum or the average of all places of a channel."""

    name = "global pooling"

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        image, output = builder.images[self.inputs[0]], builder.images[self.output]
        fields = {"input": image.view, "output": output.view, **image.size, "kind": self._kind()}
        builder.samples(Call("global_pool", fields))

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
                "kind": self._kind(),
            }
            builder.samples(Call("global_pool_backward", fields))

        builder.add_gradient(self.inputs[0], write)

    def _kind(self) -> int:
        operation = self.steps[0].operation
        assert isinstance(operation, GlobalPool)
        return KINDS[operation.kind]
