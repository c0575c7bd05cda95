"""Layers of several inputs: sums, products, extremes, concatenation, scalar products."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ..core import operation
from ..core.layer import Layer
from ..core.operation import Chain, last_axis
from ..core.spec import Shape, Spec, show
from ..core.window import MOVES, POINTWISE, UNKNOWN, Geometry
from ..errors import ConfigError, ShapeError
from .axes import checked_axes, place
from .resize import floating_spec


class Merge(Layer):
    """A layer whose output combines its inputs."""

    def build(self, *x: Spec) -> None:
        """Raise ShapeError where the inputs do not fit each other; there is nothing to create."""
        self.infer(*x)

    def macs(self, *specs: Spec) -> int:
        """Return 0: single additions and products are not counted, as in torch's counter."""
        return 0

    def misfit(self, x: Sequence[Spec], what: str, fix: str, need: str) -> ShapeError:
        """Return the error for inputs that do not fit each other."""
        got = "inputs " + " and ".join(map(str, x))
        return ShapeError(self.where, what, got=got, need=need, fix=fix)

    def expect_two(self, x: Sequence[Spec]) -> None:
        """Raise ShapeError unless there are two inputs."""
        if len(x) != 2:
            what = f"takes 2 inputs, not {len(x)}"
            call = f"L.{type(self).__name__}({self.extra_repr()})(a, b)"
            raise self.misfit(x, what, call, "2 inputs")

    def layout(self, x: Sequence[Spec]) -> str:
        """Return the layout of the inputs that have spatial axes, or raise if there are two."""
        layouts = list(dict.fromkeys(spec.data_format for spec in x if len(spec.shape) > 1))
        if len(layouts) > 1:
            first = ", ".join(f"{spec} {spec.data_format}" for spec in x)
            raise ShapeError(
                self.where,
                "its inputs have their channels on different axes",
                got=f"inputs {first}",
                need="one data_format for all inputs",
                fix=f'L.Input(shape, data_format="{layouts[0]}") for all of them',
            )
        return layouts[0] if layouts else x[0].data_format


class Placewise(Merge):
    """A merge place by place. Shapes are laid on each other from the last axis, as in Keras: where
    an input has a size of 1, or no axis at all, its value counts for the whole axis.
    """

    def windows(self, *x: Spec) -> Geometry:
        """Read each place on its own; where sizes of 1 are spread, it is not stated."""
        return POINTWISE if all(spec.shape == x[0].shape for spec in x) else UNKNOWN

    def infer(self, *x: Spec) -> Spec:
        """Return the spec with the most axes, sizes of 1 spread to those of the others."""
        layout, rank = self.layout(x), max(len(spec.shape) for spec in x)
        shapes = [(1,) * (rank - len(spec.shape)) + spec.shape for spec in x]
        common = Spec(shapes[0], promoted(x), layout)
        return common.reshape(tuple(self._size(x, shapes, at) for at in range(rank)))

    def forward(self, *x: Tensor) -> Tensor:
        """Give all inputs the same number of axes, and combine them."""
        rank = max(one.dim() for one in x)
        return self.combine(
            *(one.reshape(one.shape[0], *[1] * (rank - one.dim()), *one.shape[1:]) for one in x)
        )

    def merged(self, kind: str, x: Sequence[Spec]) -> Chain | None:
        """Return the operation of this kind; none where axes meet that are not the same ones."""
        alike = all(len(spec.shape) == len(x[0].shape) for spec in x)
        ordered = all(operation.channels_last(spec) for spec in x)
        return (operation.Merge(kind),) if alike or ordered else None

    def combine(self, *x: Tensor) -> Tensor:
        """Return the result for inputs of one number of axes; what a new merge defines."""
        raise TypeError(f"{type(self).__name__} does not define combine")

    def _size(self, x: Sequence[Spec], shapes: Sequence[Shape], at: int) -> int | None:
        sizes = {shape[at] for shape in shapes} - {1}
        if len(sizes - {None}) > 1:
            raise self.misfit(
                x,
                f"its inputs differ on axis {at + 1}",
                self._fix(x, at),
                "the same shape, from the last axis on; a size of 1 fits any other"
                if len({len(spec.shape) for spec in x}) > 1
                else "the same shape; a size of 1 fits any other",
            )
        return 1 if not sizes else None if None in sizes else sizes.pop()

    def _fix(self, x: Sequence[Spec], at: int) -> str:
        most, least = (end(x, key=lambda spec: len(spec.shape)) for end in (max, min))
        rank = len(most.shape)
        if len(least.shape) == 1 < rank and least.shape[0] == most.channels:
            ones = most.replace((1,) * (rank - 1), least.shape[0])
            return f"L.Reshape({ones}) on the input {least}"
        if len(least.shape) < rank:
            return "L.Reshape on the input with fewer axes"
        if at == most.channel_axis % rank:
            filters = x[1].channels
            return f"L.Conv{rank - 1}D({filters}, 1) on the first: both need the same channels"
        return _cropped(x)


def _cropped(x: Sequence[Spec]) -> str:
    """Return how inputs of different sizes can meet: of two images, the larger is cropped."""
    same = 'padding="same" and equal strides on both ways'
    if len(x) == 2 and all(len(spec.shape) == 3 and None not in spec.shape for spec in x):
        for which, large, small in (("first", x[0], x[1]), ("second", x[1], x[0])):
            if all(a >= b for a, b in zip(large.spatial, small.spatial, strict=True)):  # type: ignore[operator]
                return f"L.CenterCrop{show(small.spatial)} on the {which}, or {same}"
    return f"{same}, or L.Cropping2D"


class Add(Placewise):
    """Add the inputs: y = a + b + ...

    Shape: that of the inputs.
    Raises: ShapeError where they do not fit each other.

    Example:
        >>> Add()(torch.tensor([[1.0]]), torch.tensor([[2.0]]))
        tensor([[3.]])
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Merge."""
        return self.merged("add", x)

    def combine(self, *x: Tensor) -> Tensor:
        """Return the sum."""
        return functools.reduce(torch.add, x)


class Subtract(Placewise):
    """Subtract the second input from the first: y = a - b."""

    def infer(self, *x: Spec) -> Spec:
        """Return the common spec of two inputs."""
        self.expect_two(x)
        return super().infer(*x)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Merge."""
        return self.merged("subtract", x)

    def combine(self, *x: Tensor) -> Tensor:
        """Return the difference."""
        return x[0] - x[1]


class Multiply(Placewise):
    """Multiply the inputs place by place: y = a * b * ..."""

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Merge."""
        return self.merged("multiply", x)

    def combine(self, *x: Tensor) -> Tensor:
        """Return the product."""
        return functools.reduce(torch.mul, x)


class Average(Placewise):
    """Take the mean of the inputs place by place: y = (a + b + ...) / n, in floating point."""

    def infer(self, *x: Spec) -> Spec:
        """Return the common spec, in floating point."""
        return floating_spec(super().infer(*x))

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Merge."""
        return self.merged("average", x)

    def combine(self, *x: Tensor) -> Tensor:
        """Return the mean."""
        return functools.reduce(torch.add, x) / len(x)


class Maximum(Placewise):
    """Take the largest of the inputs place by place."""

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Merge."""
        return self.merged("maximum", x)

    def combine(self, *x: Tensor) -> Tensor:
        """Return the maximum."""
        return functools.reduce(torch.maximum, x)


class Minimum(Placewise):
    """Take the smallest of the inputs place by place."""

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Merge."""
        return self.merged("minimum", x)

    def combine(self, *x: Tensor) -> Tensor:
        """Return the minimum."""
        return functools.reduce(torch.minimum, x)


class Concatenate(Merge):
    """Put the inputs one after the other along an axis.

    Field: `axis`, counted from 1 (the batch is 0) or from the end; -1 is that of the channels
    in the layout of the inputs.

    Shape: (H, W, A), (H, W, B) -> (H, W, A + B).
    Raises: ShapeError where the inputs differ on another axis.
    """

    axis: int = -1

    def __post_init__(self) -> None:
        """Check the axis."""
        checked_axes(self.where, self.axis)

    def windows(self, *x: Spec) -> Geometry:
        """Only move values."""
        return MOVES

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the first input, with the sum of the sizes on the axis."""
        layout = self.layout(x)
        if len({len(spec.shape) for spec in x}) > 1:
            raise self.misfit(
                x,
                "its inputs have different numbers of axes",
                "L.Flatten() on each of them",
                "the same number of axes",
            )
        at = place(self.where, self.axis, x[0])
        rest = [spec.shape[:at] + spec.shape[at + 1 :] for spec in x]
        if not fit(rest):
            raise self.misfit(
                x,
                f"its inputs differ on another axis than axis {at + 1}",
                _cropped(x),
                f"the same shape but for axis {at + 1}",
            )
        sizes = [spec.shape[at] for spec in x]
        total = None if None in sizes else sum(size for size in sizes if size is not None)
        common = [None if None in axis else axis[0] for axis in zip(*rest, strict=True)]
        return Spec((*common[:at], total, *common[at:]), promoted(x), layout)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Concatenate."""
        at = place(self.where, self.axis, x[0])
        return (operation.Concatenate(last_axis(x[0], at)),)

    def forward(self, *x: Tensor) -> Tensor:
        """Return the inputs as one tensor."""
        return torch.cat(x, place(self.where, self.axis, self.specs[0]) + 1)


class Dot(Merge):
    """Multiply two inputs and add up along one axis of each, sample by sample.

    Fields: `axes`, one number for both inputs or one for each, counted from 1 (the batch is 0) or
    from the end, the last axis being -1 in both layouts; `normalize`, whether vectors along these
    axes first get length 1, so that y is the cosine of their angle.

    Shape: (..., n), (..., n) -> the other axes of the first, then those of the second; (1,) if none
    is left.
    Raises: ShapeError where the two sizes differ. Source: Keras 3's Dot.
    """

    axes: int | tuple[int, int]
    normalize: bool = False

    def windows(self, *x: Spec) -> Geometry:
        """Not stated: each input is read along another axis."""
        return UNKNOWN

    def infer(self, *x: Spec) -> Spec:
        """Return what is left of both shapes."""
        self.expect_two(x)
        one, two = self.places(x)
        a, b = x[0].shape[one], x[1].shape[two]
        if a != b and None not in (a, b):
            raise self.misfit(
                x,
                f"the sizes along axes={self.axes!r} differ",
                "other axes, or L.Dense on one of the inputs",
                f"one size on axis {one + 1} of the first and axis {two + 1} of the second",
            )
        shape = (*without(x[0].shape, one), *without(x[1].shape, two))
        return x[0].reshape(shape or (1,))

    def macs(self, *specs: Spec) -> int:
        """Return outputs * size of the axis."""
        one, _ = self.places(specs[:2])
        return (specs[2].numel or 0) * (specs[0].shape[one] or 0)

    def places(self, x: Sequence[Spec]) -> tuple[int, int]:
        """Return the positions of the axes in the shapes of both inputs."""
        axes = self.axes if isinstance(self.axes, (tuple, list)) else (self.axes, self.axes)
        if len(axes) != 2:
            raise ConfigError(
                self.where,
                f"axes={self.axes!r} is neither one axis nor one for each of 2 inputs",
                need="a whole number or a pair of them",
                fix="axes=-1",
            )
        one, two = (
            place(self.where, axis, spec, channels=False)
            for axis, spec in zip(axes, x, strict=True)
        )
        return one, two

    def forward(self, *x: Tensor) -> Tensor:
        """Return the products, as one matrix product for each sample."""
        one, two = (at + 1 for at in self.places(self.specs))
        if self.normalize:
            x = (functional.normalize(x[0], dim=one), functional.normalize(x[1], dim=two))
        a, b = x[0].movedim(one, -1), x[1].movedim(two, -1)
        rows, columns = a.flatten(1, -2) if a.dim() > 2 else a[:, None], b
        columns = b.flatten(1, -2) if b.dim() > 2 else b[:, None]  # (N, B, n)
        y = rows @ columns.mT  # (N, A, n) @ (N, n, B)
        return y.reshape(y.shape[0], *(a.shape[1:-1] + b.shape[1:-1] or (1,)))


def promoted(x: Sequence[Spec]) -> str:
    """Return the dtype that torch gives to a result of all inputs."""
    dtypes = (getattr(torch, spec.dtype) for spec in x)
    return str(functools.reduce(torch.promote_types, dtypes)).removeprefix("torch.")


def without(shape: Shape, at: int) -> Shape:
    """Return a shape without one axis."""
    return shape[:at] + shape[at + 1 :]


def fit(shapes: Sequence[Shape]) -> bool:
    """Whether shapes are equal where they are known."""
    return len({len(shape) for shape in shapes}) == 1 and all(
        len(set(sizes) - {None}) <= 1 for sizes in zip(*shapes, strict=True)
    )
