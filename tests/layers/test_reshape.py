"""Moving values: cases for the battery, orders of values, messages."""

from __future__ import annotations

import pytest
import torch
from cases import Case, each, told
from torch.nn import functional

from striate.core.spec import Spec
from striate.layers import reshape as L

FIRST = {"data_format": "channels_first"}
CASES = [
    Case(L.Flatten, {"data_format": "channels_last"}, (2, 3, 4)),
    Case(L.Flatten, {"data_format": "channels_first"}, (2, 3, 4), "channels_first"),
    Case(L.Flatten, {"data_format": "channels_first"}, (5,), "channels_first"),
    Case(L.Flatten, {}, (3, 4, 2), reference=lambda x: x.reshape(len(x), 24)),
    Case(L.Flatten, {}, (5,)),
    Case(L.Reshape, {"target_shape": (2, 6)}, (3, 4), reference=lambda x: x.reshape(-1, 2, 6)),
    Case(L.Reshape, {"target_shape": (2, -1, 3)}, (3, 4, 2)),
    Case(L.Reshape, {"target_shape": (-1,)}, (3, 4)),
    Case(L.Permute, {"dims": (2, 1)}, (3, 4), reference=lambda x: x.mT),
    Case(L.Permute, {"dims": (3, 1, 2)}, (3, 4, 2)),
    Case(L.RepeatVector, {"n": 3}, (4,), reference=lambda x: torch.stack([x, x, x], 1)),
    Case(L.ZeroPadding1D, {}, (4, 2)),
    Case(L.ZeroPadding1D, {"padding": (2, 1)}, (4, 2)),
    Case(L.ZeroPadding2D, {}, (3, 4, 2)),
    Case(L.ZeroPadding2D, {"padding": 2}, (3, 4, 2)),
    Case(L.ZeroPadding2D, {"padding": (2, 1)}, (3, 4, 2)),
    Case(
        L.ZeroPadding2D,
        {"padding": ((0, 1), (2, 3))},
        (3, 4, 2),
        reference=lambda x: functional.pad(x, (0, 0, 2, 3, 0, 1)),
    ),
    Case(L.ZeroPadding2D, FIRST, (2, 3, 4), data_format="channels_first"),
    Case(L.ZeroPadding3D, {"padding": ((1, 0), (0, 2), (1, 1))}, (2, 2, 3, 1)),
    Case(L.Cropping1D, {}, (5, 2)),
    Case(L.Cropping1D, {"cropping": (2, 0)}, (5, 2), reference=lambda x: x[:, 2:]),
    Case(L.Cropping2D, {}, (3, 4, 2)),
    Case(
        L.Cropping2D,
        {"cropping": ((1, 0), (1, 2))},
        (3, 4, 2),
        reference=lambda x: x[:, 1:, 1:2],
    ),
    Case(L.Cropping2D, {"cropping": 1, **FIRST}, (2, 3, 4), data_format="channels_first"),
    Case(L.Cropping3D, {}, (3, 4, 3, 2)),
]


@each(CASES)
def test_battery(case):
    case.check()


def test_flatten_keeps_the_order_that_the_user_sees():
    x = torch.arange(24.0).reshape(1, 2, 3, 4)
    assert L.Flatten()(x).tolist() == [list(range(24))]
    first = L.Flatten()
    assert first.infer(Spec((2, 3, 4), data_format="channels_first")).shape == (24,)
    assert first(x.movedim(-1, 1))[0, :3].tolist() == [0, 4, 8]


def test_samples_that_are_numbers_become_vectors():
    assert L.Flatten()(torch.ones(3)).shape == (3, 1)


def test_an_empty_batch_keeps_the_shape_of_its_samples():
    assert L.Reshape((2, -1))(torch.ones(0, 4, 3)).shape == (0, 2, 6)


def test_unknown_sizes_stay_unknown():
    assert L.Flatten().infer(Spec((None, 3))).shape == (None,)
    assert L.Reshape((3, -1)).infer(Spec((None, 3))).shape == (3, None)
    assert L.ZeroPadding2D(1).infer(Spec((None, 3, 1))).shape == (None, 5, 1)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.Reshape((7, 7, 8)).infer(Spec((28, 28, 1))),
            "Reshape: (28, 28, 1) cannot become (7, 7, 8)\n"
            "  got   input (28, 28, 1)\n"
            "  need  as many values after as before\n"
            "  math  28*28*1 = 784, 7*7*8 = 392\n"
            "  fix   target_shape=(7, 7, -1)",
        ),
        (
            lambda: L.Reshape((5, -1), name="fold").infer(Spec((3, 4))),
            "fold (Reshape): (3, 4) cannot become (5, -1)\n"
            "  got   input (3, 4)\n"
            "  need  as many values after as before, or a multiple of the given sizes\n"
            "  math  3*4 = 12, 5 = 5\n"
            "  fix   target_shape=(-1,)",
        ),
        (
            lambda: L.Reshape((-1, -1)),
            "Reshape: target_shape=(-1, -1) is not a shape\n"
            "  need  sizes of at least 1, at most one of them -1, like (7, 7, -1)\n"
            "  fix   target_shape=(-1,)",
        ),
        (
            lambda: L.Reshape(784),
            "Reshape: target_shape=784 is not a shape\n"
            "  need  sizes of at least 1, at most one of them -1, like (7, 7, -1)\n"
            "  fix   target_shape=(784,)",
        ),
        (
            lambda: L.Permute((0, 1)),
            "Permute: dims=(0, 1) is not an order of axes\n"
            "  need  each of 1, 2... once; the batch is not counted\n"
            "  fix   dims=(2, 1)",
        ),
        (
            lambda: L.Permute((2, 1)).infer(Spec((3, 4, 5))),
            "Permute: takes samples of 2 axes, not 3\n"
            "  got   input (3, 4, 5)\n"
            "  need  one axis for each of dims=(2, 1)",
        ),
        (
            lambda: L.RepeatVector(0),
            "RepeatVector: n=0 is not a whole number of at least 1\n  need  n >= 1\n  fix   n=1",
        ),
        (
            lambda: L.RepeatVector(2).infer(Spec((3, 4))),
            "RepeatVector: takes samples of 1 axes, not 2\n"
            "  got   input (3, 4)\n"
            "  need  (C)\n"
            "  fix   put L.Flatten() before it",
        ),
        (
            lambda: L.ZeroPadding2D((1, 2, 3)),
            "ZeroPadding2D: padding=(1, 2, 3) does not give cells to the ends of 2 axes\n"
            "  need  a whole number >= 0, or a tuple of 2 numbers or pairs\n"
            "  fix   padding=1",
        ),
        (
            lambda: L.ZeroPadding2D((1, None)),
            "ZeroPadding2D: padding=(1, None) does not give cells to the ends of 2 axes\n"
            "  need  a whole number >= 0, or a tuple of 2 numbers or pairs\n"
            "  fix   padding=1",
        ),
        (
            lambda: L.Cropping1D(-1),
            "Cropping1D: cropping=-1 does not give cells to the ends of 1 axes\n"
            "  need  a whole number >= 0, or (start, end)\n"
            "  fix   cropping=1",
        ),
        (
            lambda: L.Cropping2D(2).infer(Spec((4, 8, 1))),
            "Cropping2D: the window does not fit axis H\n"
            "  got   input (4, 8, 1), axis H = 4\n"
            "  need  H >= 5\n"
            "  math  (4 - 4 - 1) // 1 + 1 = 0\n"
            "  fix   cropping=1, or a larger input",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message
