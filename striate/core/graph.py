"""Graph: the traced calls between inputs and outputs, in call order; the one walk over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..errors import ConfigError
from .layer import Layer, free_name
from .symbol import Node, Symbol

Value = TypeVar("Value")


class Graph:
    """The calls that lead from `inputs` to `outputs`.

    `nodes` are in the order in which the calls were made, so that each comes after those it depends
    on. `layers` maps each name to its layer, each layer once however often it is called. A layer
    whose name was given by the user keeps it; one that was named by its type is renamed if the name
    is taken.
    """

    def __init__(self, inputs: Sequence[Symbol], outputs: Sequence[Symbol], where: str = "Model"):
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.called: Sequence[str] = ()
        self.nodes = self._between(where)
        self.layers: dict[str, Layer] = {}
        self.names: dict[Layer, str] = {}
        for node in self.nodes:
            self._add(node, where)

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs: those that they are `called`, or of the layers that give them.

        Several of one layer are numbered from the second on.
        """
        if self.called:
            return list(self.called)
        names = [symbol.name for symbol in self.outputs]
        before = [names[:index].count(name) for index, name in enumerate(names)]
        return [f"{name}_{count}" if count else name
                for name, count in zip(names, before, strict=True)]  # fmt: skip

    def _between(self, where: str) -> tuple[Node, ...]:
        begin = set(map(id, self.inputs))
        nodes: dict[int, Node] = {}
        todo = list(self.outputs)
        while todo:
            symbol = todo.pop()
            if id(symbol) in begin or (symbol.node is not None and id(symbol.node) in nodes):
                continue
            if symbol.node is None:
                raise ConfigError(
                    where,
                    "an output depends on an input that the model does not list",
                    got=f"inputs {', '.join(map(repr, self.inputs))}",
                    need=f"{symbol!r} among the inputs",
                    fix="st.Model([every, Input], outputs)",
                )
            nodes[id(symbol.node)] = symbol.node
            todo += symbol.node.inputs
        return tuple(sorted(nodes.values(), key=lambda node: node.order))

    def _add(self, node: Node, where: str) -> None:
        layer = node.layer
        if layer in self.names:
            return
        if layer.name in self.layers:
            if not layer.auto_named:
                raise ConfigError(
                    where,
                    f"two layers are called {layer.name!r}",
                    got=f"{self.layers[layer.name]!r} and {layer!r}",
                    need="a name of its own for each layer",
                    fix=f'name="{layer.name}_2" for the second',
                    at=node.at,
                )
            layer.rename(free_name(layer, self.layers.values()))
        self.layers[layer.name] = layer
        self.names[layer] = layer.name

    def run(
        self, values: Sequence[Value], call: Callable[[Node, list[Value]], Any]
    ) -> tuple[Value, ...]:
        """Walk the graph: `call(node, input values)` gives the node's value (a tuple if several).

        `values` are those of the inputs; the values of the outputs are returned. Shapes, fields,
        predictions and files are all made by this walk with another `call`; one that wants to see
        inside a nested model walks `node.layer.graph` in turn.
        """
        at: dict[int, Value] = {
            id(symbol): value for symbol, value in zip(self.inputs, values, strict=True)
        }
        for node in self.nodes:
            out = call(node, [at[id(symbol)] for symbol in node.inputs])
            several = out if len(node.outputs) > 1 else (out,)
            for symbol, value in zip(node.outputs, several, strict=True):
                at[id(symbol)] = value
        return tuple(at[id(symbol)] for symbol in self.outputs)
