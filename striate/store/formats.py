"""Which format a path means, by its ending, and who reads and writes it.

What reads the formats of others is imported where it is used: few programs need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.layer import Layer
from . import config, keras_training, model_file
from .files import read
from .keras_training import Found

KERAS = (".keras", ".h5", ".hdf5")
TORCH = (".pt", ".pth")
HDF5 = b"\x89HDF\r\n"
HEAD = 4096  # bytes in which an archive names its first part


def save(
    model: Layer, path: str | Path, training: Mapping[str, Any] | None = None, trained: Any = None
) -> Path:
    """Write the model, its network and its weights, to one file; return its path.

    `.keras` and `.h5` are Keras's formats, which Keras 3 loads; any other name is Striate's own,
    which holds every layer. `training` is what the model is compiled with in Keras's words, if not
    what it says itself, and `trained` what has the optimizer's state, if not the model.

    Raises: StoreError for a layer that the format cannot hold, or where nothing can be written.
    """
    if Path(path).suffix in KERAS:
        from . import keras_file

        if training is None:
            training = keras_training.training_words(getattr(model, "setup", None))
        return keras_file.write_model(model, path, training, trained)
    return model_file.save(model, path)


def load(
    path: str | Path, make: config.Make, custom: Mapping[str, Any] | None = None,
    functions: Mapping[str, Any] | None = None,
) -> Found:  # fmt: skip
    """Return the model of a file of any format that holds a network; `make` constructs it.

    `functions` are those of `keras.ops`, which Keras's files may name.

    What the file begins with says which format it is, not its name.
    """
    if is_keras(path):
        from . import keras_file

        return keras_file.read_model(path, make, custom, functions)
    return Found(model_file.load(path, make, custom), {}, [])


def is_keras(path: str | Path) -> bool:
    """Whether a file is one of Keras's: HDF5, or an archive that names its parts as Keras does."""
    head = read(path)[:HEAD]
    ours = b"model.json" in head and head.startswith(b"PK")
    named = head.startswith(b"PK") and b"metadata.json" in head
    return head.startswith(HDF5) or named or (Path(path).suffix in KERAS and not ours)


def save_weights(model: Layer, path: str | Path) -> Path:
    """Write the weights alone: to an `.h5` file as Keras does, to any other as safetensors.

    Raises: StoreError for a model that has no weights yet, or where the file cannot be written.
    """
    if Path(path).suffix in KERAS:
        from . import keras_file

        return keras_file.write_weights(model, path)
    return model_file.save_weights(model, path)


def load_weights(model: Layer, path: str | Path, by_name: bool = False) -> None:
    """Replace the weights by those of a file: Keras's, ReNom's, PyTorch's or Striate's own.

    With `by_name`, layers that a file of Keras does not have keep their weights.

    Raises: StoreError if the file is damaged, or names or shapes differ; nothing is changed then.
    """
    if Path(path).suffix in TORCH:
        from . import torch_file

        torch_file.read_weights(path, model)
    elif is_keras(path):
        from . import keras_file

        keras_file.read_weights(path, model, by_name)
    else:
        model_file.load_weights(model, path)
