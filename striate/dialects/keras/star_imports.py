"""What `from keras.layers import *` brings along up to Keras 2: what modules import."""

from __future__ import annotations

import copy
import csv
import json
import os
import re
import time
import warnings
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .session import KerasSession

OWN = {
    "np": np, "copy": copy, "csv": csv, "json": json, "os": os, "re": re, "time": time,
    "warnings": warnings, "deque": deque, "OrderedDict": OrderedDict, "Iterable": Iterable,
}  # fmt: skip
INNER = {  # modules of Keras, and the names by which its other modules know them
    "K": "backend", "activations": "activations", "initializations": "initializations",
    "initializers": "initializers", "regularizers": "regularizers", "constraints": "constraints",
    "optimizers": "optimizers", "conv_utils": "utils.conv_utils",
}  # fmt: skip
OF_LAYERS = ("np", "copy", "warnings", "K", "activations", "initializations", "initializers",
             "regularizers", "constraints")  # fmt: skip
ALONG = {
    "layers": OF_LAYERS,
    **{f"layers.{path}": OF_LAYERS for path in (
        "core", "convolutional", "pooling", "recurrent", "normalization", "embeddings", "local",
        "noise", "advanced_activations", "wrappers")},
    "models": ("np", "copy", "json", "os", "warnings", "K", "optimizers"),
    "engine": ("np", "K"), "engine.topology": ("np", "copy", "json", "os", "re", "warnings", "K"),
    "callbacks": ("np", "os", "csv", "json", "time", "warnings", "deque", "OrderedDict",
                  "Iterable", "K"),
    "preprocessing.image": ("np", "os", "re", "warnings", "K"),
    "optimizers": ("K", "copy"), "losses": ("K",), "objectives": ("np", "K"), "metrics": ("K",),
    "initializers": ("np", "K"), "initializations": ("np", "K"), "regularizers": ("K",),
    "constraints": ("K",), "activations": ("K", "warnings"),
    "utils.np_utils": ("np",), "utils.generic_utils": ("np", "time"),
}  # fmt: skip


def brought(session: KerasSession, made: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return modules with the names that a star brings along; newer versions have none of them."""
    if not session.version.folds:
        return {}
    known = dict(OWN)
    for word, path in INNER.items():
        if path in made:
            module = ModuleType(f"keras.{path}")
            vars(module).update(made[path])
            known[word] = module
    return {
        path: {**{word: known[word] for word in words if word in known}, **made[path]}
        for path, words in ALONG.items()
        if path in made
    }


__all__ = ["brought"]
