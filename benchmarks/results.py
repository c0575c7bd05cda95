"""Where results are kept: one JSON file with what was measured, and one page made from it.

Each kind of processor has a folder, named by its vectors. A run replaces the parts that it measured
and keeps the others, each with its own machine and command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .machine import describe, line, vectors

FOLDER = Path(__file__).parent / "results"

Results = dict[str, Any]  # part -> {"machine", "command", and what was measured}


def load(name: str, kind: str = "") -> Results:
    """Return what was kept of an earlier run on a processor of this kind, or of that kind."""
    file = FOLDER / (kind or vectors()) / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def keep(name: str, results: Results, page: Callable[[Results], str]) -> None:
    """Write the results and the page made from them."""
    folder = FOLDER / vectors()
    folder.mkdir(exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")
    (folder / f"{name}.md").write_text(page(results), encoding="utf-8")


def header(subcommand: str) -> dict[str, Any]:
    """Return how and where something is about to be measured."""
    return {"command": " ".join(["scripts/bench", subcommand, *sys.argv[1:]]), **describe()}


def origins(results: Results) -> list[str]:
    """Return lines that say how, where and when the parts were measured."""
    said: dict[str, list[str]] = {}
    loads: dict[str, list[float]] = {}
    for name, result in results.items():
        how = f"`{result['header']['command']}`; {line(result['header'])}"
        said.setdefault(how, []).append(name)
        loads.setdefault(how, []).append(float(result["header"]["load"]))
    return [
        f"- {'; '.join(names)}: {how} Load average {_range(loads[how])}."
        for how, names in said.items()
    ]


def _range(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def table(rows: Iterable[Iterable[str]]) -> list[str]:
    """Return rows of cells, the first of them the titles, as lines of Markdown."""
    first, *rest = (list(row) for row in rows)
    lines = [first, ["---"] + ["---:"] * (len(first) - 1), *rest]
    return [f"| {' | '.join(cells)} |" for cells in lines] + [""]
