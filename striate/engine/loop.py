"""The loop: fit, evaluate and predict, each in one screen; a model has them as methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.spec import Spec
from ..data import check, image
from ..data.feed import ArrayFeed, Batch, Feed, feed
from ..data.fit import check_batch
from ..errors import DataError
from . import hooks as moments
from .hooks import History
from .progress import reporter, say
from .setup import setup_of
from .step import Step

if TYPE_CHECKING:
    from ..model import Model


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
    validation_freq: int = 1,
) -> History:
    """Train the model; return the numbers of each epoch.

    `x`, `y`: arrays or tensors (uint8 images stay uint8 until the step), a torch Dataset or DataLoader,
    or an iterable of (x, y) or (x, y, weight). `batch_size`: 32 if not given. `validation_split`: the
    last fraction of the arrays, taken before shuffling, as in Keras. `validation_data`: (x, y), (x, y,
    weight), a Dataset, DataLoader or iterable. `class_weight`: weight by class number. `verbose`: 0
    nothing, 1 a bar, 2 a line for each epoch. The data are checked before the first step. Ctrl-C ends
    training after the step, with the weights and the history so far.

    Raises: TrainingError if the model has no loss, DataError and ShapeError for data that do not fit it.
    """
    check.settings(batch_size, epochs, validation_split, steps_per_epoch)
    train = feed(x, y, sample_weight, batch_size=batch_size or 32, shuffle=shuffle)
    train = _prepare(model, train)
    valid = _validation(train, validation_split, validation_data, batch_size or 32)
    if isinstance(train, ArrayFeed) and validation_split:
        train, valid = train.split(validation_split)
    setup = setup_of(model)
    step = Step(model, setup)
    for part, name in ((train, ""), (valid, "validation ")):
        if isinstance(part, ArrayFeed):
            check.arrays(model, setup, part, name)
    weigh = check.class_weights(class_weight, model)
    steps = steps_per_epoch or len(train)
    params = {"epochs": epochs, "steps": steps, "verbose": verbose}
    history = History()
    hooks = [*moments.ready(callbacks, model, params), history]
    show = reporter(verbose, epochs)
    batches = iter(train)
    model.stop_training = False
    stopped = moments.tell(hooks, "on_train_begin", {})
    mode = model.training
    try:
        for epoch in range(initial_epoch, epochs):
            moments.tell(hooks, "on_epoch_begin", epoch, {})
            step.reset()
            show.begin(epoch, steps)
            done = 0
            if not steps_per_epoch:
                batches = iter(train)
            while (not steps_per_epoch or done < steps_per_epoch) and not stopped:
                batch = next(batches, None)
                if batch is None:
                    if not steps_per_epoch or not done:
                        break
                    batches = iter(train)
                    continue
                moments.tell(hooks, "on_train_batch_begin", done, {})
                step.train(weigh(batch))
                done += 1
                stopped = moments.tell(hooks, "on_train_batch_end", done - 1, {})
                if show.wants():
                    show.step(done, step.samples, step.logs())
            if not done and not stopped:
                raise DataError(
                    "x", "gave no batch", need="at least one", fix="an iterable that can be restarted"
                )
            logs, samples = step.logs(), step.samples
            logs["lr"] = moments.current_rate(model)
            if valid is not None and (epoch + 1) % validation_freq == 0:
                numbers = _test(step, valid, validation_steps)
                logs |= {f"val_{name}": value for name, value in numbers.items()}
            show.end(samples, logs)
            del logs["lr"]
            stopped = moments.tell(hooks, "on_epoch_end", epoch, logs) or stopped
            if not math.isfinite(logs["loss"]):
                stopped = stopped or check.not_a_number(model, logs["loss"], epoch)
            if stopped or model.stop_training:
                break
    except KeyboardInterrupt:
        stopped = "interrupted"
        say("stopped by Ctrl-C; the weights and the history so far are kept")
    finally:
        model.train(mode)
    if setup.state is not None:
        setup.optimizer.finalize(step.weights, setup.state)
    moments.tell(hooks, "on_train_end", {})
    history.stopped = stopped
    if stopped and stopped != "interrupted":
        say(f"stopped: {stopped}")
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
    check.settings(batch_size, 1, 0.0, steps)
    data = _prepare(model, feed(x, y, sample_weight, batch_size=batch_size or 256))
    setup = setup_of(model, training=False)
    if isinstance(data, ArrayFeed):
        check.arrays(model, setup, data, "")
    step, mode = Step(model, setup), model.training
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
    """Return the outputs for every sample as a NumPy array (a list of them where there are several).

    `x`: what `fit` takes, or an image: a path or a PIL image, or a list of them, brought to the model's
    size and channels. One sample without the batch axis is taken as a batch of one.
    """
    check.settings(batch_size, 1, 0.0, steps)
    if image.is_image(x):
        x = image.load(x, model.graph.inputs[0].spec)
    x = _as_batch(x, model)
    out: list[tuple[NDArray[Any], ...]] = []
    mode = model.training
    model.eval()
    show = reporter(2 if verbose and verbose != "auto" else 0, 0, "predict")
    show.begin(0, 0)
    samples = 0
    try:
        with torch.no_grad():
            for number, batch in enumerate(_prepare(model, feed(x, batch_size=batch_size or 256))):
                if number == steps:
                    break
                several = _outputs(model, batch)
                out.append(tuple(part.cpu().numpy() for part in several))
                samples += batch.size
    finally:
        model.train(mode)
    show.end(samples, {})
    if not out:
        raise DataError("x", "holds no samples", need="at least one")
    joined = [np.concatenate(parts) for parts in zip(*out, strict=True)]
    return joined[0] if len(joined) == 1 else joined


def train_on_batch(model: Model, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Make one step on one batch; return the loss, or [loss, metric, ...]."""
    return _on_batch(model, x, y, sample_weight, train=True)


def test_on_batch(model: Model, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return the loss, or [loss, metric, ...], of one batch."""
    return _on_batch(model, x, y, sample_weight, train=False)


def predict_on_batch(model: Model, x: Any) -> Any:
    """Return the outputs for one batch."""
    return predict(model, x, batch_size=2**31)


def find_lr(
    model: Model,
    x: Any,
    y: Any = None,
    *,
    batch_size: int = 64,
    steps: int = 100,
    lowest: float = 1e-6,
    highest: float = 1.0,
) -> dict[str, Any]:
    """Try learning rates from `lowest` to `highest`, one a step; return {"suggestion", "lr", "loss"}.

    The suggestion is the rate at which the smoothed loss falls fastest. The weights and the optimizer's
    state are those of before.

    Source: L. Smith, Cyclical Learning Rates for Training Neural Networks, 2017.
    """
    data = _prepare(model, feed(x, y, batch_size=batch_size, shuffle=True))
    setup = setup_of(model)
    step, state, optimizer = Step(model, setup), setup.state, setup.optimizer
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    mode, rates, losses, smooth = model.training, [], [], 0.0
    setup.state = optimizer.init(step.weights)
    try:
        for number in range(steps):
            rate = lowest * (highest / lowest) ** (number / max(steps - 1, 1))
            moments.set_rate(model, rate)
            if number % max(len(data), 1) == 0:
                batches = iter(data)
            step.reset()
            step.train(next(batches))
            smooth = 0.9 * smooth + 0.1 * step.logs()["loss"]
            value = smooth / (1 - 0.9 ** (number + 1))
            if not math.isfinite(value) or (losses and value > 4 * min(losses)):
                break
            rates.append(rate)
            losses.append(value)
    finally:
        setup.state, setup.optimizer = state, optimizer
        model.load_state_dict(weights)
        model.train(mode)
    slope = np.gradient(losses, np.log(rates)) if len(losses) > 2 else np.zeros(1)
    best = rates[int(np.argmin(slope))] if rates else lowest
    return {"suggestion": best, "lr": rates, "loss": losses}


def _on_batch(model: Model, x: Any, y: Any, weight: Any, *, train: bool) -> Any:
    data = _prepare(model, feed(x, y, weight, batch_size=2**31))
    setup = setup_of(model)
    step, mode = Step(model, setup), model.training
    step.reset()
    for batch in data:
        (step.train if train else step.test)(batch)
    model.train(mode)
    values = list(step.logs().values())
    return values[0] if len(values) == 1 else values


def _test(step: Step, data: Feed, steps: int | None = None) -> dict[str, float]:
    step.reset()
    for number, batch in enumerate(data):
        if number == steps:
            break
        step.test(batch)
    if not step.samples:
        raise DataError("x", "holds no samples", need="at least one")
    return step.logs()


def _outputs(model: Model, batch: Batch) -> tuple[torch.Tensor, ...]:
    specs = tuple(symbol.spec for symbol in model.graph.inputs)
    out = model(*check_batch(model.where, specs, batch.x))
    return out if isinstance(out, tuple) else (out,)


def _prepare(model: Model, data: Feed) -> Feed:
    """Build the model from the first batch, if its shapes are not known yet."""
    if not model.built:
        first = next(iter(data), None)
        if first is None:
            raise DataError("x", "holds no samples", need="at least one")
        model.ensure_built(
            tuple(Spec(tuple(x.shape[1:])) for x in first.x)
        )  # float32 inputs: the step casts
    return data


def _validation(train: Feed, split: float, given: Any, batch_size: int) -> Feed | None:
    if split and not isinstance(train, ArrayFeed):
        raise DataError(
            "validation_split",
            "can only be taken from arrays",
            got=f"validation_split={split}, batches from an iterable",
            fix="validation_data=(x, y)",
        )
    if given is None:
        return None
    if isinstance(given, (tuple, list)):
        return feed(*given, batch_size=batch_size)
    return feed(given, batch_size=batch_size)


def _as_batch(x: Any, model: Model) -> Any:
    if not model.built or not isinstance(x, (np.ndarray, torch.Tensor)):
        return x
    spec = model.graph.inputs[0].spec
    return x[None] if x.ndim == len(spec.shape) and _is_sample(x.shape, spec) else x


def _is_sample(shape: Sequence[int], spec: Spec) -> bool:
    return all(wanted in (None, size) for wanted, size in zip(spec.shape, shape, strict=True))

