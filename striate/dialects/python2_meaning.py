"""What Python 2 means by `/` of whole numbers, map, filter, zip and open: for scripts of it."""

from __future__ import annotations

import ast
import io
from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from pathlib import Path
from typing import Any

from . import notebook

MODULES = {"cPickle", "urllib2", "ConfigParser", "Queue", "cStringIO", "StringIO", "Tkinter",
           "__builtin__", "urlparse", "commands"}  # fmt: skip
DIVIDED, LISTED, OPENED = "__divided__", "__listed__", "__opened__"
VIEWED, HELD = "__viewed__", "__held__"
VIEWS = ("keys", "values", "items")
LAZY = ("map", "filter", "zip")
GONE = {"xrange", "raw_input", "unicode", "basestring", "unichr"}


def older(path: Path) -> bool:
    """Return whether a script is of Python 2: by its statements, or by what it imports for sure."""
    try:
        text = notebook.source(path) if path.suffix == notebook.SUFFIX else path.read_text("utf-8")
        lines = "\n".join(map(notebook.command, text.splitlines()))
    except (UnicodeDecodeError, OSError):
        return False
    try:
        tree = ast.parse(lines)
    except SyntaxError:
        return _printing(lines)
    imported = {
        alias.name.split(".")[0]
        for node in tree.body  # not in a try, where Python 3 has another
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}
    return bool(imported & MODULES) or _speaks(tree)


def _speaks(tree: ast.Module) -> bool:
    """Return whether a script uses what Python 3 has not, and it does not make itself."""
    nodes = list(ast.walk(tree))
    made = {node.id for node in nodes if isinstance(node, ast.Name) and _stores(node)} | {
        alias.asname or alias.name for node in nodes
        if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names
    }  # fmt: skip
    gone = any(isinstance(node, ast.Name) and node.id in GONE - made for node in nodes)
    return gone or any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        and node.func.id == "range" and any(map(_is_share, node.args)) for node in nodes
    )  # fmt: skip


def _stores(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _is_share(node: ast.expr) -> bool:
    """Return whether an expression is a quotient, which Python 3's range does not take."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


def _printing(text: str) -> bool:
    return any(
        line.lstrip().startswith(("print ", "print\t", "exec ", "raise ")) or "`" in line
        for line in text.splitlines()
    )


def meant(tree: ast.Module) -> ast.Module:
    """Return the tree of a script of Python 2, with the calls that do what its words meant."""
    divides = not any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "division" for alias in node.names)
        for node in ast.walk(tree)
    )
    changed: ast.Module = _Meanings(divides).visit(tree)
    return ast.fix_missing_locations(changed)


def names() -> Mapping[str, Any]:
    """Return the functions that such a tree calls."""
    return {DIVIDED: divided, LISTED: list, OPENED: opened, VIEWED: viewed, HELD: held}


def divided(a: Any, b: Any) -> Any:
    """Divide; whole numbers and arrays of them as Python 2: down to a whole number."""
    return a // b if _whole(a) and _whole(b) else a / b


def viewed(found: Any) -> Any:
    """Return the keys, values or items of a dictionary as a list; of what is none, as they are."""
    return list(found) if isinstance(found, (KeysView, ValuesView, ItemsView)) else found


def held(holder: Any, key: Any) -> bool:
    """Return whether a dictionary has a key."""
    return bool(holder.has_key(key)) if hasattr(holder, "has_key") else key in holder


class Writer(io.BufferedWriter):
    """A file that takes texts and bytes, which are the same in Python 2."""

    def write(self, data: Any) -> int:
        """Write a text in UTF-8, or bytes."""
        return super().write(data.encode() if isinstance(data, str) else data)


class Reader(io.BufferedReader):
    """A file of bytes whose lines are texts, as `csv.reader` of Python 2 takes them."""

    def __next__(self) -> Any:
        return super().__next__().decode("utf-8", "surrogateescape")


def opened(path: Any, mode: str = "r", *more: Any, **words: Any) -> Any:
    """Open a file as Python 2: what is written, and lines of bytes that are read, may be texts."""
    kind = mode.replace("b", "").replace("t", "").replace("U", "")
    if kind in ("w", "a") and not words:
        return Writer(io.FileIO(path, kind))
    if kind == "r" and "b" in mode and not words:
        return Reader(io.FileIO(path))
    return open(path, mode.replace("U", "") or "r", *more, **words)  # noqa: PTH123


def _whole(value: Any) -> bool:
    if isinstance(value, int):
        return True
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return kind in ("i", "u")


class _Meanings(ast.NodeTransformer):
    def __init__(self, divides: bool) -> None:
        self.divides = divides

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Divide as Python 2."""
        self.generic_visit(node)
        if not self.divides or not isinstance(node.op, ast.Div):
            return node
        return ast.copy_location(_call(DIVIDED, node.left, node.right), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """Divide a name in place as Python 2; what is no name may be an array, as it is."""
        self.generic_visit(node)
        if not self.divides or not isinstance(node.op, ast.Div):
            return node
        if not isinstance(node.target, ast.Name):
            return node
        value = _call(DIVIDED, ast.Name(node.target.id, ast.Load()), node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Make lists of what was one."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("open", "file"):
            node.func = ast.copy_location(ast.Name(OPENED, ast.Load()), node.func)
        if isinstance(node.func, ast.Attribute) and not node.keywords:
            if node.func.attr in VIEWS and not node.args:
                return ast.copy_location(_call(VIEWED, node), node)
            if node.func.attr == "has_key" and len(node.args) == 1:
                return ast.copy_location(_call(HELD, node.func.value, *node.args), node)
        if isinstance(node.func, ast.Name) and node.func.id in LAZY:
            return ast.copy_location(_call(LISTED, node), node)
        return node


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])
