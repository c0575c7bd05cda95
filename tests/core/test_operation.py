"""Operations are plain records, and turning axes there and back leaves nothing to do."""

import dataclasses
import typing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from striate.core import operation
from striate.core.operation import (
    Linear,
    Permute,
    Pointwise,
    Reshape,
    along,
    from_user,
    joined,
    last_axis,
    reread,
    to_user,
)
from striate.core.spec import Spec

LAYOUTS = ["channels_last", "channels_first"]
LAST, FIRST = (Spec((4, 5, 3), data_format=layout) for layout in LAYOUTS)
specs = st.builds(
    lambda sizes, layout: Spec(tuple(sizes), data_format=layout),
    st.lists(st.integers(1, 4), max_size=4),
    st.sampled_from(LAYOUTS),
)


def turned(chain, array):
    """Do permutations to an array."""
    for one in chain:
        array = array.transpose(one.axes)
    return array


def array_of(spec):
    return np.arange(spec.numel).reshape(spec.shape)


@pytest.mark.parametrize("kind", typing.get_args(operation.Operation))
def test_an_operation_is_a_record_that_can_be_a_key(kind):
    values = [f"value of {item.name}" for item in dataclasses.fields(kind)]
    assert kind(*values) == kind(*values)
    assert len({kind(*values), kind(*values)}) == 1
    assert not hasattr(kind(*values), "__dict__")
    for item in dataclasses.fields(kind):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(kind(*values), item.name, None)


def test_operations_need_no_torch():
    lines = Path(operation.__file__).read_text().splitlines()
    assert not [line for line in lines if "import" in line and "torch" in line]


def test_a_channels_last_value_is_what_the_user_sees():
    assert to_user(LAST) == from_user(LAST) == ()
    assert [last_axis(LAST, at) for at in range(3)] == [0, 1, 2]


def test_a_channels_first_value_is_turned():
    assert to_user(FIRST) == (Permute((2, 0, 1)),)
    assert from_user(FIRST) == (Permute((1, 2, 0)),)
    assert [last_axis(FIRST, at) for at in range(3)] == [2, 0, 1]


def test_one_axis_has_no_order():
    row = Spec((7,), data_format="channels_first")
    assert to_user(row) == from_user(row) == reread(row, Spec((7,))) == ()
    assert last_axis(row, 0) == 0


@given(specs)
def test_there_and_back_is_nothing(x):
    assert joined((*to_user(x), *from_user(x))) == ()
    assert joined((*from_user(x), *to_user(x))) == ()


@given(specs)
def test_an_axis_is_where_last_axis_says(x):
    ordered = turned(from_user(x), array_of(x))
    assert [ordered.shape[last_axis(x, at)] for at in range(len(x.shape))] == list(x.shape)


@given(specs, st.sampled_from(LAYOUTS))
def test_rereading_is_going_by_the_users_order(x, layout):
    other = dataclasses.replace(x, data_format=layout)
    ordered = turned(from_user(x), array_of(x))
    assert np.array_equal(turned(reread(x, other), ordered), turned(from_user(other), array_of(x)))


@given(specs, st.data())
def test_along_brings_the_axis_to_the_end_and_back(x, data):
    if not x.shape:
        return
    at = data.draw(st.integers(0, len(x.shape) - 1))
    chain = along(x, at, Pointwise("softmax"))
    ordered = turned(from_user(x), array_of(x))
    place = chain.index(Pointwise("softmax"))
    there = turned(chain[:place], ordered)
    assert there.shape[-1] == x.shape[at]
    assert np.array_equal(turned(chain[place + 1 :], there), ordered)


def test_joined_makes_one_of_permutations_and_keeps_the_rest():
    first, second = Permute((1, 2, 0)), Permute((0, 2, 1))
    x = np.arange(24).reshape(2, 3, 4)
    (both,) = joined((first, second))
    assert np.array_equal(x.transpose(both.axes), x.transpose((1, 2, 0)).transpose((0, 2, 1)))
    chain = (first, Reshape((-1,)), Linear("kernel"), second)
    assert joined(chain) == chain


def test_joined_sees_what_meets_when_others_vanish():
    there, back = Permute((1, 0)), Permute((1, 0))
    assert joined((Permute((1, 0)), there, back, Permute((1, 0)))) == ()
    assert joined((Pointwise("relu"), there, back, Pointwise("tanh"))) == (
        Pointwise("relu"),
        Pointwise("tanh"),
    )
