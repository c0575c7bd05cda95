"""Torch's convolution over one, two or three axes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

CONV = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    strides: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of a batch (N, C, *sizes) with a kernel (out, C / groups, *k).

    A kernel of one cell with strides is given the cells that it reads, and no strides: the weight
    gradient that oneDNN has for it writes beyond its memory where the channels are last in memory
    and fewer than eight (torch 2.13, one thread).
    """
    rank = weight.dim() - 2
    if weight.shape[2:].numel() == 1 and max(strides) > 1 and not any(padding):
        every = strides if len(strides) == rank else (*strides,) * rank
        cells = tuple(slice(None, None, stride) for stride in every)
        x, strides = x[(slice(None), slice(None), *cells)], (1,)
    out: Tensor = CONV[rank](x, weight, bias, strides, padding, dilation, groups)
    return out
