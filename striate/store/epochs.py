"""Epochs: the weights after each epoch of a small network, so that one can look back."""

from __future__ import annotations

from pathlib import Path

from ..core.layer import Layer
from ..errors import StoreError
from . import config, model_file
from .files import read, write_atomic

FOLDER = "epochs"
MOST_BYTES = 4 * 2**20  # of weights: a larger network keeps no epochs
MOST_EPOCHS = 200


def keep(run: Path, number: int, model: Layer) -> Path | None:
    """Write the weights that a model has after `number` epochs (0: before training).

    Nothing is written for a network that is large, or after 200 epochs; None says so. Epochs of
    another network, which the run trained before, are let go.
    """
    size = sum(weight.numel() * weight.element_size() for weight in model.weights)
    if size > MOST_BYTES or number > MOST_EPOCHS or not model.built:
        return None
    try:
        parts = model_file.contents(model)
    except StoreError:  # a model that is code has no file of its network, so no epochs of it
        return None
    graph = run / FOLDER / model_file.GRAPH
    if not graph.is_file() or read(graph) != parts[model_file.GRAPH]:
        for other in kept(run):
            place(run, other).unlink()
        write_atomic(graph, parts[model_file.GRAPH])
    return write_atomic(place(run, number), parts[model_file.WEIGHTS])


def kept(run: Path) -> list[int]:
    """Return the numbers of the epochs whose weights are there, in order."""
    names = [path.stem for path in (run / FOLDER).glob("*.safetensors")]
    return sorted(int(name) for name in names if name.isdecimal())


def load(run: Path, number: int, make: config.Make) -> Layer:
    """Return the model as it was after `number` epochs; `make` constructs it.

    Raises: StoreError if that epoch was not kept, or its files are damaged.
    """
    if number not in kept(run):
        raise StoreError(
            run.name,
            f"epoch {number} was not kept",
            need="one of " + ", ".join(map(str, kept(run))) if kept(run) else "a small network",
        )
    parts = {
        model_file.GRAPH: read(run / FOLDER / model_file.GRAPH),
        model_file.WEIGHTS: read(place(run, number)),
    }
    return model_file.assemble(f"{run.name}, epoch {number}", parts, make)


def place(run: Path, number: int) -> Path:
    """Return the file of an epoch's weights."""
    return run / FOLDER / f"{number:04d}.safetensors"
