"""Loops with a GradientTape: natively, the weights are those of torch's operations."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from striate.dialects import installed
from striate.dialects.keras import tapes
from striate.engine import one_pass, taped
from striate.lower.runtime import library

RNG = np.random.default_rng(0)
X = RNG.random((24, 10, 10, 2)).astype(np.float32)
Y = RNG.integers(0, 4, 24)


@pytest.fixture
def tf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    assert library() is not None
    monkeypatch.setattr(taped, "WORTH", 0)  # small networks are worth it
    with installed("tf"):
        import tensorflow  # type: ignore[import-not-found]

        yield tensorflow


@pytest.fixture
def natively(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each call inside of a tape went through a plan."""
    calls, original = [], tapes.Caller.__call__

    def call(self: tapes.Caller, model: Any, args: Any) -> Any:
        out = original(self, model, args)
        if tapes.OPEN.tapes:
            calls.append(out is not None)
        return out

    monkeypatch.setattr(tapes.Caller, "__call__", call)
    return calls


def plain(tf: Any, *last: Any, use_bias: bool = True) -> Any:
    k = tf.keras.layers
    return tf.keras.Sequential(
        [
            k.Conv2D(16, 3, activation="relu", input_shape=(10, 10, 2)), k.MaxPooling2D(2),
            k.Flatten(), k.Dense(140, activation="relu", use_bias=use_bias), *last, k.Dense(4),
        ]
    )  # fmt: skip


def normalised(tf: Any) -> Any:
    return plain(tf, tf.keras.layers.BatchNormalization(), use_bias=False)  # it has an offset


def own(tf: Any) -> Any:
    k = tf.keras.layers

    class Own(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.flat = k.Conv2D(16, 3, activation="relu"), k.Flatten()
            self.last = k.Dense(4)

        def call(self, x: Any) -> Any:
            return self.last(self.flat(self.conv(x)))

    return Own()


def mixed(tf: Any) -> Any:
    """Torch computes some of its layers, of which one does otherwise in training."""
    k = tf.keras.layers

    class Scaled(k.Layer):  # type: ignore[misc,name-defined]
        def build(self, shape: Any) -> None:
            self.size = self.add_weight(name="size", shape=(shape[-1],), initializer="ones")

        def call(self, x: Any, training: Any = None) -> Any:
            return x * self.size * (2.0 if training else 1.0)

    return plain(tf, k.Reshape((10, 14, 1)), k.Conv2DTranspose(2, 3, 2), k.PReLU(), Scaled(),
                 k.LayerNormalization(), k.Flatten())  # fmt: skip


def penalised(tf: Any) -> Any:
    return plain(tf, tf.keras.layers.Dense(8, activity_regularizer="l2"))


def step(tf: Any, model: Any, optimizer: Any, part: slice = slice(0, 8), **words: Any) -> float:
    with tf.GradientTape(**words) as tape:
        loss = tf.reduce_mean(
            tf.keras.losses.sparse_categorical_crossentropy(
                Y[part], model(X[part], training=True), from_logits=True
            )
        )
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return float(loss)


def simple(tf: Any, model: Any, optimizer: Any, number: int) -> None:
    step(tf, model, optimizer, slice(8 * (number % 3), 8 * (number % 3) + 8 - number % 2))


def clipped(tf: Any, model: Any, optimizer: Any, number: int) -> None:
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((model(X[:8], training=True) - 1) ** 2)
    found = tape.gradient(loss, model.trainable_variables)
    found = [tf.clip_by_norm(one, 0.1) for one in found]
    optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))


def some(tf: Any, model: Any, optimizer: Any, number: int) -> None:
    model.layers[0].trainable = number % 2 == 0
    step(tf, model, optimizer)


def assigned(tf: Any, model: Any, optimizer: Any, number: int) -> None:
    step(tf, model, optimizer)
    for one in model.trainable_variables:
        one.assign(one * 0.95)


def twice(tf: Any, model: Any, optimizer: Any, number: int) -> None:
    with tf.GradientTape() as tape:
        several = [model(X[one], training=True) for one in (slice(0, 8), slice(8, 14))]
        loss = sum(tf.reduce_mean((one - 1) ** 2) for one in several)
    found = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))


LOOPS = (simple, clipped, some, assigned, twice)
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda tf: tf.keras.optimizers.SGD(0.05, momentum=0.9),
    "Adam": lambda tf: tf.keras.optimizers.Adam(1e-3, epsilon=1e-3),
    "RMSprop": lambda tf: tf.keras.optimizers.RMSprop(1e-3, epsilon=1e-3),
    "Adadelta": lambda tf: tf.keras.optimizers.Adadelta(0.5, epsilon=1e-3),
}


GENTLE = "Adam", "RMSprop"  # others let small differences of a deep network grow
CASES = [
    *itertools.product([plain, normalised, own], LOOPS, OPTIMIZERS),
    *itertools.product([mixed], LOOPS, GENTLE),
]


@pytest.mark.parametrize(("make", "loop", "name"), CASES)
def test_weights_after_some_steps(
    tf: Any, natively: list[bool], monkeypatch: pytest.MonkeyPatch, make: Any, loop: Any, name: str
) -> None:
    def trained() -> list[Any]:
        tf.random.set_seed(2)
        model, optimizer = make(tf), OPTIMIZERS[name](tf)
        model(X[:2])
        for number in range(5):
            loop(tf, model, optimizer, number)
        return list(model.get_weights())

    mine = trained()
    assert natively and all(natively)
    monkeypatch.setattr(tapes.Caller, "__call__", lambda self, model, args: None)
    monkeypatch.setattr(one_pass, "update", lambda *given: False)
    for here, there in zip(mine, trained(), strict=True):
        np.testing.assert_allclose(here, there, rtol=2e-3, atol=3e-5)


def test_what_a_tape_may_want_more_of_is_called_layer_by_layer(
    tf: Any, natively: list[bool]
) -> None:
    model, x = plain(tf), tf.constant(X[:4])
    step(tf, model, tf.keras.optimizers.SGD(), persistent=True)
    step(tf, penalised(tf), tf.keras.optimizers.SGD())
    with tf.GradientTape() as outer:
        x = tf.Variable(X[:4])
        with tf.GradientTape() as inner:
            inner.watch(x)
            out = tf.reduce_sum(model(x) ** 2)
        slope = inner.gradient(out, x)
        punished = tf.reduce_sum(slope**2)
    assert outer.gradient(punished, model.trainable_variables)[0] is not None
    assert natively and not any(natively)


def test_the_gradient_of_an_input_is_native(tf: Any, natively: list[bool]) -> None:
    model, found = plain(tf), []
    for persistent in (False, True):
        x = tf.constant(X[:4])
        with tf.GradientTape(persistent=persistent) as tape:
            tape.watch(x)
            out = tf.reduce_sum(model(x) ** 2)
        found.append(tape.gradient(out, x).numpy())
    assert natively == [True, False]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-3, atol=1e-5)


def test_inference_inside_of_a_tape_is_native_where_it_is_the_same(
    tf: Any, natively: list[bool]
) -> None:
    for model in (plain(tf), normalised(tf)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(X[:4]))
        assert all(one is not None for one in tape.gradient(loss, model.trainable_variables))
    assert natively == [True, False]


def test_weights_whose_gradient_is_missing_are_left_to_the_optimizer(tf: Any) -> None:
    model, optimizer = plain(tf), tf.keras.optimizers.SGD(0.1)
    before = [one.numpy().copy() for one in model.trainable_variables]
    pairs = [(torch.ones_like(one), one) for one in model.trainable_variables]
    pairs[0] = (None, pairs[0][1])  # type: ignore[assignment]
    optimizer.apply_gradients(pairs)
    after = [one.numpy() for one in model.trainable_variables]
    assert np.array_equal(before[0], after[0])
    np.testing.assert_allclose(after[1], before[1] - 0.1, rtol=1e-5)


@pytest.mark.parametrize("make", [plain, normalised, own])
def test_a_call_outside_of_tapes_is_the_prediction(tf: Any, make: Any) -> None:
    model = make(tf)
    for _ in range(2):
        assert np.array_equal(model(X[:7]).numpy(), model.predict(X[:7], verbose=0))
        model.set_weights([0.5 * one for one in model.get_weights()])
    slopes = model(tf.Variable(X[:4]), training=True)  # the gradient may be wanted
    assert slopes.grad_fn is not None


def test_a_step_of_ones_own_is_native_within_fit(tf: Any, natively: list[bool]) -> None:
    class Net(tf.keras.Model):  # type: ignore[misc]
        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compiled_loss(y, self(x, training=True))
            slopes = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(slopes, self.trainable_variables, strict=True))
            return {"loss": loss}

    inner = plain(tf)
    model = Net(inner.inputs, inner.outputs)
    model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    seen = model.fit(X, Y, batch_size=8, epochs=8, verbose=0).history["loss"]
    assert natively == [True] * 24
    assert seen[-1] < seen[0]


def test_minimize_of_a_function_is_native(tf: Any, natively: list[bool]) -> None:
    model, optimizer = plain(tf), tf.keras.optimizers.SGD(0.1)
    model(X[:2])
    before = model.get_weights()
    optimizer.minimize(lambda: tf.reduce_mean(model(X[:8]) ** 2), model.trainable_variables)
    assert natively == [True]
    assert all(not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True))
