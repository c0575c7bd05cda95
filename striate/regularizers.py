"""Penalties on weights, added to the loss that training makes small."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from .errors import ConfigError, ShapeError
from .settings import Setting, callable_object, resolve


@dataclasses.dataclass(frozen=True)
class Regularizer(Setting):
    """A penalty: called on a weight, it returns a scalar that is added to the loss."""

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the penalty of this weight."""
        raise TypeError(f"{type(self).__name__} does not define __call__")


@dataclasses.dataclass(frozen=True)
class L1(Regularizer):
    """Pulls weights to exactly zero: `l1 * sum(|w|)`."""

    l1: float = 0.01
    ranges: ClassVar = {"l1": "[0, inf)"}

    def __call__(self, weight: Tensor) -> Tensor:
        """Return `l1 * sum(|w|)`."""
        return self.l1 * weight.abs().sum()


@dataclasses.dataclass(frozen=True)
class L2(Regularizer):
    """Keeps weights small: `l2 * sum(w ** 2)` (no factor 1/2, as in Keras)."""

    l2: float = 0.01
    ranges: ClassVar = {"l2": "[0, inf)"}

    def __call__(self, weight: Tensor) -> Tensor:
        """Return `l2 * sum(w ** 2)`."""
        return self.l2 * weight.square().sum()


@dataclasses.dataclass(frozen=True)
class L1L2(Regularizer):
    """Both: `l1 * sum(|w|) + l2 * sum(w ** 2)`; by name ("l1_l2") each factor is 0.01."""

    l1: float = 0.0
    l2: float = 0.0
    ranges: ClassVar = {"l1": "[0, inf)", "l2": "[0, inf)"}

    def __call__(self, weight: Tensor) -> Tensor:
        """Return `l1 * sum(|w|) + l2 * sum(w ** 2)`."""
        return self.l1 * weight.abs().sum() + self.l2 * weight.square().sum()


@dataclasses.dataclass(frozen=True)
class OrthogonalRegularizer(Regularizer):
    """Pushes the rows (or columns) of a matrix to be orthogonal to each other.

    `factor * mean(|cosine(row i, row j)|)` over the pairs i < j. Takes matrices only.
    """

    factor: float = 0.01
    mode: str = "rows"
    ranges: ClassVar = {"factor": "[0, inf)"}
    choices: ClassVar = {"mode": ("rows", "columns")}

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the mean absolute cosine between rows (columns), times `factor`."""
        if weight.ndim != 2:
            raise ShapeError(
                "OrthogonalRegularizer",
                "takes a matrix",
                got=f"a weight of shape {tuple(weight.shape)}",
                need="two axes",
                fix="regularizers.L2() for other shapes",
            )
        rows = weight if self.mode == "rows" else weight.T
        rows = torch.nn.functional.normalize(rows, dim=1, eps=1e-7)
        pairs = len(rows) * (len(rows) - 1) / 2
        cosines = (rows @ rows.T).triu(diagonal=1)
        return self.factor * cosines.abs().sum() / max(pairs, 1.0)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

NAMES: dict[str, type[Regularizer]] = {
    "l1": L1,
    "l2": L2,
    "l1_l2": L1L2,
    "orthogonal": OrthogonalRegularizer,
    "orthogonal_regularizer": OrthogonalRegularizer,
}


def get(given: Any) -> Callable[[Tensor], Tensor] | None:
    """Return the regularizer that a name ("l2"), class, description or callable stands for.

    None stays None: no penalty.
    """
    if given is None:
        return None
    found = resolve("regularizers", "regularizer", given, NAMES)
    if not callable_object(found):
        raise ConfigError(
            "regularizers",
            "a regularizer is a name or something that maps a weight to a number",
            got=repr(given),
            need="one of " + ", ".join(NAMES) + ", or a callable",
            fix=f"regularizers.L2({given!r})" if isinstance(given, float) else '"l2"',
        )
    return found  # type: ignore[no-any-return]
