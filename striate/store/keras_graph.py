"""Networks in the JSON of Keras 1, 2 and 3: read as calls of layers."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.layer import Layer
from ..core.symbol import Input, Symbol
from ..errors import StoreError
from . import keras_operations
from .config import Make
from .keras_words import Config, Words

Ref = tuple[str, int, int]  # a value: its layer, which call of it, which of its outputs
NETWORKS = ("Sequential", "Functional", "Model")
MAX_LAYERS = 20_000
FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Subtract": operator.sub, "Multiply": operator.mul,
    "Divide": operator.truediv, "TrueDivide": operator.truediv, "Power": operator.pow,
    "FloorDivide": operator.floordiv, "Mod": operator.mod,
}  # fmt: skip


@dataclass
class Item:
    """A layer of a file, and the values or numbers that each of its calls is given."""

    kind: str
    name: str
    config: Any
    calls: list[list[Any]] = field(default_factory=list)
    words: list[Config] = field(default_factory=list)  # what each call says beside its values
    nodes: list[Any] = field(default_factory=list)  # each call as it is written
    is_operation: bool = False


@dataclass
class Network:
    """A network of a file in one form, whichever version wrote it."""

    kind: str
    name: str
    trainable: bool
    items: list[Item]
    inputs: list[Ref]
    outputs: list[Ref]


class Reader:
    """Makes the network that a document of a Keras file describes."""

    def __init__(self, words: Words, make: Make) -> None:
        self.words, self.make, self.where = words, make, words.where

    def network(self, kind: str, config: Any, name: str = "") -> Layer:
        """Return the model of a class and its configuration.

        Raises: StoreError for a layer that is not known, and for a document of another form.
        """
        try:
            return self._build(self._normal(kind, config, name))
        except StoreError:
            raise
        except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
            raise StoreError(
                self.where,
                "the description of the network has another form than Keras's",
                got=f"{type(error).__name__}: {error}"[:200],
                fix="use an intact copy",
            ) from None

    # ---- one form --------------------------------------------------------------------------------

    def _normal(self, kind: str, config: Any, name: str) -> Network:
        layers = config if isinstance(config, list) else config["layers"]
        if len(layers) > MAX_LAYERS:
            raise StoreError(self.where, "has too many layers", need=f"at most {MAX_LAYERS}")
        about: Config = {} if isinstance(config, list) else config
        items = [self._item(entry) for entry in layers]
        trainable = bool(about.get("trainable", True))
        if kind == "Sequential":
            return self._chain(about, name or about.get("name", ""), trainable, items)
        for item, entry in zip(items, layers, strict=True):
            nodes = entry.get("inbound_nodes", [])
            item.calls = [list(_values(node)) for node in nodes]
            item.words = [_words(node) for node in nodes]
            item.nodes = nodes
        ends = [_refs(about[key]) for key in ("input_layers", "output_layers")]
        network = Network("Model", name or about.get("name", ""), trainable, items, *ends)
        return _shifted(network, self.words.version)

    def _item(self, entry: Config) -> Item:
        config = entry["config"]
        inner = config if isinstance(config, dict) else {}
        name = str(entry.get("name") or inner.get("name") or "")
        operation = ".ops." in str(entry.get("module", ""))
        return Item(str(entry["class_name"]), name, config, is_operation=operation)

    def _chain(self, about: Config, name: str, trainable: bool, items: list[Item]) -> Network:
        if not items or items[0].kind != "InputLayer":
            shape = about.get("build_input_shape") or (_input_shape(items[0]) if items else None)
            if shape is None:
                raise StoreError(
                    self.where,
                    "does not say what the input of the network is",
                    need="batch_input_shape in the first layer",
                    fix="build the model before it is saved: model.build((None, 28, 28, 1))",
                )
            first = Item("InputLayer", "input", {"batch_shape": shape, "name": "input"})
            items = [first, *items]
        for number, item in enumerate(items):
            item.name = item.name or f"layer_{number}"
        for before, item in itertools.pairwise(items):
            item.calls = [[(before.name, 0, 0)]]
        ends = [[(items[0].name, 0, 0)], [(items[-1].name, 0, 0)]]
        return Network("Sequential", name, trainable, items, *ends)

    # ---- calls -----------------------------------------------------------------------------------

    def _build(self, network: Network) -> Layer:
        layout = _layout(network.items)
        values: dict[Ref, Symbol] = {}
        for item in network.items:
            if item.kind == "InputLayer":
                values[item.name, 0, 0] = self._input(item, layout)
        items = {item.name: item for item in network.items}
        made: dict[str, Layer] = {}
        called: list[Layer] = []
        todo = [(item.name, n) for item in network.items for n in range(len(item.calls))]
        while todo:
            later = []
            for name, number in todo:
                item = items[name]
                given = item.calls[number]
                if any(isinstance(one, tuple) and one not in values for one in given):
                    later.append((name, number))
                    continue
                if self._is_function(item):
                    out = self._function(item, item.nodes[number], values)
                else:
                    out = self._call(item, [values.get(one, one) if isinstance(one, tuple) else one
                                            for one in given], made, number)  # fmt: skip
                called.append(out[0].node.layer)  # type: ignore[union-attr]
                for index, symbol in enumerate(out):
                    values[name, number, index] = symbol
            if len(later) == len(todo):
                raise StoreError(
                    self.where,
                    "calls a layer on values that no layer gives",
                    got=", ".join(sorted({name for name, _ in todo})[:4]),
                    fix="use an intact copy",
                )
            todo = later
        ends = [tuple(values[ref] for ref in refs) for refs in (network.inputs, network.outputs)]
        model = self.make(network.kind, ends[0], ends[1], called, network.name)
        if not network.trainable:
            model.trainable = False
        return model

    def _call(
        self, item: Item, given: list[Any], made: dict[str, Layer], number: int
    ) -> tuple[Symbol, ...]:
        symbols = [one for one in given if isinstance(one, Symbol)]
        if item.is_operation or len(symbols) < len(given):
            return (self._operation(item, given),)
        if item.name not in made:
            made[item.name] = self._layer(item, symbols)
        layer = made[item.name]
        words = item.words[number] if item.words and hasattr(layer, "inputs_named") else {}
        out = layer(*symbols, **words)
        if isinstance(item.config, dict) and item.config.get("trainable") is False:
            layer.trainable = False
        return out if isinstance(out, tuple) else (out,)

    def _layer(self, item: Item, symbols: list[Symbol]) -> Layer:
        if item.kind in NETWORKS:
            return self.network(item.kind, item.config, item.name)
        if not isinstance(item.config, dict):
            raise StoreError(self.where, f"layer {item.name!r} has no configuration")
        return self.words.layer(item.kind, item.name, item.config, symbols[0].spec)

    def _is_function(self, item: Item) -> bool:
        """Return whether an operation is a function of `keras.ops` that is known here."""
        plain = item.kind in FUNCTIONS and all(len(call) == 2 for call in item.calls)
        known = keras_operations.called(item.kind) in self.words.functions
        return item.is_operation and not plain and known

    def _function(
        self, item: Item, node: Config, values: Mapping[Ref, Symbol]
    ) -> tuple[Symbol, ...]:
        """Return the values of a function, whose configuration is among its arguments."""
        config = {key: one for key, one in item.config.items() if key not in ("name", "dtype")}
        config |= {"dtype": item.config["dtype"]} if item.config.get("dtype") else {}
        args, kwargs = (
            keras_operations.read(part, values.__getitem__)
            for part in (node["args"], [*node.get("kwargs", {}).values()])
        )
        words = dict(zip(node.get("kwargs", {}), kwargs, strict=True))
        subscripts = [config.pop("subscripts")] if "subscripts" in config else []
        given = {key: one for key, one in {**config, **words}.items() if one is not None}
        out = self.words.functions[keras_operations.called(item.kind)](*subscripts, *args, **given)
        several = tuple(out) if isinstance(out, (list, tuple)) else (out,)
        assert several[0].node is not None
        several[0].node.layer.name = item.name
        return several

    def _operation(self, item: Item, given: list[Any]) -> Symbol:
        """Return the value of `a + b`, `a * 2`... in Keras 3's functional form."""
        act = FUNCTIONS.get(item.kind)
        if act is None or len(given) != 2:
            raise StoreError(
                self.where,
                f"{item.name!r} ({item.kind}) is an operation that is not known",
                need="+, -, *, / and ** of two values, or of a value and a number",
                fix="build the network in code, with L.Lambda for it",
            )
        out: Symbol = act(*given)
        assert out.node is not None
        out.node.layer.name = item.name
        return out

    def _input(self, item: Item, layout: str) -> Symbol:
        shape = item.config.get("batch_shape") or item.config.get("batch_input_shape")
        dtype = item.config.get("dtype") or "float32"
        dtype = dtype["config"]["name"] if isinstance(dtype, dict) else dtype
        return Input(tuple(shape[1:]), dtype, data_format=layout, name=item.name)


def _values(node: Any) -> Iterator[Any]:
    """Yield what a call is given: values as (layer, call, output), and numbers."""
    if isinstance(node, dict) and "args" in node:  # Keras 3
        yield from _tensors(node["args"])
        yield from (ref for ref in _tensors(list(node.get("kwargs", {}).values()))
                    if isinstance(ref, tuple))  # fmt: skip
    else:  # [["conv", 0, 0, {}], ...]; of one input also ["conv", 0, 0, {}]
        yield from _refs(node)


def _words(node: Any) -> Config:
    """Return what a call of Keras 3 says beside its values, and the names of those it names."""
    if not isinstance(node, dict) or "args" not in node:
        return {}
    kwargs = node.get("kwargs", {})
    words = {key: value for key, value in kwargs.items() if value is True}
    named = [key for key, value in kwargs.items() if list(_tensors(value))]
    first = list(_tensors(node["args"]))
    return (
        {**words, "given": [*("query", "value", "key")[: len(first)], *named]} if named else words
    )


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        name, call, index = value["config"]["keras_history"]
        yield (str(name), int(call), int(index))
    elif isinstance(value, list):
        for one in value:
            yield from _tensors(one)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def _refs(given: Any) -> list[Ref]:
    """Return values that are given as [name, call, output], or as a list of such."""
    if isinstance(given, Mapping):
        given = list(given.values())
    if len(given) >= 3 and isinstance(given[0], str) and isinstance(given[1], int):
        given = [given]
    return [(str(one[0]), int(one[1]), int(one[2])) for one in given]


def _shifted(network: Network, version: int) -> Network:
    """Return the network with all calls counted from 0.

    Keras 1 and 2 count the making of a nested model as its call 0; Keras 3 does so for functional
    ones, and only where it says which values the network gives.
    """
    old = {item.name for item in network.items if item.kind in NETWORKS and version < 3}
    new = {item.name for item in network.items if item.kind == "Functional" and version >= 3}

    def shift(ref: Any, names: set[str]) -> Any:
        named = isinstance(ref, tuple) and ref[0] in names
        return (ref[0], ref[1] - 1, ref[2]) if named else ref

    for item in network.items:
        item.calls = [[shift(ref, old) for ref in call] for call in item.calls]
    network.outputs = [shift(ref, old | new) for ref in network.outputs]
    return network


def _input_shape(item: Item) -> Any:
    """Return the shape of the batch that a first layer says it takes; None if it says none."""
    if isinstance(item.config, list) or "layers" in item.config:
        layers = item.config if isinstance(item.config, list) else item.config["layers"]
        inner = layers[0]
        return _input_shape(Item(str(inner["class_name"]), "", inner["config"]))
    for word in ("batch_input_shape", "batch_shape"):
        if item.config.get(word):
            return item.config[word]
    width = item.config.get("input_dim")
    return [None, width] if isinstance(width, int) else None


def _layout(items: list[Item]) -> str:
    """Return the layout that the first layer of the network with one is in."""
    for item in items:
        config = item.config if isinstance(item.config, dict) else {}
        layout = config.get("data_format") or config.get("dim_ordering")
        if layout in ("th", "channels_first") and item.kind != "Flatten":
            return "channels_first"
        if layout in ("tf", "channels_last"):
            return "channels_last"
    return "channels_last"
