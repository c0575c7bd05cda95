"""What a test set says about a classifier, from one pass over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..model import Model


def score(model: Model, x: Any, y: Any, classes: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, mean cross-entropy (nats, no label smoothing) and the confusion matrix.

    The matrix counts samples: row = true class, column = predicted class.
    """
    outputs = model.predict(x)
    guesses = outputs.argmax(-1)
    correct = int((guesses == y).sum())
    right = np.clip(outputs[np.arange(len(y)), y], 1e-7, 1.0)
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (y, guesses), 1)
    return {
        "test_accuracy": correct / len(y),
        "test_loss": float(-np.log(right).mean()),
        "test_correct": correct,
        "test_total": len(y),
        "classes": list(classes),
        "confusion": confusion.tolist(),
    }


def accuracy_line(results: dict[str, Any]) -> str:
    """Return accuracy, its 95 % Wilson interval and loss as one line."""
    from ..store.report import wilson

    correct, total = results["test_correct"], results["test_total"]
    low, high = wilson(correct, total)
    return (
        f"test accuracy {100 * correct / total:.2f} % ({correct:,} of {total:,}; "
        f"95 % interval {100 * low:.2f} to {100 * high:.2f} %)  loss {results['test_loss']:.4f}"
    )
