"""Notebooks as scripts: the cells of code one after the other, as a kernel would run them."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from .table import DialectError

SUFFIX, CELL, SHOWN = ".ipynb", "# cell ", "__shown__"
DRAWN = "  # what the cell has drawn"
RUNS = r"%%?(?:time|timeit|capture|prun)\b"  # commands about code that is run all the same
COMMAND = re.compile(r"^(\s*)(?:%%?(?=\w)|!|[\w.]+\?{1,2}$)")
FUTURE = re.compile(r"^(\s*)(from __future__ import .*)$", re.M)  # a cell begins a file there
LANGUAGE = re.compile(rf"%%(?!{RUNS[3:]})")  # of a whole cell: bash, html
PYPLOT = re.compile(
    r"^\s*(?:import matplotlib\.pyplot as (\w+)|from matplotlib import pyplot as (\w+))", re.M
)


def source(path: Path) -> str:
    """Return the code of a notebook as a script, each cell under a line with its number.

    What a cell has drawn is shown where it ends, as in the notebook.

    Raises: DialectError where the file is no notebook.
    """
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        sheets = book["cells"] if "cells" in book else book["worksheets"][0]["cells"]
        cells = [_lines(cell) for cell in sheets if cell["cell_type"] == "code"]
    except (ValueError, LookupError, TypeError) as error:
        raise DialectError(
            path.name,
            "is no notebook",
            got=f"{type(error).__name__}: {error}",
            need='JSON with "cells", of which each has a "cell_type" and a "source"',
            fix="open it in Jupyter and save it again",
        ) from None
    out: list[str] = []
    plots = ""
    for number, lines in enumerate(cells, 1):
        first = next(filter(str.strip, lines), "")
        change = (lambda line: f"# {line}") if LANGUAGE.match(first) else command
        text = "\n".join(map(change, lines))
        text = FUTURE.sub(r"\1pass  # \2", text) if number > 1 else text
        found = PYPLOT.search(text)
        plots = next(filter(None, found.groups())) if found else plots
        out += [f"{CELL}{number}", text]
        if plots and f"{plots}." in text and f"{plots}.show(" not in text:
            out.append(f"{plots}.show(){DRAWN}")
        out.append("")
    return "\n".join(out)


def command(line: str) -> str:
    """Return a line of a notebook as Python: what is a command to it is a comment."""
    found = COMMAND.match(line)
    if not found:
        return line
    code = re.sub(rf"^{RUNS}\s*(?:-\w+\s*\d*\s*)*", "", line.lstrip())
    said = code if code != line.lstrip() else f"pass  # {code}"
    return f"{found[1]}{said or 'pass'}"


def showing(tree: ast.Module, text: str) -> ast.Module:
    """Return the tree with the last value of each cell shown, if it is one: by `__shown__`."""
    lines = text.splitlines()
    ends = [number for number, line in enumerate(lines, 1)
            if line.startswith(CELL) or line.endswith(DRAWN)]  # fmt: skip
    for one, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        start, end = one.end_lineno or 0, after.lineno if after else len(lines) + 1
        last = after is None or any(start < number <= end for number in ends)
        if last and isinstance(one, ast.Expr) and not lines[start - 1].rstrip().endswith(";"):
            call = ast.Call(ast.Name(SHOWN, ast.Load()), [one.value], [])
            one.value = ast.copy_location(call, one.value)
    return ast.fix_missing_locations(tree)


def shown(value: Any) -> None:
    """Print a value as a notebook does: not where there is none."""
    if value is not None:
        print(repr(value))  # noqa: T201  what the script prints


def _lines(cell: Any) -> list[str]:
    """Return the lines of a cell, also of the format of 2014, which calls them its input."""
    text = cell["source"] if "source" in cell else cell["input"]
    return ("".join(text) if isinstance(text, list) else str(text)).splitlines()
