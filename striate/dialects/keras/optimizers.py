"""Optimizers of a Keras script: each version's defaults and formulas on the native rules."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ... import optimizers as native
from ...engine import one_pass
from ...engine.hooks import current_rate, set_rate
from ...errors import caller, nearest
from ...optimizers import schedules
from ...optimizers.schedules import InverseTimeDecay
from ...store import keras_state
from ..table import DialectError
from .own_optimizers import RULES as OWN_RULES, Writing, Written, steps, written
from .own_schedules import LearningRateSchedule
from .rules import RULES
from .session import KerasSession
from .tapes import GradientTape

OUTSIDE = ("rmsprop", "adagrad")  # epsilon was added to the root, not under it, up to Keras 2.3
RENAMED = {
    "lr": "learning_rate",
    "global_clipnorm": "global_clipnorm",
    "weight_decay_rate": "weight_decay",
}
DROPPED = ("name", "schedule_decay", "jit_compile", "loss_scale_factor")
OLD_ORDER = {  # of arguments, up to Keras 2.3
    "sgd": ("learning_rate", "momentum", "decay", "nesterov"),
    "rmsprop": ("learning_rate", "rho", "epsilon", "decay"),
    "adagrad": ("learning_rate", "epsilon", "decay"),
    "adadelta": ("learning_rate", "rho", "epsilon", "decay"),
    "adam": ("learning_rate", "beta_1", "beta_2", "epsilon", "decay", "amsgrad"),
    "adamax": ("learning_rate", "beta_1", "beta_2", "epsilon", "decay"),
    "nadam": ("learning_rate", "beta_1", "beta_2", "epsilon"),
}
SCHEDULES = {
    name: getattr(schedules, name)
    for name in ("ExponentialDecay", "InverseTimeDecay", "PiecewiseConstantDecay",
                 "PolynomialDecay", "CosineDecay", "CosineDecayRestarts")
}  # fmt: skip


def make(session: KerasSession, word: str, args: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """Return the native optimizer for a call of the dialect's.

    A root with epsilon outside, sqrt(a) + e, is sqrt(a + e^2) but for gradients as small as e
    itself, so that the native rule, and its kernel, serve both.
    """
    cls, version = RULES[word], session.version
    known = tuple(inspect.signature(cls).parameters)
    order = OLD_ORDER.get(word, known) if version.folds else known
    if len(args) > len(order):
        raise DialectError(
            f"{version.title} {cls.__name__}",
            f"takes {len(order)} positional arguments, not {len(args)}",
            need=", ".join(order),
            fix="name them",
            at=caller(),
        )
    given = dict(zip(order, args, strict=False))
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
    rate = settings["learning_rate"]
    if decay and isinstance(rate, (int, float)):
        settings["learning_rate"] = Falling(rate, 1, decay)
    elif callable(rate) and not isinstance(rate, schedules.Schedule):
        settings["learning_rate"] = rate if inspect.signature(rate).parameters else float(rate())
    elif not isinstance(rate, schedules.Schedule):
        settings["learning_rate"] = float(rate)
    return cls(**settings)


class Falling(InverseTimeDecay):
    """The rate of an optimizer with `decay`, which tells what it began with as its rate."""


Falling.__name__ = InverseTimeDecay.__name__  # in files


def _falls(optimizer: Any, schedule: Any) -> bool:
    """Return whether a rate falls by `decay`, the only way up to Keras 2.3, and by no schedule."""
    older: bool = optimizer.session.version.folds
    return isinstance(schedule, InverseTimeDecay if older else Falling)


class Rate(float):
    """The learning rate of a model, which `K.set_value` can change."""

    owner: Any

    def assign(self, value: Any) -> None:
        """Set the rate from the next step on; a decay goes on from it."""
        self.owner.set_rate(float(value))

    def numpy(self) -> float:
        """Return the number."""
        return float(self)

    value = read_value = numpy

    def get_value(self, borrow: bool = False) -> Any:
        """Return the number as Theano's shared variables give it."""
        return np.asarray(float(self))

    def set_value(self, value: Any, borrow: bool = False) -> None:
        """Set the rate, as `assign` does."""
        self.assign(value)


class Variables(list[Any]):
    """The variables of an optimizer: a list in Keras 3, and up to TensorFlow 2.10 a method."""

    def __call__(self) -> Variables:
        """Return itself."""
        return self


class Optimizer(Writing):
    """An optimizer as a script holds it: a native rule, and the model that it was compiled into."""

    session: KerasSession
    word = ""

    def __init__(self, *args: Any, **words: Any) -> None:
        if self.word:
            self._take(make(self.session, self.word, args, words))
            return
        rates: list[Any] = [one for one in (*args, words.get("learning_rate"))
                 if isinstance(one, (int, float, schedules.Schedule))]  # fmt: skip
        self._take(native.SGD(*rates[:1]))  # for the rate alone
        clips = {key: one for key, one in words.items() if key.startswith("clip")}
        vars(self).update(clips, updates=[], weights=[])

    def _take(self, rule: Any) -> None:
        vars(self).update(rule=rule, model=None, state=None, names=(), states={}, hyper={},
                          built=False)  # fmt: skip

    @property
    def native(self) -> Any:
        """The rule that trains: the native one, or the script's own."""
        if steps(type(self), self.session.version.folds):
            return Written(script=self)
        return vars(self)["rule"]

    @classmethod
    def of(cls, rule: Any, model: Any = None) -> Optimizer:
        """Return the face of a native optimizer, which a model may have."""
        self = cls.__new__(cls)
        self._take(rule)
        vars(self)["model"] = model
        return self

    @property
    def lr(self) -> Rate:
        """The learning rate of the next step; with `decay`, what it began with, as in Keras."""
        own = vars(self)
        told = [held[name] for held, name in (
            (own, "lr"), (own, "learning_rate"), (own["hyper"], "learning_rate"),
            (own, "_learning_rate")) if name in held]  # fmt: skip
        if told and not isinstance(told[0], schedules.Schedule):
            return told[0]
        if told:
            return Rate(told[0](own.get("made", 0)))
        compiled = own["model"] is not None and own["model"].setup is not None
        compiled = compiled and not isinstance(own["model"].setup.optimizer, Written)
        rule = own["model"].setup.optimizer if compiled else own["rule"]
        if _falls(self, rule.learning_rate):
            rate = Rate(rule.learning_rate.initial_learning_rate)
        elif compiled:
            rate = Rate(current_rate(own["model"]))
        else:
            rate = Rate(rule.rate(own["state"] or {"step": own.get("made", 0)}))
        rate.owner = self
        return rate

    learning_rate = lr

    def set_rate(self, value: float) -> None:
        """Set the learning rate from the next step on."""
        own, model = vars(self), vars(self)["model"]
        rule = own["rule"] if model is None or model.setup is None else model.setup.optimizer
        rule = own["rule"] if isinstance(rule, Written) else rule
        schedule = rule.learning_rate
        if _falls(self, schedule):
            value = dataclasses.replace(schedule, initial_learning_rate=value)
        own["rule"] = dataclasses.replace(rule, learning_rate=value)
        if isinstance(own["hyper"].get("learning_rate"), (int, float)):
            own["hyper"]["learning_rate"] = value
        if model is not None and model.setup is not None:
            if _falls(self, schedule):
                model.setup.optimizer = own["rule"]
            else:
                set_rate(model, value)

    @property
    def iterations(self) -> Any:
        """Number of steps so far."""
        own = vars(self)
        if "iterations" in own:
            return own["iterations"]
        if "made" in own:
            return torch.tensor(own["made"])
        setup = getattr(own["model"], "setup", None)
        state = own["state"] or getattr(setup, "state", None) or {"step": 0}
        # one of several gradients that are averaged is no step
        return torch.tensor(state["step"] // (own["rule"].gradient_accumulation_steps or 1))

    @property
    def variables(self) -> Variables:
        """The number of steps, the rate unless a schedule gives it, and what is kept of weights."""
        own = vars(self)
        setup = getattr(own["model"], "setup", None)
        state = own["state"] or getattr(setup, "state", None) or {}
        kept = [state[slot][at] for slot, at in keras_state.order(own.get("rule"), state)]
        rate = own["rule"].learning_rate if own.get("rule") is not None else None
        follows = isinstance(rate, schedules.Schedule) and not _falls(self, rate)
        first = [] if follows else [torch.tensor(float(self.lr))]
        return Variables([self.iterations, *first, *kept])

    @property
    def weights(self) -> Variables:
        """The same without the rate, as older versions have it."""
        if "weights" in vars(self):
            return vars(self)["weights"]
        return Variables([one for at, one in enumerate(self.variables) if at != 1 or one.dim()])

    def get_weights(self) -> list[Any]:
        """Return copies of the weights as arrays."""
        return [one.detach().cpu().numpy().copy() for one in self.weights]

    @property
    def decay(self) -> float:
        """How much the rate shrinks at a step, by the words of Keras up to 2."""
        if "decay" in vars(self):
            return vars(self)["decay"]
        schedule = vars(self)["rule"].learning_rate
        ours = _falls(self, schedule)
        return float(schedule.decay_rate / schedule.decay_steps) if ours else 0.0

    initial_decay = decay

    def apply_gradients(self, pairs: Iterable[tuple[Any, Tensor]], **words: Any) -> None:
        """Make a step with gradients that a script has computed."""
        several = [(grad, weight) for grad, weight in pairs if weight is not None]
        self._step([grad for grad, _ in several], [weight for _, weight in several])

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Make a step, as in Keras 3."""
        weights = trainable_variables
        if weights is None:
            model = vars(self)["model"]
            weights = model.trainable_weights if model is not None else vars(self)["names"]
        self._step(list(grads), list(weights))

    def build(self, variables: Any) -> None:
        """Take the weights that steps are made for."""
        vars(self).update(names=tuple(variables), built=True)

    def minimize(self, loss: Any, var_list: Any, tape: Any = None) -> None:
        """Compute the gradients of a loss, and make a step."""
        weights = list(var_list() if callable(var_list) else var_list)
        with GradientTape() as here:
            value = loss() if callable(loss) else loss
        self._step(here.gradient(value, weights), weights)

    def _step(self, grads: list[Any], weights: list[Tensor]) -> None:
        if written(type(self), *OWN_RULES):
            self.own_step(grads, weights)
            return
        own, setup = vars(self), getattr(vars(self)["model"], "setup", None)
        rule = setup.optimizer if setup is not None else own["rule"]
        if isinstance(rule, Written):
            rule = own["rule"]
            if self.session.version.folds and written(type(self), "get_gradients"):
                own["grads"] = grads
                grads = list(self.get_gradients(torch.zeros(()), weights))
                own["grads"] = None
        known, before = tuple(map(id, weights)), own["state"]
        if known not in own["states"]:
            read = own.get("restored")  # of a checkpoint, in the order in which they were made
            first = read.pop(0) if read else rule.init(weights)
            own["states"][known] = (first, weights)  # held, so that ids stay theirs
        state = own["state"] = own["states"][known][0]
        if before is not None:  # steps are counted together, whatever weights they change
            state["step"] = before["step"]
        if not one_pass.update(rule, weights, grads, state):
            rule.update(weights, grads, state, rule.rate(state))

    def get_scaled_loss(self, loss: Any) -> Any:
        """Return the loss: in float32 it is not scaled."""
        return loss

    scale_loss = get_scaled_loss

    def get_unscaled_gradients(self, grads: Any) -> Any:
        """Return the gradients."""
        return list(grads)

    def get_gradients(self, loss: Any, params: Any) -> Any:
        """Return the gradients of a loss; those of the step, where one is made."""
        own = vars(self)
        if own.get("grads") is not None:
            return _clipped(own["grads"], own)
        return list(torch.autograd.grad(loss, list(params), retain_graph=True, allow_unused=True))

    def get_config(self) -> dict[str, Any]:
        """Return the settings."""
        rule = vars(self)["rule"]
        config = {item.name: getattr(rule, item.name) for item in dataclasses.fields(rule)}
        return {**config, "lr": float(self.lr), "learning_rate": float(self.lr)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return an optimizer with these settings."""
        return cls(**{key: value for key, value in config.items() if key != "lr"})

    def __getattr__(self, key: str) -> Any:
        rule = vars(self).get("rule")
        if rule is None or not hasattr(rule, key):
            raise AttributeError(key)
        return getattr(rule, key)

    def __setattr__(self, key: str, value: Any) -> None:
        rate = key in ("lr", "learning_rate")
        if _is_own(type(self)) and not (rate and self.word):
            vars(self)[key] = value
            return
        if not rate:
            raise DialectError(
                "model.optimizer",
                f"{key} cannot be set",
                need="lr or learning_rate",
                fix="compile with another optimizer",
                at=caller(),
            )
        if isinstance(value, schedules.Schedule):
            own = vars(self)
            own["rule"] = dataclasses.replace(own["rule"], learning_rate=value)
        else:
            self.set_rate(float(value))


def _is_own(kind: type) -> bool:
    """Return whether a class is a script's."""
    return not kind.__module__.startswith("striate.")


def _clipped(grads: list[Any], own: dict[str, Any]) -> list[Any]:
    """Return gradients, clipped as an optimizer of Keras 1 and 2 was asked."""
    if own.get("clipnorm"):
        norm = torch.stack([g.square().sum() for g in grads]).sum().sqrt()
        share = (own["clipnorm"] / norm).clamp(max=1.0)
        grads = [g * share for g in grads]
    if own.get("clipvalue"):
        grads = [g.clamp(-own["clipvalue"], own["clipvalue"]) for g in grads]
    return list(grads)


def get(session: KerasSession, given: Any) -> Any:
    """Return the native optimizer for what compile was given."""
    if isinstance(given, dict) and "class_name" in given:
        return make(session, given["class_name"].lower(), (), dict(given.get("config", {})))
    if isinstance(given, type) and issubclass(given, Optimizer):
        given = given()
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
    return given.native if isinstance(given, Optimizer) else given


def classes(session: KerasSession) -> dict[str, Any]:
    """Return the classes by their names."""
    base = type("Optimizer", (Optimizer,), {"session": session})
    made = {
        RULES[word].__name__: type(RULES[word].__name__, (base,), {"word": word})
        for word in session.version.optimizers
    }
    return {"Optimizer": base, **made}


def face(session: KerasSession, rule: Any) -> Optimizer:
    """Return a native rule as a script holds it, by the name that Keras has for its class."""
    made = classes(session)
    found: Optimizer = made.get(type(rule).__name__, made["Optimizer"]).of(rule)
    return found


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.optimizers`."""
    made = classes(session)
    small = {word: made[RULES[word].__name__] for word in session.version.optimizers}
    return {
        **made, **small,
        "get": lambda identifier: identifier if isinstance(identifier, Optimizer) else (
            face(session, get(session, identifier))
        ),
        "LossScaleOptimizer": lambda inner_optimizer, *args, **words: inner_optimizer,
        "serialize": lambda optimizer: {"class_name": type(optimizer).__name__,
                                        "config": optimizer.get_config()},
        "deserialize": lambda config, custom_objects=None: (
            face(session, get(session, config))),
    }  # fmt: skip


def schedule_names() -> dict[str, Any]:
    """Return the names of `keras.optimizers.schedules`; words beyond the native ones are names."""

    def maker(cls: Any) -> Any:
        known = inspect.signature(cls).parameters

        def schedule(*args: Any, **words: Any) -> Any:
            return cls(*args, **{key: value for key, value in words.items() if key in known})

        return schedule

    return {name: maker(cls) for name, cls in SCHEDULES.items()} | {
        "LearningRateSchedule": LearningRateSchedule
    }


__all__ = ["Optimizer", "Rate", "classes", "get", "make", "names", "native", "schedule_names"]
