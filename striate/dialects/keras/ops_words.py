"""Where `keras.ops` has other words, or another meaning, than TensorFlow's function of the name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from .. import tensor_nn as nn
from ..symbolic import kind, lift, tensor
from ..tensor_math import floating
from ..tensor_numpy import array_split

# name: the words of keras.ops, and those of the function here
WORDS: Mapping[str, Mapping[str, str]] = {
    **{key: {"x": "values"} for key in ("argsort", "sort")},
    **{key: {"x": "input"} for key in (
        "broadcast_to", "top_k", "roll", "copy", "depth_to_space", "space_to_depth")},
    **{key: {"inputs": "x"} for key in ("conv", "conv_transpose", "depthwise_conv", "max_pool")},
    **{key: {"x": "value"} for key in ("unstack", "saturate_cast", "convert_to_numpy")},
    "clip": {"x_min": "min_value", "x_max": "max_value"}, "take": {"x": "reference"},
    "cond": {"true_fn": "a", "false_fn": "b"}, "tile": {"repeats": "n"},
    "slice": {"inputs": "input", "start_indices": "begin", "shape": "size"},
    "reshape": {"newshape": "shape"}, "pad": {"pad_width": "paddings"},
    "scatter": {"values": "updates"}, "moveaxis": {"source": "a", "destination": "b"},
    "swapaxes": {"axis1": "a", "axis2": "b"}, "rot90": {"array": "x"},
    "select": {"condlist": "conditions", "choicelist": "choices"},
}  # fmt: skip


def worded(names: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return functions that also take the words of `keras.ops`."""
    return {name: _worded(names[name], words) for name, words in WORDS.items()}


def _worded(function: Callable[..., Any], words: Mapping[str, str]) -> Callable[..., Any]:
    def call(*args: Any, **given: Any) -> Any:
        return function(*args, **{words.get(word, word): value for word, value in given.items()})

    return call


def average(x: Any, axis: Any = None, weights: Any = None) -> Tensor:
    """Return the mean along an axis, or of all values, each counted by its weight."""
    x = floating(x)
    share = torch.ones(()) if weights is None else floating(weights)
    if axis is not None and share.dim() == 1:
        share = share.reshape(-1, *(1,) * (x.dim() - 1 - axis % x.dim()))
    share = share.expand_as(x)
    over = tuple(range(x.dim())) if axis is None else axis
    return (x * share).sum(over) / share.sum(over)


def eye(N: int, M: Any = None, k: int = 0, dtype: Any = "float32") -> Tensor:  # noqa: N803
    """Return zeros with ones in a diagonal."""
    columns = N if M is None else M
    near = torch.arange(columns)[None] - torch.arange(N)[:, None] == k
    return near.to(kind(dtype or "float32"))


def rounded(x: Any, decimals: int = 0) -> Tensor:
    """Return the nearest numbers of so many decimals."""
    return torch.round(tensor(x), decimals=decimals)


MEANT: dict[str, Callable[..., Any]] = {
    "split": lift(array_split), "average": lift(average), "eye": eye, "round": lift(rounded),
    "identity": lambda n, dtype="float32": eye(n, dtype=dtype),
    "elu": lift(nn.elu), "leaky_relu": lift(nn.leaky_relu),
    "gelu": lambda x, approximate=True: lift(nn.gelu)(x, approximate),
}  # fmt: skip
