"""striate compare: two runs side by side: what was asked, what came of it, where they disagree."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..store.run import Run

SHOWN = 10  # images on which the two disagree
DONE = {"epochs": "epochs trained", "seconds": "seconds in all"}  # beside those asked, and each
WIDE = 24  # characters of a curve in the terminal
BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"


def compare(
    one: Annotated[str, typer.Argument(help="Folder or name of a run.")],
    other: Annotated[str, typer.Argument(help="Folder or name of another run.")],
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare two runs: settings, results, curves, and test images on which they disagree.

    Example: striate compare mnist mnist-2
    """
    from ..store.run import Run

    runs = [Run.open(name, root=root) for name in (one, other)]
    told = {
        "runs": [str(run.path) for run in runs],
        "settings": _differences([_flat(run, "config.json") for run in runs]),
        "results": _differences([_numbers(run) for run in runs]),
        "curves": [_curves(run) for run in runs],
        "disagreements": _disagreements(runs),
    }
    if as_json:
        print(json.dumps(told))
        return
    for line in _lines(told):
        print(line)


def _flat(run: Run, name: str) -> dict[str, Any]:
    """Return a file of a run as one level: settings of the recipe among the rest."""
    found = run.read(name) if (run.path / name).is_file() else {}
    return {**{k: v for k, v in found.items() if k != "settings"}, **found.get("settings", {})}


def _numbers(run: Run) -> dict[str, Any]:
    """Return the results that are single numbers."""
    return {name: value for name, value in run.results.items() if isinstance(value, (int, float))}


def _differences(pair: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return what is not the same in both, by name."""
    names = dict.fromkeys((*pair[0], *pair[1]))
    both = {name: [one.get(name) for one in pair] for name in names}
    return {name: values for name, values in both.items() if values[0] != values[1]}


def _curves(run: Run) -> dict[str, list[float]]:
    """Return the numbers of the epochs, by name."""
    from .report import epochs

    rows = epochs(run.path / "metrics.jsonl")
    names = dict.fromkeys(name for row in rows for name in row if name != "epoch")
    return {name: [row[name] for row in rows if name in row] for name in names}


def _judged(runs: list[Run]) -> tuple[Any, Any, list[str]] | None:
    """Return images, class numbers and classes by which both runs were judged; None without any."""
    from ..report.evidence import numbers
    from ..store import samples
    from .recipe import tested_on

    recipes = {_flat(run, "config.json").get("recipe") for run in runs}
    recipe = recipes.pop()
    if recipe is not None and not recipes:
        if not all("test_accuracy" in _numbers(run) for run in runs):
            return None  # the test set is not touched for a comparison
        if not any((run.path / samples.FILE).is_file() for run in runs):
            return tested_on(runs[0])
    one, other = (samples.load(run.path).get("test") for run in runs)
    classes = [run.results.get("classes") for run in runs]
    if one is None or other is None or classes[0] != classes[1] or not classes[0]:
        return None
    same = all(a.shape == b.shape and (a == b).all() for a, b in zip(one, other, strict=True))
    return (one[0], numbers(one[1]), classes[0]) if same else None


def _disagreements(runs: list[Run]) -> dict[str, Any] | None:
    """Return the images of which two runs say another class; None without images of both."""
    from ..inspect import compare as side_by_side
    from ..model import load

    judged = _judged(runs)
    if judged is None:
        return None
    x, y, classes = judged
    first, second = (load(run.path) for run in runs)
    found = side_by_side(first, second, x, y)
    says = [chances.argmax(1) for chances in (found.one, found.other)]
    return {
        "images": len(x),
        "different": len(found.disagree),
        "only_first_right": len(found.only_one),
        "only_second_right": len(found.only_other),
        "both_wrong": len(found.neither),
        "shown": [
            {
                "image": at,
                "class": classes[y[at]],
                "said": [classes[each[at]] for each in says],
            }
            for at in found.disagree[:SHOWN]
        ],
    }


def _lines(told: dict[str, Any]) -> list[str]:
    first, second = (_short(Path(name).name) for name in told["runs"])
    lines = [f"{'':<21}{first:<26}{second}"]
    for group in ("settings", "results"):
        for name, values in told[group].items():
            shown = [_short(value) for value in values]
            name = DONE.get(name, name) if group == "results" else name
            lines.append(f"{name:<21}{shown[0]:<26}{shown[1]}")
    for name in dict.fromkeys((*told["curves"][0], *told["curves"][1])):
        drawn = [spark(curves.get(name, [])) for curves in told["curves"]]
        lines.append(f"{name:<21}{drawn[0]:<26}{drawn[1]}")
    found = told["disagreements"]
    if found is None:
        return [*lines, "images are compared where both runs were judged by the same ones"]
    lines.append(
        f"They say different classes of {found['different']:,} of {found['images']:,} images: "
        f"{found['only_first_right']:,} only the first has right, "
        f"{found['only_second_right']:,} only the second; both are wrong in "
        f"{found['both_wrong']:,}."
    )
    for one in found["shown"]:
        said = " and ".join(one["said"])
        lines.append(f"  image {one['image']:,} is {one['class']}; they say {said}")
    return lines


def _short(value: Any) -> str:
    text = "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
    return text if len(text) <= WIDE else f"{text[: WIDE - 2]}.."


def spark(values: list[float]) -> str:
    """Return a curve of at most 24 blocks, from its least to its largest value."""
    kept = values[:: -(-len(values) // WIDE)] if values else []
    finite = [value for value in kept if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    steps = [(v - low) / ((high - low) or 1.0) if math.isfinite(v) else None for v in kept]
    return "".join(" " if s is None else BLOCKS[round(s * (len(BLOCKS) - 1))] for s in steps)
