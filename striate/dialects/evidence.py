"""Evidence: which version of a dialect a script is written for, read from its own words."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from . import keras
from .table import DialectError


@dataclass(frozen=True)
class Finding:
    """A version and the lines of the script that speak for it; `layout` whether it sets that."""

    version: str
    reasons: tuple[str, ...]
    chose_layout: bool


def parse(path: Path) -> ast.Module:
    """Return the script as a tree, or raise DialectError where it is not Python 3."""
    try:
        return ast.parse(path.read_text(encoding="utf-8", errors="replace"), str(path))
    except SyntaxError as error:
        raise DialectError(
            path.name,
            "is not Python 3",
            got=(error.text or "").strip(),
            need=error.msg,
            fix=f"correct line {error.lineno}; 2to3 turns Python 2 into Python 3",
            at=f"{path.name}:{error.lineno}",
        ) from None


def find(tree: ast.Module) -> Finding:
    """Return the version: that of the import, then that of the words; Keras 2 where none speaks."""
    found: dict[str, list[str]] = {}
    for kind, word, line in _words(tree):
        for clue, text, version in keras.CLUES:
            if clue == kind and text == word:
                found.setdefault(version, []).append(f"{word} in line {line}")
    order = ("tf", "keras3", "keras0", "keras2", "keras1")
    version = next((name for name in order if name in found), keras.DEFAULT)
    if version == "keras2" and "keras23" in found:
        version = "keras23"
    layout = any(word in ast.dump(tree) for word in ("dim_ordering'", "image_data_format'"))
    return Finding(version, tuple(found.get(version, ["nothing else speaks"])[:3]), layout)


def _words(tree: ast.Module) -> list[tuple[str, str, int]]:
    """Return what a script imports, the keywords it calls with, and its texts, in line order."""
    out: list[tuple[str, str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            out += [("import", name.name, node.lineno) for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            out.append(("import", node.module, node.lineno))
            out += [("import", f"{node.module}.{name.name}", node.lineno) for name in node.names]
        elif isinstance(node, ast.Call):
            out += [("keyword", word.arg, node.lineno) for word in node.keywords if word.arg]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            out.append(("text", node.value, node.lineno))
    return sorted(out, key=lambda item: item[2])
