"""`tf.image`: boxes (top, left, bottom, right) in pictures, as parts of their sides."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..symbolic import tensor
from ..tensor_math import floating


def crop_and_resize(image: Any, boxes: Any, box_indices: Any, crop_size: Any,
                    method: str = "bilinear", extrapolation_value: float = 0.0,
                    name: Any = None) -> Tensor:  # fmt: skip
    """Return the parts of pictures inside boxes, all of one size; corners lie on corners."""
    x, found = floating(image).movedim(-1, 1), floating(boxes)
    height, width = (int(side) for side in crop_size)
    top, left, bottom, right = found.unbind(-1)

    def steps(low: Tensor, high: Tensor, count: int, side: int) -> Tensor:
        share = torch.linspace(0, 1, count) if count > 1 else torch.tensor([0.5])
        cells = (low[:, None] + (high - low)[:, None] * share) * (side - 1)
        return 2 * cells / max(side - 1, 1) - 1

    rows = steps(top, bottom, height, x.shape[2])[:, :, None].expand(-1, -1, width)
    columns = steps(left, right, width, x.shape[3])[:, None, :].expand(-1, height, -1)
    grid = torch.stack([columns, rows], -1)
    out = functional.grid_sample(
        x[tensor(box_indices).long()] - extrapolation_value, grid,
        "nearest" if method == "nearest" else "bilinear", "zeros", True,
    )  # fmt: skip
    return (out + extrapolation_value).movedim(1, -1)


def draw_bounding_boxes(images: Any, boxes: Any, colors: Any = None, name: Any = None) -> Tensor:
    """Return pictures with the edges of boxes in a colour, red where none is given."""
    out = floating(images).clone()
    high, wide, channels = out.shape[1:]
    shades = torch.tensor([[1.0, 0.0, 0.0]]) if colors is None else floating(colors)
    for picture, several in zip(out, floating(boxes), strict=True):
        for number, box in enumerate(several):
            shade = shades[number % len(shades)][:channels]
            scale = torch.tensor([high - 1, wide - 1, high - 1, wide - 1])
            top, left, bottom, right = (box * scale).long().tolist()
            picture[[top, bottom], left : right + 1] = shade
            picture[top : bottom + 1, [left, right]] = shade
    return out


def non_max_suppression(boxes: Any, scores: Any, max_output_size: Any, iou_threshold: float = 0.5,
                        score_threshold: float = float("-inf"),
                        name: Any = None) -> Tensor:  # fmt: skip
    """Return the places of the best boxes that do not lie over a better one."""
    corners, values = floating(boxes), floating(scores)
    top = torch.minimum(corners[:, :2], corners[:, 2:])
    bottom = torch.maximum(corners[:, :2], corners[:, 2:])
    areas = (bottom - top).prod(-1)
    kept: list[int] = []
    for place in values.argsort(descending=True).tolist():
        if len(kept) >= int(max_output_size) or values[place] <= score_threshold:
            break
        sides = (torch.minimum(bottom[place], bottom[kept])
                 - torch.maximum(top[place], top[kept])).clamp(min=0)  # fmt: skip
        shared = sides.prod(-1)
        if not bool((shared / (areas[place] + areas[kept] - shared) > iou_threshold).any()):
            kept.append(place)
    return torch.tensor(kept, dtype=torch.int32)
