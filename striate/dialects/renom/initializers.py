"""Initializers of ReNom: calls that return weights of a shape, drawn from NumPy's generator.

The fans are those of the shape's first two axes: of a convolution, the outputs come first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..strict import Strict

_randn = np.random.randn
_uniform = np.random.uniform


def _fans(shape: Sequence[int]) -> tuple[float, float]:
    window = math.prod(shape[2:])
    return shape[0] * window, shape[1] * window


class Initializer(metaclass=Strict):
    """A call that returns an array of the shape that it is given."""

    def __call__(self, shape: Sequence[int]) -> Any:
        """Return the weights."""
        raise TypeError(f"{type(self).__name__} draws nothing")


class Gaussian(Initializer):
    """Normal numbers."""

    def __init__(self, mean: float = 0.0, std: float = 0.1) -> None:
        self._mean, self._std = mean, std

    def __call__(self, shape: Sequence[int]) -> Any:
        """Return the weights."""
        return _randn(*shape) * self._std + self._mean


class Uniform(Initializer):
    """Numbers between two limits, all alike likely."""

    def __init__(self, min: float = -1.0, max: float = 1.0) -> None:
        self._limits = min, max

    def __call__(self, shape: Sequence[int]) -> Any:
        """Return the weights."""
        return _uniform(*self._limits, tuple(shape))


class Constant(Initializer):
    """One number everywhere."""

    def __init__(self, value: float = 0.0) -> None:
        self._value = value

    def __call__(self, shape: Sequence[int]) -> Any:
        """Return the weights."""
        return np.full(tuple(shape), self._value)


class GlorotNormal(Initializer):
    """N(0, 2 / (fan_in + fan_out))."""

    def __init__(self, gain: float = 1.0) -> None:
        self._gain = gain

    def __call__(self, shape: Sequence[int]) -> Any:
        """Return the weights."""
        return self._gain * math.sqrt(2 / sum(_fans(shape))) * _randn(*shape)


class GlorotUniform(GlorotNormal):
    """U between the roots of 6 / (fan_in + fan_out)."""

    def __call__(self, shape: Sequence[int]) -> Any:
        """Return the weights."""
        limit = self._gain * math.sqrt(6 / sum(_fans(shape)))
        return _uniform(-limit, limit, tuple(shape))


class HeNormal(GlorotNormal):
    """N(0, 2 / fan_in)."""

    def __call__(self, shape: Sequence[int]) -> Any:
        """Return the weights."""
        return self._gain * math.sqrt(2 / _fans(shape)[0]) * _randn(*shape)


class HeUniform(GlorotNormal):
    """U between the roots of 6 / fan_in."""

    def __call__(self, shape: Sequence[int]) -> Any:
        """Return the weights."""
        limit = self._gain * math.sqrt(6 / _fans(shape)[0])
        return _uniform(-limit, limit, tuple(shape))


class Orthogonal(GlorotNormal):
    """Rows, or columns, that are orthogonal to each other."""

    def __call__(self, shape: Sequence[int]) -> Any:
        """Return the weights."""
        rows, columns = shape[0], math.prod(shape[1:])
        left, _, right = np.linalg.svd(_randn(rows, columns), full_matrices=False)
        return self._gain * (left if left.shape == (rows, columns) else right).reshape(shape)
