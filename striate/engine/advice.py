"""What training says of its own: notes before it begins, on how it went, and why it failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..data import notes
from ..data.feed import ArrayFeed, Feed
from ..data.labels import numbers
from ..inspect.alarms import by_epoch, overfitting, trouble
from ..inspect.health import unsettled
from ..losses import Entropy
from .progress import say

if TYPE_CHECKING:
    from ..model import Model
    from .setup import Setup

LOOKED_AT = 256  # samples whose predictions are looked at after training
ENOUGH = 32  # of them: fewer may well be of one class


def before(model: Model, setup: Setup, data: Feed, valid: Feed | None) -> None:
    """Say what is remarkable about arrays, and about what is trained, before it is."""
    _note(idle(model, setup))
    if not isinstance(data, ArrayFeed):
        return
    setup.reach = notes.reach(data.x[0])
    for spec, x in zip((symbol.spec for symbol in model.inputs), data.x, strict=True):
        _note(notes.channels(spec, x))
    _note(notes.scale(model.graph, data.x[0]))
    labels = _labels(setup, data)
    if labels is not None:
        _note(notes.balance(labels, max(model.outputs[0].spec.shape[-1] or 1, 2)))
    if isinstance(valid, ArrayFeed):
        _note(notes.another_scale(setup.reach, notes.reach(valid.x[0]), "the validation samples"))
        _note(notes.duplicates(data.x, valid.x))
        others = _labels(setup, valid)
        if labels is not None and others is not None:
            _note(notes.strange_classes(labels, others))


def idle(model: Model, setup: Setup) -> Iterator[str]:
    """Say that training changes no weight."""
    if not any(weight.requires_grad for weight in model.parameters()):
        yield (
            f"{model.where}: every weight is frozen, so that nothing is trained: "
            "layer.trainable = True for the layers that shall learn"
        )
    elif setup.optimizer.learning_rate == 0:
        yield "the learning rate is 0, so that nothing is trained"


def compare(setup: Setup | None, data: Feed) -> None:
    """Say that samples are of another scale than those the model was trained on."""
    if setup is not None and setup.reach and isinstance(data, ArrayFeed):
        _note(notes.another_scale(setup.reach, notes.reach(data.x[0]), "x"))


def after(model: Model, setup: Setup, data: Feed, history: Mapping[str, Sequence[float]]) -> None:
    """Say how training went, if not well."""
    labels = _labels(setup, data) if isinstance(data, ArrayFeed) else None
    rows = by_epoch(history)
    found = [one.text for one in trouble(rows)]
    if not found and labels is not None and isinstance(data, ArrayFeed):
        outputs = model.predict([x[:LOOKED_AT] for x in data.x])
        found = list(constant(torch.as_tensor(outputs), labels[:LOOKED_AT]))
        found = found or list(no_better(history, labels))
    if not found:
        steps = 0 if setup.state is None else int(setup.state["step"])
        over = list(overfitting(rows))
        young = list(unsettled(model, steps)) if any(one.gap for one in over) else []
        found = young or [one.text for one in over]
    _note(found)


def constant(outputs: Tensor, labels: Tensor) -> Iterator[str]:
    """Say that the network gives one class for everything."""
    one = outputs.shape[-1] == 1
    found = (outputs.flatten() > 0.5).long() if one else outputs.argmax(-1)
    if len(found) >= ENOUGH and bool((found == found[0]).all()) and len(set(labels.tolist())) > 1:
        yield (
            f"the network says class {int(found[0])} to everything: look at the learning rate "
            "(model.find_lr), the scale of the input (L.Rescaling) and class_weight"
        )


def no_better(history: Mapping[str, Sequence[float]], labels: Tensor) -> Iterator[str]:
    """Say that nothing was learned: always naming the most frequent class is as good."""
    share = float(torch.bincount(labels).max()) / len(labels)
    accuracy = history.get("accuracy", ())
    if len(accuracy) > 1 and accuracy[-1] <= share:
        yield (
            f"nothing was learned: the accuracy is {accuracy[-1]:.3f}, and always saying the most "
            f"frequent class gives {share:.3f}. Do y[i] and x[i] belong together? Else: more "
            "epochs, another learning rate (model.find_lr), a larger network"
        )


def not_a_number(weights: Iterable[tuple[str, Tensor]], loss: float, epoch: int) -> str:
    """Return why training stops when the loss is no number."""
    bad = next((name for name, weight in weights if not bool(torch.isfinite(weight).all())), "")
    where = f"; the first weight that is none either is {bad}" if bad else ""
    return (
        f"the loss is {loss} in epoch {epoch + 1}{where}. Try a lower learning rate "
        "(model.find_lr suggests one) or clipnorm=1.0"
    )


def _labels(setup: Setup, data: ArrayFeed) -> Tensor | None:
    """Return the class of each sample, where the samples of the one output have one."""
    if len(setup.losses) != 1 or not isinstance(setup.losses[0], Entropy):
        return None
    y: Any = data.y[0]
    one_hot = y.ndim == 2 and y.shape[-1] > 1 and bool((y.sum(-1) == 1).all())
    plain = y.ndim == 1 or (y.ndim == 2 and y.shape[-1] == 1)
    if not (one_hot or (plain and bool((y == y.round()).all()))):
        return None
    return numbers(y.cpu())


def _note(found: Iterable[str]) -> None:
    for text in found:
        say(f"note: {text}")
