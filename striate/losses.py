"""How wrong an output is: the losses of Keras 3, by name, and any function of (y_true, y_pred)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from .core.spec import show
from .errors import ConfigError, DataError, ShapeError
from .settings import Setting, resolve

EPSILON = 1e-7  # Keras's: the distance that probabilities keep from 0 and 1


@dataclasses.dataclass(frozen=True)
class Loss(Setting):
    """One number per sample, zero (or the least) where the output is right.

    Calling it gives the mean over the batch, `sum(weight * loss) / batch`, as Keras's reduction
    "sum_over_batch_size". Outputs of half precision are computed in float32.

    Example:
        >>> MeanSquaredError()(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.5], [1.0]]))
        tensor(0.1250)
    """

    @property
    def name(self) -> str:
        """Keras's name of the loss, as in "mean_squared_error"."""
        names = (name for name, made in NAMES.items() if made is type(self))
        return next(names, type(self).__name__)

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses, batch first, with or without further axes."""
        raise TypeError(f"{type(self).__name__} does not define values")

    def per_sample(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one number for each sample: the mean over the other axes."""
        values = self._values(y_true, y_pred)
        return values.flatten(1).mean(1) if values.ndim > 1 else values

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the mean over the batch; a weight is one number per sample, or per value."""
        values = self._values(y_true, y_pred)
        if sample_weight is not None:
            values = values * self._weight(sample_weight, values)
        return values.mean()

    def resolve(self, activation: str, output_shape: Sequence[int | None]) -> Loss:
        """Return the loss for a model that ends with this activation and has this output.

        `output_shape` is that of one sample.
        """
        return self

    def takes_logits(self, activation: str) -> Loss | None:
        """Return the same loss for values before this activation, or None where there is none."""
        return None

    def _values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if y_pred.dtype in (torch.float16, torch.bfloat16):
            y_pred = y_pred.float()
        return self.values(torch.as_tensor(y_true, device=y_pred.device), y_pred)

    def _weight(self, weight: Tensor, values: Tensor) -> Tensor:
        weight = torch.as_tensor(weight, dtype=values.dtype, device=values.device)
        if weight.shape == (len(values), 1):
            weight = weight[:, 0]
        if weight.ndim == 0 or weight.shape != values.shape[: weight.ndim]:
            raise ShapeError(
                type(self).__name__,
                "the sample weights do not fit the batch",
                got=f"sample_weight {show(tuple(weight.shape))} for {len(values)} samples",
                need=f"sample_weight {show((len(values),))}",
                fix="one weight for each sample",
            )
        return weight.reshape(*weight.shape, *(1,) * (values.ndim - weight.ndim))


@dataclasses.dataclass(frozen=True)
class Elementwise(Loss):
    """Compares each value of the output with the one at the same place in y_true."""

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return self.compare(*paired(type(self).__name__, y_true, y_pred))

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis, of tensors of one shape."""
        raise TypeError(f"{type(self).__name__} does not define compare")


class MeanSquaredError(Elementwise):
    """`mean((true - pred) ** 2)`."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return (true - pred).square().mean(-1)


class MeanAbsoluteError(Elementwise):
    """`mean(|true - pred|)`."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return (true - pred).abs().mean(-1)


class MeanAbsolutePercentageError(Elementwise):
    """`100 * mean(|true - pred| / max(|true|, 1e-7))`."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return 100 * ((true - pred) / true.abs().clamp(min=EPSILON)).abs().mean(-1)


class MeanSquaredLogarithmicError(Elementwise):
    """`mean((log(1 + true) - log(1 + pred)) ** 2)`; values below 1e-7 count as 1e-7."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        logs = [torch.log(side.clamp(min=EPSILON) + 1) for side in (true, pred)]
        return (logs[0] - logs[1]).square().mean(-1)


@dataclasses.dataclass(frozen=True)
class Huber(Elementwise):
    """The mean of `e ** 2 / 2` for errors to `delta`, `delta * |e| - delta ** 2 / 2` beyond."""

    delta: float = 1.0
    ranges: ClassVar = {"delta": "(0, inf)"}

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return functional.huber_loss(pred, true, reduction="none", delta=self.delta).mean(-1)


class LogCosh(Elementwise):
    """`mean(log(cosh(pred - true)))`, written so that no exponential overflows."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        error = pred - true
        return (error + functional.softplus(-2 * error) - math.log(2)).mean(-1)


class KLDivergence(Elementwise):
    """`sum(true * log(true / pred))`, both clipped to [1e-7, 1]."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        true, pred = true.clamp(EPSILON, 1), pred.clamp(EPSILON, 1)
        return (true * torch.log(true / pred)).sum(-1)


class Poisson(Elementwise):
    """`mean(pred - true * log(pred + 1e-7))`."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return (pred - true * torch.log(pred + EPSILON)).mean(-1)


class Hinge(Elementwise):
    """`mean(max(1 - true * pred, 0))` with true -1 or 1; labels 0 and 1 are taken as -1 and 1."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return (1 - signs(true) * pred).clamp(min=0).mean(-1)


class SquaredHinge(Elementwise):
    """`mean(max(1 - true * pred, 0) ** 2)`, with labels as in Hinge."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return (1 - signs(true) * pred).clamp(min=0).square().mean(-1)


class CategoricalHinge(Elementwise):
    """`max(best wrong - right + 1, 0)`: how far the right class is from leading by 1."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        right, wrong = (true * pred).sum(-1), ((1 - true) * pred).amax(-1)
        return (wrong - right + 1).clamp(min=0)


class CosineSimilarity(Elementwise):
    """`-sum(true * pred) / (|true| * |pred|)`: -1 in the same direction, 1 in the opposite one."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        true, pred = (functional.normalize(side, dim=-1, eps=EPSILON) for side in (true, pred))
        return -(true * pred).sum(-1)


@dataclasses.dataclass(frozen=True)
class Entropy(Loss):
    """A loss of probabilities, which can take logits too: the values before softmax or sigmoid."""

    from_logits: bool | None = False
    choices: ClassVar = {"from_logits": (False, True)}
    activation: ClassVar[str] = "softmax"  # what makes probabilities of logits

    def resolve(self, activation: str, output_shape: Sequence[int | None]) -> Loss:
        """Return the loss, or raise ConfigError for one output, or two activations."""
        if self.from_logits and activation == self.activation:
            raise ConfigError(
                type(self).__name__,
                f"{activation} would be applied twice, by the model and by the loss",
                got=f"from_logits=True for a model that ends in {activation}",
                need="one of the two",
                fix="from_logits=False",
            )
        if self.activation == "softmax" and one_output(output_shape):
            raise ConfigError(
                type(self).__name__,
                "one output is always the most probable, so there is nothing to learn",
                got=f"output {show(tuple(output_shape))}",
                need="one output with sigmoid, or one for each class with softmax",
                fix='L.Dense(1, activation="sigmoid") and loss="binary_crossentropy"',
            )
        return self

    def takes_logits(self, activation: str) -> Loss | None:
        """Return the loss for values before the activation, if it is the one that is undone."""
        fits = activation == self.activation and self.from_logits is False
        return dataclasses.replace(self, from_logits=True) if fits else None


@dataclasses.dataclass(frozen=True)
class BinaryCrossentropy(Entropy, Elementwise):
    """`-mean(true * log(p) + (1 - true) * log(1 - p))`: every output answers yes or no by itself.

    Fields: `from_logits` whether outputs are logits (before sigmoid) instead of probabilities;
    `label_smoothing` in [0, 1] moves labels towards 1/2. Probabilities are clipped to
    [1e-7, 1 - 1e-7].
    """

    label_smoothing: float = 0.0
    ranges: ClassVar = {"label_smoothing": "[0, 1]"}
    activation: ClassVar[str] = "sigmoid"

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        true = true * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        if self.from_logits:
            yes, no = functional.logsigmoid(pred), functional.logsigmoid(-pred)
        else:
            pred = pred.clamp(EPSILON, 1 - EPSILON)
            yes, no = torch.log(pred), torch.log1p(-pred)
        return -(true * yes + (1 - true) * no).mean(-1)


@dataclasses.dataclass(frozen=True)
class CategoricalCrossentropy(Entropy, Elementwise):
    """`-sum(true * log(p))` over the last axis, for one-hot labels or probabilities.

    Fields: `from_logits` whether outputs are logits (before softmax) instead of probabilities;
    `label_smoothing` in [0, 1] moves labels towards 1 / classes. Probabilities are divided by
    their sum and clipped to [1e-7, 1 - 1e-7].
    """

    label_smoothing: float = 0.0
    ranges: ClassVar = {"label_smoothing": "[0, 1]"}

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        true = true * (1 - self.label_smoothing) + self.label_smoothing / pred.shape[-1]
        return -(true * log_probabilities(pred, self.from_logits)).sum(-1)


@dataclasses.dataclass(frozen=True)
class SparseCategoricalCrossentropy(Entropy):
    """`-log(p[label])`, for integer labels (N,) or (N, 1) and outputs (N, classes).

    `from_logits`: as in CategoricalCrossentropy. No label is left out: one that is not a class is
    an error.
    """

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses, batch first."""
        labels = classes(type(self).__name__, y_true, y_pred)
        logs = log_probabilities(y_pred, self.from_logits)
        return -logs.gather(-1, labels.unsqueeze(-1)).squeeze(-1)


@dataclasses.dataclass(frozen=True)
class Crossentropy(Entropy):
    """The crossentropy that fits: for integer or one-hot labels, probabilities or logits.

    With one output it is BinaryCrossentropy, otherwise CategoricalCrossentropy, or the sparse one
    where labels are integers, with smoothing for both. `from_logits=None`: the model's last
    activation decides (see `resolve`).
    """

    from_logits: bool | None = None
    label_smoothing: float = 0.0
    ranges: ClassVar = {"label_smoothing": "[0, 1]"}

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses, batch first."""
        if self.from_logits is None:
            raise ConfigError(
                type(self).__name__,
                "it is not known whether the outputs are logits",
                got="from_logits=None",
                need="from_logits=True for logits, False for probabilities",
                fix='model.compile(loss="crossentropy"), which sees how the model ends',
            )
        if one_output(y_pred.shape[1:]):
            return BinaryCrossentropy(self.from_logits, self.label_smoothing).values(y_true, y_pred)
        if y_true.shape == y_pred.shape:
            dense = CategoricalCrossentropy(self.from_logits, self.label_smoothing)
            return dense.values(y_true, y_pred)
        labels = classes(type(self).__name__, y_true, y_pred)
        logs = log_probabilities(y_pred, self.from_logits)
        right = logs.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
        if not self.label_smoothing:
            return -right
        return -(1 - self.label_smoothing) * right - self.label_smoothing * logs.mean(-1)

    def resolve(self, activation: str, output_shape: Sequence[int | None]) -> Loss:
        """Return the loss with `from_logits` known: probabilities come from softmax or sigmoid."""
        logits = self.from_logits
        if logits is None:
            logits = activation not in ("softmax", "sigmoid")
        if one_output(output_shape) and activation != "softmax":
            binary = BinaryCrossentropy(logits, self.label_smoothing)
            return binary.resolve(activation, output_shape)
        super().resolve(activation, output_shape)
        return dataclasses.replace(self, from_logits=logits)


@dataclasses.dataclass(frozen=True)
class Function(Loss):
    """Any function of (y_true, y_pred) that returns one number, or numbers batch first.

    A loss of torch.nn is called as torch does: (y_pred, y_true).
    """

    function: Callable[..., Tensor]

    @property
    def name(self) -> str:
        """Name of the function."""
        return named(self.function)

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return what the function returns."""
        as_torch = isinstance(self.function, nn.modules.loss._Loss)
        found = self.function(*((y_pred, y_true) if as_torch else (y_true, y_pred)))
        if not isinstance(found, Tensor) or found.shape[:1] not in ((), y_pred.shape[:1]):
            shape = f"a tensor {show(tuple(found.shape))}" if isinstance(found, Tensor) else ""
            raise ShapeError(
                self.name,
                "does not return losses",
                got=shape or repr(found),
                need=f"a tensor () or {show(tuple(y_pred.shape[:1]))}",
                fix="reduce all axes but the first: loss.flatten(1).mean(1)" if shape else "",
            )
        return found

    def per_sample(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one number for each sample; all the same if the function returns only one."""
        values = super().per_sample(y_true, y_pred)
        return values if values.ndim else values.expand(len(y_pred))

    def _weight(self, weight: Tensor, values: Tensor) -> Tensor:
        if values.ndim == 0:
            raise ConfigError(
                self.name,
                "returns one number for the batch, so its samples cannot be weighted",
                need="one number for each sample",
                fix='reduction="none"' if isinstance(self.function, nn.Module) else "",
            )
        return super()._weight(weight, values)


NAMES: dict[str, type[Loss]] = {
    "crossentropy": Crossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "bce": BinaryCrossentropy,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "mape": MeanAbsolutePercentageError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "msle": MeanSquaredLogarithmicError,
    "huber": Huber,
    "log_cosh": LogCosh,
    "kl_divergence": KLDivergence,
    "kld": KLDivergence,
    "poisson": Poisson,
    "hinge": Hinge,
    "squared_hinge": SquaredHinge,
    "categorical_hinge": CategoricalHinge,
    "cosine_similarity": CosineSimilarity,
}


def get(given: Any) -> Loss:
    """Return the loss that a name ("mse"), class, description or function stands for."""
    found = resolve("losses", "loss", given, NAMES)
    if isinstance(found, Loss):
        return found
    if not callable(found):
        raise ConfigError(
            "losses",
            "a loss is a name or a function of (y_true, y_pred)",
            got=repr(given),
            need="one of " + ", ".join(NAMES) + ", or a callable",
            fix='"crossentropy"',
        )
    return Function(found)


def named(function: Any) -> str:
    """Return the name of a function, or of the class of a callable object."""
    return str(getattr(function, "__name__", type(function).__name__))


def one_output(shape: Sequence[int | None]) -> bool:
    """Return whether outputs of this shape, without the batch, are single numbers."""
    return not shape or shape[-1] == 1


def paired(where: str, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Return both with one shape (batch, ..., n) and one dtype; a last axis of 1 may be missing."""
    true, pred = y_true, y_pred
    if true.ndim + 1 == pred.ndim and pred.shape[-1] == 1:
        true = true.unsqueeze(-1)
    elif true.ndim == pred.ndim + 1 and true.shape[-1] == 1:
        pred = pred.unsqueeze(-1)
    if true.shape != pred.shape:
        labels = y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1))
        raise ShapeError(
            where,
            "y_true and y_pred have different shapes",
            got=f"y_true {show(tuple(y_true.shape))}, y_pred {show(tuple(y_pred.shape))}",
            need=f"y_true {show(tuple(y_pred.shape))}",
            fix='one-hot labels, or "crossentropy" and "accuracy", which take integers'
            if labels
            else "",
        )
    if pred.ndim == 1:
        true, pred = true.unsqueeze(-1), pred.unsqueeze(-1)
    return true.to(pred.dtype), pred


def classes(where: str, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Return the class numbers (batch, ...) of integer labels for outputs (batch, ..., classes)."""
    whole = y_pred.shape[:-1]
    labels = y_true.squeeze(-1) if y_true.shape == (*whole, 1) else y_true
    if labels.shape != whole or y_pred.ndim < 2:
        raise ShapeError(
            where,
            "the labels do not fit the outputs",
            got=f"y_true {show(tuple(y_true.shape))}, y_pred {show(tuple(y_pred.shape))}",
            need=f"integers y_true {show(tuple(whole))}",
            fix='y_true.argmax(-1), or "crossentropy" and "accuracy", which take one-hot labels'
            if y_true.shape == y_pred.shape
            else "",
        )
    known = y_pred.shape[-1]
    # Elsewhere the range is checked by the device: asking for it here would make the step wait.
    if labels.device.type == "cpu" and labels.numel():
        low, high = labels.min().item(), labels.max().item()
        if low < 0 or high >= known:
            raise DataError(
                where,
                "a label is not one of the classes",
                got=f"label {low if low < 0 else high:g}",
                need=f"0 to {known - 1}, for {known} outputs",
                fix="count classes from 0, or give the last layer one output for each class",
            )
    return labels.long()


def log_probabilities(y_pred: Tensor, from_logits: bool | None) -> Tensor:
    """Return the logarithms of probabilities over the last axis."""
    if from_logits:
        return functional.log_softmax(y_pred, -1)
    y_pred = y_pred / y_pred.sum(-1, keepdim=True)
    return torch.log(y_pred.clamp(EPSILON, 1 - EPSILON))


def signs(true: Tensor) -> Tensor:
    """Return labels -1 and 1 for labels 0 and 1; others as they are."""
    binary = ((true == 0) | (true == 1)).all()
    return torch.where(binary, 2 * true - 1, true)
