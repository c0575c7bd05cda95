"""Pooling: cases for the battery, independent references, messages."""

from __future__ import annotations

import math

import pytest
import torch
from cases import Case, each, told
from torch.nn import functional

from striate.core.spec import Spec
from striate.core.window import UNKNOWN
from striate.layers import GlobalAveragePooling1D, pool as L


def window_by_window(size, strides, pads, reduce, fill):
    """Pool a channels-last batch in plain loops; `reduce` takes a list of the window's cells."""

    def reference(x):
        x = x.movedim(-1, 1)
        full = functional.pad(x, [side for pair in reversed(pads) for side in pair], value=math.nan)
        rank = x.dim() - 2
        for axis in range(rank):
            full = full.unfold(2 + axis, size[axis], strides[axis])
        cells = full.flatten(2 + rank)  # (N, C, H', W', cells of the window)
        real = ~cells.isnan()
        return reduce(cells.nan_to_num(fill), real).movedim(1, -1)

    return reference


def largest(cells, real):
    return cells.amax(-1)


def mean(cells, real):
    return cells.sum(-1) / real.sum(-1)


def norm(p):
    return lambda cells, real: torch.linalg.vector_norm(cells, p, -1)


def max_of(size, strides, pads):
    return window_by_window(size, strides, pads, largest, -math.inf)


def mean_of(size, strides, pads):
    return window_by_window(size, strides, pads, mean, 0.0)


def norm_of(p, size, strides, pads):
    return window_by_window(size, strides, pads, norm(p), 0.0)


NONE = [(0, 0), (0, 0)]
SLIDING = [
    Case(L.MaxPooling1D, {}, (7, 2), reference=max_of([2], [2], [(0, 0)])),
    Case(L.MaxPooling1D, {"pool_size": 3, "strides": 2, "padding": "same"}, (8, 2)),
    Case(L.MaxPooling2D, {}, (6, 5, 2), reference=max_of([2, 2], [2, 2], NONE)),
    Case(L.MaxPooling2D, {"pool_size": (3, 2), "strides": (1, 2)}, (6, 5, 2)),
    Case(
        L.MaxPooling2D,
        {"pool_size": 3, "strides": 2, "padding": "same"},
        (8, 5, 2),
        reference=max_of([3, 3], [2, 2], [(0, 1), (1, 1)]),
    ),
    Case(L.MaxPooling2D, {"padding": "same"}, (7, 4, 1), data_format="channels_last"),
    Case(L.MaxPooling2D, {"pool_size": 2, "strides": 3}, (8, 8, 1)),
    Case(
        L.MaxPooling2D,
        {"pool_size": 3, "strides": 2, "padding": 1},
        (6, 5, 2),
        keras=False,
        reference=max_of([3, 3], [2, 2], [(1, 1), (1, 1)]),
    ),
    Case(
        L.MaxPooling2D,
        {"pool_size": 3, "padding": ((0, 1), (1, 0))},
        (6, 5, 2),
        keras=False,
        reference=max_of([3, 3], [3, 3], [(0, 1), (1, 0)]),
    ),
    Case(
        L.MaxPooling2D, {"data_format": "channels_first"}, (2, 6, 5), data_format="channels_first"
    ),
    Case(L.MaxPooling3D, {}, (4, 5, 4, 2)),
    Case(L.MaxPooling3D, {"pool_size": 3, "strides": 2, "padding": "same"}, (4, 5, 4, 1)),
    Case(L.AveragePooling1D, {"pool_size": 2}, (7, 2), reference=mean_of([2], [2], [(0, 0)])),
    Case(
        L.AveragePooling1D,
        {"pool_size": 3, "strides": 2, "padding": "same"},
        (8, 2),
        reference=mean_of([3], [2], [(0, 1)]),
    ),
    Case(L.AveragePooling2D, {"pool_size": 2}, (6, 5, 2), reference=mean_of([2, 2], [2, 2], NONE)),
    Case(L.AveragePooling2D, {"pool_size": (3, 2), "strides": (1, 2)}, (6, 5, 2)),
    Case(
        L.AveragePooling2D,
        {"pool_size": 3, "strides": 2, "padding": "same"},
        (8, 5, 2),
        reference=mean_of([3, 3], [2, 2], [(0, 1), (1, 1)]),
    ),
    Case(
        L.AveragePooling2D,
        {"pool_size": 3, "strides": 1, "padding": "same"},
        (5, 4, 2),
        reference=mean_of([3, 3], [1, 1], [(1, 1), (1, 1)]),
    ),
    Case(
        L.AveragePooling2D,
        {"pool_size": 3, "strides": 2, "padding": 1},
        (6, 5, 2),
        keras=False,
        reference=mean_of([3, 3], [2, 2], [(1, 1), (1, 1)]),
    ),
    Case(
        L.AveragePooling2D,
        {"pool_size": 2, "data_format": "channels_first"},
        (2, 6, 5),
        data_format="channels_first",
    ),
    Case(L.AveragePooling3D, {"pool_size": 2}, (4, 5, 4, 2)),
    Case(L.AveragePooling3D, {"pool_size": 3, "strides": 2, "padding": "same"}, (5, 3, 5, 1)),
    Case(L.LpPooling1D, {"p": 3}, (7, 2), keras=False, reference=norm_of(3, [2], [2], [(0, 0)])),
    Case(
        L.LpPooling2D,
        {"pool_size": 3, "strides": 2, "padding": "same", "p": 1.5},
        (6, 5, 2),
        keras=False,
        reference=norm_of(1.5, [3, 3], [2, 2], [(0, 1), (1, 1)]),
    ),
    Case(
        L.LpPooling2D,
        {"p": 4},
        (6, 5, 2),
        keras=False,
        reference=lambda x: functional.lp_pool2d(x.movedim(-1, 1), 4, 2).movedim(1, -1),
    ),
    Case(L.LpPooling3D, {"p": 1}, (4, 3, 4, 2), keras=False),
    Case(L.L2Pooling1D, {"padding": "same"}, (7, 2), keras=False),
    Case(
        L.L2Pooling2D,
        {},
        (6, 5, 2),
        keras=False,
        reference=lambda x: functional.lp_pool2d(x.movedim(-1, 1), 2, 2).movedim(1, -1),
    ),
    Case(
        L.L2Pooling2D,
        {"pool_size": 3, "strides": 1, "padding": "same"},
        (4, 5, 2),
        keras=False,
        reference=norm_of(2, [3, 3], [1, 1], [(1, 1), (1, 1)]),
    ),
    Case(L.L2Pooling3D, {}, (4, 3, 4, 2), keras=False),
]

WHOLE = [
    Case(kind, kwargs, shape, reference=reference)
    for kinds, over in (
        ((GlobalAveragePooling1D, L.GlobalAveragePooling2D, L.GlobalAveragePooling3D), "mean"),
        ((L.GlobalMaxPooling1D, L.GlobalMaxPooling2D, L.GlobalMaxPooling3D), "amax"),
    )
    for kind, shape in zip(kinds, [(5, 3), (4, 5, 3), (3, 2, 4, 2)], strict=True)
    for kwargs, reference in (
        ({}, lambda x, over=over: getattr(x.flatten(1, -2), over)(1)),
        ({"keepdims": True}, None),
    )
] + [
    Case(
        L.GlobalAveragePooling2D,
        {"data_format": "channels_first"},
        (3, 4, 5),
        data_format="channels_first",
    ),
    Case(
        L.GlobalMaxPooling2D,
        {"data_format": "channels_first", "keepdims": True},
        (3, 4, 5),
        data_format="channels_first",
    ),
]


def spans_of(n, reduce):
    """Pool (H, C) to n cells in a plain loop."""

    def reference(x):
        size = x.shape[1]
        spans = [(i * size // n, math.ceil((i + 1) * size / n)) for i in range(n)]
        return torch.stack([reduce(x[:, start:stop]) for start, stop in spans], 1)

    return reference


ADAPTIVE = [
    Case(
        L.AdaptiveAveragePooling1D,
        {"output_size": 3},
        (7, 2),
        reference=spans_of(3, lambda x: x.mean(1)),
    ),
    Case(L.AdaptiveAveragePooling2D, {"output_size": (2, 3)}, (5, 4, 2)),
    Case(L.AdaptiveAveragePooling2D, {"output_size": 4}, (2, 8, 2)),
    Case(L.AdaptiveAveragePooling3D, {"output_size": 2}, (3, 4, 2, 2)),
    Case(
        L.AdaptiveMaxPooling1D,
        {"output_size": 3},
        (7, 2),
        reference=spans_of(3, lambda x: x.amax(1)),
    ),
    Case(L.AdaptiveMaxPooling2D, {"output_size": (2, 3)}, (5, 4, 2)),
    Case(
        L.AdaptiveMaxPooling2D,
        {"output_size": 2, "data_format": "channels_first"},
        (2, 5, 4),
        data_format="channels_first",
    ),
    Case(L.AdaptiveMaxPooling3D, {"output_size": 2}, (3, 4, 2, 2)),
]

CASES = SLIDING + WHOLE + ADAPTIVE


@each(CASES)
def test_battery(case):
    case.check()


def test_max_pooling_never_takes_the_padding():
    x = -torch.ones(1, 3, 3, 1)
    assert L.MaxPooling2D(2, padding="same")(x).eq(-1).all()


def test_the_mean_of_ones_is_one_whatever_the_padding():
    x = torch.ones(1, 5, 4, 1)
    for padding in ("same", 1, ((0, 1), (1, 0))):
        assert L.AveragePooling2D(3, 2, padding)(x).eq(1).all()


def test_norm_pooling_has_gradient_0_where_all_is_0():
    x = torch.zeros(1, 4, 4, 1, requires_grad=True)
    y = L.L2Pooling2D()(x)
    y.sum().backward()
    assert y.eq(0).all()
    assert x.grad.eq(0).all()


def test_l2_pooling_has_no_p_to_set():
    assert L.L2Pooling2D().config().keys() == L.MaxPooling2D().config().keys()


def test_adaptive_windows_of_an_unknown_size_are_not_guessed():
    layer = L.AdaptiveAveragePooling2D(2)
    assert layer.windows(Spec((None, 4, 1))) is UNKNOWN
    assert layer.infer(Spec((None, 4, 1))).shape == (2, 2, 1)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.MaxPooling2D(0),
            "MaxPooling2D: pool_size=0 is not a whole number of at least 1\n"
            "  need  one whole number >= 1, or a tuple of 2\n"
            "  fix   pool_size=2",
        ),
        (
            lambda: L.AveragePooling1D(2, (1, 1)),
            "AveragePooling1D: strides=(1, 1) does not give a size to each of 1 spatial axes\n"
            "  need  one whole number >= 1, or a tuple of 1\n"
            "  fix   strides=1",
        ),
        (
            lambda: L.MaxPooling2D(padding="sane"),
            "MaxPooling2D: padding='sane' is not known\n"
            '  need  "valid", "same", a number of cells, or a tuple of 2 numbers or pairs\n'
            '  fix   did you mean "same"?',
        ),
        (
            lambda: L.MaxPooling2D(3, padding=((0, 1), (2, 0))),
            "MaxPooling2D: the padding is more than half of the window\n"
            "  got   padding=((0, 1), (2, 0)), pool_size=3\n"
            "  need  padding <= pool_size // 2, or windows would see nothing but padding\n"
            "  math  2 > 3 // 2 = 1\n"
            '  fix   padding="same"',
        ),
        (
            lambda: L.LpPooling2D(p=0.5, name="norm"),
            "norm (LpPooling2D): p=0.5 cannot work\n"
            "  got   p=0.5\n"
            "  need  a number, p >= 1\n"
            "  fix   p=2.0",
        ),
        (
            lambda: L.AdaptiveMaxPooling2D((2, 0)),
            "AdaptiveMaxPooling2D: output_size=(2, 0) is not a whole number of at least 1\n"
            "  need  one whole number >= 1, or a tuple of 2\n"
            "  fix   output_size=1",
        ),
        (
            lambda: L.GlobalMaxPooling2D(data_format="channels_fist"),
            "GlobalMaxPooling2D: data_format='channels_fist' is not known\n"
            "  need  data_format one of 'channels_last', 'channels_first'\n"
            '  fix   did you mean "channels_first"?',
        ),
        (
            lambda: L.MaxPooling2D(3, name="pool").infer(Spec((2, 8, 16))),
            "pool (MaxPooling2D): the window does not fit axis H\n"
            "  got   input (2, 8, 16), axis H = 2\n"
            "  need  H >= 3\n"
            "  math  (2 + 0 - 3) // 3 + 1 = 0\n"
            '  fix   padding="same", a smaller window, a larger input, or one pooling layer fewer',
        ),
        (
            lambda: L.GlobalAveragePooling2D().infer(Spec((10,))),
            "GlobalAveragePooling2D: takes samples of 3 axes, not 1\n"
            "  got   input (10,)\n"
            "  need  (H, W, C)\n"
            "  fix   the layer before L.Flatten(), not behind it",
        ),
        (
            lambda: L.MaxPooling2D(pool=2),
            "MaxPooling2D: there is no argument 'pool'\n"
            "  need  one of pool_size, strides, padding, name, trainable, data_format\n"
            '  fix   did you mean "pool_size"?\n'
            "  at    test_pool.py:{line}",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message.format(line=act.__code__.co_firstlineno)


@pytest.mark.parametrize("kind", [L.AveragePooling2D, L.L2Pooling2D])
def test_what_graphics_cards_pad_themselves_is_the_same(kind, monkeypatch):
    x = torch.randn(3, 5, 4, 2, requires_grad=True)
    layer = kind(3, strides=1, padding=1)
    found = []
    for devices in ((), ("cpu",)):
        monkeypatch.setattr(L, "PADDED_WRONG", devices)
        y = layer(x)
        found.append((y, *torch.autograd.grad(y.square().sum(), x)))
    for usual, own in zip(*found, strict=True):
        torch.testing.assert_close(own, usual)
