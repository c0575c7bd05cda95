"""How weights lie in the arena, and how each is shown there in the shape that the model has."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..core.operation import BatchNorm, Correlate, Linear
from .builder import Builder, Weight
from .plan import GROUP, round_up
from .program import Step

Logical = Callable[[Tensor], Tensor]


def kernel(builder: Builder, step: Step, norm: Step | None = None) -> Weight:
    """Return the kernel of a convolution: (taps, channels of a group, filters up to 16).

    With a `norm` behind the convolution, the kernel with the norm's scale in it.
    """
    operation = step.operation
    assert isinstance(operation, Correlate)
    tensor = tensor_of(step, operation.kernel)
    across: tuple[int, ...] = (-1,)  # the shape in which one number for each filter is multiplied
    if operation.layout == "torch":
        filters, channels, *window = tensor.shape
        logical = _then(last_padded(*window, channels, filters), _torch_kernel)
        across = (-1, *(1,) * (tensor.dim() - 1))
    elif operation.groups > 1:
        *window, channels, multiplier = tensor.shape
        across = (channels, multiplier)
        logical = _then(last_padded(*window, channels * multiplier), _split_last(across))
        channels, filters = 1, channels * multiplier
    else:
        *window, channels, filters = tensor.shape
        logical = last_padded(*window, channels, filters)
    count = math.prod(window) * channels * round_up(filters, GROUP)
    name = f"{step.name}.{operation.kernel}"
    if norm is None:
        return builder.weight(name, tensor, count, logical)

    def scaled() -> Tensor:
        return tensor * folded(norm)[0].view(across)

    return builder.weight(f"{name}, with {norm.name}", tensor, count, logical, scaled)


def bias(builder: Builder, step: Step, norm: Step | None = None) -> Weight | None:
    """Return the bias of a convolution, with a `norm` behind it the norm's shift in it."""
    operation = step.operation
    assert isinstance(operation, Correlate)
    if norm is None:
        return vector(builder, step, operation.bias)
    assert isinstance(norm.operation, BatchNorm)
    mean = tensor_of(norm, norm.operation.mean)
    size = mean.numel()

    def shifted() -> Tensor:
        scale, shift = folded(norm)
        return shift + tensor_of(step, operation.bias) * scale if operation.bias else shift

    name = f"{step.name}.bias, with {norm.name}"
    return builder.weight(name, mean, round_up(size, GROUP), lambda t: t[:size], shifted)


def dense_kernel(builder: Builder, step: Step) -> Weight:
    """Return the kernel of a dense layer: (units, inputs up to 16)."""
    operation = step.operation
    assert isinstance(operation, Linear)
    tensor = tensor_of(step, operation.kernel)
    units, inputs = tensor.shape if operation.layout == "torch" else reversed(tensor.shape)
    logical = last_padded(units, inputs)
    if operation.layout == "keras":
        logical = _then(logical, lambda t: t.T)
    count = units * round_up(inputs, GROUP)
    weight = builder.weight(f"{step.name}.{operation.kernel}", tensor, count, logical)
    weight.exact = count == tensor.numel()
    return weight


def vector(builder: Builder, step: Step, name: str) -> Weight | None:
    """Return a weight with one number for each channel, or None where the layer has none."""
    if not name:
        return None
    tensor = tensor_of(step, name)
    size = tensor.numel()
    shape = tuple(tensor.shape)
    count = round_up(size, GROUP)
    return builder.weight(f"{step.name}.{name}", tensor, count, lambda t: t[:size].view(shape))


def folded(norm: Step) -> tuple[Tensor, Tensor]:
    """Return the scale and the shift that a batch normalisation at inference comes to."""
    operation = norm.operation
    assert isinstance(operation, BatchNorm)
    mean, variance = tensor_of(norm, operation.mean), tensor_of(norm, operation.variance)
    scale = torch.rsqrt(variance.double() + operation.epsilon)
    if operation.gamma:
        scale = scale * tensor_of(norm, operation.gamma)
    shift = -mean * scale
    if operation.beta:
        shift = shift + tensor_of(norm, operation.beta)
    return scale, shift


def tensor_of(step: Step, name: str) -> Tensor:
    """Return a weight of the step's layer by its name there."""
    tensor = step.weight(name)
    assert tensor is not None
    return tensor


def last_padded(*shape: int) -> Logical:
    """Show a master whose last axis is filled up to a multiple of 16."""
    *outer, last = shape
    pitch = round_up(last, GROUP)
    rows = math.prod(outer)
    return lambda master: master[: rows * pitch].view(*outer, pitch)[..., :last]


def _then(first: Logical, second: Logical) -> Logical:
    return lambda master: second(first(master))


def _split_last(sizes: tuple[int, ...]) -> Logical:
    return lambda kernel: kernel.view(*kernel.shape[:-1], *sizes)


def _torch_kernel(kernel: Tensor) -> Tensor:
    return kernel.movedim((-1, -2), (0, 1))  # (*k, in, out) -> (out, in, *k)
