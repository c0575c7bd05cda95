"""striate runs: what has been trained, with accuracy and date."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Annotated, Any

import typer

SHOWN = {"test_accuracy": "", "validation_accuracy": " of validation"}  # the first that there is


def runs(
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the runs of a folder.

    Example: striate runs
    """
    from ..store.files import MANIFEST
    from ..store.run import Run, list_runs

    found: list[dict[str, Any]] = []
    for path in list_runs(root):
        date = datetime.fromtimestamp((path / MANIFEST).stat().st_mtime)
        told = {name: Run(path).results.get(name) for name in SHOWN}
        found.append({"run": str(path), **told, "date": date.isoformat(" ", "minutes")})
    if as_json:
        print(json.dumps({"runs": found}))
        return
    for item in found:
        shown = next((f"{100 * item[name]:.2f} %{more}" for name, more in SHOWN.items()
                      if item[name] is not None), "not tested")  # fmt: skip
        print(f"{item['run']}  {shown}  {item['date']}")
    if not found:
        print(f"no runs in {root}; begin with: striate train mnist", file=sys.stderr)
