"""`tf.image`: boxes (top, left, bottom, right) in pictures, as parts of their sides."""

from __future__ import annotations

from typing import Any, NamedTuple

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
    places = suppressed(boxes, scores, max_output_size, iou_threshold, score_threshold)[0]
    return places.to(torch.int32)


def suppressed(boxes: Any, scores: Any, most: Any, iou_threshold: float = 0.5,
               score_threshold: float = float("-inf"),
               sigma: float = 0.0) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return places and scores of the best boxes that do not lie over a better one.

    With a `sigma`, a box over a better one has a lower score: times exp(-iou^2 / (2 sigma)).

    Source: Bodla et al. 2017, "Soft-NMS".
    """
    corners, values = floating(boxes), floating(scores)
    top = torch.minimum(corners[:, :2], corners[:, 2:])
    bottom = torch.maximum(corners[:, :2], corners[:, 2:])
    areas = (bottom - top).prod(-1)
    kept: list[int] = []
    found: list[Tensor] = []
    values = values.clone()
    while len(kept) < int(most) and len(values):
        place = int(values.argmax())
        if values[place] <= score_threshold or values[place] == -torch.inf:
            break
        kept.append(place)
        found.append(values[place])
        sides = (torch.minimum(bottom[place], bottom)
                 - torch.maximum(top[place], top)).clamp(min=0)  # fmt: skip
        shared = sides.prod(-1)
        part = shared / (areas[place] + areas - shared)
        values = values * torch.exp(-(part**2) / (2 * sigma)) if sigma else values
        values = values.masked_fill(part > iou_threshold, -torch.inf)
        values[place] = -torch.inf
    return torch.tensor(kept, dtype=torch.long), torch.stack(found) if found else values[:0]


def non_max_suppression_with_scores(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: float = 0.5,
    score_threshold: float = float("-inf"), soft_nms_sigma: float = 0.0, name: Any = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return places and scores of the best boxes, whose neighbours have lower scores."""
    whole = 1.0 if soft_nms_sigma else iou_threshold
    places, found = suppressed(boxes, scores, max_output_size, whole, score_threshold,
                               soft_nms_sigma)  # fmt: skip
    return places.to(torch.int32), found


class Suppressed(NamedTuple):
    """The best boxes of each picture, of all classes together, with zeros behind."""

    nmsed_boxes: Tensor
    nmsed_scores: Tensor
    nmsed_classes: Tensor
    valid_detections: Tensor


def combined_non_max_suppression(
    boxes: Any, scores: Any, max_output_size_per_class: Any, max_total_size: Any,
    iou_threshold: float = 0.5, score_threshold: float = float("-inf"),
    pad_per_class: bool = False, clip_boxes: bool = True, name: Any = None,
) -> Suppressed:  # fmt: skip
    """Return the best boxes of each picture: each class on its own, then the best of all.

    Boxes are (pictures, boxes, classes or 1, 4), scores (pictures, boxes, classes).
    """
    corners, values, most = floating(boxes), floating(scores), int(max_total_size)
    out = Suppressed(torch.zeros(len(values), most, 4), torch.zeros(len(values), most),
                     torch.zeros(len(values), most),
                     torch.zeros(len(values), dtype=torch.int32))  # fmt: skip
    for number, (several, given) in enumerate(zip(corners, values, strict=True)):
        parts = []
        for label in range(given.size(1)):
            own = several[:, min(label, several.size(1) - 1)]
            places, found = suppressed(own, given[:, label], max_output_size_per_class,
                                       iou_threshold, score_threshold)  # fmt: skip
            parts.append((own[places], found, torch.full((len(found),), float(label))))
        joined = [torch.cat(one) for one in zip(*parts, strict=True)]
        order = joined[1].argsort(descending=True, stable=True)[:most]
        chosen = joined[0][order].clamp(0, 1) if clip_boxes else joined[0][order]
        out.nmsed_boxes[number, : len(order)] = chosen
        out.nmsed_scores[number, : len(order)] = joined[1][order]
        out.nmsed_classes[number, : len(order)] = joined[2][order]
        out.valid_detections[number] = len(order)
    return out


SUPPRESSIONS = {made.__name__: made for made in (
    non_max_suppression, non_max_suppression_with_scores, combined_non_max_suppression,
)}  # fmt: skip
