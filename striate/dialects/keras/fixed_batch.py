"""Code that only runs for batches of one size, because it has the size written in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...core.spec import Spec
from ...layers.wrap import Opaque
from .session import KerasSession

LARGEST = 1024


def on_zeros(
    layer: Any, session: KerasSession, x: Sequence[Spec], unknown: int, codes: Sequence[Any]
) -> Any:
    """Run a layer's code on zeros: a batch of two, or of a size that is written in the code."""
    run: Any = Opaque._run_on_meta
    try:
        return run(layer, x, unknown, session.batch)
    except Exception:  # whatever code of a script may raise
        for size in dict.fromkeys(number for code in codes for number in _numbers(code)):
            try:
                out = run(layer, x, unknown, size)
            except Exception:  # another size may do
                continue
            session.batch = size
            return out
        raise


def methods(kind: type) -> list[Callable[..., Any]]:
    """Return the functions of a class that a script has written."""
    return [one for one in vars(kind).values() if inspect.isfunction(one)]


def _numbers(code: Any, depth: int = 2) -> Iterator[int]:
    """Yield the numbers that a function holds, or names, and that may be sizes of a batch.

    Those of a script's own functions that it calls too, down to `depth`.
    """
    if not inspect.isfunction(code) or code.__module__.startswith("striate."):
        return
    held = inspect.getclosurevars(code)
    for value in (*code.__code__.co_consts, *held.nonlocals.values(), *held.globals.values()):
        several = value if isinstance(value, tuple) else (value,)
        for one in several:
            if isinstance(one, int) and not isinstance(one, bool) and 2 < one <= LARGEST:
                yield one
            elif depth:
                yield from _numbers(one, depth - 1)
