"""1,000 random networks: shapes, parameters, MACs, values and refusals are those of torch.nn.

Each network is made twice: of Striate's layers on symbols, and of torch.nn modules, written here on
their own. A step is refused by both or by neither; up to there, everything must be equal.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import HealthCheck, event, given, settings, strategies as st
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from striate import layers as L
from striate.core.graph import Graph
from striate.core.symbol import Input
from striate.errors import StriateError

# ---- the same layers in torch.nn, on (N, C, H, W) ------------------------------------------------


def of_rank(kind: str, rank: int) -> Any:
    return getattr(nn, f"{kind}{rank}d")


class Padded(nn.Module):
    """Pads by TensorFlow's rule ("same") or only at the start ("causal"), then runs the module."""

    def __init__(self, inner, size, strides, dilation, word, value=0.0):
        super().__init__()
        self.inner, self.word, self.value = inner, word, value
        self.axes = list(zip(size, strides, dilation, strict=True))

    def pads(self, x):
        for n, (k, s, d) in zip(x.shape[2:], self.axes, strict=True):
            total = max((math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n, 0)
            yield (total // 2, total - total // 2) if self.word == "same" else ((k - 1) * d, 0)

    def forward(self, x):
        pads = [side for pair in reversed(list(self.pads(x))) for side in pair]
        return self.inner(functional.pad(x, pads, value=self.value))


class MeanOfReal(nn.Module):
    """The mean over the cells of each window that are not padding."""

    def __init__(self, pool, padded):
        super().__init__()
        self.pool = padded(pool)

    def forward(self, x):
        return self.pool(x) / self.pool(torch.ones_like(x))


class Trimmed(nn.Module):
    """Cuts the full transposed convolution to size * stride, the odd cell at the end."""

    def __init__(self, inner, strides):
        super().__init__()
        self.inner, self.strides = inner, strides

    def forward(self, x):
        y = self.inner(x)
        for axis, (n, s) in enumerate(zip(x.shape[2:], self.strides, strict=True), 2):
            start = max(y.shape[axis] - n * s, 0) // 2
            y = y.narrow(axis, start, n * s)
        return y


class Cropped(nn.Module):
    """Cuts cells; as Keras, it refuses to cut everything."""

    def __init__(self, cuts):
        super().__init__()
        self.cuts = cuts

    def forward(self, x):
        for axis, (low, high) in enumerate(self.cuts, 2):
            if low + high >= x.shape[axis]:
                raise ValueError("nothing is left")
            x = x.narrow(axis, low, x.shape[axis] - low - high)
        return x


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def padded_by(kwargs, size, strides, dilation, make, value=0.0):
    """Return make(padding), behind the padding that torch cannot do itself."""
    padding = kwargs["padding"]
    if isinstance(padding, str) and padding != "valid":
        return Padded(make(0), size, strides, dilation, padding, value)
    return make(0 if padding == "valid" else padding)


def conv(kwargs, rank, channels):
    size, strides, dilation = (kwargs[key] for key in ("kernel_size", "strides", "dilation_rate"))
    if kwargs["filters"] % kwargs["groups"]:
        raise ValueError("filters and groups")

    def make(padding):
        return of_rank("Conv", rank)(
            channels, kwargs["filters"], size, strides, padding, dilation, kwargs["groups"]
        )

    return padded_by(kwargs, size, strides, dilation, make)


def depthwise(kwargs, rank, channels):
    size, strides, dilation = (kwargs[key] for key in ("kernel_size", "strides", "dilation_rate"))
    out = channels * kwargs["depth_multiplier"]

    def make(padding):
        return of_rank("Conv", rank)(channels, out, size, strides, padding, dilation, channels)

    return padded_by(kwargs, size, strides, dilation, make)


def separable(kwargs, rank, channels):
    first = depthwise(kwargs, rank, channels)
    inner = first.inner if isinstance(first, Padded) else first
    inner.bias = None
    mix = of_rank("Conv", rank)(channels * kwargs["depth_multiplier"], kwargs["filters"], 1)
    return nn.Sequential(first, mix)


def transposed(kwargs, rank, channels):
    size, strides, dilation = (kwargs[key] for key in ("kernel_size", "strides", "dilation_rate"))
    padding = kwargs["padding"]
    extents = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    more = [max(s - e, 0) for s, e in zip(strides, extents, strict=True)]
    if not isinstance(padding, str):
        more = kwargs.get("output_padding") or 0
    module = of_rank("ConvTranspose", rank)(
        channels,
        kwargs["filters"],
        size,
        strides,
        0 if isinstance(padding, str) else padding,
        more,
        dilation=dilation,
    )
    return Trimmed(module, strides) if padding == "same" else module


def explicitly(padding, size):
    """Pads by hand, refusing what torch's own pooling refuses."""
    if any(side > pool // 2 for side, pool in zip(padding, size, strict=True)):
        raise ValueError("more than half of the window")
    pads = [side for side in reversed(padding) for _ in range(2)]
    return lambda inner: nn.Sequential(Function(lambda x: functional.pad(x, pads)), inner)


def max_pooling(kwargs, rank, channels):
    size, strides = kwargs["pool_size"], kwargs["strides"]

    def make(padding):
        return of_rank("MaxPool", rank)(size, strides, padding)

    return padded_by(kwargs, size, strides, (1,) * rank, make, -math.inf)


def average_pooling(kwargs, rank, channels):
    size, strides, padding = kwargs["pool_size"], kwargs["strides"], kwargs["padding"]
    if padding == "same":
        return MeanOfReal(
            of_rank("AvgPool", rank)(size, strides),
            lambda pool: Padded(pool, size, strides, (1,) * rank, "same"),
        )
    if rank == 3 and padding != "valid":  # nn.AvgPool3d forgets the padding where it checks sizes
        return MeanOfReal(nn.AvgPool3d(size, strides), explicitly(padding, size))
    cells = 0 if padding == "valid" else padding
    return of_rank("AvgPool", rank)(size, strides, cells, count_include_pad=False)


def norm_pooling(kwargs, rank, channels):
    size, strides, padding = kwargs["pool_size"], kwargs["strides"], kwargs["padding"]
    inner = (
        nn.LPPool1d(2, *size, *strides) if rank == 1 else of_rank("LPPool", rank)(2, size, strides)
    )
    if padding == "same":
        return Padded(inner, size, strides, (1,) * rank, "same")
    return inner if padding == "valid" else explicitly(padding, size)(inner)


TWINS: dict[str, Callable[[dict[str, Any], int, int], nn.Module]] = {
    "Conv": conv,
    "DepthwiseConv": depthwise,
    "SeparableConv": separable,
    "Transpose": transposed,
    "MaxPooling": max_pooling,
    "AveragePooling": average_pooling,
    "L2Pooling": norm_pooling,
    "AdaptiveAveragePooling": lambda k, rank, c: of_rank("AdaptiveAvgPool", rank)(k["output_size"]),
    "AdaptiveMaxPooling": lambda k, rank, c: of_rank("AdaptiveMaxPool", rank)(k["output_size"]),
    "ZeroPadding": lambda k, rank, c: Function(
        lambda x: functional.pad(x, [s for pair in reversed(k["padding"]) for s in pair])
    ),
    "Cropping": lambda k, rank, c: Cropped(k["cropping"]),
    "UpSampling": lambda k, rank, c: nn.Upsample(scale_factor=k["size"]),
    "BatchNormalization": lambda k, rank, c: of_rank("BatchNorm", rank)(c, eps=1e-3),
    "Activation": lambda k, rank, c: {"relu": nn.ReLU(), "tanh": nn.Tanh(), "elu": nn.ELU()}[
        k["activation"]
    ],
}
NO_RANK = {"BatchNormalization", "Activation"}


# ---- random steps --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A layer to be: the word for its kind and its arguments, one number per axis."""

    kind: str
    kwargs: dict[str, Any]

    def ours(self, rank: int, data_format: str) -> Any:
        name = {"Transpose": f"Conv{rank}DTranspose"}.get(
            self.kind, self.kind if self.kind in NO_RANK else f"{self.kind}{rank}D"
        )
        kwargs = dict(self.kwargs)
        if self.kind == "BatchNormalization":
            kwargs["axis"] = -1 if data_format == "channels_last" else 1
        if rank == 1 and self.kind in ("ZeroPadding", "Cropping", "UpSampling"):
            ((key, (value,)),) = kwargs.items()
            kwargs[key] = value
        return getattr(L, name)(**kwargs)

    def twin(self, rank: int, channels: int) -> nn.Module:
        return TWINS[self.kind](self.kwargs, rank, channels)


@dataclass(frozen=True)
class Fork:
    """Two ways from one tensor, added or put side by side."""

    left: list[Step]
    right: list[Step]
    merge: str


@functools.cache
def steps(rank: int) -> st.SearchStrategy[Step]:
    def each(low, high):
        return st.tuples(*[st.integers(low, high)] * rank)

    pair = st.tuples(st.integers(0, 2), st.integers(0, 2))
    sliding = {"kernel_size": each(1, 4), "strides": each(1, 3), "dilation_rate": each(1, 2)}
    padding = st.one_of(st.sampled_from(["valid", "same"]), each(0, 3))
    words = ["valid", "same", "causal"] if rank == 1 else ["valid", "same"]
    causal = st.one_of(st.sampled_from(words), each(0, 3))
    filters = st.sampled_from([1, 2, 3, 4, 6])
    pools = {"pool_size": each(1, 3), "strides": each(1, 3), "padding": padding}
    plain = {"dilation_rate": st.just((1,) * rank), "output_padding": each(0, 2)}
    kinds = [
        ("Conv", {"filters": filters, **sliding, "padding": causal, "groups": st.integers(1, 2)}),
        ("Conv", {"filters": filters, **sliding, "padding": padding, "groups": st.just(1)}),
        ("Transpose", {"filters": filters, **sliding, "padding": padding}),
        ("Transpose", {"filters": filters, **sliding, **plain, "padding": each(0, 2)}),
        ("MaxPooling", pools),
        ("AveragePooling", pools),
        ("L2Pooling", pools),
        ("AdaptiveAveragePooling", {"output_size": each(1, 4)}),
        ("AdaptiveMaxPooling", {"output_size": each(1, 4)}),
        ("ZeroPadding", {"padding": st.tuples(*[pair] * rank)}),
        ("Cropping", {"cropping": st.tuples(*[pair] * rank)}),
        ("UpSampling", {"size": each(1, 2)}),
        ("BatchNormalization", {}),
        ("Activation", {"activation": st.sampled_from(["relu", "tanh", "elu"])}),
    ]
    if rank < 3:
        deep = {**sliding, "padding": padding, "depth_multiplier": st.integers(1, 2)}
        kinds += [("DepthwiseConv", deep), ("SeparableConv", {"filters": filters, **deep})]
    return st.one_of(
        *(st.builds(Step, st.just(kind), st.fixed_dictionaries(kwargs)) for kind, kwargs in kinds)
    )


@functools.cache
def bodies(rank: int) -> st.SearchStrategy[list[Step | Fork]]:
    one = steps(rank)
    some = st.lists(one, max_size=2)
    fork = st.builds(Fork, some, some, st.sampled_from(["Add", "Concatenate"]))
    return st.lists(st.one_of(one, one, one, one, fork), min_size=1, max_size=6)


@st.composite
def plans(draw: Any) -> tuple[tuple[int, ...], int, str, list[Step | Fork], str]:
    """Spatial sizes, channels, layout, steps, and how the network ends."""
    rank = draw(st.sampled_from([1, 2, 2, 2, 3]))
    sizes = draw(st.tuples(*[st.integers(2, 9 if rank < 3 else 6)] * rank))
    body = draw(bodies(rank))
    layout = draw(st.sampled_from(["channels_last", "channels_first"]))
    end = draw(st.sampled_from(["", "Flatten", "GlobalAveragePooling", "GlobalMaxPooling"]))
    return sizes, draw(st.integers(1, 4)), layout, body, end


# ---- the two networks, step by step --------------------------------------------------------------


class Refused(Exception):
    """Both refuse the step."""


class Pair:
    """Both networks as far as they have got: a symbol and a tensor, layers and modules."""

    def __init__(self, sizes, channels, layout):
        self.rank, self.layout = len(sizes), layout
        last = layout == "channels_last"
        self.x = Input((*sizes, channels) if last else (channels, *sizes), data_format=layout)
        self.tensor = torch.randn(2, channels, *sizes)
        self.macs = 0

    def to_ours(self, tensor):
        """(N, C, ...) in the layout of the network."""
        last = self.layout == "channels_last" and tensor.dim() > 2
        return tensor.movedim(1, -1) if last else tensor

    def step(self, make, make_twin, symbols, tensors):
        """Take the step in both and compare them, or raise Refused if both refuse it."""
        mine = torchs = None
        try:
            layer = make()
            y = layer(*symbols)
        except StriateError as error:
            mine = error
        try:
            twin = make_twin().eval()
            if mine is None:
                give_weights(layer, twin)
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                out = twin(*tensors)
            if out.numel() == 0:  # torch's transposed convolution gives nothing and says nothing
                raise ValueError("an empty output")
        except (RuntimeError, ValueError) as error:
            torchs = error
        assert (mine is None) == (torchs is None), f"Striate: {mine}\n\ntorch: {torchs}"
        if mine is not None:
            raise Refused
        assert (2, *y.spec.shape) == tuple(self.to_ours(out).shape)
        held = (*twin.parameters(), *(b for b in twin.buffers() if b.is_floating_point()))
        assert layer.count_params() == sum(weight.numel() for weight in held)
        # torch counted a batch of 2, two operations to a MAC
        macs = layer.macs(*(symbol.spec for symbol in symbols), y.spec)
        assert 4 * macs == counter.get_total_flops()
        return y, out

    def run(self, body, symbol, tensor):
        """Take a list of steps from one symbol and its tensor."""
        for part in body:
            if isinstance(part, Fork):
                ways = [self.run(way, symbol, tensor) for way in (part.left, part.right)]
                symbols, tensors = zip(*ways, strict=True)
                symbol, tensor = self.merge(part.merge, symbols, tensors)
            else:
                channels = tensor.shape[1]
                symbol, tensor = self.step(
                    lambda part=part: part.ours(self.rank, self.layout),
                    lambda part=part, c=channels: part.twin(self.rank, c),
                    [symbol],
                    [tensor],
                )
        return symbol, tensor

    def merge(self, word, symbols, tensors):
        if word == "Add":
            return self.step(L.Add, lambda: Function(torch.add), symbols, tensors)
        axis = -1 if self.layout == "channels_last" else 1
        return self.step(
            lambda: L.Concatenate(axis=axis),
            lambda: Function(lambda *x: torch.cat(x, 1)),
            symbols,
            tensors,
        )

    def end(self, word, symbol, tensor):
        """Flatten or pool everything, then a dense layer."""
        if not word:
            return symbol, tensor
        axes = tuple(range(2, tensor.dim()))
        ours, function = {
            "Flatten": (L.Flatten, lambda x: self.to_ours(x).flatten(1)),
            "GlobalAveragePooling": (None, lambda x: x.mean(axes)),
            "GlobalMaxPooling": (None, lambda x: x.amax(axes)),
        }[word]
        ours = ours or getattr(L, f"{word}{self.rank}D")
        symbol, tensor = self.step(ours, lambda: Function(function), [symbol], [tensor])
        return self.step(
            lambda: L.Dense(3), lambda: nn.Linear(tensor.shape[1], 3), [symbol], [tensor]
        )


def give_weights(layer, twin):
    """Copy random weights of the layer into the torch module, in torch's layout."""
    values = []
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            weight.uniform_(-1, 1)
            value = weight
            if name.endswith("kernel"):
                value = weight.movedim((-1, -2), (0, 1))
                if "Depthwise" in type(layer).__name__ or name == "depthwise_kernel":
                    value = value.transpose(0, 1).flatten(0, 1).unsqueeze(1)  # (C, m) -> C * m
            values.append(value)
        for weight, value in zip(twin.parameters(), values, strict=True):
            weight.copy_(value)


@settings(max_examples=1000, suppress_health_check=list(HealthCheck))
@given(plans())
def test_a_random_network_is_that_of_torch(plan):
    sizes, channels, layout, body, end = plan
    torch.manual_seed(0)
    pair = Pair(sizes, channels, layout)
    try:
        symbol, tensor = pair.end(end, *pair.run(body, pair.x, pair.tensor))
    except Refused:
        event("refused")
        return
    event("built")
    graph = Graph([pair.x], [symbol])
    for layer in graph.layers.values():
        layer.eval()
    x = pair.to_ours(pair.tensor)
    with torch.no_grad():
        (y,) = graph.run([x], lambda node, values: node.layer(*values))
    torch.testing.assert_close(y, pair.to_ours(tensor), rtol=1e-4, atol=1e-4)
