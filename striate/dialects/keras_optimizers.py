"""Optimizers of a Keras script: each version's defaults and formulas on the native rules."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

from .. import optimizers as native
from ..engine.hooks import current_rate, set_rate
from ..errors import caller, nearest
from ..optimizers.rules import NAMES
from ..optimizers.schedules import InverseTimeDecay
from .keras_session import KerasSession
from .table import DialectError

OUTSIDE = ("rmsprop", "adagrad")  # epsilon was added to the root, not under it, up to Keras 2.3
RENAMED = {"lr": "learning_rate"}
DROPPED = ("name", "schedule_decay")


def make(session: KerasSession, word: str, args: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """Return the native optimizer for a call of the dialect's.

    A root with epsilon outside, sqrt(a) + e, is sqrt(a + e^2) but for gradients as small as e
    itself, so that the native rule, and its kernel, serve both.
    """
    cls, version = NAMES[word], session.version
    known = tuple(inspect.signature(cls).parameters)
    given = dict(zip(known, args, strict=False))
    given |= {RENAMED.get(key, key): value for key, value in words.items() if key not in DROPPED}
    decay = float(given.pop("decay", 0.0) or 0.0)
    title = f"{version.title} {cls.__name__}"
    for key in given:
        if key not in known:
            raise DialectError(
                title,
                f"there is no argument {key!r}",
                need="one of lr, decay, " + ", ".join(known),
                fix=nearest(key, [*known, "decay"]) or f"natively: st.optimizers.{cls.__name__}()",
                at=caller(),
            )
    settings = {**version.optimizers[word], **{k: v for k, v in given.items() if v is not None}}
    if version.folds and "epsilon" in settings and word in OUTSIDE:
        settings["epsilon"] = settings["epsilon"] ** 2
    if version.folds and "clipnorm" in settings:  # of all gradients together, up to Keras 2.3
        settings["global_clipnorm"] = settings.pop("clipnorm")
    if decay:
        settings["learning_rate"] = InverseTimeDecay(settings["learning_rate"], 1, decay)
    return cls(**settings)


def get(session: KerasSession, given: Any) -> Any:
    """Return the native optimizer for what compile was given."""
    if isinstance(given, str):
        if given.lower() not in session.version.optimizers:
            raise DialectError(
                session.version.title,
                f"there is no optimizer {given!r}",
                need="one of " + ", ".join(session.version.optimizers),
                fix=nearest(given, session.version.optimizers)
                or 'natively: model.compile(optimizer="adam")',
                at=caller(),
            )
        return make(session, given.lower(), (), {})
    return given


class Rate(float):
    """The learning rate of a model, which `K.set_value` can change."""

    model: Any

    def assign(self, value: float) -> None:
        """Set the rate from the next step on; a decay goes on from it."""
        setup = self.model.setup
        schedule = setup.optimizer.learning_rate
        if isinstance(schedule, InverseTimeDecay):
            changed = dataclasses.replace(schedule, initial_learning_rate=float(value))
            setup.optimizer = dataclasses.replace(setup.optimizer, learning_rate=changed)
        else:
            set_rate(self.model, float(value))

    def numpy(self) -> float:
        """Return the number."""
        return float(self)


class Handle:
    """What a script sees as `model.optimizer`."""

    def __init__(self, model: Any) -> None:
        object.__setattr__(self, "model", model)

    @property
    def lr(self) -> Rate:
        """The learning rate of the next step."""
        model = vars(self)["model"]
        rate = Rate(current_rate(model))
        rate.model = model
        return rate

    learning_rate = lr

    def __setattr__(self, key: str, value: Any) -> None:
        if key not in ("lr", "learning_rate"):
            raise DialectError(
                "model.optimizer",
                f"{key} cannot be set",
                need="lr or learning_rate",
                fix="compile with another optimizer",
                at=caller(),
            )
        self.lr.assign(value)


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.optimizers`."""

    def maker(word: str) -> Callable[..., Any]:
        def optimizer(*args: Any, **words: Any) -> Any:
            return make(session, word, args, words)

        return optimizer

    made = {NAMES[word].__name__: maker(word) for word in session.version.optimizers}
    small = {word: made[NAMES[word].__name__] for word in session.version.optimizers}
    return {**made, **small, "Optimizer": native.Optimizer, "get": lambda g: get(session, g)}
