"""Noise in training, so that a network does not rely on single values; in inference, nothing.

Fields `seed`: see `Seeded`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional

from ..core.operation import Chain, Drop, last_axis
from ..core.spec import Spec
from ..errors import ConfigError, ShapeError
from ..settings import check_range
from .activation import Elementwise
from .seeded import Seeded
from .spatial import Spatial

SELU_LIMIT = -1.0507009873554805 * 1.6732632423543772  # what SELU gives far below 0


class Noise(Elementwise, Seeded):
    """A layer that draws numbers in training and returns its input in inference."""

    def __post_init__(self) -> None:
        """Check the fields that the subclass has of `rate` and `seed`."""
        if "rate" in self.config():
            check_rate(self.where, self.config()["rate"])
        super().__post_init__()

    def drop(self, x: Tensor, rate: float, shape: Sequence[int]) -> Tensor:
        """Put 0 in the place of a part of `x`; one draw for all places that `shape` joins."""
        return x * self.kept(shape, x, rate).div_(1 - rate)


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

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Drop; none if one draw counts for the whole batch."""
        if not training or not self.rate:
            return ()
        batch, *sizes = self.noise_shape or (None,) * (len(x[0].shape) + 1)
        shared = sorted(last_axis(x[0], at) for at, size in enumerate(sizes) if size == 1)
        return None if batch is not None else (Drop(self.rate, tuple(shared), self.seed),)

    def forward(self, *x: Tensor) -> Tensor:
        """Drop in training."""
        if not self.training or not self.rate:
            return x[0]
        if self.noise_shape is None and self.seed is None:
            return functional.dropout(x[0], self.rate)
        return self.drop(x[0], self.rate, self.drawn(x[0]))

    def drawn(self, x: Tensor) -> list[int]:
        """Return the shape of what is drawn for a batch."""
        given = self.noise_shape or (None,) * x.dim()
        return [size if n is None else n for n, size in zip(given, x.shape, strict=True)]


class AlphaDropout(Dropout):
    """Put SELU's limit in the place of random values in training; mean and variance stay.

    y = a * (x where kept, else -1.7581) + b, with a = ((1 - rate) * (1 + rate * 1.7581^2))^(-1/2)
    and b = 1.7581 * a * rate. For networks of `SELU` with initializer "lecun_normal".

    Fields: as `Dropout`.
    Shape: that of the input.
    Source: Klambauer et al., Self-Normalizing Neural Networks, NeurIPS 2017; as in Keras 3.
    """

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Nothing, in inference."""
        return None if training and self.rate else ()

    def forward(self, *x: Tensor) -> Tensor:
        """Drop in training."""
        if not self.training or not self.rate:
            return x[0]
        kept, limit = self.kept(self.drawn(x[0]), x[0], self.rate), SELU_LIMIT
        scale = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * limit**2))
        return scale * (x[0] * kept + limit * (1 - kept) - limit * self.rate)


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

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Drop channels."""
        spatial = self.seen(x[0]).axes((True,) * self.rank, False)
        shared = sorted(last_axis(x[0], at) for at, drawn_once in enumerate(spatial) if drawn_once)
        return (Drop(self.rate, tuple(shared), self.seed),) if training and self.rate else ()

    def forward(self, *x: Tensor) -> Tensor:
        """Drop channels in training."""
        if not self.training or not self.rate:
            return x[0]
        first = self.channels_first(x[0])
        shape = [*first.shape[:2], *(1,) * self.rank]
        return self.restore(self.drop(first, self.rate, shape))


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

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Nothing, in inference."""
        return None if training and self.stddev else ()

    def forward(self, *x: Tensor) -> Tensor:
        """Add noise in training."""
        if not self.training or not self.stddev:
            return x[0]
        return x[0] + self.stddev * self.normal(x[0].shape, x[0])


class GaussianDropout(Noise):
    """Multiply by normal numbers of mean 1 in training: y = x * (1 + sqrt(rate / (1 - rate)) * n).

    Fields: `rate` in [0, 1), for the variance that dropout of this rate has; `seed`.
    Source: Srivastava et al., Dropout, JMLR 2014, section 10; Keras 3's GaussianDropout.
    """

    rate: float
    seed: int | None = None

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Nothing, in inference."""
        return None if training and self.rate else ()

    def forward(self, *x: Tensor) -> Tensor:
        """Multiply by noise in training."""
        if not self.training or not self.rate:
            return x[0]
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return x[0] * (1 + stddev * self.normal(x[0].shape, x[0]))


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
