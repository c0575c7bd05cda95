"""Makes keras_optimizers.json: what the optimizers, schedules and penalties of Keras compute.

    pip install keras==3.15.1 torch
    KERAS_BACKEND=torch python tests/golden/make_keras_optimizers.py

Each case of OPTIMIZERS makes 20 steps on two weights; the file has their first values, the
gradients of all steps, and for each case the values after steps 1, 10 and 20, and at the end of
training ("final"). Then the values of the schedules at STEPS, and of the constraints and
regularizers on one weight. The tables are read by the tests too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "keras_optimizers.json"
COUNT = 20
LOOK = (1, 10, 20)
STEPS = (0, 1, 5, 10, 11, 20, 21, 50, 99, 100, 101, 250, 1000)

OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "weight_decay": 0.05}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.5}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_overwrite_frequency": 3}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.5, "gradient_accumulation_steps": 4}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.8, "epsilon": 0.01}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adam", {}),
    ("Adam", {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 0.1}),
    ("Adam", {"amsgrad": True, "beta_2": 0.5}),
    ("Adam", {"weight_decay": 0.1, "clipnorm": 1.0, "gradient_accumulation_steps": 2}),
    ("Adam", {"use_ema": True, "ema_overwrite_frequency": 2, "gradient_accumulation_steps": 3}),
    ("AdamW", {}),
    # Not a learning rate of 0.1: Keras takes 1 - beta_2**t in float32, an error of 5e-5 at t = 1.
    ("AdamW", {"learning_rate": 0.02, "weight_decay": 0.2, "amsgrad": True}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01}),
    ("Adamax", {}),
    ("Adamax", {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 0.01}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 0.001}),
]
SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9},
    ),
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9, "staircase": True},
    ),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}),
    (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True},
    ),
    ("PiecewiseConstantDecay", {"boundaries": [10, 20], "values": [0.1, 0.05, 0.01]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 100}),
    (
        "PolynomialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 20, "power": 2.0, "cycle": True},
    ),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 100, "alpha": 0.1}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.01,
            "decay_steps": 80,
            "warmup_target": 0.1,
            "warmup_steps": 20,
        },
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 15}),
    (
        "CosineDecayRestarts",
        {
            "initial_learning_rate": 0.1,
            "first_decay_steps": 15,
            "t_mul": 1.0,
            "m_mul": 0.9,
            "alpha": 0.1,
        },
    ),
]
CONSTRAINTS: list[tuple[str, dict[str, Any]]] = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}),
    ("MaxNorm", {"max_value": 0.5, "axis": [0, 1]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1]}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 1.5, "rate": 0.25, "axis": 1}),
]
REGULARIZERS: list[tuple[str, dict[str, Any]]] = [
    ("L1", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]


def key(name: str, fields: dict[str, Any]) -> str:
    """Return the name of a case in the file."""
    return f"{name}({', '.join(f'{field}={value!r}' for field, value in fields.items())})"


def numbers(value: Any) -> Any:
    """Return the value as plain numbers, in lists as they are nested."""
    import keras

    return keras.ops.convert_to_numpy(value).tolist()


def train(name: str, fields: dict[str, Any], first: list[Any], grads: list[Any]) -> dict[str, Any]:
    """Return the weights after some of the steps of Keras's optimizer."""
    import keras

    optimizer = getattr(keras.optimizers, name)(**fields)
    weights = [keras.Variable(value) for value in first]
    seen = {}
    for step, given in enumerate(grads, 1):
        optimizer.apply([keras.ops.convert_to_tensor(grad) for grad in given], weights)
        if step in LOOK:
            seen[str(step)] = [numbers(weight) for weight in weights]
    optimizer.finalize_variable_values(weights)
    return {**seen, "final": [numbers(weight) for weight in weights]}


def main() -> None:
    """Write the file."""
    import keras
    import numpy as np

    rng = np.random.default_rng(7)
    shapes = [(3, 2), (4,)]
    first = [rng.normal(size=shape).astype("float32") for shape in shapes]
    grads = [[rng.normal(size=shape).astype("float32") for shape in shapes] for _ in range(COUNT)]
    weight = (2 * rng.normal(size=(4, 3))).astype("float32")
    schedules = keras.optimizers.schedules
    values = {
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend()},
        "first": [value.tolist() for value in first],
        "grads": [[grad.tolist() for grad in given] for given in grads],
        "weight": weight.tolist(),
        "optimizers": {key(*case): train(*case, first, grads) for case in OPTIMIZERS},
        "schedules": {
            key(name, fields): [
                float(numbers(getattr(schedules, name)(**fields)(step))) for step in STEPS
            ]
            for name, fields in SCHEDULES
        },
        "constraints": {
            key(name, fields): numbers(
                getattr(keras.constraints, name)(**fields)(keras.ops.convert_to_tensor(weight))
            )
            for name, fields in CONSTRAINTS
        },
        "regularizers": {
            key(name, fields): numbers(
                getattr(keras.regularizers, name)(**fields)(keras.ops.convert_to_tensor(weight))
            )
            for name, fields in REGULARIZERS
        },
    }
    FILE.write_text(json.dumps(values, indent=None).replace('}, "', '},\n"') + "\n")


if __name__ == "__main__":
    sys.exit(main())
