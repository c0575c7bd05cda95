"""striate runs: what has been trained, with accuracy and date."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def runs(
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the runs of a folder.

    Example: striate runs
    """
    import sys
    from datetime import datetime

    from ..store.run import list_runs

    found = []
    for path in list_runs(root):
        file = path / "results.json"
        if file.is_file():
            accuracy = json.loads(file.read_text())["test_accuracy"]
            date = datetime.fromtimestamp(file.stat().st_mtime).isoformat(" ", "minutes")
        else:
            accuracy, date = None, None
        found.append({"run": str(path), "test_accuracy": accuracy, "date": date})
    if as_json:
        print(json.dumps({"runs": found}))
        return
    for item in found:
        accuracy = item["test_accuracy"]
        result = "not finished" if accuracy is None else f"{100 * accuracy:.2f} %  {item['date']}"
        print(f"{item['run']}  {result}")
    if not found:
        print(f"no runs in {root}; begin with: striate train mnist", file=sys.stderr)
