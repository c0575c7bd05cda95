"""Whether targets are what a loss takes: class numbers, one-hot rows, or values of the output."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from ..core.spec import Shape, show
from ..core.symbol import Symbol
from ..errors import ConfigError, DataError
from .feed import Batch, each
from .fit import batch_shape

CLASSES = ("crossentropy", "sparse_categorical_crossentropy", "categorical_crossentropy")


def targets(field: str, y: Tensor, shape: Shape, loss: Any) -> None:
    """Raise DataError unless `y` is what this loss of an output of this shape takes."""
    if getattr(loss, "takes_any_labels", False):
        return
    if loss.kind in CLASSES:
        labels(field, y, shape, loss.kind, getattr(loss, "takes_any_rows", False))
    else:
        _targets(field, y, shape, loss.kind)


def labels(
    field: str, y: Tensor, shape: tuple[int | None, ...], loss: str, any_rows: bool = False
) -> None:
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
    found = y.squeeze(-1) if y.ndim == len(shape) + 1 and y.shape[-1] == 1 else y
    if found.ndim == len(shape) + 1:
        _one_hot(field, found, classes)
        if not any_rows:
            _distributions(field, found, classes)
        return
    if loss == "categorical_crossentropy":
        raise DataError(
            field,
            "holds class numbers, but this loss takes one-hot rows",
            got=f"shape {show(tuple(y.shape))}",
            need=f"shape (N, {classes})",
            fix='loss="crossentropy", which takes both',
        )
    if found.is_floating_point() and bool((found != found.round()).any()):
        broken = found != found.round()
        index = int(broken.nonzero()[0, 0])
        raise DataError(
            field,
            "labels are not whole numbers",
            got=f"label {float(found[broken][0]):g} at index {index}",
            need=f"class numbers 0 to {classes - 1}, or one-hot rows",
            fix='y.round(), or loss="mse" for numbers that are no classes',
        )
    low, high = int(found.min()), int(found.max())
    if low >= 0 and high < classes:
        return
    wrong = (found.long() < 0) | (found.long() >= classes)
    index = int(wrong.nonzero()[0, 0])
    raise DataError(
        field,
        f"label {int(found[wrong][0])} at index {index}, but the model has {classes} outputs",
        got=f"labels from {low} to {high}",
        need=f"labels from 0 to {classes - 1}",
        fix=_renumbered(low, high, classes),
    )


def _renumbered(low: int, high: int, classes: int) -> str:
    """Return what can be done about labels outside of the classes."""
    if low == 1 and high == classes:
        return "the labels begin at 1: y - 1"
    if low < 0:
        return "leave the samples without a class out: x[y >= 0], y[y >= 0]"
    return f"Dense({high + 1}), or other labels"


def _one_hot(field: str, y: Tensor, classes: int) -> None:
    if y.shape[-1] != classes:
        raise DataError(
            field,
            "the one-hot rows have another width than the model's output",
            got=f"{y.shape[-1]} columns",
            need=f"{classes} columns",
            fix=f'Dense({y.shape[-1]}, activation="softmax")',
        )


def _distributions(field: str, y: Tensor, classes: int) -> None:
    wrong = (y.float().sum(-1) - 1).abs() > 1e-3
    if bool(wrong.any()):
        index = int(wrong.nonzero()[0, 0])
        raise DataError(
            field,
            "a row is not a distribution over the classes",
            got=f"row {index} sums to {float(y[index].float().sum()):g}",
            need="rows that sum to 1",
            fix=f'Dense({classes}, activation="sigmoid") and loss="binary_crossentropy", or one '
            "class for each sample",
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
            fix=f'Dense({int(high) + 1}, activation="softmax") and loss="crossentropy"'
            if low >= 0 and bool((y == y.round()).all())
            else 'loss="mse" for numbers that are no classes',
        )


def class_weights(
    weights: dict[int, float] | None, outputs: Sequence[Symbol]
) -> Callable[[Batch], Batch]:
    """Return what gives each sample of a batch the weight of its class."""
    if weights is None:
        return lambda batch: batch
    if not isinstance(weights, dict):
        raise ConfigError(
            "class_weight",
            f"a {type(weights).__name__} does not give each class a weight",
            got=f"class_weight={weights!r}",
            need="a dictionary: the class number, its weight",
            fix="class_weight={0: 1.0, 1: 2.0}",
        )
    if len(outputs) > 1:
        raise ConfigError(
            "class_weight",
            f"the model has {len(outputs)} outputs, and the classes of one only can be weighted",
            fix="sample_weight, one number for each sample",
        )
    classes = max(outputs[0].spec.shape[-1] or 1, 2)
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
        weight = table.to(batch.y[0].device)[numbers(batch.y[0])]
        return dataclasses.replace(
            batch, weight=weight if batch.weight is None else each(batch.weight, weight.mul)
        )

    return weigh


def numbers(y: Tensor) -> Tensor:
    """Return the class number of each sample, of class numbers or one-hot rows."""
    return (y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y))).long()
