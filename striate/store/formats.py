"""Which format a path means, by its ending, and who reads and writes it.

What reads the formats of others is imported where it is used: few programs need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.layer import Layer
from . import config, keras_training, model_file
from .keras_training import Found

KERAS = (".keras", ".h5", ".hdf5")
TORCH = (".pt", ".pth")


def save(model: Layer, path: str | Path) -> Path:
    """Write the model, its network and its weights, to one file; return its path.

    `.keras` and `.h5` are Keras's formats, which Keras 3 loads; any other name is Striate's own,
    which holds every layer.

    Raises: StoreError for a layer that the format cannot hold, or where nothing can be written.
    """
    if Path(path).suffix in KERAS:
        from . import keras_file

        training = keras_training.training_words(getattr(model, "setup", None))
        return keras_file.write_model(model, path, training)
    return model_file.save(model, path)


def load(path: str | Path, make: config.Make, custom: Mapping[str, Any] | None = None) -> Found:
    """Return the model of a file of any format that holds a network; `make` constructs it."""
    if Path(path).suffix in KERAS:
        from . import keras_file

        return keras_file.read_model(path, make, custom)
    return Found(model_file.load(path, make, custom), {}, [])


def save_weights(model: Layer, path: str | Path) -> Path:
    """Write the weights alone: to an `.h5` file as Keras does, to any other as safetensors.

    Raises: StoreError for a model that has no weights yet, or where the file cannot be written.
    """
    if Path(path).suffix in KERAS:
        from . import keras_file

        return keras_file.write_weights(model, path)
    return model_file.save_weights(model, path)


def load_weights(model: Layer, path: str | Path) -> None:
    """Replace the weights by those of a file: Keras's, ReNom's, PyTorch's or Striate's own.

    Raises: StoreError if the file is damaged, or names or shapes differ; nothing is changed then.
    """
    if Path(path).suffix in KERAS:
        from . import keras_file

        keras_file.read_weights(path, model)
    elif Path(path).suffix in TORCH:
        from . import torch_file

        torch_file.read_weights(path, model)
    else:
        model_file.load_weights(model, path)
