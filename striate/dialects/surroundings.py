"""Surroundings: what scripts of the time found around them, served where it is absent today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .dialect import Modules
from .importer import Aliases, served
from .restore import restored
from .session import Script


def modules(script: Script) -> Modules:
    """Return small modules by their paths; a package that is installed is not hidden by them."""
    return {}


@contextmanager
def surrounded(script: Script) -> Iterator[None]:
    """Give a script removed names of NumPy and Python, and absent packages, inside a block."""
    finder = Aliases("a script", modules(script), {}, hides=False)
    with restored(), served(finder):
        yield
