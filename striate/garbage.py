"""Garbage: Python looks for it among all objects, again and again; what imports make is none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = gc.get_threshold()
RARELY = 100_000  # new objects, after which Python looks: torch and what comes with it make more


@contextmanager
def not_now() -> Iterator[None]:
    """Leave garbage where it is: looking through all that an import makes takes half a second."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def rarely() -> None:
    """Look for garbage rarely, in a program that begins with large imports."""
    gc.set_threshold(RARELY, *USUAL[1:])


def of_what_comes() -> None:
    """Look for garbage as usual, but only among what is made from now on: also when Python ends.

    Once in a process: what came since then may be garbage.
    """
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(*USUAL)
