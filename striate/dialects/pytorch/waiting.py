"""Waiting: gradients of a native network that are not computed before it is known what for.

`loss.backward()` and `optimizer.step()` are then one pass, in which each weight is changed where
its gradient is made. Whatever else is done in between finds the gradients as ever. A script that
speaks of `.grad` might look at them after the step, where they would be gone: it does not wait.
Where it looks at neither the output nor the loss before the step, these wait too (`deferred`).
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.graph import GradientEdge, increment_version
from torch.optim import optimizer as torch_optimizer

from ...engine.taped import Call, call_of
from ...engine.taped_plan import Step
from ...errors import caller
from ..session import Script
from ..table import DialectError
from . import deferred
from .deferred import VERSION, Loss
from .habit import Habit, weights_of
from .judged import is_of_classes, slope_of_classes
from .optimizers import rule_of

Array = NDArray[np.float32]
GRAD: Any = Tensor.grad
GRADIENTS = "STRIATE_GRADIENTS"  # in the environment: "kept" where they shall never wait
MOST_NODES = 64  # of a loss behind a network
HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
WATCHES = ("grad", "register_hook", "retain_grad", "register_post_accumulate_grad_hook")
BYPASSES = (  # words of what passes by the functions of deferred tensors, or looks at statistics
    "running_mean", "running_var", "buffers", "named_buffers", "jit", "compile", "Function",
    "weakref", "ctypes", "func", "functorch", "vmap", "__torch_function__", "multiprocessing",
)  # fmt: skip


class Waiting:
    """The gradients of one call, which are to be made from the gradient of its output.

    `of` says that: an array, or the loss that waits too.
    """

    def __init__(self, call: Call, of: Array | Loss, habit: Habit) -> None:
        self.call, self.of, self.habit = call, of, habit
        self.versions = [*map(VERSION, call.weights)]

    def settle(self) -> None:
        """Compute them."""
        self._as_then()
        if isinstance(self.of, Loss):
            self.of.output.run()
            self.of = self.of.slope()
        found = self.call.gradients(self.of)
        for weight, gradient in zip(self.call.weights, found, strict=True):
            if gradient is not None:
                GRAD.__set__(weight, gradient)

    def step(self, optimizer: Any) -> bool:
        """Change the weights by them; returns whether that was possible."""
        habit = self.habit
        rule = rule_of(optimizer)
        if rule is None or rule != habit.rule or not habit.is_of(optimizer):
            return False
        if not _alone(optimizer, habit):
            return False
        self._as_then()
        lent = habit.lend(optimizer, self.call.weights)
        rate = float(optimizer.param_groups[0]["lr"])
        if lent is None or not self._step(Step(rule, rate, habit.count + 1, lent)):
            return False
        habit.count += 1
        habit.spent = True
        increment_version(self.call.weights)
        return True

    def _step(self, step: Step) -> bool:
        of = self.of
        if not isinstance(of, Loss):
            return self.call.step(of, step)
        found = self.call.step_of_loss(of.classes, step)
        if found is not None:
            of.tell(found)
        return found is not None

    def _as_then(self) -> None:
        if isinstance(self.of, Loss):
            self.of.as_then()
        if [*map(VERSION, self.call.weights)] != self.versions:
            raise DialectError(
                "loss.backward",
                "weights were changed between backward() and what uses the gradients, by a view "
                "of them",
                fix=f"{GRADIENTS}=kept in the environment for the script as it is, or change them "
                "before loss.backward() or after optimizer.step()",
                at=caller(),
            )


class Here(threading.local):
    """What a thread knows: its gradients that wait, or else the call whose gradients torch made."""

    waiting: Waiting | None = None
    last: Call | None = None


class Waits:
    """The gradients that wait in a script: those of one call at most, in its main thread."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.here = Here()
        self.lock = threading.Lock()
        self.spent: list[weakref.ref[Habit]] = []  # those that are, and some that no longer are

    @functools.cached_property
    def possible(self) -> bool:
        """Whether the script never speaks of gradients, which may be gone when it looks at them."""
        said = {word for kind, word, _ in self.script.words if kind in ("name", "text")}
        return bool(said) and said.isdisjoint(WATCHES) and os.environ.get(GRADIENTS) != "kept"

    @functools.cached_property
    def later(self) -> bool:
        """Whether outputs can wait too: no word tells of what passes by their functions."""
        names = [word for kind, word, _ in self.script.words if kind in ("name", "import")]
        last = Counter(name.rpartition(".")[2] for name in names)
        methods = sum(name.endswith(".type") for name in names)
        kinds = last.pop("type", 0) - 2 * methods  # a method is told with its dots and without
        return kinds <= 0 and last.keys().isdisjoint(BYPASSES)

    def settle(self) -> None:
        """Compute what waits: it is asked for, or what it depends on may change."""
        waiting, self.here.waiting = self.here.waiting, None
        if waiting is not None:
            waiting.settle()

    def settle_all(self) -> None:
        """Compute what waits, and an output that is deferred: weights may change."""
        self.settle()
        if deferred.HERE.pending is not None:
            deferred.settle()

    def backward_of(self, loss: Loss) -> bool:
        """Return whether the gradients of a deferred loss can wait, and do now."""
        self.settle()
        self.here.last = None
        call = loss.output.call
        habit: Habit = call.taped.habit
        if call.ran or habit.spent or habit.refused or not _untouched(call.weights):
            return False
        if torch.is_anomaly_enabled():
            return False
        self.here.last = call
        self.here.waiting = Waiting(call, loss, habit)
        return True

    def backward(self, loss: Tensor) -> bool:
        """Return whether the gradients of a loss can wait, and do now."""
        self.settle()
        self.here.last = None
        if not self.possible or threading.current_thread() is not threading.main_thread():
            return False
        node = only_call(loss)
        if node is None:
            return False
        call: Call = node.call
        with self.lock:
            habit: Habit = call.taped.habit or Habit(call.weights)
            call.taped.habit = habit
        self.here.last = call
        if habit.spent:
            return False  # it adds to what is gone: `step` says so, if it comes to that
        if habit.refused or not _untouched(call.weights):
            habit.refused = True
            return False
        habit.of_classes = self.later and is_of_classes(loss.grad_fn, node)
        if call.plan.form.update is None or torch.is_anomaly_enabled():
            return False
        slope = slope_of_classes(loss.grad_fn, node)
        if slope is None:
            edge, start = (GradientEdge(node, 0),), torch.ones_like(loss)
            slope = torch.autograd.grad(loss, edge, start)[0].numpy()
        self.here.waiting = Waiting(call, slope, habit)
        return True

    def step(self, optimizer: Any) -> bool:
        """Return whether a step was made of what waits."""
        waiting = self.here.waiting
        if deferred.HERE.pending is not None:
            of = waiting and waiting.of
            deferred.settle(of.output if isinstance(of, Loss) else None)
        if waiting is None or not waiting.step(optimizer):
            self.settle()
            self._check(optimizer)
            return False
        habit = waiting.habit
        with self.lock:
            self.spent.append(weakref.ref(habit))
        self.here.waiting = None
        if waiting.call.plan.whole is not None:
            habit.stepped(whole=habit.of_classes)
        return True

    def _spent(self) -> list[Habit]:
        """Return the habits, of networks that are still there, whose gradients are used up."""
        habits = [one() for one in self.spent]
        return [one for one in habits if one is not None and one.spent]

    def _check(self, optimizer: Any) -> None:
        """Refuse a step by gradients that the step before it has used up."""
        spent = {one for habit in self._spent() for one in habit.ids}
        if spent and any(id(one) in spent for one in weights_of(optimizer)):
            raise DialectError(
                "optimizer.step",
                "uses the gradients of the step before once more, which are not kept",
                need="zero_grad() between two steps, as until now",
                fix=f"{GRADIENTS}=kept in the environment for the script as it is, or "
                "optimizer.zero_grad() before loss.backward()",
                at=caller(),
            )

    def stepped(self, optimizer: Any) -> None:
        """Note that torch has made a step."""
        call, self.here.last = self.here.last, None
        habit: Habit | None = None if call is None else call.taped.habit
        if call is not None and habit is not None and not call.taped.foreign:
            rule = rule_of(optimizer)
            habit.follows(call.taped, optimizer, rule if _alone(optimizer, habit) else None)

    def zeroed(self, weights: Iterable[Tensor]) -> None:
        """Forget the gradients of these weights."""
        if not self.spent:
            return
        zeroed = {*map(id, weights)}
        with self.lock:
            habits = self._spent()
            for one in habits:
                one.spent = not zeroed.issuperset(one.ids)
            self.spent = [weakref.ref(one) for one in habits if one.spent]


def only_call(loss: Tensor) -> Any:
    """Return the one native call that a loss is made of, and of nothing else that is trained."""
    found, seen = None, 0
    todo = [loss.grad_fn]
    while todo:
        node: Any = todo.pop()
        seen += 1
        if node is found or node is None:
            continue
        if call_of(node) is not None:
            if found is not None:
                return None
            found = node
        elif hasattr(node, "variable") or seen > MOST_NODES:
            return None
        else:
            todo += [before for before, _ in node.next_functions]
    return found


def _untouched(weights: Sequence[Tensor]) -> bool:
    """Return whether no gradient is there yet, and nobody waits for one."""
    return not any(
        GRAD.__get__(one) is not None or one._backward_hooks or one._post_accumulate_grad_hooks
        for one in weights
    )


def _alone(optimizer: Any, habit: Habit) -> bool:
    """Return whether it changes just the weights of a network, by one group's rule."""
    groups = optimizer.param_groups
    if len(groups) != 1 or any(getattr(optimizer, name, None) for name in HOOKS):
        return False
    if torch_optimizer._global_optimizer_pre_hooks or torch_optimizer._global_optimizer_post_hooks:
        return False
    return {id(one) for one in groups[0]["params"] if one.requires_grad} == {*habit.ids}
