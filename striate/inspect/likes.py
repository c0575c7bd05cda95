"""What a channel likes: the places in the data that excite it most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.symbol import Node
from ..errors import ShapeError
from ..layers.wrap import inference
from .asked import about_model
from .drawing import Drawable, tiles
from .field import node_of, receptive_field
from .maps import as_batch, walk

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BATCH = 128
Box = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Liked:
    """One place that excites a channel.

    Fields: `sample`, the number of the sample in the data; `unit`, the position in the layer's
    output; `value`; `box`, (first, last + 1) on each spatial axis of the input that the unit sees
    (None: not known); `patch`, the sample inside the box, its channels last; `label`, if given.
    """

    sample: int
    unit: tuple[int, ...]
    value: float
    box: Box | None
    patch: NDArray[Any]
    label: str = ""


@dataclass(frozen=True)
class Likes(Drawable):
    """The places, each in another sample, that excite a channel of a layer most, the first most."""

    layer: str
    channel: int
    found: tuple[Liked, ...]

    def draw(self, figure: Figure) -> None:
        """Draw the patches."""
        figure.suptitle(f"{self.layer}, channel {self.channel}")
        for one, axes in zip(self.found, tiles(figure, len(self.found), 1.1), strict=True):
            patch = one.patch if one.patch.shape[-1] == 3 else one.patch.mean(-1)
            axes.imshow(patch / max(float(np.max(one.patch)), 1e-12), cmap="gray")
            axes.set_title(f"{one.label} {one.value:.2g}".strip(), fontsize=7)


@about_model
def likes(
    model: Any,
    x: Any,
    layer: str,
    channel: int,
    count: int = 9,
    labels: Sequence[Any] | None = None,
) -> Likes:
    """Return the places in samples `x` where a channel of a layer is largest, one in each sample.

    Raises: ConfigError if the model has no such layer, ShapeError if the layer has no such channel.
    """
    node = node_of(model, layer)
    spec = node.outputs[0].spec
    if not 0 <= channel < (spec.channels or 0):
        raise ShapeError(
            node.layer.where,
            f"has no channel {channel}",
            got=f"output {spec}",
            need=f"0 to {(spec.channels or 1) - 1}",
        )
    values, places = _largest(model, node, x, channel)
    best = np.argsort(-values, kind="stable")[:count]
    found = []
    for sample in best.tolist():
        at = tuple(places[sample].tolist())
        unit = tuple(int(i) for i in spec.axes(at, channel))  # type: ignore[call-overload]
        box, patch = _patch(model, node, unit, np.asarray(x[sample]))
        label = "" if labels is None else str(labels[sample])
        found.append(Liked(sample, unit, float(values[sample]), box, patch, label))
    return Likes(layer, channel, tuple(found))


def _largest(model: Any, node: Node, x: Any, channel: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return, for each sample, the largest value of a channel and its place on the map."""
    values, places = [], []
    spec = node.outputs[0].spec

    def see(one: Node, out: tuple[torch.Tensor, ...]) -> None:
        if one is node:
            maps = out[0].movedim(spec.channel_axis, -1)[..., channel]
            found = maps.reshape(len(maps), -1).max(1)
            values.append(found.values.cpu().numpy())
            at = found.indices.cpu().numpy()
            places.append(np.stack(np.unravel_index(at, maps.shape[1:]), 1) if maps.dim() > 1
                          else np.empty((len(maps), 0), np.int64))  # fmt: skip
            raise _EnoughError

    with inference(model), torch.no_grad():
        for start in range(0, max(len(x), 1), BATCH):  # as_batch refuses an empty one
            try:
                walk(model.graph, [as_batch(model, x[start : start + BATCH])], see)
            except _EnoughError:
                continue
    return np.concatenate(values), np.concatenate(places)


class _EnoughError(Exception):
    """The layer has been computed; those behind it need not be."""


def _patch(
    model: Any, node: Node, unit: tuple[int, ...], sample: NDArray[Any]
) -> tuple[Box | None, NDArray[Any]]:
    spec = model.graph.inputs[0].spec
    image = np.moveaxis(sample, 0, -1) if spec.data_format == "channels_first" else sample
    known = None not in (spec.numel, node.outputs[0].spec.numel)
    box = receptive_field(model, node.layer, unit).boxes[0] if known else None
    if box is None or image.ndim < 2:
        return None, image
    sides = box[:-1] if spec.data_format == "channels_last" else box[1:]
    return tuple((side.start, side.stop) for side in sides), image[sides]
