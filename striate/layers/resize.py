"""Other sizes of maps: upsampling by a factor, resizing to a size, cropping the centre."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional

from ..core import operation
from ..core.operation import Affine, Chain, Repeat
from ..core.spec import Spec, checked_count, checked_sizes
from ..core.window import MOVES, UNKNOWN, Geometry, Table, Window
from ..errors import ConfigError, ShapeError, one_of
from ..settings import check_range
from .spatial import Spatial, pads

Sizes = int | tuple[int, ...]
INTERPOLATIONS = ("nearest", "bilinear")
MODES = {"bilinear": "bilinear", "nearest": "nearest-exact", "bicubic": "bicubic"}
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


class UpSampling(Spatial):
    """Make each map larger by a whole factor, by repeating values or by interpolating.

    Fields: `size`, the factor, one number or one per axis; `interpolation`, "nearest" (each value
    is repeated) or "bilinear" (linear along every axis).
    Shape: (H, W, C) -> (size*H, size*W, C).
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's UpSampling2D. Pixels are areas: places are at half pixels.
    """

    size: Sizes = 2
    interpolation: str = "nearest"

    def __init__(
        self,
        size: Sizes = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        *,
        name: str = "",
        trainable: bool = True,
    ) -> None:
        """Set the fields, in Keras's order, which is not that of other spatial layers."""
        self.size, self.data_format, self.interpolation = size, data_format, interpolation
        self.name, self.trainable = name, trainable
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        self.factors()
        one_of(self.where, "interpolation", self.interpolation, INTERPOLATIONS)

    def factors(self) -> tuple[int, ...]:
        """Return the factor of each spatial axis."""
        return checked_sizes(self.where, "size", self.size, self.rank)

    def windows(self, *x: Spec) -> Geometry:
        """Say that values move, or between which inputs each output lies."""
        seen, wanted = self.seen(x[0]), self.infer(*x)
        if self.interpolation == "nearest":
            return MOVES
        return between(seen, wanted)

    def infer(self, *x: Spec) -> Spec:
        """Return the larger sizes, with the channels of the input."""
        seen = self.seen(x[0])
        pairs = zip(seen.spatial, self.factors(), strict=True)
        larger = seen.replace(tuple(None if n is None else n * times for n, times in pairs))
        return larger if self.interpolation == "nearest" else floating_spec(larger)

    def macs(self, *specs: Spec) -> int:
        """Return 0: interpolation is not counted, as in torch's counter."""
        return 0

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Repeat; interpolation is none."""
        nearest = self.interpolation == "nearest"
        return self.chain(x[0], Repeat(self.factors())) if nearest else None

    def forward(self, *x: Tensor) -> Tensor:
        """Repeat or interpolate."""
        first = self.channels_first(x[0])
        if self.interpolation == "bilinear":
            sizes = [n * times for n, times in zip(first.shape[2:], self.factors(), strict=True)]
            mode = LINEAR[self.rank]
            return self.restore(functional.interpolate(floating(first), sizes, mode=mode))
        for axis, times in enumerate(self.factors(), start=2):
            first = first.repeat_interleave(times, axis)
        return self.restore(first)


class UpSampling1D(UpSampling):
    __doc__ = UpSampling.__doc__
    rank = 1


class UpSampling2D(UpSampling):
    __doc__ = UpSampling.__doc__
    rank = 2


class UpSampling3D(UpSampling):
    __doc__ = UpSampling.__doc__
    rank = 3


class Sized(Spatial):
    """What layers to a given height and width share."""

    height: int
    width: int

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        checked_count(self.where, "height", self.height)
        checked_count(self.where, "width", self.width)

    def infer(self, *x: Spec) -> Spec:
        """Return the given sizes, with the channels of the input, in floating point."""
        return floating_spec(self.seen(x[0]).replace((self.height, self.width)))

    def macs(self, *specs: Spec) -> int:
        """Return 0: interpolation is not counted, as in torch's counter."""
        return 0


class Resizing(Sized):
    """Resize each map to a height and a width.

    Fields: `height` and `width` in cells; `interpolation`, "bilinear", "nearest" or "bicubic". The
    aspect changes, unless `crop_to_aspect_ratio` first cuts the longer sides, or
    `pad_to_aspect_ratio` first adds borders of `fill_value` along the shorter ones. `antialias`:
    whether a smaller map is smoothed, each value a mean of all that it stands for.

    Shape: (H, W, C) -> (height, width, C).
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's Resizing. Pixels are areas: places are at half pixels.
    """

    interpolation: str = "bilinear"
    crop_to_aspect_ratio: bool = False
    pad_to_aspect_ratio: bool = False
    fill_mode: str = "constant"
    fill_value: float = 0.0
    antialias: bool = dataclasses.field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        one_of(self.where, "interpolation", self.interpolation, MODES)
        one_of(self.where, "fill_mode", self.fill_mode, ["constant"])
        check_range(self.where, "fill_value", self.fill_value, "(-inf, inf)", 0.0)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ConfigError(
                self.where,
                "cannot both crop and pad to the aspect ratio",
                got="crop_to_aspect_ratio=True, pad_to_aspect_ratio=True",
                need="one of them",
                fix="crop_to_aspect_ratio=False",
            )
        if self.antialias and self.interpolation == "nearest":
            raise ConfigError(
                self.where,
                "takes the nearest value, so that nothing can be smoothed",
                got='antialias=True, interpolation="nearest"',
                need='interpolation "bilinear" or "bicubic" for antialias',
                fix="antialias=False",
            )

    def windows(self, *x: Spec) -> Geometry:
        """Say that values move, or between which inputs each output lies."""
        seen, wanted = self.seen(x[0]), self.infer(*x)
        moved = self.crop_to_aspect_ratio or self.pad_to_aspect_ratio
        if moved or self.antialias or self.interpolation == "bicubic":
            return UNKNOWN
        return MOVES if self.interpolation == "nearest" else between(seen, wanted)

    def forward(self, *x: Tensor) -> Tensor:
        """Bring the map to the aspect of the output, then interpolate."""
        first, sizes = floating(self.channels_first(x[0])), (self.height, self.width)
        if self.crop_to_aspect_ratio or self.pad_to_aspect_ratio:
            sides = self.borders(first.shape[2], first.shape[3])
            first = functional.pad(first, sides, value=self.fill_value)
        mode = MODES[self.interpolation]
        resized = functional.interpolate(first, sizes, mode=mode, antialias=self.antialias)
        return self.restore(resized)

    def borders(self, height: int, width: int) -> list[int]:
        """Return the cells added (below 0: cut) at left, right, top and bottom of a map.

        Keras adds as many at the end of an axis as at its start; it cuts the odd cell at the end.
        """
        other = (height * self.width // self.height, width * self.height // self.width)
        sides = []
        for size, fitting in zip((width, height), other, strict=True):
            if self.pad_to_aspect_ratio:
                start = (max(size, fitting) - size) // 2
                sides += [start, start]
            else:
                spare = size - max(min(size, fitting), 1)
                sides += [-(spare // 2), -(spare - spare // 2)]
        return sides


class Crop(Sized):
    """What cropping to a height and a width shares: where the centre is, and that it must fit."""

    def slides(self, x: Spec) -> tuple[Window, ...]:
        """Return the window of each spatial axis: one cell, with the borders dropped."""
        out = []
        for letter, size, wanted in zip("HW", x.spatial, (self.height, self.width), strict=True):
            spare = (size or wanted) - wanted
            if spare < 0:
                raise ShapeError(
                    self.where,
                    f"axis {letter} is smaller than the crop",
                    got=f"input {x}, axis {letter} = {size}",
                    need=f"{letter} >= {wanted}",
                    math=f"{size} - {wanted} = {spare}",
                    fix=f"a smaller crop, or L.Resizing({self.height}, {self.width})",
                )
            out.append(Window(low=-(spare // 2), high=-(spare - spare // 2)))
        return tuple(out)

    def windows(self, *x: Spec) -> Geometry:
        """Read each place of the centre; where it is, is unknown for an unknown size."""
        seen = self.seen(x[0])
        slides = self.slides(seen)
        return UNKNOWN if None in seen.spatial else seen.axes(slides, Window())  # type: ignore[return-value]

    def infer(self, *x: Spec) -> Spec:
        """Return the given sizes, with the channels of the input, or raise if it is smaller."""
        self.slides(self.seen(x[0]))
        return super().infer(*x)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Crop."""
        seen = self.seen(x[0])
        amounts = tuple((-window.low, -window.high) for window in self.slides(seen))
        crop = self.chain(x[0], *to_floating(seen), operation.Crop(amounts))
        return None if None in seen.spatial else crop

    def forward(self, *x: Tensor) -> Tensor:
        """Return the centre."""
        slides = self.slides(self.seen(Spec.of(x[0], self.specs[0].data_format)))
        first = floating(self.channels_first(x[0]))
        return self.restore(functional.pad(first, pads(slides)))


class CenterCrop(Crop):
    """Keep the centre of each map; the odd cell is dropped at the end.

    Fields: `height` and `width` in cells.
    Shape: (H, W, C) -> (height, width, C).
    Raises: ConfigError for a value that cannot work, ShapeError for a map smaller than the crop.
    Source: Keras 3's CenterCrop, which resizes smaller maps instead.
    """


def between(x: Spec, y: Spec) -> Geometry:
    """Return the inputs that each output of linear interpolation lies between."""
    tables: list[Table] = []
    for n, m in zip(x.spatial, y.spatial, strict=True):
        if n is None or m is None:
            return UNKNOWN
        spans = []
        for i in range(m):
            start, rest = divmod(max((2 * i + 1) * n - m, 0), 2 * m)
            spans.append((start, min(start + (2 if rest else 1), n)))
        tables.append(Table(tuple(spans)))
    return x.axes(tuple(tables), Window())  # type: ignore[return-value]


def floating(x: Tensor) -> Tensor:
    """Return a batch of whole numbers as float32; others as they are."""
    return x if x.is_floating_point() else x.float()


def to_floating(x: Spec) -> Chain:
    """Return what `floating` does."""
    return () if getattr(torch, x.dtype).is_floating_point else (Affine((1.0,), (0.0,)),)


def floating_spec(x: Spec) -> Spec:
    """Return the spec that `floating` gives."""
    whole = not getattr(torch, x.dtype).is_floating_point
    return dataclasses.replace(x, dtype="float32") if whole else x
