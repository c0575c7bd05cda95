"""Random networks: every layer that has a kernel, and some that have none, in random graphs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch

import striate as st
from striate import layers as L
from striate.core.symbol import Symbol
from striate.errors import StriateError

ACTIVATIONS = (
    *("relu", "relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "softplus", "softsign"),
    *("exponential", "gelu", "silu", "mish", "hard_sigmoid", "hard_silu", "relu6", "softmax"),
    *("log_softmax", "hard_tanh", "tanh_shrink"),  # without a kernel
)
CHANNELS = (1, 2, 3, 5, 8, 16, 17, 20, 33)
MERGES = (L.Add, L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum)
LARGEST = 4000  # numbers of a value


class Graphs:
    """Grows one random network."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.rank = self.rng.choice((1, 2, 2, 2))  # spatial axes of the images
        self.data_format = self.rng.choice(("channels_last",) * 3 + ("channels_first",))
        self.known: list[Symbol] = []
        self.shared: list[Any] = []

    def model(self) -> st.Model:
        """Return a model with one to three inputs and a vector as its output."""
        inputs = [self.input() for _ in range(self.rng.choice((1, 1, 1, 2, 3)))]
        self.known = list(inputs)
        for _ in range(self.rng.randint(2, 10)):
            self.grow()
        return st.Model(inputs, self.output(inputs))

    def input(self) -> Symbol:
        """Return an input: an image, or now and then a vector."""
        if self.rng.random() < 0.1:
            return st.Input((self.rng.randint(1, 40),))
        spatial = [self.rng.randint(3, 13) for _ in range(self.rank)]
        channels = self.rng.choice(CHANNELS)
        last = self.data_format == "channels_last"
        shape = (*spatial, channels) if last else (channels, *spatial)
        return st.Input(shape, data_format=self.data_format)

    def grow(self) -> None:
        """Add a layer on values that are there; one that does not fit is left out."""
        x = self.rng.choice(self.known[-3:])
        flat = len(x.spec.shape) == 1
        images = (
            *(self.convolution,) * 5,
            *(self.pooling, self.merge, self.concatenate) * 2,
            *(self.norm,) * 3,
            *(self.spatial, self.reshape, self.again, self.nested, self.without_kernel),
            *(self.activation, self.dropout, self.flatten, self.block),
        )
        vectors = (
            *(self.dense,) * 3,
            *(self.norm, self.merge, self.concatenate, self.dropout, self.activation, self.again),
            *(self.reshape, self.nested, self.without_kernel),
        )
        make: Callable[[Symbol], Symbol] = self.rng.choice(vectors if flat else images)
        try:
            y = make(x)
        except StriateError:
            return
        if 0 < len(y.spec.shape) <= 3 and y.spec.numel <= LARGEST:
            self.known.append(y)

    def output(self, inputs: list[Symbol]) -> Symbol:
        """Return a vector made of the last values, with something that learns."""
        ends = [self.known[-1], *self.rng.sample(self.known, min(1, len(self.known) - 1))]
        ends += [x for x in inputs if not self._used(x)]
        flat = [x if len(x.spec.shape) == 1 else L.Flatten()(x) for x in dict.fromkeys(ends)]
        joined = flat[0] if len(flat) == 1 else L.Concatenate()(flat)
        units = self.rng.choice((1, 3, 10, 40))
        return L.Dense(units)(joined)

    def _used(self, x: Symbol) -> bool:
        return any(x in y.node.inputs for y in self.known if y.node is not None)

    # ---- layers ----------------------------------------------------------------------------------

    def named(self, name: str) -> Any:
        """Return a layer class for the images' rank."""
        return getattr(L, f"{name}{self.rank}D")

    def function(self) -> str | None:
        """Return an activation or none."""
        return self.rng.choice((None, *ACTIVATIONS)) if self.rng.random() < 0.7 else None

    def convolution(self, x: Symbol) -> Symbol:
        """A convolution of some kind."""
        rng = self.rng
        strides = rng.choice((1, 1, 1, 2, 3, 4))
        sizes: tuple[Any, ...] = (1, 2, 3, 3, 3, 4, 5, 7)
        uneven = ((1, 3), (3, 1), (2, 5)) if self.rank == 2 else ()
        settings = {
            "kernel_size": rng.choice((*sizes, *uneven)),
            "strides": strides,
            "padding": rng.choice(("valid", "same")),
            "dilation_rate": 1 if strides > 1 else rng.choice((1, 1, 1, 2, 3)),
            "activation": self.function(),
            "use_bias": rng.random() < 0.8,
            "trainable": rng.random() < 0.9,
        }
        if self.rank == 1 and rng.random() < 0.2 and self.axis() == -1:
            settings["padding"] = "causal"
        kind = rng.random()
        if kind < 0.1 and settings["padding"] != "causal":
            plain = settings | {"dilation_rate": 1, "kernel_size": max(2, strides)}
            return getattr(L, f"Conv{self.rank}DTranspose")(rng.choice((2, 5, 16)), **plain)(x)
        if kind < 0.15 and settings["padding"] != "causal":
            return self.named("DepthwiseConv")(depth_multiplier=rng.choice((1, 2)), **settings)(x)
        if kind < 0.25:
            return self.named("SeparableConv")(rng.choice(CHANNELS), **settings)(x)
        channels = self.channels(x)
        groups = rng.choice([n for n in (1, 1, 1, 2, 4, channels) if channels % n == 0])
        filters = groups * rng.choice((1, 3)) if groups > 1 else rng.choice(CHANNELS)
        y = self.named("Conv")(filters, groups=groups, **settings)(x)
        if rng.random() < 0.4:
            y = self.named("MaxPooling")(2, rng.choice((None, 1, 3)))(y)
        if rng.random() < 0.2:
            y = L.Dropout(0.3)(y)
        return y

    def block(self, x: Symbol) -> Symbol:
        """Convolution, normalisation, perhaps a sum and an activation: a residual network's."""
        channels = self.channels(x)
        y = self.named("Conv")(channels, 3, padding="same", use_bias=False)(x)
        y = L.BatchNormalization(axis=self.axis(), epsilon=1e-2)(y)
        if self.rng.random() < 0.6:
            y = L.Add()([y, x] if self.rng.random() < 0.5 else [x, y])
        return L.ReLU()(y) if self.rng.random() < 0.7 else y

    def channels(self, x: Symbol) -> int:
        """Return the channels of an image."""
        return int(x.spec.shape[0 if self.axis() == 1 else -1])

    def axis(self) -> int:
        """Return the axis of the channels in a batch."""
        return -1 if self.data_format == "channels_last" else 1

    def pooling(self, x: Symbol) -> Symbol:
        """A pooling whose windows may hang over the edges."""
        kind = self.rng.choice(("Max", "Average"))
        if self.rng.random() < 0.2:
            keep = self.rng.random() < 0.4
            if self.rng.random() < 0.3:
                return self.named(f"Adaptive{kind}Pooling")(self.rng.choice((1, 2, 3)))(x)
            return self.named(f"Global{kind}Pooling")(keepdims=keep)(x)
        size, stride = self.rng.choice((1, 2, 3, 4)), self.rng.choice((None, 1, 2, 3, 5))
        return self.named(f"{kind}Pooling")(size, stride, self.rng.choice(("valid", "same")))(x)

    def norm(self, x: Symbol) -> Symbol:
        """Batch or layer normalisation, perhaps with what is joined to it."""
        options = {"center": self.rng.random() < 0.8, "scale": self.rng.random() < 0.8}
        axis = -1 if len(x.spec.shape) == 1 else self.axis()
        if self.rng.random() < 0.3:
            return L.LayerNormalization(axis, epsilon=1e-2, **options)(x)
        frozen = self.rng.random() < 0.15
        return L.BatchNormalization(axis, epsilon=1e-2, trainable=not frozen, **options)(x)

    def merge(self, x: Symbol) -> Symbol:
        """A merge with another value of the same shape, or of one that spreads."""
        spreads = self.rng.random() < 0.3
        others = [y for y in self.known if spreads or y.spec.shape == x.spec.shape]
        count = self.rng.choice((1, 1, 1, 2))
        return self.rng.choice(MERGES)()([x, *(self.rng.choice(others) for _ in range(count))])

    def concatenate(self, x: Symbol) -> Symbol:
        """A concatenation along some axis."""
        axis = self.rng.choice((-1, -1, -1, 1))
        others = [y for y in self.known if len(y.spec.shape) == len(x.spec.shape)]
        return L.Concatenate(axis)([x, self.rng.choice(others)])

    def spatial(self, x: Symbol) -> Symbol:
        """Padding, cropping or repeating."""
        kind = self.rng.randint(0, 4)
        most = self.rng.choice((2, 2, 6))
        sides = [(self.rng.randint(0, most), self.rng.randint(0, most)) for _ in range(self.rank)]
        if kind == 2:
            return self.named("UpSampling")(self.rng.choice((1, 2, 3)))(x)
        if kind == 3 and self.rank == 2:
            return L.UpSampling2D((1, 2), interpolation="bilinear")(x)
        if kind == 4 and self.rank == 2:
            return L.CenterCrop(2, 3)(x)
        layer = self.named("ZeroPadding" if kind else "Cropping")
        return layer(tuple(sides) if self.rank > 1 else sides[0])(x)

    def reshape(self, x: Symbol) -> Symbol:
        """Another shape, or another order of the axes."""
        shape = list(x.spec.shape)
        if len(shape) > 1 and self.rng.random() < 0.5:
            axes = self.rng.sample(range(1, len(shape) + 1), len(shape))
            return L.Permute(tuple(axes))(x)
        if len(shape) == 1 and self.rng.random() < 0.2:
            return L.RepeatVector(3)(x)
        divisors = [n for n in range(1, 20) if x.spec.numel % n == 0]
        rows = self.rng.choice(divisors)
        return L.Reshape((rows, -1) if self.rank == 1 else (rows, 1, -1))(x)

    def flatten(self, x: Symbol) -> Symbol:
        """One vector."""
        return L.Flatten()(x)

    def dense(self, x: Symbol) -> Symbol:
        """A dense layer, now and then one whose weights the threads share."""
        units = self.rng.choice((1, 7, 16, 30, 30_000 // x.spec.numel + 10))
        return L.Dense(units, self.function(), use_bias=self.rng.random() < 0.8)(x)

    def activation(self, x: Symbol) -> Symbol:
        """An activation with or without parameters."""
        given = self.rng.choice((
            *(L.Activation(self.rng.choice(ACTIVATIONS)) for _ in range(4)),
            *(L.ReLU(6.0, 0.1), L.ReLU(negative_slope=0.3), L.ReLU(threshold=0.2)),
            *(L.LeakyReLU(0.1), L.ELU(0.7), L.Rescaling(0.5, 0.1), L.ThresholdedReLU(0.3)),
            *(L.Softmax(), L.GELU(approximate=True), L.TorchModule(torch.nn.Softplus(2.0))),
        ))  # fmt: skip
        return given(x)

    def dropout(self, x: Symbol) -> Symbol:
        """Dropout of numbers or of channels."""
        spatial = len(x.spec.shape) > 1 and self.rng.random() < 0.3
        return self.named("SpatialDropout")(0.3)(x) if spatial else L.Dropout(0.3)(x)

    def without_kernel(self, x: Symbol) -> Symbol:
        """A layer that torch computes."""
        layer = self.rng.choice(
            (L.PReLU("glorot_uniform"), L.UnitNormalization(), L.RMSNormalization())
        )
        if 1 in (x.spec.shape[-1], x.spec.channels) and isinstance(layer, L.UnitNormalization):
            layer = L.PReLU("glorot_uniform")  # of one number the sign is left, and no gradient
        return layer(x)

    def again(self, x: Symbol) -> Symbol:
        """A layer that is called twice."""
        if self.shared and self.rng.random() < 0.7:
            return self.rng.choice(self.shared)(x)
        flat = len(x.spec.shape) == 1
        size = self.channels(x) if not flat else x.spec.numel
        layer = L.Dense(size, "relu") if flat else self.named("Conv")(size, 3, padding="same")
        self.shared.append(layer)
        return layer(layer(x))

    def nested(self, x: Symbol) -> Symbol:
        """A model within the model."""
        before, self.known = self.known, [st.Input(x.spec.shape, data_format=x.spec.data_format)]
        inner = self.known[0]
        for _ in range(2):
            self.grow()
        model = st.Model(inner, self.known[-1]) if len(self.known) > 1 else L.Activation("tanh")
        self.known = before
        return model(x)


def random_model(seed: int) -> st.Model:
    """Return the network of a seed, its weights and statistics off their first values."""
    torch.manual_seed(seed)
    model = Graphs(seed).model()
    with torch.no_grad():
        for name, weight in (*model.named_parameters(), *model.named_buffers()):
            if "variance" in name or "gamma" in name:
                weight.uniform_(0.5, 1.5)
            elif weight.is_floating_point() and weight.dim() == 1:
                weight.uniform_(-0.3, 0.3)
    return model
