"""Pooling over the steps of a sequence, of which a mask may say that some do not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor

from ..core.operation import Chain
from ..core.spec import Spec
from ..core.symbol import Symbol
from ..core.window import UNKNOWN, Geometry
from .masks import mask_of
from .pool import GlobalAveragePooling


class GlobalAveragePooling1D(GlobalAveragePooling):
    """Take the mean of each channel over the steps of a sequence that count.

    Those are all of them, but where a layer before, like `Embedding(mask_zero=True)`, or `mask`,
    (N, steps), says which do.

    Field: `keepdims`, whether the axis of steps stays, with size 1.
    Shape: (L, C) -> (C,), or (1, C) with keepdims.
    Source: Keras 3's GlobalAveragePooling1D.
    """

    rank = 1
    masked: ClassVar[Callable[[Tensor], Tensor] | None] = None  # from what a mask is made of to it

    def __call__(self, x: Any = None, *more: Any, mask: Any = None, **words: Any) -> Any:
        """Call the layer on a sequence; a network that runs gives what a mask is made of too."""
        found = (mask, Tensor.bool) if mask is not None else None if more else mask_of(x)
        if found is not None:
            object.__setattr__(self, "masked", found[1])
            more = (found[0],)
        out = super().__call__(x, *more, **words)
        if isinstance(x, Symbol) and found is not None and mask is None:
            self.calls[-1].implied = 1
        return out

    def windows(self, *x: Spec) -> Geometry:
        """Read all steps; which of them count is not told."""
        return super().windows(*x) if len(x) == 1 else UNKNOWN

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Pool, where all steps count."""
        return super().operations(*x, training=training) if len(x) == 1 else None

    def forward(self, *x: Tensor) -> Tensor:
        """Return the means."""
        if len(x) == 1:
            return super().forward(*x)
        sequence = self.channels_first(x[0])
        masker: Any = getattr(self, "masked", None)
        weights = masker(x[1]).to(sequence.dtype).unsqueeze(1)
        total, count = (one.sum(2, self.keepdims) for one in (sequence * weights, weights))
        y = total / count
        return self.restore(y) if self.keepdims else y
