"""Operations: the closed set of words in which layers say what they compute.

A layer answers with a chain of them: the first consumes the layer's inputs, each other the value of
the one before. All speak of one sample in channels-last order, spatial axes and then channels,
whatever layout the user's tensors have; axes are counted from 0, without the batch. Weights appear
by their names in the layer, "" where there is none. This file knows no tensors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .spec import Spec
from .window import Window

Bounds = tuple[float, float]  # low, high
Sides = tuple[tuple[int, int], ...]  # cells before and after, for each spatial axis


@dataclass(frozen=True, slots=True)
class Affine:
    """y = x * scale + offset in floating point: one number each, or one for each channel."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Correlate:
    """Slide kernels over the spatial axes: cross-correlation, then the bias.

    The kernel is (*k, C / groups, filters); one that is (*k, C, m), with a group for each channel,
    is (*k, 1, C * m) in the same order of memory. With `transposed` it is (*k, filters, C), and
    flipped along the spatial axes: tap t of a window meets its cell k - 1 - t. With `layout`
    "torch" it is (filters, C / groups, *k); transposed, (C, filters / groups, *k).
    """

    windows: tuple[Window, ...]
    groups: int
    kernel: str
    bias: str = ""
    transposed: bool = False
    layout: str = "keras"


@dataclass(frozen=True, slots=True)
class Linear:
    """Mix the last axis: kernel (inputs, units); with `layout` "torch" (units, inputs)."""

    kernel: str
    bias: str = ""
    layout: str = "keras"


@dataclass(frozen=True, slots=True)
class Pool:
    """Reduce each window of each channel to its "max" or "average".

    Padding is never the maximum; an average counts it only with `counts_padding`. The gradient of a
    maximum goes to its first place in the window.
    """

    kind: str
    windows: tuple[Window, ...]
    counts_padding: bool = False


@dataclass(frozen=True, slots=True)
class GlobalPool:
    """Reduce all places of each channel to their "max" or "average"; `keepdims`: to axes of size 1.

    The gradient of a maximum is divided equally among the places that have it.
    """

    kind: str
    keepdims: bool = False


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Apply a function of `layers.activation.FUNCTIONS`; alternative spellings do not appear.

    Parameters, in this order: "relu" none, or (max_value, negative_slope, threshold), the first inf
    where there is none; "leaky_relu" (negative_slope,); "elu" (alpha,). "gelu_tanh" is gelu with
    tanh in place of the error function. All others have none. "softmax", "log_softmax" and
    "sparsemax" are over the last axis.
    """

    function: str
    parameters: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """Normalise each channel: over the batch or, if `frozen`, by the moving mean and variance.

    Over the batch, moving = momentum * moving + (1 - momentum) * batch; variances divide by n, the
    one that moves by n - 1 if `unbiased`.
    """

    gamma: str
    beta: str
    mean: str
    variance: str
    epsilon: float
    momentum: float
    frozen: bool
    unbiased: bool = False


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """Normalise each vector along the last axis; its variance divides by n."""

    gamma: str
    beta: str
    epsilon: float


@dataclass(frozen=True, slots=True)
class Merge:
    """Combine the inputs: "add", "subtract", "multiply", "average", "maximum" or "minimum".

    Shapes are laid on each other from the last axis; a size of 1 is spread.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Concatenate:
    """Put the inputs one after the other along an axis."""

    axis: int


@dataclass(frozen=True, slots=True)
class Reshape:
    """Give the sample another shape, values in the same order; one size may be -1: what is left."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Permute:
    """Put the axes in another order: axis i of the output is axis `axes[i]` of the input."""

    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pad:
    """Add zeros before and after each spatial axis."""

    amounts: Sides


@dataclass(frozen=True, slots=True)
class Crop:
    """Drop cells before and after each spatial axis."""

    amounts: Sides


@dataclass(frozen=True, slots=True)
class Repeat:
    """Repeat each value along each spatial axis so many times."""

    factors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """Put 0 in the place of a fraction `rate`, divide the rest by 1 - rate.

    One draw counts for the whole of the axes `shared`; a `seed` asks for a sequence of its own.
    """

    rate: float
    shared: tuple[int, ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Warp:
    """Read each image where an affine map leads, whose numbers are drawn evenly for each sample.

    Place (x, y), counted from the centre, is read at (wide * (cos(angle) * x - sin(angle) * y) -
    right, tall * (sin(angle) * x + cos(angle) * y) - down); shifts are parts of the width and of
    the height, `wide` None is the number that `tall` is. Before that, half of the samples are
    turned over along each axis of `mirror`, rows and columns. Between pixels is their bilinear
    mean or, with `nearest`, the nearest of them, and shifts are whole pixels. Around the image is
    what `edge` says: "constant" (the number `fill`), "nearest", "reflect" or "wrap".
    """

    angle: Bounds = (0.0, 0.0)
    tall: Bounds = (1.0, 1.0)
    wide: Bounds | None = (1.0, 1.0)
    down: Bounds = (0.0, 0.0)
    right: Bounds = (0.0, 0.0)
    mirror: tuple[bool, bool] = (False, False)
    nearest: bool = False
    edge: str = "constant"
    fill: float = 0.0


@dataclass(frozen=True, slots=True)
class Opaque:
    """What only the layer itself can do, by its forward, on tensors in the user's layout."""


@dataclass(frozen=True, slots=True)
class PowerPool:
    """Reduce each window of each channel to (sum of |x|^power)^(1/power); padding is 0."""

    power: float
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Give each number, its fraction cut off, that row of a table (rows, width) as a last axis."""

    table: str


@dataclass(frozen=True, slots=True)
class Standardize:
    """Divide by the spread of the values along `axes`, the channels in `groups`.

    `kind` "moments": (x - mean) / sqrt(variance + epsilon); "square": x / sqrt(mean of x^2 +
    epsilon); "length": x / sqrt(sum of x^2), which is at least epsilon. Then * gamma + beta, which
    have the axes `weighted`.
    """

    kind: str
    axes: tuple[int, ...]
    weighted: tuple[int, ...]
    gamma: str
    beta: str
    epsilon: float
    groups: int = 1


Operation = (
    Affine | Correlate | Linear | Pool | GlobalPool | Pointwise | BatchNorm | LayerNorm
    | Merge | Concatenate | Reshape | Permute | Pad | Crop | Repeat | Drop | Warp | Opaque
)  # fmt: skip
Chain = tuple[Operation, ...]
Wider = Lookup | PowerPool | Standardize  # what people are told besides, never a plan
Told = tuple[Operation | Wider, ...]


def last_axis(x: Spec, at: int) -> int:
    """Return where the axis at `at` of `x.shape` is in channels-last order."""
    return at if channels_last(x) else (at - 1) % len(x.shape)


def channels_last(x: Spec) -> bool:
    """Return whether the user's order of axes is channels-last order."""
    return x.data_format == "channels_last" or len(x.shape) < 2


def to_user(x: Spec) -> Chain:
    """Return what brings a value from channels-last order to the user's."""
    rank = len(x.shape)
    return () if channels_last(x) else (Permute((rank - 1, *range(rank - 1))),)


def from_user(x: Spec) -> Chain:
    """Return what brings a value from the user's order of axes to channels-last order."""
    return () if channels_last(x) else (Permute((*range(1, len(x.shape)), 0)),)


def reread(x: Spec, as_: Spec) -> Chain:
    """Return what turns the same user's tensor, read in one layout, to being read in another."""
    return joined((*to_user(x), *from_user(as_)))


def along(x: Spec, at: int, operation: Operation) -> Chain:
    """Return an operation of the last axis done to the axis at `at` of `x.shape`."""
    rank, axis = len(x.shape), last_axis(x, at)
    if axis == rank - 1:
        return (operation,)
    there = (*(i for i in range(rank) if i != axis), axis)
    back = tuple(there.index(i) for i in range(rank))
    return Permute(there), operation, Permute(back)


def joined(chain: Iterable[Operation]) -> Chain:
    """Return a chain with each run of permutations as one, and none where it changes nothing."""
    out: list[Operation] = []
    for operation in chain:
        before = out[-1] if out else None
        if isinstance(operation, Permute) and isinstance(before, Permute):
            operation = Permute(tuple(before.axes[axis] for axis in operation.axes))
            out.pop()
        out.append(operation)
        if isinstance(operation, Permute) and operation.axes == tuple(range(len(operation.axes))):
            out.pop()
    return tuple(out)
