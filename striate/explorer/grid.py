"""Grid: how a picture of bytes becomes the input of a model, and an input a picture again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.spec import Spec
from ..data.image import ranged
from ..errors import DataError

Picture = NDArray[np.uint8]  # (height, width, 1 or 3)
UNKNOWN_SIDE = 96  # pixels, where a network takes any size and no images of its own are known


def pictured(spec: Spec) -> Spec:
    """Return an input's spec with its channels where a picture of grey or colour has them.

    A network that has its channels first may read pictures that have them last, and reshape them.
    """
    first = spec.data_format == "channels_first"
    if len(spec.shape) != 3 or spec.channels in (1, 3):
        return spec
    if spec.shape[-1 if first else 0] not in (1, 3):
        return spec
    return replace(spec, data_format="channels_last" if first else "channels_first")


@dataclass(frozen=True)
class Grid:
    """The pixels that a model reads.

    Fields: `height`, `width`, `channels` of a picture; `shape` of a sample, `first` whether its
    channels come first; `low` and `high`, the values that black and white have in a sample; `raw`,
    whether a sample holds the bytes themselves.
    """

    height: int
    width: int
    channels: int
    shape: tuple[int, ...]
    first: bool
    low: float = 0.0
    high: float = 255.0
    raw: bool = True

    @staticmethod
    def of(
        spec: Spec,
        samples: NDArray[Any] | None = None,
        raw: bool = True,
        span: tuple[float, float] | None = None,
    ) -> Grid | None:
        """Return the grid of an input, or None where the input is no grey or colour picture.

        `samples` show the range of values; without them `span` is it, if known; else `raw` says
        whether bytes go in, or values from 0 to 1.
        """
        spec = pictured(spec)
        sizes = None if samples is None else samples.shape[1:]
        shape = tuple(
            size or (sizes[axis] if sizes is not None else UNKNOWN_SIDE)
            for axis, size in enumerate(spec.shape)
        )
        first = spec.data_format == "channels_first" and len(shape) == 3
        if len(shape) == 1:
            side = math.isqrt(shape[0])
            height, width, channels = side, side, 1
        elif len(shape) == 2:
            (height, width), channels = shape, 1
        elif len(shape) == 3:
            channels = shape[0] if first else shape[2]
            height, width = shape[1:] if first else shape[:2]
        else:
            return None
        if channels not in (1, 3) or height * width * channels != math.prod(shape):
            return None
        low, high = span or (0.0, 255.0 if raw else 1.0)
        raw = raw and span is None
        if samples is not None and samples.size and samples.dtype != np.uint8:
            low, high = float(samples.min()), float(samples.max())
            raw = False
        return Grid(height, width, channels, shape, first, low, high, raw)

    @property
    def size(self) -> int:
        """Number of bytes of a picture."""
        return self.height * self.width * self.channels

    def sample(self, picture: Picture) -> NDArray[Any]:
        """Return the model's input for a picture, without the batch."""
        values = self.values(picture)
        moved = np.moveaxis(values, -1, 0) if self.first else values
        return np.array(moved, order="C").reshape(self.shape)  # a copy: torch may write to it

    def values(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return pixels in the range that the model takes."""
        return pixels if self.raw else ranged(pixels, self.low, self.high)

    def picture(self, sample: NDArray[Any]) -> Picture:
        """Return the picture of a sample."""
        shape = (self.channels, self.height, self.width)
        values = (
            np.moveaxis(sample.reshape(shape), 0, -1)
            if self.first
            else sample.reshape(self.height, self.width, self.channels)
        )
        if values.dtype == np.uint8:
            return values
        span = (self.high - self.low) or 1.0
        scaled = (values.astype(np.float64) - self.low) / span * 255
        return scaled.round().clip(0, 255).astype(np.uint8)

    def read(self, pixels: bytes) -> Picture:
        """Return the picture that the page sent as bytes, row by row.

        Raises: DataError for another number of bytes than the grid has.
        """
        if len(pixels) != self.size:
            raise DataError(
                "pixels",
                "are not a picture of the model's size",
                got=f"{len(pixels):,} bytes",
                need=f"{self.height} x {self.width} x {self.channels} = {self.size:,} bytes",
            )
        flat = np.frombuffer(pixels, np.uint8)
        return flat.reshape(self.height, self.width, self.channels)
