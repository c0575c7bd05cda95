"""Masks of sequences: which steps count, followed from the layer that says so to those that ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ..core.symbol import Symbol

Mask = tuple[Any, Callable[[Tensor], Tensor]]  # what it is made of, and how
PASS = frozenset(
    (
        "Dense",
        "Dropout",
        "Activation",
        "SpatialDropout1D",
        "GaussianNoise",
        "GaussianDropout",
        "BatchNormalization",
        "LayerNormalization",
        "LeakyReLU",
        "PReLU",
        "ELU",
        "ReLU",
        "Softmax",
        "TimeDistributed",
        "Add",
        "Concatenate",
        "Multiply",
        "Average",
        "AlphaDropout",
        "MultiHeadAttention",
        "Attention",
        "AdditiveAttention",
    )
)  # fmt: skip  of layers that keep the steps, and so the mask
SEEN = "keras_mask"  # the attribute of a tensor that has a mask


def mask_of(x: Any) -> Mask | None:
    """Return the mask of a symbol or of a tensor; None where all steps count."""
    if isinstance(x, Tensor):
        found = vars(x).get(SEEN)
        return None if found is None else (found, Tensor.bool)
    if not isinstance(x, Symbol) or x.node is None:
        return None
    layer = x.node.layer
    if getattr(layer, "masks", False):
        return x.node.inputs[0], layer.mask
    if type(layer).__name__ in PASS or getattr(layer, "return_sequences", False):
        return next((mask for mask in map(mask_of, x.node.inputs) if mask is not None), None)
    return None


def marked(out: Tensor, mask: Tensor) -> Tensor:
    """Return a tensor that carries its mask to the layer that is called on it next."""
    vars(out)[SEEN] = mask
    return out
