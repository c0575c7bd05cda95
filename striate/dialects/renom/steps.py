"""Delayed: gradients of a native network that are not computed before it is known what for.

`loss.grad().update(rm.Sgd(...))` is then one pass, in which each weight is changed where its
gradient is made. Whatever else is done with the gradients sees them as ever.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from ...engine.early import Early
from ...engine.taped import call_of
from ...engine.taped_plan import Step
from ...errors import caller
from ...lower.builder import Update
from ...lower.lower import Head
from ...lower.optimizer import Rule, update
from ..table import DialectError
from . import node as nodes
from .awaited import SHARES, AwaitedLoss
from .node import Array, Output, Variable
from .optimizers import Sgd


class _Here(threading.local):
    def __init__(self) -> None:
        self.waiting: dict[int, weakref.ref[Delayed]] = {}  # by their `id`


HERE = _Here()


class Delayed:
    """The gradients of the variables behind one call of a native network.

    They are computed when they are asked for, and at the latest before anything is changed. `of`:
    the gradient of the output, or the loss that is awaited too; `head`: such a loss in a plan.
    """

    def __init__(self, output: Output, of: Array | AwaitedLoss, head: Head | None = None) -> None:
        if output.claimed:
            raise let_go()
        output.claimed = True
        self.output, self.of, self.head = output, of, head
        self.found: dict[int, tuple[Variable, Tensor]] | None = None
        HERE.waiting[id(self)] = weakref.ref(self)

    @property
    def storage(self) -> dict[int, tuple[Variable, Tensor]]:
        """The gradients, by the `id` of their variable."""
        if self.found is None:
            HERE.waiting.pop(id(self), None)
            slope = self.of.slope() if isinstance(self.of, AwaitedLoss) else self.of
            pairs = zip(self.output.variables, self.output.call.gradients(slope), strict=True)
            self.found = {id(one): (one, value) for one, value in pairs if value is not None}
        return self.found

    def step(self, optimizer: Any, decay: float | None) -> bool:
        """Change the variables; returns whether that was possible without the gradients."""
        rule = update_of(optimizer)
        if rule is None or self.found is not None:
            return False
        variables, call = self.output.variables, self.output.call
        for one in variables:
            decays = one.weight_decay is not None and (one.weight_decay or decay)
            if decays or not one.auto_update:
                return False
        settle(self)
        lent = optimizer.lend(variables)
        if lent is None:
            return False
        step = Step(rule, optimizer._lr, lent.count + 1, lent.slots)
        if not self._step(step):
            call.taped.expect(rule, self.head)
            return False
        if self.head is not None:
            call.taped.habit = call.taped.habit or Early()
            call.taped.habit.stepped(whole=True)
        HERE.waiting.pop(id(self), None)
        lent.count += 1
        return True

    def _step(self, step: Step) -> bool:
        of = self.of
        if not isinstance(of, AwaitedLoss):
            return self.output.call.step(of, step)
        of.value = self.output.call.step_of_loss(of.targets, step)
        return of.value is not None or self.output.call.step(of.slope(), step)


def let_go() -> DialectError:
    """Return the error for gradients of a history that earlier ones have let go of."""
    return DialectError(
        "loss.grad",
        "a part of this history has been let go of by an earlier grad()",
        fix="loss.grad(detach_graph=False) for all but the last loss",
        at=caller(),
    )


def settle(but: Delayed | None = None) -> None:
    """Compute what is still delayed: something that it depends on is about to change."""
    of = but and but.of
    nodes.settle(of.scores if isinstance(of, AwaitedLoss) else None)
    for key, reference in [*HERE.waiting.items()]:
        one = reference()
        if one is None:
            del HERE.waiting[key]
        elif one is not but:
            _ = one.storage


def update_of(optimizer: Any) -> Update | None:
    """Return the optimizer in the kernels' words, or None where they have another formula."""
    if type(optimizer) is not Sgd:
        return None
    return _sgd(optimizer._momentum, bool(optimizer._nesterov))


@functools.lru_cache
def _sgd(momentum: float, nesterov: bool) -> Update:
    return update(Rule.MOMENTUM, ("v",), momentum=momentum, nesterov=int(nesterov))


def delayed(root: Tensor, start: Tensor) -> Delayed | None:
    """Return the gradients to come, or None where they are not behind one native call alone."""
    calls = []
    for node in _nodes(root):
        if call_of(node) is not None:
            calls.append(node)
        elif hasattr(getattr(node, "variable", None), "variable"):
            return None  # a variable beside the network: a penalty on its weights, say
    if len(calls) != 1 or not _whole(calls[0].output):
        return None
    (slope,) = torch.autograd.grad(root, (GradientEdge(calls[0], 0),), start)
    return Delayed(calls[0].output, slope.numpy())


def delayed_behind(output: Output, slope: Array) -> Delayed | None:
    """Return the gradients to come for the output of a native call, by its crossentropy."""
    return Delayed(output, slope, SHARES) if _whole(output) else None


def _whole(output: Output) -> bool:
    return None not in output.leaves


def _nodes(root: Tensor) -> Iterator[Any]:
    """Yield the history of a tensor, as far as the native calls in it."""
    waiting, seen = [root.grad_fn], {root.grad_fn}
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        yield node
        if call_of(node) is None:
            new = {before for before, _ in node.next_functions} - seen
            seen |= new
            waiting.extend(new)
