"""Kinds: what a class of BigDL takes and gives; a call of it is bound to its words here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.layer import Layer
from ...core.spec import Spec
from ...errors import caller, nearest
from ...store.keras_words import WORDS
from ..table import DialectError

Words = dict[str, Any]
Make = Callable[[Words, Spec], Sequence[Layer]]
REQUIRED = object()
EVERYWHERE = ("name", "bigdl_type")


@dataclass(frozen=True)
class Kind:
    """One class of BigDL.

    Fields: `native`, what a new program writes for it; `words`, its arguments in their order with
    their defaults; `make`, the layers that do it, for an input of this spec; `starts`, the spec of
    an input, where the arguments alone say it (so that there are weights at once); `rank`, the
    number of axes of one sample, if it is known.
    """

    native: str
    words: Mapping[str, Any]
    make: Make
    starts: Callable[[Words], Spec | tuple[Spec, ...] | None] = lambda words: None
    rank: int = 0


@dataclass(frozen=True)
class Signature:
    """The arguments of a class that is no layer, in their order, with their defaults."""

    native: str
    words: Mapping[str, Any] = field(default_factory=dict)


def bind(name: str, kind: Kind | Signature, args: Sequence[Any], given: Mapping[str, Any]) -> Words:
    """Return the arguments of a call by name, with defaults.

    Raises: DialectError for one that is not known, given twice, missing, or one too many.
    """
    where, known = f"BigDL 0.7 {name}", list(kind.words)
    if len(args) > len(known):
        raise DialectError(
            where,
            f"takes {len(known)} positional arguments, not {len(args)}",
            need=", ".join(known) or "no arguments",
            fix=f"natively: {kind.native}",
            at=caller(),
        )
    out = dict(zip(known, args, strict=False))
    for word, value in given.items():
        if word in EVERYWHERE:
            continue
        if word not in known:
            today = next((old for old, new in WORDS.items() if new == word and old in known), "")
            close = f"{today}={value!r}, or" if today else nearest(word, known)
            raise DialectError(
                where,
                f"there is no argument {word!r}",
                got=f"{word}={value!r}",
                need="one of " + ", ".join(known) if known else "no arguments",
                fix=(f"{close} " if close else "") + f"natively: {kind.native}",
                at=caller(),
            )
        if word in out:
            raise DialectError(
                where,
                f"{word} is given twice",
                got=f"{word}={value!r} and {out[word]!r}",
                fix=f"{word}={value!r} alone",
                at=caller(),
            )
        out[word] = value
    missing = [word for word in known if word not in out and kind.words[word] is REQUIRED]
    if missing:
        raise DialectError(
            where,
            f"{missing[0]} is missing",
            need=", ".join(known),
            fix=f"natively: {kind.native}",
            at=caller(),
        )
    return {**kind.words, **out}
