"""What every optimizer does besides its rule: accumulate, clip, decay, average, keep its state."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..errors import ConfigError, StoreError
from ..settings import Setting, check_range, plain
from . import schedules

State = dict[str, Any]  # {"step": int, and lists of tensors, one for each parameter}
Tensors = list[Tensor]


@dataclasses.dataclass(frozen=True)
class Optimizer(Setting):
    """How gradients change weights: a description, with the state kept outside of it.

    The fields are the hyper-parameters, with Keras's names, defaults and formulas.

    - `learning_rate`: a number, a schedule, or a function from the step to a number.
    - `weight_decay`: shrinks weights by `w -= w * weight_decay * learning_rate` before each update
      (decoupled from the gradient); weights whose name contains one of
      `exclude_from_weight_decay` are left alone.
    - `clipnorm` bounds the norm of each gradient, `global_clipnorm` that of all of them together,
      `clipvalue` each element; at most one of the three.
    - `use_ema`: keeps an average of the weights, `ema_momentum * average + (1 - ema_momentum) * w`;
      it replaces them every `ema_overwrite_frequency` steps, and at the end (`finalize`).
    - `gradient_accumulation_steps`: averages the gradients of that many steps into one update.

    Example:
        >>> weights = [torch.ones(2)]
        >>> sgd = SGD(0.5)
        >>> state = sgd.init(weights)
        >>> sgd.update(weights, [torch.ones(2)], state, sgd.rate(state))
        >>> weights[0], state
        (tensor([0.5000, 0.5000]), {'step': 1})
    """

    learning_rate: Any = 0.001
    weight_decay: float | None = dataclasses.field(default=None, kw_only=True)
    exclude_from_weight_decay: Sequence[str] = dataclasses.field(default=(), kw_only=True)
    clipnorm: float | None = dataclasses.field(default=None, kw_only=True)
    clipvalue: float | None = dataclasses.field(default=None, kw_only=True)
    global_clipnorm: float | None = dataclasses.field(default=None, kw_only=True)
    use_ema: bool = dataclasses.field(default=False, kw_only=True)
    ema_momentum: float = dataclasses.field(default=0.99, kw_only=True)
    ema_overwrite_frequency: int | None = dataclasses.field(default=None, kw_only=True)
    gradient_accumulation_steps: int | None = dataclasses.field(default=None, kw_only=True)

    ranges: ClassVar = {
        "weight_decay": "[0, inf)",
        "clipnorm": "(0, inf)",
        "clipvalue": "(0, inf)",
        "global_clipnorm": "(0, inf)",
        "ema_momentum": "[0, 1]",
        "ema_overwrite_frequency": "int [1, inf)",
        "gradient_accumulation_steps": "int [2, inf)",
    }
    renamed: ClassVar = {"lr": "learning_rate"}

    def __post_init__(self) -> None:
        """Raise ConfigError for a field that cannot work, alone or with the others."""
        super().__post_init__()
        where = type(self).__name__
        if self.learning_rate is not None or type(self).learning_rate is not None:
            object.__setattr__(self, "learning_rate", _learning_rate(where, self.learning_rate))
        names: Any = self.exclude_from_weight_decay
        if not isinstance(names, (tuple, list)) or not all(isinstance(one, str) for one in names):
            raise ConfigError(
                where,
                f"exclude_from_weight_decay={names!r} is not a list of names",
                need="parts of the names of weights",
                fix='exclude_from_weight_decay=("bias", "gamma", "beta")',
            )
        object.__setattr__(self, "exclude_from_weight_decay", tuple(names))
        bounds = ("clipnorm", "clipvalue", "global_clipnorm")
        given = [name for name in bounds if getattr(self, name) is not None]
        if len(given) > 1:
            raise ConfigError(
                where,
                "more than one way of clipping gradients",
                got=", ".join(f"{name}={getattr(self, name)!r}" for name in given),
                need="at most one of " + ", ".join(bounds),
                fix=f"keep {given[-1]}={getattr(self, given[-1])!r}",
            )

    # ---- what an optimizer defines ---------------------------------------------------------------

    def slots(self) -> Mapping[str, float]:
        """Return the names of the tensors kept for each parameter, and their first values."""
        return {}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Change the parameters and the state by one update; `step` counts updates from 1."""
        raise TypeError(f"{type(self).__name__} does not define rule")

    # ---- what the engine calls -------------------------------------------------------------------

    def init(self, params: Sequence[Tensor]) -> State:
        """Return the state before the first step."""
        kept = dict(self.slots())
        if self.gradient_accumulation_steps:
            kept["accumulated"] = 0.0
        if self.use_ema:
            kept["average"] = 0.0
        slots = {
            name: [torch.full_like(param, value, requires_grad=False) for param in params]
            for name, value in kept.items()
        }
        return {"step": 0, **slots}

    def rate(self, state: State) -> float:
        """Return the learning rate of the step to come."""
        rate = plain(schedules.get(self.learning_rate)(state["step"]))
        check_range(type(self).__name__, f"learning_rate({state['step']})", rate, "[0, inf)")
        return float(rate)

    def sees(self, loss: Tensor) -> None:
        """Take the loss of the step to come, for rules that ask for more than the gradients."""

    def update(
        self,
        params: Sequence[Tensor],
        grads: Sequence[Tensor | None],
        state: State,
        lr: float,
        names: Sequence[str] = (),
    ) -> None:
        """Make one step: change `params` and `state` in place; the gradients stay as they are.

        A parameter whose gradient is None is left as it is. `names` are the parameters' names,
        which `exclude_from_weight_decay` needs.
        """
        every = self.gradient_accumulation_steps or 1
        done = state["step"] // every  # updates so far
        with torch.no_grad():
            self._update(list(params), list(grads), state, lr, names)
            if self.use_ema:
                self._average(list(params), state["average"], done)
        state["step"] += 1

    def finalize(self, params: Sequence[Tensor], state: State) -> None:
        """Give the parameters their averages, at the end of training, where averages are kept."""
        if self.use_ema and state["step"]:
            with torch.no_grad():
                torch._foreach_copy_(list(params), state["average"])

    def flatten(self, state: State) -> dict[str, Tensor]:
        """Return the state as named tensors, to be saved: `step`, `momentum/0`, `momentum/1`..."""
        return _flat(state)

    def restore(self, state: State, flat: Mapping[str, Tensor]) -> None:
        """Bring a state made by `init` to where it was when `flatten` gave these tensors."""
        mine = _flat(state)
        wrong = [
            name
            for name in sorted(mine.keys() | flat.keys())
            if name not in mine or name not in flat or mine[name].shape != flat[name].shape
        ]
        if wrong:
            raise StoreError(
                type(self).__name__,
                "the saved state belongs to another optimizer or another model",
                got=", ".join(_shapes(flat, wrong[:3])),
                need=", ".join(_shapes(mine, wrong[:3])),
                fix="compile with the optimizer of the saved run, or begin without its state",
            )
        for name, tensor in mine.items():
            tensor.copy_(flat[name])
        state["step"] = int(flat["step"])

    # ---- the order of things inside a step -------------------------------------------------------

    def _update(
        self,
        params: Tensors,
        grads: list[Tensor | None],
        state: State,
        lr: float,
        names: Sequence[str],
    ) -> None:
        every = self.gradient_accumulation_steps or 1
        used = [index for index, grad in enumerate(grads) if grad is not None]
        state = {
            name: [kept[index] for index in used] if isinstance(kept, list) else kept
            for name, kept in state.items()
        }
        params = [params[index] for index in used]
        given: Tensors = [grad for grad in grads if grad is not None]
        if not given:
            return
        if every > 1:
            torch._foreach_add_(state["accumulated"], given)
            if (state["step"] + 1) % every:
                return
            given = list(torch._foreach_div(state["accumulated"], float(every)))
            torch._foreach_zero_(state["accumulated"])
        given = self._clip(given)
        self._decay(params, [names[index] for index in used] if names else [], lr)
        self.rule(params, given, state, lr, state["step"] // every + 1)

    def _clip(self, grads: Tensors) -> Tensors:
        if self.clipvalue:
            return [grad.clamp(-self.clipvalue, self.clipvalue) for grad in grads]
        if not (self.clipnorm or self.global_clipnorm):
            return grads
        norms = torch._foreach_norm(grads)
        if self.clipnorm:
            scales = [self.clipnorm / norm.clamp(min=self.clipnorm) for norm in norms]
            return [grad * scale for grad, scale in zip(grads, scales, strict=True)]
        assert self.global_clipnorm is not None
        norm = torch.linalg.vector_norm(torch.stack(list(norms)))
        scale = self.global_clipnorm / norm.clamp(min=self.global_clipnorm)
        return list(torch._foreach_mul(grads, scale))

    def _decay(self, params: Tensors, names: Sequence[str], lr: float) -> None:
        if not self.weight_decay:
            return
        if self.exclude_from_weight_decay and not names:
            raise ConfigError(
                type(self).__name__,
                "exclude_from_weight_decay cannot be followed: the weights have no names here",
                got=f"exclude_from_weight_decay={self.exclude_from_weight_decay!r}, names=()",
                need="update(..., names=[...]), one name for each parameter",
                fix="give names to update, or leave exclude_from_weight_decay out",
            )
        decayed = [
            param
            for index, param in enumerate(params)
            if not any(word in names[index] for word in self.exclude_from_weight_decay)
        ]
        if decayed:
            torch._foreach_mul_(decayed, 1 - self.weight_decay * lr)

    def _average(self, params: Tensors, average: Tensors, done: int) -> None:
        momentum = self.ema_momentum if done else 0.0
        torch._foreach_mul_(average, momentum)
        torch._foreach_add_(average, params, alpha=1 - momentum)
        if self.ema_overwrite_frequency and (done + 1) % self.ema_overwrite_frequency == 0:
            torch._foreach_copy_(params, average)


def _learning_rate(where: str, given: Any) -> Any:
    """Return the learning rate as it is kept: a number as a float, a description as a schedule."""
    try:
        schedule = schedules.get(given)
    except ConfigError as error:
        if error.where == "Constant":
            error.rows["fix"] = "learning_rate=0.001"
        error.where = where if error.where == "Constant" else f"{where}, learning_rate"
        raise
    return schedule.learning_rate if isinstance(schedule, schedules.Constant) else schedule


def _flat(state: State) -> dict[str, Tensor]:
    flat = {"step": torch.tensor(state["step"])}
    for name, kept in state.items():
        if isinstance(kept, list):
            flat.update({f"{name}/{index}": tensor for index, tensor in enumerate(kept)})
    return flat


def _shapes(flat: Mapping[str, Tensor], names: Sequence[str]) -> list[str]:
    return [f"{n} {tuple(flat[n].shape)}" if n in flat else f"no {n}" for n in names]
