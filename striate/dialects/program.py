"""A script as a program: its dialect found and served, its run kept."""

from __future__ import annotations

import os
import re
import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from ..engine.progress import say
from ..engine.seed import seed as set_seed
from ..store.run import Run, environment
from .evidence import find, parse
from .importer import find_dialect, serving
from .restore import restored
from .session import PICTURES, Session
from .table import DialectError


def run_script(
    script: str | Path,
    args: Sequence[str] = (),
    *,
    dialect: str = "",
    max_epochs: int | None = None,
    limit_samples: int | None = None,
    seed: int | None = None,
    root: str | Path = "runs",
) -> Path:
    """Run a script of a dialect unmodified; return the folder of its run.

    Raises: DialectError where there is no such script, it is not Python 3, or uses a word that
    has no meaning here.
    """
    path = Path(script)
    if not path.is_file():
        raise DialectError("run", f"there is no script {str(script)!r}", need="a Python file")
    tree = parse(path)
    finding = find(tree)
    module, version = find_dialect(dialect or finding.version)
    session = module.open_session(version or module.DEFAULT)
    reasons = ", ".join(finding.reasons) if not dialect else f"--dialect {dialect}"
    say(f"dialect  {session.version.name} ({session.version.title}): {reasons}")
    session.chose_layout = finding.chose_layout
    session.max_epochs, session.limit_samples = max_epochs, limit_samples
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:60] or "script"
    session.run = Run.create(root, name)
    if seed is not None:
        set_seed(seed)
    with _program(path, args, session), serving(session, module.modules(session), module.REFUSED):
        runpy.run_path(str(path), run_name="__main__")
    _keep(session, path, args)
    return Path(session.run.path)


@contextmanager
def _program(path: Path, args: Sequence[str], session: Session) -> Iterator[None]:
    """Give the script its own arguments, path and surroundings."""
    pictures = {
        "MPLBACKEND": "module://striate.dialects.pictures",
        PICTURES: str(Path(session.run.path).resolve()),
    }
    with (
        patch.object(sys, "argv", [str(path), *args]),
        patch.object(sys, "path", [str(path.parent), *sys.path]),
        patch.dict(os.environ, pictures),
        restored(),
    ):
        yield


def _keep(session: Session, path: Path, args: Sequence[str]) -> None:
    run = session.run
    run.write("config.json", {"script": path.name, "arguments": list(args),
                              "dialect": session.version.name})  # fmt: skip
    run.write("environment.json", environment())
    if session.fitted is not None:
        run.finish(session.fitted)
    say(f"kept in {run.path}")
