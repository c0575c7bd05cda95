"""Losses of ReNom: their exact values, and the slopes that it takes, which differ where it clips.

All divide by the number of samples, but for `cross_entropy`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import caller
from ...lower.runtime import library
from ..table import DialectError
from .awaited import TINY, loss_of
from .node import Array, Node, tensor_of


class _Crossentropy(torch.autograd.Function):
    """A cross-entropy of what an activation makes of the scores; its slope: activation - target."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, target: Tensor, softmax: bool) -> Tensor:
        p = x.softmax(dim=1) if softmax else torch.sigmoid(x)
        ctx.save_for_backward(p - target)
        value = target * torch.log(p + TINY)
        return -value if softmax else -value - (1 - target) * torch.log(1 - p + TINY)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        (difference,) = ctx.saved_tensors
        return slopes[0] * difference, None, None


class _Clipped(torch.autograd.Function):
    """Half of a squared difference whose slope, divided by the samples, stays in limits."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, target: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(x - target)
        ctx.limits = low, high
        return (x - target) ** 2 / 2

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        (difference,) = ctx.saved_tensors
        return (slopes[0] * difference).clamp(*ctx.limits), None, None, None


def _apply(function: type[torch.autograd.Function], *args: Any) -> Tensor:
    value: Tensor = function.apply(*args)  # type: ignore[no-untyped-call]
    return value


def _softmax(x: Tensor, y: Tensor) -> Tensor:
    return _apply(_Crossentropy, x, y, True) / len(x)


def _sigmoid(x: Tensor, y: Tensor) -> Tensor:
    return _apply(_Crossentropy, x, y, False) / len(x)


def _squared(x: Tensor, y: Tensor) -> Tensor:
    return (x - y) ** 2 / (2 * len(x))


def _clipped(x: Tensor, y: Tensor, clip: Any = 1.0) -> Tensor:
    low, high = clip if isinstance(clip, (tuple, list)) else (-clip, clip)
    return _apply(_Clipped, x, y, low, high) / len(x)


def _cross(x: Tensor, y: Tensor) -> Tensor:
    return -y * torch.log(x + TINY)


def _smoothed(x: Tensor, y: Tensor, delta: float = 1.0) -> Tensor:
    away = (x - y).abs()
    near = away < delta
    return torch.where(near, away**2 / 2, delta * (away - delta / 2)) / len(x)


ROWS: tuple[tuple[str, str, Callable[..., Tensor]], ...] = (
    ("softmax_cross_entropy", "SoftmaxCrossEntropy", _softmax),
    ("sigmoid_cross_entropy", "SigmoidCrossEntropy", _sigmoid),
    ("mean_squared_error", "MeanSquaredError", _squared),
    ("clipped_mean_squared_error", "ClippedMeanSquaredError", _clipped),
    ("cross_entropy", "CrossEntropy", _cross),
    ("smoothed_l1", "SmoothedL1", _smoothed),
)
SHORT = {
    "smce": "softmax_cross_entropy", "sgce": "sigmoid_cross_entropy", "mse": "mean_squared_error",
    "cmse": "clipped_mean_squared_error",
}  # fmt: skip


def _of_output(x: Any, y: Array) -> Any:
    """Return the cross-entropy of a native network's scores, whose history is made when needed.

    In one native call, where calls of torch or NumPy on small arrays take a hundredth of a step.
    """
    scores, target = np.asarray(x), np.ascontiguousarray(y, np.float32)
    native = library()
    assert native is not None, "the network has run natively"
    total, slope = native.crossentropy(np.ascontiguousarray(scores), target, TINY)
    node = Node.plain(np.asarray(total, np.float32))
    node.made = lambda: _softmax(x.tensor, tensor_of(target)).sum()
    node.slope = x.output, slope
    return node


def _plain(x: Any, y: Any) -> bool:
    """Return whether these are the scores of a native network, and targets without a history."""
    known = type(y) is np.ndarray and y.dtype.kind in "fiub" and y.ndim == 2
    return known and isinstance(x, Node) and x.output is not None and x.shape == y.shape


def _function(name: str, formula: Callable[..., Tensor]) -> Callable[..., Any]:
    def loss(x: Any, y: Any, *values: Any, reduce_sum: bool = True, **words: Any) -> Any:
        if formula is _softmax and reduce_sum:
            waits = loss_of(x, y, _of_output)
            if waits is not None:
                return waits
            if _plain(x, y):
                return _of_output(x, y)
        scores, target = tensor_of(x), tensor_of(y)
        if min(scores.ndim, target.ndim) < 2 or scores.shape != target.shape:
            raise DialectError(
                f"rm.{name}",
                "Input arrays must have no less than 2 dimension."
                if target.ndim < 2
                else "the target has another shape than the output",
                got=f"output {tuple(scores.shape)}, target {tuple(target.shape)}",
                need=f"a target of shape {tuple(scores.shape)}",
                fix="LabelBinarizer().fit_transform(labels), or labels.reshape(-1, 1)",
                at=caller(),
            )
        each = formula(scores, target, *values, **words)
        return Node.of(each.sum() if reduce_sum else each)

    loss.__name__ = name
    return loss


FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: _function(name, formula) for name, _, formula in ROWS
}
FUNCTIONS |= {short: FUNCTIONS[name] for short, name in SHORT.items()}


def _called(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what the class of a loss makes: a call with these arguments beforehand."""

    def made(*values: Any, **given: Any) -> Callable[..., Any]:
        return lambda x, y, **words: function(x, y, *values, **given, **words)

    return made


CLASSES = {title: _called(FUNCTIONS[name]) for name, title, _ in ROWS}
