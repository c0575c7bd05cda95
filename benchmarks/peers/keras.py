"""Keras 3 as the tutorials write it: compile and fit on scaled arrays.

Variants: tensorflow, jax. Keras reads its backend from the environment when it is imported.
"""

# ruff: noqa: E402

from __future__ import annotations

import math
import os
import sys
from typing import Any

BACKEND = sys.argv[-1]
os.environ |= {"KERAS_BACKEND": BACKEND, "TF_CPP_MIN_LOG_LEVEL": "3"}

import keras
from keras import layers as L

from .. import data, networks as N
from ..protocol import Task, serve


def build(network: N.Network) -> Any:
    """Return the functional model; it ends in logits."""
    shape = (network.size, network.size, network.channels)
    inputs = keras.Input(shape)
    return keras.Model(inputs, _stack(network.layers, inputs))


def _stack(rows: tuple[N.Row, ...], x: Any) -> Any:
    for row in rows:
        match row:
            case N.Conv(filters, kernel, padding, stride, bias):
                x = L.ZeroPadding2D(padding)(x) if padding and stride > 1 else x
                same = "same" if padding and stride == 1 else "valid"
                x = L.Conv2D(filters, kernel, stride, padding=same, use_bias=bias)(x)
            case N.Relu():
                x = L.ReLU()(x)
            case N.MaxPool():
                x = L.MaxPooling2D(2)(x)
            case N.BatchNorm():
                x = L.BatchNormalization()(x)
            case N.Dropout(rate):
                x = L.Dropout(rate)(x)
            case N.Flatten():
                x = L.Flatten()(x)
            case N.GlobalAverage():
                x = L.GlobalAveragePooling2D()(x)
            case N.Dense(units):
                x = L.Dense(units)(x)
            case N.Residual(main, shortcut):
                x = L.Add()([_stack(main, x), _stack(shortcut, x)])
    return x


def optimizer(chosen: N.Optimizer) -> Any:
    """Return the network's optimizer."""
    if chosen.name == "sgd":
        return keras.optimizers.SGD(chosen.learning_rate, chosen.momentum)
    kind = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}[chosen.name]
    return kind(chosen.learning_rate)


def parameters(model: Any) -> int:
    """Return the number of trainable weights."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def train(network: N.Network, batch: int, variant: str) -> Task:
    """Compile and fit."""
    model = build(network)
    model.compile(
        optimizer=optimizer(network.optimizer),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    x, y = data.load(network)
    scaled = data.scaled(network, x)

    def run(steps: int) -> float:
        count = steps * batch
        history = model.fit(scaled[:count], y[:count], batch_size=batch, epochs=1, verbose=0)
        return float(history.history["loss"][-1])

    return Task(run, parameters(model), len(x) // batch)


def infer(network: N.Network, batch: int, variant: str) -> Task:
    """predict_on_batch, the quick one: predict costs 50 ms more for each call."""
    model = build(network)
    x = data.scaled(network, data.load(network)[0])
    starts = range(0, len(x) - batch + 1, batch)

    def run(steps: int) -> None:
        for step in range(steps):
            start = starts[step % len(starts)]
            model.predict_on_batch(x[start : start + batch])

    return Task(run, parameters(model))


if __name__ == "__main__":
    serve(f"keras {'jax' if BACKEND == 'jax' else 'tensorflow-cpu'}", train, infer)
