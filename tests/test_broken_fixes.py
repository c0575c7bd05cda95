"""The fixes that messages print, read from the message and applied to the mistake's own code."""

from __future__ import annotations

import ast
import difflib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import test_broken_networks as broken

from striate.errors import StriateError

SETTING = re.compile(r"""(\w+)=("[^"]*"|'[^']*'|\([^()]*\)|\{[^{}]*\}|-?[\d.]+|True|False|None)""")
MEANT = re.compile(r'did you mean "(\w+)"\?')

# What these messages propose is for one of several layers: which one, a person chooses.
CHOICES = {"two layers of one name", "Concatenate of different sizes"}


def written() -> dict[str, ast.Lambda]:
    """The broken program of each case, as it is written."""
    tree = ast.parse(Path(broken.__file__).read_text())
    found = {}
    for table in (node for node in ast.walk(tree) if isinstance(node, ast.Dict)):
        for key, value in zip(table.keys, table.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in broken.CASES:
                assert isinstance(value, ast.Call)
                assert isinstance(value.args[0], ast.Lambda)
                found[str(key.value)] = value.args[0]
    return found


class Setting(ast.NodeTransformer):
    """Gives an argument its new value, in calls that have it and in those of the class at fault."""

    def __init__(self, kind: str, field: str, value: str) -> None:
        self.kind, self.field = kind, field
        self.value = ast.parse(value, mode="eval").body

    def visit_Call(self, call: ast.Call) -> ast.AST:
        """Replace the keyword, or the positional argument of that name, or add the keyword."""
        self.generic_visit(call)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        for keyword in call.keywords:
            if keyword.arg == self.field:
                keyword.value = self.value
                return call
        if name != self.kind:
            return call
        made = eval(ast.unparse(call.func), vars(broken))
        names = list(inspect.signature(made).parameters)
        call.keywords = [word for word in call.keywords if word.arg in names]
        place = names.index(self.field)
        if place < len(call.args):
            call.args[place] = self.value
        else:
            call.keywords.append(ast.keyword(self.field, self.value))
        return call


class Meant(ast.NodeTransformer):
    """Puts a word in the place of the one that is written like it."""

    def __init__(self, word: str) -> None:
        self.word = word

    def visit_Constant(self, constant: ast.Constant) -> ast.AST:
        """Replace a text."""
        text = constant.value if isinstance(constant.value, str) else ""
        return ast.Constant(self.word) if self.like(text) else constant

    def visit_keyword(self, keyword: ast.keyword) -> ast.AST:
        """Replace the name of an argument."""
        self.generic_visit(keyword)
        if self.like(keyword.arg or ""):
            keyword.arg = self.word
        return keyword

    def like(self, text: str) -> bool:
        """Whether a text is a misspelling of the word."""
        return text != self.word and bool(difflib.get_close_matches(text, [self.word], 1, 0.6))


def change(error: StriateError) -> ast.NodeTransformer | None:
    """The change that a message's first fix stands for, if it can be read."""
    fix = error.rows.get("fix", "")
    kind = (re.findall(r"\((\w+)\)", error.where) or [error.where.split(",")[0]])[-1]
    if meant := MEANT.search(fix):
        return Meant(meant[1])
    if (setting := SETTING.match(fix)) is None:
        return None
    return Setting(kind, setting[1], setting[2])


def repaired(title: str) -> Any:
    """What the broken program gives after the printed fix; None where that cannot be read."""
    with pytest.raises(StriateError) as caught:
        broken.CASES[title].broken()
    fix = change(caught.value)
    if fix is None:
        return None
    program = ast.fix_missing_locations(ast.Expression(fix.visit(written()[title])))
    return eval(compile(program, title, "eval"), vars(broken))()


def test_fixes_that_can_be_read_work_as_they_are_printed() -> None:
    applied, failed = [], []
    for title in broken.CASES:
        try:
            if repaired(title) is not None:
                applied.append(title)
        except StriateError:
            failed.append(title)
    assert set(failed) <= CHOICES
    assert len(applied) >= 42
