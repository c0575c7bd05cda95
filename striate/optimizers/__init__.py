"""Optimizers under Keras's names: what `compile(optimizer=...)` takes."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigError
from ..settings import resolve
from . import schedules
from .foreign import EXAMPLE, TorchOptimizer
from .optimizer import Optimizer
from .rules import NAMES, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Nadam, RMSprop

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "TorchOptimizer",
    "get",
    "schedules",
]


def get(given: Any) -> Optimizer:
    """Return the optimizer that a name, in any case, an object or a description stands for.

    `given` is a name ("adam"), an optimizer or its class, a description (see `get_config`), a torch
    optimizer, or a function that makes one from a list of weights.

    Example:
        >>> get("SGD").learning_rate
        0.01
    """
    found = resolve("optimizers", "optimizer", given, NAMES)
    if isinstance(found, Optimizer):
        return found
    if isinstance(found, type) and issubclass(found, Optimizer):
        return found()
    maker = callable(found) and (not isinstance(found, type) or hasattr(found, "step"))
    if not (maker or hasattr(found, "param_groups")):
        raise ConfigError(
            "optimizers",
            "an optimizer is a name, an optimizer of Striate or torch, or makes one from weights",
            got=repr(given),
            need="one of " + ", ".join(NAMES) + f", or {EXAMPLE}",
            fix='"adam"',
        )
    return TorchOptimizer(given=found)
