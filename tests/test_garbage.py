"""Memory outside of Python: models that are garbage in circles are found in time."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import striate as st
from striate import garbage, layers as L
from striate.garbage import OUTSIDE, Outside
from striate.lower.runtime import library


class Held:
    """Something in a circle that holds memory outside."""

    def __init__(self, outside: Outside, count: int) -> None:
        outside.take(count)
        self.outside, self.count, self.circle = outside, count, self

    def __del__(self) -> None:
        self.outside.give(self.count)


def most_held(count: int) -> int:
    """Return the most bytes that were held while things of this size came and went."""
    outside, most = Outside(), 0
    for _ in range(12):
        one = Held(outside, count)
        most = max(most, outside.held)
    del one
    return most


@pytest.mark.parametrize("share", [0.3, 2])
def test_garbage_is_looked_for_when_twice_as_much_is_held(share: float) -> None:
    size = int(share * garbage.LITTLE)
    gc.collect()
    assert most_held(size) <= 4 * size


def test_garbage_is_left_alone_where_a_program_wants_none_looked_for() -> None:
    gc.collect()
    gc.disable()
    try:
        assert most_held(garbage.LITTLE) == 12 * garbage.LITTLE
    finally:
        gc.enable()
        gc.collect()


@pytest.mark.skipif(library() is None, reason="the native engine was not built")
def test_the_memory_of_plans_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()
    before = OUTSIDE.held
    model = st.Sequential([L.Input((8, 8, 1)), L.Flatten(), L.Dense(512), L.Dense(10)])
    model.compile("adam", "crossentropy")
    model.fit(np.zeros((32, 8, 8, 1), np.float32), np.zeros(32, int), epochs=1, verbose=0)
    assert OUTSIDE.held - before > 3 * 4 * 512 * 64  # the weights, and two numbers for each
    del model
    gc.collect()
    assert OUTSIDE.held == before
