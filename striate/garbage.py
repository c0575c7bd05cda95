"""Garbage: Python looks for it among all objects, again and again; what imports make is none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = gc.get_threshold()
LITTLE = 256 << 20  # bytes, for which no garbage is looked for
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


class Outside:
    """Bytes that objects hold outside of Python, which counts objects alone.

    Models are garbage in circles, each with memory for its plans: a loop over many of them would
    hold as much as a few hundred objects happen to hold. Garbage is looked for when twice as much
    is held as after the last time.
    """

    def __init__(self) -> None:
        self.held, self.most = 0, LITTLE

    def take(self, count: int) -> None:
        """Note that so many bytes are about to be taken."""
        self.held += count
        if self.held > self.most and gc.isenabled():
            gc.collect()
            self.most = max(2 * self.held, LITTLE)

    def give(self, count: int) -> None:
        """Note that so many are free again."""
        self.held -= count


OUTSIDE = Outside()
