"""striate evaluate: a saved run on the test set of its recipe."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def evaluate(
    run: Annotated[str, typer.Argument(help="Folder or name of a run.")],
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compute the accuracy of a saved run on the test set of its recipe.

    Example: striate evaluate runs/mnist
    """
    from ..errors import ConfigError
    from ..model import load
    from ..store.run import Run
    from .recipe import tested_on
    from .score import accuracy_line, score

    opened = Run.open(run, root=root)
    config = opened.read("config.json")
    if "recipe" not in config:
        raise ConfigError(
            str(opened.path),
            "the run has no test set: a script made it, and kept its data to itself",
            need="the run of a recipe",
            fix=f'st.load("{opened.path}"), then compile and evaluate(x, y)',
        )
    x, y, classes = tested_on(opened)
    results = score(load(opened.path), x, y, classes)
    print(json.dumps({"run": str(opened.path), **results}) if as_json else accuracy_line(results))
