"""Specs: sizes, layouts and the messages of what is not a size."""

from __future__ import annotations

import pytest
import torch
from cases import told

from striate.core.spec import (
    Spec,
    checked_count,
    checked_layout,
    checked_shape,
    checked_sizes,
    show,
    spatial_names,
)

LAST, FIRST = Spec((28, 20, 3)), Spec((3, 28, 20), data_format="channels_first")


@pytest.mark.parametrize("spec", [LAST, FIRST])
def test_both_layouts_answer_alike(spec):
    assert spec.spatial == (28, 20)
    assert spec.channels == 3
    assert spec.numel == 28 * 20 * 3
    assert torch.zeros(1, *spec.shape).shape[spec.channel_axis] == 3


def test_replacing_keeps_the_layout():
    assert LAST.replace((14, None)).shape == (14, None, 3)
    assert LAST.replace(channels=8).shape == (28, 20, 8)
    assert FIRST.replace((14, 10), 8) == Spec((8, 14, 10), data_format="channels_first")
    assert FIRST.axes("HW", "C") == ("C", "H", "W")
    assert LAST.reshape((7,)) == Spec((7,))


def test_the_spec_of_a_batch():
    batch = torch.zeros(2, 3, 4, dtype=torch.uint8)
    assert Spec.of(batch, "channels_first") == Spec((3, 4), "uint8", "channels_first")


def test_an_unknown_size_is_unknown_in_the_number_of_values():
    assert Spec((None, 3)).numel is None
    assert str(Spec((None, 3))) == "(?, 3)"
    assert show((5,)) == "(5,)"
    assert [spatial_names(rank) for rank in (1, 2, 3, 4)] == ["L", "HW", "DHW", "????"]


def test_checked_values_are_given_back():
    assert checked_shape("here", [28, None]) == (28, None)
    assert checked_sizes("here", "strides", 2, 3) == (2, 2, 2)
    assert checked_sizes("here", "strides", [1, 2], 2) == (1, 2)
    assert checked_sizes("here", "output_padding", 0, 1, least=0) == (0,)
    checked_layout("here", None)
    checked_count("here", "filters", 1)


SHAPE = "\n  need  the shape of one sample, without the batch, like (28, 28, 1)"
WHOLE = "\n  need  one whole number >= 1, or a tuple of 2\n  fix   "


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: checked_shape("x (Input)", 28),
            "x (Input): the shape is not a tuple of positive whole numbers\n"
            f"  got   28{SHAPE}\n"
            "  fix   (28,)",
        ),
        (
            lambda: checked_shape("x (Input)", (28, -1)),
            "x (Input): the shape is not a tuple of positive whole numbers\n"
            f"  got   (28, -1){SHAPE}\n"
            "  fix   (28, None)",
        ),
        (
            lambda: checked_shape("x (Input)", (28, True)),
            "x (Input): the shape is not a tuple of positive whole numbers\n"
            f"  got   (28, True){SHAPE}",
        ),
        (
            lambda: checked_layout("conv", "chanels_last"),
            "conv: data_format='chanels_last' is not known\n"
            "  need  data_format one of 'channels_last', 'channels_first'\n"
            '  fix   did you mean "channels_last"?',
        ),
        (
            lambda: checked_sizes("conv", "kernel_size", (3,), 2),
            "conv: kernel_size=(3,) does not give a size to each of 2 spatial axes"
            f"{WHOLE}kernel_size=3",
        ),
        (
            lambda: checked_sizes("pool", "pool_size", 2.0, 2),
            f"pool: pool_size=2.0 is not a whole number of at least 1{WHOLE}pool_size=2",
        ),
        (
            lambda: checked_sizes("conv", "strides", (1, 0), 2),
            f"conv: strides=(1, 0) is not a whole number of at least 1{WHOLE}strides=1",
        ),
        (
            lambda: checked_count("dense", "units", 10.0),
            "dense: units=10.0 is not a whole number of at least 1\n"
            "  need  units >= 1\n"
            "  fix   units=10",
        ),
        (
            lambda: checked_count("dense", "units", -3),
            "dense: units=-3 is not a whole number of at least 1\n  need  units >= 1\n"
            "  fix   units=1",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message
