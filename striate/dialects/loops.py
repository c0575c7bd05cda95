"""Loops over epochs that a script writes itself, ended after as many as `--max-epochs` says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

TARGET = re.compile(r"epoch", re.IGNORECASE)
NOT_EPOCHS = re.compile(r"step|batch|iter|per|size", re.IGNORECASE)
COUNT = re.compile(
    r"^(n|nb|num|max|total|number|no|nr|train|training)?_?(of_)?epochs?(_num|_number|_count)?$",
    re.IGNORECASE,
)
STEPS = ("backward", "train_on_batch", "apply_gradients")
RANGES = ("range", "xrange", "trange", "tnrange", "arange", "count")
CUT = "__import__('itertools').islice(0, {most})"
LEFT = "__epochs_{line}"


class Bounded(ast.NodeTransformer):
    """Ends loops over epochs: `for epoch in range(20)`, `while epoch < 20`.

    What a `for` goes through is cut; a `while` gets a count beside its condition. Fields: `lines`,
    where the loops are that were changed.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.lines: list[int] = []

    def visit_For(self, node: ast.For) -> ast.For:
        """Bound a loop whose variable, or whose end, is named after epochs."""
        self.generic_visit(node)
        call = next((one for one in ast.walk(node.iter) if _is_range(one)), None)
        named = _is_epoch(node.target) or _ends_in_epochs(getattr(call, "args", []))
        if isinstance(call, ast.Call) and (named or _goes_over_batches(node)):
            node.iter = self._cut(node.iter, call if _is_plain(call) else node.iter)
            self.lines.append(node.lineno)
        elif call is None and _is_epoch(node.target):
            node.iter = self._cut(node.iter, node.iter)
            self.lines.append(node.lineno)
        return node

    def _cut(self, whole: ast.expr, part: ast.expr) -> ast.expr:
        """Return an expression in which one part of it ends early."""
        if _is_plain(part):
            top = ast.Slice(upper=ast.Constant(self.most))  # a bar around it asks for its length
            made: ast.expr = ast.Subscript(part, top, ast.Load())
        else:
            cut = ast.parse(CUT.format(most=self.most), mode="eval").body
            assert isinstance(cut, ast.Call)
            cut.args[0] = part
            made = cut
        out = Exchange(part, made).visit(whole)
        assert isinstance(out, ast.expr)
        return ast.fix_missing_locations(ast.copy_location(out, whole))

    def visit_While(self, node: ast.While) -> ast.stmt | list[ast.stmt]:
        """Bound a loop whose condition compares an epoch."""
        self.generic_visit(node)
        compared = [one for part in ast.walk(node.test) if isinstance(part, ast.Compare)
                    for one in (part.left, *part.comparators)]  # fmt: skip
        if not any(_is_epoch(one) or _ends_in_epochs([one]) for one in compared):
            return node
        name = LEFT.format(line=node.lineno)
        begin = ast.parse(f"{name} = iter(range({self.most}))").body[0]
        more = ast.parse(f"next({name}, None) is not None", mode="eval").body
        node.test = ast.BoolOp(ast.And(), [node.test, more])
        self.lines.append(node.lineno)
        for one in (begin, node.test):
            ast.copy_location(one, node)
            ast.fix_missing_locations(one)
        return [begin, node]


class Exchange(ast.NodeTransformer):
    """Puts another expression in the place of one."""

    def __init__(self, before: ast.expr, after: ast.expr) -> None:
        self.before, self.after = before, after

    def visit(self, node: ast.AST) -> ast.AST:
        """Exchange the expression, or look into it."""
        found: ast.AST = self.after if node is self.before else super().visit(node)
        return found


def bounded(tree: ast.Module, most: int) -> list[int]:
    """End the loops over epochs of a program after `most`; return their lines."""
    bound = Bounded(most)
    bound.visit(tree)
    return sorted(bound.lines)


def _is_range(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and next(_words(node.func), "") in RANGES


def _is_epoch(node: ast.expr) -> bool:
    name = next(_words(node), "")
    return bool(TARGET.search(name)) and not NOT_EPOCHS.search(name)


def _goes_over_batches(node: ast.For) -> bool:
    """Return whether a loop holds one over something that is no range, which makes steps."""
    inner = [one for one in node.body if isinstance(one, ast.For) and not _counts(one)]
    return not NOT_EPOCHS.search(next(_words(node.target), "")) and any(
        isinstance(call, ast.Attribute) and call.attr in STEPS
        for one in inner for call in ast.walk(one)
    )  # fmt: skip


def _counts(node: ast.For) -> bool:
    return any(_is_range(one) for one in ast.walk(node.iter))


def _is_plain(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and next(_words(node.func), "") in ("range", "xrange")


def _ends_in_epochs(parts: list[ast.expr]) -> bool:
    ends = [word for part in parts for node in ast.walk(part) for word in _words(node)]
    return any(COUNT.match(word) for word in ends)


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
