"""ReNom's weight files: HDF5 with the groups `values` and `types`, by the path of each module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py  # type: ignore[import-untyped]
import numpy as np

from ...errors import StoreError
from .node import Variable

if TYPE_CHECKING:
    from .model import Model

STATISTIC = "__dict__."  # before the name of an attribute


def save(model: Model, filename: str | Path) -> None:
    """Write the weights of all modules, and the moving numbers of normalisations."""
    with h5py.File(filename, "w") as file:
        values, types = file.create_group("values"), file.create_group("types")
        for path, weights, statistics in model.flatten_values():
            name = ".".join(path)
            numbers, kinds = values.create_group(name), types.create_group(name)
            for key, variable in weights.items():
                numbers.create_dataset(key, data=np.asarray(variable))
                kinds.attrs[key] = "renom.Variable"
                kinds.attrs[f"{key}._auto_update"] = variable.auto_update
            for key, number in statistics.items():
                numbers.create_dataset(STATISTIC + key, data=np.asarray(number))


def load(model: Model, filename: str | Path) -> None:
    """Read the weights into a model of the same modules; those without weights get them.

    Raises: StoreError for a file that is missing, is none of ReNom's, or belongs to another model.
    """
    try:
        with h5py.File(filename, "r") as file:
            found = {name: _module(file, name) for name in file["values"]}
    except (OSError, KeyError) as error:
        raise StoreError(
            str(filename),
            "is not a weight file of ReNom",
            got=str(error),
            need="HDF5 with the groups values and types",
        ) from None
    parts = _paths(model, "root")
    wanted = {name for name, part in parts.items() if part.parametrized or part.own()}
    given = {name for name, (weights, _) in found.items() if weights}
    if wanted != given:
        raise StoreError(
            str(filename),
            "belongs to another model",
            got="weights of " + ", ".join(sorted(given)),
            need="weights of " + ", ".join(sorted(wanted)),
            fix="load it into a model of the modules that it was saved from",
        )
    for name, (weights, statistics) in found.items():
        if name in parts:
            parts[name].take(weights, statistics)


def _paths(model: Model, path: str) -> dict[str, Model]:
    out = {path: model}
    for name, part in model.children():
        out |= _paths(part, f"{path}.{name}")
    return out


def _module(file: Any, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    kinds = file["types"][name].attrs if name in file.get("types", {}) else {}
    weights: dict[str, Any] = {}
    statistics: dict[str, Any] = {}
    for key, dataset in file["values"][name].items():
        if key.startswith(STATISTIC):
            statistics[key[len(STATISTIC) :]] = dataset[()]
        else:
            weights[key] = Variable(dataset[()], bool(kinds.get(f"{key}._auto_update", True)))
    return weights, statistics
