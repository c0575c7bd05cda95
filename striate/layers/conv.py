"""Convolution for any number of spatial axes: plain, transposed, depthwise and separable.

Every class computes cross-correlation (the kernel is not flipped), as Keras and PyTorch do. Kernels
have Keras's logical shape, (*kernel_size, inputs, outputs). One class serves 1-D, 2-D and 3-D.
"""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from ..core.spec import Spec, checked_count, checked_sizes
from ..core.window import Geometry, Mix, Pad, Window, checked_padding, explicit, windows
from ..errors import ConfigError, ShapeError
from .kernel import Activation, Initial, Kernelled, Limit, Penalty
from .spatial import Spatial, pads

Sizes = int | tuple[int, ...]
CONV = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


class Convolution(Spatial, Kernelled):
    """What all convolutions share: a bias, an activation, checked sizes, windows that slide."""

    activation: Activation = dataclasses.field(default=None, kw_only=True)
    use_bias: bool = dataclasses.field(default=True, kw_only=True)
    bias_initializer: Initial = dataclasses.field(default="zeros", kw_only=True)
    bias_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    bias_constraint: Limit = dataclasses.field(default=None, kw_only=True)
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        Spatial.__post_init__(self)
        Kernelled.__post_init__(self)
        for field in ("kernel_size", "strides", "dilation_rate"):
            checked_sizes(self.where, field, getattr(self, field), self.rank)
        for field in ("filters", "groups", "depth_multiplier"):
            if field in self.__dataclass_fields__:
                checked_count(self.where, field, getattr(self, field))
        checked_padding(self.where, self.padding, self.rank, self.paddings)

    def sizes(self, field: str) -> tuple[int, ...]:
        """Return a hyper-parameter as one number per spatial axis."""
        return checked_sizes(self.where, field, getattr(self, field), self.rank)

    def slides(self, x: Spec) -> tuple[Window, ...]:
        """Return the window of each spatial axis."""
        return windows(
            x.spatial,
            self.sizes("kernel_size"),
            self.sizes("strides"),
            checked_padding(self.where, self.padding, self.rank, self.paddings),
            self.sizes("dilation_rate"),
        )

    def windows(self, *x: Spec) -> Geometry:
        """Slide over the spatial axes; mix the channels within a group."""
        seen = self.seen(x[0])
        return seen.axes(self.slides(seen), Mix(self.channel_groups(seen)))  # type: ignore[return-value]

    def channel_groups(self, x: Spec) -> int:
        """Return the number of groups that the channels fall into."""
        return 1

    def known_channels(self, x: Spec) -> int:
        """Return the input's channels, or raise: the kernel cannot be made without them."""
        if x.channels is None:
            raise ShapeError(
                self.where,
                "the number of channels must be known",
                got=f"input {x}",
                need="a number on the channel axis",
                fix="L.Input((None, None, 3)): only heights and widths may be None",
            )
        if self.built and x.channels != self.seen(self.specs[0]).channels:
            raise ShapeError(
                self.where,
                "is shared by inputs of different channels",
                got=f"input {x}",
                need=f"{self.seen(self.specs[0]).channels} channels, as at its first call",
                fix="one layer for each input",
            )
        return x.channels

    def taps(self) -> int:
        """Return the cells of the kernel."""
        return math.prod(self.sizes("kernel_size"))

    def correlate(
        self, x: Tensor, kernel: Tensor, bias: Tensor | None = None, groups: int = 1
    ) -> Tensor:
        """Slide a kernel of Keras's shape over a channels-first batch, padded as the fields say."""
        slides = self.slides(Spec(tuple(x.shape[1:]), data_format="channels_first"))
        strides, dilation = self.sizes("strides"), self.sizes("dilation_rate")
        even = all(window.low == window.high for window in slides)
        if not even:
            x = functional.pad(x, pads(slides))
        inner = [window.low if even else 0 for window in slides]
        weight = kernel.movedim((-1, -2), (0, 1))  # (*k, in, out) -> (out, in, *k)
        return CONV[self.rank](x, weight, bias, strides, inner, dilation, groups)


class Conv(Convolution):
    """Slide `filters` kernels over the input: y = activation(sum over window, channels of k*x + b).

    Fields: `filters` the number of kernels; `kernel_size`, `strides` and `dilation_rate` in cells,
    one number or one per axis; `padding` "valid" (none), "same" (ceil(size / stride) places), cells
    or pairs of cells; `groups` parts of the channels that do not see each other; `activation` a
    name or a function.

    Shape: (H, W, C) -> (H', W', filters).
    Raises: ConfigError for a value that cannot work, ShapeError where the kernel does not fit.
    Source: Keras 3's Conv. Cross-correlation; "same" as TensorFlow, the odd cell at the end.
    """

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Pad = "valid"
    dilation_rate: Sizes = 1
    groups: int = 1
    kernel_initializer: Initial = dataclasses.field(default="glorot_uniform", kw_only=True)
    kernel_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    kernel_constraint: Limit = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        if self.filters % self.groups:
            raise ConfigError(
                self.where,
                "the filters do not divide into the groups",
                got=f"filters={self.filters}, groups={self.groups}",
                need="filters % groups = 0",
                math=f"{self.filters} % {self.groups} = {self.filters % self.groups}",
                fix=f"filters={self.groups * -(-self.filters // self.groups)}",
            )

    def channel_groups(self, x: Spec) -> int:
        """Return the field `groups`."""
        return self.groups

    def build(self, *x: Spec) -> None:
        """Create the kernel (*kernel_size, C / groups, filters) and the bias (filters,)."""
        channels = self.known_channels(self.seen(x[0]))
        if channels % self.groups:
            divisors = [n for n in range(1, channels + 1) if not (channels % n or self.filters % n)]
            raise ShapeError(
                self.where,
                "the input's channels do not divide into the groups",
                got=f"input {x[0]}, groups={self.groups}",
                need="channels % groups = 0",
                math=f"{channels} % {self.groups} = {channels % self.groups}",
                fix=f"groups={max(n for n in divisors if n <= self.groups)}",
            )
        self.slide(self.seen(x[0]))
        shape = (*self.sizes("kernel_size"), channels // self.groups, self.filters)
        self.kernel = self.add_kernel("kernel", shape)
        self.bias = self.add_bias(self.filters)

    def infer(self, *x: Spec) -> Spec:
        """Return the places of the window, with `filters` channels."""
        seen = self.seen(x[0])
        self.known_channels(seen)
        return seen.replace(self.slide(seen), self.filters)

    def macs(self, *specs: Spec) -> int:
        """Return outputs * taps * channels of a group."""
        x, y = specs
        return (y.numel or 0) * self.taps() * (self.seen(x).channels or 0) // self.groups

    def before_activation(self, *x: Tensor) -> Tensor:
        """Correlate and add the bias."""
        y = self.correlate(self.channels_first(x[0]), self.kernel, self.bias, self.groups)
        return self.restore(y)


class Conv1D(Conv):
    __doc__ = Conv.__doc__
    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(Conv):
    __doc__ = Conv.__doc__
    rank = 2


class Conv3D(Conv):
    __doc__ = Conv.__doc__
    rank = 3


class ConvTranspose(Convolution):
    """Spread the input by `strides` and slide over it: the gradient of a convolution, run forward.

    Fields: as `Conv`; `output_padding` cells added to the end of the output (None: as many as give
    size * stride places with padding="same").

    Shape: (H, W, C) -> (H * stride, W * stride, filters) with padding="same".
    Source: Keras 3's Conv2DTranspose; kernel (*kernel_size, filters, C); the odd cell is cut at the
    end.
    """

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Pad = "valid"
    output_padding: Sizes | None = None
    dilation_rate: Sizes = 1
    kernel_initializer: Initial = dataclasses.field(default="glorot_uniform", kw_only=True)
    kernel_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    kernel_constraint: Limit = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        self._extras()

    def slides(self, x: Spec) -> tuple[Window, ...]:
        """Return windows over the spread input: full, less what is cut, plus what is added."""
        axes = zip(
            self.sizes("kernel_size"),
            self.sizes("strides"),
            self.sizes("dilation_rate"),
            self._cuts(),
            strict=True,
        )
        out = []
        for kernel, stride, dilation, (low, high) in axes:
            reach = dilation * (kernel - 1)
            out.append(Window(kernel, 1, dilation, reach - low, reach - high, up=stride))
        return tuple(out)

    def _cuts(self) -> list[tuple[int, int]]:
        """Return the cells cut from the start and the end of the full output; below 0: added."""
        padding = checked_padding(self.where, self.padding, self.rank, self.paddings)
        more = self._extras()
        if not isinstance(padding, str):
            sides = explicit(padding, self.rank)
            return [(low, high - extra) for (low, high), extra in zip(sides, more, strict=True)]
        out = []
        axes = (self.sizes("kernel_size"), self.sizes("strides"), self.sizes("dilation_rate"), more)
        for kernel, stride, dilation, extra in zip(*axes, strict=True):
            extent = dilation * (kernel - 1) + 1
            same = padding == "same"
            if self.output_padding is None:
                last = stride if same else max(extent, stride)  # places for the last input value
            else:
                last = (extent % 2 if same else extent) + extra
            low = max(extent - last, 0) // 2
            out.append((low, extent - last - low))
        return out

    def _extras(self) -> tuple[int, ...]:
        """Return the output padding as one number per spatial axis, each less than the stride."""
        if self.output_padding is None:
            return (0,) * self.rank
        extras = checked_sizes(self.where, "output_padding", self.output_padding, self.rank, 0)
        for extra, stride in zip(extras, self.sizes("strides"), strict=True):
            if extra >= stride:
                raise ConfigError(
                    self.where,
                    "the output padding is not less than the stride",
                    got=f"output_padding={self.output_padding!r}, strides={self.strides!r}",
                    need=f"output_padding < {stride}: a further cell is reached by no input",
                    fix=f"output_padding={stride - 1}",
                )
        return extras

    def build(self, *x: Spec) -> None:
        """Create the kernel (*kernel_size, filters, C) and the bias (filters,)."""
        channels = self.known_channels(self.seen(x[0]))
        self.slide(self.seen(x[0]))
        shape = (*self.sizes("kernel_size"), self.filters, channels)
        self.kernel = self.add_kernel("kernel", shape)
        self.bias = self.add_bias(self.filters)

    def infer(self, *x: Spec) -> Spec:
        """Return the size that the spread input gives, with `filters` channels."""
        seen = self.seen(x[0])
        self.known_channels(seen)
        return seen.replace(self.slide(seen), self.filters)

    def macs(self, *specs: Spec) -> int:
        """Return inputs * taps * filters: each input value is multiplied with each tap."""
        return (specs[0].numel or 0) * self.taps() * self.filters

    def before_activation(self, *x: Tensor) -> Tensor:
        """Spread the input over the output, cut what the padding cuts, add the bias."""
        strides, dilation = self.sizes("strides"), self.sizes("dilation_rate")
        weight = self.kernel.movedim((-1, -2), (0, 1))  # (*k, out, in) -> (in, out, *k)
        y = TRANSPOSED[self.rank](
            self.channels_first(x[0]), weight, None, strides, 0, 0, 1, dilation
        )
        cut = [-side for low, high in reversed(self._cuts()) for side in (low, high)]
        y = self.restore(functional.pad(y, cut))
        if self.bias is None:
            return y
        return y + (self.bias if self.channels_last else self.bias.view(-1, *[1] * self.rank))


class Conv1DTranspose(ConvTranspose):
    __doc__ = ConvTranspose.__doc__
    rank = 1


class Conv2DTranspose(ConvTranspose):
    __doc__ = ConvTranspose.__doc__
    rank = 2


class Conv3DTranspose(ConvTranspose):
    __doc__ = ConvTranspose.__doc__
    rank = 3


class DepthwiseConv(Convolution):
    """Slide `depth_multiplier` kernels of its own over each channel; channels are not mixed.

    Shape: (H, W, C) -> (H', W', C * depth_multiplier).
    Source: Keras 3's DepthwiseConv2D; kernel (*kernel_size, C, depth_multiplier).
    """

    kernel_size: Sizes
    strides: Sizes = 1
    padding: Pad = "valid"
    depth_multiplier: int = 1
    dilation_rate: Sizes = 1
    depthwise_initializer: Initial = dataclasses.field(default="glorot_uniform", kw_only=True)
    depthwise_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    depthwise_constraint: Limit = dataclasses.field(default=None, kw_only=True)

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

    def infer(self, *x: Spec) -> Spec:
        """Return the places of the window, with C * depth_multiplier channels."""
        seen = self.seen(x[0])
        channels = self.known_channels(seen) * self.depth_multiplier
        return seen.replace(self.slide(seen), channels)

    def macs(self, *specs: Spec) -> int:
        """Return outputs * taps."""
        return (specs[1].numel or 0) * self.taps()

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


class SeparableConv(Convolution):
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
    depthwise_initializer: Initial = dataclasses.field(default="glorot_uniform", kw_only=True)
    depthwise_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    depthwise_constraint: Limit = dataclasses.field(default=None, kw_only=True)
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

    def infer(self, *x: Spec) -> Spec:
        """Return the places of the window, with `filters` channels."""
        seen = self.seen(x[0])
        self.known_channels(seen)
        return seen.replace(self.slide(seen), self.filters)

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

    def before_activation(self, *x: Tensor) -> Tensor:
        """Correlate each channel, mix the channels, add the bias."""
        kernel = self.depthwise_kernel
        y = self.correlate(self.channels_first(x[0]), depthwise(kernel), groups=kernel.shape[-2])
        mix = self.pointwise_kernel.movedim((-1, -2), (0, 1))
        return self.restore(CONV[self.rank](y, mix, self.bias))


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
