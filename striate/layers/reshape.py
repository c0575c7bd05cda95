"""Moving values without changing them: flattening, reshaping, repeating, padding and cropping."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from ..core import operation
from ..core.layer import Layer
from ..core.operation import Chain, Crop, Operation, Pad, Repeat, joined
from ..core.spec import Shape, Spec, checked_count, checked_layout, show
from ..core.window import MOVES, Geometry, Window, explicit
from ..errors import ConfigError, ShapeError
from .spatial import Spatial, pads

Sides = int | tuple[int, ...] | tuple[tuple[int, int], ...]


class Moving(Layer):
    """A layer whose outputs are inputs in other places."""

    def windows(self, *x: Spec) -> Geometry:
        """Say that values only move; forward shows where to."""
        return MOVES

    def macs(self, *specs: Spec) -> int:
        """Return 0: nothing is multiplied."""
        return 0

    def moved(self, x: Spec, *operations: Operation) -> Chain:
        """Return operations on the axes in the order that the user sees."""
        y = self.infer(x)
        return joined((*operation.to_user(x), *operations, *operation.from_user(y)))


class Flatten(Moving):
    """Lay the values of each sample in one row, in the order of the shape that the user sees.

    Field: `data_format`, "channels_first" for samples (C, H, W) that are to be laid as (H, W, C)
    would be; None and "channels_last" leave the order as it is.

    Shape: (H, W, C) -> (H*W*C,); in a channels_first model (C, H, W) -> (C*H*W,).
    Raises: ConfigError for another layout.
    Source: Keras 3's Flatten; without `data_format`, torch.nn.Flatten for channels_first.
    """

    data_format: str | None = None

    def __post_init__(self) -> None:
        """Check the layout's name."""
        checked_layout(self.where, self.data_format)

    def infer(self, *x: Spec) -> Spec:
        """Return one axis with all values of a sample."""
        return x[0].reshape((x[0].numel,))

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Lay the values in one row."""
        if len(x[0].shape) == 1:
            return ()
        first = dataclasses.replace(x[0], data_format=self.data_format or "channels_last")
        return self.moved(x[0], *operation.from_user(first), operation.Reshape((-1,)))

    def forward(self, *x: Tensor) -> Tensor:
        """Return the batch with one axis per sample."""
        if self.data_format == "channels_first" and x[0].dim() > 1:
            x = (x[0].movedim(1, -1),)  # (N, C, H, W) -> (N, H, W, C)
        return x[0].flatten(1) if x[0].dim() > 1 else x[0][:, None]


class Reshape(Moving):
    """Give each sample another shape, with the values in the same order.

    Field: `target_shape`, without the batch; one size may be -1, which means what is left.
    Shape: (H, W, C) -> target_shape.
    Raises: ConfigError for a shape that cannot be, ShapeError where the numbers of values differ.
    Source: Keras 3's Reshape.
    """

    target_shape: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        target = self.target_shape
        several = isinstance(target, (tuple, list))
        if several and all(_whole(size) and (size > 0 or size == -1) for size in target):
            self.target_shape = tuple(target)
            if self.target_shape.count(-1) <= 1:
                return
        raise ConfigError(
            self.where,
            f"target_shape={target!r} is not a shape",
            need="sizes of at least 1, at most one of them -1, like (7, 7, -1)",
            fix=f"target_shape=({target if _whole(target) else -1},)",
        )

    def target(self, x: Shape) -> Shape:
        """Return the shape of a sample of shape `x`, with the number that -1 stands for."""
        known = math.prod(size for size in self.target_shape if size != -1)
        if None in x:
            return tuple(None if size == -1 else size for size in self.target_shape)
        total = math.prod(x)  # type: ignore[arg-type]
        left, rest = divmod(total, known)
        if rest or (-1 not in self.target_shape and left != 1):
            raise ShapeError(
                self.where,
                f"{show(x)} cannot become {show(self.target_shape)}",
                got=f"input {show(x)}",
                need="as many values after as before"
                + (", or a multiple of the given sizes" if -1 in self.target_shape else ""),
                math=f"{_product(x)} = {total}, {_product(self.target_shape)} = {known}",
                fix=f"target_shape={_open(self.target_shape, total)}",
            )
        return tuple(left if size == -1 else size for size in self.target_shape)

    def infer(self, *x: Spec) -> Spec:
        """Return the target shape."""
        return x[0].reshape(self.target(x[0].shape))

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Give the values another shape."""
        shape = tuple(-1 if size is None else size for size in self.target(x[0].shape))
        return self.moved(x[0], operation.Reshape(shape))

    def forward(self, *x: Tensor) -> Tensor:
        """Return the batch in the other shape."""
        batch, *sample = x[0].shape
        return x[0].reshape(batch, *self.target(tuple(sample)))  # type: ignore[arg-type]


class Permute(Moving):
    """Put the axes of each sample in another order.

    Field: `dims`, for each axis of the output the axis of the input, from 1: (2, 1) transposes.
    Shape: (a, b) -> (b, a) for dims=(2, 1).
    Raises: ConfigError unless `dims` has each of 1, 2... once, ShapeError for other inputs.
    Source: Keras 3's Permute.
    """

    dims: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        several = isinstance(self.dims, (tuple, list)) and all(map(_whole, self.dims))
        if not several or sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ConfigError(
                self.where,
                f"dims={self.dims!r} is not an order of axes",
                need="each of 1, 2... once; the batch is not counted",
                fix="dims=(2, 1)",
            )
        self.dims = tuple(self.dims)

    def infer(self, *x: Spec) -> Spec:
        """Return the sizes in the other order."""
        if len(x[0].shape) != len(self.dims):
            raise ShapeError(
                self.where,
                f"takes samples of {len(self.dims)} axes, not {len(x[0].shape)}",
                got=f"input {x[0]}",
                need=f"one axis for each of dims={self.dims}",
            )
        return x[0].reshape(tuple(x[0].shape[axis - 1] for axis in self.dims))

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Put the axes in another order."""
        return self.moved(x[0], operation.Permute(tuple(axis - 1 for axis in self.dims)))

    def forward(self, *x: Tensor) -> Tensor:
        """Return the batch with its axes in the other order: a view."""
        return x[0].permute(0, *self.dims)


def _open(target: Shape, total: int) -> Shape:
    """Return the target with its last size left open, or a single size where the others misfit."""
    first = target[:-1]
    fits = -1 not in first and total % math.prod(first) == 0  # type: ignore[arg-type]
    return (*first, -1) if fits else (-1,)


class RepeatVector(Moving):
    """Repeat each sample's vector `n` times.

    Field: `n`, the number of copies.
    Shape: (C,) -> (n, C).
    Raises: ConfigError for a count below 1, ShapeError for samples that are not vectors.
    Source: Keras 3's RepeatVector.
    """

    n: int

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        checked_count(self.where, "n", self.n)

    def infer(self, *x: Spec) -> Spec:
        """Return `n` before the vector's size."""
        self.expect_rank(x[0], 1)
        return x[0].reshape((self.n, *x[0].shape))

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Repeat along a new axis."""
        (channels,) = x[0].shape
        row = operation.Reshape((1, -1 if channels is None else channels))
        return self.moved(x[0], row, Repeat((self.n,)))

    def forward(self, *x: Tensor) -> Tensor:
        """Return the copies: a view until it is written to."""
        return x[0].unsqueeze(1).expand(-1, self.n, -1)


class Framed(Spatial):
    """What padding and cropping share: cells at the two ends of each spatial axis."""

    field: ClassVar[str] = "padding"
    sign: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        self.frame()

    def frame(self) -> tuple[tuple[int, int], ...]:
        """Return the cells at the two ends of each axis, as given: not negative."""
        given: Any = getattr(self, self.field)
        value = given
        if self.rank == 1 and isinstance(given, (tuple, list)) and len(given) == 2:
            value = (tuple(given),)
        several = isinstance(value, (tuple, list)) and len(value) == self.rank
        if several and not all(_whole(n) or (isinstance(n, (tuple, list)) and n) for n in value):
            several = False
        if several or _whole(value):
            sides = explicit(tuple(map(_plain, value)) if several else value, self.rank)
            if all(len(pair) == 2 and all(_whole(n) and n >= 0 for n in pair) for pair in sides):
                return sides
        pair = "(start, end)" if self.rank == 1 else f"a tuple of {self.rank} numbers or pairs"
        raise ConfigError(
            self.where,
            f"{self.field}={given!r} does not give cells to the ends of {self.rank} axes",
            need=f"a whole number >= 0, or {pair}",
            fix=f"{self.field}=1",
        )

    def windows(self, *x: Spec) -> Geometry:
        """Read each place; what is added before and after moves or drops places."""
        seen = self.seen(x[0])
        return seen.axes(self.slides(), Window())  # type: ignore[return-value]

    def slides(self) -> tuple[Window, ...]:
        """Return the window of each spatial axis: one cell, with padding or cropping."""
        return tuple(Window(low=self.sign * a, high=self.sign * b) for a, b in self.frame())

    def macs(self, *specs: Spec) -> int:
        """Return 0: nothing is multiplied."""
        return 0

    def infer(self, *x: Spec) -> Spec:
        """Return the sizes with the cells added or dropped."""
        seen = self.seen(x[0])
        try:
            return seen.replace(self.slide(seen))
        except ShapeError as error:
            most = min((size - 1) // 2 for size in seen.spatial if size is not None)
            error.rows["fix"] = f"{self.field}={most}, or a larger input"
            raise

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Pad or crop."""
        return self.chain(x[0], (Pad if self.sign > 0 else Crop)(self.frame()))

    def forward(self, *x: Tensor) -> Tensor:
        """Add or drop the cells."""
        return self.restore(functional.pad(self.channels_first(x[0]), pads(self.slides())))


class ZeroPadding1D(Framed):
    """Add zeros at both ends of the axis.

    Field: `padding`, cells at both ends, or (start, end).
    Shape: (L, C) -> (start + L + end, C).
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's ZeroPadding1D.
    """

    rank = 1
    padding: Sides = 1


class ZeroPadding2D(Framed):
    """Add zeros around each map.

    Field: `padding`, cells on all sides, one number per axis, or ((top, bottom), (left, right)).
    Shape: (H, W, C) -> (top + H + bottom, left + W + right, C).
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's ZeroPadding2D.
    """

    padding: Sides = (1, 1)


class ZeroPadding3D(Framed):
    """Add zeros around each volume.

    Field: `padding`, cells on all sides, one number per axis, or one pair per axis.
    Shape: (D, H, W, C) -> (D', H', W', C).
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's ZeroPadding3D.
    """

    rank = 3
    padding: Sides = ((1, 1), (1, 1), (1, 1))


class Cropping1D(Framed):
    """Drop cells at both ends of the axis.

    Field: `cropping`, cells at both ends, or (start, end).
    Shape: (L, C) -> (L - start - end, C).
    Raises: ConfigError for a value that cannot work, ShapeError where nothing would be left.
    Source: Keras 3's Cropping1D.
    """

    rank = 1
    field = "cropping"
    sign = -1
    cropping: Sides = (1, 1)


class Cropping2D(Framed):
    """Drop the border of each map.

    Field: `cropping`, cells on all sides, one number per axis, or ((top, bottom), (left, right)).
    Shape: (H, W, C) -> (H - top - bottom, W - left - right, C).
    Raises: ConfigError for a value that cannot work, ShapeError where nothing would be left.
    Source: Keras 3's Cropping2D.
    """

    field = "cropping"
    sign = -1
    cropping: Sides = ((0, 0), (0, 0))


class Cropping3D(Framed):
    """Drop the border of each volume.

    Field: `cropping`, cells on all sides, one number per axis, or one pair per axis.
    Shape: (D, H, W, C) -> (D', H', W', C).
    Raises: ConfigError for a value that cannot work, ShapeError where nothing would be left.
    Source: Keras 3's Cropping3D.
    """

    rank = 3
    field = "cropping"
    sign = -1
    cropping: Sides = ((1, 1), (1, 1), (1, 1))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _plain(side: Any) -> Any:
    return tuple(side) if isinstance(side, list) else side


def _product(shape: Shape) -> str:
    return "*".join(str(size) for size in shape if size != -1) or "1"
