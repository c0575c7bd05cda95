"""The table of criterions, `bigdl.nn.criterion`: formulas, and native losses that are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...errors import caller
from ...losses import Function, Loss, get
from ..table import DialectError
from .kind import REQUIRED, Signature, Words, bind
from .samples import Array, float_tensor

Compare = Callable[[Words, Tensor, Tensor], Tensor]
EPSILON = 1e-8  # probabilities keep this distance from 0 and 1 in ClassNLLCriterion


@dataclass(frozen=True)
class Row:
    """One criterion.

    Fields: `signature`, its arguments; `compare`, the mean over a batch; `native`, for an ending
    of the network ("" for none) the native loss that is the same, and may have a kernel; `labels`,
    whether targets are classes from 1 on.
    """

    signature: Signature
    compare: Compare
    native: Mapping[str, Any] = field(default_factory=dict)
    labels: bool = False


class Criterion:
    """A criterion: `forward(output, target)` is a number, `backward` the gradient of the output."""

    rows: Mapping[str, Row] = {}
    values = 1  # outputs of a network that it compares with one target
    from_zero = False  # whether labels count from 0, as Analytics Zoo has them

    def __init__(self, kind: str, words: Words) -> None:
        self.kind, self.words, self.row = kind, words, ROWS[kind]
        self.output = 0.0

    @classmethod
    def of(cls, kind: str, *args: Any, **words: Any) -> Criterion:
        """Return a criterion by its name and arguments."""
        return cls(kind, bind(kind, ROWS[kind].signature, args, words))

    def forward(self, input: Any, target: Any) -> float:
        """Return the mean over the batch."""
        x = _floats(input)
        self.output = float(self.row.compare(self.words, x, _floats(target)))
        return self.output

    def backward(self, input: Any, target: Any) -> Array:
        """Return the gradient of the output."""
        x = _floats(input).requires_grad_()
        (grad,) = torch.autograd.grad(self.row.compare(self.words, x, _floats(target)), x)
        return grad.numpy()

    def targets(self, y: Array, classes: int) -> Array:
        """Return targets as the native loss takes them: classes from 0 on.

        Raises: DialectError for a label that is no class; -1 is left to the criterion.
        """
        if not self.row.labels:
            return y.astype("float32")
        labels = y.reshape(len(y), -1)[:, 0]
        if (labels == -1).any():
            return y.astype("float32")
        if labels.min() < 1 or labels.max() > classes or (labels % 1).any():
            raise DialectError(
                f"BigDL 0.7 {self.kind}",
                "a label is not a class: BigDL counts classes from 1",
                got=f"labels from {labels.min():g} to {labels.max():g}",
                need=f"whole numbers from 1 to {classes}",
                fix="labels + 1" if labels.min() == 0 else "as many outputs as there are classes",
                at=caller(),
            )
        return labels.astype("int64") - 1

    def loss(self, ending: str, y: Array) -> tuple[Loss, bool]:
        """Return the native loss behind a network with this ending, and whether classes are from 0.

        It is one of the native losses where that is the same, so that its kernel may be used.
        """
        given = [(self.words[word], value) for word, value in PLAIN.items() if word in self.words]
        plain = all(one is None if value is None else one == value for one, value in given)
        padded = self.row.labels and bool((np.asarray(y) == -1).any())
        by_input = "probability" if self.words.get("logProbAsInput") is False else "log"
        table = self.row.native
        name = table.get(f"{by_input}:{ending}", table.get(ending, table.get("*")))
        whole = name != "categorical_crossentropy" or np.allclose(np.sum(y, -1), 1, atol=1e-3)
        if name is not None and plain and not padded and whole:
            return get(name), self.row.labels
        compare, words = self.row.compare, self.words

        def compared(y_true: Tensor, y_pred: Tensor) -> Tensor:
            return compare(words, y_pred, y_true)

        return Function(compared), False


PLAIN = {"size_average": True, "weights": None, "sizeAverage": True, "margin": 1.0}


def _floats(given: Any) -> Tensor:
    one = given[0] if isinstance(given, list) and len(given) == 1 else given
    return float_tensor(one)


def _reduced(words: Words, values: Tensor) -> Tensor:
    return values.mean() if words.get("size_average", True) else values.sum()


def _class_nll(words: Words, x: Tensor, y: Tensor) -> Tensor:
    x = x[None] if x.dim() == 1 else x
    labels = y.reshape(-1).long()
    counted = labels != -1
    logs = x if words["logProbAsInput"] else x.clamp(EPSILON, 1 - EPSILON).log()
    chosen = (labels - 1).clamp(min=0)
    if bool((labels[counted] < 1).any()) or bool((labels > x.shape[1]).any()):
        raise DialectError(
            "BigDL 0.7 ClassNLLCriterion",
            "a label is not a class: BigDL counts classes from 1",
            got=f"labels from {int(labels.min())} to {int(labels.max())}",
            need=f"whole numbers from 1 to {x.shape[1]}",
            fix="labels + 1",
            at=caller(),
        )
    weights = torch.ones(x.shape[1]) if words["weights"] is None else float_tensor(words["weights"])
    share = weights[chosen] * counted
    total = -(logs.gather(1, chosen[:, None])[:, 0] * share).sum()
    return total / share.sum() if words["size_average"] else total


def _crossentropy(words: Words, x: Tensor, y: Tensor) -> Tensor:
    logs = functional.log_softmax(x[None] if x.dim() == 1 else x, -1)
    return _class_nll({**words, "logProbAsInput": True}, logs, y)


def _bce(words: Words, x: Tensor, y: Tensor) -> Tensor:
    eps = 1e-12
    values = -(y * (x + eps).log() + (1 - y) * (1 - x + eps).log())
    if words["weights"] is not None:
        values = values * float_tensor(words["weights"])
    return _reduced(words, values)


def _margin(words: Words, x: Tensor, y: Tensor) -> Tensor:
    values = (words["margin"] - x * y).clamp(min=0)
    return _reduced(words, values.square() if words["squared"] else values)


def _multi_margin(words: Words, x: Tensor, y: Tensor) -> Tensor:
    x = x[None] if x.dim() == 1 else x
    reduction = "mean" if words["size_average"] else "sum"
    weights = None if words["weights"] is None else float_tensor(words["weights"])
    return functional.multi_margin_loss(x, y.reshape(-1).long() - 1, words["p"],
                                        words["margin"], weights, reduction=reduction)  # fmt: skip


def _cosine(words: Words, x: Tensor, y: Tensor) -> Tensor:
    return -(functional.normalize(x, dim=-1) * functional.normalize(y, dim=-1)).mean()


def _softmax_with(words: Words, x: Tensor, y: Tensor) -> Tensor:
    """Class log-likelihood at each place of a map: x is (N, C, H, W), y has classes from 1 on."""
    labels, ignored = y.long(), words["ignore_label"]
    labels = labels.reshape(x.shape[0], *x.shape[2:])
    counted = torch.ones_like(labels, dtype=torch.bool) if ignored is None else labels != ignored
    logs = functional.log_softmax(x, 1)
    chosen = -logs.gather(1, (labels - 1).clamp(0, x.shape[1] - 1)[:, None])[:, 0] * counted
    counts = {"VALID": counted.sum(), "FULL": labels.numel(), "BATCH_SIZE": x.shape[0], "NONE": 1}
    count = float(counts[words["normalize_mode"]])
    return chosen.sum().div(count)


def _dice(words: Words, x: Tensor, y: Tensor) -> Tensor:
    x, y, eps = x.flatten(1), y.reshape(x.shape).flatten(1), float(words["epsilon"])
    return _reduced(words, 1 - (2 * (x * y).sum(1) + eps) / (x.sum(1) + y.sum(1) + eps))


def _hinge_embedding(words: Words, x: Tensor, y: Tensor) -> Tensor:
    reduction = "mean" if words["size_average"] else "sum"
    return functional.hinge_embedding_loss(
        x, y.reshape(x.shape), words["margin"], reduction=reduction
    )


def _simple(act: Callable[[Tensor, Tensor], Tensor]) -> Compare:
    return lambda words, x, y: _reduced(words, act(x, y.reshape(x.shape)))


def _smooth(x: Tensor, y: Tensor) -> Tensor:
    return functional.smooth_l1_loss(x, y, reduction="none")


def _smooth_by_sigma(words: Words, x: Tensor, y: Tensor) -> Tensor:
    """|x| - 0.5 / s beyond 1 / s, s * x ** 2 / 2 within, s being sigma squared; added up."""
    away, square = (x - y.reshape(x.shape)).abs(), float(words["sigma"]) ** 2
    values = torch.where(away < 1 / square, 0.5 * square * away.square(), away - 0.5 / square)
    return values.sum() / (words["num"] or 1)


def _multi_label_margin(words: Words, x: Tensor, y: Tensor) -> Tensor:
    """Each target is a row of classes from 1 on, up to the first 0."""
    labels = y.reshape(x.shape).long() - 1
    ended = (labels < 0).long().cumsum(-1) > 0
    return functional.multilabel_margin_loss(
        x, labels.masked_fill(ended, -1), reduction="mean" if words["size_average"] else "sum"
    )


def _simplex(words: Words, x: Tensor, y: Tensor) -> Tensor:
    """The mean square distance from a class's corner of a regular simplex."""
    corners = torch.zeros(words["n_classes"], words["n_classes"], dtype=torch.float64)
    sides = words["n_classes"] - 1
    for at in range(sides):
        corners[at, at] = (1 - corners[at, :at].square().sum()).sqrt()
        corners[at + 1 :, at] = (corners[at, at].square() - 1 - 1 / sides) / corners[at, at]
    return (x - corners.to(x.dtype)[y.reshape(-1).long() - 1]).square().mean()


def _policy(words: Words, x: Tensor, y: Tensor) -> Tensor:
    """-reward * log(probability), for rows that have a reward at the chosen action."""
    return -(y * x.log()).sum()


MEAN = {"size_average": True}
ROWS: dict[str, Row] = {
    "ClassNLLCriterion": Row(
        Signature('loss="crossentropy"',
                  {"weights": None, "size_average": True, "logProbAsInput": True}),
        _class_nll, labels=True,
        native={"log:log_softmax": "crossentropy",
                "probability:softmax": "sparse_categorical_crossentropy"},
    ),
    "CrossEntropyCriterion": Row(
        Signature('loss="crossentropy"', {"weights": None, **MEAN}), _crossentropy, labels=True,
        native={"": "crossentropy", "log_softmax": "crossentropy"},
    ),
    "MSECriterion": Row(Signature('loss="mse"', MEAN),
                        _simple(lambda x, y: (x - y).square()), {"*": "mse"}),
    "AbsCriterion": Row(Signature('loss="mae"', MEAN), _simple(lambda x, y: (x - y).abs()),
                        {"*": "mae"}),
    "SmoothL1Criterion": Row(Signature('loss="huber"', MEAN), _simple(_smooth), {"*": "huber"}),
    "BCECriterion": Row(Signature('loss="binary_crossentropy"', {"weights": None, **MEAN}), _bce,
                        {"sigmoid": "binary_crossentropy"}),
    "CategoricalCrossEntropy": Row(
        Signature('loss="categorical_crossentropy"'),
        lambda words, x, y: -(y * (x / x.sum(-1, True)).log()).sum(-1).mean(),
        {"softmax": "categorical_crossentropy"},
    ),
    "MarginCriterion": Row(
        Signature('loss="hinge"', {"margin": 1.0, **MEAN, "squared": False}), _margin),
    "MultiMarginCriterion": Row(
        Signature('loss="categorical_hinge"',
                  {"p": 1, "weights": None, "margin": 1.0, **MEAN}), _multi_margin),
    "L1Cost": Row(Signature("L1 on an output"), lambda words, x, y: x.abs().sum()),
    "KullbackLeiblerDivergenceCriterion": Row(
        Signature('loss="kl_divergence"'),
        lambda words, x, y: (y.clamp(1e-7, 1) * (y.clamp(1e-7, 1) / x.clamp(1e-7, 1)).log())
        .sum(-1).mean(), {"*": "kl_divergence"}),
    "PoissonCriterion": Row(Signature('loss="poisson"'),
                            lambda words, x, y: (x - y * (x + 1e-7).log()).mean(),
                            {"*": "poisson"}),
    "CosineProximityCriterion": Row(Signature('loss="cosine_similarity"'), _cosine),
    "MeanAbsolutePercentageCriterion": Row(
        Signature('loss="mape"'),
        lambda words, x, y: 100 * ((x - y).abs() / y.abs().clamp(min=1e-7)).mean(),
        {"*": "mape"}),
    "MeanSquaredLogarithmicCriterion": Row(
        Signature('loss="msle"'),
        lambda words, x, y: (x.clamp(min=1e-7).log1p() - y.clamp(min=1e-7).log1p())
        .square().mean(), {"*": "msle"}),
    "DistKLDivCriterion": Row(
        Signature('loss="kl_divergence"', MEAN),
        lambda words, x, y: _reduced(words, torch.xlogy(y, y) - y * x)),
    "MultiLabelSoftMarginCriterion": Row(
        Signature('loss="binary_crossentropy"', {"weights": None, **MEAN}),
        lambda words, x, y: functional.binary_cross_entropy_with_logits(
            x, y, None if words["weights"] is None else float_tensor(words["weights"]))),
    "SoftMarginCriterion": Row(
        Signature("loss=softplus", MEAN),
        _simple(lambda x, y: functional.softplus(-x * y))),
    "SoftmaxWithCriterion": Row(
        Signature('loss="crossentropy"', {"ignore_label": None, "normalize_mode": "VALID"}),
        _softmax_with),
    "DiceCoefficientCriterion": Row(
        Signature("loss=function", {**MEAN, "epsilon": 1.0}), _dice),
    "HingeEmbeddingCriterion": Row(
        Signature("loss=function", {"margin": 1.0, **MEAN}), _hinge_embedding),
    "CosineDistanceCriterion": Row(
        Signature('loss="cosine_similarity"', MEAN),
        lambda words, x, y: _reduced(
            words, 1 - functional.cosine_similarity(x, y.reshape(x.shape), -1))),
    "MultiLabelMarginCriterion": Row(Signature("loss=function", MEAN), _multi_label_margin),
    "ClassSimplexCriterion": Row(Signature("loss=function", {"n_classes": REQUIRED}), _simplex),
    "DotProductCriterion": Row(
        Signature("loss=function", {"size_average": False}),
        lambda words, x, y: (x * y.reshape(x.shape)).sum()),
    "PGCriterion": Row(Signature("loss=function", {"sizeAverage": False}), _policy),
    "SmoothL1CriterionWithWeights": Row(
        Signature("loss=function", {"sigma": REQUIRED, "num": 0}), _smooth_by_sigma),
}  # fmt: skip
LOSSES: dict[str, tuple[str, dict[str, Any]]] = {  # of compile, in Keras 1's words
    "categorical_crossentropy": ("CategoricalCrossEntropy", {}),
    "sparse_categorical_crossentropy": ("ClassNLLCriterion", {"logProbAsInput": False}),
    "mse": ("MSECriterion", {}), "mean_squared_error": ("MSECriterion", {}),
    "mae": ("AbsCriterion", {}), "mean_absolute_error": ("AbsCriterion", {}),
    "binary_crossentropy": ("BCECriterion", {}),
    "hinge": ("MarginCriterion", {}), "squared_hinge": ("MarginCriterion", {"squared": True}),
    "mape": ("MeanAbsolutePercentageCriterion", {}),
    "mean_absolute_percentage_error": ("MeanAbsolutePercentageCriterion", {}),
    "msle": ("MeanSquaredLogarithmicCriterion", {}),
    "mean_squared_logarithmic_error": ("MeanSquaredLogarithmicCriterion", {}),
    "kld": ("KullbackLeiblerDivergenceCriterion", {}),
    "kullback_leibler_divergence": ("KullbackLeiblerDivergenceCriterion", {}),
    "poisson": ("PoissonCriterion", {}),
    "cosine_proximity": ("CosineProximityCriterion", {}),
    "cosine": ("CosineProximityCriterion", {}),
}  # fmt: skip
