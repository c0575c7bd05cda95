"""Shelf: all runs beside each other, and two of them compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..inspect import compare, kernels
from ..inspect.kernels import Kernels
from ..store import epochs
from . import progress
from .subject import Subject, Subjects
from .view import encoded, thumbnail

SHOWN = 24  # pictures on which two runs disagree
LEAST = ("loss",)  # numbers of which the smallest is the best


def table(subjects: Subjects) -> list[dict[str, Any]]:
    """Return each run with its settings, the curve of its main number, and the best of it."""
    out = []
    for name in subjects.names():
        subject = subjects[name]
        rows = progress.rows(subject.path)
        key = main_number(rows)
        curve = [row[key] for row in rows if key in row]
        settings = subject.config.get("settings")
        results = subject.results
        out.append(
            {
                "run": name,
                **progress.state(subject.path, subject.config),
                "number": key,
                "curve": curve,
                "best": (min if key.endswith(LEAST) else max)(curve) if curve else None,
                "test_accuracy": results.get("test_accuracy"),
                "seconds": results.get("seconds"),
                "settings": settings if isinstance(settings, dict) else {},
            }
        )
    return out


def main_number(rows: list[dict[str, float]]) -> str:
    """Return the number by which a run is judged: a metric of validation, else its loss."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    told = [name for name in names if name.startswith("val_") and not name.endswith("loss")]
    return (told + [name for name in ("val_loss", "accuracy", "loss") if name in names] + [""])[0]


def compared(one: Subject, other: Subject) -> dict[str, Any]:
    """Return what differs in what was asked, the curves, and the pictures that are in dispute."""
    told: dict[str, Any] = {
        "runs": [one.name, other.name],
        "differs": differences(one.config, other.config),
        "rows": [progress.rows(one.path), progress.rows(other.path)],
    }
    pictures = one.test
    alike = one.grid.shape == other.grid.shape and one.classes == other.classes
    if pictures is None or not one.judged or not alike:
        return told | {"agreement": None, "pictures": []}
    with one.patience, other.patience:
        found = compare(one.model, other.model, pictures.x, pictures.y)
    return told | {
        "agreement": found.agreement,
        "only": [len(found.only_one), len(found.only_other), len(found.neither)],
        "disagree": len(found.disagree),
        "pictures": [
            {
                "index": at,
                "label": int(pictures.y[at]),
                "said": [int(found.one[at].argmax()), int(found.other[at].argmax())],
                "sure": [float(found.one[at].max()), float(found.other[at].max())],
                **encoded(thumbnail(one.grid.picture(pictures.x[at]))),
            }
            for at in found.disagree[:SHOWN]
        ],
    }


def differences(one: Any, other: Any, before: str = "") -> list[list[str]]:
    """Return (name, first value, second value) for what two configurations do not share."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return [] if one == other else [[before, str(one)[:200], str(other)[:200]]]
    names = list(dict.fromkeys([*one, *other]))
    missing = "-"
    return [
        row
        for name in names
        for row in differences(
            one.get(name, missing), other.get(name, missing), f"{before}.{name}".strip(".")
        )
    ]


def kernel_pictures(subject: Subject, layer: str, epoch: int | None) -> dict[str, Any]:
    """Return a layer's kernels, those before training where they were kept, and their norms."""
    now = kernels(subject.at(epoch), layer)
    begun = kernels(subject.at(0), layer) if 0 in epochs.kept(subject.path) else None
    values = _flat(now)
    return {
        "layer": layer,
        "height": values.shape[0],
        "width": values.shape[1],
        "inputs": values.shape[2],
        "outputs": values.shape[3],
        "values": _listed(values),
        "before": None if begun is None else _listed(_flat(begun)),
        "norms": np.sqrt((values.astype(float) ** 2).sum((0, 1, 2))).tolist(),
    }


def _flat(found: Kernels, most: tuple[int, int] = (64, 64)) -> Any:
    """Return (height, width, inputs, outputs), at most 64 inputs and 64 outputs."""
    values = found.values
    side = values.shape[-3] if values.ndim > 2 else 1
    values = values.reshape(-1, side, *values.shape[-2:])
    return values[:, :, : most[0], : most[1]]


def _listed(values: Any) -> Any:
    """Return the kernels output by output, input by input, row by row."""
    return np.moveaxis(values, (3, 2), (0, 1)).astype(float).round(5).tolist()
