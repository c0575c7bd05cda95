"""Changes of the place of things: what is done to an image is done to its masks and boxes.

A function of images is given masks without anything between two values, and boxes by where its
formula brings their corners.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .boxes import box_convert
from .tv_tensors import BoundingBoxes, Mask, TVTensor, wrap

Points = np.ndarray[Any, np.dtype[np.float64]]  # (..., 2): x and y
Size = tuple[int, int]  # height, width


def turning(angle: float, scale: float, shear: Any) -> Points:
    """Return the matrix of a turn clockwise (in degrees), a scale and a shear of x and y."""
    lean = [shear, 0.0] if isinstance(shear, (int, float)) else [*shear, 0.0][:2]
    turn, sx, sy = math.radians(angle), math.radians(lean[0]), math.radians(lean[1])
    spin = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    down, along = np.array([[1, 0], [-math.tan(sy), 1]]), np.array([[1, -math.tan(sx)], [0, 1]])
    matrix: Points = scale * spin @ down @ along
    return matrix


def border(padding: Any) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of one number, of (sides, ends), or of four."""
    if isinstance(padding, int):
        return (padding,) * 4
    both = tuple(padding) * (4 // len(padding))
    return (both[0], both[1], both[2], both[3])


def seen_aslant(begin: Any, end: Any) -> Points:
    """Return the matrix (3, 3) that moves four points (x, y) to four others."""
    rows = [
        row
        for (u, v), (x, y) in zip(begin, end, strict=True)
        for row in ([u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v])
    ]
    where = np.array(end, float).reshape(-1)
    numbers = np.linalg.lstsq(np.array(rows, float), where, rcond=None)[0]
    return np.append(numbers, 1.0).reshape(3, 3)


def _middle(size: Size, center: Any) -> Points:
    return np.array(center or (size[1] / 2, size[0] / 2), float)


def _turned(points: Points, old: Size, new: Size, given: Mapping[str, Any]) -> Points:
    middle = _middle(old, given["center"])
    grown = np.array([new[1] - old[1], new[0] - old[0]]) / 2
    return np.asarray((points - middle) @ turning(-given["angle"], 1.0, 0.0).T + middle + grown)


def _moved(points: Points, old: Size, new: Size, given: Mapping[str, Any]) -> Points:
    middle = _middle(old, given["center"])
    matrix = turning(given["angle"], given["scale"], given["shear"])
    return np.asarray((points - middle) @ matrix.T + middle + np.array(given["translate"], float))


def _aslant(points: Points, old: Size, new: Size, given: Mapping[str, Any]) -> Points:
    matrix = seen_aslant(given["startpoints"], given["endpoints"])
    out = np.concatenate([points, np.ones_like(points[..., :1])], -1) @ matrix.T
    return np.asarray(out[..., :2] / out[..., 2:], float)


POINTS: dict[str, Callable[[Points, Size, Size, Mapping[str, Any]], Points]] = {
    "hflip": lambda p, old, new, given: np.array([old[1], 0]) + p * [-1, 1],
    "vflip": lambda p, old, new, given: np.array([0, old[0]]) + p * [1, -1],
    "resize": lambda p, old, new, given: p * [new[1] / old[1], new[0] / old[0]],
    "crop": lambda p, old, new, given: p - [given["left"], given["top"]],
    "center_crop": lambda p, old, new, given: (
        p - [round((old[1] - new[1]) / 2), round((old[0] - new[0]) / 2)]
    ),
    "pad": lambda p, old, new, given: p + np.array(border(given["padding"])[:2]),
    "rotate": _turned,
    "affine": _moved,
    "perspective": _aslant,
}
WITHIN = {"crop", "center_crop", "pad", "rotate", "affine", "perspective"}  # of the new canvas


def corners(boxes: BoundingBoxes) -> Tensor:
    """Return boxes as corners (N, 4), in floats of 64 bits."""
    word = boxes.format.value.lower()
    return box_convert(boxes.as_subclass(Tensor).double(), word, "xyxy")


def of_corners(found: Tensor, like: BoundingBoxes, canvas_size: Size) -> Any:
    """Return corners (N, 4) as boxes of the format, and the numbers, of others."""
    word = like.format.value.lower()
    out = box_convert(found, "xyxy", word).to(like.dtype)
    return wrap(out, like=like, canvas_size=canvas_size)


def within(found: Tensor, size: Size) -> Tensor:
    """Return corners (N, 4) inside of an image."""
    return torch.minimum(found.clamp(min=0), found.new_tensor([size[1], size[0]] * 2))


def for_kinds(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of images take masks and boxes too, by its name in `POINTS`."""
    name, signature = function.__name__, inspect.signature(function)

    @functools.wraps(function)
    def call(img: Any, *args: Any, **words: Any) -> Any:
        if not isinstance(img, TVTensor):
            return function(img, *args, **words)
        bound = signature.bind(img, *args, **words)
        bound.apply_defaults()
        given = dict(bound.arguments)
        first = next(iter(given))
        del given[first]
        if isinstance(given.get("fill"), dict):
            given["fill"] = filling(given["fill"], img)
        if isinstance(img, BoundingBoxes):
            return _boxes(name, function, img, given)
        plain = img.as_subclass(Tensor)
        if not isinstance(img, Mask):
            return wrap(function(plain, **given), like=img)
        if "interpolation" in given:
            given["interpolation"] = "nearest"
        flat = plain if plain.ndim > 2 else plain[None]
        out = function(flat, **given)
        return wrap(out if plain.ndim > 2 else out[0], like=img)

    return call


def _boxes(name: str, function: Any, boxes: BoundingBoxes, given: dict[str, Any]) -> Any:
    if name not in POINTS:
        return boxes
    old, found = boxes.canvas_size, corners(boxes)
    new = tuple(function(torch.zeros(1, *old, dtype=torch.uint8), **given).shape[-2:])
    size = (int(new[0]), int(new[1]))
    points = found[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2).numpy()
    moved = torch.from_numpy(np.asarray(POINTS[name](points, old, size, given)))
    out = torch.cat([moved.amin(1), moved.amax(1)], 1)
    return of_corners(within(out, size) if name in WITHIN else out, boxes, size)


def filling(fill: dict[Any, Any], img: Any) -> Any:
    """Return what an image or a mask is filled with, of a table by kinds."""
    for kind in type(img).__mro__:
        if kind in fill:
            return fill[kind]
    return fill.get("others") or 0
