"""What the loop is fed: batches of what the user gave, for a model that is built and fits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..core.spec import Spec
from ..data import check
from ..data.feed import ArrayFeed, Feed, feed
from ..data.fit import fits
from ..errors import DataError
from .step import Step

if TYPE_CHECKING:
    from ..model import Model


def prepare(
    model: Model, x: Any, y: Any, weight: Any, batch_size: int, shuffle: bool = False
) -> Feed:
    """Return the batches; build the model from the first, if its shapes are not known yet."""
    names = _names(model) if model.built else ((), ())
    data = feed(x, y, weight, batch_size=batch_size, shuffle=shuffle, names=names)
    if not model.built:
        first = data.first()
        if first is None:
            raise DataError("x", "holds no samples", need="at least one")
        # float32 inputs, whatever the data are: the step casts
        model.ensure_built(tuple(Spec(tuple(part.shape[1:])) for part in first.x))
    return data


def _names(model: Model) -> tuple[tuple[str, ...], tuple[str, ...]]:
    inputs = tuple(symbol.name for symbol in model.graph.inputs)
    return inputs, tuple(symbol.name for symbol in model.graph.outputs)


def parts(
    model: Model, train: Feed, split: float, given: Any, batch_size: int
) -> tuple[Feed, Feed | None]:
    """Return what is trained on and what is validated on."""
    if given is not None:
        several = given if isinstance(given, (tuple, list)) else (given,)
        if len(several) > 3:
            raise DataError(
                "validation_data",
                f"holds {len(several)} things",
                need="(x, y) or (x, y, sample_weight)",
            )
        return train, feed(*several, batch_size=batch_size, names=_names(model))
    if not split:
        return train, None
    if not isinstance(train, ArrayFeed):
        raise DataError(
            "validation_split",
            "can only be taken from arrays",
            got=f"validation_split={split}, batches from an iterable",
            fix="validation_data=(x, y)",
        )
    return train.split(split)


def check_data(model: Model, step: Step, data: Feed | None, name: str = "") -> None:
    """Raise DataError or ShapeError if arrays are not what the model can learn from."""
    if isinstance(data, ArrayFeed):
        check.arrays(model.where, model.graph, step.setup.losses, data, name)


def as_batch(x: Any, model: Model) -> Any:
    """Return one sample as a batch of one, and what is a batch as it is."""
    if not model.built or not isinstance(x, (np.ndarray, torch.Tensor)):
        return x
    spec, sizes = model.graph.inputs[0].spec, tuple(x.shape)
    grey = spec.channels == 1 and fits(spec.spatial, sizes)
    return x[None] if fits(spec.shape, sizes) or (grey and len(sizes) > 1) else x
