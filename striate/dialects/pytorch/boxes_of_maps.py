"""Parts of detectors of torchvision.ops: losses of boxes, maps in boxes, pyramids of maps."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import Conv2dNormActivation
from .boxes import box_area, roi_align


def _compared(one: Tensor, other: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return of boxes side by side the intersection over the union, the union, and the hull."""
    low, high = torch.minimum(one, other), torch.maximum(one, other)
    both = (low[..., 2:] - high[..., :2]).clamp(min=0).prod(-1)
    union = box_area(one) + box_area(other) - both
    return both / (union + eps), union, high[..., 2:] - low[..., :2]


def _far(one: Tensor, other: Tensor, hull: Tensor, eps: float) -> Tensor:
    """Return the squared distance of the centres, in squared diagonals of the hull."""
    apart = (one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]) / 2
    return apart.square().sum(-1) / (hull.square().sum(-1) + eps)


def _slant(one: Tensor, other: Tensor, overlap: Tensor, eps: float) -> Tensor:
    """Return how far the ratios of the sides differ; it counts more where boxes overlap more."""
    first, second = (torch.atan((b[..., 2] - b[..., 0]) / (b[..., 3] - b[..., 1] + eps))
                     for b in (one, other))  # fmt: skip
    ratio = 4 / math.pi**2 * (first - second).square()
    with torch.no_grad():
        weight = ratio / (1 - overlap + ratio + eps)
    return weight * ratio


def generalized(one: Tensor, other: Tensor, eps: float) -> Tensor:
    """Return the overlap, less the part of the hull that neither box covers."""
    overlap, union, hull = _compared(one, other, eps)
    area = hull.prod(-1)
    return overlap - (area - union) / (area + eps)


def distant(one: Tensor, other: Tensor, eps: float) -> Tensor:
    """Return the overlap, less the distance of the centres. Source: Zheng et al., 2019."""
    overlap, _, hull = _compared(one, other, eps)
    return overlap - _far(one, other, hull, eps)


def complete(one: Tensor, other: Tensor, eps: float) -> Tensor:
    """Return the overlap, less the distance of the centres and that of the ratios of the sides."""
    overlap, _, hull = _compared(one, other, eps)
    return overlap - _far(one, other, hull, eps) - _slant(one, other, overlap, eps)


Compare = Callable[[Tensor, Tensor, float], Tensor]


def _pairwise(compare: Compare) -> Callable[..., Tensor]:
    def pairs(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
        """Return what each pair of boxes is worth, (N, M)."""
        shape = len(boxes1), len(boxes2), 4
        return compare(boxes1[:, None].expand(shape), boxes2.expand(shape), eps)

    return pairs


def _loss(compare: Compare) -> Callable[..., Tensor]:
    def loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
        """Return 1 less what boxes side by side are worth."""
        each = 1 - compare(boxes1, boxes2, eps)
        return {"mean": each.mean, "sum": each.sum}.get(reduction, lambda: each)()

    return loss


def roi_pool(input: Tensor, boxes: Any, output_size: Any, spatial_scale: float = 1.0) -> Tensor:
    """Return the part of a map (N, C, H, W) in each box, as the largest of whole places."""
    if isinstance(boxes, (list, tuple)):
        boxes = torch.cat([F.pad(one, (1, 0), value=at) for at, one in enumerate(boxes)])
    high, wide = (output_size,) * 2 if isinstance(output_size, int) else output_size
    parts = []
    for number, *box in boxes.tolist():
        x1, y1, x2, y2 = (round(side * spatial_scale) for side in box)
        rows, columns = (_bins(*ends, count, size) for ends, count, size in (
            ((y1, y2), high, input.shape[2]), ((x1, x2), wide, input.shape[3])))  # fmt: skip
        cells = [[_largest(input[int(number)][:, r, c]) for c in columns] for r in rows]
        parts.append(torch.stack([torch.stack(line, -1) for line in cells], -2))
    return torch.stack(parts) if parts else input.new_zeros((0, input.shape[1], high, wide))


def _bins(begin: int, end: int, count: int, size: int) -> list[slice]:
    each = max(end - begin + 1, 1) / count
    places = [(math.floor(at * each), math.ceil((at + 1) * each)) for at in range(count)]
    return [slice(*(min(max(one + begin, 0), size) for one in pair)) for pair in places]


def _largest(part: Tensor) -> Tensor:
    return part.amax((1, 2)) if part.numel() else part.new_zeros(len(part))


class RoIAlign(nn.Module):
    """`roi_align` as a module."""

    def __init__(self, output_size: Any, spatial_scale: float, sampling_ratio: int = -1,
                 aligned: bool = False) -> None:  # fmt: skip
        super().__init__()
        self.given = output_size, spatial_scale, sampling_ratio, aligned

    def forward(self, input: Tensor, rois: Any) -> Tensor:
        """Return the parts of the map."""
        return roi_align(input, rois, *self.given)


class RoIPool(nn.Module):
    """`roi_pool` as a module."""

    def __init__(self, output_size: Any, spatial_scale: float) -> None:
        super().__init__()
        self.given = output_size, spatial_scale

    def forward(self, input: Tensor, rois: Any) -> Tensor:
        """Return the parts of the map."""
        return roi_pool(input, rois, *self.given)


class MultiScaleRoIAlign(nn.Module):
    """`roi_align` on the map of a pyramid that fits the size of each box.

    Source: Lin et al., Feature pyramid networks, 2016.
    """

    def __init__(self, featmap_names: Sequence[str], output_size: Any, sampling_ratio: int, *,
                 canonical_scale: int = 224, canonical_level: int = 4) -> None:  # fmt: skip
        super().__init__()
        self.featmap_names, self.sampling_ratio = featmap_names, sampling_ratio
        self.output_size = (output_size,) * 2 if isinstance(output_size, int) else output_size
        self.canonical = canonical_scale, canonical_level

    def forward(
        self, x: Mapping[str, Tensor], boxes: Sequence[Tensor], image_shapes: Sequence[Any]
    ) -> Tensor:
        """Return the parts (boxes, C, height, width) of the maps."""
        maps = [x[name] for name in self.featmap_names if name in x]
        tall = max(shape[0] for shape in image_shapes)
        scales = [2.0 ** round(math.log2(one.shape[-2] / tall)) for one in maps]
        numbered = torch.cat([F.pad(one, (1, 0), value=at) for at, one in enumerate(boxes)])
        first, last = (-round(math.log2(scales[at])) for at in (0, -1))
        size, level = self.canonical
        wanted = torch.floor(level + torch.log2(box_area(numbered[:, 1:]).sqrt() / size) + 1e-6)
        levels = wanted.clamp(first, last).long() - first
        out = maps[0].new_zeros((len(numbered), maps[0].shape[1], *self.output_size))
        for at, (one, scale) in enumerate(zip(maps, scales, strict=True)):
            mine = torch.where(levels == at)[0]
            part = roi_align(one, numbered[mine], self.output_size, scale, self.sampling_ratio)
            out = out.index_put((mine,), part)
        return out


class LastLevelMaxPool(nn.Module):
    """One more map of a pyramid, of half the size."""

    def forward(
        self, x: list[Tensor], y: list[Tensor], names: list[str]
    ) -> tuple[list[Tensor], list[str]]:
        """Return the maps with the new one, and their names."""
        return [*x, F.max_pool2d(x[-1], 1, 2, 0)], [*names, "pool"]


class FeaturePyramidNetwork(nn.Module):
    """Maps of several sizes with the same channels: each has what the smaller ones see.

    Source: Lin et al., Feature pyramid networks, 2016.
    """

    def __init__(self, in_channels_list: Sequence[int], out_channels: int,
                 extra_blocks: Any = None, norm_layer: Any = None) -> None:  # fmt: skip
        super().__init__()
        words = {"norm_layer": norm_layer, "activation_layer": None}
        self.inner_blocks = nn.ModuleList(
            Conv2dNormActivation(width, out_channels, 1, padding=0, **words)
            for width in in_channels_list
        )
        self.layer_blocks = nn.ModuleList(
            Conv2dNormActivation(out_channels, out_channels, 3, **words) for _ in in_channels_list
        )
        self.extra_blocks = extra_blocks
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_uniform_(part.weight, a=1)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)

    def forward(self, x: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
        """Return the maps under the same names, the largest first."""
        names, maps = list(x), list(x.values())
        inner, out = None, list[Tensor]()
        for at in reversed(range(len(maps))):
            mine = self.inner_blocks[at](maps[at])
            if inner is not None:
                mine = mine + F.interpolate(inner, size=mine.shape[-2:], mode="nearest")
            inner = mine
            out.insert(0, self.layer_blocks[at](inner))
        if self.extra_blocks is not None:
            out, names = self.extra_blocks(out, maps, names)
        return OrderedDict(zip(names, out, strict=True))


NAMES: dict[str, Any] = {
    "distance_box_iou": _pairwise(distant), "complete_box_iou": _pairwise(complete),
    "generalized_box_iou_loss": _loss(generalized), "distance_box_iou_loss": _loss(distant),
    "complete_box_iou_loss": _loss(complete), "roi_pool": roi_pool,
    **{one.__name__: one for one in (RoIAlign, RoIPool, MultiScaleRoIAlign, FeaturePyramidNetwork)},
}  # fmt: skip
