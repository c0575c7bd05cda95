"""Striate: define, explain and train convolutional networks.

The public names are imported when they are first used: `striate --help` need not wait for torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import garbage

if TYPE_CHECKING:
    from . import data, errors, initializers, inspect, layers, losses, metrics, optimizers
    from .core.layer import Layer
    from .core.symbol import Input
    from .data import datasets
    from .engine import hooks
    from .engine.seed import seed
    from .explorer.live import explore
    from .model import Model, Sequential, load

__version__ = "0.1.0"

# Torch's own threads go on spinning after each operation, on the cores that the next step needs.
# This is a thirtieth of what they do otherwise; it is read when torch is loaded.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

__all__ = [
    "Input",
    "Layer",
    "Model",
    "Sequential",
    "data",
    "datasets",
    "errors",
    "explore",
    "hooks",
    "initializers",
    "inspect",
    "layers",
    "load",
    "losses",
    "metrics",
    "optimizers",
    "seed",
]

_ROOMS = {  # where each name is; a room of the same name is the value itself
    "Input": "core.symbol",
    "Layer": "core.layer",
    "Model": "model",
    "Sequential": "model",
    "data": "data",
    "datasets": "data.datasets",
    "errors": "errors",
    "explore": "explorer.live",
    "hooks": "engine.hooks",
    "initializers": "initializers",
    "inspect": "inspect",
    "layers": "layers",
    "load": "model",
    "losses": "losses",
    "metrics": "metrics",
    "optimizers": "optimizers",
    "seed": "engine.seed",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    with garbage.not_now():
        room = import_module(f"striate.{_ROOMS[name]}")
    value = globals()[name] = getattr(room, name, room)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
