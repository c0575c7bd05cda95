"""Plain convolutions: cases for the battery, independent references, messages."""

from __future__ import annotations

import inspect
import itertools
import os
import subprocess
import sys

import pytest
import torch
from cases import Case, each, told
from torch.nn import functional

from striate.core.spec import Spec
from striate.core.symbol import Input
from striate.layers import conv as L
from striate.layers.convolve import convolve


def correlate(strides, pads, dilation):
    """Correlate a channels-last batch in plain loops over the cells of the output."""

    def reference(x, kernel, bias):
        x = functional.pad(x, (0, 0, *[side for pair in reversed(pads) for side in pair]))
        size = kernel.shape[:-2]
        axes = zip(x.shape[1:-1], size, strides, dilation, strict=True)
        places = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in axes]
        y = torch.zeros(x.shape[0], *places, kernel.shape[-1], dtype=x.dtype)
        for place in itertools.product(*map(range, places)):
            for tap in itertools.product(*map(range, size)):
                cell = [
                    p * s + t * d for p, s, t, d in zip(place, strides, tap, dilation, strict=True)
                ]
                y[(slice(None), *place)] += x[(slice(None), *cell)] @ kernel[tap]
        return y + bias

    return reference


ONE, NONE = [1, 1], [(0, 0), (0, 0)]
FIRST = {"data_format": "channels_first"}
CASES = [
    Case(
        L.Conv1D,
        {"filters": 3, "kernel_size": 3},
        (7, 2),
        reference=correlate([1], [(0, 0)], [1]),
    ),
    Case(
        L.Conv1D,
        {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 2},
        (7, 2),
        reference=correlate([1], [(4, 0)], [2]),
    ),
    Case(L.Conv1D, {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "causal"}, (7, 2)),
    Case(L.Conv1D, {"filters": 4, "kernel_size": 4, "strides": 3, "padding": "same"}, (8, 2)),
    Case(
        L.Conv2D,
        {"filters": 3, "kernel_size": 3},
        (5, 6, 2),
        reference=correlate(ONE, NONE, ONE),
    ),
    Case(
        L.Conv2D,
        {"filters": 2, "kernel_size": (3, 2), "strides": 2, "padding": "same"},
        (6, 5, 2),
        reference=correlate([2, 2], [(0, 1), (0, 1)], ONE),
    ),
    Case(
        L.Conv2D,
        {"filters": 2, "kernel_size": 2, "padding": "same"},
        (3, 4, 2),
        reference=correlate(ONE, [(0, 1), (0, 1)], ONE),
    ),
    Case(
        L.Conv2D,
        {"filters": 2, "kernel_size": 3, "dilation_rate": (2, 1), "padding": "same"},
        (5, 4, 1),
        reference=correlate(ONE, [(2, 2), (1, 1)], [2, 1]),
    ),
    Case(
        L.Conv2D,
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": ((0, 2), (1, 1))},
        (5, 6, 2),
        keras=False,
        reference=correlate([2, 2], [(0, 2), (1, 1)], ONE),
    ),
    Case(
        L.Conv2D,
        {"filters": 2, "kernel_size": 3, "padding": 2},
        (3, 4, 2),
        keras=False,
        reference=correlate(ONE, [(2, 2), (2, 2)], ONE),
    ),
    Case(L.Conv2D, {"filters": 2, "kernel_size": 1, "strides": 2}, (5, 4, 3)),
    Case(L.Conv2D, {"filters": 4, "kernel_size": 3, "groups": 2}, (4, 5, 4)),
    Case(L.Conv2D, {"filters": 2, "kernel_size": 3, "activation": "relu"}, (4, 5, 2)),
    Case(L.Conv2D, {"filters": 2, "kernel_size": 3, "activation": "tanh"}, (4, 5, 2)),
    Case(L.Conv2D, {"filters": 2, "kernel_size": 3, "use_bias": False}, (4, 5, 2)),
    Case(L.Conv2D, {"filters": 2, "kernel_size": 3, **FIRST}, (2, 4, 5), "channels_first"),
    Case(
        L.Conv2D,
        {"filters": 4, "kernel_size": 3, "padding": "same", "groups": 2, "strides": 2, **FIRST},
        (2, 4, 5),
        "channels_first",
    ),
    Case(L.Conv3D, {"filters": 2, "kernel_size": 2}, (3, 4, 3, 2)),
    Case(
        L.Conv3D,
        {"filters": 2, "kernel_size": (3, 2, 1), "strides": 2, "padding": "same"},
        (3, 4, 3, 2),
    ),
]


@each(CASES)
def test_battery(case):
    case.check()


def test_convolution_is_linear():
    layer = L.Conv2D(3, 3, padding="same", use_bias=False)
    x, y = torch.randn(2, 1, 6, 5, 2)
    assert torch.allclose(layer(2 * x + y), 2 * layer(x) + layer(y), atol=1e-5)


def test_convolution_commutes_with_shifts_of_its_stride():
    layer = L.Conv2D(3, 3, 2)
    x = torch.randn(1, 11, 9, 2)
    assert torch.allclose(layer(x[:, 2:]), layer(x)[:, 1:], atol=1e-6)


def test_the_padding_word_may_be_upper_case():
    assert L.Conv2D(1, 3, padding="SAME").infer(Spec((5, 5, 1))).shape == (5, 5, 1)


CHANNELS = "\n  fix   L.Input((None, None, 3)): only heights and widths may be None"
COUNT = "is not a whole number of at least 1"


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.Conv2D(32, 7, name="conv").infer(Spec((5, 5, 64))),
            "conv (Conv2D): the window does not fit axis H\n"
            "  got   input (5, 5, 64), axis H = 5\n"
            "  need  H >= 7\n"
            "  math  (5 + 0 - 7) // 1 + 1 = -1\n"
            '  fix   padding="same", a smaller window, a larger input, or one pooling layer fewer',
        ),
        (
            lambda: L.Conv2D(0, 3),
            f"Conv2D: filters=0 {COUNT}\n  need  filters >= 1\n  fix   filters=1",
        ),
        (
            lambda: L.Conv2D(32.0, 3),
            f"Conv2D: filters=32.0 {COUNT}\n  need  filters >= 1\n  fix   filters=32",
        ),
        (
            lambda: L.Conv2D(1, (3, 3, 3)),
            "Conv2D: kernel_size=(3, 3, 3) does not give a size to each of 2 spatial axes\n"
            "  need  one whole number >= 1, or a tuple of 2\n"
            "  fix   kernel_size=3",
        ),
        (
            lambda: L.Conv2D(1, 3, strides=0),
            f"Conv2D: strides=0 {COUNT}\n"
            "  need  one whole number >= 1, or a tuple of 2\n"
            "  fix   strides=1",
        ),
        (
            lambda: L.Conv2D(1, 3, padding="causal"),
            "Conv2D: padding='causal' is not known\n"
            '  need  "valid", "same", a number of cells, or a tuple of 2 numbers or pairs\n'
            '  fix   padding="same"',
        ),
        (
            lambda: L.Conv2D(6, 3, groups=4),
            "Conv2D: the filters do not divide into the groups\n"
            "  got   filters=6, groups=4\n"
            "  need  filters % groups = 0\n"
            "  math  6 % 4 = 2\n"
            "  fix   filters=8",
        ),
        (
            lambda: L.Conv2D(8, 3, groups=4).ensure_built((Spec((8, 8, 6)),)),
            "Conv2D: the input's channels do not divide into the groups\n"
            "  got   input (8, 8, 6), groups=4\n"
            "  need  channels % groups = 0\n"
            "  math  6 % 4 = 2\n"
            "  fix   groups=2",
        ),
        (
            lambda: L.Conv2D(8, 3, name="first")(Input((8, 8, None))),
            "first (Conv2D): the number of channels must be known\n"
            "  got   input (8, 8, ?)\n"
            f"  need  a number on the channel axis{CHANNELS}\n"
            "  at    test_conv.py:{line}",
        ),
        (
            lambda: L.Conv2D(8, 3)(torch.zeros(1, 28, 28)),
            "Conv2D: takes samples of 3 axes, not 2\n"
            "  got   input (28, 28)\n"
            "  need  (H, W, C)\n"
            "  fix   L.Reshape((28, 28, 1)) in front: the input has no channel axis",
        ),
        (
            lambda: L.Conv2D(8, 3, activation="rellu"),
            "Conv2D: unknown activation 'rellu'\n"
            "  need  one of {activations}\n"
            '  fix   did you mean "relu"?',
        ),
        (
            lambda: L.Conv2D(8, 3, activation=3),
            "Conv2D: activation=3 is neither a name nor a function\n"
            '  need  a name like "relu", a function of a tensor, or None\n'
            '  fix   activation="relu"',
        ),
        (
            lambda: L.Conv2D(8, 3, data_format="NCHW"),
            "Conv2D: data_format='NCHW' is not known\n"
            "  need  data_format one of 'channels_last', 'channels_first'\n"
            '  fix   data_format="channels_first"',
        ),
    ],
)
def test_messages(act, message):
    from striate.layers.activation import FUNCTIONS

    line, names = act.__code__.co_firstlineno, ", ".join(sorted(FUNCTIONS))
    assert told(act) == message.replace("{line}", str(line)).replace("{activations}", names)


def test_a_shared_convolution_keeps_its_channels():
    layer = L.Conv2D(8, 3, name="shared")
    layer(Input((8, 8, 3)))
    assert told(lambda: layer.infer(Spec((8, 8, 4)))) == (
        "shared (Conv2D): is shared by inputs of different channels\n"
        "  got   input (8, 8, 4)\n"
        "  need  3 channels, as at its first call\n"
        "  fix   one layer for each input"
    )


def test_a_misspelt_initializer_is_told_with_its_field():
    message = told(lambda: L.Conv2D(8, 3, kernel_initializer="he_normall"))
    first, *_, last = message.splitlines()
    assert first == "Conv2D, kernel_initializer: unknown initializer 'he_normall'"
    assert last == '  fix   did you mean "he_normal"?'


def test_a_missing_argument_is_told():
    line = inspect.currentframe().f_lineno + 1
    assert told(lambda: L.Conv2D(32)) == (
        "Conv2D: missing a required argument: 'kernel_size'\n"
        "  need  Conv2D(filters, kernel_size, ...)\n"
        f"  at    test_conv.py:{line}"
    )
    assert told(lambda: [L.Conv2D()]) == (
        "Conv2D: missing a required argument: 'filters'\n"
        "  need  Conv2D(filters, kernel_size, ...)\n"
        f"  at    test_conv.py:{line + 5}"
    )


SMALL = """
import torch
from striate import layers as L
layer = L.Conv2D(8, 1, strides=2)
for _ in range(300):
    layer(torch.randn(16, 6, 6, 4, requires_grad=True)).square().sum().backward()
"""


def test_strides_of_one_cell_stay_within_memory():
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_CHECK_": "3"}
    done = subprocess.run(
        [sys.executable, "-c", SMALL], env=alone, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_strides_of_one_cell_are_those_of_torch(rank):
    torch.manual_seed(0)
    x, weight = torch.randn(2, 3, *(7, 6, 5)[:rank]), torch.randn(4, 3, *(1,) * rank)
    strides = (2, 3, 1)[:rank]
    wanted = (torch.conv1d, torch.conv2d, torch.conv3d)[rank - 1](x, weight, None, strides)
    assert torch.allclose(convolve(x, weight, None, strides), wanted, atol=1e-6)
