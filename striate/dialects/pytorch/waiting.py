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
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, optim
from torch.autograd.graph import GradientEdge, increment_version
from torch.optim import optimizer as torch_optimizer

from ...engine.taped import Call, Taped, call_of
from ...engine.taped_plan import Slots, Step
from ...errors import caller
from ...lower.builder import Update
from ...lower.runtime import library
from ..session import Script
from ..table import DialectError
from . import deferred
from .deferred import CLASSES, Deferred, Loss, one_hot
from .optimizers import rule_of, slots_of

Array = NDArray[np.float32]
GRAD: Any = Tensor.grad
STEADY = 2  # steps by one rule, before the next ones are expected
GRADIENTS = "STRIATE_GRADIENTS"  # in the environment: "kept" where they shall never wait
MOST_NODES = 64  # of a loss behind a network
HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
WATCHES = ("grad", "register_hook", "retain_grad", "register_post_accumulate_grad_hook")
BYPASSES = ("type", "jit", "compile", "Function", "weakref", "ctypes", "func", "functorch", "vmap",
            "__torch_function__", "multiprocessing")  # past the functions of deferred tensors
MOST_EARLY = 2  # outputs that are looked at before the step, until none waits any more
MEAN = 1  # torch's number of this reduction
NEGATIVE = 1 << 63  # and more: what a node of torch shows for numbers below 0


LENDS = "_lends"  # attribute of an optimizer: the habit that has what it keeps


class Habit:
    """What is known of the training of a network: whose steps follow, by which rule, and how many.

    The network has it (`Taped.habit`), and the optimizer, while that lends what it keeps.
    Fields: `ids` of the weights that are trained; `refused`, for good, as gradients are added to
    others; `spent`, whether a step has used up the gradients, and they are not set to zero yet;
    `lent`, what the optimizer keeps, after `count` steps; `of_classes`, whether the last loss was the
    mean crossentropy of classes alone; `later`, whether the output waits for the step, unless it was
    used `early` too often.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self.ids = [id(one) for one in weights if one.requires_grad]
        self.optimizer: weakref.ref[optim.Optimizer] | None = None
        self.rule: Update | None = None
        self.steps = 0
        self.refused = False
        self.spent = False
        self.lent: Slots | None = None
        self.count = 0
        self.of_classes = self.later = False
        self.early = 0

    def looked_at(self) -> None:
        """Note that an output was used before the step."""
        self.early += 1
        self.later &= self.early < MOST_EARLY

    def follows(self, taped: Taped, optimizer: optim.Optimizer, rule: Update | None) -> None:
        """Note a step of the network that was made by torch."""
        known = self.is_of(optimizer) and rule is not None and rule == self.rule
        self.steps = self.steps + 1 if known else 0
        if not self.is_of(optimizer):
            self.home()
            self.optimizer = weakref.ref(optimizer)
        self.rule = rule
        if self.steps >= STEADY and rule is not None and not self.refused:
            taped.expect(rule, CLASSES if self.of_classes else None)

    def is_of(self, optimizer: Any) -> bool:
        """Return whether this optimizer made the last step."""
        return self.optimizer is not None and self.optimizer() is optimizer

    def lend(self, optimizer: Any, weights: Sequence[Tensor]) -> Slots | None:
        """Return what the optimizer keeps, to be changed outside; None if not all is there."""
        if self.lent is None:
            home(optimizer)  # from the same network for images of another size
            state = vars(optimizer)["state"]
            names = slots_of(optimizer.param_groups[0])
            kept = [state.get(one, {}) if one.requires_grad else None for one in weights]
            if any(one is not None and None in map(one.get, names) for one in kept):
                return None
            numbers = {float(one["step"]) for one in kept if one is not None and "step" in one}
            if len(numbers) > 1:
                return None
            self.count = int(max(numbers, default=0))
            self.lent = Slots([[one[name] for name in names] if one else [] for one in kept])
            vars(optimizer)[LENDS] = self
        return self.lent

    def home(self) -> None:
        """Let the optimizer have again what was lent."""
        lent, self.lent = self.lent, None
        optimizer = self.optimizer and self.optimizer()
        if lent is None or optimizer is None:
            return
        del vars(optimizer)[LENDS]
        lent.home()
        state = vars(optimizer)["state"]
        for one in weights_of(optimizer):
            if isinstance(state.get(one, {}).get("step"), Tensor):
                state[one]["step"].fill_(self.count)


class Waiting:
    """The gradients of one call, which are to be made from the gradient of its output.

    `of` says that: an array, or the loss that waits too.
    """

    def __init__(self, call: Call, of: Array | Loss, habit: Habit) -> None:
        self.call, self.of, self.habit = call, of, habit
        self.versions = [one._version for one in call.weights]

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
        if [one._version for one in self.call.weights] != self.versions:
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
        """Whether outputs can wait too: no word says what might take them for tensors with numbers."""
        said = {word for kind, word, _ in self.script.words if kind in ("name", "import")}
        return said.isdisjoint(BYPASSES)

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
        habit.of_classes = self.later and _is_of_classes(loss.grad_fn, node)
        if call.plan.form.update is None or torch.is_anomaly_enabled():
            return False
        slope = _of_classes(loss.grad_fn, node)
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
            habit.later = habit.of_classes and habit.early < MOST_EARLY
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


def home(optimizer: Any) -> None:
    """Let an optimizer have what it keeps."""
    habit: Habit | None = vars(optimizer).get(LENDS)
    if habit is not None:
        habit.home()


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


def _is_of_classes(loss: Any, node: Any) -> bool:
    """Return whether a loss is the mean crossentropy of classes alone, by a node's scores."""
    if loss.name() != "NllLossBackward0" or loss._saved_weight is not None:
        return False
    below, _ = loss.next_functions[0]
    if below.name() != "LogSoftmaxBackward0" or below.next_functions[0][0] is not node:
        return False
    if loss._saved_reduction != MEAN or loss._saved_ignore_index < NEGATIVE:
        return False
    over_samples = below._saved_dim != 1 and below._saved_dim < NEGATIVE
    return below._saved_result.ndim == 2 and not over_samples


def _of_classes(loss: Any, node: Any) -> Array | None:
    """Return the gradient of the scores, where a loss is the mean crossentropy of classes alone.

    In one native call, instead of two by torch's autograd.
    """
    native = library()
    if native is None or not _is_of_classes(loss, node):
        return None
    below, _ = loss.next_functions[0]
    scores, classes = below._saved_result.detach().numpy(), loss._saved_target.numpy()
    if scores.dtype != np.float32:
        return None
    ignored = loss._saved_ignore_index
    if 2 * NEGATIVE - ignored <= scores.shape[1] and classes.min() < 0:  # a place from the end
        return None
    try:
        targets = one_hot(scores.shape[1])[classes]
    except IndexError:  # one that is ignored
        return None
    return native.crossentropy(scores, targets, 1.0)[1]


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


def weights_of(optimizer: Any) -> list[Tensor]:
    """Return all weights of an optimizer."""
    return [one for group in optimizer.param_groups for one in group["params"]]
