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

from ..core.spec import Shape, fits, sample_shape
from ..lower.contents import Contents
from ..lower.execution import Execution
from ..lower.lower import lower
from ..lower.program import Program
from ..lower.rules import covered
from ..lower.runtime import Library, cores, library
from ..lower.trace import trace

if TYPE_CHECKING:
    from ..model import Model

BATCH = 64  # samples that go through a plan at once: their values stay in the caches
MOST_FORMS = 64  # of input whose plans are kept: a network of any image size may meet many
Arrays = tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]  # shape and dtype of each input
Form = tuple[tuple[Shape, str], ...]  # shape of a sample and the plan's dtype, for each input
Outputs = tuple[NDArray[np.float32], ...]
Way = Callable[[Sequence[NDArray[Any]]], Outputs]


class Predictor:
    """Computes a model's outputs with the weights that it has at the time.

    Safe to be called from several threads. A copy of the model makes plans of its own. Where it is
    `sure`, it looks at all weights at each call, also those of large tensors that nobody can have
    changed but behind torch's back.
    """

    def __init__(self, model: Model, sure: bool = False) -> None:
        self.model, self.sure = model, sure
        self.ways: dict[Arrays, Way | None] = {}
        self.plans: dict[tuple[Form, int], _Plan | None] = {}
        self.lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        return (_nothing, ())

    def __call__(self, x: Sequence[NDArray[Any]]) -> Outputs | None:
        """Return the outputs for a batch in the user's layout, or None where no plan can be made.

        `x`: an array for each input, (batch, ...), which may lack an axis of one channel; bytes
        stay bytes, other numbers become float32.
        """
        arrays = tuple([(one.shape, one.dtype) for one in x])
        with self.lock:
            try:
                way = self.ways[arrays]
            except KeyError:
                if len(self.ways) == MOST_FORMS:
                    self.ways.clear()
                    self.plans.clear()
                way = self.ways[arrays] = self._way(arrays)
            return None if way is None else way(x)

    def _way(self, arrays: Arrays) -> Way | None:
        """Return what computes the outputs for arrays like these."""
        specs = [symbol.spec for symbol in self.model.graph.inputs]
        samples = arrays[0][0][0] if arrays and arrays[0][0] else 0
        if not samples or len(arrays) != len(specs):
            return None
        form: list[tuple[Shape, str]] = []
        for spec, (shape, dtype) in zip(specs, arrays, strict=True):
            sample = sample_shape(spec, shape[1:])
            if shape[:1] != (samples,) or not fits(spec.shape, sample):
                return None
            form.append((sample, "uint8" if dtype == np.uint8 else "float32"))
        plan = self._plan(tuple(form), 1 if samples == 1 else BATCH)
        if plan is None:
            return None
        if samples == 1 and not plan.execution.foreign:
            return plan.single([shape for shape, _ in arrays])
        return plan.several

    def _plan(self, form: Form, batch: int) -> _Plan | None:
        if (form, batch) not in self.plans:
            self.plans[form, batch] = _planned(self.model, form, batch, self.sure)
        return self.plans[form, batch]


def _nothing() -> None:
    """Stand for a predictor in a pickle."""


def _planned(model: Model, form: Form, batch: int, sure: bool) -> _Plan | None:
    """Return a plan for one form of input, or None where there is none."""
    tensors = [*model.parameters(), *model.buffers()]
    native = library()
    if native is None or not _plain(tensors) or not model.runs_graph:
        return None  # a forward of the user's own may do what its graph does not show
    specs = [
        replace(symbol.spec, shape=shape)
        for symbol, (shape, _) in zip(model.graph.inputs, form, strict=True)
    ]
    program = trace(model.graph, False, specs)
    if covered(program):
        return None
    return _Plan(program, form, batch, Contents(tensors, native, sure), native)


class _Plan:
    """A plan for one form of input, with the model's weights."""

    def __init__(
        self, program: Program, form: Form, batch: int, contents: Contents, native: Library
    ) -> None:
        self.program = program
        self.contents = contents
        self.known: tuple[Any, ...] | None = None
        self.samples, dtypes = zip(*form, strict=True)
        self.execution = Execution(lower(program, batch, dtypes, shares=cores()), native)
        self.dtypes = dtypes
        self.first_in = [program.values[at].channels_first for at in program.inputs]
        self.first_out = [program.values[at].channels_first for at in program.outputs]

    def several(self, x: Sequence[NDArray[Any]]) -> Outputs:
        """Return the outputs of any number of samples."""
        self._refresh()
        forms = zip(x, self.samples, self.first_in, self.dtypes, strict=True)
        given = [
            np.ascontiguousarray(_channels_last(one.reshape(len(one), *sample), first), dtype)
            for one, sample, first, dtype in forms
        ]
        outputs = self._outputs(len(x[0]))
        self.execution.run(len(x[0]), [*given, *outputs])
        return tuple(map(_channels_first, outputs, self.first_out))

    def single(self, shapes: Sequence[tuple[int, ...]]) -> Way:
        """Return a function for one sample of such shapes, whose memory is laid out beforehand."""
        values, stages = self.program.values, self.execution.lowered.plan.stages
        inputs = [
            np.empty((1, *(size or 1 for size in values[at].shape)), dtype)
            for at, dtype in zip(self.program.inputs, self.dtypes, strict=True)
        ]
        shown = map(_channels_first, inputs, self.first_in)
        places = [one.reshape(shape) for one, shape in zip(shown, shapes, strict=True)]
        outputs = self._outputs(1)
        shown_outputs = tuple(map(_channels_first, outputs, self.first_out))
        call = self.execution.engine.prepared(1, [*inputs, *outputs], (1, len(stages)), cores())

        def run(x: Sequence[NDArray[Any]]) -> Outputs:
            self._refresh()
            for place, one in zip(places, x, strict=True):
                np.copyto(place, one, "unsafe")
            call()
            return tuple([one.copy() for one in shown_outputs])

        return run

    def _refresh(self) -> None:
        """Bring the weights into the arena if they have changed."""
        state = self.contents.state()
        if state != self.known:
            self.execution.push()
            self.known = state

    def _outputs(self, samples: int) -> list[NDArray[np.float32]]:
        values = self.program.values
        shapes = [[size or 1 for size in values[at].shape] for at in self.program.outputs]
        return [np.empty((samples, *shape), np.float32) for shape in shapes]


def _channels_last(x: NDArray[Any], wanted: bool) -> NDArray[Any]:
    return np.moveaxis(x, 1, -1) if wanted else x


def _channels_first(x: NDArray[Any], wanted: bool) -> NDArray[Any]:
    return np.moveaxis(x, -1, 1) if wanted else x


def _plain(tensors: Sequence[Tensor]) -> bool:
    floats = [one for one in tensors if one.is_floating_point()]
    return all(one.device.type == "cpu" and one.dtype == torch.float32 for one in floats)
