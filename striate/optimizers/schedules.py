"""Schedules: the learning rate as a pure function of the step, counted from 0."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ..errors import ConfigError
from ..settings import Setting, check_range, resolve

RATE = "(0, inf)"
RATE_OR_ZERO = "[0, inf)"
STEPS = "int [1, inf)"


@dataclasses.dataclass(frozen=True)
class Schedule(Setting):
    """Maps the number of steps already done to a learning rate. Formulas and names are Keras's.

    Example:
        >>> ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)(200)
        0.025
    """

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        raise TypeError(f"{type(self).__name__} does not define __call__")


@dataclasses.dataclass(frozen=True)
class Constant(Schedule):
    """The same learning rate at every step."""

    learning_rate: float
    ranges: ClassVar = {"learning_rate": RATE_OR_ZERO}

    def __call__(self, step: int) -> float:
        """Return `learning_rate`."""
        return float(self.learning_rate)


@dataclasses.dataclass(frozen=True)
class Decay(Schedule):
    """A fall from `initial_learning_rate`, by one `decay_rate` each `decay_steps`."""

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    ranges: ClassVar = {"initial_learning_rate": RATE_OR_ZERO, "decay_steps": RATE}

    def turns(self, step: int) -> float:
        """Return how often `decay_steps` went by; with `staircase`, without the started one."""
        turns = step / self.decay_steps
        return math.floor(turns) if self.staircase else turns


class ExponentialDecay(Decay):
    """`initial * decay_rate ** (step / decay_steps)`; `staircase` rounds the exponent down."""

    ranges: ClassVar = {"decay_rate": RATE}

    def __call__(self, step: int) -> float:
        """Return the decayed learning rate."""
        return float(self.initial_learning_rate * self.decay_rate ** self.turns(step))


class InverseTimeDecay(Decay):
    """`initial / (1 + decay_rate * step / decay_steps)`; `staircase` rounds the quotient down."""

    ranges: ClassVar = {"decay_rate": RATE_OR_ZERO}

    def __call__(self, step: int) -> float:
        """Return the decayed learning rate."""
        return self.initial_learning_rate / (1 + self.decay_rate * self.turns(step))


@dataclasses.dataclass(frozen=True)
class PiecewiseConstantDecay(Schedule):
    """Steps down a stair: `values[i]` up to and including step `boundaries[i]`, then the next.

    There is one value more than there are boundaries.

    Example:
        >>> stair = PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])
        >>> [stair(10), stair(11), stair(21)]
        [0.1, 0.01, 0.001]
    """

    boundaries: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        """Raise ConfigError unless the boundaries rise and the values are one more."""
        for field in ("boundaries", "values"):
            given = getattr(self, field)
            if not isinstance(given, (tuple, list)):
                raise ConfigError(
                    "PiecewiseConstantDecay",
                    f"{field}={given!r} is not a list of numbers",
                    fix="PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])",
                )
            for number in given:
                check_range("PiecewiseConstantDecay", field, number, "[0, inf)")
            object.__setattr__(self, field, tuple(given))
        if len(self.values) != len(self.boundaries) + 1:
            raise ConfigError(
                "PiecewiseConstantDecay",
                "values and boundaries do not fit each other",
                got=f"{len(self.boundaries)} boundaries, {len(self.values)} values",
                need="one value more than there are boundaries",
                math=f"{len(self.boundaries)} + 1 = {len(self.boundaries) + 1}",
                fix="give a value before the first boundary and one after each",
            )
        if sorted(set(self.boundaries)) != list(self.boundaries):
            raise ConfigError(
                "PiecewiseConstantDecay",
                "the boundaries do not rise",
                got=f"boundaries={list(self.boundaries)}",
                need="each boundary above the one before",
                fix=f"boundaries={sorted(set(self.boundaries))}",
            )

    def __call__(self, step: int) -> float:
        """Return the value of the stair that the step is on."""
        return float(self.values[sum(step > boundary for boundary in self.boundaries)])


@dataclasses.dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """`(initial - end) * (1 - step / decay_steps) ** power + end`, and `end` from `decay_steps` on.

    With `cycle`, `decay_steps` grows to its next multiple each time that the end is reached.
    """

    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False
    ranges: ClassVar = {
        "initial_learning_rate": RATE_OR_ZERO,
        "decay_steps": RATE,
        "end_learning_rate": RATE_OR_ZERO,
        "power": RATE,
    }

    def __call__(self, step: int) -> float:
        """Return the decayed learning rate."""
        if self.cycle:
            steps = self.decay_steps * max(1, math.ceil(step / self.decay_steps))
        else:
            steps, step = self.decay_steps, min(step, self.decay_steps)  # type: ignore[assignment]
        left = float((1 - step / steps) ** self.power)
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate


@dataclasses.dataclass(frozen=True)
class CosineDecay(Schedule):
    """Half a cosine from the initial learning rate down to `alpha` times it, over `decay_steps`.

    `initial * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)`. With
    `warmup_target`, the rate first rises in a straight line from the initial one to the target,
    over `warmup_steps`; the cosine then starts from the target.
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0
    ranges: ClassVar = {
        "initial_learning_rate": RATE_OR_ZERO,
        "decay_steps": RATE,
        "alpha": "[0, 1]",
        "warmup_target": RATE,
        "warmup_steps": "int [0, inf)",
    }

    def __post_init__(self) -> None:
        """Raise ConfigError for warm-up steps that have no target to rise to."""
        super().__post_init__()
        if self.warmup_steps and self.warmup_target is None:
            raise ConfigError(
                "CosineDecay",
                "warmup_steps have no learning rate to rise to",
                got=f"warmup_steps={self.warmup_steps}, warmup_target=None",
                need="warmup_target, the learning rate at the end of the warm-up",
                fix=f"initial_learning_rate=0.0, warmup_target={self.initial_learning_rate}",
            )

    def __call__(self, step: int) -> float:
        """Return the learning rate on the way up or on the cosine."""
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start, step = self.warmup_target, step - self.warmup_steps
        return start * _cosine(min(step / self.decay_steps, 1.0), self.alpha)


@dataclasses.dataclass(frozen=True)
class CosineDecayRestarts(Schedule):
    """Cosine decays one after the other: each `t_mul` times as long, from `m_mul` times as high.

    Source: Loshchilov & Hutter 2016, "SGDR: stochastic gradient descent with warm restarts".
    """

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    ranges: ClassVar = {
        "initial_learning_rate": RATE,
        "first_decay_steps": RATE,
        "t_mul": "[1, inf)",
        "m_mul": RATE,
        "alpha": "[0, 1]",
    }

    def __call__(self, step: int) -> float:
        """Return the learning rate on the cosine that the step is in."""
        length, restarts = float(self.first_decay_steps), 0
        if self.t_mul == 1:
            restarts = math.floor(step / length)
            step -= restarts * length  # type: ignore[assignment]
        while step >= length:
            step -= length  # type: ignore[assignment]
            length, restarts = length * self.t_mul, restarts + 1
        wave = self.m_mul**restarts * _cosine(step / length, 0.0)
        return self.initial_learning_rate * ((1 - self.alpha) * wave + self.alpha)


@dataclasses.dataclass(frozen=True)
class OneCycle(Schedule):
    """Up a cosine to `max_learning_rate`, then down to almost nothing: one run of `total_steps`.

    Rises from `max / div_factor` during the first `pct_start` of the steps, falls to
    `max / div_factor / final_div_factor` at the last one and stays there.

    Source: Smith & Topin 2017, "Super-convergence"; the numbers are those of torch's OneCycleLR.
    """

    max_learning_rate: float
    total_steps: int
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    ranges: ClassVar = {
        "max_learning_rate": RATE,
        "total_steps": "int [2, inf)",
        "pct_start": "(0, 1)",
        "div_factor": "[1, inf)",
        "final_div_factor": "[1, inf)",
    }

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step."""
        first = self.max_learning_rate / self.div_factor
        last = first / self.final_div_factor
        top = self.pct_start * self.total_steps - 1
        end = self.total_steps - 1
        if step < top:
            return _between(first, self.max_learning_rate, step / top)
        return _between(self.max_learning_rate, last, (min(step, end) - top) / (end - top))


@dataclasses.dataclass(frozen=True)
class WarmUp(Schedule):
    """Rises in a straight line from `start` to the first rate of `schedule`, which then begins.

    `schedule` is any schedule, or a number for a constant rate.

    Example:
        >>> WarmUp(0.1, steps=10)(5)
        0.05
    """

    schedule: Schedule | Callable[[int], float] | float
    steps: int
    start: float = 0.0
    ranges: ClassVar = {"steps": STEPS, "start": RATE_OR_ZERO}

    def __post_init__(self) -> None:
        """Make a schedule of a number or a description."""
        super().__post_init__()
        object.__setattr__(self, "schedule", get(self.schedule))

    def __call__(self, step: int) -> float:
        """Return the rate on the way up, then the schedule's."""
        schedule = get(self.schedule)
        if step >= self.steps:
            return float(schedule(step - self.steps))
        return self.start + (float(schedule(0)) - self.start) * step / self.steps


NAMES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "exponential_decay": ExponentialDecay,
    "inverse_time_decay": InverseTimeDecay,
    "piecewise_constant_decay": PiecewiseConstantDecay,
    "polynomial_decay": PolynomialDecay,
    "cosine_decay": CosineDecay,
    "cosine_decay_restarts": CosineDecayRestarts,
    "one_cycle": OneCycle,
    "warm_up": WarmUp,
}


def get(given: Any) -> Callable[[int], float]:
    """Return the schedule that a number, description (see `get_config`) or callable stands for."""
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return Constant(given)
    found = resolve("schedules", "schedule", given, NAMES) if isinstance(given, dict) else given
    if not callable(found) or isinstance(found, type):
        raise ConfigError(
            "learning_rate",
            "is neither a number nor a schedule",
            got=f"learning_rate={given!r}",
            need="a number >= 0, a schedule, or a function from the step to a number",
            fix="learning_rate=0.001, or optimizers.schedules.CosineDecay(0.001, decay_steps=1000)",
        )
    return found  # type: ignore[no-any-return]


def _cosine(done: float, alpha: float) -> float:
    """Fall from 1 to `alpha` along half a cosine, as `done` goes from 0 to 1."""
    return (1 - alpha) * (1 + math.cos(math.pi * done)) / 2 + alpha


def _between(start: float, end: float, done: float) -> float:
    return end + (start - end) * _cosine(done, 0.0)
