"""A file of a script as it runs: read as Python 3, its paths those of here, its loops as asked."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..engine.progress import counted, say
from . import python2, python2_meaning, restore_numpy, windows
from .loops import bounded
from .session import Script


def names() -> Mapping[str, Any]:
    """Return the functions that such trees call."""
    return {**python2_meaning.names(), **restore_numpy.names()}


def runnable(path: Path, script: Script, *, main: bool) -> tuple[str, ast.Module]:
    """Return the text of a file, and the tree that is run; say what is changed in it."""
    text, tree, changed = python2.read(path)
    lines = [] if script.max_epochs is None else bounded(tree, script.max_epochs)
    tree = restore_numpy.with_methods(tree)
    if script.python2:
        tree = python2_meaning.meant(tree)
        script.note("Python 2: / of whole numbers goes down; map, filter and zip make lists")
    if changed and main:
        kinds = "Python 2's print, except, raise, iteritems; % and ! left out"
        say(f"note: {counted(changed, 'line')} read as Python 3 ({kinds})")
    if lines:
        where = ", ".join(map(str, lines)) + ("" if main else f" of {path.name}")
        script.note(f"--max-epochs: the loop in line {where} ends after {script.max_epochs}")
    for written, here in windows.read_here(tree).items():
        script.note(f"{written} is a path of Windows, {here} here")
    return text, tree
