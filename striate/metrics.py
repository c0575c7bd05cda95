"""What is reported besides the loss: accuracies and means that stay on the device until read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from . import losses
from .core.spec import show
from .errors import ConfigError, ShapeError, unknown
from .losses import Loss
from .settings import check_range

Score = Callable[[Tensor, Tensor], Tensor]
Shape = Sequence[int | None]


class Metric(Protocol):
    """What the engine asks of a metric; `y_pred` is the model's output, after its activation."""

    name: str

    def update(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Take a batch in, without waiting for the device."""

    def compute(self) -> Tensor:
        """Return the value for all batches since the last reset."""

    def reset(self) -> None:
        """Forget all batches."""


@dataclasses.dataclass
class Mean:
    """The mean of numbers given batch by batch: `sum(weight * value) / sum(weight)`; 0 of none.

    Sums are kept in float64 where the device has it, so that long epochs lose nothing.

    Example:
        >>> mean = Mean("loss")
        >>> mean.update(torch.tensor(1.0), 3)
        >>> mean.update(torch.tensor(5.0), 1)
        >>> float(mean.compute())
        2.0
    """

    name: str = "mean"

    _total: Tensor | None = dataclasses.field(default=None, init=False, repr=False)
    _count: Tensor | None = dataclasses.field(default=None, init=False, repr=False)

    def update(self, values: Tensor, sample_weight: Tensor | float | None = None) -> None:
        """Take numbers in; a weight is one for all, or one for each along the first axis."""
        dtype = torch.float32 if values.device.type == "mps" else torch.float64
        values = values.detach().to(dtype)
        if isinstance(sample_weight, Tensor):
            weight = sample_weight.to(values)
        else:
            weight = values.new_full((), 1.0 if sample_weight is None else sample_weight)
        if weight.ndim > values.ndim:  # of places, where there is one number for all of them
            weight = weight.flatten(values.ndim).mean(-1)
        weight = weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
        total, count = (values * weight).sum(), weight.expand(values.shape).sum()
        self._total = total if self._total is None else self._total + total
        self._count = count if self._count is None else self._count + count

    def compute(self) -> Tensor:
        """Return the mean."""
        if self._total is None or self._count is None:
            return torch.zeros(())
        return torch.where(self._count == 0, self._count, self._total / self._count)

    def add(self, total: float, count: float) -> None:
        """Take in a sum of `count` numbers."""
        self.update(torch.tensor(total / count, dtype=torch.float64), count)

    def reset(self) -> None:
        """Forget all numbers."""
        self._total = self._count = None


class Scored:
    """The mean over samples of a function of (y_true, y_pred) that gives one score per sample."""

    any_labels = False  # whether labels may be none of the classes, and are never right then

    def __init__(self, score: Score, name: str) -> None:
        self.score = score
        self.name = name
        self.mean = Mean(name)

    def update(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Take a batch in."""
        y_pred = y_pred.detach()
        self.mean.update(
            self.score(torch.as_tensor(y_true, device=y_pred.device), y_pred), sample_weight
        )

    def count(self, total: float, count: int) -> None:
        """Take in a batch of `count` samples whose scores have this sum."""
        self.mean.add(total, count)

    def compute(self) -> Tensor:
        """Return the mean score."""
        return self.mean.compute()

    def reset(self) -> None:
        """Forget all batches."""
        self.mean.reset()


class BinaryAccuracy(Scored):
    """The part of outputs on the right side of `threshold`, which the label 1 is above."""

    def __init__(self, threshold: float = 0.5, name: str = "binary_accuracy") -> None:
        super().__init__(self.right, name)
        self.threshold = threshold

    def right(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the part that is right, along the last axis."""
        true, pred = losses.paired(self.name, y_true, y_pred)
        return true.eq(pred > self.threshold).float().mean(-1)


class CategoricalAccuracy(Scored):
    """The part of samples whose largest output is that of the one-hot label."""

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(self.right, name)

    def right(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return 1 where right."""
        true, pred = losses.paired(self.name, y_true, y_pred)
        return true.argmax(-1).eq(pred.argmax(-1)).float()


class SparseCategoricalAccuracy(Scored):
    """The part of samples whose largest output is that of the integer label."""

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(self.right, name)

    def right(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return 1 where right."""
        true = losses.classes(self.name, y_true, y_pred, known_only=not self.any_labels)
        return true.eq(y_pred.argmax(-1)).float()


class Accuracy(Scored):
    """The part of samples whose largest output is that of the label, integer or one-hot."""

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(self.right, name)

    def right(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return 1 where right."""
        true = labels(self.name, y_true, y_pred, known_only=not self.any_labels)
        return true.eq(y_pred.argmax(-1)).float()


class CosineSimilarity(Scored):
    """The mean cosine of the angle between outputs and targets: 1 in the same direction."""

    def __init__(self, axis: int = -1, name: str = "cosine_similarity") -> None:
        super().__init__(self.cosine, name)
        self.axis = axis

    def cosine(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the cosines of the vectors along the axis."""
        true, pred = losses.paired(self.name, y_true, y_pred)
        sides = (true.movedim(self.axis, -1), pred.movedim(self.axis, -1))
        return -losses.CosineSimilarity().compare(*sides)


class TopK(Scored):
    """The part of samples whose label, integer or one-hot, is among the `k` largest outputs."""

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy") -> None:
        super().__init__(self.right, name)
        check_range("TopK", "k", k, "int [1, inf)", 5)
        self.k = k

    def right(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return 1 where right; an output that is not a number never is."""
        if y_pred.shape[-1] <= self.k:
            raise ShapeError(
                self.name,
                f"the best {self.k} of {y_pred.shape[-1]} outputs are always right",
                got=f"y_pred {show(tuple(y_pred.shape))}, k={self.k}",
                need=f"more than {self.k} outputs",
                fix=f"metrics.TopK(k={max(1, y_pred.shape[-1] // 2)})",
            )
        true = labels(self.name, y_true, y_pred).unsqueeze(-1)
        better = ~(y_pred <= y_pred.gather(-1, true))  # so that NaN is better than the label
        return better.sum(-1).lt(self.k).float()


class TorchMetric:
    """A metric of torchmetrics, on the device of the outputs.

    Outputs (batch, ..., classes) are given as torchmetrics wants them, (batch, classes, ...), and
    those of one output as (batch, ...). `as_classes`: one-hot labels are given as integers. Those
    that count with torch.bincount make each step wait for the device.
    """

    def __init__(self, metric: Any, name: str = "", as_classes: bool = False) -> None:
        self.metric = metric
        self.name = name or type(metric).__name__
        self.as_classes = as_classes

    def update(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Take a batch in."""
        if sample_weight is not None:
            raise ConfigError(
                self.name,
                "metrics of torchmetrics do not weigh samples",
                got="sample_weight",
                fix="leave this metric out, or train without weights",
            )
        preds = y_pred.detach()
        target = torch.as_tensor(y_true, device=preds.device)
        if self.as_classes:
            target = labels(self.name, target, preds)
        if preds.shape[-1] == 1:
            preds = preds.squeeze(-1)
            target = target.squeeze(-1) if target.ndim > preds.ndim else target
        elif preds.ndim > 2:
            target = target.movedim(-1, 1) if target.ndim == preds.ndim else target
            preds = preds.movedim(-1, 1)
        self.metric.to(preds.device).update(preds, target)

    def compute(self) -> Tensor:
        """Return the value for all batches; 0 of none."""
        value = self.metric.compute() if self.metric.update_called else torch.zeros(())
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise ConfigError(
                self.name,
                "gives several values, and a report has room for one",
                got=str(value),
                need="one number",
                fix='average="macro"',
            )
        return value

    def reset(self) -> None:
        """Forget all batches."""
        self.metric.reset()


NAMES: dict[str, Callable[[str], Metric]] = {
    "binary_accuracy": lambda name: BinaryAccuracy(name=name),
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": lambda name: TopK(name=name),
    "sparse_top_k_categorical_accuracy": lambda name: TopK(name=name),
    "top5": lambda name: TopK(name=name),
    "cosine_similarity": lambda name: CosineSimilarity(name=name),
}
TORCHMETRICS = {"precision": "Precision", "recall": "Recall", "f1": "F1Score", "auc": "AUROC"}


def get(given: Any, loss: Loss | None = None, output_shape: Shape = ()) -> Metric:
    """Return the metric that a name, a metric or a function of (y_true, y_pred) stands for.

    `loss` is that of the same output (see `Loss.resolve`), `output_shape` the shape of one sample.
    "accuracy" or "acc" is BinaryAccuracy for one output or BinaryCrossentropy, otherwise Accuracy.
    The name of a loss is its mean, but "cosine_similarity", as in Keras 3, the cosine itself;
    "precision", "recall", "f1" and "auc" are those of torchmetrics, averaged over the classes.
    """
    if isinstance(given, str):
        return _by_name(given, loss, output_shape)
    if all(hasattr(given, part) for part in ("name", "update", "compute", "reset")):
        metric: Metric = given
        return metric
    if isinstance(given, Loss):
        return Scored(given.scores, given.name)
    if isinstance(given, nn.Module):
        from torchmetrics import Metric as OfTorch

        if isinstance(given, OfTorch):
            return TorchMetric(given)
    if callable(given) and not isinstance(given, type):
        function = losses.Function(given)
        return Scored(function.scores, function.name)
    known = ", ".join(_known())
    raise ConfigError(
        "metrics",
        "a metric is a name, a metric or a function of (y_true, y_pred)",
        got=repr(given),
        need=f"one of {known}, or an object",
        fix=f"{given.__name__}()" if isinstance(given, type) else '"accuracy"',
    )


def labels(where: str, y_true: Tensor, y_pred: Tensor, *, known_only: bool = True) -> Tensor:
    """Return the class numbers of integer or one-hot labels."""
    if y_true.shape == y_pred.shape and y_pred.ndim > 1:
        return y_true.argmax(-1)
    return losses.classes(where, y_true, y_pred, known_only=known_only)


def _by_name(name: str, loss: Loss | None, output_shape: Shape) -> Metric:
    word = name.lower()
    yes_or_no = losses.one_output(output_shape) or isinstance(loss, losses.BinaryCrossentropy)
    if word in ("accuracy", "acc"):
        # An output that is a logit is on the side of yes above 0, which is sigmoid's 0.5.
        logits = getattr(loss, "from_logits", False)
        return BinaryAccuracy(0.0 if logits else 0.5, name) if yes_or_no else Accuracy(name)
    if word in NAMES:
        return NAMES[word](name)
    if word in TORCHMETRICS:
        return _of_torchmetrics(name, yes_or_no, output_shape)
    if word in losses.NAMES:
        return Scored(_like(loss, losses.get(word), output_shape).scores, name)
    raise unknown("metrics", "metric", name, _known())


def _like(loss: Loss | None, asked: Loss, output_shape: Shape) -> Loss:
    """Return what is asked for, of probabilities or logits as the loss of the output is."""
    if not isinstance(asked, losses.Entropy):
        return asked
    logits = bool(getattr(loss, "from_logits", False))
    known = dataclasses.replace(asked, from_logits=logits)
    return known.resolve(losses.UNKNOWN, output_shape)


def _of_torchmetrics(name: str, yes_or_no: bool, output_shape: Shape) -> Metric:
    """Return a metric that does not check the values, which would make each step wait."""
    from torchmetrics import classification

    one = losses.one_output(output_shape)
    kind, counts = "Multiclass", {"num_classes": output_shape[-1] if output_shape else 1}
    if yes_or_no:
        kind = "Binary" if one else "Multilabel"
        counts = {} if one else {"num_labels": output_shape[-1]}
    word = TORCHMETRICS[name.lower()]
    steps = {"thresholds": 200} if word == "AUROC" else {}  # as Keras; memory does not grow
    average = {"average": "macro"} if kind != "Binary" else {}
    made = getattr(classification, kind + word)(**counts, **steps, **average, validate_args=False)
    return TorchMetric(made, name, as_classes=kind == "Multiclass")


def _known() -> list[str]:
    return sorted({"accuracy", "acc", *NAMES, *TORCHMETRICS, *losses.NAMES})
