"""Other sizes: cases for the battery, independent references, messages."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import Case, each, told
from PIL import Image

from striate.core.spec import Spec
from striate.core.window import MOVES, UNKNOWN
from striate.layers import resize as L


def lines(n, m):
    """Return (m, n): the weights of linear interpolation from n to m places at half pixels."""
    place = (np.arange(m) + 0.5) * n / m - 0.5
    near = 1 - np.abs(np.clip(place, 0, n - 1)[:, None] - np.arange(n)[None])
    return torch.from_numpy(np.clip(near, 0, None))


def linear(height, width):
    """Resize maps by two matrix products."""

    def reference(x):
        rows, cols = lines(x.shape[1], height), lines(x.shape[2], width)
        return torch.einsum("hi,nijc,wj->nhwc", rows, x, cols)

    return reference


def nearest(height, width):
    """Resize maps by the input under the middle of each output."""

    def reference(x):
        rows = [int((i + 0.5) * x.shape[1] / height) for i in range(height)]
        cols = [int((i + 0.5) * x.shape[2] / width) for i in range(width)]
        return x[:, rows][:, :, cols]

    return reference


BILINEAR = {"interpolation": "bilinear"}
FIRST = {"data_format": "channels_first"}
CASES = [
    Case(L.UpSampling1D, {"size": 3}, (4, 2)),
    Case(L.UpSampling1D, {"size": 2, **BILINEAR}, (4, 2), keras=False),
    Case(
        L.UpSampling2D,
        {},
        (3, 4, 2),
        reference=lambda x: x[:, [0, 0, 1, 1, 2, 2]][:, :, [0, 0, 1, 1, 2, 2, 3, 3]],
    ),
    Case(L.UpSampling2D, {"size": (1, 3)}, (3, 2, 2)),
    Case(L.UpSampling2D, {"size": 2, **BILINEAR}, (3, 4, 2), reference=linear(6, 8)),
    Case(L.UpSampling2D, {"size": 2, **FIRST}, (2, 3, 2), data_format="channels_first"),
    Case(L.UpSampling3D, {"size": (2, 1, 2)}, (2, 3, 2, 1)),
    Case(L.UpSampling3D, {"size": 2, **BILINEAR}, (2, 2, 2, 1), keras=False),
    *(
        Case(L.Resizing, {"height": h, "width": w, "interpolation": "bicubic"}, (6, 5, 2))
        for h, w in [(3, 8), (9, 4)]
    ),
    *(
        Case(L.Resizing, {"height": 4, "width": 6, way: True, **more}, shape)
        for way, more in [
            ("crop_to_aspect_ratio", {}),
            ("pad_to_aspect_ratio", {"fill_value": 2.0}),
            ("pad_to_aspect_ratio", {"interpolation": "nearest"}),
        ]
        for shape in [(9, 5, 2), (4, 11, 1), (7, 7, 1)]
    ),
    Case(L.Resizing, {"height": 4, "width": 6}, (8, 3, 2), reference=linear(4, 6)),
    Case(L.Resizing, {"height": 5, "width": 2}, (3, 7, 1), reference=linear(5, 2)),
    Case(
        L.Resizing,
        {"height": 5, "width": 4, "interpolation": "nearest"},
        (3, 8, 2),
        reference=nearest(5, 4),
    ),
    Case(L.CenterCrop, {"height": 2, "width": 3}, (5, 4, 2), reference=lambda x: x[:, 1:3, :3]),
    Case(L.CenterCrop, {"height": 5, "width": 4}, (5, 4, 2)),
    Case(
        L.CenterCrop,
        {"height": 2, "width": 3, **FIRST},
        (2, 5, 4),
        data_format="channels_first",
    ),
]


@each(CASES)
def test_battery(case):
    case.check()


def test_whole_numbers_are_interpolated_as_float32():
    x = torch.tensor([[0, 255]], dtype=torch.uint8).reshape(1, 1, 2, 1)
    assert L.Resizing(1, 1)(x).item() == 127.5
    assert L.Resizing(1, 1).infer(Spec((1, 2, 1), "uint8")).dtype == "float32"


def test_what_is_read_of_an_unknown_size_is_not_guessed():
    unknown = Spec((None, 4, 1))
    assert L.Resizing(2, 2).windows(unknown) is UNKNOWN
    assert L.CenterCrop(2, 2).windows(unknown) is UNKNOWN
    assert L.UpSampling2D().windows(unknown) is MOVES
    assert L.UpSampling2D(3).infer(unknown).shape == (None, 12, 1)


@pytest.mark.parametrize(
    ("interpolation", "resampling"),
    [("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)],
)
def test_antialias_smooths_as_pillow_does(interpolation, resampling):
    image = torch.rand(7, 9)
    expected = Image.fromarray(image.numpy()).resize((2, 3), resampling)
    layer = L.Resizing(3, 2, interpolation, antialias=True)
    atol = 1e-5 if interpolation == "bilinear" else 0.05
    found = layer(image[None, :, :, None])[0, :, :, 0]
    torch.testing.assert_close(found, torch.from_numpy(np.array(expected)), atol=atol, rtol=0)
    assert layer.windows(Spec((7, 9, 1))) is UNKNOWN


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.Resizing(4, 4, "nearest", antialias=True),
            "Resizing: takes the nearest value, so that nothing can be smoothed\n"
            '  got   antialias=True, interpolation="nearest"\n'
            '  need  interpolation "bilinear" or "bicubic" for antialias\n'
            "  fix   antialias=False",
        ),
        (
            lambda: L.Resizing(4, 4, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
            "Resizing: cannot both crop and pad to the aspect ratio\n"
            "  got   crop_to_aspect_ratio=True, pad_to_aspect_ratio=True\n"
            "  need  one of them\n"
            "  fix   crop_to_aspect_ratio=False",
        ),
        (
            lambda: L.Resizing(4, 4, fill_mode="reflect"),
            "Resizing: fill_mode='reflect' is not known\n  need  fill_mode one of 'constant'",
        ),
        (
            lambda: L.UpSampling2D(0),
            "UpSampling2D: size=0 is not a whole number of at least 1\n"
            "  need  one whole number >= 1, or a tuple of 2\n"
            "  fix   size=1",
        ),
        (
            lambda: L.UpSampling2D(2, interpolation="bilinaer"),
            "UpSampling2D: interpolation='bilinaer' is not known\n"
            "  need  interpolation one of 'nearest', 'bilinear'\n"
            '  fix   did you mean "bilinear"?',
        ),
        (
            lambda: L.Resizing(0, 4),
            "Resizing: height=0 is not a whole number of at least 1\n  need  height >= 1\n"
            "  fix   height=1",
        ),
        (
            lambda: L.Resizing(4, 4, "nearset"),
            "Resizing: interpolation='nearset' is not known\n"
            "  need  interpolation one of 'bilinear', 'nearest', 'bicubic'\n"
            '  fix   did you mean "nearest"?',
        ),
        (
            lambda: L.CenterCrop(2, 2.5),
            "CenterCrop: width=2.5 is not a whole number of at least 1\n"
            "  need  width >= 1\n"
            "  fix   width=2",
        ),
        (
            lambda: L.CenterCrop(4, 2, name="crop").infer(Spec((3, 4, 1))),
            "crop (CenterCrop): axis H is smaller than the crop\n"
            "  got   input (3, 4, 1), axis H = 3\n"
            "  need  H >= 4\n"
            "  math  3 - 4 = -1\n"
            "  fix   a smaller crop, or L.Resizing(4, 2)",
        ),
        (
            lambda: L.CenterCrop(2, 4)(torch.ones(1, 4, 3, 1)),
            "CenterCrop: axis W is smaller than the crop\n"
            "  got   input (4, 3, 1), axis W = 3\n"
            "  need  W >= 4\n"
            "  math  3 - 4 = -1\n"
            "  fix   a smaller crop, or L.Resizing(2, 4)",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message


def test_arguments_of_upsampling_stand_in_the_order_of_keras():
    layer = L.UpSampling2D(3, "channels_first", "bilinear")
    assert (layer.size, layer.data_format, layer.interpolation) == (3, "channels_first", "bilinear")
