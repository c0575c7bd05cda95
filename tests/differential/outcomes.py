"""What a program has noted, and where two runs of it differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

SMALLEST = 1e-2  # values below it are compared as if they were of its size
SHARE, MARGIN = 2e-3, 100  # of the largest number; of what a change of 1e-6 in the weights makes


@dataclass
class Outcome:
    """What a run has noted, in its order, or how it has failed (`error`, and where)."""

    noted: list[tuple[str, Any]] = field(default_factory=list)
    error: str = ""
    where: str = ""

    def note(self, name: str, *values: Any) -> None:
        """Keep values as they are now."""
        for value in values:
            self.noted += ((f"{name}{path}", one) for path, one in parts(value))


def parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the arrays in a value, with what leads to them."""
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from parts(value[key], f"{path}.{key}")
    elif isinstance(value, (list, tuple)) and not all(isinstance(x, (int, str)) for x in value):
        for index, one in enumerate(value):
            yield from parts(one, f"{path}.{index}")
    else:
        yield path, plain(value)


def plain(value: Any) -> Any:
    """Return a tensor, or a number, as an array of its own; anything else as a text."""
    if hasattr(value, "detach"):
        value = value.detach()
        kind = str(value.dtype).removeprefix("torch.")
        value = value.cpu().resolve_conj()
        return np.array((value.float() if kind == "bfloat16" else value).numpy())
    if isinstance(value, (np.ndarray, np.generic, bool, int, float)):
        return np.array(value)
    return str(value)


def difference(plain: Outcome, mine: Outcome, shaken: Outcome) -> str:
    """Return where two runs differ more than a run from shaken weights does, or nothing."""
    if plain.error or mine.error:
        same = plain.error.partition(":")[0] == mine.error.partition(":")[0]
        return "" if same else f"{mine.error or 'no error'}, not {plain.error or 'none'}"
    pairs = zip_longest(plain.noted, mine.noted, shaken.noted, fillvalue=("nothing", ""))
    for at, ((name, v), (word, w), (_, u)) in enumerate(pairs):
        if name != word:
            return f"#{at} is {word}, not {name}"
        told = _apart(v, w, u)
        if told:
            return f"#{at} {name}: {told}"
    return ""


def _apart(v: Any, w: Any, u: Any) -> str:
    if not isinstance(v, np.ndarray) or not isinstance(w, np.ndarray):
        return "" if type(v) is type(w) and v == w else f"{w}, not {v}"
    if v.shape != w.shape or v.dtype != w.dtype:
        return f"{w.dtype} {w.shape}, not {v.dtype} {v.shape}"
    if v.dtype.kind not in "fc":
        share = float(np.mean(v != w)) if v.size else 0.0
        return "" if share <= 0.2 else f"{share:.0%} differ"
    if not v.size:
        return ""
    if not np.array_equal(np.isfinite(v), np.isfinite(w)):
        return f"{w.ravel()[:4]}, not {v.ravel()[:4]}"
    finite = np.isfinite(v)
    if not finite.any():
        return ""
    v, w = v[finite], w[finite]
    u = u[finite] if getattr(u, "shape", None) == finite.shape else v
    size = max(float(np.abs(v).max()), SMALLEST)
    far, allowed = float(np.abs(v - w).max()), float(np.abs(v - u).max())
    fine = far <= SHARE * size + MARGIN * allowed or not np.isfinite(allowed)
    return "" if fine else f"{far:.3g} apart, the largest number is {size:.3g}"
