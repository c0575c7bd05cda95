"""Trace: what every layer makes of one input, small enough to be drawn at each stroke of a pen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.graph import Graph
from ..core.spec import Spec
from ..inspect.maps import activations
from .grid import pictured

PAGE = 64  # maps of a layer that are shown at once
UNITS = 1024  # of a layer whose units are no maps
SIDE = 64  # pixels of a map on the page; larger ones are averaged
LEVELS, LOST = 127, -128  # of a value between the peaks, and of what is no number


def as_maps(value: Tensor, spec: Spec) -> NDArray[Any]:
    """Return the values of one sample as (channels, height, width)."""
    array: NDArray[Any] = value.detach().cpu().float().numpy()
    if array.ndim == 0:
        return array.reshape(1, 1, 1)
    if array.ndim == 1:
        return array[:, None, None]
    if spec.data_format == "channels_last":
        array = np.ascontiguousarray(np.moveaxis(array, -1, 0))
    return array.reshape(array.shape[0], -1, array.shape[-1])


def trace(model: Any, x: NDArray[Any], pages: Mapping[int, int], by_activity: bool) -> bytes:
    """Return the maps of every call for one sample: a JSON head and a byte for each value.

    `pages` says which page of 64 maps is shown of a column that has more; `by_activity` sorts maps
    by their mean absolute value. A byte b stands for b / 127 * peak, -128 for what is no number.
    The head has, for each column, the numbers of its maps, their range, and how many values are
    `lost`: no numbers.
    """
    graph: Graph = model.graph
    values = activations(model, x)
    heads: list[dict[str, Any]] = []
    body = bytearray()
    shown = [(symbol, pictured(symbol.spec)) for symbol in graph.inputs]
    shown += [(node.outputs[0], node.outputs[0].spec) for node in graph.nodes]
    for column, (symbol, spec) in enumerate(shown):
        maps = as_maps(values[id(symbol)][0], spec)
        head, data = _column(maps, pages.get(column, 0), by_activity)
        heads.append({**head, "offset": len(body)})
        body += data
    text = json.dumps({"columns": heads}).encode()
    text += b" " * (-len(text) % 4)
    return len(text).to_bytes(4, "little") + text + bytes(body)


def _column(maps: NDArray[Any], page: int, by_activity: bool) -> tuple[dict[str, Any], bytes]:
    """Return one column's head and its levels; NumPy, whose calls cost least on small maps."""
    lost = ~np.isfinite(maps)
    many = int(lost.sum())
    numbers = np.where(lost, 0, maps) if many else maps
    sizes = np.abs(numbers)
    activity = sizes.mean((1, 2))
    order = np.argsort(-activity, kind="stable") if by_activity else np.arange(len(maps))
    height, width = maps.shape[1:]
    page_size = PAGE if height * width > 1 else UNITS
    shown = order[page * page_size : (page + 1) * page_size]
    picked = _small(numbers[shown])
    peak = float(sizes.max()) or 1.0
    levels = np.rint(picked * (LEVELS / peak)).clip(-LEVELS, LEVELS).astype(np.int8)
    if many:
        levels[_small(lost[shown].astype(np.float32)) > 0] = LOST
    head = {
        "channels": shown.tolist(),
        "height": picked.shape[1],
        "width": picked.shape[2],
        "full": [len(maps), height, width],
        "peak": peak,
        "least": float(numbers.min()),
        "most": float(numbers.max()),
        "mean": float(numbers.mean()),
        "lost": many,
        "page": page_size,
        "silent": [] if many else np.flatnonzero(activity[shown] == 0).tolist(),
    }
    return head, levels.tobytes()


def _small(maps: NDArray[Any]) -> NDArray[Any]:
    """Return maps whose sides are at most 64, larger ones averaged."""
    height, width = maps.shape[1:]
    if max(height, width) <= SIDE:
        return maps
    size = (min(height, SIDE), min(width, SIDE))
    small: NDArray[Any] = torch.nn.functional.adaptive_avg_pool2d(
        torch.from_numpy(maps), size
    ).numpy()
    return small
