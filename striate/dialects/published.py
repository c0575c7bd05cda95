"""Trained weights that others have published: fetched once, or drawn where a script may do so."""

from __future__ import annotations

import os
from pathlib import Path

from ..data.datasets.fetch import Published, fetch
from ..engine.progress import say
from ..errors import StoreError, caller
from .table import DialectError

WEIGHTS = "STRIATE_WEIGHTS"  # in the environment: "drawn" where trained ones may be missing


def trained(title: str, name: str, file: Published | None, into: Path) -> Path | None:
    """Return the path of a network's trained weights, which are not there yet.

    `file` is what is published, if that is known, with its one address. None: the network begins
    with weights that are drawn, as the environment says.

    Raises: DialectError where it cannot be fetched.
    """
    if os.environ.get(WEIGHTS) == "drawn":
        say(f"note: {name} begins with weights that are drawn, not with its trained ones")
        return None
    what, failed = "the trained weights are not on this machine", f"no file of {name} in {into}"
    need = "the published file"
    if file is not None:
        address = file.mirrors[0] + file.name
        say(f"note: fetching {address}, once")
        try:
            return fetch(file, into)
        except StoreError as error:
            failed = error.rows["got"]
        what, need = f"{what}, and could not be fetched", f"{need} {file.name}"
    raise DialectError(
        title,
        what,
        got=failed,
        need=f"{need} in {into}",
        fix=f"{WEIGHTS}=drawn in the environment goes on with weights that are drawn, which learn "
        "from the start; weights=None in the script does too",
        at=caller(),
    )
