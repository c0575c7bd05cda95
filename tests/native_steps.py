"""One step of a network, natively and by torch in float64, from the same numbers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

import striate as st
from striate.core.operation import Drop
from striate.lower import reference
from striate.lower.builder import Weight
from striate.lower.execution import Execution
from striate.lower.lower import Head, lower
from striate.lower.optimizer import update_of
from striate.lower.plan import ABSENT
from striate.lower.runtime import Library, library
from striate.lower.trace import trace

# The slot of the momentum is, after the first step with a rate of 1, the gradient itself.
SHOWS_GRADIENTS = update_of(st.optimizers.SGD(1.0, momentum=0.5))


class Native:
    """A network in a training plan, after one step on random numbers.

    `apart` is the same with a place of its own for every image, so that all of them can be seen
    afterwards.
    """

    def __init__(
        self,
        model: st.Model,
        *,
        batch: int,
        samples: int,
        threads: int = 1,
        seed: int = 0,
        native: Library | None = None,
    ) -> None:
        self.model, self.samples = model, samples
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():  # a number that is exactly 0 would look as if dropout had made it
            for weight in model.parameters():
                weight += 0.05 * torch.randn(weight.shape, generator=draw)
        self.exact = copy.deepcopy(model).double()  # before the step, which changes the weights
        self.program = trace(model.graph, training=True)
        shapes = [self.program.values[at].shape for at in self.program.inputs]
        self.x = [torch.randn(samples, *shape, generator=draw) for shape in shapes]
        out = self.program.values[self.program.outputs[0]].shape
        self.y = torch.randn(samples, *out, generator=draw)
        chosen = native or library()
        assert chosen is not None
        given = {"rates": np.ones(1), "threads": threads, "seed": seed + 1}
        self.execution, self.loss = self._stepped(batch, chosen, given)
        self.apart, self.loss_apart = self._stepped(batch, chosen, given, apart=True)

    def _stepped(
        self, batch: int, native: Library, given: dict[str, Any], *, apart: bool = False
    ) -> tuple[Execution, float]:
        """Return the plan after its step, and the loss."""
        assert not isinstance(SHOWS_GRADIENTS, str)
        lowered = lower(
            self.program,
            batch,
            ["float32"] * len(self.x),
            head=Head("mean_squared_error", labels=False),
            update=SHOWS_GRADIENTS,
        )
        for buffer in lowered.plan.buffers if apart else ():
            buffer.place = ABSENT
        before = copy.deepcopy(self.model.state_dict())
        execution = Execution(lowered, native)
        execution.push()
        sources = [one.numpy() for one in (*self.x, self.y.flatten(1))]
        sums = execution.run(self.samples, sources, **given)
        self.model.load_state_dict(before)  # what torch computes is updated in the model
        return execution, float(sums[0]) / self.samples

    def gradient(self, weight: Weight) -> Tensor:
        """Return the gradient of a weight."""
        return -self.execution.slot(weight, 0)

    def masks(self) -> list[Tensor]:
        """Return what each dropout let through, in the order of the program."""
        images = self.apart.lowered.images
        drops = [step for step in self.program.steps if isinstance(step.operation, Drop)]
        return [self.apart.tensor(images[step.output])[: self.samples] != 0 for step in drops]

    def faults(self, tolerance: float = 1e-4) -> list[str]:
        """Return where loss or gradients differ from those by torch in float64."""
        exact = self.exact
        exact.train()
        program = trace(exact.graph, training=True)
        with dropping(self.masks()):
            x = [
                program.values[at].to_user(one.double())
                for at, one in zip(program.inputs, self.x, strict=True)
            ]
            (y,) = reference.reference(program, *x)
        loss = torch.nn.functional.mse_loss(y, self.y.double())
        total = loss.item()
        twin = dict(zip(map(id, self.model.parameters()), exact.parameters(), strict=True))
        weights = [w for w in self.execution.lowered.weights if w.slots]
        wanted = [p for p in exact.parameters() if p.requires_grad]
        found = dict(
            zip(map(id, wanted), torch.autograd.grad(loss, wanted, allow_unused=True), strict=True)
        )
        faults = []
        if self.loss != self.loss_apart:
            faults.append(f"loss {self.loss}, and {self.loss_apart} with images apart")
        apart = [w for w in self.apart.lowered.weights if w.slots]
        for one, other in zip(weights, apart, strict=True):
            if not torch.equal(self.execution.slot(one, 0), self.apart.slot(other, 0)):
                faults.append(f"gradient of {one.name} is another one with images apart")
        if abs(self.loss - total) > tolerance * abs(total):
            faults.append(f"loss {self.loss} instead of {total}")
        largest = max(float(one.abs().max()) for one in found.values() if one is not None)
        for weight in weights:
            want = found.pop(id(twin[id(weight.tensor)]))
            want = torch.zeros_like(weight.tensor) if want is None else want
            error = float((self.gradient(weight).double() - want).abs().max())
            # what cancels out (a bias before a normalisation) is measured by the other gradients
            size = max(float(want.abs().max()), 1e-2 * largest)
            if not error <= tolerance * size:
                faults.append(f"gradient of {weight.name}: {error:.2g} of {size:.2g}")
        left = [one for one in found.values() if one is not None and one.abs().max() > 1e-12]
        if left:
            faults.append(f"no gradient of {len(left)} weights")
        return faults


@contextmanager
def dropping(masks: list[Tensor]) -> Iterator[None]:
    """Let the reference drop what these masks say, one after the other."""
    left = iter(masks)

    def drop(operation: Drop, x: list[Tensor], weight: object) -> Tensor:
        return x[0] * next(left).reshape(x[0].shape) / (1 - operation.rate)

    with mock.patch.dict(reference.COMPUTE, {Drop: drop}):
        yield
