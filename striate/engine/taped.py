"""Taped: a model as one operation of torch's autograd, forward and backward in the native library.

For training loops that are not `fit`: the loss and the update are torch's, or anyone's.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..lower.execution import Execution
from ..lower.lower import Lowered, lower
from ..lower.rules import covered, units
from ..lower.runtime import Library, library
from ..lower.trace import trace
from ..lower.units.foreign import Foreign

if TYPE_CHECKING:
    from ..model import Model


class Taped:
    """Computes a model's output in training, so that `backward` of what follows finds its weights.

    The weights are given with each call, in the order and the shapes of `model.parameters()`: the
    model's own, or others that torch's autograd knows. The input gets no gradient. `why_not` says
    why there is no native way, or nothing.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.places = {id(weight): index for index, weight in enumerate(model.parameters())}
        self.plans: dict[tuple[int, torch.dtype], _Plan] = {}
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

    def plan(self, size: int, dtype: torch.dtype) -> _Plan:
        """Return a plan for batches of this size: the largest so far, or a new one."""
        for (most, kind), plan in self.plans.items():
            if kind is dtype and most >= size:
                return plan
        native = library()
        assert native is not None
        name = str(dtype).removeprefix("torch.")
        lowered = lower(self.program, size, [name], backward=True)
        self.plans[size, dtype] = _Plan(lowered, native, self)
        return self.plans[size, dtype]


class _Plan:
    """A plan whose forward part leaves in the arena what its backward part needs."""

    def __init__(self, lowered: Lowered, native: Library, taped: Taped) -> None:
        self.execution, self.taped = Execution(lowered, native), taped
        self.held = 0  # the number of the call whose values are in the arena
        values = lowered.program.values
        self.value = values[lowered.program.outputs[0]]
        self.first = values[lowered.program.inputs[0]]

    def forward(self, call: int, x: NDArray[Any], weights: Sequence[Tensor]) -> NDArray[Any]:
        """Compute the output, with these weights."""
        execution, lowered = self.execution, self.execution.lowered
        for weight in lowered.weights:
            place = self.taped.places.get(id(weight.tensor))
            given = weight.given() if weight.given else weight.tensor
            given = given if place is None or weight.given else weights[place]
            execution.copy(weight.logical(execution._flat(weight.buffer)), given)
        output = np.empty((len(x), *(size or 1 for size in self.value.shape)), np.float32)
        sources = [x, output, *([output] if lowered.sources > 2 else [])]
        self._run(call, sources, (0, lowered.turn))
        self.held = call
        return output

    def statistics(self) -> None:
        """Copy what the forward part has changed back into the model."""
        execution = self.execution
        for weight in execution.lowered.weights:
            if weight.given is None and id(weight.tensor) not in self.taped.places:
                execution.copy(weight.tensor, weight.logical(execution._flat(weight.buffer)))

    def backward(
        self, call: int, x: NDArray[Any], slope: NDArray[Any], weights: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """Return the gradients of the weights, in memory as the weights are."""
        execution, lowered = self.execution, self.execution.lowered
        stages = (lowered.turn, len(lowered.plan.stages))
        self._run(call, [x, slope, slope], stages)
        found: list[Tensor | None] = [None] * len(self.taped.places)
        for weight in lowered.weights:
            if weight.trained and weight.gradients:
                shown = weight.logical(execution._flat(weight.gradients[0].buffer))
                place = self.taped.places[id(weight.tensor)]
                gradient = torch.empty_like(weights[place])
                execution.copy(gradient, shown)
                found[place] = gradient
        return found

    def _run(self, call: int, sources: list[NDArray[Any]], stages: tuple[int, int]) -> None:
        seed = self.taped.seed
        self.execution.engine.run(
            len(sources[0]), sources, stages=stages, seed=seed, number=call, update=1
        )


class _Operation(torch.autograd.Function):
    """The call of a `Taped`."""

    @staticmethod
    def forward(ctx: Any, taped: Taped, x: Tensor, *weights: Tensor) -> Tensor:
        with taped.lock:
            taped.calls += 1
            plan = taped.plan(len(x), x.dtype)
            ctx.plan, ctx.call = plan, taped.calls
            ctx.x = np.ascontiguousarray(plan.first.from_user(x.detach()).numpy())
            ctx.save_for_backward(*weights)
            output = plan.forward(ctx.call, ctx.x, weights)
            plan.statistics()
        return plan.value.to_user(torch.from_numpy(output))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        plan, weights = ctx.plan, ctx.saved_tensors
        slope = np.ascontiguousarray(plan.value.from_user(slopes[0]).numpy())
        with plan.taped.lock:
            if plan.held != ctx.call:  # another call came between: the same values once more
                plan.forward(ctx.call, ctx.x, weights)
            found = plan.backward(ctx.call, ctx.x, slope, weights)
        return None, None, *found
