"""Normalisation: cases for the battery, independent references, training, messages."""

from __future__ import annotations

import copy
import inspect

import pytest
import torch
from cases import Case, each, told
from torch import nn

from striate.core.spec import Spec
from striate.core.symbol import Input
from striate.layers import norm as L


def batch(x, gamma, beta, mean, variance):
    return gamma * (x - mean) / (variance + 1e-3).sqrt() + beta


def layer(*axes):
    """Normalise over axes of the batch in plain formulas."""

    def reference(x, gamma, beta):
        centred = x - x.mean(axes, keepdim=True)
        variance = centred.square().mean(axes, keepdim=True)
        return gamma * centred / (variance + 1e-3).sqrt() + beta

    return reference


def group(groups):
    def reference(x, gamma, beta):
        parts = x.unflatten(-1, (groups, -1))
        axes = (*range(1, x.dim() - 1), x.dim())
        centred = parts - parts.mean(axes, keepdim=True)
        variance = centred.square().mean(axes, keepdim=True)
        return gamma * (centred / (variance + 1e-3).sqrt()).flatten(-2) + beta

    return reference


BATCH = [
    Case(L.BatchNormalization, {}, (4,), modes_differ=True, reference=batch),
    Case(L.BatchNormalization, {}, (5, 3), modes_differ=True, reference=batch),
    Case(L.BatchNormalization, {}, (5, 4, 3), modes_differ=True, reference=batch),
    Case(L.BatchNormalization, {}, (2, 3, 4, 2), modes_differ=True, reference=batch),
    Case(
        L.BatchNormalization,
        {"axis": 1},
        (3, 5),
        modes_differ=True,
        reference=lambda x, *w: batch(x.mT, *w).mT,
    ),
    Case(L.BatchNormalization, {"axis": 2, "epsilon": 0.1}, (4, 3, 2), modes_differ=True),
    Case(
        L.BatchNormalization,
        {},
        (3, 5, 4),
        data_format="channels_first",
        keras=False,
        modes_differ=True,
        reference=lambda x, *w: batch(x.movedim(1, -1), *w).movedim(-1, 1),
    ),
    Case(L.BatchNormalization, {"center": False}, (4, 3), modes_differ=True),
    Case(L.BatchNormalization, {"scale": False}, (4, 3), modes_differ=True),
    Case(L.BatchNormalization, {"scale": False, "center": False}, (4,), modes_differ=True),
    Case(L.BatchNormalization, {"trainable": False}, (4, 3), keras=False),
]
SAMPLE = [
    Case(L.LayerNormalization, {}, (5,), reference=layer(1)),
    Case(L.LayerNormalization, {}, (2, 3, 5), reference=layer(3)),
    Case(L.LayerNormalization, {"axis": (1, 2)}, (4, 5), reference=layer(1, 2)),
    Case(
        L.LayerNormalization,
        {"axis": 2},
        (2, 5, 3),
        keras=False,  # Keras's torch backend fails for an axis that is not the last
        reference=lambda x, *w: layer(3)(x.mT, *w).mT,
    ),
    Case(L.LayerNormalization, {"epsilon": 0.01}, (2, 5)),
    Case(L.LayerNormalization, {"center": False, "scale": False}, (4, 5)),
    Case(L.LayerNormalization, {"scale": False}, (4, 5)),
    Case(
        L.LayerNormalization,
        {},
        (5, 4, 3),
        data_format="channels_first",
        keras=False,
        reference=lambda x, *w: layer(3)(x.movedim(1, -1), *w).movedim(-1, 1),
    ),
    Case(L.GroupNormalization, {"groups": 2}, (3, 2, 6), reference=group(2)),
    Case(L.GroupNormalization, {"groups": 3}, (6,), reference=group(3)),
    Case(L.GroupNormalization, {"groups": -1}, (4, 3), reference=group(3)),
    Case(L.GroupNormalization, {"groups": 1, "scale": False, "epsilon": 0.1}, (4, 3)),
    Case(L.GroupNormalization, {"groups": 2, "axis": 1}, (4, 3)),
    Case(
        L.GroupNormalization,
        {"groups": 2},
        (4, 5, 3),
        data_format="channels_first",
        keras=False,
        reference=lambda x, *w: group(2)(x.movedim(1, -1), *w).movedim(-1, 1),
    ),
    Case(
        L.UnitNormalization,
        {},
        (4, 3),
        reference=lambda x: x / x.square().sum(-1, keepdim=True).sqrt(),
    ),
    Case(L.RMSNormalization, {}, (4, 6)),
    Case(L.RMSNormalization, {"epsilon": 0.1}, (4, 5, 3)),
    Case(
        L.RMSNormalization,
        {"axis": (1, 2)},
        (4, 6),
        keras=False,
        reference=lambda x, s: s * x / (x.square().mean((1, 2), keepdim=True) + 1e-6).sqrt(),
    ),
    Case(L.UnitNormalization, {"axis": (1, 2)}, (4, 3)),
    Case(
        L.UnitNormalization,
        {},
        (3, 4, 5),
        data_format="channels_first",
        keras=False,
        reference=lambda x: x / x.square().sum(1, keepdim=True).sqrt(),
    ),
]
CASES = BATCH + SAMPLE


@each(CASES)
def test_battery(case):
    case.check()


def test_the_first_arguments_are_those_of_keras():
    first = {
        L.BatchNormalization: ("axis", "momentum", "epsilon", "center", "scale"),
        L.LayerNormalization: ("axis", "epsilon", "center", "scale"),
        L.GroupNormalization: ("groups", "axis", "epsilon", "center", "scale"),
        L.UnitNormalization: ("axis",),
    }
    for kind, names in first.items():
        parameters = inspect.signature(kind).parameters.values()
        assert tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY) == names


@pytest.mark.parametrize("shape", [(6, 3), (6, 5, 3), (6, 5, 4, 3), (6, 2, 3, 4, 3)])
def test_training_takes_the_statistics_of_the_batch_and_moves_the_moving_ones(shape):
    norm = L.BatchNormalization(momentum=0.9)
    x = 3 * torch.randn(shape) + 2
    twice = [norm(x), norm(x)]
    rows = x.reshape(-1, 3)
    mean, variance = rows.mean(0), rows.var(0, correction=0)
    for y in twice:
        torch.testing.assert_close(y, (x - mean) / (variance + 1e-3).sqrt())
    torch.testing.assert_close(norm.moving_mean, mean * (1 - 0.9**2))
    torch.testing.assert_close(norm.moving_variance, 0.9**2 + variance * (1 - 0.9**2))


def test_gradients_in_training_are_those_of_torch():
    norm, twin = L.BatchNormalization().double(), nn.BatchNorm2d(3, eps=1e-3).double()
    x = torch.randn(4, 5, 6, 3, dtype=torch.float64, requires_grad=True)
    dy = torch.randn(4, 5, 6, 3, dtype=torch.float64)
    first = x.detach().movedim(-1, 1).requires_grad_()
    norm(torch.zeros(4, 5, 6, 3))
    norm.double()
    (norm(norm(x)) * dy).sum().backward()  # a shared layer: the second call moves the values again
    (twin(twin(first)) * dy.movedim(-1, 1)).sum().backward()
    torch.testing.assert_close(x.grad, first.grad.movedim(1, -1))
    torch.testing.assert_close(norm.gamma.grad, twin.weight.grad)
    torch.testing.assert_close(norm.beta.grad, twin.bias.grad)


def test_a_layer_that_does_not_train_is_in_inference_mode():
    norm = L.BatchNormalization()
    x = torch.randn(8, 3)
    norm(x)
    norm.trainable = False
    before = copy.deepcopy(norm.get_weights())
    y = norm.train()(x)
    assert torch.equal(y, norm.eval()(x))
    assert all((a == b).all() for a, b in zip(before, norm.get_weights(), strict=True))


def test_the_order_of_the_weights_is_that_of_keras():
    norm = L.BatchNormalization()
    norm(torch.randn(2, 3))
    assert [*dict(norm.named_parameters()), *dict(norm.named_buffers())] == [
        "gamma", "beta", "moving_mean", "moving_variance",
    ]  # fmt: skip


def test_the_words_of_the_weights_are_used():
    norm = L.BatchNormalization(
        gamma_initializer="zeros",
        beta_initializer="ones",
        moving_mean_initializer="ones",
        moving_variance_initializer="zeros",
        gamma_regularizer="l2",
        beta_constraint="non_neg",
    )
    norm(Input((3,)))
    assert [weight.tolist() for weight in norm.weights] == [[0] * 3, [1] * 3, [1] * 3, [0] * 3]
    assert set(norm.regularizers) == {"gamma"}
    assert set(norm.constraints) == {"beta"}


def test_a_vector_of_zeros_stays():
    assert L.UnitNormalization()(torch.zeros(2, 3)).eq(0).all()


@pytest.mark.parametrize("shape", [(3,), (1, 3), (1, 1, 3)])
def test_one_value_per_channel_trains_as_in_keras(shape: tuple[int, ...]) -> None:
    norm = L.BatchNormalization(momentum=0.9, beta_initializer="ones")
    x = torch.tensor([1.0, -2.0, 30.0]).reshape(1, *shape).requires_grad_()
    y = norm(x)
    assert torch.equal(y, torch.ones_like(x))  # beta
    torch.testing.assert_close(norm.moving_mean, torch.tensor([0.1, -0.2, 3.0]))
    torch.testing.assert_close(norm.moving_variance, torch.full((3,), 0.9))
    gradients = torch.autograd.grad(y.sum(), [x, norm.gamma, norm.beta])
    assert [part.abs().sum().item() for part in gradients] == [0, 0, 3]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.BatchNormalization(momentum=1.5),
            "BatchNormalization: momentum=1.5 cannot work\n"
            "  got   momentum=1.5\n"
            "  need  a number, 0 <= momentum <= 1\n"
            "  fix   momentum=0.99",
        ),
        (
            lambda: L.BatchNormalization(epsilon=0),
            "BatchNormalization: epsilon=0 cannot work\n"
            "  got   epsilon=0\n"
            "  need  a number, epsilon > 0\n"
            "  fix   epsilon=0.001",
        ),
        (
            lambda: L.LayerNormalization(epsilon=-1),
            "LayerNormalization: epsilon=-1 cannot work\n"
            "  got   epsilon=-1\n"
            "  need  a number, epsilon >= 0\n"
            "  fix   epsilon=0.001",
        ),
        (
            lambda: L.BatchNormalization(0, name="norm").infer(Spec((28, 28, 3))),
            "norm (BatchNormalization): axis=0 is not an axis of a sample\n"
            "  got   input (28, 28, 3)\n"
            "  need  an axis from 1 to 3, or from -3 to -1; 0 is the batch\n"
            "  fix   axis=-1",
        ),
        (
            lambda: L.UnitNormalization((1, 3)).build(Spec((4, 5))),
            "UnitNormalization: axis=3 is not an axis of a sample\n"
            "  got   input (4, 5)\n"
            "  need  an axis from 1 to 2, or from -2 to -1; 0 is the batch\n"
            "  fix   axis=-1",
        ),
        (
            lambda: L.LayerNormalization(axis=(1, 2)).infer(Spec((None, 8, 3))),
            "LayerNormalization: the size of axis 1 must be known: the weights are made for it\n"
            "  got   input (?, 8, 3)\n"
            "  need  a number on axis 1\n"
            "  fix   give the size in L.Input(shape)",
        ),
        (
            lambda: shared((8, 8, 3), (8, 8, 4)),
            "batch_normalization (BatchNormalization): is shared by inputs of different sizes\n"
            "  got   input (8, 8, 4), axis 3 = 4\n"
            "  need  input (8, 8, 3), as at its first call\n"
            "  fix   one layer for each input\n"
            "  at    test_norm.py:{line}",
        ),
        (
            lambda: L.GroupNormalization().infer(Spec((8, 8, 48))),
            "GroupNormalization: the input's channels do not divide into the groups\n"
            "  got   input (8, 8, 48), groups=32\n"
            "  need  channels % groups = 0\n"
            "  math  48 % 32 = 16\n"
            "  fix   groups=24",
        ),
        (
            lambda: L.GroupNormalization(0),
            "GroupNormalization: groups=0 is not a whole number of at least 1\n"
            "  need  groups >= 1\n"
            "  fix   groups=1",
        ),
        (
            lambda: L.BatchNormalization(axis=(1, 3)),
            "BatchNormalization: axis=(1, 3) is not one axis\n"
            "  need  a whole number; 0 is the batch\n"
            "  fix   axis=-1",
        ),
        (
            lambda: L.GroupNormalization(axis=(1, 3)),
            "GroupNormalization: axis=(1, 3) is not one axis\n"
            "  need  a whole number; 0 is the batch\n"
            "  fix   axis=-1",
        ),
        (
            lambda: L.LayerNormalization(axis=()),
            "LayerNormalization: axis=() is not one axis or several\n"
            "  need  a whole number or a tuple of them; 0 is the batch\n"
            "  fix   axis=-1",
        ),
        (
            lambda: L.UnitNormalization("last"),
            "UnitNormalization: axis='last' is not one axis or several\n"
            "  need  a whole number or a tuple of them; 0 is the batch\n"
            "  fix   axis=-1",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message.replace("{line}", str(shared.__code__.co_firstlineno + 3))


def shared(*shapes):
    norm = L.BatchNormalization()
    for shape in shapes:
        norm(Input(shape))


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_groups_of_what_needs_no_gradient_have_theirs(channels: int) -> None:
    x = torch.randn(4, 5, 5, channels)  # torch 2.13 dies of it where the channels come last
    layer = L.GroupNormalization(groups=1)
    layer(Input((5, 5, channels)))
    (layer(x) * torch.arange(5.0)[:, None]).sum().backward()
    mean, spread = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), keepdim=True, correction=0)
    normal = (x - mean) / (spread + layer.epsilon).sqrt()
    wanted = (normal * torch.arange(5.0)[:, None]).sum((0, 1, 2))
    assert torch.allclose(layer.gamma.grad, wanted, rtol=1e-4, atol=1e-4)
