"""Layers of ReNom as functions, with the weights as arguments."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from .layers import Dropout, Sizes, SpatialDropout, add_bias, each, flipped, images
from .node import Node, tensor_of
from .normalize import Lrn
from .pooling import AveragePool2d, AverageUnPool2d, MaxPool2d, MaxUnPool2d


def conv2d(x: Any, w: Any, b: Any = None, filter: Sizes = 3, stride: Sizes = 1,
           padding: Sizes = 0, dilation: Sizes = 1) -> Any:  # fmt: skip
    """Convolve with flipped kernels (out, in, height, width)."""
    steps = each(stride, 2), each(padding, 2), each(dilation, 2)
    y = F.conv2d(images("rm.conv2d", x), flipped(tensor_of(w)), None, *steps)
    return Node.of(add_bias(y, b))


def deconv2d(x: Any, w: Any, b: Any = None, filter: Sizes = 3, stride: Sizes = 1,
             padding: Sizes = 0, dilation: Sizes = 1) -> Any:  # fmt: skip
    """Convolve transposed, with flipped kernels (in, out, height, width)."""
    y = F.conv_transpose2d(images("rm.deconv2d", x), flipped(tensor_of(w)), None, each(stride, 2),
                           each(padding, 2), dilation=each(dilation, 2))  # fmt: skip
    return Node.of(add_bias(y, b))


def dense(x: Any, w: Any, b: Any = None) -> Any:
    """Return x w + b."""
    return Node.of(add_bias(tensor_of(x) @ tensor_of(w), b))


def max_pool2d(x: Any, filter: Sizes = 3, stride: Sizes = 1, padding: Sizes = 0) -> Any:
    """Return the largest number of each window."""
    return MaxPool2d(filter, padding, stride)(x)


def average_pool2d(x: Any, filter: Sizes = 3, stride: Sizes = 1, padding: Sizes = 0) -> Any:
    """Return the mean of each window."""
    return AveragePool2d(filter, padding, stride)(x)


def dropout(x: Any, dropout_ratio: float = 0.5, inference: bool = False) -> Any:
    """Set a part of the numbers to zero, and scale the others up."""
    layer = Dropout(dropout_ratio)
    layer.inference = inference
    return layer(x)


def spatial_dropout(x: Any, dropout_ratio: float = 0.5, inference: bool = False) -> Any:
    """Set a part of the channels to zero, and scale the others up."""
    layer = SpatialDropout(dropout_ratio)
    layer.inference = inference
    return layer(x)


def flatten(x: Any) -> Any:
    """Join all axes but the first."""
    return Node.of(tensor_of(x).flatten(1))


def lrn(x: Any, n: int = 5, k: float = 2, a: float = 1e-4, b: float = 0.75) -> Any:
    """Divide by what the nearest channels sum up to."""
    return Lrn(n, k, a, b)(x)


def max_unpool2d(x: Any, prev_pool: Any = None) -> Any:
    """Put each number where the largest one of its window was."""
    return MaxUnPool2d()(x, prev_pool)


def average_unpool2d(x: Any, prev_pool: Any = None) -> Any:
    """Spread each number evenly over its window."""
    return AverageUnPool2d()(x, prev_pool)


FUNCTIONS = {
    one.__name__: one
    for one in (conv2d, deconv2d, dense, max_pool2d, average_pool2d, dropout, spatial_dropout,
                flatten, lrn, max_unpool2d, average_unpool2d)
}  # fmt: skip
