"""Attributions add up to what they explain, follow slopes, and depend on the weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import told

import striate as st
from striate import layers as L
from striate.inspect import attribution


def network(data_format="channels_last"):
    st.seed(0)
    shape = (12, 12, 1) if data_format == "channels_last" else (1, 12, 12)
    x = L.Input(shape, data_format=data_format)
    h = L.MaxPooling2D(2)(L.Conv2D(4, 3, activation="relu")(x))
    return st.Model(x, L.Dense(5, activation="softmax")(L.Flatten()(h)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_integrated_gradients_add_up(data_format):
    model = network(data_format)
    x = np.random.default_rng(0).random(model.input_shape[1:]).astype(np.float32)
    found = attribution(model, x, 2)
    with torch.no_grad():
        here = model.before_activation(torch.as_tensor(x)[None])[0, 2]
        black = model.before_activation(torch.zeros(1, *x.shape))[0, 2]
    assert found.values.shape == found.image.shape == (12, 12, 1)
    assert found.values.sum() == pytest.approx(float(here - black), abs=2e-2)


def test_saliency_is_the_slope():
    model = network()
    x = np.random.default_rng(1).random((12, 12, 1)).astype(np.float32)
    found, value = attribution(model, x, method="saliency"), torch.as_tensor(x)[None]
    value.requires_grad_()
    scores = model.before_activation(value)[0]
    assert found.target == int(scores.argmax())
    scores.max().backward()
    assert np.allclose(found.values, value.grad[0].abs().numpy(), atol=1e-6)


@pytest.mark.parametrize("method", ["integrated_gradients", "saliency", "occlusion"])
def test_other_weights_give_another_answer(method, tmp_path):
    model, x = network(), np.random.default_rng(2).random((12, 12, 1))
    before = attribution(model, x, 1, method)
    assert before.save(tmp_path / "a.png").stat().st_size > 1000
    with torch.no_grad():
        for weight in model.weights:
            weight.copy_(torch.randn_like(weight))
    after = attribution(model, x, 1, method)
    likeness = np.corrcoef(before.values.flatten(), after.values.flatten())[0, 1]
    assert abs(likeness) < 0.6


def test_messages():
    model, x = network(), np.zeros((12, 12, 1))
    assert told(lambda: attribution(model, x, 5)) == "Model: has no class 5\n  need  0 to 4"
    assert told(lambda: attribution(model, x, method="saliensy")) == (
        "attribution: method='saliensy' is not known\n"
        "  need  method one of 'integrated_gradients', 'saliency', 'occlusion'\n"
        '  fix   did you mean "saliency"?'
    )
    flat = st.Sequential([L.Input((4,)), L.Dense(2)])
    assert told(lambda: attribution(flat, np.zeros(4))) == (
        "Sequential: does not take one image\n  got   input (4,)"
    )
