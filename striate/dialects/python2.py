"""Python 2, and what notebooks add: read as Python 3, and said; nothing is guessed."""

from __future__ import annotations

import ast
import io
import itertools
import re
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import notebook

EXCEPT = re.compile(r"^(\s*except\s+[\w.()\s,]+?)\s*,\s*(\w+)\s*:")
RAISE = re.compile(r"^(\s*raise\s+\w+)\s*,\s*(.+)$")
DICTIONARIES = re.compile(r"\.iter(items|keys|values)\(\)")
ASYNC = re.compile(r"([(,]\s*)async(\s*=[^=])")  # of torch: a word of Python since 3.7
BACKTICKS = re.compile(r"`([^`]+)`")
LAYOUT = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
Tokens = list[tokenize.TokenInfo]


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
        lines = [_tabs(line) for line in text.splitlines()]
        try:
            changed = _unpacked(_printed([_line(line) for line in lines]))
            fixed = "\n".join(changed) + "\n"
            tree = ast.parse(fixed, str(path))
        except (SyntaxError, tokenize.TokenError):
            raise first from None
        return (
            fixed,
            tree,
            before + sum(one != other for one, other in zip(lines, changed, strict=True)),
        )


def _text(path: Path) -> str:
    """Return the text of a script as Python decodes it; one that says nothing may be of Windows."""
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (SyntaxError, UnicodeDecodeError):
        return path.read_text(encoding="cp1252", errors="replace")


def _tabs(line: str) -> str:
    """Return a line whose indentation is blanks: a tab goes on to the next eighth column."""
    bare = line.lstrip(" \t")
    return line[: len(line) - len(bare)].expandtabs(8) + bare


def _line(line: str) -> str:
    line = notebook.command(line)
    line = EXCEPT.sub(r"\1 as \2:", line)
    line = RAISE.sub(r"\1(\2)", line)
    line = ASYNC.sub(r"\1non_blocking\2", line)
    return BACKTICKS.sub(r"repr(\1)", line) if "`" in line and "'" not in line else line


# ---- print, which was a statement ----------------------------------------------------------------


def _printed(lines: Sequence[str]) -> list[str]:
    """Return the lines with each `print` as a call; as many lines, and comments where they were."""
    text = "\n".join(lines) + "\n"
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    edits = [edit for one in list(_statements(tokens)) for edit in _called(one)]
    for begin, end, words in sorted(edits, reverse=True):
        at, to = (starts[row - 1] + column for row, column in (begin, end))
        text = text[:at] + words + "\n" * text[at:to].count("\n") + text[to:]
    return text.split("\n")[:-1]


def _statements(tokens: Iterator[tokenize.TokenInfo]) -> Iterator[Tokens]:
    """Yield the tokens of each simple statement, also of those behind a `;` or a `:`."""
    now: Tokens = []
    depth = 0
    for token in tokens:
        depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
        ends = token.type == tokenize.NEWLINE or (token.string in (";", ":") and not depth)
        if ends and now:
            yield now
        if ends:
            now = []
        elif token.type not in LAYOUT:
            now.append(token)
    if now:
        yield now


def _called(tokens: Tokens) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    """Yield what is written in the places of a statement that prints: from, to, words."""
    word, what = tokens[0], tokens[1:]
    if word.string != "print" or (what and what[0].string in ("=", ".", ",", "+=")):
        return
    if what and what[0].string == "[" and what[0].start == word.end:  # a place of it, not a list
        return
    if not what:
        yield word.end, word.end, "()"
        return
    file = ""
    if what[0].string == ">>":
        comma = next((at for at, one in enumerate(what) if one.string == ","), len(what))
        file = f"file={''.join(one.string for one in what[1:comma])}"
        what = what[comma + 1 :]
        if not what:
            yield word.end, tokens[-1].end, f"({file})"
            return
    elif _whole(what):
        return
    more = what[-1].string == ","
    words = ", ".join(["", *filter(None, ("end=' '" if more else "", file))])
    yield what[-1].start if more else what[-1].end, what[-1].end, f"{words})"
    yield word.end, what[0].start, "("


def _whole(what: Tokens) -> bool:
    """Return whether what is printed is one pair of brackets, as a call of today has it."""
    depth = 0
    for at, token in enumerate(what):
        depth += (token.string == "(") - (token.string == ")")
        if not depth:
            return token.string == ")" and at == len(what) - 1
    return False


# ---- lambda (a, b): ..., whose arguments are taken apart -----------------------------------------

TAKES_APART = re.compile(r"\blambda\b[^:\n]*\(")


def _unpacked(lines: Sequence[str]) -> list[str]:
    """Return the lines with `lambda (a, b): e` as `lambda _0: (lambda a, b: e)(*_0)`."""
    text = "\n".join(lines) + "\n"
    while TAKES_APART.search(text):
        starts = [0, *itertools.accumulate(len(line) + 1 for line in text.split("\n"))]
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        found = next((at for at, one in enumerate(tokens) if _takes_apart(tokens, at)), None)
        if found is None:
            break
        colon = _end(tokens, found + 1, (":",))
        end = _end(tokens, colon + 1, (",", ":"))
        places = [starts[one.start[0] - 1] + one.start[1] for one in
                  (tokens[found + 1], tokens[colon])]  # fmt: skip
        last = tokens[end - 1].end
        close = starts[last[0] - 1] + last[1]
        whole, inner, passed = [], [], []
        for number, part in enumerate(_arguments(tokens[found + 1 : colon])):
            apart = part.startswith("(")
            whole.append(f"_{number}" if apart else part)
            inner.append(part[1:-1].rstrip(",") if apart else part.partition("=")[0])
            passed.append(f"*_{number}" if apart else part.partition("=")[0])
        made = f"{', '.join(whole)}: (lambda {', '.join(inner)}"
        text = (text[: places[0]] + made + text[places[1] : close] + f")({', '.join(passed)})"
                + text[close:])  # fmt: skip
    return text.split("\n")[:-1]


def _takes_apart(tokens: Tokens, at: int) -> bool:
    """Return whether a lambda begins here that has brackets among its arguments."""
    if tokens[at].string != "lambda":
        return False
    parts = _arguments(tokens[at + 1 : _end(tokens, at + 1, (":",))])
    return any(part.startswith("(") for part in parts)


def _end(tokens: Tokens, at: int, marks: Sequence[str]) -> int:
    """Return where an expression ends: at one of the marks, a bracket that it did not open."""
    depth = 0
    while at < len(tokens):
        token = tokens[at]
        depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
        if depth < 0 or token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            return at
        if not depth and token.string in marks:
            return at
        if not depth and token.string == "lambda":
            at = _end(tokens, at + 1, (":",))
        at += 1
    return at


def _arguments(tokens: Tokens) -> list[str]:
    """Return the texts between commas that no brackets hold."""
    parts, depth = [""], 0
    for token in tokens:
        depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
        if token.string == "," and not depth:
            parts.append("")
        elif token.type not in LAYOUT:
            parts[-1] += token.string
    return parts
