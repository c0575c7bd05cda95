"""Functions of TensorFlow that put tensors apart and together again, or look at their bits."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .. import tensor_spectra, tensor_windows as windows
from ..symbolic import lift, tensor
from ..tensor_math import floating
from . import tf_sparse


def dynamic_partition(data: Any, partitions: Any, num_partitions: int,
                      name: Any = None) -> list[Tensor]:  # fmt: skip
    """Return the parts of the first axis by the numbers of their heaps."""
    x, places = tensor(data), tensor(partitions)
    return [x[places == number] for number in range(int(num_partitions))]


def dynamic_stitch(indices: Any, data: Any, name: Any = None) -> Tensor:
    """Return one tensor of several, whose rows go to these places."""
    places = [tensor(one).long().flatten() for one in indices]
    rows = [tensor(one).reshape(len(at), *tensor(one).shape[tensor(index).dim() :])
            for one, at, index in zip(data, places, indices, strict=True)]  # fmt: skip
    every = torch.cat(places)
    out = torch.zeros(int(every.max()) + 1, *rows[0].shape[1:], dtype=rows[0].dtype)
    return out.index_copy(0, every, torch.cat(rows))


def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: Any = None) -> Tensor:
    """Return samples of every so many rows and columns, one behind the other."""
    x = tensor(input)
    blocks = [int(one) for one in tensor(block_shape).reshape(-1)]
    pads = tensor(paddings).tolist()
    rest = x.dim() - 1 - len(blocks)
    x = functional.pad(x, [0, 0] * rest + [one for pair in reversed(pads) for one in pair])
    sides = x.shape[1 : 1 + len(blocks)]
    cut = [one for side, block in zip(sides, blocks, strict=True) for one in (side // block, block)]
    x = x.reshape(len(x), *cut, *x.shape[1 + len(blocks) :])
    count = len(blocks)
    inner, outer = [2 + 2 * at for at in range(count)], [1 + 2 * at for at in range(count)]
    x = x.permute(*inner, 0, *outer, *range(1 + 2 * count, x.dim()))
    return x.reshape(-1, *x.shape[count + 1 :])


def batch_to_space(input: Any, block_shape: Any, crops: Any, name: Any = None) -> Tensor:
    """Return what `space_to_batch` was given, without so many of its edges."""
    x = tensor(input)
    blocks = [int(one) for one in tensor(block_shape).reshape(-1)]
    count, batch = len(blocks), len(x) // math.prod(blocks)
    x = x.reshape(*blocks, batch, *x.shape[1:])
    sides = [one for at in range(count) for one in (count + 1 + at, at)]
    x = x.permute(count, *sides, *range(2 * count + 1, x.dim()))
    sizes = [x.shape[1 + 2 * at] * blocks[at] for at in range(count)]
    x = x.reshape(batch, *sizes, *x.shape[1 + 2 * count :])
    for axis, (before, behind) in enumerate(tensor(crops).tolist(), 1):
        x = x.narrow(axis, before, x.shape[axis] - before - behind)
    return x


def rising(x: Any, strictly: bool = False) -> Tensor:
    """Return whether each number is not below the one before, or is above it."""
    steps = tensor(x).flatten().diff()
    return ((steps > 0) if strictly else (steps >= 0)).all()


def pool(input: Any, window_shape: Any, pooling_type: str, strides: Any = None,
         padding: str = "VALID", data_format: Any = None, dilations: Any = None,
         name: Any = None) -> Tensor:  # fmt: skip
    """Return the maximum or the average of windows."""
    mode = "max" if pooling_type.upper() == "MAX" else "avg"
    return windows.pool(input, window_shape, 1 if strides is None else strides, padding, None, mode)


def conv3d_transpose(input: Any, filters: Any, output_shape: Any, strides: Any,
                     padding: str = "SAME", *args: Any, **words: Any) -> Tensor:  # fmt: skip
    """Return the gradient of a convolution of volumes with a kernel (sides..., out, in)."""
    return windows.conv_transpose(input, filters, strides, padding)


def weighted_moments(x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False,
                     name: Any = None) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return mean and variance along axes, each value counted by its weight."""
    x = floating(x)
    share = floating(frequency_weights).expand_as(x)
    mean = (x * share).sum(axes, keepdim=True) / share.sum(axes, keepdim=True)
    variance = ((x - mean) ** 2 * share).sum(axes, keepdims) / share.sum(axes, keepdims)
    return (mean if keepdims else mean.sum(axes)), variance


TOP = {made.__name__: lift(made) for made in (
    dynamic_partition, dynamic_stitch, space_to_batch, batch_to_space)}  # fmt: skip
TOP |= {
    **{word: tensor_spectra.SIGNAL[word] for word in (  # as TensorFlow 1 has them
        "fft", "ifft", "fft2d", "ifft2d", "fft3d", "ifft3d")},
    "sparse_tensor_dense_matmul": lift(tf_sparse.matmul), "sparse_reorder": tf_sparse.reorder,
    "sparse_tensor_to_dense": tf_sparse.to_dense,
    "parallel_stack": lift(lambda values, name=None: torch.stack([*map(tensor, values)])),
    "get_static_value": lambda tensor, partial=False: tensor.numpy(),
    "inside_function": lambda: False,
    "broadcast_static_shape": lambda shape_x, shape_y: tuple(
        torch.broadcast_shapes(tuple(shape_x), tuple(shape_y))),
}  # fmt: skip
MATH = {
    "erfc": lift(lambda x, name=None: torch.special.erfc(floating(x))),
    "xlog1py": lift(lambda x, y, name=None: torch.special.xlog1py(floating(x), floating(y))),
    "is_non_decreasing": rising,
    "is_strictly_increasing": lambda x, name=None: rising(x, strictly=True),
}  # fmt: skip
NN = {
    "space_to_batch": TOP["space_to_batch"], "batch_to_space": TOP["batch_to_space"],
    "weighted_moments": lift(weighted_moments), "pool": lift(pool),
    "conv3d_transpose": lift(conv3d_transpose), "conv_transpose": lift(conv3d_transpose),
}  # fmt: skip
BITS = {
    "bitwise_and": lift(lambda x, y, name=None: tensor(x) & tensor(y)),
    "bitwise_or": lift(lambda x, y, name=None: tensor(x) | tensor(y)),
    "bitwise_xor": lift(lambda x, y, name=None: tensor(x) ^ tensor(y)),
    "invert": lift(lambda x, name=None: torch.bitwise_not(tensor(x))),
    "left_shift": lift(lambda x, y, name=None: tensor(x) << tensor(y)),
    "right_shift": lift(lambda x, y, name=None: tensor(x) >> tensor(y)),
}  # fmt: skip
