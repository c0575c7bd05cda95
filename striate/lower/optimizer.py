"""Which optimizers the kernels know, and by what fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import optimizers
from .builder import Update

# What an optimizer may not use, as it is written; each is a second pass over the gradients, or
# another formula.
UNSUPPORTED = (
    *("clipnorm", "clipvalue", "global_clipnorm", "use_ema", "gradient_accumulation_steps"),
    *("exclude_from_weight_decay", "amsgrad", "centered"),
)


def _sgd(given: Any) -> tuple[int, dict[str, float], tuple[str, ...]]:
    number = 2 if given.momentum else 1
    fields = {"momentum": given.momentum, "nesterov": given.nesterov}
    return number, fields, ("momentum",) if given.momentum else ()


def _rmsprop(given: Any) -> tuple[int, dict[str, float], tuple[str, ...]] | None:
    if given.momentum:
        return None
    return 3, {"momentum": given.rho, "epsilon": given.epsilon}, ("velocity",)


def _adam(number: int) -> Callable[[Any], tuple[int, dict[str, float], tuple[str, ...]]]:
    def fields(given: Any) -> tuple[int, dict[str, float], tuple[str, ...]]:
        numbers = {
            "momentum": given.beta_1,
            "second_decay": given.beta_2,
            "epsilon": given.epsilon,
        }
        return number, numbers, ("momentum", "velocity")

    return fields


KNOWN: dict[type, Callable[[Any], tuple[int, dict[str, float], tuple[str, ...]] | None]] = {
    optimizers.SGD: _sgd,
    optimizers.RMSprop: _rmsprop,
    optimizers.Adam: _adam(4),
    optimizers.AdamW: _adam(5),
}


def update_of(optimizer: Any) -> Update | str:
    """Return the optimizer in the kernels' words, or why they do not know it."""
    name = type(optimizer).__name__
    if type(optimizer) not in KNOWN:
        return f"the optimizer {name} has no kernel"
    used = [option for option in UNSUPPORTED if getattr(optimizer, option, None)]
    if used:
        return f"{name}({used[0]}=...) has no kernel"
    found = KNOWN[type(optimizer)](optimizer)
    if found is None:
        return f"{name}(momentum=...) has no kernel"
    number, fields, slots = found
    numbers = {"momentum": 0.0, "second_decay": 0.0, "epsilon": 0.0, "nesterov": 0, **fields}
    decay = optimizer.weight_decay or 0.0
    return Update({"optimizer": number, **numbers, "weight_decay": decay}, slots)
