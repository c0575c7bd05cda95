"""Losses of a Keras script: names, functions and classes of all versions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ... import losses as native
from ...errors import ConfigError
from ..symbolic import lift, tensor
from . import losses_overlap
from .in_files import told_of
from .losses_reduced import reduced
from .session import KerasSession

SPELLINGS = {
    "kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh", "MSE": "mse",
    "MAE": "mae", "MAPE": "mape", "MSLE": "msle", "KLD": "kld", "rmse": "mse",
}  # fmt: skip
NEGATED = (
    "cosine_proximity",
    "cosine",
)  # of Keras 1 and 2: minus the cosine, like cosine_similarity


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


ORDERS = {  # of arguments after y_true and y_pred
    "huber": ("delta",), "cosine_similarity": ("axis",), "cosine": ("axis",),
    "sparse_categorical_crossentropy": ("from_logits", "ignore_class", "axis"),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Ignoring(Lenient, native.SparseCategoricalCrossentropy):
    """The entropy of class numbers, of which `ignore_class`, such as 255, adds nothing to it.

    The mean is over the other ones.
    """

    ignore_class: int | None = None

    @property
    def takes_any_labels(self) -> bool:
        """Whether labels may be no class."""
        return self.ignore_class is not None

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses, batch first."""
        if self.ignore_class is None:
            return super().values(y_true, y_pred)
        counts = self.counts(y_true, y_pred)
        known = y_true.reshape(counts.shape).where(counts, 0)
        return super().values(known, y_pred).where(counts, 0)

    def counts(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return which labels count."""
        assert self.ignore_class is not None
        return y_true.reshape(y_pred.shape[:-1]).ne(self.ignore_class)

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the mean over the labels that count."""
        found = super().__call__(y_true, y_pred, sample_weight)
        if self.ignore_class is None:
            return found
        counts = self.counts(y_true, y_pred)
        return found * (counts.numel() / counts.sum().clamp(min=1))

    def scores(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return what a metric takes the mean of: the losses of labels that count."""
        found = super().scores(y_true, y_pred)
        return found if self.ignore_class is None else found[self.counts(y_true, y_pred)]


Ignoring.__name__ = "SparseCategoricalCrossentropy"
ENTROPIES[Ignoring.__name__] = Ignoring


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
    return own(given, told_of(given))


class Own(native.Function):
    """A script's own loss, which may take class numbers where the model gives several outputs.

    `told` is what a file says of it; None where a file cannot.
    """

    takes_any_labels = True
    told: ClassVar[Any] = None

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return what the function returns; numbers that are not the samples' are one together."""
        found: Tensor = self.function(y_true, y_pred)
        return found if found.shape[:1] in ((), y_pred.shape[:1]) else found.mean()

    def _weight(self, weight: Tensor, values: Tensor) -> Tensor:
        """Return the weights of samples; a number of the batch is weighted by their mean."""
        return super()._weight(weight, values) if values.ndim else weight.mean()


def own(function: Callable[..., Any], told: Any) -> Own:
    """Return a script's loss, of which a file says this."""
    made = Own(as_keras(function))
    object.__setattr__(made, "told", told)
    return made


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


def for_each(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Return the labels of one sample as those of each, as TensorFlow broadcasts them."""
    inner = y_pred.shape[y_pred.ndim - y_true.ndim :]
    fewer = 0 < y_true.ndim < y_pred.ndim and y_pred.shape[-1] > 1
    return y_true.expand_as(y_pred) if fewer and y_true.shape == inner else y_true


def together(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return both for the same samples, where one of them is that of a single sample."""
    if a.ndim == b.ndim > 0 and a.shape[1:] == b.shape[1:] and 1 in (len(a), len(b)):
        a, b = torch.broadcast_tensors(a, b)
    return a, b


# ---- objects -------------------------------------------------------------------------------------


class Spoken:
    """A loss object of a script: called on labels and outputs, it gives a number."""

    native_class: Any = None

    def __init__(self, *args: Any, reduction: Any = "auto", name: str | None = None,
                 dtype: Any = None, **words: Any) -> None:  # fmt: skip
        count = len(dataclasses.fields(self.native_class)) if self.native_class else 0
        later = [one for one in args[count:] if not isinstance(one, int)]  # an axis is before
        reduction, name, *_ = [*later, *[reduction, name][len(later) :]]
        self.reduction = str(reduction or "none").lower()
        words.pop("axis", None)
        self.name = name or type(self).__name__
        self.fields = self.native_class(*args[:count], **words) if self.native_class else None

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for each sample; a script's own class says which."""
        assert self.fields is not None
        true, pred = tensor(y_true), tensor(y_pred).float()
        sparse = isinstance(self.fields, native.SparseCategoricalCrossentropy)
        values = self.fields.values(true if sparse else for_each(true, pred), pred)
        return values.mean(-1) if values.ndim == tensor(y_pred).ndim > 0 else values

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the mean over samples, or what the reduction says."""
        values = tensor(self.call(tensor(y_true), tensor(y_pred)))
        if sample_weight is not None:
            values = values * tensor(sample_weight).to(values)
        if self.reduction in ("none", "reduction.none"):
            return values
        if self.reduction.rpartition(".")[2] == "sum":
            return values.sum()
        if not isinstance(self.fields, Ignoring) or self.fields.ignore_class is None:
            return values.mean()
        return values.sum() / self.fields.counts(tensor(y_true), tensor(y_pred)).sum().clamp(min=1)

    @property
    def native_loss(self) -> Any:
        """The loss that fit uses."""
        if type(self).__call__ is not Spoken.__call__:
            return own(self, told_of(self))
        theirs = type(self).call is not Spoken.call or self.fields is None
        return reduced(own(self.call, told_of(self)) if theirs else self.fields, self.reduction)

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
        order = ORDERS.get(word, ("from_logits", "label_smoothing", "axis"))

        def function(y_true: Any, y_pred: Any, *args: Any, **words: Any) -> Any:
            given = {**dict(zip(order, args, strict=False)), **words}
            axis = given.pop("axis", -1)
            found = by_name(word)
            given = {key: one for key, one in given.items() if one}
            found = dataclasses.replace(found, **given) if given else found
            true, pred = tensor(y_true), tensor(y_pred)
            pred = pred if pred.is_floating_point() else pred.float()
            if axis != -1:
                true = true.movedim(axis, -1) if true.ndim == pred.ndim else true
                pred = pred.movedim(axis, -1)
            true, pred = together(true if "sparse" in word else for_each(true, pred), pred)
            values = found.values(true, pred)
            return values.mean(-1) if values.ndim == pred.ndim > 0 else values

        function.__name__ = word
        made = lift(function)
        made.native = word  # type: ignore[attr-defined]
        return made

    words = (*native.NAMES, *SPELLINGS, *NEGATED)
    made = {word: make(word) for word in words if word != "crossentropy"}
    made |= losses_overlap.functions()
    return {**made, "get": lambda identifier: made.get(identifier, identifier)}
