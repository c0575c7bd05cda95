"""Values that weights begin with."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from .errors import ConfigError, ShapeError
from .settings import Setting, callable_object, resolve

# Standard deviation of a standard normal variable that is cut at +-2: sqrt(1 - 4 * phi(2) /
# erf(sqrt(2))), phi the normal density. A truncated draw divided by it keeps the deviation asked
# for.
TRUNCATED_STD = 0.87962566103423978

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Initializer(Setting):
    """Makes the first value of a weight: `init(shape, generator=None, dtype=torch.float32)`.

    Random values come from `generator`, by default torch's own; one that has a field `seed`, and is
    given it, draws the same values at every call. Kernels have Keras's shape, (spatial..., in,
    out).

    Example:
        >>> Constant(0.5)((2,))
        tensor([0.5000, 0.5000])
    """

    def __call__(
        self,
        shape: Sequence[int],
        generator: Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Return a new tensor of this shape."""
        return self.draw(tuple(shape), generator, dtype)

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return the values; what a new initializer defines."""
        raise TypeError(f"{type(self).__name__} does not define draw")


@dataclasses.dataclass(frozen=True)
class Constant(Initializer):
    """Every value is `value`."""

    value: float = 0.0
    ranges: ClassVar = {"value": "(-inf, inf)"}

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return a tensor full of `value`."""
        return torch.full(shape, float(self.value), dtype=dtype)


@dataclasses.dataclass(frozen=True)
class Zeros(Initializer):
    """Every value is 0."""

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return zeros."""
        return torch.zeros(shape, dtype=dtype)


@dataclasses.dataclass(frozen=True)
class Ones(Initializer):
    """Every value is 1."""

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return ones."""
        return torch.ones(shape, dtype=dtype)


@dataclasses.dataclass(frozen=True)
class Identity(Initializer):
    """`gain` on the diagonal of a matrix, 0 elsewhere."""

    gain: float = 1.0
    ranges: ClassVar = {"gain": "(-inf, inf)"}

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return the identity matrix times `gain`."""
        if len(shape) != 2:
            raise _wrong_rank("Identity", shape, "a matrix: two axes")
        return self.gain * torch.eye(*shape, dtype=dtype)


@dataclasses.dataclass(frozen=True)
class RandomInitializer(Initializer):
    """An initializer that draws; `seed` makes it draw the same values at every call."""

    seed: int | None = dataclasses.field(default=None, kw_only=True)
    ranges: ClassVar = {"seed": "int [0, inf)"}

    def __call__(
        self,
        shape: Sequence[int],
        generator: Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Return a new tensor of this shape, drawn from the seed, else from `generator`."""
        if self.seed is not None:
            generator = Generator().manual_seed(self.seed)
        return super().__call__(shape, generator, dtype)


@dataclasses.dataclass(frozen=True)
class RandomNormal(RandomInitializer):
    """Normal values of mean `mean` and standard deviation `stddev`."""

    mean: float = 0.0
    stddev: float = 0.05
    ranges: ClassVar = {"mean": "(-inf, inf)", "stddev": "[0, inf)"}

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return normal values."""
        return torch.randn(shape, generator=generator, dtype=dtype) * self.stddev + self.mean


@dataclasses.dataclass(frozen=True)
class TruncatedNormal(RandomInitializer):
    """Normal values, none of them more than two `stddev` from `mean`."""

    mean: float = 0.0
    stddev: float = 0.05
    ranges: ClassVar = {"mean": "(-inf, inf)", "stddev": "[0, inf)"}

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return uniform values sent through the inverse of erf, cut at two `stddev`."""
        edge = math.erf(2 / math.sqrt(2))
        even = torch.rand(shape, generator=generator, dtype=dtype).mul_(2 * edge).sub_(edge)
        return even.erfinv_().mul_(math.sqrt(2)).clamp_(-2, 2) * self.stddev + self.mean


@dataclasses.dataclass(frozen=True)
class RandomUniform(RandomInitializer):
    """Values spread evenly over [minval, maxval)."""

    minval: float = -0.05
    maxval: float = 0.05
    ranges: ClassVar = {"minval": "(-inf, inf)", "maxval": "(-inf, inf)"}

    def __post_init__(self) -> None:
        """Raise ConfigError unless `minval <= maxval`."""
        super().__post_init__()
        if self.minval > self.maxval:
            raise ConfigError(
                "RandomUniform",
                "minval is above maxval",
                got=f"minval={self.minval}, maxval={self.maxval}",
                need="minval <= maxval",
                fix=f"minval={self.maxval}, maxval={self.minval}",
            )

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return uniform values."""
        even = torch.rand(shape, generator=generator, dtype=dtype)
        return even * (self.maxval - self.minval) + self.minval


@dataclasses.dataclass(frozen=True)
class VarianceScaling(RandomInitializer):
    """Values of variance `scale / fan`, so that signals keep their size from layer to layer.

    `mode` chooses the fan: "fan_in" (inputs that one output value reads), "fan_out", or "fan_avg",
    their mean. `distribution`: "truncated_normal" ("normal" is the same), with its deviation
    corrected for the cut; "untruncated_normal"; "uniform", on +-sqrt(3 * scale / fan).

    Source: Glorot & Bengio 2010; He et al. 2015; LeCun et al. 1998.
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    ranges: ClassVar = {"scale": "(0, inf)"}
    choices: ClassVar = {
        "mode": ("fan_in", "fan_out", "fan_avg"),
        "distribution": ("truncated_normal", "normal", "untruncated_normal", "uniform"),
    }

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return values of variance `scale / fan`."""
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        std = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * std
            return RandomUniform(-limit, limit).draw(shape, generator, dtype)
        if self.distribution == "untruncated_normal":
            return RandomNormal(0.0, std).draw(shape, generator, dtype)
        return TruncatedNormal(0.0, std / TRUNCATED_STD).draw(shape, generator, dtype)


@dataclasses.dataclass(frozen=True)
class Scaled(RandomInitializer):
    """What the named cases of `VarianceScaling` share; `rule` says which case it is."""

    rule: ClassVar[VarianceScaling]

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return values of the variance that the rule gives."""
        return self.rule.draw(shape, generator, dtype)


class GlorotUniform(Scaled):
    """Uniform on +-sqrt(6 / (fan_in + fan_out)): what kernels begin with unless told otherwise."""

    rule = VarianceScaling(1.0, "fan_avg", "uniform")


class GlorotNormal(Scaled):
    """Truncated normal of standard deviation sqrt(2 / (fan_in + fan_out))."""

    rule = VarianceScaling(1.0, "fan_avg")


class HeUniform(Scaled):
    """Uniform on +-sqrt(6 / fan_in), for layers followed by ReLU."""

    rule = VarianceScaling(2.0, "fan_in", "uniform")


class HeNormal(Scaled):
    """Truncated normal of standard deviation sqrt(2 / fan_in), for layers followed by ReLU."""

    rule = VarianceScaling(2.0, "fan_in")


class LecunUniform(Scaled):
    """Uniform on +-sqrt(3 / fan_in)."""

    rule = VarianceScaling(1.0, "fan_in", "uniform")


class LecunNormal(Scaled):
    """Truncated normal of standard deviation sqrt(1 / fan_in), for layers followed by SELU."""

    rule = VarianceScaling(1.0, "fan_in")


@dataclasses.dataclass(frozen=True)
class Orthogonal(RandomInitializer):
    """A matrix with orthonormal columns (rows, if there are fewer rows), times `gain`.

    The last axis is the columns; all others together are the rows. Source: Saxe et al. 2013; the
    signs of the diagonal of R are moved into Q, so that the matrix is uniform over the orthogonal
    ones.
    """

    gain: float = 1.0
    ranges: ClassVar = {"gain": "(-inf, inf)"}

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return an orthogonal matrix in this shape."""
        if len(shape) < 2:
            raise _wrong_rank("Orthogonal", shape, "two or more axes")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = torch.linalg.qr(torch.randn(tall, generator=generator, dtype=dtype))
        q = q * torch.diagonal(r).sign()
        matrix: Tensor = q if rows >= columns else q.T
        return self.gain * matrix.reshape(shape)


@dataclasses.dataclass(frozen=True)
class FromFunction(Initializer):
    """A user's `function(shape)`; it also gets `dtype` and `generator` where it takes them."""

    function: Callable[..., Any]

    def draw(self, shape: Shape, generator: Generator | None, dtype: torch.dtype) -> Tensor:
        """Return what the function gives, as a tensor of this type."""
        offered = {"dtype": dtype, "generator": generator}
        takes = inspect.signature(self.function).parameters
        more = {word: value for word, value in offered.items() if word in takes}
        value: Tensor = torch.as_tensor(self.function(shape, **more)).to(dtype)
        if tuple(value.shape) != shape:
            raise ShapeError(
                getattr(self.function, "__name__", "initializer"),
                "the initializer gave another shape than it was asked for",
                got=f"shape {tuple(value.shape)}",
                need=f"shape {shape}",
                fix="return a tensor or array of the shape in the first argument",
            )
        return value


zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal

NAMES: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "identity": Identity,
    "orthogonal": Orthogonal,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
}


def get(given: Any) -> Initializer:
    """Return the initializer that a name ("he_normal"), class, description, number or callable
    stands for.

    A number is Constant. A callable is called with the shape: see `FromFunction`.
    """
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return Constant(given)
    found = resolve("initializers", "initializer", given, NAMES)
    if isinstance(found, Initializer):
        return found
    if not callable_object(found):
        raise ConfigError(
            "initializers",
            "an initializer is a name, a number or something that makes a tensor from a shape",
            got=repr(given),
            need="one of " + ", ".join(NAMES) + ", or a callable",
            fix='"glorot_uniform"',
        )
    return FromFunction(found)


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return how many inputs feed one output, and how many outputs one input feeds.

    For a kernel (spatial..., in, out): `spatial * in` and `spatial * out`, spatial the product of
    its axes.
    """
    if len(shape) < 2:
        fan = shape[0] if shape else 1
        return fan, fan
    spatial = math.prod(shape[:-2])
    return spatial * shape[-2], spatial * shape[-1]


def _wrong_rank(where: str, shape: Shape, need: str) -> ShapeError:
    return ShapeError(
        where,
        "cannot fill a weight of this shape",
        got=f"shape {shape}",
        need=need,
        fix='"glorot_uniform", which fills any shape',
    )
