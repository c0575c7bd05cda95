"""Activations: a table of functions by name, and layers of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import ConfigError, unknown

Activation = Callable[[Tensor], Tensor]

FUNCTIONS: dict[str, Activation] = {
    "linear": lambda x: x,
    "relu": functional.relu,
    "softmax": lambda x: functional.softmax(x, dim=-1),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


def get(where: str, activation: str | Activation | None) -> Activation:
    """Return the function of an activation given by name, as a callable, or as None (linear)."""
    if activation is None:
        return FUNCTIONS["linear"]
    if isinstance(activation, str):
        if activation.lower() not in FUNCTIONS:
            raise unknown(where, "activation", activation, FUNCTIONS)
        return FUNCTIONS[activation.lower()]
    if callable(activation):
        return activation
    raise ConfigError(
        where,
        f"activation={activation!r} is neither a name nor a function",
        need='a name like "relu", a function of a tensor, or None',
        fix='activation="relu"',
    )


def name_of(activation: str | Activation | None) -> str:
    """Return the name of an activation; empty where there is none or it has no known name."""
    name = activation if isinstance(activation, str) else getattr(activation, "activation_name", "")
    return "" if name == "linear" else str(name)
