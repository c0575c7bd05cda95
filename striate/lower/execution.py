"""Execution: a lowered model in the native library, with the model's weights in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.graph import increment_version

from .builder import Image, Segment, TorchBackward, TorchForward, Weight
from .lower import Lowered
from .moves import Exchange
from .runtime import Engine, Library
from .units.unit import Unit


class Execution:
    """Runs a plan over samples; where torch does a part of it, step by step.

    The arena has its own copy of the weights: `push` brings them in, `pull` brings them back.
    """

    def __init__(self, lowered: Lowered, library: Library) -> None:
        self.lowered = lowered
        self.engine = Engine(lowered.plan, library)
        self.foreign = tuple(part for part in lowered.segments if not isinstance(part, Segment))
        self.by_hand = {  # buffers that torch's gradients are copied into, in the arena
            buffer
            for part in self.foreign
            if isinstance(part, TorchBackward)
            for _, buffer in part.weights
        }
        # of a torch unit in training: what went in, and what came out
        self.kept: dict[Unit, tuple[list[Tensor], tuple[Tensor, ...]]] = {}

    # ---- weights ---------------------------------------------------------------------------------

    @cached_property
    def _exchange(self) -> Exchange:
        """What the arena has of the model's, and behind it of the optimizer's."""
        own = [one.logical(self._flat(one.buffer)) for one in self._own]
        own += [
            self.slot(one, slot) for one in self.lowered.weights for slot, _ in enumerate(one.slots)
        ]
        return Exchange(self.engine.library, [one.numpy() for one in own])

    @cached_property
    def _own(self) -> list[Weight]:
        """The weights that are the model's as they are."""
        return [weight for weight in self.lowered.weights if weight.given is None]

    @torch.no_grad()
    def push(self, slots: Sequence[Tensor] = ()) -> None:
        """Copy the model's weights into the arena, and into every form that kernels read.

        `slots`: what the optimizer keeps, weight by weight, if it is to be copied too.
        """
        self._exchange.enter([*(weight.tensor for weight in self._own), *slots])
        for weight in self.lowered.weights:
            if weight.given is not None:
                self.copy(weight.logical(self._flat(weight.buffer)), weight.given())
        if self.lowered.plan.stages[0].calls:
            self.engine.run(1, stages=(0, 1), sources=())

    @torch.no_grad()
    def pull(self, slots: Sequence[Tensor] = ()) -> None:
        """Copy the weights, and the statistics of batch normalisations, back into the model.

        `slots`: those of `push`, if they are to be given back too.
        """
        self._exchange.leave([*(weight.tensor for weight in self._own), *slots])

    def copy(self, target: Tensor, source: Tensor) -> None:
        """Copy a tensor, on this thread alone."""
        self.write(target, source)
        increment_version(target)

    def write(self, target: Tensor, source: Tensor) -> None:
        """Copy a tensor as `copy` does, but so that torch counts no change."""
        self.engine.library.copy(target.detach().numpy(), source.detach().numpy())

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
        for part in self._steps(samples, sources, given):
            total += self._step(**part)
        return total

    def _steps(
        self, samples: int, sources: Sequence[NDArray[Any]], given: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Divide a run into steps: each has its part of the order, or else of the arrays."""
        batch = self.lowered.plan.batch
        order, rates = given.pop("order", None), given.pop("rates", None)
        number, update = given.pop("number", 0), given.pop("update", 1)
        for step, begin in enumerate(range(0, samples, batch)):
            yield {
                **given,
                "samples": min(batch, samples - begin),
                "sources": [
                    one[begin : begin + batch] if order is None else one for one in sources
                ],
                "order": None if order is None else order[begin : begin + batch],
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
        for part in self.lowered.segments:
            if isinstance(part, Segment):
                stages = (part.first, part.end)
                total += self.engine.run(samples, sources, stages=stages, **given)
            else:
                self.by_torch(part, samples)
        self._pull_foreign()
        return total

    def by_torch(self, part: TorchForward | TorchBackward, samples: int) -> None:
        """Let torch compute a part of a batch, of which the arena has the rest."""
        if isinstance(part, TorchForward):
            self._torch(part, samples)
        else:
            self._torch_backward(part, samples)

    def _torch(self, part: TorchForward, samples: int) -> None:
        step, training = part.unit.steps[0], self.lowered.training
        inputs = [
            self._batch(at, self.lowered.images[at], samples).clone().requires_grad_(learned)
            for at, learned in zip(step.inputs, part.learned, strict=True)
        ]
        with torch.set_grad_enabled(training), _mode(step.layer, training):
            outputs = part.unit.compute(inputs)
        for at, output in zip(step.outputs, outputs, strict=True):
            target = self.tensor(self.lowered.images[at])[:samples]
            target.copy_(output.detach().reshape(target.shape))
        if training:
            self.kept[part.unit] = (inputs, outputs)

    def _torch_backward(self, part: TorchBackward, samples: int) -> None:
        inputs, outputs = self.kept.pop(part.unit)
        # As the output lies: of one sample, torch 2.13's InstanceNorm2d misreads any other order.
        given = [
            (output, torch.empty_like(output).copy_(self._batch(at, image, samples)))
            for at, output, image in zip(
                part.unit.steps[0].outputs, outputs, part.outputs, strict=True
            )
            if image is not None and output.requires_grad
        ]
        targets = [self.tensor(image)[:samples] for image in part.inputs]
        targets += [weight.logical(self._flat(buffer)) for weight, buffer in part.weights]
        wanted = [x for x in inputs if x.requires_grad]
        wanted += [weight.tensor for weight, _ in part.weights]
        found: Sequence[Tensor | None] = [None] * len(targets)
        if given and wanted:
            found = torch.autograd.grad(
                tuple(y for y, _ in given), wanted, tuple(g for _, g in given), allow_unused=True
            )
        for target, value in zip(targets, found, strict=True):
            if value is None:
                target.zero_()
            else:
                target.copy_(value.reshape(target.shape))

    def _batch(self, at: int, image: Image, samples: int) -> Tensor:
        """Return a value or its gradient in the value's own shape."""
        shape = self.lowered.program.values[at].shape
        return self.tensor(image)[:samples].reshape(samples, *shape)  # type: ignore[arg-type]

    @torch.no_grad()
    def _pull_foreign(self) -> None:
        """Copy the weights that torch reads back into the model after each step."""
        for part in self.foreign:
            for weight, _ in part.weights if isinstance(part, TorchBackward) else ():
                weight.tensor.copy_(weight.logical(self._flat(weight.buffer)))


@contextmanager
def _mode(layer: torch.nn.Module, training: bool) -> Iterator[None]:
    before = layer.training
    layer.train(training)
    try:
        yield
    finally:
        layer.train(before)
