"""The random numbers of native/random.h: their statistics, and that the kernels draw them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from .images import Images
from .support import each_isa

Words = NDArray[np.uint64]
COUNT = 1 << 16


def mixed(x: Words) -> Words:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def bits(seed: int, number: int, key: int, sample: int, count: int = COUNT) -> NDArray[np.uint32]:
    """Return the 32 bits of each element, computed as native/random.h says."""
    step = np.uint64(0x9E3779B97F4A7C15)
    state = mixed(np.array([seed], np.uint64) + step)
    for word in (number, key, sample):
        state = mixed((state ^ np.uint64(word)) + step)
    x = np.arange(count, dtype=np.uint32) + state.astype(np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = x + (state >> np.uint64(32)).astype(np.uint32)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def deviations(share: NDArray[np.floating]) -> float:
    """Return how many standard deviations shares of COUNT coin flips are away from a half."""
    return float(np.abs(share - 0.5).max() * 2 * np.sqrt(COUNT))


def balance(x: NDArray[np.uint32]) -> NDArray[np.floating]:
    return ((x[:, None] >> np.arange(32, dtype=np.uint32)) & np.uint32(1)).mean(0)


KEYS = [(0, 0, 0, 0), (0, 0, 1, 0), (7, 0, 1, 5), (1, 1000, 3, 127), (2**63, 2**31, 9, 4095)]


@pytest.mark.parametrize("key", KEYS)
def test_numbers_are_uniform(key: tuple[int, int, int, int]) -> None:
    drawn = bits(*key)
    share = drawn / 2**32
    assert abs(share.mean() - 0.5) < 4 / np.sqrt(12 * COUNT)
    assert abs(share.var() - 1 / 12) < 4 / np.sqrt(180 * COUNT)
    assert deviations(balance(drawn)) < 4.5
    for shift in (24, 12, 0):  # chi-square with 255 degrees of freedom: mean 255, deviation 22.6
        counts = np.bincount((drawn >> np.uint32(shift)) & np.uint32(255), minlength=256)
        assert 170 < float(np.square(counts - COUNT / 256).sum() / (COUNT / 256)) < 350


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("word", range(4))
def test_neighbours_have_nothing_in_common(key: tuple[int, int, int, int], word: int) -> None:
    """Draws of the next seed, step, key or sample, and of elements further on."""
    drawn = bits(*key)
    near = list(key)
    near[word] += 1
    others = [bits(*near)] if word else [np.roll(drawn, by) for by in (1, 2, 16, 28, 256)]
    for other in [*others, bits(*near)]:
        assert abs(np.corrcoef(drawn, other)[0, 1]) < 4.5 / np.sqrt(COUNT)
        assert deviations(balance(drawn ^ other)) < 4.7


def test_a_bit_of_the_element_changes_half_of_the_bits() -> None:
    drawn = bits(3, 1, 4, 1)
    for bit in range(16):
        changed = drawn ^ drawn[np.arange(COUNT) ^ (1 << bit)]
        assert np.abs(balance(changed) - 0.5).max() < 0.02


def test_samples_differ_at_one_element() -> None:
    first = np.concatenate([bits(0, 0, 3, sample, 1) for sample in range(2000)])
    assert abs((first / 2**32).mean() - 0.5) < 4 / np.sqrt(12 * 2000)
    assert np.abs(balance(first) - 0.5).max() < 4.5 / (2 * np.sqrt(2000))


@each_isa
@pytest.mark.parametrize("rate", [0.0, 0.001, 0.25, 0.5, 0.97])
def test_kernels_draw_these_numbers(isa: str, rate: float) -> None:
    """Every rate shows other bits; every library has the same."""
    seed, number, key = 12345678901234567890, 77, 5
    images = Images(isa, batch=3)
    source = images.given(torch.ones(3, 5, 7, 20))
    output = images.wanted(5, 7, 20)
    shape = {"height": 5, "width": 7, "channels": 20}
    images.call("drop", input=source, output=output, **shape, rate=rate, key=key)
    engine = images.engine()
    engine.run(3, seed=seed, number=number, threads=2)
    got = images.image_of(engine, output, 3)
    for sample in range(3):
        kept = bits(seed, number, key, sample, 5 * 7 * 20) >= int(rate * 2**32)
        want = np.where(kept, np.float32(1 / (1 - rate)), np.float32(0))
        assert (got[sample].ravel() == want).all()
