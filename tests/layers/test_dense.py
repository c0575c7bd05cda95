"""Dense: cases for the battery, independent references, messages."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import Case, each, told

from striate.core.spec import Spec
from striate.core.symbol import Input
from striate.layers.dense import Dense


def mixed(x, kernel, bias=0):
    return torch.einsum("...i,ij->...j", x, kernel) + bias


CASES = [
    Case(Dense, {"units": 3}, (4,), reference=mixed),
    Case(Dense, {"units": 2, "use_bias": False}, (5,), reference=mixed),
    Case(Dense, {"units": 3, "activation": "relu"}, (4, 5), reference=lambda *a: mixed(*a).relu()),
    Case(Dense, {"units": 2, "activation": "softmax"}, (3, 2, 4)),
    Case(Dense, {"units": 2}, (2, 3, 2, 4), reference=mixed),
    Case(Dense, {"units": 1, "activation": "Sigmoid"}, (4,), keras=False),
    Case(Dense, {"units": 3}, (2, 4, 5), data_format="channels_first", reference=mixed),
]


@each(CASES)
def test_battery(case):
    case.check()


def test_macs_are_those_of_each_place():
    layer = Dense(3)
    assert layer.macs(Spec((4, 5)), Spec((4, 3))) == 4 * 3 * 5


def test_the_words_of_the_weights_are_used():
    layer = Dense(
        2, kernel_initializer="ones", bias_initializer="ones", kernel_regularizer="l2",
        bias_constraint="non_neg",
    )  # fmt: skip
    assert layer(torch.ones(1, 3)).tolist() == [[4.0, 4.0]]
    assert set(layer.regularizers) == {"kernel"}
    assert set(layer.constraints) == {"bias"}


def test_before_activation_are_the_logits():
    layer = Dense(3, "softmax")
    x = torch.randn(2, 4)
    y = layer(x)
    assert layer.activation_name == "softmax"
    np.testing.assert_allclose(y.detach(), layer.before_activation(x).softmax(-1).detach())
    assert Dense(3, "linear").activation_name == ""


def test_a_name_of_an_activation_is_known_in_any_case():
    assert Dense(3, "Softmax").activation_name == "softmax"


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: Dense(0),
            "Dense: units=0 is not a whole number of at least 1\n  need  units >= 1\n"
            "  fix   units=1",
        ),
        (
            lambda: Dense(10.0, name="head"),
            "head (Dense): units=10.0 is not a whole number of at least 1\n"
            "  need  units >= 1\n"
            "  fix   units=10",
        ),
        (
            lambda: Dense(10, activation=3),
            "Dense: activation=3 is neither a name nor a function\n"
            '  need  a name like "relu", a function of a tensor, or None\n'
            '  fix   activation="relu"',
        ),
        (
            lambda: Dense(3).build(Spec((7, None))),
            "Dense: the size of the last axis must be known\n"
            "  got   input (7, ?)\n"
            "  need  a number on the last axis\n"
            "  fix   L.GlobalAveragePooling2D() in place of L.Flatten(), or known sizes in "
            "L.Input(shape)",
        ),
        (
            lambda: shared((4,), (5,)),
            "dense (Dense): is shared by inputs of different widths\n"
            "  got   input (5,)\n"
            "  need  4 on the last axis, as at its first call\n"
            "  fix   one layer for each input\n"
            "  at    test_dense.py:{line}",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message.format(line=shared.__code__.co_firstlineno + 3)


def shared(*shapes):
    layer = Dense(3)
    for shape in shapes:
        layer(Input(shape))
