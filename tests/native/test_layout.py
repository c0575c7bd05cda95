"""copy, sum_repeat, permute and zero against torch."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from striate.errors import TrainingError

from .images import BATCH, HALO, LAYOUTS, PACKED, PADDED, SIZES, Images, Layout, gradients, random
from .support import each_isa

ORDERS = tuple(itertools.permutations(range(3)))


def sizes_of(size: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("height", "width", "channels"), size, strict=True))


@each_isa
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("repeat", [(1, 1), (2, 3), (1, 2)])
def test_copy_and_sum_repeat(
    isa: str, size: tuple[int, int, int], layout: str, repeat: tuple[int, int]
) -> None:
    read, write = LAYOUTS[layout]
    large = (size[0] * repeat[0], size[1] * repeat[1], size[2])
    x, dy = random(BATCH, *size), random(BATCH, *large, seed=1)
    images = Images(isa)
    fields = {**sizes_of(size), "repeat_y": repeat[0], "repeat_x": repeat[1]}
    y, dx = images.wanted(*large, write), images.wanted(*size, write)
    images.call("copy", input=images.given(x, read), output=y, **fields)
    images.call("sum_repeat", input=images.given(dy, read), output=dx, **fields)
    value = x.repeat_interleave(repeat[0], 1).repeat_interleave(repeat[1], 2)
    slope = gradients(value, dy, x)[0]
    images.expect(lambda n: {y: value[:n], dx: slope[:n]})


@each_isa
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("repeat", [1, 2])
def test_adding(isa: str, size: tuple[int, int, int], layout: str, repeat: int) -> None:
    read, write = LAYOUTS[layout]
    large = (size[0] * repeat, size[1] * repeat, size[2])
    first, second = random(BATCH, *large), random(BATCH, *size, seed=1)
    images = Images(isa)
    y = images.wanted(*large, write)
    images.call("copy", input=images.given(first, read), output=y, **sizes_of(large))
    images.call(
        "copy",
        input=images.given(second, read),
        output=y,
        **sizes_of(size),
        repeat_y=repeat,
        repeat_x=repeat,
        add=1,
    )
    value = first + second.repeat_interleave(repeat, 1).repeat_interleave(repeat, 2)
    images.expect(lambda n: {y: value[:n]})


@each_isa
@pytest.mark.parametrize("layout", [PADDED, PACKED, HALO])
@pytest.mark.parametrize("channels", [(16, 16), (20, 12), (3, 10, 6), (1, 20, 16, 7), (5, 50)])
def test_concatenation_and_its_parts(isa: str, layout: Layout, channels: tuple[int, ...]) -> None:
    """Channel ranges begin anywhere in a group; zeros end the last one."""
    total = sum(channels)
    begins = [0, *itertools.accumulate(channels)][:-1]
    inputs = [random(BATCH, 3, 4, count, seed=i) for i, count in enumerate(channels)]
    images = Images(isa)
    whole = images.wanted(3, 4, total, layout)
    parts = []
    for x, begin in zip(inputs, begins, strict=True):
        size = sizes_of(tuple(x.shape[1:]))  # type: ignore[arg-type]
        place = replace(whole, origin=whole.origin + begin)
        images.call("copy", input=images.given(x, layout), output=place, **size)
    for x, begin in zip(inputs, begins, strict=True):
        size = sizes_of(tuple(x.shape[1:]))  # type: ignore[arg-type]
        parts.append(images.wanted(3, 4, size["channels"], layout))
        source = replace(whole, origin=whole.origin + begin)
        images.call("copy", input=source, output=parts[-1], **size)
    value = torch.cat(inputs, -1)
    wants = dict(zip(parts, inputs, strict=True)) | {whole: value}
    images.expect(lambda n: {at: v[:n] for at, v in wants.items()})


@each_isa
def test_padding_and_cropping(isa: str) -> None:
    x = random(BATCH, 4, 5, 20)
    images = Images(isa)
    large, small = images.wanted(7, 9, 20), images.wanted(2, 3, 20)
    source = images.given(x)
    inner = replace(large, origin=2 * large.row + large.pixel)
    images.call("zero", output=large, height=7, width=9, channels=20)
    images.call("copy", input=source, output=inner, height=4, width=5, channels=20)
    corner = replace(source, origin=source.row + 2 * source.pixel)
    images.call("copy", input=corner, output=small, height=2, width=3, channels=20)
    padded = torch.nn.functional.pad(x, (0, 0, 1, 3, 2, 1))
    images.expect(lambda n: {large: padded[:n], small: x[:n, 1:3, 2:5]})


@each_isa
@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("layout", LAYOUTS)
def test_permute(isa: str, layout: str, order: int) -> None:
    read, write = LAYOUTS[layout]
    for size in (*SIZES, (9, 8, 70)):  # the last one of several squares
        x = random(BATCH, *size)
        images = Images(isa)
        y = images.wanted(*(size[axis] for axis in ORDERS[order]), write)
        images.call("permute", input=images.given(x, read), output=y, **sizes_of(size), order=order)
        value = x.permute(0, *(axis + 1 for axis in ORDERS[order]))
        images.expect(lambda n, y=y, value=value: {y: value[:n]})  # type: ignore[misc]


@each_isa
@pytest.mark.parametrize("layout", [PADDED, PACKED, HALO])
@pytest.mark.parametrize("size", SIZES)
def test_zero(isa: str, size: tuple[int, int, int], layout: Layout) -> None:
    images = Images(isa)
    y = images.wanted(*size, layout)
    images.call("zero", output=y, **sizes_of(size))
    images.expect(lambda n: {y: torch.zeros(n, *size)})


BROKEN = {
    ("copy", "repeat_y", 0): "repeat_y = 0, need 1 to 1024",
    ("copy", "repeat_x", 3): "output has",
    ("copy", "channels", -1): "channels = -1, need 0",
    ("copy", "height", 4): "input has",
    ("sum_repeat", "repeat_x", -2): "repeat_x = -2, need 1 to 1024",
    ("sum_repeat", "repeat_y", 2): "input has",
    ("permute", "order", 6): "order = 6, need 0 to 5",
    ("permute", "order", 5): "output has",
    ("zero", "height", 9): "output has",
}


@each_isa
@pytest.mark.parametrize(("kernel", "field", "value"), BROKEN)
def test_refusals(isa: str, kernel: str, field: str, value: int) -> None:
    images = Images(isa)
    names = images.kernels.kernels[kernel][1]
    fields: dict[str, object] = {"height": 2, "width": 3, "channels": 16, field: value}
    fields |= {name: images.wanted(2, 3, 16) for name in ("input", "output") if name in names}
    images.call(kernel, **fields)
    with pytest.raises(TrainingError, match=f"{kernel}: {BROKEN[kernel, field, value]}"):
        images.engine()


@each_isa
def test_a_channel_range_outside_its_image(isa: str) -> None:
    images = Images(isa)
    small, large = images.wanted(2, 2, 12), images.wanted(2, 2, 32)
    place = replace(large, origin=large.origin + 22)
    images.call("copy", input=small, output=place, height=2, width=2, channels=12)
    with pytest.raises(TrainingError, match=r"copy: (output has|the pixels of an image overlap)"):
        images.engine()
