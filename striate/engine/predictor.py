"""Predictor: a model's outputs through native plans, forward only; one for each form of input."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..lower.execution import Execution
from ..lower.lower import lower
from ..lower.program import Program
from ..lower.rules import covered
from ..lower.runtime import library
from ..lower.trace import trace

if TYPE_CHECKING:
    from ..model import Model

KEPT = (np.uint8, np.float32)
BATCH = 64  # samples that go through a plan at once: their values stay in the caches
Form = tuple[tuple[tuple[int, ...], str], ...]  # shape of a sample and dtype, for each input


class Predictor:
    """Computes a model's outputs with the weights that it has at the time.

    Safe to be called from several threads. A copy of the model makes plans of its own.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.plans: dict[tuple[Form, int], _Plan] = {}
        self.lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        return (_nothing, ())

    def __call__(self, x: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float32], ...] | None:
        """Return the outputs for a batch in the user's layout, or None where no plan can be made.

        `x`: an array for each input, (batch, ...); bytes stay bytes, other numbers become float32.
        """
        given = [one if one.dtype in KEPT else one.astype(np.float32) for one in x]
        form = tuple((one.shape[1:], one.dtype.name) for one in given)
        batch = 1 if len(given[0]) == 1 else BATCH
        with self.lock:
            plan = self.plans.get((form, batch))
            if plan is None:
                plan = self.plans[form, batch] = _Plan(self.model, form, batch)
            return plan.run(given)


def _nothing() -> None:
    """Stand for a predictor in a pickle."""


class _Plan:
    """A plan for one form of input, or the knowledge that there is none."""

    def __init__(self, model: Model, form: Form, batch: int) -> None:
        self.execution: Execution | None = None
        self.versions: list[int] = []
        self.tensors = [*model.parameters(), *model.buffers()]
        specs = [
            replace(symbol.spec, shape=shape)
            for symbol, (shape, _) in zip(model.graph.inputs, form, strict=True)
        ]
        native = library()
        if native is None or not _plain(self.tensors) or not model.runs_graph:
            return  # a forward of the user's own may do what its graph does not show
        self.program: Program = trace(model.graph, False, specs)
        values = self.program.values
        self.first_in = [values[at].channels_first for at in self.program.inputs]
        self.first_out = [values[at].channels_first for at in self.program.outputs]
        if not covered(self.program):
            lowered = lower(self.program, batch, [dtype for _, dtype in form])
            self.execution = Execution(lowered, native)
            self.single = self._single() if batch == 1 and not self.execution.foreign else None

    def run(self, x: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float32], ...] | None:
        """Return the outputs."""
        if self.execution is None:
            return None
        versions = [one._version for one in self.tensors]
        if versions != self.versions:
            self.execution.push()
            self.versions = versions
        given = [
            np.moveaxis(one, 1, -1) if first else one
            for one, first in zip(x, self.first_in, strict=True)
        ]
        if self.single is not None:
            outputs = self.single(given)
        else:
            outputs = self._outputs(len(x[0]))
            arrays = [np.ascontiguousarray(one) for one in given]
            self.execution.run(len(x[0]), [*arrays, *outputs])
        shown = zip(outputs, self.first_out, strict=True)
        return tuple(np.moveaxis(one, -1, 1) if first else one for one, first in shown)

    def _outputs(self, samples: int) -> list[NDArray[np.float32]]:
        values = self.program.values
        shapes = [[size or 1 for size in values[at].shape] for at in self.program.outputs]
        return [np.empty((samples, *shape), np.float32) for shape in shapes]

    def _single(self) -> Callable[[Sequence[NDArray[Any]]], list[NDArray[np.float32]]]:
        """Return a function for one sample, whose memory is laid out beforehand."""
        assert self.execution is not None
        values, plan = self.program.values, self.execution.lowered.plan
        dtypes = [load.dtype for load in self.execution.lowered.loads]
        inputs = [
            np.empty((1, *(size or 1 for size in values[at].shape)), dtype)
            for at, dtype in zip(self.program.inputs, dtypes, strict=True)
        ]
        outputs = self._outputs(1)
        call = self.execution.engine.prepared(1, [*inputs, *outputs], (1, len(plan.stages)), 1)

        def run(x: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
            for place, one in zip(inputs, x, strict=True):
                place[...] = one
            call()
            return [one.copy() for one in outputs]

        return run


def _plain(tensors: Sequence[Tensor]) -> bool:
    floats = [one for one in tensors if one.is_floating_point()]
    return all(one.device.type == "cpu" and one.dtype == torch.float32 for one in floats)
