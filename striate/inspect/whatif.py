"""What if: the same network with a map silenced or a kernel scaled, and all else as it was."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..core.layer import Layer
from ..core.operation import Correlate, Linear
from ..errors import ConfigError
from .field import node_of


@dataclass(frozen=True)
class Change:
    """One change: map `channel` of a layer's output times `factor`, or, with `kernel`, its kernel.

    A factor of 0 silences the map; a kernel is scaled before bias and activation.
    """

    layer: str
    channel: int
    factor: float = 0.0
    kernel: bool = False


def what_if(model: Any, changes: Sequence[Change]) -> Any:
    """Return a copy of the model with these changes; it computes by torch, the model is as it was.

    Raises: ConfigError for a layer or a channel that is not there, or a layer without kernels.
    """
    other = copy.deepcopy(model)
    for change in changes:
        node = node_of(other, change.layer)
        spec = node.outputs[0].spec
        if not 0 <= change.channel < (spec.channels or change.channel + 1):
            raise ConfigError(
                node.layer.where,
                f"has no map {change.channel}",
                need=f"0 to {(spec.channels or 1) - 1}",
            )
        if change.kernel:
            _scale_kernel(node.layer, node.inputs, change)
        else:
            _scale_map(node.layer, spec.channel_axis, change)
    return other


def _scale_map(layer: Layer, axis: int, change: Change) -> None:
    def after(_: Any, given: Any, out: Any) -> Any:
        first = out[0] if isinstance(out, tuple) else out
        changed: Tensor = first.clone()
        changed.select(axis, change.channel).mul_(change.factor)
        return (changed, *out[1:]) if isinstance(out, tuple) else changed

    layer.register_forward_hook(after)


def _scale_kernel(layer: Layer, inputs: Sequence[Any], change: Change) -> None:
    chain = layer.operations(*(symbol.spec for symbol in inputs)) or ()
    found = [one for one in chain if isinstance(one, (Correlate, Linear))]
    if not found:
        raise ConfigError(layer.where, "has no kernel", need="a convolution or a dense layer")
    weights = dict((*layer.named_parameters(), *layer.named_buffers()))
    with torch.no_grad():
        _taps(found[0], weights[found[0].kernel], change.channel).mul_(change.factor)


def _taps(op: Correlate | Linear, kernel: Tensor, output: int) -> Tensor:
    """Return the weights that make one output, as a view."""
    if isinstance(op, Linear):
        return kernel[output] if op.layout == "torch" else kernel[:, output]
    if not op.transposed:
        if op.layout == "torch":
            return kernel[output]
        sides = kernel.shape[: len(op.windows)]
        folded = op.groups > 1 and kernel.shape[-2] == op.groups  # (*k, C, m): C groups of m
        return kernel.view(*sides, -1)[..., output] if folded else kernel[..., output]
    if op.layout == "torch":
        group, own = divmod(output, kernel.shape[1])
        size = kernel.shape[0] // op.groups
        return kernel[group * size : (group + 1) * size, own]
    return kernel[..., output, :]
