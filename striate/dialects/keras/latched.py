"""What was trainable when a model was compiled, which holds until the next compile up to tf.keras.

Batch normalisation that is frozen normalises by its moving statistics in tf.keras and in Keras 3.
Up to Keras 2.3 it goes on with those of the batch: from 2.1.3 on, its moving ones stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor

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


def latched(model: Model) -> Latch:
    """Return the latch of now."""
    return Latch(
        {id(weight): weight.requires_grad for weight in model.parameters()},
        [(one, one.trainable) for one in model.modules() if isinstance(one, BatchNormalization)],
    )


@contextmanager
def as_compiled(
    session: KerasSession, model: Model, latch: Latch, *, training: bool
) -> Iterator[None]:
    """Let a model train what was trainable at compile; from Keras 3 on, what is now."""
    version = session.version
    if not version.latches:
        weights = [*model.parameters()]
        if training and weights and not any(weight.requires_grad for weight in weights):
            session.note(FROZEN.format(model.name))
        yield
        return
    before = [(weight, weight.requires_grad) for weight in model.parameters()]
    changed = [one for one, now in before if latch.weights.get(id(one), now) != now]
    for weight in changed:
        weight.requires_grad_(not weight.requires_grad)
    if training and changed and version.folds:
        session.note(WAITS.format(model.name))
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
