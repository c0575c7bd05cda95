"""Upload: a file that the page was given, checked before it is decoded, brought to the grid."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from ..data.image import coloured, decoded
from ..errors import DataError
from .grid import Grid, Picture

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 16_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")


@dataclass(frozen=True)
class Step:
    """What one step of preparation has made: its name, what it did, and its picture."""

    name: str
    told: str
    picture: Picture


def decode(data: bytes) -> Any:
    """Return the PIL image of a file's bytes, upright.

    Raises: DataError for a file that is too large, of another format, or damaged; the size in
    pixels is read from its head before any of it is decoded.
    """
    if len(data) > MAX_BYTES:
        raise DataError(
            "the image",
            "is too large",
            got=f"{len(data):,} bytes",
            need=f"at most {MAX_BYTES:,} bytes",
        )
    return decoded(BytesIO(data), "the image", FORMATS, MAX_PIXELS)


def prepare(data: bytes, grid: Grid, invert: bool = False, centre: bool = False) -> list[Step]:
    """Return the steps from a file to the grid; the last one has the picture that goes in.

    Without `invert` and `centre` these are the steps of `model.predict(path)`.
    """
    image = decode(data)
    colour = "L" if grid.channels == 1 else "RGB"
    converted = coloured(image, grid.channels)
    word = "grey" if colour == "L" else "colour"
    steps = [
        Step("file", f"{image.width} x {image.height}, {image.mode}", _pixels(_small(image))),
        Step(word, f"{colour}: {grid.channels} per pixel", _pixels(_small(converted))),
    ]
    return [*steps, *_placed(converted, grid, invert, centre)]


def _placed(image: Any, grid: Grid, invert: bool, centre: bool) -> list[Step]:
    """Return the steps on the grid."""
    from PIL import Image, ImageOps

    steps = []
    if invert:
        image = ImageOps.invert(image)
        steps.append(Step("invert", "255 - value", _pixels(_small(image))))
    if centre:
        image = _centred(image, grid)
        steps.append(Step("centre", "the ink in the middle, with a margin", _pixels(_small(image))))
    size = (grid.width, grid.height)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    steps.append(Step("resize", f"{grid.height} x {grid.width}, bilinear", _pixels(image)))
    return steps


def _centred(image: Any, grid: Grid) -> Any:
    """Return the picture cut to what differs from its border, in the middle of a square."""
    from PIL import Image

    pixels = np.asarray(image.convert("L"), np.int16)
    ground = int(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))
    rows, columns = np.nonzero(np.abs(pixels - ground) > 48)
    if not rows.size:
        return image
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    cut = image.crop(tuple(int(side) for side in box))
    side = int(max(cut.size) * 1.4)
    fill = ground if image.mode == "L" else (ground,) * 3
    square = Image.new(image.mode, (side, side), fill)
    square.paste(cut, ((side - cut.width) // 2, (side - cut.height) // 2))
    return square


def _small(image: Any) -> Any:
    shown = image.copy()
    shown.thumbnail((128, 128))
    return shown


def _pixels(image: Any) -> Picture:
    image = image if image.mode in ("L", "RGB") else image.convert("RGB")
    return np.asarray(image, np.uint8).reshape(image.height, image.width, -1)
