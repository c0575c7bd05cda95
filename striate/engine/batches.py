"""What the loop is fed: batches of what the user gave, for a model that is built and fits them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from ..core.spec import Spec, fits
from ..data import check
from ..data.feed import ARRAYS, ArrayFeed, Batch, Feed, IterableFeed, endless, feed
from ..data.labels import class_weights
from ..errors import ConfigError, DataError, caller
from .progress import counted
from .step import Step

if TYPE_CHECKING:
    from ..model import Model

RESIDENT = 0.25  # of a graphics card's free memory: what arrays may take of it while training lasts


def prepare(
    model: Model, x: Any, y: Any, weight: Any, batch_size: int, shuffle: bool = False
) -> Feed:
    """Return the batches; build the model from the first, if its shapes are not known yet."""
    _of_float32(model)
    names = _names(model) if model.built else ((), ())
    data = feed(x, y, weight, batch_size=batch_size, shuffle=shuffle, names=names)
    if not model.built:
        first = data.first()
        if first is None:
            raise DataError("x", "holds no samples", need="at least one")
        # float32 inputs, whatever the data are: the step casts
        model.ensure_built(tuple(Spec(tuple(part.shape[1:])) for part in first.x))
    return data


def _of_float32(model: Model) -> None:
    for name, weight in model.named_parameters():
        if weight.is_floating_point() and weight.dtype is not torch.float32:
            raise ConfigError(
                "weights",
                "fit, evaluate and predict compute with those of float32",
                got=f"{name} of {str(weight.dtype).removeprefix('torch.')}",
                need="float32; in other numbers a model is called: model(x)",
                fix="model.float()",
                at=caller(),
            )


def _names(model: Model) -> tuple[tuple[str, ...], tuple[str, ...]]:
    inputs = tuple(symbol.name for symbol in model.graph.inputs)
    return inputs, tuple(model.graph.output_names)


def parts(
    model: Model, train: Feed, split: float, given: Any, batch_size: int
) -> tuple[Feed, Feed | None]:
    """Return what is trained on and what is validated on, arrays in batches of `batch_size`."""
    if given is not None:
        of_batches = isinstance(given, list) and given and isinstance(given[0], tuple)
        several = given if isinstance(given, (tuple, list)) and not of_batches else (given,)
        if not 0 < len(several) <= 3:
            raise DataError(
                "validation_data",
                f"holds {counted(len(several), 'thing')}",
                need="(x, y) or (x, y, sample_weight)",
                fix="validation_data=(x, y)",
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
    first, last = train.split(split)
    last.batch_size = batch_size
    return first, last


def due(epoch: int, validation_freq: Any) -> bool:
    """Return whether an epoch, counted from 0, is one after which the model is validated."""
    if isinstance(validation_freq, Collection):
        return epoch + 1 in validation_freq
    return bool((epoch + 1) % validation_freq == 0)


def checked(model: Model, step: Step, data: Feed, name: str = "") -> Feed:
    """Return the batches, after a look at arrays; those of an iterable are looked at as they come.

    Raises: DataError or ShapeError if they are not what the model can learn from.
    """
    where, graph, losses = model.where, model.graph, step.setup.losses

    def look(batch: Batch) -> None:
        check.batch(where, graph, losses, batch, name)

    if isinstance(data, ArrayFeed):
        look(data.all())
        return data
    data = IterableFeed(data.source, data.names, look)
    if name and (first := data.first()) is not None:  # before the first step, not after an epoch
        look(first)
    return data


def resident(data: Feed, step: Step) -> Feed:
    """Return arrays in the memory of the graphics card that trains on them, where they are small.

    No step has to wait for its batch then.
    """
    device = step.weights[0].device if step.weights else torch.device("cpu")
    if device.type != "cuda" or not isinstance(data, ArrayFeed):
        return data
    free, _ = torch.cuda.mem_get_info(device)
    size = sum(array.nbytes for array in (*data.x, *data.y))
    return data.to(device) if size < RESIDENT * free else data


def check_single(model: Model, batch: Batch, **rows: str) -> None:
    """Raise DataError for a batch of one sample where torch's batch normalisation refuses it.

    `rows` are further rows of the message: got, math, fix.
    """
    mode = model.training
    model.train()
    layers = {
        layer: getattr(layer, "where", f"{name} ({type(layer).__name__})")
        for name, layer in model.named_modules()
        if layer.training and isinstance(layer, _BatchNorm)
    }
    alone: list[str] = []

    def look(layer: Any, given: tuple[torch.Tensor, ...]) -> None:
        if given[0][:1].numel() == layer.num_features:
            alone.append(layers[layer])

    hooks = [layer.register_forward_pre_hook(look) for layer in layers]
    model.eval()
    try:
        if hooks:
            with torch.no_grad():
                device = next(model.parameters()).device
                model(*(x[:1].to(device) for x in batch.x))
    finally:
        model.train(mode)
        for hook in hooks:
            hook.remove()
    if alone:
        raise DataError(
            "batch_size",
            f"leaves one sample for the last batch, too few for {alone[0]}",
            need="2 samples in every batch",
            **rows,
        )


def check_last(model: Model, data: ArrayFeed) -> None:
    """Raise DataError where the last batch of arrays is one sample, too few for a layer."""
    samples, size = data.samples, data.batch_size
    if samples % size == 1 or size == 1:
        other = next((n for n in range(size + 1, size + 4) if samples % n != 1), 0)
        check_single(
            model,
            data.all(),
            got=f"{samples} samples in batches of {size}",
            math=f"{samples} % {size} = {samples % size}" if size > 1 else "",
            fix=f"batch_size={other}" if other else "more samples",
        )


class Batches:
    """What is trained on: each pass gives the batches of an epoch, with the weights of classes.

    With `steps_per_epoch`, each pass goes on where the one before ended.
    """

    def __init__(
        self,
        model: Model,
        data: Feed,
        steps_per_epoch: int | None = None,
        class_weight: dict[int, float] | None = None,
    ) -> None:
        self.model, self.data = model, data
        self.weigh = class_weights(class_weight, model.graph.outputs)
        self.source = endless(data) if steps_per_epoch else None
        self.steps = steps_per_epoch or len(data)
        if isinstance(data, ArrayFeed) and not steps_per_epoch:
            check_last(model, data)

    def __iter__(self) -> Iterator[Batch]:
        for batch in islice(self.source, self.steps) if self.source else self.data:
            if batch.size == 1:
                check_single(self.model, batch, fix="drop_last=True, or another batch_size")
            yield self.weigh(batch)


def as_batch(x: Any, model: Model) -> Any:
    """Return one sample as a batch of one, a list of samples as a batch, others as they are."""
    if not model.built:
        return x
    if isinstance(x, list) and len(model.graph.inputs) == 1 and len(x) > 1:
        spec = model.graph.inputs[0].spec
        alike = all(isinstance(item, ARRAYS) and fits(spec.shape, tuple(item.shape)) for item in x)
        return np.stack([np.asarray(item) for item in x]) if alike else x
    if not isinstance(x, ARRAYS):
        return x
    spec, sizes = model.graph.inputs[0].spec, tuple(x.shape)
    grey = spec.channels == 1 and fits(spec.spatial, sizes)
    return x[None] if fits(spec.shape, sizes) or (grey and len(sizes) > 1) else x
