"""Delayed: gradients of a native network that are not computed before it is known what for.

`loss.grad().update(rm.Sgd(...))` is then one pass, in which each weight is changed where its
gradient is made. Whatever else is done with the gradients sees them as ever.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from ...engine.taped import Step, Taped, is_call
from ...lower.builder import Update
from ...lower.optimizer import Rule, update
from .node import Variable
from .optimizers import Sgd


class _Here(threading.local):
    def __init__(self) -> None:
        self.waiting: weakref.WeakSet[Delayed] = weakref.WeakSet()


HERE = _Here()


class Delayed:
    """The gradients of the variables behind one call of a native network.

    They are computed when they are asked for, and at the latest before anything is changed.
    """

    def __init__(self, made: Any, slope: Tensor, leaves: Mapping[int, Tensor]) -> None:
        self.made, self.slope, self.leaves = made, slope, leaves
        self.learned: Sequence[Variable] = made.learned
        self.taped: Taped = made.plan.taped
        self.found: dict[int, tuple[Variable, Tensor]] | None = None
        HERE.waiting.add(self)

    @property
    def storage(self) -> dict[int, tuple[Variable, Tensor]]:
        """The gradients, by the `id` of their variable."""
        if self.found is None:
            HERE.waiting.discard(self)
            edge, leaves = GradientEdge(self.made, 0), [*self.leaves.values()]
            given = torch.autograd.grad((edge,), leaves, (self.slope,))
            variables = {id(one): one for one in self.learned}
            self.found = {
                key: (variables[key], value) for key, value in zip(self.leaves, given, strict=True)
            }
        return self.found

    def step(self, optimizer: Any, decay: float | None) -> bool:
        """Change the variables; returns whether that was possible without the gradients."""
        rule = update_of(optimizer)
        if rule is None or self.found is not None:
            return False
        variables = self.learned
        if any(
            not one.auto_update or (one.weight_decay is not None and (one.weight_decay or decay))
            for one in variables
        ):
            return False
        settle(self)
        state = [optimizer.kept(one) for one in variables]
        numbers = {number for _, _, number in state}
        if len(numbers) != 1:
            return False
        step = Step(
            rule,
            optimizer._lr,
            numbers.pop() + 1,
            [one.value for one in variables],
            [slots for _, slots, _ in state],
        )
        if not self.taped.step(self.made, self.slope, step):
            self.taped.expect(rule)
            return False
        HERE.waiting.discard(self)
        for one, slots, number in state:
            optimizer.state[id(one)] = (one, slots, number + 1)
        self.made.spent = True
        return True


def settle(but: Delayed | None = None) -> None:
    """Compute what is still delayed: something that it depends on is about to change."""
    for one in [*HERE.waiting]:
        if one is not but:
            _ = one.storage


def update_of(optimizer: Any) -> Update | None:
    """Return the optimizer in the kernels' words, or None where they have another formula."""
    if type(optimizer) is not Sgd:
        return None
    nesterov = int(bool(optimizer._nesterov))
    return update(Rule.MOMENTUM, ("v",), momentum=optimizer._momentum, nesterov=nesterov)


def delayed(root: Tensor, start: Tensor) -> Delayed | None:
    """Return the gradients to come, or None where they are not behind one native call alone."""
    calls = []
    for node in _nodes(root):
        if is_call(node):
            calls.append(node)
        elif hasattr(getattr(node, "variable", None), "variable"):
            return None  # a variable beside the network: a penalty on its weights, say
    leaves = _leaves(calls[0]) if len(calls) == 1 else None
    if leaves is None:
        return None
    (slope,) = torch.autograd.grad(root, (GradientEdge(calls[0], 0),), start)
    return Delayed(calls[0], slope, leaves)


def delayed_behind(scores: Tensor, slope: Tensor) -> Delayed | None:
    """Return the gradients to come for the output of a native call and its slope."""
    leaves = _leaves(scores.grad_fn)
    return None if leaves is None else Delayed(scores.grad_fn, slope, leaves)


def _leaves(made: Any) -> dict[int, Tensor] | None:
    """Return what stands for the variables in a native call; None where some are not updated."""
    if not hasattr(made, "learned") or hasattr(made, "spent"):
        return None
    below: list[Any] = [getattr(before, "variable", None) for before, _ in made.next_functions]
    leaves = {id(leaf.variable): leaf for leaf in below if hasattr(leaf, "variable")}
    return leaves if sorted(leaves) == sorted(map(id, made.learned)) else None


def _nodes(root: Tensor) -> Iterator[Any]:
    """Yield the history of a tensor, as far as the native calls in it."""
    waiting, seen = [root.grad_fn], {root.grad_fn}
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        yield node
        if not is_call(node):
            new = {before for before, _ in node.next_functions} - seen
            seen |= new
            waiting.extend(new)
