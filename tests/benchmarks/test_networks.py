"""The networks that are compared: those of the examples, the same in every framework."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch

import striate as st
from benchmarks import data
from benchmarks.networks import NETWORKS, find
from benchmarks.peers import pytorch, striate as ours

EXAMPLES = {
    "000": "tutorial_000",
    "001": "tutorial_001",
    "002a": "tutorial_002_keras",
    "002b": "tutorial_002_torch",
    "003": "tutorial_003",
    "004": "tutorial_004",
}
NAMES = [*NETWORKS, "stack-28-8-2", "stack-60-16-4"]


@pytest.mark.parametrize("name", NAMES)
def test_both_frameworks_build_the_network_with_its_number_of_weights(name: str) -> None:
    network = find(name)
    assert ours.parameters(ours.build(network)) == network.parameters
    assert pytorch.parameters(pytorch.build(network)) == network.parameters


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_tutorial_network_is_that_of_the_example(name: str) -> None:
    example: Any = importlib.import_module(f"examples.{EXAMPLES[name]}")
    model = example.build()
    assert model.count_params() == NETWORKS[name].parameters
    chosen = ours.optimizer(NETWORKS[name].optimizer)
    assert type(model.setup.optimizer) is type(chosen)
    assert model.setup.optimizer.learning_rate == chosen.learning_rate
    scales = [layer.scale for layer in model.layers if layer.name == "rescaling"]
    assert scales == ([1 / 255] if NETWORKS[name].std == 255 else [])


def test_with_the_same_weights_both_frameworks_give_the_same_logits() -> None:
    network = find("001")
    module, model = pytorch.build(network).eval(), ours.build(network)
    weights = [weight.detach().numpy() for weight in module.parameters()]
    kernel1, bias1, kernel2, bias2, dense1, bias3, dense2, bias4 = weights
    by_row = dense1.reshape(64, 64, 5, 5).transpose(0, 2, 3, 1).reshape(64, -1)  # (H, W, C) here
    kernel1, kernel2 = (kernel.transpose(2, 3, 1, 0) for kernel in (kernel1, kernel2))
    model.set_weights([kernel1, bias1, kernel2, bias2, by_row.T, bias3, dense2.T, bias4])
    x, _ = data.load(network)
    with torch.no_grad():
        scaled = torch.from_numpy(data.scaled(network, x[:20])).permute(0, 3, 1, 2)
        expected = module(scaled).numpy()
    np.testing.assert_allclose(model.predict(x[:20]), expected, atol=1e-5)


def test_images_are_mnist_and_enlarged_pixel_by_pixel() -> None:
    (x, y), _ = st.datasets.mnist()
    same, labels = data.load(find("001"))
    assert (same == x).all() and (labels == y).all()
    large, labels = data.load(find("stack-60-8-2"))
    assert large.shape == (60_000 * 28 * 28 // 3600, 60, 60, 1)
    assert (labels == y[: len(large)]).all()
    assert (large[7, 2:58:2, 2:58:2] == x[7]).all() and (large[7, 3:58:2, 3:58:2] == x[7]).all()
    assert not large[:, :2].any() and not large[:, :, 58:].any()
    colour, _ = data.load(find("resnet20"))
    assert colour.shape[1:] == (32, 32, 3)
    assert (colour[5, 2:30, 2:30] == x[5]).all()


def test_pixels_are_scaled_as_the_network_says() -> None:
    pixels = np.array([0, 255], np.uint8)
    assert data.scaled(find("001"), pixels).tolist() == [0, 1]
    assert data.scaled(find("003"), pixels).tolist() == [0, 255]
    np.testing.assert_allclose(
        data.scaled(find("002b"), pixels), [-0.1307 / 0.3081, 0.8693 / 0.3081], rtol=1e-6
    )
