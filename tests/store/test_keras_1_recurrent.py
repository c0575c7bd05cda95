"""Files of Keras 1 with recurrent layers: words of their own, and weights gate by gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as st
from striate.store.hdf5 import pack

RNG = np.random.default_rng(0)
COMMON = {
    "trainable": True, "output_dim": 3, "init": "glorot_uniform", "inner_init": "orthogonal",
    "activation": "tanh", "W_regularizer": None, "U_regularizer": None, "b_regularizer": None,
    "dropout_W": 0.0, "dropout_U": 0.0, "return_sequences": False, "go_backwards": False,
    "stateful": False, "unroll": False, "consume_less": "cpu", "input_dim": 2, "input_length": 5,
}  # fmt: skip
GATED = {**COMMON, "inner_activation": "hard_sigmoid"}
EMBEDDED = {
    "name": "words", "trainable": True, "input_dim": 7, "output_dim": 2, "init": "uniform",
    "input_length": 5, "mask_zero": False, "activity_regularizer": None, "W_regularizer": None,
    "W_constraint": None, "dropout": 0.0, "batch_input_shape": [None, 5], "input_dtype": "int32",
}  # fmt: skip
GATES = {"LSTM": "icfo", "GRU": "zrh", "SimpleRNN": "x"}


def hard_sigmoid(x: Any) -> Any:
    return np.clip(0.2 * x + 0.5, 0, 1)


def weights(kind: str) -> dict[str, Any]:
    """Return weights in Keras 1's order: W, U and b of each gate."""
    return {
        f"{part}_{gate}": RNG.normal(size=shape).astype("float32")
        for gate in GATES[kind] for part, shape in (("W", (2, 3)), ("U", (3, 3)), ("b", (3,)))
    }  # fmt: skip


def last(kind: str, w: dict[str, Any], x: Any) -> Any:
    """Return the last output for (steps, 2), by Keras 1's formulas."""
    h, c = np.zeros(3), np.zeros(3)
    for one in x:
        a = {g: one @ w[f"W_{g}"] + w[f"b_{g}"] for g in GATES[kind]}
        if kind == "SimpleRNN":
            h = np.tanh(a["x"] + h @ w["U_x"])
        elif kind == "LSTM":
            i, f, o = (hard_sigmoid(a[g] + h @ w[f"U_{g}"]) for g in "ifo")
            c = f * c + i * np.tanh(a["c"] + h @ w["U_c"])
            h = o * np.tanh(c)
        else:
            z, r = (hard_sigmoid(a[g] + h @ w[f"U_{g}"]) for g in "zr")
            h = z * h + (1 - z) * np.tanh(a["h"] + (r * h) @ w["U_h"])
    return h


def layer(kind: str, name: str, **words: Any) -> dict[str, Any]:
    config = {**(COMMON if kind == "SimpleRNN" else GATED), "name": name, **words}
    if kind == "LSTM":
        config["forget_bias_init"] = "one"
    return {"class_name": kind, "config": config}


def file(path: Path, layers: list[Any], held: dict[str, dict[str, Any]]) -> Path:
    """Write a Sequential of Keras 1 with an embedding in front."""
    table = {"words_W": RNG.normal(size=(7, 2)).astype("float32")}
    held = {"words": table, **held}
    description = {
        "class_name": "Sequential",
        "config": [{"class_name": "Embedding", "config": EMBEDDED}, *layers],
    }
    about: dict[str, Any] = {
        "": {"keras_version": "1.2.2", "model_config": json.dumps(description)},
        "model_weights": {"layer_names": list(held), "keras_version": "1.2.2"},
    }
    arrays = {}
    for name, parts in held.items():
        about[f"model_weights/{name}"] = {"weight_names": list(parts)}
        arrays |= {f"model_weights/{name}/{key}": array for key, array in parts.items()}
    path.write_bytes(pack(arrays, about))
    return path


def embedded(model: Any, words: Any) -> Any:
    return model.get_layer("words").get_weights()[0][words]


WORDS = RNG.integers(0, 7, (2, 5))


@pytest.mark.parametrize("kind", GATES)
def test_gates_of_keras_1_are_put_together(kind: str, tmp_path: Path) -> None:
    held = weights(kind)
    model = st.load(file(tmp_path / "old.h5", [layer(kind, "rnn")], {"rnn": held}))
    x = embedded(model, WORDS)
    expected = [last(kind, held, one) for one in x]
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected, atol=1e-5)


def test_both_directions_have_gates_of_their_own(tmp_path: Path) -> None:
    there, back = weights("LSTM"), weights("LSTM")
    config = {"name": "both", "trainable": True, "merge_mode": "concat",
              "layer": layer("LSTM", "rnn")}  # fmt: skip
    held = {**{f"f_{k}": v for k, v in there.items()}, **{f"b_{k}": v for k, v in back.items()}}
    both = {"class_name": "Bidirectional", "config": config}
    model = st.load(file(tmp_path / "old.h5", [both], {"both": held}))
    x = embedded(model, WORDS)
    expected = [
        np.concatenate([last("LSTM", there, one), last("LSTM", back, one[::-1])]) for one in x
    ]
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected, atol=1e-5)


def test_weights_of_one_matrix_are_taken_as_they_are(tmp_path: Path) -> None:
    held = weights("LSTM")
    whole = {part: np.concatenate([held[f"{part}_{g}"] for g in "ifco"], -1) for part in "WUb"}
    one = layer("LSTM", "rnn", consume_less="gpu")
    model = st.load(file(tmp_path / "old.h5", [one], {"rnn": whole}))
    expected = [last("LSTM", held, x) for x in embedded(model, WORDS)]
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected, atol=1e-5)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("kind", "gates"), [("CuDNNLSTM", 4), ("CuDNNGRU", 3)])
def test_layers_of_cudnn_are_usual_ones_with_two_biases(
    kind: str, gates: int, tmp_path: Path
) -> None:
    kernels = [RNG.normal(size=(3, 2)) for _ in range(gates)]  # cuDNN's: W x, gate by gate
    states = [RNG.normal(size=(3, 3)) for _ in range(gates)]
    biases = RNG.normal(size=(2, gates, 3))
    held = {
        "kernel": np.hstack([one.reshape(2, 3) for one in kernels]),  # memory as it lies there
        "recurrent_kernel": np.hstack(states),
        "bias": biases.reshape(-1),
    }
    config = {"name": "rnn", "trainable": True, "units": 3, "return_sequences": False}
    model = st.load(
        file(tmp_path / "old.h5", [{"class_name": kind, "config": config}],
             {"rnn": {key: one.astype("float32") for key, one in held.items()}})
    )  # fmt: skip
    expected = []
    for x in embedded(model, WORDS):
        h, c = np.zeros(3), np.zeros(3)
        for one in x:
            a = [w @ one + b for w, b in zip(kernels, biases[0], strict=True)]
            s = [w @ h + b for w, b in zip(states, biases[1], strict=True)]
            if kind == "CuDNNLSTM":
                i, f, o = (sigmoid(a[at] + s[at]) for at in (0, 1, 3))
                c = f * c + i * np.tanh(a[2] + s[2])
                h = o * np.tanh(c)
            else:
                z, r = sigmoid(a[0] + s[0]), sigmoid(a[1] + s[1])
                h = z * h + (1 - z) * np.tanh(a[2] + r * s[2])
        expected.append(h)
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected, atol=1e-5)
