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
    """Write the first samples of each part, with their labels, if they have any.

    None where no part is of numbers.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for name, pair in parts.items():
        given = [np.asarray(item) for item in pair or () if item is not None]
        if not given or not len(given[0]) or any(one.dtype.kind not in NUMBERS for one in given):
            continue
        x, *labels = given
        x = x.astype(np.float32) if x.dtype == np.float64 else x  # as models take them
        most = max(MOST_BYTES * len(x) // max(x.nbytes, 1), 1)
        arrays[f"{name}_x"] = x[:most]
        arrays |= {f"{name}_y": y[:most] for y in labels}
    if not arrays:
        return None
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    return write_atomic(run / FILE, packed.getvalue())


def load(run: Path) -> dict[str, Pair]:
    """Return the kept samples and labels by part, of the parts that have labels.

    Raises: StoreError if the file is damaged.
    """
    arrays = _read(run)
    return {
        name.removesuffix("_x"): (x, arrays[f"{name.removesuffix('_x')}_y"])
        for name, x in sorted(arrays.items())
        if name.endswith("_x") and f"{name.removesuffix('_x')}_y" in arrays
    }


def unlabelled(run: Path) -> dict[str, NDArray[Any]]:
    """Return the kept samples by part, of the parts that have no labels.

    Raises: StoreError if the file is damaged.
    """
    arrays = _read(run)
    parts = {name.removesuffix("_x"): x for name, x in arrays.items() if name.endswith("_x")}
    return {part: x for part, x in parts.items() if f"{part}_y" not in arrays}


def _read(run: Path) -> dict[str, NDArray[Any]]:
    if not (run / FILE).is_file():
        return {}
    try:
        with np.load(io.BytesIO(read(run / FILE)), allow_pickle=False) as file:
            arrays: dict[str, NDArray[Any]] = {name: file[name] for name in file.files}
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise StoreError(
            str(run / FILE), "is damaged", got=str(error), fix="run the script again"
        ) from None
    return arrays


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
