"""Mistakes: what is taken for what, how surely, and which labels may be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError, ShapeError
from .asked import about_model, class_numbers
from .drawing import Drawable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
BINS = 15


@dataclass(frozen=True)
class Calibration(Drawable):
    """How often the network is right when it is so sure.

    For each bin of confidence: its `edges` (one more than bins), the mean `confidence`, the
    `accuracy` and the `count` of samples (0 where the bin is empty); `error`, the expected
    calibration error: the mean distance of the two, weighted by the counts.
    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """

    edges: Numbers
    confidence: Numbers
    accuracy: Numbers
    count: Places
    error: float

    def draw(self, figure: Figure) -> None:
        """Draw accuracy against confidence, and the line where they are equal."""
        figure.set_size_inches(4, 4)
        axes = figure.subplots()
        some = self.count > 0
        axes.plot([0, 1], [0, 1], linestyle="--", color="gray")
        axes.plot(self.confidence[some], self.accuracy[some], marker="o")
        axes.set_xlabel("confidence")
        axes.set_ylabel("accuracy")
        axes.set_title(f"calibration error {100 * self.error:.2f} %")


@dataclass(frozen=True)
class Mistakes(Drawable):
    """Predictions beside labels.

    Fields: `classes`, names; `labels` and `said`, the class of each sample and what the network
    says; `probabilities` (n, classes); `losses`, minus the logarithm of the probability of the own
    class. All indices are those of the samples asked about.
    """

    classes: tuple[str, ...]
    labels: Places
    said: Places
    probabilities: Numbers
    losses: Numbers

    @property
    def confusion(self) -> Places:
        """The number of samples of each class (row) that were said to be of each (column)."""
        matrix = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)
        np.add.at(matrix, (self.labels, self.said), 1)
        return matrix

    @property
    def accuracy(self) -> float:
        """The share of samples that are right."""
        return float((self.labels == self.said).mean()) if len(self.labels) else 0.0

    @property
    def wrong(self) -> Places:
        """The samples that are wrong, in their order."""
        return np.flatnonzero(self.labels != self.said)

    def cell(self, label: int, said: int) -> Places:
        """Return the samples of a cell of the confusion matrix, the largest loss first."""
        return self._sorted(np.flatnonzero((self.labels == label) & (self.said == said)))

    def worst(self, count: int = 32) -> Places:
        """Return the samples with the largest losses, right or wrong."""
        return self._sorted(np.arange(len(self.labels)))[:count]

    def confident(self, count: int = 32) -> Places:
        """Return the mistakes that the network was surest of."""
        wrong = self.wrong
        sure = self.probabilities[wrong, self.said[wrong]]
        return wrong[np.argsort(-sure, kind="stable")][:count]

    def suspects(self, count: int = 32) -> Places:
        """Return the samples whose label may be wrong, the most suspect first.

        A label is suspect if another class gets at least the probability that samples of that class
        get on average for it. Source: Northcutt, Jiang and Chuang, Confident Learning, 2021.
        """
        usual = np.array(
            [
                self.probabilities[self.labels == c, c].mean() if (self.labels == c).any() else 2.0
                for c in range(len(self.classes))
            ]
        )
        sure = np.where(self.probabilities >= usual, self.probabilities, -1.0)
        other = sure.argmax(1)
        rows = np.arange(len(self.labels))
        found = np.flatnonzero((sure[rows, other] >= 0) & (other != self.labels))
        own = self.probabilities[found, self.labels[found]]
        return found[np.argsort(own - sure[found, other[found]], kind="stable")][:count]

    def confused(self, count: int = 5) -> tuple[tuple[int, int, int], ...]:
        """Return (class, class said, number) of the most frequent mistakes."""
        matrix = self.confusion
        np.fill_diagonal(matrix, 0)
        order = np.argsort(-matrix.flatten(), kind="stable")[:count]
        cells = zip(*np.unravel_index(order, matrix.shape), strict=True)
        return tuple((int(a), int(b), int(matrix[a, b])) for a, b in cells if matrix[a, b])

    def calibration(self, bins: int = BINS) -> Calibration:
        """Return how often the network is right when it is so sure."""
        sure, right = self.probabilities.max(1), self.labels == self.said
        place = np.minimum((sure * bins).astype(int), bins - 1)
        count = np.bincount(place, minlength=bins)
        divisor = np.maximum(count, 1)
        confidence = np.bincount(place, sure, bins) / divisor
        accuracy = np.bincount(place, right, bins) / divisor
        error = float((count * np.abs(confidence - accuracy)).sum() / max(len(sure), 1))
        return Calibration(np.linspace(0, 1, bins + 1), confidence, accuracy, count, error)

    def as_json(self) -> dict[str, Any]:
        """Return the matrix, the calibration and the samples of each list; no probabilities."""
        lists = {
            name: getattr(self, name)().tolist() for name in ("worst", "confident", "suspects")
        }
        return {
            "classes": list(self.classes),
            "accuracy": self.accuracy,
            "confusion": self.confusion.tolist(),
            "confused": [list(one) for one in self.confused()],
            "calibration": self.calibration().as_json(),
            **lists,
        }

    def draw(self, figure: Figure) -> None:
        """Draw the confusion matrix; what is right is left white, so that mistakes are seen."""
        matrix = self.confusion
        size = max(3.5, 0.45 * len(self.classes))
        figure.set_size_inches(size + 1, size)
        axes = figure.subplots()
        wrong = matrix - np.diag(np.diag(matrix))
        axes.imshow(wrong, cmap="Blues")
        ticks = range(len(self.classes))
        axes.set_xticks(ticks, self.classes, rotation=45, ha="right")
        axes.set_yticks(ticks, self.classes)
        axes.set_xlabel("what the network says")
        axes.set_ylabel("what the image is")
        for (row, column), number in np.ndenumerate(matrix):
            if number and len(self.classes) <= 25:
                ink = "white" if wrong[row, column] > 0.6 * max(wrong.max(), 1) else "black"
                axes.text(column, row, str(number), ha="center", va="center", color=ink, fontsize=7)

    def _sorted(self, places: Places) -> Places:
        return places[np.argsort(-self.losses[places], kind="stable")]


@about_model
def mistakes(model: Any, x: Any, y: Any, classes: Sequence[str] | None = None) -> Mistakes:
    """Return what a network says about samples, beside their labels.

    `y`: class numbers or one-hot rows. A network with one output says class 1 from 0.5 on; outputs
    that are no probabilities are taken as logits.

    Raises: ShapeError where there are not as many labels as samples, or the outputs are no classes.
    """
    return told(model.where, np.asarray(model.predict(x), dtype=np.float64), y, classes)


def told(where: str, outputs: Numbers, y: Any, classes: Sequence[str] | None = None) -> Mistakes:
    """Return the answer for outputs that are there already."""
    lost = int((~np.isfinite(outputs)).reshape(len(outputs), -1).any(1).sum())
    if lost:
        raise DataError(
            where,
            f"gives outputs that are no numbers for {lost:,} of {len(outputs):,} samples",
            need="finite weights and samples",
            fix="train it anew with a lower learning rate, or take the weights of an earlier epoch",
        )
    chances = probabilities(outputs)
    if chances.ndim != 2:
        raise ShapeError(
            where,
            "does not give classes",
            got=f"outputs {outputs.shape}",
            need="one row of outputs for each sample",
        )
    labels = class_numbers(where, y, *chances.shape)
    names = tuple(map(str, classes or range(chances.shape[1])))
    if len(names) != chances.shape[1]:
        raise ConfigError(
            where,
            "names of classes and outputs do not fit each other",
            got=f"{len(names)} names",
            need=f"{chances.shape[1]}, one for each class",
        )
    own = chances[np.arange(len(labels)), labels]
    losses = -np.log(np.maximum(own, 1e-12))
    return Mistakes(names, labels, chances.argmax(1), chances, losses)


def probabilities(outputs: Any) -> Numbers:
    """Return outputs as probabilities of classes: those of logits, or of one output's two classes.

    Rows that are not negative and add up to 1 are probabilities already.
    """
    found = np.asarray(outputs, dtype=np.float64)
    if found.ndim == 2 and found.shape[1] == 1:
        one = found if ((found >= 0) & (found <= 1)).all() else 1 / (1 + np.exp(-found))
        return np.concatenate([1 - one, one], 1)
    if (found >= 0).all() and np.allclose(found.sum(-1), 1, atol=1e-3):
        return found
    raised = np.exp(found - found.max(-1, keepdims=True))
    shares: Numbers = raised / raised.sum(-1, keepdims=True)
    return shares
