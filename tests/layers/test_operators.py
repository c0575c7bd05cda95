"""Operators of symbols: the layers they become, their values, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import Case, each, told

from striate.core.graph import Graph
from striate.core.spec import Spec
from striate.core.symbol import Input
from striate.layers import operators as L

CASES = [
    Case(
        L.Arithmetic,
        {"operator": "/"},
        [(4, 3), (4, 3)],
        keras=False,
        reference=lambda a, b: a / b,
        domain=lambda x: x.abs() + 1,
    ),
    Case(
        L.Arithmetic,
        {"operator": "/", "left": 2.0},
        (4, 3),
        keras=False,
        reference=lambda x: 2 / x,
        domain=lambda x: x.abs() + 1,
    ),
    Case(
        L.Arithmetic,
        {"operator": "**", "right": 3.0},
        (4,),
        keras=False,
        reference=lambda x: x * x * x,
    ),
    Case(
        L.Arithmetic,
        {"operator": "%", "right": 2.0},
        (2, 3),
        dtype="uint8",
        keras=False,
        reference=lambda x: (x % 2).float(),
    ),
]


@each(CASES)
def test_battery(case):
    case.check()


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
        (lambda a, b: a / b, ["arithmetic"]),
        (lambda a, b: 1 / a, ["arithmetic"]),
        (lambda a, b: a // 2, ["arithmetic"]),
        (lambda a, b: 2 // a, ["arithmetic"]),
        (lambda a, b: a % b, ["arithmetic"]),
        (lambda a, b: 3 % a, ["arithmetic"]),
        (lambda a, b: a**2, ["arithmetic"]),
        (lambda a, b: 2**a, ["arithmetic"]),
        (lambda a, b: abs(a), ["rescaling", "maximum"]),
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


def test_a_matrix_product_of_symbols_is_one_for_each_sample():
    a, b = Input((2, 3)), Input((3, 4))
    y = a @ b
    values = torch.randn(5, 2, 3), torch.randn(5, 3, 4)
    assert y.shape == (None, 2, 4)
    torch.testing.assert_close(y.node.layer(*values), values[0] @ values[1])


@pytest.mark.parametrize(
    "act", [lambda x: x + "a", lambda x: None * x, lambda x: x - [1], lambda x: {} / x]
)
def test_operators_refuse_other_values(act):
    message = told(lambda: act(Input((3,))))
    assert "a symbol does not go together with a" in message.splitlines()[0]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: Input((3,)) / 0,
            "/: a symbol is divided by 0\n"
            "  got   (3,) / 0\n"
            "  need  a number that is not 0\n"
            "  at    test_operators.py:{line}",
        ),
        (
            lambda: Input((3,)) @ Input((3,)),
            "@: only samples that are matrices can be multiplied\n"
            "  got   (3,) @ (3,)\n"
            "  need  (rows, n) @ (n, columns)\n"
            "  fix   L.Dot(axes)(a, b), or L.Dense(units)(a)\n"
            "  at    test_operators.py:{line}",
        ),
        (
            lambda: Input((3,))[:, 1],
            "[]: a symbol cannot be indexed: it has a shape but no values\n"
            "  got   (3,)[(slice(None, None, None), 1)]\n"
            "  need  a layer that takes the part\n"
            "  fix   L.Lambda(lambda x: x[:, :2])(x), where axis 0 is the batch, or L.Cropping2D\n"
            "  at    test_operators.py:{line}",
        ),
        (
            lambda: L.Arithmetic("/", 1.0).infer(Spec((3,)), Spec((3,))),
            "Arithmetic: takes 1 inputs, not 2\n  got   inputs (3,) and (3,)\n  need  1.0 / input",
        ),
        (
            lambda: L.Arithmetic("+"),
            "Arithmetic: operator='+' is not known\n  need  operator one of '/', '//', '%', '**'",
        ),
        (
            lambda: L.Arithmetic("/", left="a"),
            "Arithmetic: left='a' cannot work\n"
            "  got   left='a'\n"
            "  need  a finite number\n"
            "  fix   left=1.0",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message.format(line=act.__code__.co_firstlineno)


@pytest.mark.parametrize("act", [lambda x, b: x + b, lambda x, b: b * x, lambda x, b: x / b])
def test_arrays_do_not_go_together_with_symbols(act):
    message = told(lambda: act(Input((3,)), np.ones(3)))
    assert message.splitlines()[1:3] == [
        "  got   (3,) and ndarray",
        "  need  another symbol, or a number",
    ]
