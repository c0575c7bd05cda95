"""What modules of torch.nn compute, in operations: a table from a module to its chain."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import nn

from ..core.operation import (
    BatchNorm,
    Chain,
    Correlate,
    Drop,
    GlobalPool,
    LayerNorm,
    Linear,
    Operation,
    Pad,
    Pointwise,
    Pool,
    Repeat,
    Reshape,
    Sides,
    along,
    reread,
    to_user,
)
from ..core.spec import Spec
from ..core.window import Window
from .activation import ACROSS
from .pool import alike
from .torch_windows import ADAPTIVE, AVERAGE_POOLS, CONVOLUTIONS, MAX_POOLS, TRANSPOSED, geometry

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
DROPS_OF_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
NAMED: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.SELU: "selu",
    nn.SiLU: "silu",
    nn.Mish: "mish",
    nn.Sigmoid: "sigmoid",
    nn.LogSigmoid: "log_sigmoid",
    nn.Tanh: "tanh",
    nn.Softsign: "softsign",
    nn.Hardsigmoid: "hard_sigmoid",
    nn.Hardswish: "hard_silu",
}


def operations(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    """Return the chain of a module on samples in torch's order of axes, channels first.

    Its weights have names that begin with `path`. None for a module that is not in the table, or of
    a class that is made from one in it.
    """
    kind = type(module)
    if watched(module):
        return None
    if kind in NAMED:
        return (Pointwise(NAMED[kind]),)
    return TABLE[kind](module, x, path, training) if kind in TABLE else None


def watched(module: nn.Module) -> bool:
    """Return whether hooks look at a module's tensors or gradients when it is called."""
    forward = module._forward_hooks or module._forward_pre_hooks
    return bool(forward or module._backward_hooks or module._backward_pre_hooks)


def unturned(module: Any, x: Spec, y: Spec, training: bool) -> Chain | None:
    """Return the chain of a module that is called "module", on the user's tensors as they are."""
    seen, given = (Spec(spec.shape, spec.dtype, "channels_first") for spec in (x, y))
    chain = operations(module, seen, "module", training)
    if not chain or all(map(elementwise, chain)):
        return chain
    return (*reread(x, seen), *chain, *reread(given, y))


def elementwise(operation: Operation) -> bool:
    """Return whether an operation is the same in any order of axes."""
    if isinstance(operation, Drop):
        return not operation.shared
    return isinstance(operation, Pointwise) and operation.function not in ACROSS


def _weight(module: Any, path: str, name: str) -> str:
    return "" if getattr(module, name) is None else f"{path}.{name}"


def _sliding(module: Any, x: Spec) -> tuple[Window, ...]:
    """Return the windows of the spatial axes, none where they are not known."""
    axes = geometry(module, x.shape)
    spatial = axes[1:] if isinstance(axes, tuple) and None not in x.spatial else ()
    return tuple(axis for axis in spatial if isinstance(axis, Window))


def _convolution(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    windows = _sliding(module, x)
    if not windows:
        return None
    bias = _weight(module, path, "bias")
    transposed = isinstance(module, TRANSPOSED)
    kernel = f"{path}.weight"
    return (Correlate(windows, module.groups, kernel, bias, transposed, "torch"),)


def _max_pool(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    windows = _sliding(module, x)
    return (Pool("max", windows),) if windows and not module.return_indices else None


def _average_pool(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    windows = _sliding(module, x)
    if not windows or getattr(module, "divisor_override", None) is not None:
        return None
    return (Pool("average", windows, module.count_include_pad),)


def _adaptive(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    wanted = module.output_size
    several = wanted if isinstance(wanted, tuple) else (wanted,) * len(x.spatial)
    average = type(module).__name__.startswith("AdaptiveAvg")
    if average and set(several) == {1}:
        return (GlobalPool("average", keepdims=True),)
    if getattr(module, "return_indices", False) or None in x.spatial:
        return None
    wanted = tuple(n if out is None else out for n, out in zip(x.spatial, several, strict=True))
    windows = alike(x.spatial, wanted)
    return None if windows is None else (Pool("average" if average else "max", windows),)


def _batch_norm(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    if module.running_mean is None or (training and module.momentum is None):
        return None
    gamma, beta = (_weight(module, path, name) for name in ("weight", "bias"))
    moving = (f"{path}.running_mean", f"{path}.running_var")
    old = 1 - (module.momentum or 0.0)
    return (BatchNorm(gamma, beta, *moving, module.eps, old, not training, unbiased=True),)


def _layer_norm(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    if len(module.normalized_shape) != 1:
        return None
    gamma = _weight(module, path, "weight")
    beta = _weight(module, path, "bias")
    return along(x, len(x.shape) - 1, LayerNorm(gamma, beta, module.eps))


def _linear(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    mix = Linear(f"{path}.weight", _weight(module, path, "bias"), "torch")
    return along(x, len(x.shape) - 1, mix)


def _flatten(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    rank = len(x.shape)
    if module.start_dim != 1 or module.end_dim not in (-1, rank):
        return None
    return (*to_user(x), Reshape((-1,))) if rank > 1 else ()


def _drop(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    if not training or not module.p:
        return ()
    if module.p == 1:
        return None
    spatial = range(len(x.shape) - 1) if isinstance(module, DROPS_OF_CHANNELS) else ()
    return (Drop(module.p, tuple(spatial)),)


def _softmax(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    rank = len(x.shape)
    if module.dim is None or not module.dim % (rank + 1):
        return None
    name = "softmax" if isinstance(module, nn.Softmax) else "log_softmax"
    return along(x, module.dim % (rank + 1) - 1, Pointwise(name))


def _upsample(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    rank, given = len(x.shape) - 1, module.scale_factor
    factors = given if isinstance(given, tuple) else (given,) * rank
    if module.mode != "nearest" or any(n is None or n < 1 or n % 1 for n in factors):
        return None
    return (Repeat(tuple(int(n) for n in factors)),)


def _zero_pad(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
    pairs = zip(module.padding[::2], module.padding[1::2], strict=True)  # the last axis first
    amounts: Sides = tuple(reversed(tuple(pairs)))
    return (Pad(amounts),) if all(n >= 0 for pair in amounts for n in pair) else None


def _one(make: Callable[[Any], Operation | None]) -> Callable[..., Chain | None]:
    """Return the function of a module that is one operation, made from its fields alone."""

    def chain(module: Any, x: Spec, path: str, training: bool) -> Chain | None:
        operation = make(module)
        return None if operation is None else (operation,)

    return chain


TABLE: dict[type[nn.Module], Callable[[Any, Spec, str, bool], Chain | None]] = {
    **dict.fromkeys((*CONVOLUTIONS, *TRANSPOSED), _convolution),
    **dict.fromkeys(MAX_POOLS, _max_pool),
    **dict.fromkeys(AVERAGE_POOLS, _average_pool),
    **dict.fromkeys(ADAPTIVE, _adaptive),
    **dict.fromkeys(BATCH_NORMS, _batch_norm),
    **dict.fromkeys((nn.Dropout, *DROPS_OF_CHANNELS), _drop),
    **dict.fromkeys((nn.Softmax, nn.LogSoftmax), _softmax),
    **dict.fromkeys((nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d), _zero_pad),
    nn.LayerNorm: _layer_norm,
    nn.Linear: _linear,
    nn.Flatten: _flatten,
    nn.Upsample: _upsample,
    nn.Identity: lambda module, x, path, training: (),
    nn.LeakyReLU: _one(lambda m: Pointwise("leaky_relu", (m.negative_slope,))),
    nn.ELU: _one(lambda m: Pointwise("elu", (m.alpha,))),
    nn.GELU: _one(lambda m: Pointwise("gelu" if m.approximate == "none" else "gelu_tanh")),
    nn.Threshold: _one(
        lambda m: Pointwise("relu", (math.inf, 0.0, m.threshold)) if m.value == 0 else None
    ),
    nn.Softplus: _one(
        lambda m: Pointwise("softplus") if (m.beta, m.threshold) == (1, 20) else None
    ),
    nn.Hardtanh: _one(
        lambda m: Pointwise("hard_tanh") if (m.min_val, m.max_val) == (-1, 1) else None
    ),
}
