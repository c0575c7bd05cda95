"""Normalisation: of channels over a batch, of samples, of groups of channels, of vectors.

The fields `axis` count from 1 (the batch is 0) or from the end, as in Keras; -1 means the channels
in the layout of the input, so that one definition serves both layouts.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from ..core.operation import BatchNorm, Chain, LayerNorm, Standardize, Told, along, last_axis
from ..core.spec import Spec, checked_count
from ..core.window import Geometry, Mix
from ..errors import ShapeError
from ..initializers import Ones
from ..settings import check_range
from .activation import Elementwise, across
from .axes import Axes, checked_axes, place, size
from .words import Initial, Limit, Penalty, Worded

MOVED, BATCH, MOVING = "moved", "batch", "moving"  # see BatchNormalization.statistics


class Standardization(Elementwise, Worded):
    """What normalisations share: y = gamma * (x - mean) / sqrt(variance + epsilon) + beta.

    A subclass declares, in Keras's order, `axis`, `epsilon`, `center` and `scale`: whether there
    are beta and gamma. Fields here: words for these weights.
    """

    beta_initializer: Initial = dataclasses.field(default="zeros", kw_only=True)
    gamma_initializer: Initial = dataclasses.field(default="ones", kw_only=True)
    beta_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    gamma_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    beta_constraint: Limit = dataclasses.field(default=None, kw_only=True)
    gamma_constraint: Limit = dataclasses.field(default=None, kw_only=True)
    several: ClassVar[bool] = False  # whether `axis` may be a tuple

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        fields = self.config()
        checked_axes(self.where, fields["axis"], several=self.several)
        check_range(self.where, "epsilon", fields["epsilon"], "[0, inf)", 1e-3)

    def places(self, x: Spec) -> tuple[int, ...]:
        """Return the positions in `x.shape` of the axes of the field `axis`."""
        return places(self.where, self.config()["axis"], x)

    def sizes(self, x: Spec) -> tuple[int, ...]:
        """Return the shape of the weights, or raise ShapeError."""
        first = self.specs[0] if self.built else None
        return tuple(size(self.where, x, at, first) for at in self.places(x))

    def build(self, *x: Spec) -> None:
        """Create gamma and beta."""
        shape, fields = self.sizes(x[0]), self.config()
        self.gamma = self.add_worded("gamma", shape) if fields["scale"] else None
        self.beta = self.add_worded("beta", shape) if fields["center"] else None

    def names(self) -> tuple[str, str]:
        """Return the names of gamma and beta, empty where there is none."""
        fields = self.config()
        return "gamma" if fields["scale"] else "", "beta" if fields["center"] else ""

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        self.sizes(x[0])
        return x[0]


class BatchNormalization(Standardization):
    """Give each channel mean 0 and variance 1 over the batch, then gamma and beta.

    Training uses the mean and the variance of the batch, and moves `moving_mean` and
    `moving_variance` towards them: moving = momentum * moving + (1 - momentum) * batch. Inference,
    and a layer with `trainable=False`, use the moving values.

    Fields: `axis`, that of the channels (-1: as the layout says); `momentum` in [0, 1], the weight
    of the old value; `epsilon`, added to the variance; `center`, `scale` and the weights' words.

    Shape: that of the input.
    Raises: ShapeError where the channels are not known.
    Source: Ioffe and Szegedy, Batch Normalization, ICML 2015. All variances divide by n, as in
    Keras 3; PyTorch's running variance divides by n - 1.

    Example:
        >>> layer = BatchNormalization()
        >>> layer(torch.tensor([[1.0], [3.0]])).flatten().tolist()  # (x - 2) / sqrt(1 + 0.001)
        [-0.9995003938674927, 0.9995003938674927]
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    moving_mean_initializer: Initial = dataclasses.field(default="zeros", kw_only=True)
    moving_variance_initializer: Initial = dataclasses.field(default="ones", kw_only=True)
    # what training normalises by: "moved", the batch, by which the moving values move; "batch", it
    # alone; "moving", the moving values, as in inference; empty, as `trainable` says
    statistics: ClassVar[str] = ""
    tested_by: ClassVar[str] = MOVING  # what inference normalises by: or the batch

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        check_range(self.where, "momentum", self.momentum, "[0, 1]", 0.99)
        check_range(self.where, "epsilon", self.epsilon, "(0, inf)", 1e-3)

    def build(self, *x: Spec) -> None:
        """Create gamma, beta and the moving mean and variance."""
        super().build(*x)
        shape = self.sizes(x[0])
        self.moving_mean = self.add_weight(
            "moving_mean", shape, self.word("moving_mean_initializer"), trainable=False
        )
        self.moving_variance = self.add_weight(
            "moving_variance", shape, self.word("moving_variance_initializer"), trainable=False
        )

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Normalise each channel."""
        if not training and self.tested_by == BATCH:
            return None
        (at,), (gamma, beta) = self.places(x[0]), self.names()
        moving = ("moving_mean", "moving_variance")
        frozen = not training or self._by() == MOVING
        norm = BatchNorm(gamma, beta, *moving, self.epsilon, self._momentum(), frozen)
        return along(x[0], at, norm)

    def _by(self) -> str:
        return self.statistics or (MOVED if self.trainable else MOVING)

    def _momentum(self) -> float:
        return 1.0 if self._by() == BATCH else self.momentum

    def forward(self, *x: Tensor) -> Tensor:
        """Normalise by the batch in training, else by the moving values."""
        (at,) = self.places(self.specs[0])
        axis = at + 1 - x[0].dim()
        # torch is fast where it knows the memory order: of 4 axes it does, of (N, C, L) views not
        x4 = x[0].unsqueeze(1) if x[0].dim() == 3 else x[0]
        y = self._normalise(x4.movedim(axis, 1)).movedim(1, axis)
        return y.squeeze(1) if x[0].dim() == 3 else y

    def _normalise(self, x: Tensor) -> Tensor:
        """Normalise (N, C, ...) and, in training, move the moving values."""
        mean, variance, gamma = self.moving_mean, self.moving_variance, self.gamma
        if gamma is None and self.beta is not None:  # on CUDA torch has no gradient of beta alone
            gamma = torch.ones_like(self.beta)
        count = x.numel() // x.shape[1]
        if not self.training and self.tested_by == BATCH:
            if count == 1:
                mean = x.reshape(-1)
            own = count > 1  # the batch's own, which torch computes
            return functional.batch_norm(
                x, None if own else mean, None if own else variance, gamma, self.beta, own,
                eps=self.epsilon,
            )  # fmt: skip
        if not self.training or self._by() == MOVING:
            return functional.batch_norm(x, mean, variance, gamma, self.beta, eps=self.epsilon)
        if count == 1:
            return self._one_value(x)
        # torch moves the copies, which its gradient keeps; its variance divides by count - 1
        momentum = self._momentum()
        mean, variance, kept = mean.clone(), variance.clone(), variance * momentum
        y = functional.batch_norm(
            x, mean, variance, gamma, self.beta, True, 1 - momentum, self.epsilon
        )
        with torch.no_grad():
            self.moving_mean.copy_(mean)
            # kept + (variance - kept) * (count - 1) / count
            self.moving_variance.copy_(variance.lerp(kept, 1 / count))
        return y

    def _one_value(self, x: Tensor) -> Tensor:
        """Return beta: one value is its own mean. The moving values move, as in Keras."""
        value = x.detach().reshape(-1)
        with torch.no_grad():
            self.moving_mean.lerp_(value, 1 - self._momentum())
            self.moving_variance.mul_(self._momentum())
        zero = torch.zeros_like(value)
        return functional.batch_norm(x - x, zero, zero, self.gamma, self.beta, eps=self.epsilon)


class LayerNormalization(Standardization):
    """Give each sample mean 0 and variance 1 along axes, then gamma and beta.

    Fields: `axis`, one or several (-1: the channels), each place of the others on its own;
    `epsilon`, added to the variance; `center`, `scale` and the words of the weights, which have the
    shape of these axes.

    Shape: that of the input.
    Raises: ShapeError where the size of such an axis is not known.
    Source: Ba, Kiros and Hinton, Layer Normalization, 2016; Keras 3's LayerNormalization.
    """

    axis: Axes = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    several = True

    def windows(self, *x: Spec) -> Geometry:
        """Read all of the axes that are normalised."""
        return across(x[0], *self.places(x[0]))

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Normalise along one axis; over several it is none."""
        axes = self.places(x[0])
        norm = LayerNorm(*self.names(), self.epsilon)
        return along(x[0], axes[0], norm) if len(axes) == 1 else None

    def told(self, *x: Spec) -> Told | None:
        """Normalise along the axes."""
        axes = tuple(last_axis(x[0], at) for at in self.places(x[0]))
        return (Standardize("moments", axes, axes, *self.names(), self.epsilon),)

    def forward(self, *x: Tensor) -> Tensor:
        """Normalise over the axes, moved to the end."""
        axes = tuple(at + 1 for at in self.places(self.specs[0]))
        ends = tuple(range(-len(axes), 0))
        sizes = [x[0].shape[axis] for axis in axes]
        y = functional.layer_norm(
            x[0].movedim(axes, ends), sizes, self.gamma, self.beta, self.epsilon
        )
        return y.movedim(ends, axes)


class GroupNormalization(Standardization):
    """Give each group of a sample's channels mean 0 and variance 1, then gamma and beta.

    Fields: `groups`, into which the channels divide, -1 for one channel each (instance
    normalisation); `axis`, that of the channels (-1: as the layout says); `epsilon`, `center`,
    `scale` and the words of the weights.

    Shape: that of the input.
    Raises: ShapeError where the channels do not divide into the groups or are not known.
    Source: Wu and He, Group Normalization, ECCV 2018; Keras 3's GroupNormalization.
    """

    groups: int = 32
    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        super().__post_init__()
        if self.groups != -1:
            checked_count(self.where, "groups", self.groups)

    def windows(self, *x: Spec) -> Geometry:
        """Read all places of the channels of one's group."""
        (at,), rank = self.places(x[0]), len(x[0].shape)
        return tuple(Mix(self.parts(x[0])) if axis == at else Mix() for axis in range(rank))

    def sizes(self, x: Spec) -> tuple[int, ...]:
        """Return the shape of the weights, or raise ShapeError."""
        (channels,) = super().sizes(x)
        parts = self.parts(x)
        if channels % parts:
            raise ShapeError(
                self.where,
                "the input's channels do not divide into the groups",
                got=f"input {x}, groups={parts}",
                need="channels % groups = 0",
                math=f"{channels} % {parts} = {channels % parts}",
                fix=f"groups={max(n for n in range(1, parts) if channels % n == 0)}",
            )
        return (channels,)

    def told(self, *x: Spec) -> Told | None:
        """Normalise each group, which has all places of its channels."""
        (at,), rank = self.places(x[0]), len(x[0].shape)
        weighted = (last_axis(x[0], at),)
        words = (*self.names(), self.epsilon, self.parts(x[0]))
        return (Standardize("moments", tuple(range(rank)), weighted, *words),)

    def parts(self, x: Spec) -> int:
        """Return the number of groups."""
        (at,) = self.places(x)
        return (x.shape[at] or 1) if self.groups == -1 else self.groups

    def forward(self, *x: Tensor) -> Tensor:
        """Normalise the groups."""
        (at,) = self.places(self.specs[0])
        first = x[0].movedim(at + 1, 1)
        gamma = self.gamma
        if gamma is None and self.beta is not None:
            gamma = torch.ones_like(self.beta)  # without, torch's gradient fails
        if torch.is_grad_enabled() and not first.requires_grad:
            # torch 2.13 dies of the weights' gradients where channels come last, even a single one,
            # which contiguous() leaves as it is
            first = first.clone(memory_format=torch.contiguous_format)
        # not functional.group_norm, which refuses one value per group where torch itself gives beta
        y: Tensor = torch.group_norm(
            first, self.parts(self.specs[0]), gamma, self.beta, self.epsilon
        )
        return y.movedim(1, at + 1)


class RMSNormalization(Elementwise):
    """Give vectors along axes a mean square of 1, times a weight: y = x / sqrt(mean(x^2) + e) * s.

    Fields: `axis`, one or several (-1: the channels); `epsilon`, e.
    Shape: that of the input; the weight `scale` has the shape of these axes.
    Raises: ShapeError where the size of such an axis is not known.
    Source: Zhang and Sennrich, Root Mean Square Layer Normalization, 2019; Keras 3.
    """

    axis: Axes = -1
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        checked_axes(self.where, self.axis, several=True)
        check_range(self.where, "epsilon", self.epsilon, "[0, inf)", 1e-6)

    def sizes(self, x: Spec) -> tuple[int, ...]:
        """Return the shape of the weight, or raise ShapeError."""
        first = self.specs[0] if self.built else None
        return tuple(size(self.where, x, at, first) for at in places(self.where, self.axis, x))

    def build(self, *x: Spec) -> None:
        """Create the weight."""
        self.scale = self.add_weight("scale", self.sizes(x[0]), Ones())

    def windows(self, *x: Spec) -> Geometry:
        """Read all of the axes that are normalised."""
        return across(x[0], *places(self.where, self.axis, x[0]))

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        self.sizes(x[0])
        return x[0]

    def told(self, *x: Spec) -> Told | None:
        """Divide by the root of the mean square along the axes."""
        axes = tuple(last_axis(x[0], at) for at in places(self.where, self.axis, x[0]))
        return (Standardize("square", axes, axes, "scale", "", self.epsilon),)

    def forward(self, *x: Tensor) -> Tensor:
        """Divide by the root of the mean square along the axes, moved to the end."""
        axes = tuple(at + 1 for at in places(self.where, self.axis, self.specs[0]))
        ends = tuple(range(-len(axes), 0))
        last = x[0].movedim(axes, ends)
        mean = last.square().mean(ends, keepdim=True)
        return (last * (mean + self.epsilon).rsqrt() * self.scale).movedim(ends, axes)


class UnitNormalization(Elementwise):
    """Give vectors along axes length 1: y = x / sqrt(sum of x^2); a vector of zeros stays.

    Field: `axis`, one or several (-1: the channels). Source: Keras 3's UnitNormalization.
    """

    axis: Axes = -1

    def __post_init__(self) -> None:
        """Check the axis."""
        checked_axes(self.where, self.axis, several=True)

    def build(self, *x: Spec) -> None:
        """Raise ShapeError for an axis that is not there; there is nothing to create."""
        places(self.where, self.axis, x[0])

    def windows(self, *x: Spec) -> Geometry:
        """Read all of the axes that are normalised."""
        return across(x[0], *places(self.where, self.axis, x[0]))

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        places(self.where, self.axis, x[0])
        return x[0]

    def told(self, *x: Spec) -> Told | None:
        """Divide by the length along the axes."""
        axes = tuple(last_axis(x[0], at) for at in places(self.where, self.axis, x[0]))
        return (Standardize("length", axes, (), "", "", 1e-12),)

    def forward(self, *x: Tensor) -> Tensor:
        """Divide by the length, or by 1e-12 if it is less."""
        axes = tuple(at + 1 for at in places(self.where, self.axis, self.specs[0]))
        length: Tensor = torch.linalg.vector_norm(x[0], dim=axes, keepdim=True)
        return x[0] / length.clamp_min(1e-12)


def places(where: str, axis: Axes, x: Spec) -> tuple[int, ...]:
    """Return the positions in `x.shape` of one axis or several, in order."""
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(sorted({place(where, one, x) for one in axes}))
