"""Striate through its public calls: compile, fit, predict_on_batch. Variants: float32, bfloat16."""

from __future__ import annotations

from typing import Any

import numpy as np

import striate as st
from striate import layers as L
from striate.initializers import VarianceScaling

from .. import data, networks as N
from ..protocol import Task, serve

# The rules by which other frameworks draw kernels, in native words.
KERNELS: dict[str, dict[str, Any]] = {
    "keras": {},
    "pytorch": {"kernel_initializer": VarianceScaling(1 / 3, "fan_in", "uniform")},
    "renom": {"kernel_initializer": VarianceScaling(1.0, "fan_avg", "untruncated_normal")},
}


def build(network: N.Network) -> st.Model:
    """Return the native model: what is given in, logits out."""
    order = "channels_first" if network.channels_first else "channels_last"
    image = L.Input(_image(network), data_format=order)
    pixels = network.given == "uint8"
    x = L.Rescaling(1 / network.std, -network.mean / network.std)(image) if pixels else image
    return st.Model(image, _stack(network.layers, x, KERNELS[network.kernels]))


def _image(network: N.Network) -> tuple[int, int, int]:
    size, channels = network.size, network.channels
    return (channels, size, size) if network.channels_first else (size, size, channels)


def _stack(rows: tuple[N.Row, ...], x: Any, kernels: dict[str, Any]) -> Any:
    for row in rows:
        match row:
            case N.Conv(filters, kernel, padding, stride, bias):
                words = {"padding": padding, "use_bias": bias, **kernels}
                x = L.Conv2D(filters, kernel, stride, **words)(x)
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
                x = L.Dense(units, **kernels)(x)
            case N.Residual(main, shortcut):
                x = L.Add()([_stack(main, x, kernels), _stack(shortcut, x, kernels)])
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
    """Fit on arrays of pixels, or on what the network sees."""
    model = ready(network, variant)
    x, y = data.load(network)
    if network.given != "uint8":
        x = data.scaled(network, x, network.given)
    if network.channels_first:
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))

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
