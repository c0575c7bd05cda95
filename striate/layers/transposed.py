"""Transposed convolution: the way back through a convolution, from small maps to large ones."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ..core.operation import Chain, Correlate
from ..core.spec import Spec, checked_sizes
from ..core.window import Pad, Window, checked_padding, explicit
from ..errors import ConfigError
from .conv import Convolution, Sizes
from .kernel import OneKernel

TRANSPOSED = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


class ConvTranspose(Convolution, OneKernel):
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

    def macs(self, *specs: Spec) -> int:
        """Return inputs * taps * filters: each input value is multiplied with each tap."""
        return (specs[0].numel or 0) * self.taps() * self.filters

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Correlate the spread input, then the activation."""
        windows = self.slides(self.seen(x[0]))
        return self.sliding(x[0], Correlate(windows, 1, "kernel", self.bias_name, transposed=True))

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
