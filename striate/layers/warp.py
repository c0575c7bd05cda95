"""Reading images between and beyond pixels: the meaning of the operation Warp, in torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from ..core.operation import Bounds, Warp

EDGES = {"constant": "zeros", "nearest": "border", "reflect": "reflection", "wrap": "border"}


def warped(x: Tensor, warp: Warp, draw: Callable[[Bounds], Tensor]) -> Tensor:
    """Return a channels-first batch in floating point, warped.

    `draw` returns a number between two bounds for each sample; it is asked for what varies only.
    """
    for axis, both in zip((2, 3), warp.mirror, strict=True):
        if both:
            mirrored = draw((0.0, 1.0)) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(axis), x)
    matrix = _matrix(x, warp, draw)
    return x if matrix is None else _sample(x, warp, matrix)


def _matrix(x: Tensor, warp: Warp, draw: Callable[[Bounds], Tensor]) -> Tensor | None:
    """Return the map (N, 2, 3) of (column, row) from the centre; None where nothing moves."""
    same = Warp()
    if (warp.angle, warp.tall, warp.wide, warp.down, warp.right) == (
        same.angle, same.tall, same.wide, same.down, same.right
    ):  # fmt: skip
        return None

    def number(bounds: Bounds) -> Tensor:
        return draw(bounds) if bounds[0] < bounds[1] else x.new_full((len(x),), bounds[0])

    angle, tall = number(warp.angle), number(warp.tall)
    wide = tall if warp.wide is None else number(warp.wide)
    down, right = number(warp.down) * x.shape[2], number(warp.right) * x.shape[3]
    if warp.nearest:
        down, right = down.round(), right.round()
    cos, sin = angle.cos(), angle.sin()
    rows = (wide * cos, -wide * sin, -right, tall * sin, tall * cos, -down)
    return torch.stack([one.to(x.dtype) for one in rows], 1).view(-1, 2, 3)


def _sample(x: Tensor, warp: Warp, matrix: Tensor) -> Tensor:
    """Read the batch where `matrix` leads."""
    height, width = x.shape[2:]
    rows = torch.arange(height, dtype=x.dtype, device=x.device) - (height - 1) / 2
    cols = torch.arange(width, dtype=x.dtype, device=x.device) - (width - 1) / 2
    m = matrix[:, :, :, None, None]  # (N, 2, 3, 1, 1)
    place = m[:, :, 0] * cols + m[:, :, 1] * rows[:, None] + m[:, :, 2]  # (N, 2, H, W)
    col, row = place[:, 0] + (width - 1) / 2, place[:, 1] + (height - 1) / 2
    if warp.edge == "wrap":  # one more cell at the end, so that the last pixel's neighbour is there
        col, row = col.remainder(width), row.remainder(height)
        x = functional.pad(x, (0, 1, 0, 1), mode="circular")
    height, width = x.shape[2:]
    grid = torch.stack([(2 * col + 1) / width - 1, (2 * row + 1) / height - 1], -1)
    offset = warp.fill if warp.edge == "constant" else 0.0  # zeros outside become the value
    mode = "nearest" if warp.nearest else "bilinear"
    edge = EDGES[warp.edge]
    read = functional.grid_sample(
        x - offset, grid, mode=mode, padding_mode=edge, align_corners=False
    )
    return read + offset
