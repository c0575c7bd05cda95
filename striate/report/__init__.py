"""The report of a run: what its files, its model and its data say, as one HTML file."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..inspect import kernels
from ..store import epochs, model_file, samples, steps
from ..store.files import read
from ..store.run import CHANGES, Run, list_runs
from .evidence import Data, Evidence, first_convolution
from .known import images, known
from .page import page

__all__ = ["Data", "Evidence", "begin", "images", "known", "page", "write", "write_last"]

PAGE, BEGAN, RATES = "report.html", "began.safetensors", "range_test.json"
STEPS = 250  # points of a line between the epochs


def begin(run: Run, model: Any) -> None:
    """Keep the weights before training, of a large network the first kernels, for the report."""
    layer = first_convolution(model)
    if layer and epochs.keep(run.path, 0, model) is None:
        import torch

        run.write(BEGAN, model_file.pack({layer: torch.as_tensor(kernels(model, layer).values)}))


def write(run: Run, model: Any, data: Data | None = None, classes: Sequence[str] = ()) -> Path:
    """Write the page of a run whose results and environment are there already."""
    found = Evidence(
        name=run.name,
        results=_file(run, "results.json"),
        history=run.epochs,
        environment=_file(run, "environment.json"),
        changes=read(run.path / CHANGES).decode() if (run.path / CHANGES).is_file() else "",
        config=_file(run, "config.json"),
        model=model,
        data=data or Data(tuple(classes)),
        began=_began(run, model),
        range_test=_range_test(run, model),
        previous=_previous(run),
        place=str(run.path),
        folder=samples.facts(run.path),
        steps=steps.load(run.path, STEPS),
    )
    return run.write(PAGE, page(found))


def write_last(run: Run, model: Any, data: Data | None = None, classes: Sequence[str] = ()) -> str:
    """Write the page when training ends, and return a note where that fails: the run is kept."""
    try:
        write(run, model, data, classes)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        return f"the report could not be written ({what}); the run is kept without it"
    return ""


def _file(run: Run, name: str) -> dict[str, Any]:
    found: dict[str, Any] = run.read(name) if (run.path / name).is_file() else {}
    return found


def _range_test(run: Run, model: Any) -> dict[str, Any]:
    """Return what `find_lr` found, if it was asked before training, and keep it for later."""
    found = getattr(getattr(model, "setup", None), "range_test", None)
    if found:
        run.write(RATES, found)
    return _file(run, RATES)


def _began(run: Run, model: Any) -> dict[str, Any]:
    place = run.path / BEGAN
    layer = first_convolution(model)
    if layer and 0 in epochs.kept(run.path):
        first = copy.deepcopy(model)
        try:
            model_file.load_weights(first, epochs.place(run.path, 0))
        except StoreError:  # of another network
            return {}
        return {layer: kernels(first, layer).values}
    if not place.is_file():
        return {}
    return {name: w.numpy() for name, w in model_file.unpack(str(place), read(place)).items()}


def _previous(run: Run) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    """Return the finished run of the same name before this one: mnist-2 before mnist-3."""
    stem, number = _numbered(run.name)
    earlier = [
        (_numbered(path.name)[1], path)
        for path in list_runs(run.path.parent)
        if _numbered(path.name)[0] == stem and _numbered(path.name)[1] < number
    ]
    if not earlier:
        return None
    before = Run(max(earlier)[1])
    return before.name, _file(before, "results.json"), _file(before, "config.json")


def _numbered(name: str) -> tuple[str, int]:
    """Return the name and number of a run: `mnist-3` is the third of `mnist`."""
    found = re.fullmatch(r"(.+)-(\d+)", name)
    return (found[1], int(found[2])) if found else (name, 1)
