"""Taped: a model as one operation of torch's autograd, forward and backward in the native library.

For training loops that are not `fit`: the loss and the update are torch's, or anyone's.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..lower.builder import Update
from ..lower.lower import Head, lower
from ..lower.moves import Shown, as_it_is
from ..lower.rules import cost, covered, units
from ..lower.runtime import library
from ..lower.trace import trace
from ..lower.units.foreign import Foreign
from ..lower.units.unit import Unit
from .taped_plan import Form, Step, TapedPlan, Within

if TYPE_CHECKING:
    from ..model import Model


# Products for each number that goes to a layer of torch and back, from which on it is worth it.
# With 70 (GroupNorm in a small ResNet) a network is slower than by torch alone, with 600 (a U-Net)
# faster: scripts/bench loops.
WORTH = 200
NOTHING = np.empty(0)


class Taped:
    """Computes a model's output in training, so that `backward` of what follows finds its weights.

    The weights are given with each call, in the order of `model.parameters()`: the model's own, or
    others that torch's autograd knows. Where their form is another, `shown` has for each of them
    what shows such an array in the model's form, without a copy. `why_not` says why there is no
    native way, or nothing.

    A loop that makes nothing of the gradients but a step of an optimizer says so beforehand
    (`expect`) and makes it by `step`, in which each gradient is used where it is made. Gradients
    that are asked for all the same are computed anew. Where it looks at nothing before the step,
    the call may be made `later`: all of it is one run then (`step_of_loss`).

    Gradients that are to have a history themselves (`create_graph=True`) are those of `again`: a
    function that gives the output for a batch once more, by torch's own operations, with other
    tensors in the place of the model's weights, whose ids they are given by.

    Layers that no kernel computes are called in their turn, inside of a context that is made by
    `within`, where the weights are in the model's form. They read the model's own.
    """

    def __init__(
        self,
        model: Model,
        shown: Sequence[Shown] | None = None,
        again: Callable[[Tensor, dict[int, Tensor]], Tensor] | None = None,
        within: Within = nullcontext,
    ) -> None:
        self.model, self.again, self.within = model, again, within
        self.shown = shown or [as_it_is for _ in model.parameters()]
        self.places = {id(weight): index for index, weight in enumerate(model.parameters())}
        self.plans: list[TapedPlan] = []
        self.expected: Update | None = None
        self.head: Head | None = None  # the loss from which that is expected
        self.forms: dict[np.dtype[Any], Form] = {}  # of the next calls, by the dtype of their input
        self.asked = False  # for gradients of a call that was expected to be a step
        self.habit: Any = None  # what a dialect knows of the loop around it
        self.lock = threading.RLock()
        self.calls = 0
        self.seed = int.from_bytes(torch.get_rng_state()[:8].numpy().tobytes(), "little")
        self.program = trace(model.graph, True)
        made = units(self.program)
        self.foreign = [unit.steps[0].layer for unit in made if isinstance(unit, Foreign)]
        self.why_not = self._why_not(made, in_parts=shown is None)

    def _why_not(self, made: Sequence[Unit], *, in_parts: bool) -> str:
        if library() is None:
            return "the native library was not built"
        if len(self.program.inputs) != 1 or len(self.program.outputs) != 1:
            return "several inputs or outputs"
        if self.foreign and not (in_parts and self._mostly_native(made)):
            return "a layer that no kernel computes"
        return covered(self.program)

    def _mostly_native(self, made: Sequence[Unit]) -> bool:
        """Return whether it is worth while to call torch between kernels.

        Kernels must have most weights, and enough to do for what goes to torch and back.
        """
        if any(getattr(layer, "folds", False) for layer in self.foreign):
            return False  # values of another number of samples have no room
        by_torch = {id(one): one.numel() for layer in self.foreign for one in layer.parameters()}
        whole = sum(one.numel() for one in self.model.parameters())
        products = moved = 0
        for unit in made:
            if isinstance(unit, Foreign):
                step = unit.steps[0]
                shapes = [self.program.values[at].shape for at in (*step.inputs, *step.outputs)]
                moved += sum(math.prod(size or 1 for size in shape) for shape in shapes)
            else:
                products += cost(self.program, unit)
        return 2 * sum(by_torch.values()) < whole and 0 < products >= WORTH * moved

    def __call__(self, x: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """Return the output for a batch, in the user's order of axes."""
        call = self.call(x.detach().numpy(), weights, slopes=x.requires_grad)
        return call.recorded(weights, x if x.requires_grad else None)

    def call(
        self,
        x: NDArray[Any],
        weights: Sequence[Tensor],
        *,
        slopes: bool = False,
        later: bool = False,
    ) -> Call:
        """Compute the output for a batch; autograd does not hear of it until it is `recorded`.

        `slopes`: the gradient of the input will be wanted too. `later`: it is computed when it is
        asked for, or with the step.
        """
        with self.lock:
            self.calls += 1
            plan = self.plan(len(x), Form(x.dtype, slopes=True) if slopes else self._form(x.dtype))
            call = Call(self, plan, self.calls, plan.given(x), weights)
            if not later:
                call.run()
            return call

    def expect(self, update: Update, head: Head | None = None) -> None:
        """Let the next calls be such that this step can follow, from this loss in the same run."""
        self.expected, self.head = (None, None) if self.asked else (update, head)
        self.forms = {}

    def _form(self, dtype: np.dtype[Any]) -> Form:
        if dtype not in self.forms:
            self.forms[dtype] = Form(dtype, self.expected, self.head)
        return self.forms[dtype]

    def plan(self, size: int, form: Form) -> TapedPlan:
        """Return a plan for batches of this size: the largest so far, or a new one."""
        for plan in self.plans:
            if plan.most >= size and (plan.form is form or plan.form == form):
                return plan
        native = library()
        assert native is not None
        lowered = lower(
            self.program,
            size,
            [form.dtype.name],
            head=form.head,
            backward=True,
            update=form.update,
            slopes=form.slopes,
        )
        self.plans.insert(0, TapedPlan(lowered, native, self, form))
        return self.plans[0]


class Call:
    """One call of a `Taped`: its output, and what gradients are made of.

    What follows from the output is told either to autograd (`recorded`) or to the call itself: a
    `step`, or `gradients`. One that has not `run` yet can be a `step_of_loss`.
    """

    def __init__(
        self,
        taped: Taped,
        plan: TapedPlan,
        number: int,
        x: NDArray[Any],
        weights: Sequence[Tensor],
    ) -> None:
        self.taped, self.plan, self.number, self.x, self.weights = taped, plan, number, x, weights
        self.spent = False  # the weights are no longer those of the call
        self.draws = torch.get_rng_state() if plan.execution.foreign else None
        self.array, self.ran = plan.output(len(x)), False

    def run(self) -> None:
        """Compute the output, with the weights as they are now."""
        with self.plan.lock:
            self.plan.forward(self.number, self.x, self.weights, self.array)
            self.plan.statistics()
            self.ran = True

    @property
    def memory(self) -> NDArray[Any]:
        """The array where the output is, once it is computed."""
        return self.plan.value.array_to_user(self.array)

    @property
    def numbers(self) -> NDArray[Any]:
        """The output as an array, which shares its memory."""
        if not self.ran:
            self.run()
        return self.memory

    def recorded(self, weights: Sequence[Tensor], x: Tensor | None = None) -> Tensor:
        """Return the output, with the history that it is made of these weights, and of `x`."""
        apply: Any = _Operation.apply
        if not torch._C._are_functorch_transforms_active():
            apply = super(torch.autograd.Function, _Operation).apply  # what the other calls at last
        y: Tensor = apply(self, x, *weights)
        return y

    def step(self, slope: NDArray[Any], step: Step) -> bool:
        """Change the weights in place by the gradients that follow from this one of the output.

        Returns whether it was possible: no other call came since, and the step was expected.
        """
        plan = self.plan
        with plan.lock:
            if plan.held != self.number or not self._expected(step):
                return False
            plan.step(self.number, slope, step)
        self._end()
        return True

    def step_of_loss(self, targets: NDArray[Any], step: Step) -> float | None:
        """Compute the output and the loss that was expected, and make the step, all in one run.

        Returns the mean loss, or None where that is not possible: it has run, or another step was
        expected. `targets` are as the head of the plan reads them.
        """
        plan = self.plan
        if self.ran or plan.whole is None or not self._expected(step):
            return None
        with plan.lock:
            loss = plan.step_of_loss(self.number, self.x, self.weights, self.array, targets, step)
        self.ran = True
        self._end()
        return loss

    def _end(self) -> None:
        """Let go of the batch: a loop may keep the loss of every step."""
        self.spent, self.x = True, NOTHING

    def _expected(self, step: Step) -> bool:
        update = self.plan.form.update
        return update is step.update or update == step.update

    def gradients(
        self, slope: NDArray[Any], weights: Sequence[Tensor] | None = None
    ) -> list[Tensor | None]:
        """Return the gradients of the weights that follow from this one of the output."""
        return self.all_gradients(slope, self.weights if weights is None else weights)[1]

    def all_gradients(
        self, slope: NDArray[Any], weights: Sequence[Tensor]
    ) -> tuple[Tensor | None, list[Tensor | None]]:
        """Return the gradient of the input, if it was to be wanted, and those of the weights."""
        if self.spent:
            raise RuntimeError("Trying to backward through the graph a second time")
        plan, taped = self.plan, self.taped
        given = plan.slope(slope)
        with taped.lock:
            if plan.form.update is not None:
                taped.expected, taped.head, taped.asked, taped.forms = None, None, True, {}
                plan = taped.plan(len(self.x), Form(plan.form.dtype))
            if plan.held != self.number:  # another call came between: the same values once more
                with self._as_then(plan):
                    plan.forward(self.number, self.x, weights, plan.output(len(self.x)))
            return plan.backward(self.number, given, weights)

    @contextmanager
    def _as_then(self, plan: TapedPlan) -> Iterator[None]:
        """Draw what was drawn in the call, and leave the statistics of layers as they are."""
        if self.draws is None:
            yield
            return
        several = [one for layer in self.taped.foreign for one in layer.buffers()]
        kept = [(one, one.clone()) for one in several]
        now = torch.get_rng_state()
        torch.set_rng_state(self.draws)
        try:
            yield
        finally:
            torch.set_rng_state(now)
            for one, numbers in kept:
                one.data.copy_(numbers)

    def differentiable(
        self, slope: Tensor, x: Tensor | None, weights: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """Return the gradients of the input and of the weights, with a history of their own."""
        again = self.taped.again
        assert again is not None
        same = [one.view_as(one) for one in weights]  # hooks of the weights come afterwards, once
        given = {key: same[place] for key, place in self.taped.places.items()}
        if x is None:
            x = self.plan.first.to_user(torch.from_numpy(self.x)).contiguous()
        several = [x.view_as(x), *same]
        wanted = [one for one in several if one.requires_grad]
        y = again(several[0], given)
        found = iter(torch.autograd.grad(y, wanted, slope, create_graph=True, allow_unused=True))
        return [next(found) if one.requires_grad else None for one in several]


def call_of(history: Any) -> Call | None:
    """Return the call that is behind the `grad_fn` of a tensor, if it is one."""
    made = getattr(history, "_forward_cls", None) is _Operation
    return history.call if made else None


class _Operation(torch.autograd.Function):
    """The call of a `Taped`."""

    @staticmethod
    def forward(ctx: Any, call: Call, x: Tensor | None, *weights: Tensor) -> Tensor:
        ctx.call = call
        ctx.save_for_backward(x, *weights)
        return torch.from_numpy(call.numbers)  # no view of another tensor: it may be changed

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled() and ctx.call.taped.again:  # create_graph=True
            x, *weights = ctx.saved_tensors
            return None, *ctx.call.differentiable(slopes[0], x, weights)
        return (_once if torch.is_grad_enabled() else _gradients)(ctx, slopes[0])


def _gradients(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
    _, *weights = ctx.saved_tensors
    first, found = ctx.call.all_gradients(slope.numpy(), weights)
    return None, first, *found


_once = once_differentiable(_gradients)
