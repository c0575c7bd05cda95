"""striate explore: the live page of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def explore(
    run: Annotated[
        str | None, typer.Argument(help="Folder or name of a run; the newest if left out.")
    ] = None,
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port; else the first free one from 8250.")
    ] = None,
    opens: Annotated[bool, typer.Option("--open", help="Open a browser.")] = False,
) -> None:
    """Show a run in the browser: draw, and watch every layer; until Ctrl-C.

    Example: striate explore mnist
    """
    from ..errors import StoreError
    from ..explorer.serve import serve
    from ..explorer.subject import Subjects

    given = Path(run) if run and Path(run).is_dir() else None
    folder = given.resolve().parent if given is not None else Path(root)
    subjects = Subjects(folder)
    names = subjects.names()
    if not names:
        raise StoreError(
            str(folder), "there are no runs to show", need="a run", fix="striate train mnist"
        )
    chosen = given.resolve().name if given is not None else run or names[0]
    subjects[chosen]

    def started(address: str) -> None:
        print(address, flush=True)
        print(f"shows {chosen} and the other runs of {folder}; Ctrl-C ends it", file=sys.stderr)
        if opens:
            import webbrowser

            webbrowser.open(address)

    serve(folder, chosen, port, started)
    print("stopped", file=sys.stderr)
