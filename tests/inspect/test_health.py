"""Health: dead units and gradients are found where they were planted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

import striate as st
from striate import layers as L
from striate.inspect import health
from striate.inspect.health import unsettled


def network():
    st.seed(0)
    return st.Sequential(
        [
            L.Input((6, 6, 1)),
            L.Conv2D(4, 3, activation="relu", name="conv"),
            L.Flatten(),
            L.Dense(3, activation="softmax", name="out"),
        ]
    )


def test_dead_units_are_counted():
    model = network()
    kernel, bias = model.get_layer("conv").get_weights()
    bias[[1, 3]] = -1000
    model.get_layer("conv").set_weights([kernel, bias])
    found = health(model, np.random.default_rng(0).normal(size=(8, 6, 6, 1)))
    conv = found.layers[0]
    assert (conv.layer, conv.type, conv.units, conv.dead) == ("conv", "Conv2D", 4, (1, 3))
    assert 0.5 <= conv.zeros <= 1 and found.samples == 8 and not found.notes
    bias[:] = -1000
    model.get_layer("conv").set_weights([kernel, bias])
    assert health(model, np.ones((2, 6, 6, 1))).notes[0] == (
        "conv: every unit is 0 for every sample, so nothing passes; "
        "try a lower learning rate or leaky_relu"
    )


def test_gradients_are_those_of_the_loss():
    model, rng = network(), np.random.default_rng(1)
    x, y = rng.random((8, 6, 6, 1)).astype(np.float32), rng.integers(0, 3, 8)
    model.train()
    found = health(model, x, y)
    assert model.training and all(w.grad is None for w in model.parameters())
    loss = functional.cross_entropy(model.before_activation(torch.as_tensor(x)), torch.as_tensor(y))
    weights = list(model.get_layer("out").parameters())
    slopes = torch.autograd.grad(loss, weights)
    ratio = [
        sum(float(one.detach().square().sum()) for one in many) ** 0.5 for many in (slopes, weights)
    ]
    assert found.layers[-1].gradient == pytest.approx(ratio[0] / ratio[1], rel=1e-4)
    assert found.layers[1].gradient is None
    assert health(model, x, np.eye(3)[y]) == found
    assert found._repr_png_().startswith(b"\x89PNG") and "conv" in str(found)


def test_moving_averages_that_are_young():
    model = st.Sequential([L.Input((4,)), L.BatchNormalization(momentum=0.9), L.Dense(2)])
    assert list(unsettled(model, 7)) == [
        "batch_normalization (BatchNormalization) has seen 7 batches: 0.9**7 = 48% of its moving "
        "mean and variance are still what they began with, so validation tells little yet; "
        "train longer, or a smaller momentum"
    ]
    assert list(unsettled(model, 70)) == list(unsettled(network(), 1)) == []
