"""Layers with a seed: their state is saved and restored, and two runs of one seed are one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import striate as st
from striate import layers as L

SEEDED = [
    lambda: L.Dropout(0.5, seed=5),
    lambda: L.AlphaDropout(0.5, seed=5),
    lambda: L.SpatialDropout2D(0.5, seed=5),
    lambda: L.GaussianNoise(0.5, seed=5),
    lambda: L.GaussianDropout(0.5, seed=5),
    lambda: L.RandomTranslation(0.3, 0.3, seed=5),
    lambda: L.RandomContrast(0.5, (-9, 9), seed=5),
]
X = torch.randn(4, 6, 6, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("make", SEEDED)
def test_what_comes_after_a_restart_is_what_would_have_come(make):
    layer, restarted = make(), make()
    layer(X)
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    wanted = layer(X)
    restarted(X), restarted(X)
    restarted.load_state_dict(state)
    assert torch.equal(restarted(X), wanted)
    assert not torch.equal(layer(X), wanted)


def test_only_a_layer_with_a_seed_has_a_state():
    assert list(L.Dropout(0.5).state_dict()) == []
    assert list(L.Dropout(0.5, seed=1).state_dict()) == ["generator_state"]
    assert L.Dropout(0.5, seed=1).weights == []


def test_a_missing_state_is_missed():
    with pytest.raises(RuntimeError, match="generator_state"):
        L.Dropout(0.5, seed=1).load_state_dict({})
    with pytest.raises(RuntimeError, match="generator_state"):
        L.Dropout(0.5).load_state_dict(L.Dropout(0.5, seed=1).state_dict())


def test_a_saved_model_goes_on_where_it_was(tmp_path):
    model = st.Sequential([L.Input((8,)), L.Dropout(0.5, seed=5)])
    model.train()(torch.ones(2, 8))
    model.save(tmp_path / "model.striate")
    again = st.load(tmp_path / "model.striate")
    x = torch.ones(2, 8)
    assert torch.equal(again.train()(x), model(x))


def test_two_runs_of_one_seed_are_one():
    x = np.random.default_rng(0).normal(size=(20, 6, 6, 1)).astype("float32")

    def train():
        st.seed(3)
        layers = [L.RandomFlip(seed=1), L.Flatten(), L.Dropout(0.5, seed=2), L.Dense(2)]
        model = st.Sequential([L.Input((6, 6, 1)), *layers])
        model.compile("sgd", "crossentropy")
        model.fit(x, np.arange(20) % 2, epochs=2, batch_size=5, verbose=0)
        return model.get_weights()

    for one, other in zip(train(), train(), strict=True):
        np.testing.assert_array_equal(one, other)
