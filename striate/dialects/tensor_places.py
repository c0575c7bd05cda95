"""Values at places: gathered, scattered, searched, counted, shifted, in the words of TensorFlow."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .symbolic import kind, tensor
from .tensor_math import floating
from .tensor_shapes import sizes


def broadcast_to(input: Any, shape: Any, name: Any = None) -> Tensor:
    """Return values repeated to a shape."""
    return tensor(input).expand(*sizes(shape))


def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: Any = None) -> Tensor:
    """Return the parts at places that the last axis of the indices gives."""
    x, places = tensor(params), tensor(indices).long()
    if batch_dims:
        return torch.stack([gather_nd(one, at, batch_dims - 1)
                            for one, at in zip(x, places, strict=True)])  # fmt: skip
    return x[tuple(places.unbind(-1))]


def scatter_nd(indices: Any, updates: Any, shape: Any, name: Any = None) -> Tensor:
    """Return zeros with updates added at places."""
    values = tensor(updates)
    return tensor_scatter_nd_add(values.new_zeros(sizes(shape)), indices, values)


def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: Any = None) -> Tensor:
    """Return a tensor with other values at places."""
    return _scattered(tensor, indices, updates, accumulate=False)


def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: Any = None) -> Tensor:
    """Return a tensor with values added at places."""
    return _scattered(tensor, indices, updates, accumulate=True)


def _scattered(x: Any, indices: Any, updates: Any, *, accumulate: bool) -> Tensor:
    whole = tensor(x)
    places = tuple(tensor(indices).long().unbind(-1))
    return whole.index_put(places, tensor(updates).to(whole.dtype), accumulate)


def slice_(input: Any, begin: Any, size: Any, name: Any = None) -> Tensor:
    """Return a part; a size of -1 takes all the rest of an axis."""
    x = tensor(input)
    for axis, (start, count) in enumerate(zip(sizes(begin), sizes(size), strict=True)):
        x = x.narrow(axis, start, x.shape[axis] - start if count == -1 else count)
    return x


def roll(input: Any, shift: Any, axis: Any = None, name: Any = None) -> Tensor:
    """Return values moved along axes; what leaves at the end comes in at the beginning."""
    along = () if axis is None else tuple(sizes(axis))
    return tensor(input).roll(tuple(sizes(shift)), along)


def meshgrid(*args: Any, indexing: str = "xy", **words: Any) -> list[Tensor]:
    """Return the coordinates of a grid."""
    return list(torch.meshgrid(*map(tensor, args), indexing=indexing))


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left", **words: Any) -> Tensor:
    """Return where values would be put in."""
    first = tensor(sorted_sequence)
    return torch.searchsorted(first, tensor(values).to(first.dtype), right=side == "right").int()


class Unique(NamedTuple):
    """Different values, and the place of each value among them."""

    y: Tensor
    idx: Tensor


def unique(x: Any, out_idx: Any = None, name: Any = None) -> Unique:
    """Return the different values in the order they come, and the place of each value in them."""
    whole = tensor(x)
    _, first, places = np.unique(whole.numpy(), return_index=True, return_inverse=True)
    order = np.argsort(first)
    turned = np.argsort(order)
    values = whole[torch.as_tensor(first[order])]
    return Unique(values, torch.as_tensor(turned[places.reshape(-1)]))


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool",
                  name: Any = None) -> Tensor:  # fmt: skip
    """Return, for each length, as many trues, and falses behind."""
    counts = tensor(lengths).long()
    longest = int(counts.max()) if maxlen is None else int(maxlen)
    return (torch.arange(longest) < counts.unsqueeze(-1)).to(kind(dtype))


def segment_sum(data: Any, segment_ids: Any, num_segments: Any = None, **words: Any) -> Tensor:
    """Return the sums of the rows that have the same number."""
    rows, numbers = tensor(data), tensor(segment_ids).long()
    count = int(numbers.max()) + 1 if num_segments is None else int(num_segments)
    return rows.new_zeros((count, *rows.shape[1:])).index_add(0, numbers, rows)


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = "int64",
                  **words: Any) -> Tensor:  # fmt: skip
    """Return how many values are not 0."""
    some = tensor(x) != 0
    along = tuple(range(some.dim())) if axis is None else tuple(sizes(axis))
    return some.sum(along, keepdim=keepdims).to(kind(dtype))


def saturate_cast(value: Any, dtype: Any, name: Any = None) -> Tensor:
    """Return values in another dtype, those that it cannot hold as its largest or least."""
    x, to = tensor(value), kind(dtype)
    if x.is_floating_point() and not to.is_floating_point:
        x = x.clamp(torch.iinfo(to).min, torch.iinfo(to).max)
    return x.to(to)


def diag(x: Any, k: int = 0) -> Tensor:
    """Return a matrix with these values in its diagonal, or the diagonal of a matrix."""
    return torch.diag(tensor(x), k)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the diagonal of matrices."""
    return tensor(x).diagonal(offset, axis1, axis2)


def tril(x: Any, k: int = 0) -> Tensor:
    """Return matrices without what is above the diagonal."""
    return tensor(x).tril(k)


def triu(x: Any, k: int = 0) -> Tensor:
    """Return matrices without what is below the diagonal."""
    return tensor(x).triu(k)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the sums of diagonals."""
    return diagonal(x, offset, axis1, axis2).sum(-1)


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the middle value; of an even number, the mean of the two in the middle."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear",
             keepdims: bool = False) -> Tensor:  # fmt: skip
    """Return the value below which a part of all lies."""
    return torch.quantile(floating(x), tensor(q).float(), axis, keepdim=keepdims,
                          interpolation=method)  # fmt: skip


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return the values at places along an axis."""
    whole, places = tensor(x), tensor(indices).long()
    return torch.take_along_dim(whole, places, axis)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return one value in a shape."""
    return tensor(fill_value, dtype).expand(*sizes(shape)).clone()


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return one value in the shape of another tensor."""
    whole = tensor(x)
    return torch.full_like(whole, float(fill_value), dtype=None if dtype is None else kind(dtype))


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """Return the places of the values that are not 0, axis by axis."""
    return tuple(tensor(x).nonzero(as_tuple=True))


def scatter_update(inputs: Any, indices: Any, updates: Any) -> Tensor:
    """Return a tensor with other values at places."""
    return tensor_scatter_nd_update(inputs, indices, updates)


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    """Return a tensor with another part."""
    whole, part = tensor(inputs).clone(), tensor(updates)
    where = tuple(slice(at, at + side)
                  for at, side in zip(sizes(start_indices), part.shape, strict=True))  # fmt: skip
    whole[where] = part.to(whole.dtype)
    return whole


def outer(x1: Any, x2: Any) -> Tensor:
    """Return the products of each value of one with each of the other."""
    return torch.outer(tensor(x1).flatten(), tensor(x2).flatten())


def multi_hot(inputs: Any, num_classes: int, axis: int = -1, dtype: Any = "float32") -> Tensor:
    """Return classes, several to a sample, as vectors of ones."""
    hot = torch.nn.functional.one_hot(tensor(inputs).long(), num_classes)
    return hot.amax(-2 if hot.dim() > 1 else 0).to(kind(dtype))


PLACES = (
    broadcast_to, gather_nd, scatter_nd, tensor_scatter_nd_update, tensor_scatter_nd_add, slice_,
    roll, searchsorted, unique, sequence_mask, segment_sum, count_nonzero, saturate_cast,
)  # fmt: skip
MORE = (
    slice_update, scatter_update, roll, searchsorted, count_nonzero, saturate_cast, diag, diagonal,
    tril, triu, trace, median, quantile, take_along_axis, full_like, nonzero, outer, multi_hot,
    segment_sum, broadcast_to,
)  # fmt: skip
