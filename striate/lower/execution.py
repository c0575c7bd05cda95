"""Execution: a lowered model in the native library, with the model's weights in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .builder import Image, Segment, Weight
from .lower import Lowered
from .runtime import Engine, Library
from .units.foreign import Foreign


class Execution:
    """Runs a plan over samples; where torch does a part of it, step by step.

    The arena has its own copy of the weights: `push` brings them in, `pull` brings them back.
    """

    def __init__(self, lowered: Lowered, library: Library) -> None:
        self.lowered = lowered
        self.engine = Engine(lowered.plan, library)
        self.foreign = any(segment.torch for segment in lowered.segments)
        self.kept: dict[int, tuple[list[Tensor], Tensor]] = {}  # of a torch unit: inputs and output

    # ---- weights ---------------------------------------------------------------------------------

    @torch.no_grad()
    def push(self) -> None:
        """Copy the model's weights into the arena, and into every form that kernels read."""
        for weight in self.lowered.weights:
            given = weight.tensor if weight.given is None else weight.given()
            weight.logical(self._flat(weight.buffer)).copy_(given)
        if self.lowered.plan.stages[0].calls:
            self.engine.run(1, stages=(0, 1), sources=())

    @torch.no_grad()
    def pull(self) -> None:
        """Copy the weights, and the statistics of batch normalisations, back into the model."""
        for weight in self.lowered.weights:
            if weight.given is None:
                weight.tensor.copy_(weight.logical(self._flat(weight.buffer)))

    def slot(self, weight: Weight, number: int) -> Tensor:
        """Return a slot of the optimizer in the weight's shape, without a copy."""
        return weight.logical(self._flat(weight.slots[number]))

    def tensor(self, image: Image) -> Tensor:
        """Return an image of each sample as a tensor (batch, height, width, channels), shared."""
        view = image.view
        whole = torch.from_numpy(self.engine.array(view.buffer))
        shape = (len(whole), image.height, image.width, image.channels)
        strides = (whole.stride(0), view.row, view.pixel, 1)
        return whole.as_strided(shape, strides, view.origin)

    def _flat(self, buffer: int) -> Tensor:
        return torch.from_numpy(self.engine.array(buffer)).view(-1)

    # ---- runs ------------------------------------------------------------------------------------

    def run(self, samples: int, sources: Sequence[NDArray[Any]], **given: Any) -> NDArray[Any]:
        """Run the plan over `samples` samples; the arguments are those of `Engine.run`."""
        stages = self.lowered.plan.stages
        if not self.foreign:
            first = 0 if self.lowered.update else 1
            return self.engine.run(samples, sources, stages=(first, len(stages)), **given)
        total = np.zeros(self.lowered.plan.sums)
        for part in self._steps(samples, given):
            total += self._step(sources, **part)
        return total

    def _steps(self, samples: int, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Divide a run into steps."""
        batch = self.lowered.plan.batch
        order, rates = given.pop("order", None), given.pop("rates", None)
        if order is None:
            order = np.arange(samples, dtype=np.int32)
        number, update = given.pop("number", 0), given.pop("update", 1)
        for step, begin in enumerate(range(0, samples, batch)):
            yield {
                **given,
                "samples": min(batch, samples - begin),
                "order": np.ascontiguousarray(order[begin : begin + batch]),
                "rates": None if rates is None else rates[step : step + 1],
                "number": number + step,
                "update": update + step,
            }

    def _step(
        self, sources: Sequence[NDArray[Any]], samples: int, **given: Any
    ) -> NDArray[np.float64]:
        """Run one batch, segment by segment."""
        total = np.zeros(self.lowered.plan.sums)
        if self.lowered.update is not None and self.lowered.plan.stages[0].calls:
            total += self.engine.run(samples, sources, stages=(0, 1), **given)
        for segment in self.lowered.segments:
            if isinstance(segment.torch, Foreign):
                self._torch(segment, segment.torch, samples)
            else:
                stages = (segment.first, segment.end)
                total += self.engine.run(samples, sources, stages=stages, **given)
        return total

    def _torch(self, segment: Segment, unit: Foreign, samples: int) -> None:
        step, program = unit.steps[0], self.lowered.program
        if segment.backward:
            self._torch_backward(unit, samples)
            return
        inputs = []
        for at in step.inputs:
            value = program.values[at]
            given = self.tensor(self.lowered.images[at])[:samples]
            given = given.reshape(samples, *value.shape)  # type: ignore[arg-type]
            learned = at in self.lowered.gradients
            inputs.append(value.to_user(given.clone()).requires_grad_(learned))
        training = self.lowered.update is not None
        with torch.set_grad_enabled(training), _mode(step.layer, training):
            output = step.layer(*inputs)
        several = output if isinstance(output, tuple) else (output,)
        for at, one in zip(step.outputs, several, strict=True):
            target = self.tensor(self.lowered.images[at])[:samples]
            target.copy_(program.values[at].from_user(one.detach()).reshape(target.shape))
        if training:
            self.kept[id(unit)] = (inputs, several[0])

    def _torch_backward(self, unit: Foreign, samples: int) -> None:
        step, program = unit.steps[0], self.lowered.program
        inputs, output = self.kept.pop(id(unit))
        at = step.output
        gradient = self.tensor(self.lowered.gradients[at])[:samples]
        shape = program.values[at].shape
        given = program.values[at].to_user(gradient.reshape(samples, *shape))  # type: ignore[arg-type]
        weights = [weight for weight in self.lowered.weights if weight.trained]
        own = {id(p) for p in step.layer.parameters()}
        weights = [weight for weight in weights if id(weight.tensor) in own]
        learned = [x for x in inputs if x.requires_grad]
        wanted = [*learned, *(weight.tensor for weight in weights)]
        found = torch.autograd.grad(output, wanted, given, allow_unused=True)
        targets = [self.lowered.gradients[n] for n in step.inputs if n in self.lowered.gradients]
        for target, value in zip(targets, found[: len(learned)], strict=True):
            here = self.tensor(target)[:samples]
            here.zero_() if value is None else here.copy_(value.reshape(here.shape))
        for weight, value in zip(weights, found[len(learned) :], strict=True):
            flat = weight.logical(self._flat(weight.gradients[0].buffer))
            flat.zero_() if value is None else flat.copy_(value)


@contextmanager
def _mode(layer: torch.nn.Module, training: bool) -> Iterator[None]:
    before = layer.training
    layer.train(training)
    try:
        yield
    finally:
        layer.train(before)
