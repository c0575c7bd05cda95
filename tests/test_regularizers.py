"""Regularizers against those of Keras, and their messages."""

from __future__ import annotations

import json

import pytest
import torch
from cases import told
from golden.make_keras_optimizers import FILE, REGULARIZERS, key

from striate import regularizers
from striate.regularizers import L1, L2, OrthogonalRegularizer, Regularizer

KERAS = json.loads(FILE.read_text())
WEIGHT = torch.tensor(KERAS["weight"])


@pytest.mark.parametrize(("name", "fields"), REGULARIZERS, ids=str)
def test_values_are_those_of_keras(name, fields):
    regularizer = getattr(regularizers, name)(**fields)
    penalty = regularizer(WEIGHT)
    assert penalty.shape == ()
    assert penalty.item() == pytest.approx(KERAS["regularizers"][key(name, fields)], rel=1e-6)
    assert regularizers.get(json.loads(json.dumps(regularizer.get_config()))) == regularizer


def test_a_penalty_has_a_gradient():
    weight = torch.tensor([2.0, -3.0], requires_grad=True)
    L2(0.5)(weight).backward()
    assert weight.grad.tolist() == [2.0, -3.0]


def test_one_row_is_orthogonal_to_nothing():
    assert OrthogonalRegularizer()(torch.ones(1, 3)).item() == 0.0


def test_get_takes_names_classes_objects_callables_and_none():
    assert regularizers.get("L2") == regularizers.get(L2) == regularizers.l2()
    assert regularizers.get(L1(0.3)) == L1(0.3)
    assert regularizers.get("orthogonal") == OrthogonalRegularizer()
    assert regularizers.get(torch.sum) is torch.sum
    assert regularizers.get(None) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: regularizers.get("l3"),
            "regularizers: unknown regularizer 'l3'\n"
            "  need  one of l1, l1_l2, l2, orthogonal, orthogonal_regularizer",
        ),
        (
            lambda: regularizers.get(0.1),
            "regularizers: a regularizer is a name or something that maps a weight to a number\n"
            "  got   0.1\n"
            "  need  one of l1, l2, l1_l2, orthogonal, orthogonal_regularizer, or a callable\n"
            "  fix   regularizers.L2(0.1)",
        ),
        (
            lambda: regularizers.get([]),
            "regularizers: a regularizer is a name or something that maps a weight to a number\n"
            "  got   []\n"
            "  need  one of l1, l2, l1_l2, orthogonal, orthogonal_regularizer, or a callable\n"
            '  fix   "l2"',
        ),
        (
            lambda: L1(-1.0),
            "L1: l1=-1.0 cannot work\n  got   l1=-1.0\n  need  a number, l1 >= 0\n  fix   l1=0.01",
        ),
        (
            lambda: OrthogonalRegularizer(mode="row"),
            "OrthogonalRegularizer: mode='row' is not known\n"
            "  got   mode='row'\n"
            "  need  mode one of 'rows', 'columns'\n"
            "  fix   mode='rows'",
        ),
        (
            lambda: OrthogonalRegularizer()(torch.ones(2, 2, 2)),
            "OrthogonalRegularizer: takes a matrix\n"
            "  got   a weight of shape (2, 2, 2)\n"
            "  need  two axes\n"
            "  fix   regularizers.L2() for other shapes",
        ),
    ],
)
def test_messages(make, message):
    assert told(make) == message


def test_a_regularizer_must_be_defined():
    with pytest.raises(TypeError, match=r"^Regularizer does not define __call__$"):
        Regularizer()(WEIGHT)
