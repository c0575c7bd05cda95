"""Losses made of a model's own symbols: a twin of the model gives them as a further output."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...core.graph import Graph
from ...core.layer import Layer, one_or_all
from ...core.spec import Spec
from ...core.symbol import Input, Node, Symbol
from ...losses import Function
from ...metrics import Scored
from ...model import Model
from ...regularizers import get as penalty_of
from ..symbolic import found
from .batches import Bounded, Stream
from .metrics import metric_classes
from .session import KerasSession

ADDED = "added_loss"
Followed = Sequence[tuple[str, Symbol]]


class Spread(Layer):
    """Give the sum of numbers, each of the whole batch or one for each sample, to every sample."""

    def infer(self, *x: Spec) -> Spec:
        """Return one number for each sample."""
        return Spec((1,))

    def forward(self, *x: Tensor) -> Tensor:
        """Sum; the first input says how many samples there are."""
        out = torch.zeros((), device=x[0].device)
        for value in x[1:]:
            out = out + (value.mean() if value.numel() > 1 else value.reshape(()))
        return out.expand(len(x[0])).unsqueeze(-1)


class Punished(Layer):
    """The penalty on what a layer gives, divided by the size of the batch if it is `averaged`."""

    function: Any
    averaged: bool = True

    def infer(self, *x: Spec) -> Spec:
        """Return one number for each sample, though it is one for all."""
        return Spec(())

    def forward(self, *x: Tensor) -> Tensor:
        """Return the penalty."""
        return self.function(x[0]) / (len(x[0]) if self.averaged else 1)


class Twin:
    """What fit trains in the place of a model whose loss has further parts.

    `model` has the outputs that have a loss of their own, the `ends`, what is `followed` by name
    without one, and the sum of what is added; `labels` are outputs whose labels are inputs.
    """

    def __init__(self, owner: Model, ends: list[Symbol], added: list[Symbol], loss: Any,
                 metrics: Any, labels: Mapping[int, Symbol],
                 followed: Followed = ()) -> None:  # fmt: skip
        self.owner, self.labels, self.lossy = owner, list(labels), loss is not None
        self.followed = [name for name, _ in followed]
        inputs = [*owner.inputs, *labels.values()]
        total = Spread()(inputs[0], *added)
        judged = ends if self.lossy or metrics else []
        seen = [Spread()(inputs[0], symbol) for _, symbol in followed]
        self.model = Model(inputs, [*judged, *seen, total], name=ADDED)
        self.count = count = len(judged)
        several = loss if isinstance(loss, list) else [loss] * count
        self.losses = [_nothing if one is None else one for one in several[:count]]
        rest = Function(_passed) if labels else Added(_passed)
        self.losses += [_nothing] * len(seen) + [rest]
        self.shares = [1.0 if one is not None else 0.0 for one in several[:count]]
        lists = metrics if metrics and isinstance(metrics[0], list) else [list(metrics)] * count
        self.metrics = [*lists, *([Scored(_passed, name)] for name in self.followed), []]

    def compile(
        self, optimizer: Any, shares: Any, compile_: Callable[..., Any], **words: Any
    ) -> None:
        """Compile the twin."""
        own = list(shares) if isinstance(shares, (list, tuple)) else self.shares
        self.shares = [*own, *[0.0] * len(self.followed), 1.0]
        compile_(self.model, optimizer, self.losses, self.metrics, self.shares, **words)

    def data(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return inputs and labels as the twin takes them."""
        if isinstance(x, (Stream, Bounded)):
            (x.source if isinstance(x, Bounded) else x).changed(self._batch)
            return x, None
        inputs = list(x) if isinstance(x, (list, tuple)) else [x]
        given = [] if y is None else list(y) if isinstance(y, (list, tuple)) else [y]
        nothing = torch.zeros(len(inputs[0]), 1)
        labels = (given or [nothing] * self.count)[: self.count]
        inputs += [torch.as_tensor(given[index]).float() for index in self.labels]
        y_out = [*labels, *[nothing] * len(self.followed), nothing]
        return inputs if len(inputs) > 1 else inputs[0], y_out if len(y_out) > 1 else nothing

    def _batch(self, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        x, y, *weight = (*batch, None)[: max(len(batch), 2)]
        return (*self.data(x, y), *weight)

    def rename(self, logs: Any) -> dict[str, float]:
        """Return numbers by the names that they have in the script's model."""
        if len(self.losses) == 1:
            return dict(logs)
        names = self.model.graph.output_names
        ends, rest = names[: self.count], names[self.count :]
        unseen = {f"{name}_loss" for name in (rest if self.count > 1 else names)}
        told = {f"{one}_{name}": name for one, name in zip(rest, self.followed, strict=False)}
        out: dict[str, float] = {}
        for key, value in logs.items():
            front, plain = ("val_", key[4:]) if key.startswith("val_") else ("", key)
            if plain not in unseen:
                name = plain.removeprefix(f"{ends[0]}_") if self.count == 1 else plain
                out[front + told.get(plain, name)] = value
        return out


def _passed(y_true: Tensor, y_pred: Tensor) -> Tensor:
    return y_pred.mean(-1)


class Added(Function):
    """What is added to the loss: it is no sample's, so that no weight of samples counts."""

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the mean."""
        return super().__call__(y_true, y_pred)


def _nothing_(y_true: Tensor, y_pred: Tensor) -> Tensor:
    return y_pred.flatten(1).mean(1) * 0


_nothing = Function(_nothing_)


def added_to(session: KerasSession, model: Model) -> tuple[list[Symbol], list[Symbol]]:
    """Return the outputs of a model, and what was added to its loss.

    That is given to add_loss, or a penalty on what a layer gives. Models that are layers are
    walked where there are penalties in them; the outputs are then others than the model's.
    """
    told = list(getattr(model, "added_symbols", ()))
    if model._graph is None:
        return [], told
    outputs, penalties = list(model.graph.outputs), []
    opens = any(penalised(session, part) for part in model.graph.names if isinstance(part, Model))

    def see(node: Node, values: list[Symbol]) -> Any:
        layer = node.layer
        if isinstance(layer, Model) and penalised(session, layer):
            return one_or_all(layer.graph.run(values, see))
        out = layer(*values) if opens else one_or_all(node.outputs)
        penalty = penalty_of(session.of(layer).activity)
        if penalty is not None:
            averaged = session.version.name not in ("keras2", "keras23")
            penalties.append(Punished(penalty, averaged)(out[0] if isinstance(out, tuple) else out))
        penalties.extend(getattr(layer, "added_symbols", ()) if layer is not model else ())
        return out

    whole = Graph(model.graph.inputs, [*outputs, *told])
    ends = list(whole.run(model.graph.inputs, see))
    return ends[: len(outputs)], [*ends[len(outputs) :], *penalties]


def follow(layer: Any, session: KerasSession, value: Any, name: Any) -> None:
    """Follow the mean of a number that a network's code or symbols give, under a name."""
    word = str(name or getattr(value, "name", None) or "metric")
    if any(True for _ in found(value)):
        vars(layer).setdefault("followed", []).append((word, value))
        return
    means = vars(layer).setdefault("means", {})
    if word not in means:
        means[word] = metric_classes()["Mean"](name=word)
    means[word].update_state(torch.as_tensor(value).detach().float())
    vars(layer).setdefault("added", [])
    session.adds_loss = True


def followed_by(model: Model) -> list[tuple[str, Symbol]]:
    """Return the symbols that a model and its layers follow, by name."""
    return [pair for part in model.modules() for pair in vars(part).get("followed", ())]


def penalised(session: KerasSession, model: Model) -> bool:
    """Return whether a layer of a model, or of one in it, has a penalty on what it gives."""
    return any(session.of(part).activity is not None for part in model.modules())


def closing(losses: list[Any], model: Model) -> dict[int, tuple[Symbol, Symbol]]:
    """Return labels and the loss of functions that use symbols of the network, by their outputs."""
    if len(losses) != len(model.outputs):
        return {}
    pairs = enumerate(zip(losses, model.outputs, strict=True))
    made = {index: closing_over(one, output) for index, (one, output) in pairs}
    return {index: pair for index, pair in made.items() if pair is not None}


def closing_over(function: Any, output: Symbol) -> tuple[Symbol, Symbol] | None:
    """Return labels and the loss of a function that uses symbols of the network itself."""
    told: tuple[Any, ...] = ()
    plain: Any = function
    if isinstance(function, functools.partial):
        plain, told = function.func, (function.args, function.keywords)
    plain = getattr(plain, "__func__", plain)
    if not inspect.isfunction(plain):
        return None
    held = inspect.getclosurevars(plain)
    if not any(True for _ in found(dict(held.nonlocals), dict(held.globals), *told)):
        return None
    label = Input(output.spec.shape, data_format=output.spec.data_format, name="labels")
    value = function(label, output)
    return (label, value) if isinstance(value, Symbol) else None
