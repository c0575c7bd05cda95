"""Nearest neighbours: the samples that the network holds for most alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.graph import Graph
from ..core.symbol import Node, Symbol
from ..errors import ConfigError
from ..layers.wrap import inference
from .asked import about_model
from .drawing import Drawable, tiles
from .maps import as_batch, sample, walk

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BATCH = 128


@dataclass(frozen=True)
class Nearest(Drawable):
    """The samples nearest to one, by the angle between their features.

    Fields: `layer`, whose output the features are; `samples`, numbers in the data, nearest first;
    `similarities`, the cosines of the angles; `images`, the samples.
    """

    layer: str
    samples: tuple[int, ...]
    similarities: tuple[float, ...]
    images: NDArray[Any]

    def draw(self, figure: Figure) -> None:
        """Draw the samples."""
        for image, likeness, axes in zip(
            self.images, self.similarities, tiles(figure, len(self.images), 1.1), strict=True
        ):
            shown = image if image.shape[-1] == 3 else image.mean(-1)
            axes.imshow(shown / max(float(np.max(image)), 1e-12), cmap="gray")
            axes.set_title(f"{likeness:.3f}", fontsize=7)


@about_model
def nearest(
    model: Any, data: Any, x: Any, count: int = 3, known: NDArray[np.float32] | None = None
) -> Nearest:
    """Return the samples of `data` that the network sees most like the sample `x`.

    `known` are the `features` of the data, where many are asked about.
    """
    name = features_layer(model)
    there = features(model, data) if known is None else known
    here = _features(model, sample(model, model.graph.inputs[0].spec, x))[0]
    lengths = np.linalg.norm(there, axis=1) * np.linalg.norm(here)
    cosines = there @ here / np.maximum(lengths, 1e-12)
    best = np.argsort(-cosines, kind="stable")[:count]
    images = np.asarray(data)[best]
    if model.graph.inputs[0].spec.data_format == "channels_first" and images.ndim > 2:
        images = np.moveaxis(images, 1, -1)
    return Nearest(name, tuple(best.tolist()), tuple(cosines[best].tolist()), images)


@about_model
def features(model: Any, data: Any) -> NDArray[np.float32]:
    """Return what the last layer with weights reads, as a row for each sample."""
    rows = [
        _features(model, as_batch(model, data[start : start + BATCH]))
        for start in range(0, max(len(data), 1), BATCH)  # as_batch refuses an empty one
    ]
    return np.concatenate(rows)


def features_layer(model: Any) -> str:
    """Return the name of the layer whose output the features are ("input" if it is none)."""
    symbol = _symbol(model)
    return symbol.node.layer.name if symbol.node else "input"


def _symbol(model: Any) -> Symbol:
    graph: Graph = model.graph
    for node in reversed(graph.nodes):
        if node.layer.weights and node.outputs[0].spec.shape == graph.outputs[0].spec.shape:
            found: Symbol = node.inputs[0]
            return found
    raise ConfigError(
        model.where, "has no features", need="a layer with weights that gives the classes"
    )


def _features(model: Any, batch: torch.Tensor) -> NDArray[np.float32]:
    symbol, kept = _symbol(model), [batch]

    def see(node: Node, out: tuple[torch.Tensor, ...]) -> None:
        if node is symbol.node:
            kept[0] = out[symbol.index]

    with inference(model), torch.no_grad():
        walk(model.graph, [batch], see)
    rows: NDArray[np.float32] = kept[0].flatten(1).float().cpu().numpy()
    return rows
