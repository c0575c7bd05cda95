"""Outputs: whether a network gives classes, labels that hold together, numbers, or maps."""

from __future__ import annotations

from typing import Any

from ..losses import regression

CLASSES, LABELS, NUMBERS, MAPS = "classes", "labels", "numbers", "maps"


def gives(model: Any, loss: str = "") -> str:
    """Return what a network's first output is: CLASSES, LABELS, NUMBERS or MAPS.

    A softmax gives one of several classes, a sigmoid one of two or, of several outputs, labels of
    which each holds or does not. Where there is neither, `loss` (the name of the class; "": that of
    `compile`) tells numbers from the logits of classes.
    """
    spec = model.graph.outputs[0].spec
    if len(spec.shape) != 1:
        return MAPS
    if model.activation_name == "sigmoid" and spec.shape[0] != 1:
        return LABELS
    if model.activation_name in ("softmax", "sigmoid"):
        return CLASSES
    return NUMBERS if hasattr(regression, loss or loss_of(model) or "?") else CLASSES


def loss_of(model: Any) -> str:
    """Return the name of the loss that a model was compiled with, empty without one."""
    losses = getattr(getattr(model, "setup", None), "losses", None)
    return type(losses[0]).__name__ if isinstance(losses, list) and losses else ""
