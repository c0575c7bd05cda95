"""Runs the text of a program, and grows it line by line as the real framework takes it."""

from __future__ import annotations

import contextlib
import io
import linecache
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from .outcomes import Outcome

NAME = "program"  # of the module that a text is, and of its file


@contextlib.contextmanager
def module(text: str, words: Mapping[str, Any]) -> Iterator[ModuleType]:
    """Have an empty module for a text, which can be imported and whose source can be read."""
    made = ModuleType(NAME)
    vars(made).update(words)
    linecache.cache[NAME] = (len(text), None, text.splitlines(keepends=True), NAME)
    sys.modules[NAME] = made
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield made
    finally:
        del sys.modules[NAME]


def run(text: str, words: Mapping[str, Any]) -> Outcome:
    """Run a text, in which `note` is known beside some words."""
    outcome = Outcome()
    with module(text, {**words, "note": outcome.note}) as made:
        try:
            exec(compile(text, NAME, "exec"), vars(made))
        except Exception as error:
            outcome.error = f"{type(error).__name__}: {error}"
            outcome.where = traceback.format_exc()[-1500:]
    return outcome


class Growing:
    """A text that is written while it runs: what fails is left out of it."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names, self.lines = names, [""]

    def add(self, text: str) -> bool:
        """Run some lines, and take them into the text; return whether they could be run."""
        try:
            exec(compile(text, NAME, "exec"), self.names)
        except Exception:
            return False
        self.lines.append(text)
        return True

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines).strip() + "\n"
