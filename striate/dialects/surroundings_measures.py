"""scikit-learn's measures: of classes, of scores, and of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import caller
from .table import DialectError


def accuracy_score(y_true: Any, y_pred: Any, normalize: bool = True, **words: Any) -> float:
    """Return the share, or the number, of right answers; of rows, those wholly right."""
    right = np.asarray(y_true) == np.asarray(y_pred)
    right = right.all(axis=1) if right.ndim > 1 else right
    return float(right.mean() if normalize else right.sum())


def confusion_matrix(y_true: Any, y_pred: Any, labels: Any = None, **words: Any) -> Any:
    """Return how many of each class (rows) were taken for each (columns)."""
    true, said = np.asarray(y_true).ravel(), np.asarray(y_pred).ravel()
    classes = np.unique(np.concatenate([true, said])) if labels is None else np.asarray(labels)
    matrix = np.zeros((len(classes),) * 2, int)
    for row, one in enumerate(classes):
        for column, other in enumerate(classes):
            matrix[row, column] = np.sum((true == one) & (said == other))
    return matrix


def _scores(matrix: Any) -> tuple[Any, Any, Any, Any]:
    """Return precision, recall, F1 and number of each class."""
    right, said, there = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    precision, recall = right / np.maximum(said, 1), right / np.maximum(there, 1)
    both = precision + recall
    return precision, recall, 2 * precision * recall / np.where(both == 0, 1, both), there


def score_of(index: int) -> Any:
    """Return the function of precision (0), recall (1) or F1 (2)."""

    def score(y_true: Any, y_pred: Any, average: str | None = "binary", pos_label: Any = 1,
              **words: Any) -> Any:  # fmt: skip
        """Return the measure of the positive class, or its mean over classes."""
        classes = np.unique(np.concatenate([np.ravel(y_true), np.ravel(y_pred)]))
        values = _scores(confusion_matrix(y_true, y_pred))
        if average is None:
            return values[index]
        if average == "binary":
            return float(values[index][list(classes).index(pos_label)])
        if average == "micro":
            return accuracy_score(y_true, y_pred)
        return float(
            np.average(values[index], weights=values[3] if average == "weighted" else None)
        )

    return score


def classification_report(
    y_true: Any,
    y_pred: Any,
    labels: Any = None,
    target_names: Sequence[str] | None = None,
    digits: int = 2,
    **words: Any,
) -> str:
    """Return precision, recall and F1 of each class, and their means, as a table."""
    true, said = np.ravel(y_true), np.ravel(y_pred)
    classes = np.unique(np.concatenate([true, said])) if labels is None else labels
    names = [str(one) for one in (target_names or classes)]
    columns = _scores(confusion_matrix(true, said, classes))
    width = max([len(name) for name in names] + [len("weighted avg"), digits])
    head = ("precision", "recall", "f1-score", "support")
    lines = [" " * width + " " + "".join(f" {one:>9}" for one in head), ""]

    def line(name: str, values: Sequence[float], count: int) -> str:
        numbers = "".join(f" {value:>9.{digits}f}" for value in values)
        return f"{name:>{width}} {numbers} {count:>9}"

    for row, name in enumerate(names):
        lines.append(line(name, [column[row] for column in columns[:3]], columns[3][row]))
    total, right = int(columns[3].sum()), accuracy_score(true, said)
    lines += ["", f"{'accuracy':>{width}} {'':>20} {right:>9.{digits}f} {total:>9}"]
    for name, weight in (("macro avg", None), ("weighted avg", columns[3])):
        means = [np.average(column, weights=weight) for column in columns[:3]]
        lines.append(line(name, means, total))
    return "\n".join(lines) + "\n"


def mean_squared_error(y_true: Any, y_pred: Any, **words: Any) -> float:
    """Return the mean of the squared differences."""
    return float(np.mean((np.asarray(y_true) - np.asarray(y_pred)) ** 2))


def mean_absolute_error(y_true: Any, y_pred: Any, **words: Any) -> float:
    """Return the mean of the differences without their signs."""
    return float(np.mean(np.abs(np.asarray(y_true) - np.asarray(y_pred))))


def root_mean_squared_error(y_true: Any, y_pred: Any, **words: Any) -> float:
    """Return the root of the mean of the squared differences."""
    return float(np.sqrt(mean_squared_error(y_true, y_pred)))


def r2_score(y_true: Any, y_pred: Any, **words: Any) -> float:
    """Return 1 - squared differences / squared distances from the mean; the mean over columns."""
    true, said = (np.asarray(one, float).reshape(len(one), -1) for one in (y_true, y_pred))
    left = ((true - said) ** 2).sum(axis=0)
    whole = ((true - true.mean(axis=0)) ** 2).sum(axis=0)
    return float(np.mean(1 - left / np.where(whole == 0, 1, whole)))


def precision_recall_fscore_support(y_true: Any, y_pred: Any, average: str | None = None,
                                    labels: Any = None, **words: Any) -> Any:  # fmt: skip
    """Return precision, recall, F1 and number of each class, or a mean without the number."""
    if average is None:
        return _scores(confusion_matrix(y_true, y_pred, labels))
    means = tuple(score_of(at)(y_true, y_pred, average, **words) for at in range(3))
    return (*means, None)


def balanced_accuracy_score(y_true: Any, y_pred: Any, **words: Any) -> float:
    """Return the mean recall of the classes that there are."""
    _, recall, _, there = _scores(confusion_matrix(y_true, y_pred))
    return float(recall[there > 0].mean())


def cohen_kappa_score(y_true: Any, y_pred: Any, weights: Any = None, **words: Any) -> float:
    """Return 1 - disagreement / disagreement by chance; None, linear or quadratic weights."""
    matrix = confusion_matrix(y_true, y_pred)
    chance = np.outer(matrix.sum(axis=1), matrix.sum(axis=0)) / matrix.sum()
    away = np.abs(np.subtract.outer(*(np.arange(len(matrix)),) * 2))
    costs = {None: (away > 0) * 1, "linear": away, "quadratic": away**2}[weights]
    return float(1 - (costs * matrix).sum() / (costs * chance).sum())


def matthews_corrcoef(y_true: Any, y_pred: Any, **words: Any) -> float:
    """Return the correlation of the classes."""
    matrix = confusion_matrix(y_true, y_pred).astype(float)
    there, said, total = matrix.sum(axis=1), matrix.sum(axis=0), matrix.sum()
    both = np.trace(matrix) * total - there @ said
    root = np.sqrt(total**2 - said @ said) * np.sqrt(total**2 - there @ there)
    return float(both / root) if root else 0.0


def log_loss(y_true: Any, y_pred: Any, labels: Any = None, **words: Any) -> float:
    """Return the mean of -log of the probability of the right class."""
    said = np.asarray(y_pred, float)
    said = np.stack([1 - said, said], axis=1) if said.ndim == 1 else said
    said = (said / said.sum(axis=1, keepdims=True)).clip(np.finfo(float).eps, 1)
    true = np.asarray(y_true)
    if true.ndim == 1:
        kinds = np.unique(true) if labels is None else np.asarray(labels)
        true = true[:, None] == kinds
    return float(-(true * np.log(said)).sum(axis=1).mean())


def top_k_accuracy_score(y_true: Any, y_score: Any, k: int = 2, **words: Any) -> float:
    """Return how often the class is among the `k` with the highest scores."""
    best = np.argsort(-np.asarray(y_score), axis=1, kind="stable")[:, :k]
    return float((best == np.asarray(y_true)[:, None]).any(axis=1).mean())


# ---- measures of scores --------------------------------------------------------------------------


def _steps(y_true: Any, y_score: Any, pos_label: Any) -> tuple[Any, Any, Any]:
    """Return right and wrong ones above each threshold, and the thresholds from above."""
    true = np.ravel(y_true) == (1 if pos_label is None else pos_label)
    scores = np.ravel(np.asarray(y_score, float))
    order = np.argsort(-scores, kind="stable")
    ends = np.r_[np.flatnonzero(np.diff(scores[order])), len(scores) - 1]
    right = np.cumsum(true[order])[ends]
    return right, 1 + ends - right, scores[order][ends]


def roc_curve(y_true: Any, y_score: Any, pos_label: Any = None,
              **words: Any) -> tuple[Any, Any, Any]:  # fmt: skip
    """Return shares of wrong and of right ones above each threshold; corners alone."""
    right, wrong, thresholds = _steps(y_true, y_score, pos_label)
    bends = (np.diff(right, 2) != 0) | (np.diff(wrong, 2) != 0)
    kept = np.r_[True, bends, True] if len(right) > 2 else np.ones(len(right), bool)
    right, wrong, thresholds = right[kept], wrong[kept], thresholds[kept]
    shares = (np.r_[0, part] / max(part[-1], 1) for part in (wrong, right))
    return (*shares, np.r_[np.inf, thresholds])


def auc(x: Any, y: Any) -> float:
    """Return the area below a curve."""
    return float(abs(np.trapezoid(np.asarray(y), np.asarray(x))))


def roc_auc_score(y_true: Any, y_score: Any, average: str | None = "macro",
                  **words: Any) -> Any:  # fmt: skip
    """Return the area below the ROC curve; of several classes, each against the others."""
    scores, true = np.asarray(y_score), np.asarray(y_true)
    if scores.ndim == 2 and scores.shape[1] > 1:
        columns = true if true.ndim == 2 else true[:, None] == np.unique(true)
        areas = np.array([roc_auc_score(a, b) for a, b in zip(columns.T, scores.T, strict=True)])
        if average is None:
            return areas
        return float(np.average(areas, weights=columns.sum(0) if average == "weighted" else None))
    kinds = np.unique(true)
    if len(kinds) != 2:
        raise DialectError(
            "sklearn.metrics.roc_auc_score",
            "the area is of two classes",
            got=f"labels {', '.join(map(str, kinds[:5]))}",
            need="two classes in y_true, or a column of scores for each",
            at=caller(),
        )
    return auc(*roc_curve(true, scores, kinds[1])[:2])


def precision_recall_curve(y_true: Any, y_score: Any = None, pos_label: Any = None,
                           **words: Any) -> tuple[Any, Any, Any]:  # fmt: skip
    """Return precision and recall above each threshold, from the lowest on."""
    scores = words.get("probas_pred") if y_score is None else y_score
    right, wrong, thresholds = _steps(y_true, scores, pos_label)
    precision, recall = right / (right + wrong), right / max(right[-1], 1)
    return np.r_[precision[::-1], 1], np.r_[recall[::-1], 0], thresholds[::-1]


def average_precision_score(y_true: Any, y_score: Any, **words: Any) -> float:
    """Return the mean of the precisions, weighted by what each adds to recall."""
    precision, recall, _ = precision_recall_curve(y_true, y_score)
    return float(-np.sum(np.diff(recall) * precision[:-1]))


class ConfusionMatrixDisplay:
    """A matrix as a picture with its numbers."""

    def __init__(self, confusion_matrix: Any, *, display_labels: Any = None) -> None:
        self.confusion_matrix, self.display_labels = np.asarray(confusion_matrix), display_labels

    def plot(self, *, cmap: Any = "viridis", ax: Any = None, values_format: str | None = None,
             colorbar: bool = True, xticks_rotation: Any = "horizontal",
             include_values: bool = True, **words: Any) -> ConfusionMatrixDisplay:  # fmt: skip
        """Draw it; return it, with `ax_` and `figure_`."""
        from matplotlib import pyplot

        self.ax_ = pyplot.subplots()[1] if ax is None else ax
        self.figure_, matrix = self.ax_.figure, self.confusion_matrix
        self.im_ = self.ax_.imshow(matrix, cmap=cmap)
        names = range(len(matrix)) if self.display_labels is None else self.display_labels
        self.ax_.set(xticks=range(len(matrix)), yticks=range(len(matrix)), xticklabels=names,
                     yticklabels=names, xlabel="Predicted label", ylabel="True label")  # fmt: skip
        self.ax_.tick_params(
            axis="x",
            rotation={"horizontal": 0, "vertical": 90}.get(xticks_rotation, xticks_rotation),
        )
        form = values_format or ("d" if matrix.dtype.kind == "i" else ".2g")
        for (row, column), value in np.ndenumerate(matrix) if include_values else ():
            dark = value < (matrix.max() + matrix.min()) / 2
            self.ax_.text(column, row, format(value, form), ha="center", va="center",
                          color="white" if dark else "black")  # fmt: skip
        if colorbar:
            self.figure_.colorbar(self.im_, ax=self.ax_)
        return self

    @classmethod
    def from_predictions(cls, y_true: Any, y_pred: Any, *, labels: Any = None,
                         display_labels: Any = None,
                         **words: Any) -> ConfusionMatrixDisplay:  # fmt: skip
        """Draw the matrix of these answers."""
        kinds = np.unique(np.concatenate([np.ravel(y_true), np.ravel(y_pred)]))
        shown = display_labels if display_labels is not None else (
            kinds if labels is None else labels)  # fmt: skip
        return cls(confusion_matrix(y_true, y_pred, labels), display_labels=shown).plot(**words)


MEASURES: dict[str, Callable[..., Any]] = {
    **{one.__name__: one for one in (
        accuracy_score, confusion_matrix, classification_report, mean_squared_error,
        mean_absolute_error, root_mean_squared_error, r2_score, precision_recall_fscore_support,
        balanced_accuracy_score, cohen_kappa_score, matthews_corrcoef, log_loss,
        top_k_accuracy_score, roc_curve, auc, roc_auc_score, precision_recall_curve,
        average_precision_score, ConfusionMatrixDisplay,
    )},
    "precision_score": score_of(0), "recall_score": score_of(1), "f1_score": score_of(2),
}  # fmt: skip
