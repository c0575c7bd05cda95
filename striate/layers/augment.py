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

from ..core.operation import Bounds, Chain, Warp
from ..core.spec import Spec
from ..core.window import POINTWISE, Geometry
from ..errors import ConfigError, one_of
from ..settings import check_range
from .resize import Crop, floating, floating_spec, to_floating
from .seeded import Seeded
from .spatial import Spatial
from .warp import EDGES, warped

Factor = float | tuple[float, float]
INTERPOLATIONS = ("bilinear", "nearest")
FLIPS = {  # whether rows are turned over, whether columns are
    "horizontal": (False, True),
    "vertical": (True, False),
    "horizontal_and_vertical": (True, True),
}


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


class Warping(Random):
    """What layers share that move whole images, or mirror them: they say how, as a `Warp`."""

    def warp(self) -> Warp:
        """Return what is drawn, and how images are read; what a new layer of this kind defines."""
        raise TypeError(f"{type(self).__name__} does not define warp")

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Warp in training, unless the draws or the change are the layer's own."""
        if not training:
            return super().operations(*x)
        own = self.seed is not None or type(self).change is not Warping.change
        return None if own else self.chain(x[0], *to_floating(x[0]), self.warp())

    def change(self, x: Tensor) -> Tensor:
        """Warp."""
        return warped(x, self.warp(), lambda bounds: self.draw(x, bounds))


class RandomFlip(Warping):
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

    def warp(self) -> Warp:
        """Mirror."""
        return Warp(mirror=FLIPS[self.mode], nearest=True)


class RandomMove(Warping):
    """What random moves of whole images share: how images are read between and beyond pixels.

    Fields: `fill_value`, what "constant" puts beyond the border. Subclasses have `fill_mode`,
    "constant", "nearest" (the border's value), "reflect" (d c b a | a b c d | d c b a) or "wrap";
    and `interpolation`, "bilinear" or "nearest".
    """

    fill_value: float = dataclasses.field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        one_of(self.where, "fill_mode", self.word("fill_mode"), EDGES)
        one_of(self.where, "interpolation", self.word("interpolation"), INTERPOLATIONS)
        check_range(self.where, "fill_value", self.fill_value, "(-inf, inf)", 0.0)
        self.warp()

    def word(self, field: str) -> str:
        """Return the value of a field that only subclasses have."""
        return str(getattr(self, field))

    def factor_of(self, field: str, times: float = 1.0, beyond: float = 0.0) -> Bounds:
        """Return a field as bounds, times a number, beyond a number; or raise ConfigError."""
        low, high = spread(self.where, field, getattr(self, field))
        return beyond + times * low, beyond + times * high

    def read(self, **draws: Any) -> Warp:
        """Return a warp of these draws that reads as the fields say."""
        nearest, edge = self.word("interpolation") == "nearest", self.word("fill_mode")
        return Warp(**draws, nearest=nearest, edge=edge, fill=float(self.fill_value))


class RandomRotation(RandomMove):
    """Rotate each image about its centre by a random angle.

    Fields: `factor`, the largest part of a full turn, or (low, high), positive turning
    counter-clockwise; others as `RandomMove`.
    Shape: unchanged.
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's RandomRotation.
    """

    factor: Factor
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"

    def warp(self) -> Warp:
        """Rotate."""
        return self.read(angle=self.factor_of("factor", 2 * math.pi))


class RandomTranslation(RandomMove):
    """Shift each image by a random part of its height and of its width.

    With interpolation "nearest" the shifts are whole pixels.

    Fields: `height_factor` and `width_factor`, the largest part, or (low, high), positive moving
    down and right; others as `RandomMove`.
    Shape: unchanged.
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's RandomTranslation.
    """

    height_factor: Factor
    width_factor: Factor
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"

    def warp(self) -> Warp:
        """Shift."""
        return self.read(down=self.factor_of("height_factor"), right=self.factor_of("width_factor"))


class RandomZoom(RandomMove):
    """Zoom each image about its centre by a random factor.

    Fields: `height_factor` and `width_factor`, the largest change, or (low, high), positive zooming
    out: +0.2 shows 20% more. `width_factor` None keeps the aspect. Others as `RandomMove`.
    Shape: unchanged.
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's RandomZoom.
    """

    height_factor: Factor
    width_factor: Factor | None = None
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"

    def warp(self) -> Warp:
        """Zoom."""
        wide = None if self.width_factor is None else self.factor_of("width_factor", beyond=1.0)
        return self.read(tall=self.factor_of("height_factor", beyond=1.0), wide=wide)


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
