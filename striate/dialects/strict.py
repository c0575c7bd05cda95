"""Classes of a dialect that say which argument they do not know, and what to write natively."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from ..errors import caller, nearest
from .table import DialectError

HANDED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class UnknownArgumentError(DialectError, TypeError):
    """A call has an argument that the class does not know; TypeError, as in Python."""


def refused(title: str, word: str, known: Sequence[str], native: str) -> UnknownArgumentError:
    """Return the error of a call with an unknown argument."""
    close = nearest(word, known)
    return UnknownArgumentError(
        title,
        f"there is no argument {word!r}",
        got=f"{word}=...",
        need="one of " + ", ".join(known) if known else "no arguments",
        fix=" ".join(part for part in (close, f"natively: {native}" if native else "") if part),
        at=caller(),
    )


def names_of(cls: type) -> list[str]:
    """Return the arguments of a constructor, with those that it hands on to the class below."""
    known: list[str] = []
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        given = inspect.signature(vars(base)["__init__"]).parameters.values()
        known += [one.name for one in given if one.kind not in HANDED and one.name != "self"]
        if all(one.kind is not inspect.Parameter.VAR_KEYWORD for one in given):
            break
    return list(dict.fromkeys(known))


class Strict(type):
    """The metaclass of such classes; `title` is the dialect's, `native` what a new program writes.

    A class of the script's own, below one of these, is left to Python.
    """

    title = native = ""

    def __call__(cls, *args: Any, **words: Any) -> Any:
        """Make an object, if every argument is known."""
        if words and cls.__module__.startswith(__package__):
            known = names_of(cls)
            for word in words:
                if word not in known:
                    raise refused(f"{cls.title} {cls.__name__}", word, known, cls.native)
        return super().__call__(*args, **words)
