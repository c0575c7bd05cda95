"""Small runs for the report: a network, images and labels made from a seed, no training."""

from __future__ import annotations

import numpy as np

import striate as st
from striate import layers as L
from striate.report import Data, begin, write
from striate.store.run import Run


def network(classes=3, size=(8, 8, 3)):
    st.seed(0)
    return st.Sequential(
        [
            L.Input(size),
            L.Rescaling(1 / 255),
            L.Conv2D(4, 3, activation="relu", name="conv"),
            L.MaxPooling2D(2, name="pool"),
            L.Flatten(name="flat"),
            L.Dense(classes, activation="softmax", name="dense"),
        ]
    )


def data(classes, size=(8, 8, 3), count=40):
    rng = np.random.default_rng(0)

    def part(number):
        x = rng.integers(0, 256, (number, *size), dtype=np.uint8)
        return x, rng.integers(0, len(classes), number)

    return Data(tuple(classes), part(count), part(10), part(count))


def results(model, given, word="seven", **more):
    x, y = given.test
    said = model.predict(x).argmax(1)
    matrix = np.zeros((len(given.classes),) * 2, dtype=int)
    np.add.at(matrix, (y, said), 1)
    right = int(np.trace(matrix))
    return {
        "classes": list(given.classes),
        "confusion": matrix.tolist(),
        "test_accuracy": right / len(y),
        "test_correct": right,
        "test_total": len(y),
        "seconds": 12.2,
        "epochs": 2,
        "stopped": "",
        "command": f"striate train {word}",
        "run": f"runs/{word}",
        **more,
    }


HISTORY = [
    {"epoch": 1, "loss": 0.5, "val_loss": 0.4, "accuracy": 0.5, "lr": 0.01},
    {"epoch": 2, "loss": 0.25, "val_loss": 0.45, "accuracy": float("nan"), "lr": 0.005},
]


def written(root, word="seven", name="small", **more):
    """Write the report of a run in which every name is `word`, and return its text."""
    model, given = network(), data(["one", word, f"{word} two"])
    run = Run.create(root, name)
    begin(run, model)
    run.epochs = [*HISTORY]
    run.write("config.json", {"recipe": "small", "settings": {"epochs": 2, "note": word}})
    run.write("results.json", results(model, given, word, **more))
    run.write("environment.json", {"platform": word, word: 1})
    page = write(run, model, given)
    run.finish(model)
    return page.read_text()
