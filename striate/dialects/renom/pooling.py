"""Pooling of ReNom: the stride is 1 unless given; what is padded is zero, also for a maximum."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import caller
from ..strict import Strict
from ..table import DialectError
from .layers import Sizes, each, images
from .node import Node, tensor_of

AVERAGE: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
TRANSPOSED: dict[int, Any] = {
    1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d,
}  # fmt: skip
MAXIMUM = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


class MaxPool2d(metaclass=Strict):
    """The largest number of each window.

    Raises: ShapeError for an input of other axes.
    """

    rank: int | None = 2

    def __init__(self, filter: Sizes = 3, padding: Sizes = 0, stride: Sizes = 1) -> None:
        self._kernel, self._padding, self._stride = filter, padding, stride

    def __call__(self, x: Any) -> Any:
        """Pool; the node remembers its input, for MaxUnPool2d."""
        before = images(f"rm.{type(self).__name__}", x, self.rank or tensor_of(x).ndim - 2)
        node = Node.of(self.pool(before))
        node.pooled = self, before
        return node

    def pool(self, x: Tensor) -> Tensor:
        """Return the pooled numbers."""
        rank = x.ndim - 2
        padding = each(self._padding, rank)
        if any(padding):  # torch would pad with minus infinity
            x = F.pad(x, [side for one in reversed(padding) for side in (one, one)])
        return MAXIMUM[rank](x, each(self._kernel, rank), each(self._stride, rank))


class AveragePool2d(MaxPool2d):
    """The mean of each window; zeros of the padding count."""

    def pool(self, x: Tensor) -> Tensor:
        """Return the pooled numbers."""
        rank = x.ndim - 2
        sizes = (self._kernel, self._stride, self._padding)
        pooled: Tensor = AVERAGE[rank](x, *(each(size, rank) for size in sizes))
        return pooled


class MaxPoolNd(MaxPool2d):
    """The largest number of each window, of any number of spatial axes."""

    rank = None

    def __init__(self, kernel: Sizes = 3, padding: Sizes = 0, stride: Sizes = 1) -> None:
        super().__init__(kernel, padding, stride)


class AveragePoolNd(AveragePool2d):
    """The mean of each window, of any number of spatial axes."""

    rank = None

    def __init__(self, kernel: Sizes = 3, padding: Sizes = 0, stride: Sizes = 1) -> None:
        super().__init__(kernel, padding, stride)


class MaxUnPool2d(metaclass=Strict):
    """Puts each number where the largest one of its window was; zeros elsewhere."""

    def __call__(self, x: Any, prev_pool: Any = None) -> Any:
        """Return images of the size that the pooling began with."""
        pooling, before = _pooled(type(self).__name__, x if prev_pool is None else prev_pool)
        rank = before.ndim - 2
        pad = each(pooling._padding, rank)
        wide = F.pad(before.detach(), [side for one in reversed(pad) for side in (one, one)])
        kernel, stride = each(pooling._kernel, rank), each(pooling._stride, rank)
        _, places = MAXIMUM[rank](wide, kernel, stride, return_indices=True)
        values = tensor_of(x).reshape(places.shape)
        flat = torch.zeros(wide.shape).to(values).flatten(2)
        out = flat.scatter_add(2, places.flatten(2), values.flatten(2)).reshape(wide.shape)
        inner: Any = tuple(
            slice(one, size - one) for one, size in zip(pad, wide.shape[2:], strict=True)
        )
        return Node.of(out[(..., *inner)])


class MaxUnPoolNd(MaxUnPool2d):
    """The same for any number of spatial axes."""


class AverageUnPool2d(metaclass=Strict):
    """Spreads each number evenly over its window; what windows share is added up."""

    def __call__(self, x: Any, prev_pool: Any = None) -> Any:
        """Return images of the size that the pooling began with."""
        pooling, before = _pooled(type(self).__name__, x if prev_pool is None else prev_pool)
        rank, channels = before.ndim - 2, before.shape[1]
        kernel, stride, pad = (
            each(one, rank) for one in (pooling._kernel, pooling._stride, pooling._padding)
        )
        values = tensor_of(x)
        share = values.new_full((channels, 1, *kernel), 1 / math.prod(kernel))
        sizes = zip(values.shape[2:], kernel, stride, pad, before.shape[2:], strict=True)
        more = [size - ((n - 1) * step + k - 2 * p) for n, k, step, p, size in sizes]
        return Node.of(TRANSPOSED[rank](values, share, None, stride, pad, more, channels))


class AverageUnPoolNd(AverageUnPool2d):
    """The same for any number of spatial axes."""


def _pooled(where: str, node: Any) -> Any:
    """Return the pooling that made a node, and what it was made of."""
    found = getattr(node, "pooled", None)
    if found is None:
        raise DialectError(
            f"ReNom 2.7 {where}",
            "does not know which pooling it undoes",
            need="what the pooling has given, as the second argument",
            fix=f"rm.{where}()(x, pooled)",
            at=caller(),
        )
    return found


def global_average_pool2d(x: Any) -> Any:
    """Return the mean of each channel, (N, C, 1, 1)."""
    return Node.of(images("rm.global_average_pool2d", x).mean(dim=(2, 3), keepdim=True))
