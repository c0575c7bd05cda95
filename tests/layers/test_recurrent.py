"""Layers over time and attention: the battery, and files that a new process reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cases import Case, each, told

import striate as st
import striate.layers as L

DRAW = np.random.default_rng(0)


CASES = [
    Case(L.Embedding, {"input_dim": 256, "output_dim": 3}, (4,), dtype="int64", keras=False),
    Case(L.SimpleRNN, {"units": 3}, (4, 2), keras=False),
    Case(L.Bidirectional, {"layer": L.GRU(3, return_sequences=True)}, (4, 2), keras=False),
    Case(L.TimeDistributed, {"layer": L.Dense(3)}, (4, 2), keras=False),
    Case(L.RNN, {"cell": L.GRUCell(3)}, (4, 2), keras=False),
    Case(L.LSTM, {"units": 3, "return_sequences": True, "activation": "relu"}, (4, 2), keras=False),
    Case(L.GRU, {"units": 3}, (4, 2), keras=False),
    Case(L.GRU, {"units": 3, "reset_after": False, "go_backwards": True}, (4, 2), keras=False),
    Case(L.Masking, {}, (4, 2), keras=False),
    Case(L.Attention, {}, [(4, 2), (4, 2)], keras=False),
    Case(L.AdditiveAttention, {}, [(4, 2), (4, 2)], keras=False),
    Case(L.MultiHeadAttention, {"num_heads": 2, "key_dim": 3}, [(4, 2), (4, 2)], keras=False),
]


@each(CASES)
def test_battery(case: Case) -> None:
    case.check()


def test_a_sequence_and_numbers_with_rows_are_asked_for() -> None:
    assert told(lambda: L.LSTM(3)(L.Input((4,)))).startswith(
        "lstm (LSTM): reads a sequence step by step\n  got   input (4,)\n  need  (steps, "
    )
    assert told(lambda: L.Embedding(3, 2)(torch.tensor([[0, 3]]))).startswith(
        "Embedding: was given a number that the table has no row for\n  got   numbers 0 to 3\n"
    )


def test_an_lstm_is_its_cell_step_by_step() -> None:
    x = torch.rand(3, 5, 2)
    fused, steps = L.LSTM(4, return_sequences=True), L.RNN(L.LSTMCell(4), return_sequences=True)
    fused(x), steps(x)
    steps.set_weights(fused.get_weights())
    assert torch.allclose(fused(x), steps(x), atol=1e-6)


def masked() -> Any:
    x = L.Input((7,), dtype="int64")
    steps = L.LSTM(4, return_sequences=True)(L.Embedding(20, 5, mask_zero=True)(x))
    numbers = DRAW.integers(1, 20, (3, 7))
    numbers[:, 5:] = 0
    return st.Model(x, L.Dense(2)(L.Bidirectional(L.GRU(3))(steps))), numbers


def with_states() -> Any:
    x = L.Input((6, 3))
    _, h, c = L.LSTM(4, return_state=True)(x)
    return st.Model(x, L.LSTM(4)(x, initial_state=[h, c])), DRAW.random((3, 6, 3))


def attending() -> Any:
    x = L.Input((6, 8))
    seen = L.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    read = L.Attention()([seen, x])
    return st.Model(x, L.TimeDistributed(L.Dense(3))(read)), DRAW.random((3, 6, 8))


def of_cells() -> Any:
    cells = L.RNN([L.LSTMCell(4), L.GRUCell(3)])
    return st.Sequential([L.Input((6, 8)), L.Masking(), cells]), DRAW.random((3, 6, 8))


READER = """
import sys
import numpy as np
import striate as st
for path in sys.argv[1:]:
    out = st.load(path).predict(np.load("x.npy"))
    assert np.allclose(out, np.load("out.npy"), atol=1e-6), path
print("read")
"""


@pytest.mark.parametrize("make", [masked, with_states, attending, of_cells])
def test_a_new_process_reads_what_was_saved(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model, x = make()
    x = x.astype("int64" if make is masked else "float32")
    np.save("x.npy", x)
    np.save("out.npy", model.predict(x))
    files = ["model.striate", "model.keras", "model.h5"]
    for file in files:
        model.save(file)
    command = [sys.executable, "-c", READER, *files]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"read\n"


def test_causality_is_kept_in_files(tmp_path: Path) -> None:
    model, x = attending()
    x = x.astype("float32")
    for file in ("model.striate", "model.keras"):
        model.save(tmp_path / file)
        back = st.load(tmp_path / file)
        changed = x.copy()
        changed[:, -1] += 1
        layer = next(one for one in back.layers if isinstance(one, L.MultiHeadAttention))
        seen = [layer(torch.as_tensor(one), torch.as_tensor(one)) for one in (x, changed)]
        assert torch.allclose(seen[0][:, :-1], seen[1][:, :-1])


def followed(weights: Any) -> tuple[st.Model, dict[str, float]]:
    """A network with weights of its own, and what it says of three sequences."""
    x = L.Input((4,), dtype="int64")
    steps = L.SimpleRNN(
        2, return_sequences=True, kernel_initializer="ones", recurrent_initializer="ones"
    )(L.Embedding(6, 2, mask_zero=True, name="table")(x))
    model = st.Model(x, L.Dense(2, activation="softmax", name="last")(steps))
    model.get_layer("table").set_weights([np.arange(12).reshape(6, 2) / 10 - 0.5])
    model.get_layer("last").set_weights([np.array([[0.5, -1], [0.2, 0.3]]), np.array([0.1, -0.1])])
    model.compile(
        "sgd", "sparse_categorical_crossentropy", metrics=["accuracy"],
        weighted_metrics=["sparse_categorical_accuracy"],
    )  # fmt: skip
    said = model.evaluate(SEQUENCES, LABELS, sample_weight=weights, verbose=0, return_dict=True)
    return model, said


SEQUENCES = np.array([[1, 2, 3, 0], [4, 5, 0, 0], [1, 1, 2, 2]])
LABELS = np.array([[0, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 1]])


@pytest.mark.parametrize(
    ("weights", "loss", "weighted"),  # those of Keras 3.15.1 on JAX
    [(None, 0.6251633167, 0.6666666865), (np.arange(12).reshape(3, 4) / 10, 0.3461008, 0.72)],
)
def test_steps_that_are_masked_count_in_no_loss_or_metric(
    weights: Any, loss: float, weighted: float
) -> None:
    model, said = followed(weights)
    assert said["loss"] == pytest.approx(loss, abs=1e-6)
    assert said["accuracy"] == pytest.approx(2 / 3)
    assert said["sparse_categorical_accuracy"] == pytest.approx(weighted)
    if weights is None:
        model.fit(SEQUENCES, LABELS, batch_size=3, epochs=1, verbose=0)
        bias = model.get_layer("last").get_weights()[1]
        assert np.allclose(bias, [0.09927040, -0.09927040], atol=1e-6)


def test_a_mask_that_is_made_inside_the_network_counts() -> None:
    x = L.Input((3, 2))
    inside = L.Masking()(L.Rescaling(1.0)(x))
    model = st.Model(x, L.Dense(1, kernel_initializer="ones")(inside))
    model.compile("sgd", "mse")
    values = np.array([[[1.0, 1], [0, 0], [2, 0]]])
    assert model.evaluate(values, np.zeros((1, 3, 1)), verbose=0) == pytest.approx((4 + 4) / 2)


def test_each_output_may_have_weights_of_its_own() -> None:
    x = L.Input((2,))
    ends = [L.Dense(1, name=name, kernel_initializer="ones")(x) for name in "ab"]
    model = st.Model(x, ends)
    model.compile("sgd", "mse", metrics=[["mae"], ["mae"]])
    values = np.array([[1.0, 2], [3, 4], [0, 1]])
    given = {"y": [values[:, :1], values[:, 1:]]}
    first, second = np.array([1.0, 2.0, 0.5]), np.array([0.5, 2.0, 1.0])
    for weights in ([first, second], {"b": second, "a": first}):
        said = model.evaluate(values, **given, sample_weight=weights, verbose=0, return_dict=True)
        assert [said[name] for name in ("loss", "a_loss", "b_loss", "a_mae", "b_mae")] == (
            pytest.approx([18.3333339, 12.1666667, 6.1666665, 2.3333333, 1.3333334], abs=1e-5)
        )  # of Keras 3.15.1
    history = model.fit(values, **given, sample_weight=[first, second], batch_size=3, epochs=2,
                        verbose=0)  # fmt: skip
    assert history.history["loss"] == pytest.approx([18.3333339, 7.0884147], abs=1e-5)
    model.fit(values, **given, sample_weight=[first, None], epochs=1, verbose=0)
    assert told(lambda: model.fit(values, **given, sample_weight=[first] * 3, verbose=0)) == (
        "sample_weight: has weights for another number of outputs than the model has\n"
        "  got   3 arrays for 2 outputs\n"
        "  fix   one array for all outputs, or one (or None) for each"
    )
