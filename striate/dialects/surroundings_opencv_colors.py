"""Spaces of colours of `cv2.cvtColor` besides grey and HSV: YCrCb, YUV, Lab, HLS."""

from __future__ import annotations

from typing import Any

import numpy as np

from .surroundings_exposure import lab2rgb, rgb2lab

LIGHT = np.array([0.299, 0.587, 0.114])  # of red, green and blue
# the two differences of colour: shares of (red - light) and (blue - light), by their places
DIFFERENCES = {"YCrCb": ((0, 0.713), (2, 0.564)), "YUV": ((2, 0.492), (0, 0.877))}


def _differences(x: Any, kind: str, middle: float) -> Any:
    light = x @ LIGHT
    return np.stack([light, *((x[..., at] - light) * share + middle
                              for at, share in DIFFERENCES[kind])], -1)  # fmt: skip


def _of_differences(x: Any, kind: str, middle: float) -> Any:
    light = x[..., 0]
    parts: list[Any] = [None, None, None]
    for place, (at, share) in enumerate(DIFFERENCES[kind], 1):
        parts[at] = light + (x[..., place] - middle) / share
    red, _, blue = parts
    return np.stack([red, (light - LIGHT[0] * red - LIGHT[2] * blue) / LIGHT[1], blue], -1)


def _hls(x: Any) -> Any:
    most, least = x.max(-1), x.min(-1)
    span, light = most - least, (most + least) / 2
    red, green, blue = np.moveaxis(x, -1, 0)
    safe = np.where(span > 0, span, 1)
    hue = np.where(most == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    hue = np.where(most == red, (green - blue) / safe, hue)
    room = np.where(light < 0.5, most + least, 2 - most - least)
    full = np.where(span > 0, span / np.where(room > 0, room, 1), 0)
    return np.stack([np.where(span > 0, hue * 60 % 360, 0), light, full], -1)


def _of_hls(x: Any) -> Any:
    hue, light, full = np.moveaxis(x, -1, 0)
    reach = full * np.minimum(light, 1 - light)
    parts = []
    for shift in (0, 8, 4):
        at = (shift + hue / 30) % 12
        parts.append(light - reach * np.clip(np.minimum(at - 3, 9 - at), -1, 1))
    return np.stack(parts, -1)


def converted(image: Any, begin: str, end: str) -> Any:
    """Return an image in another space: red, green and blue to one of `SPACES`, or back.

    Bytes hold hue in half degrees, and what is from -128 to 127 with 128 added.
    """
    bytes_ = image.dtype == np.uint8
    x, scale = image[..., :3].astype(np.float64), 255.0 if bytes_ else 1.0
    kind = end if end in SPACES else begin
    forth = kind == end
    if kind in DIFFERENCES:
        middle = 128.0 if bytes_ else 0.5
        out = (_differences if forth else _of_differences)(x, kind, middle)
    elif kind in ("Lab", "LAB"):
        sizes, begins = (np.array([2.55, 1, 1]), np.array([0, 128, 128])) if bytes_ else (1, 0)
        out = (rgb2lab(x / scale) * sizes + begins if forth
               else lab2rgb((x - begins) / sizes) * scale)  # fmt: skip
    else:
        sizes = np.array([0.5, 255, 255]) if bytes_ else 1
        out = _hls(x / scale) * sizes if forth else _of_hls(x / sizes) * scale
    return np.clip(np.rint(out), 0, 255).astype(np.uint8) if bytes_ else out.astype(image.dtype)


SPACES = (*DIFFERENCES, "Lab", "LAB", "HLS")
CODES = tuple(f"{a}2{b}" for kind in SPACES for rgb in ("RGB", "BGR")
              for a, b in ((rgb, kind), (kind, rgb)))  # fmt: skip


def ratio(src1: Any, src2: Any, R: float = 255.0) -> float:  # noqa: N803  as cv2 names it
    """Return how much larger the range is than the error, in decibels: cv2.PSNR."""
    error = np.mean((np.asarray(src1, float) - np.asarray(src2, float)) ** 2)
    return float(20 * np.log10(R / (np.sqrt(error) + np.finfo(float).eps)))
