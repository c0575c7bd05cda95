"""Functions of TensorFlow that few networks of pictures call, by the modules they are in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .symbolic import lift, tensor
from .tensor_math import floating
from .tensor_numpy import segment
from .tensor_sequences import ctc_loss
from .tensor_windows import conv, conv_transpose, pool

Function = Callable[..., Any]
YIQ = ((0.299, 0.587, 0.114), (0.59590059, -0.27455667, -0.32134392),
       (0.21153661, -0.52273617, 0.31119955))  # fmt: skip


def _named(function: Function) -> Function:
    """Return a function that TensorFlow also gives a `name`, and that takes symbols."""

    def call(*args: Any, name: Any = None, **words: Any) -> Any:
        return function(*args, **words)

    call.__name__ = getattr(function, "__name__", "call").strip("_")
    return lift(call)


def _reals(function: Function) -> Function:
    return _named(lambda x, **words: function(floating(x), **words))


def polyval(coeffs: Any, x: Any) -> Tensor:
    """Return a polynomial, the coefficient of the highest power first."""
    out = torch.zeros(())
    for one in coeffs:
        out = out * floating(x) + tensor(one)
    return out


def invert_permutation(x: Any) -> Tensor:
    """Return where each number of a permutation is."""
    return tensor(x).argsort()


def band_part(input: Any, num_lower: Any, num_upper: Any) -> Tensor:
    """Return matrices with zeros outside a band around the diagonal; -1 keeps a whole side."""
    x = tensor(input)
    far = torch.arange(x.shape[-1]) - torch.arange(x.shape[-2])[:, None]
    low, high = int(num_lower), int(num_upper)
    return torch.where(((far >= -low) | (low < 0)) & ((far <= high) | (high < 0)), x, 0)


def set_diag(input: Any, diagonal: Any) -> Tensor:
    """Return matrices with other diagonals."""
    x, line = tensor(input), tensor(diagonal)
    return x - torch.diag_embed(x.diagonal(0, -2, -1)) + torch.diag_embed(line)


def normalized(x: Any, ord: Any = "euclidean", axis: Any = None) -> tuple[Tensor, Tensor]:
    """Return vectors of length 1, and the lengths."""
    given = floating(x)
    size = torch.linalg.vector_norm(given, 2 if ord == "euclidean" else ord, axis, axis is not None)
    return given / size, size


def triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False) -> Tensor:
    """Return x of matrix x = rhs."""
    a = floating(matrix).tril() if lower else floating(matrix).triu()
    a, upper = (a.mT, lower) if adjoint else (a, not lower)
    found: Tensor = torch.linalg.solve_triangular(a, floating(rhs), upper=upper)
    return found


def square_root(x: Tensor) -> Tensor:
    """Return the matrix whose square is x, of a symmetric one without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(x)
    root: Tensor = (vectors * values.clamp(min=0).sqrt().unsqueeze(-2)) @ vectors.mT
    return root


def reverse_sequence(input: Any, seq_lengths: Any, seq_axis: Any = 1,
                     batch_axis: int = 0) -> Tensor:  # fmt: skip
    """Return sequences (N, steps, ...) whose first steps, as many as said, are turned around."""
    x, lengths = tensor(input), tensor(seq_lengths).long()
    steps = torch.arange(x.shape[1])
    places = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return x[torch.arange(len(x))[:, None], places]


def put(how: str) -> Function:
    """Return what changes the values at places."""

    def call(tensor_: Any, indices: Any, updates: Any) -> Tensor:
        x, places = tensor(tensor_).clone(), tensor(indices).long().unbind(-1)
        new = tensor(updates).to(x)
        if how == "sub":
            return x.index_put(places, -new, accumulate=True)
        return x.index_put(places, getattr(torch, how)(x[places], new))

    return _named(call)


def counted(x: Any) -> tuple[Tensor, ...]:
    """Return the values in the order in which they come, where each is, and how often."""
    given = tensor(x)
    values, places, counts = torch.unique(given, return_inverse=True, return_counts=True)
    first = torch.stack([(places == number).nonzero()[0, 0] for number in range(len(values))])
    order = first.argsort()
    return values[order], order.argsort()[places], counts[order]


def histogram(values: Any, value_range: Any, nbins: int = 100, dtype: Any = None) -> Tensor:
    """Return how many values are in each of equal parts of a range; those beyond in the last."""
    low, high = (float(end) for end in value_range)
    x = floating(values).flatten().clamp(low, high)
    return torch.histc(x, int(nbins), low, high).int()


def windows(kind: str, rank: int) -> Function:
    """Return pooling in the words of TensorFlow."""

    def call(input: Any, ksize: Any, strides: Any, padding: str = "VALID",
             data_format: Any = None) -> Tensor:  # fmt: skip
        size, step = [one if isinstance(one, int) or len(one) < rank + 2 else one[1:-1]
                 for one in (ksize, strides)]  # fmt: skip
        return pool(input, size, step, padding.lower(), None, kind)

    return _named(call)


def max_pool_with_argmax(input: Any, ksize: Any, strides: Any, padding: str = "VALID",
                         data_format: Any = None, output_dtype: Any = None,
                         include_batch_in_index: bool = False) -> tuple[Tensor, ...]:  # fmt: skip
    """Return the maximum of windows (N, H, W, C), and its place in the flat picture."""
    x = floating(input)
    sides, steps = (list(one[1:3]) if not isinstance(one, int) and len(one) == 4 else
                    [one] * 2 if isinstance(one, int) else list(one)
                    for one in (ksize, strides))  # fmt: skip
    channels, (rows, columns) = x.movedim(-1, 1), x.shape[1:3]
    more = [max((-(-n // s) - 1) * s + k - n, 0) if padding.upper() == "SAME" else 0
            for n, k, s in zip((rows, columns), sides, steps, strict=True)]  # fmt: skip
    top, left = more[0] // 2, more[1] // 2
    padded = functional.pad(
        channels, (left, more[1] - left, top, more[0] - top), value=float("-inf"))  # fmt: skip
    out, place = functional.max_pool2d(padded, sides, steps, return_indices=True)
    row, column = place // padded.shape[-1] - top, place % padded.shape[-1] - left
    flat = (row * columns + column) * x.shape[-1] + torch.arange(x.shape[-1])[:, None, None]
    if include_batch_in_index:
        flat = flat + torch.arange(len(x))[:, None, None, None] * x[0].numel()
    return out.movedim(1, -1), flat.movedim(1, -1)


def conv1d_transpose(input: Any, filters: Any, output_shape: Any, strides: Any,
                     padding: str = "SAME", **words: Any) -> Tensor:  # fmt: skip
    """Return the gradient of a convolution with a kernel (steps, out, in)."""
    return conv_transpose(input, filters, strides, padding.lower())


def tf_ctc_loss(labels: Any, logits: Any, label_length: Any, logit_length: Any,
                logits_time_major: bool = True, unique: Any = None,
                blank_index: Any = None) -> Tensor:  # fmt: skip
    """Return the connectionist temporal classification loss (N,) of dense labels."""
    x = floating(logits)
    x = x.transpose(0, 1) if logits_time_major else x
    blank = 0 if blank_index is None else int(blank_index) % x.shape[-1]
    return ctc_loss(labels, x, label_length, logit_length, blank)


def _turned(matrix: Any) -> Function:
    return _named(lambda images: floating(images) @ torch.as_tensor(matrix).mT)


def _morphology(operation: str) -> Function:
    """Return erosion or dilation of pictures (N, H, W, C) by a filter (rows, columns, C)."""

    def call(input: Any, filters: Any, strides: Any, padding: str, data_format: Any = "NHWC",
             dilations: Any = (1, 1, 1, 1)) -> Tensor:  # fmt: skip
        x, kernel = floating(input), floating(filters)
        (rows, columns), far = kernel.shape[:2], dilations[1:3]
        sign = 1.0 if operation == "dilation" else -1.0
        kernel = kernel if sign > 0 else kernel.flip(0, 1)
        reach = [(side - 1) * step for side, step in zip((rows, columns), far, strict=True)]
        if padding.upper() == "SAME":
            ends = [(one // 2, one - one // 2) for one in reach]
            x = functional.pad(x, (0, 0, *ends[1], *ends[0]), value=-sign * float("inf"))
        high, wide = x.shape[1] - reach[0], x.shape[2] - reach[1]
        seen = [x[:, r * far[0] : r * far[0] + high, c * far[1] : c * far[1] + wide] * sign
                + kernel[r, c] for r in range(rows) for c in range(columns)]  # fmt: skip
        out = torch.stack(seen).amax(0) * sign
        return out[:, :: strides[1], :: strides[2]]

    return _named(call)


TOP: Mapping[str, Function] = {
    "reverse_sequence": _named(reverse_sequence), "tensor_scatter_nd_sub": put("sub"),
    "tensor_scatter_nd_max": put("maximum"), "tensor_scatter_nd_min": put("minimum"),
    "unique_with_counts": _named(counted), "histogram_fixed_width": _named(histogram),
    "truncatediv": _named(lambda x, y: torch.div(tensor(x), tensor(y), rounding_mode="trunc")),
}  # fmt: skip
MATH: Mapping[str, Function] = {
    "polyval": _named(polyval), "invert_permutation": _named(invert_permutation),
    "cumulative_logsumexp": _reals(lambda x, axis=0: x.logcumsumexp(axis)),
    "reciprocal_no_nan": _reals(lambda x: torch.where(x == 0, 0.0, 1 / x)),
    "scalar_mul": _named(lambda scalar, x: scalar * tensor(x)),
    "ndtri": _reals(torch.special.ndtri),
    **{f"{word}segment_{name}": lift(segment(how)) for word in ("", "unsorted_")
       for name, how in (("max", "amax"), ("min", "amin"), ("mean", "mean"), ("prod", "prod"))},
}  # fmt: skip
LINALG: Mapping[str, Function] = {
    "band_part": _named(band_part), "set_diag": _named(set_diag),
    "normalize": _named(normalized), "triangular_solve": _named(triangular_solve),
    "solve": _named(lambda matrix, rhs, adjoint=False: torch.linalg.solve(
        floating(matrix).mT if adjoint else floating(matrix), floating(rhs))),
    "lstsq": _named(lambda matrix, rhs, **words: torch.linalg.lstsq(
        floating(matrix), floating(rhs)).solution),
    "matvec": _named(lambda a, b, transpose_a=False: ((
        tensor(a).mT if transpose_a else tensor(a)) @ tensor(b).unsqueeze(-1)).squeeze(-1)),
    "tensor_diag": _named(lambda diagonal: torch.diag_embed(tensor(diagonal))),
    "tensor_diag_part": _named(lambda x: tensor(x).diagonal(0, -2, -1)),
    "eigh": _reals(lambda x: tuple(torch.linalg.eigh(x))), "eig": _reals(
        lambda x: tuple(torch.linalg.eig(x))), "slogdet": _reals(
        lambda x: tuple(torch.linalg.slogdet(x))), "expm": _reals(torch.matrix_exp),
    "cross": _named(lambda a, b: torch.linalg.cross(floating(a), floating(b))),
    "sqrtm": _reals(square_root),
    **{name: _reals(getattr(torch.linalg, name)) for name in ("pinv", "matrix_rank")},
    "logdet": _reals(torch.logdet),
}  # fmt: skip
NN: Mapping[str, Function] = {
    **{f"{kind}_pool{rank}d": windows(kind, rank) for kind in ("max", "avg") for rank in (1, 3)},
    "max_pool_with_argmax": _named(max_pool_with_argmax),
    "atrous_conv2d": _named(lambda value, filters, rate, padding: conv(
        value, filters, 1, padding.lower(), None, rate)),
    "conv1d_transpose": _named(conv1d_transpose),
    "dilation2d": _morphology("dilation"), "erosion2d": _morphology("erosion"),
    "log_poisson_loss": _named(lambda targets, log_input, compute_full_loss=False: (
        floating(log_input).exp() - floating(log_input) * floating(targets))),
    "ctc_loss": _named(tf_ctc_loss),
}  # fmt: skip
IMAGE: Mapping[str, Function] = {
    "rgb_to_yiq": _turned(YIQ), "yiq_to_rgb": _turned(torch.linalg.inv(torch.tensor(YIQ)).tolist()),
}  # fmt: skip
