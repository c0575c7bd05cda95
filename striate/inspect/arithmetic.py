"""What each operation does for one output: a table from the words of `core/operation.py`.

Each function is given the operation, what it reads (a `Source` for each input), the index of the
output in channels-last order, and the weights by name; it gives its stages in order, in double
precision. The next operation reads the value of the last. What only moves values has no stages:
`moved` says where an output is in the input, `after` what shape an operation gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.operation import (
    Affine,
    BatchNorm,
    Concatenate,
    Correlate,
    Crop,
    GlobalPool,
    LayerNorm,
    Linear,
    Lookup,
    Merge,
    Pad,
    Permute,
    Pointwise,
    Pool,
    PowerPool,
    Repeat,
    Reshape,
    Standardize,
)  # fmt: skip
from .functions import affine, batch_norm, layer_norm, lookup, merge, pointwise, standardize
from .stage import Index, Stage, Weight
from .sums import correlate, global_pool, linear, pool, power_pool


def _concatenate(op: Concatenate, at: Index, shapes: Sequence[Index]) -> tuple[int, Index]:
    place, number = at[op.axis], 0
    while place >= shapes[number][op.axis]:
        place -= shapes[number][op.axis]
        number += 1
    return number, (*at[: op.axis], place, *at[op.axis + 1 :])


def _permute(op: Permute, at: Index, shapes: Sequence[Index]) -> tuple[int, Index]:
    return 0, tuple(at[op.axes.index(axis)] for axis in range(len(at)))


def _frame(op: Pad | Crop, at: Index, shapes: Sequence[Index]) -> tuple[int, Index] | None:
    sign = 1 if isinstance(op, Pad) else -1
    index = (*(i - sign * low for i, (low, _) in zip(at, op.amounts, strict=False)), at[-1])
    inside = all(0 <= i < n for i, n in zip(index, shapes[0], strict=True))
    return (0, index) if inside else None


def _repeat(op: Repeat, at: Index, shapes: Sequence[Index]) -> tuple[int, Index]:
    return 0, (*(i // n for i, n in zip(at, op.factors, strict=False)), at[-1])


STAGES: dict[type, Callable[..., list[Stage]]] = {
    Affine: affine,
    BatchNorm: batch_norm,
    Correlate: correlate,
    GlobalPool: global_pool,
    LayerNorm: layer_norm,
    Linear: linear,
    Lookup: lookup,
    Merge: merge,
    Pointwise: pointwise,
    Pool: pool,
    PowerPool: power_pool,
    Standardize: standardize,
}
KEEPS_PLACE = (Affine, BatchNorm, LayerNorm, Pointwise, Standardize)
MOVED: dict[type, Callable[..., tuple[int, Index] | None]] = {
    Concatenate: _concatenate,
    Crop: _frame,
    Pad: _frame,
    Permute: _permute,
    Repeat: _repeat,
}


def known(op: Any) -> bool:
    """Return whether an operation is in the table; what training alone does is not."""
    return type(op) in STAGES or type(op) in MOVED or isinstance(op, Reshape)


def moved(op: Any, at: Index, shapes: Sequence[Index], after: Index) -> tuple[int, Index] | None:
    """Return the input and the place there that an output is, or None for padding."""
    if isinstance(op, Reshape):
        flat = int(np.ravel_multi_index(at, after)) if at else 0
        return 0, tuple(int(i) for i in np.unravel_index(flat, shapes[0]))
    return MOVED[type(op)](op, at, shapes)


def after(op: Any, shapes: Sequence[Index], weight: Weight) -> Index:
    """Return the shape that an operation gives from inputs of these shapes."""
    x = shapes[0]
    if isinstance(op, (Correlate, Pool, PowerPool)):
        sizes = [w.size(n) or 1 for w, n in zip(op.windows, x, strict=False)]
        return (*sizes, _filters(op, x[-1], weight) if isinstance(op, Correlate) else x[-1])
    if isinstance(op, Linear):
        kernel = weight(op.kernel)
        assert kernel is not None
        return (*x[:-1], kernel.shape[0 if op.layout == "torch" else 1])
    if isinstance(op, Lookup):
        table = weight(op.table)
        assert table is not None
        return (*x, table.shape[1])
    if isinstance(op, GlobalPool):
        return (*(1,) * ((len(x) - 1) * op.keepdims), x[-1])
    if isinstance(op, Permute):
        return tuple(x[axis] for axis in op.axes)
    if isinstance(op, Reshape):
        left = math.prod(x) // max(math.prod(n for n in op.shape if n != -1), 1)
        return tuple(left if n == -1 else n for n in op.shape)
    if isinstance(op, Repeat):
        return (*(n * times for n, times in zip(x, op.factors, strict=False)), x[-1])
    if isinstance(op, (Pad, Crop)):
        sign = 1 if isinstance(op, Pad) else -1
        sides = zip(x, op.amounts, strict=False)
        return (*(n + sign * (low + high) for n, (low, high) in sides), x[-1])
    if isinstance(op, Concatenate):
        total = sum(shape[op.axis] for shape in shapes)
        return (*x[: op.axis], total, *x[op.axis + 1 :])
    if isinstance(op, Merge):
        rank = max(map(len, shapes))
        padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
        return tuple(max(sizes) for sizes in zip(*padded, strict=True))
    return x


def _filters(op: Correlate, inputs: int, weight: Weight) -> int:
    kernel = weight(op.kernel)
    assert kernel is not None
    if op.layout == "torch":
        return int(kernel.shape[1] * op.groups if op.transposed else kernel.shape[0])
    if op.transposed:
        return int(kernel.shape[-2])
    return int(kernel[(0,) * len(op.windows)].size * op.groups // inputs)
