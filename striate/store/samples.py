"""Samples: some of what a program trained and was judged on, so that its run can be looked at."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StoreError
from .files import read, write_atomic

FILE = "samples.npz"
FACTS = "data.json"  # of a folder of images: sizes, what was left out, duplicates
MOST_BYTES = 32 * 2**20  # of each part, before it is compressed
NUMBERS = "biuf"  # kinds of NumPy's types

Pair = tuple[NDArray[Any], NDArray[Any]]


def keep(run: Path, parts: Mapping[str, tuple[Any, Any] | None]) -> Path | None:
    """Write the first samples of each part, with their labels; None where no part is of numbers."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, pair in parts.items():
        x, y = (np.asarray(item) for item in pair) if pair is not None else (np.empty(0),) * 2
        if not len(x) or not all(item.dtype.kind in NUMBERS for item in (x, y)):
            continue
        x = x.astype(np.float32) if x.dtype == np.float64 else x  # as models take them
        most = max(MOST_BYTES * len(x) // max(x.nbytes, 1), 1)
        arrays |= {f"{name}_x": x[:most], f"{name}_y": y[:most]}
    if not arrays:
        return None
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    return write_atomic(run / FILE, packed.getvalue())


def load(run: Path) -> dict[str, Pair]:
    """Return the kept samples and labels by part; empty where a run keeps none.

    Raises: StoreError if the file is damaged.
    """
    if not (run / FILE).is_file():
        return {}
    try:
        with np.load(io.BytesIO(read(run / FILE)), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        parts = {name.removesuffix("_x") for name in arrays if name.endswith("_x")}
        return {part: (arrays[f"{part}_x"], arrays[f"{part}_y"]) for part in sorted(parts)}
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise StoreError(
            str(run / FILE), "is damaged", got=str(error), fix="run the script again"
        ) from None


def facts(run: Path) -> dict[str, Any]:
    """Return what was found in the folder of images that a run was trained on; empty without one.

    Raises: StoreError if the file is damaged.
    """
    if not (run / FACTS).is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(read(run / FACTS))
    except ValueError as error:
        raise StoreError(str(run / FACTS), "is not JSON", got=str(error)) from None
    return found
