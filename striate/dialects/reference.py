"""The page docs/dialects.md, made of the tables of all dialects; run as a program, it prints it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import keras
from .dialect import Dialect, every
from .keras.recurrent_rows import rows as recurrent_rows
from .keras.rows import FAMILIES, MERGES, UNSEEN, WORDS
from .keras.session import KerasVersion
from .session import Script
from .table import Row

HEAD = """# Dialects

`striate run script.py` runs a script of another framework unmodified. This
page is made of the tables in `striate/dialects`: `python -m striate.dialects.reference` prints it.
"""
KERAS = """## Layers of Keras

A call in the words of any version gives the native layer. Besides the words in the table, layers
take `name`, `trainable`, `input_shape`, `batch_input_shape`, `input_dim`, `dtype` and `weights`.
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for dialect in every():
        parts += [_versions(dialect), _refused(dialect)]
    parts += [_optimizers(), KERAS]
    parts += [_family(name, rows) for name, rows in FAMILIES.items()]
    parts += [_sequences(), _words(), _merges()]
    return "\n".join(part for part in parts if part)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _versions(dialect: Dialect) -> str:
    rows = [
        (f"`{version.name}`", version.title, "yes" if name == dialect.DEFAULT else "")
        for name, version in dialect.VERSIONS.items()
    ]
    head = f"## {dialect.NAME}\n\nServes {_code(dialect.ROOTS)}. Versions, for `--dialect`:\n\n"
    return head + _table(("name", "version", "taken where nothing speaks"), rows)


def _refused(dialect: Dialect) -> str:
    if not dialect.REFUSED:
        return ""
    rows = [(f"`{word}`", why) for word, why in dialect.REFUSED.items()]
    return "Names that cannot be had:\n\n" + _table(("name", "instead"), rows)


def _optimizers() -> str:
    versions = [one for one in keras.VERSIONS.values() if isinstance(one, KerasVersion)]
    rows = [
        (word, *(_settings(version, word) for version in versions))
        for word in versions[-1].optimizers
    ]
    head = "## Optimizers of Keras\n\nLearning rate and epsilon where a script gives none.\n\n"
    return head + _table(("", *(version.title for version in versions)), rows)


def _settings(version: KerasVersion, word: str) -> str:
    given = version.optimizers.get(word)
    if given is None:
        return ""
    epsilon = given.get("epsilon")
    return f"{given['learning_rate']:g}" + (f", {epsilon:g}" if epsilon else "")


def _family(name: str, rows: Sequence[Row]) -> str:
    lines = [
        (
            f"`{row.target}`", _code(row.names[1:]), _code(row.order), _code(row.old_order),
            _dropped(row),
        )
        for row in rows
    ]  # fmt: skip
    head = ("native", "also called", "positional", "positional in Keras 0 and 1", "dropped")
    return f"### {name.replace('_', ' ')}\n\n" + _table(head, lines)


def _sequences() -> str:
    """Return what reads sequences, which has no native twin: layers of the dialect itself."""
    session = keras.open_session(keras.DEFAULT, Script())
    families = recurrent_rows(session).items()
    return "\n".join(_family(name, _rows(rows)) for name, rows in families)


def _rows(rows: Mapping[str, tuple[Row, Any]]) -> list[Row]:
    return list({row.target: row for row, _ in rows.values()}.values())


def _dropped(row: Row) -> str:
    """Return the arguments that are dropped, with the only values where others are refused."""
    return ", ".join(
        f"`{word}`" + "".join(f" {one!r} or" for one in row.harmless.get(word, ()))[:-3]
        for word in row.dropped
        if word not in UNSEEN
    )


def _words() -> str:
    rows = [(f"`{old}`", f"`{new}`") for old, new in WORDS.items()]
    return "### Older words\n\n" + _table(("Keras 0 and 1", "native"), rows)


def _merges() -> str:
    rows = [(f"`{mode}`", f"`{target}`") for mode, target in MERGES.items()]
    return "### Modes of merge\n\n" + _table(("mode", "native"), rows)


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201  the program's output
