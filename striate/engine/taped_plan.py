"""The plan of a `Taped`: its forward part leaves in the arena what its backward part needs."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..lower.builder import Part, Segment, TorchForward, Update
from ..lower.execution import Execution
from ..lower.lower import Head, Lowered
from ..lower.moves import Moves, Seen
from ..lower.runtime import Library, Repeated, Sources
from .lending import Gradients, Loan, Loans

if TYPE_CHECKING:
    from .taped import Taped


@dataclass(frozen=True)
class Step:
    """A step of an optimizer: its rule, its rate, its number from 1, and what it keeps."""

    update: Update
    rate: float
    number: int
    slots: Slots


class Slots:
    """What an optimizer keeps for each weight; a plan has it from one step to the next.

    `tensors`, in the form of the weights, have the numbers again after `home`.
    """

    def __init__(self, tensors: Sequence[Sequence[Tensor]]) -> None:
        self.tensors = tensors
        self.plan: TapedPlan | None = None  # that has them

    def home(self) -> None:
        """Bring the numbers back into the tensors."""
        plan = self.plan
        if plan is not None:
            with plan.lock:
                plan.give_back()


class Lasting(list[Tensor]):
    """Weights of a loop that are these tensors, in this memory, as long as the list is given."""


@dataclass(frozen=True)
class Form:
    """What a plan can do.

    Fields: `dtype` of the input, the `update` that may follow, the `head`, a loss from which that
    may follow in the same run, and whether it has the `slopes` of the input.
    """

    dtype: np.dtype[Any]
    update: Update | None = None
    head: Head | None = None
    slopes: bool = False


Within = Callable[[], AbstractContextManager[Any]]
_Run = Callable[..., None]


class TapedPlan:
    """A plan whose forward part leaves in the arena what its backward part needs.

    Fields: `most`, samples of a batch, and its `form`. It does not hold the `Taped` that has it,
    nor what an optimizer lends: the memory of a network that is gone is free at once.
    """

    def __init__(self, lowered: Lowered, native: Library, taped: Taped, form: Form) -> None:
        self.execution, self.lock, self.seed = Execution(lowered, native), taped.lock, taped.seed
        self.most, self.form = lowered.plan.batch, form
        self.held = 0  # the number of the call whose values are in the arena
        self.lent: weakref.ref[Slots] | None = None  # that are in the arena
        values = lowered.program.values
        self.value = values[lowered.program.outputs[0]]
        self.first = values[lowered.program.inputs[0]]
        places = [
            None if one.given else taped.places.get(id(one.tensor)) for one in lowered.weights
        ]
        loans = [Loan(self.execution, one, one.buffer) for one in lowered.weights]
        self.weights = [*zip(lowered.weights, places, strict=True)]
        self.loans = Loans(self.execution, loans)
        self.sources = Sources(lowered.sources)  # input, output, and their gradients, last first
        self.forth, self.back = self._runs(lowered, taped.within)
        self.whole = self._whole(lowered)
        self.moved = [
            (weight, loan)
            for (weight, place), loan in zip(self.weights, loans, strict=True)
            if place is None and weight.given is None
        ]
        self.own = [Seen() for _ in self.weights]
        self.steady = [weight.tensor for weight, place in self.weights if place is None]
        self.computed = any(weight.given for weight, _ in self.weights)
        self.lying: list[Any] = []  # where the weights were at the last call, and their strides
        self.lasting: Lasting | None = None  # the weights of the last call, if they stay there
        self.shape = tuple(size or 1 for size in self.value.shape)
        self.seen = [Seen(shown) for shown in taped.shown]
        self.slots: list[tuple[int, int, Seen]] = []
        slots = []
        for one in lowered.weights:
            for number, buffer in enumerate(one.slots):
                place = taped.places[id(one.tensor)]
                self.slots.append((place, number, Seen(taped.shown[place])))
                slots.append(Loan(self.execution, one, buffer))
        self.slot_loans = Loans(self.execution, slots)
        self.gradients = [
            Gradients(self.execution, one, place, taped.shown[place])
            for one, place in self.weights
            if place is not None and one.trained and one.gradients and lowered.update is None
        ]
        self.made = Loans(self.execution, [one.loan for one in self.gradients])

    def _runs(self, lowered: Lowered, within: Within) -> tuple[_Run, _Run]:
        """Return what runs the forward and the backward part, and copies the weights in and out."""
        end, turn, engine = len(lowered.plan.stages), lowered.turn, self.execution.engine
        coming, going = self.loans.coming, self.loans.going
        if not self.execution.foreign:
            forth = engine.repeated((0, turn), self.sources, before=coming)
            back = engine.repeated((turn, end), self.sources, after=going, without=lowered.judged)
            return forth, back
        before = [part for part in lowered.segments if _before(part, turn)]
        after = lowered.segments[len(before) :]
        in_parts = _InParts(self, within, [Segment(0, 1), *before], before=coming)
        return in_parts, _InParts(self, within, after, after=going)

    def _whole(self, lowered: Lowered) -> Repeated | None:
        """Return what makes a step in one run, or None where torch has a part of it."""
        engine = self.execution.engine
        if self.execution.foreign or not lowered.judged:
            return None
        coming, going = self.loans.coming, self.loans.going
        stages = 0, len(lowered.plan.stages)
        return engine.repeated(
            stages, self.sources, before=coming, after=going, without=lowered.given
        )

    def given(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return a batch of the user's as the plan reads it."""
        return np.ascontiguousarray(self.first.array_from_user(x))

    def output(self, samples: int) -> NDArray[Any]:
        """Return an array for the output, as `forward` fills it."""
        return np.empty((samples, *self.shape), np.float32)

    def forward(
        self, call: int, x: NDArray[Any], weights: Sequence[Tensor], output: NDArray[Any]
    ) -> None:
        """Compute the output, with these weights."""
        self._enter(x, weights, output)
        self.forth(len(x), seed=self.seed, number=call)
        self.held = call

    def _enter(self, x: NDArray[Any], weights: Sequence[Tensor], output: NDArray[Any]) -> None:
        if weights is not self.lasting or self.computed:
            several = [*weights, *self.steady]
            lying = [*map(Tensor.data_ptr, several), *map(Tensor.stride, several)]
            if lying != self.lying or self.computed:
                self.loans.take(self._given(weights))
                self.lying = lying
            self.lasting = weights if isinstance(weights, Lasting) else None
        self.sources.put(0, x)
        self.sources.put(1, output)

    def _given(self, weights: Sequence[Tensor]) -> Iterator[NDArray[Any]]:
        """Yield the arrays that the buffers of the weights are to hold."""
        for (weight, place), own in zip(self.weights, self.own, strict=True):
            if place is None:
                yield own(weight.given() if weight.given else weight.tensor)
            else:
                yield self.seen[place](weights[place])

    def statistics(self) -> None:
        """Copy what the forward part has changed back into the model.

        torch's own normalisations do not count this change either: two calls of a network may come
        before the first `backward`.
        """
        for weight, loan in self.moved:
            self.execution.write(weight.tensor, loan.shown)

    def backward(
        self, call: int, slope: NDArray[Any], weights: Sequence[Tensor]
    ) -> tuple[Tensor | None, list[Tensor | None]]:
        """Return the gradients of the input, and of the weights, in memory as the weights are."""
        found: list[Tensor | None] = [None] * len(self.seen)
        for one in self.gradients:
            found[one.place] = one.begin(weights[one.place])
        slopes = None
        if self.form.slopes:
            sizes = [size or 1 for size in self.first.shape]
            slopes = np.empty((len(slope), *sizes), np.float32)
            self.sources.put(3, slopes)
        self._backward(call, slope)
        made = [found[one.place] for one in self.gradients]
        self.made.send(made, [one.shown for one in self.gradients])
        return None if slopes is None else self.first.to_user(torch.from_numpy(slopes)), found

    def step(self, call: int, slope: NDArray[Any], step: Step) -> None:
        """Change the weights that the call was given, and what the optimizer keeps."""
        self._lend(step)
        self._backward(call, self.slope(slope), rate=step.rate, update=step.number)

    def step_of_loss(
        self,
        call: int,
        x: NDArray[Any],
        weights: Sequence[Tensor],
        output: NDArray[Any],
        targets: NDArray[Any],
        step: Step,
    ) -> float:
        """Compute the output and its loss, and make the step, in one run; return the mean loss."""
        assert self.whole is not None
        self._enter(x, weights, output)
        self.sources.put(3, targets)
        self._lend(step)
        self.held, self.whole.sums[0] = 0, 0.0
        self.whole(len(x), seed=self.seed, number=call, rate=step.rate, update=step.number)
        self.statistics()
        return float(self.whole.sums[0]) / len(x)

    def _lend(self, step: Step) -> None:
        if self.lent is None or self.lent() is not step.slots:
            self.take(step.slots)
        if self.loans.changed:
            self.loans.give(
                self.seen[place].array if place is not None and weight.trained else None
                for weight, place in self.weights
            )

    def take(self, slots: Slots) -> None:
        """Have what an optimizer keeps, wherever it was."""
        slots.home()
        self.give_back()
        self.slot_loans.enter(self._kept(slots))
        self.lent, slots.plan = weakref.ref(slots), self

    def give_back(self) -> None:
        """Let the optimizer have it again, if that is still there."""
        slots = None if self.lent is None else self.lent()
        if slots is not None:
            self.slot_loans.leave(self._kept(slots))
            slots.plan = None
        self.lent = None

    def _kept(self, slots: Slots) -> Iterator[NDArray[Any]]:
        for place, number, seen in self.slots:
            yield seen(slots.tensors[place][number])

    def slope(self, slope: NDArray[Any]) -> NDArray[Any]:
        """Return the gradient of an output as the plan reads it."""
        return np.ascontiguousarray(self.value.array_from_user(slope))

    def _backward(self, call: int, slope: NDArray[Any], **words: Any) -> None:
        self.held = 0  # gradients take the place of values
        self.sources.put(2, slope)
        self.back(len(slope), seed=self.seed, number=call, **words)


class _InParts:
    """A run of which torch does some parts."""

    def __init__(
        self,
        plan: TapedPlan,
        within: Within,
        parts: Sequence[Part],
        before: Moves | None = None,
        after: Moves | None = None,
    ) -> None:
        self.execution, self.within = plan.execution, within
        self.before, self.after = before, after
        engine = self.execution.engine
        self.parts = [
            engine.repeated((part.first, part.end), plan.sources)
            if isinstance(part, Segment) else part
            for part in parts
        ]  # fmt: skip

    def __call__(self, samples: int, **words: Any) -> None:
        """Run over the first samples of the sources."""
        if self.before is not None:
            self.before.run()
        for part in self.parts:
            if isinstance(part, Repeated):
                part(samples, **words)
            else:
                with self.within():
                    self.execution.by_torch(part, samples)
        if self.after is not None:
            self.after.run()


def _before(part: Part, turn: int) -> bool:
    return isinstance(part, TorchForward) or (isinstance(part, Segment) and part.end <= turn)
