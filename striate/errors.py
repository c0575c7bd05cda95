"""The exceptions of Striate, and the one form in which they speak.

    StriateError
    |-- ShapeError     tensors and layers do not fit each other
    |-- ConfigError    a setting, a field or a call has a value that cannot work
    |-- DataError      images, labels or batches are not what the model can learn from
    |-- StoreError     a file is missing, damaged, of another version, or cannot be written
    |-- TrainingError  training cannot start or must not go on
    `-- MissingExtra   an optional dependency is not installed

A message is one headline and up to five rows, always in this order:

    conv2d_3 (Conv2D): the kernel does not fit axis H
      got   input (5, 5, 64), axis H = 5
      need  H >= 7
      math  (5 + 0 - 7) // 1 + 1 = -1
      fix   padding="same", a smaller kernel, or one pooling layer fewer
      at    model.py:12
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = str(Path(__file__).parent)


class StriateError(Exception):
    """Root of every error that Striate raises on purpose.

    Fields: `where` is the layer, file or field at fault; `what` says what is wrong, in lower case
    and without a full stop; `got`, `need`, `math`, `fix` and `at` are the rows (an empty row is
    left out).
    """

    def __init__(
        self,
        where: str,
        what: str,
        *,
        got: object = "",
        need: object = "",
        math: object = "",
        fix: object = "",
        at: object = "",
    ) -> None:
        self.where = where
        self.what = what
        self.rows = {
            key: str(row)
            for key, row in (("got", got), ("need", need), ("math", math), ("fix", fix), ("at", at))
            if str(row)
        }
        super().__init__(where, what)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}"]
        for key, row in self.rows.items():
            first, *rest = row.splitlines()
            lines.append(f"  {key:<5} {first}")
            lines += [f"        {line}" for line in rest]
        return "\n".join(lines)


class ShapeError(StriateError, ValueError):
    """Tensors and layers do not fit each other."""


class ConfigError(StriateError, ValueError):
    """A setting, a field or a call has a value that cannot work."""


class DataError(StriateError, ValueError):
    """Images, labels or batches are not what the model can learn from."""


class StoreError(StriateError):
    """A file is missing, damaged, of another version, or cannot be written."""


class TrainingError(StriateError, RuntimeError):
    """Training cannot start or must not go on."""


class MissingExtra(StriateError, ImportError):
    """An optional dependency is not installed.

    `package` is the module that could not be imported, `extra` the extra of Striate that brings it.
    """

    def __init__(self, package: str, extra: str, *, need: str = "") -> None:
        super().__init__(
            package, "is not installed", need=need, fix=f'pip install "striate[{extra}]"'
        )


def nearest(word: object, options: Iterable[str]) -> str:
    """Return `did you mean "adam"?` for a word close to one of `options`, else an empty string."""
    known: dict[str, list[str]] = {}
    for option in options:
        known.setdefault(option.lower(), []).append(option)
    found = difflib.get_close_matches(str(word).lower(), known, n=1, cutoff=0.6)
    if not found:
        return ""
    alike = difflib.get_close_matches(str(word), known[found[0]], n=1, cutoff=0)
    return f'did you mean "{alike[0]}"?'


def unknown(where: str, kind: str, word: object, options: Iterable[str]) -> ConfigError:
    """Return the error for a name that is not in a closed list: it suggests the nearest one."""
    names = sorted(options)
    return ConfigError(
        where,
        f"unknown {kind} {word!r}",
        need="one of " + ", ".join(names),
        fix=nearest(word, names),
    )


def one_of(where: str, field: str, value: object, options: Iterable[str]) -> None:
    """Raise ConfigError unless `value` is one of `options`."""
    names = list(options)
    if value not in names:
        raise ConfigError(
            where,
            f"{field}={value!r} is not known",
            need=f"{field} one of " + ", ".join(repr(name) for name in names),
            fix=nearest(value, [name for name in names if isinstance(name, str)]),
        )


def caller() -> str:
    """Return `file.py:12` of the nearest line outside this package and torch, if any."""
    frame = sys._getframe(1)
    while frame is not None:
        name, module = frame.f_code.co_filename, str(frame.f_globals.get("__name__"))
        if not name.startswith((_PACKAGE, "<")) and module.partition(".")[0] != "torch":
            return f"{Path(name).name}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""
