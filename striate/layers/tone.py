"""Changing the values of images at random while training: contrast and brightness."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from torch import Tensor

from ..errors import ConfigError
from ..settings import check_range
from .augment import Factor, Random, spread


class Toning(Random):
    """What random changes of values share: how far, and the range that values are kept in.

    Fields: `factor`, how far, or (low, high); `value_range`, the smallest and largest value of an
    image: outputs are clipped to it.
    """

    factor: Factor
    value_range: tuple[float, float] = (0, 255)

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        self.bounds()
        given: Any = self.value_range
        pair = isinstance(given, (tuple, list)) and len(given) == 2
        if not pair or not all(map(_real, given)) or not given[0] < given[1]:
            raise ConfigError(
                self.where,
                f"value_range={self.value_range!r} is not a range",
                need="(smallest, largest) value of an image",
                fix="value_range=(0, 255)",
            )

    def bounds(self) -> tuple[float, float]:
        """Return the smallest and the largest factor."""
        return spread(self.where, "factor", self.factor)


def _real(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


class RandomContrast(Toning):
    """Scale the distance from each channel's mean: y = (x - mean) * c + mean, clipped.

    c is uniform from 1 - factor to 1 + factor; for a pair, from 1 - pair[0] to 1 + pair[1].

    Fields: `factor`, one number or a pair, from 0 to 1; `value_range` as `Toning`.
    Shape: unchanged.
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's documentation of RandomContrast (its code takes one number for (0, factor)).
    """

    def bounds(self) -> tuple[float, float]:
        """Return the smallest and the largest c."""
        pair = self.factor if isinstance(self.factor, (tuple, list)) else (self.factor,) * 2
        for bound in pair:
            check_range(self.where, "factor", bound, "[0, 1]", 0.1)
        if len(pair) != 2:
            raise ConfigError(
                self.where,
                f"factor={self.factor!r} is not a range",
                need="a number, or (less, more)",
                fix="factor=0.1",
            )
        return 1 - pair[0], 1 + pair[1]

    def change(self, x: Tensor) -> Tensor:
        """Scale."""
        mean = x.mean((2, 3), keepdim=True)
        contrast = self.draw(x, self.bounds())[:, None, None, None]
        return ((x - mean) * contrast + mean).clamp(*self.value_range)


class RandomBrightness(Toning):
    """Add one random number to each image: a part of the value range; clipped.

    Fields: `factor`, the largest part, or (low, high), positive brightening, from -1 to 1;
    `value_range` as `Toning`.
    Shape: unchanged.
    Raises: ConfigError for a value that cannot work.
    Source: Keras 3's RandomBrightness.
    """

    def change(self, x: Tensor) -> Tensor:
        """Brighten or darken."""
        low, high = self.value_range
        more = self.draw(x, self.bounds()) * (high - low)
        return (x + more[:, None, None, None]).clamp(low, high)
