"""Limits on weights, enforced after each step of training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from .errors import ConfigError
from .settings import Setting, callable_object, resolve

EPSILON = 1e-7  # Keras's: keeps the division by a norm of zero finite

Axis = int | tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Constraint(Setting):
    """A limit: called on a weight, it returns the nearest weight that is allowed."""

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the weight that replaces this one."""
        raise TypeError(f"{type(self).__name__} does not define __call__")


@dataclasses.dataclass(frozen=True)
class MaxNorm(Constraint):
    """Shortens weight vectors that are longer than `max_value`.

    `w * clip(norm, 0, max_value) / (1e-7 + norm)`. `axis` is what the norm sums over: 0 for the
    (in, out) kernel of Dense, (0, 1, 2) for the (height, width, in, out) kernel of Conv2D.
    """

    max_value: float = 2
    axis: Axis = 0
    ranges: ClassVar = {"max_value": "(0, inf)"}

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the weight with every norm at most `max_value`."""
        norms = _norms(weight, self.axis)
        return weight * (norms.clamp(max=self.max_value) / (EPSILON + norms))


@dataclasses.dataclass(frozen=True)
class NonNeg(Constraint):
    """Sets negative weights to zero."""

    def __call__(self, weight: Tensor) -> Tensor:
        """Return `max(w, 0)`."""
        return weight.clamp(min=0)


@dataclasses.dataclass(frozen=True)
class UnitNorm(Constraint):
    """Scales weight vectors to length one: `w / (1e-7 + norm)`; `axis` as in MaxNorm."""

    axis: Axis = 0

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the weight with every norm equal to one."""
        return weight / (EPSILON + _norms(weight, self.axis))


@dataclasses.dataclass(frozen=True)
class MinMaxNorm(Constraint):
    """Moves the length of weight vectors into [min_value, max_value], by the part `rate` of the
    way.

    `w * (rate * clip(norm, min_value, max_value) + (1 - rate) * norm) / (1e-7 + norm)`.
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Axis = 0
    ranges: ClassVar = {"min_value": "[0, inf)", "max_value": "(0, inf)", "rate": "[0, 1]"}

    def __post_init__(self) -> None:
        """Raise ConfigError unless `min_value <= max_value`."""
        super().__post_init__()
        if self.min_value > self.max_value:
            raise ConfigError(
                "MinMaxNorm",
                "min_value is above max_value",
                got=f"min_value={self.min_value}, max_value={self.max_value}",
                need="min_value <= max_value",
                math=f"{self.min_value} > {self.max_value}",
                fix=f"min_value={self.max_value}, max_value={self.min_value}",
            )

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the weight with every norm moved toward the interval."""
        norms = _norms(weight, self.axis)
        inside = norms.clamp(self.min_value, self.max_value)
        desired = self.rate * inside + (1 - self.rate) * norms
        return weight * (desired / (EPSILON + norms))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

NAMES: dict[str, type[Constraint]] = {
    "max_norm": MaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
    "min_max_norm": MinMaxNorm,
}


def get(given: Any) -> Callable[[Tensor], Tensor] | None:
    """Return the constraint that a name ("non_neg"), class, description or callable stands for.

    None stays None: no limit.
    """
    if given is None:
        return None
    found = resolve("constraints", "constraint", given, NAMES)
    if not callable_object(found):
        raise ConfigError(
            "constraints",
            "a constraint is a name or something that maps a weight to a weight",
            got=repr(given),
            need="one of " + ", ".join(NAMES) + ", or a callable",
            fix=f"constraints.MaxNorm({given!r})"
            if isinstance(given, (int, float))
            else '"max_norm"',
        )
    return found  # type: ignore[no-any-return]


def _norms(weight: Tensor, axis: Axis) -> Tensor:
    return torch.sqrt(weight.square().sum(dim=axis, keepdim=True))
