"""What NumPy and Python have removed since, given back to a script for as long as it runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

ABSENT = object()  # in place of a value that was not there
REMOVED: tuple[tuple[Any, str, Any], ...] = (
    *((np, name, value) for name, value in (("float", float), ("int", int), ("object", object))),
    *((np, name, value) for name, value in (("Inf", np.inf), ("infty", np.inf), ("NaN", np.nan))),
    (np, "product", np.prod),
    (np, "float_", np.float64),
    (time, "clock", time.process_time),
)


@contextmanager
def replaced(rows: Iterable[tuple[Any, str, Any]]) -> Iterator[None]:
    """Set attributes (object, name, value) inside a block; all is as it was after it."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for target, name, value in rows:
            before.append((target, name, vars(target).get(name, ABSENT)))
            setattr(target, name, value)
        yield
    finally:
        for target, name, value in reversed(before):
            if value is ABSENT:
                delattr(target, name)
            else:
                setattr(target, name, value)


def restored() -> AbstractContextManager[None]:
    """Put the removed names back inside a block; names that are there stay as they are."""
    return replaced([row for row in REMOVED if row[1] not in vars(row[0])])
