"""Which optimizers the kernels know, and by what fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from .. import optimizers
from .builder import NOTHING, Update

# What an optimizer may not use, as it is written; each is a second pass over the gradients, or
# another formula.
UNSUPPORTED = (
    *("clipnorm", "clipvalue", "global_clipnorm", "use_ema", "gradient_accumulation_steps"),
    *("exclude_from_weight_decay", "centered"),
)


class Rule(IntEnum):
    """The optimizers of the kernels, by their numbers there."""

    SGD = 1
    MOMENTUM = 2
    RMSPROP = 3
    ADAM = 4
    ADAMW = 5
    ADAGRAD = 6
    ADADELTA = 7
    ADAMAX = 8
    NADAM = 9
    HEAVY_BALL = 10
    CORRECTED_ADAM = 11


Known = tuple[Rule, dict[str, float], tuple[str, ...]]  # with its fields and slots


def _sgd(given: Any) -> Known:
    rule = Rule.MOMENTUM if given.momentum else Rule.SGD
    fields = {"momentum": given.momentum, "nesterov": given.nesterov}
    return rule, fields, ("momentum",) if given.momentum else ()


def _rmsprop(given: Any) -> Known:
    fields = {"momentum": given.rho, "epsilon": given.epsilon}
    if not given.momentum:
        return Rule.RMSPROP, fields, ("velocity",)
    return Rule.RMSPROP, {**fields, "second_decay": given.momentum}, ("velocity", "momentum")


def _adagrad(given: Any) -> Known:
    return Rule.ADAGRAD, {"epsilon": given.epsilon}, ("accumulator",)


def _adadelta(given: Any) -> Known:
    fields = {"momentum": given.rho, "epsilon": given.epsilon}
    return Rule.ADADELTA, fields, ("accumulated_grad", "accumulated_delta")


def _two_means(rule: Rule, second: str = "velocity") -> Callable[[Any], Known]:
    def fields(given: Any) -> Known:
        numbers = {
            "momentum": given.beta_1,
            "second_decay": given.beta_2,
            "epsilon": given.epsilon,
        }
        most = ("velocity_hat",) if getattr(given, "amsgrad", False) else ()
        return rule, numbers, ("momentum", second, *most)

    return fields


KNOWN: dict[type, Callable[[Any], Known]] = {
    optimizers.SGD: _sgd,
    optimizers.RMSprop: _rmsprop,
    optimizers.Adam: _two_means(Rule.ADAM),
    optimizers.AdamW: _two_means(Rule.ADAMW),
    optimizers.Adagrad: _adagrad,
    optimizers.Adadelta: _adadelta,
    optimizers.Adamax: _two_means(Rule.ADAMAX, "norm"),
    optimizers.Nadam: _two_means(Rule.NADAM),
}


def update_of(optimizer: Any) -> Update | str:
    """Return the optimizer in the kernels' words, or why they do not know it."""
    name = type(optimizer).__name__
    if type(optimizer) not in KNOWN:
        return f"the optimizer {name} has no kernel"
    used = [option for option in UNSUPPORTED if getattr(optimizer, option, None)]
    if used:
        return f"{name}({used[0]}=...) has no kernel"
    rule, fields, slots = KNOWN[type(optimizer)](optimizer)
    return update(rule, slots, **fields, weight_decay=optimizer.weight_decay or 0.0)


def rule_of(optimizer: Any) -> Any:
    """Return what is equal where optimizers differ in nothing but their rates."""
    if type(optimizer) not in KNOWN:
        return id(optimizer)
    return dataclasses.replace(optimizer, learning_rate=1.0)


def update(rule: Rule, slots: tuple[str, ...], **fields: float) -> Update:
    """Return an optimizer in the kernels' words; a field that is not given is 0."""
    return Update({**NOTHING, "optimizer": int(rule), **fields}, slots)
