"""A method for each part of a network: `Optimizer(optim_method={"name": SGD(), ...})`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ...errors import caller
from ...optimizers.optimizer import Optimizer, State
from ..table import DialectError
from .methods import Method

if TYPE_CHECKING:
    from .module import Module


@dataclasses.dataclass(frozen=True)
class Parts(Optimizer):
    """Changes the weights of each part by a rule of its own; the rate told is that of the first.

    Field: `rules`, of each part the optimizer and its weights.
    """

    rules: tuple[tuple[Optimizer, tuple[Tensor, ...]], ...] = ()

    def init(self, params: Sequence[Tensor]) -> State:
        """Return the state before the first step: that of each part."""
        own = tuple(rule.init(chosen) for rule, chosen in self._chosen(params, params))
        return {"step": 0, "parts": own}

    def update(self, params: Sequence[Tensor], grads: Sequence[Tensor | None], state: State,
               lr: float, names: Sequence[str] = ()) -> None:  # fmt: skip
        """Make one step with each part."""
        mine, given = self._chosen(params, params), self._chosen(params, grads)
        for (rule, weights), (_, gradients), own in zip(mine, given, state["parts"], strict=True):
            rule.update(weights, gradients, own, rule.rate(own))
        state["step"] += 1

    def rate(self, state: State) -> float:
        """Return the learning rate of the first part."""
        return self.rules[0][0].rate(state["parts"][0])

    def flatten(self, state: State) -> dict[str, Tensor]:
        """Return the state of each part as named tensors: `0/step`, `1/step`..."""
        return {
            f"{number}/{name}": value
            for number, ((rule, _), own) in enumerate(zip(self.rules, state["parts"], strict=True))
            for name, value in rule.flatten(own).items()
        }

    def _chosen(self, params: Sequence[Tensor], values: Sequence[Any]) -> list[Any]:
        """Return each rule, and the values at the places of its weights."""
        places = {id(one): at for at, one in enumerate(params)}
        return [
            (rule, [values[places[id(one)]] for one in weights if id(one) in places])
            for rule, weights in self.rules
        ]


class ByPart(Method):
    """A method for each part of a network, by the names of parts."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        super().__init__("a method for each part", {})
        self.methods = methods

    def of_weights(self, model: Module, clip: Mapping[str, Any]) -> Parts:
        """Return the optimizer for a network whose weights are made; each belongs to a part.

        Raises: DialectError for a name that no part has, and for weights of no part.
        """
        named = {one.name(): one for one in _below(model)}
        strange = [name for name in self.methods if name not in named]
        if strange:
            raise self._wrong(model, f"the network has no part {strange[0]!r}")
        rules = tuple(
            (dataclasses.replace(method.native(), **clip),
             tuple(weight for leaf in named[name].leaves() for _, weight in leaf.weights()))
            for name, method in self.methods.items()
        )  # fmt: skip
        taken = {id(one) for _, weights in rules for one in weights}
        left = [
            leaf.name() for leaf in model.leaves() if {id(w) for _, w in leaf.weights()} - taken
        ]
        if left:
            raise self._wrong(model, f"no method is given for the weights of {', '.join(left)}")
        return Parts(rules=rules)

    def _wrong(self, model: Module, what: str) -> DialectError:
        names = ", ".join(leaf.name() for leaf in model.leaves() if leaf.weights())
        return DialectError(
            "BigDL 0.7 Optimizer", what, got="a method for each of " + ", ".join(self.methods),
            need=f"a method for each part that has weights: {names}, or what holds them",
            fix='layer.set_name("first"), and {"first": SGD(0.01), ...}', at=caller(),
        )  # fmt: skip


def _below(module: Module) -> Iterator[Module]:
    """Yield a module and all in it."""
    yield module
    for one in getattr(module, "layers", ()):
        yield from _below(one)
