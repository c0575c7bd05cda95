"""Ports: a script of a dialect rewritten in the native vocabulary, comments and layout kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence

from ..evidence import Finding, Word
from . import bigdl_port, keras_port, published, renom_port
from .ported import Ported

TOP = re.compile(r"(#!.*\n)?(#.*coding[:=].*\n)?")


PORTS: dict[str, Callable[[str, str, Sequence[Word]], Ported]] = {
    "keras": keras_port.ported,
    "renom": renom_port.renom,
    "bigdl": bigdl_port.bigdl,
    "pytorch": published.pytorch,
}


def port(text: str, found: Sequence[Finding], said: Sequence[Word]) -> str:
    """Return a script in the native vocabulary, its notes in front."""
    head: dict[str, None] = {}
    notes: dict[str, None] = {}
    for finding in found:
        made = PORTS[finding.dialect.NAME](text, finding.version, said)
        text = made.text
        head |= dict.fromkeys(made.head)
        notes |= dict.fromkeys(made.notes)
    head |= dict.fromkeys(_surroundings(said))
    titles = " and ".join(one.dialect.VERSIONS[one.version].title for one in found)
    lines = [f"# Ported from {titles} to Striate.", *(f"# note: {note}" for note in notes)]
    first = TOP.match(text)
    assert first is not None
    said_first = "".join(f"{line}\n" for line in lines)
    body = _with_imports(text[first.end() :], list(head))
    return f"{first.group()}{said_first}{body}"


def _surroundings(said: Sequence[Word]) -> list[str]:
    """Return the lines that serve packages as they were, where the script imports one."""
    from ..surroundings import packages

    roots = {word.partition(".")[0] for kind, word, _ in said if kind == "import"}
    wanted = sorted((roots & packages()) - {"matplotlib"})
    if not wanted:
        return []
    where = ", ".join(wanted)
    return [
        "from striate.dialects import serve",
        f'serve("surroundings")  # {where} as it was',
    ]


def _with_imports(text: str, lines: Sequence[str]) -> str:
    """Return a script with further imports, behind its docstring and those of __future__."""
    rows = text.splitlines(keepends=True)
    at = 0
    for index, node in enumerate(ast.parse(text).body):
        doc = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not doc and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            at = at if at else node.lineno - 1
            break
        at = node.end_lineno or 0
    gap = ["\n"] if at and lines and rows[at - 1].strip() else []
    return "".join([*rows[:at], *gap, *(f"{line}\n" for line in lines), *rows[at:]])
