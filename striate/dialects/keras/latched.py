"""What was trainable when a model was compiled, which holds until the next compile up to tf.keras.

Batch normalisation that is frozen normalises by its moving statistics in tf.keras and in Keras 3.
Up to Keras 2.3 it goes on with those of the batch: from 2.1.3 on, its moving ones stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor

from ...core.layer import Layer
from ...layers import BatchNormalization
from ...layers.norm import BATCH, MOVED, MOVING
from ...model import Model
from .session import KerasSession

WAITS = (
    "Discrepancy between trainable weights and collected trainable weights of {0}: what was set "
    "trainable since {0}.compile waits for the next compile"
)
FROZEN = (
    "{0} does not have any trainable weights, so that nothing is trained: Keras 3 takes `trainable`"
    " at once; in older versions (striate run --dialect tf) it waits for the next compile"
)


@dataclass(frozen=True)
class Latch:
    """Whether each weight was trained, and each batch normalisation moved, at a moment."""

    weights: dict[int, bool]
    norms: list[tuple[BatchNormalization, bool]]
    holders: list[Layer]  # the model, and what else holds layers


def latched(model: Model) -> Latch:
    """Return the latch of now."""
    parts = [part for part in model.modules() if isinstance(part, Layer)]
    holders = [part for part in parts if any(isinstance(one, Layer) for one in part.children())]
    frozen = _frozen(holders)
    return Latch(
        {id(one): one.requires_grad and id(one) not in frozen for one in model.parameters()},
        [(one, one.trainable) for one in parts if isinstance(one, BatchNormalization)],
        holders,
    )


def learnt(model: Model) -> dict[int, bool]:
    """Return, by the ids of weights, which are trained now."""
    return latched(model).weights


def _frozen(holders: Iterable[Layer]) -> set[int]:
    """Return the weights in what is frozen as a whole: a layer in it is not freed alone."""
    return {id(one) for part in holders if not part.trainable for one in part.parameters()}


@contextmanager
def as_compiled(
    session: KerasSession, model: Model, latch: Latch, *, training: bool
) -> Iterator[None]:
    """Let a model train what was trainable at compile; from Keras 3 on, what is now."""
    version = session.version
    before = [(weight, weight.requires_grad) for weight in model.parameters()]
    if version.latches:
        changed = [one for one, now in before if latch.weights.get(id(one), now) != now]
    else:
        frozen = _frozen(latch.holders)
        changed = [one for one, now in before if now and id(one) in frozen]
    for weight in changed:
        weight.requires_grad_(not weight.requires_grad)
    if training and changed and version.latches and version.folds:
        session.note(WAITS.format(model.name))
    if training and before and not (version.latches or any(one.requires_grad for one, _ in before)):
        session.note(FROZEN.format(model.name))
    if not version.latches:
        try:
            yield
        finally:
            _restore(before)
        return
    ways = [layer.statistics for layer, _ in latch.norms]
    for layer, trained in latch.norms:
        vars(layer)["statistics"] = _statistics(session, layer.trainable, trained)
    try:
        yield
    finally:
        for (layer, _), way in zip(latch.norms, ways, strict=True):
            vars(layer)["statistics"] = way
        _restore(before)


def _statistics(session: KerasSession, now: bool, at_compile: bool) -> str:
    if session.version.folds:
        return MOVED if session.version.old or now else BATCH
    return MOVED if at_compile else MOVING


def _restore(before: Sequence[tuple[Tensor, bool]]) -> None:
    for weight, now in before:
        if weight.requires_grad != now and weight.is_leaf:
            weight.requires_grad_(now)
