"""The fixes that messages print, read from the message and applied to the mistake's own code."""

from __future__ import annotations

import ast
import copy
import difflib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import test_broken_networks as broken

from striate import layers as L
from striate.errors import StriateError

SETTING = re.compile(r"""(\w+)=("[^"]*"|'[^']*'|\([^()]*\)|\{[^{}]*\}|-?[\d.]+|True|False|None)""")
MEANT = re.compile(r'did you mean "(\w+)"\?')
PLACE = re.compile(r"(?P<new>L\..+\)) (in front|on the (?P<which>\w+)|in place of (?P<old>.+))$")
DEFAULTS = {"x": "DIGITS", "y": "LABELS", "model": "small()"}  # of `fit` in these programs

# What these messages propose needs what a person alone knows: other data, or which network it was.
OPEN = {
    "a convolution after Flatten",
    "outputs that do not come from the inputs",
    "one unit for ten classes",
    "fewer labels than images",
    "no labels",
    "no images",
    "images of different sizes",
}


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


def parsed(code: str) -> Any:
    """The expression that a text is, of names that the program knows; else None."""
    try:
        tree = ast.parse(code, mode="eval").body
    except SyntaxError:
        return None
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return tree if names <= {*vars(broken), *vars(L), "x", "y", "model"} else None


def name_of(node: ast.AST) -> str:
    """`Dense` of `L.Dense`, `Dense` and their calls."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def calls(program: ast.AST, name: str) -> list[ast.Call]:
    """The calls of a function or a class, as they are written from left to right."""
    found = [node for node in ast.walk(program) if isinstance(node, ast.Call)]
    return sorted((c for c in found if name_of(c) == name), key=lambda call: call.col_offset)


def replace(program: ast.AST, old: ast.AST, *new: ast.AST) -> bool:
    """Put expressions in the place of another one."""
    for node in ast.walk(program):
        for field, value in ast.iter_fields(node):
            if value is old:
                setattr(node, field, new[0])
                return True
            if isinstance(value, list) and old in value:
                at = value.index(old)
                value[at : at + 1] = new
                return True
    return False


def argument(call: ast.Call, field: str, value: ast.AST | None = None) -> Any:
    """The argument of a call, as it is written or by default; if given, with its new value."""
    signature = inspect.signature(eval(ast.unparse(call.func), vars(broken)))
    names, word = list(signature.parameters), None
    place = names.index(field) if field in names else len(call.args)
    word = next((word for word in call.keywords if word.arg == field), None)
    if value is None:
        if place < len(call.args):
            return call.args[place]
        return word.value if word else ast.parse(DEFAULTS[field], mode="eval").body
    if place < len(call.args):
        call.args[place] = value
    elif word:
        word.value = value
    else:
        if not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
            call.keywords = [word for word in call.keywords if word.arg in names]
        call.keywords.append(ast.keyword(field, value))
    return value


def substituted(code: ast.AST, **meant: ast.AST) -> Any:
    """A copy of an expression with the program's own expressions for its names."""
    code = ast.Expression(copy.deepcopy(code))
    for node in [node for node in ast.walk(code) if isinstance(node, ast.Name)]:
        if node.id in meant:
            replace(code, node, copy.deepcopy(meant[node.id]))
    return code.body


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


class Repair:
    """A broken program, changed as the fix of its message says."""

    def __init__(self, program: ast.Lambda, error: StriateError) -> None:
        self.program, self.error = program, error
        self.fix = error.rows.get("fix", "")
        self.kind = (re.findall(r"\((\w+)\)", error.where) or [error.where.split(",")[0]])[-1]

    def done(self) -> bool:
        """Make the first of the changes that are proposed; return whether it could be read."""
        if meant := MEANT.search(self.fix):
            Meant(meant[1]).visit(self.program)
            return True
        first = self.fix.split(", or ")[0]
        texts = (first, first.rsplit(": ", 1)[-1], first.split(": ")[0])
        return any(all(self.change(part) for part in text.split(" and ")) for text in texts)

    def change(self, text: str) -> bool:
        """Make one change; return whether it could be read."""
        if setting := SETTING.match(text):
            return self.set(setting[1], parsed(setting[2]), text.endswith("for the second"))
        if text.startswith("leave out "):
            return replace(self.program, *calls(self.program, name_of(parsed(text[10:]))))
        if (place := PLACE.match(text)) and (new := parsed(place["new"])):
            return self.put(new, place["which"], place["old"])
        code = parsed(text)
        return code is not None and self.express(code)

    def set(self, field: str, value: ast.AST, second: bool) -> bool:
        """Give an argument its value: in calls that have it, else in those of the class."""
        found = [node for node in ast.walk(self.program) if isinstance(node, ast.Call)]
        having = [call for call in found if any(word.arg == field for word in call.keywords)]
        having = having or calls(self.program, self.kind)
        if not having and field == "loss":
            having = [self.network()]
        for call in having[1:] if second else having:
            argument(call, field, value)
        return bool(having)

    def put(self, new: Any, which: str | None, old: str | None) -> bool:
        """Put a layer in the place of another, in front of one, or on one of several inputs."""
        if old:
            return replace(self.program, calls(self.program, name_of(parsed(old)))[0], new)
        call = calls(self.program, self.kind)[0]
        if which is None:
            return replace(self.program, call, new, call)
        whole = next(node for node in ast.walk(self.program) if getattr(node, "func", 0) is call)
        branches = whole.args[0].elts
        at = ["first", "second"].index(which)
        branches[at] = ast.Call(new, [branches[at]], [])
        return True

    def express(self, code: Any) -> bool:
        """Put an expression in the place of what it speaks of."""
        names = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
        if "got" in self.error.rows and isinstance(code, ast.Tuple) and not names:
            wrong = ast.dump(parsed(self.error.rows["got"]))
            old = next(node for node in ast.walk(self.program) if ast.dump(node) == wrong)
            return replace(self.program, old, code)
        if self.error.where.startswith("torch."):
            call = calls(self.program, self.error.where.split(".")[-1])[0]
            return replace(self.program, call, substituted(code, x=call.args[0]))
        if names & {"x", "y", "model"}:
            return self.feed(code, names)
        kind = name_of(code)
        if kind == "Dense" and not calls(self.program, kind):
            argument(self.network(), "classes", code.args[0])
            return all(argument(self.network(), word.arg, word.value) for word in code.keywords)
        if kind == "Input" and not calls(self.program, kind):  # which `net` makes of its shape
            return bool(argument(calls(self.program, "net")[0], "shape", code.args[0]))
        bare = [
            n for n in ast.walk(self.program) if getattr(n, "attr", getattr(n, "id", "")) == kind
        ]
        old = (calls(self.program, kind) or bare)[-1]
        code.func = getattr(old, "func", old)
        return replace(self.program, old, code)

    def feed(self, code: Any, names: set[str]) -> bool:
        """Change what `fit` is given: x, y, both, or the model that is compiled before."""
        call = calls(self.program, "fit")[0]
        given = {name: argument(call, name) for name in ("x", "y", "model")}
        if "model" in names:
            code = parsed(f"(lambda model: [{ast.unparse(code)}, model][1])(0)")
            code.args[0] = given["model"]
            return bool(argument(call, "model", code))
        both = isinstance(code, ast.Tuple)
        parts = (
            zip("xy", code.elts, strict=True) if both else [("x" if "x" in names else "y", code)]
        )
        return all(argument(call, name, substituted(part, **given)) for name, part in parts)

    def network(self) -> ast.Call:
        """The call of `small`, which makes the network that `fit` trains."""
        found = calls(self.program, "small")
        fit = calls(self.program, "fit")
        return found[0] if found else argument(fit[0], "model", argument(fit[0], "model"))


def repaired(title: str) -> Any:
    """What the broken program gives after the printed fix; None where that cannot be read."""
    with pytest.raises(StriateError) as caught:
        broken.CASES[title].broken()
    program = written()[title]
    if not Repair(program, caught.value).done():
        return None
    tree = ast.fix_missing_locations(ast.Expression(program))
    return eval(compile(tree, title, "eval"), vars(broken))()


@pytest.mark.parametrize("title", [title for title in broken.CASES if title not in OPEN])
def test_the_fix_works_as_it_is_printed(title: str) -> None:
    assert repaired(title) is not None


def test_more_than_nine_in_ten_fixes_are_applied() -> None:
    assert set(broken.CASES) > OPEN
    assert len(broken.CASES) - len(OPEN) >= max(54, 0.9 * len(broken.CASES))
