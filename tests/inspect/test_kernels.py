"""Kernels are the weights themselves, in one order for every form of model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import told
from torch import nn

import striate as st
from striate import layers as L
from striate.inspect import kernels


def test_a_layer_and_the_same_in_torch(tmp_path):
    model = st.Sequential([L.Input((8, 8, 3)), L.Conv2D(5, (3, 2), name="conv"), L.Flatten()])
    found = kernels(model, "conv")
    assert found.values.shape == (3, 2, 3, 5)
    assert np.array_equal(found.values, model.layers[0].get_weights()[0])
    module = nn.Conv2d(3, 5, (3, 2))
    with torch.no_grad():
        module.weight.copy_(torch.as_tensor(found.values).permute(3, 2, 0, 1))
    wrapped = st.Model.from_torch(nn.Sequential(module), (3, 8, 8))
    (name,) = wrapped.graph.layers
    assert np.array_equal(kernels(wrapped, name).values, found.values)
    assert found.save(tmp_path / "k.png").stat().st_size > 1000
    assert np.shape(found.as_json()["values"]) == (3, 2, 3, 5)


@pytest.mark.parametrize("rank", [1, 3])
def test_other_ranks_are_drawn(rank, tmp_path):
    shape = (*[6] * rank, 2)
    model = st.Sequential([L.Input(shape), getattr(L, f"Conv{rank}D")(4, 3, name="conv")])
    assert kernels(model, "conv").save(tmp_path / "k.png").is_file()


def test_a_layer_without_kernels():
    model = st.Sequential([L.Input((8, 8, 3)), L.Flatten()])
    assert told(lambda: kernels(model, "flatten")) == (
        "flatten (Flatten): slides no kernels\n  need  a convolution"
    )
