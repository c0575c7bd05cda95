"""Trainer of ReNom: the loop, with events that a script may listen to and replace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine.progress import say
from ...errors import unknown
from .node import Node
from .optimizers import Sgd

EVENTS = ("start", "start_epoch", "forward", "loss", "backward", "grad", "updated", "end_epoch",
          "initialize")  # fmt: skip
Listener = Callable[..., Any]


class Outputs(np.ndarray[Any, Any]):
    """An array that may be asked for itself, as the first trainers' outputs were."""

    def as_ndarray(self) -> Any:
        """Return a plain array."""
        return np.asarray(self)

    def __repr__(self) -> str:
        """Return what a plain array is written as."""
        return repr(np.asarray(self))


class Events:
    """Listeners by event: `@trainer.events.end_epoch`, or an attribute that is set.

    Raises: ConfigError for an event that there is not.
    """

    listeners: dict[str, Listener]

    def __init__(self, given: dict[str, Listener] | None = None) -> None:
        vars(self)["listeners"] = dict(given or {})

    def __getattr__(self, name: str) -> Callable[[Listener], Listener]:
        if name.startswith("__"):
            raise AttributeError(name)
        _expect(name)

        def register(listener: Listener) -> Listener:
            self.listeners[name] = listener
            return listener

        return register

    def __setattr__(self, name: str, listener: Listener) -> None:
        _expect(name)
        self.listeners[name] = listener

    def call(self, name: str, *args: Any) -> None:
        """Call the listener of an event, if there is one."""
        listener = self.listeners.get(name)
        if listener is not None:
            listener(*args)


def _expect(name: str) -> None:
    if name not in EVENTS:
        raise unknown("trainer.events", "event", name, EVENTS)


class Trainer:
    """Trains a model on batches of a distributor.

    What is at hand in an event: epoch, nth, avg_train_loss; lists of one element, as for one card:
    data, targets, outputs, losses, grads; and after an epoch train_loss_list and test_loss_list.
    """

    max_epochs: int | None = None  # what `striate run` was asked
    limit: int | None = None  # of samples, likewise

    def __init__(
        self,
        model: Any,
        num_epoch: int,
        loss_func: Callable[..., Any],
        batch_size: int,
        optimizer: Any = None,
        shuffle: bool = True,
        events: dict[str, Listener] | None = None,
        num_gpu: int = 1,
        regularization: Callable[[], Any] | None = None,
    ) -> None:
        self.model, self.loss_func, self.batch_size = model, loss_func, batch_size
        self.num_epoch = min(num_epoch, self.max_epochs or num_epoch)
        self.optimizer = optimizer or Sgd()
        self.shuffle, self.regularization = shuffle, regularization
        self.events = Events(events)
        self.epoch = self.nth = 0
        self.train_loss_list: list[float] = []
        self.test_loss_list: list[float] = []
        self.avg_train_loss, self.avg_test_loss = Node(0.0), 0.0
        self.losses: list[Any] = []

    @property
    def loss(self) -> Any:
        """The loss of the last batch, as it was called at first."""
        return self.losses[0]

    def train(self, train_distributor: Any, test_distributor: Any = None) -> None:
        """Train for all epochs; measure the loss of the test data after each."""
        self.train_distributor, self.test_distributor = train_distributor, test_distributor
        self.events.call("start", self)
        for epoch in range(self.num_epoch):
            self.epoch = epoch
            self.events.call("start_epoch", self)
            losses = []
            steps = None if self.limit is None else -(-self.limit // self.batch_size)
            batches = train_distributor.batch(self.batch_size, self.shuffle, steps)
            for self.nth, (data, target) in enumerate(batches):
                self.data, self.targets = [data], [target]
                losses.append(self._step(data, target))
                self.avg_train_loss = Node(float(np.mean(losses)))
            self.train_loss_list.append(float(self.avg_train_loss))
            if test_distributor is not None:
                self.avg_test_loss = self._measure(test_distributor)
                self.test_loss_list.append(self.avg_test_loss)
            if "end_epoch" in self.events.listeners:
                self.events.call("end_epoch", self)
            else:
                say(
                    f"epoch {self.epoch:2d}: avg loss {float(self.avg_train_loss):.4f}"
                    + self._tested()
                )

    def _tested(self) -> str:
        return f" - avg test loss {self.avg_test_loss:.4f}" if self.test_loss_list else ""

    def _step(self, data: Any, target: Any) -> float:
        """Make the step of a batch; return its loss."""
        self.events.call("forward", self)
        with self.model.train():
            self.outputs = [self.model(data)]
            self.events.call("loss", self)
            found = self.loss_func(self.outputs[0], target)
            if self.regularization is not None:
                found = found + self.regularization()
            self.losses = [found]
        self.events.call("backward", self)
        loss = float(found)
        self.grads = [found.grad()]
        self.events.call("grad", self, self.grads)
        self.grads[0].update(self.optimizer, models=(self.model,))
        self.events.call("updated", self)
        return loss

    def _measure(self, distributor: Any) -> float:
        self.model.set_models(inference=True)
        losses = [
            float(self.loss_func(self.model(x), y))
            for x, y in distributor.batch(self.batch_size, False)
        ]
        self.model.set_models(inference=False)
        return float(np.mean(losses))

    def test(self, data: Any) -> Any:
        """Return the outputs for samples, or for those of a distributor, as an array."""
        samples = data.x if hasattr(data, "batch") else data
        self.model.set_models(inference=True)
        parts = [
            self.model(samples[begin : begin + self.batch_size]).as_ndarray()
            for begin in range(0, len(samples), self.batch_size)
        ]
        self.model.set_models(inference=False)
        return np.concatenate(parts).view(Outputs)


def default_event_end_epoch(trainer: Trainer) -> None:
    """Say the losses of the epoch."""
    say(
        f"epoch {trainer.epoch:2d}: avg loss {float(trainer.avg_train_loss):.4f}"
        + trainer._tested()
    )
