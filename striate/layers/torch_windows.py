"""How modules of torch.nn read their input: a table from a module to its geometry."""

from __future__ import annotations

import dataclasses
from typing import Any

from torch import nn

from ..core.spec import Spec
from ..core.window import (
    MOVES,
    POINTWISE,
    UNKNOWN,
    Axis,
    Geometry,
    Mix,
    Table,
    Window,
)
from .resize import between

IN_PLACE = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Softplus, nn.Softsign, nn.Hardtanh, nn.Hardsigmoid,
    nn.Hardswish, nn.Threshold, nn.Identity, nn.Dropout, nn.AlphaDropout, nn.Dropout1d,
    nn.Dropout2d, nn.Dropout3d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d,
)  # fmt: skip
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
AVERAGE_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
ADAPTIVE = (
    nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d,
)  # fmt: skip

INSTANCES = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)


def geometry(module: Any, shape: tuple[int | None, ...]) -> Geometry:
    """Return how a module reads a sample of this shape, in torch's order of axes."""
    rank = len(shape) - 1
    if isinstance(module, IN_PLACE):
        return POINTWISE
    if isinstance(module, nn.Flatten):
        return MOVES if module.start_dim >= 1 else UNKNOWN
    if isinstance(module, nn.GroupNorm):
        return (Mix(module.num_groups), *(Mix(),) * rank)
    if isinstance(module, INSTANCES):
        return POINTWISE if module.track_running_stats else (Window(), *(Mix(),) * rank)
    if isinstance(module, (nn.LayerNorm, nn.RMSNorm)):
        kept = len(shape) - len(module.normalized_shape)
        return (*(Window(),) * kept, *(Mix(),) * len(module.normalized_shape))
    if isinstance(module, nn.Upsample) and None not in shape:
        return _enlarges(module, shape)
    if isinstance(module, nn.Linear):
        return (*(Window(),) * rank, Mix())
    if isinstance(module, nn.Softmax):
        return _along(module.dim, len(shape))
    if isinstance(module, CONVOLUTIONS) and module.padding_mode == "zeros":
        return (Mix(module.groups), *_slides(module, rank))
    if isinstance(module, TRANSPOSED):
        return (Mix(module.groups), *_spread(module, rank))
    if isinstance(module, (*MAX_POOLS, *AVERAGE_POOLS)) and not module.ceil_mode:
        return (Window(), *_slides(module, rank))
    if isinstance(module, MAX_POOLS) and None not in shape:
        return (Window(), *_rounded_up(module, shape[1:]))
    if isinstance(module, ADAPTIVE) and None not in shape:
        return (Window(), *_adapts(module, shape[1:]))
    return UNKNOWN


def _each(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def _along(dim: int | None, axes: int) -> Geometry:
    if dim is None:
        return UNKNOWN
    axis = dim % (axes + 1) - 1
    return UNKNOWN if axis < 0 else tuple(Mix() if n == axis else Window() for n in range(axes))


def _slides(module: Any, rank: int) -> tuple[Window, ...]:
    kernel = _each(module.kernel_size, rank)
    dilation = _each(getattr(module, "dilation", 1), rank)
    if module.padding == "same":  # torch puts the odd cell at the end
        totals = [apart * (k - 1) for k, apart in zip(kernel, dilation, strict=True)]
        sides = [(total // 2, total - total // 2) for total in totals]
    else:
        word = 0 if module.padding == "valid" else module.padding
        sides = [(side, side) for side in _each(word, rank)]
    return tuple(
        Window(k, stride, apart, low, high)
        for k, stride, apart, (low, high) in zip(
            kernel, _each(module.stride, rank), dilation, sides, strict=True
        )
    )


def _rounded_up(module: Any, sizes: tuple[Any, ...]) -> tuple[Axis, ...]:
    """Return windows that go on over the end of an axis, so that all of it is read.

    One that would begin behind the end is left out. Source: pooling_output_shape of torch.
    """
    windows = []
    for window, size in zip(_slides(module, len(sizes)), sizes, strict=True):
        places = -(-(size + window.low + window.high - window.extent) // window.stride) + 1
        if (places - 1) * window.stride >= size + window.low:
            places -= 1
        high = (places - 1) * window.stride + window.extent - size - window.low
        windows.append(dataclasses.replace(window, high=max(high, window.high)))
    return tuple(windows)


def _spread(module: Any, rank: int) -> tuple[Axis, ...]:
    return tuple(
        Window(k, 1, apart, apart * (k - 1) - pad, apart * (k - 1) - pad + more, stride)
        for k, stride, apart, pad, more in zip(
            module.kernel_size,
            module.stride,
            module.dilation,
            module.padding,
            module.output_padding,
            strict=True,
        )
    )


def _enlarges(module: nn.Upsample, shape: tuple[Any, ...]) -> Geometry:
    """Return which inputs each output copies or lies between; unknown where torch rounds."""
    sizes, rank = shape[1:], len(shape) - 1
    if module.size is None:
        wanted = [n * f for n, f in zip(sizes, _each(module.scale_factor, rank), strict=True)]
    else:
        wanted = [float(n) for n in _each(module.size, rank)]
    if any(m % n for n, m in zip(sizes, wanted, strict=True)) or module.align_corners:
        return UNKNOWN
    whole = tuple(int(m) for m in wanted)
    if module.mode == "nearest":
        tables = [
            Table(tuple((i * n // m, i * n // m + 1) for i in range(m)))
            for n, m in zip(sizes, whole, strict=True)
        ]
        return (Window(), *tables)
    if module.mode not in ("linear", "bilinear", "trilinear"):
        return UNKNOWN
    x = Spec(shape, data_format="channels_first")
    return between(x, x.replace(whole))


def _adapts(module: Any, sizes: tuple[Any, ...]) -> tuple[Axis, ...]:
    wanted = _each(module.output_size, len(sizes))
    return tuple(
        Table(tuple((i * n // out, -(-(i + 1) * n // out)) for i in range(out)))
        for n, out in ((n, n if out is None else out) for n, out in zip(sizes, wanted, strict=True))
    )
