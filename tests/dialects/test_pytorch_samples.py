"""Samples of torchvision's second transforms: a change of an image is that of masks and boxes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from striate.dialects import installed

HEIGHT, WIDTH = 60, 80


@pytest.fixture(autouse=True)
def served() -> Iterator[None]:
    with installed("pytorch"):
        yield


def parts() -> tuple[Any, Any, Any]:
    from torchvision import (  # type: ignore[import-not-found]
        tv_tensors,
    )
    from torchvision.transforms import v2  # type: ignore[import-not-found]
    from torchvision.transforms.v2 import functional as f  # type: ignore[import-not-found]

    return tv_tensors, v2, f


def sample(form: str = "XYXY") -> dict[str, Any]:
    """Return an image with a light rectangle, its mask, and the box of it."""
    kinds, _, _ = parts()
    mask = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.uint8)
    mask[:, 20:40, 30:60] = 1
    numbers = {"XYXY": [30, 20, 60, 40], "XYWH": [30, 20, 30, 20], "CXCYWH": [45, 30, 30, 20]}
    return {
        "image": kinds.Image(mask * 200),
        "mask": kinds.Mask(mask),
        "boxes": kinds.BoundingBoxes([numbers[form]], format=form, canvas_size=(HEIGHT, WIDTH)),
        "labels": torch.tensor([7]),
    }


PLACES = (
    "RandomHorizontalFlip(1.0)", "RandomVerticalFlip(1.0)", "Resize((30, 100))", "Pad([3, 5])",
    "CenterCrop((50, 70))", "RandomCrop((50, 60))", "RandomResizedCrop((64, 64), (0.7, 1.0))",
    "RandomRotation((-90, -90), expand=True)", "RandomRotation((180, 180))",
    "RandomAffine((90, 90))", "RandomAffine(0, translate=(0.2, 0.2), scale=(0.7, 0.8))",
    "RandomAffine(0, shear=(20, 20))", "RandomPerspective(0.2, 1.0)", "RandomZoomOut(p=1.0)",
    "ScaleJitter((50, 50), (0.5, 1.5))", "RandomShortestSize([40, 50])",
    "Compose([v2.RandomCrop((50, 70)), v2.RandomHorizontalFlip()])",
    "RandomApply([v2.RandomCrop((50, 70))], 1.0)", "RandomChoice([v2.RandomCrop((50, 70))])",
)  # fmt: skip


@pytest.mark.parametrize("form", ["XYXY", "XYWH", "CXCYWH"])
@pytest.mark.parametrize("name", PLACES)
def test_the_box_of_what_was_changed_is_the_changed_box(name: str, form: str) -> None:
    _, v2, f = parts()
    given = sample(form)
    out = eval(f"v2.{name}", {"v2": v2})(given)
    assert [type(out[key]) for key in given] == [type(given[key]) for key in given]
    assert out["boxes"].canvas_size == tuple(out["mask"].shape[-2:]) == out["image"].shape[-2:]
    boxes = f.convert_bounding_box_format(out["boxes"], new_format="XYXY")[0].tolist()
    for seen in (out["mask"][0] > 0, out["image"][0] > 100):
        rows, columns = torch.where(seen)
        found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert all(abs(a - int(b)) <= 2 for a, b in zip(boxes, found, strict=True))
    assert out["labels"].tolist() == [7] and given["boxes"].canvas_size == (HEIGHT, WIDTH)


COLOURS = ("ColorJitter(0.5)", "RandomInvert(1.0)", "GaussianBlur(3)", "ToDtype(torch.float64)",
           "Grayscale(3)", "RandomErasing(1.0)", "RandAugment()", "GaussianNoise()")  # fmt: skip


@pytest.mark.parametrize("name", COLOURS)
def test_colours_are_of_images_alone(name: str) -> None:
    _, v2, _ = parts()
    given = sample()
    given["image"] = given["image"].clone()
    out = eval(f"v2.{name}", {"v2": v2, "torch": torch})(given)
    assert type(out["image"]) is type(given["image"])
    assert all(torch.equal(out[key], given[key]) for key in ("mask", "boxes", "labels"))


def test_what_is_computed_of_a_kind_is_a_plain_tensor() -> None:
    kinds, v2, _ = parts()
    boxes = sample()["boxes"]
    assert type(boxes + 1) is Tensor and type(boxes[0]) is Tensor
    for same in (boxes.clone(), boxes.to(torch.float32), copy.deepcopy(boxes)):
        assert type(same) is kinds.BoundingBoxes and same.canvas_size == (HEIGHT, WIDTH)
    assert type(kinds.wrap(torch.ones(1, 4), like=boxes)) is kinds.BoundingBoxes
    assert repr(boxes).startswith("BoundingBoxes([[30, 20, 60, 40]], format=")
    assert type(v2.ToPureTensor()(sample())["mask"]) is Tensor
    image = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])(
        Image.new("L", (4, 3), 51)
    )
    assert type(image) is kinds.Image and image.shape == (1, 3, 4)
    assert torch.equal(image, torch.full((1, 3, 4), 0.2))


def test_plain_tensors_are_images_where_nothing_else_is() -> None:
    _, v2, _ = parts()
    flip = v2.RandomHorizontalFlip(1.0)
    x, label = torch.arange(6.0).reshape(1, 2, 3), torch.arange(3)
    image, same = flip(x, label)
    assert torch.equal(image, x.flip(-1)) and torch.equal(same, label)
    boxes = sample()["boxes"]
    moved, (flipped, _) = flip(x, (boxes, "words"))
    assert torch.equal(moved, x.flip(-1)) and flipped.tolist() == [[20, 20, 50, 40]]


def test_empty_boxes_go_with_their_labels() -> None:
    kinds, v2, _ = parts()
    given = sample()
    given["boxes"] = kinds.BoundingBoxes([[5, 5, 5, 9], [1, 2, 30, 40]], format="XYXY",
                                         canvas_size=(HEIGHT, WIDTH))  # fmt: skip
    given["labels"] = torch.tensor([1, 2])
    out = v2.SanitizeBoundingBoxes()(given)
    assert out["boxes"].tolist() == [[1, 2, 30, 40]] and out["labels"].tolist() == [2]
    assert type(out["boxes"]) is kinds.BoundingBoxes
    cropped = v2.RandomIoUCrop(sampler_options=[0.5])(sample())
    assert cropped["boxes"].canvas_size == cropped["image"].shape[-2:] != (HEIGHT, WIDTH)


def test_a_transform_of_ones_own_draws_once_for_a_sample() -> None:
    _, v2, f = parts()

    class Lift(v2.Transform):  # type: ignore[name-defined,misc]
        def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
            return {"by": len(flat_inputs)}

        def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
            return self._call_kernel(f.pad, inpt, [0, params["by"], 0, 0])

    out = Lift()(sample()["image"], sample()["boxes"])
    assert out[0].shape == (1, HEIGHT + 2, WIDTH) and out[1].tolist() == [[30, 22, 60, 42]]


def test_what_no_box_can_follow_is_refused() -> None:
    _, v2, _ = parts()
    with pytest.raises(TypeError, match="ElasticTransform has no place where a box would be"):
        v2.ElasticTransform()(sample())
    with pytest.raises(TypeError, match=r"RandomIoUCrop\(\) needs a sample with tv_tensors"):
        v2.RandomIoUCrop()(torch.rand(3, 8, 8))
    with pytest.raises(NotImplementedError, match="Transform does not define transform"):
        v2.Transform()(torch.rand(3, 8, 8))
