"""ReNom's HDF5 files of weights, read into a model."""

from __future__ import annotations

import re

import numpy as np

from ..core.layer import Layer
from ..errors import StoreError
from .hdf5 import Archive, Array
from .keras_weights import put

ROOT = "values/root"
# of ReNom's names for a layer's weights, in the order of the native ones
ORDER = ("w", "b", "__dict__._mov_mean", "__dict__._mov_std")


def is_renom(archive: Archive) -> bool:
    """Whether a file has ReNom's groups."""
    return "values" in archive.groups and "types" in archive.groups


def put_renom(archive: Archive, model: Layer) -> None:
    """Give the model the weights of a ReNom model, layer by layer in their order.

    Kernels are turned: ReNom's convolution flips them, Striate's does not.

    Raises: StoreError where the numbers of layers or weights, or shapes, differ.
    """
    groups = sorted(
        (name for name in archive.groups["values"] if name.startswith("root.")), key=_natural
    )
    saved = [found for name in groups if (found := _arrays(archive, f"values/{name}"))]
    mine = [layer for layer in model.modules() if isinstance(layer, Layer) and layer.weights
            and not hasattr(layer, "runs_graph")]  # fmt: skip
    if len(saved) != len(mine):
        raise StoreError(
            archive.where,
            "has weights for another number of layers than the model",
            got=f"{len(saved)} layers: {', '.join(groups[:6])}",
            need=f"{len(mine)} layers: {', '.join(layer.name for layer in mine[:6])}",
            fix="build the network that the weights were saved from",
        )
    put(archive.where, [(layer, _native(layer, arrays))
                        for layer, arrays in zip(mine, saved, strict=True)])  # fmt: skip


def _arrays(archive: Archive, path: str) -> dict[str, Array]:
    found = {
        key.removeprefix(f"{path}/"): array
        for key, array in archive.arrays.items()
        if key.startswith(f"{path}/")
    }
    return {key: found[key] for key in ORDER if key in found}


def _native(layer: Layer, arrays: dict[str, Array]) -> list[Array]:
    shapes = [tuple(weight.shape) for weight in layer.weights]
    out = []
    for (name, array), shape in zip(arrays.items(), shapes, strict=False):
        if name == "w" and array.ndim == len(shape) == 4:
            # (out, in, rows, columns); of a transposed convolution (in, out, rows, columns)
            array = np.flip(array, (2, 3)).transpose(2, 3, 1, 0)
        out.append(array.reshape(shape) if array.size == np.prod(shape) else array)
    return out


def _natural(name: str) -> list[object]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
