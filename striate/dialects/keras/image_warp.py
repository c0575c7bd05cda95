"""Pictures moved: each pixel taken from another place."""

from __future__ import annotations

import math
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


def placed(
    height: int, width: int, theta: float = 0.0, tx: float = 0.0, ty: float = 0.0,
    shear: float = 0.0, zx: float = 1.0, zy: float = 1.0, *, old: bool = False,
) -> Any:  # fmt: skip
    """Return where each pixel comes from, about the middle; None where nothing moves.

    Angles are in degrees; up to Keras 1 (`old`), that of the slant is not.
    """
    if not (theta or tx or ty or shear or (zx, zy) != (1.0, 1.0)):
        return None
    angle, lean = math.radians(theta), shear if old else math.radians(shear)
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    move = np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    slant = np.array([[1, -math.sin(lean), 0], [0, math.cos(lean), 0], [0, 0, 1]])
    middle = np.array([[1, 0, height / 2 - 0.5], [0, 1, width / 2 - 0.5], [0, 0, 1]])
    return middle @ turn @ move @ slant @ np.diag([zx, zy, 1.0]) @ np.linalg.inv(middle)


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
