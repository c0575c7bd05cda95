"""One step: batch in, weights changed, sums of loss and metrics kept on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..core.layer import Layer
from ..data.feed import Batch
from ..data.fit import check_batch
from ..errors import DataError, TrainingError
from ..layers import activation as activations
from .setup import Metric, Setup

if TYPE_CHECKING:
    from ..model import Model


class Step:
    """What one call on a batch does: `train` changes the weights, `test` does not.

    No call asks the device for a number; `logs` does, and is for between the calls.
    """

    def __init__(self, model: Model, setup: Setup, *, training: bool = False) -> None:
        self.model, self.setup = model, setup
        self.specs = tuple(symbol.spec for symbol in model.graph.inputs)
        self.logits = model.runs_graph and model.activation_name in ("softmax", "sigmoid")
        bound = setup.losses[0].takes_logits(model.activation_name) if self.logits else None
        self.logits = bound is not None
        self.losses = [bound] if bound is not None else setup.losses
        named = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.names, self.weights = list(named), list(named.values())
        self.penalties = list(_penalties(model))
        self.limits = list(_limits(model))
        self.reset()
        if training:
            self._begin()

    def _begin(self) -> None:
        """Make the optimizer's state, unless it is there from an earlier training."""
        if not self.weights:
            raise TrainingError(
                self.model.where,
                "has nothing to train: every weight is frozen",
                need="at least one trainable weight",
                fix="layer.trainable = True for the layers that shall learn",
            )
        if self.setup.state is None or self.setup.names != self.names:
            self.setup.state = self.setup.optimizer.init(self.weights)
            self.setup.names = self.names

    def reset(self) -> None:
        """Forget the sums of loss and metrics."""
        self.total: Tensor | float = 0.0  # loss times samples, on the device
        self.samples = 0
        for metric in self.metrics():
            metric.reset()

    def metrics(self) -> Iterator[Metric]:
        """Yield the metrics of every output."""
        for several in self.setup.metrics:
            yield from several

    def train(self, batch: Batch) -> None:
        """Make one step of the optimizer."""
        self.model.train()
        total = self._measure(batch)
        for penalty, weight in self.penalties:
            total = total + penalty(weight)
        self._count(total.detach(), batch)
        gradients = torch.autograd.grad(total, self.weights, allow_unused=True)
        optimizer, state = self.setup.optimizer, self.setup.state
        assert state is not None
        optimizer.update(self.weights, gradients, state, optimizer.rate(state), self.names)
        if self.limits:
            with torch.no_grad():
                for limit, weight in self.limits:
                    weight.copy_(limit(weight))

    @torch.no_grad()
    def test(self, batch: Batch) -> None:
        """Add one batch to the loss and the metrics."""
        self.model.eval()
        total = self._measure(batch)
        for penalty, weight in self.penalties:
            total = total + penalty(weight)
        self._count(total, batch)

    def logs(self) -> dict[str, float]:
        """Return the loss and the metrics so far; this waits for the device."""
        values = {"loss": float(self.total) / max(self.samples, 1)}
        outputs = self.model.graph.outputs
        for output, several in zip(outputs, self.setup.metrics, strict=True):
            prefix = f"{output.name}_" if len(outputs) > 1 else ""
            values |= {f"{prefix}{metric.name}": float(metric.compute()) for metric in several}
        return values

    def _count(self, loss: Tensor, batch: Batch) -> None:
        self.total = self.total + loss * batch.size
        self.samples += batch.size

    def _measure(self, batch: Batch) -> Tensor:
        """Return the loss of a batch, after adding it to the metrics."""
        device = self.weights[0].device if self.weights else batch.x[0].device
        x = check_batch(self.model.where, self.specs, tuple(part.to(device) for part in batch.x))
        out = self.model.before_activation(*x) if self.logits else self.model(*x)
        several = out if isinstance(out, tuple) else (out,)
        weight = None if batch.weight is None else batch.weight.to(device, torch.float32)
        if len(batch.y) != len(self.losses):
            raise DataError(
                "y",
                f"the model has {len(self.losses)} outputs",
                got=f"{len(batch.y)} arrays of targets in a batch",
                fix="batches of (x, y), with one y for each output",
            )
        truths = tuple(part.to(device) for part in batch.y)
        total = torch.zeros((), device=device)
        parts = zip(self.losses, self.setup.loss_weights, truths, several, strict=True)
        for index, (loss, share, y_true, y_pred) in enumerate(parts):
            total = total + share * loss(y_true, y_pred, weight)
            if self.setup.metrics[index]:
                with torch.no_grad():
                    shown = self._activate(y_pred.detach())
                    for metric in self.setup.metrics[index]:
                        metric.update(y_true, shown)
        return total

    def _activate(self, y: Tensor) -> Tensor:
        return activations.FUNCTIONS[self.model.activation_name](y) if self.logits else y


def _penalties(model: Model) -> Iterator[tuple[Callable[[Tensor], Tensor], Tensor]]:
    for layer in model.modules():
        if isinstance(layer, Layer):
            for name, penalty in layer.regularizers.items():
                yield penalty, getattr(layer, name)


def _limits(model: Model) -> Iterator[tuple[Callable[[Tensor], Tensor], Tensor]]:
    for layer in model.modules():
        if isinstance(layer, Layer):
            for name, limit in layer.constraints.items():
                yield limit, getattr(layer, name)
