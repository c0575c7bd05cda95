"""What SciPy has given other names or homes since: rows from a path of the time to today's."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from .dialect import Patch
from .surroundings_installed import Changes, lost

NAMES: dict[str, dict[str, str]] = {  # module -> name of the time -> where it is today
    "scipy.misc": {
        "logsumexp": "scipy.special.logsumexp", "comb": "scipy.special.comb",
        "factorial": "scipy.special.factorial",
    },
    "scipy.optimize.optimize": {"_status_message": "scipy.optimize._optimize._status_message"},
    "scipy.integrate": {
        "trapz": "scipy.integrate.trapezoid", "simps": "scipy.integrate.simpson",
        "cumtrapz": "scipy.integrate.cumulative_trapezoid",
    },
    "scipy.signal": {
        word: f"scipy.signal.windows.{word}"
        for word in ("gaussian", "hann", "hamming", "blackman", "bartlett", "kaiser", "boxcar",
                     "triang", "tukey", "cosine", "parzen")
    },
    "scipy.stats": {"median_absolute_deviation": "scipy.stats.median_abs_deviation"},
}  # fmt: skip


def changes() -> Changes:
    """Return what is given back to each module."""
    return dict.fromkeys(NAMES, lost_names)


def lost_names(module: Any) -> Iterator[Patch]:
    """Yield rows for the names that a module of SciPy has no more."""
    for name, today in NAMES[module.__name__].items():
        home, _, word = today.rpartition(".")
        yield from lost(module, {name: getattr(importlib.import_module(home), word)})
