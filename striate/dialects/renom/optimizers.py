"""Optimizers of ReNom: calls that return what is subtracted from a variable.

The state of a variable is kept under its `id`, so that one optimizer may serve several models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from ...engine.taped_plan import Slots
from ..strict import Strict
from .node import Node, Variable, tensor_of


class Lent:
    """What an optimizer keeps for the variables of a native network, while that makes the steps."""

    def __init__(self, variables: Sequence[Variable], slots: Sequence[list[Tensor]], count: int):
        self.variables, self.count = variables, count
        self.slots = Slots(slots)

    def is_of(self, variables: Sequence[Variable]) -> bool:
        """Return whether it is for these."""
        mine = self.variables
        return mine is variables or [*map(id, mine)] == [*map(id, variables)]


class Optimizer(metaclass=Strict):
    """`slots` zeros of the variable's shape are kept for each variable, and the number of calls."""

    slots: ClassVar[int] = 0
    lent: Lent | None = None

    def __init__(self) -> None:
        self.state: dict[int, tuple[Variable, list[Tensor], int]] = {}

    def __call__(self, dy: Any, node: Variable) -> Any:
        """Return the step of a variable with this gradient."""
        slope = tensor_of(dy).detach()
        _, slots, count = self.kept(node)
        self.state[id(node)] = (node, slots, count + 1)
        return Node.of(self.step(slope, count + 1, *slots))

    def kept(self, node: Variable) -> tuple[Variable, list[Tensor], int]:
        """Return what is kept for a variable, and the number of its steps so far."""
        self.home()
        known = self.state.get(id(node))
        return known or (node, [torch.zeros_like(node.value) for _ in range(self.slots)], 0)

    def lend(self, variables: Sequence[Variable]) -> Lent | None:
        """Return what is kept for these, to be changed outside; None if not all are at one step."""
        if self.lent is None or not self.lent.is_of(variables):
            state = [self.kept(one) for one in variables]
            counts = {count for _, _, count in state}
            if len(counts) != 1:
                return None
            self.lent = Lent(variables, [slots for _, slots, _ in state], counts.pop())
        return self.lent

    def home(self) -> None:
        """Take back what was lent."""
        lent, self.lent = self.lent, None
        if lent is not None:
            lent.slots.home()
            for node, slots in zip(lent.variables, lent.slots.tensors, strict=True):
                self.state[id(node)] = (node, [*slots], lent.count)

    def __getstate__(self) -> dict[str, Any]:
        self.home()
        return vars(self)

    def step(self, g: Tensor, count: int, *slots: Tensor) -> Tensor:
        """Return the step; `count` is 1 in the first call."""
        raise TypeError(f"{type(self).__name__} has no step(g, count)")

    def reset(self) -> None:
        """Forget what was kept."""
        self.home()
        self.state.clear()


class Sgd(Optimizer):
    """v = momentum v - lr g is added, or with Nesterov (1 + momentum) v - momentum v_before.

    Source: ReNom 2.7, where Nesterov is the default, and v has the other sign.
    """

    slots = 1

    def __init__(self, lr: float = 0.1, momentum: float = 0.4, nesterov: bool = True) -> None:
        super().__init__()
        self._lr, self._momentum, self._nesterov = lr, momentum, nesterov

    def step(self, g: Tensor, count: int, *slots: Tensor) -> Tensor:
        """Return the step."""
        (v,) = slots
        v.mul_(self._momentum).sub_(g, alpha=self._lr)
        if not self._nesterov:
            return -v
        return torch.sub(self._lr * g, v, alpha=self._momentum)  # momentum v_before = v + lr g


class ClampedSgd(Sgd):
    """Sgd with each gradient between the limits."""

    def __init__(
        self,
        lr: float = 0.1,
        momentum: float = 0.4,
        minmax: Sequence[float] = (-1e8, 1e8),
        nesterov: bool = True,
    ) -> None:
        super().__init__(lr, momentum, nesterov)
        self._limits = minmax

    def step(self, g: Tensor, count: int, *slots: Tensor) -> Tensor:
        """Return the step."""
        return super().step(g.clamp(*self._limits), count, *slots)


class Adagrad(Optimizer):
    """r = r + g^2; the step is lr g / (sqrt(r) + epsilon)."""

    slots = 1

    def __init__(self, lr: float = 0.01, epsilon: float = 1e-8) -> None:
        super().__init__()
        self._lr, self._epsilon = lr, epsilon

    def step(self, g: Tensor, count: int, *slots: Tensor) -> Tensor:
        """Return the step."""
        (r,) = slots
        r.add_(g * g)
        return self._lr * g / (r.sqrt() + self._epsilon)


class Adadelta(Optimizer):
    """The step is g sqrt(d + epsilon) / sqrt(r + epsilon), of running means of g^2 and step^2."""

    slots = 2

    def __init__(self, dr: float = 0.95, epsilon: float = 1e-8) -> None:
        super().__init__()
        self._dr, self._epsilon = dr, epsilon

    def step(self, g: Tensor, count: int, *slots: Tensor) -> Tensor:
        """Return the step."""
        r, d = slots
        r.mul_(self._dr).add_(g * g, alpha=1 - self._dr)
        step = g * (d + self._epsilon).sqrt() / (r + self._epsilon).sqrt()
        d.mul_(self._dr).add_(step * step, alpha=1 - self._dr)
        return step


class Rmsprop(Optimizer):
    """r = g r + (1 - g) dy^2; the step is lr dy / (sqrt(r) + epsilon); `g` is the running part."""

    slots = 1

    def __init__(self, lr: float = 0.001, g: float = 0.9, epsilon: float = 1e-8) -> None:
        super().__init__()
        self._lr, self._g, self._epsilon = lr, g, epsilon

    def step(self, g: Tensor, count: int, *slots: Tensor) -> Tensor:
        """Return the step."""
        (r,) = slots
        r.mul_(self._g).add_(g * g, alpha=1 - self._g)
        return self._lr * g / (r.sqrt() + self._epsilon)


class Adam(Optimizer):
    """Both means are corrected for their beginning before epsilon is added to the root.

    `g` is the running part of the squares, `b` that of the gradients.
    """

    slots = 2

    def __init__(
        self, lr: float = 0.001, g: float = 0.999, b: float = 0.9, epsilon: float = 1e-8
    ) -> None:
        super().__init__()
        self._lr, self._g, self._b, self._epsilon = lr, g, b, epsilon

    def step(self, g: Tensor, count: int, *slots: Tensor) -> Tensor:
        """Return the step."""
        u, r = slots
        u.mul_(self._b).add_(g, alpha=1 - self._b)
        r.mul_(self._g).addcmul_(g, g, value=1 - self._g)
        root = (r / (1 - self._g**count)).sqrt_().add_(self._epsilon)
        return (u / root).mul_(self._lr / (1 - self._b**count))


class Adamax(Optimizer):
    """Adam with the largest gradient so far, each step forgotten a little, for the root."""

    slots = 2

    def __init__(
        self, alpha: float = 0.001, epsilon: float = 1e-8, b: Sequence[float] = (0.9, 0.999)
    ) -> None:
        super().__init__()
        self._alpha, self._epsilon, self._b = alpha, epsilon, tuple(b)

    def step(self, g: Tensor, count: int, *slots: Tensor) -> Tensor:
        """Return the step."""
        u, most = slots
        u.mul_(self._b[0]).add_(g, alpha=1 - self._b[0])
        most.copy_(torch.maximum(most * self._b[1], g.abs()))
        return self._alpha / (1 - self._b[0] ** count) * u / (most + self._epsilon)
