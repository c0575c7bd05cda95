"""Optimizers of torch, behind the interface of this package's own."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import ConfigError, StoreError
from .optimizer import Optimizer, State, Tensors

EXAMPLE = "lambda weights: torch.optim.SGD(weights, lr=0.01)"


@dataclasses.dataclass(frozen=True)
class TorchOptimizer(Optimizer):
    """A torch optimizer: `given` is one, or a function that makes one from a list of weights.

    `learning_rate=None` keeps the learning rates of the torch optimizer; any other is given to its
    first group of weights, and to the other groups in proportion. Clipping, averaging and
    accumulation are this package's.

    Example:
        >>> weights = [torch.ones(2)]
        >>> sgd = TorchOptimizer(given=lambda weights: torch.optim.SGD(weights, lr=0.5))
        >>> state = sgd.init(weights)
        >>> sgd.update(weights, [torch.ones(2)], state, sgd.rate(state))
        >>> weights[0]
        tensor([0.5000, 0.5000])
    """

    learning_rate: Any = None
    given: Any = dataclasses.field(kw_only=True)

    def init(self, params: Sequence[Tensor]) -> State:
        """Return the state before the first step: the torch optimizer is a part of it.

        Raises:
            ConfigError: it is no torch optimizer, has other weights, or needs a closure.
        """
        made = self.given if hasattr(self.given, "param_groups") else self.given(list(params))
        name = type(made).__name__
        if not hasattr(made, "param_groups"):
            raise ConfigError(
                "optimizer",
                "the function does not return a torch optimizer",
                got=f"{self._word()} returned {name}",
                need="a function from a list of weights to a torch optimizer",
                fix=EXAMPLE,
            )
        known = {id(param) for param in params}
        strange = [param for param in _weights(made) if id(param) not in known]
        if strange:
            raise ConfigError(
                f"torch.optim.{name}",
                "trains weights that the model does not have",
                got=f"{len(strange)} of its {len(_weights(made))} weights are not of the model, "
                f"the first of shape {tuple(strange[0].shape)}",
                need="the weights of this model",
                fix="give a function instead, which gets the model's weights: "
                f"lambda weights: torch.optim.{name}(weights, ...)",
            )
        closure = inspect.signature(made.step).parameters.get("closure")
        if closure is not None and closure.default is closure.empty:
            raise ConfigError(
                f"torch.optim.{name}",
                "evaluates the loss several times in one step, which fit does not do",
                got="step(closure)",
                need="a step without a closure",
                fix="torch.optim.SGD or torch.optim.AdamW",
            )
        for group in made.param_groups:  # the name in which torch's schedules keep it too
            group.setdefault("initial_lr", group["lr"])
        return {**super().init(params), "torch": made}

    def rate(self, state: State) -> float:
        """Return the learning rate of the step to come: of the first group of weights."""
        if self.learning_rate is None:
            return float(state["torch"].param_groups[0]["lr"])
        return super().rate(state)

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Let torch step; the `grad` fields of the weights are as before afterwards."""
        made = state["torch"]
        _set_rate(made.param_groups, lr)
        mine = _weights(made)
        before = [param.grad for param in mine]
        given = {id(param): grad for param, grad in zip(params, grads, strict=True)}
        for param in mine:
            param.grad = given.get(id(param))
        made.step()
        for param, grad in zip(mine, before, strict=True):
            param.grad = grad

    def flatten(self, state: State) -> dict[str, Tensor]:
        """Return the state as named tensors; those of torch are named `torch/exp_avg/0`..."""
        flat = super().flatten(state)
        for index, slots in state["torch"].state_dict()["state"].items():
            for name, value in slots.items():
                if value is not None:
                    flat[f"torch/{name}/{index}"] = torch.as_tensor(value)
        return flat

    def restore(self, state: State, flat: Mapping[str, Tensor]) -> None:
        """Bring a state made by `init` to where it was when `flatten` gave these tensors."""
        foreign = {name: value for name, value in flat.items() if name.startswith("torch/")}
        weights = _weights(state["torch"])
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in foreign.items():
            _, slot, index = name.split("/")
            if int(index) >= len(weights) or (
                value.ndim and value.shape != weights[int(index)].shape
            ):
                raise StoreError(
                    type(state["torch"]).__name__,
                    "the saved state belongs to another optimizer or another model",
                    got=f"{name} {tuple(value.shape)}",
                    need=f"{len(weights)} weights, {[tuple(w.shape) for w in weights[:3]]} first",
                    fix="compile with the optimizer of the saved run, or begin without its state",
                )
            slots.setdefault(int(index), {})[slot] = value.clone()
        super().restore(state, {name: flat[name] for name in flat.keys() - foreign.keys()})
        groups = state["torch"].state_dict()["param_groups"]
        state["torch"].load_state_dict({"state": slots, "param_groups": groups})

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain values; of the torch optimizer only its name."""
        return {**super().get_config(), "given": self._word()}

    def _word(self) -> str:
        return getattr(self.given, "__name__", type(self.given).__name__)


def _weights(made: Any) -> Tensors:
    return [param for group in made.param_groups for param in group["params"]]


def _set_rate(groups: list[dict[str, Any]], lr: float) -> None:
    first = groups[0]["initial_lr"]
    if lr != groups[0]["lr"]:
        for group in groups:
            group["lr"] = lr * group["initial_lr"] / first if first else lr
