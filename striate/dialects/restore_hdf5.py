"""What h5py has removed: a file that is opened without a mode, and `value` of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .session import Script


def patches(script: Script) -> list[tuple[Any, str, Any]]:
    """Return the rows for a script that reads or writes HDF5 files itself; else none."""
    if not any(kind == "import" and word.split(".")[0] == "h5py" for kind, word, _ in script.words):
        return []
    import h5py  # type: ignore[import-untyped]

    made = h5py.File.__init__

    def opened(self: Any, name: Any, mode: Any = None, *args: Any, **words: Any) -> None:
        """Open a file; without a mode, as h5py 2: to read and to write, and made where absent."""
        if mode is None and isinstance(name, (str, bytes, Path)):
            mode = "a" if not Path(str(name)).exists() or _writable(name) else "r"
        made(self, name, mode or "r", *args, **words)

    value = property(lambda self: self[()], doc="All numbers, as in h5py 2.")
    return [(h5py.File, "__init__", opened), (h5py.Dataset, "value", value)]


def _writable(name: Any) -> bool:
    try:
        with Path(str(name)).open("r+b"):
            return True
    except OSError:
        return False
