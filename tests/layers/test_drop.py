"""Dropout and noise: cases for the battery, the laws of what is drawn, messages."""

from __future__ import annotations

import copy

import pytest
import torch
from cases import Case, each, told

from striate.core.spec import Spec
from striate.layers import drop as L


def same(x):
    return x


CASES = [
    Case(L.AlphaDropout, {"rate": 0.3}, (8,), random=True),
    Case(L.Dropout, {"rate": 0.5}, (8,), random=True, reference=same),
    Case(L.Dropout, {"rate": 0.2}, (6, 5, 2), random=True, reference=same),
    Case(L.Dropout, {"rate": 0.5, "noise_shape": (None, 1, 5)}, (4, 5), random=True),
    Case(L.Dropout, {"rate": 0.0}, (8,), reference=same),
    Case(L.SpatialDropout1D, {"rate": 0.5}, (4, 8), random=True, reference=same),
    Case(L.SpatialDropout2D, {"rate": 0.5}, (4, 3, 8), random=True, reference=same),
    Case(
        L.SpatialDropout2D,
        {"rate": 0.5, "data_format": "channels_first"},
        (8, 4, 3),
        data_format="channels_first",
        random=True,
    ),
    Case(L.SpatialDropout3D, {"rate": 0.5}, (2, 3, 2, 8), random=True, reference=same),
    Case(L.GaussianNoise, {"stddev": 0.5}, (4, 3), random=True, reference=same),
    Case(L.GaussianNoise, {"stddev": 0}, (4, 3)),
    Case(L.GaussianDropout, {"rate": 0.5}, (4, 3), random=True, reference=same),
    Case(L.GaussianDropout, {"rate": 0}, (4, 3)),
]


@each(CASES)
def test_battery(case):
    case.check()


@pytest.mark.parametrize("seed", [None, 7])
def test_dropout_drops_a_fraction_and_keeps_the_mean(seed):
    y = L.Dropout(0.2, seed=seed)(torch.ones(100, 1000))
    kept = y[y != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / 0.8))
    assert abs(kept.numel() / y.numel() - 0.8) < 0.01


def test_noise_shape_joins_places():
    y = L.Dropout(0.5, (None, 1, None))(torch.ones(4, 6, 50))
    assert torch.equal(y, y[:, :1].expand_as(y))
    assert set(y.unique().tolist()) == {0.0, 2.0}


def test_spatial_dropout_drops_whole_channels_of_samples():
    y = L.SpatialDropout2D(0.5)(torch.ones(20, 4, 5, 30))
    assert torch.equal(y, y[:, :1, :1].expand_as(y))
    assert not torch.equal(y[0], y[1])
    assert abs((y != 0).float().mean() - 0.5) < 0.1


def test_alpha_dropout_keeps_mean_and_variance():
    y = L.AlphaDropout(0.3)(torch.randn(200_000))
    torch.testing.assert_close(y.mean(), torch.tensor(0.0), rtol=0, atol=0.01)
    torch.testing.assert_close(y.std(), torch.tensor(1.0), rtol=0.01, atol=0)
    assert abs((y == y.mode().values).float().mean() - 0.3) < 0.01


def test_gaussian_noise_has_the_deviation_of_its_field():
    torch.testing.assert_close(
        L.GaussianNoise(0.3)(torch.ones(100_000)).std(), torch.tensor(0.3), rtol=0.02, atol=0
    )


def test_gaussian_dropout_has_the_variance_of_dropout():
    y = L.GaussianDropout(0.2)(torch.ones(100_000))
    torch.testing.assert_close(y.var(), torch.tensor(0.2 / 0.8), rtol=0.03, atol=0)
    torch.testing.assert_close(y.mean(), torch.tensor(1.0), rtol=0.01, atol=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: L.Dropout(0.5, seed=seed),
        lambda seed: L.AlphaDropout(0.5, seed=seed),
        lambda seed: L.SpatialDropout1D(0.5, seed),
        lambda seed: L.GaussianNoise(0.5, seed),
        lambda seed: L.GaussianDropout(0.5, seed),
    ],
)
def test_a_layer_with_a_seed_has_its_own_numbers(make):
    x = torch.ones(3, 4, 8)
    one, other = make(5), make(5)
    first = one(x)
    torch.rand(3)  # draws of others do not matter
    assert torch.equal(first, other(x))
    assert torch.equal(copy.deepcopy(one)(x), other(x))
    assert not torch.equal(other(x), first)
    assert not torch.equal(make(6)(x), first)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.Dropout(1),
            "Dropout: rate=1 drops everything\n"
            "  got   rate=1\n"
            "  need  a number, 0 <= rate < 1: the fraction that is dropped\n"
            "  fix   rate=0.5",
        ),
        (
            lambda: L.SpatialDropout2D(25, name="drop"),
            "drop (SpatialDropout2D): rate=25 cannot work\n"
            "  got   rate=25\n"
            "  need  a number, 0 <= rate < 1\n"
            "  fix   rate=0.25",
        ),
        (
            lambda: L.GaussianDropout("half"),
            "GaussianDropout: rate='half' cannot work\n"
            "  got   rate='half'\n"
            "  need  a number, 0 <= rate < 1\n"
            "  fix   rate=0.5",
        ),
        (
            lambda: L.GaussianNoise(-1),
            "GaussianNoise: stddev=-1 cannot work\n"
            "  got   stddev=-1\n"
            "  need  a number, stddev >= 0\n"
            "  fix   stddev=0.1",
        ),
        (
            lambda: L.Dropout(0.5, seed=1.5),
            "Dropout: seed=1.5 cannot work\n"
            "  got   seed=1.5\n"
            "  need  a whole number, seed >= 0\n"
            "  fix   seed=0",
        ),
        (
            lambda: L.Dropout(0.5, 3),
            "Dropout: noise_shape=3 is not a shape\n"
            "  need  one size for each axis, the batch included: None or 1\n"
            "  fix   noise_shape=(None, 1, None)",
        ),
        (
            lambda: L.Dropout(0.5, (None, 1)).build(Spec((4, 5))),
            "Dropout: noise_shape=(None, 1) does not fit the input\n"
            "  got   input (4, 5) and the batch before it\n"
            "  need  3 sizes, each None, 1 or that of the input\n"
            "  fix   noise_shape=(None, 1, None)",
        ),
        (
            lambda: L.Dropout(0.5, (None, 2, None)).infer(Spec((4, 5))),
            "Dropout: noise_shape=(None, 2, None) does not fit the input\n"
            "  got   input (4, 5) and the batch before it\n"
            "  need  3 sizes, each None, 1 or that of the input\n"
            "  fix   noise_shape=(None, 1, None)",
        ),
        (
            lambda: L.SpatialDropout2D(0.5).infer(Spec((10,))),
            "SpatialDropout2D: takes samples of 3 axes, not 1\n"
            "  got   input (10,)\n"
            "  need  (H, W, C)\n"
            "  fix   the layer before L.Flatten(), not behind it",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message
