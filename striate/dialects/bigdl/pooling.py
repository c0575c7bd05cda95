"""Pooling of the core API, whose last window may begin inside the image and end outside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import nn

from ... import layers as native
from ...core.layer import Layer
from ...core.spec import Spec
from .kind import Words

FIRST = "channels_first"


def layout_of(words: Words, word: str = "data_format") -> str:
    """Return the native word for a layout."""
    return "channels_last" if str(words[word]).upper() == "NHWC" else FIRST


def _ceiled(words: Words, x: Spec, to_ceil: bool, layout: str) -> Any:
    """Return the cells on each side: with `to_ceil` the last window may begin inside, as Torch."""
    if -1 in (words["pad_h"], words["pad_w"]):
        return "same"
    seen = Spec(x.shape, x.dtype, layout)
    sides = []
    for size, k, d, p in zip(
        seen.spatial, (words["kh"], words["kw"]), (words["dh"], words["dw"]),
        (words["pad_h"], words["pad_w"]), strict=True,
    ):  # fmt: skip
        more = 0
        if to_ceil and size is not None:
            places = -(-(size + 2 * p - k) // d) + 1
            places -= (places - 1) * d >= size + p  # a window of padding alone is none
            more = max(0, (places - 1) * d + k - size - 2 * p)
        sides.append((p, p + more))
    return tuple(sides) if any(map(any, sides)) else "valid"


def _evenly(words: Words, x: Spec, layout: str) -> tuple[tuple[int, int], ...]:
    """Return the cells that "same" adds on each side."""
    seen, sides = Spec(x.shape, x.dtype, layout), []
    sizes = zip(seen.spatial, (words["kh"], words["kw"]), (words["dh"], words["dw"]), strict=True)
    for size, k, step in sizes:
        more = max(0, (-(-int(size or k) // step) - 1) * step + k - int(size or k))
        sides.append((more // 2, more - more // 2))
    return tuple(sides)


def max_pooling(words: Words, x: Spec) -> Sequence[Layer]:
    """Return the layers of SpatialMaxPooling."""
    layout = layout_of(words, "format")
    pads = _ceiled(words, x, words["to_ceil"], layout)
    size, strides = (words["kh"], words["kw"]), (words["dh"], words["dw"])
    if not isinstance(pads, str) and any(max(p) > k // 2 for p, k in zip(pads, size, strict=True)):
        module = nn.MaxPool2d(size, strides, (words["pad_h"], words["pad_w"]), ceil_mode=True)
        return [native.TorchModule(module, data_format=FIRST)]
    return [native.MaxPooling2D(size, strides, pads, data_format=layout)]


def average_pooling(words: Words, x: Spec) -> Sequence[Layer]:
    """Return the layers of SpatialAveragePooling."""
    layout = layout_of(words, "format")
    if words["global_pooling"]:
        return [native.GlobalAveragePooling2D(keepdims=True, data_format=layout)]
    pads = _ceiled(words, x, False, layout)
    size, strides = (words["kh"], words["kw"]), (words["dh"], words["dw"])
    made: list[Layer] = []
    if words["ceil_mode"] and pads != "same":
        made = [
            native.TorchModule(
                nn.AvgPool2d(
                    size,
                    strides,
                    (words["pad_h"], words["pad_w"]),
                    True,
                    words["count_include_pad"],
                )
            )
        ]
        return made if words["divide"] else [*made, native.Rescaling(float(math.prod(size)))]
    if words["count_include_pad"]:
        sides = _evenly(words, x, layout) if pads == "same" else pads
        if sides != "valid":
            made, pads = [native.ZeroPadding2D(sides, data_format=layout)], "valid"
    made.append(native.AveragePooling2D(size, strides, pads, data_format=layout))
    return made if words["divide"] else [*made, native.Rescaling(float(math.prod(size)))]
