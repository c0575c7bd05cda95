"""Convolution of each channel on its own: depthwise, or separable, which then mixes channels."""

from __future__ import annotations

import dataclasses

from torch import Tensor

from ..core.operation import Chain, Correlate
from ..core.spec import Spec
from ..core.window import Pad, Window
from .conv import Convolution, Sizes
from .convolve import convolve
from .kernel import Initial, Limit, Penalty


class Depthwise(Convolution):
    """What convolutions of single channels share: the words of the weight that does it."""

    depthwise_initializer: Initial = dataclasses.field(default="glorot_uniform", kw_only=True)
    depthwise_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    depthwise_constraint: Limit = dataclasses.field(default=None, kw_only=True)


class DepthwiseConv(Depthwise):
    """Slide `depth_multiplier` kernels of its own over each channel; channels are not mixed.

    Shape: (H, W, C) -> (H', W', C * depth_multiplier).
    Source: Keras 3's DepthwiseConv2D; kernel (*kernel_size, C, depth_multiplier).
    """

    kernel_size: Sizes
    strides: Sizes = 1
    padding: Pad = "valid"
    depth_multiplier: int = 1
    dilation_rate: Sizes = 1

    def channel_groups(self, x: Spec) -> int:
        """Return one group for each channel."""
        return x.channels or 1

    def build(self, *x: Spec) -> None:
        """Create the kernel (*kernel_size, C, depth_multiplier) and the bias."""
        channels = self.known_channels(self.seen(x[0]))
        self.slide(self.seen(x[0]))
        shape = (*self.sizes("kernel_size"), channels, self.depth_multiplier)
        self.kernel = self.add_kernel("kernel", shape, "depthwise")
        self.bias = self.add_bias(channels * self.depth_multiplier)

    def channels_out(self, x: Spec) -> int:
        """Return C * depth_multiplier."""
        return (x.channels or 1) * self.depth_multiplier

    def macs(self, *specs: Spec) -> int:
        """Return outputs * taps."""
        return (specs[1].numel or 0) * self.taps()

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Correlate in a group for each channel, then the activation."""
        seen = self.seen(x[0])
        groups = self.channel_groups(seen)
        return self.sliding(x[0], Correlate(self.slides(seen), groups, "kernel", self.bias_name))

    def before_activation(self, *x: Tensor) -> Tensor:
        """Correlate each channel with its kernels and add the bias."""
        y = self.correlate(
            self.channels_first(x[0]), depthwise(self.kernel), self.bias, self.kernel.shape[-2]
        )
        return self.restore(y)


class DepthwiseConv1D(DepthwiseConv):
    __doc__ = DepthwiseConv.__doc__
    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    __doc__ = DepthwiseConv.__doc__
    rank = 2


class SeparableConv(Depthwise):
    """A depthwise convolution, then a 1x1 convolution that mixes the channels.

    Shape: (H, W, C) -> (H', W', filters).
    Source: Keras 3's SeparableConv2D; no activation or bias between the two.
    """

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Pad = "valid"
    dilation_rate: Sizes = 1
    depth_multiplier: int = 1
    pointwise_initializer: Initial = dataclasses.field(default="glorot_uniform", kw_only=True)
    pointwise_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    pointwise_constraint: Limit = dataclasses.field(default=None, kw_only=True)

    def build(self, *x: Spec) -> None:
        """Create the two kernels, (*kernel_size, C, m) and (1.., C * m, filters), and the bias."""
        channels = self.known_channels(self.seen(x[0]))
        self.slide(self.seen(x[0]))
        taps = (*self.sizes("kernel_size"), channels, self.depth_multiplier)
        mixed = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self.add_kernel("depthwise_kernel", taps, "depthwise")
        self.pointwise_kernel = self.add_kernel("pointwise_kernel", mixed, "pointwise")
        self.bias = self.add_bias(self.filters)

    def macs(self, *specs: Spec) -> int:
        """Return places * C * m * (taps + filters)."""
        x, y = specs
        places = (y.numel or 0) // self.filters
        return (
            places
            * (self.seen(x).channels or 0)
            * self.depth_multiplier
            * (self.taps() + self.filters)
        )

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Correlate in a group for each channel, then all of them, then the activation."""
        seen = self.seen(x[0])
        return self.sliding(
            x[0],
            Correlate(self.slides(seen), seen.channels or 1, "depthwise_kernel"),
            Correlate((Window(),) * self.rank, 1, "pointwise_kernel", self.bias_name),
        )

    def before_activation(self, *x: Tensor) -> Tensor:
        """Correlate each channel, mix the channels, add the bias."""
        kernel = self.depthwise_kernel
        y = self.correlate(self.channels_first(x[0]), depthwise(kernel), groups=kernel.shape[-2])
        mix = self.pointwise_kernel.movedim((-1, -2), (0, 1))
        return self.restore(convolve(y, mix, self.bias))


class SeparableConv1D(SeparableConv):
    __doc__ = SeparableConv.__doc__
    rank = 1
    paddings = ("valid", "same", "causal")


class SeparableConv2D(SeparableConv):
    __doc__ = SeparableConv.__doc__
    rank = 2


def depthwise(kernel: Tensor) -> Tensor:
    """Return a (*k, C, m) kernel as the (*k, 1, C * m) kernel of a convolution in C groups."""
    return kernel.flatten(-2).unsqueeze(-2)
