"""Boxes of torchvision.ops: corners (x1, y1, x2, y2) unless a format says otherwise."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

FORMATS = ("xyxy", "xywh", "cxcywh")


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Return boxes (..., 4) of one format in another: corners, corner and size, centre and size."""
    for word in (in_fmt, out_fmt):
        if word not in FORMATS:
            raise ValueError(f"box_convert: {word!r} is not a format; there are {FORMATS}")
    first, second = boxes[..., :2], boxes[..., 2:]
    low = first - second / 2 if in_fmt == "cxcywh" else first
    size = second - first if in_fmt == "xyxy" else second
    ends = {"xyxy": (low, low + size), "xywh": (low, size), "cxcywh": (low + size / 2, size)}
    return torch.cat(ends[out_fmt], dim=-1)


def box_area(boxes: Tensor) -> Tensor:
    """Return the areas of boxes (N, 4)."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _pairs(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return for each pair of boxes the area of both together, of their union and their hull."""
    first, second = one[:, None], other[None]
    inner = torch.minimum(first[..., 2:], second[..., 2:]) - torch.maximum(
        first[..., :2], second[..., :2]
    )
    outer = torch.maximum(first[..., 2:], second[..., 2:]) - torch.minimum(
        first[..., :2], second[..., :2]
    )
    both = inner.clamp(min=0).prod(-1)
    union = box_area(one)[:, None] + box_area(other)[None] - both
    return both, union, outer.clamp(min=0).prod(-1)


def box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Return the intersection over the union of each pair of boxes, (N, M)."""
    both, union, _ = _pairs(boxes1, boxes2)
    return both / union


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Return the intersection over the union, less the part of the hull that neither box covers."""
    both, union, hull = _pairs(boxes1, boxes2)
    return both / union - (hull - union) / hull


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Return which boxes are left, best first: none overlaps a better one by more than that."""
    order = scores.argsort(descending=True, stable=True)
    overlaps = box_iou(boxes[order], boxes[order]) > iou_threshold
    kept = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    for place in range(len(order)):
        if kept[place]:
            kept[place + 1 :] &= ~overlaps[place, place + 1 :]
    return order[kept]


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """Return which boxes are left where only those of one class (`idxs`) are compared."""
    if not len(boxes):
        return boxes.new_zeros(0, dtype=torch.int64)
    apart = idxs.to(boxes) * (boxes.max() - boxes.min().clamp(max=0) + 1)
    return nms(boxes + apart[:, None], scores, iou_threshold)


def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes within an image of this (height, width)."""
    height, width = size
    return torch.minimum(boxes.clamp(min=0), boxes.new_tensor([width, height, width, height]))


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """Return which boxes have both sides of at least that."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return torch.where((sides >= min_size).all(1))[0]


def masks_to_boxes(masks: Tensor) -> Tensor:
    """Return the box around each mask (N, H, W)."""
    boxes = masks.new_zeros((len(masks), 4), dtype=torch.float32)
    for place, mask in enumerate(masks):
        rows, columns = torch.where(mask)
        boxes[place] = torch.stack([columns.min(), rows.min(), columns.max(), rows.max()])
    return boxes


def roi_align(
    input: Tensor,
    boxes: Any,
    output_size: Any,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Return the part of a map (N, C, H, W) in each box, as means of interpolated points."""
    if isinstance(boxes, (list, tuple)):
        numbers = [
            torch.cat([one.new_full((len(one), 1), place), one], 1)
            for place, one in enumerate(boxes)
        ]
        boxes = torch.cat(numbers)
    high, wide = (output_size,) * 2 if isinstance(output_size, int) else output_size
    size = (*input.shape[2:],)
    parts = []
    for number, *box in boxes.tolist():
        x1, y1, x2, y2 = (side * spatial_scale - (0.5 if aligned else 0) for side in box)
        height, width = y2 - y1, x2 - x1
        if not aligned:
            height, width = max(height, 1.0), max(width, 1.0)
        rows = _points(y1, height, high, sampling_ratio, size[0], input)
        columns = _points(x1, width, wide, sampling_ratio, size[1], input)
        values = torch.einsum("pr,crs,qs->cpq", rows, input[int(number)], columns)
        parts.append(values)
    return torch.stack(parts) if parts else input.new_zeros((0, input.shape[1], high, wide))


def _points(begin: float, length: float, bins: int, ratio: int, size: int, like: Tensor) -> Tensor:
    """Return how much each place of an axis counts in each bin: (bins, size)."""
    each = ratio if ratio > 0 else max(1, int(-(-length // bins)))
    steps = torch.arange(bins * each, dtype=like.dtype, device=like.device)
    at = begin + (steps + 0.5) * length / (bins * each)
    inside = (at >= -1) & (at <= size)
    at = at.clamp(0, size - 1)
    low = at.floor().long()
    part = at - low
    weights = F.one_hot(low, size) * (1 - part)[:, None]
    weights = weights + F.one_hot((low + 1).clamp(max=size - 1), size) * part[:, None]
    return (weights * inside[:, None]).reshape(bins, each, size).mean(1)


def sigmoid_focal_loss(
    inputs: Tensor,
    targets: Tensor,
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
) -> Tensor:
    """Return the cross-entropy of logits, less of it where they are right already."""
    likely = inputs.sigmoid()
    right = likely * targets + (1 - likely) * (1 - targets)
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    loss = loss * (1 - right) ** gamma
    if alpha >= 0:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return {"mean": loss.mean, "sum": loss.sum}.get(reduction, lambda: loss)()


FUNCTIONS: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(box_convert, box_area, box_iou, generalized_box_iou, nms, batched_nms, roi_align),
        *(clip_boxes_to_image, remove_small_boxes, masks_to_boxes, sigmoid_focal_loss),
    )
}
