"""Metrics of a Keras script: names, functions and classes of all versions."""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ... import losses as native, metrics
from ...core.layer import snake
from ..symbolic import lift, tensor
from . import metrics_counted, metrics_old
from .in_files import told_of
from .losses import ENTROPIES, NEGATED, SPELLINGS, Spoken, as_keras
from .newer import R2Score
from .session import KerasSession

LONG = {
    "mse": "mean_squared_error", "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error", "msle": "mean_squared_logarithmic_error",
}  # fmt: skip


class Top(metrics.TopK):
    """The part of samples whose label is among the k best; all of them where there are no more."""

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy",
                 from_sorted_ids: bool = False) -> None:  # fmt: skip
        super().__init__(k, name)
        self.sorted_ids = from_sorted_ids

    def right(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return 1 where right; `from_sorted_ids` takes outputs as classes, the best first."""
        if self.sorted_ids:
            best = y_pred[..., : self.k].long()
            return best.eq(y_true.long().reshape(*best.shape[:-1], 1)).any(-1).float()
        if y_pred.shape[-1] <= self.k:
            return torch.ones(y_pred.shape[:-1])
        return super().right(y_true, y_pred)


ACCURACIES: dict[str, Any] = {
    "binary_accuracy": metrics.BinaryAccuracy, "categorical_accuracy": metrics.CategoricalAccuracy,
    "sparse_categorical_accuracy": metrics.SparseCategoricalAccuracy,
    "accuracy": metrics.Accuracy, "top_k_categorical_accuracy": Top,
    "sparse_top_k_categorical_accuracy": Top,
}  # fmt: skip


UNUSUAL = {"FBetaScore": "fbeta_score", "LogCoshError": "logcosh"}  # names of metrics


class Metric:
    """A metric of a script; its own classes define update_state, result and reset_state."""

    kind: Any = None  # the native class
    session: Any = None  # which counts those without a name: precision, precision_1
    fixed: ClassVar[bool] = False  # whether all of a kind have one name

    def __init__(
        self, *args: Any, name: str | None = None, dtype: Any = None, **words: Any
    ) -> None:
        kind = type(self).__name__
        word = UNUSUAL.get(kind, snake(kind))
        counts = not (self.fixed or self.session is None)
        self.name = name or (self.session.name(word) if counts else word)
        self.kept: list[Tensor] = []
        names = [*inspect.signature(self.kind).parameters] if self.kind and args else []
        self.given = {**dict(zip(names, args, strict=False)), **words}  # for files
        self.native = self.kind(*args, **words) if self.kind else None
        if self.native is not None:
            self.native.name = self.name

    def add_weight(self, name: Any = None, shape: Any = (), initializer: Any = "zeros",
                   **words: Any) -> Tensor:  # fmt: skip
        """Return a number, or several, that begin as 0."""
        shape = name if isinstance(name, (tuple, list)) else shape
        value = torch.zeros(tuple(shape or ()))
        self.kept.append(value)
        return value

    add_variable = add_weight

    def update_state(self, *args: Any, **words: Any) -> None:
        """Take a batch in."""
        assert self.native is not None
        named = [words[word] for word in ("values", "y_true", "y_pred") if word in words]
        given = [tensor(arg) for arg in (*args, *named) if arg is not None]
        weight = words.get("sample_weight")
        if isinstance(self.native, metrics.Mean):
            self.native.update(
                given[0].float(), *given[1:], *([tensor(weight)] if weight is not None else [])
            )
            return
        if weight is not None:
            given.append(tensor(weight))
        self.native.update(*given)

    def result(self) -> Any:
        """Return the value of all batches since the last reset."""
        assert self.native is not None
        return self.native.compute()

    def reset_state(self) -> None:
        """Forget all batches."""
        if type(self).reset_states is not Metric.reset_states:
            self.reset_states()
            return
        if self.native is not None:
            self.native.reset()
        for value in self.kept:
            value.zero_()

    @property
    def variables(self) -> list[Any]:
        """What is counted."""
        return list(self.kept)

    def reset_states(self) -> None:
        """Forget all batches, as older versions say it."""
        self.reset_state()

    def __call__(self, *args: Any, **words: Any) -> Any:
        """Take a batch in, and return the value."""
        self.update_state(*args, **words)
        return self.result()

    # what the engine asks of a metric

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        words = {"sample_weight": sample_weight} if sample_weight is not None else {}
        with torch.no_grad():
            self.update_state(y_true, y_pred, **words)

    def compute(self) -> Any:
        """Return the value."""
        return tensor(self.result())

    def reset(self) -> None:
        """Forget all batches."""
        self.reset_state()

    @property
    def told(self) -> Any:
        """What a file says of a script's own metric."""
        return None if type(self).__module__.startswith("striate.") else told_of(self)

    def get_config(self) -> dict[str, Any]:
        """Return the settings."""
        return {"name": self.name, **self.given}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a metric with these settings."""
        return cls(**config)


class Equal(metrics.Scored):
    """The part of values that are equal."""

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(lambda true, pred: true.reshape(pred.shape).eq(pred).float(), name)


def _losses_as_metric(cls: Any) -> Callable[..., Any]:
    def make(*args: Any, axis: int = -1, **words: Any) -> Any:
        made = ENTROPIES.get(cls.__name__, cls)(*args, **words)
        return metrics.Scored(made.scores, made.name)

    return make


def _mean_of(fn: Any, name: Any = None, dtype: Any = None, **words: Any) -> Any:
    """Return the mean of a function of labels and outputs, with arguments."""
    return metrics.Scored(lambda true, pred: tensor(fn(true, pred, **words)).float(), "")


def _cosine(name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> Any:
    return metrics.CosineSimilarity(axis, name)


class Root(metrics.Scored):
    """The root of the mean squared error."""

    def __init__(self, name: str = "root_mean_squared_error") -> None:
        super().__init__(native.MeanSquaredError().scores, name)

    def compute(self) -> Tensor:
        """Return the root."""
        return super().compute().sqrt()


class Total:
    """The sum of numbers given batch by batch."""

    def __init__(self) -> None:
        self.name, self.value = "sum", torch.zeros(())

    def update(self, values: Tensor, weight: Any = None) -> None:
        """Take numbers in, each times its weight."""
        numbers = values.detach().float()
        if weight is not None:
            weight = tensor(weight).float()
            numbers = numbers * weight.reshape(*weight.shape, *(1,) * (numbers.ndim - weight.ndim))
        self.value = self.value + numbers.sum()

    def compute(self) -> Tensor:
        """Return the sum."""
        return self.value

    def reset(self) -> None:
        """Forget them."""
        self.value = torch.zeros(())


def metric_classes(session: Any = None) -> dict[str, Any]:
    """Return the classes of metrics by their names; the session counts those without a name."""
    kinds: dict[str, Any] = {
        "Mean": metrics.Mean, "BinaryAccuracy": metrics.BinaryAccuracy, "Sum": Total,
        "CategoricalAccuracy": metrics.CategoricalAccuracy, "Accuracy": Equal,
        "SparseCategoricalAccuracy": metrics.SparseCategoricalAccuracy,
        "TopKCategoricalAccuracy": Top, "SparseTopKCategoricalAccuracy": Top,
        "RootMeanSquaredError": Root, "R2Score": R2Score,
        "CosineSimilarity": _cosine,
        **metrics_counted.KINDS,
        **{name: _losses_as_metric(cls) for name, cls in vars(native).items()
           if name in ("MeanSquaredError", "MeanAbsoluteError", "KLDivergence", "Hinge",
                       "CategoricalCrossentropy", "SparseCategoricalCrossentropy",
                       "BinaryCrossentropy", "Poisson", "SquaredHinge",
                       "MeanAbsolutePercentageError", "CategoricalHinge",
                       "MeanSquaredLogarithmicError")},
        "LogCoshError": _losses_as_metric(native.LogCosh), "MeanMetricWrapper": _mean_of,
    }  # fmt: skip
    own = type("Metric", (Metric,), {"session": session})
    made = {
        name: type(name, (own,), {"kind": staticmethod(kind),
                                  "fixed": name not in metrics_counted.NUMBERED})
        for name, kind in kinds.items()
    }  # fmt: skip
    return {"Metric": own, **made}


def apart(several: list[Any]) -> list[Any]:
    """Return the metrics of one output, a second one of a name called otherwise."""
    taken: set[str] = set()
    for index, item in enumerate(several):
        name = str(item if isinstance(item, str) else getattr(item, "name", ""))
        if name and name in taken and not isinstance(item, str):
            several[index] = item = copy.copy(item)
            name = next(f"{name}_{n}" for n in itertools.count(1) if f"{name}_{n}" not in taken)
            item.name = name
        taken.add(name)
    return several


def metric_functions(session: KerasSession) -> dict[str, Any]:
    """Return the functions of metrics by their names."""

    def make(word: str) -> Callable[..., Any]:
        def function(y_true: Any, y_pred: Any, *args: Any, **words: Any) -> Any:
            return ACCURACIES[word](*args, **words).right(tensor(y_true), tensor(y_pred))

        function.__name__ = word
        made = lift(function)
        made.native = word  # type: ignore[attr-defined]
        return made

    correlations = {one.__name__: one for one in metrics_counted.CORRELATIONS.values()}
    older = metrics_old.FUNCTIONS if session.version.old else {}
    return {word: make(word) for word in ACCURACIES} | correlations | older


def metric(session: KerasSession, given: Any) -> Any:
    """Return a metric in native words; the accuracy is called as the version calls it."""
    word = getattr(given, "native", given) if not isinstance(given, Metric) else given
    if isinstance(given, type) and issubclass(given, Metric):
        return given()
    if isinstance(word, str):
        if word in ("accuracy", "acc", "Accuracy"):
            return session.version.accuracy or word.lower()
        if word[:1].isupper() and (cls := metric_classes(session).get(word)):
            return cls()  # of tf.keras and Keras 3: the name of a class
        if word.endswith("top_k_categorical_accuracy"):
            return Top(name=word)
        if session.version.old and word in metrics_old.FUNCTIONS:
            given = metrics_old.FUNCTIONS[word]
            return metrics.Scored(native.Function(as_keras(given)).scores, word)
        if word.lower() in NEGATED:
            return metrics.Scored(native.CosineSimilarity().scores, word)
        if session.version.accuracy or callable(given):  # the name of the function
            word = LONG.get(word.lower(), word)
        return SPELLINGS.get(word, word) if word.isupper() or word in SPELLINGS else snake(word)
    if isinstance(word, Spoken):
        return metrics.Scored(word.native_loss.scores, word.name)
    if callable(given) and not hasattr(given, "update"):
        made = metrics.Scored(
            native.Function(as_keras(given)).scores, getattr(given, "__name__", "metric")
        )
        vars(made)["told"] = told_of(given)
        return made
    return given


def by_shape(asked: Any, loss: Any, shape: Any) -> Any:
    """Return metrics whose accuracy is about classes where there are several outputs.

    Natively, and up to Keras 2.3, a binary loss makes it count each output.
    """
    if isinstance(shape, list):  # of several outputs
        lists = asked if any(isinstance(one, list) for one in asked) else [asked] * len(shape)
        each = loss if isinstance(loss, list) else [loss] * len(shape)
        if not len(lists) == len(each) == len(shape):
            return asked
        return [by_shape(*one) for one in zip(lists, each, shape, strict=True)]
    binary = getattr(loss, "kind", "") == "binary_crossentropy"
    if not binary or not isinstance(asked, list) or shape[-1:] in ((), (1,)):
        return asked
    return [metrics.Accuracy(one) if one in ("accuracy", "acc") else one for one in asked]


def of_batches(functions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the functions of metrics as Keras 1 has them: one number for a batch."""
    return {
        name: one if isinstance(one, type) or name == "get" else _of_batch(one)
        for name, one in functions.items()
    }


def _of_batch(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def mean(*args: Any, **words: Any) -> Any:
        return lift(_mean)(function(*args, **words))

    return mean


def _mean(x: Any) -> Tensor:
    return tensor(x).float().mean()
