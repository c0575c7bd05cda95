"""merge and merge_backward against torch."""

from __future__ import annotations

import pytest
import torch

from striate.errors import TrainingError
from striate.lower.plan import ABSENT_VIEW, View

from .images import BATCH, LAYOUTS, SIZES, Images, gradients, random
from .support import each_isa

KINDS = {
    1: torch.add,
    2: torch.sub,
    3: torch.mul,
    4: lambda left, right: (left + right) / 2,
    5: torch.maximum,
    6: torch.minimum,
}


@each_isa
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_two_images(isa: str, kind: int, layout: str) -> None:
    read, write = LAYOUTS[layout]
    for size in SIZES:
        left, right = random(BATCH, *size), random(BATCH, *size, seed=1)
        right = torch.where(right > 1, left.detach(), right.detach()).requires_grad_()  # some ties
        dy = random(BATCH, *size, seed=2)
        images = Images(isa)
        views = {"left": images.given(left, read), "right": images.given(right, write)}
        fields = dict(zip(("height", "width", "channels"), size, strict=True)) | {"kind": kind}
        y, dl, dr = (images.wanted(*size, write) for _ in range(3))
        alone = images.wanted(*size, write)
        images.call("merge", **views, output=y, **fields)
        gradient = {**views, "output_gradient": images.given(dy, read)}
        back = "merge_backward"
        images.call(back, **gradient, left_gradient=dl, right_gradient=dr, **fields)
        images.call(back, **gradient, left_gradient=ABSENT_VIEW, right_gradient=alone, **fields)
        value = KINDS[kind](left, right)
        one, two = gradients(value, dy, left, right)
        places = {y: value, dl: one, dr: two, alone: two}
        images.expect(lambda n, places=places: {at: v[:n] for at, v in places.items()})  # type: ignore[misc]


@each_isa
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [6, 16, 50])
def test_one_value_for_all_places(isa: str, kind: int, channels: int) -> None:
    """As where channels are weighed by what is in the image: its gradient is a sum over places."""
    x, scale = random(BATCH, 4, 3, channels), random(BATCH, 1, 1, channels, seed=1)
    dy = random(BATCH, 4, 3, channels, seed=2)
    images = Images(isa)
    image, y, dx = images.given(x), images.wanted(4, 3, channels), images.wanted(4, 3, channels)
    one, done = images.given(scale), images.wanted(1, 1, channels)
    fields = {"height": 4, "width": 3, "channels": channels, "kind": kind}
    views = {"left": View(one.buffer), "right": image}
    images.call("merge", **views, output=y, **fields)
    images.call(
        "merge_backward",
        **views,
        **fields,
        output_gradient=images.given(dy),
        left_gradient=View(done.buffer),
        right_gradient=dx,
    )
    value = KINDS[kind](scale, x)
    to_scale, to_x = gradients(value, dy, scale, x)
    images.expect(lambda n: {y: value[:n], done: to_scale[:n], dx: to_x[:n]})


@each_isa
@pytest.mark.parametrize("field", ["left", "right", "output_gradient", "left_gradient"])
def test_an_image_outside_its_buffer(isa: str, field: str) -> None:
    images = Images(isa)
    names = ("left", "right", "output_gradient", "left_gradient")
    views = {name: images.wanted(2 if name == field else 3, 3, 16) for name in names}
    images.call("merge_backward", **views, height=3, width=3, channels=16, kind=1)
    with pytest.raises(TrainingError, match=f"merge_backward: {field} has"):
        images.engine()


@each_isa
def test_no_such_kind(isa: str) -> None:
    images = Images(isa)
    view = images.wanted(1, 1, 16)
    images.call("merge", left=view, right=view, output=view, channels=16, kind=7)
    with pytest.raises(TrainingError, match="kind = 7, need 1 to 6"):
        images.engine()
