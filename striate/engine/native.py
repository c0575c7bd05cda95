"""NativeStep: steps that the native library makes, many in one call; the same sums as a Step's."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import losses, metrics
from ..core.spec import Shape, sample_shape
from ..core.symbol import Symbol
from ..data.feed import ArrayFeed, Batch
from ..errors import ConfigError
from ..lower.contents import Contents
from ..lower.execution import Execution
from ..lower.lower import Head, Lowered, lower
from ..lower.optimizer import rule_of, update_of
from ..lower.program import Program
from ..lower.rules import covered
from ..lower.runtime import Library, library
from ..lower.trace import trace
from ..optimizers import schedules
from .batches import Batches
from .progress import say
from .setup import Setup
from .step import Step

if TYPE_CHECKING:
    from ..model import Model

Given = tuple[list[NDArray[Any]], tuple[str, ...], bool, bool]  # what a plan is given, and its form
CALL_S = 0.1  # of training in one call: short enough for the bar and for Ctrl-C
COUNTED = (metrics.Accuracy, metrics.SparseCategoricalAccuracy, metrics.CategoricalAccuracy)


@dataclass(frozen=True)
class Chunk:
    """Several batches to come of arrays that lie in memory: the numbers of their samples."""

    arrays: Batch
    order: NDArray[np.int32]
    batch_size: int

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.order)

    @property
    def steps(self) -> int:
        """Number of batches."""
        return -(-len(self.order) // self.batch_size)

    def batches(self) -> Iterator[Batch]:
        """Yield the batches one by one."""
        order = torch.from_numpy(self.order).long()
        for begin in range(0, self.size, self.batch_size):
            yield self.arrays.taken(order[begin : begin + self.batch_size])


def make_step(model: Model, setup: Setup, *, training: bool = False) -> Step:
    """Return what makes the steps: natively where every part has a kernel, else by torch.

    Raises: ConfigError with `engine="native"` where there is no native way.
    """
    if setup.engine == "torch":
        return Step(model, setup, training=training)
    step = NativeStep(model, setup, training=training)
    why = step.why_not(training)
    if not why:
        return step
    if setup.engine == "native":
        raise ConfigError(
            'engine="native"',
            "cannot train this model" if training else "cannot run this model",
            got=why,
            fix='engine="auto": torch does what has no kernel',
        )
    return Step(model, setup, training=training)


def batch_step(model: Model, setup: Setup, *, training: bool = False) -> Step:
    """Return what makes the step of a batch that is given alone, with no sums in it yet.

    It is the one of the batch before, which has a plan, unless the model has changed otherwise than
    in its weights.
    """
    fresh, known = Step(model, setup, training=training), setup.steps.get(training)
    if known is None or not known.like(fresh):
        known = setup.steps[training] = make_step(model, setup, training=training)
    known.reset()
    return known


def small_products(precision: str, native: Library) -> bool:
    """Return whether convolutions multiply bfloat16 numbers: asked for, and known to the processor.

    "auto" keeps float32: most networks are as fast with it, and it is exact.
    """
    if precision != "bfloat16":
        return False
    if "conv_bf16" not in native.kernels:
        say("note: this processor has no products of bfloat16; they stay float32")
        return False
    return True


class NativeStep(Step):
    """A Step whose `train` and `test` take a batch, or a chunk of many, through a plan.

    The plan has its own copy of the weights and of the optimizer's state. They are copied back
    after each batch, of chunks when `settle` is called, and in again if anyone has changed them
    between two calls. A batch that no plan can take (weights for every value, say) goes the way of
    torch.
    """

    def __init__(self, model: Model, setup: Setup, *, training: bool = False) -> None:
        super().__init__(model, setup, training=training)
        self.seen: tuple[Any, ...] = ()  # the state of the model that is in the arena
        self.current: Execution | None = None
        self.ahead = False  # what is in the arena has been trained since it was copied back
        self.plans = self._plans_so_far()
        self.seed = _seed_here() if training else 0
        self.programs: dict[bool, Program] = {}
        self.speed = 0.0  # samples per second
        self.known: tuple[Batch | None, Given | None] = (
            None,
            None,
        )  # the last batch, and what goes in for it

    def _plans_so_far(self) -> dict[Any, Execution]:
        """Return the plans of earlier steps, if they are for the same graph and trained weights."""
        key = (id(self.model.graph), tuple(map(id, self.weights)), rule_of(self.setup.optimizer))
        if key not in self.setup.plans:
            self.setup.plans.clear()
            self.setup.plans[key] = {}
        plans: dict[Any, Execution] = self.setup.plans[key]
        return plans

    # ---- whether there is a native way -----------------------------------------------------------

    def why_not(self, training: bool) -> str:
        """Return why no plan can be made, or an empty string."""
        if library() is None:
            return "the native library was not built"
        if untold := self.model.untold():
            return f"a forward of the user's own that its graph does not tell: {untold}"
        if training and not self.weights:
            return "no weight that can be trained"
        tensors = [*self.model.parameters(), *self.model.buffers()]
        floats = [one for one in tensors if one.is_floating_point()]
        if any(one.device.type != "cpu" or one.dtype != torch.float32 for one in floats):
            return "weights that are not float32 on the CPU"
        if len(self.outputs) > 1 or self.setup.loss_weights != [1.0]:
            return "several outputs"
        if self.masks:
            return "masks of sequences"
        if self.penalties or (training and self.limits):
            return "regularizers or constraints"
        if not isinstance(self._head(False, False), Head):
            return f"the loss {self.losses[0].name}"
        update = update_of(self.setup.optimizer) if training else None
        return update if isinstance(update, str) else covered(self._program(training))

    def _program(self, training: bool) -> Program:
        if training not in self.programs:
            self.programs[training] = trace(self.model.graph, training)
        return self.programs[training]

    def _head(self, labels: bool, weighted: bool) -> Head | None:
        """Return the loss in the kernels' words, or None where they have none."""
        loss = self.losses[0]
        undone = self.model.activation_name if self.logits else ""
        output: Symbol = self.model.graph.outputs[0]
        smoothing = getattr(loss, "label_smoothing", 0.0)
        if isinstance(loss, losses.BinaryCrossentropy):
            if not loss.from_logits:
                return None
            return Head("sigmoid_crossentropy", False, undone, smoothing, weighted)
        if getattr(loss, "ignore_class", None) is not None:
            return None
        if isinstance(loss, losses.Entropy):
            if not loss.from_logits or len(output.spec.shape) != 1:
                return None
            kernel = "softmax_crossentropy" if labels else "softmax_crossentropy_dense"
            return Head(kernel, labels, undone, smoothing, weighted)
        plain = {
            losses.MeanSquaredError: "mean_squared_error",
            losses.MeanAbsoluteError: "mean_absolute_error",
        }.get(type(loss))
        return Head(plain, False, weighted=weighted) if plain else None

    # ---- what a Step does ------------------------------------------------------------------------

    def portions(self, batches: Iterable[Batch], several: bool) -> Iterator[Any]:
        """Yield what `train` takes: chunks of arrays if `several` batches may go in one call."""
        data = batches.data if isinstance(batches, Batches) and not batches.source else batches
        if not several or not self._counts() or not isinstance(data, ArrayFeed):
            yield from batches
            return
        arrays, order = data.all(), data.order()
        if isinstance(batches, Batches):
            arrays = batches.weigh(arrays)
        begin = 0
        while begin < data.samples:
            steps = max(1, int(self.speed * CALL_S / data.batch_size)) if self.speed else 8
            end = min(data.samples, begin + steps * data.batch_size)
            yield Chunk(arrays, order[begin:end], data.batch_size)
            begin = end

    def train(self, batch: Any) -> None:
        """Make the steps of a batch or a chunk."""
        began = time.perf_counter()
        if not self._run(batch, training=True):
            self.settle()
            for one in batch.batches():
                super().train(one)
        self.speed = batch.size / (time.perf_counter() - began)

    def test(self, batch: Any) -> None:
        """Add a batch or a chunk to the losses and the metrics."""
        if not self._run(batch, training=False):
            for one in batch.batches():
                super().test(one)

    # ---- a run -----------------------------------------------------------------------------------

    def _counts(self) -> bool:
        """Return whether the metrics are known from the counts that the loss makes."""
        plain, weighted = self.setup.metrics[0], self.setup.weighted_metrics[0]
        loss = self.losses[0]
        softmax = isinstance(loss, losses.Entropy) and loss.activation == "softmax"
        return not weighted and all(type(one) in COUNTED and softmax for one in plain)

    def _run(self, batch: Any, *, training: bool) -> bool:
        arrays = batch.arrays if isinstance(batch, Chunk) else batch
        given = self._sources(arrays)
        if given is None or not (self._counts() or isinstance(batch, Batch)):
            return False
        sources, dtypes, labels, weighted = given
        execution = self._execution(batch, dtypes, labels, weighted, training=training)
        if execution is None:
            return False
        self._enter(execution)
        state = self.setup.state
        first = state["step"] if state and training else 0
        order = batch.order if isinstance(batch, Chunk) else None
        self.ahead = self.ahead or training
        sums = execution.run(
            batch.size,
            sources,
            order=order,
            rates=self._rates(first, batch.steps) if training else None,
            seed=self.seed,
            number=first,
            update=first + 1,
        )
        if training:
            assert state is not None
            state["step"] = first + batch.steps
            if execution.foreign or not isinstance(batch, Chunk):  # it is looked at meanwhile
                self.settle()
        self._add(sums, batch)
        if not self._counts():
            self._judge_outputs(execution, batch)
        return True

    def _execution(
        self, batch: Any, dtypes: tuple[str, ...], labels: bool, weighted: bool, *, training: bool
    ) -> Execution | None:
        """Return the plan for batches like this one, made when it is first needed."""
        size = batch.batch_size if isinstance(batch, Chunk) else batch.size
        fitting = [key for key in self.plans if key[1:] == (dtypes, labels, weighted, training)]
        for key in fitting:
            if key[0] == size or (isinstance(batch, Batch) and key[0] > size):
                return self.plans[key]
        native = library()
        lowered = self.lowered(size, dtypes, labels, weighted, training=training)
        if native is None or lowered is None:
            return None
        self.plans[size, dtypes, labels, weighted, training] = Execution(lowered, native)
        return self.plans[size, dtypes, labels, weighted, training]

    def lowered(
        self, size: int, dtypes: tuple[str, ...], labels: bool, weighted: bool, *, training: bool
    ) -> Lowered | None:
        """Return the plan for batches of this size and kind, or None where there is none."""
        head, native = self._head(labels, weighted), library()
        update = update_of(self.setup.optimizer) if training else None
        if head is None or native is None or isinstance(update, str):
            return None
        return lower(
            self._program(training),
            size,
            dtypes,
            head=head,
            update=update,
            bfloat16=small_products(self.setup.precision, native),
        )

    # ---- what goes in ----------------------------------------------------------------------------

    def _sources(self, batch: Batch) -> Given | None:
        """Return the arrays that a plan gathers from, their dtypes, and what the targets are."""
        if batch is self.known[0]:
            return self.known[1]
        if len(batch.x) != len(self.specs):
            return None
        x = [_array(self._input(index, part)) for index, part in enumerate(batch.x)]
        shape, targets = self.model.graph.outputs[0].spec.shape, batch.y[0].cpu()
        if targets.ndim == len(shape) + 1:
            program = self._program(False)
            targets = program.values[program.outputs[0]].from_user(targets)
        y, labels = _targets(targets, shape, self.losses[0])
        if not labels and isinstance(self.losses[0], losses.SparseCategoricalCrossentropy):
            return None
        if not labels and None not in shape and y.size != len(y) * math.prod(shape):  # type: ignore[arg-type]
            return None
        sources = [*x, np.ascontiguousarray(y)]
        if batch.weight is not None:
            if isinstance(batch.weight, tuple) or batch.weight.ndim != 1:
                return None
            sources.append(_array(batch.weight.float()[:, None]))
        dtypes = tuple(str(one.dtype) for one in x)
        given = (sources, dtypes, labels, batch.weight is not None)
        self.known = (batch, given)
        return given

    def _input(self, index: int, x: Tensor) -> Tensor:
        """Return an input in channels-last order, as bytes or as float32."""
        program = self._program(False)
        x = x.reshape(len(x), *sample_shape(self.specs[index], tuple(x.shape[1:])))
        x = program.values[program.inputs[index]].from_user(x)
        return x if x.dtype in (torch.uint8, torch.float32) else x.float()

    # ---- weights and state, in and out -----------------------------------------------------------

    def _enter(self, execution: Execution) -> None:
        """Bring weights and state into the arena, unless what is there is what the model has."""
        if self.current is execution and self._state() == self.seen:
            return
        self.settle()
        execution.push(self._slots(execution))
        self.current, self.seen = execution, self._state()

    @torch.no_grad()
    def settle(self) -> None:
        """Bring weights and state back into the model, if training has changed them."""
        if self.current is None or not self.ahead:
            return
        self.current.pull(self._slots(self.current))
        self.ahead, self.seen = False, self._state()

    def _slots(self, execution: Execution) -> list[Tensor]:
        """Return the optimizer's tensors, weight by weight."""
        update, state = execution.lowered.update, self.setup.state
        if update is None or state is None:
            return []
        place = {id(weight): index for index, weight in enumerate(self.weights)}
        return [
            state[update.slots[slot]][place[id(weight.tensor)]]
            for weight in execution.lowered.weights
            for slot, _ in enumerate(weight.slots)
        ]

    @cached_property
    def _contents(self) -> Contents:
        native = library()
        assert native is not None
        return Contents([*self.model.parameters(), *self.model.buffers()], native)

    def _state(self) -> tuple[Any, ...]:
        """Return what is another one when the model, or what the optimizer keeps, has changed."""
        state = self.setup.state or {}
        slots = [one for kept in state.values() if isinstance(kept, list) for one in kept]
        return self._contents.state(), *((id(one), one._version) for one in slots)

    def _rates(self, first: int, steps: int) -> NDArray[np.float64]:
        """Return the learning rates of the steps to come."""
        optimizer = self.setup.optimizer
        schedule = schedules.get(optimizer.learning_rate)
        if not isinstance(schedule, schedules.Schedule):  # a function of the user's is looked at
            return np.array([optimizer.rate({"step": first + step}) for step in range(steps)])
        return np.fromiter(map(schedule, range(first, first + steps)), np.float64, steps)

    # ---- what comes out --------------------------------------------------------------------------

    def _add(self, sums: NDArray[np.float64], batch: Any) -> None:
        """Add loss and correct answers to the sums since the last reset."""
        loss, correct = (float(number) for number in sums)
        self.total += loss
        self.parts[0] += loss
        self.samples += batch.size
        if self._counts():
            for metric in self.setup.metrics[0]:
                metric.count(correct, batch.size)

    def _judge_outputs(self, execution: Execution, batch: Batch) -> None:
        """Show the outputs of a batch to metrics that need more than counts."""
        lowered = execution.lowered
        y = execution.tensor(lowered.images[lowered.output])[: batch.size]
        shape = lowered.program.values[lowered.output].shape
        y = y.reshape(batch.size, *(size or 1 for size in shape))
        last = lowered.program.values[lowered.program.outputs[0]]  # logits have its layout
        self._judge(0, batch.y[0], last.to_user(y), batch.weight_of(0))


def _seed_here() -> int:
    """Return a seed that follows from where torch's generator is, without a draw from it."""
    state = torch.get_rng_state().numpy().tobytes()
    return int.from_bytes(hashlib.blake2b(state, digest_size=8).digest(), "little")


def _array(x: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(x.detach().cpu().numpy())


def _targets(y: Tensor, shape: Shape, loss: Any) -> tuple[NDArray[Any], bool]:
    """Return targets as a plan takes them, and whether they are class numbers.

    For an entropy of classes, one-hot rows become numbers, which are faster and mean the same,
    unless it takes numbers alone.
    """
    classes = shape[-1] or 0
    own = (losses.BinaryCrossentropy, losses.SparseCategoricalCrossentropy)
    each = isinstance(loss, own) and y.ndim == 2 and y.shape[1] == classes
    if isinstance(loss, losses.Entropy) and len(shape) == 1 and classes > 1 and not each:
        if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
            return y.reshape(-1).to(torch.int32).numpy(), True
        one_hot = bool(((y == 0) | (y == 1)).all()) and bool((y.sum(1) == 1).all())
        if y.ndim == 2 and one_hot:
            return y.argmax(1).to(torch.int32).numpy(), True
    return y.to(torch.float32).numpy().reshape(len(y), -1), False
