"""Convolutions, poolings and paddings of one, two and three axes, in the words of Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..layers.convolve import convolve
from .symbolic import tensor
from .tensor_math import floating
from .tensor_nn import LAST, conv2d, depthwise_conv2d, same
from .tensor_shapes import sizes

BACK = {
    1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d
}  # fmt: skip
MAXIMA = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
MEANS = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


def _sides(value: Any, rank: int) -> tuple[int, ...]:
    """Return one number for each axis; TensorFlow's lists also have the batch and the channels."""
    several = [value] * rank if isinstance(value, int) else sizes(value)
    several = several[1:-1] if len(several) == rank + 2 else several
    return tuple(several * rank) if len(several) == 1 else tuple(several)


def _last(data_format: Any) -> bool:
    return data_format in (*LAST, "NWC", "NDHWC")


def conv(x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
         dilation_rate: Any = 1) -> Tensor:  # fmt: skip
    """Return the cross-correlation with a kernel (sides..., in, out), of as many axes as it has.

    With padding="causal", all of the padding is before.
    """
    x, kernel = floating(x), floating(kernel)
    rank, word = kernel.dim() - 2, padding.lower()
    s, d = _sides(strides, rank), _sides(dilation_rate, rank)
    x = x.movedim(-1, 1) if _last(data_format) else x
    if word == "same":
        x = same(x, kernel.shape[:rank], s, d)
    elif word == "causal":
        x = functional.pad(x, (d[0] * (kernel.shape[0] - 1), 0))
    groups = x.shape[1] // kernel.shape[-2]
    weight = kernel.movedim((-1, -2), (0, 1))
    out = convolve(x, weight, strides=s, dilation=d, groups=groups)
    return out.movedim(1, -1) if _last(data_format) else out


def conv1d(x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
           dilation_rate: Any = 1) -> Tensor:  # fmt: skip
    """Return the cross-correlation of sequences with a kernel (steps, in, out)."""
    return conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv3d(x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
           dilation_rate: Any = 1) -> Tensor:  # fmt: skip
    """Return the cross-correlation of volumes with a kernel (depth, rows, columns, in, out)."""
    return conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv_transpose(x: Any, kernel: Any, strides: Any = 1, padding: str = "valid",
                   output_padding: Any = None, data_format: Any = None,
                   dilation_rate: Any = 1) -> Tensor:  # fmt: skip
    """Return the gradient of a convolution with a kernel (sides..., out, in).

    A side becomes n s + max(k - s, 0), or n s with padding="same".
    """
    x, kernel = floating(x), floating(kernel)
    rank = kernel.dim() - 2
    s, d = _sides(strides, rank), _sides(dilation_rate, rank)
    inner = x.movedim(-1, 1) if _last(data_format) else x
    out = BACK[rank](inner, kernel.movedim((-1, -2), (0, 1)), stride=s, dilation=d)
    for axis, (n, k, step, spread) in enumerate(
        zip(inner.shape[2:], kernel.shape, s, d, strict=False), 2
    ):
        reach = (k - 1) * spread + 1
        if padding.lower() == "same":
            side, start = n * step, max(reach - step, 0) // 2
        else:
            side, start = n * step + max(reach - step, 0), 0
        extra = start + side - out.shape[axis]
        if extra > 0:
            out = functional.pad(out, [0, 0] * (out.dim() - axis - 1) + [0, extra])
        out = out.narrow(axis, start, side)
    return out.movedim(1, -1) if _last(data_format) else out


def conv2d_transpose(x: Any, kernel: Any, output_shape: Any = None, strides: Any = 1,
                     padding: str = "valid", data_format: Any = None,
                     dilation_rate: Any = 1, **words: Any) -> Tensor:  # fmt: skip
    """Return the gradient of a convolution; the size follows from strides and padding."""
    return conv_transpose(x, kernel, strides, padding, None, data_format, dilation_rate)


def separable_conv2d(x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1,
                     padding: str = "valid", data_format: Any = None,
                     dilation_rate: Any = 1, **words: Any) -> Tensor:  # fmt: skip
    """Return each channel's own correlations, and then a mixture of channels."""
    depthwise = words.get("depthwise_filter", depthwise_kernel)
    first = depthwise_conv2d(x, depthwise, strides, padding, data_format)
    return conv2d(first, pointwise_kernel, data_format=data_format)


def pool(x: Any, pool_size: Any, strides: Any = None, padding: str = "valid",
         data_format: Any = None, pool_mode: str = "max") -> Tensor:  # fmt: skip
    """Return the maximum or the average of windows of one, two or three axes."""
    x = floating(x)
    rank = x.dim() - 2
    window = _sides(pool_size, rank)
    steps = window if strides is None else _sides(strides, rank)
    x, ones = x.movedim(-1, 1) if _last(data_format) else x, (1,) * rank
    pads, largest = padding.lower() == "same", pool_mode == "max"
    if largest:
        x = same(x, window, steps, ones, -torch.inf) if pads else x
        out = MAXIMA[rank](x, window, steps)
    else:
        counts = torch.ones_like(x[:1, :1])
        if pads:
            x, counts = same(x, window, steps, ones), same(counts, window, steps, ones)
        out = MEANS[rank](x, window, steps) / MEANS[rank](counts, window, steps)
    return out.movedim(1, -1) if _last(data_format) else out


def pool3d(x: Any, pool_size: Any, strides: Any = None, padding: str = "valid",
           data_format: Any = None, pool_mode: str = "max") -> Tensor:  # fmt: skip
    """Return the maximum or the average of windows of volumes."""
    return pool(x, pool_size, (1, 1, 1) if strides is None else strides, padding, data_format,
                pool_mode)  # fmt: skip


def temporal_padding(x: Any, padding: Sequence[int] = (1, 1)) -> Tensor:
    """Return sequences with zeros before and behind."""
    return functional.pad(tensor(x), (0, 0, *sizes(padding)))


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: Any = None) -> Tensor:
    """Return images with zeros around."""
    rows, columns = ((side, side) if isinstance(side, int) else side for side in padding)
    channels = (0, 0) if _last(data_format) else ()
    return functional.pad(tensor(x), (*channels, *columns, *rows))


def spatial_3d_padding(x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)),
                       data_format: Any = None) -> Tensor:  # fmt: skip
    """Return volumes with zeros around."""
    sides = [(side, side) if isinstance(side, int) else side for side in padding]
    channels = (0, 0) if _last(data_format) else ()
    return functional.pad(tensor(x), (*channels, *(one for pair in sides[::-1] for one in pair)))


def asymmetric_spatial_2d_padding(
    x: Any, top_pad: int = 1, bottom_pad: int = 1, left_pad: int = 1, right_pad: int = 1,
    dim_ordering: Any = None,
) -> Tensor:  # fmt: skip
    """Return images with zeros around, in the words of Keras 1."""
    return spatial_2d_padding(x, ((top_pad, bottom_pad), (left_pad, right_pad)), dim_ordering)


def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5,
    name: Any = None,
) -> Tensor:  # fmt: skip
    """Return x / (bias + alpha sum x^2)^beta, the sum over the channels beside."""
    x = floating(input)
    squares = functional.pad(x.movedim(-1, 1).unsqueeze(1) ** 2,
                             (0, 0) * (x.dim() - 2) + (depth_radius, depth_radius))  # fmt: skip
    width = 2 * depth_radius + 1
    total = sum(squares.narrow(2, k, x.shape[-1]) for k in range(width))
    assert isinstance(total, Tensor)
    return x / (bias + alpha * total.squeeze(1).movedim(1, -1)) ** beta


WINDOWS = (
    conv1d, conv3d, conv2d_transpose, separable_conv2d, pool3d, temporal_padding,
    spatial_2d_padding, spatial_3d_padding, asymmetric_spatial_2d_padding,
)  # fmt: skip
