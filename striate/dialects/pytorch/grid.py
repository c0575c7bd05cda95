"""torchvision.utils: many images as one, and images as files."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .functional import to_pil_image


@torch.no_grad()
def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
    **words: Any,
) -> Tensor:
    """Return images (N, C, H, W) as one of three channels, `nrow` in a row, with borders."""
    images = torch.stack(list(tensor)) if isinstance(tensor, (list, tuple)) else tensor
    images = images[None] if images.ndim == 2 else images
    images = images[None] if images.ndim == 3 else images
    images = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
    if normalize:
        limits = value_range or words.get("range")
        parts = [_spread(one, limits) for one in images] if scale_each else None
        images = torch.stack(parts) if parts else _spread(images, limits)
    if len(images) == 1:
        return images[0]
    columns = min(nrow, len(images))
    rows = math.ceil(len(images) / columns)
    height, width = images.shape[2] + padding, images.shape[3] + padding
    size = (images.shape[1], height * rows + padding, width * columns + padding)
    grid = images.new_full(size, pad_value)
    for place, image in enumerate(images):
        top = (place // columns) * height + padding
        left = (place % columns) * width + padding
        grid[:, top : top + image.shape[1], left : left + image.shape[2]] = image
    return grid


def _spread(images: Tensor, limits: tuple[float, float] | None) -> Tensor:
    """Return the numbers so that they fill 0 to 1."""
    low, high = limits or (float(images.min()), float(images.max()))
    return (images.clamp(low, high) - low) / max(high - low, 1e-5)


PLACES = ("nrow", "padding", "normalize", "value_range", "scale_each", "pad_value", "format")


def save_image(tensor: Any, fp: Any = None, *places: Any, **words: Any) -> None:
    """Write images as one picture; floats are 0 to 1.

    Behind the file stands its format; up to 0.9 the arguments of the grid stood there.
    """
    today = len(places) == 1 and (places[0] is None or isinstance(places[0], str))
    given = dict(zip(("format",) if today else PLACES, places, strict=False)) | words
    file, kind = given.pop("filename", fp), given.pop("format", None)
    grid = make_grid(tensor, **given).mul(255).add(0.5).clamp(0, 255).to(torch.uint8)
    to_pil_image(grid).save(file, format=kind)
