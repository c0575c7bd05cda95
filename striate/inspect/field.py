"""Which inputs a unit of a network sees: exactly, as sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.graph import Graph
from ..core.layer import Layer
from ..core.spec import Spec, show
from ..core.symbol import Node, Symbol
from ..core.window import EVERYTHING, MOVES, POINTWISE, ROWS, Geometry, Gone, Window
from ..errors import ConfigError, ShapeError, nearest
from .asked import about_model

Mask = NDArray[np.bool_]
Known = Mask | None  # None: some layer on the way does not state its geometry


@dataclass(frozen=True)
class FieldSet:
    """The inputs that one unit sees.

    Fields: `layer` and `unit` (its position in the layer's output, without the batch) say which
    unit; `masks` has, for each input of the model, True at the values that the unit sees, in the
    shape of a sample; None where that is not known. `between` has the same for the outputs of the
    layers on the way, by their names, nearest to the input first.
    """

    layer: str
    unit: tuple[int, ...]
    masks: tuple[Known, ...]
    between: tuple[tuple[str, Known], ...] = ()

    @property
    def boxes(self) -> tuple[tuple[slice, ...] | None, ...]:
        """The smallest box around what is seen, for each input; None if unknown or nothing is."""
        return tuple(_box(mask) for mask in self.masks)

    @property
    def counts(self) -> tuple[int | None, ...]:
        """The number of values seen, for each input; None if unknown."""
        return tuple(None if mask is None else int(mask.sum()) for mask in self.masks)

    def as_json(self) -> dict[str, Any]:
        """Return, for each input and each map between, shape, box, and places if it has gaps."""
        return {
            "layer": self.layer,
            "unit": list(self.unit),
            "inputs": [_told(mask) for mask in self.masks],
            "between": {name: _told(mask) for name, mask in self.between},
        }

    def __str__(self) -> str:
        lines = [f"{self.layer}, unit {show(self.unit)}:"]
        for mask, box, count in zip(self.masks, self.boxes, self.counts, strict=True):
            if mask is None or box is None:
                lines.append("  not known" if mask is None else "  sees no input")
                continue
            spans = ", ".join(f"{side.start}..{side.stop - 1}" for side in box)
            lines.append(f"  sees {count:,} of {mask.size:,} inputs, within ({spans})")
        return "\n".join(lines)


@about_model
def receptive_field(model: Any, layer: str | Layer, unit: Sequence[int] | None = None) -> FieldSet:
    """Return exactly which inputs a unit of a layer sees.

    `unit` is a position in the layer's output, without the batch; None means the one in the middle.
    Borders, groups, branches and layers that move values are followed value by value. A layer of a
    model inside the model is called "outer/inner".

    Raises: ConfigError if the model has no such layer, ShapeError if the layer has no such unit.
    """
    path = path_of(model, layer)
    node = path[-1]
    spec = node.outputs[0].spec
    if None in spec.shape or any(symbol.spec.numel is None for symbol in model.graph.inputs):
        raise ShapeError(
            node.layer.where,
            "an exact receptive field needs known sizes",
            got=f"output {spec}",
            need="an input shape without None",
        )
    place = unit_of(node.layer, spec, unit)
    mask = _nothing(node.outputs[0])
    mask[place] = True
    found: dict[int, Known] = {id(node.outputs[0]): mask}
    seen: dict[str, Known] = {}
    graphs = [model.graph, *(one.layer.graph for one in path[:-1])]
    for depth in range(len(path) - 1, -1, -1):
        graph = graphs[depth]
        at = every(graph, found, path[depth].order)
        before = [n for n in graph.nodes if n.order < path[depth].order and _seen_of(n, at)]
        prefix = "".join(f"{one.layer.name}/" for one in path[:depth])
        names = {f"{prefix}{n.layer.name}": at[id(n.outputs[0])] for n in before}
        seen = {**names, **seen}
        masks = tuple(at.get(id(symbol), _nothing(symbol)) for symbol in graph.inputs)
        if depth:
            outer = path[depth - 1].inputs
            found = {}
            for symbol, mask_ in zip(outer, masks, strict=True):
                found[id(symbol)] = _either(found.get(id(symbol), _nothing(symbol)), mask_)
    return FieldSet("/".join(one.layer.name for one in path), place, masks, tuple(seen.items()))


def unit_of(layer: Layer, spec: Spec, unit: Sequence[int] | None) -> tuple[int, ...]:
    """Return a position in a layer's output, the middle if None, or raise ShapeError."""
    given = (unit,) if isinstance(unit, (int, np.integer)) else unit
    place = tuple(size // 2 for size in _sizes(spec)) if given is None else tuple(given)
    inside = len(place) == len(spec.shape) and all(
        isinstance(at, (int, np.integer)) and 0 <= at < (size or 0)
        for at, size in zip(place, spec.shape, strict=True)
    )
    if not inside:
        raise ShapeError(
            layer.where,
            "has no such unit",
            got=f"unit {show(place)}",
            need=f"a position in the output {spec}",
        )
    return place


def node_of(model: Any, layer: str | Layer) -> Node:
    """Return the last call of a layer in the model's graph, or raise ConfigError."""
    return path_of(model, layer)[-1]


def path_of(model: Any, layer: str | Layer) -> tuple[Node, ...]:
    """Return the call of a layer, after those of the models that it is in, outermost first.

    A layer is given by itself or by its name; in a model inside the model, by "outer/inner".
    """
    known = paths(model.graph)
    if not isinstance(layer, (str, Layer)):
        raise ConfigError(
            model.where,
            "a layer is asked for by its name, or by itself",
            got=type(layer).__name__,
            need="one of " + ", ".join(known),
        )
    for name, path in reversed(known.items()):
        if layer == name or layer is path[-1].layer:
            return path
    name = layer if isinstance(layer, str) else layer.name
    raise ConfigError(
        model.where,
        f"has no layer {name!r}",
        need="one of " + ", ".join(known),
        fix=nearest(name, known),
    )


def paths(graph: Graph, before: tuple[Node, ...] = ()) -> dict[str, tuple[Node, ...]]:
    """Return the last call of every layer by name, those of models inside the model after it."""
    found: dict[str, tuple[Node, ...]] = {}
    prefix = "".join(f"{node.layer.name}/" for node in before)
    for node in graph.nodes:
        name = prefix + graph.names[node.layer]
        found.pop(name, None)
        found[name] = (*before, node)
        inside = inner(node.layer)
        if inside is not None:
            found |= paths(inside, found[name])
    return found


def inner(layer: Layer) -> Graph | None:
    """Return the graph of a layer that is itself a model."""
    graph = getattr(layer, "graph", None)
    return graph if isinstance(graph, Graph) else None


def back(graph: Graph, marked: dict[int, Known], before: float = math.inf) -> tuple[Known, ...]:
    """Return, for each input of the graph, what the marked symbols (by id) depend on."""
    at = every(graph, marked, before)
    return tuple(at.get(id(symbol), _nothing(symbol)) for symbol in graph.inputs)


def every(graph: Graph, marked: dict[int, Known], before: float = math.inf) -> dict[int, Known]:
    """Return, for every symbol (by id) on the way, what the marked symbols depend on."""
    at = dict(marked)
    for node in reversed(graph.nodes):
        if node.order > before or not any(id(symbol) in at for symbol in node.outputs):
            continue
        outs = [at.get(id(symbol), _nothing(symbol)) for symbol in node.outputs]
        for symbol, mask in zip(node.inputs, _through(node, outs), strict=True):
            at[id(symbol)] = _either(at.get(id(symbol), _nothing(symbol)), mask)
    return at


def _seen_of(node: Node, at: dict[int, Known]) -> bool:
    """Return whether something of a call's first output is seen, or may be."""
    mask = at.get(id(node.outputs[0]), _nothing(node.outputs[0]))
    return mask is None or bool(mask.any())


def _told(mask: Known) -> dict[str, Any] | None:
    """Return a set of places: its box, and the places themselves where the box has gaps."""
    if mask is None:
        return None
    box = _box(mask)
    spans = None if box is None else [[side.start, side.stop] for side in box]
    full = box is None or bool(mask[box].all())
    places = None if full else np.flatnonzero(mask).tolist()
    told = {"shape": list(mask.shape), "box": spans, "places": places}
    return told | {"count": int(mask.sum())}


def _through(node: Node, outs: Sequence[Known]) -> list[Known]:
    """Return the masks of a call's inputs from those of its outputs."""
    specs = [symbol.spec for symbol in node.inputs]
    if any(mask is None for mask in outs):
        return [None for _ in specs]
    masks = [mask for mask in outs if mask is not None]
    if not any(mask.any() for mask in masks):
        return [_nothing(symbol) for symbol in node.inputs]
    graph = inner(node.layer)
    if graph is not None and all(
        own.spec.shape == spec.shape for own, spec in zip(graph.inputs, specs, strict=True)
    ):
        return list(_inside(graph, masks))
    geometry = node.layer.windows(*specs)
    if geometry is MOVES:
        return _moved(node.layer, specs, masks)
    return [_seen(geometry, spec, masks[0]) if len(masks) == 1 else None for spec in specs]


def _inside(graph: Graph, masks: Sequence[Mask]) -> tuple[Known, ...]:
    marked: dict[int, Known] = {}
    for symbol, mask in zip(graph.outputs, masks, strict=True):
        marked[id(symbol)] = _either(marked.get(id(symbol), _nothing(symbol)), mask)
    return back(graph, marked)


def _seen(geometry: Geometry, x: Spec, mask: Mask) -> Known:
    shape = _sizes(x)
    if geometry is EVERYTHING:
        return np.ones(shape, dtype=bool)
    if geometry is POINTWISE:
        return _unbroadcast(mask, shape)
    if geometry is ROWS:
        return np.asarray(mask.any(axis=-1))
    if not isinstance(geometry, tuple):
        return None
    for position, (axis, size) in enumerate(zip(geometry, shape, strict=True)):
        if isinstance(axis, Gone):
            mask = np.expand_dims(mask, position)
        if axis != Window():
            reach = axis.reads(size, mask.shape[position]).astype(np.float32)
            seen = np.tensordot(mask.astype(np.float32), reach, axes=(position, 0)) > 0
            mask = np.moveaxis(seen, -1, position)
    return mask


def _unbroadcast(mask: Mask, shape: tuple[int, ...]) -> Mask:
    mask = np.logical_or.reduce(mask, axis=tuple(range(mask.ndim - len(shape))))
    for position, size in enumerate(shape):
        if size == 1:
            mask = np.logical_or.reduce(mask, axis=position, keepdims=True)
    return mask


def _moved(layer: Layer, specs: Sequence[Spec], masks: Sequence[Mask]) -> list[Known]:
    """Follow a layer that only moves values: number them from 1 and see where they go."""
    ends = np.cumsum([0, *(math.prod(_sizes(spec)) for spec in specs)])
    index = [
        torch.arange(start + 1, stop + 1, dtype=torch.float64)
        .reshape(1, *_sizes(spec))
        .repeat(2, *(1 for _ in spec.shape))  # two samples: a squeeze() must not take the batch
        for spec, start, stop in zip(specs, ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]
    with torch.no_grad():
        out = layer.forward(*index)
    seen = np.zeros(int(ends[-1]) + 1, dtype=bool)
    for values, mask in zip(out if isinstance(out, tuple) else (out,), masks, strict=True):
        seen[values[0].long().numpy()[mask]] = True
    return [
        seen[start + 1 : stop + 1].reshape(_sizes(spec))
        for spec, start, stop in zip(specs, ends[:-1], ends[1:], strict=True)
    ]


def _sizes(spec: Spec) -> tuple[int, ...]:
    return tuple(size or 1 for size in spec.shape)


def _nothing(symbol: Symbol) -> Mask:
    return np.zeros(_sizes(symbol.spec), dtype=bool)


def _either(one: Known, other: Known) -> Known:
    """Return what two paths see together; what is not known on one of them is not known."""
    return None if one is None or other is None else one | other


def _box(mask: Known) -> tuple[slice, ...] | None:
    if mask is None or not mask.any():
        return None
    places = np.argwhere(mask)
    low, high = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    return tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))


def seen_by_middle(graph: Graph, node: Node) -> tuple[int, ...] | None:
    """Return the side lengths of what a call's middle unit sees; None: unknown."""
    symbol = node.outputs[0]
    if None in (symbol.spec.numel, *(one.spec.numel for one in graph.inputs)):
        return None
    mask = _nothing(symbol)
    mask[tuple(size // 2 for size in mask.shape)] = True
    sides: list[int] = []
    found = back(graph, {id(symbol): mask}, node.order)
    for one, seen in zip(graph.inputs, found, strict=True):
        if seen is None:
            return None
        box = _box(seen) or (slice(0, 0),) * seen.ndim
        spans = box[:-1] if one.spec.data_format == "channels_last" else box[1:]
        sides += [span.stop - span.start for span in spans]
    return tuple(sides)
