"""Layers of several inputs, and the operators + - * / of symbols, which are these layers.

Inputs have the same number of axes; where a size is 1, its value counts for the whole axis.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..core.layer import Layer
from ..core.spec import Shape, Spec, show
from ..core.symbol import Symbol
from ..core.window import MOVES, POINTWISE, UNKNOWN, Geometry
from ..errors import ConfigError, ShapeError, caller
from .axes import place
from .preprocess import Rescaling


class Merge(Layer):
    """A layer whose output combines its inputs place by place."""

    def windows(self, *x: Spec) -> Geometry:
        """Read each place on its own; where sizes of 1 are spread, it is not stated."""
        return POINTWISE if all(spec.shape == x[0].shape for spec in x) else UNKNOWN

    def build(self, *x: Spec) -> None:
        """Raise ShapeError where the inputs do not fit each other; there is nothing to create."""
        self.infer(*x)

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the first input, with sizes of 1 spread to those of the others."""
        if len({len(spec.shape) for spec in x}) > 1:
            raise self.misfit(x, "its inputs have different numbers of axes", FLAT)
        return x[0].reshape(tuple(self._size(x, at) for at in range(len(x[0].shape))))

    def macs(self, *specs: Spec) -> int:
        """Return 0: single additions and products are not counted, as in torch's counter."""
        return 0

    def misfit(self, x: Sequence[Spec], what: str, fix: str, need: str = "") -> ShapeError:
        """Return the error for inputs that do not fit each other."""
        got = "inputs " + " and ".join(map(str, x))
        need = need or "the same shape; a size of 1 fits any other"
        return ShapeError(self.where, what, got=got, need=need, fix=fix)

    def expect_two(self, x: Sequence[Spec]) -> None:
        """Raise ShapeError unless there are two inputs."""
        if len(x) != 2:
            what = f"takes 2 inputs, not {len(x)}"
            call = f"L.{type(self).__name__}({self.extra_repr()})(a, b)"
            raise self.misfit(x, what, call, "2 inputs")

    def _size(self, x: Sequence[Spec], at: int) -> int | None:
        sizes = {spec.shape[at] for spec in x} - {1}
        if len(sizes - {None}) > 1:
            channels = at == x[0].channel_axis % len(x[0].shape)
            raise self.misfit(
                x,
                f"its inputs differ on axis {at + 1}",
                "L.Conv2D(filters, 1) on one of them, to give both the same channels"
                if channels
                else 'padding="same" and equal strides on both ways, or L.Cropping2D',
            )
        return 1 if not sizes else None if None in sizes else sizes.pop()


FLAT = "L.Reshape or L.Flatten on one of them"


class Add(Merge):
    """Add the inputs: y = a + b + ...

    Shape: that of the inputs.
    Raises: ShapeError where they do not fit each other.

    Example:
        >>> Add()(torch.tensor([[1.0]]), torch.tensor([[2.0]]))
        tensor([[3.]])
    """

    def forward(self, *x: Tensor) -> Tensor:
        """Return the sum."""
        return functools.reduce(torch.add, x)


class Subtract(Merge):
    """Subtract the second input from the first: y = a - b."""

    def infer(self, *x: Spec) -> Spec:
        """Return the common spec of two inputs."""
        self.expect_two(x)
        return super().infer(*x)

    def forward(self, *x: Tensor) -> Tensor:
        """Return the difference."""
        return x[0] - x[1]


class Multiply(Merge):
    """Multiply the inputs place by place: y = a * b * ..."""

    def forward(self, *x: Tensor) -> Tensor:
        """Return the product."""
        return functools.reduce(torch.mul, x)


class Average(Merge):
    """Take the mean of the inputs place by place: y = (a + b + ...) / n."""

    def forward(self, *x: Tensor) -> Tensor:
        """Return the mean."""
        return functools.reduce(torch.add, x) / len(x)


class Maximum(Merge):
    """Take the largest of the inputs place by place."""

    def forward(self, *x: Tensor) -> Tensor:
        """Return the maximum."""
        return functools.reduce(torch.maximum, x)


class Minimum(Merge):
    """Take the smallest of the inputs place by place."""

    def forward(self, *x: Tensor) -> Tensor:
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

    def windows(self, *x: Spec) -> Geometry:
        """Only move values."""
        return MOVES

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the first input, with the sum of the sizes on the axis."""
        at = place(self.where, self.axis, x[0])
        rest = [spec.shape[:at] + spec.shape[at + 1 :] for spec in x]
        if not fit(rest):
            raise self.misfit(
                x,
                f"its inputs differ on another axis than axis {at + 1}",
                'padding="same" and equal strides on both ways, or L.Cropping2D',
                f"the same shape but for axis {at + 1}",
            )
        sizes = [spec.shape[at] for spec in x]
        total = None if None in sizes else sum(size for size in sizes if size is not None)
        common = [None if None in axis else axis[0] for axis in zip(*rest, strict=True)]
        return x[0].reshape((*common[:at], total, *common[at:]))

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


def without(shape: Shape, at: int) -> Shape:
    """Return a shape without one axis."""
    return shape[:at] + shape[at + 1 :]


def fit(shapes: Sequence[Shape]) -> bool:
    """Whether shapes are equal where they are known."""
    return len({len(shape) for shape in shapes}) == 1 and all(
        len(set(sizes) - {None}) <= 1 for sizes in zip(*shapes, strict=True)
    )


# ---- operators of symbols -----------------------------------------------------------------------


def add(a: Symbol, b: Any) -> Symbol:
    """Return a + b, where b is a symbol or a number."""
    return _operate(Add, a, b, lambda number: Rescaling(1.0, number))


def subtract(a: Symbol, b: Any) -> Symbol:
    """Return a - b, where b is a symbol or a number."""
    return _operate(Subtract, a, b, lambda number: Rescaling(1.0, -number))


def subtract_from(a: Symbol, b: Any) -> Symbol:
    """Return b - a, where b is a number."""
    return _operate(Subtract, a, b, lambda number: Rescaling(-1.0, number))


def multiply(a: Symbol, b: Any) -> Symbol:
    """Return a * b, where b is a symbol or a number."""
    return _operate(Multiply, a, b, Rescaling)


def divide(a: Symbol, b: Any) -> Symbol:
    """Return a / b, where b is a number that is not 0."""
    if isinstance(b, Symbol) or (isinstance(b, numbers.Real) and b == 0):
        raise ConfigError(
            "/",
            "a symbol can be divided by a number only" if b else "a symbol is divided by 0",
            got=f"{show(a.spec.shape)} / {show(b.spec.shape) if isinstance(b, Symbol) else b}",
            need="a number that is not 0",
            fix="L.Lambda(torch.div)(a, b)" if b else "",
            at=caller(),
        )
    return _operate(Multiply, a, b, lambda number: Rescaling(1 / number))


def negate(a: Symbol) -> Symbol:
    """Return -a."""
    return multiply(a, -1.0)


def _operate(kind: type[Merge], a: Symbol, b: Any, scale: Callable[[float], Layer]) -> Symbol:
    if isinstance(b, Symbol):
        result: Symbol = kind()(a, b)
    elif isinstance(b, numbers.Real):
        result = scale(float(b))(a)
    else:
        raise ConfigError(
            kind.__name__,
            f"a symbol does not go together with a {type(b).__name__}",
            got=f"{show(a.spec.shape)} and {type(b).__name__}",
            need="another symbol, or a number",
            fix="L.Lambda(lambda x: x + constant)(x), or an L.Input for the values",
            at=caller(),
        )
    return result


Symbol.__add__ = Symbol.__radd__ = add
Symbol.__sub__ = subtract
Symbol.__rsub__ = subtract_from
Symbol.__mul__ = Symbol.__rmul__ = multiply
Symbol.__truediv__ = divide
Symbol.__neg__ = negate
