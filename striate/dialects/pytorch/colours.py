"""Colours and blur of tensors (..., C, H, W), by the formulas of torchvision for tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

GREY = (0.2989, 0.587, 0.114)  # shares of red, green and blue


def bound(x: Tensor) -> float:
    """Return what is white: 1 of floats, the largest number of others."""
    return 1.0 if x.is_floating_point() else float(torch.iinfo(x.dtype).max)


def blend(x: Tensor, other: Any, factor: float) -> Tensor:
    """Return factor times the image plus the rest of another one, within black and white."""
    mixed: Tensor = factor * x + (1 - factor) * other
    return mixed.clamp(0, bound(x)).to(x.dtype)


def grey_of(x: Tensor) -> Tensor:
    """Return the image in grey, of one channel."""
    if x.shape[-3] != 3:
        return x
    parts = zip(GREY, x.unbind(-3), strict=True)
    return sum((share * part for share, part in parts), torch.zeros(())).to(x.dtype).unsqueeze(-3)


def floats(x: Tensor) -> Tensor:
    """Return an image as floats from 0 to 1."""
    return x if x.is_floating_point() else x.to(torch.float32) / bound(x)


def as_dtype(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Return floats from 0 to 1 as numbers of a type, each of equal width."""
    if dtype.is_floating_point:
        return x.to(dtype)
    return x.mul(torch.iinfo(dtype).max + 1 - 1e-3).to(dtype)


def brightness(x: Tensor, factor: float) -> Tensor:
    """Return the image brighter by a factor."""
    return blend(x, 0.0, factor)


def contrast(x: Tensor, factor: float) -> Tensor:
    """Return the image away from its mean grey by a factor."""
    return blend(x, grey_of(x).float().mean((-3, -2, -1), keepdim=True), factor)


def saturation(x: Tensor, factor: float) -> Tensor:
    """Return the image away from its greys by a factor."""
    return x if x.shape[-3] == 1 else blend(x, grey_of(x), factor)


def hue(x: Tensor, factor: float) -> Tensor:
    """Return the image with its colours turned by a share of the circle."""
    if x.shape[-3] == 1:
        return x
    red, green, blue = floats(x).unbind(-3)
    high, low = floats(x).amax(-3), floats(x).amin(-3)
    spread = high - low
    step = torch.where(spread == 0, torch.ones_like(spread), spread)
    sixth = torch.where(
        high == red, (green - blue) / step,
        torch.where(high == green, 2 + (blue - red) / step, 4 + (red - green) / step),
    )  # fmt: skip
    turned = (sixth / 6 + factor) % 1
    # each channel is `high` but for the part of the circle around its opposite colour
    places = [(number + turned * 6) % 6 for number in (5, 3, 1)]
    parts = [high - spread * torch.minimum(k, 4 - k).clamp(0, 1) for k in places]
    return as_dtype(torch.stack(parts, -3), x.dtype)


def autocontrast(x: Tensor) -> Tensor:
    """Return each channel stretched from black to white; one of a single value stays."""
    low, high = (end((-2, -1), keepdim=True).float() for end in (x.amin, x.amax))
    flat = low == high
    scale = torch.where(flat, torch.ones_like(low), bound(x) / (high - low))
    stretched = (x - torch.where(flat, torch.zeros_like(low), low)) * scale
    return stretched.clamp(0, bound(x)).to(x.dtype)


def sharpness(x: Tensor, factor: float) -> Tensor:
    """Return the image away from a blurred one by a factor; the border stays."""
    if min(x.shape[-2:]) <= 2:
        return x
    kernel = torch.ones(3, 3)
    kernel[1, 1] = 5
    blurred = x.clone()
    blurred[..., 1:-1, 1:-1] = _filtered(x.float(), kernel / 13, x)
    return blend(x, blurred, factor)


def gamma(x: Tensor, power: float, gain: float) -> Tensor:
    """Return each value, 0 to 1, raised to a power and times the gain."""
    return as_dtype((gain * floats(x) ** power).clamp(0, 1), x.dtype)


def invert(x: Tensor) -> Tensor:
    """Return the negative."""
    return (bound(x) - x).to(x.dtype)


def blur(x: Tensor, size: Sequence[int], width: Sequence[float]) -> Tensor:
    """Return the image under a bell of so many columns and rows, mirrored at the border."""
    rows, columns = (_bell(size[1], width[1]), _bell(size[0], width[0]))
    sides = (size[0] // 2, size[0] // 2, size[1] // 2, size[1] // 2)
    near = F.pad(x.float().reshape(-1, 1, *x.shape[-2:]), sides, mode="reflect")
    return _filtered(near, torch.outer(rows, columns), x).reshape(x.shape)


def _bell(size: int, width: float) -> Tensor:
    places = torch.arange(size) - (size - 1) / 2
    bell = torch.exp(-0.5 * (places / width) ** 2)
    return bell / bell.sum()


def _filtered(x: Tensor, kernel: Tensor, like: Tensor) -> Tensor:
    flat = x.reshape(-1, 1, *x.shape[-2:])
    out = F.conv2d(flat, kernel[None, None])
    out = out.reshape(*x.shape[:-2], *out.shape[-2:])
    return (out if like.is_floating_point() else out.round()).to(like.dtype)
