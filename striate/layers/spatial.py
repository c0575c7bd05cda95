"""What layers over spatial axes share: rank, layout, the way to channels-first and back."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from torch import Tensor

from ..core.layer import Layer
from ..core.operation import Chain, Operation, joined, reread
from ..core.spec import Spec, checked_layout
from ..core.window import Window


class Spatial(Layer):
    """A layer over `rank` spatial axes and one axis of channels.

    Field: `data_format`, "channels_last" or "channels_first"; None means what the input says.
    """

    data_format: str | None = dataclasses.field(default=None, kw_only=True)
    rank: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check the layout's name."""
        checked_layout(self.where, self.data_format)

    def seen(self, x: Spec) -> Spec:
        """Return the input in the layer's own layout, or raise if it has another number of axes."""
        x = dataclasses.replace(x, data_format=self.data_format or x.data_format)
        self.expect_rank(x, self.rank + 1)
        return x

    def chain(self, x: Spec, *operations: Operation) -> Chain:
        """Return operations on the input in the layer's own layout."""
        return joined((*reread(x, self.seen(x)), *operations))

    @property
    def channels_last(self) -> bool:
        """Whether tensors are (N, H, W, C); known once the layer is built."""
        return self.seen(self.specs[0]).data_format == "channels_last"

    def channels_first(self, x: Tensor) -> Tensor:
        """Return the batch as (N, C, H, W): a view; data move only if they are not in order.

        Flat and back gives an axis of one channel its usual stride: torch tells the memory order of
        a batch by it, and everything after would be in the slower one.
        """
        return x.flatten().view(x.shape).movedim(-1, 1) if self.channels_last else x

    def restore(self, x: Tensor) -> Tensor:
        """Return a (N, C, H, W) batch in the layer's layout: a view again."""
        return x.movedim(1, -1) if self.channels_last else x


def pads(windows: tuple[Window, ...]) -> list[int]:
    """Return the paddings in the order of torch.nn.functional.pad: last axis first."""
    return [side for window in reversed(windows) for side in (window.low, window.high)]
