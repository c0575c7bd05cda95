"""Initializers that a script calls itself: `init(shape, dtype)`, where a dtype may be a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ...initializers import Initializer, RandomInitializer
from ..dialect import Patch
from ..symbolic import kind
from ..tensor_shapes import sizes


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


PATCHES: tuple[Patch, ...] = tuple(
    (made, "__call__", _called(made.__call__)) for made in (Initializer, RandomInitializer)
)
