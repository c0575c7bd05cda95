"""A script's own text, rewritten at the places of its syntax: comments and layout stay."""

from __future__ import annotations

import ast
import io
import tokenize
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

GONE = ""  # in place of a statement: its line goes too
Item = tuple[str, str, ast.AST | None]  # an argument's word, its text, what it was before


class Source:
    """The text of a script, its tree, and where the parts of it are."""

    def __init__(self, text: str) -> None:
        self.text = text if text.endswith("\n") else f"{text}\n"
        self.tree = ast.parse(self.text)
        lines = self.text.splitlines(keepends=True)
        self.starts = [0]
        for line in lines:
            self.starts.append(self.starts[-1] + len(line))
        self.lines = lines
        made = tokenize.generate_tokens(io.StringIO(self.text).readline)
        self.tokens = [
            (self.starts[one.start[0] - 1] + one.start[1], one.string)
            for one in made
            if one.type == tokenize.OP
        ]
        self.places = [at for at, _ in self.tokens]

    def place(self, line: int, column: int) -> int:
        """Return the index of a place that the tree gives in bytes."""
        text = self.lines[line - 1]
        before = text if text.isascii() else text.encode()[:column].decode(errors="ignore")
        return self.starts[line - 1] + (column if text.isascii() else len(before))

    def span(self, node: Any) -> tuple[int, int]:
        """Return where a node begins and ends."""
        first = [*getattr(node, "decorator_list", ()), node][0]
        begin = self.place(first.lineno, first.col_offset)
        return begin, self.place(node.end_lineno, node.end_col_offset)

    def segment(self, node: ast.AST) -> str:
        """Return the text of a node as it is."""
        begin, end = self.span(node)
        return self.text[begin:end]

    def indent(self, node: Any) -> str:
        """Return the blanks before the line of a node."""
        line: str = self.lines[node.lineno - 1]
        return line[: len(line) - len(line.lstrip())]

    def opening(self, node: ast.Call) -> int:
        """Return the place after the bracket that opens a call's arguments."""
        _, end = self.span(node.func)
        at = bisect_left(self.places, end)
        return next(place + 1 for place, text in self.tokens[at:] if text == "(")

    def outer(self, node: ast.AST, low: int, high: int) -> tuple[int, int]:
        """Return the place of an argument with the brackets around it, inside of a call's own."""
        begin, end = self.span(node)
        while True:
            left, right = bisect_left(self.places, begin) - 1, bisect_left(self.places, end)
            if left < 0 or right == len(self.tokens):
                return begin, end
            (first, opens), (last, closes) = self.tokens[left], self.tokens[right]
            if first < low or last >= high or (opens, closes) != ("(", ")"):
                return begin, end
            begin, end = first, last + 1


@dataclass
class Rewriter:
    """Rewrites a script part by part.

    A subclass has `rewrite_call` and the like, which return the new text of a node, or None where
    it stays as it is but for its parts. `notes` say what means something else.
    """

    source: Source
    notes: dict[str, None] = field(default_factory=dict)
    made: dict[ast.AST, str] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Remember a note once."""
        self.notes[text] = None

    def text(self, node: ast.AST) -> str:
        """Return the new text of a node."""
        if node not in self.made:
            rewrite = getattr(self, f"rewrite_{type(node).__name__.lower()}", None)
            found = rewrite(node) if rewrite else None
            self.made[node] = self.spliced(node) if found is None else found
        return self.made[node]

    def spliced(self, node: ast.AST) -> str:
        """Return the text of a node, with the new texts of its parts."""
        source = self.source
        begin, end = (0, len(source.text)) if isinstance(node, ast.Module) else source.span(node)
        out: list[str] = []
        at = begin
        for part in _parts(node, source):
            low, high = source.span(part)
            if low < at or high > end:
                continue
            made = self.text(part)
            if made == GONE and isinstance(part, ast.stmt):
                made, low, high = self._removed(node, part, low, high)
            out += [source.text[at:low], made]
            at = high
        return "".join([*out, source.text[at:end]])

    def _removed(
        self, parent: ast.AST, node: ast.stmt, low: int, high: int
    ) -> tuple[str, int, int]:
        """Return what is left of a statement that goes: nothing, or `pass` where one is needed."""
        text = self.source.text
        line = text.rfind("\n", 0, low) + 1
        end = text.find("\n", high)
        blocks = [getattr(parent, name, []) for name in ("body", "orelse", "finalbody")]
        block = next((one for one in blocks if isinstance(one, list) and node in one), [])
        needed = not isinstance(parent, ast.Module) and all(self.text(s) == GONE for s in block)
        alone = not text[line:low].strip() and not text[high:end].strip()
        if needed or not alone:
            return "pass", low, high
        return "", line, end + 1

    def plain(self, node: ast.Call) -> list[Item]:
        """Return the arguments of a call as they are."""
        items: list[Item] = [("", self.text(one), one) for one in node.args]
        return items + [(one.arg or "", self.text(one.value), one) for one in node.keywords]

    def called(self, node: ast.Call, name: str, items: Sequence[Item]) -> str:
        """Return a call with new arguments, each on the line where it was."""
        source = self.source
        first, (_, last) = source.opening(node), source.span(node)
        old: list[ast.AST] = sorted([*node.args, *node.keywords], key=source.span)
        leads: dict[ast.AST, str] = {}
        at = first
        for item in old:
            low, high = source.outer(item, at, last - 1)
            leads[item] = source.text[at:low].replace(",", "", 1)
            at = high
        tail = source.text[at : last - 1]
        out = ""
        kept = {id(one) for _, _, one in items}
        gone = [lead for item, lead in leads.items() if "#" in lead and id(item) not in kept]
        lost = "".join(lead.partition("\n")[0] for lead in gone)
        for index, (word, text, before) in enumerate(items):
            lead = leads.get(before, "") if before is not None else ""
            if "\n" not in lead:
                lead = " " if index else ""
            elif lost and index:
                lead, lost = f"{lost}{lead}", ""
            out += ("," if index else "") + lead + (f"{word}={text}" if word else text)
        end = tail if "\n" in tail else ""
        if lost:  # comments of arguments that are gone, and none that is left begins a line
            end = f",{lost}\n{gone[-1].rpartition(chr(10))[2]}"
        return f"{name}({out}{end})"


def _parts(node: ast.AST, source: Source) -> list[ast.AST]:
    """Return the nearest parts of a node that have a place, in the order of the text."""
    found = [part for part in _placed(node) if not isinstance(node, ast.JoinedStr)]
    if isinstance(node, ast.JoinedStr):
        found = [part for part in _placed(node) if _readable(part, source)]
    return sorted(found, key=source.span)


def _placed(node: ast.AST) -> Iterator[ast.AST]:
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.FormattedValue) or not hasattr(part, "lineno"):
            yield from _placed(part)
        else:
            yield part


def _readable(node: ast.AST, source: Source) -> bool:
    """Return whether a part of a formatted text is where the tree says: before 3.12 it may not."""
    if isinstance(node, (ast.JoinedStr, ast.Constant)):
        return False
    try:
        found = ast.parse(source.segment(node), mode="eval").body
    except (SyntaxError, ValueError):
        return False
    return ast.dump(found) == ast.dump(node)
