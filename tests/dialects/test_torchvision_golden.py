"""Every transform and function of torchvision gives what it gives itself, or says why not."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed
from striate.dialects.pytorch import functional_names, served

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = json.loads((GOLDEN / "torchvision.json").read_text())["results"]
SAME = {
    "RGB": "Grayscale",
    "convert_image_dtype": "ConvertImageDtype",
    "get_size": "get_dimensions",
    "get_image_num_channels": "get_dimensions",
    "get_num_channels": "get_dimensions",
    "horizontal_flip": "hflip",
    "vertical_flip": "vflip",
    "Scale": "Resize",
    "RandomSizedCrop": "RandomResizedCrop",
}  # fmt: skip  other words for it
ROUNDED = ("perspective",)  # whose numbers are found in another precision: a byte may be one off
REASONS = {
    "InterpolationMode": "names alone; used in the cases of resize",
    **dict.fromkeys(
        ("AugMix", "AutoAugment", "RandAugment", "TrivialAugmentWide", "ElasticTransform",
         "CutMix", "MixUp", "GaussianNoise", "JPEG", "RandomChannelPermutation",
         "RandomPhotometricDistort", "RandomResize", "RandomShortestSize", "RandomZoomOut"),
        "draws; the operations that it draws of are compared"),
    "AutoAugmentPolicy": "names alone",
    **dict.fromkeys(
        ("ConvertBoundingBoxFormat", "ClampBoundingBoxes", "SanitizeBoundingBoxes",
         "RandomIoUCrop", "ScaleJitter", "Transform"),
        "of samples, which test_pytorch_samples compares with masks"),
    **dict.fromkeys(("ToDtype", "ToImage", "ToImageTensor", "ToPureTensor", "Identity",
                     "to_image", "to_image_tensor", "to_dtype"),
                    "of v2; the numbers are those of convert_image_dtype and pil_to_tensor"),
}  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Iterator[Any]:
    spec = importlib.util.spec_from_file_location("vision", GOLDEN / "make_torchvision.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with installed("pytorch"):
        yield module.given


@pytest.mark.parametrize("name", EXPECTED)
def test_as_in_torchvision(name: str, found: Any) -> None:
    mine, theirs = found(name), EXPECTED[name]
    assert np.shape(mine) == np.shape(theirs)
    nearly = 1 if name in ROUNDED else 2e-3
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=nearly)


def test_every_name_is_compared_or_says_why_not() -> None:
    compared = {name.partition(" ")[0] for name in EXPECTED} | set(SAME)
    names = {*served.CLASSES, *served.NEWER, *functional_names.FUNCTIONS}
    assert names - compared == set(REASONS)
