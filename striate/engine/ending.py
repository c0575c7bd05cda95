"""What the values of an output are: the activation that made them, through layers that keep it."""

from __future__ import annotations

from ..core.layer import Layer
from ..core.symbol import Node, Symbol
from ..core.window import MOVES, UNKNOWN
from ..layers import activation as activations
from ..losses import UNKNOWN as UNSEEN

AVERAGES = ("Average", "AveragePooling", "GlobalAveragePooling")  # of probabilities are such again


def ending(output: Symbol) -> str:
    """Return the name of the activation that made the values, "" for none, UNSEEN if not known."""
    node = output.node
    if node is None:
        return ""
    graph = getattr(node.layer, "_graph", None)  # of a model inside the model
    if graph is not None:
        return ending(graph.outputs[node.outputs.index(output)])
    name = node.layer.activation_name or _named_after(node.layer)
    if name:
        return name
    geometry = node.layer.windows(*(symbol.spec for symbol in node.inputs))
    if geometry is MOVES or _averages(node.layer):
        return _common(node)
    return UNSEEN if geometry is UNKNOWN else ""


def _named_after(layer: Layer) -> str:
    """Return the activation that a layer, torch module or function has its name from, if any."""
    word = getattr(layer, "word", "")
    named = word if isinstance(word, str) and word else ""
    named = named or type(getattr(layer, "module", layer)).__name__
    known = {name.replace("_", ""): name for name in activations.FUNCTIONS}
    name = known.get(named.lower().replace("_", ""), "")
    return "" if name == "linear" else name


def _averages(layer: Layer) -> bool:
    return type(layer).__name__.rstrip("123D") in AVERAGES


def _common(node: Node) -> str:
    """Return the ending that all inputs of a layer have; UNSEEN if they differ."""
    found = {ending(symbol) for symbol in node.inputs}
    return found.pop() if len(found) == 1 else UNSEEN
