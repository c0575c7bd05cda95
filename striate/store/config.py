"""A network as JSON and back: layers by name from a closed table, calls by number."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from .. import constraints, initializers, layers as table, regularizers
from ..core.graph import Graph
from ..core.layer import Layer
from ..core.symbol import Input, Symbol
from ..errors import StoreError, StriateError, nearest
from ..layers.activation import OF_FILES
from ..settings import Setting

VERSION = 1
Document = dict[str, Any]
Make = Callable[[str, tuple[Symbol, ...], tuple[Symbol, ...], list[Layer], str], Layer]
ROOMS: dict[str, tuple[type[Setting], Callable[[Any], Any]]] = {
    "initializer": (initializers.Initializer, initializers.get),
    "regularizer": (regularizers.Regularizer, regularizers.get),
    "constraint": (constraints.Constraint, constraints.get),
}


ELSEWHERE: dict[str, Callable[[Any], Document]] = {  # arguments that a module of torch keeps else
    "MultiheadAttention": lambda module: {
        "bias": module.in_proj_bias is not None, "add_bias_kv": module.bias_k is not None,
    },
}  # fmt: skip


def describe(model: Layer, known: list[Layer] | None = None) -> Document:
    """Return the network as plain values; `known` collects the layers, each described once.

    Raises: StoreError for a layer that holds code, which a file cannot.
    """
    known = [] if known is None else known
    forward = type(model).forward.__module__.partition(".")[0]
    if not getattr(model, "runs_graph", False) or forward != __name__.partition(".")[0]:
        raise StoreError(
            model.where,
            "is written as code, which a file cannot hold",
            need="a Sequential, or a Model of inputs and outputs",
            fix="model.save_weights(path), and load_weights into the same class",
        )
    graph: Graph = getattr(model, "graph")  # noqa: B009  a Model, which this room cannot import
    slots: dict[int, list[Any]] = {
        id(symbol): ["input", index] for index, symbol in enumerate(graph.inputs)
    }
    calls: list[Document] = []
    for number, node in enumerate(graph.nodes):
        inputs = [slots[id(symbol)] for symbol in node.given]
        calls.append({"layer": graph.names[node.layer], "inputs": inputs})
        if node.words:
            calls[-1]["words"] = {
                key: _plain(node.layer, key, value) for key, value in node.words.items()
            }
        slots |= {id(symbol): [number, index] for index, symbol in enumerate(node.outputs)}
    return {
        "kind": "Sequential" if hasattr(model, "adopt") else "Model",
        "name": "" if model.auto_named else model.name,
        "trainable": model.trainable,
        "inputs": [{**dataclasses.asdict(s.spec), "name": s.name} for s in graph.inputs],
        "layers": {name: describe_layer(layer, known) for name, layer in graph.layers.items()},
        "calls": calls,
        "outputs": [slots[id(symbol)] for symbol in graph.outputs],
    }


def describe_layer(layer: Layer, known: list[Layer]) -> Document:
    """Return a layer's class and hyper-parameters as plain values, or where it was described."""
    for number, other in enumerate(known):
        if other is layer:
            return {"class": "same", "number": number}
    if hasattr(layer, "runs_graph"):
        item = {"class": "Model", "model": describe(layer, known)}
    else:
        _check_class(layer)
        config = {
            field: _plain(layer, field, value)
            for field, value in layer.config().items()
            if field != "name" or not layer.auto_named
        }
        item = {"class": type(layer).__name__, "config": config}
    known.append(layer)
    return item


def build(
    document: Document, make: Make, custom: Mapping[str, Any] | None = None, where: str = "model"
) -> Layer:
    """Return the network that a document describes; `make` constructs models.

    Raises: StoreError for an unknown class or a document of another form.
    """
    try:
        return _Builder(make, custom or {}, where).model(document)
    except StoreError:
        raise
    except Exception as error:  # a document may say anything, and a constructor raise anything
        raise StoreError(
            where,
            "the network cannot be made from its description",
            got=error if isinstance(error, StriateError) else f"{type(error).__name__}: {error}",
            fix="use an intact copy",
        ) from error


class _Builder:
    """Makes layers from their descriptions, in the order in which these were written."""

    def __init__(self, make: Make, custom: Mapping[str, Any], where: str) -> None:
        self.make, self.custom, self.where = make, custom, where
        self.known: list[Layer] = []

    def model(self, document: Document) -> Layer:
        inputs = tuple(
            Input(tuple(i["shape"]), i["dtype"], data_format=i["data_format"], name=i["name"])
            for i in document["inputs"]
        )
        layers = {name: self.layer(name, item) for name, item in document["layers"].items()}
        values: dict[Any, tuple[Symbol, ...]] = {"input": inputs}
        for number, call in enumerate(document["calls"]):
            given = [values[source][index] for source, index in call["inputs"]]
            words = {key: self.value(value) for key, value in call.get("words", {}).items()}
            out = layers[call["layer"]](*given, **words)
            values[number] = out if isinstance(out, tuple) else (out,)
        outputs = tuple(values[source][index] for source, index in document["outputs"])
        called = [layers[call["layer"]] for call in document["calls"]]
        model = self.make(document["kind"], inputs, outputs, called, document["name"])
        object.__setattr__(
            model, "trainable", bool(document["trainable"])
        )  # the layers have theirs
        return model

    def layer(self, name: str, item: Document) -> Layer:
        kind = item["class"]
        if kind == "same":
            return self.known[item["number"]]
        if kind == "Model":
            layer = self.model(item["model"])
        else:
            config = {field: self.value(value) for field, value in item["config"].items()}
            layer = self.layer_class(kind)(**config)
        if name and not layer.name:
            layer.rename(name)
        self.known.append(layer)
        return layer

    def layer_class(self, kind: str) -> Any:
        known = {**known_layers(), **self.custom}
        if kind not in known:
            raise StoreError(
                self.where,
                f"holds a layer of the unknown class {kind!r}",
                need="a layer of this version, or one that you name",
                fix=nearest(kind, known) or f"st.load(path, custom={{{kind!r}: {kind}}})",
            )
        return known[kind]

    def value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        ((kind, inner),) = value.items()
        if kind == "tuple":
            return tuple(self.value(item) for item in inner)
        if kind == "function":
            return OF_FILES[inner]
        if kind == "layer":
            return _Builder(self.make, self.custom, self.where).layer("", inner)
        fields = {field: self.value(item) for field, item in inner.items()}
        if kind == "dict":
            return fields
        if kind == "torch":
            return self.module(fields["class"], fields["arguments"])
        name = fields["name"]
        if name in self.custom:
            return self.custom[name](**{key: fields[key] for key in fields if key != "name"})
        return ROOMS[kind][1](fields)

    def module(self, kind: str, arguments: Document) -> nn.Module:
        made: Any = self.custom.get(kind) or getattr(nn, kind, None)
        if kind not in self.custom and not (isinstance(made, type) and issubclass(made, nn.Module)):
            raise StoreError(
                self.where,
                f"holds a torch module of the unknown class {kind!r}",
                need="a class of torch.nn, or one that you name",
                fix=f"st.load(path, custom={{{kind!r}: {kind}}})",
            )
        module = made(*arguments.pop("*", ()), **arguments)
        if not isinstance(module, nn.Module):
            raise TypeError(f"{kind} gives no torch.nn.Module")
        return module


def known_layers() -> dict[str, type[Layer]]:
    """Return the closed table: every layer of this package that its fields make again."""
    return {
        name: item
        for name, item in vars(table).items()
        if isinstance(item, type) and issubclass(item, Layer) and dataclasses.is_dataclass(item)
    }


def _check_class(layer: Layer) -> None:
    """Raise StoreError if the class and the fields would not give this layer again."""
    cls = type(layer)
    if getattr(cls, "of_keras", False):
        raise StoreError(
            layer.where,
            "is a layer of Keras alone, which this format has no name for",
            fix='model.save("model.keras"), which holds it',
        )
    if known_layers().get(cls.__name__, cls) is not cls or cls.__name__ in ("Model", "same"):
        raise StoreError(
            layer.where,
            f"a layer of this package is called {cls.__name__!r} too: a file would give that one",
            got=f"{cls.__module__}.{cls.__qualname__}",
            fix="give the class a name of its own",
        )
    arguments = inspect.signature(cls.__init__).parameters.values()
    unknown = [
        item.name
        for item in list(arguments)[1:]
        if item.name not in layer.config() and item.kind is not item.VAR_KEYWORD
    ]
    if unknown:
        raise StoreError(
            layer.where,
            "its constructor takes what is not a field, so a file cannot hold it",
            got=names(unknown),
            need="an annotated attribute for each argument, and no __init__",
            fix=f"class {cls.__name__}(Layer): {unknown[0]}: float = 1.0",
        )


def _plain(layer: Layer, field: str, value: Any) -> Any:
    if hasattr(value, "tolist"):  # a NumPy or torch number or array
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    for name, function in OF_FILES.items():
        if value is function:
            return {"function": name}
    if isinstance(value, (list, tuple)):
        return {"tuple": [_plain(layer, field, item) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _plain(layer, field, item) for key, item in value.items()}}
    for room, (base, _) in ROOMS.items():
        if isinstance(value, base):
            config = value.get_config()
            return {room: {key: _plain(layer, field, item) for key, item in config.items()}}
    if isinstance(value, Layer):  # of a wrapper
        return {"layer": describe_layer(value, [])}
    if isinstance(value, nn.Module):
        return {"torch": _describe_module(layer, value)}
    raise StoreError(
        layer.where,
        f"{field} holds code, which a file cannot",
        got=f"{field}={value!r}",
        need="names and numbers",
        fix="model.save_weights(path), and build the network in code again",
    )


def _describe_module(layer: Layer, module: nn.Module) -> Document:
    """Return a torch module as its class and its constructor's arguments, read from attributes.

    Of a class that is not in torch.nn, only the name: the reader's `custom` makes it.
    """
    kind = type(module).__name__
    arguments: Document = {}
    if type(module) is nn.Sequential:
        arguments["*"] = tuple(module)
    elif not _bare(module) and getattr(nn, kind, None) is type(module):
        kept = ELSEWHERE[kind](module) if kind in ELSEWHERE else {}
        for name, argument in inspect.signature(type(module)).parameters.items():
            if name in ("device", "dtype") or name.startswith("_"):
                continue
            if name not in kept and not hasattr(module, name) and argument.default is None:
                continue  # an older word for another argument
            if name not in kept and not hasattr(module, name):
                raise StoreError(
                    layer.where,
                    f"torch.nn.{kind} does not keep its argument {name}, so a file cannot hold it",
                    fix="model.save_weights(path), and build the network in code again",
                )
            value = kept[name] if name in kept else getattr(module, name)
            if name == "bias" and not isinstance(value, bool):
                value = value is not None
            arguments[name] = value
    return {
        "class": kind,
        "arguments": {"dict": {k: _plain(layer, f"module.{k}", v) for k, v in arguments.items()}},
    }


def _bare(module: nn.Module) -> bool:
    """Return whether a module has no arguments of its own."""
    return type(module) is nn.Identity or type(module).__init__ is nn.Module.__init__


def names(items: Sequence[str], most: int = 4) -> str:
    """Return the first names of a list, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
