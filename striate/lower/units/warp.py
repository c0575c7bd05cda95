"""Units that move images at random in training, in front of everything that learns."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.operation import Bounds, Warp
from ..builder import Builder
from ..plan import Call, Value
from .unit import Unit

EDGES = {"constant": 0, "nearest": 1, "reflect": 2, "wrap": 3}


@dataclass(frozen=True, eq=False)
class Warping(Unit):
    """Each image read where a map leads that is drawn for it; no gradient goes through."""

    name = "warp"

    def forward(self, builder: Builder) -> None:
        """Add one call."""
        warp, source = self.steps[0].operation, builder.images[self.inputs[0]]
        assert isinstance(warp, Warp)
        views = {"input": source.view, "output": builder.images[self.output].view}
        size = (source.height, source.width, source.channels)
        builder.samples(Call("warp", {**views, **fields_of(warp, size), "key": builder.key()}))

    def backward(self, builder: Builder) -> None:
        """Do nothing: what is in front of it does not learn."""


def fields_of(warp: Warp, size: tuple[int, int, int]) -> dict[str, Value]:
    """Return the kernel's fields for images of this height, width and channels, without the key."""
    height, width, channels = size
    rows, columns = warp.mirror
    return {
        "height": height,
        "width": width,
        "channels": channels,
        **_drawn("angle", warp.angle),
        **_drawn("tall", warp.tall),
        **_drawn("wide", warp.wide or warp.tall),
        **_drawn("down", warp.down, height),
        **_drawn("right", warp.right, width),
        "wide_as_tall": int(warp.wide is None),
        "mirror": int(columns) + 2 * int(rows),
        "nearest": int(warp.nearest),
        "edge": EDGES[warp.edge],
        "fill": warp.fill,
    }


def _drawn(name: str, bounds: Bounds, times: int = 1) -> dict[str, Value]:
    low, high = bounds
    return {f"{name}_low": low * times, f"{name}_high": high * times}
