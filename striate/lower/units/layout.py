"""Units that move numbers and change none: reshape, permute, pad, crop, repeat, concatenate."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from ...core.operation import Concatenate, Crop, Pad, Permute, Repeat
from ..builder import Builder, Image, Margin, copied
from ..plan import Call
from .unit import Unit

ORDERS = tuple(itertools.permutations(range(3)))  # of (height, width, channels), by number


@dataclass(frozen=True, eq=False)
class Reshaping(Unit):
    """The same numbers in another form: nothing is done where they lie without gaps."""

    name = "reshape"

    def needs_contiguous(self, value: int) -> bool:
        """Gaps would be numbers of their own in the new form."""
        return True

    def place(self, builder: Builder, margin: Margin, contiguous: bool) -> None:
        """Show the input's own place, unless it has gaps or the output must have a margin."""
        image = builder.images[self.inputs[0]]
        if image.contiguous and margin == Margin():
            builder.images[self.output] = image.reshaped(self.size(self.output))
            builder.forms[self.output] = self.inputs[0]
        else:
            super().place(builder, margin, contiguous)

    def forward(self, builder: Builder) -> None:
        """Copy, where the output has a place of its own."""
        if self.output not in builder.forms:
            self._copy(builder, builder.images[self.inputs[0]], builder.images[self.output])

    def backward(self, builder: Builder) -> None:
        """Copy back, where the output has a place of its own."""
        if self.output not in builder.forms:
            gradient = builder.gradient(self.output)
            builder.add_gradient(self.inputs[0], lambda to: self._copy(builder, gradient, to))

    def _copy(self, builder: Builder, source: Image, target: Image) -> None:
        """Copy in the user's order: through a place without gaps, if neither side is one."""
        if source.contiguous:
            size = (target.height, target.width, target.channels)
            builder.samples(copied(source.reshaped(size), target))
        elif target.contiguous:
            size = (source.height, source.width, source.channels)
            builder.samples(copied(source, target.reshaped(size)))
        else:
            size = (source.height, source.width, source.channels)
            between = builder.image(size, f"{self.steps[0].name} without gaps", packed=True)
            builder.samples(copied(source, between))
            self._copy(builder, between, target)


@dataclass(frozen=True, eq=False)
class Permutation(Unit):
    """Axes in another order."""

    name = "permute"

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        image, output = builder.images[self.inputs[0]], builder.images[self.output]
        self._permute(builder, image, output, self._axes())

    def backward(self, builder: Builder) -> None:
        """Add the call that goes back."""
        gradient, axes = builder.gradient(self.output), self._axes()
        back = (axes.index(0), axes.index(1), axes.index(2))
        builder.add_gradient(self.inputs[0], lambda to: self._permute(builder, gradient, to, back))

    def _axes(self) -> tuple[int, int, int]:
        operation = self.steps[0].operation
        assert isinstance(operation, Permute)
        missing = 3 - len(operation.axes)
        first, second, third = (*range(missing), *(axis + missing for axis in operation.axes))
        return first, second, third

    def _permute(
        self, builder: Builder, source: Image, target: Image, axes: tuple[int, int, int]
    ) -> None:
        fields = {"input": source.view, "output": target.view, **source.size}
        builder.samples(Call("permute", {**fields, "order": ORDERS.index(axes)}))


@dataclass(frozen=True, eq=False)
class Placement(Unit):
    """An image inside a larger one (zero padding), or a part of one (cropping)."""

    name = "pad or crop"

    def forward(self, builder: Builder) -> None:
        """Add one call, after zeros where there is an edge."""
        image, output = builder.images[self.inputs[0]], builder.images[self.output]
        self._move(builder, image, output, self._offset(Crop), self._offset(Pad))

    def backward(self, builder: Builder) -> None:
        """Add the same the other way round."""
        gradient = builder.gradient(self.output)

        def write(target: Image) -> None:
            self._move(builder, gradient, target, self._offset(Pad), self._offset(Crop))

        builder.add_gradient(self.inputs[0], write)

    def _move(
        self,
        builder: Builder,
        source: Image,
        target: Image,
        cut: tuple[int, int],
        moved: tuple[int, int],
    ) -> None:
        height = min(source.height - cut[0], target.height - moved[0])
        width = min(source.width - cut[1], target.width - moved[1])
        if (height, width) != (target.height, target.width):
            builder.samples(Call("zero", {"output": target.view, **target.size}))
        builder.samples(
            copied(source.part(*cut, height, width), target.part(*moved, height, width))
        )

    def _offset(self, kind: type[Pad] | type[Crop]) -> tuple[int, int]:
        """Return how many rows and columns are before the image, in the larger of the two."""
        operation = self.steps[0].operation
        if not isinstance(operation, kind):
            return 0, 0
        lows = [low for low, _ in operation.amounts]
        return (0, lows[0]) if len(lows) == 1 else (lows[0], lows[1])


@dataclass(frozen=True, eq=False)
class Repetition(Unit):
    """Each number repeated along rows and columns."""

    name = "repeat"

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        image, output = builder.images[self.inputs[0]], builder.images[self.output]
        call = copied(image, output)
        builder.samples(Call("copy", {**call.fields, **self._factors()}))

    def backward(self, builder: Builder) -> None:
        """Add the call that sums over the repetitions."""
        gradient, image = builder.gradient(self.output), builder.images[self.inputs[0]]

        def write(target: Image) -> None:
            fields = {"input": gradient.view, "output": target.view, **image.size}
            builder.samples(Call("sum_repeat", {**fields, **self._factors()}))

        builder.add_gradient(self.inputs[0], write)

    def _factors(self) -> dict[str, int]:
        operation = self.steps[0].operation
        assert isinstance(operation, Repeat)
        rows, columns = (1, *operation.factors)[-2:]
        return {"repeat_y": rows, "repeat_x": columns}


@dataclass(frozen=True, eq=False)
class Concatenation(Unit):
    """Inputs one after the other along an axis."""

    name = "concatenate"

    def forward(self, builder: Builder) -> None:
        """Add a call for each input."""
        output = builder.images[self.output]
        for value, begin in zip(self.inputs, self._begins(), strict=True):
            image = builder.images[value]
            builder.samples(copied(image, self._part(output, image, begin)))

    def backward(self, builder: Builder) -> None:
        """Add a call for each input that learns."""
        gradient = builder.gradient(self.output)
        for value, begin in zip(self.inputs, self._begins(), strict=True):
            if value in builder.learned:
                target, addition = builder.gradient_target(value)
                part = self._part(gradient, builder.images[value], begin)
                builder.samples(copied(part, target))
                if addition is not None:
                    builder.samples(addition)

    def _axis(self) -> int:
        """Return the axis among height, width and channels."""
        operation = self.steps[0].operation
        assert isinstance(operation, Concatenate)
        return operation.axis + 3 - len(self.program.values[self.output].shape)

    def _begins(self) -> list[int]:
        sizes = [self.size(value)[self._axis()] for value in self.inputs]
        return [0, *itertools.accumulate(sizes[:-1])]

    def _part(self, whole: Image, image: Image, begin: int) -> Image:
        offset = [0, 0, 0]
        offset[self._axis()] = begin
        moved = whole.part(offset[0], offset[1], image.height, image.width)
        view = replace(moved.view, origin=moved.view.origin + offset[2])
        return Image(view, image.height, image.width, image.channels)
