"""The report of a run in Markdown: the verdict, the classes, the mistakes, the way to it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MOST_CONFUSED = 5


def wilson(correct: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a proportion.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    1927.
    """
    if total == 0:
        return 0.0, 1.0
    share, spread = correct / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def report(
    name: str,
    results: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
    environment: Mapping[str, Any],
) -> str:
    """Return the report of a run.

    `results` has `classes` (names), `confusion` (rows: true class, columns: predicted; missing
    where the test set was not touched, and `stopped` says why), the numbers `epochs` and `seconds`,
    and the `command` that gives the run again.
    """
    classes = [_escape(item) for item in results["classes"]]
    tested = "confusion" in results
    return "\n".join(
        [
            f"# {_escape(name)}",
            "",
            *(_tested(results, classes) if tested else [_untested(results)]),
            "",
            "## Training",
            "",
            *_table(*_epochs(history)),
            "",
            "## Again",
            "",
            f"    {' '.join(str(results.get('command', 'striate train')).splitlines())}",
            "",
            *_table(
                ["", ""], [[_escape(key), _escape(value)] for key, value in environment.items()]
            ),
            "",
        ]
    )


def _tested(results: Mapping[str, Any], classes: Sequence[str]) -> list[str]:
    matrix = np.asarray(results["confusion"])
    return [
        _verdict(results, matrix, classes),
        "",
        "## Classes",
        "",
        *_table(["class", "precision", "recall", "F1", "images"], per_class(matrix, classes)),
        "",
        "## Confusion matrix",
        "",
        "Rows: what the image is. Columns: what the network says.",
        "",
        *_table(["", *classes], [[c, *row] for c, row in zip(classes, matrix, strict=True)]),
    ]


def _untested(results: Mapping[str, Any]) -> str:
    return (
        f"Not tested: {_escape(results['stopped'])}. Training took {results['seconds']:.0f} s for "
        f"{_epochs_word(results)}."
    )


def _verdict(results: Mapping[str, Any], matrix: Any, classes: Sequence[str]) -> str:
    total, correct = int(matrix.sum()), int(np.trace(matrix))
    low, high = wilson(correct, total)
    wrong = matrix - np.diag(np.diag(matrix))
    pairs = [
        f"{classes[true]} taken for {classes[said]} ({wrong[true, said]})"
        for true, said in sorted(
            zip(*np.nonzero(wrong), strict=True), key=lambda pair: -wrong[pair]
        )[:MOST_CONFUSED]
    ]
    text = (
        f"{100 * correct / max(total, 1):.2f} % of {total:,} test images are right "
        f"(95 % interval {100 * low:.2f} to {100 * high:.2f} %), {total - correct} are wrong. "
        f"Training took {results['seconds']:.0f} s for {_epochs_word(results)}."
    )
    return text + (f" Most confused: {', '.join(pairs)}." if pairs else "")


def _epochs_word(results: Mapping[str, Any]) -> str:
    return f"{results['epochs']} epoch{'s'[: results['epochs'] != 1]}"


def per_class(matrix: Any, classes: Sequence[str]) -> list[list[Any]]:
    """Return name, precision, recall, F1 and number of images of each class."""
    rows = []
    for index, name in enumerate(classes):
        right, said, there = matrix[index, index], matrix[:, index].sum(), matrix[index].sum()
        precision, recall = right / max(said, 1), right / max(there, 1)
        harmonic = 2 * precision * recall / max(precision + recall, 1e-12)
        rows.append([name, f"{precision:.4f}", f"{recall:.4f}", f"{harmonic:.4f}", there])
    return rows


def _epochs(history: Sequence[Mapping[str, float]]) -> tuple[list[str], list[list[Any]]]:
    columns = list(dict.fromkeys(name for row in history for name in row))
    rows = [
        [f"{value:.4f}" if isinstance(value, float) else value for value in values]
        for values in ([row.get(name, "") for name in columns] for row in history)
    ]
    return [_escape(name) for name in columns], rows


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    def line(cells: Sequence[Any]) -> str:
        return "| " + " | ".join(map(str, cells)) + " |"

    return [line(head), line(["---"] * len(head)), *(line(row) for row in rows)]


def _escape(text: Any) -> str:
    """Return text on one line that neither Markdown nor a browser reads as more than text."""
    text = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\|`*\[\]])", r"\\\1", text)
