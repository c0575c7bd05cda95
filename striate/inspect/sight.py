"""The receptive field in closed form: its size and step, by folding windows over the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.graph import Graph
from ..core.spec import Spec
from ..core.symbol import Node
from ..core.window import EVERYTHING, MOVES, POINTWISE, ROWS, Field, Geometry, Gone, Mix, Window
from .field import inner

Sight = tuple[Field, ...] | str  # one field per spatial axis, or "all", or "?"
ALL, UNSEEN = "all", "?"
STATED = (EVERYTHING, POINTWISE, ROWS)


def sights(graph: Graph, given: Sequence[Sight] | None = None) -> dict[int, Sight]:
    """Return the closed form of the field of every symbol of the graph, by id.

    It is counted on the spatial axes of the inputs and ignores borders, as papers do.
    """
    if given is None:
        given = [(Field(),) * len(symbol.spec.spatial) for symbol in graph.inputs]
    found: dict[int, Sight] = {
        id(symbol): sight for symbol, sight in zip(graph.inputs, given, strict=True)
    }

    def call(node: Node, values: list[Sight]) -> Any:
        out = _step(node, values)
        for symbol, sight in zip(node.outputs, out, strict=True):
            found[id(symbol)] = sight
        return out if len(out) > 1 else out[0]

    graph.run(given, call)
    return found


def _step(node: Node, values: Sequence[Sight]) -> list[Sight]:
    graph = inner(node.layer)
    if graph is not None:
        inside = sights(graph, values)
        return [inside[id(symbol)] for symbol in graph.outputs]
    specs = [symbol.spec for symbol in node.inputs]
    geometry = node.layer.windows(*specs)
    sees = [_after(geometry, spec, one) for spec, one in zip(specs, values, strict=True)]
    if geometry is MOVES:
        sees = [_kept(spec, node, one) for spec, one in zip(specs, values, strict=True)]
    return [_joined(sees)] * len(node.outputs)


def _after(geometry: Geometry, x: Spec, sight: Sight) -> Sight:
    if sight == UNSEEN or not (geometry in STATED or isinstance(geometry, tuple)):
        return UNSEEN
    if isinstance(sight, str) or geometry is POINTWISE:
        return sight
    if geometry is ROWS:  # what was the axis of channels is one of places now
        return (*sight, Field()) if x.data_format == "channels_last" else UNSEEN
    if geometry is EVERYTHING:
        return ALL
    assert isinstance(geometry, tuple)
    axes = geometry[:-1] if x.data_format == "channels_last" else geometry[1:]
    if len(axes) != len(sight) or not axes:
        return ALL if not axes else UNSEEN
    if all(isinstance(axis, (Gone, Mix)) for axis in axes):
        return ALL
    if not all(isinstance(axis, Window) for axis in axes):
        return UNSEEN
    return tuple(
        field.then(axis)
        for field, axis in zip(sight, axes, strict=True)
        if isinstance(axis, Window)
    )


def _kept(x: Spec, node: Node, sight: Sight) -> Sight:
    """The field of a layer that moves values: as it was, if maps stay maps of the same size."""
    if isinstance(sight, tuple):
        y = node.outputs[0].spec
        return sight if y.spatial == x.spatial and len(x.shape) > 1 else UNSEEN
    return sight


def _joined(sees: Sequence[Sight]) -> Sight:
    if UNSEEN in sees or not sees:
        return UNSEEN
    if ALL in sees:
        return ALL
    first, *rest = [sight for sight in sees if not isinstance(sight, str)]
    for other in rest:
        pairs = [a.join(b) for a, b in zip(first, other, strict=False)]
        joined = tuple(pair for pair in pairs if pair is not None)
        if not len(joined) == len(first) == len(other):
            return UNSEEN
        first = joined
    return first
