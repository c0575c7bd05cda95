"""Rows: what a class of a dialect is in Striate, argument by argument; and the one translation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .. import layers
from ..errors import ConfigError, caller, nearest

Converter = Callable[[Any], Any]

T = TypeVar("T")


class DialectError(ConfigError):
    """A script uses a word that has no meaning here; the message has the native one."""


def chosen(where: str, what: str, name: Any, known: Mapping[str, T], fix: str) -> T:
    """Return what a name stands for.

    Raises: DialectError, which lists the names.
    """
    if name in known:
        return known[name]
    raise DialectError(
        where,
        f"there is no {what} {name!r}",
        need="one of " + ", ".join(known),
        fix=fix,
        at=caller(),
    )


@dataclass(frozen=True)
class Row:
    """One class of a dialect.

    Fields: `target`, the native name; `names`, the dialect's spellings of it; `order`, the native
    names of positional arguments; `renamed`, native names of the dialect's keywords; `folds`,
    native arguments that are made of several (kernel_size of nb_row and nb_col); `dropped`,
    arguments that change no result here, unless `harmless` has the only values of which that is
    true, the usual one first; `noted`, what is said of a dropped argument with an unusual value;
    `defaults`, native values where the dialect's differ; `spatial`, whether there is a layout;
    `old_order`, that of older versions where it was another; `meant`, arguments of which None is a
    value, and not the default.
    """

    target: str
    names: tuple[str, ...]
    order: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    folds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    spatial: bool = False
    old_order: tuple[str, ...] = ()
    harmless: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    noted: Mapping[str, str] = field(default_factory=dict)
    meant: tuple[str, ...] = ()


def translate(
    dialect: str,
    row: Row,
    name: str,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    known: Iterable[str],
    note: Callable[[str], None] = lambda said: None,
) -> dict[str, Any]:
    """Return native keywords for a call in the dialect's words; `known` are the native ones.

    `note` is told what is dropped with a change of meaning.

    Raises: DialectError for an argument that is not known, is given twice, is one too many, or has
    a value that means something else natively.
    """
    where, names = f"{dialect} {name}", list(known)
    native = _natively(row, names)
    if len(args) > len(row.order):
        raise DialectError(
            where,
            f"takes {len(row.order)} positional arguments, not {len(args)}",
            need=", ".join(row.order),
            fix=" or ".join(part for part in ("name them,", _natively(row, names)) if part).rstrip(
                ","
            ),
            at=caller(),
        )
    out: dict[str, Any] = {}
    given = [*zip(row.order, args, strict=False), *kwargs.items()]
    folded = {part for parts in row.folds.values() for part in parts}
    for word, value in given:
        native = row.renamed.get(word, word)
        if word in row.dropped:
            _drop(where, row, word, value, note)
            continue
        if native not in names and word not in folded:
            raise _unknown(where, row, word, names, folded)
        if native in out:
            raise DialectError(
                where,
                f"{word} is given twice",
                got=f"{word}={value!r} and {out[native]!r}",
                fix=f"{native}={out[native]!r} alone",
                at=caller(),
            )
        out[native] = value
    for native, parts in row.folds.items():
        values = [out.pop(part) for part in parts if part in out]
        if values:
            out[native] = tuple(values)
    return {**row.defaults, **out}


def _drop(where: str, row: Row, word: str, value: Any, note: Callable[[str], None]) -> None:
    """Say what it means that an argument is dropped; refuse it where results would be others."""
    harmless = row.harmless.get(word, ())
    if harmless and value not in harmless:
        raise DialectError(
            where,
            f"{word}={value!r} changes results, and is not done here",
            got=f"{word}={value!r}",
            need=" or ".join(f"{word}={one!r}" for one in harmless),
            fix=f"{word}={harmless[0]!r}, or natively another layer than L.{row.target}",
            at=caller(),
        )
    if word in row.noted and value is not None and value not in harmless[:1]:
        note(f"{where}: {word}={value!r}: {row.noted[word]}")


def _unknown(
    where: str, row: Row, word: str, names: list[str], folded: Iterable[str]
) -> DialectError:
    old = [key for key, native in row.renamed.items() if native in names]
    words = sorted({*names, *old, *folded, *row.dropped})
    return DialectError(
        where,
        f"there is no argument {word!r}",
        got=f"{word}=...",
        need="one of " + ", ".join(names),
        fix=" ".join(part for part in (nearest(word, words), _natively(row, names)) if part),
        at=caller(),
    )


def _natively(row: Row, names: Sequence[str]) -> str:
    """Return what a new program writes: the native layer, with the first of its arguments."""
    if not hasattr(layers, row.target):
        return ""
    first = [name for name in names[:2] if name not in ("name", "trainable")]
    return f"natively: L.{row.target}({', '.join([*first, '...'])})"
