"""A network as JSON and back: layers by name from a closed table, calls by number."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import nn

from .. import layers as table
from ..core.layer import Layer
from ..core.symbol import Input, Symbol
from ..errors import StoreError, nearest
from ..settings import Setting

if TYPE_CHECKING:
    from ..model import Model

VERSION = 1
Document = dict[str, Any]
Make = Callable[[str, tuple[Symbol, ...], tuple[Symbol, ...], list[Layer], str], Layer]


def describe(model: Model) -> Document:
    """Return the network as plain values.

    Raises: StoreError for a layer that holds code, which a file cannot.
    """
    graph = model.graph
    if not model.runs_graph:
        raise StoreError(
            model.where,
            "is written as code, which a file cannot hold",
            need="a Sequential, or a Model of inputs and outputs",
            fix="model.save_weights(path), and load_weights into the same class",
        )
    slots = {id(symbol): ["input", index] for index, symbol in enumerate(graph.inputs)}
    calls = []
    for number, node in enumerate(graph.nodes):
        calls.append(
            {
                "layer": graph.names[node.layer],
                "inputs": [slots[id(symbol)] for symbol in node.inputs],
            }
        )
        slots |= {id(symbol): [number, index] for index, symbol in enumerate(node.outputs)}
    return {
        "kind": "Sequential" if hasattr(type(model), "add") else "Model",
        "name": model.name,
        "inputs": [
            {"shape": list(s.spec.shape), "dtype": s.spec.dtype, "data_format": s.spec.data_format,
             "name": s.name}
            for s in graph.inputs
        ],
        "layers": {name: describe_layer(layer) for name, layer in graph.layers.items()},
        "calls": calls,
        "outputs": [slots[id(symbol)] for symbol in graph.outputs],
    }  # fmt: skip


def describe_layer(layer: Layer) -> Document:
    """Return a layer's class and hyper-parameters as plain values."""
    if hasattr(layer, "runs_graph"):
        return {"class": "Model", "model": describe(layer)}  # type: ignore[arg-type]
    config = {
        field: _plain(layer, field, value)
        for field, value in layer.config().items()
        if field != "name"
    }
    return {"class": type(layer).__name__, "config": config}


def build(
    document: Document, make: Make, custom: Mapping[str, Any] | None = None, where: str = "model"
) -> Layer:
    """Return the network that a document describes; `make` constructs models.

    Raises: StoreError for an unknown class or a document of another form.
    """
    try:
        inputs = tuple(
            Input(tuple(i["shape"]), i["dtype"], data_format=i["data_format"], name=i["name"])
            for i in document["inputs"]
        )
        layers = {
            name: _layer(name, item, make, custom or {}, where)
            for name, item in document["layers"].items()
        }
        values: dict[Any, tuple[Symbol, ...]] = {"input": inputs}
        for number, call in enumerate(document["calls"]):
            given = [values[source][index] for source, index in call["inputs"]]
            out = layers[call["layer"]](*given)
            values[number] = out if isinstance(out, tuple) else (out,)
        outputs = tuple(values[source][index] for source, index in document["outputs"])
        kind, name = document["kind"], document["name"]
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise StoreError(
            where, "the description of the network is not complete", got=f"{error!r}",
            fix="use an intact copy",
        ) from None  # fmt: skip
    return make(kind, inputs, outputs, list(layers.values()), name)


def known_layers() -> dict[str, type[Layer]]:
    """Return the closed table: every layer class of this package that can be made from its fields."""
    return {
        name: item
        for name, item in vars(table).items()
        if isinstance(item, type) and issubclass(item, Layer) and dataclasses.is_dataclass(item)
    }


def _layer(name: str, item: Document, make: Make, custom: Mapping[str, Any], where: str) -> Layer:
    kind = item["class"]
    if kind == "Model":
        layer = build(item["model"], make, custom, where)
    else:
        known = {**known_layers(), **custom}
        if kind not in known:
            raise StoreError(
                where,
                f"holds a layer of the unknown class {kind!r}",
                need="a layer of this version, or one that you name",
                fix=nearest(kind, known) or f"st.load(path, custom={{{kind!r}: {kind}}})",
            )
        config = {
            field: _revive(value, custom, where) for field, value in item["config"].items()
        }
        layer = known[kind](**config)
    layer.name = name
    return layer


def _plain(layer: Layer, field: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return {"tuple": [_plain(layer, field, item) for item in value]}
    if isinstance(value, dict):
        return {"dict": {str(key): _plain(layer, field, item) for key, item in value.items()}}
    if isinstance(value, Setting):
        return {"setting": value.get_config()}
    if isinstance(value, nn.Module):
        return {"torch": _describe_module(layer, value)}
    raise StoreError(
        layer.where,
        f"{field} holds code, which a file cannot",
        got=f"{field}={value!r}",
        need="names and numbers",
        fix="model.save_weights(path), and build the network in code again",
    )


def _revive(value: Any, custom: Mapping[str, Any], where: str) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "tuple":
        return tuple(_revive(item, custom, where) for item in inner)
    if kind == "dict":
        return {key: _revive(item, custom, where) for key, item in inner.items()}
    if kind == "torch":
        return _revive_module(inner, custom, where)
    return inner


def _describe_module(layer: Layer, module: nn.Module) -> Document:
    """Return a torch.nn module as its class and the constructor arguments that are its attributes."""
    kind = type(module).__name__
    if getattr(nn, kind, None) is not type(module):
        return {"class": kind, "arguments": {}}
    arguments = {}
    for name in inspect.signature(type(module)).parameters:
        value = getattr(module, name, None)
        if name in ("device", "dtype"):
            continue
        if isinstance(value, nn.Parameter) or name == "bias":
            value = value is not None
        arguments[name] = _plain(layer, f"module.{name}", value)
    return {"class": kind, "arguments": arguments}


def _revive_module(item: Document, custom: Mapping[str, Any], where: str) -> nn.Module:
    kind = item["class"]
    made = custom.get(kind) or getattr(nn, kind, None)
    if not callable(made) or kind.startswith("_"):
        raise StoreError(
            where,
            f"holds a torch module of the unknown class {kind!r}",
            need="a class of torch.nn, or one that you name",
            fix=f"st.load(path, custom={{{kind!r}: {kind}}})",
        )
    arguments = {name: _revive(value, custom, where) for name, value in item["arguments"].items()}
    module = made(**arguments)
    assert isinstance(module, nn.Module)
    return module


def names(items: Sequence[str], most: int = 4) -> str:
    """Return the first names of a list, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
