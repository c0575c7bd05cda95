"""What a channel likes, nearest samples, two models side by side: against plain loops."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from cases import told

import striate as st
from striate import layers as L
from striate.inspect import compare, compare_maps, feature_maps, features, likes, nearest


def network(seed=0, first="channels_last"):
    st.seed(seed)
    x = L.Input((9, 9, 1) if first == "channels_last" else (1, 9, 9), data_format=first)
    h = L.Conv2D(3, 3, activation="relu", name="conv")(x)
    h = L.MaxPooling2D(2, name="pool")(h)
    h = L.Dense(6, activation="relu", name="hidden")(L.Flatten()(h))
    return st.Model(x, L.Dense(4, activation="softmax", name="out")(h))


X = np.random.default_rng(0).normal(size=(150, 9, 9, 1)).astype("float32")


@pytest.mark.parametrize("first", ["channels_last", "channels_first"])
def test_a_channel_likes_what_makes_it_largest(first):
    model = network(first=first)
    x = X if first == "channels_last" else X.transpose(0, 3, 1, 2)
    found = likes(model, x, "pool", 2, 4, labels=np.arange(150))
    maps = np.stack([feature_maps(model, one, ["pool"])["pool"].values[..., 2] for one in x])
    best = np.argsort(-maps.max((1, 2)), kind="stable")[:4]
    assert [one.sample for one in found.found] == best.tolist()
    for one in found.found:
        where = one.unit[:2] if first == "channels_last" else one.unit[1:]
        assert one.value == pytest.approx(maps[one.sample].max()) == maps[one.sample][where]
        (top, bottom), (left, right) = one.box
        assert (top, left) == tuple(2 * at for at in where) and bottom - top == right - left == 4
        assert np.array_equal(one.patch, X[one.sample][top:bottom, left:right])
    assert found.found[0].label == str(best[0])
    assert json.dumps(found.as_json()) and found._repr_png_().startswith(b"\x89PNG")


def test_no_such_channel():
    assert told(lambda: likes(network(), X, "pool", 3)) == (
        "pool (MaxPooling2D): has no channel 3\n  got   output (3, 3, 3)\n  need  0 to 2"
    )


def test_nearest_samples_are_those_of_the_smallest_angle():
    model = network()
    rows = features(model, X)
    assert rows.shape == (150, 6)
    hidden = np.stack([feature_maps(model, one, ["hidden"])["hidden"].values for one in X])
    assert np.allclose(rows, hidden, atol=1e-6)
    found = nearest(model, X, X[7], 3)
    assert found.layer == "hidden" and found.samples[0] == 7
    cosines = (
        rows @ rows[7] / np.maximum(np.linalg.norm(rows, axis=1) * np.linalg.norm(rows[7]), 1e-12)
    )
    assert found.samples == tuple(np.argsort(-cosines, kind="stable")[:3].tolist())
    assert nearest(model, X, X[7], 3, known=rows).samples == found.samples
    assert found._repr_png_().startswith(b"\x89PNG")
    bare = st.Sequential([L.Input((4,)), L.Activation("relu")])
    assert told(lambda: features(bare, np.zeros((2, 4)))) == (
        "Sequential: has no features\n  need  a layer with weights that gives the classes"
    )


def test_two_models_are_compared():
    one, other, y = network(0), network(1), np.arange(150) % 4
    found = compare(one, other, X, y)
    a, b = one.predict(X).argmax(1), other.predict(X).argmax(1)
    assert set(found.disagree) == set(np.flatnonzero(a != b))
    assert found.agreement == pytest.approx((a == b).mean())
    assert found.only_one == tuple(np.flatnonzero((a == y) & (b != y)))
    assert found.only_other == tuple(np.flatnonzero((a != y) & (b == y)))
    assert compare(one, one, X, np.eye(4)[y]).disagree == ()
    assert found._repr_png_().startswith(b"\x89PNG")
    maps = compare_maps(one, other, X[0])
    assert [m.layer for m in maps.one.maps] == [m.layer for m in maps.other.maps]
    assert not np.allclose(maps.one["conv"].values, maps.other["conv"].values)
    assert maps._repr_png_().startswith(b"\x89PNG")
    three = st.Sequential([L.Input((9, 9, 1)), L.Flatten(), L.Dense(3)])
    assert told(lambda: compare(one, three, X)) == (
        "Model and Sequential: do not know the same classes\n  got   4 and 3 classes"
    )


def test_asking_changes_nothing():
    model = network()
    model.train()
    before, state = [w.clone() for w in model.weights], torch.get_rng_state()
    likes(model, X, "conv", 0)
    nearest(model, X, X[0])
    compare(model, model, X)
    assert model.training and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(before, model.weights, strict=True))
