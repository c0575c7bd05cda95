"""Keras 0.1 and 0.2: every layer is told the size of its input, before its own or after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..table import Row


@dataclass(frozen=True)
class Told:
    """Where a layer is told the size of its input.

    Fields: `place` of it among the arguments; `count` of numbers that the arguments begin with
    where it is there, 0 where a shape is it; `words` that say it by name.
    """

    place: int = 0
    count: int = 2
    words: tuple[str, ...] = ("input_dim",)


TOLD: Mapping[str, Told] = {
    "Dense": Told(), "MaxoutDense": Told(count=3), "Conv1D": Told(count=3),
    "Conv2D": Told(1, 4, ("stack_size",)), "Conv3D": Told(1, 5, ("stack_size",)),
    "LSTM": Told(), "GRU": Told(), "SimpleRNN": Told(),
    "BatchNormalization": Told(count=0), "PReLU": Told(count=0),
    "ParametricSoftplus": Told(count=0),
}  # fmt: skip


def without_input(
    row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]:
    """Return a call without the size of its input, and what that says about the input."""
    told = TOLD.get(row.target)
    if told is None:
        return args, kwargs, {}
    stacked = "stack_size" in told.words
    kwargs = {key: value for key, value in kwargs.items() if not (stacked and key in told.words)}
    shaped = told.count == 0 and bool(args) and isinstance(args[0], (tuple, list))
    numbers = [isinstance(one, (int, np.integer)) and not isinstance(one, bool)
               for one in args[: told.count]]  # fmt: skip
    if not shaped and (not numbers or len(numbers) < told.count or not all(numbers)):
        return args, kwargs, {}
    size = args[told.place]
    rest = (*args[: told.place], *args[told.place + 1 :])
    if stacked:  # of the rows and columns nothing is said
        return rest, kwargs, {}
    return rest, kwargs, {"input_shape": tuple(size)} if shaped else {"input_dim": size}
