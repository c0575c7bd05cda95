"""Makes keras_losses.json: what real Keras computes for every loss, with its options and weights.

    pip install keras==3.15.1 torch
    KERAS_BACKEND=torch python tests/golden/make_keras_losses.py

Each case has the inputs, the loss of each sample (reduction "none"), the mean over the batch, and
the mean with sample weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import torch

BATCH = 6
CLASSES = 4
rng = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return (powers / powers.sum(-1, keepdims=True)).astype("float32")


def onehot(labels: np.ndarray) -> np.ndarray:
    return np.eye(CLASSES, dtype="float32")[labels]


LABELS = rng.integers(0, CLASSES, BATCH)
PIXELS = rng.integers(0, CLASSES, (BATCH, 2, 2))
LOGITS = 3 * normal(BATCH, CLASSES)
PIXEL_LOGITS = normal(BATCH, 2, 2, CLASSES)
YES = rng.integers(0, 2, (BATCH, 3)).astype("float32")
HUGE = np.array([[200, -200, 0, 0]] * BATCH, "float32")
SURE = np.array([[1, 0, 0, 0]] * BATCH, "float32")
WEIGHT = np.array([1, 0, 2, 0.5, 1, 3], "float32")

PLAIN = (normal(BATCH, 5), normal(BATCH, 5))
POSITIVE = (abs(normal(BATCH, 5)), abs(normal(BATCH, 5)))
ELEMENTWISE = {
    "MeanSquaredError": [({}, PLAIN), ({}, (normal(BATCH), normal(BATCH, 1)))],
    "MeanAbsoluteError": [({}, PLAIN), ({}, (normal(BATCH, 1), normal(BATCH)))],
    "MeanAbsolutePercentageError": [({}, PLAIN), ({}, (np.zeros((BATCH, 5), "float32"), PLAIN[1]))],
    "MeanSquaredLogarithmicError": [({}, POSITIVE), ({}, PLAIN)],
    "Huber": [({}, PLAIN), ({"delta": 0.25}, PLAIN), ({"delta": 3.0}, PLAIN)],
    "LogCosh": [({}, PLAIN), ({}, (100 * PLAIN[0], PLAIN[1]))],
    "KLDivergence": [({}, (softmax(LOGITS), softmax(normal(BATCH, CLASSES)))), ({}, PLAIN)],
    "Poisson": [({}, POSITIVE)],
    "Hinge": [({}, (YES, normal(BATCH, 3))), ({}, (2 * YES - 1, normal(BATCH, 3)))],
    "SquaredHinge": [({}, (YES, normal(BATCH, 3))), ({}, (2 * YES - 1, normal(BATCH, 3)))],
    "CategoricalHinge": [({}, (onehot(LABELS), LOGITS))],
    "CosineSimilarity": [({}, PLAIN), ({}, (PLAIN[0], np.zeros((BATCH, 5), "float32")))],
}
CROSSENTROPIES = {
    "BinaryCrossentropy": [
        ({}, (YES, 1 - softmax(normal(BATCH, 3)))),
        ({"label_smoothing": 0.2}, (YES, softmax(normal(BATCH, 3)))),
        ({"from_logits": True}, (YES, 3 * normal(BATCH, 3))),
        ({"from_logits": True, "label_smoothing": 0.1}, (YES, 3 * normal(BATCH, 3))),
        ({}, (onehot(LABELS), SURE)),
        ({"from_logits": True}, (onehot(LABELS), HUGE)),
    ],
    "CategoricalCrossentropy": [
        ({}, (onehot(LABELS), softmax(LOGITS))),
        ({}, (onehot(LABELS), 2 * softmax(LOGITS))),
        ({"label_smoothing": 0.2}, (onehot(LABELS), softmax(LOGITS))),
        ({"from_logits": True}, (onehot(LABELS), LOGITS)),
        ({"from_logits": True, "label_smoothing": 0.1}, (softmax(normal(BATCH, CLASSES)), LOGITS)),
        ({}, (onehot(LABELS), SURE)),
        ({"from_logits": True}, (onehot(LABELS), HUGE)),
        ({"from_logits": True}, (onehot(PIXELS), PIXEL_LOGITS)),
    ],
    "SparseCategoricalCrossentropy": [
        ({}, (LABELS, softmax(LOGITS))),
        ({}, (LABELS[:, None], softmax(LOGITS))),
        ({}, (LABELS.astype("float32"), softmax(LOGITS))),
        ({"from_logits": True}, (LABELS, LOGITS)),
        ({}, (LABELS, SURE)),
        ({"from_logits": True}, (LABELS, HUGE)),
        ({"from_logits": True}, (PIXELS, PIXEL_LOGITS)),
        ({}, (PIXELS[..., None], softmax(PIXEL_LOGITS))),
    ],
}


def compute(name: str, kwargs: dict[str, Any], y_true: np.ndarray, y_pred: np.ndarray) -> Any:
    make = getattr(keras.losses, name)
    given = torch.from_numpy(y_true), torch.from_numpy(y_pred)
    values = keras.ops.convert_to_numpy(make(**kwargs, reduction="none")(*given))
    weight = WEIGHT.reshape(-1, *(1,) * (values.ndim - 1))
    return {
        "loss": name,
        "kwargs": kwargs,
        "labels": str(y_true.dtype),
        "y_true": y_true.tolist(),
        "y_pred": y_pred.tolist(),
        "sample_weight": WEIGHT.tolist(),
        "per_sample": values.reshape(len(values), -1).mean(1).tolist(),
        "mean": float(make(**kwargs)(*given)),
        "weighted": float(make(**kwargs)(*given, sample_weight=torch.from_numpy(weight))),
    }


def main() -> None:
    cases = [
        compute(name, kwargs, *given)
        for name, several in {**ELEMENTWISE, **CROSSENTROPIES}.items()
        for kwargs, given in several
    ]
    versions = {
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    lines = ",\n".join(f"  {json.dumps(case)}" for case in cases)
    Path(__file__).with_name("keras_losses.json").write_text(
        f'{{"versions": {json.dumps(versions)},\n "cases": [\n{lines}\n]}}\n'
    )
    print(f"{len(cases)} cases from Keras {keras.__version__}")


if __name__ == "__main__":
    main()
