"""Lending: weights and gradients of a loop's own, used by a plan where they lie."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, empty_like

from ..lower.builder import Weight
from ..lower.execution import Execution
from ..lower.moves import Moves, Shown, as_it_is
from ..lower.plan import ALIGNMENT

SPARE = 2  # arrays kept for the gradient of one weight: one may still be looked at
FREE = 3  # references to an array that nobody else has: the list's, the loop's, the question's


class Loan:
    """A buffer of a plan that is an array of someone else's while that is given.

    Where the array lies otherwise than the buffer (gaps, another order), it is to be copied.
    """

    def __init__(self, execution: Execution, weight: Weight, buffer: int) -> None:
        self.engine, self.buffer = execution.engine, buffer
        pieces = self.engine.plan.buffers[buffer].count
        self.lies = weight.exact and pieces == 1
        self.shown = weight.logical(torch.from_numpy(self.engine.array(buffer)).view(-1))
        self.own: NDArray[Any] = self.shown.numpy()
        self.outside: tuple[NDArray[Any], int] | None = None  # the array that is used, its address

    def lend(self, given: NDArray[Any]) -> bool:
        """Let the buffer be this array; returns whether it can."""
        if self.outside is not None and self.outside[0] is given:
            return True
        if not self.lies:
            return False
        address = given.ctypes.data
        if address % ALIGNMENT == 0 and _alike(given, self.own):
            if self.outside is None or self.outside[1] != address:
                self.engine.place(self.buffer, address)
            self.outside = given, address  # the memory lasts as long as it is used
            return True
        self.home()
        return False

    def home(self) -> None:
        """Let the buffer be the plan's own again."""
        if self.outside is not None:
            self.engine.place(self.buffer, None)
            self.outside = None


class Loans:
    """Loans of several arrays, and what is copied in and out where there is none.

    `coming` and `going` say what: a run of the plan may copy it on all threads.
    """

    def __init__(self, execution: Execution, loans: Sequence[Loan]) -> None:
        library = execution.engine.library
        self.loans = loans
        self.coming, self.going = (Moves(library, len(loans)) for _ in range(2))
        self.changed = True  # since the last time that numbers were brought back: other arrays

    def enter(self, given: Iterable[NDArray[Any]]) -> None:
        """Let the buffers hold the numbers of these arrays."""
        self.take(given)
        self.coming.run()

    def take(self, given: Iterable[NDArray[Any]]) -> None:
        """Let what comes be the numbers of these arrays, as far as they do not lie there."""
        coming = self.coming
        for number, (loan, array) in enumerate(zip(self.loans, given, strict=True)):
            before = loan.outside
            if loan.lend(array):
                self.changed |= coming.clear(number) or before is not loan.outside
            else:
                self.changed |= coming.set(number, loan.own, array)

    def leave(self, targets: Iterable[NDArray[Any] | None]) -> None:
        """Copy the numbers to where they came from, unless they lie there; None: nowhere."""
        self.give(targets)
        self.going.run()

    def give(self, targets: Iterable[NDArray[Any] | None]) -> None:
        """Let what goes be the numbers of all that do not lie where they came from."""
        going = self.going
        for number, (loan, array) in enumerate(zip(self.loans, targets, strict=True)):
            if loan.outside is not None or array is None:
                going.clear(number)
            else:
                going.set(number, array, loan.own)
        self.changed = False

    def send(self, targets: Sequence[Tensor | None], shown: Sequence[Shown]) -> None:
        """Copy the numbers to tensors that are new each time, unless they lie there.

        `shown` has for each what shows it in the model's form.
        """
        going = self.going
        for number, (loan, tensor) in enumerate(zip(self.loans, targets, strict=True)):
            assert tensor is not None
            if loan.outside is not None:
                going.clear(number)
                loan.home()
            elif shown[number] is as_it_is:
                going.send(number, tensor, loan.own)
            else:
                going.set(number, shown[number](tensor.numpy()), loan.own)
        going.run()
        going.forget()


class Gradients:
    """The gradient of a weight, in a tensor of its own after each backward pass.

    A plan writes it there where it can. The memory of tensors that are gone is used again: to be
    given new pages by the system takes as long as writing them.
    """

    def __init__(self, execution: Execution, weight: Weight, place: int, shown: Shown) -> None:
        self.place, self.weight, self.shown = place, weight, shown
        self.loan = Loan(execution, weight, weight.gradients[0].buffer)
        self.loan.lies &= self.loan.buffer not in execution.by_hand
        self.spare: list[NDArray[np.float32]] = []

    def begin(self, like: Tensor) -> Tensor:
        """Return the tensor that the next run, or `end`, fills."""
        lies = self.loan.lies and self.shown is as_it_is
        if not lies or like.stride() != self.loan.shown.stride():
            return empty_like(like)
        made: Tensor = self.weight.logical(torch.from_numpy(self._array()))
        self.loan.lend(made.numpy())
        return made

    def _array(self) -> NDArray[np.float32]:
        for array in self.spare:
            if sys.getrefcount(array) == FREE:
                return array
        memory = np.empty(self.weight.count + ALIGNMENT // 4, np.float32)
        begin = -memory.ctypes.data % ALIGNMENT // 4
        array = memory[begin : begin + self.weight.count]
        if len(self.spare) < SPARE:
            self.spare.append(array)
        return array


def _alike(given: NDArray[Any], own: NDArray[Any]) -> bool:
    return given.strides == own.strides and given.dtype == own.dtype
