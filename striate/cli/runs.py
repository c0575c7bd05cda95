"""striate runs: what has been trained, with accuracy and date."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Annotated

import typer


def runs(
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the runs of a folder.

    Example: striate runs
    """
    from ..store.files import MANIFEST
    from ..store.run import Run, list_runs

    found = []
    for path in list_runs(root):
        date = datetime.fromtimestamp((path / MANIFEST).stat().st_mtime)
        accuracy = Run(path).results.get("test_accuracy")
        found.append(
            {"run": str(path), "test_accuracy": accuracy, "date": date.isoformat(" ", "minutes")}
        )
    if as_json:
        print(json.dumps({"runs": found}))
        return
    for item in found:
        accuracy = item["test_accuracy"]
        shown = "not tested" if accuracy is None else f"{100 * accuracy:.2f} %"
        print(f"{item['run']}  {shown}  {item['date']}")
    if not found:
        print(f"no runs in {root}; begin with: striate train mnist", file=sys.stderr)
