"""What NumPy and Python have removed since, given back to a script for as long as it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

REMOVED = (
    *((np, name, value) for name, value in (("float", float), ("int", int), ("object", object))),
    *((np, name, value) for name, value in (("Inf", np.inf), ("infty", np.inf), ("NaN", np.nan))),
    (np, "product", np.prod),
    (np, "float_", np.float64),
    (time, "clock", time.process_time),
)


@contextmanager
def restored() -> Iterator[None]:
    """Put the removed names back inside a block; names that are there stay as they are."""
    missing = [item for item in REMOVED if item[1] not in vars(item[0])]
    for module, name, value in missing:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, _ in missing:
            delattr(module, name)
