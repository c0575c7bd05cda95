"""The one seed that rules every random choice."""

from __future__ import annotations

import random

import numpy as np
import torch

from ..errors import ConfigError
from ..settings import plain


def seed(number: int) -> None:
    """Seed weights, shuffling, dropout and augmentation: Python's, NumPy's and torch's generators.

    The same seed, data and thread count give the same weights, bit for bit.

    Raises: ConfigError unless `number` is a whole number from 0 to 2**32 - 1.
    """
    number = plain(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**32:
        raise ConfigError(
            "seed", f"{number!r} is not a seed", need="a whole number from 0 to 4294967295", fix="0"
        )
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002  other code may draw from the old global generator
    torch.manual_seed(number)
