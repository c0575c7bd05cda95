"""striate doctor: versions and machine, the first thing to send with a question."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the versions, the processor and the threads that Striate uses here.

    Example: striate doctor
    """
    from ..lower.runtime import library
    from ..store.run import environment

    native = library()
    engine = "torch operations" if native is None else f"native library for {native.isa}"
    found = {**environment(), "engine": engine}
    if as_json:
        print(json.dumps(found))
        return
    width = max(map(len, found))
    for key, value in found.items():
        print(f"{key:<{width}}  {value}")
