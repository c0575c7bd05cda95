"""Depthwise and separable convolutions: cases for the battery, independent references, messages."""

from __future__ import annotations

import pytest
import torch
from cases import Case, each, told

from striate import layers as L

FIRST = {"data_format": "channels_first"}

CASES = [
    Case(L.DepthwiseConv1D, {"kernel_size": 3, "depth_multiplier": 2}, (6, 2)),
    Case(L.DepthwiseConv2D, {"kernel_size": 3}, (4, 5, 3)),
    Case(
        L.DepthwiseConv2D,
        {"kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2},
        (4, 5, 2),
    ),
    Case(
        L.DepthwiseConv2D,
        {"kernel_size": (2, 3), "dilation_rate": 2, "activation": "relu"},
        (4, 6, 2),
    ),
    Case(
        L.DepthwiseConv2D,
        {"kernel_size": 2, "use_bias": False, **FIRST},
        (2, 4, 5),
        "channels_first",
    ),
    Case(L.SeparableConv1D, {"filters": 3, "kernel_size": 3, "depth_multiplier": 2}, (6, 2)),
    Case(
        L.SeparableConv1D,
        {"filters": 3, "kernel_size": 3, "padding": "causal"},
        (6, 2),
        keras=False,
    ),
    Case(L.SeparableConv2D, {"filters": 3, "kernel_size": 3}, (4, 5, 2)),
    Case(
        L.SeparableConv2D,
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2},
        (4, 5, 2),
    ),
    Case(
        L.SeparableConv2D,
        {"filters": 3, "kernel_size": 2, "activation": "relu", "use_bias": False, **FIRST},
        (2, 4, 5),
        "channels_first",
    ),
]


@each(CASES)
def test_battery(case):
    case.check()


def test_a_depthwise_convolution_is_one_convolution_per_channel():
    x = torch.randn(2, 5, 4, 3)
    layer = L.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)
    y = layer(x)
    for channel in range(3):
        alone = L.Conv2D(2, 3, use_bias=False)
        alone(x[..., channel : channel + 1])
        alone.set_weights([layer.kernel[:, :, channel : channel + 1].detach()])
        part = alone(x[..., channel : channel + 1])
        assert torch.allclose(part, y[..., 2 * channel : 2 * channel + 2], atol=1e-6)


def test_a_separable_convolution_is_a_depthwise_one_and_a_mix():
    x = torch.randn(2, 5, 4, 3)
    layer = L.SeparableConv2D(4, 3, depth_multiplier=2)
    want = layer(x)
    deep, mix = L.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False), L.Conv2D(4, 1)
    mix(deep(x))
    deep_kernel, mix_kernel, bias = layer.get_weights()
    deep.set_weights([deep_kernel])
    mix.set_weights([mix_kernel, bias])
    assert torch.allclose(mix(deep(x)), want, atol=1e-6)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.DepthwiseConv1D(3, dilation_rate=4)(torch.zeros(1, 8, 2)),
            "DepthwiseConv1D: the window does not fit axis L\n"
            "  got   input (8, 2), axis L = 8\n"
            "  need  L >= 9\n"
            "  math  (8 + 0 - (4*(3 - 1) + 1)) // 1 + 1 = 0\n"
            '  fix   padding="same", a smaller window, a larger input, or one pooling layer fewer',
        ),
        (
            lambda: L.DepthwiseConv2D(3, depth_multiplier=0),
            "DepthwiseConv2D: depth_multiplier=0 is not a whole number of at least 1\n"
            "  need  depth_multiplier >= 1\n"
            "  fix   depth_multiplier=1",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message
