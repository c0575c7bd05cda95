"""A model's layers as Keras lists them: by distance from the outputs, inputs among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ...core.graph import Graph
from ...core.layer import Layer
from ...core.spec import Spec
from ...core.symbol import Node, Symbol
from ..symbolic import Computed


class InputLayer(Layer):
    """Where a network begins, among its layers."""

    def __init__(self, symbol: Symbol) -> None:
        Layer.__init__(self, name=symbol.name or "input")
        self.symbol = symbol

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        return x[0]

    def forward(self, *x: Tensor) -> Tensor:
        """Return the input."""
        return x[0]

    @property
    def output(self) -> Any:
        """The symbol."""
        return self.symbol

    input = output

    @property
    def output_shape(self) -> Any:
        """Shape with None for the batch."""
        return self.symbol.shape

    input_shape = batch_input_shape = output_shape

    def config(self) -> dict[str, Any]:
        """Return name and shape."""
        return {"batch_input_shape": tuple(self.symbol.shape), "dtype": self.symbol.spec.dtype}


class Inputs:
    """What a script knows as the class InputLayer: called, it gives the symbol of an input."""

    __name__ = "InputLayer"

    def __init__(self, begin: Callable[..., Symbol]) -> None:
        self.begin = begin

    def __call__(self, *args: Any, **words: Any) -> Symbol:
        """Begin a network."""
        return self.begin(*args, **words)

    def __instancecheck__(self, item: Any) -> bool:
        return isinstance(item, InputLayer)


class InputSpec:
    """What a layer says about its inputs; it can be read, and shapes are checked anyway."""

    def __init__(self, dtype: Any = None, shape: Any = None, ndim: Any = None,
                 max_ndim: Any = None, min_ndim: Any = None, axes: Any = None,
                 **words: Any) -> None:  # fmt: skip
        self.dtype, self.shape = dtype, None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(self.shape or ())
        self.max_ndim, self.min_ndim, self.axes = max_ndim, min_ndim, axes or {}


class Stack(list[Any]):
    """The layers of a Sequential: without its last one, the network ends one earlier."""

    def __init__(self, model: Any, layers: list[Any]) -> None:
        super().__init__(layers)
        self.model = model

    def pop(self, index: Any = -1) -> Any:
        """Take the last layer off the network, another one off the list alone."""
        if index in (-1, len(self) - 1):
            self.model.pop()
        return super().pop(index)


def listed(graph: Graph) -> list[Any]:
    """Return the layers, farthest from the outputs first; layers as far in the order of a walk.

    Inputs from which no output follows stand first among what is at no distance.
    """
    first, calls = _walked(graph)
    begin = {id(symbol) for symbol in graph.inputs}
    far: dict[int, int] = {}  # of calls, layers and inputs, by their ids
    for node in reversed(calls):
        depth = max(far.get(id(node), 0), far.get(id(node.layer), 0))
        far[id(node.layer)] = depth
        for symbol in node.inputs:
            source = symbol if id(symbol) in begin else symbol.node
            far[id(source)] = max(far.get(id(source), 0), depth + 1)
    held = [*graph.inputs, *graph.layers.values()]
    held.sort(key=lambda one: (-far.get(id(one), 0), first.get(id(one), -1)))
    return [InputLayer(one) if isinstance(one, Symbol) else one for one in held]


def is_operation(layer: Any) -> bool:
    """Return whether a layer is what the code of a script computed, such as the sum of `x + y`."""
    return isinstance(layer, Computed) or vars(layer).get("of_code", False)


def of_code(x: Any, name: str) -> Any:
    """Return a symbol; the layer that gives it is an operation of this name."""
    vars(x.node.layer)["of_code"] = True
    x.node.layer.rename(name)
    return x


def _walked(graph: Graph) -> tuple[dict[int, int], list[Node]]:
    """Return when a walk back from the outputs meets layers and inputs, and calls as it ends them.

    A call ends when all calls before it have: this order decides how far shared layers are.
    """
    first: dict[int, int] = {}
    calls: list[Node] = []
    begin = {id(symbol) for symbol in graph.inputs}
    todo: list[Symbol | Node] = list(reversed(graph.outputs))
    met: set[int] = set()
    while todo:
        item = todo.pop()
        if isinstance(item, Node):
            calls.append(item)
            continue
        node = None if id(item) in begin else item.node
        first.setdefault(id(item if node is None else node.layer), len(first))
        if node is not None and id(node) not in met:
            met.add(id(node))
            todo += [node, *reversed(node.inputs)]
    return first, calls
