"""Layers of ReNom with weights: channels first, kernels that are turned by half a circle.

A convolution here is the mathematical one: the kernel of `params.w` is flipped in both directions
before it is laid on the image.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import ShapeError, caller
from ..strict import Strict
from .initializers import Gaussian, GlorotNormal
from .model import Model, Parametrized
from .node import Node, Variable, tensor_of

Sizes = Any  # a whole number, or one for each spatial axis


def each(value: Sizes, rank: int) -> tuple[int, ...]:
    """Return one number for each spatial axis."""
    return tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (value,) * rank


def images(where: str, x: Any, rank: int = 2) -> Tensor:
    """Return a batch of images as a tensor; say which axes it should have."""
    tensor = tensor_of(x)
    if tensor.ndim != rank + 2:
        axes = ("D", "H", "W")[3 - rank :]
        raise ShapeError(
            where,
            f"asks for {rank + 2} axes",
            got=f"shape {tuple(tensor.shape)}",
            need=f"(N, C, {', '.join(axes)}), channels first",
            fix="x.reshape(-1, 1, 28, 28) for digits" if rank == 2 else "",
            at=caller(),
        )
    return tensor


def flipped(kernel: Tensor) -> Tensor:
    """Return kernels turned by half a circle."""
    return kernel.flip(tuple(range(2, kernel.ndim)))


CONVOLUTIONS: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED: dict[int, Callable[..., Tensor]] = {
    1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d,
}  # fmt: skip


def add_bias(y: Tensor, bias: Any) -> Tensor:
    """Return images plus a number for each channel."""
    return y if bias is None else y + tensor_of(bias)


class Conv2d(Parametrized):
    """Convolution of images: weights (out, in, height, width), bias (1, out, 1, 1).

    Raises: ShapeError for an input that has other axes, or is smaller than the kernel.
    """

    rank: int | None = 2

    def __init__(
        self,
        channel: int = 32,
        filter: Sizes = 3,
        padding: Sizes = 0,
        stride: Sizes = 1,
        dilation: Sizes = 1,
        input_size: Any = None,
        ignore_bias: bool = False,
        initializer: Any = None,
        weight_decay: float = 0.0,
    ) -> None:
        self._channel, self._kernel, self._padding = channel, filter, padding
        self._stride, self._dilation, self._ignore_bias = stride, dilation, ignore_bias
        self._initializer, self._weight_decay = initializer or GlorotNormal(), weight_decay
        super().__init__(input_size)

    def shape_of(self, channels: int, window: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the weights."""
        return (self._channel, channels, *window)

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights, then the bias."""
        rank = len(size_i) - 1
        shape = self.shape_of(size_i[0], each(self._kernel, rank))
        weights = {
            "w": Variable(self._initializer(shape), weight_decay=self._weight_decay),
            "b": Variable(np.zeros((1, self._channel, *(1,) * rank))),
        }
        self.params = weights if not self._ignore_bias else {"w": weights["w"]}

    def __call__(self, x: Any, *args: Any, **words: Any) -> Any:
        """Convolve; make the weights in the first call."""
        images(f"rm.{type(self).__name__}", x, self.rank or np.ndim(x) - 2)
        return super().__call__(x, *args, **words)

    def forward(self, x: Any) -> Any:
        """Convolve."""
        return Node.of(add_bias(self.convolve(tensor_of(x)), self.params.get("b")))

    def options(self, rank: int) -> dict[str, Any]:
        """Return stride, padding and dilation, one for each axis."""
        fields = {"stride": self._stride, "padding": self._padding, "dilation": self._dilation}
        return {name: each(value, rank) for name, value in fields.items()}

    def convolve(self, x: Tensor) -> Tensor:
        """Return the sums of products, without the bias."""
        rank = x.ndim - 2
        given = self.options(rank)
        window = each(self._kernel, rank)
        for axis in range(rank):
            size, pad = x.shape[2 + axis], given["padding"][axis]
            room = (window[axis] - 1) * given["dilation"][axis] + 1
            if size + 2 * pad < room:
                raise ShapeError(
                    f"rm.{type(self).__name__}",
                    "the kernel does not fit the image",
                    got=f"input {tuple(x.shape)}, axis {2 + axis} = {size}",
                    need=f"at least {room - 2 * pad}",
                    math=f"({size} + 2 * {pad} - {room}) // {given['stride'][axis]} + 1 < 1",
                    fix=f"padding={(room - 1) // 2}, or a smaller filter",
                    at=caller(),
                )
        return CONVOLUTIONS[rank](x, flipped(self.params.w.tensor), **given)


class GroupConv2d(Conv2d):
    """Convolution where each group of outputs sees its own group of inputs."""

    def __init__(self, channel: int = 32, filter: Sizes = 3, padding: Sizes = 0, stride: Sizes = 1,
                 dilation: Sizes = 1, groups: int = 1, **words: Any) -> None:  # fmt: skip
        self._groups = groups
        super().__init__(channel, filter, padding, stride, dilation, **words)

    def shape_of(self, channels: int, window: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the weights."""
        return (self._channel, channels // self._groups, *window)

    def options(self, rank: int) -> dict[str, Any]:
        """Return stride, padding and dilation, one for each axis, and the groups."""
        return {**super().options(rank), "groups": self._groups}


class ConvNd(Conv2d):
    """Convolution of any number of spatial axes, with weights from N(0, 0.01)."""

    rank: int | None = None

    def __init__(self, channel: int = 2, filter: Sizes = 3, padding: Sizes = 0, stride: Sizes = 1,
                 input_size: Any = None, ignore_bias: bool = False, initializer: Any = None,
                 weight_decay: float = 0.0) -> None:  # fmt: skip
        super().__init__(channel, filter, padding, stride, 1, input_size, ignore_bias,
                         initializer or Gaussian(), weight_decay)  # fmt: skip


class Conv3d(ConvNd):
    """Convolution of volumes."""

    rank = 3


class Deconv2d(Conv2d):
    """Transposed convolution: weights (in, out, height, width); size s (n - 1) + k - 2 p."""

    def __init__(self, channel: int = 1, *args: Any, **words: Any) -> None:
        super().__init__(channel, *args, **words)

    def shape_of(self, channels: int, window: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the weights."""
        return (channels, self._channel, *window)

    def convolve(self, x: Tensor) -> Tensor:
        """Return the sums of products, without the bias."""
        kernel = flipped(self.params.w.tensor)
        return TRANSPOSED[x.ndim - 2](x, kernel, **self.options(x.ndim - 2))


class DeconvNd(Deconv2d):
    """Transposed convolution of any number of spatial axes, with weights from N(0, 0.01)."""

    rank: int | None = None

    def __init__(self, channel: int = 2, *args: Any, initializer: Any = None, **words: Any) -> None:
        super().__init__(channel, *args, initializer=initializer or Gaussian(), **words)


class Dense(Parametrized):
    """x w + b: weights (in, out), bias (1, out); the input has two axes.

    Raises: ShapeError for images that were not flattened.
    """

    order: ClassVar[Literal["K", "F"]] = "F"  # as the kernels have it

    def __init__(
        self,
        output_size: int,
        input_size: Any = None,
        ignore_bias: bool = False,
        initializer: Any = None,
        weight_decay: float = 0.0,
    ) -> None:
        self._output_size, self._ignore_bias = output_size, ignore_bias
        self._initializer, self._weight_decay = initializer or GlorotNormal(), weight_decay
        super().__init__(input_size)

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights, then the bias."""
        shape = (int(size_i[0]), self._output_size)
        drawn = np.asarray(self._initializer(shape), order=self.order)
        weights = {
            "w": Variable(drawn, weight_decay=self._weight_decay),
            "b": Variable(np.zeros((1, self._output_size))),
        }
        self.params = weights if not self._ignore_bias else {"w": weights["w"]}

    def __call__(self, x: Any, *args: Any, **words: Any) -> Any:
        """Compute; make the weights in the first call."""
        shape = np.shape(x)
        known = self.params["w"].shape[0] if self.params else shape[-1]
        if len(shape) != 2 or shape[1] != known:
            raise ShapeError(
                "rm.Dense",
                "the input does not fit",
                got=f"shape {shape}",
                need=f"(N, {known})" if self.params else "two axes",
                fix="rm.Flatten() in front of it" if len(shape) > 2 else "",
                at=caller(),
            )
        return super().__call__(x, *args, **words)

    def forward(self, x: Any) -> Any:
        """Compute."""
        bias = self.params.get("b")
        weight = self.params.w.tensor.t()
        return Node.of(F.linear(tensor_of(x), weight, None if bias is None else bias.tensor[0]))


class Embedding(Parametrized):
    """Rows of weights (in, out), chosen by whole numbers (N, 1)."""

    def __init__(self, output_size: int, input_size: int, initializer: Any = None,
                 weight_decay: float = 0.0) -> None:  # fmt: skip
        self._output_size = output_size
        self._initializer, self._weight_decay = initializer or GlorotNormal(), weight_decay
        super().__init__(input_size)

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the rows."""
        rows = self._initializer((int(size_i[0]), self._output_size))
        self.params = {"w": Variable(rows, weight_decay=self._weight_decay)}

    def forward(self, x: Any) -> Any:
        """Return the rows."""
        return Node.of(F.embedding(tensor_of(x).long().reshape(-1), self.params.w.tensor))


# ---- drop, reshape -------------------------------------------------------------------------------


class Dropout(Model):
    """Sets a part of the numbers to zero, and scales the others up, unless `inference` is set."""

    def __init__(self, dropout_ratio: float = 0.5) -> None:
        self._dropout_ratio = dropout_ratio

    def shape(self, x: Tensor) -> tuple[int, ...]:
        """Return the shape of what is drawn."""
        return tuple(x.shape)

    def forward(self, x: Any) -> Any:
        """Draw, and drop."""
        tensor = tensor_of(x)
        if self.inference:
            return Node.of(tensor)
        return Node.of(tensor * _kept(self.shape(tensor), 1 - self._dropout_ratio))


class SpatialDropout(Dropout):
    """Dropout of whole channels."""

    def shape(self, x: Tensor) -> tuple[int, ...]:
        """Return the shape of what is drawn."""
        return (*x.shape[:2], *(1,) * (x.ndim - 2))


def _kept(shape: tuple[int, ...], share: float) -> Tensor:
    """Return 1 / share with that probability, else 0; drawn as NumPy's seed says."""
    seed = int(np.random.randint(2**31))  # noqa: NPY002  the generator that a script seeds
    generator = torch.Generator().manual_seed(seed)
    return torch.empty(shape).bernoulli_(share, generator=generator).div_(share)


class Flatten(metaclass=Strict):
    """Joins all axes but the first, channels first."""

    def __call__(self, x: Any) -> Any:
        """Return rows."""
        return Node.of(tensor_of(x).flatten(1))
