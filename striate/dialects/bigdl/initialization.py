"""How weights are drawn, `bigdl.nn.initialization_method`, as native initializers; regularizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...initializers import (
    Constant,
    GlorotUniform,
    Initializer,
    Ones,
    RandomNormal,
    RandomUniform,
    VarianceScaling,
    Zeros,
)


def random_uniform(upper: float | None = None, lower: float | None = None) -> Initializer:
    """Return U(a, b): the two arguments by position are the lower and the upper end.

    Without arguments it is Torch 7's U(-1 / sqrt(inputs), 1 / sqrt(inputs)).
    """
    if upper is None or lower is None:
        return VarianceScaling(1 / 3, "fan_in", "uniform")
    return RandomUniform(*sorted((float(upper), float(lower))))


def msra(varianceNormAverage: bool = True) -> Initializer:  # noqa: N803
    """Return a normal of deviation sqrt(2 / mean of inputs and outputs), or of inputs alone."""
    mode = "fan_avg" if varianceNormAverage else "fan_in"
    return VarianceScaling(2.0, mode, "untruncated_normal")


@dataclass(frozen=True)
class BilinearFiller(Initializer):
    """Weights with which a transposed convolution makes an image larger, linearly in both axes."""

    def draw(self, shape: Sequence[int], generator: Any, dtype: torch.dtype) -> Tensor:
        """Return the same tent for each pair of channels: (rows, columns, out, in)."""
        tent = _tent(shape[0])[:, None] * _tent(shape[1])[None, :]
        return tent[:, :, None, None].expand(*shape).to(dtype).clone()


def _tent(size: int) -> Tensor:
    factor = (size + 1) // 2
    middle = factor - 1 if size % 2 else factor - 0.5
    return 1 - (torch.arange(size) - middle).abs() / factor


METHODS: Mapping[str, Callable[..., Initializer]] = {
    "Xavier": GlorotUniform, "Zeros": Zeros, "Ones": Ones, "RandomUniform": random_uniform,
    "RandomNormal": lambda mean, stdv: RandomNormal(float(mean), float(stdv)),
    "BilinearFiller": BilinearFiller,
    "ConstInitMethod": lambda value: Constant(float(value)), "MsraFiller": msra,
}  # fmt: skip


@dataclass
class L1L2Regularizer:
    """Adds l1 * sign(w) + l2 * w to the gradient of a weight."""

    l1: float = 0.0
    l2: float = 0.0


def l1_regularizer(l1: float) -> L1L2Regularizer:
    """Return the first part alone."""
    return L1L2Regularizer(l1, 0.0)


def l2_regularizer(l2: float) -> L1L2Regularizer:
    """Return the second part alone."""
    return L1L2Regularizer(0.0, l2)


REGULARIZERS: Mapping[str, Any] = {
    "L1L2Regularizer": L1L2Regularizer, "L1Regularizer": l1_regularizer,
    "L2Regularizer": l2_regularizer,
}  # fmt: skip
