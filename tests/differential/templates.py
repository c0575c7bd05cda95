"""Rows with alternatives: `nn.Conv2d({c}, <4|8>, 3)` has one number of filters or the other."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
ALTERNATIVES = re.compile(r"<((?:[^<>\s|][^<>]*)?\|[^<>]*)>")  # the innermost


class Draw:
    """Draws for one choice. That of seed 0 always draws the first, which is the plainest."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.plain = seed == 0

    def one(self, rows: Sequence[T]) -> T:
        """Return one of several."""
        return rows[0] if self.plain else self.rng.choice(rows)

    def recent(self, rows: Sequence[T]) -> T:
        """Return the last one, more often than those before it."""
        return rows[-1] if self.plain or self.rng.random() < 0.6 else self.rng.choice(rows)

    def text(self, row: str, words: Mapping[str, Any]) -> str:
        """Return a row with one of each of its alternatives, and the words in its braces."""
        while found := ALTERNATIVES.search(row):
            row = row[: found.start()] + self.one(found[1].split("|")) + row[found.end() :]
        return row.format_map(words)
