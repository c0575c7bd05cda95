"""What a drawn change draws, by itself: `get_params`, for scripts that change pairs of images."""

from __future__ import annotations

import math
from typing import Any

import torch

from ...errors import ConfigError, caller
from .functional import both_sides, get_dimensions, size_of


def drawn() -> float:
    """Return a number between 0 and 1, of torch's generator."""
    return float(torch.rand(1))


def between(low: float, high: float) -> float:
    """Return a number between two, of torch's generator."""
    return low + (high - low) * drawn()


def index(most: int) -> int:
    """Return a whole number from 0 to this one."""
    return int(torch.randint(0, most + 1, (1,)))


def crop(img: Any, output_size: Any) -> tuple[int, int, int, int]:
    """Return top, left, height and width of a rectangle of a size, anywhere."""
    rows, columns = size_of(img)
    height, width = both_sides(output_size)
    if rows < height or columns < width:
        raise ConfigError(
            "transforms.RandomCrop",
            "the image is smaller than the crop",
            got=f"an image of {rows} x {columns}",
            need=f"at least {height} x {width}",
            fix="padding=..., or pad_if_needed=True",
            at=caller(),
        )
    return index(rows - height), index(columns - width), height, width


def resized_crop(img: Any, scale: Any, ratio: Any) -> tuple[int, int, int, int]:
    """Return top, left, height and width of a rectangle of a share of the area."""
    rows, columns = size_of(img)
    for _ in range(10):
        found = _rectangle(rows, columns, scale, ratio)
        if found is not None:
            return found
    whole = columns / rows
    width = round(rows * max(ratio)) if whole > max(ratio) else columns
    height = round(columns / min(ratio)) if whole < min(ratio) else rows
    return (rows - height) // 2, (columns - width) // 2, height, width


def _rectangle(rows: int, columns: int, scale: Any, ratio: Any) -> tuple[int, int, int, int] | None:
    area = rows * columns * between(*scale)
    aspect = math.exp(between(math.log(ratio[0]), math.log(ratio[1])))
    width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
    if not (0 < width <= columns and 0 < height <= rows):
        return None
    return index(rows - height), index(columns - width), height, width


def erasing(img: Any, scale: Any, ratio: Any, value: Any = None) -> tuple[Any, ...]:
    """Return top, left, height and width of a rectangle, and what is put there."""
    channels, rows, columns = get_dimensions(img)
    inverse = (1 / ratio[1], 1 / ratio[0])  # here the ratio is that of height to width
    found = next(filter(None, (_rectangle(rows, columns, scale, inverse) for _ in range(10))), None)
    if found is None:
        return 0, 0, rows, columns, img
    if value is None:
        return *found, torch.randn(channels, *found[2:])
    return *found, torch.tensor(value, dtype=torch.float32).reshape(-1, 1, 1)


def rotation(degrees: Any) -> float:
    """Return an angle."""
    return between(float(degrees[0]), float(degrees[1]))


def affine(degrees: Any, translate: Any, scale_ranges: Any, shears: Any, img_size: Any) -> Any:
    """Return an angle, a shift, a scale and two shears."""
    shift = [0, 0]
    if translate is not None:
        shift = [
            round(between(-part * side, part * side))
            for part, side in zip(translate, img_size, strict=True)
        ]
    scale = 1.0 if scale_ranges is None else between(*scale_ranges)
    shear = [0.0, 0.0]
    if shears is not None:
        shear = [between(*shears[place : place + 2]) for place in range(0, len(shears), 2)]
    return rotation(degrees), tuple(shift), scale, tuple([*shear, 0.0][:2])


def jitter(brightness: Any, contrast: Any, saturation: Any, hue: Any) -> tuple[Any, ...]:
    """Return an order of the four changes, and how strong each of them is."""
    limits = (brightness, contrast, saturation, hue)
    return torch.randperm(4), *(None if one is None else between(*one) for one in limits)


def perspective(width: int, height: int, distortion_scale: float) -> Any:
    """Return the corners of an image, and where they come to lie."""
    right, down = (int(distortion_scale * (side // 2)) for side in (width, height))
    corners = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    moved = [
        [x + (-1 if x else 1) * index(right), y + (-1 if y else 1) * index(down)]
        for x, y in corners
    ]
    return corners, moved
