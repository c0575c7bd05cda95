"""Changing images at random while training: what all such layers share, flips, moves, crops.

A random layer draws its parameters for each sample, from torch's default generator or, given a
seed, from its own, and is the identity in inference. It works in float32 or wider.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..core.operation import Chain
from ..core.spec import Spec
from ..core.window import POINTWISE, Geometry
from ..errors import ConfigError, one_of
from ..settings import check_range
from .resize import Crop, floating, floating_spec, to_floating
from .seeded import Seeded
from .spatial import Spatial

Factor = float | tuple[float, float]
FILLS = {"constant": "zeros", "nearest": "border", "reflect": "reflection", "wrap": "border"}
INTERPOLATIONS = ("bilinear", "nearest")
FLIPS = {"horizontal": (3,), "vertical": (2,), "horizontal_and_vertical": (2, 3)}


class Random(Spatial, Seeded):
    """What random layers share: a source of numbers, and being the identity in inference.

    Field: `seed`, for a sequence of draws of the layer's own; None draws from torch's generator.
    """

    seed: int | None = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        Spatial.__post_init__(self)
        Seeded.__post_init__(self)

    def draw(self, x: Tensor, bounds: tuple[float, float] = (0.0, 1.0)) -> Tensor:
        """Return one uniform number for each sample of a batch, in float32."""
        low, high = bounds
        return low + (high - low) * self.uniform(len(x), torch.empty((), device=x.device))

    def windows(self, *x: Spec) -> Geometry:
        """Read each value at its own place, as in inference."""
        return POINTWISE

    def infer(self, *x: Spec) -> Spec:
        """Return the input's spec, in floating point."""
        return floating_spec(self.seen(x[0]))

    def macs(self, *specs: Spec) -> int:
        """Return 0: in inference nothing is computed."""
        return 0

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Nothing, in inference."""
        return None if training else self.chain(x[0], *to_floating(x[0]))

    def forward(self, *x: Tensor) -> Tensor:
        """Change each sample in training."""
        image = floating(x[0])
        if not self.training:
            return image
        wide = image.to(torch.promote_types(image.dtype, torch.float32))
        return self.restore(self.change(self.channels_first(wide))).to(image.dtype)

    def change(self, x: Tensor) -> Tensor:
        """Return a channels-first batch, changed; what a new random layer defines."""
        raise TypeError(f"{type(self).__name__} does not define change")


class RandomFlip(Random):
    """Mirror about half of the images, left to right, upside down, or each of both.

    Field: `mode`, "horizontal", "vertical" or "horizontal_and_vertical".
    Shape: unchanged.
    Raises: ConfigError for another mode.
    Source: Keras 3's RandomFlip.
    """

    mode: str = "horizontal_and_vertical"

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        one_of(self.where, "mode", self.mode, FLIPS)

    def change(self, x: Tensor) -> Tensor:
        """Mirror each axis of each image with probability 1/2."""
        for axis in FLIPS[self.mode]:
            mirrored = self.draw(x) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(axis), x)
        return x


class Warping(Random):
    """What random moves of whole images share: how images are read between and beyond pixels.

    Fields: `fill_value`, what "constant" puts beyond the border. Subclasses have `fill_mode`,
    "constant", "nearest" (the border's value), "reflect" (d c b a | a b c d | d c b a) or "wrap";
    and `interpolation`, "bilinear" or "nearest".
    """

    fill_value: float = dataclasses.field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        one_of(self.where, "fill_mode", self.word("fill_mode"), FILLS)
        one_of(self.where, "interpolation", self.word("interpolation"), INTERPOLATIONS)
        check_range(self.where, "fill_value", self.fill_value, "(-inf, inf)", 0.0)

    def word(self, field: str) -> str:
        """Return the value of a field that only subclasses have."""
        return str(getattr(self, field))

    def sample(self, x: Tensor, matrix: Tensor) -> Tensor:
        """Read the batch where `matrix` (N, 2, 3) maps each (column, row), from the centre, to."""
        height, width = x.shape[2:]
        rows = torch.arange(height, dtype=x.dtype, device=x.device) - (height - 1) / 2
        cols = torch.arange(width, dtype=x.dtype, device=x.device) - (width - 1) / 2
        m = matrix.to(x.dtype)[:, :, :, None, None]  # (N, 2, 3, 1, 1)
        place = m[:, :, 0] * cols + m[:, :, 1] * rows[:, None] + m[:, :, 2]  # (N, 2, H, W)
        col, row = place[:, 0] + (width - 1) / 2, place[:, 1] + (height - 1) / 2
        fill, mode = self.word("fill_mode"), self.word("interpolation")
        if fill == "wrap":  # one more cell at the end, so that the last pixel's neighbour is there
            col, row = col.remainder(width), row.remainder(height)
            x = functional.pad(x, (0, 1, 0, 1), mode="circular")
        height, width = x.shape[2:]
        grid = torch.stack([(2 * col + 1) / width - 1, (2 * row + 1) / height - 1], -1)
        offset = self.fill_value if fill == "constant" else 0.0  # zeros outside become the value
        return (
            functional.grid_sample(
                x - offset, grid, mode=mode, padding_mode=FILLS[fill], align_corners=False
            )
            + offset
        )


class RandomRotation(Warping):
    """Rotate each image about its centre by a random angle.

    Fields: `factor`, the largest part of a full turn, or (low, high), positive turning
    counter-clockwise; others as `Warping`.
    Shape: unchanged.
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's RandomRotation.
    """

    factor: Factor
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        spread(self.where, "factor", self.factor)

    def change(self, x: Tensor) -> Tensor:
        """Rotate."""
        angle = 2 * math.pi * self.draw(x, spread(self.where, "factor", self.factor))
        cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
        return self.sample(x, torch.stack([cos, -sin, zero, sin, cos, zero], 1).view(-1, 2, 3))


class RandomTranslation(Warping):
    """Shift each image by a random part of its height and of its width.

    With interpolation "nearest" the shifts are whole pixels and images are only indexed.

    Fields: `height_factor` and `width_factor`, the largest part, or (low, high), positive moving
    down and right; others as `Warping`.
    Shape: unchanged.
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's RandomTranslation.
    """

    height_factor: Factor
    width_factor: Factor
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        spread(self.where, "height_factor", self.height_factor)
        spread(self.where, "width_factor", self.width_factor)

    def change(self, x: Tensor) -> Tensor:
        """Shift."""
        height, width = x.shape[2:]
        down = self.draw(x, spread(self.where, "height_factor", self.height_factor)) * height
        right = self.draw(x, spread(self.where, "width_factor", self.width_factor)) * width
        if self.interpolation == "nearest":
            return self.shift(x, down.round().long(), right.round().long())
        one, zero = torch.ones_like(down), torch.zeros_like(down)
        matrix = torch.stack([one, zero, -right, zero, one, -down], 1)
        return self.sample(x, matrix.view(-1, 2, 3))

    def shift(self, x: Tensor, down: Tensor, right: Tensor) -> Tensor:
        """Shift each image by whole pixels."""
        height, width = x.shape[2:]
        row = torch.arange(height, device=x.device) - down[:, None]  # (N, H), may be outside
        col = torch.arange(width, device=x.device) - right[:, None]
        row_in, col_in = fold(row, height, self.fill_mode), fold(col, width, self.fill_mode)
        y = pick(x, row_in, col_in)
        if self.fill_mode != "constant":
            return y
        inside = (row == row_in)[:, None, :, None] & (col == col_in)[:, None, None, :]
        return torch.where(inside, y, self.fill_value)


class RandomZoom(Warping):
    """Zoom each image about its centre by a random factor.

    Fields: `height_factor` and `width_factor`, the largest change, or (low, high), positive zooming
    out: +0.2 shows 20% more. `width_factor` None keeps the aspect. Others as `Warping`.
    Shape: unchanged.
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's RandomZoom.
    """

    height_factor: Factor
    width_factor: Factor | None = None
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        spread(self.where, "height_factor", self.height_factor)
        if self.width_factor is not None:
            spread(self.where, "width_factor", self.width_factor)

    def change(self, x: Tensor) -> Tensor:
        """Zoom."""
        tall = wide = 1 + self.draw(x, spread(self.where, "height_factor", self.height_factor))
        if self.width_factor is not None:
            wide = 1 + self.draw(x, spread(self.where, "width_factor", self.width_factor))
        zero = torch.zeros_like(tall)
        return self.sample(x, torch.stack([wide, zero, zero, zero, tall, zero], 1).view(-1, 2, 3))


class RandomCrop(Crop, Random):
    """Keep a random part of each image in training, its centre in inference.

    Fields: `height` and `width` in cells.
    Shape: (H, W, C) -> (height, width, C).
    Raises: ConfigError for a value that cannot work, ShapeError for images smaller than the crop.
    Source: Keras 3's RandomCrop, which resizes smaller images instead and draws once for a batch.
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Crop the centre, in inference."""
        return None if training else Crop.operations(self, *x)

    def forward(self, *x: Tensor) -> Tensor:
        """Crop at random places, or the centre."""
        self.slides(self.seen(Spec.of(x[0], self.specs[0].data_format)))
        return Random.forward(self, *x) if self.training else Crop.forward(self, *x)

    def change(self, x: Tensor) -> Tensor:
        """Crop at random places."""
        places = []
        for size, wanted in zip(x.shape[2:], (self.height, self.width), strict=True):
            start = (self.draw(x) * (size - wanted + 1)).long()
            places.append(start[:, None] + torch.arange(wanted, device=x.device))
        return pick(x, *places)


def pick(x: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """Return from a channels-first batch the rows (N, H') and the columns (N, W') of each image."""
    place = rows[:, :, None] * x.shape[3] + cols[:, None, :]  # (N, H', W')
    every = place.flatten(1)[:, None].expand(-1, x.shape[1], -1)  # (N, C, H'*W')
    return x.flatten(2).gather(2, every).reshape(*x.shape[:2], *place.shape[1:])


def spread(where: str, field: str, factor: Any) -> tuple[float, float]:
    """Return (low, high) from a factor, (-factor, factor) from one number, or raise ConfigError."""
    bounds = factor if isinstance(factor, (tuple, list)) else (factor,)
    for bound in bounds:
        check_range(where, field, bound, "[-1, 1]", 0.1)
    if len(bounds) == 1:
        return -abs(float(bounds[0])), abs(float(bounds[0]))
    if len(bounds) == 2 and bounds[0] <= bounds[1]:
        return float(bounds[0]), float(bounds[1])
    raise ConfigError(
        where,
        f"{field}={factor!r} is not a range",
        need="a number, or (low, high) with low <= high",
        fix=f"{field}=0.1",
    )


def fold(place: Tensor, size: int, fill_mode: str) -> Tensor:
    """Return the places inside an axis that places outside it are read from."""
    if fill_mode == "wrap":
        return place.remainder(size)
    if fill_mode == "reflect":
        place = place.remainder(2 * size)
        return torch.minimum(place, 2 * size - 1 - place)
    return place.clamp(0, size - 1)
