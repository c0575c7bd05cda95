"""Paths of Windows in scripts: read as paths of this machine where only those lead to a file."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path


def native(path: str) -> str:
    """Return a path whose parts are kept apart by what keeps them apart here."""
    return path if os.sep == "\\" else path.replace("\\", "/")


def paths(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    """Yield the texts of a script that name a file or folder of Windows that is here, and where.

    One that names a file as it is written, that is more than a path, or nothing but signs (the
    pattern of a dot, the last part of a turning bar), is not among them.
    """
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(value, str) or "\\" not in value or not value.isprintable():
            continue
        if not any(map(str.isalnum, value)):
            continue
        here = native(value)
        if here != value and len(here) < 300 and Path(here).exists() and not Path(value).exists():
            assert isinstance(node, ast.Constant)
            yield node, here


def read_here(tree: ast.Module) -> dict[str, str]:
    """Change such texts of a tree; return what they were, and are."""
    changed = {}
    for node, here in list(paths(tree)):
        changed[str(node.value)] = node.value = here
    return changed
