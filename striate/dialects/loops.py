"""Loops over epochs that a script writes itself, ended after as many as `--max-epochs` says."""

from __future__ import annotations

import ast
import re

TARGET = re.compile(r"epoch", re.IGNORECASE)
NOT_EPOCHS = re.compile(r"step|batch|iter|per|size", re.IGNORECASE)
COUNT = re.compile(
    r"^(n|nb|num|max|total|number|no|nr|train|training)?_?(of_)?epochs?(_num|_number|_count)?$",
    re.IGNORECASE,
)


class Bounded(ast.NodeTransformer):
    """Turns `for epoch in range(20)` into `for epoch in range(20)[:most]`.

    Fields: `lines`, where the loops are that were changed.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.lines: list[int] = []

    def visit_For(self, node: ast.For) -> ast.For:
        """Bound the range of a loop whose variable, or whose end, is named after epochs."""
        self.generic_visit(node)
        call = next((one for one in ast.walk(node.iter) if _is_range(one)), None)
        if isinstance(call, ast.Call) and _counts_epochs(node.target, call):
            node.iter = Cut(call, self.most).visit(node.iter)
            self.lines.append(node.lineno)
        return node


class Cut(ast.NodeTransformer):
    """Puts `[:most]` behind one call."""

    def __init__(self, call: ast.Call, most: int) -> None:
        self.call, self.most = call, most

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Cut the call, or look into it."""
        if node is not self.call:
            self.generic_visit(node)
            return node
        part = ast.Slice(upper=ast.Constant(self.most))
        return ast.fix_missing_locations(
            ast.copy_location(ast.Subscript(node, part, ast.Load()), node)
        )


def bounded(tree: ast.Module, most: int) -> list[int]:
    """End the loops over epochs of a program after `most`; return their lines."""
    bound = Bounded(most)
    bound.visit(tree)
    return sorted(bound.lines)


def _is_range(node: ast.AST) -> bool:
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return name in ("range", "xrange")


def _counts_epochs(target: ast.expr, call: ast.Call) -> bool:
    name = target.id if isinstance(target, ast.Name) else ""
    if TARGET.search(name) and not NOT_EPOCHS.search(name):
        return True
    ends = [word for part in call.args for node in ast.walk(part) for word in _words(node)]
    return any(COUNT.match(word) for word in ends)


def _words(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    return []
