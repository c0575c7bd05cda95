"""Weights in BigDL's layouts, from and to the native ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.layer import Layer

Array = NDArray[Any]


def groups_of(layer: Layer) -> int:
    """Return the number of groups of a convolution."""
    return int(layer.config().get("groups", 1))


def outside(layer: Layer, value: Tensor) -> Array:
    """Return a weight (or its gradient) of a layer as BigDL shows it.

    A kernel (rows, columns, in, out) is (groups, out / groups, in / groups, rows, columns); that
    of a dense layer (out, in).
    """
    array = value.detach().cpu().numpy().copy()
    kind = type(layer).__name__
    if (kind == "Dense" or kind.endswith("Cell")) and array.ndim == 2:
        return np.ascontiguousarray(array.T)
    if kind.startswith("Conv") and array.ndim > 2:
        spatial = range(array.ndim - 2)
        turned = array.transpose(array.ndim - 1, array.ndim - 2, *spatial)
        groups = groups_of(layer)
        shape = (groups, turned.shape[0] // groups, *turned.shape[1:])
        return np.ascontiguousarray(turned).reshape(shape if array.ndim > 3 else turned.shape)
    return array.reshape(-1) if kind == "PReLU" else array


def inside(layer: Layer, weight: Tensor, given: Any) -> None:
    """Give a weight of a layer the values that BigDL's layout has."""
    array = np.asarray(given, dtype="float32")
    kind = type(layer).__name__
    if (kind == "Dense" or kind.endswith("Cell")) and weight.dim() == 2:
        array = array.reshape(weight.shape[1], weight.shape[0]).T
    elif kind.startswith("Conv") and weight.dim() > 2:
        spatial = tuple(weight.shape[:-2])
        array = array.reshape(weight.shape[-1], weight.shape[-2], *spatial)
        array = array.transpose(*range(2, array.ndim), 1, 0)
    with torch.no_grad():
        weight.copy_(torch.from_numpy(np.array(array)).reshape(weight.shape))
