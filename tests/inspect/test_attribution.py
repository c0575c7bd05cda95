"""Attributions add up to what they explain, follow slopes, and depend on the weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum import attr
from cases import told

import striate as st
from striate import layers as L
from striate.inspect import attribution, map_layers, sanity
from striate.inspect.attribution import METHODS


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


@pytest.mark.parametrize("method", METHODS)
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


class Score(torch.nn.Module):
    """A channels-first network as captum is usually given one."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model.before_activation(x)


def test_maps_are_those_that_captum_gives_by_itself():
    model = network("channels_first")
    x = np.random.default_rng(3).random((1, 12, 12)).astype(np.float32)
    value, score = torch.as_tensor(x)[None], Score(model.eval())
    cam = attr.LayerGradCam(score, model.get_layer("conv2d")).attribute(
        value, target=1, relu_attributions=True
    )
    found = attribution(model, x, 1, "grad_cam", "conv2d")
    assert found.layer == "conv2d" and found.values.shape == (12, 12, 1)
    assert np.allclose(found.coarse, cam[0, 0].detach().numpy(), atol=1e-6)
    slopes = attr.IntegratedGradients(score).attribute(value, target=1, n_steps=64)
    mine = attribution(model, x, 1).values[..., 0]
    assert np.allclose(mine, slopes[0, 0].detach().numpy(), atol=1e-6)


def test_layouts_give_the_same_map():
    one, other = network(), network("channels_first")
    other.layers[0].set_weights(one.layers[0].get_weights())
    kernel, bias = one.layers[-1].get_weights()
    kernel = kernel.reshape(5, 5, 4, 5).transpose(2, 0, 1, 3).reshape(100, 5)
    other.layers[-1].set_weights([kernel, bias])
    x = np.random.default_rng(4).random((12, 12, 1)).astype(np.float32)
    maps = [attribution(m, v, 2, "grad_cam") for m, v in ((one, x), (other, x.transpose(2, 0, 1)))]
    assert maps[0].layer == maps[1].layer == "max_pooling2d"
    assert np.allclose(maps[0].values, maps[1].values, atol=1e-5)
    assert map_layers(one) == ("conv2d", "max_pooling2d")


@pytest.mark.parametrize(("side", "window", "step"), [(12, 1, 1), (28, 3, 1), (90, 10, 10)])
def test_occlusion_says_what_it_covered_and_is_captums_own(side, window, step):
    st.seed(1)
    x = L.Input((side, side, 1))
    model = st.Model(x, L.Dense(3)(L.Flatten()(L.MaxPooling2D(4)(L.Conv2D(2, 3)(x)))))
    image = np.random.default_rng(0).random((side, side, 1)).astype(np.float32)
    found = attribution(model, image, 1, "occlusion")
    assert found.window == (window, window) and found.step == (step, step)
    assert found.how == (f"occlusion of {window} x {window} pixels, in steps of {step} x {step}")
    alone = attr.Occlusion(model.eval()).attribute(
        torch.as_tensor(image)[None], (window, window, 1), (step, step, 1), target=1
    )
    assert np.allclose(found.values, alone[0].detach().numpy(), atol=1e-5)


def test_black_places_say_nothing_for_or_against():
    """Gradients times pixels are 0 wherever the image is black, whatever the weights are."""
    model, x = network(), np.zeros((12, 12, 1), np.float32)
    x[4:8, 3:9] = np.random.default_rng(7).random((4, 6, 1)) + 0.5
    found = sanity(model, x, 1)
    assert found.meaningful, found


def test_what_shows_the_network_changes_with_its_weights():
    model, x = network(), np.random.default_rng(5).random((12, 12, 1))
    found = sanity(model, x, 1, "grad_cam")
    assert found.layer == "max_pooling2d" and len(found.correlations) == 3
    assert found.meaningful == (abs(np.mean(found.correlations)) < 0.5)
    assert sanity(model, x, 1, "grad_cam") == found
    with torch.no_grad():
        for weight in model.weights:
            weight.fill_(0.1)  # shuffling changes nothing
    same = sanity(model, x, 1)
    assert not same.meaningful
    assert str(same) == ("not meaningful here: shuffled weights give the same (correlation 1.00)")


def test_asking_changes_nothing():
    model, x = network(), np.random.default_rng(6).random((12, 12, 1))
    model.train()
    before = [weight.clone() for weight in model.weights]
    state = torch.get_rng_state()
    for method in METHODS:
        attribution(model, x, 1, method)
        sanity(model, x, 1, method)
    assert model.training and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(before, model.weights, strict=True))
    assert all(weight.grad is None for weight in model.parameters())


def test_messages():
    model, x = network(), np.zeros((12, 12, 1))
    assert told(lambda: attribution(model, x, 5)) == "Model: has no class 5\n  need  0 to 4"
    assert told(lambda: attribution(model, x, method="saliensy")) == (
        "attribution: method='saliensy' is not known\n"
        "  need  method one of 'integrated_gradients', 'saliency', 'occlusion', 'grad_cam'\n"
        '  fix   did you mean "saliency"?'
    )
    assert told(lambda: attribution(model, x, 1, "grad_cam", "dense")) == (
        "dense (Dense): has no maps to weigh\n"
        "  got   output (5,)\n"
        "  need  one of conv2d, max_pooling2d"
    )
