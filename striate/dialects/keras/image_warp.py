"""Pictures moved: each pixel taken from another place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def warp(x: Array, matrix: Array, fill: str, cval: float, order: int) -> Array:
    """Return (height, width, channels) with each pixel taken from where `matrix` says.

    `order` 0 takes the nearest pixel, 1 mixes the four around; `fill` says what is outside.
    """
    height, width = x.shape[:2]
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    points = matrix[:2, :2] @ np.stack([rows.ravel(), columns.ravel()]) + matrix[:2, 2:]
    if order == 0:
        return _taken(x, np.rint(points).astype(int), fill, cval).reshape(x.shape)
    low = np.floor(points).astype(int)
    part = (points - low)[..., None]
    out = np.zeros((height * width, x.shape[2]))
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = (part[0] if down else 1 - part[0]) * (part[1] if right else 1 - part[1])
        out += share * _taken(x, low + np.array([[down], [right]]), fill, cval)
    return out.reshape(x.shape).astype("float32")


def _taken(x: Array, places: Array, fill: str, cval: float) -> Array:
    """Return the pixels at whole places."""
    sizes = x.shape[:2]
    inside = np.logical_and.reduce([(p >= 0) & (p < n) for p, n in zip(places, sizes, strict=True)])
    moved = []
    for place, size in zip(places, sizes, strict=True):
        if fill == "reflect":
            place = np.mod(place, 2 * size)
            place = np.where(place < size, place, 2 * size - 1 - place)
        elif fill == "wrap":
            place = np.mod(place, size)
        moved.append(np.clip(place, 0, size - 1))
    taken: Array = x[moved[0], moved[1]]
    return np.where(inside[:, None], taken, cval) if fill == "constant" else taken
