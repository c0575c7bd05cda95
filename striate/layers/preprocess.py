"""Preparing images inside the model, the same in training and inference: scaling, normalizing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.operation import Affine, Chain, last_axis
from ..core.spec import Spec, show
from ..errors import ConfigError, DataError, ShapeError
from ..settings import check_range
from .activation import Elementwise
from .resize import floating, floating_spec

Numbers = float | tuple[float, ...]
STATISTICS = (("mean", "(-inf, inf)", 0.0), ("variance", "[0, inf)", 1.0))
CHUNK = 1024  # samples that adapt turns to float64 at once


class Scaling(Elementwise):
    """A layer that shifts and scales each value, in floating point."""

    def infer(self, *x: Spec) -> Spec:
        """Return the input's spec, in floating point."""
        return floating_spec(x[0])


class Rescaling(Scaling):
    """Scale and shift every value: y = x * scale + offset.

    Fields: `scale` and `offset`, numbers, or one for each channel; whole-numbered inputs become
    float32.

    Shape: unchanged.
    Raises: ConfigError for a value that is not a finite number, ShapeError for another number of
    them than there are channels.
    Source: Keras 3's Rescaling.
    """

    scale: Numbers
    offset: Numbers = 0.0

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        for field, usual in (("scale", 1 / 255), ("offset", 0.0)):
            given = getattr(self, field)
            several = isinstance(given, (tuple, list, np.ndarray)) and len(given) > 0
            for one in given if several else [given]:
                check_range(self.where, field, one, "(-inf, inf)", usual)
            if several:
                setattr(self, field, tuple(float(one) for one in given))

    def build(self, *x: Spec) -> None:
        """Raise ShapeError for a misfit with the channels; there is nothing to create."""
        self.infer(*x)

    def infer(self, *x: Spec) -> Spec:
        """Return the input's spec, in floating point, or raise ShapeError."""
        for field in ("scale", "offset"):
            given = getattr(self, field)
            if isinstance(given, tuple) and x[0].channels not in (len(given), None):
                raise ShapeError(
                    self.where,
                    f"{field} does not fit the channels",
                    got=f"{len(given)} numbers, input {x[0]}",
                    need=f"one number, or {x[0].channels}",
                    fix=f"{field}={given[0]}",
                )
        return super().infer(*x)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Scale and shift."""
        scale, offset = (n if isinstance(n, tuple) else (n,) for n in (self.scale, self.offset))
        return (Affine(scale, offset),)

    def forward(self, *x: Tensor) -> Tensor:
        """Scale and shift."""
        image = floating(x[0])
        y: Tensor = image * self._laid(self.scale, image) + self._laid(self.offset, image)
        return y

    def _laid(self, given: Numbers, image: Tensor) -> Any:
        """Return a number, or numbers along the axis of the channels."""
        if not isinstance(given, tuple):
            return given
        shape = [1] * image.dim()
        shape[self.specs[0].channel_axis] = len(given)
        return torch.tensor(given, dtype=image.dtype, device=image.device).reshape(shape)


class Normalization(Scaling):
    """Shift and scale to mean 0 and variance 1: y = (x - mean) / max(sqrt(variance), 1e-7).

    Fields: `axis`, the axes that have a mean of their own, counted with the batch as axis 0 (-1:
    the last; None: one mean for all); `mean` and `variance`, given together, or learned from data
    by `adapt`; `invert`, whether to go the way back: y = x * max(sqrt(variance), 1e-7) + mean.
    Shape: unchanged.
    Raises: ConfigError for a value that cannot work or before `adapt`, ShapeError for statistics of
    another shape.
    Source: Keras 3's Normalization. The variance is that of the data: divided by n, not by n - 1.
    """

    axis: int | tuple[int, ...] | None = -1
    mean: Any = None
    variance: Any = None
    invert: bool = False

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        axes = self.axis if isinstance(self.axis, (tuple, list)) else (self.axis,)
        if self.axis is not None and not all(type(axis) is int and axis for axis in axes):
            raise ConfigError(
                self.where,
                f"axis={self.axis!r} cannot work",
                need="a whole number other than 0, which is the batch, several of them, or None",
                fix="axis=-1",
            )
        if (self.mean is None) != (self.variance is None):
            missing = "mean" if self.mean is None else "variance"
            raise ConfigError(
                self.where,
                f"{missing} is missing",
                need="mean and variance together, or neither and layer.adapt(data)",
            )
        if self.mean is not None:
            for field, interval, usual in STATISTICS:
                given = np.asarray(getattr(self, field), object)
                for one in given.flat if given.size else [getattr(self, field)]:
                    check_range(self.where, field, one, interval, usual)
                setattr(self, field, given.tolist())
        self.adapted = self.fixed = self.mean is not None

    def kept(self, x: Spec) -> tuple[int, ...]:
        """Return the axes of a batch that have statistics of their own, in order."""
        rank = len(x.shape) + 1
        axes = self.axis if isinstance(self.axis, (tuple, list)) else (self.axis,)
        chosen = sorted(axis % rank for axis in axes if axis is not None and -rank < axis < rank)
        named = [axis for axis in axes if axis is not None]
        if len(chosen) != len(named) or any(x.shape[axis - 1] is None for axis in chosen):
            raise ShapeError(
                self.where,
                f"there is no axis={self.axis!r} of known size",
                got=f"input {x}",
                need=f"axes from 1 to {rank - 1}, or -1 to -{rank - 1}",
            )
        return tuple(chosen)

    def build(self, *x: Spec) -> None:
        """Create the statistics that `adapt` fills, or check that the given ones fit."""
        kept = self.kept(x[0])
        shape = tuple(x[0].shape[axis - 1] or 1 for axis in kept)
        if not self.fixed:
            self.add_weight("adapted_mean", shape, torch.zeros, trainable=False)
            self.add_weight("adapted_variance", shape, torch.ones, trainable=False)
            self.register_buffer("count", torch.zeros((), dtype=torch.int64))
            return
        for field in ("mean", "variance"):
            given = np.shape(getattr(self, field))
            if math.prod(given) not in (1, math.prod(shape)):
                raise ShapeError(
                    self.where,
                    f"{field} does not fit the input",
                    got=f"{field} of shape {show(given)}, input {x[0]}",
                    need=f"one number, or shape {show(shape)}",
                )

    def adapt(self, data: Any) -> None:
        """Learn mean and variance from an array, or from batches (x, or (x, y...)), afresh."""
        if self.fixed:
            raise ConfigError(self.where, "mean and variance are given: there is nothing to adapt")
        count, mean, spread = 0, torch.zeros(()), torch.zeros(())
        for chunk in chunks(data):
            self.ensure_built((Spec.of(chunk),))
            kept = self.kept(Spec.of(chunk))
            if tuple(chunk.shape[axis] for axis in kept) != self.adapted_mean.shape:
                raise ShapeError(
                    self.where,
                    "the data has another shape than the layer's input",
                    got=f"samples {Spec.of(chunk)}",
                    need=f"samples {self.specs[0]}",
                )
            rows = chunk.double().movedim(kept, tuple(range(len(kept))))
            rows = rows.reshape(*self.adapted_mean.shape, -1)
            more, own = rows.shape[-1], rows.mean(-1)
            count, step = count + more, own - mean
            # Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm, 1979
            spread = spread + (rows - own[..., None]).square().sum(-1)
            spread = spread + step.square() * ((count - more) * more / count)
            mean = mean + step * (more / count)
        if count == 0:
            raise DataError(self.where, "there are no samples to adapt to")
        for name, value in (("mean", mean), ("variance", spread / count)):
            self.get_buffer(f"adapted_{name}").copy_(value)
        self.get_buffer("count").fill_(count)
        self.adapted = True

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance in a shape that fits a batch, or raise before `adapt`."""
        if not (self.adapted or torch.compiler.is_compiling()):
            if not int(self.get_buffer("count")):
                raise ConfigError(
                    self.where,
                    "has no mean and variance yet",
                    fix="layer.adapt(images) before the first call, or mean=..., variance=...",
                )
            self.adapted = True
        kept = self.kept(Spec.of(x))
        shape = [size if axis in kept else 1 for axis, size in enumerate(x.shape)]
        mean, variance = (
            each.to(x).reshape(shape if each.numel() > 1 else [1] * x.dim())
            for each in self.given()
        )
        return mean, variance

    def given(self) -> list[Tensor]:
        """Return mean and variance, given or learned."""
        if not self.fixed:
            return [self.get_buffer("adapted_mean"), self.get_buffer("adapted_variance")]
        return [torch.tensor(each) for each in (self.mean, self.variance)]

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Scale and shift by what is known now; none where other axes than the last have a mean."""
        axes = [last_axis(x[0], axis - 1) for axis in self.kept(x[0])]
        known = self.fixed or bool(self.get_buffer("count"))
        if not known or axes not in ([], [len(x[0].shape) - 1]):
            return None
        mean, variance = (each.flatten().double() for each in self.given())
        deviation = variance.sqrt().clamp(min=1e-7)
        if self.invert:
            return (Affine(tuple(deviation.tolist()), tuple(mean.tolist())),)
        return (Affine(tuple((1 / deviation).tolist()), tuple((-mean / deviation).tolist())),)

    def forward(self, *x: Tensor) -> Tensor:
        """Shift and scale."""
        y = floating(x[0])
        mean, variance = self.statistics(y)
        deviation = variance.sqrt().clamp(min=1e-7)
        return y * deviation + mean if self.invert else (y - mean) / deviation


def chunks(data: Any) -> Iterator[Tensor]:
    """Return parts of an array, or of the first array of each batch, a thousand samples each."""
    batches: Iterable[Any] = [data] if hasattr(data, "shape") else data
    for batch in batches:
        images = torch.as_tensor(batch[0] if isinstance(batch, (tuple, list)) else batch)
        if len(images):
            yield from torch.split(images, CHUNK)
