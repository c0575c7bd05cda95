"""Judging by BigDL's methods, and the results as scripts hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...errors import caller
from ..table import DialectError
from .criterions import Criterion
from .samples import Array, Arrays, arrays_of


class EvaluatedResult:
    """What a validation method found."""

    def __init__(self, result: float, total_num: int, method: str) -> None:
        self.result, self.total_num, self.method = result, total_num, method

    def __str__(self) -> str:
        return (f"Evaluated result: {self.result}, total_num: {self.total_num}, "
                f"method: {self.method}")  # fmt: skip

    __repr__ = __str__


# ---- methods -------------------------------------------------------------------------------------


class ValidationMethod:
    """A way of judging outputs: `score` gives the sum over a batch, and how many were judged."""

    name = ""
    whole = False  # whether it judges all samples at once

    def score(self, output: Array, target: Array) -> tuple[float, int]:
        """Return the sum over a batch and how many were judged."""
        raise TypeError(f"{type(self).__name__} does not define score")

    def told(self, total: float, count: int) -> str:
        """Return the result as the log has it."""
        return f"(Loss: {total}, count: {count}, Average Loss: {total / max(count, 1)})"


class Top1Accuracy(ValidationMethod):
    """The part of samples whose largest output is that of the label, which counts from 1."""

    name = "Top1Accuracy"
    most = 1

    def score(self, output: Array, target: Array) -> tuple[float, int]:
        """Count the right ones."""
        labels = target.reshape(len(target), -1)
        if output.shape[-1] == 1:
            right = (output.reshape(-1) > 0.5) == (labels[:, 0] > 0.5)
        else:
            chosen = labels.argmax(1) + 1 if labels.shape[1] > 1 else labels[:, 0]
            order = np.argsort(-output, -1, kind="stable")[:, : self.most] + 1
            right = (order == chosen.astype("int64")[:, None]).any(1)
        return float(right.sum()), len(output)

    def told(self, total: float, count: int) -> str:
        """Return the result as the log has it."""
        return (f"Accuracy(correct: {int(total)}, count: {count}, "
                f"accuracy: {total / max(count, 1)})")  # fmt: skip


class Top5Accuracy(Top1Accuracy):
    """The part of samples whose label is among the five largest outputs."""

    name = "Top5Accuracy"
    most = 5


class Loss(ValidationMethod):
    """The mean of a criterion, ClassNLLCriterion if none is given."""

    name = "Loss"

    def __init__(self, cri: Any = None, bigdl_type: str = "float") -> None:
        self.criterion = cri

    def score(self, output: Array, target: Array) -> tuple[float, int]:
        """Return the criterion's mean, times the samples."""
        criterion = self.criterion or Criterion.of("ClassNLLCriterion")
        return float(criterion.forward(output, target)) * len(output), len(output)


class MAE(ValidationMethod):
    """The mean distance between outputs and targets."""

    name = "MAE"

    def score(self, output: Array, target: Array) -> tuple[float, int]:
        """Return the sum of the distances."""
        away = np.abs(output.reshape(len(output), -1) - target.reshape(len(output), -1))
        return float(away.mean(1).sum()), len(output)


class AUC(ValidationMethod):
    """The area under the curve of true over false alarms, at so many thresholds from 0 to 1."""

    name = "AUC"
    whole = True

    def __init__(self, threshold_num: int = 200, bigdl_type: str = "float") -> None:
        self.thresholds = np.linspace(0, 1, threshold_num)
        self.thresholds[[0, -1]] = -1e-7, 1 + 1e-7

    def score(self, output: Array, target: Array) -> tuple[float, int]:
        """Return the mean area of the outputs, times the samples."""
        columns = zip(output.reshape(len(output), -1).T, target.reshape(len(target), -1).T,
                      strict=True)  # fmt: skip
        return float(np.mean([self._area(*one) for one in columns])) * len(output), len(output)

    def _area(self, chance: Array, target: Array) -> float:
        passed = chance[None] > self.thresholds[:, None]
        found, false = (passed[:, target == one].mean(1) for one in (1, 0))
        return float(((false[:-1] - false[1:]) * (found[:-1] + found[1:])).sum() / 2)

    def told(self, total: float, count: int) -> str:
        """Return the result as the log has it."""
        return f"(Average score: {total / max(count, 1)}, count: {count})"


def methods_of(setup: Any) -> list[ValidationMethod]:
    """Return the methods that a network was compiled with."""
    methods: list[ValidationMethod] = setup.methods
    return methods


def judge(
    module: Any, x: Arrays, y: Array | None, methods: Sequence[Any], batch_size: int
) -> Iterator[tuple[float, int, str]]:
    """Yield the mean, the number of samples and the name of each method."""
    if y is None:
        raise DialectError("BigDL 0.7", "evaluate got no labels", need="labels, or samples",
                           at=caller())  # fmt: skip
    for total, count, method in totals(module, x, y, methods, batch_size):
        yield total / max(count, 1), count, method.name


def totals(
    module: Any, x: Arrays, y: Array, methods: Sequence[Any], batch_size: int
) -> list[tuple[float, int, Any]]:
    """Return the sum, the number of samples and the method, for each method."""
    model = module.native([tuple(one.shape[1:]) for one in x])
    sums, counts = [0.0] * len(methods), [0] * len(methods)
    step = max(1000, batch_size)  # the outputs do not depend on it
    kept: list[Array] = []
    for begin in range(0, len(x[0]), step):
        part = [np.asarray(one[begin : begin + step], dtype="float32") for one in x]
        out = model.predict(part if len(part) > 1 else part[0])
        kept.append(out)
        for at, method in enumerate(methods):
            if not method.whole:
                total, count = method.score(out, y[begin : begin + step])
                sums[at] += total
                counts[at] += count
    for at, method in enumerate(methods):
        if method.whole:
            sums[at], counts[at] = method.score(np.concatenate(kept), y)
    return list(zip(sums, counts, methods, strict=True))


def evaluate(module: Any, dataset: Any, batch_size: int, val_methods: Sequence[Any]) -> list[Any]:
    """Return a result for each method, on an RDD of samples or on arrays."""
    x, y = arrays_of(*(dataset if isinstance(dataset, tuple) else (dataset, None)))
    found = judge(module, x, y, val_methods, batch_size)
    return [EvaluatedResult(*one) for one in found]


def predictions(module: Any, given: Any) -> Array:
    """Return the outputs for an RDD or an array."""
    x, _ = arrays_of(given, None)
    x = [one.astype("float32") for one in x]
    model = module.native([tuple(one.shape[1:]) for one in x])
    out: Array = model.predict(x if len(x) > 1 else x[0])
    return out
