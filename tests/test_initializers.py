"""Initializers: shapes, moments, limits, seeds, and their messages."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from cases import told

from striate import initializers
from striate.initializers import (
    NAMES,
    Constant,
    FromFunction,
    GlorotUniform,
    HeNormal,
    Identity,
    Initializer,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)

KERNEL = (5, 5, 20, 60)  # fan_in 500, fan_out 1500: 30,000 values
SCALED = [  # name, variance, largest magnitude
    ("glorot_uniform", 2 / 2000, math.sqrt(6 / 2000)),
    ("glorot_normal", 2 / 2000, 2 * math.sqrt(2 / 2000) / 0.87962566103423978),
    ("he_uniform", 2 / 500, math.sqrt(6 / 500)),
    ("he_normal", 2 / 500, 2 * math.sqrt(2 / 500) / 0.87962566103423978),
    ("lecun_uniform", 1 / 500, math.sqrt(3 / 500)),
    ("lecun_normal", 1 / 500, 2 * math.sqrt(1 / 500) / 0.87962566103423978),
]


def rng():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(("name", "variance", "limit"), SCALED)
def test_variance_and_limit_follow_the_fans(name, variance, limit):
    values = initializers.get(name)(KERNEL, rng())
    assert values.shape == KERNEL
    assert values.mean().item() == pytest.approx(0, abs=4 * math.sqrt(variance / 30_000))
    assert values.var().item() == pytest.approx(variance, rel=0.03)
    assert 0.99 * limit < values.abs().max().item() <= limit * (1 + 1e-6)


def test_variance_scaling_by_mode_and_distribution():
    untruncated = VarianceScaling(3.0, "fan_out", "untruncated_normal")(KERNEL, rng())
    assert untruncated.var().item() == pytest.approx(3 / 1500, rel=0.03)
    assert untruncated.abs().max().item() > 3 * math.sqrt(3 / 1500)
    cut, same = VarianceScaling(distribution="normal"), VarianceScaling()
    assert torch.equal(cut(KERNEL, rng()), same(KERNEL, rng()))


def test_normal_and_uniform_values():
    normal = RandomNormal(2.0, 0.5)((200, 100), rng())
    assert normal.mean().item() == pytest.approx(2.0, abs=0.02)
    assert normal.std().item() == pytest.approx(0.5, rel=0.03)
    cut = TruncatedNormal(2.0, 0.5)((200, 100), rng())
    assert cut.std().item() == pytest.approx(0.5 * 0.8796, rel=0.03)
    assert 1.0 <= cut.min().item() < 1.01
    assert 2.99 < cut.max().item() <= 3.0
    even = RandomUniform(-1.0, 3.0)((200, 100), rng())
    assert even.mean().item() == pytest.approx(1.0, abs=0.04)
    assert -1.0 <= even.min().item() < -0.99
    assert 2.99 < even.max().item() <= 3.0


def test_values_that_are_not_drawn():
    assert Constant(3)((2,)).tolist() == [3.0, 3.0]
    assert initializers.zeros()((2,)).tolist() == [0.0, 0.0]
    assert initializers.ones()((2,)).tolist() == [1.0, 1.0]
    assert Identity(2.0)((2, 3)).tolist() == [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]


@pytest.mark.parametrize("shape", [(4, 4), (8, 3), (3, 8), (3, 3, 2, 5)])
def test_orthogonal_matrices_are(shape):
    matrix = Orthogonal(2.0)(shape, rng(), torch.float64).reshape(-1, shape[-1])
    small = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    torch.testing.assert_close(small, 4 * torch.eye(len(small), dtype=torch.float64))


@pytest.mark.parametrize("name", NAMES)
def test_shape_type_and_description(name):
    initializer = initializers.get(name)
    values = initializer([4, 3], rng(), torch.float64)
    assert values.shape == (4, 3)
    assert values.dtype == torch.float64
    assert torch.equal(values, initializer((4, 3), rng(), torch.float64))
    assert initializers.get(json.loads(json.dumps(initializer.get_config()))) == initializer


def test_a_seed_draws_the_same_and_a_generator_goes_on():
    seeded = GlorotUniform(seed=7)
    assert torch.equal(seeded((3, 3)), seeded((3, 3)))
    assert not torch.equal(seeded((3, 3)), GlorotUniform(seed=8)((3, 3)))
    generator = rng()
    assert not torch.equal(HeNormal()((3, 3), generator), HeNormal()((3, 3), generator))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), (1, 1)), ((5,), (5, 5)), ((4, 6), (4, 6)), ((3, 3, 4, 6), (36, 54))],
)
def test_fans(shape, expected):
    assert initializers.fans(shape) == expected


def test_get_takes_names_classes_numbers_and_functions():
    assert initializers.get("GlorotUniform") == initializers.get(GlorotUniform) == GlorotUniform()
    assert initializers.get(0.5) == Constant(0.5)
    assert initializers.get(lambda shape: np.full(shape, 2.0))((2,)).tolist() == [2.0, 2.0]
    drawn = initializers.get(lambda shape, generator: torch.rand(shape, generator=generator))
    assert torch.equal(drawn((3,), rng()), torch.rand((3,), generator=rng()))
    typed = initializers.get(lambda shape, dtype: torch.zeros(shape, dtype=dtype))
    assert typed((3,), dtype=torch.float64).dtype == torch.float64


def wrong_shape(shape):
    return torch.zeros(7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: initializers.get("he_norml"),
            "initializers: unknown initializer 'he_norml'\n"
            "  need  one of constant, glorot_normal, glorot_uniform, he_normal, he_uniform, "
            "identity, lecun_normal, lecun_uniform, ones, orthogonal, random_normal, "
            "random_uniform, truncated_normal, variance_scaling, zeros\n"
            '  fix   did you mean "he_normal"?',
        ),
        (
            lambda: initializers.get([]),
            "initializers: an initializer is a name, a number or something that makes a tensor "
            "from a shape\n"
            "  got   []\n"
            "  need  one of zeros, ones, constant, identity, orthogonal, random_normal, "
            "random_uniform, truncated_normal, variance_scaling, glorot_uniform, glorot_normal, "
            "he_uniform, he_normal, lecun_uniform, lecun_normal, or a callable\n"
            '  fix   "glorot_uniform"',
        ),
        (
            lambda: FromFunction(wrong_shape)((2, 3)),
            "wrong_shape: the initializer gave another shape than it was asked for\n"
            "  got   shape (7,)\n"
            "  need  shape (2, 3)\n"
            "  fix   return a tensor or array of the shape in the first argument",
        ),
        (
            lambda: Identity()((2, 2, 2)),
            "Identity: cannot fill a weight of this shape\n"
            "  got   shape (2, 2, 2)\n"
            "  need  a matrix: two axes\n"
            '  fix   "glorot_uniform", which fills any shape',
        ),
        (
            lambda: Orthogonal()((2,)),
            "Orthogonal: cannot fill a weight of this shape\n"
            "  got   shape (2,)\n"
            "  need  two or more axes\n"
            '  fix   "glorot_uniform", which fills any shape',
        ),
        (
            lambda: RandomUniform(1.0, 0.0),
            "RandomUniform: minval is above maxval\n"
            "  got   minval=1.0, maxval=0.0\n"
            "  need  minval <= maxval\n"
            "  fix   minval=0.0, maxval=1.0",
        ),
        (
            lambda: VarianceScaling(mode="fan"),
            "VarianceScaling: mode='fan' is not known\n"
            "  got   mode='fan'\n"
            "  need  mode one of 'fan_in', 'fan_out', 'fan_avg'\n"
            "  fix   mode='fan_in'",
        ),
        (
            lambda: HeNormal(seed=-1),
            "HeNormal: seed=-1 cannot work\n"
            "  got   seed=-1\n"
            "  need  a whole number, seed >= 0\n"
            "  fix   give seed a whole number of at least 0",
        ),
    ],
)
def test_messages(make, message):
    assert told(make) == message


def test_an_initializer_must_be_defined():
    with pytest.raises(TypeError, match=r"^Initializer does not define draw$"):
        Initializer()((2,))
