"""A network in the JSON of Keras 3: layers, calls and settings in its words."""

from __future__ import annotations

from typing import Any

from ..core.graph import Graph
from ..core.layer import Layer, snake
from ..core.spec import Spec
from ..core.symbol import Node, Symbol
from ..errors import StoreError
from . import keras_operations
from .config import known_layers
from .keras_graph import Ref
from .keras_words import CHANNELS, OF_SCRIPTS, Config

OPERATION = "Arithmetic"
OPERATORS = {"/": "Divide", "//": "FloorDivide", "**": "Power", "%": "Mod"}
FUNCTIONS = {"Tanh": "tanh", "Sigmoid": "sigmoid", "SiLU": "silu", "SELU": "selu", "GELU": "gelu"}
USUAL = {"interpolation": "nearest", "dropout": 0.0}
SAID = {"MultiHeadAttention": {"width": "output_shape"}}  # where Keras has another word
NATIVE_ONLY = {  # fields that Keras 3's class has not
    "SpatialDropout1D": ("data_format",), "Cropping1D": ("data_format",),
    "UpSampling1D": ("data_format", "interpolation"), "UpSampling3D": ("interpolation",),
    "Embedding": ("dropout",), "RandomBrightness": ("data_format",),
    "RandomContrast": ("data_format",),
}  # fmt: skip


def layer_config(layer: Layer, x: Spec) -> tuple[str, Config]:
    """Return Keras 3's class and configuration of a layer, whose input is `x`.

    Raises: StoreError for a layer that Keras 3 does not have, or that holds code.
    """
    kind, fields = type(layer).__name__, layer.config()
    basics: Config = {"name": layer.name, "dtype": "float32"}
    if layer.weights:
        basics["trainable"] = layer.trainable
    fields = {key: v for key, v in fields.items() if key not in ("name", "trainable")}
    if kind in OF_SCRIPTS and "called_with" in vars(layer):
        words = vars(layer)["called_with"]
        return kind, {**basics, **{key: _plain(layer, key, one) for key, one in words.items()}}
    if kind in FUNCTIONS and not fields.get("approximate"):
        return "Activation", {**basics, "activation": FUNCTIONS[kind]}
    if kind == "ThresholdedReLU":
        return "ReLU", {**basics, "threshold": fields["theta"]}
    if kind.startswith(("L2Pooling", "LpPooling")) or kind in (*FUNCTIONS, "TorchModule", "Lambda"):
        raise _unwritable(layer, f"Keras has no {kind}")
    if known_layers().get(kind) is not type(layer) and not getattr(layer, "of_keras", False):
        raise _unwritable(layer, f"Keras has no {kind}")
    for field in NATIVE_ONLY.get(kind, ()):
        usual = USUAL.get(field, "channels_last")
        given = fields.pop(field)
        meant = x.data_format if field == "data_format" and given is None else given
        if meant != usual:
            raise _unwritable(layer, f"{field}={meant!r}: Keras's {kind} knows only {usual!r}")
    if kind.endswith("D") and not isinstance(fields.get("padding", ""), str) and "Zero" not in kind:
        fields["padding"] = _padding_name(layer, x)
    said = SAID.get(kind, {})
    out = {said.get(field, field): _plain(layer, field, value) for field, value in fields.items()}
    if "data_format" in out and out["data_format"] is None:
        out["data_format"] = "channels_last" if kind == "Flatten" else x.data_format
    if kind in CHANNELS and out.get("axis") == -1 and x.data_format == "channels_first":
        out["axis"] = 1
    if layer.activity_regularizer is not None and not getattr(layer, "of_keras", False):
        out["activity_regularizer"] = _plain(layer, "regularizer", layer.activity_regularizer)
    return kind, {**basics, **out}


def _padding_name(layer: Any, x: Spec) -> str:
    """Return Keras's name for a padding that is given in numbers, here in front of `x`."""
    names = ("valid", "same") if "Conv" in type(layer).__name__ else ("valid",)
    for name in names:
        twin = type(layer)(**{**layer.config(), "padding": name})
        if twin.windows(x) == layer.windows(x):
            return name
    raise _unwritable(
        layer,
        f"padding={layer.padding!r}: Keras knows names alone",
        'L.ZeroPadding2D in front, and padding="valid"',
    )


def _plain(layer: Layer, field: str, value: Any) -> Any:
    if isinstance(value, Layer):  # of a wrapper
        kind, config = layer_config(value, Spec(()))
        name = value.name or snake(kind)  # an activation has none
        return _entry(kind, {**config, "name": name}, name)
    if hasattr(value, "get_config"):
        config = value.get_config()
        name = config.pop("name")
        if name == "FromFunction":
            return None
        kinds = {"initializer": "initializers", "regularizer": "regularizers"}
        room = kinds.get(field.rpartition("_")[2], "constraints")
        plain = {key: _plain(layer, key, item) for key, item in config.items()}
        return {
            "module": f"keras.{room}", "class_name": name, "config": plain, "registered_name": None,
        }  # fmt: skip
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(layer, field, item) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    raise _unwritable(layer, f"{field} holds code, which a file cannot: {value!r}")


def _unwritable(layer: Layer, what: str, fix: str = "") -> StoreError:
    return StoreError(
        layer.where,
        "cannot be written in Keras's format",
        got=what,
        need="layers that Keras 3 has",
        fix=(fix and f"{fix}, or ") + 'model.save("model.striate"), which holds every layer',
    )


def describe(model: Layer) -> tuple[str, Config]:
    """Return Keras 3's class and configuration of a model.

    Raises: StoreError for a model that is code, or a layer that Keras 3 does not have.
    """
    graph: Graph | None = getattr(model, "graph", None)
    if graph is None or not getattr(model, "runs_graph", False):
        raise StoreError(
            model.where,
            "is written as code, which a file cannot hold",
            need="a Sequential, or a Model of inputs and outputs",
            fix="model.save_weights(path), and load_weights into the same class",
        )
    about = {"name": model.name or "model", "trainable": model.trainable, "dtype": "float32"}
    names = {id(symbol): _free(symbol.name or "input_layer", graph) for symbol in graph.inputs}
    if len(set(names.values())) < len(names):
        names = {id(s): f"input_{n}" for n, s in enumerate(graph.inputs)}
    slots = {key: (name, 0, 0) for key, name in names.items()}
    entries = [_entry("InputLayer", {"batch_shape": list(s.shape), "dtype": s.dtype,
                                     "sparse": False, "name": names[id(s)]}, names[id(s)])
               for s in graph.inputs]  # fmt: skip
    found: dict[int, Config] = {}
    for node in graph.nodes:
        layer, name = node.layer, graph.names[node.layer]
        if id(layer) not in found:
            found[id(layer)] = _described(layer, name, node.inputs[0])
            entries.append(found[id(layer)])
        entry = found[id(layer)]
        number = len(entry["inbound_nodes"])
        entry["inbound_nodes"].append(_node(node, [(s, slots[id(s)]) for s in node.given]))
        slots |= {id(s): (name, number, index) for index, s in enumerate(node.outputs)}
    if hasattr(model, "adopt"):
        for entry in entries:
            del entry["inbound_nodes"]
        return "Sequential", {**about, "layers": entries}
    inputs = [list(slots[id(s)]) for s in graph.inputs]
    outputs = [_output(s, *slots[id(s)]) for s in graph.outputs]
    ends = {"input_layers": _single(inputs), "output_layers": _single(outputs)}
    return "Functional", {**about, "layers": entries, **ends}


def _single(refs: list[list[Any]]) -> list[Any]:
    """Return one value as it is, several as a list: what Keras's model then takes and gives."""
    return refs[0] if len(refs) == 1 else refs


def _output(symbol: Symbol, name: str, call: int, index: int) -> list[Any]:
    """Return a value as an output of the network: Keras counts the making of a model as a call."""
    layer = symbol.node.layer if symbol.node else None
    own = hasattr(layer, "runs_graph") and not hasattr(layer, "adopt")
    return [name, call + 1 if own else call, index]


def _described(layer: Layer, name: str, x: Symbol) -> Config:
    if hasattr(layer, "runs_graph"):
        kind, config = describe(layer)
        return _entry(kind, {**config, "name": name}, name)
    if keras_operations.TOLD in vars(layer):
        module, kind, settings, _ = _told(layer)
        entry = _entry(kind, {"name": name, **settings}, name)
        return {**entry, "module": f"keras.src.ops.{module}", "registered_name": kind}
    if type(layer).__name__ == OPERATION:
        entry = _entry(OPERATORS[layer.config()["operator"]], {"name": name}, name)
        return {**entry, "module": "keras.src.ops.numpy", "registered_name": entry["class_name"]}
    kind, config = layer_config(layer, x.spec)
    return _entry(kind, {**config, "name": name}, name)


def _told(layer: Layer) -> tuple[str, str, Config, Config]:
    """Return what a file says of a function of `keras.ops`."""
    try:
        return keras_operations.entry(vars(layer)[keras_operations.TOLD])
    except (KeyError, TypeError):
        raise _unwritable(layer, f"there is no class of {layer.name} in Keras's files") from None


def _entry(kind: str, config: Config, name: str) -> Config:
    modules = {"Sequential": "keras", "Functional": "keras.src.models.functional"}
    return {
        "module": modules.get(kind, "keras.layers"), "class_name": kind, "config": config,
        "registered_name": "Functional" if kind == "Functional" else None, "name": name,
        "inbound_nodes": [],
    }  # fmt: skip


def _node(node: Node, given: list[tuple[Symbol, Ref]]) -> Config:
    layer: Layer = node.layer
    tensors: list[Any] = [
        {"class_name": "__keras_tensor__",
         "config": {"shape": list(s.shape), "dtype": s.dtype, "keras_history": list(ref)}}
        for s, ref in given
    ]  # fmt: skip
    if keras_operations.TOLD in vars(layer):
        call = _told(layer)[3]
        try:
            told = {key: keras_operations.written(one, tensors.__getitem__)
                    for key, one in call.items()}  # fmt: skip
        except TypeError as error:
            raise _unwritable(layer, str(error)) from None
        placed = [key for index, key in enumerate(told) if not index or key.isdigit()]
        return {"args": [told.pop(key) for key in placed], "kwargs": told}
    if type(layer).__name__ == OPERATION:
        left, right = layer.config()["left"], layer.config()["right"]
        args = [*([] if left is None else [left]), *tensors, *([] if right is None else [right])]
        return {"args": args, "kwargs": {}}
    kwargs = {key: value for key, value in node.words.items() if key != "given"}
    if getattr(layer, "takes_states", False) and len(tensors) > 1:
        return {"args": tensors[:1], "kwargs": {"initial_state": tensors[1:]}}
    if not getattr(layer, "takes_a_list", True):
        named = dict(zip(node.words["given"], tensors, strict=True))
        args = [named.pop(key) for key in ("query", "value") if key in named]
        return {"args": args, "kwargs": {**named, **kwargs}}
    return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": kwargs}


def _free(name: str, graph: Graph) -> str:
    return f"{name}_input" if name in graph.layers else name
