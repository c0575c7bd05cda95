"""striate report: the HTML page of a run, again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..report import Data
    from ..store.run import Run


def report(
    run: Annotated[str, typer.Argument(help="Folder or name of a run.")],
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write report.html of a run anew: one file that needs no server and no network.

    Example: striate report runs/mnist
    """
    from ..model import load
    from ..report import write
    from ..store.run import Run

    opened = Run.open(run, root=root)
    model = load(opened.path)
    opened.epochs = epochs(opened.path / "metrics.jsonl")
    page = write(opened, model, data_of(opened))
    opened.finish(model)
    print(json.dumps({"run": str(opened.path), "report": str(page)}) if as_json else page)


def epochs(log: Path) -> list[dict[str, float]]:
    """Return the numbers of each epoch; none where training ended before the first was over."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []


def data_of(run: Run) -> Data | None:
    """Return the data of a recipe's run, the test set if it was touched; what a script's keeps."""
    from ..report import Data
    from ..store import samples
    from .recipe import recipe_of

    config = run.read("config.json")
    results = run.results
    kept = samples.load(run.path)
    if kept or "recipe" not in config:
        judged = str(results.get("judged", "test"))
        names = tuple(map(str, results.get("classes", ())))
        tested = "confusion" in results or "recipe" not in config
        test = kept.get("test") if tested else None
        return Data(names, kept.get("train"), kept.get("validation"), test, judged)
    recipe, settings = recipe_of(run)
    train, validation = recipe.data(settings)
    test = recipe.test_data(settings) if "confusion" in results else None
    return Data(tuple(map(str, results["classes"])), train, validation, test)
