"""Masks of sequences reach the layers behind: the mean of the steps that count."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import striate as st
from striate import layers as L


def masked_mean():
    st.seed(0)
    return st.Sequential(
        [
            L.Input((4,), dtype="int32"),
            L.Embedding(6, 3, mask_zero=True),
            L.Dropout(0.5),
            L.GlobalAveragePooling1D(),
            L.Dense(2),
        ]
    )


STEPS = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 2, 3, 4]])


def by_hand(model, steps=STEPS):
    table, kernel, bias = model.get_weights()
    means = [table[row[row > 0]].mean(0) for row in steps]
    return np.stack(means) @ kernel + bias


@pytest.mark.parametrize("suffix", ["striate", "keras", "h5"])
def test_steps_that_do_not_count_are_no_part_of_the_mean(suffix, tmp_path):
    model = masked_mean()
    np.testing.assert_allclose(model.predict(STEPS), by_hand(model), rtol=1e-5, atol=1e-6)
    read = st.load(model.save(tmp_path / f"model.{suffix}"))
    np.testing.assert_allclose(read.predict(STEPS), by_hand(model), rtol=1e-5, atol=1e-6)
    before = by_hand(model)
    model.compile("sgd", "mse")
    model.fit(STEPS, np.ones((3, 2)), epochs=2, verbose=0)
    assert abs(by_hand(model) - before).max() > 1e-3
    np.testing.assert_allclose(model.predict(STEPS), by_hand(model), rtol=1e-5, atol=1e-6)


def test_a_mask_is_given_to_a_mean():
    x = torch.arange(24.0).reshape(2, 4, 3)
    mask = torch.tensor([[True, False, True, False], [True, True, True, True]])
    layer = L.GlobalAveragePooling1D(keepdims=True)
    want = torch.stack([x[0, [0, 2]].mean(0), x[1].mean(0)])[:, None]
    assert torch.allclose(layer(x, mask=mask), want)
    assert torch.allclose(layer(x), x.mean(1, keepdim=True))
    first = L.GlobalAveragePooling1D(data_format="channels_first")
    assert torch.allclose(first(x.transpose(1, 2), mask=mask), want[:, 0])


def attending(make):
    st.seed(0)
    tokens = L.Input((4,), dtype="int32")
    x = L.Embedding(6, 3, mask_zero=True)(tokens)
    out = make()(x)
    return st.Model(tokens, L.GlobalAveragePooling1D()(out))


KINDS = {
    "heads": lambda: lambda x: L.MultiHeadAttention(2, 3)(x, x),
    "values": lambda: lambda x: L.Attention()([x, x]),
    "sums": lambda: lambda x: L.AdditiveAttention()([x, x]),
}


@pytest.mark.parametrize("suffix", ["striate", "keras"])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_that_do_not_count_are_not_attended_to(kind, suffix, tmp_path):
    model = attending(KINDS[kind])
    table, *rest = model.get_weights()
    before = model.predict(STEPS)
    changed = table.copy()
    changed[0] = 50  # what stands in the steps that do not count
    model.set_weights([changed, *rest])
    np.testing.assert_allclose(model.predict(STEPS), before, rtol=1e-5, atol=1e-6)
    read = st.load(model.save(tmp_path / f"model.{suffix}"))
    np.testing.assert_allclose(read.predict(STEPS), before, rtol=1e-5, atol=1e-6)
    changed[1] += 1
    model.set_weights([changed, *rest])
    assert abs(model.predict(STEPS) - before).max() > 1e-3
    model.compile("sgd", "mse")
    model.fit(STEPS, np.ones((3, 3)), verbose=0)
    after = model.predict(STEPS)
    assert np.isfinite(after).all()
