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

    def __call__(self, x: Sequence[Tensor]) -> tuple[NDArray[np.float32], ...] | None:
        """Return the outputs for a batch in the user's layout, or None where no plan can be made.

        `x`: a tensor for each input, (batch, ...), of bytes or float32.
        """
        given = [one if one.dtype in (torch.uint8, torch.float32) else one.float() for one in x]
        form = tuple((tuple(one.shape[1:]), str(one.dtype)[6:]) for one in given)
        batch = 1 if len(x[0]) == 1 else BATCH
        with self.lock:
            if (form, batch) not in self.plans:
                self.plans[form, batch] = _Plan(self.model, form, batch)
            return self.plans[form, batch].run(given)


def _nothing() -> None:
    """Stand for a predictor in a pickle."""


class _Plan:
    """A plan for one form of input, or the knowledge that there is none."""

    def __init__(self, model: Model, form: Form, batch: int) -> None:
        self.execution: Execution | None = None
        self.versions: tuple[int, ...] = ()
        self.tensors = [*model.parameters(), *model.buffers()]
        specs = [
            replace(symbol.spec, shape=shape)
            for symbol, (shape, _) in zip(model.graph.inputs, form, strict=True)
        ]
        native = library()
        if native is None or not _plain(self.tensors) or not model.runs_graph:
            return  # a forward of the user's own may do what its graph does not show
        self.program: Program = trace(model.graph, False, specs)
        if not covered(self.program):
            lowered = lower(self.program, batch, [dtype for _, dtype in form])
            self.execution = Execution(lowered, native)
            self.single = self._single() if batch == 1 and not self.execution.foreign else None

    def run(self, x: Sequence[Tensor]) -> tuple[NDArray[np.float32], ...] | None:
        """Return the outputs."""
        if self.execution is None:
            return None
        versions = tuple(one._version for one in self.tensors)
        if versions != self.versions:
            self.execution.push()
            self.versions = versions
        values = self.program.values
        pairs = zip(self.program.inputs, x, strict=True)
        given = [values[at].from_user(one).numpy() for at, one in pairs]
        if self.single is not None:
            outputs = self.single(given)
        else:
            outputs = self._outputs(len(x[0]))
            arrays = [np.ascontiguousarray(one) for one in given]
            self.execution.run(len(x[0]), [*arrays, *outputs])
        shown = zip(self.program.outputs, outputs, strict=True)
        return tuple(values[at].to_user(torch.from_numpy(one)).numpy() for at, one in shown)

    def _outputs(self, samples: int) -> list[NDArray[np.float32]]:
        shapes = [self.program.values[at].shape for at in self.program.outputs]
        return [np.empty((samples, *shape), np.float32) for shape in shapes]  # type: ignore[arg-type]

    def _single(self) -> Callable[[Sequence[NDArray[Any]]], list[NDArray[np.float32]]]:
        """Return a function for one sample, whose memory is laid out beforehand."""
        assert self.execution is not None
        values, plan = self.program.values, self.execution.lowered.plan
        dtypes = [load.dtype for load in self.execution.lowered.loads]
        inputs = [
            np.empty((1, *values[at].shape), dtype)  # type: ignore[arg-type]
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


