"""Makes keras_layers_*.npz and .json: what real Keras computes for the cases of the tests.

In an environment with Striate and its development tools:

    pip install keras==3.15.1 jax
    KERAS_BACKEND=torch python tests/golden/make_keras_layers.py
    KERAS_BACKEND=jax python tests/golden/make_keras_layers.py

Every case of tests/layers/test_*.py that has keras=True is built as the Keras layer of the same
name with the same arguments, given random weights and called on a random batch, in inference. The
json file has the versions and, for each case, the names of the weights; the npz file the numbers.
The values depend on the name of a case only: a new case leaves those of the others as they
are. The backend is torch, and jax for the few cases which Keras's torch backend computes wrongly.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]
from cases import Case, every  # noqa: E402

BATCH = 2
BACKEND = keras.backend.backend()


def wrong_in_torch(name: str) -> bool:
    """Whether the torch backend repeats the border, where padding is not part of the mean."""
    return name.startswith("AveragePooling") and "strides=2, padding='same'" in name


def random_weight(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return values for a weight; a variance is positive."""
    value = rng.normal(size=shape).astype("float32") / 2
    return abs(value) + 0.5 if "variance" in name else value


def compute(name: str, case: Case) -> tuple[list[str], dict[str, np.ndarray]]:
    """Return the names of the weights, and the inputs x0..., weights w0... and outputs y0..."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    inputs = []
    for spec in case.specs:
        shape = (BATCH, *spec.shape)
        if spec.dtype.startswith("float"):
            x = torch.from_numpy(rng.normal(size=shape).astype(spec.dtype))
            inputs.append((case.domain(x) if case.domain else x).numpy())
        else:
            inputs.append(rng.integers(0, 256, shape).astype(spec.dtype))
    layer = getattr(keras.layers, case.layer.__name__)(**case.kwargs)
    given: Any = inputs if isinstance(case.shapes, list) else inputs[0]
    layer(given)
    names = [weight.name for weight in layer.weights]
    weights = [random_weight(weight.name, weight.shape, rng) for weight in layer.weights]
    layer.set_weights(weights)
    y = layer(given, training=False)
    outputs = [keras.ops.convert_to_numpy(one) for one in (y if isinstance(y, list) else [y])]
    parts = {"x": inputs, "w": weights, "y": outputs}
    return names, {f"{key}{i}": v for key, values in parts.items() for i, v in enumerate(values)}


def main() -> None:
    names, numbers = {}, {}
    for name, case in every().items():
        if not case.keras or wrong_in_torch(name) is not (BACKEND == "jax"):
            continue
        names[name], values = compute(name, case)
        numbers.update({f"{len(names) - 1}/{key}": value for key, value in values.items()})
    versions = {
        "keras": keras.__version__,
        "backend": BACKEND,
        BACKEND: importlib.metadata.version(BACKEND),
        "numpy": np.__version__,
    }
    np.savez_compressed(HERE / f"keras_layers_{BACKEND}.npz", **numbers)
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(names[name])}" for name in names)
    (HERE / f"keras_layers_{BACKEND}.json").write_text(
        f'{{"versions": {json.dumps(versions)},\n "weights": {{\n{lines}\n}}}}\n'
    )
    print(f"{len(names)} cases from Keras {versions['keras']}, {BACKEND} backend")


if __name__ == "__main__":
    main()
