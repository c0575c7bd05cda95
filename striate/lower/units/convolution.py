"""Convolution: the unit of a plan with its bias, activation, pooling and dropout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from ...core.operation import BatchNorm, Correlate, Drop, Merge, Pointwise, Pool
from ...core.window import Window
from ..builder import Builder, Image, Margin
from ..plan import ABSENT, ABSENT_VIEW, GROUP, Call, Value, View, round_up
from ..program import Step
from ..weights import bias, kernel
from .unit import Unit, slope_of

POOLS = {"max": 1, "average": 2}
SHARED_FROM = 100_000  # products of a lone image: 2 us or more, so that two threads gain


@dataclass(frozen=True, eq=False)
class Convolution(Unit):
    """Convolution, bias, activation, pooling and dropout in one pass over the input.

    At inference a batch normalisation is part of the weights, and another value may be added
    before the activation.
    """

    name = "convolution"

    @property
    def first(self) -> Step:
        """Return the step of the convolution itself."""
        return self.steps[0]

    @cached_property
    def correlate(self) -> Correlate:
        """Return the convolution itself."""
        operation = self.first.operation
        assert isinstance(operation, Correlate)
        return operation

    @cached_property
    def axes(self) -> tuple[Window, Window]:
        """Return the windows over rows and columns."""
        windows = self.correlate.windows
        return (Window(), windows[0]) if len(windows) == 1 else (windows[0], windows[1])

    @cached_property
    def pool_axes(self) -> tuple[Window, Window] | None:
        """Return the windows of the pooling over rows and columns, if the unit pools."""
        pool = self.operation(Pool)
        if not isinstance(pool, Pool):
            return None
        return (
            (Window(), pool.windows[0])
            if len(pool.windows) == 1
            else (pool.windows[0], pool.windows[1])
        )

    @cached_property
    def places(self) -> tuple[int, int]:
        """Return the places of the convolution in rows and columns, without those no pool reads."""
        full = self.size(self.first.output)[:2]
        if self.pool_axes is None:
            return full
        out = self.size(self.output)[:2]
        rows, columns = (
            (places - 1) * window.stride + window.kernel
            for places, window in zip(out, self.pool_axes, strict=True)
        )
        return rows, columns

    @cached_property
    def slope(self) -> tuple[int, float]:
        """Return the kernels' number of the activation, and its slope below zero."""
        slope = slope_of(self.operation(Pointwise))
        assert slope is not None, "the rules join no other activation"
        return slope

    def margin(self, value: int) -> Margin:
        """Return the padding, as far as a place that is kept reads it."""
        if value != self.inputs[0]:
            return Margin()  # it is added to the output
        height, width, _ = self.size(value)
        sides = []
        for window, places, size in zip(self.axes, self.places, (height, width), strict=True):
            reach = (places - 1) * window.stride + window.extent - window.low
            sides.append((window.low, max(0, reach - size)))
        return Margin(*sides[0], *sides[1])

    def fields(self) -> dict[str, Value]:
        """Return the geometry that forward and backward kernels share."""
        (rows, columns), (height, width) = self.axes, self.places
        number, slope = self.slope
        pool = self.operation(Pool)
        pool_rows, pool_columns = self.pool_axes or (Window(), Window())
        return {
            "height": height,
            "width": width,
            "filters": self.size(self.first.output)[2],
            "kernel_height": rows.kernel,
            "kernel_width": columns.kernel,
            "stride_y": rows.stride,
            "stride_x": columns.stride,
            "dilation_y": rows.dilation,
            "dilation_x": columns.dilation,
            "groups": self.correlate.groups,
            "activation": number,
            "slope": slope,
            "pool": POOLS[pool.kind] if isinstance(pool, Pool) else 0,
            "pool_height": pool_rows.kernel,
            "pool_width": pool_columns.kernel,
            "pool_stride_y": pool_rows.stride,
            "pool_stride_x": pool_columns.stride,
        }

    def source(self, builder: Builder) -> Image:
        """Return the input, from the cell that the first tap of the first place reads."""
        rows, columns = self.axes
        image = builder.images[self.inputs[0]]
        return image.part(-rows.low, -columns.low, image.height, image.width)

    # ---- the calls -------------------------------------------------------------------------------

    @cached_property
    def winograd(self) -> bool:
        """Whether F(4x4, 3x3) or F(2x2, 5x5) applies: 36 products for 144, or for 100."""
        (rows, columns), (height, width) = self.axes, self.places
        plain = all(w.stride == w.dilation == 1 for w in (rows, columns))
        square = rows.kernel == columns.kernel and rows.kernel in (3, 5)
        channels, filters = self.size(self.inputs[0])[2], self.size(self.first.output)[2]
        return (
            plain
            and square
            and self.correlate.groups == 1
            and min(channels, filters) >= GROUP
            and (height * width >= 16)
        )

    @property
    def sparse(self) -> bool:
        """Whether the gradient is behind a maximum: most of it is zero, and a kernel skips that."""
        pool = self.operation(Pool)
        plain = all(window.stride == window.dilation == 1 for window in self.axes)
        return (
            isinstance(pool, Pool)
            and pool.kind == "max"
            and plain
            and self.correlate.groups == 1
            and self.slope[1] == 0.0
        )

    @property
    def products(self) -> int:
        """Return the multiply-accumulates of one sample."""
        (rows, columns), (height, width) = self.axes, self.places
        channels, filters = self.size(self.inputs[0])[2], self.size(self.first.output)[2]
        taps = rows.kernel * columns.kernel * channels // self.correlate.groups
        return height * width * filters * taps

    @property
    def norm(self) -> Step | None:
        """Return the batch normalisation that is folded into the weights, if there is one."""
        return next((s for s in self.steps if isinstance(s.operation, BatchNorm)), None)

    def place(self, builder: Builder, margin: Margin, contiguous: bool) -> None:
        """Make room for the output, and in training for the winners of a max-pooling."""
        super().place(builder, margin, contiguous)
        pool = self.operation(Pool)
        if builder.training and isinstance(pool, Pool) and pool.kind == "max":
            height, width, filters = self.size(self.output)
            numbers = height * width * round_up(filters, GROUP)
            index = builder.plan.add(
                numbers // 4, builder.plan.batch, f"winners of {self.first.name}"
            )
            builder.indices[self.output] = index

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        channels = self.size(self.inputs[0])[2]
        filters = self.size(self.first.output)[2]
        weight, shift = kernel(builder, self.first, self.norm), bias(builder, self.first, self.norm)
        buffer, name, why = weight.buffer, "conv", "direct"
        if self.small_products(builder):
            buffer, name, why = self._packed_bfloat16(builder, 0), "conv_bf16", "bfloat16"
        elif self.winograd:
            buffer, name = self._packed_winograd(builder, 0), "conv_winograd"
            why = "F(4x4, 3x3)" if self.axes[0].kernel == 3 else "F(2x2, 5x5)"
        drop = self.operation(Drop)
        builder.draws[self.output] = {
            "drop": drop.rate if isinstance(drop, Drop) else 0.0,
            "key": builder.key() if isinstance(drop, Drop) else 0,
        }
        call = Call(
            name,
            {
                "input": self.source(builder).view,
                "channels": channels,
                "weight": buffer,
                "bias": ABSENT if shift is None else shift.buffer,
                "output": builder.images[self.output].view,
                **self.fields(),
                "index": builder.indices.get(self.output, ABSENT),
                **builder.draws[self.output],
                "statistics": builder.statistics.get(self.output, ABSENT),
                "addend": self._addend(builder),
            },
            f"{filters} filters, {why}",
        )
        if builder.shares > 1 and self.products >= SHARED_FROM:
            builder.parts(*self._bands(call, builder.shares))
        else:
            builder.samples(call)

    def _bands(self, call: Call, count: int) -> Iterator[Call]:
        """Cut a call into `count` calls for the rows of the output, as far as it has so many."""
        rows = self.size(self.output)[0]
        pool = self.pool_axes[0] if self.pool_axes else Window()
        source, target = call.fields["input"], call.fields["output"]
        addend = call.fields["addend"]
        assert isinstance(source, View)
        assert isinstance(target, View)
        assert isinstance(addend, View)
        tile = 1 if not self.winograd else 4 if self.axes[0].kernel == 3 else 2  # rows of places
        step = max(1, tile // pool.stride)
        steps = -(-rows // step)
        count = min(count, steps)
        edges = [min(rows, step * (steps * part // count)) for part in range(count + 1)]
        for top, bottom in pairwise(edges):
            first = top * pool.stride * self.axes[0].stride
            fields = {
                **call.fields,
                "height": (bottom - top - 1) * pool.stride + pool.kernel,
                "input": source.moved(first * source.row),
                "output": target.moved(top * target.row),
                "addend": addend.moved(top * addend.row),
            }
            yield replace(call, fields=fields)

    def _addend(self, builder: Builder) -> View:
        added = self.operation(Merge)
        return builder.images[self.inputs[1]].view if added else ABSENT_VIEW

    def backward(self, builder: Builder) -> None:
        """Add one call for the gradients of kernel, bias and input."""
        weight, shift = kernel(builder, self.first), bias(builder, self.first)
        name, packed = self._backward_kernel(builder)
        height, width, channels = self.size(self.inputs[0])
        rows, columns = self.axes
        output, gradient = builder.images[self.output], builder.gradient(self.output)

        def write(target: Image | None) -> None:
            draws = builder.draws[self.output]
            builder.samples(
                Call(
                    name,
                    {
                        "input": self.source(builder).view,
                        "channels": channels,
                        "output": output.view,
                        **self.fields(),
                        "index": builder.indices.get(self.output, ABSENT),
                        "drop": draws["drop"],
                        "output_gradient": gradient.view,
                        "weight": packed,
                        "input_gradient": target.view if target else ABSENT_VIEW,
                        "in_height": height,
                        "in_width": width,
                        "pad_y": rows.low,
                        "pad_x": columns.low,
                        "weight_gradient": builder.slotted(weight),
                        "bias_gradient": ABSENT if shift is None else builder.slotted(shift),
                    },
                )
            )

        self.write_gradient(builder, write)

    def _backward_kernel(self, builder: Builder) -> tuple[str, int]:
        """Return the kernel for the gradients, and the weights in the form that it takes."""
        weight = kernel(builder, self.first)
        channels, filters = self.size(self.inputs[0])[2], self.size(self.first.output)[2]
        taps = self.axes[0].kernel * self.axes[1].kernel
        if self.correlate.groups == channels == filters:  # each of its own: no form but the master
            return "conv_backward", weight.buffer
        channels //= self.correlate.groups
        fields = {"taps": taps, "channels": channels, "filters": filters}
        floats = taps * filters * round_up(channels, GROUP)

        def packed(form: str) -> int:
            def call(to: int) -> Call:
                return Call(form, {"master": weight.buffer, "packed": to, **fields})

            return builder.pack(weight, form, floats, call)

        if self.sparse:
            return "conv_backward_sparse", packed("pack_taps")
        if self.small_products(builder):
            return "conv_backward_bf16", self._packed_bfloat16(builder, 1)
        if self.winograd and self.inputs[0] in builder.learned:
            return "conv_backward_winograd", self._packed_winograd(builder, 1)
        return "conv_backward", packed("pack_transposed")

    def small_products(self, builder: Builder) -> bool:
        """Whether products are of bfloat16 numbers: asked for, and enough channels to gain."""
        channels, filters = self.size(self.inputs[0])[2], self.size(self.first.output)[2]
        few = min(channels, filters) < GROUP
        return builder.bfloat16 and self.correlate.groups == 1 and not few

    def _packed_bfloat16(self, builder: Builder, backward: int) -> int:
        weight = kernel(builder, self.first, self.norm)
        taps = self.axes[0].kernel * self.axes[1].kernel
        channels, filters = self.size(self.inputs[0])[2], self.size(self.first.output)[2]
        summands, lanes = (filters, channels) if backward else (channels, filters)

        def call(to: int) -> Call:
            fields = {"taps": taps, "channels": channels, "filters": filters, "backward": backward}
            return Call("pack_bf16", {"master": weight.buffer, "packed": to, **fields})

        form = "bfloat16, backward" if backward else "bfloat16"
        floats = taps * -(-summands // 2) * round_up(lanes, GROUP)  # two numbers in each
        return builder.pack(weight, form, floats, call)

    def _packed_winograd(self, builder: Builder, backward: int) -> int:
        weight = kernel(builder, self.first, self.norm)
        channels, filters = self.size(self.inputs[0])[2], self.size(self.first.output)[2]
        rows, columns = (filters, channels) if backward else (channels, filters)

        def call(to: int) -> Call:
            side = self.axes[0].kernel
            fields = {"side": side, "channels": channels, "filters": filters, "backward": backward}
            return Call("pack_winograd", {"master": weight.buffer, "packed": to, **fields})

        form = "winograd, backward" if backward else "winograd"
        return builder.pack(weight, form, 36 * rows * round_up(columns, GROUP), call)
