"""Which inputs an output depends on: as the geometry says, and as values show."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..core.spec import Spec
from ..core.window import EVERYTHING, POINTWISE, Geometry, Gone, Reach

PUSH = 1e6  # enough to make any input the largest of its window, or to drive it through a kink


def claimed(geometry: Geometry, x: Spec, y: Spec) -> Reach | None:
    """Return (outputs, inputs): what each value of a sample reads; None where it is not said."""
    assert x.numel is not None and y.numel is not None
    if geometry is EVERYTHING:
        return np.ones((y.numel, x.numel), dtype=bool)
    if geometry is POINTWISE:
        return pointwise(x, y)
    if not isinstance(geometry, tuple):
        return None
    sizes = iter(y.shape)
    reads = [
        axis.reads(n or 1, 1 if isinstance(axis, Gone) else next(sizes) or 1)
        for axis, n in zip(geometry, x.shape, strict=True)
    ]
    return functools.reduce(np.kron, reads)


def pointwise(x: Spec, y: Spec) -> Reach:
    """Return what each output reads at its own place, an input of size 1 being read everywhere."""
    place = np.arange(x.numel or 0).reshape([n or 1 for n in x.shape])
    own = np.broadcast_to(place, [n or 1 for n in y.shape]).reshape(-1)
    reach: Reach = own[:, None] == np.arange(x.numel or 0)[None, :]
    return reach


def influence(layer: nn.Module, x: Sequence[Tensor], which: int) -> Reach:
    """Return (outputs, inputs): which values of input `which` change which outputs."""
    count = x[which][0].numel()
    push = torch.eye(count, dtype=x[which].dtype).reshape(count, *x[which].shape[1:]) * PUSH
    moved = [one.expand(2 * count, *one.shape[1:]) for one in x]
    moved[which] = moved[which] + torch.cat([push, -push])
    with torch.no_grad():
        still, y = layer(*x), layer(*moved)
    # not `!=`: torch rounds the last bit of a value by its place in the batch
    changed = ~torch.isclose(y, still, 1e-12, 1e-12)
    changed = changed.reshape(2, count, -1).any(0)  # (inputs, outputs)
    reach: Reach = changed.T.numpy()
    return reach


def moves(layer: nn.Module, x: Sequence[Tensor]) -> Tensor:
    """Return the output of a layer that only moves values, made from where it moves an index to.

    The values of all inputs are numbered from 1; 0 in the output means that no input is there.
    """
    ends = np.cumsum([0, *(one.numel() for one in x)])
    index = [
        torch.arange(start + 1, stop + 1, dtype=torch.float64).reshape(one.shape)
        for one, start, stop in zip(x, ends[:-1], ends[1:], strict=True)
    ]
    with torch.no_grad():
        place = layer(*index).long()
    values = torch.cat([torch.zeros(1, dtype=torch.float64), *(one.reshape(-1) for one in x)])
    return values[place.clamp(0, len(values) - 1)]
