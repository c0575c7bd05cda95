"""Where `keras.ops` has other words, or another meaning, than TensorFlow's function of the name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .. import tensor_math as math, tensor_nn as nn, tensor_shapes as shapes
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
    "clip": {"x_min": "min_value", "x_max": "max_value"},
    "cond": {"true_fn": "a", "false_fn": "b"}, "tile": {"repeats": "n"},
    "slice": {"inputs": "input", "start_indices": "begin", "shape": "size"},
    "stop_gradient": {"variable": "x"}, "flip": {"axis": "axes"}, "transpose": {"axes": "perm"},
    "reshape": {"newshape": "shape"}, "pad": {"pad_width": "paddings"},
    "scatter": {"values": "updates"}, "moveaxis": {"source": "a", "destination": "b"},
    "swapaxes": {"axis1": "a", "axis2": "b"}, "rot90": {"array": "x"},
    "select": {"condlist": "conditions", "choicelist": "choices"},
}  # fmt: skip


_TWO = ("x1", "x2")
ORDERS: Mapping[str, tuple[str, ...]] = {  # of the first arguments, which are called otherwise here
    **dict.fromkeys((
        "add", "arctan2", "divide", "divide_no_nan", "dot", "equal", "floor_divide", "greater",
        "greater_equal", "less", "less_equal", "logaddexp", "logical_and", "logical_or",
        "logical_xor", "maximum", "minimum", "mod", "multiply", "not_equal", "power", "subtract",
        "true_divide", "vdot", "matmul"), _TWO),
    "tensordot": (*_TWO, "axes"), "where": ("condition", *_TWO), "polar": ("abs_", "angle"),
    **dict.fromkeys(("bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "left_shift",
                     "right_shift"), ("x", "y")),
    "map": ("f", "xs"), "vectorized_map": ("function", "elements"),
    "separable_conv": ("inputs", "depthwise_kernel", "pointwise_kernel"),
}  # fmt: skip


def worded(names: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return functions that also take the words of `keras.ops`."""
    return {
        **{name: _worded(names[name], words) for name, words in WORDS.items()},
        **{name: _placed(names[name], order) for name, order in ORDERS.items()},
    }


def _placed(function: Callable[..., Any], order: tuple[str, ...]) -> Callable[..., Any]:
    def call(*args: Any, **given: Any) -> Any:
        named = itertools.takewhile(given.__contains__, order[len(args) :])
        return function(*args, *[given.pop(word) for word in [*named]], **given)

    return call


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


def largest(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """Return the largest values along axes, and not less than `initial`."""
    found = math.max_(x, axis, keepdims)
    return found if initial is None else found.clamp(min=initial)


def smallest(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """Return the smallest values along axes, and not more than `initial`."""
    found = math.min_(x, axis, keepdims)
    return found if initial is None else found.clamp(max=initial)


def product(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """Return the product along axes."""
    return _as(math.prod(x, axis, keepdims), dtype)


def _as(x: Tensor, dtype: Any) -> Tensor:
    return x if dtype is None else x.to(kind(dtype))


def _running(function: Callable[..., Tensor]) -> Callable[..., Any]:
    """Return sums or products so far along an axis; of all values, where none is said."""

    def call(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
        x = tensor(x)
        flat = x.reshape(-1) if axis is None else x
        return _as(function(flat, axis or 0), dtype)

    return lift(call)


def _best(function: Callable[..., Tensor]) -> Callable[..., Any]:
    def call(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
        x = tensor(x)
        found: Tensor = function(x, axis)
        if not keepdims:
            return found
        return found.unsqueeze(axis) if axis is not None else found.reshape((1,) * x.dim())

    return lift(call)


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None,
            sparse: bool = False) -> Tensor:  # fmt: skip
    """Return classes as vectors of one 1."""
    return shapes.one_hot(x, num_classes, axis=axis, dtype=dtype or "float32")


def taken(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return the parts at these places along an axis, of all values in a row where none is said."""
    x, places = tensor(x), tensor(indices).long()
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis % x.dim())
    return shapes.gather(x, torch.where(places < 0, places + x.shape[axis], places), axis)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
             dtype: Any = None, axis: int = 0) -> Any:  # fmt: skip
    """Return so many values at one distance, from a beginning on."""
    a, b = floating(start), floating(stop)
    step = (b - a) / max(num - 1 if endpoint else num, 1)
    at = torch.arange(num, dtype=a.dtype).reshape(-1, *(1,) * (a + b).dim())
    made = _as((a + at * step).movedim(0, axis), dtype)
    return (made, step) if retstep else made


def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: Any = None) -> Tensor:
    """Return vectors along an axis divided by their norm."""
    x = floating(x)
    size = torch.linalg.vector_norm(x, order, axis, keepdim=True)
    return x / size.clamp(min=1e-7 if epsilon is None else epsilon)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """Return x with values around it: so many on each side, or (before, after) for each axis."""
    x = tensor(x)
    widths = [pad_width] if isinstance(pad_width, int) else list(pad_width)
    pairs = [(one, one) if isinstance(one, int) else tuple(one) for one in widths]
    if len(widths) == 2 and all(isinstance(one, int) for one in widths):
        pairs = [tuple(widths)]
    pairs = pairs * x.dim() if len(pairs) == 1 else pairs
    return shapes.pad(x, pairs, mode, constant_values or 0)


def softmax(x: Any, axis: Any = -1) -> Tensor:
    """Return exp(x) divided by its sum, along one axis or several."""
    return log_softmax(x, axis).exp() if isinstance(axis, (tuple, list)) else nn.softmax(x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Tensor:
    """Return the logarithm of softmax, along one axis or several."""
    x = floating(x)
    return x - x.logsumexp(axis, keepdim=True)


def expand_dims(x: Any, axis: Any) -> Tensor:
    """Return x with axes of one value more, at places of the result."""
    x = tensor(x)
    several = [axis] if isinstance(axis, int) else list(axis)
    rank = x.dim() + len(several)
    for place in sorted(one % rank for one in several):
        x = x.unsqueeze(place)
    return x


def batch_normalization(x: Any, mean: Any, variance: Any, axis: int, offset: Any = None,
                        scale: Any = None, epsilon: float = 1e-3) -> Tensor:  # fmt: skip
    """Return scale (x - mean) / sqrt(variance + epsilon) + offset, along an axis."""
    x = floating(x)
    shape = [-1 if at == axis % x.dim() else 1 for at in range(x.dim())]
    mean, variance, offset, scale = (
        None if one is None else floating(one).reshape(shape)
        for one in (mean, variance, offset, scale)
    )
    return nn.batch_normalization(x, mean, variance, offset, scale, epsilon)


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Tensor:
    """Return an array with other values at some places; or these added, multiplied, compared."""
    out, places = tensor(inputs).clone(), tuple(tensor(indices).long().unbind(-1))
    values = tensor(updates).to(out.dtype)
    if reduction in (None, "add"):
        return out.index_put_(places, values, accumulate=reduction == "add")
    join = {"mul": torch.mul, "max": torch.maximum, "min": torch.minimum}[reduction]
    for number in range(len(places[0])):
        at = tuple(place[number] for place in places)
        out[at] = join(out[at], values[number])
    return out


def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1,
          axis: Any = None) -> Tensor:  # fmt: skip
    """Return the vectors that stand on two others."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    a, b = floating(x1).movedim(axisa, -1), floating(x2).movedim(axisb, -1)
    return torch.linalg.cross(*torch.broadcast_tensors(a, b)).movedim(-1, axisc)


def squareplus(x: Any, b: float = 4) -> Tensor:
    """Return (x + sqrt(x^2 + b)) / 2."""
    x = floating(x)
    return (x + (x * x + b).sqrt()) / 2


def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """Return numbers in the place of what is none."""
    return floating(x).nan_to_num(nan, posinf, neginf)


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Return where values are among others, or with `invert`, are not."""
    return torch.isin(tensor(x1), tensor(x2), invert=invert)


def layer_normalization(x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1,
                        epsilon: Any = None, **words: Any) -> Tensor:  # fmt: skip
    """Return gamma (x - mean) / sqrt(variance + epsilon) + beta, along an axis."""
    mean, variance = nn.moments(x, axis, keepdims=True)
    return nn.batch_normalization(
        x, mean, variance, beta, gamma, 1e-7 if epsilon is None else epsilon
    )


MEANT: dict[str, Callable[..., Any]] = {
    "split": lift(array_split), "average": lift(average), "eye": eye, "round": lift(rounded),
    "identity": lambda n, dtype="float32": eye(n, dtype=dtype), "linspace": linspace,
    "elu": lift(nn.elu), "max": lift(largest), "min": lift(smallest), "prod": lift(product),
    "leaky_relu": lift(lambda x, negative_slope=0.2: nn.leaky_relu(x, negative_slope)),
    "gelu": lambda x, approximate=True: lift(nn.gelu)(x, approximate),
    "cumsum": _running(math.cumsum), "cumprod": _running(math.cumprod),
    "argmax": _best(math.argmax), "argmin": _best(math.argmin), "take": lift(taken),
    "celu": lift(lambda x, alpha=1.0: functional.celu(floating(x), alpha)),
    "hard_shrink": lift(lambda x, threshold=0.5: functional.hardshrink(floating(x), threshold)),
    "soft_shrink": lift(lambda x, threshold=0.5: functional.softshrink(floating(x), threshold)),
    "diagflat": lift(lambda x, k=0: torch.diagflat(tensor(x), k)),
    **{made.__name__: lift(made) for made in (
        one_hot, normalize, pad, softmax, log_softmax, expand_dims, batch_normalization,
        scatter_update, cross, squareplus, nan_to_num, isin, layer_normalization)},
}  # fmt: skip
