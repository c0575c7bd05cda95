"""The meaning of every operation, in torch: slow and plain, what all faster ways are compared with.

Batches are in channels-last order, (N, ..., C).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..core.operation import (
    Affine,
    BatchNorm,
    Concatenate,
    Correlate,
    Crop,
    Drop,
    GlobalPool,
    LayerNorm,
    Linear,
    Merge,
    Operation,
    Pad,
    Permute,
    Pointwise,
    Pool,
    Repeat,
    Reshape,
    Sides,
    Warp,
)
from ..core.window import Window
from ..layers.activation import FUNCTIONS
from ..layers.convolve import convolve
from ..layers.warp import warped
from .program import Program

Weight = Callable[[str], Tensor | None]
SPREAD: tuple[Any, ...] = (
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
)
MAX: tuple[Any, ...] = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
AVERAGE: tuple[Any, ...] = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)
MERGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "average": torch.add,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}


def reference(program: Program, *x: Tensor) -> tuple[Tensor, ...]:
    """Return the outputs of a program for batches in the user's layout, in that layout."""
    known: dict[int, Tensor] = {
        at: program.values[at].from_user(one) for at, one in zip(program.inputs, x, strict=True)
    }
    for step in program.steps:
        given = [known[at] for at in step.inputs]
        if type(step.operation) in COMPUTE:
            known[step.output] = compute(step.operation, given, step.weight)
            continue
        values = [program.values[at] for at in step.inputs]
        out = step.layer(*(v.to_user(one) for v, one in zip(values, given, strict=True)))
        several = out if isinstance(out, tuple) else (out,)
        for at, one in zip(step.outputs, several, strict=True):
            known[at] = program.values[at].from_user(one)
    return tuple(program.values[at].to_user(known[at]) for at in program.outputs)


def compute(operation: Operation, x: Sequence[Tensor], weight: Weight) -> Tensor:
    """Return what an operation that is not opaque gives; `weight` finds tensors by name."""
    return COMPUTE[type(operation)](operation, list(x), weight)


def _affine(op: Affine, x: list[Tensor], weight: Weight) -> Tensor:
    real = x[0] if x[0].is_floating_point() else x[0].float()
    scale, offset = (torch.tensor(n, dtype=real.dtype, device=real.device) for n in _both(op))
    return real * scale + offset


def _both(op: Affine) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return op.scale, op.offset


def _correlate(op: Correlate, x: list[Tensor], weight: Weight) -> Tensor:
    kernel, bias, rank = _kernel(op, x[0].shape[-1], weight), weight(op.bias), len(op.windows)
    first = x[0].movedim(-1, 1)
    dilation = [window.dilation for window in op.windows]
    if op.transposed:
        strides = [window.up for window in op.windows]
        y: Tensor = SPREAD[rank - 1](first, kernel, None, strides, 0, 0, op.groups, dilation)
        reach = [window.extent - 1 for window in op.windows]
        y = _pad(y, [(w.low - n, w.high - n) for w, n in zip(op.windows, reach, strict=True)])
        return y.movedim(1, -1) if bias is None else y.movedim(1, -1) + bias
    first = _pad(first, _sides(op.windows))
    strides = [window.stride for window in op.windows]
    y = convolve(first, kernel, bias, strides, (0,), dilation, op.groups)
    return y.movedim(1, -1)


def _kernel(op: Correlate, channels: int, weight: Weight) -> Tensor:
    """Return the kernel in torch's layout."""
    kernel = weight(op.kernel)
    assert kernel is not None
    if op.layout == "torch":
        return kernel
    if not op.transposed:
        kernel = kernel.reshape(*kernel.shape[:-2], channels // op.groups, -1)
    return kernel.movedim((-1, -2), (0, 1))


def _linear(op: Linear, x: list[Tensor], weight: Weight) -> Tensor:
    kernel = weight(op.kernel)
    assert kernel is not None
    return functional.linear(x[0], kernel if op.layout == "torch" else kernel.mT, weight(op.bias))


def _pool(op: Pool, x: list[Tensor], weight: Weight) -> Tensor:
    first, rank, sides = x[0].movedim(-1, 1), len(op.windows), _sides(op.windows)
    sizes = [window.kernel for window in op.windows]
    strides = [window.stride for window in op.windows]
    if op.kind == "max":
        dilation = [window.dilation for window in op.windows]
        padded = _pad(first, sides, -math.inf)
        y: Tensor = MAX[rank - 1](padded, sizes, strides, 0, dilation)
        return y.movedim(1, -1)
    y = AVERAGE[rank - 1](_pad(first, sides), sizes, strides)
    if not op.counts_padding and any(map(any, sides)):
        y = y / AVERAGE[rank - 1](_pad(torch.ones_like(first[:1, :1]), sides), sizes, strides)
    return y.movedim(1, -1)


def _global_pool(op: GlobalPool, x: list[Tensor], weight: Weight) -> Tensor:
    axes = tuple(range(1, x[0].dim() - 1))
    reduce = torch.mean if op.kind == "average" else torch.amax
    return reduce(x[0], axes, op.keepdims)


def _pointwise(op: Pointwise, x: list[Tensor], weight: Weight) -> Tensor:
    if op.function == "gelu_tanh":
        return functional.gelu(x[0], approximate="tanh")
    if not op.parameters:
        return FUNCTIONS[op.function](x[0])
    if op.function == "relu":
        end, slope, threshold = op.parameters
        below = slope * (x[0] - threshold)
        return torch.where(x[0] > threshold, x[0], below).clamp(max=end)
    (number,) = op.parameters
    return {"leaky_relu": functional.leaky_relu, "elu": functional.elu}[op.function](x[0], number)


def _batch_norm(op: BatchNorm, x: list[Tensor], weight: Weight) -> Tensor:
    moving_mean, moving_variance = weight(op.mean), weight(op.variance)
    assert moving_mean is not None
    assert moving_variance is not None
    first = x[0].movedim(-1, 1)
    affine = weight(op.gamma), weight(op.beta)
    if op.frozen:
        y = functional.batch_norm(first, moving_mean, moving_variance, *affine, eps=op.epsilon)
        return y.movedim(1, -1)
    axes = tuple(range(x[0].dim() - 1))
    with torch.no_grad():
        variance, mean = torch.var_mean(x[0], axes, correction=int(op.unbiased))
        moving_mean.lerp_(mean, 1 - op.momentum)
        moving_variance.lerp_(variance, 1 - op.momentum)
    return functional.batch_norm(first, None, None, *affine, True, 0.0, op.epsilon).movedim(1, -1)


def _layer_norm(op: LayerNorm, x: list[Tensor], weight: Weight) -> Tensor:
    gamma, beta = weight(op.gamma), weight(op.beta)
    return functional.layer_norm(x[0], x[0].shape[-1:], gamma, beta, op.epsilon)


def _merge(op: Merge, x: list[Tensor], weight: Weight) -> Tensor:
    rank = max(one.dim() for one in x)
    same = [one.reshape(len(one), *[1] * (rank - one.dim()), *one.shape[1:]) for one in x]
    y = functools.reduce(MERGES[op.kind], same)
    return y / len(x) if op.kind == "average" else y


def _concatenate(op: Concatenate, x: list[Tensor], weight: Weight) -> Tensor:
    return torch.cat(x, op.axis + 1)


def _reshape(op: Reshape, x: list[Tensor], weight: Weight) -> Tensor:
    return x[0].reshape(len(x[0]), *op.shape)


def _permute(op: Permute, x: list[Tensor], weight: Weight) -> Tensor:
    return x[0].permute(0, *(axis + 1 for axis in op.axes))


def _frame(op: Pad | Crop, x: list[Tensor], weight: Weight) -> Tensor:
    sign = 1 if isinstance(op, Pad) else -1
    sides = [(sign * low, sign * high) for low, high in op.amounts]
    return _pad(x[0].movedim(-1, 1), sides).movedim(1, -1)


def _repeat(op: Repeat, x: list[Tensor], weight: Weight) -> Tensor:
    y = x[0]
    for axis, factor in enumerate(op.factors, start=1):
        y = y.repeat_interleave(factor, axis)
    return y


def _drop(op: Drop, x: list[Tensor], weight: Weight) -> Tensor:
    shape = [1 if axis - 1 in op.shared else size for axis, size in enumerate(x[0].shape)]
    kept = torch.empty(shape, dtype=x[0].dtype, device=x[0].device).bernoulli_(1 - op.rate)
    return x[0] * kept / (1 - op.rate)


def _warp(op: Warp, x: list[Tensor], weight: Weight) -> Tensor:
    def draw(bounds: tuple[float, float]) -> Tensor:
        return torch.empty(len(x[0]), dtype=x[0].dtype, device=x[0].device).uniform_(*bounds)

    return warped(x[0].movedim(-1, 1), op, draw).movedim(1, -1)


def _sides(windows: Sequence[Window]) -> Sides:
    return tuple((window.low, window.high) for window in windows)


def _pad(first: Tensor, sides: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    """Return a channels-first batch with cells added, or cut where there are less than none."""
    if not any(map(any, sides)):
        return first
    return functional.pad(first, [n for pair in reversed(sides) for n in pair], value=value)


COMPUTE: dict[type, Callable[[Any, list[Tensor], Weight], Tensor]] = {
    Affine: _affine,
    Correlate: _correlate,
    Linear: _linear,
    Pool: _pool,
    GlobalPool: _global_pool,
    Pointwise: _pointwise,
    BatchNorm: _batch_norm,
    LayerNorm: _layer_norm,
    Merge: _merge,
    Concatenate: _concatenate,
    Reshape: _reshape,
    Permute: _permute,
    Pad: _frame,
    Crop: _frame,
    Repeat: _repeat,
    Drop: _drop,
    Warp: _warp,
}
