"""Merging: cases for the battery, independent references, messages."""

from __future__ import annotations

import pytest
import torch
from cases import Case, each, told

from striate.core.spec import Spec
from striate.core.symbol import Input
from striate.core.window import UNKNOWN
from striate.layers import merge as L


def cosine(x, y):
    return torch.cosine_similarity(x, y, -1)[:, None]


CASES = [
    Case(L.Add, {}, [(4, 3), (4, 3)], reference=lambda a, b: a + b),
    Case(L.Add, {}, [(4, 3), (4, 3), (4, 3)], reference=lambda a, b, c: a + b + c),
    Case(L.Add, {}, [(4, 5, 3), (1, 1, 3)], reference=lambda a, b: a + b),
    Case(L.Add, {}, [(4, 1), (1, 3)], reference=lambda a, b: a + b),
    Case(L.Multiply, {}, [(4, 5, 3), (3,)], reference=lambda a, b: a * b[:, None, None]),
    Case(L.Add, {}, [(3,), (4, 1), (2, 1, 3)]),
    Case(L.Average, {}, [(4, 5), (2, 1, 5)]),
    Case(L.Subtract, {}, [(5,), (4, 5)], reference=lambda a, b: a[:, None] - b),
    Case(L.Maximum, {}, [(2, 4, 5), (4, 5)], data_format="channels_first"),
    Case(L.Subtract, {}, [(4, 3), (4, 3)], reference=lambda a, b: a - b),
    Case(L.Multiply, {}, [(4, 3), (4, 3), (4, 3)], reference=lambda a, b, c: a * b * c),
    Case(L.Multiply, {}, [(4, 5, 3), (1, 1, 3)], reference=lambda a, b: a * b),
    Case(L.Average, {}, [(5,), (5,), (5,)], reference=lambda a, b, c: (a + b + c) / 3),
    Case(L.Maximum, {}, [(4, 3), (4, 3)], reference=lambda a, b: torch.where(a > b, a, b)),
    Case(L.Minimum, {}, [(4, 3), (4, 3)], reference=lambda a, b: torch.where(a < b, a, b)),
    Case(L.Concatenate, {}, [(4, 3), (4, 2)], reference=lambda a, b: torch.cat([a, b], 2)),
    Case(L.Concatenate, {}, [(2,), (3,), (1,)], reference=lambda *x: torch.cat(x, 1)),
    Case(L.Concatenate, {"axis": 1}, [(2, 3, 2), (4, 3, 2)]),
    Case(L.Concatenate, {"axis": -2}, [(2, 3, 2), (2, 1, 2)]),
    Case(
        L.Concatenate,
        {},
        [(2, 4, 5), (3, 4, 5)],
        data_format="channels_first",
        keras=False,
        reference=lambda a, b: torch.cat([a, b], 1),
    ),
    Case(L.Dot, {"axes": 1}, [(5,), (5,)], reference=lambda a, b: (a * b).sum(1, keepdim=True)),
    Case(L.Dot, {"axes": -1, "normalize": True}, [(5,), (5,)], reference=cosine),
    Case(
        L.Dot,
        {"axes": (2, 1)},
        [(4, 3), (3, 5)],
        reference=lambda a, b: torch.einsum("nij,njk->nik", a, b),
    ),
    Case(
        L.Dot,
        {"axes": 1},
        [(4, 3), (4, 5)],
        reference=lambda a, b: torch.einsum("nij,nik->njk", a, b),
    ),
    Case(
        L.Dot,
        {"axes": (1, 2)},
        [(4,), (3, 4)],
        keras=False,
        reference=lambda a, b: torch.einsum("ni,nji->nj", a, b),
    ),
]


@each(CASES)
def test_battery(case):
    case.check()


@pytest.mark.parametrize(
    ("kind", "shapes", "inferred"),
    [
        (L.Add, [(None, 8, 3), (8, None, 3)], (None, None, 3)),
        (L.Add, [(None, 3), (1, 3)], (None, 3)),
        (L.Add, [(None, 8, 3), (3,)], (None, 8, 3)),
        (L.Concatenate, [(None, 8, 3), (8, 8, 2)], (None, 8, 5)),
        (L.Concatenate, [(8, None), (8, 3)], (8, None)),
    ],
)
def test_unknown_sizes_stay_unknown(kind, shapes, inferred):
    assert kind().infer(*map(Spec, shapes)).shape == inferred


def test_a_list_of_inputs_is_taken_too():
    x = Input((4,))
    assert L.Add()([x, x]).shape == (None, 4)


def test_inputs_of_two_types_become_the_wider_one():
    whole, real = Spec((3,), "uint8"), Spec((3,))
    assert L.Add().infer(whole, real).dtype == L.Concatenate().infer(whole, real).dtype == "float32"
    assert L.Average().infer(whole, whole).dtype == "float32"
    x = torch.tensor([[1, 2]], dtype=torch.uint8)
    assert L.Average()(x, x + 1).tolist() == [[1.5, 2.5]]


def test_spread_sizes_are_not_stated_as_places():
    assert L.Add().windows(Spec((4, 3)), Spec((1, 3))) is UNKNOWN


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.Add(name="join").infer(Spec((28, 28, 16)), Spec((28, 28, 32))),
            "join (Add): its inputs differ on axis 3\n"
            "  got   inputs (28, 28, 16) and (28, 28, 32)\n"
            "  need  the same shape; a size of 1 fits any other\n"
            "  fix   L.Conv2D(32, 1) on the first: both need the same channels",
        ),
        (
            lambda: L.Multiply().build(Spec((28, 28, 16)), Spec((14, 28, 16))),
            "Multiply: its inputs differ on axis 1\n"
            "  got   inputs (28, 28, 16) and (14, 28, 16)\n"
            "  need  the same shape; a size of 1 fits any other\n"
            '  fix   L.CenterCrop(14, 28) on the first, or padding="same" and equal strides on '
            "both ways",
        ),
        (
            lambda: L.Maximum().infer(Spec((28, 28, 16)), Spec((28, 28))),
            "Maximum: its inputs differ on axis 3\n"
            "  got   inputs (28, 28, 16) and (28, 28)\n"
            "  need  the same shape, from the last axis on; a size of 1 fits any other\n"
            "  fix   L.Reshape on the input with fewer axes",
        ),
        (
            lambda: L.Multiply().infer(
                Spec((16, 28, 28), data_format="channels_first"),
                Spec((16,), data_format="channels_first"),
            ),
            "Multiply: its inputs differ on axis 3\n"
            "  got   inputs (16, 28, 28) and (16,)\n"
            "  need  the same shape, from the last axis on; a size of 1 fits any other\n"
            "  fix   L.Reshape((16, 1, 1)) on the input (16,)",
        ),
        (
            lambda: L.Add().infer(Spec((8, 8, 3)), Spec((3, 8, 8), data_format="channels_first")),
            "Add: its inputs have their channels on different axes\n"
            "  got   inputs (8, 8, 3) channels_last, (3, 8, 8) channels_first\n"
            "  need  one data_format for all inputs\n"
            '  fix   L.Input(shape, data_format="channels_last") for all of them',
        ),
        (
            lambda: L.Concatenate().infer(Spec((28, 28, 16)), Spec((16,))),
            "Concatenate: its inputs have different numbers of axes\n"
            "  got   inputs (28, 28, 16) and (16,)\n"
            "  need  the same number of axes\n"
            "  fix   L.Flatten() on each of them",
        ),
        (
            lambda: L.Concatenate((1, 2)),
            "Concatenate: axis=(1, 2) is not one axis\n"
            "  need  a whole number; 0 is the batch\n"
            "  fix   axis=-1",
        ),
        (
            lambda: L.Add()([]),
            "Add: was called without inputs\n  need  one input or more",
        ),
        (
            lambda: L.Subtract().infer(Spec((3,))),
            "Subtract: takes 2 inputs, not 1\n"
            "  got   inputs (3,)\n"
            "  need  2 inputs\n"
            "  fix   L.Subtract()(a, b)",
        ),
        (
            lambda: L.Dot(1).infer(Spec((3,)), Spec((3,)), Spec((3,))),
            "Dot: takes 2 inputs, not 3\n"
            "  got   inputs (3,) and (3,) and (3,)\n"
            "  need  2 inputs\n"
            "  fix   L.Dot(axes=1)(a, b)",
        ),
        (
            lambda: L.Dot((1, 2)).infer(Spec((4, 3)), Spec((4, 5))),
            "Dot: the sizes along axes=(1, 2) differ\n"
            "  got   inputs (4, 3) and (4, 5)\n"
            "  need  one size on axis 1 of the first and axis 2 of the second\n"
            "  fix   other axes, or L.Dense on one of the inputs",
        ),
        (
            lambda: L.Dot((1, 2, 3)).infer(Spec((4, 3)), Spec((4, 5))),
            "Dot: axes=(1, 2, 3) is neither one axis nor one for each of 2 inputs\n"
            "  need  a whole number or a pair of them\n"
            "  fix   axes=-1",
        ),
        (
            lambda: L.Concatenate().infer(Spec((28, 28, 16)), Spec((26, 26, 16))),
            "Concatenate: its inputs differ on another axis than axis 3\n"
            "  got   inputs (28, 28, 16) and (26, 26, 16)\n"
            "  need  the same shape but for axis 3\n"
            '  fix   L.CenterCrop(26, 26) on the first, or padding="same" and equal strides on '
            "both ways",
        ),
        (
            lambda: L.Concatenate(4).infer(Spec((28, 28, 16)), Spec((28, 28, 16))),
            "Concatenate: axis=4 is not an axis of a sample\n"
            "  got   input (28, 28, 16)\n"
            "  need  an axis from 1 to 3, or from -3 to -1; 0 is the batch\n"
            "  fix   axis=-1",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message
