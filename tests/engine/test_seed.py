"""One number rules all three generators."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

import striate as st
from striate.errors import ConfigError


def draw():
    return random.random(), float(np.random.random()), float(torch.rand(()))  # noqa: NPY002


def test_the_same_seed_gives_the_same_numbers():
    st.seed(7)
    first = draw()
    assert draw() != first
    st.seed(7)
    assert draw() == first
    st.seed(8)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


@pytest.mark.parametrize("number", [-1, 2**32, 1.0, True, "1"])
def test_what_is_not_a_seed(number):
    with pytest.raises(ConfigError) as error:
        st.seed(number)
    assert str(error.value) == (
        f"seed: {number!r} is not a seed\n  need  a whole number from 0 to 4294967295\n  fix   0"
    )
