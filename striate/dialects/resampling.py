"""Images of another size, one axis after the other: each a matrix of what is taken from where."""

from __future__ import annotations

from typing import Any

import numpy as np

Matrix = np.ndarray[Any, np.dtype[np.float64]]
TAPS = {"linear": 2, "cubic": 4}


def mirrored(at: Any, size: int) -> Any:
    """Return places outside of an axis as those inside that a mirror on the last cell shows."""
    if size == 1:
        return np.zeros_like(at)
    at = np.abs(at) % (2 * size - 2)
    return np.where(at < size, at, 2 * size - 2 - at)


def clamped(at: Any, size: int) -> Any:
    """Return places outside of an axis as its ends."""
    return np.clip(at, 0, size - 1)


def _kernel(kind: str, apart: Any) -> Any:
    """Return the weight of a cell so far from the place that is asked for."""
    far = np.abs(apart)
    if kind == "linear":
        return np.maximum(0, 1 - far)
    a = -0.75  # of the cubic that OpenCV and torch have
    near = ((a + 2) * far - (a + 3)) * far**2 + 1
    wide = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a
    return np.where(far <= 1, near, np.where(far < 2, wide, 0))


def scaling(size: int, new: int, kind: str = "linear", edge: Any = clamped) -> Matrix:
    """Return the matrix (new, size) of an axis: "nearest", "linear", "cubic" or "area"."""
    out = np.zeros((new, size))
    if kind == "area" and new < size:
        ends = np.arange(new + 1) * size / new
        cells = np.arange(size)
        over = np.minimum(ends[1:, None], cells + 1) - np.maximum(ends[:-1, None], cells)
        return np.asarray(np.clip(over, 0, None) * new / size)
    if kind == "nearest":
        places = np.minimum(np.floor(np.arange(new) * size / new), size - 1).astype(int)
        out[np.arange(new), places] = 1
        return out
    kind = "linear" if kind == "area" else kind
    middle = (np.arange(new) + 0.5) * size / new - 0.5
    first = np.floor(middle).astype(int) - (TAPS[kind] // 2 - 1)
    for tap in range(TAPS[kind]):
        weight = _kernel(kind, middle - (first + tap))
        np.add.at(out, (np.arange(new), edge(first + tap, size)), weight)
    return out


def smoothing(size: int, bell: Any, edge: Any = mirrored) -> Matrix:
    """Return the matrix (size, size) that weighs each cell's neighbours by these numbers."""
    out, reach = np.zeros((size, size)), len(bell) // 2
    for step, weight in enumerate(bell):
        np.add.at(out, (np.arange(size), edge(np.arange(size) + step - reach, size)), weight)
    return out


def gaussian(sigma: float, reach: int) -> Any:
    """Return the weights of a bell, which are 1 together."""
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-9)) ** 2)
    return bell / bell.sum()


def along(image: Any, rows: Matrix, columns: Matrix) -> Any:
    """Return an image (H, W) or (H, W, C), with both axes multiplied by a matrix."""
    half = np.tensordot(rows, np.asarray(image, np.float64), (1, 0))
    return np.moveaxis(np.tensordot(half, columns, (1, 1)), -1, 1)
