"""Pictures of arrays as small PNG files, the same bytes for the same values."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
SIDE = 64  # pixels of a thumbnail
# Anchors of two scales that are read by people of every kind of colour vision: from below zero to
# above it, as in the explorer, and from little to much
DIVERGING = ((176, 74, 8), (236, 168, 122), (246, 246, 246), (134, 184, 226), (24, 92, 160))
RISING = ((30, 20, 50), (60, 80, 140), (35, 140, 140), (110, 200, 90), (250, 230, 40))
LIKE = "RGBA"


def picture(values: Any, side: int = SIDE) -> bytes:
    """Return bytes (H, W, 1 or 3) as PNG, made smaller if a side is longer than `side`."""
    from PIL import Image

    cells = np.asarray(values)
    drawn = Image.fromarray(cells[..., 0] if cells.shape[-1] == 1 else cells)
    if max(drawn.size) > side:
        drawn.thumbnail((side, side), Image.Resampling.BOX)
    return _png(drawn)


def coloured(values: Any, low: float, high: float, scale: Sequence[Sequence[int]]) -> Bytes:
    """Return numbers as colours (..., 3) between `low` and `high`."""
    finite = np.nan_to_num(np.asarray(values, dtype=float))
    at = np.clip((finite - low) / max(high - low, 1e-12), 0, 1)
    anchors = np.array(scale, dtype=float)
    places = np.linspace(0, 1, len(anchors))
    channels = [np.interp(at, places, anchors[:, n]) for n in range(3)]
    return np.round(np.stack(channels, -1)).astype(np.uint8)


def signed(values: Any, peak: float) -> bytes:
    """Return a map (H, W), zero white, as PNG."""
    from PIL import Image

    return _png(Image.fromarray(coloured(values, -peak, peak, DIVERGING)))


def overlay(image: Any, heat: Any, side: int = SIDE) -> bytes:
    """Return a picture (H, W, C) in grey with a heat (H, W) of 0 to its largest value over it."""
    from PIL import Image

    cells = np.asarray(image, dtype=float)
    grey = np.repeat(cells.mean(-1, keepdims=True), 3, -1)
    peak = float(np.max(heat)) or 1.0
    strength = np.clip(np.asarray(heat) / peak, 0, 1)[..., None] * 0.75
    mixed = grey * (1 - strength) + coloured(heat, 0, peak, RISING) * strength
    drawn = Image.fromarray(np.round(mixed).astype(np.uint8))
    if max(drawn.size) > side:
        drawn.thumbnail((side, side), Image.Resampling.BOX)
    return _png(drawn)


def strip(maps: Sequence[Any], side: int = 28) -> bytes:
    """Return maps (H, W) beside each other on one scale, with see-through gaps."""
    from PIL import Image

    peak = max((float(np.nan_to_num(np.abs(one)).max()) for one in maps), default=1.0) or 1.0
    gap, cells = 1, []
    for one in maps:
        drawn = Image.fromarray(coloured(one, -peak, peak, DIVERGING))
        if max(drawn.size) > side:
            drawn.thumbnail((side, side), Image.Resampling.BOX)
        cells.append(np.asarray(drawn.convert(LIKE)))
    high, wide = cells[0].shape[:2]
    sheet = np.zeros((high, len(cells) * (wide + gap) - gap, 4), dtype=np.uint8)
    for number, cell in enumerate(cells):
        start = number * (wide + gap)
        sheet[:, start : start + wide] = cell
    return _png(Image.fromarray(sheet, LIKE))


def as_bytes(samples: Any, channels_first: bool = False) -> Bytes | None:
    """Return samples as pictures (n, H, W, 1 or 3) of bytes; None where they are no pictures.

    Numbers are laid between the smallest and the largest of all; bytes stay as they are.
    """
    cells = np.asarray(samples)
    if cells.ndim == 4 and channels_first:
        cells = np.moveaxis(cells, 1, -1)
    if cells.ndim != 4 or cells.shape[-1] not in (1, 3) or not cells.size:
        return None
    if cells.dtype == np.uint8:
        return cells
    wide = cells.astype(float)
    low, high = np.nanmin(wide), np.nanmax(wide)
    laid: Bytes = (
        np.nan_to_num((wide - low) / max(high - low, 1e-12) * 255).round().astype(np.uint8)
    )
    return laid


def _png(drawn: Any) -> bytes:
    out = BytesIO()
    drawn.save(out, "PNG", optimize=True)
    return out.getvalue()
