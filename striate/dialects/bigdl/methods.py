"""The table of optimisation methods, `bigdl.optim.optimizer`, as settings of native rules."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from ...errors import caller
from ...optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, Optimizer, RMSprop
from ...optimizers.optimizer import State, Tensors
from ..leader import Ftrl
from ..table import DialectError, chosen
from .kind import Signature, Words, bind

Rate = Callable[[int], float]
UNSET = 1.7976931348623157e308  # DOUBLEMAX: dampening is then the momentum


@dataclass(frozen=True)
class Row:
    """One method: its arguments, and the native optimizer that does the same."""

    signature: Signature
    make: Callable[[Words], Optimizer]


class Method:
    """An optimisation method of a script."""

    def __init__(self, kind: str, words: Words) -> None:
        self.kind, self.words = kind, words
        self.follow(words.get("leaningrate_schedule"))

    def follow(self, schedule: Any) -> Method:
        """Let the learning rate follow a schedule, if there is one; return the method.

        Raises:
            DialectError: it is no schedule of BigDL's.
        """
        if schedule is None:
            return self
        if not isinstance(schedule, Schedule):
            raise DialectError(
                f"BigDL 0.7 {self.kind}",
                "the schedule of the learning rate is none of BigDL's",
                got=f"{schedule!r}, {type(schedule).__name__}",
                need=", ".join(one.__name__ for one in SCHEDULES),
                fix="Step(1000, 0.5): half the rate after each 1000 iterations",
                at=caller(),
            )
        self.words["leaningrate_schedule"] = schedule
        return self

    @classmethod
    def of(cls, kind: str, *args: Any, **words: Any) -> Method:
        """Return a method by its name and arguments."""
        return cls(kind, bind(kind, ROWS[kind].signature, args, words))

    def native(self) -> Optimizer:
        """Return the native optimizer."""
        return ROWS[self.kind].make(self.words)


# ---- schedules of the learning rate --------------------------------------------------------------


STATE = {  # the words of the first releases, which gave a name and a dictionary
    "learningRate": "learningrate", "learningRateDecay": "learningrate_decay",
    "weightDecay": "weightdecay", "momentum": "momentum", "dampening": "dampening",
    "nesterov": "nesterov", "beta1": "beta1", "beta2": "beta2", "Epsilon": "epsilon",
    "decayRate": "decayrate",
}  # fmt: skip


def named_method(name: Any, state: Mapping[str, Any] | None) -> Any:
    """Return a method that is given by its name, with what `state` says; others as they are."""
    if not isinstance(name, str):
        return name
    word = next((kind for kind in ROWS if kind.lower() == name.lower()), name)
    known = dict(zip(ROWS, ROWS, strict=True))
    kind = chosen("BigDL 0.7 Optimizer", "method", word, known, 'optim_method="SGD"')
    words = {STATE.get(word, word): value for word, value in (state or {}).items()}
    return Method.of(kind, **words)


class Schedule:
    """The learning rate as a function of the iteration, counted from 0."""

    span: float = math.inf  # iterations it is for, in a sequence

    def rate(self, lr: float, iteration: int) -> float:
        """Return the rate of an iteration, for the method's learning rate `lr`."""
        raise TypeError(f"{type(self).__name__} does not define rate")


@dataclass
class Default(Schedule):
    """lr / (1 + decay * iteration)."""

    decay: float = 0.0

    def rate(self, lr: float, iteration: int) -> float:
        """Return the rate of an iteration."""
        return lr / (1 + self.decay * iteration)


@dataclass
class Poly(Schedule):
    """lr * (1 - iteration / max_iteration) ** power, and 0 behind it."""

    power: float
    max_iteration: int

    def rate(self, lr: float, iteration: int) -> float:
        """Return the rate of an iteration."""
        left = 1 - iteration / self.max_iteration
        return lr * left**self.power if left > 0 else 0.0


@dataclass
class Step(Schedule):
    """lr * gamma ** (iteration // step_size)."""

    step_size: int
    gamma: float

    def rate(self, lr: float, iteration: int) -> float:
        """Return the rate of an iteration."""
        return float(lr * self.gamma ** (iteration // self.step_size))


@dataclass
class MultiStep(Schedule):
    """lr * gamma ** (steps that are reached)."""

    step_sizes: list[int]
    gamma: float

    def rate(self, lr: float, iteration: int) -> float:
        """Return the rate of an iteration."""
        return float(lr * self.gamma ** sum(iteration >= size for size in self.step_sizes))


@dataclass
class Exponential(Schedule):
    """lr * decay_rate ** (iteration / decay_step), in whole steps with `stair_case`."""

    decay_step: int
    decay_rate: float
    stair_case: bool = False

    def rate(self, lr: float, iteration: int) -> float:
        """Return the rate of an iteration."""
        turns = iteration / self.decay_step
        return float(lr * self.decay_rate ** (math.floor(turns) if self.stair_case else turns))


@dataclass
class Warmup(Schedule):
    """lr + delta * iteration."""

    delta: float

    def rate(self, lr: float, iteration: int) -> float:
        """Return the rate of an iteration."""
        return lr + self.delta * iteration


@dataclass
class Plateau(Schedule):
    """lr times `factor` whenever the score or loss has not become better for `patience` epochs."""

    monitor: str
    factor: float = 0.1
    patience: int = 10
    mode: str = "min"
    epsilon: float = 1e-4
    cooldown: int = 0
    min_lr: float = 0.0

    def rate(self, lr: float, iteration: int) -> float:
        """Return the rate that it begins with; a hook of the training lowers it."""
        return lr


class SequentialSchedule(Schedule):
    """One schedule after another, each for its number of iterations, counted from 0 in each."""

    def __init__(self, iteration_per_epoch: int = 0) -> None:
        self.parts: list[tuple[Schedule, int]] = []

    def add(self, scheduler: Schedule, max_iteration: int) -> SequentialSchedule:
        """Append a schedule; return the sequence."""
        self.parts.append((scheduler, max_iteration))
        return self

    def rate(self, lr: float, iteration: int) -> float:
        """Return the rate of an iteration; a warm-up hands on the rate that it has reached."""
        for schedule, span in self.parts[:-1]:
            if iteration < span:
                return schedule.rate(lr, iteration)
            iteration -= span
            lr = schedule.rate(lr, span) if isinstance(schedule, Warmup) else lr
        return self.parts[-1][0].rate(lr, iteration)


SCHEDULES = (Default, Poly, Step, MultiStep, Exponential, Warmup, Plateau, SequentialSchedule)


# ---- methods -------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class TorchSGD(Optimizer):
    """Torch 7's momentum: v = momentum * v + (1 - dampening) * (g + weightdecay * w), then
    w -= rate * v; the first v is g.

    Native momentum has the rate inside v, which is another rule where the rate changes.
    """

    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False
    l2: float = 0.0
    ranges: ClassVar = {"momentum": "[0, 1]"}

    def slots(self) -> Mapping[str, float]:
        """Return the momentum."""
        return {"momentum": 0.0}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step against the mean of the gradients."""
        if self.l2:
            grads = list(torch._foreach_add(grads, params, alpha=self.l2))
        kept = 1.0 if step == 1 else 1 - self.dampening
        torch._foreach_mul_(state["momentum"], self.momentum)
        torch._foreach_add_(state["momentum"], grads, alpha=kept)
        if self.nesterov:
            ahead = torch._foreach_add(grads, state["momentum"], alpha=self.momentum)
            torch._foreach_add_(params, list(ahead), alpha=-lr)
        else:
            torch._foreach_add_(params, state["momentum"], alpha=-lr)


class Decayed:
    """A rule for which l2 * w is a part of the gradient; the class behind it says which."""

    l2: float

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step along the gradients and the decay."""
        behind: Any = super()
        behind.rule(params, list(torch._foreach_add(grads, params, alpha=self.l2)), state, lr, step)


@dataclasses.dataclass(frozen=True)
class TorchAdagrad(Decayed, Adagrad):
    """Torch 7's, with weightdecay as l2."""

    l2: float = 0.0


@dataclasses.dataclass(frozen=True)
class DecayedAdam(Decayed, Adam):
    """Analytics Zoo's, with weight_decay as l2, which is so a part of both moments."""

    l2: float = 0.0


def _adam(words: Words) -> Optimizer:
    given = (_rate(words), words["beta1"], words["beta2"], words["epsilon"])
    l2 = float(words.get("weight_decay") or 0.0)
    return DecayedAdam(*given, l2=l2) if l2 else Adam(*given)


def _adagrad(words: Words) -> Optimizer:
    l2 = float(words["weightdecay"])
    return TorchAdagrad(_rate(words), 0.0, 1e-20, l2) if l2 else Adagrad(_rate(words), 0.0, 1e-20)


def _rate(words: Words) -> Any:
    schedule = words.get("leaningrate_schedule")
    lr, decay = float(words["learningrate"]), float(words["learningrate_decay"])
    if isinstance(schedule, Schedule) and not isinstance(schedule, Default):
        return lr if isinstance(schedule, Plateau) else lambda step: schedule.rate(lr, step)
    return (lambda step: lr / (1 + decay * step)) if decay else lr


def _sgd(words: Words) -> Optimizer:
    rate = _rate(words)
    momentum, dampening = float(words["momentum"]), words["dampening"]
    unset = dampening is None or dampening == UNSET
    if words["nesterov"] and (momentum <= 0 or unset or dampening):
        raise DialectError(
            "BigDL 0.7 SGD",
            "Nesterov momentum requires a momentum and zero dampening",
            got=f"momentum={momentum}, dampening={'not given' if unset else dampening}",
            need="momentum > 0 and dampening=0.0",
            fix="SGD(learningrate=0.01, momentum=0.9, dampening=0.0, nesterov=True)",
            at=caller(),
        )
    damp, decay = momentum if unset else float(dampening), float(words["weightdecay"])
    if not momentum:
        return SGD(rate, weight_decay=decay or None)  # w -= rate * (g + decay * w)
    if isinstance(rate, float) and not decay:
        if not damp:
            return SGD(rate, momentum, bool(words["nesterov"]))
        return SGD(lambda step: rate if step == 0 else rate * (1 - damp), momentum)
    return TorchSGD(rate, momentum, damp, bool(words["nesterov"]), decay)


def _by_closure(words: Words) -> Optimizer:
    """LBFGS computes the loss again and again in one step: see `closure`."""
    raise TypeError("LBFGS has no native rule")


SMALL = 1e-38
ROWS: dict[str, Row] = {
    "SGD": Row(
        Signature("st.optimizers.SGD(learning_rate)", {
            "learningrate": 1e-3, "learningrate_decay": 0.0, "weightdecay": 0.0, "momentum": 0.0,
            "dampening": UNSET, "nesterov": False, "leaningrate_schedule": None,
            "learningrates": None, "weightdecays": None}),
        _sgd,
    ),
    "Adam": Row(
        Signature("st.optimizers.Adam(learning_rate)", {
            "learningrate": 1e-3, "learningrate_decay": 0.0, "beta1": 0.9, "beta2": 0.999,
            "epsilon": 1e-8}),
        _adam,
    ),
    "ParallelAdam": Row(
        Signature("st.optimizers.Adam(learning_rate)", {
            "learningrate": 1e-3, "learningrate_decay": 0.0, "beta1": 0.9, "beta2": 0.999,
            "epsilon": 1e-8, "parallel_num": -1}),
        _adam,
    ),
    "Adamax": Row(
        Signature("st.optimizers.Adamax(learning_rate)", {
            "learningrate": 0.002, "beta1": 0.9, "beta2": 0.999, "epsilon": SMALL}),
        lambda w: Adamax(w["learningrate"], w["beta1"], w["beta2"], w["epsilon"]),
    ),
    # epsilon is added to the root there, and under it here: sqrt(a) + e is sqrt(a + e ** 2)
    "RMSprop": Row(
        Signature("st.optimizers.RMSprop(learning_rate)", {
            "learningrate": 1e-2, "learningrate_decay": 0.0, "decayrate": 0.99, "epsilon": 1e-8}),
        lambda w: RMSprop(_rate(w), w["decayrate"], 0.0, w["epsilon"] ** 2),
    ),
    "Adagrad": Row(
        Signature("st.optimizers.Adagrad(learning_rate)", {
            "learningrate": 1e-3, "learningrate_decay": 0.0, "weightdecay": 0.0}),
        _adagrad,
    ),
    "Ftrl": Row(
        Signature("a rule of the dialect", {
            "learningrate": 1e-3, "learningrate_power": -0.5, "initial_accumulator_value": 0.1,
            "l1_regularization_strength": 0.0, "l2_regularization_strength": 0.0,
            "l2_shrinkage_regularization_strength": 0.0}),
        lambda w: Ftrl(w["learningrate"], *list(w.values())[1:]),
    ),
    "LBFGS": Row(
        Signature("torch.optim.LBFGS", {
            "max_iter": 20, "max_eval": UNSET, "tolfun": 1e-5, "tolx": 1e-9, "ncorrection": 100,
            "learningrate": 1.0, "verbose": False, "linesearch": None,
            "linesearch_options": None}),
        _by_closure,
    ),
    "Adadelta": Row(
        Signature("st.optimizers.Adadelta(1.0)", {"decayrate": 0.9, "epsilon": 1e-10}),
        lambda w: Adadelta(1.0, w["decayrate"], w["epsilon"]),
    ),
}  # fmt: skip
STRINGS: dict[str, tuple[str, Words]] = {  # of compile: Keras 1's defaults
    "sgd": ("SGD", {"learningrate": 0.01}), "adam": ("Adam", {}), "adamax": ("Adamax", {
        "epsilon": 1e-8}), "adagrad": ("Adagrad", {"learningrate": 0.01}),
    "adadelta": ("Adadelta", {"decayrate": 0.95, "epsilon": 1e-8}),
    "rmsprop": ("RMSprop", {"learningrate": 0.001, "decayrate": 0.9}),
}  # fmt: skip
