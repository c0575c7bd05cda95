"""BigDL's changes of the colours of pictures; bytes stay bytes until they are normalised."""

from __future__ import annotations

import colorsys
import random
from typing import Any

import numpy as np

from .image_changes import FeatureTransformer, Pipeline, RandomTransformer
from .layouts import Array

MOST = 255


def _kept(values: Array, mat: Array) -> Array:
    """Return values in the type of a matrix; bytes end at 0 and 255."""
    if mat.dtype == np.uint8:
        return np.clip(np.rint(values), 0, MOST).astype(np.uint8)
    return values.astype(np.float32)


class _Drawn(FeatureTransformer):
    """A change by a number that is drawn between two."""

    def __init__(self, delta_low: float, delta_high: float, bigdl_type: str = "float") -> None:
        self.limits = delta_low, delta_high

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        return _kept(self.by(mat.astype(np.float32), random.uniform(*self.limits)), mat)

    def by(self, values: Array, amount: float) -> Array:
        """Return values changed by an amount."""
        raise TypeError(f"{type(self).__name__} does not define by")


class Brightness(_Drawn):
    """A number added to all values."""

    def by(self, values: Array, amount: float) -> Array:
        """Return values changed by an amount."""
        return values + amount


class Contrast(_Drawn):
    """All values times a number."""

    def by(self, values: Array, amount: float) -> Array:
        """Return values changed by an amount."""
        return values * amount


def _turned(values: Array, hue: float, saturation: float) -> Array:
    """Return colours with their hue moved (in degrees) and their saturation times a number."""
    flat = np.clip(values, 0, MOST).reshape(-1, 3)[:, ::-1] / MOST
    colours, back = np.unique(flat, axis=0, return_inverse=True)
    made = []
    for red, green, blue in colours:
        h, s, v = colorsys.rgb_to_hsv(red, green, blue)
        made.append(colorsys.hsv_to_rgb((h + hue / 360) % 1, min(s * saturation, 1.0), v))
    out = np.asarray(made, np.float32)[back.reshape(-1)][:, ::-1] * MOST
    return out.reshape(values.shape)


class Saturation(_Drawn):
    """The saturation times a number."""

    def by(self, values: Array, amount: float) -> Array:
        """Return values changed by an amount."""
        return _turned(values, 0.0, amount)


class Hue(_Drawn):
    """The hue moved by an angle; one of OpenCV's degrees is two."""

    def by(self, values: Array, amount: float) -> Array:
        """Return values changed by an amount."""
        return _turned(values, 2 * amount, 1.0)


class ChannelOrder(FeatureTransformer):
    """The channels in another order."""

    def __init__(self, bigdl_type: str = "float") -> None: ...

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        return mat[..., random.sample(range(3), 3)].copy()


class ColorJitter(Pipeline):
    """Brightness, contrast, hue and saturation, each with a probability."""

    def __init__(self, brightness_prob: float = 0.5, brightness_delta: float = 32.0,
                 contrast_prob: float = 0.5, contrast_lower: float = 0.5,
                 contrast_upper: float = 1.5, hue_prob: float = 0.5, hue_delta: float = 18.0,
                 saturation_prob: float = 0.5, saturation_lower: float = 0.5,
                 saturation_upper: float = 1.5, random_order_prob: float = 0.0,
                 shuffle: bool = False, bigdl_type: str = "float") -> None:  # fmt: skip
        super().__init__([
            RandomTransformer(Brightness(-brightness_delta, brightness_delta), brightness_prob),
            RandomTransformer(Contrast(contrast_lower, contrast_upper), contrast_prob),
            RandomTransformer(Saturation(saturation_lower, saturation_upper), saturation_prob),
            RandomTransformer(Hue(-hue_delta, hue_delta), hue_prob),
            RandomTransformer(ChannelOrder(), random_order_prob),
        ])  # fmt: skip
        self.shuffle = shuffle

    def apply(self, feature: Any) -> None:
        """Change a picture, in place."""
        if self.shuffle:
            random.shuffle(self.transformers)
        super().apply(feature)


class ChannelNormalize(FeatureTransformer):
    """(value - mean) / std for each channel: blue has `mean_b`, but `std_r`, as in BigDL."""

    def __init__(
        self,
        mean_r: float,
        mean_g: float,
        mean_b: float,
        std_r: float = 1.0,
        std_g: float = 1.0,
        std_b: float = 1.0,
        bigdl_type: str = "float",
    ) -> None:
        self.mean = np.array([mean_b, mean_g, mean_r], np.float32)
        self.std = np.array([std_r, std_g, std_b], np.float32)

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        return (mat.astype(np.float32) - self.mean) / self.std


class ChannelScaledNormalizer(FeatureTransformer):
    """The means of the channels taken away, then all values times a scale."""

    def __init__(self, mean_r: float, mean_g: float, mean_b: float, scale: float,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.mean, self.scale = np.array([mean_b, mean_g, mean_r], np.float32), scale

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        return (mat.astype(np.float32) - self.mean) * np.float32(self.scale)


class PixelNormalize(FeatureTransformer):
    """A mean of each cell taken away, in the order height, width, channel."""

    def __init__(self, means: Any, bigdl_type: str = "float") -> None:
        self.means = np.asarray(means, np.float32)

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        return mat.astype(np.float32) - self.means.reshape(mat.shape)


NAMES: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(Brightness, Hue, Contrast, Saturation, ChannelOrder, ColorJitter),
        *(ChannelNormalize, ChannelScaledNormalizer, PixelNormalize),
    )
}
