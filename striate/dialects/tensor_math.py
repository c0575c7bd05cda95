"""Numbers of tensors, in the words of TensorFlow and Keras: elementwise, reduced, compared."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .symbolic import kind, tensor

Axis = int | tuple[int, ...] | list[int] | None


def floating(x: Any) -> Tensor:
    """Return a tensor of floating point; whole numbers become float32."""
    x = tensor(x)
    return x if x.is_floating_point() else x.float()


def _axes(x: Tensor, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.dim()))
    if isinstance(axis, (Tensor, np.ndarray)):
        axis = axis.tolist()
    return tuple(axis) if isinstance(axis, (list, tuple, range)) else (int(axis),)


def mean(x: Any, axis: Axis = None, keepdims: bool = False, keep_dims: bool = False) -> Tensor:
    """Return the mean along axes, all of them for None."""
    x = floating(x)
    return x.mean(_axes(x, axis), keepdim=keepdims or keep_dims) if x.dim() else x


def sum_(x: Any, axis: Axis = None, keepdims: bool = False, keep_dims: bool = False) -> Tensor:
    """Return the sum along axes."""
    x = tensor(x)
    return x.sum(_axes(x, axis), keepdim=keepdims or keep_dims) if x.dim() else x


def max_(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest value along axes."""
    x = tensor(x)
    return x.amax(_axes(x, axis), keepdim=keepdims) if x.dim() else x


def min_(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the least value along axes."""
    x = tensor(x)
    return x.amin(_axes(x, axis), keepdim=keepdims) if x.dim() else x


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the product along axes."""
    x = tensor(x)
    for at in sorted((a % x.dim() for a in _axes(x, axis)), reverse=True):
        x = x.prod(at, keepdim=keepdims)
    return x


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the variance along axes, divided by n."""
    x = floating(x)
    return x.var(_axes(x, axis), correction=0, keepdim=keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the standard deviation along axes, of the variance divided by n."""
    return var(x, axis, keepdims).sqrt()


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))) along axes."""
    x = floating(x)
    return x.logsumexp(_axes(x, axis), keepdim=keepdims)


def any_(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return whether any value along axes is true."""
    return max_(tensor(x).bool().to(torch.uint8), axis, keepdims).bool()


def all_(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return whether all values along axes are true."""
    return min_(tensor(x).bool().to(torch.uint8), axis, keepdims).bool()


def _ordered(x: Any) -> Tensor:
    """Return numbers that can be compared: of truths, 0 and 1."""
    made = tensor(x)
    return made.to(torch.uint8) if made.dtype == torch.bool else made


def argmax(x: Any, axis: int | None = -1) -> Tensor:
    """Return the place of the largest value along an axis."""
    return _ordered(x).argmax(axis)


def argmin(x: Any, axis: int | None = -1) -> Tensor:
    """Return the place of the least value along an axis."""
    return _ordered(x).argmin(axis)


def cumsum(x: Any, axis: int = 0) -> Tensor:
    """Return running sums along an axis."""
    return tensor(x).cumsum(axis)


def cumprod(x: Any, axis: int = 0) -> Tensor:
    """Return running products along an axis."""
    return tensor(x).cumprod(axis)


def norm(x: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the norm of vectors along axes."""
    order = 2 if ord in (None, "euclidean") else ord
    return torch.linalg.vector_norm(floating(x), order, axis, keepdim=keepdims)


def clip(x: Any, min_value: Any = None, max_value: Any = None) -> Tensor:
    """Return values brought into a range."""
    return tensor(x).clamp(min_value, max_value)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Tensor:
    """Return values brought into a range."""
    return tensor(t).clamp(clip_value_min, clip_value_max)


def clip_by_norm(t: Any, clip_norm: float) -> Tensor:
    """Return a tensor no longer than `clip_norm`."""
    t = floating(t)
    return t * (clip_norm / torch.linalg.vector_norm(t).clamp(min=clip_norm))


def clip_by_global_norm(
    t_list: Any, clip_norm: float, use_norm: Any = None, name: Any = None
) -> tuple[list[Any], Tensor]:
    """Return tensors that together are no longer than `clip_norm`, and how long they were."""
    given = [None if t is None else floating(t) for t in t_list]
    norm = global_norm(given) if use_norm is None else tensor(use_norm)
    share = clip_norm / norm.clamp(min=clip_norm)
    return [None if t is None else t * share for t in given], norm


def global_norm(t_list: Any, name: Any = None) -> Tensor:
    """Return the length of tensors as one vector."""
    several = [floating(t).flatten() for t in t_list if t is not None]
    return torch.linalg.vector_norm(torch.cat(several))


def cast(x: Any, dtype: Any) -> Tensor:
    """Return values in another dtype; what can do so itself, such as a sparse tensor, does."""
    found: Tensor = (x if hasattr(x, "to") else tensor(x)).to(kind(dtype))
    return found


def l2_normalize(x: Any, axis: Axis = None, epsilon: float = 1e-12) -> Tensor:
    """Return x / |x| along axes."""
    x = floating(x)
    return x * (x * x).sum(_axes(x, axis), keepdim=True).clamp(min=epsilon).rsqrt()


def l2_loss(t: Any) -> Tensor:
    """Return half the sum of squares."""
    return (tensor(t) ** 2).sum() / 2


def sign(x: Any) -> Tensor:
    """Return -1, 0 or 1."""
    return tensor(x).sign()


def pow_(x: Any, a: Any) -> Tensor:
    """Return x to the power of a."""
    return torch.pow(floating(x), a if isinstance(a, (int, float)) else tensor(a))


def lerp(start: Any, stop: Any, weight: Any) -> Tensor:
    """Return what lies between two tensors."""
    return torch.lerp(floating(start), floating(stop), weight)


def identity(input: Any, name: Any = None) -> Tensor:
    """Return the values."""
    return tensor(input).clone()


def divide_no_nan(x: Any, y: Any, name: Any = None) -> Tensor:
    """Return x / y, and 0 where y is 0."""
    a, b = floating(x), floating(y)
    return torch.where(b == 0, torch.zeros_like(a), a / torch.where(b == 0, 1.0, b))


def stop_gradient(x: Any) -> Tensor:
    """Return the values, as constants."""
    return tensor(x).detach()


def logit_power(x: Any) -> Tensor:
    """Return log(1 + exp(x))."""
    return functional.softplus(floating(x))


def _unary(function: Any, name: str) -> Callable[..., Tensor]:
    def call(x: Any, name: Any = None) -> Tensor:
        return function(floating(x))

    call.__name__ = call.__qualname__ = name
    return call


def _pair(function: Any, name: str) -> Callable[..., Tensor]:
    def call(x: Any, y: Any, name: Any = None) -> Tensor:
        a, b = tensor(x), tensor(y)
        return function(a.to(b.device), b)

    call.__name__ = call.__qualname__ = name
    return call


def is_in_top_k(predictions: Any, targets: Any, k: int) -> Tensor:
    """Return whether each class is among the k largest predictions."""
    best = tensor(predictions).topk(k, -1).indices
    return (best == tensor(targets).reshape(-1, 1)).any(-1)


UNARY = {
    name: _unary(function, name)
    for name, function in {
        "square": torch.square, "sqrt": lambda x: x.clamp(min=0).sqrt(), "rsqrt": torch.rsqrt,
        "exp": torch.exp, "expm1": torch.expm1, "log": torch.log, "log1p": torch.log1p,
        "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "atan": torch.atan,
        "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
        "softplus": functional.softplus, "softsign": functional.softsign, "erf": torch.erf,
        "reciprocal": torch.reciprocal, "log2": torch.log2,
        "log10": lambda x: x.log() / math.log(10), "log_sigmoid": functional.logsigmoid,
        "is_nan": torch.isnan, "isnan": torch.isnan, "isfinite": torch.isfinite,
        "isinf": torch.isinf, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
        "is_finite": torch.isfinite, "is_inf": torch.isinf, "rint": torch.round,
        "trunc": torch.trunc, "acos": torch.acos, "asin": torch.asin, "acosh": torch.acosh,
        "asinh": torch.asinh, "atanh": torch.atanh, "lgamma": torch.lgamma,
        "digamma": torch.digamma, "erfinv": torch.erfinv, "exp2": torch.exp2,
        "nan_to_num": torch.nan_to_num, "celu": functional.celu,
        "squareplus": lambda x: (x + (x * x + 4).sqrt()) / 2, "tanh_shrink": functional.tanhshrink,
        "soft_shrink": functional.softshrink, "hard_shrink": functional.hardshrink,
        "hard_tanh": functional.hardtanh, "hard_silu": functional.hardswish,
        "hard_swish": functional.hardswish, "mish": functional.mish,
        "zero_fraction": lambda x: (x == 0).float().mean(),
    }.items()
}  # fmt: skip
UNARY |= {
    "abs": (lambda x, name=None: tensor(x).abs()),
    "negative": (lambda x, name=None: -tensor(x)),
    "logical_not": (lambda x, name=None: tensor(x).logical_not()),
}
PAIRS = {
    name: _pair(function, name)
    for name, function in {
        "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.true_divide,
        "floor_divide": torch.floor_divide, "mod": torch.remainder, "maximum": torch.maximum,
        "minimum": torch.minimum, "equal": torch.eq, "not_equal": torch.ne, "greater": torch.gt,
        "greater_equal": torch.ge, "less": torch.lt, "less_equal": torch.le,
        "logical_and": torch.logical_and, "logical_or": torch.logical_or,
        "logical_xor": torch.logical_xor, "atan2": torch.atan2,
        "squared_difference": lambda x, y: (x - y) ** 2, "logaddexp": torch.logaddexp,
        "xlogy": torch.xlogy, "xdivy": lambda x, y: torch.where(x == 0, 0.0, x / y),
        "multiply_no_nan": lambda x, y: torch.where(y == 0, 0.0, x * y),
        "bitwise_and": torch.bitwise_and, "bitwise_or": torch.bitwise_or,
    }.items()
}  # fmt: skip
NUMPY = {  # keras.ops says some as NumPy does
    "arccos": "acos", "arcsin": "asin", "arctan": "atan", "arccosh": "acosh", "arcsinh": "asinh",
    "arctanh": "atanh",
}  # fmt: skip
PYTHON = {"floordiv": "floor_divide", "floormod": "mod", "truediv": "divide", "realdiv": "divide",
          "true_divide": "divide", "arctan2": "atan2"}  # fmt: skip
UNARY |= {name: UNARY[same] for name, same in NUMPY.items()}
PAIRS |= {name: PAIRS[same] for name, same in PYTHON.items()}
REDUCED = (mean, sum_, max_, min_, prod, var, std, logsumexp, any_, all_)
OTHERS = (
    argmax, argmin, cumsum, cumprod, norm, clip, cast, l2_normalize, sign, pow_, identity,
    stop_gradient,
)  # fmt: skip
