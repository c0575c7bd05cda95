"""striate data: a folder of images, looked at before anything is trained on it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

data = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@data.callback()
def about() -> None:
    """Look at data before training."""


@data.command()
def check(
    folder: Annotated[str, typer.Argument(help="Folder that holds a folder for each class.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Decode every image of a folder; tell classes, sizes, equal files and what cannot be read.

    Example: striate data check flowers/
    """
    from ..data import check_folder

    found = check_folder(folder)
    print(json.dumps(found.facts()) if as_json else found)
