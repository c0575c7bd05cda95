"""Training by a script's own `train_step`, by code that adds to the loss, or by the engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ...data.feed import endless, feed
from ...engine import hooks as moments, loop
from ...engine.batches import Batches, due, parts, prepare
from ...engine.native import batch_step
from ...engine.setup import setup_of
from ...engine.step import Step
from ...metrics import Mean, get
from ...model import Model
from ..symbolic import tensor
from .beside import flatten
from .changing import changes
from .judging import Judging
from .keyed import in_order, keyed, targets as ordered_targets
from .losses import Own
from .losses_reduced import Reduced
from .metrics import Metric, metric_classes
from .twin import penalised

ALL = 2**31


def own_step(model: Any, name: str) -> bool:
    """Return whether a script has written this step itself."""
    own = getattr(type(model), name, None)
    return own is not None and getattr(own, "__module__", "").partition(".")[0] != "striate"


def adds(model: Any) -> bool:
    """Return whether layers add to the loss, or change their weights, where they are called."""
    if model.twin is None and penalised(model.session, model):
        return True
    if any(changes(part) for part in model.modules() if hasattr(type(part), "changes_weights")):
        return True
    return model.session.adds_loss and any(hasattr(part, "added") for part in model.modules())


def fit_with(
    model: Any, x: Any, y: Any, epochs: int, hooks: list[Any], words: dict[str, Any]
) -> None:
    """Train by the engine, or step by step in Python where the script's own code must run."""
    tested = own_step(model, "test_step") and (
        words.get("validation_data") is not None or words.get("validation_split")
    )
    own = own_step(model, "train_step") or own_step(model, "compute_loss")
    if own or tested or adds(model):
        fit_steps(model, x, y, epochs, hooks, words)
        return
    target = model._trained
    if model.twin:
        x, y = model.twin.data(x, y)
        valid = words.get("validation_data")
        if isinstance(valid, tuple):
            given, labels = model.twin.data(valid[0], valid[1] if len(valid) > 1 else None)
            words["validation_data"] = (given, labels)
        elif valid is not None:
            words["validation_data"] = model.twin.data(valid, None)[0]
    target.stop_training = model.stop_training = False
    with in_order(model):
        loop.fit(target, x, y, epochs=epochs, verbose=0, callbacks=hooks, **words)


def evaluate_with(model: Any, x: Any, y: Any, size: Any, weight: Any, steps: Any) -> Any:
    """Return the loss and the metrics by name."""
    if own_step(model, "test_step") or own_step(model, "compute_loss") or adds(model):
        return test_steps(model, _prepare(model, x, y, weight, size or 32), steps)
    if model.twin:
        x, y = model.twin.data(x, y)
    if any(isinstance(loss, (Own, Reduced)) for loss in model._trained.setup.losses):
        size = size or 32  # of what a script's own loss may depend on
    with in_order(model):
        return loop.evaluate(model._trained, x, y, batch_size=size, verbose=0,
                             sample_weight=weight, steps=steps, return_dict=True)  # fmt: skip


def on_batch(model: Any, x: Any, y: Any, weight: Any, *, train: bool) -> dict[str, float]:
    """Make a step on one batch, or judge it; return the numbers by name."""
    if own_step(model, "train_step" if train else "test_step") or adds(model):
        for metric in model.metrics:
            metric.reset_state()
        (batch,) = _prepare(model, x, y, weight, ALL)
        return _numbers((model.train_step if train else model.test_step)(_given(batch, model)))
    if model.twin:
        x, y = model.twin.data(x, y)
    target = model._trained
    several, weight = (weight, None) if isinstance(weight, list) else ([], weight)
    data = prepare(target, x, y, weight, ALL)
    setup, mode = setup_of(target, training=train), target.training
    if several:
        step = Step(target, setup, training=train)
        step.losses = [_weighed(*pair) for pair in zip(step.losses, several, strict=True)]
    else:
        step = batch_step(target, setup, training=train)
    try:
        with in_order(model):
            for batch in Batches(target, data) if train else data:
                (step.train if train else step.test)(batch)
    finally:
        target.train(mode)
    return step.logs()


def _weighed(loss: Any, weight: Any) -> Callable[..., Tensor]:
    """Return the loss of one output with weights of its own."""
    own = None if weight is None else tensor(weight).float()
    return lambda y_true, y_pred, _: loss(y_true, y_pred, own)


def fit_steps(
    model: Any, x: Any, y: Any, epochs: int, hooks: list[Any], words: dict[str, Any]
) -> None:
    """Train with `train_step`, batch by batch."""
    size = words["batch_size"]
    data = _prepare(model, x, y, words.get("sample_weight"), size, words["shuffle"])
    split, given = words.get("validation_split", 0.0), words.get("validation_data")
    valid_size = words.get("validation_batch_size") or size
    if model.built:
        data, valid = parts(model, data, split, given, valid_size)
    else:
        several = given if isinstance(given, tuple) else (given,)
        valid = None if given is None else feed(*several, batch_size=valid_size)
        data, valid = data.split(split) if split else (data, valid)
    steps, classes = words.get("steps_per_epoch"), words.get("class_weight")
    batches = Batches(model, data, steps, classes) if model.built else Plain(data, steps)
    params = {
        "epochs": epochs,
        "steps": batches.steps,
        "verbose": 0,
        "validates": valid is not None,
    }
    hooks = moments.ready(hooks, model, params)
    model.stop_training, mode = False, model.training
    stopped = moments.tell(hooks, "on_train_begin", {})
    for epoch in range(words.get("initial_epoch", 0), epochs):
        if stopped or model.stop_training:
            break
        moments.tell(hooks, "on_epoch_begin", epoch, {})
        for metric in model.metrics:
            metric.reset_state()
        logs: dict[str, float] = {}
        for number, batch in enumerate(batches):
            moments.tell(hooks, "on_train_batch_begin", number, {})
            logs = _numbers(model.train_step(_given(batch, model)))
            moments.tell(hooks, "on_train_batch_end", number, {})
        if valid is not None and due(epoch, words.get("validation_freq", 1)):
            tested = test_steps(model, valid, words.get("validation_steps"))
            logs |= {f"val_{name}": value for name, value in tested.items()}
        stopped = moments.tell(hooks, "on_epoch_end", epoch, logs) or stopped
    model.train(mode)
    moments.tell(hooks, "on_train_end", {})


def _prepare(model: Any, x: Any, y: Any, weight: Any, size: int, shuffle: bool = False) -> Any:
    """Return batches; a model that has no `call` is never built: its steps use parts of it."""
    steps = own_step(model, "train_step")  # which may take what is no input of the model
    if model.built or (getattr(model, "own", True) and not steps) or not isinstance(model, Model):
        return prepare(model, x, y, weight, size, shuffle)
    return feed(x, y, weight, batch_size=size, shuffle=shuffle)


class Plain:
    """Passes over batches for a model of which nothing is known."""

    def __init__(self, data: Any, steps: int | None) -> None:
        self.source = endless(data) if steps else None
        self.data, self.steps = data, steps or len(data)

    def __iter__(self) -> Any:
        return itertools.islice(self.source, self.steps) if self.source else iter(self.data)


def test_steps(model: Any, data: Any, steps: Any) -> dict[str, float]:
    """Return the numbers of `test_step` over batches."""
    for metric in model.metrics:
        metric.reset_state()
    logs: dict[str, float] = {}
    judging = Judging(model.session.listeners, lambda: logs)
    for number, batch in enumerate(itertools.islice(data, steps)):
        judging.before(number)
        logs = _numbers(model.test_step(_given(batch, model)))
        judging.after(number)
    judging.end()
    return logs


def _given(batch: Any, model: Any) -> Any:
    """Return a batch as `train_step` takes it: inputs alone, or (x, y), or (x, y, weight)."""
    taken = keyed(model, batch.x)
    x = taken[0] if len(taken) == 1 else list(taken)
    x = x.float() if isinstance(x, Tensor) and x.dtype == torch.float64 else x
    if not batch.y:
        return x
    y = batch.y[0] if len(batch.y) == 1 else list(batch.y)
    return (x, y) if batch.weight is None else (x, y, batch.weight)


def _numbers(logs: Any) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}


def _rows(x: Any) -> Any:
    """Return how many samples a batch has, 1 where it cannot be seen."""
    first = next((one for one in flatten(x) if isinstance(one, Tensor) and one.dim()), None)
    return torch.tensor(1.0 if first is None else float(len(first)))


class Steps:
    """`train_step` and what scripts call in their own: mixed into the models of the dialect."""

    def train_step(self: Any, data: Any) -> dict[str, Any]:
        """Make one step of the optimizer."""
        x, y, weight = unpacked(data)
        with torch.enable_grad():
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight)
        self.follow(loss, x)
        weights = self.trainable_weights
        if weights:
            grads = torch.autograd.grad(loss, weights, allow_unused=True)
            self.optimizer.apply_gradients(zip(grads, weights, strict=True))
        return self.compute_metrics(x, y, y_pred, weight)

    def test_step(self: Any, data: Any) -> dict[str, Any]:
        """Judge one batch."""
        x, y, weight = unpacked(data)
        with torch.no_grad():
            y_pred = self(x, training=False)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight)
        self.follow(loss, x)
        return self.compute_metrics(x, y, y_pred, weight)

    def predict_step(self: Any, data: Any) -> Any:
        """Return the outputs."""
        return self(unpacked(data)[0], training=False)

    def compute_loss(self: Any, x: Any = None, y: Any = None, y_pred: Any = None,
                     sample_weight: Any = None, **words: Any) -> Any:  # fmt: skip
        """Return the compiled loss, with what layers add."""
        loss: Any = sum(self.losses, torch.zeros(()))
        if self.setup.losses:
            setup_of(self)
            y_pred, y = ordered_targets(self, y_pred), ordered_targets(self, y)
            several = list(y_pred) if isinstance(y_pred, (list, tuple)) else [y_pred]
            true = list(y) if isinstance(y, (list, tuple)) else [y]
            shares = self.setup.loss_weights
            for one, label, out, share in zip(
                self.setup.losses, true, several, shares, strict=True
            ):
                loss = loss + share * one(label, out, sample_weight)
        if not self._late:
            self._loss_tracker.update_state(loss.detach(), _rows(y_pred))
        return loss

    @property
    def _late(self: Any) -> bool:
        """Whether the loss is followed by the step, not where it is computed."""
        return self.session.version.name == "keras3" or own_step(self, "compute_loss")

    def follow(self: Any, loss: Any, x: Any = None) -> None:
        """Take a loss into the mean, as often as the batch has samples, where the step does."""
        if self._late:
            self._loss_tracker.update_state(loss.detach(), _rows(x))

    def compiled_loss(self: Any, y: Any, y_pred: Any, sample_weight: Any = None,
                      regularization_losses: Any = None) -> Any:  # fmt: skip
        """Return the compiled loss, as TensorFlow 2's own steps call it."""
        loss = self.compute_loss(None, y, y_pred, sample_weight)
        self.follow(loss, y_pred)
        return loss

    def compute_metrics(self: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Take a batch into the metrics; return all of them by name."""
        self.compiled_metrics.update_state(y, y_pred, sample_weight)
        return {metric.name: metric.result() for metric in self.metrics}

    @property
    def compiled_metrics(self: Any) -> Any:
        """What `self.compiled_metrics.update_state(y, y_pred)` is called on."""
        return Together(self)

    def compiled(self: Any, y_pred: Any = None) -> list[Any]:
        """Return the metrics of compile; where it has no loss, from the first batch on."""
        if self.setup is None:
            return []
        if self.setup.losses and self.built:
            self.setup.prepare(self)
        elif not self.setup.ready:
            if not isinstance(y_pred, Tensor):
                return []
            shape = tuple(y_pred.shape[1:])
            several = [[get(one, None, shape) for one in some] for some in self.setup.metrics]
            self.setup.metrics, self.setup.ready = several, True
        return [metric for several in self.setup.metrics for metric in several]

    @property
    def metrics(self: Any) -> list[Any]:
        """The loss, the metrics of compile, and those that the script holds itself."""
        tracker = self._loss_tracker
        held = [one for one in vars(self).values() if isinstance(one, Metric)]
        own = [one for one in held if one is not tracker]
        unseen = self.session.version.name == "tf" and own_step(self, "train_step")
        loss = [] if unseen and tracker.native == Mean(tracker.name) else [tracker]
        means = [one for part in self.modules() for one in vars(part).get("means", {}).values()]
        return [*loss, *map(Faced, self.compiled()), *own, *means]

    @property
    def _loss_tracker(self: Any) -> Any:
        """The mean of the loss."""
        if vars(self).get("loss_mean") is None:
            object.__setattr__(self, "loss_mean", metric_classes()["Mean"](name="loss"))
        return vars(self)["loss_mean"]


class Together:
    """The metrics of compile as one."""

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def metrics(self) -> list[Any]:
        """The metrics of compile."""
        return [Faced(metric) for metric in self.model.compiled()]

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        for metric in self.model.compiled(y_pred):
            metric.update(y, y_pred.detach())


class Faced:
    """A native metric with the words of a script's."""

    def __init__(self, metric: Any) -> None:
        self.metric, self.name = metric, metric.name

    def update_state(self, *args: Any, **words: Any) -> None:
        """Take a batch in."""
        self.metric.update(*(tensor(arg).detach() for arg in args))

    def result(self) -> Any:
        """Return the value."""
        return self.metric.compute()

    def reset_state(self) -> None:
        """Forget all batches."""
        self.metric.reset()

    reset_states = reset_state


def unpacked(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and weight of what a step is given."""
    given = data if isinstance(data, tuple) else (data,)
    x, y, weight = (*given, None, None)[:3]
    return x, y, weight
