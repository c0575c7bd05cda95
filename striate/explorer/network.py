"""The network as the page draws it: a column for each call, in lanes, with what it costs."""

from __future__ import annotations

from typing import Any

from ..core.graph import Graph
from ..core.operation import Correlate
from ..core.spec import Spec
from ..core.symbol import Node
from ..core.window import EVERYTHING, MOVES, POINTWISE, Mix, Window
from ..inspect.summary import summary
from .grid import pictured

TRAINING_ONLY = "only while training"


def network(model: Any) -> dict[str, Any]:
    """Return the columns of a model from left to right, with their connections."""
    graph: Graph = model.graph
    table = summary(model, expand_nested=False)
    number = {id(symbol): at for at, symbol in enumerate(graph.inputs)}
    columns = [
        {**_shape(pictured(symbol.spec)), "id": at, "name": row.name, "type": "Input",
         "kind": "input", "detail": "", "inputs": [], "output": row.output, "depth": 0,
         "parameters": 0}
        for at, (symbol, row) in enumerate(zip(graph.inputs, table.rows, strict=False))
    ]  # fmt: skip
    for node, row in zip(graph.nodes, table.rows[len(graph.inputs) :], strict=True):
        sources = [number[id(symbol)] for symbol in node.inputs]
        at = len(columns)
        number |= {id(symbol): at for symbol in node.outputs}
        columns.append(
            {
                **_shape(node.outputs[0].spec),
                "id": at,
                "name": row.name,
                "type": type(getattr(node.layer, "module", node.layer)).__name__,
                "kind": _kind(node),
                "detail": _detail(node),
                "inputs": sources,
                "output": row.output,
                "depth": 1 + max((columns[source]["depth"] for source in sources), default=0),
                "parameters": row.parameters,
                "arithmetic": [*row.arithmetic, *filter(None, [row.parameter_arithmetic])],
                "macs": row.macs,
                "field": row.field,
                "step": row.step,
                "activation": node.layer.activation_name,
            }
        )
    return {
        "columns": columns,
        "outputs": [number[id(symbol)] for symbol in graph.outputs],
        "parameters": table.parameters,
        "macs": table.macs,
    }


def _shape(spec: Spec) -> dict[str, Any]:
    """Return how the values of a spec are laid out as maps; None: known when there is an input."""
    if len(spec.shape) == 1:
        return {"channels": spec.shape[0], "height": 1, "width": 1, "vector": True}
    sides = spec.spatial
    height = 1 if len(sides) == 1 else sides[-2]
    return {"channels": spec.channels, "height": height, "width": sides[-1], "vector": False}


def _kind(node: Node) -> str:
    """Return the family of a call in the words of the page."""
    specs = tuple(symbol.spec for symbol in node.inputs)
    geometry = node.layer.windows(*specs)
    chain = node.layer.operations(*specs) or ()
    if len(node.inputs) > 1:
        return "merge"
    if any(isinstance(step, Correlate) for step in chain):
        return "convolution"
    if type(node.layer).__name__.startswith("Random"):
        return "passes"
    if geometry is POINTWISE:
        return "pointwise" if chain or node.layer.activation_name else "passes"
    if geometry is MOVES:
        return "moves"
    if geometry is EVERYTHING:
        return "dense"
    if isinstance(geometry, tuple):
        mixes = any(isinstance(axis, Mix) for axis in geometry)
        return "dense" if mixes else "pool"
    return "other"


def _detail(node: Node) -> str:
    """Return kernel, stride and padding in a few characters."""
    x = node.inputs[0].spec
    geometry = node.layer.windows(*(symbol.spec for symbol in node.inputs))
    if not isinstance(geometry, tuple) or len(geometry) < 2:
        return ""
    axes = geometry[:-1] if x.data_format == "channels_last" else geometry[1:]
    slides = [axis for axis in axes if isinstance(axis, Window)]
    if not slides or all(axis == Window() for axis in slides):
        return ""
    words = ["x".join(str(axis.kernel) for axis in slides)]
    words += [f"stride {slides[0].stride}"] if slides[0].stride > 1 else []
    words += [f"dilation {slides[0].dilation}"] if slides[0].dilation > 1 else []
    low, high = slides[0].low, slides[0].high
    if low or high:
        words.append(f"pad {low}" if low == high else f"pad {low}, {high}")
    return ", ".join(words)
