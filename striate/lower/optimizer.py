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
    *("exclude_from_weight_decay", "centered"),
)
Known = tuple[int, dict[str, float], tuple[str, ...]]  # the rule's number, fields, and slots


def _sgd(given: Any) -> Known:
    number = 2 if given.momentum else 1
    fields = {"momentum": given.momentum, "nesterov": given.nesterov}
    return number, fields, ("momentum",) if given.momentum else ()


def _rmsprop(given: Any) -> Known:
    fields = {"momentum": given.rho, "epsilon": given.epsilon}
    if not given.momentum:
        return 3, fields, ("velocity",)
    return 3, {**fields, "second_decay": given.momentum}, ("velocity", "momentum")


def _adagrad(given: Any) -> Known:
    return 6, {"epsilon": given.epsilon}, ("accumulator",)


def _adadelta(given: Any) -> Known:
    fields = {"momentum": given.rho, "epsilon": given.epsilon}
    return 7, fields, ("accumulated_grad", "accumulated_delta")


def _two_means(number: int, second: str = "velocity") -> Callable[[Any], Known]:
    def fields(given: Any) -> Known:
        numbers = {
            "momentum": given.beta_1,
            "second_decay": given.beta_2,
            "epsilon": given.epsilon,
        }
        most = ("velocity_hat",) if getattr(given, "amsgrad", False) else ()
        return number, numbers, ("momentum", second, *most)

    return fields


KNOWN: dict[type, Callable[[Any], Known]] = {
    optimizers.SGD: _sgd,
    optimizers.RMSprop: _rmsprop,
    optimizers.Adam: _two_means(4),
    optimizers.AdamW: _two_means(5),
    optimizers.Adagrad: _adagrad,
    optimizers.Adadelta: _adadelta,
    optimizers.Adamax: _two_means(8, "norm"),
    optimizers.Nadam: _two_means(9),
}


def update_of(optimizer: Any) -> Update | str:
    """Return the optimizer in the kernels' words, or why they do not know it."""
    name = type(optimizer).__name__
    if type(optimizer) not in KNOWN:
        return f"the optimizer {name} has no kernel"
    used = [option for option in UNSUPPORTED if getattr(optimizer, option, None)]
    if used:
        return f"{name}({used[0]}=...) has no kernel"
    number, fields, slots = KNOWN[type(optimizer)](optimizer)
    numbers = {"momentum": 0.0, "second_decay": 0.0, "epsilon": 0.0, "nesterov": 0, **fields}
    decay = optimizer.weight_decay or 0.0
    return Update({"optimizer": number, **numbers, "weight_decay": decay}, slots)
