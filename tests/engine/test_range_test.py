"""find_lr: what it refuses; that it leaves everything as it was is tested with the loop."""

from __future__ import annotations

import numpy as np
import pytest

import striate as st
from striate import layers as L
from striate.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"steps": 0},
            "find_lr: steps=0 cannot work\n  got   steps=0\n"
            "  need  a whole number, steps >= 3\n  fix   steps=100",
        ),
        (
            {"batch_size": 2.5},
            "find_lr: batch_size=2.5 cannot work\n  got   batch_size=2.5\n"
            "  need  a whole number, batch_size >= 1\n  fix   batch_size=64",
        ),
        (
            {"lowest": 0},
            "find_lr: lowest=0 cannot work\n  got   lowest=0\n"
            "  need  a number, lowest > 0\n  fix   lowest=1e-06",
        ),
        (
            {"highest": float("inf")},
            "find_lr: highest=inf cannot work\n  got   highest=inf\n"
            "  need  a number, highest > 0\n  fix   highest=1.0",
        ),
        (
            {"lowest": 0.1, "highest": 0.01},
            "find_lr: the range of learning rates is empty\n"
            "  got   lowest=0.1, highest=0.01\n"
            "  need  lowest < highest\n"
            "  fix   lowest=1e-06, highest=1.0",
        ),
    ],
)
def test_numbers_that_cannot_work(given, said):
    model = st.Sequential([L.Input((4,)), L.Dense(3, activation="softmax")])
    model.compile("sgd", "crossentropy")
    with pytest.raises(ConfigError) as error:
        model.find_lr(np.zeros((6, 4)), np.zeros(6, int), **given)
    assert str(error.value) == said
