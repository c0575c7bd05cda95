"""Objects of TensorFlow around networks: checkpoints, devices, seeds, settings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .. import tensor_nn as nn


class Anything:
    """An object of TensorFlow that only carries settings."""

    def __init__(self, *args: Any, **words: Any) -> None:
        vars(self).update(words)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = Anything()
        vars(self)[name] = made
        return made

    def __call__(self, *args: Any, **words: Any) -> Anything:
        """Return itself."""
        return self

    def __enter__(self) -> Anything:
        return self

    def __exit__(self, *error: object) -> None:
        return None


class Reduce:
    """Names of the ways to put the results of several devices together."""

    SUM, MEAN = "SUM", "MEAN"


class Methods:
    """Names of the ways to resize."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, AREA = "bilinear", "nearest", "bicubic", "area"


class Strategy:
    """Training on one device."""

    num_replicas_in_sync = 1
    extended = None

    def __init__(self, *args: Any, **words: Any) -> None:
        pass

    def scope(self) -> Any:
        """Return a block that changes nothing."""
        return contextlib.nullcontext()

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """Call a function."""
        return fn(*args, **(kwargs or {}))

    def experimental_distribute_dataset(self, dataset: Any) -> Any:
        """Return the data."""
        return dataset

    def reduce(self, reduce_op: Any, value: Any, axis: Any = None) -> Any:
        """Return the value."""
        return value


def split_seed(seed: Any, num: int = 2, alg: Any = None) -> Tensor:
    """Return several seeds, of two numbers each, that one seed decides."""
    first, second = (int(one) for one in seed)
    chance = torch.Generator().manual_seed(first * 2_147_483_629 + second)
    return torch.randint(2**31, (num, 2), generator=chance)


class Generator:
    """Numbers by chance, of a sequence that a seed decides."""

    def __init__(self, seed: int = 0) -> None:
        self.chance = torch.Generator().manual_seed(int(seed))

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> Generator:
        """Return a sequence."""
        return cls(seed)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """Return a sequence that differs from run to run, unless there is a seed."""
        return cls(int(torch.randint(2**31, ())))

    def _seed(self) -> int:
        return int(torch.randint(2**31, (), generator=self.chance))

    def normal(self, shape: Any, mean: float = 0.0, stddev: float = 1.0, **words: Any) -> Tensor:
        """Return numbers of a normal distribution."""
        return nn.random_normal(shape, mean, stddev, seed=self._seed())

    def uniform(self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32",
                name: Any = None) -> Tensor:  # fmt: skip
        """Return numbers that are equally likely."""
        return nn.random_uniform(shape, minval, maxval, dtype, self._seed())

    def make_seeds(self, count: int = 1) -> Tensor:
        """Return seeds of two numbers, as columns."""
        return torch.randint(2**31, (2, count), generator=self.chance)
