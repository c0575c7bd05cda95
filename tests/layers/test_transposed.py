"""Transposed convolutions: cases for the battery, independent references, messages."""

from __future__ import annotations

import itertools

import pytest
import torch
from cases import Case, each, told
from torch.nn import functional

from striate import layers as L

FIRST = {"data_format": "channels_first"}


def spread(strides, pads):
    """Add each input value times the kernel to the output, then cut it, in plain loops."""

    def reference(x, kernel, bias):
        size = kernel.shape[:-2]
        places = [(n - 1) * s + k for n, s, k in zip(x.shape[1:-1], strides, size, strict=True)]
        y = torch.zeros(x.shape[0], *places, kernel.shape[-2], dtype=x.dtype)
        for place in itertools.product(*map(range, x.shape[1:-1])):
            for tap in itertools.product(*map(range, size)):
                cell = [p * s + t for p, s, t in zip(place, strides, tap, strict=True)]
                y[(slice(None), *cell)] += x[(slice(None), *place)] @ kernel[tap].T
        return functional.pad(y, (0, 0, *[-n for pair in reversed(pads) for n in pair])) + bias

    return reference


CASES = [
    Case(
        L.Conv1DTranspose,
        {"filters": 2, "kernel_size": 3, "strides": 2},
        (4, 2),
        reference=spread([2], [(0, 0)]),
    ),
    Case(
        L.Conv1DTranspose, {"filters": 2, "kernel_size": 2, "strides": 3, "padding": "same"}, (4, 2)
    ),
    Case(
        L.Conv2DTranspose,
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
        (3, 4, 2),
        reference=spread([2, 2], [(0, 1), (0, 1)]),
    ),
    Case(
        L.Conv2DTranspose,
        {"filters": 3, "kernel_size": 4, "strides": (2, 1), "padding": "same"},
        (3, 4, 2),
        reference=spread([2, 1], [(1, 1), (1, 2)]),
    ),
    Case(
        L.Conv2DTranspose,
        {"filters": 2, "kernel_size": 2, "strides": 3},
        (2, 3, 2),
        reference=spread([3, 3], [(0, -1), (0, -1)]),
    ),
    Case(
        L.Conv2DTranspose,
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1},
        (3, 4, 2),
    ),
    Case(
        L.Conv2DTranspose,
        {"filters": 2, "kernel_size": 4, "strides": 3, "padding": "same", "output_padding": (0, 2)},
        (3, 4, 2),
    ),
    Case(
        L.Conv2DTranspose,
        {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1},
        (3, 4, 2),
        reference=spread([2, 2], [(0, -1), (0, -1)]),
    ),
    Case(
        L.Conv2DTranspose,
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": 1, "output_padding": 1},
        (3, 4, 2),
        keras=False,
        reference=spread([2, 2], [(1, 0), (1, 0)]),
    ),
    Case(L.Conv2DTranspose, {"filters": 2, "kernel_size": 3, "dilation_rate": 2}, (3, 4, 2)),
    Case(
        L.Conv2DTranspose,
        {"filters": 2, "kernel_size": 3, "activation": "sigmoid", "use_bias": False},
        (3, 4, 2),
    ),
    Case(
        L.Conv2DTranspose,
        {"filters": 2, "kernel_size": 3, "strides": 2, **FIRST},
        (2, 3, 4),
        "channels_first",
    ),
    Case(
        L.Conv3DTranspose,
        {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "same"},
        (2, 3, 2, 2),
    ),
]


@each(CASES)
def test_battery(case):
    case.check()


def test_a_transposed_convolution_is_the_gradient_of_a_convolution():
    wide = torch.randn(1, 8, 6, 2, requires_grad=True)
    down = L.Conv2D(4, 3, 2, "same", use_bias=False)
    y = down(wide)
    seed = torch.randn_like(y)
    (grad,) = torch.autograd.grad(y, wide, seed)
    up = L.Conv2DTranspose(2, 3, 2, "same", use_bias=False)
    up(seed)
    up.set_weights(down.get_weights())
    assert torch.allclose(up(seed), grad, atol=1e-5)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.Conv2DTranspose(1, 3, 2, padding=3)(torch.zeros(1, 2, 2, 2)),
            "Conv2DTranspose: the window does not fit axis H\n"
            "  got   input (2, 2, 2), axis H = 2\n"
            "  need  H >= 3\n"
            "  math  ((2 - 1)*2 + 1 - 2 - 3) // 1 + 1 = -1\n"
            '  fix   padding="same", a smaller window, a larger input, or one pooling layer fewer',
        ),
        (
            lambda: L.Conv2DTranspose(8, 3, 2, output_padding=2),
            "Conv2DTranspose: the output padding is not less than the stride\n"
            "  got   output_padding=2, strides=2\n"
            "  need  output_padding < 2: a further cell is reached by no input\n"
            "  fix   output_padding=1",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message
