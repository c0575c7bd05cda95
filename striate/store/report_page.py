"""The report of a run as one HTML file: no script, no network, every text escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from .report import per_class, wilson

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #667085; --line: #e3e7ee; --card: #fff;
  --page: #f5f7fa; --blue: 31 111 186; --orange: #c2570c }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf2; --soft: #9aa5b5; --line: #2c3442;
  --card: #171c25; --page: #0f131a; --blue: 84 160 230; --orange: #f0955a } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0 0 .5rem }
h2 { font-size: 1.1rem; margin: 0 0 .9rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.4rem 1.5rem; margin: 1.1rem 0; overflow-x: auto }
.verdict { font-size: 1.35rem; line-height: 1.45; margin: 0 0 1.6rem; text-wrap: pretty }
.soft, figcaption { color: var(--soft); font-size: .85rem }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums }
th { font-weight: 600; color: var(--soft) }
th, td { padding: .28rem .7rem; text-align: right; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left; padding-left: 0 }
.facts td { text-align: left; overflow-wrap: anywhere }
.matrix td, .matrix th { border: 0; text-align: center; min-width: 2.6rem; padding: .35rem }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.8rem, 1fr)); gap: 1rem }
figure { margin: 0 } figure img { width: 100%; border-radius: 6px; image-rendering: pixelated }
pre { margin: 0 0 1rem; overflow-x: auto; font: .88rem ui-monospace, monospace }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem } .charts svg { flex: 1 1 24rem; width: 100% }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft) }
svg .axis { stroke: var(--line) } svg polyline { fill: none; stroke-width: 2.2 }
svg .train { stroke: rgb(var(--blue)) } svg .validation { stroke: var(--orange) }
svg polyline.validation { stroke-dasharray: 6 4 }
@media print { body { background: none } section { break-inside: avoid } }
"""
WIDTH, HEIGHT, LEFT, TOP = 460, 220, 48, 26


@dataclass(frozen=True)
class Mistake:
    """An image that was read wrongly: its picture (PNG), its class, what was said, how surely."""

    picture: bytes
    true: str
    said: str
    probability: float


def page(
    name: str,
    results: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
    environment: Mapping[str, Any],
    mistakes: Sequence[Mistake] = (),
) -> str:
    """Return the report of a run, the same bytes for the same run.

    The arguments are those of `report`; `mistakes` are shown as given, worst first.
    """
    parts = [f'<p class="verdict">{escape(verdict(results, history))}</p>']
    if history:
        parts.append(_section("Training", _charts(history) + _epochs(history)))
    if "confusion" in results:
        matrix = np.asarray(results["confusion"])
        classes = [str(item) for item in results["classes"]]
        parts.append(_section("What is taken for what", _matrix(matrix, classes)))
        if mistakes:
            parts.append(_section("The worst mistakes", _gallery(mistakes)))
        head = ["class", "precision", "recall", "F1", "images"]
        parts.append(_section("Classes", _table(head, per_class(matrix, classes))))
    command = " ".join(str(results.get("command", "striate train")).splitlines())
    facts = _table(["", ""], list(environment.items()), "facts")
    parts.append(_section("Again", f"<pre>{escape(command)}</pre>{facts}"))
    title = escape(name)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def verdict(results: Mapping[str, Any], history: Sequence[Mapping[str, float]]) -> str:
    """Return what there is to know, in three sentences."""
    epochs = f"{results['epochs']} epoch{'s'[: results['epochs'] != 1]}"
    took = f"Training took {results['seconds']:.0f} s for {epochs}{_best(history)}."
    if "confusion" not in results:
        return (
            f"Not tested: {' '.join(str(results['stopped']).split())}. {took} "
            "The model is kept as it was when training ended."
        )
    matrix = np.asarray(results["confusion"])
    total, correct = int(matrix.sum()), int(np.trace(matrix))
    low, high = wilson(correct, total)
    right = (
        f"{100 * correct / max(total, 1):.2f} % of {total:,} test images are right "
        f"(95 % interval {100 * low:.2f} to {100 * high:.2f} %)."
    )
    wrong = matrix - np.diag(np.diag(matrix))
    if not wrong.any():
        return f"{right} {took} No image is taken for another class."
    true, said = np.unravel_index(int(wrong.argmax()), wrong.shape)
    names = [" ".join(str(item).split()) for item in results["classes"]]
    times = int(wrong[true, said])
    return (
        f"{right} {took} Most often, {names[true]} is taken for {names[said]}: "
        f"{times} of {total - correct:,} mistakes."
    )


def _best(history: Sequence[Mapping[str, float]]) -> str:
    losses = [(row["val_loss"], row["epoch"]) for row in history if "val_loss" in row]
    return f", the best by validation loss being epoch {int(min(losses)[1])}" if losses else ""


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]], kind: str = "numbers") -> str:
    top = "".join(f"<th>{escape(item)}</th>" for item in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>\n"
        for row in rows
    )
    shown = f"<thead><tr>{top}</tr></thead>\n" if any(head) else ""
    return f'<table class="{kind}">\n{shown}<tbody>\n{body}</tbody>\n</table>'


def _epochs(history: Sequence[Mapping[str, float]]) -> str:
    columns = list(dict.fromkeys(name for row in history for name in row))
    rows = [
        [f"{value:.4f}" if isinstance(value, float) else value for value in values]
        for values in ([row.get(name, "") for name in columns] for row in history)
    ]
    return f"<details>\n<summary>every epoch</summary>\n{_table(columns, rows)}\n</details>"


def _charts(history: Sequence[Mapping[str, float]]) -> str:
    names = dict.fromkeys(key.removeprefix("val_") for row in history for key in row)
    charts = [_chart(name, history) for name in names if name not in ("epoch", "seconds", "lr")]
    return f'<div class="charts">\n{"".join(charts)}</div>\n'


def _chart(name: str, history: Sequence[Mapping[str, float]]) -> str:
    """Return curves of a number in training (drawn through) and validation (dashed)."""
    curves = {"train": name, "validation": f"val_{name}"}
    points = {
        kind: [(row["epoch"], row[key]) for row in history if np.isfinite(row.get(key, np.nan))]
        for kind, key in curves.items()
    }
    every = [point for curve in points.values() for point in curve]
    if not every:
        return ""
    (first, low), (end, high) = np.min(every, 0), np.max(every, 0)
    wide, tall = max(end - first, 1), (high - low) or 1.0
    right, bottom = WIDTH - 12, HEIGHT - 26

    def place(x: float, y: float) -> str:
        across = LEFT + (right - LEFT) * (x - first) / wide
        return f"{across:.1f},{bottom - (bottom - TOP) * (y - low) / tall:.1f}"

    lines = "".join(
        f'<polyline class="{kind}" points="{" ".join(place(*point) for point in curve)}"/>\n'
        for kind, curve in points.items()
        if curve
    )
    label = escape(name)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label} by epoch">\n'
        f'<text x="{LEFT}" y="14">{label}: training, and dashed validation</text>\n'
        f'<path class="axis" d="M{LEFT} {TOP}H{right}M{LEFT} {bottom}H{right}"/>\n'
        f'<text x="{LEFT - 6}" y="{TOP + 4}" text-anchor="end">{high:.3g}</text>\n'
        f'<text x="{LEFT - 6}" y="{bottom + 4}" text-anchor="end">{low:.3g}</text>\n'
        f'<text x="{LEFT}" y="{HEIGHT - 8}">{first:g}</text>\n'
        f'<text x="{right}" y="{HEIGHT - 8}" text-anchor="end">epoch {end:g}</text>\n'
        f"{lines}</svg>\n"
    )


def _matrix(matrix: Any, classes: Sequence[str]) -> str:
    """Return the counts; the darker a mistake, the larger its share of the largest one."""
    wrong = matrix - np.diag(np.diag(matrix))
    worst = max(int(wrong.max()), 1)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in classes)
    rows = ""
    for true, name in enumerate(classes):
        cells = "".join(
            f"<td>{count or ''}</td>"
            if not wrong[true, said]
            else f'<td style="background: rgb(var(--blue) / {0.1 + 0.55 * count / worst:.2f})">'
            f"{count}</td>"
            for said, count in enumerate(matrix[true])
        )
        rows += f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>\n'
    return (
        '<p class="soft">Rows: what the image is. Columns: what the network says.</p>\n'
        f'<table class="matrix">\n<thead><tr><td></td>{head}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table>"
    )


def _gallery(mistakes: Sequence[Mistake]) -> str:
    figures = "".join(
        f'<figure><img alt="{escape(one.true)}" '
        f'src="data:image/png;base64,{base64.b64encode(one.picture).decode()}">'
        f"<figcaption>{escape(one.true)}, read as {escape(one.said)}<br>"
        f"{100 * one.probability:.0f} % sure</figcaption></figure>\n"
        for one in mistakes
    )
    return f'<div class="grid">\n{figures}</div>'
