"""Losses of classes: crossentropies of probabilities or logits, and margins between classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from ..core.spec import show
from ..errors import ConfigError, DataError, ShapeError
from .loss import EPSILON, UNKNOWN, Elementwise, Loss

PROBABILITIES = ("softmax", "sigmoid", "sparsemax", "hard_sigmoid", "sparse_sigmoid")
LOGITS = ("", "log_softmax")  # the logarithms of probabilities are logits of the same ones


@dataclasses.dataclass(frozen=True)
class Entropy(Loss):
    """A loss of probabilities, which can take logits too: the values before softmax or sigmoid."""

    from_logits: bool | None = False
    choices: ClassVar = {"from_logits": (False, True)}
    activation: ClassVar[str] = "softmax"  # what makes probabilities of logits

    def resolve(self, activation: str, output_shape: Sequence[int | None]) -> Loss:
        """Return the loss, or raise ConfigError for outputs that are not what it takes."""
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
        if self.from_logits is False and activation not in (*PROBABILITIES, UNKNOWN):
            raise ConfigError(
                type(self).__name__,
                "takes probabilities, which the model does not give",
                got=f"from_logits=False for a model that ends {_ending(activation)}",
                need=f"outputs of {self.activation}, or a loss of logits",
                fix=f'activation="{self.activation}" in the last layer'
                + ("" if activation else ', or loss="crossentropy", which takes logits too'),
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
        """Return the loss with `from_logits` known, or raise ConfigError where it cannot be.

        Outputs are probabilities after softmax or sigmoid, logits after no activation, and taken as
        logits where it cannot be seen what made them.
        """
        logits = self.from_logits
        if logits is None and activation not in (*PROBABILITIES, *LOGITS, UNKNOWN):
            raise ConfigError(
                type(self).__name__,
                "takes probabilities or logits, and the model gives neither",
                got=f"a model that ends {_ending(activation)}",
                need="softmax, sigmoid or no activation at the end",
                fix="leave the last activation out, or losses.Crossentropy(from_logits=True)",
            )
        if logits is None:
            logits = activation not in PROBABILITIES
        if one_output(output_shape) and activation != "softmax":
            binary = BinaryCrossentropy(logits, self.label_smoothing)
            return binary.resolve(activation, output_shape)
        known = dataclasses.replace(self, from_logits=logits)
        Entropy.resolve(known, activation, output_shape)
        return known


class KLDivergence(Elementwise):
    """`sum(true * log(true / pred))`, both clipped to [1e-7, 1]."""

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        true, pred = true.clamp(EPSILON, 1), pred.clamp(EPSILON, 1)
        return (true * torch.log(true / pred)).sum(-1)


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


def one_output(shape: Sequence[int | None]) -> bool:
    """Return whether outputs of this shape, without the batch, are single numbers."""
    return not shape or shape[-1] == 1


def classes(where: str, y_true: Tensor, y_pred: Tensor, *, known_only: bool = True) -> Tensor:
    """Return the class numbers (batch, ...) of integer labels for outputs (batch, ..., classes).

    Raises: DataError for a label that is none of the classes, with `known_only`.
    """
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
    if known_only and labels.device.type == "cpu" and labels.numel():
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


def _ending(activation: str) -> str:
    return f"in {activation}" if activation else "without an activation"
