"""Metrics of Keras 1 that are of each batch by itself: what is rounded to 1, and is so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..symbolic import tensor

EPSILON = 1e-7


def _rounded(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return how many are right and 1, are taken for 1, and are 1."""
    true, said = tensor(y_true).float(), tensor(y_pred)
    ones = (true * said, said, true)
    right, taken, there = (one.clamp(0, 1).round().sum() for one in ones)
    return right, taken, there


def precision(y_true: Any, y_pred: Any) -> Tensor:
    """Return which part of what is taken for 1 is so."""
    right, taken, _ = _rounded(y_true, y_pred)
    return right / (taken + EPSILON)


def recall(y_true: Any, y_pred: Any) -> Tensor:
    """Return which part of what is 1 is taken for it."""
    right, _, there = _rounded(y_true, y_pred)
    return right / (there + EPSILON)


def fbeta_score(y_true: Any, y_pred: Any, beta: float = 1) -> Tensor:
    """Return the weighted harmonic mean of both; 0 where nothing is 1."""
    _, _, there = _rounded(y_true, y_pred)
    p, r, square = precision(y_true, y_pred), recall(y_true, y_pred), beta**2
    return torch.where(there > 0, (1 + square) * p * r / (square * p + r + EPSILON), 0.0)


def fmeasure(y_true: Any, y_pred: Any) -> Tensor:
    """Return the harmonic mean of both."""
    return fbeta_score(y_true, y_pred)


def matthews_correlation(y_true: Any, y_pred: Any) -> Tensor:
    """Return how right and wrong answers of both kinds are correlated."""
    true, said = (tensor(one).float().clamp(0, 1).round() for one in (y_true, y_pred))
    tp, tn = (true * said).sum(), ((1 - true) * (1 - said)).sum()
    fp, fn = ((1 - true) * said).sum(), (true * (1 - said)).sum()
    size = ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)).sqrt()
    return (tp * tn - fp * fn) / (size + EPSILON)


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    one.__name__: one for one in (precision, recall, fbeta_score, fmeasure, matthews_correlation)
}
