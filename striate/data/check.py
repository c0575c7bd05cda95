"""What is looked at once, before the first step: settings, shapes, labels, NaN."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from ..core.graph import Graph
from ..core.layer import snake
from ..core.spec import show
from ..errors import ConfigError, DataError
from ..settings import check_range
from .feed import ArrayFeed, Batch
from .fit import batch_shape, check_batch

SCALING = ("Rescaling", "Normalization", "BatchNormalization", "Embedding")
CLASSES = ("crossentropy", "sparse_categorical_crossentropy", "categorical_crossentropy")


def settings(batch_size: Any, epochs: Any, validation_split: Any, steps: Any) -> None:
    """Raise ConfigError for a setting of fit, evaluate or predict that cannot work."""
    for field, value, interval, usual in (
        ("batch_size", batch_size, "int [1, inf)", 32),
        ("epochs", epochs, "int [0, inf)", 1),
        ("validation_split", validation_split, "[0, 1)", 0.1),
        ("steps_per_epoch", steps, "int [1, inf)", ""),
    ):
        if value is not None:
            check_range("fit", field, value, interval, usual)


def arrays(
    where: str, graph: Graph, losses: Sequence[Any], data: ArrayFeed, name: str = ""
) -> None:
    """Raise DataError or ShapeError if the arrays are not what the model can learn from.

    `losses`: one for each output. `name`: "" or "validation ", for the message.
    """
    if not data.samples:
        raise DataError(
            f"{name}x",
            "holds no samples",
            need="at least one",
            fix="" if name else "arrays with samples, or a smaller validation_split",
        )
    specs = tuple(symbol.spec for symbol in graph.inputs)
    check_batch(where, specs, tuple(x.to("meta") for x in data.x))
    if not data.y:
        raise DataError(
            f"{name}y", "is missing", need="targets for every sample", fix="model.fit(x, y)"
        )
    for field, part in (*((f"{name}x", x) for x in data.x), *((f"{name}y", y) for y in data.y)):
        _same_rows(field, len(part), data.samples)
        _finite(field, part)
    if data.weight is not None:
        _same_rows(f"{name}sample_weight", len(data.weight), data.samples)
        _finite(f"{name}sample_weight", data.weight)
    if len(data.y) != len(graph.outputs):
        raise DataError(
            f"{name}y",
            f"the model has {len(graph.outputs)} outputs",
            got=f"{len(data.y)} arrays",
            fix="one array of targets for each output",
        )
    for y, loss, output in zip(data.y, losses, graph.outputs, strict=True):
        kind = snake(type(loss).__name__)
        check = labels if kind in CLASSES else _targets
        check(f"{name}y", y, output.spec.shape, kind)


def labels(field: str, y: Tensor, shape: tuple[int | None, ...], loss: str) -> None:
    """Raise DataError unless `y` holds class numbers or one-hot rows for this output."""
    classes = shape[-1]
    if classes is None:
        return
    if classes == 1:
        raise ConfigError(
            f'loss="{loss}"',
            "the model's last layer has one unit, which can tell no classes apart",
            got=f"output {show(shape)}",
            need="one unit for each class",
            fix='Dense(2, activation="softmax"), or loss="binary_crossentropy" with a sigmoid',
        )
    numbers = y.squeeze(-1) if y.ndim == len(shape) + 1 and y.shape[-1] == 1 else y
    if numbers.ndim == len(shape) + 1:
        _one_hot(field, numbers, classes)
        return
    if loss == "categorical_crossentropy":
        raise DataError(
            field,
            "holds class numbers, but this loss takes one-hot rows",
            got=f"shape {show(tuple(y.shape))}",
            need=f"shape (N, {classes})",
            fix='loss="crossentropy", which takes both',
        )
    if numbers.is_floating_point() and bool((numbers != numbers.round()).any()):
        broken = numbers != numbers.round()
        index = int(broken.nonzero()[0, 0])
        raise DataError(
            field,
            "labels are not whole numbers",
            got=f"label {float(numbers[broken][0]):g} at index {index}",
            need=f"class numbers 0 to {classes - 1}, or one-hot rows",
            fix='for numbers that are no classes: loss="mse"',
        )
    low, high = int(numbers.min()), int(numbers.max())
    if low >= 0 and high < classes:
        return
    wrong = (numbers.long() < 0) | (numbers.long() >= classes)
    index = int(wrong.nonzero()[0, 0])
    one_based = low == 1 and high == classes
    raise DataError(
        field,
        f"label {int(numbers[wrong][0])} at index {index}, but the model has {classes} outputs",
        got=f"labels from {low} to {high}",
        need=f"labels from 0 to {classes - 1}",
        fix="the labels begin at 1: y - 1"
        if one_based
        else f"Dense({max(high, classes - 1) + 1}), or other labels",
    )


def _one_hot(field: str, y: Tensor, classes: int) -> None:
    if y.shape[-1] != classes:
        raise DataError(
            field,
            "the one-hot rows have another width than the model's output",
            got=f"{y.shape[-1]} columns",
            need=f"{classes} columns",
            fix=f'Dense({y.shape[-1]}, activation="softmax")',
        )
    wrong = (y.float().sum(-1) - 1).abs() > 1e-3
    if bool(wrong.any()):
        index = int(wrong.nonzero()[0, 0])
        raise DataError(
            field,
            "a row is not a distribution over the classes",
            got=f"row {index} sums to {float(y[index].float().sum()):g}",
            need="rows that sum to 1",
            fix='one class for each sample, or loss="binary_crossentropy" for several',
        )


def _targets(field: str, y: Tensor, shape: tuple[int | None, ...], loss: str) -> None:
    sizes = tuple(y.shape[1:])
    flat = tuple(size for size in sizes if size != 1)
    wanted = tuple(size for size in shape if size != 1)
    if len(flat) != len(wanted) or any(
        b is not None and a != b for a, b in zip(flat, wanted, strict=True)
    ):
        raise DataError(
            field,
            "the targets have another shape than the model's output",
            got=show(tuple(y.shape)),
            need=batch_shape(shape),
            fix=f"{loss} compares element by element"
            if sizes
            else 'loss="crossentropy" for class numbers',
        )
    low, high = float(y.min()), float(y.max())
    if loss == "binary_crossentropy" and not 0 <= low <= high <= 1:
        raise DataError(
            field,
            "binary_crossentropy takes targets from 0 to 1",
            got=f"targets from {low:g} to {high:g}",
            need="0 or 1 for each output",
            fix='one unit for each class, softmax and loss="crossentropy"',
        )


def last_batch(graph: Graph, samples: int, batch_size: int) -> None:
    """Raise DataError where the last batch is one sample and a layer needs the batch's variance."""
    if samples % batch_size != 1:
        return
    for node in graph.nodes:
        smallest = getattr(node.layer, "smallest_batch", None)
        if smallest is not None and smallest(node.inputs[0].spec) > 1:
            raise DataError(
                "batch_size",
                f"leaves one sample for the last batch, too few for {node.layer.where}",
                got=f"{samples} samples in batches of {batch_size}",
                need="2 samples in every batch",
                math=f"{samples} % {batch_size} = 1",
                fix=f"batch_size={batch_size + 1}"
                if samples % (batch_size + 1) != 1
                else f"batch_size={batch_size + 2}",
            )


def _same_rows(field: str, rows: int, samples: int) -> None:
    if rows != samples:
        raise DataError(
            field,
            "has another number of samples than x",
            got=f"{rows} rows",
            need=f"{samples} rows",
        )


def _finite(field: str, values: Tensor) -> None:
    if not values.is_floating_point():
        return
    for start in range(0, len(values), 4096):
        part = values[start : start + 4096]
        if not bool(torch.isfinite(part.sum(dtype=torch.float64))):
            bad = ~torch.isfinite(part.reshape(len(part), -1)).all(1)
            if not bool(bad.any()):
                continue
            index = start + int(bad.nonzero()[0, 0])
            raise DataError(
                field,
                f"sample {index} holds NaN or infinity",
                need="finite numbers",
                fix=f"remove or repair it: {field.split()[-1]}[{index}]",
            )


def note_scale(graph: Graph, x: Tensor) -> None:
    """Say on stderr that the values of the input are large and no layer scales them."""
    first = next((node.layer for node in graph.nodes), None)
    scaled = type(first).__name__ in SCALING
    largest = float(x[:1000].abs().max())
    if largest > 20 and not scaled:
        sys.stderr.write(
            f"note: the input's values reach {largest:g}; networks learn from values near 1: "
            "begin with L.Rescaling(1 / 255)\n"
        )


def class_weights(weights: dict[int, float] | None, outputs: int) -> Callable[[Batch], Batch]:
    """Return what gives each sample of a batch the weight of its class."""
    classes = max(outputs, 2)
    if not weights:
        return lambda batch: batch
    for number, weight in weights.items():
        numeric = isinstance(number, Integral) and isinstance(weight, Real)
        if not (numeric and 0 <= number < classes and weight >= 0 and math.isfinite(weight)):
            raise ConfigError(
                "class_weight",
                f"class {number!r} with weight {weight!r} cannot work",
                need=f"classes 0 to {classes - 1}, weights >= 0",
                fix="class_weight={0: 1.0, 1: 2.0}",
            )
    table = torch.tensor([float(weights.get(number, 1.0)) for number in range(classes)])

    def weigh(batch: Batch) -> Batch:
        y = batch.y[0]
        number = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y))
        weight = table[number.long()]
        return dataclasses.replace(
            batch, weight=weight if batch.weight is None else weight * batch.weight
        )

    return weigh


def not_a_number(weights: Iterable[tuple[str, Tensor]], loss: float, epoch: int) -> str:
    """Return why training stops when the loss is no number."""
    bad = next((name for name, weight in weights if not bool(torch.isfinite(weight).all())), "")
    where = f"; the first weight that is none either is {bad}" if bad else ""
    return (
        f"the loss is {loss} in epoch {epoch + 1}{where}. Try a lower learning rate "
        "(model.find_lr suggests one) or clipnorm=1.0"
    )
