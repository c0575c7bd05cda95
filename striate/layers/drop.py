"""Noise in training, so that a network does not rely on single values; in inference, nothing.

Fields `seed`: None draws from torch's own generator, which `torch.manual_seed` sets; a number gives
the layer a generator of its own.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..core.spec import Spec
from ..errors import ConfigError, ShapeError
from ..settings import check_range
from .activation import Elementwise
from .spatial import Spatial


class Noise(Elementwise):
    """A layer that draws numbers in training and returns its input in inference."""

    def __post_init__(self) -> None:
        """Check the fields that the subclass has of `rate`, `stddev` and `seed`."""
        fields = self.config()
        if "rate" in fields:
            check_rate(self.where, fields["rate"])
        if fields["seed"] is not None:
            check_range(self.where, "seed", fields["seed"], "int [0, inf)", 0)
        self.generators: dict[torch.device, torch.Generator] = {}

    def generator(self, seed: int | None, device: torch.device) -> torch.Generator | None:
        """Return the layer's generator on a device, None for torch's own."""
        if seed is not None and device not in self.generators:
            self.generators[device] = torch.Generator(device).manual_seed(seed)
        return self.generators.get(device)

    def drop(self, x: Tensor, rate: float, shape: list[int], seed: int | None) -> Tensor:
        """Put 0 in the place of a part of `x`; one draw for all places that `shape` joins."""
        mask = torch.empty(shape, dtype=x.dtype, device=x.device)
        mask.bernoulli_(1 - rate, generator=self.generator(seed, x.device))
        return x * mask.div_(1 - rate)

    def normal(self, x: Tensor, seed: int | None) -> Tensor:
        """Return normal numbers of mean 0 and variance 1, as many as there are values in `x`."""
        own = self.generator(seed, x.device)
        return torch.randn(x.shape, generator=own, dtype=x.dtype, device=x.device)


class Dropout(Noise):
    """Put 0 in the place of random values in training, and divide the others by 1 - rate.

    Fields: `rate` in [0, 1), the fraction dropped; `noise_shape`, the shape of what is drawn, the
    batch included: 1 draws once for the whole axis, None for each place of it; `seed`.

    Shape: that of the input.
    Raises: ConfigError for a rate outside [0, 1); ShapeError where noise_shape does not fit.
    Source: Srivastava et al., Dropout, JMLR 2014; scaled in training, as in Keras 3.

    Example:
        >>> Dropout(0.5).eval()(torch.ones(1, 3))
        tensor([[1., 1., 1.]])
    """

    rate: float
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        shape = self.noise_shape
        if shape is not None and not isinstance(shape, (tuple, list)):
            raise ConfigError(
                self.where,
                f"noise_shape={shape!r} is not a shape",
                need="one size for each axis, the batch included: None or 1",
                fix="noise_shape=(None, 1, None)",
            )

    def build(self, *x: Spec) -> None:
        """Raise ShapeError where noise_shape does not fit; there is nothing to create."""
        self.infer(*x)

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        if self.noise_shape is None:
            return x[0]
        sizes = (None, *x[0].shape)
        if len(self.noise_shape) != len(sizes) or any(
            n not in (None, 1, size) and size is not None
            for n, size in zip(self.noise_shape, sizes, strict=True)
        ):
            raise ShapeError(
                self.where,
                f"noise_shape={self.noise_shape!r} does not fit the input",
                got=f"input {x[0]} and the batch before it",
                need=f"{len(sizes)} sizes, each None, 1 or that of the input",
                fix=f"noise_shape={(None,) + (1,) * (len(sizes) - 2) + (None,)}",
            )
        return x[0]

    def forward(self, *x: Tensor) -> Tensor:
        """Drop in training."""
        if not self.training or not self.rate:
            return x[0]
        if self.noise_shape is None and self.seed is None:
            return functional.dropout(x[0], self.rate)
        given = self.noise_shape or (None,) * x[0].dim()
        shape = [size if n is None else n for n, size in zip(given, x[0].shape, strict=True)]
        return self.drop(x[0], self.rate, shape, self.seed)


class SpatialDropout(Noise, Spatial):
    """Put 0 in the place of random channels of a sample in training; divide the others by 1 - rate.

    Neighbours in a map are alike, so that dropping single values would take little away.

    Fields: `rate` in [0, 1), the fraction of channels dropped; `seed`.

    Shape: that of the input.
    Source: Tompson et al., Efficient Object Localization, CVPR 2015; Keras 3's SpatialDropout2D.
    """

    rate: float
    seed: int | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        Spatial.__post_init__(self)
        Noise.__post_init__(self)

    def build(self, *x: Spec) -> None:
        """Raise ShapeError for another number of axes; there is nothing to create."""
        self.seen(x[0])

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        self.seen(x[0])
        return x[0]

    def forward(self, *x: Tensor) -> Tensor:
        """Drop channels in training."""
        if not self.training or not self.rate:
            return x[0]
        first = self.channels_first(x[0])
        shape = [*first.shape[:2], *(1,) * self.rank]
        return self.restore(self.drop(first, self.rate, shape, self.seed))


class SpatialDropout1D(SpatialDropout):
    __doc__ = SpatialDropout.__doc__
    rank = 1


class SpatialDropout2D(SpatialDropout):
    __doc__ = SpatialDropout.__doc__
    rank = 2


class SpatialDropout3D(SpatialDropout):
    __doc__ = SpatialDropout.__doc__
    rank = 3


class GaussianNoise(Noise):
    """Add normal numbers in training: y = x + stddev * n.

    Fields: `stddev` >= 0; `seed`. Source: Keras 3's GaussianNoise.
    """

    stddev: float
    seed: int | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        check_range(self.where, "stddev", self.stddev, "[0, inf)", 0.1)

    def forward(self, *x: Tensor) -> Tensor:
        """Add noise in training."""
        if not self.training or not self.stddev:
            return x[0]
        return x[0] + self.stddev * self.normal(x[0], self.seed)


class GaussianDropout(Noise):
    """Multiply by normal numbers of mean 1 in training: y = x * (1 + sqrt(rate / (1 - rate)) * n).

    Fields: `rate` in [0, 1), for the variance that dropout of this rate has; `seed`.
    Source: Srivastava et al., Dropout, JMLR 2014, section 10; Keras 3's GaussianDropout.
    """

    rate: float
    seed: int | None = None

    def forward(self, *x: Tensor) -> Tensor:
        """Multiply by noise in training."""
        if not self.training or not self.rate:
            return x[0]
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return x[0] * (1 + stddev * self.normal(x[0], self.seed))


def check_rate(where: str, rate: Any) -> None:
    """Raise ConfigError unless `rate` is a fraction that leaves something."""
    if rate == 1:
        raise ConfigError(
            where,
            f"rate={rate!r} drops everything",
            got=f"rate={rate!r}",
            need="a number, 0 <= rate < 1: the fraction that is dropped",
            fix="rate=0.5",
        )
    percent = isinstance(rate, (int, float)) and 1 < rate < 100
    check_range(where, "rate", rate, "[0, 1)", rate / 100 if percent else 0.5)
