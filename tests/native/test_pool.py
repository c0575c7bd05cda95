"""pool, global_pool and their gradients against torch."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from striate.errors import TrainingError
from striate.lower.plan import round_up

from .images import BATCH, HALO, LAYOUTS, PACKED, SIZES, Images, gradients, random
from .support import each_isa

MAXIMUM, AVERAGE, AVERAGE_WITH_PADDING = 1, 2, 3
KINDS = (MAXIMUM, AVERAGE, AVERAGE_WITH_PADDING)


@dataclass(frozen=True)
class Geometry:
    """Windows over an image; `pad` is top, left, and what hangs over at bottom and right."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)

    def output(self) -> tuple[int, int]:
        def places(axis: int) -> int:
            reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1
            room = self.size[axis] + self.pad[axis] + self.pad[axis + 2]
            return (room - reach) // self.stride[axis] + 1

        return places(0), places(1)

    def fields(self, kind: int) -> dict[str, int]:
        (in_height, in_width), (height, width) = self.size, self.output()
        return {
            "in_height": in_height,
            "in_width": in_width,
            "height": height,
            "width": width,
            "kernel_height": self.kernel[0],
            "kernel_width": self.kernel[1],
            "stride_y": self.stride[0],
            "stride_x": self.stride[1],
            "pad_y": self.pad[0],
            "pad_x": self.pad[1],
            "dilation_y": self.dilation[0],
            "dilation_x": self.dilation[1],
            "kind": kind,
        }


GEOMETRIES = (
    Geometry((4, 6), (2, 2), (2, 2)),
    Geometry((5, 7), (2, 2), (2, 2)),
    Geometry((5, 7), (2, 2), (2, 2), (0, 0, 1, 1)),
    Geometry((7, 6), (3, 3), (2, 2), (1, 1, 1, 1)),
    Geometry((6, 5), (3, 2), (1, 1), (1, 0, 1, 1)),
    Geometry((1, 9), (1, 3), (1, 2), (0, 1, 0, 1)),
    Geometry((9, 8), (2, 3), (3, 4)),
    Geometry((9, 8), (3, 2), (1, 2), (2, 1, 2, 1), (2, 3)),
    Geometry((4, 3), (4, 3), (4, 3)),
)


def windows(x: Tensor, shape: Geometry, outside: float) -> Tensor:
    """Return the windows (N, H', W', C, taps) of an image (N, H, W, C)."""
    top, left, bottom, right = shape.pad
    x = F.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom), value=outside)
    for axis in (0, 1):
        reach = (shape.kernel[axis] - 1) * shape.dilation[axis] + 1
        x = x.unfold(axis + 2, reach, shape.stride[axis])
    x = x[..., :: shape.dilation[0], :: shape.dilation[1]]
    return x.flatten(-2).permute(0, 2, 3, 1, 4)


def pooled(x: Tensor, shape: Geometry, kind: int) -> Tensor:
    if kind == MAXIMUM:
        return windows(x, shape, -torch.inf).max(-1).values
    total = windows(x, shape, 0.0).sum(-1)
    if kind == AVERAGE:
        return total / windows(torch.ones_like(x), shape, 0.0).sum(-1)
    return total / (shape.kernel[0] * shape.kernel[1])


@each_isa
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_pool(isa: str, geometry: Geometry, layout: str, kind: int) -> None:
    read, write = LAYOUTS[layout]
    height, width = geometry.output()
    for channels in (1, 6, 20, 64):
        x = random(BATCH, *geometry.size, channels)
        dy = random(BATCH, height, width, channels, seed=1)
        images = Images(isa)
        source = images.given(x, read)
        y, dx = (
            images.wanted(height, width, channels, write),
            images.wanted(*geometry.size, channels, write),
        )
        index = images.bench.plan.add(height * width * round_up(channels, 16) // 4, BATCH)
        fields = {**geometry.fields(kind), "channels": channels, "index": index}
        images.call("pool", input=source, output=y, **fields)
        gradient = images.given(dy, read)
        images.call("pool_backward", **fields, output_gradient=gradient, input_gradient=dx)
        value = pooled(x, geometry, kind)
        slope = gradients(value, dy, x)[0]
        images.expect(lambda n, o=y, d=dx, v=value, s=slope: {o: v[:n], d: s[:n]})  # type: ignore[misc]


@each_isa
def test_the_first_of_equal_values_wins(isa: str) -> None:
    """As in torch, where ties at zero are common behind a relu."""
    geometry = Geometry((6, 6), (3, 3), (2, 2), (1, 1, 1, 1))
    x = random(BATCH, 6, 6, 20).relu().detach().requires_grad_()
    dy = random(BATCH, 3, 3, 20, seed=1)
    images = Images(isa)
    y, dx = images.wanted(3, 3, 20), images.wanted(6, 6, 20)
    index = images.bench.plan.add(3 * 3 * 32 // 4, BATCH)
    fields = {**geometry.fields(MAXIMUM), "channels": 20, "index": index}
    images.call("pool", input=images.given(x), output=y, **fields)
    images.call("pool_backward", **fields, output_gradient=images.given(dy), input_gradient=dx)
    value = F.max_pool2d(x.permute(0, 3, 1, 2), 3, 2, 1).permute(0, 2, 3, 1)
    slope = gradients(value, dy, x)[0]
    images.expect(lambda n: {y: value[:n], dx: slope[:n]})


@each_isa
def test_what_is_no_number_is_a_maximum(isa: str) -> None:
    x = random(1, 4, 4, 6).detach()
    x[0, 1, 2, 3] = torch.nan
    images = Images(isa, batch=1)
    source, y, top = images.given(x, PACKED), images.wanted(2, 2, 6), images.wanted(1, 1, 6)
    geometry = Geometry((4, 4), (2, 2), (2, 2))
    images.call("pool", input=source, output=y, channels=6, **geometry.fields(MAXIMUM))
    images.call(
        "global_pool", input=source, output=top, channels=6, height=4, width=4, kind=MAXIMUM
    )
    engine = images.engine()
    engine.run(1)
    isnan = torch.from_numpy(images.image_of(engine, y, 1)).isnan()
    assert isnan.sum() == 1 and isnan[0, 0, 1, 3]
    isnan = torch.from_numpy(images.image_of(engine, top, 1)).isnan()
    assert isnan.sum() == 1 and isnan[0, 0, 0, 3]


@each_isa
@pytest.mark.parametrize("kind", [MAXIMUM, AVERAGE])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
def test_global_pool(isa: str, layout: str, size: tuple[int, int, int], kind: int) -> None:
    read, write = LAYOUTS[layout]
    x = (
        random(BATCH, *size).relu().detach().requires_grad_()
    )  # relu: a maximum may be at many places
    dy = random(BATCH, 1, 1, size[2], seed=1)
    images = Images(isa)
    fields = dict(zip(("height", "width", "channels"), size, strict=True))
    fields |= {"input": images.given(x, read), "kind": kind}
    y, dx = images.wanted(1, 1, size[2], write), images.wanted(*size, write)
    images.call("global_pool", **fields, output=y)
    gradient = images.given(dy, read)
    images.call(
        "global_pool_backward", **fields, output=y, output_gradient=gradient, input_gradient=dx
    )
    value = x.mean((1, 2), True) if kind == AVERAGE else x.amax((1, 2), True)
    slope = gradients(value, dy, x)[0]
    images.expect(lambda n: {y: value[:n], dx: slope[:n]})


BROKEN = {
    "kind": (4, "kind = 4, need 1 to 3"),
    "kernel_height": (0, "a size of a pool is below 1 or too large"),
    "stride_x": (0, "a size of a pool is below 1 or too large"),
    "dilation_y": (-1, "a size of a pool is below 1 or too large"),
    "pad_x": (-1, "a padding of a pool is negative or too large"),
    "kernel_width": (200, "a window has more taps than a byte has numbers"),
    "height": (99, "index has 5 x 64 bytes, needs 5 x 3168"),
    "in_height": (99, "has 5 x"),
}


@each_isa
@pytest.mark.parametrize("kernel", ["pool", "pool_backward"])
@pytest.mark.parametrize("field", BROKEN)
def test_refusals(isa: str, kernel: str, field: str) -> None:
    value, message = BROKEN[field]
    images = Images(isa)
    large, small = images.wanted(4, 4, 16, HALO), images.wanted(2, 2, 16)
    views = {"input": large, "output": small}
    if kernel == "pool_backward":
        views = {"input_gradient": large, "output_gradient": small}
    fields = {"channels": 16, "index": images.bench.plan.add(16, BATCH)}
    fields |= Geometry((4, 4), (2, 2), (2, 2)).fields(MAXIMUM)
    images.call(kernel, **views, **fields | {field: value})
    with pytest.raises(TrainingError, match=message):
        images.engine()


@each_isa
def test_the_gradient_of_a_maximum_needs_its_index(isa: str) -> None:
    images = Images(isa)
    view, fields = images.wanted(4, 4, 16), Geometry((4, 4), (1, 1), (1, 1)).fields(MAXIMUM)
    images.call("pool_backward", **fields, output_gradient=view, input_gradient=view, channels=16)
    with pytest.raises(TrainingError, match="the gradient of a maximum needs its index"):
        images.engine()
