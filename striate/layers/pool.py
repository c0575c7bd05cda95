"""Pooling for any number of spatial axes: over sliding windows, whole maps, or to a given size.

Pooling reads each channel on its own and has no weights. It counts as 0 multiply-accumulates, as in
torch's counter: it compares and adds, and multiplies at most once for each output.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..core.operation import Chain, GlobalPool, Pool, PowerPool, Told, reread
from ..core.spec import Shape, Spec, checked_sizes
from ..core.window import (
    UNKNOWN,
    Geometry,
    Gone,
    Mix,
    Pad,
    Table,
    Window,
    checked_padding,
    explicit,
    windows,
)
from ..errors import ConfigError
from ..settings import check_range
from .spatial import Spatial, pads

Sizes = int | tuple[int, ...]
MAX = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
AVERAGE = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}
TO_AVERAGE: dict[int, Any] = {
    1: functional.adaptive_avg_pool1d,
    2: functional.adaptive_avg_pool2d,
    3: functional.adaptive_avg_pool3d,
}
TO_MAX: dict[int, Any] = {
    1: functional.adaptive_max_pool1d,
    2: functional.adaptive_max_pool2d,
    3: functional.adaptive_max_pool3d,
}
PADDED_WRONG = ("cuda",)  # torch 2.11: avg_pool2d's gradient of channels-last maps with padding
PADDINGS = ("valid", "same")


class Unweighted(Spatial):
    """A layer over spatial axes that leaves the channels apart and multiplies nothing."""

    def macs(self, *specs: Spec) -> int:
        """Return 0: see the head of this file."""
        return 0


class Pooling(Unweighted):
    """What all pooling over sliding windows shares: checked sizes and windows.

    Fields: `pool_size` and `strides` in cells, one number or one per axis (strides None: the pool
    size, so that windows do not overlap); `padding` "valid" (none), "same" (ceil(size / stride)
    places, the odd cell at the end), cells, or pairs of cells, at most half of the pool size.
    """

    pool_size: Sizes = 2
    strides: Sizes | None = None
    padding: Pad = "valid"

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        pool = self.pools()
        self.steps()
        padding = checked_padding(self.where, self.padding, self.rank, PADDINGS)
        sides = explicit(0 if isinstance(padding, str) else padding, self.rank)
        for size, side in zip(pool, sides, strict=True):
            if max(side) > size // 2:
                raise ConfigError(
                    self.where,
                    "the padding is more than half of the window",
                    got=f"padding={self.padding!r}, pool_size={self.pool_size!r}",
                    need="padding <= pool_size // 2, or windows would see nothing but padding",
                    math=f"{max(side)} > {size} // 2 = {size // 2}",
                    fix='padding="same"',
                )

    def pools(self) -> tuple[int, ...]:
        """Return the pool size as one number per spatial axis."""
        return checked_sizes(self.where, "pool_size", self.pool_size, self.rank)

    def steps(self) -> tuple[int, ...]:
        """Return the strides as one number per spatial axis."""
        if self.strides is None:
            return self.pools()
        return checked_sizes(self.where, "strides", self.strides, self.rank)

    def slides(self, x: Spec) -> tuple[Window, ...]:
        """Return the window of each spatial axis."""
        padding = checked_padding(self.where, self.padding, self.rank, PADDINGS)
        return windows(x.spatial, self.pools(), self.steps(), padding)

    def windows(self, *x: Spec) -> Geometry:
        """Slide over the spatial axes; leave each channel in its place."""
        seen = self.seen(x[0])
        return seen.axes(self.slides(seen), Window())  # type: ignore[return-value]

    def build(self, *x: Spec) -> None:
        """Raise ShapeError where the window does not fit; there is nothing to create."""
        self.slide(self.seen(x[0]))

    def infer(self, *x: Spec) -> Spec:
        """Return the places of the window, with the channels of the input."""
        seen = self.seen(x[0])
        return seen.replace(self.slide(seen))

    def forward(self, *x: Tensor) -> Tensor:
        """Reduce each window to one value."""
        first = self.channels_first(x[0])
        return self.restore(
            self.reduce(
                first, self.slides(Spec(tuple(first.shape[1:]), data_format="channels_first"))
            )
        )

    def pooled(self, kind: str, x: Spec) -> Chain | None:
        """Return the operation of this kind; None for unknown sizes: padding may depend on them."""
        seen = self.seen(x)
        return None if None in seen.spatial else self.chain(x, Pool(kind, self.slides(seen)))

    def reduce(self, x: Tensor, slides: tuple[Window, ...]) -> Tensor:
        """Pool a channels-first batch over these windows; what a new pooling defines."""
        raise TypeError(f"{type(self).__name__} does not define reduce")


class MaxPooling(Pooling):
    """Take the largest value of each window: y = max over the window of x.

    Padding is never the largest: it counts as minus infinity.

    Fields: as `Pooling`.
    Shape: (H, W, C) -> (H', W', C).
    Raises: ConfigError for a value that cannot work, ShapeError where the window does not fit.
    Source: Keras 3's MaxPooling2D.

    Example:
        >>> MaxPooling2D(2)(torch.arange(16.0).reshape(1, 4, 4, 1)).flatten().tolist()
        [5.0, 7.0, 13.0, 15.0]
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Pool."""
        return self.pooled("max", x[0])

    def reduce(self, x: Tensor, slides: tuple[Window, ...]) -> Tensor:
        """Return the largest value of each window."""
        x, cells = padded(x, slides, -math.inf)
        return MAX[self.rank](x, self.pools(), self.steps(), cells)


class MaxPooling1D(MaxPooling):
    __doc__ = MaxPooling.__doc__
    rank = 1


class MaxPooling2D(MaxPooling):
    __doc__ = MaxPooling.__doc__
    rank = 2


class MaxPooling3D(MaxPooling):
    __doc__ = MaxPooling.__doc__
    rank = 3


class AveragePooling(Pooling):
    """Take the mean of each window: y = sum over the window of x / its cells inside the input.

    Padding is not counted, neither in the sum nor in the number of cells.

    Fields: as `Pooling`.
    Shape: (H, W, C) -> (H', W', C).
    Raises: ConfigError for a value that cannot work, ShapeError where the window does not fit.
    Source: Keras 3's AveragePooling2D as TensorFlow computes it.
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Pool."""
        return self.pooled("average", x[0])

    def reduce(self, x: Tensor, slides: tuple[Window, ...]) -> Tensor:
        """Return the mean of each window."""
        pool, steps = self.pools(), self.steps()
        full, cells = padded(x, slides)
        y = AVERAGE[self.rank](full, pool, steps, cells, False, False)
        if full is x:
            return y
        real, _ = padded(torch.ones_like(x[:1, :1]), slides)
        return y / AVERAGE[self.rank](real, pool, steps)


class AveragePooling1D(AveragePooling):
    __doc__ = AveragePooling.__doc__
    rank = 1


class AveragePooling2D(AveragePooling):
    __doc__ = AveragePooling.__doc__
    rank = 2


class AveragePooling3D(AveragePooling):
    __doc__ = AveragePooling.__doc__
    rank = 3


class LpPooling(Pooling):
    """Take the p-norm of each window: y = (sum over the window of |x|^p)^(1/p).

    Fields: as `Pooling`; `p` the exponent, at least 1 (1: sum; large: close to the largest).
    Shape: (H, W, C) -> (H', W', C).
    Raises: ConfigError for a value that cannot work, ShapeError where the window does not fit.
    Source: Sermanet, Chintala and LeCun, Convolutional neural networks applied to house numbers
    digit classification, ICPR 2012. The sum, not the mean, as torch.nn.LPPool2d; |x| where torch
    has x, which is the same for even p and for x >= 0. A window full of zeros has gradient 0, where
    torch's is NaN.
    """

    p: float = dataclasses.field(default=2.0, kw_only=True)

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        check_range(self.where, "p", self.p, "[1, inf)", 2.0)

    def told(self, *x: Spec) -> Told | None:
        """Pool by the norm."""
        seen = self.seen(x[0])
        if None in seen.spatial:
            return None
        return (*reread(x[0], seen), PowerPool(self.p, self.slides(seen)))

    def reduce(self, x: Tensor, slides: tuple[Window, ...]) -> Tensor:
        """Return the norm of each window, with gradient 0 where it is 0."""
        powers, cells = padded(x.abs().pow(self.p), slides)
        mean = AVERAGE[self.rank](powers, self.pools(), self.steps(), cells)
        total = mean * math.prod(self.pools())
        some = total > 0  # the slope of a root is infinite at 0
        return torch.where(some, torch.where(some, total, 1.0).pow(1 / self.p), 0.0)


class LpPooling1D(LpPooling):
    __doc__ = LpPooling.__doc__
    rank = 1


class LpPooling2D(LpPooling):
    __doc__ = LpPooling.__doc__
    rank = 2


class LpPooling3D(LpPooling):
    __doc__ = LpPooling.__doc__
    rank = 3


class L2Pooling(LpPooling):
    """Take the Euclidean norm of each window: y = sqrt(sum over the window of x^2).

    Fields: as `Pooling`.
    Shape: (H, W, C) -> (H', W', C).
    Raises: ConfigError for a value that cannot work, ShapeError where the window does not fit.
    Source: as `LpPooling`, with p = 2.
    """

    p: float = dataclasses.field(default=2.0, init=False)


class L2Pooling1D(L2Pooling):
    __doc__ = L2Pooling.__doc__
    rank = 1


class L2Pooling2D(L2Pooling):
    __doc__ = L2Pooling.__doc__
    rank = 2


class L2Pooling3D(L2Pooling):
    __doc__ = L2Pooling.__doc__
    rank = 3


class GlobalPooling(Unweighted):
    """What pooling over the whole map shares.

    Field: `keepdims`, whether the spatial axes stay, with size 1.
    """

    keepdims: bool = False

    def windows(self, *x: Spec) -> Geometry:
        """Read the whole of each spatial axis; leave each channel in its place."""
        whole = Mix() if self.keepdims else Gone()
        return self.seen(x[0]).axes((whole,) * self.rank, Window())  # type: ignore[return-value]

    def infer(self, *x: Spec) -> Spec:
        """Return the channels, after spatial axes of size 1 if they are kept."""
        seen = self.seen(x[0])
        return seen.replace((1,) * self.rank) if self.keepdims else seen.reshape((seen.channels,))

    def forward(self, *x: Tensor) -> Tensor:
        """Reduce each map to one value."""
        y = self.reduce(self.channels_first(x[0]), tuple(range(2, 2 + self.rank)))
        return self.restore(y) if self.keepdims else y

    def reduce(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        """Pool over these axes; what a new pooling defines."""
        raise TypeError(f"{type(self).__name__} does not define reduce")


class GlobalAveragePooling(GlobalPooling):
    """Take the mean of each channel over the whole map.

    Field: `keepdims`, whether the spatial axes stay, with size 1.
    Shape: (H, W, C) -> (C,), or (1, 1, C) with keepdims.
    Source: Lin, Chen and Yan, Network In Network, 2013, arXiv 1312.4400.
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Pool."""
        return self.chain(x[0], GlobalPool("average", self.keepdims))

    def reduce(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        """Return the mean."""
        return x.mean(axes, keepdim=self.keepdims)


class GlobalAveragePooling2D(GlobalAveragePooling):
    __doc__ = GlobalAveragePooling.__doc__
    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    __doc__ = GlobalAveragePooling.__doc__
    rank = 3


class GlobalMaxPooling(GlobalPooling):
    """Take the largest value of each channel over the whole map.

    Field: `keepdims`, whether the spatial axes stay, with size 1.
    Shape: (H, W, C) -> (C,), or (1, 1, C) with keepdims.
    Source: Keras 3's GlobalMaxPooling2D.
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Pool."""
        return self.chain(x[0], GlobalPool("max", self.keepdims))

    def reduce(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        """Return the largest value."""
        return x.amax(axes, keepdim=self.keepdims)


class GlobalMaxPooling1D(GlobalMaxPooling):
    __doc__ = GlobalMaxPooling.__doc__
    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    __doc__ = GlobalMaxPooling.__doc__
    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    __doc__ = GlobalMaxPooling.__doc__
    rank = 3


class AdaptivePooling(Unweighted):
    """What pooling to a given size shares.

    Output i of n reads the inputs from floor(i * size / n) up to ceil((i + 1) * size / n).
    """

    output_size: Sizes

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        self.sizes()

    def sizes(self) -> tuple[int, ...]:
        """Return the output size as one number per spatial axis."""
        return checked_sizes(self.where, "output_size", self.output_size, self.rank)

    def windows(self, *x: Spec) -> Geometry:
        """Return the spans of each spatial axis; they are unknown where a size is."""
        seen = self.seen(x[0])
        spans = [
            Table(tuple((i * size // n, -(-(i + 1) * size // n)) for i in range(n)))
            for size, n in zip(seen.spatial, self.sizes(), strict=True)
            if size is not None
        ]
        return seen.axes(tuple(spans), Window()) if len(spans) == self.rank else UNKNOWN  # type: ignore[return-value]

    def infer(self, *x: Spec) -> Spec:
        """Return the output size, with the channels of the input."""
        return self.seen(x[0]).replace(self.sizes())

    def pooled(self, kind: str, x: Spec) -> Chain | None:
        """Return the operation, if all windows are alike: if the sizes are multiples of those."""
        if kind == "average" and set(self.sizes()) == {1}:
            return self.chain(x, GlobalPool(kind, keepdims=True))
        slides = alike(self.seen(x).spatial, self.sizes())
        return None if slides is None else self.chain(x, Pool(kind, slides))


class AdaptiveAveragePooling(AdaptivePooling):
    """Take means over as many windows as give maps of `output_size`, whatever the input's size.

    Field: `output_size`, cells of the output, one number or one per axis.
    Shape: (H, W, C) -> (*output_size, C).
    Source: torch.nn.AdaptiveAvgPool2d: windows from floor(i * H / n) up to ceil((i + 1) * H / n).
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Pool."""
        return self.pooled("average", x[0])

    def forward(self, *x: Tensor) -> Tensor:
        """Return the mean of each window."""
        return self.restore(TO_AVERAGE[self.rank](self.channels_first(x[0]), self.sizes()))


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    __doc__ = AdaptiveAveragePooling.__doc__
    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    __doc__ = AdaptiveAveragePooling.__doc__
    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    __doc__ = AdaptiveAveragePooling.__doc__
    rank = 3


class AdaptiveMaxPooling(AdaptivePooling):
    """Take maxima over as many windows as give maps of `output_size`, whatever the input's size.

    Field: `output_size`, cells of the output, one number or one per axis.
    Shape: (H, W, C) -> (*output_size, C).
    Source: torch.nn.AdaptiveMaxPool2d; windows as in `AdaptiveAveragePooling`.
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Pool."""
        return self.pooled("max", x[0])

    def forward(self, *x: Tensor) -> Tensor:
        """Return the largest value of each window."""
        return self.restore(TO_MAX[self.rank](self.channels_first(x[0]), self.sizes()))


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    __doc__ = AdaptiveMaxPooling.__doc__
    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    __doc__ = AdaptiveMaxPooling.__doc__
    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    __doc__ = AdaptiveMaxPooling.__doc__
    rank = 3


def alike(sizes: Shape, wanted: tuple[int, ...]) -> tuple[Window, ...] | None:
    """Return the windows that pool to the wanted sizes, or None where they are not all alike."""
    axes = [(n, out) for n, out in zip(sizes, wanted, strict=True) if n is not None and not n % out]
    if len(axes) < len(sizes):
        return None
    return tuple(Window(n // out, n // out) for n, out in axes)


def padded(
    x: Tensor, slides: tuple[Window, ...], value: float = 0.0
) -> tuple[Tensor, tuple[int, ...]]:
    """Return the batch and the cells that torch is to add on both sides of each axis.

    Padding that torch cannot do is done here, with `value`: sides that differ, for the mean of
    three axes windows that are larger than the input without its padding, and means on graphics
    cards, whose gradient torch gets wrong where it pads maps with the channels last.
    """
    sizes, mean = x.shape[2:], value == 0.0
    wrong = mean and x.device.type in PADDED_WRONG and any(w.low for w in slides)
    if not wrong and all(
        w.low == w.high and w.kernel <= n for w, n in zip(slides, sizes, strict=True)
    ):
        return x, tuple(window.low for window in slides)
    return functional.pad(x, pads(slides), value=value), (0,) * len(slides)
