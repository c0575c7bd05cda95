"""Changes of an image's colours, of a picture or of a tensor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from . import colours
from .functional import pil_to_tensor, to_pil_image


def _enhanced(img: Any, of_tensor: Any, of_picture: Any, factor: float) -> Any:
    if isinstance(img, Tensor):
        return of_tensor(img, factor)
    return _whole(img, lambda one: of_picture(one).enhance(factor))


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Return the image brighter by a factor: 0 is black."""
    return _enhanced(img, colours.brightness, ImageEnhance.Brightness, brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Return the image with its contrast times a factor: 0 is grey."""
    return _enhanced(img, colours.contrast, ImageEnhance.Contrast, contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Return the image with its colours times a factor: 0 is without colour."""
    return _enhanced(img, colours.saturation, ImageEnhance.Color, saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Return the image with its colours turned by a share of the circle, -0.5 to 0.5."""
    if isinstance(img, Tensor):
        return colours.hue(img, hue_factor)

    def turned(picture: Image.Image) -> Image.Image:
        if picture.mode != "RGB":
            return picture
        hue, saturation, value = picture.convert("HSV").split()
        moved = (np.array(hue, np.int16) + int(hue_factor * 255)) % 256
        parts = (Image.fromarray(moved.astype(np.uint8)), saturation, value)
        return Image.merge("HSV", parts).convert("RGB")

    return _whole(img, turned)


def autocontrast(img: Any) -> Any:
    """Return the image with its darkest value black and its lightest white."""
    if isinstance(img, Tensor):
        return colours.autocontrast(img)
    return _whole(img, ImageOps.autocontrast)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Return the image sharper by a factor: 0 is blurred."""
    if isinstance(img, Tensor):
        return colours.sharpness(img, sharpness_factor)
    return _whole(img, lambda one: ImageEnhance.Sharpness(one).enhance(sharpness_factor))


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """Return the image with each value, 0 to 1, raised to a power and times the gain."""
    if isinstance(img, Tensor):
        return colours.gamma(img, gamma, gain)
    each = (255 + 1 - 1e-3) * gain  # so that 255 stays 255, and all else is rounded down
    table = [min(255, int(each * (value / 255) ** gamma)) for value in range(256)]
    return _whole(img, lambda one: one.point(table * len(one.getbands())))


def invert(img: Any) -> Any:
    """Return the negative."""
    if isinstance(img, Tensor):
        return colours.invert(img)
    return _whole(img, ImageOps.invert)


def posterize(img: Any, bits: int) -> Any:
    """Return the image with this many bits of each value."""
    return _whole(
        img, lambda one: ImageOps.posterize(one, bits) if bits else one.point(lambda v: 0)
    )


def solarize(img: Any, threshold: float) -> Any:
    """Return the image with the values from a threshold on as in the negative."""
    floats = isinstance(img, Tensor) and img.is_floating_point()
    level = threshold * 255 if floats else threshold
    return _whole(img, lambda one: ImageOps.solarize(one, math.ceil(level)))


def equalize(img: Any) -> Any:
    """Return the image with all values about equally often."""
    return _whole(img, ImageOps.equalize)


def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """Return the image blurred; without a width it is of the kernel's size."""
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else [*kernel_size] * 2
    usual = [0.3 * ((size - 1) * 0.5 - 1) + 0.8 for size in sizes[:2]]
    widths = usual if sigma is None else [sigma] * 2 if isinstance(sigma, (int, float)) else sigma
    widths = [*widths] * 2
    if isinstance(img, Tensor):
        return colours.blur(img, sizes[:2], widths[:2])
    return to_pil_image(colours.blur(pil_to_tensor(img), sizes[:2], widths[:2]))


def _whole(img: Any, change: Callable[[Image.Image], Image.Image]) -> Any:
    """Change a picture; a tensor goes through one picture and comes back in its dtype."""
    if not isinstance(img, Tensor):
        return change(img)
    out = pil_to_tensor(change(to_pil_image(img)))
    return (out / 255).to(img.dtype) if img.is_floating_point() else out


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Return the image in grey, of one channel or of three equal ones."""
    if isinstance(img, Tensor):
        grey = img
        if img.shape[-3] == 3:
            red, green, blue = img.unbind(-3)
            grey = (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype).unsqueeze(-3)
        return grey.expand(*grey.shape[:-3], num_output_channels, *grey.shape[-2:])
    grey = img.convert("L")
    return grey if num_output_channels == 1 else Image.merge("RGB", (grey,) * 3)
