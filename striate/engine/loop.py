"""The loop: fit, evaluate and predict, each in one screen; a model has them as methods."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..data import check, image
from ..data.feed import Batch, Feed
from ..errors import DataError
from . import advice, hooks as moments
from .batches import Batches, as_batch, checked, due, parts, prepare, resident
from .clock import Clock
from .hooks import History
from .native import batch_step, make_step
from .predictor import Outputs
from .progress import Silence, reporter, say
from .setup import setup_of
from .step import Step

if TYPE_CHECKING:
    from ..model import Model

ALL = 2**31  # more samples than any batch has
INTERRUPTED = "interrupted"  # why training ended, if by Ctrl-C


def fit(
    model: Model,
    x: Any = None,
    y: Any = None,
    *,
    batch_size: int | None = None,
    epochs: int = 1,
    verbose: int | str = "auto",
    callbacks: Sequence[Any] | None = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: bool = True,
    class_weight: dict[int, float] | None = None,
    sample_weight: Any = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    validation_freq: int | Collection[int] = 1,
) -> History:
    """Train the model; return the numbers of each epoch.

    `x`, `y`: arrays or tensors (uint8 images stay uint8 until the step), lists of them or
    dictionaries by the names of inputs and outputs, a torch Dataset or DataLoader, or an iterable
    of (x, y) or (x, y, weight). `batch_size`: 32 if not given. `validation_split`: the last
    fraction of the arrays, taken before shuffling, as in Keras. `validation_data`: (x, y),
    (x, y, weight), a Dataset, DataLoader or iterable; it goes before `validation_split`.
    `validation_batch_size`: `batch_size` if not given. `validation_freq`: after each so many
    epochs, or the numbers of the epochs, counted from 1.
    `class_weight`: weight by class number. `steps_per_epoch`: each epoch goes on where the one
    before ended. `verbose`: 0 nothing, 1 a bar, 2 a line for each epoch. The data are checked
    before the first step. Ctrl-C ends training with the weights and the history so far.

    Raises: TrainingError if the model has no loss; DataError and ShapeError for data that do not
    fit it.
    """
    check.settings(
        "fit",
        batch_size=batch_size,
        epochs=epochs,
        validation_split=validation_split,
        initial_epoch=initial_epoch,
        steps_per_epoch=steps_per_epoch,
        validation_steps=validation_steps,
        validation_batch_size=validation_batch_size,
        **({} if isinstance(validation_freq, Collection) else {"validation_freq": validation_freq}),
    )
    data = prepare(model, x, y, sample_weight, batch_size or 32, shuffle)
    valid_size = validation_batch_size or batch_size or 32
    data, valid = parts(model, data, validation_split, validation_data, valid_size)
    step = make_step(model, setup_of(model), training=True)
    data = checked(model, step, data)
    valid = None if valid is None else checked(model, step, valid, "validation ")
    batches = Batches(model, resident(data, step), steps_per_epoch, class_weight)
    tests = None if valid is None else resident(valid, step)
    show = reporter(verbose, epochs)
    if verbose:
        advice.before(model, step.setup, data, valid)
    history = History()
    params = {"epochs": epochs, "steps": batches.steps, "verbose": verbose}
    hooks = [*moments.ready(callbacks, model, {**params, "validates": valid is not None}), history]
    model.stop_training = False
    mode = model.training
    clock = Clock()
    history.spent = clock.spent
    stopped = moments.tell(hooks, "on_train_begin", {})
    try:
        for epoch in range(initial_epoch, epochs):
            if stopped or model.stop_training:
                break
            moments.tell(hooks, "on_epoch_begin", epoch, {})
            show.begin(epoch, batches.steps)
            clock.lap("hooks")
            stopped = _epoch(step, batches, hooks, show, clock)
            logs, samples, rate = step.logs(), step.samples, moments.current_rate(model)
            if tests is not None and due(epoch, validation_freq):
                numbers = _test(step, tests, validation_steps)
                logs |= {f"val_{name}": value for name, value in numbers.items()}
            clock.lap("validation")
            show.end(samples, {**logs, "lr": rate})
            stopped = moments.tell(hooks, "on_epoch_end", epoch, logs) or stopped
            clock.lap("hooks")
            if not stopped and not math.isfinite(logs["loss"]):
                stopped = advice.not_a_number(model.named_parameters(), logs["loss"], epoch)
    except KeyboardInterrupt:
        stopped = INTERRUPTED
        say("stopped by Ctrl-C; the weights and the history so far are kept")
    finally:
        show.close()
        model.train(mode)
    if step.setup.state is not None:
        step.setup.optimizer.finalize(step.weights, step.setup.state)
    moments.tell(hooks, "on_train_end", {})
    history.stopped = stopped
    if verbose and stopped and stopped != INTERRUPTED:
        say(f"stopped: {stopped}")
    if verbose and not stopped:
        advice.after(model, step.setup, data, history.history)
    return history


def evaluate(
    model: Model,
    x: Any = None,
    y: Any = None,
    *,
    batch_size: int | None = None,
    verbose: int | str = "auto",
    sample_weight: Any = None,
    steps: int | None = None,
    return_dict: bool = False,
) -> Any:
    """Return the loss, or [loss, metric, ...], or with `return_dict` all of them by name.

    Takes the data that `fit` takes. Dropout and augmentation are off; the weights do not change.
    """
    check.settings("evaluate", batch_size=batch_size, steps=steps)
    data = prepare(model, x, y, sample_weight, batch_size or 256)
    step, mode = make_step(model, setup_of(model, training=False)), model.training
    data = checked(model, step, data)
    advice.compare(step.setup, data)
    show = reporter(2 if verbose else 0, 0, "evaluate")
    show.begin(0, 0)
    try:
        logs = _test(step, data, steps)
    finally:
        model.train(mode)
    show.end(step.samples, logs)
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def predict(
    model: Model,
    x: Any,
    *,
    batch_size: int | None = None,
    verbose: int | str = 0,
    steps: int | None = None,
) -> Any:
    """Return the outputs for every sample as a NumPy array, or a list of them.

    `x`: what `fit` takes, or an image: a path or a PIL image, or a list of them, brought to the
    model's size and channels. One sample without the batch axis is taken as a batch of one.
    """
    check.settings("predict", batch_size=batch_size, steps=steps)
    if image.is_image(x):
        x = image.load(x, model.graph.inputs[0].spec)
    data = prepare(model, as_batch(x, model), None, None, batch_size or 256)
    advice.compare(model.setup, data)
    show = reporter(2 if verbose and verbose != "auto" else 0, 0, "predict")
    show.begin(0, 0)
    out = [_outputs(model, batch) for batch in islice(data, steps)]
    if not out:
        raise DataError("x", "holds no samples", need="at least one")
    joined = [np.concatenate(part) for part in zip(*out, strict=True)]
    show.end(len(joined[0]), {})
    return joined[0] if len(joined) == 1 else joined


def train_on_batch(model: Model, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Make one step on one batch; return the loss, or [loss, metric, ...]."""
    return _on_batch(model, x, y, sample_weight, train=True)


def test_on_batch(
    model: Model,
    x: Any,
    y: Any = None,  # noqa: PT028  a verb of models, no test
    sample_weight: Any = None,  # noqa: PT028
) -> Any:
    """Return the loss, or [loss, metric, ...], of one batch."""
    return _on_batch(model, x, y, sample_weight, train=False)


def predict_on_batch(model: Model, x: Any) -> Any:
    """Return the outputs for one batch."""
    if isinstance(x, np.ndarray) and model.built and len(x):
        out = _native_outputs(model, [x])
        if out is not None:
            return out[0] if len(out) == 1 else list(out)
    return predict(model, x, batch_size=ALL)


def _epoch(
    step: Step, batches: Iterable[Batch], hooks: Sequence[Any], show: Silence, clock: Clock
) -> str:
    """Train on each batch; return why training shall stop, or an empty string."""
    step.reset()
    stopped, done = "", 0
    try:
        for batch in step.portions(batches, several=not moments.watch_batches(hooks)):
            clock.lap("data")
            moments.tell(hooks, "on_train_batch_begin", done, {})
            clock.lap("hooks")
            step.train(batch)
            clock.lap("steps")
            done += batch.steps
            stopped = moments.tell(hooks, "on_train_batch_end", done - 1, {})
            if show.wants():
                logs = {**step.logs(), "lr": moments.current_rate(step.model)}
                show.step(done, step.samples, logs)
            moments.tell_steps(hooks, step, done)
            clock.lap("hooks")
            if stopped:
                break
    finally:
        step.settle()
        clock.lap("steps")
    _expect_samples(step)
    moments.tell_steps(hooks, step, done, last=True)
    clock.lap("hooks")
    return stopped


def _test(step: Step, data: Feed, steps: int | None = None) -> dict[str, float]:
    step.reset()
    for batch in step.portions(islice(data, steps) if steps else data, several=True):
        step.test(batch)
    _expect_samples(step)
    return step.logs()


def _expect_samples(step: Step) -> None:
    if not step.samples:
        raise DataError(
            "x",
            "gave no batch",
            need="at least one in each epoch; a generator is used up after one pass",
            fix="an iterable that can be gone through again, or steps_per_epoch and a generator "
            "without an end",
        )


def _on_batch(model: Model, x: Any, y: Any, weight: Any, *, train: bool) -> Any:
    data = prepare(model, x, y, weight, ALL)
    step = batch_step(model, setup_of(model, training=train), training=train)
    mode = model.training
    data = checked(model, step, data)
    try:
        for batch in Batches(model, data) if train else data:
            (step.train if train else step.test)(batch)
    finally:
        model.train(mode)
    values = list(step.logs().values())
    return values[0] if len(values) == 1 else values


def _native_outputs(model: Model, x: Sequence[NDArray[Any]]) -> Outputs | None:
    """Return the outputs for a batch of the model's own form, or None where torch must do it."""
    if model.setup is not None and model.setup.engine == "torch":
        return None
    return model.predictor(x)


def _outputs(model: Model, batch: Batch) -> tuple[NDArray[Any], ...]:
    native = _native_outputs(model, [part.numpy() for part in batch.x if part.device.type == "cpu"])
    if native is not None:
        return native
    device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
    mode = model.training
    model.eval()
    try:
        with torch.no_grad():
            out = model(*(part.to(device) for part in batch.x))
    finally:
        model.train(mode)
    return tuple(part.cpu().numpy() for part in (out if isinstance(out, tuple) else (out,)))
