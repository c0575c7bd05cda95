"""NumPy's functions on tensors: they call methods of the same names, with words that torch has not.

`np.min(tensor)` calls `tensor.min(axis=None, out=None)`; with such words it is NumPy's own method.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from ..dialect import Patch

WORDS = frozenset(("out", "order", "kind", "mode", "decimals"))
METHODS = ("min", "max", "sum", "mean", "std", "var", "prod", "any", "all", "argmax", "argmin",
           "cumsum", "cumprod", "round", "clip", "reshape", "argsort", "take", "squeeze", "ptp",
           "repeat", "transpose")  # fmt: skip


def _called(name: str) -> Callable[..., Any]:
    plain = getattr(Tensor, name, None)

    def method(self: Tensor, *args: Any, **words: Any) -> Any:
        """Return what torch gives, or NumPy where it asks."""
        if plain is None or WORDS & set(words) or _of_numpy(name, self, args, words):
            return getattr(np.asarray(self), name)(*args, **words)
        return plain(self, *args, **words)

    return functools.wraps(plain)(method) if plain else method


def _of_numpy(name: str, x: Tensor, args: tuple[Any, ...], words: dict[str, Any]) -> bool:
    """Return whether a call has the form of NumPy's, without a word that says so."""
    if name == "repeat":
        return "axis" in words
    if name == "transpose":  # np.transpose(x, axes)
        return len(args) == 1 or (not args and not words)
    return False


def patches() -> list[Patch]:
    """Return the methods."""
    return [(Tensor, name, _called(name)) for name in METHODS]
