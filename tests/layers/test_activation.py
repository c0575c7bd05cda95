"""Activations: cases for the battery, independent references, messages."""

from __future__ import annotations

import pytest
import torch
from cases import Case, each, told

from striate.core.spec import Spec
from striate.core.symbol import Input
from striate.core.window import UNKNOWN
from striate.layers import activation as L

NAMED = sorted(L.FUNCTIONS)
CASES = [
    *(Case(L.Activation, {"activation": name}, (4, 5)) for name in NAMED if name != "sparsemax"),
    # of values near each other none becomes 0, and so each output reads all of them
    # (Keras 3.15's sparsemax does not add up to 1)
    Case(
        L.Activation,
        {"activation": "sparsemax"},
        (4, 5),
        keras=False,
        domain=lambda x: x / 50,
        reference=lambda x: x - x.mean(-1, keepdim=True) + 1 / 5,
    ),
    Case(L.Activation, {"activation": "softmax"}, (5,), reference=lambda x: x.softmax(-1)),
    Case(L.ReLU, {}, (4, 3), reference=lambda x: x.clamp(min=0)),
    Case(L.ReLU, {"max_value": 1.0}, (4, 3), reference=lambda x: x.clamp(0, 1)),
    Case(
        L.ReLU,
        {"negative_slope": 0.1},
        (4, 3),
        reference=lambda x: x.clamp(min=0) + 0.1 * x.clamp(max=0),
    ),
    Case(
        L.ReLU,
        {"max_value": 2.0, "negative_slope": 0.2, "threshold": 0.5},
        (6, 3),
        reference=lambda x: torch.where(x > 0.5, x, 0.2 * (x - 0.5)).clamp(max=2),
    ),
    Case(L.LeakyReLU, {}, (5,), reference=lambda x: x.clamp(min=0) + 0.3 * x.clamp(max=0)),
    Case(L.LeakyReLU, {"negative_slope": 0.01}, (5, 2)),
    Case(L.PReLU, {}, (4, 3), reference=lambda x, a: torch.where(x > 0, x, a * x)),
    Case(
        L.ThresholdedReLU,
        {"theta": 0.5},
        (4, 3),
        keras=False,
        reference=lambda x: torch.where(x > 0.5, x, 0.0),
    ),
    Case(L.PReLU, {"shared_axes": 1}, (4, 3), reference=lambda x, a: torch.where(x > 0, x, a * x)),
    Case(
        L.PReLU,
        {"shared_axes": (1, 2)},
        (4, 3, 2),
        reference=lambda x, a: torch.where(x > 0, x, a.reshape(2) * x),
    ),
    Case(L.ELU, {}, (5,), reference=lambda x: torch.where(x > 0, x, x.exp() - 1)),
    Case(L.ELU, {"alpha": 0.5}, (5, 2)),
    Case(
        L.SELU,
        {},
        (5, 2),
        keras=False,
        reference=lambda x: (
            1.0507009873554805 * torch.where(x > 0, x, 1.6732632423543772 * (x.exp() - 1))
        ),
    ),
    Case(
        L.GELU,
        {},
        (5, 2),
        keras=False,
        reference=lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2,
    ),
    Case(L.GELU, {"approximate": True}, (5, 2), keras=False),
    Case(L.SiLU, {}, (5, 2), keras=False, reference=lambda x: x / (1 + (-x).exp())),
    Case(L.Tanh, {}, (5, 2), keras=False, reference=torch.tanh),
    Case(L.Sigmoid, {}, (5, 2), keras=False, reference=lambda x: 1 / (1 + (-x).exp())),
    Case(L.Softmax, {}, (4, 5), reference=lambda x: x.softmax(2)),
    Case(L.Softmax, {"axis": 1}, (4, 5), reference=lambda x: x.softmax(1)),
    Case(L.Softmax, {"axis": -2}, (3, 4, 5), reference=lambda x: x.softmax(2)),
]


@each(CASES)
def test_battery(case):
    case.check()


def test_sparsemax_is_on_the_simplex_and_keeps_points_of_it():
    y = L.sparsemax(3 * torch.randn(50, 7))
    assert y.ge(0).all()
    torch.testing.assert_close(y.sum(-1), torch.ones(50))
    torch.testing.assert_close(L.sparsemax(y), y)


def test_what_a_layer_ends_with():
    logits = torch.randn(2, 3)
    for layer, name in (
        (L.Activation("Softmax"), "softmax"),
        (L.Activation("linear"), ""),
        (L.Activation(torch.tanh), ""),
        (L.Softmax(), "softmax"),
        (L.Sigmoid(), "sigmoid"),
    ):
        layer(logits)
        assert layer.activation_name == name
        assert layer.before_activation(logits) is logits


def test_a_softmax_ends_a_classifier_only_over_the_last_axis():
    first, last = L.Softmax(axis=1), L.Softmax(axis=2)
    for layer in (first, last):
        layer(torch.randn(2, 3, 4))
    assert (first.activation_name, last.activation_name) == ("", "softmax")


def test_a_layer_may_be_an_activation():
    x = torch.randn(2, 3)
    assert torch.equal(L.Activation(L.LeakyReLU(0.5))(x), torch.where(x > 0, x, x / 2))
    assert L.Activation(L.Softmax()).activation_name == "softmax"


def test_a_function_of_the_users_is_not_guessed():
    layer = L.Activation(lambda x: x.repeat(1, 2))
    assert layer.windows(Spec((3,))) is UNKNOWN
    assert layer.infer(Spec((3,))).shape == (6,)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.Activation("rleu"),
            "Activation: unknown activation 'rleu'\n"
            f"  need  one of {', '.join(NAMED)}\n"
            '  fix   did you mean "relu"?',
        ),
        (
            lambda: L.Activation(torch.nn.ReLU),
            "Activation: activation=ReLU is a class, not a function\n"
            "  need  an object of the class, which can be called on a tensor\n"
            "  fix   activation=ReLU()",
        ),
        (
            lambda: L.Softmax((1, 2)),
            "Softmax: axis=(1, 2) is not one axis\n"
            "  need  a whole number; 0 is the batch\n"
            "  fix   axis=-1",
        ),
        (
            lambda: L.PReLU(shared_axes="all"),
            "PReLU: shared_axes='all' is not one axis or several\n"
            "  need  a whole number or a tuple of them; 0 is the batch\n"
            "  fix   shared_axes=(1, 2)",
        ),
        (
            lambda: L.PReLU(shared_axes=(7,)).build(Spec((4, 4, 2))),
            "PReLU: shared_axes=7 is not an axis of a sample\n"
            "  got   input (4, 4, 2)\n"
            "  need  an axis from 1 to 3, or from -3 to -1; 0 is the batch\n"
            "  fix   shared_axes=(1, 2)",
        ),
        (
            lambda: L.ReLU(max_value=-1),
            "ReLU: max_value=-1 cannot work\n"
            "  got   max_value=-1\n"
            "  need  a number, max_value >= 0\n"
            "  fix   max_value=None",
        ),
        (
            lambda: L.ReLU(negative_slope=-0.1),
            "ReLU: negative_slope=-0.1 cannot work\n"
            "  got   negative_slope=-0.1\n"
            "  need  a number, negative_slope >= 0\n"
            "  fix   negative_slope=0.0",
        ),
        (
            lambda: L.ReLU(threshold="a"),
            "ReLU: threshold='a' cannot work\n"
            "  got   threshold='a'\n"
            "  need  a number, threshold >= 0\n"
            "  fix   threshold=0.0",
        ),
        (
            lambda: L.LeakyReLU(-1, name="leak"),
            "leak (LeakyReLU): negative_slope=-1 cannot work\n"
            "  got   negative_slope=-1\n"
            "  need  a number, negative_slope >= 0\n"
            "  fix   negative_slope=0.3",
        ),
        (
            lambda: L.ThresholdedReLU(-1),
            "ThresholdedReLU: theta=-1 cannot work\n"
            "  got   theta=-1\n"
            "  need  a number, theta >= 0\n"
            "  fix   theta=1.0",
        ),
        (
            lambda: L.ELU(-1),
            "ELU: alpha=-1 cannot work\n"
            "  got   alpha=-1\n"
            "  need  a number, alpha >= 0\n"
            "  fix   alpha=1.0",
        ),
        (
            lambda: L.Softmax(3).build(Spec((4, 5))),
            "Softmax: axis=3 is not an axis of a sample\n"
            "  got   input (4, 5)\n"
            "  need  an axis from 1 to 2, or from -2 to -1; 0 is the batch\n"
            "  fix   axis=-1",
        ),
        (
            lambda: L.PReLU(shared_axes=(1,)).build(Spec((None, None, 3))),
            "PReLU: alpha has the shape of a sample, and that is not known\n"
            "  got   input (?, ?, 3)\n"
            "  need  known sizes on the axes that are not shared\n"
            "  fix   shared_axes=(1, 2)",
        ),
        (
            lambda: shared((4, 4, 2), (5, 5, 2)),
            "p_re_lu (PReLU): is shared by inputs of different sizes\n"
            "  got   input (5, 5, 2)\n"
            "  need  input (4, 4, 2), as at its first call\n"
            "  fix   one layer for each input, or shared_axes\n"
            "  at    test_activation.py:{line}",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message.replace("{line}", str(shared.__code__.co_firstlineno + 3))


def shared(*shapes):
    layer = L.PReLU()
    for shape in shapes:
        layer(Input(shape))
