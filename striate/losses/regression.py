"""Losses of numbers: how far each output is from the value at its place."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from .loss import EPSILON, Elementwise


class MeanSquaredError(Elementwise):
    """`mean((true - pred) ** 2)`."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return (true - pred).square().mean(-1)


class MeanAbsoluteError(Elementwise):
    """`mean(|true - pred|)`."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return (true - pred).abs().mean(-1)


class MeanAbsolutePercentageError(Elementwise):
    """`100 * mean(|true - pred| / max(|true|, 1e-7))`."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return 100 * ((true - pred) / true.abs().clamp(min=EPSILON)).abs().mean(-1)


class MeanSquaredLogarithmicError(Elementwise):
    """`mean((log(1 + true) - log(1 + pred)) ** 2)`; values below 1e-7 count as 1e-7."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        logs = [torch.log(side.clamp(min=EPSILON) + 1) for side in (true, pred)]
        return (logs[0] - logs[1]).square().mean(-1)


@dataclasses.dataclass(frozen=True)
class Huber(Elementwise):
    """The mean of `e ** 2 / 2` for errors to `delta`, `delta * |e| - delta ** 2 / 2` beyond."""

    delta: float = 1.0
    ranges: ClassVar = {"delta": "(0, inf)"}

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return functional.huber_loss(pred, true, reduction="none", delta=self.delta).mean(-1)


class LogCosh(Elementwise):
    """`mean(log(cosh(pred - true)))`, written so that no exponential overflows."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        error = pred - true
        return (error + functional.softplus(-2 * error) - math.log(2)).mean(-1)


class Poisson(Elementwise):
    """`mean(pred - true * log(pred + 1e-7))`."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return (pred - true * torch.log(pred + EPSILON)).mean(-1)


class CosineSimilarity(Elementwise):
    """`-sum(true * pred) / (|true| * |pred|)`: -1 in the same direction, 1 in the opposite one."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        true, pred = (functional.normalize(side, dim=-1, eps=EPSILON) for side in (true, pred))
        return -(true * pred).sum(-1)
