"""Evidence: the dialects a script is written in, and the version of each, read from its words."""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import python2
from .companions import added, imported
from .dialect import Dialect, every
from .image_order import orders
from .table import DialectError

Word = tuple[str, str, str]  # kind, the word itself, where it is
FROZEN_LATER = "trainable = False after compile"


@dataclass(frozen=True)
class Finding:
    """A dialect, its version and the lines of the script that speak for it."""

    dialect: Dialect
    version: str
    reasons: tuple[str, ...]


def parse(path: Path) -> ast.Module:
    """Return the script as a tree, or raise DialectError where it is not Python."""
    try:
        return python2.read(path)[1]
    except SyntaxError as error:
        raise DialectError(
            path.name,
            "is not Python 3",
            got=(error.text or "").strip(),
            need=error.msg,
            fix=f"correct line {error.lineno}; 2to3 turns Python 2 into Python 3",
            at=f"{path.name}:{error.lineno}",
        ) from None


def trees(path: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Yield a script, and the files beside it that it imports, as trees.

    Raises: DialectError where one of them is not Python.
    """
    todo, seen = [path], {path}
    folders = [path.parent]
    while todo:
        file = todo.pop(0)
        tree = parse(file)
        yield file, tree
        folders += sorted(added(tree, file, path.parent) - set(folders))
        new = imported(tree, file, folders) - seen
        todo += sorted(new)
        seen |= new


def words(path: Path) -> list[Word]:
    """Return what a script, and the files beside it that it imports, says; in line order.

    Kinds: "import", a module or name that is imported; "keyword", of a call; "argument", the
    same after the name of what is called; "numbers", what is called and with how many numbers
    first, where these are more than one; "name", a name with its dots; "text", a string; "habit",
    what several lines do together.
    """
    out: list[Word] = []
    for file, tree in trees(path):
        where = "" if file == path else f" of {file.name}"
        out += [(kind, word, f"line {line}{where}") for kind, word, line in _words(tree)]
    return out


def find(said: list[Word]) -> list[Finding]:
    """Return each dialect whose packages a script imports; the first one where it imports none.

    A script that imports Striate and none of them has no dialect.
    """
    imports = {word for kind, word, _ in said if kind == "import"}
    dialects = list(every())
    spoken = [one for one in dialects if any(set(root.split()) <= imports for root in one.ROOTS)]
    if not spoken and "striate" not in imports:
        spoken = dialects[:1]
    return [_finding(dialect, said) for dialect in spoken]


def _finding(dialect: Dialect, said: list[Word]) -> Finding:
    clues: dict[tuple[str, str], list[str]] = {}
    for kind, text, version in dialect.CLUES:
        clues.setdefault((kind, text), []).append(version)
    found: dict[str, list[str]] = {}
    for kind, word, where in said:
        for version in clues.get((kind, word), ()):
            found.setdefault(version, []).append(f"{word} in {where}")
    version = dialect.decide(found) if found else dialect.DEFAULT
    all_together = [reason for reasons in found.values() for reason in reasons]
    reasons = tuple(dict.fromkeys(found.get(version) or all_together or ["nothing else speaks"]))
    return Finding(dialect, version, reasons[:3])


def _words(tree: ast.Module) -> list[tuple[str, str, int]]:
    out: list[tuple[str, str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            paths = [name.name for name in node.names]
            out += [("import", part, node.lineno) for part in _prefixes(paths)]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            paths = [f"{node.module}.{name.name}" for name in node.names]
            out += [("import", part, node.lineno) for part in _prefixes(paths)]
        elif isinstance(node, ast.Call):
            words = [word.arg for word in node.keywords if word.arg]
            called = next(iter([*_dotted(node.func)][-1:]), "")
            out += [("keyword", word, node.lineno) for word in words]
            out += [("argument", f"{called}.{word}", node.lineno) for word in words]
            count = len([*itertools.takewhile(_numeric, node.args)])
            out += [("numbers", f"{called} {count}", node.lineno)] if count > 1 else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            out.append(("text", node.value, node.lineno))
        elif isinstance(node, (ast.Name, ast.Attribute)):
            out += [("name", name, node.lineno) for name in _dotted(node)]
    out += [("habit", FROZEN_LATER, line) for line in _frozen_later(tree)]
    out += [("habit", order, line) for order, line in orders(tree)]
    return sorted(out, key=lambda item: item[2])


def _frozen_later(tree: ast.Module) -> Iterator[int]:
    """Yield lines that freeze for good what was compiled before, and is trained afterwards."""
    calls: dict[tuple[str, str], list[int]] = {}
    frozen: dict[str, dict[Any, int]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            calls.setdefault((_whole(node.func.value), node.func.attr), []).append(node.lineno)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr == "trainable":
                    values = frozen.setdefault(_whole(target.value), {})
                    values.setdefault(node.value.value, node.lineno)
    for name, values in frozen.items():
        compiled = min(calls.get((name, "compile"), [sys.maxsize]))
        trained = [*calls.get((name, "train_on_batch"), ()), *calls.get((name, "fit"), ())]
        if [*values] == [False] and compiled < values[False] < max(trained, default=0):
            yield values[False]


def _whole(node: ast.expr) -> str:
    return next(iter(_dotted(node)), "")


def _numeric(node: ast.expr) -> bool:
    """Return whether a number is written there, or computed of numbers."""
    if isinstance(node, ast.BinOp):
        return _numeric(node.left) and _numeric(node.right)
    return isinstance(node, ast.Constant) and type(node.value) is int


def _prefixes(paths: list[str]) -> list[str]:
    """Return each path and the packages above it: a.b gives a and a.b."""
    split = [path.split(".") for path in paths]
    ends = [".".join(parts[:end]) for parts in split for end in range(1, len(parts) + 1)]
    return list(dict.fromkeys(ends))


def _dotted(node: ast.expr) -> Iterator[str]:
    """Yield `a.b.c` of a name with dots, and its last word alone."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        yield ".".join((node.id, *parts))
    if parts:
        yield parts[-1]
