"""The update rules, each with Keras's name, defaults and formula, over all weights at once."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, ClassVar

import torch

from .optimizer import Optimizer, State, Tensors

POSITIVE = "(0, inf)"
PART = "[0, 1)"
EPSILON = {"eps": "epsilon"}

# Products over t of Nadam's factors 1 - 0.96**t / 2. From t = 900 on 0.96**t / 2 is below half a
# unit in the last place of 1.0, so the product stands still.
NADAM_PRODUCTS = tuple(accumulate((1 - 0.5 * 0.96**t for t in range(1, 901)), operator.mul))


@dataclasses.dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: `w -= learning_rate * g`.

    With `momentum`, the step is `m = momentum * m - learning_rate * g`, then `w += m`; with
    `nesterov` too, `w += momentum * m - learning_rate * g`.

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum".
    """

    learning_rate: Any = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    ranges: ClassVar = {"momentum": "[0, 1]"}

    def slots(self) -> Mapping[str, float]:
        """Return the momentum, if there is one."""
        return {"momentum": 0.0} if self.momentum else {}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step against the gradients."""
        if not self.momentum:
            torch._foreach_add_(params, grads, alpha=-lr)
            return
        torch._foreach_mul_(state["momentum"], self.momentum)
        torch._foreach_add_(state["momentum"], grads, alpha=-lr)
        if self.nesterov:
            torch._foreach_add_(params, grads, alpha=-lr)
            torch._foreach_add_(params, state["momentum"], alpha=self.momentum)
        else:
            torch._foreach_add_(params, state["momentum"])


@dataclasses.dataclass(frozen=True)
class RMSprop(Optimizer):
    """Divides each gradient by the root of a running mean of its square.

    `v = rho * v + (1 - rho) * g**2`, then `w -= learning_rate * g / sqrt(v + epsilon)`. `centered`
    subtracts the square of the running mean of `g` from `v` (a difference below zero, which only
    rounding makes, counts as zero). `momentum` keeps `m = momentum * m + step`, then `w -= m`.

    Source: Hinton 2012, lecture 6e; Keras puts epsilon inside the root.
    """

    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False
    ranges: ClassVar = {"rho": PART, "momentum": "[0, 1]", "epsilon": POSITIVE}
    renamed: ClassVar = {"alpha": "rho", **EPSILON}

    def slots(self) -> Mapping[str, float]:
        """Return the mean square and what the options keep."""
        kept = {"velocity": True, "momentum": self.momentum, "average_gradient": self.centered}
        return {name: 0.0 for name, used in kept.items() if used}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step along the gradients in units of their running size."""
        _mean_square(state["velocity"], grads, self.rho)
        scale = state["velocity"]
        if self.centered:
            average = state["average_gradient"]
            torch._foreach_lerp_(average, grads, 1 - self.rho)
            scale = torch._foreach_addcmul(scale, average, average, value=-1)
            torch._foreach_clamp_min_(scale, 0.0)
        scale = _root(scale, self.epsilon)
        if self.momentum:
            torch._foreach_mul_(state["momentum"], self.momentum)
            torch._foreach_addcdiv_(state["momentum"], grads, scale, value=lr)
            torch._foreach_sub_(params, state["momentum"])
        else:
            torch._foreach_addcdiv_(params, grads, scale, value=-lr)


@dataclasses.dataclass(frozen=True)
class TwoMeans(Optimizer):
    """A rule that follows the gradient and its size by running means.

    `beta_1` and `beta_2` are the parts of them that stay at each update; `epsilon` keeps the
    division by the size finite.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    ranges: ClassVar = {"beta_1": PART, "beta_2": PART, "epsilon": POSITIVE}
    renamed: ClassVar = {"beta1": "beta_1", "beta2": "beta_2", **EPSILON}


@dataclasses.dataclass(frozen=True)
class Adam(TwoMeans):
    """Steps along a running mean of the gradient, in units of the root of its mean square.

    `m += (1 - beta_1) * (g - m)`, `v += (1 - beta_2) * (g**2 - v)`, then
    `w -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)` at update
    t = 1, 2... `amsgrad` divides by the largest `v` so far.

    Source: Kingma & Ba 2014, section 2 (epsilon is their epsilon-hat); Reddi et al. 2018.
    """

    amsgrad: bool = False

    def slots(self) -> Mapping[str, float]:
        """Return the two means, and the largest mean square where it is kept."""
        names = ("momentum", "velocity", "velocity_hat")
        return dict.fromkeys(names if self.amsgrad else names[:2], 0.0)

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step along the mean gradients in units of their running size."""
        mean, square = state["momentum"], state["velocity"]
        torch._foreach_lerp_(mean, grads, 1 - self.beta_1)
        _mean_square(square, grads, self.beta_2)
        if self.amsgrad:
            torch._foreach_maximum_(state["velocity_hat"], square)
            square = state["velocity_hat"]
        scale = torch._foreach_sqrt(square)
        torch._foreach_add_(scale, self.epsilon)
        rate = lr * (1 - self.beta_2**step) ** 0.5 / (1 - self.beta_1**step)
        torch._foreach_addcdiv_(params, mean, scale, value=-rate)


@dataclasses.dataclass(frozen=True)
class AdamW(Adam):
    """Adam with weight decay, which is decoupled from the gradient (see `Optimizer`).

    Source: Loshchilov & Hutter 2017, "Decoupled weight decay regularization".
    """

    weight_decay: float | None = 0.004


class Nadam(TwoMeans):
    """Adam with Nesterov momentum: the step looks ahead by the momentum of the next update.

    `u(t) = beta_1 * (1 - 0.96**t / 2)` and `U(t) = u(1) * ... * u(t)`; `m` and `v` as in Adam; then
    `w -= learning_rate * mhat / (sqrt(v / (1 - beta_2**t)) + epsilon)` with
    `mhat = u(t+1) * m / (1 - U(t+1)) + (1 - u(t)) * g / (1 - U(t))`.

    Source: Dozat 2015, "Incorporating Nesterov momentum into Adam".
    """

    def slots(self) -> Mapping[str, float]:
        """Return the two means."""
        return {"momentum": 0.0, "velocity": 0.0}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step along the mean gradients of the update to come."""
        mean, square = state["momentum"], state["velocity"]
        torch._foreach_lerp_(mean, grads, 1 - self.beta_1)
        _mean_square(square, grads, self.beta_2)
        scale = torch._foreach_div(square, 1 - self.beta_2**step)
        torch._foreach_sqrt_(scale)
        torch._foreach_add_(scale, self.epsilon)
        now, later = self._momentum(step), self._momentum(step + 1)
        ahead = lr * later / (1 - self._product(step + 1))
        here = lr * (1 - now) / (1 - self._product(step))
        torch._foreach_addcdiv_(params, mean, scale, value=-ahead)
        torch._foreach_addcdiv_(params, grads, scale, value=-here)

    def _momentum(self, step: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96**step)

    def _product(self, step: int) -> float:
        damping = NADAM_PRODUCTS[min(step, len(NADAM_PRODUCTS)) - 1]
        return float(self.beta_1**step * damping)


class Adamax(TwoMeans):
    """Adam with the largest recent gradient in place of the mean square.

    `m` as in Adam, `u = max(beta_2 * u, |g|)`, then
    `w -= learning_rate / (1 - beta_1**t) * m / (u + epsilon)`.

    Source: Kingma & Ba 2014, section 7.1.
    """

    def slots(self) -> Mapping[str, float]:
        """Return the mean and the largest gradient."""
        return {"momentum": 0.0, "norm": 0.0}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step along the mean gradients in units of the largest ones."""
        torch._foreach_lerp_(state["momentum"], grads, 1 - self.beta_1)
        torch._foreach_mul_(state["norm"], self.beta_2)
        torch._foreach_maximum_(state["norm"], torch._foreach_abs(grads))
        scale = torch._foreach_add(state["norm"], self.epsilon)
        rate = lr / (1 - self.beta_1**step)
        torch._foreach_addcdiv_(params, state["momentum"], scale, value=-rate)


@dataclasses.dataclass(frozen=True)
class Adagrad(Optimizer):
    """Divides each gradient by the root of the sum of its squares so far.

    `a += g**2`, from `initial_accumulator_value`, then
    `w -= learning_rate * g / sqrt(a + epsilon)`.

    Source: Duchi et al. 2011, "Adaptive subgradient methods".
    """

    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7
    ranges: ClassVar = {"initial_accumulator_value": "[0, inf)", "epsilon": POSITIVE}
    renamed: ClassVar = EPSILON

    def slots(self) -> Mapping[str, float]:
        """Return the sum of squares and what it begins with."""
        return {"accumulator": self.initial_accumulator_value}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step along the gradients in units of the root of their sum of squares."""
        torch._foreach_addcmul_(state["accumulator"], grads, grads)
        scale = _root(state["accumulator"], self.epsilon)
        torch._foreach_addcdiv_(params, grads, scale, value=-lr)


@dataclasses.dataclass(frozen=True)
class Adadelta(Optimizer):
    """Steps whose size is that of the recent steps, relative to that of the recent gradients.

    `a = rho * a + (1 - rho) * g**2`, `d = sqrt(s + epsilon) / sqrt(a + epsilon) * g`,
    `s = rho * s + (1 - rho) * d**2`, then `w -= learning_rate * d`. The paper has a learning rate
    of 1; Keras's default of 0.001 is a thousand times slower.

    Source: Zeiler 2012, "ADADELTA: an adaptive learning rate method".
    """

    rho: float = 0.95
    epsilon: float = 1e-7
    ranges: ClassVar = {"rho": PART, "epsilon": POSITIVE}
    renamed: ClassVar = EPSILON

    def slots(self) -> Mapping[str, float]:
        """Return the mean squares of gradients and of steps."""
        return {"accumulated_grad": 0.0, "accumulated_delta": 0.0}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step along the gradients in units of their size, times the size of recent steps."""
        _mean_square(state["accumulated_grad"], grads, self.rho)
        steps = _root(state["accumulated_delta"], self.epsilon)
        torch._foreach_mul_(steps, grads)
        torch._foreach_div_(steps, _root(state["accumulated_grad"], self.epsilon))
        _mean_square(state["accumulated_delta"], steps, self.rho)
        torch._foreach_add_(params, steps, alpha=-lr)


NAMES: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": Nadam,
    "adamax": Adamax,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
}


def _mean_square(mean: Tensors, values: Tensors, keep: float) -> None:
    """Change `mean` to `keep * mean + (1 - keep) * values**2`."""
    torch._foreach_mul_(mean, keep)
    torch._foreach_addcmul_(mean, values, values, value=1 - keep)


def _root(values: Tensors, epsilon: float) -> Tensors:
    roots = list(torch._foreach_add(values, epsilon))
    torch._foreach_sqrt_(roots)
    return roots
