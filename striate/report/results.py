"""The section about what a model does: its results, and the images that it gets wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..store.report import per_class, wilson
from .charts import reliability
from .evidence import Evidence
from .markup import (
    facts,
    figure,
    folded,
    grid,
    heading,
    image,
    percent,
    section,
    soft,
    table,
    text,
)  # fmt: skip
from .pictures import overlay, picture

WORST = 32
FAINTEST, STRONGEST = 0.1, 0.5  # shares of blue in a cell of the matrix; the count in it is read
IN_CELL = 12  # images of a cell of the matrix
IN_ALL = 600  # images of all cells, of the size of digits


def results(run: Evidence) -> str:
    """Return accuracy, classes, confusion matrix, calibration, and the images that cost most."""
    if not run.tested:
        return ""
    return section(
        "results", "Results", *_matrix(run), _pair(_confused(run), _calibration(run)),
        _worst(run), _confident(run), _suspects(run),
    )  # fmt: skip


def _pair(*parts: str) -> str:
    """Return parts beside each other where there is room."""
    shown = "".join(f"<div>{part}</div>\n" for part in parts if part)
    return f'<div class="two">\n{shown}</div>\n' if shown else ""


def _classes(run: Evidence) -> str:
    total, correct = int(run.matrix.sum()), int(np.trace(run.matrix))
    low, high = wilson(correct, total)
    recalls = [row[i] / max(row.sum(), 1) for i, row in enumerate(run.matrix)]
    rows = facts(
        [
            ("accuracy", f"{percent(correct / max(total, 1))}, {correct:,} of {total:,}"),
            ("95 % interval", f"{100 * low:.2f} to {100 * high:.2f} %"),
            ("mean recall of classes", percent(float(np.mean(recalls)))),
        ]
    )
    head = ["class", "precision", "recall", "F1", "images"]
    listed = table(head, per_class(run.matrix, run.classes))
    shown = folded(f"{len(recalls)} classes", listed) if len(recalls) > 20 else listed
    return heading("Class by class") + rows + shown


def _matrix(run: Evidence) -> tuple[str, str]:
    """Return the counts beside the classes; a mistake is the darker, the more there are.

    The second part has the images, which a number opens.
    """
    wrong = run.matrix - np.diag(np.diag(run.matrix))
    worst = max(int(wrong.max()), 1)
    galleries = _galleries(run)
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in run.classes)
    rows = ""
    for true, name in enumerate(run.classes):
        cells = "".join(
            _cell(
                int(count), FAINTEST + (STRONGEST - FAINTEST) * count / worst, true, said, galleries
            )
            for said, count in enumerate(run.matrix[true])
        )
        rows += f'<tr><th scope="row">{text(name)}</th>{cells}</tr>\n'
    note = "Rows: what the image is. Columns: what the network says."
    note += " A number opens its images below." if galleries else ""
    counts = heading("What is taken for what", note) + (
        f'<div class="wide"><table class="matrix">\n<thead><tr><td></td>{head}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
    few = len(run.classes) <= 20
    both = _pair(counts, _classes(run)) if few else counts + _classes(run)
    return both, "".join(galleries.values())


def _cell(count: int, ink: float, true: int, said: int, galleries: dict[Any, str]) -> str:
    if true == said or not count:
        return f'<td class="right"><span>{count or ""}</span></td>'
    style = f'style="background:rgb(var(--blue) / {ink:.2f})"'
    if (true, said) not in galleries:
        return f"<td><span {style}>{count}</span></td>"
    return f'<td><a href="#cell-{true}-{said}" {style}>{count}</a></td>'


def _galleries(run: Evidence) -> dict[tuple[int, int], str]:
    """Return the images of each cell with mistakes, the most frequent mistakes first."""
    if run.mistakes is None or run.pictures is None:
        return {}
    side = max(run.pictures.shape[1:3])
    left = IN_ALL if side <= 32 else IN_ALL // 5
    found = {}
    for true, said, count in run.mistakes.confused(len(run.classes) ** 2):
        chosen = run.mistakes.cell(true, said)[: min(IN_CELL, left)]
        if not len(chosen):
            break
        left -= len(chosen)
        names = f"{run.classes[true]}, read as {run.classes[said]}"
        told = f"{len(chosen)} of {count}, the worst first" if len(chosen) < count else ""
        figures = [figure(*shown_sample(run, at)) for at in chosen.tolist()]
        content = heading(names, told) + grid(figures)
        found[true, said] = f'<div class="cell" id="cell-{true}-{said}">{content}</div>\n'
    return found


def shown_sample(run: Evidence, sample: int, heat: Any = None) -> tuple[str, ...]:
    """Return the pictures of a test sample, and the lines below them."""
    assert run.mistakes is not None
    assert run.pictures is not None
    true, said = int(run.mistakes.labels[sample]), int(run.mistakes.said[sample])
    cells, name = run.pictures[sample], run.classes[true]
    pictures = image(picture(cells), name)
    if heat is not None:
        pictures += image(overlay(cells, heat), f"what speaks for {run.classes[said]}")
        pictures = f'<div class="both">{pictures}</div>'
    sure = run.mistakes.probabilities[sample, said]
    line = f"{name}, read as {run.classes[said]}" if true != said else f"{name}, right"
    return pictures, line, f"{100 * sure:.0f} % sure", f"image {sample:,}"


def _confused(run: Evidence) -> str:
    if run.mistakes is None:
        return ""
    rows = [
        [run.classes[a], run.classes[b], f"{n:,}", percent(n / max(run.matrix[a].sum(), 1))]
        for a, b, n in run.mistakes.confused(8)
    ]
    if not rows:
        return ""
    head = ["class", "read as", "times", "of this class"]
    return heading("Most frequent mistakes") + table(head, rows)


def _calibration(run: Evidence) -> str:
    if run.mistakes is None:
        return ""
    found = run.mistakes.calibration()
    values = (found.confidence.tolist(), found.accuracy.tolist(), found.count.tolist())
    chart = reliability(*values, "against confidence; bars: how many images")
    sure = float(run.mistakes.probabilities.max(1).mean())
    way = "right more often than it is sure" if sure < run.mistakes.accuracy else "surer than right"
    note = (
        f"Confidence and accuracy are {percent(found.error)} apart on average (the expected "
        f"calibration error over {len(found.count)} bins): it is {way}. On the line both are equal."
    )
    return heading("How sure, how right", note) + f'<div class="charts">{chart}</div>\n'


def _worst(run: Evidence) -> str:
    if run.mistakes is None or run.pictures is None:
        return ""
    chosen = run.mistakes.worst(WORST).tolist()
    heats = run.heats(chosen)
    figures = [figure(*shown_sample(run, at, heats.get(at))) for at in chosen]
    note = f"The {len(chosen)} images whose own class got the least probability."
    if run.maps_layer:
        note += (
            f" Beside each, Grad-CAM of {run.maps_layer}: what speaks for the class that was said."
        )
    return heading("Worst losses", note) + grid(figures, "pairs")


def _confident(run: Evidence) -> str:
    if run.mistakes is None or run.pictures is None:
        return ""
    chosen = run.mistakes.confident(16).tolist()
    figures = [figure(*shown_sample(run, at)) for at in chosen]
    note = "Mistakes of which the network was surest."
    return (
        folded(f"Most confident mistakes ({len(chosen)})", soft(note) + grid(figures))
        if chosen
        else ""
    )


def _suspects(run: Evidence) -> str:
    if run.mistakes is None or run.pictures is None:
        return ""
    chosen = run.mistakes.suspects(16).tolist()
    if not chosen:
        return ""
    figures = [figure(*shown_sample(run, at)) for at in chosen]
    note = (
        "The network is as sure of another class as it is of that class's own images: "
        "look whether these labels are right."
    )
    return folded(f"Labels that may be wrong ({len(chosen)})", soft(note) + grid(figures))
