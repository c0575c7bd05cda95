"""What Python 2 means by `/` of whole numbers, map, filter and zip: for scripts that are of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import notebook

MODULES = {"cPickle", "urllib2", "ConfigParser", "Queue", "cStringIO", "StringIO", "Tkinter",
           "__builtin__", "urlparse", "commands"}  # fmt: skip
DIVIDED, LISTED = "__divided__", "__listed__"
LAZY = ("map", "filter", "zip")


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
    return bool(imported & MODULES)


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
    return {DIVIDED: divided, LISTED: list}


def divided(a: Any, b: Any) -> Any:
    """Divide; whole numbers and arrays of them as Python 2: down to a whole number."""
    return a // b if _whole(a) and _whole(b) else a / b


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
        if isinstance(node.func, ast.Name) and node.func.id in LAZY:
            return ast.copy_location(_call(LISTED, node), node)
        return node


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])
