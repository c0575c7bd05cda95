"""Shapes of tensors, in the words of TensorFlow and Keras: moved, joined, made, taken apart."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .symbolic import kind, lift, tensor


def sizes(shape: Any) -> list[int]:
    """Return a shape as whole numbers."""
    if isinstance(shape, (int, Tensor)) and not (isinstance(shape, Tensor) and shape.dim()):
        return [int(shape)]
    return [int(size) for size in shape]


def reshape(x: Any, shape: Any, name: Any = None) -> Tensor:
    """Return the same values in another shape; one size may be -1."""
    return tensor(x).reshape(sizes(-1 if size is None else size for size in shape))


def flatten(x: Any) -> Tensor:
    """Return all values in one axis."""
    return tensor(x).reshape(-1)


def batch_flatten(x: Any) -> Tensor:
    """Return all values of each sample in one axis."""
    x = tensor(x)
    return x.reshape(x.shape[0], -1)


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Tensor:
    """Return the axes in another order."""
    return tensor(x).permute(*pattern)


def transpose(x: Any, perm: Any = None, axes: Any = None) -> Tensor:
    """Return the axes in another order; reversed for None."""
    x = tensor(x)
    order = perm if perm is not None else axes
    return x.permute(*(order if order is not None else range(x.dim() - 1, -1, -1)))


def expand_dims(x: Any, axis: Any = -1, name: Any = None) -> Tensor:
    """Return x with a new axis of size 1."""
    return tensor(x).unsqueeze(int(axis))


def squeeze(x: Any, axis: Any = None) -> Tensor:
    """Return x without axes of size 1."""
    x = tensor(x)
    if axis is None:
        return x.squeeze()
    return x.squeeze(tuple(axis) if isinstance(axis, (list, tuple)) else axis)


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Tensor:
    """Return tensors one after the other along an axis."""
    return torch.cat([tensor(item) for item in tensors], int(axis))


def concat(values: Sequence[Any], axis: int = 0, name: Any = None) -> Tensor:
    """Return tensors one after the other along an axis."""
    return concatenate(values, axis)


def stack(x: Any, axis: int = 0, name: Any = None) -> Tensor:
    """Return tensors on each other along a new axis."""
    return torch.stack([tensor(item) for item in x], axis)


def unstack(value: Any, num: Any = None, axis: int = 0) -> list[Tensor]:
    """Return the parts along an axis."""
    return list(tensor(value).unbind(axis))


def split(value: Any, num_or_size_splits: Any, axis: int = 0) -> list[Tensor]:
    """Return a tensor in equal parts, or in parts of these sizes."""
    x = tensor(value)
    if isinstance(num_or_size_splits, int):
        return list(x.chunk(num_or_size_splits, axis))
    return list(x.split(list(num_or_size_splits), axis))


def tile(x: Any, n: Any) -> Tensor:
    """Return x repeated along each axis."""
    return torch.tile(tensor(x), tuple(sizes(n)))


def repeat_elements(x: Any, rep: int, axis: int) -> Tensor:
    """Return x with each element repeated along an axis."""
    return tensor(x).repeat_interleave(rep, axis)


def repeat(x: Any, repeats: Any, axis: Any = None) -> Tensor:
    """Return x with each element repeated along an axis."""
    return tensor(x).repeat_interleave(
        repeats if isinstance(repeats, int) else tensor(repeats), axis
    )


def reverse(x: Any, axes: Any = None, axis: Any = None) -> Tensor:
    """Return x reversed along axes."""
    given = axes if axes is not None else axis
    return tensor(x).flip(sizes(given))


def gather(reference: Any = None, indices: Any = None, axis: int | None = None,
           batch_dims: int = 0, **words: Any) -> Tensor:  # fmt: skip
    """Return the parts at these places along an axis; the first axes of both may go together."""
    x, places = tensor(words.get("params", reference)), tensor(indices).long()
    along = (batch_dims if axis is None else axis) % x.dim()
    if batch_dims:
        pairs = zip(x, places, strict=True)
        return torch.stack([gather(a, b, along - 1, batch_dims - 1) for a, b in pairs])
    out = x.index_select(along, places.reshape(-1))
    return out.reshape(*out.shape[:along], *places.shape, *out.shape[along + 1 :])


def where(condition: Any, x: Any = None, y: Any = None) -> Tensor:
    """Return x where the condition holds, else y; without both, the places where it holds."""
    if x is None:
        return tensor(condition).nonzero()
    return torch.where(tensor(condition).bool(), tensor(x), tensor(y))


def one_hot(indices: Any, depth: int | None = None, num_classes: int | None = None,
            axis: int = -1, dtype: Any = "float32", **words: Any) -> Tensor:  # fmt: skip
    """Return classes as vectors of one 1."""
    count = depth if depth is not None else num_classes
    assert count is not None
    labels = tensor(indices).long()
    hot = labels.unsqueeze(-1) == torch.arange(int(count), device=labels.device)
    hot = hot.to(kind(dtype))
    on, off = words.get("on_value"), words.get("off_value")
    if on is not None:
        hot = hot * on + (1 - hot) * (off or 0.0)
    return hot if axis == -1 else hot.movedim(-1, axis)


def pad(x: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Tensor:
    """Return x with values around it; (before, after) for each axis."""
    x = tensor(x)
    amounts = [sizes(pair) for pair in paddings]
    flat = [amount for pair in reversed(amounts) for amount in pair]
    word = mode.lower()
    if word == "constant":
        return functional.pad(x, flat, value=constant_values)
    for axis, (before, after) in enumerate(amounts):
        x = _mirrored(x, axis, before, after, edge=word == "symmetric")
    return x


def _mirrored(x: Tensor, axis: int, before: int, after: int, *, edge: bool) -> Tensor:
    size = x.shape[axis]
    first = 0 if edge else 1
    low = list(range(first + before - 1, first - 1, -1))
    high = list(range(size - 1 - first, size - 1 - first - after, -1))
    places = torch.tensor([*low, *range(size), *high], device=x.device)
    return x.index_select(axis, places)


@lift
def zeros(shape: Any, dtype: Any = "float32", name: Any = None) -> Tensor:
    """Return zeros."""
    return torch.zeros(sizes(shape), dtype=kind(dtype))


@lift
def ones(shape: Any, dtype: Any = "float32", name: Any = None) -> Tensor:
    """Return ones."""
    return torch.ones(sizes(shape), dtype=kind(dtype))


@lift
def fill(dims: Any, value: Any, name: Any = None) -> Tensor:
    """Return one value in a shape."""
    return tensor(value).expand(*sizes(dims)).clone()


@lift
def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32") -> Tensor:
    """Return the identity matrix."""
    columns = num_rows if num_columns is None else num_columns
    return torch.eye(num_rows, columns, dtype=kind(dtype))


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Return zeros of the same shape."""
    return torch.zeros_like(tensor(x), dtype=None if dtype is None else kind(dtype))


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Return ones of the same shape."""
    return torch.ones_like(tensor(x), dtype=None if dtype is None else kind(dtype))


@lift
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """Return numbers in equal steps."""
    ends = (0, start) if stop is None else (start, stop)
    numbers = [item.item() if isinstance(item, Tensor) else item for item in (*ends, step)]
    return torch.arange(*numbers, dtype=None if dtype is None else kind(dtype))


@lift
def linspace(start: float, stop: float, num: int = 50) -> Tensor:
    """Return numbers in equal steps, both ends included."""
    return torch.linspace(start, stop, num)


def shape(x: Any) -> Any:
    """Return the sizes of all axes."""
    return tuple(tensor(x).shape)


def size(x: Any) -> int:
    """Return the number of values."""
    return int(tensor(x).numel())


def dot(x: Any, y: Any) -> Tensor:
    """Return the product over the last axis of x and the one before the last of y."""
    a, b = tensor(x), tensor(y)
    if b.dim() < 2:
        return torch.tensordot(a, b, ([a.dim() - 1], [0]))
    return torch.tensordot(a, b, ([a.dim() - 1], [b.dim() - 2]))


def batch_dot(x: Any, y: Any, axes: Any = None) -> Tensor:
    """Return, for each sample, the product over one axis of x and one of y."""
    a, b = tensor(x), tensor(y)
    first, second = (a.dim() - 1, max(b.dim() - 2, 1)) if axes is None else (
        (axes, axes) if isinstance(axes, int) else axes
    )  # fmt: skip
    a, b = a.movedim(first, -1), b.movedim(second, 1)
    left, right = a.shape[1:-1], b.shape[2:]
    out = torch.bmm(a.reshape(a.shape[0], -1, a.shape[-1]), b.reshape(b.shape[0], b.shape[1], -1))
    out = out.reshape(a.shape[0], *left, *right)
    return out.unsqueeze(-1) if out.dim() == 1 else out


def matrices_dot(x: Any, y: Any, axes: Any = None) -> Tensor:
    """Return the products of matrices, an axis of 1 added to the one with fewer axes.

    It is `batch_dot` up to Keras 2.2: all axes before the last two are axes of the batch.
    """
    a, b = tensor(x), tensor(y)
    first, second = (axes, axes) if isinstance(axes, int) else axes or (a.dim() - 1, b.dim() - 2)
    if a.dim() == b.dim() == 2:
        return (a * b if first == second else a.T * b).sum(second).unsqueeze(1)
    gone = a.dim() + b.dim() - 3 if a.dim() > b.dim() else a.dim() - 1
    extra = abs(a.dim() - b.dim())
    whole = max(a.dim(), b.dim())
    a, b = (one.reshape(*one.shape, *[1] * (whole - one.dim())) for one in (a, b))
    a = a if first == whole - 1 else a.mT
    b = b.mT if second == whole - 1 else b
    out = a @ b
    return out.squeeze(tuple(range(gone, gone + extra))) if extra else out


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """Return the product of matrices."""
    x, y = tensor(a), tensor(b)
    x = x.transpose(-1, -2) if transpose_a else x
    y = y.transpose(-1, -2) if transpose_b else y
    return x @ y


def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    """Return the product over axes of both."""
    if not isinstance(axes, int):
        axes = tuple([one] if isinstance(one, int) else list(one) for one in axes)
    return torch.tensordot(tensor(a), tensor(b), axes)


class Largest(NamedTuple):
    """The largest values, and their places."""

    values: Tensor
    indices: Tensor


def top_k(input: Any, k: int = 1, sorted: bool = True) -> Largest:
    """Return the k largest values along the last axis, and their places."""
    found = tensor(input).topk(k, -1)
    return Largest(found.values, found.indices)


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING") -> Tensor:
    """Return values in order along an axis."""
    return tensor(values).sort(axis, descending=direction.upper() == "DESCENDING").values


def argsort(values: Any, axis: int = -1, direction: str = "ASCENDING") -> Tensor:
    """Return the places of values in order along an axis."""
    return tensor(values).argsort(axis, descending=direction.upper() == "DESCENDING")


def boolean_mask(x: Any, mask: Any) -> Tensor:
    """Return the values where the mask holds."""
    return tensor(x)[tensor(mask).bool()]


def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int,
                   data_format: str) -> Tensor:  # fmt: skip
    """Return volumes whose cells are repeated."""
    first = 1 if data_format in ("channels_last", "tf") else 2
    out = tensor(x)
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), first):
        out = out.repeat_interleave(int(factor), axis)
    return out


def resize_images(x: Any, height_factor: int, width_factor: int, data_format: str,
                  interpolation: str = "nearest") -> Tensor:  # fmt: skip
    """Return images that are larger by whole factors: each cell repeated, or lines between them."""
    last = data_format in ("channels_last", "tf")
    x = tensor(x).movedim(-1, 1) if last else tensor(x)
    if interpolation == "nearest":
        x = x.repeat_interleave(height_factor, 2).repeat_interleave(width_factor, 3)
    else:
        factors = (float(height_factor), float(width_factor))
        x = functional.interpolate(x.float(), scale_factor=factors, mode=interpolation)
    return x.movedim(1, -1) if last else x


def map_fn(fn: Any, elems: Any, **words: Any) -> Tensor:
    """Return a function of each element along the first axis."""
    return torch.stack([fn(item) for item in tensor(elems)])


def range_(*args: Any, **words: Any) -> Tensor:
    """Return whole numbers in equal steps."""
    return arange(*args, **words)


def in_turn(count: int) -> builtins.range:
    """Return the numbers below a count."""
    return builtins.range(count)


MOVED = (
    reshape, flatten, batch_flatten, permute_dimensions, transpose, expand_dims, squeeze,
    concatenate, concat, stack, unstack, split, tile, repeat_elements, repeat, reverse, gather,
    where, one_hot, pad, zeros_like, ones_like, dot, batch_dot, matmul, tensordot, top_k, sort,
    argsort, resize_images, resize_volumes, shape, size,
)  # fmt: skip
MADE = (zeros, ones, eye, arange, linspace, fill)
