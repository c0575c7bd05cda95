"""Merging: cases for the battery, independent references, operators of symbols, messages."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import Case, each, told

from striate.core.graph import Graph
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
        (L.Concatenate, [(None, 8, 3), (8, 8, 2)], (None, 8, 5)),
        (L.Concatenate, [(8, None), (8, 3)], (8, None)),
    ],
)
def test_unknown_sizes_stay_unknown(kind, shapes, inferred):
    assert kind().infer(*map(Spec, shapes)).shape == inferred


def test_a_list_of_inputs_is_taken_too():
    x = Input((4,))
    assert L.Add()([x, x]).shape == (None, 4)


def test_spread_sizes_are_not_stated_as_places():
    assert L.Add().windows(Spec((4, 3)), Spec((1, 3))) is UNKNOWN


@pytest.mark.parametrize(
    ("act", "layers"),
    [
        (lambda a, b: a + b, ["add"]),
        (lambda a, b: a - b, ["subtract"]),
        (lambda a, b: a * b, ["multiply"]),
        (lambda a, b: 2 + a, ["rescaling"]),
        (lambda a, b: a + 2.5, ["rescaling"]),
        (lambda a, b: a - 3, ["rescaling"]),
        (lambda a, b: 3 - a, ["rescaling"]),
        (lambda a, b: a * 4, ["rescaling"]),
        (lambda a, b: 4 * a, ["rescaling"]),
        (lambda a, b: a / 8, ["rescaling"]),
        (lambda a, b: -a, ["rescaling"]),
        (lambda a, b: -a * b + 1, ["rescaling", "multiply", "rescaling_1"]),
    ],
)
def test_operators_of_symbols_compute_what_those_of_tensors_do(act, layers):
    inputs = Input((3,)), Input((3,))
    graph = Graph(inputs, (act(*inputs),))
    assert [node.layer.name for node in graph.nodes] == layers
    values = dict(zip(inputs, torch.randn(2, 4, 3), strict=True))
    a, b = values.values()
    for node in graph.nodes:
        values[node.outputs[0]] = node.layer(*[values[symbol] for symbol in node.inputs])
    torch.testing.assert_close(values[graph.outputs[0]], act(a, b))


@pytest.mark.parametrize("act", [lambda x: x + "a", lambda x: None * x, lambda x: x - [1]])
def test_operators_refuse_other_values(act):
    message = told(lambda: act(Input((3,))))
    assert "a symbol does not go together with a" in message.splitlines()[0]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.Add(name="join").infer(Spec((28, 28, 16)), Spec((28, 28, 32))),
            "join (Add): its inputs differ on axis 3\n"
            "  got   inputs (28, 28, 16) and (28, 28, 32)\n"
            "  need  the same shape; a size of 1 fits any other\n"
            "  fix   L.Conv2D(filters, 1) on one of them, to give both the same channels",
        ),
        (
            lambda: L.Multiply().build(Spec((28, 28, 16)), Spec((14, 28, 16))),
            "Multiply: its inputs differ on axis 1\n"
            "  got   inputs (28, 28, 16) and (14, 28, 16)\n"
            "  need  the same shape; a size of 1 fits any other\n"
            '  fix   padding="same" and equal strides on both ways, or L.Cropping2D',
        ),
        (
            lambda: L.Maximum().infer(Spec((28, 28, 16)), Spec((16,))),
            "Maximum: its inputs have different numbers of axes\n"
            "  got   inputs (28, 28, 16) and (16,)\n"
            "  need  the same shape; a size of 1 fits any other\n"
            "  fix   L.Reshape or L.Flatten on one of them",
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
            '  fix   padding="same" and equal strides on both ways, or L.Cropping2D',
        ),
        (
            lambda: L.Concatenate(4).infer(Spec((28, 28, 16)), Spec((28, 28, 16))),
            "Concatenate: axis=4 is not an axis of a sample\n"
            "  got   input (28, 28, 16)\n"
            "  need  an axis from 1 to 3, or from -3 to -1; 0 is the batch\n"
            "  fix   axis=-1",
        ),
        (
            lambda: Input((3,)) / Input((4,)),
            "/: a symbol can be divided by a number only\n"
            "  got   (3,) / (4,)\n"
            "  need  a number that is not 0\n"
            "  fix   L.Lambda(torch.div)(a, b)\n"
            "  at    test_merge.py:{line}",
        ),
        (
            lambda: Input((3,)) / 0,
            "/: a symbol is divided by 0\n"
            "  got   (3,) / 0\n"
            "  need  a number that is not 0\n"
            "  at    test_merge.py:{line}",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message.format(line=act.__code__.co_firstlineno)


@pytest.mark.parametrize("act", [lambda x, b: x + b, lambda x, b: b * x, lambda x, b: x / b])
def test_arrays_do_not_go_together_with_symbols(act):
    message = told(lambda: act(Input((3,)), np.ones(3)))
    assert message.splitlines()[1:4] == [
        "  got   (3,) and ndarray",
        "  need  another symbol, or a number",
        "  fix   L.Lambda(lambda x: x + constant)(x), or an L.Input for the values",
    ]
