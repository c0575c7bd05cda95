"""Networks as functions of tensors, in the words of TensorFlow and Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..layers.convolve import convolve
from .symbolic import kind, lift, tensor
from .tensor_math import floating
from .tensor_shapes import sizes

EPSILON = 1e-7
LAST = ("channels_last", "tf", "NHWC", None)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0,
         negative_slope: float | None = None) -> Tensor:  # fmt: skip
    """Return max(x, 0), with a slope below the threshold and a limit above."""
    x, slope = floating(x), alpha if negative_slope is None else negative_slope
    out = (
        torch.where(x >= threshold, x, slope * (x - threshold)) if slope or threshold else x.relu()
    )
    return out if max_value is None else out.clamp(max=max_value)


def relu6(x: Any) -> Tensor:
    """Return min(max(x, 0), 6)."""
    return floating(x).clamp(0, 6)


def leaky_relu(x: Any, alpha: float = 0.2, negative_slope: float | None = None) -> Tensor:
    """Return x where it is above 0, else a part of it."""
    return functional.leaky_relu(floating(x), alpha if negative_slope is None else negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Return x where it is above 0, else alpha (exp(x) - 1)."""
    return functional.elu(floating(x), alpha)


def selu(x: Any) -> Tensor:
    """Return the scaled exponential linear unit."""
    return functional.selu(floating(x))


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """Return x times the normal distribution up to x."""
    return functional.gelu(floating(x), approximate="tanh" if approximate else "none")


def silu(x: Any) -> Tensor:
    """Return x sigmoid(x)."""
    return functional.silu(floating(x))


def softmax(x: Any, axis: int = -1, name: Any = None) -> Tensor:
    """Return exp(x) divided by its sum along an axis."""
    return floating(x).softmax(axis)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """Return the logarithm of softmax."""
    return floating(x).log_softmax(axis)


def hard_sigmoid(x: Any) -> Tensor:
    """Return clip(0.2 x + 0.5, 0, 1): Keras's up to 2; Keras 3's is clip(x / 6 + 0.5, 0, 1)."""
    return torch.clamp(0.2 * floating(x) + 0.5, 0, 1)


def dropout(x: Any, level: float = 0.5, noise_shape: Any = None, seed: Any = None,
            rate: float | None = None, keep_prob: float | None = None) -> Tensor:  # fmt: skip
    """Return x with a fraction set to 0 and the rest divided by what is kept."""
    x = floating(x)
    fraction = level if rate is None else rate
    fraction = 1 - keep_prob if keep_prob is not None else fraction
    shape = x.shape if noise_shape is None else sizes(noise_shape)
    return x * (torch.rand(shape) >= fraction).to(x) / (1 - fraction)


# ---- losses --------------------------------------------------------------------------------------


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False,
                             axis: int = -1) -> Tensor:  # fmt: skip
    """Return -sum(target log(output)) along an axis."""
    target, output = floating(target), floating(output)
    if from_logits:
        return -(target * output.log_softmax(axis)).sum(axis)
    output = output / output.sum(axis, keepdim=True)
    return -(target * output.clamp(EPSILON, 1 - EPSILON).log()).sum(axis)


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False,
                                    axis: int = -1) -> Tensor:  # fmt: skip
    """Return -log(output) at the class."""
    labels, output = tensor(target).long(), floating(output)
    labels = labels.squeeze(-1) if labels.dim() == output.dim() else labels
    if from_logits:
        logs = output.log_softmax(axis)
    else:
        logs = (output / output.sum(axis, keepdim=True)).clamp(EPSILON, 1 - EPSILON).log()
    return -logs.gather(-1, labels.unsqueeze(-1)).squeeze(-1)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Return -(t log(p) + (1 - t) log(1 - p)), value by value."""
    target, output = floating(target), floating(output)
    if from_logits:
        return functional.binary_cross_entropy_with_logits(
            output, target.to(output), reduction="none"
        )
    output = output.clamp(EPSILON, 1 - EPSILON)
    return -(target * output.log() + (1 - target) * (1 - output).log())


def softmax_cross_entropy_with_logits(labels: Any = None, logits: Any = None, axis: int = -1,
                                      name: Any = None) -> Tensor:  # fmt: skip
    """Return the entropy of one-hot labels."""
    return categorical_crossentropy(labels, logits, from_logits=True, axis=axis)


def sparse_softmax_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: Any = None
) -> Tensor:
    """Return the entropy of class labels."""
    return sparse_categorical_crossentropy(labels, logits, from_logits=True)


def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: Any = None
) -> Tensor:
    """Return the entropy of independent labels, value by value."""
    return binary_crossentropy(labels, logits, from_logits=True)


def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = 1.0, name: Any = None
) -> Tensor:
    """Return the entropy of independent labels, with a weight for those that are 1."""
    true, out = floating(labels), floating(logits)
    return functional.binary_cross_entropy_with_logits(
        out, true, reduction="none", pos_weight=torch.as_tensor(pos_weight, dtype=out.dtype)
    )


# ---- windows -------------------------------------------------------------------------------------


def _pair(value: Any) -> tuple[int, int]:
    several = [value, value] if isinstance(value, int) else list(value)
    several = several[1:3] if len(several) == 4 else several * (2 // len(several))
    return int(several[0]), int(several[1])


def same(x: Tensor, window: Sequence[int], strides: Sequence[int], dilation: Sequence[int],
         value: float = 0.0) -> Tensor:  # fmt: skip
    """Return (N, C, H, W) padded as TensorFlow does: the odd row and column go behind."""
    pads: list[int] = []
    for size, k, s, d in zip(x.shape[2:], window, strides, dilation, strict=True):
        total = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        pads = [total // 2, total - total // 2, *pads]
    return functional.pad(x, pads, value=value)


def conv2d(x: Any = None, kernel: Any = None, strides: Any = 1, padding: str = "valid",
           data_format: Any = None, dilation_rate: Any = 1, filters: Any = None,
           border_mode: Any = None, **words: Any) -> Tensor:  # fmt: skip
    """Return the cross-correlation with a kernel (rows, columns, in, out)."""
    kernel = floating(kernel if kernel is not None else filters)
    x = floating(words.get("input", x))
    s, d = _pair(strides), _pair(dilation_rate)
    x = x.movedim(-1, 1) if data_format in LAST else x
    if (border_mode or padding).lower() == "same":
        x = same(x, kernel.shape[:2], s, d)
    groups = x.shape[1] // kernel.shape[2]
    out = convolve(x, kernel.permute(3, 2, 0, 1), strides=s, dilation=d, groups=groups)
    return out.movedim(1, -1) if data_format in LAST else out


def depthwise_conv2d(x: Any, kernel: Any, strides: Any = 1, padding: str = "valid",
                     data_format: Any = None) -> Tensor:  # fmt: skip
    """Return each channel's own correlations; kernel (rows, columns, in, multiplier)."""
    kernel = floating(kernel)
    rows, columns, channels, times = kernel.shape
    own = kernel.reshape(rows, columns, 1, channels * times)
    return conv2d(x, own, strides, padding, data_format)


def pool2d(x: Any, pool_size: Any = 2, strides: Any = None, padding: str = "valid",
           data_format: Any = None, pool_mode: str = "max", ksize: Any = None,
           border_mode: Any = None, name: Any = None) -> Tensor:  # fmt: skip
    """Return the maximum or the average of windows; padding counts for neither."""
    x, window = floating(x), _pair(pool_size if ksize is None else ksize)
    steps = window if strides is None else _pair(strides)
    x = x.movedim(-1, 1) if data_format in LAST else x
    pads = (border_mode or padding).lower() == "same"
    if pool_mode == "max":
        x = same(x, window, steps, (1, 1), -torch.inf) if pads else x
        out = functional.max_pool2d(x, window, steps)
    else:
        counts = torch.ones_like(x[:1, :1])
        if pads:
            x, counts = (same(one, window, steps, (1, 1)) for one in (x, counts))
        out = functional.avg_pool2d(x, window, steps) / functional.avg_pool2d(counts, window, steps)
    return out.movedim(1, -1) if data_format in LAST else out


def max_pool2d(input: Any, ksize: Any, strides: Any = None, padding: str = "VALID",
               data_format: Any = "NHWC", name: Any = None) -> Tensor:  # fmt: skip
    """Return the maximum of windows."""
    return pool2d(input, ksize, strides, padding, data_format)


def avg_pool2d(input: Any, ksize: Any, strides: Any = None, padding: str = "VALID",
               data_format: Any = "NHWC", name: Any = None) -> Tensor:  # fmt: skip
    """Return the average of windows."""
    return pool2d(input, ksize, strides, padding, data_format, "avg")


def bias_add(x: Any, bias: Any, data_format: Any = None) -> Tensor:
    """Return x plus one number for each channel."""
    x, bias = floating(x), floating(bias)
    return x + (bias if data_format in LAST else bias.reshape(-1, *[1] * (x.dim() - 2)))


def moments(x: Any, axes: Any, keepdims: bool = False, **words: Any) -> tuple[Tensor, Tensor]:
    """Return mean and variance along axes."""
    x, keeps = floating(x), keepdims or bool(words.get("keep_dims"))
    axes = tuple(sizes(axes))
    return x.mean(axes, keepdim=keeps), x.var(axes, correction=0, keepdim=keeps)


def batch_normalization(x: Any, mean: Any, variance: Any, offset: Any, scale: Any,
                        variance_epsilon: float = 1e-3, **words: Any) -> Tensor:  # fmt: skip
    """Return scale (x - mean) / sqrt(variance + epsilon) + offset."""
    root = (floating(variance) + variance_epsilon).rsqrt()
    out = (floating(x) - floating(mean)) * root
    out = out if scale is None else out * floating(scale)
    return out if offset is None else out + floating(offset)


# ---- numbers by chance ---------------------------------------------------------------------------


def generator(seed: Any) -> torch.Generator | None:
    """Return a generator of its own for a seed, None for torch's."""
    return torch.Generator().manual_seed(int(seed)) if isinstance(seed, int) else None


@lift
def random_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32",
                  seed: Any = None, **words: Any) -> Tensor:  # fmt: skip
    """Return numbers of a normal distribution."""
    spread = words.get("std", stddev)
    drawn = torch.randn(sizes(shape), generator=generator(seed), dtype=kind(dtype or "float32"))
    return drawn * spread + mean


@lift
def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32",
                     seed: Any = None, name: Any = None) -> Tensor:  # fmt: skip
    """Return numbers of a normal distribution, none further away than two deviations."""
    out = torch.empty(sizes(shape), dtype=kind(dtype or "float32"))
    low, high = mean - 2 * stddev, mean + 2 * stddev
    return torch.nn.init.trunc_normal_(out, mean, stddev, low, high, generator=generator(seed))


@lift
def random_uniform(shape: Any, minval: Any = 0.0, maxval: Any = None, dtype: Any = "float32",
                   seed: Any = None, **words: Any) -> Tensor:  # fmt: skip
    """Return numbers that are equally likely."""
    low, high = words.get("low", minval), words.get("high", 1.0 if maxval is None else maxval)
    if not kind(dtype).is_floating_point:
        return torch.randint(int(low), int(high), sizes(shape), generator=generator(seed))
    drawn = torch.rand(sizes(shape), generator=generator(seed), dtype=kind(dtype))
    return drawn * (high - low) + low


@lift
def random_bernoulli(
    shape: Any, p: float = 0.0, dtype: Any = "float32", seed: Any = None
) -> Tensor:
    """Return ones with a probability, else zeros."""
    return (torch.rand(sizes(shape), generator=generator(seed)) < p).to(kind(dtype or "float32"))


def shuffle(value: Any, seed: Any = None, name: Any = None) -> Tensor:
    """Return the elements along the first axis in another order."""
    x = tensor(value)
    return x[torch.randperm(len(x), generator=generator(seed))]


@lift
def gamma(shape: Any, alpha: Any, beta: Any = None, dtype: Any = "float32",
          seed: Any = None) -> Tensor:  # fmt: skip
    """Return numbers of a gamma distribution."""
    alpha = torch.as_tensor(alpha, dtype=torch.float32)
    rate = torch.as_tensor(1.0 if beta is None else beta, dtype=torch.float32)
    spread = torch.broadcast_shapes(alpha.shape, rate.shape)
    full = (*sizes(shape), *spread)
    drawn = torch.distributions.Gamma(alpha.expand(full), rate.expand(full)).sample()
    return drawn.to(kind(dtype))


@lift
def poisson(shape: Any, lam: Any, dtype: Any = "float32", seed: Any = None) -> Tensor:
    """Return numbers of a Poisson distribution."""
    rate = torch.as_tensor(lam, dtype=torch.float32)
    return torch.poisson(rate.expand(*sizes(shape), *rate.shape)).to(kind(dtype))


@lift
def categorical(logits: Any, num_samples: int, dtype: Any = "int64", seed: Any = None) -> Tensor:
    """Return classes drawn by unnormalised logarithms of their probabilities."""
    return torch.multinomial(floating(logits).softmax(-1), num_samples, True).to(kind(dtype))


RELATED = (
    relu, relu6, leaky_relu, elu, selu, gelu, silu, softmax, log_softmax, hard_sigmoid, dropout,
    categorical_crossentropy, sparse_categorical_crossentropy, binary_crossentropy,
    softmax_cross_entropy_with_logits, sparse_softmax_cross_entropy_with_logits,
    sigmoid_cross_entropy_with_logits, conv2d, depthwise_conv2d, pool2d, max_pool2d, avg_pool2d,
    bias_add, moments, batch_normalization,
)  # fmt: skip
