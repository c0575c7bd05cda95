"""One layer at length: what goes in and out, what it costs and sees, with the arithmetic."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from ..core.layer import Layer
from ..core.spec import spatial_names
from ..core.symbol import Node
from ..core.window import Geometry, Mix, Window
from .field import node_of, receptive_field
from .sight import sights
from .summary import cost, parameter_arithmetic, size_arithmetic


@dataclass(frozen=True)
class Explanation:
    """What one layer does; `str` tells it, `rows` are its statements by name."""

    layer: str
    rows: tuple[tuple[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return texts, lists and dictionaries only."""
        return {"layer": self.layer, **{key: text.splitlines() for key, text in self.rows}}

    def __str__(self) -> str:
        lines = [self.layer]
        for key, text in self.rows:
            first, *rest = text.splitlines()
            lines.append(f"  {key:<12}{first}")
            lines += [f"{'':<14}{line}" for line in rest]
        return "\n".join(lines)

    __repr__ = __str__


def explain(model: Any, layer: str | Layer) -> Explanation:
    """Return what one layer of the model does: shapes, window, weights, cost, field.

    Raises: ConfigError if the model has no such layer.
    """
    node = node_of(model, layer)
    made: Layer = node.layer
    geometry = made.windows(*(symbol.spec for symbol in node.inputs))
    rows = {
        "layer": repr(made),
        "input": "\n".join(f"{symbol.spec} from {_source(symbol)}" for symbol in node.inputs),
        "output": "\n".join(str(symbol.spec) for symbol in node.outputs),
        "size": "\n".join(size_arithmetic(node)),
        "reads": _reads(node, geometry),
        "activation": made.activation_name,
        "parameters": _parameters(made),
        "MACs": _macs(node),
        "field": _closed(model, node),
        "exact field": _exact(model, node),
    }
    if node.at:
        rows["defined at"] = node.at
    return Explanation(made.where, tuple((key, text) for key, text in rows.items() if text))


def _source(symbol: Any) -> str:
    return symbol.node.layer.where if symbol.node else symbol.name or "the input"


def _reads(node: Node, geometry: Geometry) -> str:
    """Return how the output reads each axis of the input."""
    if not isinstance(geometry, tuple):
        return geometry.value
    x = node.inputs[0].spec
    letters = x.axes(tuple(spatial_names(len(geometry) - 1)), "C")
    lines: dict[str, str] = {}
    for letter, axis in zip(letters, geometry, strict=True):
        text = _axis(axis)
        lines[text] = f"{lines[text]}, {letter}" if text in lines else str(letter)
    return "\n".join(f"{names}: {text}" for text, names in lines.items())


def _axis(axis: Any) -> str:
    if axis == Window():
        return "its own place"
    if isinstance(axis, Window):
        words = [f"window of {axis.kernel}", f"stride {axis.stride}"]
        if axis.dilation > 1:
            words.append(f"cells {axis.dilation} apart")
        if axis.up > 1:
            words.append(f"over {axis.up - 1} zeros between inputs")
        sides = f"padding {axis.low} before, {axis.high} after"
        return ", ".join([*words, sides if axis.low or axis.high else "no padding"])
    if isinstance(axis, Mix):
        return "all of them" if axis.groups == 1 else f"its own of {axis.groups} groups"
    return "all of them, to one value" if not dataclasses.fields(axis) else "a part of its own"


def _parameters(layer: Layer) -> str:
    weights = [
        f"{name} {tuple(weight.shape)}{'' if weight.requires_grad else ', not trained'}"
        for name, weight in (*layer.named_parameters(), *layer.named_buffers())
    ]
    if not weights:
        return "none"
    total = parameter_arithmetic(layer) or f"{layer.count_params():,}"
    return "\n".join([total, *weights])


def _macs(node: Node) -> str:
    number = cost(node)
    places = node.outputs[0].spec.numel
    if number is None:
        return "known when the input's size is"
    if places and number and number % places == 0:
        each = f"{number // places:,}"
        for weight in node.layer.weights:
            taps = tuple(weight.shape[:-1])  # as the kernels of Keras: outputs last
            if len(taps) > 1 and math.prod(taps) == number // places:
                each = "*".join(map(str, taps))
        return f"{places:,} outputs * {each} = {number:,}"
    return f"{number:,}"


def _closed(model: Any, node: Node) -> str:
    sight = sights(model.graph)[id(node.outputs[0])]
    if not isinstance(sight, tuple):
        return ""  # no formula holds: the exact field says it
    letters = spatial_names(len(sight))
    return "\n".join(
        f"{letter}: {field.size} wide, {field.step} from one unit to the next"
        for letter, field in zip(letters, sight, strict=True)
    )


def _exact(model: Any, node: Node) -> str:
    known = [symbol.spec.numel for symbol in (*model.graph.inputs, *node.outputs)]
    if None in known:
        return ""
    head, *lines = str(receptive_field(model, node.layer)).splitlines()
    return "\n".join([f"unit {head.rpartition('unit ')[2]}", *(line.strip() for line in lines)])
