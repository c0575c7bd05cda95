"""Initializers: called by a script, `init(shape, dtype)`; and remembered, to draw weights anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ...core.layer import Layer
from ...initializers import Initializer, RandomInitializer
from ..dialect import Patch
from ..symbolic import kind
from ..tensor_shapes import sizes

BEGUN = "begun"  # of a layer: the initializers of its weights, by their names


def _called(native: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a call of either order: a generator or a dtype comes after the shape."""

    def call(self: Any, shape: Any, generator: Any = None, dtype: Any = None,
             **words: Any) -> Tensor:  # fmt: skip
        if not isinstance(generator, torch.Generator):
            generator, dtype = None, dtype if generator is None else generator
        wanted = torch.float32 if dtype is None else kind(dtype)
        made = native(self, sizes(shape), generator, torch.float32)
        return made.to(wanted)

    return call


def _remembering(native: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return what makes a weight, and keeps on the layer how it began."""

    def add_weight(self: Layer, name: str, shape: Any, initializer: Any, **words: Any) -> Tensor:
        vars(self).setdefault(BEGUN, {})[name] = initializer
        return native(self, name, shape, initializer, **words)

    return add_weight


@torch.no_grad()
def draw_anew(model: nn.Module) -> None:
    """Let the weights of a model begin once more."""
    for layer in model.modules():
        for name, initializer in vars(layer).get(BEGUN, {}).items():
            weight = layer._parameters.get(name, layer._buffers.get(name))
            if weight is not None:
                weight.copy_(initializer(tuple(weight.size())))


PATCHES: tuple[Patch, ...] = (
    *((made, "__call__", _called(made.__call__)) for made in (Initializer, RandomInitializer)),
    (Layer, "add_weight", _remembering(Layer.add_weight)),
)
