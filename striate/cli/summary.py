"""striate summary: the table of a network, from a run, a file or a recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def summary(
    source: Annotated[str, typer.Argument(help="A run, a .striate file, or a recipe.")],
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print each layer with the arithmetic of its shape and its parameters.

    Example: striate summary mnist
    """
    from ..errors import nearest, unknown
    from ..inspect.summary import summary as table
    from ..model import load
    from ..store.run import Run
    from .recipe import find_recipe, read_settings, recipe_names

    if Path(source).is_file() or source.endswith(".striate"):
        model = load(source)
    elif source in recipe_names() and not (Path(source).is_dir()):
        recipe = find_recipe(source)
        model = recipe.model(read_settings(recipe, ()))
    elif not Path(source).is_dir() and nearest(source, recipe_names()):
        raise unknown("striate", "recipe", source, recipe_names())
    else:
        model = load(Run.open(source, root=root).path)
    found = table(model)
    print(json.dumps(found.as_dict()) if as_json else found)
