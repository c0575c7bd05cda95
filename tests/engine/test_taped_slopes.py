"""The gradient of a network's input, which another network made, or which is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import striate as st
from striate import layers as L
from striate.engine.taped import Taped
from striate.lower.runtime import library

LAYERS: dict[str, Callable[[], list[Any]]] = {
    "a convolution of few channels": lambda: [L.Conv2D(16, 3), L.ReLU()],
    "strides": lambda: [L.Conv2D(8, 5, 3, padding="same", activation="relu")],
    "a depthwise convolution": lambda: [L.DepthwiseConv2D(3, padding="same"), L.Conv2D(4, 1)],
    "groups": lambda: [L.Conv2D(8, 3, groups=2, dilation_rate=2)],
    "a normalisation": lambda: [L.BatchNormalization(), L.LeakyReLU(0.2)],
    "a pooling": lambda: [L.MaxPooling2D(2), L.Conv2D(4, 3)],
    "a rescaling": lambda: [L.Rescaling(0.25, -1.0), L.Conv2D(4, 3)],
    "a rescaling alone": lambda: [L.Rescaling(3.0, 1.0)],
    "a large dense layer": lambda: [L.Flatten(), L.Dense(700, activation="tanh")],
    "zeros around": lambda: [L.ZeroPadding2D(2), L.AveragePooling2D(3)],
    "larger images": lambda: [L.UpSampling2D(2), L.Conv2D(4, 3, 2)],
    "no weights": lambda: [L.Activation("sigmoid")],
}


@pytest.fixture(autouse=True)
def needs_the_library() -> None:
    assert library() is not None


def slopes(call: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    x = x.clone().requires_grad_(True)
    y = call(x)
    (y * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum().backward()
    assert x.grad is not None
    return x.grad


def compared(model: Any, x: Tensor) -> None:
    """Compare a native gradient of the input with torch's, and those of the weights."""
    model.train()
    taped, weights = Taped(model), list(model.parameters())
    assert taped.why_not == ""
    mine = slopes(lambda given: taped(given, weights), x)
    made = [one.grad for one in weights]
    for one in weights:
        one.grad = None
    torch.testing.assert_close(mine, slopes(model, x), rtol=1e-3, atol=1e-4)
    for one, weight in zip(made, weights, strict=True):
        torch.testing.assert_close(one, weight.grad, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("first", [True, False], ids=["channels first", "channels last"])
@pytest.mark.parametrize("name", LAYERS)
def test_it_is_that_of_torch(name: str, first: bool) -> None:
    st.seed(0)
    order = "channels_first" if first else "channels_last"
    shape = (2, 13, 13) if first else (13, 13, 2)
    layers = [L.Input(shape, data_format=order), *LAYERS[name](), L.Flatten(), L.Dense(3)]
    compared(st.Sequential(layers), torch.randn(5, *shape))


def test_an_input_that_several_layers_read() -> None:
    x = L.Input((8, 8, 3))
    sides = [L.Conv2D(4, 3, padding="same")(x), L.Conv2D(4, 1)(x), x]
    out = L.Dense(2)(L.GlobalAveragePooling2D()(L.Concatenate()(sides)))
    compared(st.Model(x, out), torch.randn(3, 8, 8, 3))


def test_frozen_weights_hand_it_on() -> None:
    model = st.Sequential([L.Input((6, 6, 1)), L.Conv2D(4, 3, activation="relu"), L.Flatten()])
    for weight in model.parameters():
        weight.requires_grad_(False)
    taped, weights = Taped(model), list(model.parameters())
    x = torch.randn(2, 6, 6, 1)
    mine = slopes(lambda given: taped(given, weights), x)
    torch.testing.assert_close(mine, slopes(model, x), rtol=1e-3, atol=1e-5)


def test_one_network_behind_another() -> None:
    st.seed(0)
    maker = st.Sequential([L.Input((5,)), L.Dense(72), L.Reshape((6, 6, 2)), L.Conv2D(3, 3)])
    judge = st.Sequential([L.Input((4, 4, 3)), L.Conv2D(8, 3, activation="relu"), L.Flatten()])
    z, several = torch.randn(4, 5), [*maker.parameters(), *judge.parameters()]
    ways = [Taped(one) for one in (maker, judge)]
    mine = ways[1](ways[0](z, list(maker.parameters())), list(judge.parameters()))
    found = torch.autograd.grad((mine**2).sum(), several)
    expected = torch.autograd.grad((judge(maker(z)) ** 2).sum(), several)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
