"""Flax on JAX: the whole step compiled, with the gather of resident uint8 images inside."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
import optax
from flax import linen as nn
from jax import numpy as jnp

from .. import data, networks as N
from ..protocol import Task, serve


class Rows(nn.Module):
    """A stack of rows on (N, H, W, C)."""

    rows: tuple[N.Row, ...]

    @nn.compact
    def __call__(self, x: Any, training: bool) -> Any:
        for row in self.rows:
            match row:
                case N.Conv(filters, kernel, padding, stride, bias):
                    sides = [(padding, padding)] * 2
                    x = nn.Conv(filters, (kernel, kernel), stride, sides, use_bias=bias)(x)
                case N.Relu():
                    x = nn.relu(x)
                case N.MaxPool():
                    x = nn.max_pool(x, (2, 2), (2, 2))
                case N.BatchNorm():
                    x = nn.BatchNorm(use_running_average=not training)(x)
                case N.Dropout(rate):
                    x = nn.Dropout(rate, deterministic=not training)(x)
                case N.Flatten():
                    x = x.reshape(len(x), -1)
                case N.GlobalAverage():
                    x = x.mean((1, 2))
                case N.Dense(units):
                    x = nn.Dense(units)(x)
                case N.Residual(main, shortcut):
                    x = Rows(main)(x, training) + Rows(shortcut)(x, training)
        return x


def optimizer(chosen: N.Optimizer) -> optax.GradientTransformation:
    """Return the network's optimizer."""
    rate = chosen.learning_rate
    if chosen.name == "rmsprop":
        return optax.rmsprop(rate, decay=0.9, eps=1e-7)
    if chosen.name == "adam":
        return optax.adam(rate, eps=1e-7)
    return optax.sgd(rate, momentum=chosen.momentum or None)


def _ready(network: N.Network) -> tuple[Rows, Any, Any, Any]:
    """Return the module, its variables, the pixels and the labels."""
    x, y = data.load(network)
    model = Rows(network.layers)
    variables = model.init(jax.random.key(0), jnp.zeros((1, *x.shape[1:])), False)
    return model, dict(variables), jnp.asarray(x), jnp.asarray(y)


def _count(variables: Any) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def train(network: N.Network, batch: int, variant: str) -> Task:
    """One compiled function makes the step; the loop only calls it."""
    model, variables, pixels, labels = _ready(network)
    update = optimizer(network.optimizer)
    state = (variables, update.init(variables["params"]), jax.random.key(1))

    @partial(jax.jit, donate_argnums=0)
    def step(state: Any, pixels: Any, labels: Any, index: Any) -> Any:
        variables, moments, key = state
        key, dropout = jax.random.split(key)
        x = (pixels[index].astype(jnp.float32) - network.mean) / network.std

        def loss_of(params: Any) -> Any:
            logits, rest = model.apply(
                {**variables, "params": params}, x, True,
                rngs={"dropout": dropout}, mutable=["batch_stats"],
            )  # fmt: skip
            loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels[index]).mean()
            return loss, rest

        params = variables["params"]
        (loss, rest), gradients = jax.value_and_grad(loss_of, has_aux=True)(params)
        change, moments = update.update(gradients, moments, params)
        return ({"params": optax.apply_updates(params, change), **rest}, moments, key), loss

    random = np.random.default_rng(0)

    def run(steps: int) -> float:
        nonlocal state
        order = random.permutation(len(pixels))
        for index in range(steps):
            state, loss = step(state, pixels, labels, order[index * batch : (index + 1) * batch])
        return float(loss)

    return Task(run, _count(variables), len(pixels) // batch)


def infer(network: N.Network, batch: int, variant: str) -> Task:
    """The compiled forward pass."""
    model, variables, _, _ = _ready(network)
    pixels = data.load(network)[0]
    starts = range(0, len(pixels) - batch + 1, batch)

    @jax.jit
    def forward(variables: Any, x: Any) -> Any:
        return model.apply(variables, (x.astype(jnp.float32) - network.mean) / network.std, False)

    def run(steps: int) -> None:
        for step in range(steps):
            start = starts[step % len(starts)]
            np.asarray(forward(variables, pixels[start : start + batch]))

    return Task(run, _count(variables))


if __name__ == "__main__":
    serve("flax jax", train, infer)
