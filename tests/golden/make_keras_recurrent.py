"""Makes keras_recurrent.json from real Keras 3: what recurrent layers and attention give.

KERAS_BACKEND=torch python tests/golden/make_keras_recurrent.py  (in an environment with keras)
"""

import json
from pathlib import Path

import keras
import numpy as np

NETS = {
    "an LSTM": ((5, 3), "[layers.LSTM(4)]"),
    "LSTMs backwards and of other gates": ((5, 3), """[
        layers.LSTM(4, return_sequences=True, go_backwards=True),
        layers.LSTM(2, activation="relu", recurrent_activation="hard_sigmoid")]"""),
    "GRUs": ((5, 3), "[layers.GRU(4, return_sequences=True), layers.GRU(3, reset_after=False)]"),
    "plain recurrence": ((5, 3), """[
        layers.SimpleRNN(4, return_sequences=True), layers.SimpleRNN(3, use_bias=False)]"""),
    "both directions": ((5, 3), """[
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.Bidirectional(layers.GRU(2), merge_mode="ave")]"""),
    "a mask of numbers": ((6,), """[
        layers.Embedding(10, 3, mask_zero=True), layers.LSTM(4, return_sequences=True),
        layers.Bidirectional(layers.GRU(3))]"""),
    "a mask of values": ((5, 3), """[
        layers.Masking(), layers.SimpleRNN(4, return_sequences=True), layers.Dense(3),
        layers.LSTM(2)]"""),
    "images": ((3, 6, 6, 2), """[
        layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True),
        layers.ConvLSTM2D(2, (2, 3), strides=2), layers.Flatten()]"""),
    "a network at each step": ((3, 6, 6, 2), """[
        layers.TimeDistributed(layers.Conv2D(3, 3, activation="relu")),
        layers.TimeDistributed(layers.Flatten()), layers.GRU(3)]"""),
    "cells": ((5, 3), """[
        layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], return_sequences=True)]"""),
}  # fmt: skip


def numbers(*shape: int) -> np.ndarray:
    """Return the same numbers for a shape each time, in [-1, 1]."""
    count = int(np.prod(shape))
    return np.sin(np.arange(count) * 12.9898).reshape(shape).astype("float32")


def given(shape: tuple[int, ...]) -> np.ndarray:
    """Return samples: whole numbers where there is one axis, else some that end in zeros."""
    if len(shape) == 1:
        return (np.abs(numbers(4, *shape)) * 9).astype("int32")
    x = numbers(4, *shape)
    x[1, 3:] = 0
    x[2, :2] = 0
    return x


def results(keras: object) -> dict[str, object]:
    """Return outputs, and weights after two steps."""
    layers, found = keras.layers, {}
    for name, (shape, text) in NETS.items():
        net = keras.Sequential([keras.Input(shape), *eval(text, {"layers": layers})])
        net.set_weights([numbers(*w.shape) * 0.5 for w in net.get_weights()])
        x = given(shape)
        out = net.predict(x, verbose=0)
        net.compile(keras.optimizers.SGD(0.1), "mse")
        for _ in range(2):
            net.train_on_batch(x, np.ones_like(out))
        after = [np.asarray(w).ravel().tolist() for w in net.get_weights()]
        found[name] = {"out": np.asarray(out).ravel().tolist(), "after": after}
    a, b = keras.Input((5, 4)), keras.Input((3, 4))
    scored = layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=6)(
        a, b, return_attention_scores=True
    )
    out, h, c = layers.LSTM(3, return_state=True)(a)
    ends = [
        layers.MultiHeadAttention(2, 3)(a, b), *scored, layers.Attention(use_scale=True)([a, b]),
        layers.AdditiveAttention()([a, b]), out,
        layers.LSTM(3, return_sequences=True)(b, initial_state=[h, c]),
    ]  # fmt: skip
    net = keras.Model([a, b], ends)
    net.set_weights([numbers(*w.shape) * 0.5 for w in net.get_weights()])
    outs = net.predict([numbers(2, 5, 4), numbers(2, 3, 4)], verbose=0)
    found["attention and states"] = {"out": [np.asarray(y).ravel().tolist() for y in outs]}
    return found


if __name__ == "__main__":
    path = Path(__file__).with_name("keras_recurrent.json")
    document = {"keras": keras.__version__, "results": results(keras)}
    path.write_text(json.dumps(document) + "\n")
