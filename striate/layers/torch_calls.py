"""What calls of torch's functions compute, in operations, by the names of the functions."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from ..core.operation import (
    Chain,
    Concatenate,
    GlobalPool,
    Merge,
    Reshape,
    from_user,
    last_axis,
    to_user,
)
from ..core.spec import Spec
from .torch_operations import unturned

AS_MODULES: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu_": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "softmax": nn.Softmax,
    "log_softmax": nn.LogSoftmax,
    "flatten": nn.Flatten,
}
MERGES = {
    "add": "add",
    "iadd": "add",
    "sub": "subtract",
    "isub": "subtract",
    "mul": "multiply",
    "imul": "multiply",
    "maximum": "maximum",
    "minimum": "minimum",
}
IDLE = {"inplace": False, "dtype": None, "_stacklevel": 3}  # arguments that modules do without
BATCH = "batch"  # stands for the size of the batch among the arguments


def operations(
    function: Callable[..., Any],
    word: str,
    rest: Sequence[Any],
    words: Mapping[str, Any],
    x: Sequence[Spec],
    y: Spec,
    training: bool,
) -> Chain | None:
    """Return the chain of a call of inputs `x`, further arguments `rest` and `words`, giving `y`.

    None for functions that are not torch's own, and for calls that are no such chain.
    """
    if isinstance(function, types.FunctionType) and not function.__module__.startswith("torch"):
        return None
    if word in MERGES:
        return _merge(MERGES[word], rest, words, x)
    if word in ("cat", "concat", "concatenate"):
        return _concatenate(rest, words, x)
    if len(x) != 1:
        return None
    if word in ("view", "reshape"):
        return _reshape(rest, x[0], y)
    if word == "mean":
        return _mean(rest, words, x[0])
    if word == "dropout":
        return _drop(rest, words, x[0], training)
    return _module(word, rest, words, x[0], y, training) if word in AS_MODULES else None


def _merge(
    kind: str, rest: Sequence[Any], words: Mapping[str, Any], x: Sequence[Spec]
) -> Chain | None:
    alike = len({(len(spec.shape), spec.data_format) for spec in x}) == 1
    return (Merge(kind),) if len(x) == 2 and alike and not rest and not words else None


def _concatenate(rest: Sequence[Any], words: Mapping[str, Any], x: Sequence[Spec]) -> Chain | None:
    dim = (*rest, words.get("dim", words.get("axis", 0)))[0]
    rank = len(x[0].shape)
    alike = len({(len(spec.shape), spec.data_format) for spec in x}) == 1
    if not alike or not isinstance(dim, int) or not dim % (rank + 1):
        return None
    return (Concatenate(last_axis(x[0], dim % (rank + 1) - 1)),)


def _reshape(rest: Sequence[Any], x: Spec, y: Spec) -> Chain | None:
    sizes = rest[0] if len(rest) == 1 and isinstance(rest[0], (tuple, list)) else rest
    apart = bool(sizes) and (sizes[0] == BATCH or (sizes[0] == -1 and None not in x.shape))
    if not apart or y.shape.count(None) > 1 or x.numel != y.numel:
        return None
    shape = tuple(-1 if size is None else size for size in y.shape)
    return (*to_user(x), Reshape(shape), *from_user(y))


def _mean(rest: Sequence[Any], words: Mapping[str, Any], x: Spec) -> Chain | None:
    keepdims = (*rest[1:], words.get("keepdim", False))[0]
    axes = (*rest[:1], words.get("dim"))[0]
    rank = len(x.shape)
    if x.data_format != "channels_first" or rank < 2 or not isinstance(axes, (tuple, list)):
        return None
    spatial = {axis % (rank + 1) for axis in axes} == set(range(2, rank + 1))
    return (GlobalPool("average", bool(keepdims)),) if spatial else None


def _drop(rest: Sequence[Any], words: Mapping[str, Any], x: Spec, training: bool) -> Chain | None:
    if "training" not in words or len(rest) > 1:  # the function itself always drops
        return None
    rate = (*rest, words.get("p", 0.5))[0]
    return unturned(nn.Dropout(rate), x, x, training)


def _module(
    word: str, rest: Sequence[Any], words: Mapping[str, Any], x: Spec, y: Spec, training: bool
) -> Chain | None:
    fields = {key: value for key, value in words.items() if key not in IDLE}
    if words.get("dtype") is not None or len(rest) + len(fields) > (2 if word == "flatten" else 1):
        return None
    if word == "flatten" and not rest and "start_dim" not in fields:
        return None  # the function begins at the batch, the module behind it
    return unturned(AS_MODULES[word](*rest, **fields), x, y, training)
