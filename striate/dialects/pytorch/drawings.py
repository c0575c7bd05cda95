"""torchvision.utils: boxes, masks and points drawn on a picture (3, H, W) of bytes."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any

import torch
from PIL import ImageColor, ImageDraw
from torch import Tensor

from .functional import pil_to_tensor, to_pil_image

Colour = tuple[int, int, int]


def _colours(given: Any, number: int) -> list[Colour]:
    """Return a colour for each of so many things: those given, one for all, or all different."""
    if given is None:
        hues = (place / max(number, 1) for place in range(number))
        given = [tuple(int(255 * part) for part in colorsys.hsv_to_rgb(hue, 1, 1)) for hue in hues]
    elif isinstance(given, (str, tuple)):
        given = [given] * number
    if len(given) < number:
        raise ValueError(f"colors: {len(given)} are given for {number}")
    return [ImageColor.getrgb(one)[:3] if isinstance(one, str) else tuple(one) for one in given]


def _floating(image: Tensor, drawn: Tensor) -> Tensor:
    return drawn.to(image.dtype) / 255 if image.is_floating_point() else drawn


def draw_bounding_boxes(
    image: Tensor,
    boxes: Tensor,
    labels: Sequence[str | None] | None = None,
    colors: Any = None,
    fill: bool = False,
    width: int = 1,
    **words: Any,
) -> Tensor:
    """Return a picture with boxes (x1, y1, x2, y2), and their labels at their corners."""
    picture = to_pil_image(image).convert("RGB")
    pen = ImageDraw.Draw(picture, "RGBA" if fill else None)
    texts = labels if labels is not None else [None] * len(boxes)
    for box, colour, text in zip(boxes.tolist(), _colours(colors, len(boxes)), texts, strict=True):
        pen.rectangle(box, outline=colour, width=width, fill=(*colour, 100) if fill else None)
        if text is not None:
            pen.text((box[0] + width + 1, box[1] + width + 1), text, fill=colour)
    return _floating(image, pil_to_tensor(picture))


def draw_segmentation_masks(
    image: Tensor, masks: Tensor, alpha: float = 0.8, colors: Any = None
) -> Tensor:
    """Return a picture with masks (N, H, W) over it, `alpha` of them."""
    masks = masks[None] if masks.ndim == 2 else masks
    bytes_ = (image * 255).round() if image.is_floating_point() else image
    drawn = bytes_.float().expand(3, -1, -1).clone()
    for mask, colour in zip(masks, _colours(colors, len(masks)), strict=True):
        drawn[:, mask] = torch.tensor(colour, dtype=torch.float32)[:, None]
    out = bytes_ * (1 - alpha) + drawn * alpha
    seen = torch.where(masks.any(0), out, bytes_.float())
    return _floating(image, seen.to(torch.uint8))


def draw_keypoints(
    image: Tensor,
    keypoints: Tensor,
    connectivity: Sequence[tuple[int, int]] | None = None,
    colors: Any = "red",
    radius: int = 2,
    width: int = 3,
    **words: Any,
) -> Tensor:
    """Return a picture with points (N, K, 2) of several things, and lines between some of them."""
    picture = to_pil_image(image).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for points, colour in zip(keypoints.tolist(), _colours(colors, len(keypoints)), strict=True):
        for x, y, *_ in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        for begin, end in connectivity or ():
            pen.line((*points[begin][:2], *points[end][:2]), width=width, fill=colour)
    return _floating(image, pil_to_tensor(picture))
