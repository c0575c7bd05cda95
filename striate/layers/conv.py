"""Convolution for any number of spatial axes: what all kinds share, and the plain one.

Every class computes cross-correlation (the kernel is not flipped), as Keras and PyTorch do. Kernels
have Keras's logical shape, (*kernel_size, inputs, outputs). One class serves 1-D, 2-D and 3-D.
"""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from ..core.operation import Chain, Correlate, Operation
from ..core.spec import Spec, checked_count, checked_sizes
from ..core.window import Geometry, Mix, Pad, Window, checked_padding, windows
from ..errors import ConfigError, ShapeError
from .convolve import convolve
from .kernel import Activation, Kernelled, OneKernel
from .spatial import Spatial, pads

Sizes = int | tuple[int, ...]


class Convolution(Spatial, Kernelled):
    """What all convolutions share: a bias, an activation, checked sizes, windows that slide."""

    activation: Activation = dataclasses.field(default=None, kw_only=True)
    use_bias: bool = dataclasses.field(default=True, kw_only=True)
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

    def channels_out(self, x: Spec) -> int:
        """Return the output's channels."""
        return int(self.config()["filters"])

    def infer(self, *x: Spec) -> Spec:
        """Return the places of the window, with the output's channels."""
        seen = self.seen(x[0])
        self.known_channels(seen)
        return seen.replace(self.slide(seen), self.channels_out(seen))

    def sliding(self, x: Spec, *operations: Operation) -> Chain | None:
        """Return the whole chain; None for unknown sizes, which padding may depend on."""
        if None in self.seen(x).spatial:
            return None
        return self.ended(self.infer(x), *self.chain(x, *operations))

    def taps(self) -> int:
        """Return the cells of the kernel."""
        return math.prod(self.sizes("kernel_size"))

    def correlate(
        self, x: Tensor, kernel: Tensor, bias: Tensor | None = None, groups: int = 1
    ) -> Tensor:
        """Slide a kernel of Keras's shape over a channels-first batch, padded as the fields say."""
        slides = self.slides(Spec(tuple(x.shape[1:]), data_format="channels_first"))
        strides, dilation = self.sizes("strides"), self.sizes("dilation_rate")
        even = all(window.low == window.high for window in slides) and self.taps() > 1
        if not even and any(pads(slides)):
            x = functional.pad(x, pads(slides))
        inner = [window.low if even else 0 for window in slides]
        weight = kernel.movedim((-1, -2), (0, 1))  # (*k, in, out) -> (out, in, *k)
        return convolve(x, weight, bias, strides, inner, dilation, groups)


class Conv(Convolution, OneKernel):
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

    def macs(self, *specs: Spec) -> int:
        """Return outputs * taps * channels of a group."""
        x, y = specs
        return (y.numel or 0) * self.taps() * (self.seen(x).channels or 0) // self.groups

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Correlate, then the activation."""
        windows = self.slides(self.seen(x[0]))
        return self.sliding(x[0], Correlate(windows, self.groups, "kernel", self.bias_name))

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
