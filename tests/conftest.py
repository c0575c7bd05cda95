"""One thread of the processor, fixed seeds and a part of the real MNIST for every test."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
import torch
from hypothesis import settings
from numpy.typing import NDArray

from striate.data.datasets import mnist

Part = tuple[NDArray[np.uint8], NDArray[np.uint8]]

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # scripts are expected to find no graphics card
torch.set_num_threads(1)
# The same examples in every run, and no deadline: other work on the machine must not fail a test.
settings.register_profile("striate", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("striate")


@pytest.fixture(autouse=True)
def seeds() -> None:
    """Each test begins with the same random state."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  code under test may draw from the old global generator
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def _mnist() -> tuple[Part, Part]:
    (x_train, y_train), (x_test, y_test) = mnist()
    # copies: a slice would keep all 70,000 images in memory
    return (x_train[:2000].copy(), y_train[:2000].copy()), (
        x_test[:500].copy(),
        y_test[:500].copy(),
    )


@pytest.fixture
def mnist_small(_mnist: tuple[Part, Part]) -> tuple[Part, Part]:
    """The first 2,000 training and 500 test digits; a test may change its copy."""
    (x_train, y_train), (x_test, y_test) = _mnist
    return (x_train.copy(), y_train.copy()), (x_test.copy(), y_test.copy())
