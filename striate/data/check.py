"""What is looked at before the first step: settings, shapes, targets, NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.graph import Graph
from ..errors import DataError
from ..settings import check_range
from .feed import Batch
from .fit import check_batch
from .labels import targets

SETTINGS = {  # the interval of each number that the verbs take, and what is usual
    "batch_size": ("int [1, inf)", 32),
    "epochs": ("int [0, inf)", 1),
    "initial_epoch": ("int [0, inf)", 0),
    "validation_split": ("[0, 1)", 0.1),
    "steps_per_epoch": ("int [1, inf)", ""),
    "validation_steps": ("int [1, inf)", ""),
    "validation_batch_size": ("int [1, inf)", 32),
    "validation_freq": ("int [1, inf)", 1),
    "steps": ("int [1, inf)", ""),
}

NUMPY = (torch.float32, torch.float64)  # what both know
MUST = ("epochs", "initial_epoch", "validation_freq")  # None says nothing


def settings(verb: str, **given: Any) -> None:
    """Raise ConfigError for a number given to fit, evaluate or predict that cannot work."""
    for field, value in given.items():
        if value is not None or field in MUST:
            check_range(verb, field, value, *SETTINGS[field])


def batch(where: str, graph: Graph, losses: Sequence[Any], data: Batch, name: str = "") -> None:
    """Raise DataError or ShapeError if samples are not what the model can learn from.

    `losses`: one for each output. `name`: "" or "validation ", for the message.
    """
    if not data.size:
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
    given = data.weight if isinstance(data.weight, tuple) else (data.weight,)
    weights = tuple(weight for weight in given if weight is not None)
    if isinstance(data.weight, tuple) and len(given) != len(graph.outputs):
        raise DataError(
            f"{name}sample_weight",
            "has weights for another number of outputs than the model has",
            got=f"{len(given)} arrays for {len(graph.outputs)} outputs",
            fix="one array for all outputs, or one (or None) for each",
        )
    for field, several in (("x", data.x), ("y", data.y), ("sample_weight", weights)):
        for part in several:
            _same_rows(f"{name}{field}", part, data.size)
            _finite(f"{name}{field}", part)
    if len(data.y) != len(graph.outputs):
        raise DataError(
            f"{name}y",
            f"the model has {len(graph.outputs)} output{'s'[: len(graph.outputs) > 1]}",
            got=f"{len(data.y)} arrays",
            fix="one array of targets for each output",
        )
    for y, loss, output in zip(data.y, losses, graph.outputs, strict=True):
        if y.device.type == "cpu":  # elsewhere, asking for a number would make the step wait
            targets(f"{name}y", y, output.spec.shape, loss)


def _same_rows(field: str, part: Tensor, samples: int) -> None:
    rows = len(part) if part.ndim else 0
    if rows != samples:
        raise DataError(
            field,
            "has another number of samples than x",
            got=f"{rows} rows",
            need=f"{samples} rows",
            fix="" if field.endswith("x") else "one for each sample, in the order of x",
        )


def _finite(field: str, values: Tensor) -> None:
    if not values.is_floating_point() or values.device.type != "cpu":
        return
    for start in range(0, len(values), 4096):
        part = values[start : start + 4096]
        if not math.isfinite(_sum(part)):
            bad = ~torch.isfinite(part.reshape(len(part), -1)).all(1)
            if not bool(bad.any()):
                continue
            index = start + int(bad.nonzero()[0, 0])
            raise DataError(
                field,
                f"sample {index} holds NaN or infinity",
                need="finite numbers",
                fix=f"leave it out: np.delete(x, {index}, 0), np.delete(y, {index}, 0)",
            )


def _sum(values: Tensor) -> float:
    """Return a sum of which it counts alone whether it is finite.

    On this thread: torch's others would go on spinning, where those of the next step must wait.
    """
    if values.dtype not in NUMPY:
        return float(values.sum(dtype=torch.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        return float(values.detach().numpy().sum())
