"""A network of torch as layers that a file can hold: names and numbers, no code."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..core.graph import Graph
from ..core.layer import Layer
from ..core.spec import Spec
from ..core.symbol import Input, Node, Symbol
from ..errors import StoreError
from .merge import Add, Concatenate, Maximum, Minimum, Multiply, Subtract
from .pool import GlobalAveragePooling2D, GlobalAveragePooling3D
from .preprocess import Rescaling
from .reshape import Permute, Reshape
from .steps import GlobalAveragePooling1D
from .torch_calls import AS_MODULES, IDLE, MERGES
from .torch_function import of_call
from .wrap import Batch, Opaque, Place, TorchCall, TorchModule

MERGED: dict[str, type[Layer]] = {
    "add": Add,
    "subtract": Subtract,
    "multiply": Multiply,
    "maximum": Maximum,
    "minimum": Minimum,
}
SCALED: dict[str, Callable[[float], tuple[float, float]]] = {  # with a number: scale and offset
    "add": lambda by: (1.0, by),
    "iadd": lambda by: (1.0, by),
    "sub": lambda by: (1.0, -by),
    "isub": lambda by: (1.0, -by),
    "mul": lambda by: (by, 0.0),
    "imul": lambda by: (by, 0.0),
    "truediv": lambda by: (1 / by, 0.0),
    "itruediv": lambda by: (1 / by, 0.0),
    "div": lambda by: (1 / by, 0.0),
}
SAME = ("contiguous", "clone", "detach", "float")
MEANS = (GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D)


def in_layers(where: str, graph: Graph) -> tuple[tuple[Symbol, ...], tuple[Symbol, ...]]:
    """Return inputs and outputs of the same network, with a layer for each call of a function.

    Raises: StoreError for a call that has none, or a network that is one piece of code.
    """
    replaced: dict[int, Layer] = {}

    def call(node: Node, given: list[Any]) -> Any:
        parts = node.layer.unfolded(*given)
        if parts is not None:
            return parts
        inner = getattr(node.layer, "in_layers", None)  # a Model, which this room cannot import
        layer = replaced.get(id(node.layer)) or (inner() if inner else _held(where, node))
        replaced[id(node.layer)] = layer
        return layer(*given)

    starts = tuple(
        Input(s.spec.shape, s.spec.dtype, data_format=s.spec.data_format, name=s.name)
        for s in graph.inputs
    )
    return starts, graph.run(starts, call)


def same(one: nn.Module, other: nn.Module, inputs: Sequence[Symbol]) -> bool:
    """Return whether two networks give the same for two samples of noise, in inference.

    Where a size is not known, the noise is 64 wide; what does not run on it is not the same.
    """
    modes = {part: part.training for part in (*one.modules(), *other.modules())}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        x = [
            torch.rand(2, *(size or 64 for size in symbol.spec.shape)).to(
                getattr(torch, symbol.spec.dtype)
            )
            for symbol in inputs
        ]
        try:
            for net in (one, other):
                nn.Module.train(net, False)  # a script's own class may have another `eval`
            found = [_answer(net, x) for net in (one, other)]
        except RuntimeError:
            return False
        finally:
            for part, mode in modes.items():
                part.training = mode
    return all(
        torch.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)
        for a, b in zip(*found, strict=True)
    )


def _answer(net: nn.Module, x: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return the outputs of a network, on the processor, wherever its weights are."""
    device = next((weight.device for weight in net.parameters()), torch.device("cpu"))
    y = net(*(one.to(device) for one in x))
    several = tuple(y.values()) if isinstance(y, Mapping) else y if isinstance(y, tuple) else (y,)
    return [one.cpu() for one in several]


def refused(where: str, what: str, got: Any) -> StoreError:
    """Return the error for a network that a file cannot hold, with the part that it is."""
    named = type(got).__name__ if isinstance(got, nn.Module) else getattr(got, "__name__", got)
    return StoreError(
        where,
        f"holds {what}, and a file holds no code",
        got=named,
        need="modules of torch.nn and functions that have layers: relu, flatten, view, add, cat...",
        fix="modules in the place of it, or model.save_weights(path) and load_weights into the "
        "same class",
    )


def _held(where: str, node: Node) -> Layer:
    """Return the layer of a call, or one in its place that holds no code."""
    layer: Layer = node.layer
    if isinstance(layer, Opaque):
        raise refused(where, "code that cannot be followed", layer.module)
    if isinstance(layer, TorchModule) and getattr(
        nn, type(layer.module).__name__, None
    ) is not type(layer.module):
        raise refused(where, f"a module that is not of torch.nn, {layer.name}", layer.module)
    if not isinstance(layer, TorchCall):
        return layer
    found: Layer | None = None
    if len(node.outputs) == 1:
        found = as_layer(layer, [s.spec for s in node.inputs], node.outputs[0].spec)
    found = found or of_call(layer)
    if found is None:
        raise refused(where, f"a call of {layer.word} that no layer stands for", layer.function)
    found.rename(layer.name)
    return found


def as_layer(call: TorchCall, x: Sequence[Spec], y: Spec) -> Layer | None:
    """Return a layer that does what a call of a torch function does; None where none is known.

    What is returned is a guess by the function's name: whoever uses it compares the outputs.
    """
    function, word, words = call.function, call.word, dict(call.kwargs)
    if isinstance(function, types.FunctionType) and not function.__module__.startswith("torch"):
        return None
    places = tuple(Place(index) for index in range(len(x)))
    listed = call.args[:1] in ((places,), (list(places),))
    rest = call.args[1:] if listed else call.args[len(x) :]
    if any(True for _ in (*call.parameters(), *call.buffers())):
        return None
    if word in MERGES and len(x) == 2 and not rest and not words:
        return MERGED[MERGES[word]]()
    if word in ("cat", "concat", "concatenate"):
        return Concatenate((*rest, words.get("dim", words.get("axis", 0)))[0])
    return _of_one(word, rest, words, x[0], y) if len(x) == 1 else None


def _of_one(
    word: str, rest: Sequence[Any], words: Mapping[str, Any], x: Spec, y: Spec
) -> Layer | None:
    if word in SCALED and len(rest) == 1 and isinstance(rest[0], (int, float)) and not words:
        return Rescaling(*SCALED[word](float(rest[0])))
    if word in ("view", "reshape") and None not in y.shape:
        sizes = rest[0] if len(rest) == 1 and isinstance(rest[0], (tuple, list)) else rest
        kept = bool(sizes) and sizes[0] in (Batch(1), -1)
        return Reshape(tuple(size or -1 for size in y.shape)) if kept else None
    if word == "permute":
        dims = rest[0] if len(rest) == 1 else rest
        return Permute(tuple(dims[1:])) if dims and dims[0] == 0 else None
    if word == "mean":
        axes = (*rest[:1], words.get("dim"))[0]
        rank, keeps = len(x.shape), (*rest[1:], words.get("keepdim", False))[0]
        spatial = isinstance(axes, (tuple, list)) and {a % (rank + 1) for a in axes} == set(
            range(2, rank + 1)
        )
        return MEANS[rank - 2](keepdims=bool(keeps)) if spatial and 2 <= rank <= 4 else None
    if word == "dropout" and "training" in words:
        return TorchModule(nn.Dropout((*rest, words.get("p", 0.5))[0]))
    if word == "pad" and len(x.shape) == 3:
        sizes, mode, value = (*rest, *(words.get(key, 0) for key in ("pad", "mode", "value")
                                       [len(rest):]))  # fmt: skip
        plain = mode in (0, "constant") and len(sizes) <= 4
        return TorchModule(nn.ConstantPad2d((*sizes, 0, 0)[:4], value or 0.0)) if plain else None
    if word in SAME:
        return TorchModule(nn.Identity())
    if word in AS_MODULES:
        given = {key: value for key, value in words.items() if key not in IDLE}
        return TorchModule(AS_MODULES[word](*rest, **given))
    return None
