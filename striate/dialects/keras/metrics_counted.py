"""Metrics of Keras that are made of counts: of right and wrong answers, and of classes confused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import Parameter, Signature
from typing import Any

import torch
from torch import Tensor

from ...errors import caller
from ...metrics import Scored
from ..table import DialectError


def _part(of: Tensor, rest: Tensor) -> Tensor:
    return of / (of + rest).clamp(min=1e-7)


def _spread(weight: Any, like: Tensor) -> Tensor:
    """Return the weights of samples, or of places, one for each value; ones if there are none."""
    if weight is None:
        return torch.ones(like.shape)
    given = torch.as_tensor(weight).float()
    return given.reshape(*given.shape, *[1] * (like.dim() - given.dim())).expand(like.shape)


def _beta(counts: Tensor, beta: float) -> Tensor:
    (tp, fp, fn), square = counts, beta * beta
    return (1 + square) * tp / ((1 + square) * tp + square * fn + fp).clamp(min=1e-7)


RATES: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "TruePositives": lambda tp, fp, tn, fn: tp,
    "FalsePositives": lambda tp, fp, tn, fn: fp,
    "TrueNegatives": lambda tp, fp, tn, fn: tn,
    "FalseNegatives": lambda tp, fp, tn, fn: fn,
    "Precision": lambda tp, fp, tn, fn: _part(tp, fp),
    "Recall": lambda tp, fp, tn, fn: _part(tp, fn),
}
CURVES = {  # what is the largest, where what is at least the number given
    "PrecisionAtRecall": ("Precision", "Recall"), "RecallAtPrecision": ("Recall", "Precision"),
    "SensitivityAtSpecificity": ("Recall", "Specificity"),
    "SpecificityAtSensitivity": ("Specificity", "Recall"),
}  # fmt: skip
ALONG = {**RATES, "Specificity": lambda tp, fp, tn, fn: _part(tn, fp)}


class Counted:
    """A rate over answers above thresholds; `class_id` looks at one of several outputs."""

    counts: Tensor

    def __init__(self, kind: str, thresholds: Any = None, top_k: Any = None, class_id: Any = None,
                 **words: Any) -> None:  # fmt: skip
        self.kind, self.class_id, self.top_k, self.name = kind, class_id, top_k, ""
        self.single = not isinstance(thresholds, (list, tuple))
        given = [0.5 if thresholds is None else thresholds] if self.single else thresholds
        self.thresholds = torch.as_tensor(given).float()
        self.reset()

    def update(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any = None) -> None:
        """Take a batch in."""
        true, said = y_true.float().reshape(y_pred.shape), y_pred.detach().float()
        if self.top_k:
            best = said.topk(self.top_k, -1).indices
            said = torch.zeros_like(said).scatter(-1, best, 1.0)
        if self.class_id is not None:
            true, said = true[..., self.class_id], said[..., self.class_id]
        weight = _spread(sample_weight, true)
        yes = said.flatten() > self.thresholds[:, None]
        is_so, weight = true.flatten() > 0.5, weight.flatten()
        cells = (yes & is_so, yes & ~is_so, ~yes & ~is_so, ~yes & is_so)
        self.counts = self.counts + torch.stack([(cell * weight).sum(1) for cell in cells])

    def compute(self) -> Tensor:
        """Return the rate, or one for each threshold."""
        rates = RATES[self.kind](*self.counts)
        return rates[0] if self.single else rates

    def reset(self) -> None:
        """Forget all batches."""
        self.counts = torch.zeros(4, len(self.thresholds))


class AtLeast(Counted):
    """The best rate at the thresholds where another rate is at least a number."""

    def __init__(self, kind: str, least: float, num_thresholds: int = 200, **words: Any) -> None:
        self.rates, self.least = CURVES[kind], least
        super().__init__("Recall", torch.linspace(0, 1, num_thresholds).tolist(), **words)

    def compute(self) -> Tensor:
        """Return the best rate, 0 where no threshold reaches the number."""
        best, bound = (ALONG[rate](*self.counts) for rate in self.rates)
        return torch.where(bound >= self.least, best, 0.0).amax()


BOUNDS = {  # what the number given is called
    "PrecisionAtRecall": "recall", "RecallAtPrecision": "precision",
    "SensitivityAtSpecificity": "specificity", "SpecificityAtSensitivity": "sensitivity",
}  # fmt: skip


def _at_least(kind: str, word: str) -> Callable[..., AtLeast]:
    def make(*args: Any, **words: Any) -> AtLeast:
        given = (words.pop(word), *args) if word in words else args
        return AtLeast(kind, *given, **words)

    known = [Parameter(one, Parameter.POSITIONAL_OR_KEYWORD)
             for one in (word, "num_thresholds", "class_id")]  # fmt: skip
    make.__signature__ = Signature(known)  # type: ignore[attr-defined]
    return make


class Area(Counted):
    """The area under the curve of rates over all thresholds: "ROC" or "PR".

    Between two thresholds counts change evenly. Source: Davis & Goadrich 2006, for "PR".
    """

    def __init__(self, num_thresholds: int = 200, curve: str = "ROC",
                 summation_method: str = "interpolation", name: Any = None, dtype: Any = None,
                 thresholds: Any = None, from_logits: bool = False) -> None:  # fmt: skip
        self.curve, self.method, self.from_logits = curve.upper(), summation_method, from_logits
        inner = torch.linspace(0, 1, num_thresholds)[1:-1].tolist()
        inner = inner if thresholds is None else sorted(thresholds)
        super().__init__("Recall", [-1e-7, *inner, 1 + 1e-7])

    def update(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any = None) -> None:
        """Take a batch in."""
        said = y_pred.detach().sigmoid() if self.from_logits else y_pred.detach()
        super().update(y_true, said, sample_weight)

    def compute(self) -> Tensor:
        """Return the area."""
        tp, fp, tn, fn = self.counts.double()
        if self.curve == "PR":
            return _below_precision(tp, fp, fn)
        across, up = _part(fp, tn), _part(tp, fn)
        heights = {"interpolation": (up[:-1] + up[1:]) / 2, "minoring": up[1:].minimum(up[:-1]),
                   "majoring": up[1:].maximum(up[:-1])}[self.method]  # fmt: skip
        return ((across[:-1] - across[1:]) * heights).sum().float()


class Areas:
    """The mean over labels of the area of each of them, by `weights` of labels."""

    areas: list[Area]

    def __init__(self, weights: Any = None, **words: Any) -> None:
        self.weights, self.words, self.name = weights, words, ""
        self.reset()

    def update(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any = None) -> None:
        """Take a batch in."""
        self.areas = self.areas or [Area(**self.words) for _ in range(y_pred.shape[-1])]
        for index, area in enumerate(self.areas):
            area.update(y_true[..., index], y_pred[..., index], sample_weight)

    def compute(self) -> Tensor:
        """Return the mean."""
        if not self.areas:
            return torch.zeros(())
        found = torch.stack([area.compute() for area in self.areas])
        if self.weights is None:
            return found.mean()
        shares = torch.as_tensor(self.weights).float()
        return (found * shares).sum() / shares.sum()

    def reset(self) -> None:
        """Forget all batches."""
        self.areas = []


def _area(num_thresholds: int = 200, curve: str = "ROC",
          summation_method: str = "interpolation", name: Any = None, dtype: Any = None,
          thresholds: Any = None, multi_label: bool = False, num_labels: Any = None,
          label_weights: Any = None, from_logits: bool = False) -> Any:  # fmt: skip
    words = {"num_thresholds": num_thresholds, "curve": curve, "thresholds": thresholds,
             "summation_method": summation_method, "from_logits": from_logits}  # fmt: skip
    if multi_label:
        return Areas(label_weights, **words)
    if label_weights is not None:
        raise DialectError("AUC", "label_weights are for an area of each label",
                           got=f"label_weights={label_weights!r}", need="multi_label=True",
                           fix="AUC(multi_label=True, label_weights=...)", at=caller())  # fmt: skip
    return Area(**words)


def _below_precision(tp: Tensor, fp: Tensor, fn: Tensor) -> Tensor:
    """Return the area under precision by recall, where true positives are a line of all of them."""
    said = tp + fp
    slope = torch.nan_to_num((tp[:-1] - tp[1:]) / (said[:-1] - said[1:]).clamp(min=0), 0, 0, 0)
    start = tp[1:] - slope * said[1:]
    both = (said[:-1] > 0) & (said[1:] > 0)
    ratio = torch.where(both, said[:-1] / said[1:], 1.0)
    area = slope * (tp[:-1] - tp[1:] + start * ratio.log()) / (tp[1:] + fn[1:])
    return torch.nan_to_num(area, 0, 0, 0).sum().float()


class Confused:
    """What classes share with what is taken for them, over both: the mean over classes."""

    total_cm: Tensor

    def __init__(self, num_classes: int, target_class_ids: Any = None, *, hot: bool = False,
                 ignore_class: int | None = None, sparse_y_true: bool = True,
                 sparse_y_pred: bool = True, **words: Any) -> None:  # fmt: skip
        self.count, self.asked, self.name = int(num_classes), target_class_ids, ""
        self.hot = (hot or not sparse_y_true, hot or not sparse_y_pred)
        self.ignored = ignore_class
        self.reset()

    def classes(self, y: Tensor, hot: bool) -> Tensor:
        """Return class numbers."""
        return (y.argmax(-1) if hot else y).long()

    def update(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any = None) -> None:
        """Take a batch in."""
        sides = zip((y_true, y_pred.detach()), self.hot, strict=True)
        true, said = (self.classes(y, hot) for y, hot in sides)
        weight = _spread(sample_weight, true).flatten()
        true, said = true.flatten(), said.flatten()
        if self.ignored is not None:
            known = true != self.ignored
            true, said, weight = true[known], said[known], weight[known]
        cells = torch.bincount(true * self.count + said, weight, self.count**2)
        self.total_cm = self.total_cm + cells.reshape(self.count, self.count)

    def compute(self) -> Tensor:
        """Return the mean over the classes that were there."""
        shared = self.total_cm.diagonal()
        union = self.total_cm.sum(0) + self.total_cm.sum(1) - shared
        there = union > 0
        if self.asked is not None:
            there = there & torch.zeros(self.count).index_fill(
                0, torch.as_tensor(list(self.asked)), 1.0).bool()  # fmt: skip
        rates = shared[there] / union[there]
        return rates.mean() if len(rates) else torch.zeros(())

    def reset(self) -> None:
        """Forget all batches."""
        self.total_cm = torch.zeros(self.count, self.count)


class Binary(Confused):
    """The same for two classes, of one output and a threshold."""

    def __init__(self, target_class_ids: Any = (0, 1), threshold: float = 0.5, **words: Any):
        self.threshold = threshold
        super().__init__(2, target_class_ids, **words)

    def classes(self, y: Tensor, hot: bool) -> Tensor:
        """Return 1 where the output is above the threshold."""
        return (y > (self.threshold if y.is_floating_point() else 0)).long()


class F:
    """The F score of one-hot classes, one for each class, or their average."""

    counts: Any

    def __init__(self, average: str | None = None, beta: float = 1.0, threshold: Any = None,
                 **words: Any) -> None:  # fmt: skip
        self.average, self.beta, self.threshold, self.name = average, beta, threshold, ""
        self.reset()

    def update(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any = None) -> None:
        """Take a batch in."""
        true, said = y_true.float() > 0.5, y_pred.detach()
        if self.threshold is None:
            yes = said == said.amax(-1, keepdim=True)
        else:
            yes = said > self.threshold
        cells = (yes & true, yes & ~true, ~yes & true)
        weight = _spread(sample_weight, y_true)
        counts = torch.stack([(cell * weight).flatten(0, -2).sum(0) for cell in cells])
        self.counts = counts if self.counts is None else self.counts + counts

    def compute(self) -> Tensor:
        """Return the scores."""
        if self.counts is None:
            return torch.zeros(())
        counts = self.counts.sum(1) if self.average == "micro" else self.counts
        scores = _beta(counts, self.beta)
        if self.average == "weighted":
            shares = counts[0] + counts[2]
            return (scores * shares).sum() / shares.sum().clamp(min=1)
        return scores.mean() if self.average == "macro" else scores

    def reset(self) -> None:
        """Forget all batches."""
        self.counts = None


def _correlation(y_true: Any, y_pred: Any, axis: int, scored: Any) -> Tensor:
    said = torch.as_tensor(y_pred).detach().float()
    true = torch.as_tensor(y_true).float().reshape(said.shape)
    ends = [(one, one.mean(axis, keepdim=True)) for one in (true, said)]
    spread = [((one - mean) ** 2).mean(axis, keepdim=True) for one, mean in ends]
    found: Tensor = scored(ends, spread).mean(axis)
    return found


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Return how far values move together along an axis, in [-1, 1]."""

    def scored(ends: Any, spread: Any) -> Any:
        (t, t_mean), (s, s_mean) = ends
        return (t - t_mean) * (s - s_mean) / (spread[0] * spread[1]).sqrt()

    return _correlation(y_true, y_pred, axis, scored)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Return how far values are the same along an axis, in [-1, 1]."""

    def scored(ends: Any, spread: Any) -> Any:
        (t, t_mean), (s, s_mean) = ends
        size = spread[0] + spread[1] + (t_mean - s_mean) ** 2 + 1e-7
        return 2 * (t - s_mean) * (s - s_mean) / size

    return _correlation(y_true, y_pred, axis, scored)


def _scored(function: Callable[..., Tensor]) -> Callable[..., Any]:
    def make(axis: int = -1, **words: Any) -> Any:
        return Scored(lambda true, said: function(true, said, axis), function.__name__)

    return make


CORRELATIONS = {"PearsonCorrelation": pearson_correlation,
                "ConcordanceCorrelation": concordance_correlation}  # fmt: skip
KINDS: dict[str, Any] = {
    **{name: partial(Counted, name) for name in RATES},
    **{name: _at_least(name, word) for name, word in BOUNDS.items()},
    "AUC": _area, "MeanIoU": Confused,
    "IoU": Confused, "OneHotIoU": partial(Confused, hot=True),
    "OneHotMeanIoU": partial(Confused, hot=True),
    "BinaryIoU": Binary, "F1Score": lambda average=None, threshold=None, **words: F(
        average, 1.0, threshold), "FBetaScore": F,
    **{name: _scored(function) for name, function in CORRELATIONS.items()},
}  # fmt: skip
NUMBERED = KINDS.keys() - {"F1Score", "FBetaScore", *CORRELATIONS}  # precision, precision_1, ...
