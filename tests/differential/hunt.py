"""Looks for programs of which two runs differ, and for the smallest one of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

Differs = Callable[[Sequence["Choice"]], bool]


@dataclass(frozen=True)
class Choice:
    """A part of a program: the table that it is of, and the seed of what is drawn for it."""

    table: str
    seed: int


@dataclass(frozen=True)
class Finding:
    """A program's text, and in what its two runs differ: nothing where they agree."""

    text: str
    difference: str
    where: str = ""


class Language(Protocol):
    """Programs of a framework."""

    def program(self, seed: int) -> tuple[Choice, ...]:
        """Return the choices of a random program."""

    def finding(self, choices: Sequence[Choice]) -> Finding:
        """Write the program of some choices, run it both ways, and compare."""

    def said(self) -> str:
        """Return what is to be told of all programs so far, or nothing."""


def smallest(choices: Sequence[Choice], differs: Differs, most: int = 150) -> tuple[Choice, ...]:
    """Leave out, and make plainer, what a difference does not need; within a number of tries."""
    kept, tries = tuple(choices), 0
    size = max(1, len(kept) // 2)
    while size and tries < most:
        at = 0
        while at < len(kept) and tries < most:
            less = kept[:at] + kept[at + size :]
            tries += 1
            if less and differs(less):
                kept = less
            else:
                at += size
        size //= 2
    for at, one in enumerate(kept):
        plainer = (*kept[:at], Choice(one.table, 0), *kept[at + 1 :])
        if one.seed and tries < most and differs(plainer):
            kept = plainer
        tries += 1
    return kept


def hunt(language: Language, seeds: Iterable[int], say: Callable[[str], None] = print) -> int:
    """Run the programs of some seeds; tell each difference by its smallest program.

    Returns the number of differences.
    """
    found = ran = 0
    for seed in seeds:
        ran += 1
        choices = language.program(seed)
        if not language.finding(choices).difference:
            continue
        found += 1
        least = smallest(choices, lambda some: bool(language.finding(some).difference))
        told = language.finding(least)
        say(f"seed {seed}: {told.difference}\n\n{told.text}\n{told.where}")
    say(f"{ran} programs, {found} with a difference. {language.said()}".strip())
    return found
