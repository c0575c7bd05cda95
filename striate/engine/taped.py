"""Taped: a model as one operation of torch's autograd, forward and backward in the native library.

For training loops that are not `fit`: the loss and the update are torch's, or anyone's.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..lower.builder import Update
from ..lower.execution import Execution
from ..lower.lower import Lowered, lower
from ..lower.rules import covered, units
from ..lower.runtime import Library, library
from ..lower.trace import trace
from ..lower.units.foreign import Foreign
from .lending import Gradients, Loan, Seen, Shown, as_it_is

if TYPE_CHECKING:
    from ..model import Model


class Taped:
    """Computes a model's output in training, so that `backward` of what follows finds its weights.

    The weights are given with each call, in the order of `model.parameters()`: the model's own, or
    others that torch's autograd knows. Where their form is another, `shown` has for each of them
    what shows such an array in the model's form, without a copy. The input gets no gradient.
    `why_not` says why there is no native way, or nothing.

    A loop that makes nothing of the gradients but a step of an optimizer says so beforehand
    (`expect`) and makes it by `step`, in which each gradient is used where it is made. Gradients
    that are asked for all the same are computed anew.
    """

    def __init__(self, model: Model, shown: Sequence[Shown] | None = None) -> None:
        self.model = model
        self.shown = shown or [as_it_is for _ in model.parameters()]
        self.places = {id(weight): index for index, weight in enumerate(model.parameters())}
        self.plans: dict[tuple[int, torch.dtype, Hashable], _Plan] = {}
        self.expected: Update | None = None
        self.asked = False  # for gradients of a call that was expected to be a step
        self.lock = threading.Lock()
        self.calls = 0
        self.seed = int.from_bytes(torch.get_rng_state()[:8].numpy().tobytes(), "little")
        self.program = trace(model.graph, True)
        self.why_not = self._why_not()

    def _why_not(self) -> str:
        if library() is None:
            return "the native library was not built"
        if len(self.program.inputs) != 1 or len(self.program.outputs) != 1:
            return "several inputs or outputs"
        if any(isinstance(unit, Foreign) for unit in units(self.program)):
            return "a layer that no kernel computes"
        return covered(self.program)

    def __call__(self, x: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """Return the output for a batch, in the user's order of axes."""
        y: Tensor = _Operation.apply(self, x, *weights)  # type: ignore[no-untyped-call]
        return y

    def expect(self, update: Update) -> None:
        """Let the next calls be such that this step can follow."""
        self.expected = None if self.asked else update

    def plan(self, size: int, dtype: torch.dtype, update: Update | None = None) -> _Plan:
        """Return a plan for batches of this size: the largest so far, or a new one."""
        follows = None if update is None else (tuple(update.fields.items()), update.slots)
        for (most, *rest), plan in self.plans.items():
            if rest == [dtype, follows] and most >= size:
                return plan
        native = library()
        assert native is not None
        name = str(dtype).removeprefix("torch.")
        lowered = lower(self.program, size, [name], backward=True, update=update)
        self.plans[size, dtype, follows] = _Plan(lowered, native, self)
        return self.plans[size, dtype, follows]

    def step(self, made: Any, slope: Tensor, step: Step) -> bool:
        """Change the weights by the gradients that follow from this one of a call's output.

        `made`: the history of the output (its `grad_fn`). Returns whether it was possible: the
        call has to be the last one, and the step the one that was expected.
        """
        plan: _Plan = made.plan
        with self.lock:
            if plan.held != made.call or plan.execution.lowered.update != step.update:
                return False
            plan.step(made.call, made.x, slope, step)
        return True


@dataclass(frozen=True)
class Step:
    """A step of an optimizer: its rule, its rate, its number from 1, and what it changes.

    `weights`, and in `slots` what the optimizer keeps for each of them, are tensors in the form of
    the weights that calls are given, which are to be changed.
    """

    update: Update
    rate: float
    number: int
    weights: Sequence[Tensor]
    slots: Sequence[Sequence[Tensor]]


class _Plan:
    """A plan whose forward part leaves in the arena what its backward part needs."""

    def __init__(self, lowered: Lowered, native: Library, taped: Taped) -> None:
        self.execution, self.taped = Execution(lowered, native), taped
        self.held = 0  # the number of the call whose values are in the arena
        values = lowered.program.values
        self.value = values[lowered.program.outputs[0]]
        self.first = values[lowered.program.inputs[0]]
        self.weights = [
            (
                one,
                None if one.given else taped.places.get(id(one.tensor)),
                Loan(self.execution, one, one.buffer),
            )
            for one in lowered.weights
        ]
        self.seen = [Seen(shown) for shown in taped.shown]
        self.slots = []
        for one in lowered.weights:
            for number, buffer in enumerate(one.slots):
                place = taped.places[id(one.tensor)]
                loan = Loan(self.execution, one, buffer)
                self.slots.append((place, number, Seen(taped.shown[place]), loan))
        self.gradients = [
            Gradients(self.execution, one, place, taped.shown[place])
            for one, place, _ in self.weights
            if place is not None and one.trained and one.gradients and lowered.update is None
        ]

    def forward(self, call: int, x: NDArray[Any], weights: Sequence[Tensor]) -> NDArray[Any]:
        """Compute the output, with these weights."""
        lowered = self.execution.lowered
        for weight, place, loan in self.weights:
            if place is None:
                kept = weight.given() if weight.given else weight.tensor
                loan.enter(kept.detach().numpy())
            else:
                loan.enter(self.seen[place](weights[place]))
        output = np.empty((len(x), *(size or 1 for size in self.value.shape)), np.float32)
        sources = [x, output, *([output] if lowered.sources > 2 else [])]
        self._run(call, sources, (0, lowered.turn))
        self.held = call
        return output

    def statistics(self) -> None:
        """Copy what the forward part has changed back into the model."""
        for weight, place, loan in self.weights:
            if weight.given is None and place is None:
                self.execution.copy(weight.tensor, loan.shown)

    def backward(
        self, call: int, x: NDArray[Any], slope: NDArray[Any], weights: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """Return the gradients of the weights, in memory as the weights are."""
        found: list[Tensor | None] = [None] * len(self.taped.places)
        for one in self.gradients:
            found[one.place] = one.begin(weights[one.place])
        self._backward(call, x, slope)
        for one in self.gradients:
            made = found[one.place]
            assert made is not None
            one.end(made)
        return found

    def step(self, call: int, x: NDArray[Any], slope: Tensor, step: Step) -> None:
        """Change the weights, and what the optimizer keeps."""
        for place, number, seen, loan in self.slots:
            loan.enter(seen(step.slots[place][number]))
        rates = np.array([step.rate])
        self._backward(call, x, self._slope(slope), rates=rates, update=step.number)
        for weight, at, loan in self.weights:
            if at is not None and weight.trained:
                loan.leave(self.seen[at](step.weights[at]))
        for _, _, seen, loan in self.slots:
            loan.leave(seen.array)

    def _slope(self, slope: Tensor) -> NDArray[Any]:
        return np.ascontiguousarray(self.value.from_user(slope).numpy())

    def _backward(self, call: int, x: NDArray[Any], slope: NDArray[Any], **words: Any) -> None:
        lowered, self.held = self.execution.lowered, 0  # gradients take the place of values
        self._run(call, [x, slope, slope], (lowered.turn, len(lowered.plan.stages)), **words)

    def _run(
        self, call: int, sources: list[NDArray[Any]], stages: tuple[int, int], **words: Any
    ) -> None:
        self.execution.engine.run(
            len(sources[0]), sources, stages=stages, seed=self.taped.seed, number=call, **words
        )


def is_call(history: Any) -> bool:
    """Return whether the `grad_fn` of a tensor is the call of a `Taped`."""
    return getattr(history, "_forward_cls", None) is _Operation


class _Operation(torch.autograd.Function):
    """The call of a `Taped`."""

    @staticmethod
    def forward(ctx: Any, taped: Taped, x: Tensor, *weights: Tensor) -> Tensor:
        with taped.lock:
            taped.calls += 1
            plan = taped.plan(len(x), x.dtype, taped.expected)
            ctx.plan, ctx.call, ctx.dtype = plan, taped.calls, x.dtype
            ctx.x = np.ascontiguousarray(plan.first.from_user(x.detach()).numpy())
            ctx.save_for_backward(*weights)
            output = plan.forward(ctx.call, ctx.x, weights)
            plan.statistics()
        return plan.value.to_user(torch.from_numpy(output))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        plan, weights, taped = ctx.plan, ctx.saved_tensors, ctx.plan.taped
        if hasattr(ctx, "spent"):
            raise RuntimeError("Trying to backward through the graph a second time")
        slope = plan._slope(slopes[0])
        with taped.lock:
            if plan.execution.lowered.update is not None:
                taped.expected, taped.asked = None, True
                plan = taped.plan(len(ctx.x), ctx.dtype)
            if plan.held != ctx.call:  # another call came between: the same values once more
                plan.forward(ctx.call, ctx.x, weights)
            found = plan.backward(ctx.call, ctx.x, slope, weights)
        return None, None, *found
