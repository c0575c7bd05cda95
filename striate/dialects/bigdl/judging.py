"""Samples, tensors and results as scripts hold them; data as arrays; judging by BigDL's methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import caller
from ..table import DialectError

Array = NDArray[Any]
Arrays = list[Array]


class JTensor:
    """An array as BigDL sends it to the JVM."""

    def __init__(self, storage: Any, shape: Any, bigdl_type: str = "float", indices: Any = None):
        self.storage = np.asarray(storage, dtype="float32")
        self.shape = tuple(int(n) for n in np.atleast_1d(shape))

    @classmethod
    def from_ndarray(cls, a_ndarray: Any, bigdl_type: str = "float") -> JTensor | None:
        """Return an array as a JTensor; a number has the shape (1,)."""
        if a_ndarray is None:
            return None
        array = np.atleast_1d(np.asarray(a_ndarray, dtype="float32"))
        return cls(array.reshape(-1), array.shape)

    def __repr__(self) -> str:
        return f"JTensor: storage: {self.storage}, shape: {list(self.shape)}, float"

    def to_ndarray(self) -> Array:
        """Return the array."""
        return self.storage.reshape(self.shape)


class Sample:
    """Features and labels of one thing to learn from."""

    def __init__(self, features: Sequence[JTensor], labels: Sequence[JTensor],
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.features, self.labels = list(features), list(labels)
        self.feature = self.features[0]
        self.label = self.labels[0] if self.labels else None

    def __repr__(self) -> str:
        return f"Sample: features: {self.features}, labels: {self.labels}"

    @classmethod
    def from_ndarray(cls, features: Any, labels: Any, bigdl_type: str = "float") -> Sample:
        """Return a sample of arrays, or of lists of them."""
        return cls(_tensors(features), _tensors(labels))

    @classmethod
    def from_jtensor(cls, features: Any, labels: Any, bigdl_type: str = "float") -> Sample:
        """Return a sample of JTensors, or of lists of them."""
        feature, label = ([one] if isinstance(one, JTensor) else list(one)
                          for one in (features, labels))  # fmt: skip
        return cls(feature, label)


class EvaluatedResult:
    """What a validation method found."""

    def __init__(self, result: float, total_num: int, method: str) -> None:
        self.result, self.total_num, self.method = result, total_num, method

    def __str__(self) -> str:
        return (f"Evaluated result: {self.result}, total_num: {self.total_num}, "
                f"method: {self.method}")  # fmt: skip

    __repr__ = __str__


def _tensors(given: Any) -> list[JTensor]:
    several = given if isinstance(given, list) else [given]
    found = [JTensor.from_ndarray(one) for one in several]
    return [one for one in found if one is not None]


def arrays_of(x: Any, y: Any) -> tuple[Arrays, Any]:
    """Return features and labels as arrays: of arrays, of samples, or of pairs of both.

    Labels are a list of arrays where a sample has several.
    """
    if hasattr(x, "collect") or hasattr(x, "samples"):
        return _of_elements(list(getattr(x, "samples", x).collect()))
    if isinstance(x, (list, tuple)) and x and isinstance(x[0], Sample):
        return _of_elements(list(x))
    several = [np.asarray(one) for one in x] if isinstance(x, (list, tuple)) else [np.asarray(x)]
    table = isinstance(y, list) and bool(y) and all(np.ndim(one) > 0 for one in y)
    if table and all(len(one) == len(several[0]) for one in y):
        return several, [np.asarray(one) for one in y]
    return several, None if y is None else np.asarray(y)


def _of_elements(elements: list[Any]) -> tuple[Arrays, Any]:
    if not elements:
        raise DialectError(
            "BigDL 0.7", "the data hold no samples", need="at least one", at=caller()
        )
    first = elements[0]
    if isinstance(first, Sample):
        features = [np.stack([one.features[at].to_ndarray() for one in elements])
                    for at in range(len(first.features))]  # fmt: skip
        labels = [np.stack([one.labels[at].to_ndarray() for one in elements])
                  for at in range(len(first.labels))]  # fmt: skip
        return features, (labels if len(labels) > 1 else labels[0]) if labels else None
    if hasattr(first, "feature"):  # a Sample of the real package
        features = [np.stack([np.asarray(one.feature.to_ndarray()) for one in elements])]
        return features, np.stack([np.asarray(one.label.to_ndarray()) for one in elements])
    if isinstance(first, tuple) and len(first) == 2:
        return [np.stack([np.asarray(one[0]) for one in elements])], np.stack(
            [np.atleast_1d(one[1]) for one in elements]
        )
    return [np.stack([np.asarray(one) for one in elements])], None


# ---- methods -------------------------------------------------------------------------------------


class ValidationMethod:
    """A way of judging outputs: `score` gives the sum over a batch, and how many were judged."""

    name = ""

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
        from .criterions import Criterion

        criterion = self.criterion or Criterion.of("ClassNLLCriterion")
        return float(criterion.forward(output, target)) * len(output), len(output)


class MAE(ValidationMethod):
    """The mean distance between outputs and targets."""

    name = "MAE"

    def score(self, output: Array, target: Array) -> tuple[float, int]:
        """Return the sum of the distances."""
        away = np.abs(output.reshape(len(output), -1) - target.reshape(len(output), -1))
        return float(away.mean(1).sum()), len(output)


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
    for begin in range(0, len(x[0]), step):
        part = [np.asarray(one[begin : begin + step], dtype="float32") for one in x]
        out = model.predict(part if len(part) > 1 else part[0])
        for at, method in enumerate(methods):
            total, count = method.score(out, y[begin : begin + step])
            sums[at] += total
            counts[at] += count
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


def float_tensor(given: Any) -> torch.Tensor:
    """Return numbers as a float32 tensor."""
    return torch.as_tensor(np.asarray(given), dtype=torch.float32)
