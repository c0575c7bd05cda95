"""Batch and layer normalisation and their gradients against torch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from striate.errors import TrainingError
from striate.lower.plan import ABSENT, ABSENT_VIEW, Over, View, round_up

from .images import BATCH, BLOCK, LAYOUTS, SIZES, Images, gradients, random
from .support import each_isa

LINEAR, RELU, LEAKY = 0, 1, 2
MOMENTUM, EPSILON, SLOPE = 0.9, 1e-3, 0.3
ACTIVATIONS: dict[int, Callable[[Tensor], Tensor]] = {
    LINEAR: lambda x: x,
    RELU: F.relu,
    LEAKY: lambda x: F.leaky_relu(x, SLOPE),
}
NORM_SIZES = [size for size in SIZES if size[0] * size[1] > 1]


class Norm:
    """A training step of a batch normalisation, its addend and its activation."""

    def __init__(
        self, isa: str, size: tuple[int, int, int], layout: str, activation: int, unbiased: int
    ) -> None:
        self.size, self.activation, self.unbiased = size, activation, unbiased
        self.affine = self.add = activation != LINEAR
        channels = size[2]
        self.x, self.addend = random(BATCH, *size), random(BATCH, *size, seed=1)
        self.x = (self.x.detach() * 1.7 + 0.6).float().double().requires_grad_()
        self.gamma, self.beta = random(channels, seed=2), random(channels, seed=3)
        self.moving = random(channels, seed=4), random(channels, seed=5).detach().square()
        self.dy = random(BATCH, *size, seed=6)
        self.images = Images(isa)
        self.read, self.write = LAYOUTS[layout]
        self._forward(dict(zip(("height", "width", "channels"), size, strict=True)))

    def _forward(self, shape: dict[str, int]) -> None:
        images, channels = self.images, self.size[2]
        row = round_up(channels, 16)
        x = images.given(self.x, self.read)
        statistics = images.bench.slotted(2 * row)
        self.mean, self.rstd = images.numbers(row), images.numbers(row)
        self.moved = images.vector(self.moving[0]), images.vector(self.moving[1])
        images.call("batch_statistics", input=x, **shape, statistics=statistics)
        images.call(
            "batch_norm_finish",
            Over.NOTHING,
            statistics=statistics,
            block=BLOCK,
            channels=channels,
            count_per_sample=self.size[0] * self.size[1],
            mean=self.mean,
            rstd=self.rstd,
            unbiased=self.unbiased,
            moving_mean=self.moved[0],
            moving_variance=self.moved[1],
            momentum=MOMENTUM,
            epsilon=EPSILON,
        )
        gamma = images.vector(self.gamma) if self.affine else ABSENT
        beta = images.vector(self.beta) if self.affine else ABSENT
        self.y = images.wanted(*self.size, self.write)
        moments = {"mean": self.mean, "rstd": self.rstd}
        slope = {"activation": self.activation, "slope": SLOPE}
        addend = images.given(self.addend, self.read) if self.add else ABSENT_VIEW
        images.call(
            "batch_norm_apply",
            input=x,
            output=self.y,
            addend=addend,
            gamma=gamma,
            beta=beta,
            **shape,
            **moments,
            **slope,
        )
        self._backward(x, gamma, shape, moments, slope)

    def _backward(
        self, x: View, gamma: int, shape: dict[str, int], moments: dict[str, int], slope: object
    ) -> None:
        images, row = self.images, round_up(self.size[2], 16)
        dy, sums = images.given(self.dy, self.read), images.bench.slotted(2 * row)
        self.dz = images.wanted(*self.size, self.write) if self.add else ABSENT_VIEW
        self.dx = images.wanted(*self.size, self.write)
        total = images.numbers(2 * row)
        self.dgamma, self.dbeta = images.numbers(row), images.numbers(row)
        images.call(
            "batch_norm_gradient_sums",
            **{"input": x, "output": self.y, "output_gradient": dy, **shape, **moments},
            sums=sums,
            masked_gradient=self.dz,
            activation=self.activation,
            slope=SLOPE,
        )
        images.call(
            "batch_norm_gradient_finish",
            Over.NOTHING,
            sums=sums,
            block=BLOCK,
            channels=self.size[2],
            total=total,
            gamma_gradient=self.dgamma,
            beta_gradient=self.dbeta,
        )
        images.call(
            "batch_norm_backward",
            input=x,
            output_gradient=self.dz if self.add else dy,
            **{"input_gradient": self.dx, **shape, **moments, "gamma": gamma, "total": total},
            count_per_sample=self.size[0] * self.size[1],
        )

    def want(self, samples: int) -> dict[object, Tensor]:
        """Return what torch gives for a batch of so many samples."""
        x = self.x[:samples]
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2), unbiased=False)
        hat = (x - mean) / torch.sqrt(variance + EPSILON)
        z = hat * self.gamma + self.beta if self.affine else hat * self._ones() + self._zeros()
        z = z + self.addend[:samples] if self.add else z
        y = ACTIVATIONS[self.activation](z)
        gamma, beta = (self.gamma, self.beta) if self.affine else self._given
        inputs = (self.x, gamma, beta, self.addend) if self.add else (self.x, gamma, beta)
        found = gradients(y, self.dy[:samples], *inputs)
        spread = x.var((0, 1, 2), unbiased=bool(self.unbiased))
        moved = (
            MOMENTUM * old + (1 - MOMENTUM) * new
            for old, new in zip(self.moving, (mean, spread), strict=True)
        )
        mean_place, variance_place = self.moved
        places: dict[object, Tensor] = {self.y: y, self.dx: found[0][:samples]}
        places |= {self.dgamma: found[1], self.dbeta: found[2]}
        places |= dict(zip((mean_place, variance_place), moved, strict=True))
        return places | ({self.dz: found[3][:samples]} if self.add else {})

    def _ones(self) -> Tensor:
        self._given = (torch.ones(self.size[2]).double().requires_grad_(),)
        return self._given[0]

    def _zeros(self) -> Tensor:
        self._given += (torch.zeros(self.size[2]).double().requires_grad_(),)
        return self._given[1]


@each_isa
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("size", NORM_SIZES)
def test_batch_norm(isa: str, size: tuple[int, int, int], layout: str, activation: int) -> None:
    norm = Norm(isa, size, layout, activation, unbiased=activation % 2)
    norm.images.expect(norm.want, tolerance=3e-5)


@each_isa
def test_a_mean_far_from_zero(isa: str) -> None:
    """A thousand times the deviation: the variance keeps three digits."""
    x = (random(BATCH, 16, 16, 16).detach() + 300).float().double()
    images = Images(isa)
    statistics = images.bench.slotted(32)
    mean, rstd = images.numbers(16), images.numbers(16)
    shape = {"height": 16, "width": 16, "channels": 16}
    images.call("batch_statistics", input=images.given(x), **shape, statistics=statistics)
    fields = {"statistics": statistics, "block": BLOCK, "count_per_sample": 256, "channels": 16}
    images.call("batch_norm_finish", Over.NOTHING, **fields, mean=mean, rstd=rstd)
    engine = images.engine()
    engine.run(BATCH)
    want = 1 / x.std((0, 1, 2), unbiased=False)
    assert (torch.from_numpy(engine.array(rstd)[0]) / want - 1).abs().max() < 0.03
    assert (torch.from_numpy(engine.array(mean)[0]) - x.mean((0, 1, 2))).abs().max() < 1e-4


BROKEN = {
    "batch_statistics": {
        "width": (0, "a size of a normalisation is out of range"),
        "channels": (50, "the pixels of an image overlap"),
        "statistics": (99, "statistics is no buffer"),
    },
    "batch_norm_finish": {
        "block": (0, "a size of a normalisation is out of range"),
        "channels": (50, "statistics has"),
        "moving_mean": (0, "a mean moves with its variance"),
    },
    "batch_norm_apply": {
        "activation": (3, "activation = 3, need 0 to 2"),
        "gamma": (99, "gamma is no buffer"),
        "height": (9, "input has"),
    },
    "batch_norm_gradient_sums": {
        "activation": (1, "the pixels of an image overlap"),
        "sums": (99, "sums is no buffer"),
    },
    "batch_norm_gradient_finish": {"block": (0, "out of range"), "total": (99, "is no buffer")},
    "batch_norm_backward": {"gamma": (99, "gamma is no buffer"), "width": (9, "input has")},
}


@each_isa
@pytest.mark.parametrize(
    ("kernel", "field"), [(kernel, field) for kernel, fields in BROKEN.items() for field in fields]
)
def test_refusals(isa: str, kernel: str, field: str) -> None:
    value, message = BROKEN[kernel][field]
    images = Images(isa)
    names = images.kernels.kernels[kernel][1]
    view, slotted = images.wanted(2, 2, 16), images.bench.slotted(32)
    sizes = {"height": 2, "width": 2, "channels": 16, "block": BLOCK, "count_per_sample": 4}
    fields = {name: size for name, size in sizes.items() if name in names}
    for name in ("input", "output", "output_gradient", "input_gradient"):
        if name in names and (kernel, name) != ("batch_norm_gradient_sums", "output"):
            fields[name] = view
    for name in ("statistics", "sums", "mean", "rstd", "total"):
        if name in names:
            fields[name] = slotted
    over = Over.NOTHING if kernel.endswith("finish") else Over.SAMPLES
    images.call(kernel, over, **fields | {field: value})
    with pytest.raises(TrainingError, match=f"{kernel}: .*({message})"):
        images.engine()
