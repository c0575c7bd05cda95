"""What a port gives; and a script that stays as it is, its dialect served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .modern import Modern
from .source import Source


@dataclass(frozen=True)
class Ported:
    """A rewritten script: its text, the lines that go in front of it, and what is to be said."""

    text: str
    head: Sequence[str] = ()
    notes: Sequence[str] = ()


def served(source: Source, name: str, title: str, why: Iterable[str]) -> Ported:
    """Return a script as it is, but for what Python and NumPy have removed."""
    said = ", ".join(list(why)[:4])
    note = f"it stays in the words of {title}, because of {said}; `serve` has them"
    head = ["from striate.dialects import serve", f'serve("{name}")']
    return Ported(Modern(source).text(source.tree), head, [note])
