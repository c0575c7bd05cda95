"""Criterions that are made of others: sums of them, on tables, on the steps of a sequence."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from .criterions import Criterion, Row
from .kind import Signature
from .samples import float_tensor


class Composed(Criterion):
    """A criterion of criterions: `compared` is the mean over a batch."""

    signature: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **words: Any) -> None:
        self.kind = type(self).__name__
        self.words = {**self.signature, **dict(zip(self.signature, args, strict=False)), **words}
        self.row = Row(Signature(self.kind, self.signature), lambda w, x, y: self.compared(x, y))
        self.parts: list[tuple[Criterion, float]] = []
        self.output = 0.0

    def add(self, criterion: Criterion, weight: float = 1.0) -> Composed:
        """Append a criterion with its weight; return the sum."""
        self.parts.append((criterion, weight))
        return self

    def compared(self, x: Any, y: Any) -> Tensor:
        """Return the mean over the batch."""
        raise TypeError(f"{self.kind} does not define compared")


class MultiCriterion(Composed):
    """The weighted sum of criterions on the same values."""

    def compared(self, x: Tensor, y: Tensor) -> Tensor:
        """Add them."""
        values = [w * one.row.compare(one.words, x, y) for one, w in self.parts]
        return torch.stack([value.reshape(()) for value in values]).sum()


class TimeDistributedCriterion(Composed):
    """A criterion on each step of a sequence."""

    signature: ClassVar[dict[str, Any]] = {"criterion": None, "size_average": False, "dimension": 2}

    def compared(self, x: Tensor, y: Tensor) -> Tensor:
        """Add the steps, or take their mean."""
        one, axis = self.words["criterion"], self.words["dimension"] - 1
        steps = zip(x.unbind(axis), y.unbind(min(axis, y.dim() - 1)), strict=True)
        found = torch.stack([one.row.compare(one.words, *pair).reshape(()) for pair in steps])
        return found.mean() if self.words["size_average"] else found.sum()


class TimeDistributedMaskCriterion(Composed):
    """A criterion on each step of a sequence, steps with the padding's label left out."""

    signature: ClassVar[dict[str, Any]] = {"criterion": None, "padding_value": 0}

    def compared(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean over the steps that count."""
        one, labels = self.words["criterion"], y.reshape(-1)
        counted = labels != self.words["padding_value"]
        found: Tensor = one.row.compare(one.words, x.flatten(0, 1)[counted], labels[counted])
        return found


class TransformerCriterion(Composed):
    """A criterion on what two networks make of the output and of the target."""

    signature: ClassVar[dict[str, Any]] = {
        "criterion": None, "input_transformer": None, "target_transformer": None}  # fmt: skip

    def compared(self, x: Tensor, y: Tensor) -> Tensor:
        """Compare what they make; gradients go through that of the output."""
        one = self.words["criterion"]
        found = [value if net is None else net.native([tuple(value.shape[1:])])(value)
                 for net, value in ((self.words["input_transformer"], x),
                                    (self.words["target_transformer"], y))]  # fmt: skip
        compared: Tensor = one.row.compare(one.words, found[0], found[1].detach())
        return compared


class Tabular(Composed):
    """A criterion on a table of values; how networks are trained by it is in `joined`."""

    values = 2

    def forward(self, input: Any, target: Any) -> float:
        """Return the mean over the batch."""
        self.output = float(self.compared(_table(input), _table(target)))
        return self.output

    def backward(self, input: Any, target: Any) -> Any:
        """Return the gradient of each value."""
        x = [one.requires_grad_() for one in _table(input)]
        grads = torch.autograd.grad(self.compared(x, _table(target)), x, allow_unused=True)
        pairs = zip(grads, x, strict=True)
        return [(torch.zeros_like(v) if g is None else g).numpy() for g, v in pairs]


class ParallelCriterion(Tabular):
    """The weighted sum of criterions, each on its own value and target."""

    signature: ClassVar[dict[str, Any]] = {"repeat_target": False}

    @property
    def values(self) -> int:  # type: ignore[override]
        """Those of its parts."""
        return sum(one.values for one, _ in self.parts)

    def compared(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """Add them: each part takes as many values as it compares, and one target."""
        targets = y * len(self.parts) if self.words["repeat_target"] else y
        total, given = torch.zeros(()), list(x)
        for (one, weight), target in zip(self.parts, targets, strict=True):
            part, given = given[: one.values], given[one.values :]
            if isinstance(one, Tabular):
                value = one.compared(part, [target])
            else:
                value = one.row.compare(one.words, part[0], target)
            total = total + weight * value.reshape(())
        return total


class CosineEmbeddingCriterion(Tabular):
    """1 - cos for pairs that belong together (1), max(0, cos - margin) for others (-1)."""

    signature: ClassVar[dict[str, Any]] = {"margin": 0.0, "size_average": True}

    def compared(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """Compare both values."""
        a, b = (one[None] if one.dim() == 1 else one for one in x)
        reduction = "mean" if self.words["size_average"] else "sum"
        return torch.nn.functional.cosine_embedding_loss(
            a, b, y[0].reshape(-1), self.words["margin"], reduction=reduction
        )


class MarginRankingCriterion(Tabular):
    """max(0, -y * (x1 - x2) + margin)."""

    signature: ClassVar[dict[str, Any]] = {"margin": 1.0, "size_average": True}

    def compared(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """Compare both values."""
        margin = float(self.words["margin"])
        values = (-y[0].reshape(-1) * (x[0] - x[1]).reshape(-1) + margin).relu()
        return values.mean() if self.words["size_average"] else values.sum()


class L1HingeEmbeddingCriterion(Tabular):
    """The L1 distance of pairs that belong together (1), max(0, margin - distance) for others."""

    signature: ClassVar[dict[str, Any]] = {"margin": 1.0}

    def compared(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """Compare both values."""
        away = (x[0] - x[1]).abs()
        away = away.flatten(1).sum(1) if y[0].numel() == len(away) > 1 else away.sum()
        return torch.where(y[0].reshape(-1) > 0, away, (self.words["margin"] - away).relu()).mean()


class KLDCriterion(Tabular):
    """The divergence of N(mean, exp(log variance)) from N(0, 1); there is no target."""

    signature: ClassVar[dict[str, Any]] = {"size_average": True}

    def compared(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """Add it over the values, with its mean over the batch."""
        mean, spread = x
        values = 0.5 * (mean.square() + spread.exp() - 1 - spread)
        return values.sum() / (len(mean) if self.words["size_average"] and mean.dim() > 1 else 1)


class GaussianCriterion(Tabular):
    """-log of the density of the target in N(mean, exp(log variance))."""

    def compared(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """Add it over all values."""
        mean, spread = x
        away = (y[0] - mean).square() / spread.exp()
        return (0.5 * (math.log(2 * math.pi) + spread + away)).sum()


def _table(given: Any) -> list[Tensor]:
    """Return the values of a table, those of tables in it too."""
    if isinstance(given, (list, tuple)) and not all(np.isscalar(one) for one in given):
        return [value for one in given for value in _table(one)]
    return [float_tensor(given)]


COMPOSED = (
    MultiCriterion, TimeDistributedCriterion, TimeDistributedMaskCriterion, TransformerCriterion,
    ParallelCriterion, CosineEmbeddingCriterion,
    MarginRankingCriterion, L1HingeEmbeddingCriterion, KLDCriterion, GaussianCriterion,
)  # fmt: skip
