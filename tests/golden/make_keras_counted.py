"""Makes keras_counted.json from real Keras 3: losses of overlaps, and metrics made of counts.

KERAS_BACKEND=torch python tests/golden/make_keras_counted.py  (in an environment with keras)

Each case is judged on two batches, the second with weights where the metric takes them. Numbers are
rounded to 6 places.
"""

import json
from pathlib import Path

import keras
import numpy as np

LOSSES = {
    "Dice": "Dice()",
    "Dice of each sample": "Dice(axis=(1, 2), reduction=None)",
    "Tversky": "Tversky(alpha=0.3, beta=0.7)",
    "BinaryFocalCrossentropy": "BinaryFocalCrossentropy(gamma=1.5, label_smoothing=0.1)",
    "BinaryFocalCrossentropy balanced": "BinaryFocalCrossentropy(apply_class_balancing=True)",
    "BinaryFocalCrossentropy of logits": "BinaryFocalCrossentropy(from_logits=True)",
    "CategoricalFocalCrossentropy": "CategoricalFocalCrossentropy(alpha=0.4)",
    "CategoricalFocalCrossentropy of logits": "CategoricalFocalCrossentropy(from_logits=True)",
}
SHARES = {  # metrics of one-hot classes and what is said of each
    "TruePositives": "TruePositives()",
    "FalsePositives": "FalsePositives(thresholds=0.4)",
    "TrueNegatives": "TrueNegatives(thresholds=[0.2, 0.6])",
    "FalseNegatives": "FalseNegatives()",
    "Precision": "Precision(thresholds=[0.3, 0.5])",
    "Precision of the best": "Precision(top_k=1)",
    "Recall of a class": "Recall(class_id=1)",
    "PrecisionAtRecall": "PrecisionAtRecall(0.6)",
    "RecallAtPrecision": "RecallAtPrecision(0.4)",
    "SensitivityAtSpecificity": "SensitivityAtSpecificity(0.5)",
    "SpecificityAtSensitivity": "SpecificityAtSensitivity(0.5, num_thresholds=50)",
    "AUC": "AUC()",
    "AUC of few thresholds": "AUC(num_thresholds=7)",
    "AUC below": "AUC(num_thresholds=9, summation_method='minoring')",
    "AUC above": "AUC(num_thresholds=9, summation_method='majoring')",
    "AUC of precision and recall": "AUC(curve='PR', num_thresholds=20)",
    "F1Score": "F1Score()",
    "F1Score of all": "F1Score(average='macro')",
    "F1Score of all cells": "F1Score(average='micro', threshold=0.4)",
    "FBetaScore": "FBetaScore(beta=2.0, average='weighted')",
    "OneHotMeanIoU": "OneHotMeanIoU(3)",
    "OneHotIoU": "OneHotIoU(3, target_class_ids=[0, 2])",
}
NUMBERED = {"MeanIoU": "MeanIoU(3)", "IoU": "IoU(3, target_class_ids=[1])",
            "MeanIoU without a class": "MeanIoU(3, ignore_class=0)"}  # fmt: skip
BINARY = {"BinaryIoU": "BinaryIoU()", "BinaryIoU of one": "BinaryIoU([1], threshold=0.3)"}


def judged(metric: object, true: np.ndarray, said: np.ndarray, weight: np.ndarray) -> list[float]:
    """Return a metric of two batches."""
    metric.update_state(true[:6], said[:6])
    metric.update_state(true[6:], said[6:], sample_weight=weight[6:])
    return rounded(metric.result())


def rounded(values: object) -> list[float]:
    """Return numbers as a list, rounded."""
    values = values.detach().cpu().numpy() if hasattr(values, "detach") else values
    return np.round(np.asarray(values, "float64").ravel(), 6).tolist()


def results(keras: object) -> dict[str, list[float]]:
    """Return what each case gives."""
    count = 12
    place = np.arange(count)
    said = (np.sin(np.arange(count * 3) * 12.9898).reshape(count, 3) + 1.1).astype("float32")
    said /= said.sum(-1, keepdims=True)
    labels = (place * 7 + place // 4) % 3
    true = np.eye(3, dtype="float32")[labels]
    weight = (1 + place % 3).astype("float32")
    found = {}
    for name, text in LOSSES.items():
        given = (true, said)
        if name.startswith(("Dice", "Tversky")):  # their sums have to differ
            given = (true.reshape(4, 3, 3), said.reshape(4, 3, 3) ** 2)
        found[name] = rounded(eval(f"keras.losses.{text}", {"keras": keras})(*given))
    for table, x, y in ((SHARES, true, said), (NUMBERED, labels, said.argmax(-1)),
                        (BINARY, true[:, :1], said[:, :1])):  # fmt: skip
        for name, text in table.items():
            metric = eval(f"keras.metrics.{text}", {"keras": keras})
            found[name] = judged(metric, x, y, weight)
    return found


if __name__ == "__main__":
    document = {"keras": keras.__version__, "results": results(keras)}
    Path(__file__).with_name("keras_counted.json").write_text(json.dumps(document) + "\n")
