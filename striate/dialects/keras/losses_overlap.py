"""Losses of Keras that look at overlaps, and at what is hard to tell."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..symbolic import lift, tensor
from ..tensor_nn import EPSILON, binary_crossentropy as entropy
from .newer import ctc


def dice(y_true: Any, y_pred: Any, axis: Any = None, **words: Any) -> Tensor:
    """Return 1 - 2 sum(t p) / (sum t + sum p)."""
    return tversky(y_true, y_pred, 0.5, 0.5, axis, scale=2.0)


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None,
            scale: float = 1.0) -> Tensor:  # fmt: skip
    """Return 1 - shared / (shared + alpha so but not said + beta said but not so)."""
    said = tensor(y_pred).float()
    true = tensor(y_true).to(said).reshape(said.shape)
    axes = tuple(range(said.dim())) if axis is None else axis
    shared = (true * said).sum(axes)
    below = scale * (shared + alpha * (true * (1 - said)).sum(axes)
                     + beta * ((1 - true) * said).sum(axes))  # fmt: skip
    return 1 - (scale * shared + EPSILON * (scale == 1)) / (below + EPSILON)


def binary_focal_crossentropy(
    y_true: Any, y_pred: Any, apply_class_balancing: bool = False, alpha: float = 0.25,
    gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
) -> Tensor:  # fmt: skip
    """Return (1 - p_t)^gamma times the entropy, p_t the probability of what is so."""
    said = tensor(y_pred).float()
    true = tensor(y_true).to(said).reshape(said.shape)
    true = true * (1 - label_smoothing) + 0.5 * label_smoothing
    said = said.sigmoid() if from_logits else said
    right = true * said + (1 - true) * (1 - said)
    out = (1 - right) ** gamma * entropy(true, said)
    if apply_class_balancing:
        out = out * (true * alpha + (1 - true) * (1 - alpha))
    return out.mean(axis)


def categorical_focal_crossentropy(
    y_true: Any, y_pred: Any, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
    label_smoothing: float = 0.0, axis: int = -1,
) -> Tensor:  # fmt: skip
    """Return alpha (1 - p)^gamma times the entropy of each class, added up."""
    said = tensor(y_pred).float()
    true = tensor(y_true).to(said)
    true = true * (1 - label_smoothing) + label_smoothing / said.shape[axis]
    said = said.softmax(axis) if from_logits else said / said.sum(axis, keepdim=True)
    said = said.clamp(EPSILON, 1 - EPSILON)
    return (-alpha * (1 - said) ** gamma * true * said.log()).sum(axis)


def circle(
    y_true: Any, y_pred: Any, ref_labels: Any = None, ref_embeddings: Any = None,
    remove_diagonal: bool = True, gamma: float = 80.0, margin: float = 0.4,
) -> Tensor:  # fmt: skip
    """Return a number for each embedding that is small where those of its class are nearer.

    Embeddings have length 1. Source: Sun et al. 2020, "Circle loss".
    """
    said, classes = tensor(y_pred).float(), tensor(y_true).reshape(-1)
    others = said if ref_embeddings is None else tensor(ref_embeddings).float()
    labels = classes if ref_labels is None else tensor(ref_labels).reshape(-1)
    far = (1 - said @ others.mT).clamp(min=0)
    same = classes[:, None] == labels
    unlike = ~same
    if remove_diagonal:
        same = same & ~torch.eye(*same.size(), dtype=torch.bool)
    near = gamma * (margin + far) * (far - margin)
    apart = gamma * (1 + margin - far).clamp(min=0) * (1 - margin - far)
    both = (near.masked_fill(~same, -torch.inf).logsumexp(1)
            + apart.masked_fill(~unlike, -torch.inf).logsumexp(1))  # fmt: skip
    return torch.nn.functional.softplus(both)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float = 0.5) -> Tensor:
    """Return (1 - p^q) / q for the probability p of the true class, a whole number.

    Source: Zhang & Sabuncu 2018, "Generalized cross entropy loss for training with noisy labels".
    """
    said = tensor(y_pred).float()
    labels = tensor(y_true).long().reshape(*said.shape[:-1], 1)
    return (1 - said.gather(-1, labels).squeeze(-1) ** q) / q


CLASSES: dict[str, Callable[..., Tensor]] = {
    "Dice": dice, "Tversky": tversky, "BinaryFocalCrossentropy": binary_focal_crossentropy,
    "CategoricalFocalCrossentropy": categorical_focal_crossentropy, "CTC": ctc,
    "Circle": circle, "CategoricalGeneralizedCrossEntropy": categorical_generalized_cross_entropy,
}  # fmt: skip


def functions() -> dict[str, Any]:
    """Return the functions by their names."""
    return {function.__name__: lift(function) for function in CLASSES.values()}


def classes(base: Any) -> dict[str, Any]:
    """Return the classes by their names; `base` is the class of losses."""

    def made(name: str, function: Any) -> Any:
        known = [word for word in inspect.signature(function).parameters
                 if word not in ("y_true", "y_pred", "words", "scale")]  # fmt: skip

        def start(self: Any, *args: Any, reduction: Any = "auto", name: Any = None,
                  **words: Any) -> None:  # fmt: skip
            base.__init__(self, reduction=reduction, name=name or function.__name__)
            self.given = dict(zip(known, args, strict=False))
            self.given |= {key: value for key, value in words.items() if key in known}

        def call(self: Any, y_true: Any, y_pred: Any) -> Any:
            return function(y_true, y_pred, **self.given)

        def config(self: Any) -> dict[str, Any]:
            """Return the settings."""
            return {**base.get_config(self), **self.given}

        return type(name, (base,), {"__init__": start, "call": call, "get_config": config})

    return {name: made(name, function) for name, function in CLASSES.items()}
