"""Python 2, and what notebooks add: read as Python 3 line by line, and said; nothing is guessed."""

from __future__ import annotations

import ast
import re
import tokenize
from pathlib import Path

from . import notebook

PRINT = re.compile(r"^(\s*)((?:[^#'\"]*?[:;]\s*)?)print(\s+[^\s(=.\[+].*|\s+\(.*|\s*)$")
EXCEPT = re.compile(r"^(\s*except\s+[\w.()\s,]+?)\s*,\s*(\w+)\s*:")
RAISE = re.compile(r"^(\s*raise\s+\w+)\s*,\s*(.+)$")
DICTIONARIES = re.compile(r"\.iter(items|keys|values)\(\)")
ASYNC = re.compile(r"([(,]\s*)async(\s*=[^=])")  # of torch: a word of Python since 3.7
BACKTICKS = re.compile(r"`([^`]+)`")


def read(path: Path) -> tuple[str, ast.Module, int]:
    """Return the text of a script, its tree, and how many lines were changed.

    Raises: SyntaxError, of the text as it is, where that is not enough.
    """
    book = path.suffix == notebook.SUFFIX
    given = notebook.source(path) if book else _text(path)
    text = DICTIONARIES.sub(r".\1()", given)
    before = sum(
        one != other for one, other in zip(given.split("\n"), text.split("\n"), strict=True)
    )
    try:
        return text, ast.parse(text, str(path)), before
    except SyntaxError as first:
        lines = text.replace("\t", " " * 8).splitlines()
        changed = [_line(line) for line in lines]
        count = sum(one != other for one, other in zip(lines, changed, strict=True))
        fixed = "\n".join(changed) + "\n"
        try:
            return fixed, ast.parse(fixed, str(path)), before + count
        except SyntaxError:
            raise first from None


def _text(path: Path) -> str:
    """Return the text of a script as Python decodes it; one that says nothing may be of Windows."""
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (SyntaxError, UnicodeDecodeError):
        return path.read_text(encoding="cp1252", errors="replace")


def _line(line: str) -> str:
    line = notebook.command(line)
    found = PRINT.match(line)
    if found:
        return _print(*found.groups())
    line = EXCEPT.sub(r"\1 as \2:", line)
    line = RAISE.sub(r"\1(\2)", line)
    line = ASYNC.sub(r"\1non_blocking\2", line)
    return BACKTICKS.sub(r"repr(\1)", line) if "`" in line and "'" not in line else line


def _print(indent: str, before: str, what: str) -> str:
    words = what.strip()
    if words.startswith(">>"):
        target, _, words = words[2:].partition(",")
        return f"{indent}{before}print({words.strip()}, file={target.strip()})"
    end = ", end=' '" if words.endswith(",") else ""
    return f"{indent}{before}print({words.rstrip(',')}{end})"
