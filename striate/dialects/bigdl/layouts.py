"""Weights in BigDL's layouts, from and to the native ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.layer import Layer
from ...layers import TorchModule

Array = NDArray[Any]


def groups_of(layer: Layer) -> int:
    """Return the number of groups of a convolution."""
    return int(layer.config().get("groups", 1))


@dataclass(frozen=True)
class Turn:
    """How BigDL shows a kernel: as the native one, turned, in a shape made of the native one."""

    axes: tuple[int, ...]
    shape: Callable[..., tuple[int, ...]]

    def outside(self, array: Array) -> Array:
        """Return BigDL's."""
        turned = array.transpose(self.axes)
        return np.ascontiguousarray(turned).reshape(self.shape(*turned.shape))

    def inside(self, array: Array, native: tuple[int, ...]) -> Array:
        """Return the native one, of this shape."""
        back = array.reshape([native[axis] for axis in self.axes])
        return back.transpose(np.argsort(self.axes))


def _same(*shape: int) -> tuple[int, ...]:
    return shape


IMAGES = Turn((0, 1, 2, 3), lambda *shape: (1, *shape))  # (1, rows, columns, in, out)
FLAT = Turn((3, 2, 0, 1), _same)  # (out, in, rows, columns), without groups
GROUPED = (
    "SpatialFullConvolution",
    "VolumetricFullConvolution",
)
TURNS: dict[str, Turn] = {
    "SpatialDilatedConvolution": FLAT, "AtrousConvolution2D": FLAT,
    "SpatialSeparableConvolution": FLAT, "SeparableConvolution2D": FLAT,
    "Convolution3D": Turn((4, 3, 0, 1, 2), _same),
    "Convolution1D": Turn((0, 1, 2), lambda k, c, f: (1, k, 1, c, f)),
    "AtrousConvolution1D": Turn((2, 1, 0), lambda f, c, k: (f, c, k, 1)),
    "TemporalConvolution": Turn((2, 0, 1), lambda f, k, c: (f, k * c)),
}  # fmt: skip


def turn_of(layer: Layer, kind: str, dims: int) -> Turn | None:
    """Return how a kernel of this layer of this kind of BigDL is turned, if in a way of its own."""
    name = type(layer).__name__
    if kind in GROUPED and dims > 1 and isinstance(layer, TorchModule):
        groups = int(layer.module.groups)  # type: ignore[arg-type]
        return Turn(tuple(range(dims)), lambda i, *rest: (groups, i // groups, *rest))
    if dims < 3 or "Conv" not in name:
        return None
    if dims == 4 and layer.config().get("data_format") == "channels_last":
        return Turn((0, 1, 2, 3), _same) if name.startswith("Sep") else IMAGES
    return TURNS.get(kind)


def outside(layer: Layer, value: Tensor, of: str = "") -> Array:
    """Return a weight (or its gradient) of a layer as BigDL shows it.

    A kernel (rows, columns, in, out) is (groups, out / groups, in / groups, rows, columns); that
    of a dense layer (out, in); that of the kind `of` of BigDL, if it has a way of its own, so.
    """
    array = value.detach().cpu().numpy().copy()
    kind = type(layer).__name__
    turn = turn_of(layer, of, array.ndim)
    if turn is not None:
        return turn.outside(array)
    if (kind == "Dense" or kind.endswith("Cell")) and array.ndim == 2:
        return np.ascontiguousarray(array.T)
    if kind.startswith("Conv") and array.ndim > 2:
        spatial = range(array.ndim - 2)
        turned = array.transpose(array.ndim - 1, array.ndim - 2, *spatial)
        groups = groups_of(layer)
        shape = (groups, turned.shape[0] // groups, *turned.shape[1:])
        return np.ascontiguousarray(turned).reshape(shape if array.ndim > 3 else turned.shape)
    return array.reshape(-1) if kind == "PReLU" else array


def inside(layer: Layer, weight: Tensor, given: Any, of: str = "") -> None:
    """Give a weight of a layer the values that BigDL's layout has."""
    array = np.asarray(given, dtype="float32")
    kind = type(layer).__name__
    turn = turn_of(layer, of, weight.dim())
    if turn is not None:
        array = turn.inside(array, tuple(weight.shape))
    elif (kind == "Dense" or kind.endswith("Cell")) and weight.dim() == 2:
        array = array.reshape(weight.shape[1], weight.shape[0]).T
    elif kind.startswith("Conv") and weight.dim() > 2:
        spatial = tuple(weight.shape[:-2])
        array = array.reshape(weight.shape[-1], weight.shape[-2], *spatial)
        array = array.transpose(*range(2, array.ndim), 1, 0)
    with torch.no_grad():
        weight.copy_(torch.from_numpy(np.array(array)).reshape(weight.shape))
