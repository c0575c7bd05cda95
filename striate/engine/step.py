"""One step: batch in, weights changed, sums of loss and metrics kept on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..core.layer import Layer
from ..data.feed import Batch
from ..data.fit import check_batch
from ..layers import activation as activations
from ..losses import Loss
from ..lower.optimizer import rule_of
from ..optimizers.optimizer import State
from . import masks
from .precision import compiled, products
from .setup import Setup

if TYPE_CHECKING:
    from ..model import Model


class Step:
    """What one call on a batch does: `train` changes the weights, `test` does not.

    No call asks the device for a number; `logs` does, and is for between the calls. `weights` are
    those that training changes, `samples` counts since the last `reset`.
    """

    def __init__(self, model: Model, setup: Setup, *, training: bool = False) -> None:
        self.model, self.setup = model, setup
        self.specs = tuple(symbol.spec for symbol in model.graph.inputs)
        self.outputs = model.graph.output_names
        self.logits = model.runs_graph and model.activation_name in ("softmax", "sigmoid")
        bound = setup.losses[0].takes_logits(model.activation_name) if self.logits else None
        self.logits = bound is not None
        self.losses = [bound] if bound is not None else setup.losses
        self.masks = masks.readers(model)
        named = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.names, self.weights = list(named), list(named.values())
        self.penalties = list(_penalties(model))
        self.limits = list(_limits(model))
        self.rule = rule_of(setup.optimizer)
        self.reset()
        if training:
            self._begin()

    def _begin(self) -> None:
        """Make the optimizer's state, unless it is there from an earlier training.

        Where fewer weights are trained than before, or again those of before, it goes on with what
        it keeps of them; where there are new ones, it begins anew.
        """
        setup = self.setup
        if setup.state is None or setup.names != self.names:
            setup.shelf.update(_shelf(setup.state or {}, setup.names))
            goes_on = setup.state is not None and set(self.names) <= set(setup.shelf)
            made = setup.optimizer.init(self.weights) if self.weights else {"step": 0}
            if goes_on:
                _go_on(made, setup.state or {}, [setup.shelf[name] for name in self.names])
            else:
                setup.shelf.clear()
            setup.state, setup.names = made, self.names
        for kept in setup.state.values():
            if isinstance(kept, list):  # the model may have gone to another device since
                pairs = zip(kept, self.weights, strict=True)
                kept[:] = [one.to(weight.device) for one, weight in pairs]

    def like(self, other: Step) -> bool:
        """Return whether a step that was made at another time does the same."""
        return not (self.masks or other.masks) and self._bound() == other._bound()

    def _bound(self) -> tuple[Any, ...]:
        """Return what a step holds on to, other than the numbers of weights."""
        pairs = ((id(one), id(weight)) for one, weight in (*self.penalties, *self.limits))
        several = (*self.setup.losses, *self.weights)
        return (id(self.model.graph), self.rule, *map(id, several), *pairs)

    def reset(self) -> None:
        """Forget the sums of losses and metrics."""
        self.total: Any = 0.0  # loss times samples, on the device
        self.parts: list[Any] = [0.0] * len(self.losses)  # the same for each output
        self.samples = 0
        for several in (*self.setup.metrics, *self.setup.weighted_metrics):
            for metric in several:
                metric.reset()

    def portions(self, batches: Iterable[Batch], several: bool) -> Iterator[Any]:
        """Yield what `train` and `test` take; `several` batches may come together."""
        yield from batches

    def train(self, batch: Batch) -> None:
        """Make one step of the optimizer."""
        self.model.train()
        loss = self._measure(batch)
        if not self.weights:  # losses, metrics and statistics are all there is
            return
        gradients = torch.autograd.grad(loss, self.weights, allow_unused=True)
        optimizer, state = self.setup.optimizer, self.setup.state
        assert state is not None
        optimizer.sees(loss)
        optimizer.update(self.weights, gradients, state, optimizer.rate(state), self.names)
        with torch.no_grad():
            for limit, weight in self.limits:
                weight.copy_(limit(weight))

    def settle(self) -> None:
        """Let the model have what training has changed, if it has not yet."""

    @torch.no_grad()
    def test(self, batch: Batch) -> None:
        """Add one batch to the losses and the metrics."""
        self.model.eval()
        self._measure(batch)

    def logs(self) -> dict[str, float]:
        """Return the loss and the metrics so far, by Keras's names; this waits for the device."""
        count = max(self.samples, 1)
        values = {"loss": float(self.total) / count}
        several = len(self.outputs) > 1
        if several:
            parts = zip(self.outputs, self.parts, strict=True)
            values |= {f"{name}_loss": float(part) / count for name, part in parts}
        for index, name in enumerate(self.outputs):
            prefix = f"{name}_" if several else ""
            for metric in (*self.setup.metrics[index], *self.setup.weighted_metrics[index]):
                values[f"{prefix}{metric.name}"] = float(metric.compute())
        return values

    def _measure(self, batch: Batch) -> Tensor:
        """Return the loss of a batch, after adding it and the metrics to the sums."""
        device = self.weights[0].device if self.weights else batch.x[0].device
        x = check_batch(self.model.where, self.specs, tuple(part.to(device) for part in batch.x))
        with products(device, self.setup.precision):
            out = self._forward(device)(*x)
        total = torch.zeros((), device=device)
        for index, y_pred in enumerate(out if isinstance(out, tuple) else (out,)):
            y_true, weight = batch.y[index].to(device), batch.weight_of(index)
            weight = None if weight is None else weight.to(device, torch.float32)
            counts = self.masks[index](x) if self.masks else None
            judge, share = self.losses[index], weight
            if counts is not None and isinstance(judge, Loss):
                judge, share = judge.before_mask(weight)
            loss = judge(y_true, y_pred, masks.weighted(share, counts))
            total = total + self.setup.loss_weights[index] * loss
            self.parts[index] = self.parts[index] + loss.detach() * batch.size
            judged = masks.counted(counts, y_true, y_pred.detach(), weight)
            self._judge(index, *judged)
        for penalty, weights in self.penalties:
            total = total + penalty(weights)
        self.total = self.total + total.detach() * batch.size
        self.samples += batch.size
        return total

    def _forward(self, device: torch.device) -> Callable[..., Any]:
        """Return the forward pass to the logits, or to the outputs where there are none."""
        made, key = self.setup.forwards, (id(self.model.graph), self.logits, device)
        if key not in made:
            made.clear()
            plain = self.model.before_activation if self.logits else self.model
            made[key] = compiled(plain, device)
        forward: Callable[..., Any] = made[key]
        return forward

    @torch.no_grad()
    def _judge(self, index: int, y_true: Tensor, y_pred: Tensor, weight: Tensor | None) -> None:
        """Add an output to its metrics, which see it after the activation."""
        plain, weighted = self.setup.metrics[index], self.setup.weighted_metrics[index]
        if self.logits and (plain or weighted):
            y_pred = activations.FUNCTIONS[self.model.activation_name](y_pred)
        for metric in plain:
            metric.update(y_true, y_pred)
        for metric in weighted:
            metric.update(y_true, y_pred, weight)


def _shelf(state: State, names: Sequence[str]) -> dict[str, dict[str, Tensor]]:
    """Return what a state keeps, by the names of the weights."""
    lists = {slot: kept for slot, kept in state.items() if isinstance(kept, list)}
    return {name: {slot: kept[index] for slot, kept in lists.items()}
            for index, name in enumerate(names)}  # fmt: skip


def _go_on(state: State, before: State, kept: list[dict[str, Tensor]]) -> None:
    """Let a new state count on from another one, with the tensors that are kept of each weight."""
    for slot, value in state.items():
        if isinstance(value, list):
            state[slot] = [one[slot] for one in kept]
        else:
            state[slot] = before.get(slot, value)


def _penalties(model: Model) -> Iterator[tuple[Callable[[Tensor], Tensor], Tensor]]:
    """Yield the penalties on weights that are trained: of others they are a constant."""
    for layer in model.modules():
        if isinstance(layer, Layer):
            for name, penalty in layer.regularizers.items():
                weight = getattr(layer, name)
                if getattr(weight, "requires_grad", True) or model.counts_frozen:
                    yield penalty, weight


def _limits(model: Model) -> Iterator[tuple[Callable[[Tensor], Tensor], Tensor]]:
    for layer in model.modules():
        if isinstance(layer, Layer):
            for name, limit in layer.constraints.items():
                yield limit, getattr(layer, name)
