"""Constraints against those of Keras, and their messages."""

from __future__ import annotations

import json

import pytest
import torch
from cases import told
from golden.make_keras_optimizers import CONSTRAINTS, FILE, key

from striate import constraints
from striate.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm

KERAS = json.loads(FILE.read_text())
WEIGHT = torch.tensor(KERAS["weight"])


@pytest.mark.parametrize(("name", "fields"), CONSTRAINTS, ids=str)
def test_values_are_those_of_keras(name, fields):
    constraint = getattr(constraints, name)(**fields)
    expected = torch.tensor(KERAS["constraints"][key(name, fields)])
    torch.testing.assert_close(constraint(WEIGHT), expected, rtol=1e-6, atol=1e-6)
    assert constraints.get(json.loads(json.dumps(constraint.get_config()))) == constraint


def test_norms_of_a_convolution_are_those_of_its_filters():
    kernel = torch.randn(3, 3, 4, 8, generator=torch.Generator().manual_seed(0))
    norms = UnitNorm(axis=(0, 1, 2))(kernel).square().sum((0, 1, 2)).sqrt()
    torch.testing.assert_close(norms, torch.ones(8))


def test_a_weight_of_zero_stays_finite():
    for constraint in (MaxNorm(), UnitNorm(), MinMaxNorm(1.0, 2.0)):
        assert torch.equal(constraint(torch.zeros(3, 2)), torch.zeros(3, 2))


def test_get_takes_names_classes_objects_callables_and_none():
    assert constraints.get("NonNeg") == constraints.get(NonNeg) == constraints.get("non_neg")
    assert constraints.get("max_norm") == constraints.max_norm(2)
    assert constraints.get(torch.abs) is torch.abs
    assert constraints.get(None) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: constraints.get("maxnorms"),
            "constraints: unknown constraint 'maxnorms'\n"
            "  need  one of max_norm, min_max_norm, non_neg, unit_norm\n"
            '  fix   did you mean "max_norm"?',
        ),
        (
            lambda: constraints.get(3),
            "constraints: a constraint is a name or something that maps a weight to a weight\n"
            "  got   3\n"
            "  need  one of max_norm, non_neg, unit_norm, min_max_norm, or a callable\n"
            "  fix   constraints.MaxNorm(3)",
        ),
        (
            lambda: constraints.get([]),
            "constraints: a constraint is a name or something that maps a weight to a weight\n"
            "  got   []\n"
            "  need  one of max_norm, non_neg, unit_norm, min_max_norm, or a callable\n"
            '  fix   "max_norm"',
        ),
        (
            lambda: MaxNorm(0),
            "MaxNorm: max_value=0 cannot work\n"
            "  got   max_value=0\n"
            "  need  a number, max_value > 0\n"
            "  fix   max_value=2",
        ),
        (
            lambda: MinMaxNorm(2.0, 1.0),
            "MinMaxNorm: min_value is above max_value\n"
            "  got   min_value=2.0, max_value=1.0\n"
            "  need  min_value <= max_value\n"
            "  math  2.0 > 1.0\n"
            "  fix   min_value=1.0, max_value=2.0",
        ),
    ],
)
def test_messages(make, message):
    assert told(make) == message


def test_a_constraint_must_be_defined():
    with pytest.raises(TypeError, match=r"^Constraint does not define __call__$"):
        Constraint()(WEIGHT)
