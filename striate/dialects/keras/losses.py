"""Losses and metrics of a Keras script: names, functions and classes of all versions."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ... import losses as native, metrics
from ...errors import ConfigError
from ..symbolic import lift, tensor
from . import losses_overlap, metrics_counted, metrics_old
from .losses_reduced import reduced
from .newer import R2Score
from .session import KerasSession

SPELLINGS = {
    "kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh", "MSE": "mse",
    "MAE": "mae", "MAPE": "mape", "MSLE": "msle", "KLD": "kld", "rmse": "mse",
}  # fmt: skip
NEGATED = (
    "cosine_proximity",
    "cosine",
)  # of Keras 1 and 2: minus the cosine, like cosine_similarity
LONG = {
    "mse": "mean_squared_error", "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error", "msle": "mean_squared_logarithmic_error",
}  # fmt: skip


class Top(metrics.TopK):
    """The part of samples whose label is among the k best; all of them where there are no more."""

    def right(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return 1 where right."""
        if y_pred.shape[-1] <= self.k:
            return torch.ones(y_pred.shape[:-1])
        return super().right(y_true, y_pred)


ACCURACIES: dict[str, Any] = {
    "binary_accuracy": metrics.BinaryAccuracy, "categorical_accuracy": metrics.CategoricalAccuracy,
    "sparse_categorical_accuracy": metrics.SparseCategoricalAccuracy,
    "accuracy": metrics.Accuracy, "top_k_categorical_accuracy": Top,
    "sparse_top_k_categorical_accuracy": Top,
}  # fmt: skip


class Lenient:
    """An entropy that takes any output as probabilities, cut to [1e-7, 1 - 1e-7], as Keras does.

    So it does with targets: a row of zeros, such as a step of padding, adds nothing to the loss.
    """

    takes_any_rows = True

    def resolve(self, activation: str, output_shape: Any) -> Any:
        """Return the loss, whatever the model ends with."""
        try:
            return super().resolve(activation, output_shape)  # type: ignore[misc]
        except ConfigError:
            return self


def _lenient(cls: type[Any]) -> type[Any]:
    made = type(cls.__name__, (Lenient, cls), {})
    return dataclasses.dataclass(frozen=True)(made)


NATIVE_ENTROPIES = (
    native.CategoricalCrossentropy,
    native.SparseCategoricalCrossentropy,
    native.BinaryCrossentropy,
)
ENTROPIES = {cls.__name__: _lenient(cls) for cls in NATIVE_ENTROPIES}


def by_name(word: str) -> Any:
    """Return the native loss of a name."""
    if word.lower() in NEGATED:
        return native.CosineSimilarity()
    found = native.get(SPELLINGS.get(word, word))
    cls = ENTROPIES.get(type(found).__name__)
    return cls() if cls else found


def loss(given: Any) -> Any:
    """Return a loss in native words: of a name, a function, an object, or lists of them."""
    if isinstance(given, Mapping):
        return {key: loss(value) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [loss(item) for item in given]
    word = getattr(given, "native", given)
    if isinstance(word, str):
        return by_name(word)
    if isinstance(given, native.Loss) and type(given) in NATIVE_ENTROPIES:  # of a file
        return ENTROPIES[type(given).__name__](**dataclasses.asdict(given))
    if given is None or isinstance(given, native.Loss):
        return given
    if isinstance(given, Spoken):
        return given.native_loss
    if isinstance(given, type) and issubclass(given, Spoken):
        return given().native_loss
    return Own(as_keras(given))


class Own(native.Function):
    """A script's own loss, which may take class numbers where the model gives several outputs."""

    takes_any_labels = True

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return what the function returns; numbers that are not the samples' are one together."""
        found: Tensor = self.function(y_true, y_pred)
        return found if found.shape[:1] in ((), y_pred.shape[:1]) else found.mean()

    def _weight(self, weight: Tensor, values: Tensor) -> Tensor:
        """Return the weights of samples; a number of the batch is weighted by their mean."""
        return super()._weight(weight, values) if values.ndim else weight.mean()


def as_keras(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a script's loss, whose labels have the dtype and the axes of the outputs."""

    def call(y_true: Tensor, y_pred: Tensor) -> Any:
        return tensor(function(aligned(y_true, y_pred), y_pred))

    call.__name__ = getattr(function, "__name__", type(function).__name__)
    return call


def aligned(y_true: Any, y_pred: Tensor) -> Tensor:
    """Return labels as the outputs are: floating point, with a last axis of 1 where theirs is.

    Class numbers of several outputs stay whole.
    """
    true: Tensor = tensor(y_true)
    flat = true.ndim < y_pred.ndim or (true.shape[-1:] == (1,) != y_pred.shape[-1:])
    if true.is_floating_point() or not flat or y_pred.shape[-1] == 1:
        true = true.to(y_pred.dtype)
    return true.unsqueeze(-1) if true.ndim == 1 and y_pred.ndim == 2 else true


# ---- objects -------------------------------------------------------------------------------------


class Spoken:
    """A loss object of a script: called on labels and outputs, it gives a number."""

    native_class: Any = None

    def __init__(self, *args: Any, reduction: Any = "auto", name: str | None = None,
                 dtype: Any = None, **words: Any) -> None:  # fmt: skip
        self.reduction = str(reduction or "none").lower()
        words.pop("axis", None)
        self.name = name or type(self).__name__
        self.fields = self.native_class(*args, **words) if self.native_class else None

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for each sample; a script's own class says which."""
        assert self.fields is not None
        values = self.fields.values(tensor(y_true), tensor(y_pred).float())
        return values.mean(-1) if values.ndim == tensor(y_pred).ndim > 0 else values

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the mean over samples, or what the reduction says."""
        values = tensor(self.call(tensor(y_true), tensor(y_pred)))
        if sample_weight is not None:
            values = values * tensor(sample_weight).to(values)
        if self.reduction in ("none", "reduction.none"):
            return values
        return values.sum() if self.reduction.rpartition(".")[2] == "sum" else values.mean()

    @property
    def native_loss(self) -> Any:
        """The loss that fit uses."""
        if type(self).__call__ is not Spoken.__call__:
            return Own(as_keras(self))
        own = type(self).call is not Spoken.call or self.fields is None
        return reduced(Own(as_keras(self.call)) if own else self.fields, self.reduction)

    def get_config(self) -> dict[str, Any]:
        """Return the settings."""
        return {"reduction": self.reduction, "name": self.name}


def loss_classes() -> dict[str, type[Spoken]]:
    """Return the classes of losses by their names."""
    found = {
        name: cls
        for name, cls in vars(native).items()
        if isinstance(cls, type) and issubclass(cls, native.Loss)
        and name not in ("Loss", "Function", "Elementwise", "Entropy", "Crossentropy")
    }  # fmt: skip
    made = {
        name: type(name, (Spoken,), {"native_class": staticmethod(ENTROPIES.get(name, cls))})
        for name, cls in found.items()
    }
    return {"Loss": Spoken, "Reduction": Reduction, **made, **losses_overlap.classes(Spoken)}


class Reduction:
    """Names of what becomes of the losses of samples."""

    AUTO, NONE, SUM, SUM_OVER_BATCH_SIZE = "auto", "none", "sum", "sum_over_batch_size"


def loss_functions(session: KerasSession) -> dict[str, Any]:
    """Return the functions of losses by their names: (y_true, y_pred) gives one number a sample."""

    def make(word: str) -> Callable[..., Any]:
        def function(y_true: Any, y_pred: Any, from_logits: bool = False,
                     label_smoothing: float = 0.0,
                     axis: int = -1) -> Any:  # fmt: skip
            found = by_name(word)
            if from_logits or label_smoothing:
                more = (label_smoothing,) if label_smoothing else ()
                found = type(found)(from_logits, *more)
            true, pred = tensor(y_true), tensor(y_pred)
            values = found.values(true, pred if pred.is_floating_point() else pred.float())
            return values.mean(-1) if values.ndim == pred.ndim > 0 else values

        function.__name__ = word
        made = lift(function)
        made.native = word  # type: ignore[attr-defined]
        return made

    words = (*native.NAMES, *SPELLINGS, *NEGATED)
    made = {word: make(word) for word in words if word != "crossentropy"}
    made |= losses_overlap.functions()
    return {**made, "get": lambda given: made.get(given, given)}


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
        word = UNUSUAL.get(kind, _snake(kind))
        counts = not (self.fixed or self.session is None)
        self.name = name or (self.session.name(word) if counts else word)
        self.kept: list[Tensor] = []
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
        given = [tensor(arg) for arg in args if arg is not None]
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

    def get_config(self) -> dict[str, Any]:
        """Return the settings."""
        return {"name": self.name}


class Equal(metrics.Scored):
    """The part of values that are equal."""

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(lambda true, pred: true.reshape(pred.shape).eq(pred).float(), name)


def _losses_as_metric(cls: Any) -> Callable[..., Any]:
    def make(*args: Any, **words: Any) -> Any:
        made = cls(*args, **words)
        return metrics.Scored(made.scores, made.name)

    return make


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

    def update(self, values: Tensor, *weights: Any) -> None:
        """Take numbers in."""
        self.value = self.value + values.detach().sum()

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
        "LogCoshError": _losses_as_metric(native.LogCosh),
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
        return SPELLINGS.get(word, word) if word.isupper() or word in SPELLINGS else _snake(word)
    if isinstance(word, Spoken):
        return metrics.Scored(word.native_loss.scores, word.name)
    if callable(given) and not hasattr(given, "update"):
        return metrics.Scored(
            native.Function(as_keras(given)).scores, getattr(given, "__name__", "metric")
        )
    return given


def by_shape(asked: Any, loss: Any, shape: tuple[int | None, ...]) -> Any:
    """Return metrics whose accuracy is about classes where there are several outputs.

    Natively, and up to Keras 2.3, a binary loss makes it count each output.
    """
    binary = getattr(loss, "kind", "") == "binary_crossentropy"
    if not binary or not isinstance(asked, list) or shape[-1:] in ((), (1,)):
        return asked
    return [metrics.Accuracy(one) if one in ("accuracy", "acc") else one for one in asked]


def _snake(name: str) -> str:
    from ...core.layer import snake

    return snake(name)
