"""Striate through its public calls: compile, fit, predict_on_batch. Variants: float32, bfloat16."""

from __future__ import annotations

from typing import Any

import striate as st
from striate import layers as L

from .. import data, networks as N
from ..protocol import Task, serve


def build(network: N.Network) -> st.Model:
    """Return the native model: pixels in, logits out."""
    image = L.Input((network.size, network.size, network.channels))
    x = L.Rescaling(1 / network.std, -network.mean / network.std)(image)
    return st.Model(image, _stack(network.layers, x))


def _stack(rows: tuple[N.Row, ...], x: Any) -> Any:
    for row in rows:
        match row:
            case N.Conv(filters, kernel, padding, stride, bias):
                x = L.Conv2D(filters, kernel, stride, padding=padding, use_bias=bias)(x)
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
        return st.optimizers.SGD(
            chosen.learning_rate, momentum=chosen.momentum, nesterov=chosen.nesterov
        )
    kind = {"adam": st.optimizers.Adam, "rmsprop": st.optimizers.RMSprop}[chosen.name]
    return kind(chosen.learning_rate)


def ready(network: N.Network, variant: str) -> st.Model:
    """Return the compiled model; without a variant, with the precision that compile has."""
    model = build(network)
    options = {"precision": variant} if variant else {}
    model.compile(optimizer(network.optimizer), "crossentropy", ["accuracy"], **options)
    return model


def parameters(model: st.Model) -> int:
    """Return the number of trainable weights."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def train(network: N.Network, batch: int, variant: str) -> Task:
    """Fit on uint8 arrays."""
    model = ready(network, variant)
    x, y = data.load(network)

    def run(steps: int) -> float:
        count = steps * batch
        history = model.fit(x[:count], y[:count], batch_size=batch, epochs=1, verbose=0)
        return float(history.history["loss"][-1])

    return Task(run, parameters(model), len(x) // batch)


def infer(network: N.Network, batch: int, variant: str) -> Task:
    """predict_on_batch on uint8 arrays, from NumPy to NumPy."""
    model = ready(network, variant)
    x = data.load(network)[0]
    starts = range(0, len(x) - batch + 1, batch)

    def run(steps: int) -> None:
        for step in range(steps):
            start = starts[step % len(starts)]
            model.predict_on_batch(x[start : start + batch])

    return Task(run, parameters(model))


if __name__ == "__main__":
    serve("torch numpy", train, infer)
