"""What a dialect is: the few questions that its module answers, and the list of all dialects.

A new dialect is a module of this folder that answers them, and one word in `DIALECTS`. Further
files of it begin with its name: keras_layers.py, or it is a folder: renom/
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from ..errors import nearest
from .session import Script, Session, Version
from .table import DialectError

Modules = Mapping[str, Mapping[str, Any]]  # path -> the names in it
Clue = tuple[str, str, str]  # kind ("import", "keyword", "text", "name"), word, version
Patch = tuple[Any, str, Any]  # object, attribute, value while a dialect is served

DIALECTS = ("keras", "renom", "bigdl", "pytorch")


class Dialect(Protocol):
    """The module of a dialect.

    Constants: `NAME`; `VERSIONS` by name, of which `DEFAULT` is taken where nothing speaks;
    `ROOTS`, the packages that scripts import, several in a string where only all of them speak;
    `HIDES`, whether modules of these names that are
    installed are hidden (else they are served only where absent); `CLUES`, what only scripts of a
    version say; `REFUSED`, names that cannot be had and what to write instead.
    """

    NAME: str
    VERSIONS: Mapping[str, Version]
    DEFAULT: str
    ROOTS: Sequence[str]
    HIDES: bool
    CLUES: Sequence[Clue]
    REFUSED: Mapping[str, str]

    def decide(self, found: Mapping[str, Sequence[str]]) -> str:
        """Return the version for clues that were found: version -> where, e.g. "x in line 3"."""

    def open_session(self, version: str, script: Script) -> Session:
        """Return the state of a script of this version."""

    def modules(self, session: Any) -> Modules:
        """Return every module by its path, with the names in it."""

    def patches(self, session: Any) -> Sequence[Patch]:
        """Return attributes of other packages that are replaced while the dialect is served."""


def every() -> Iterator[Dialect]:
    """Yield the modules of all dialects."""
    for word in DIALECTS:
        module: Any = importlib.import_module(f"{__package__}.{word}")
        yield module


def named(name: str) -> tuple[Dialect, str]:
    """Return a dialect and the version that a word such as "keras1" asks for, "" for any."""
    known: list[str] = []
    for dialect in every():
        if name in dialect.VERSIONS or name == dialect.NAME:
            return dialect, name if name in dialect.VERSIONS else ""
        known += dict.fromkeys((dialect.NAME, *dialect.VERSIONS))
    raise DialectError(
        "dialect",
        f"there is no dialect {name!r}",
        need="one of " + ", ".join(known),
        fix=nearest(name, known),
    )
