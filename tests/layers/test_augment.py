"""Random changes: cases for the battery, what fixed parameters do, how draws fall, messages."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from cases import Case, each, told

from striate.core.spec import Spec
from striate.layers import augment as L

CONSTANT = {"fill_mode": "constant"}
FIRST = {"data_format": "channels_first"}
CASES = [
    Case(L.RandomFlip, {}, (4, 5, 2), random=True),
    Case(L.RandomRotation, {"factor": 0.1}, (4, 5, 2), random=True),
    Case(L.RandomRotation, {"factor": (-0.2, 0.3), **CONSTANT}, (6, 6, 1), random=True),
    Case(L.RandomTranslation, {"height_factor": 0.3, "width_factor": 0.4}, (5, 5, 2), random=True),
    Case(
        L.RandomTranslation,
        {"height_factor": 0.5, "width_factor": 0.5, "interpolation": "nearest", **CONSTANT},
        (8, 8, 1),
        random=True,
    ),
    Case(L.RandomZoom, {"height_factor": 0.3, "fill_mode": "wrap"}, (4, 5, 2), random=True),
    Case(
        L.RandomZoom,
        {"height_factor": 0.3, "width_factor": (-0.2, 0.1), **FIRST},
        (2, 4, 5),
        data_format="channels_first",
        random=True,
    ),
    Case(L.RandomCrop, {"height": 2, "width": 3}, (6, 7, 2), keras=False, random=True),
]


@each(CASES)
def test_battery(case):
    case.check()


@each([case for case in CASES if case.layer is not L.RandomCrop])
def test_inference_changes_nothing(case):
    x = torch.rand(2, *case.specs[0].shape)
    assert case.make().eval()(x).equal(x)


def inside(place, size, mode):
    """Return the cell that a cell outside is read from, by walking; None where it is empty."""
    while not 0 <= place < size:
        if mode == "constant":
            return None
        if mode == "nearest":
            place = min(max(place, 0), size - 1)
        elif mode == "wrap":
            place += size if place < 0 else -size
        else:
            place = -1 - place if place < 0 else 2 * size - 1 - place
    return place


def warped(x, read, mode, interpolation, fill=0.0):
    """Read image (H, W, C) at `read(row, col)` for each output, cell by cell."""
    height, width, _ = x.shape
    out = np.zeros_like(x)

    def cell(row, col):
        row, col = inside(row, height, mode), inside(col, width, mode)
        return np.full(x.shape[2], fill) if row is None or col is None else x[row, col]

    for i in range(height):
        for j in range(width):
            row, col = read(i, j)
            if interpolation == "nearest":
                out[i, j] = cell(math.floor(row + 0.5), math.floor(col + 0.5))
                continue
            for r in (math.floor(row), math.floor(row) + 1):
                for c in (math.floor(col), math.floor(col) + 1):
                    out[i, j] += (1 - abs(row - r)) * (1 - abs(col - c)) * cell(r, c)
    return out


def rotation(turn, height, width):
    angle, up, left = 2 * math.pi * turn, (height - 1) / 2, (width - 1) / 2

    def read(i, j):
        y, x = i - up, j - left
        return (
            math.sin(angle) * x + math.cos(angle) * y + up,
            math.cos(angle) * x - math.sin(angle) * y + left,
        )

    return read


FILLS = ("constant", "nearest", "reflect", "wrap")
WORDS = [(mode, interpolation) for mode in FILLS for interpolation in ("bilinear", "nearest")]


@pytest.mark.parametrize(("mode", "interpolation"), WORDS)
def test_moves_are_those_of_their_parameters(mode, interpolation):
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 2))
    words = {"fill_mode": mode, "interpolation": interpolation, "fill_value": 0.7}
    whole = interpolation == "nearest"
    for layer, read in (
        (L.RandomRotation((0.13, 0.13), **words), rotation(0.13, 5, 6)),
        (
            L.RandomTranslation((0.5, 0.5), (-0.27, -0.27), **words),
            lambda i, j: (i - (2 if whole else 2.5), j + (2 if whole else 1.62)),
        ),
        (
            L.RandomZoom((0.31, 0.31), (-0.4, -0.4), **words),
            lambda i, j: (1.31 * (i - 2) + 2, 0.6 * (j - 2.5) + 2.5),
        ),
    ):
        want = np.stack([warped(one, read, mode, interpolation, 0.7) for one in x])
        got = layer(torch.from_numpy(x))
        np.testing.assert_allclose(got, want, atol=1e-5, err_msg=repr(layer))


def test_a_quarter_turn_is_counter_clockwise():
    x = torch.rand(2, 5, 5, 1)
    y = L.RandomRotation((0.25, 0.25))(x)
    assert torch.allclose(y, x.rot90(1, (1, 2)), atol=1e-5)


def test_positive_shifts_go_down_and_right():
    x = torch.rand(1, 4, 4, 1)
    for interpolation in ("bilinear", "nearest"):
        words = {"fill_mode": "constant", "interpolation": interpolation}
        y = L.RandomTranslation((0.25, 0.25), (0.5, 0.5), **words)(x)
        assert torch.allclose(y[:, 1:, 2:], x[:, :-1, :-2], atol=1e-5)
        assert torch.allclose(y[:, 0], torch.zeros(4, 1), atol=1e-5)


def test_whole_pixel_shifts_are_independent_and_even():
    x = torch.zeros(20000, 9, 9, 1)
    x[:, 4, 4] = 1
    torch.manual_seed(0)
    y = L.RandomTranslation(0.25, 0.25, fill_mode="constant", interpolation="nearest")(x)
    _, row, col, _ = y.nonzero().T
    assert len(row) == 20000  # no image lost its one pixel
    share = torch.bincount(9 * row + col, minlength=81).reshape(9, 9) / 20000
    # shifts are uniform in +-2.25 cells, so the outer ones have 0.75 / 4.5, the inner 1 / 4.5
    line = torch.tensor([0, 0, 0.75, 1, 1, 1, 0.75, 0, 0]) / 4.5
    assert torch.allclose(share, line[:, None] * line, atol=0.006)


def test_flips_fall_on_half_of_the_images_on_each_axis():
    x = torch.arange(4.0).reshape(1, 2, 2, 1).expand(8000, -1, -1, -1)
    for mode, kinds in (("horizontal", [0, 1]), ("vertical", [0, 2])):
        corner = L.RandomFlip(mode)(x)[:, 0, 0, 0].long()
        assert corner.unique().tolist() == kinds
    torch.manual_seed(0)
    corner = L.RandomFlip()(x)[:, 0, 0, 0].long()
    assert torch.allclose(torch.bincount(corner) / 8000, torch.tensor(0.25), atol=0.02)


def test_crops_are_parts_at_all_places():
    x = torch.arange(12.0).reshape(1, 3, 4, 1).expand(3000, -1, -1, -1)
    torch.manual_seed(0)
    y = L.RandomCrop(2, 3)(x)[..., 0]
    corner = y[:, 0, 0].long()
    assert corner.unique().tolist() == [0, 1, 4, 5]
    assert torch.bincount(corner)[[0, 1, 4, 5]].min() > 650
    offset = torch.tensor([[0, 1, 2], [4, 5, 6]])
    assert y.long().equal(corner[:, None, None] + offset)
    assert L.RandomCrop(2, 2).eval()(x)[0, :, :, 0].tolist() == [[1, 2], [5, 6]]


def test_a_seed_gives_the_layer_draws_of_its_own():
    x = torch.rand(4, 5, 5, 1)
    one, two = L.RandomRotation(0.2, seed=3), L.RandomRotation(0.2, seed=3)
    first = one(x)
    torch.manual_seed(9)
    assert two(x).equal(first)
    assert not one(x).equal(first)
    assert copy.deepcopy(two)(x).equal(two(x))


def test_half_precision_and_whole_numbers_are_changed_in_float32():
    x = torch.rand(2, 5, 5, 1)
    layer = L.RandomRotation((0.1, 0.1))
    y = layer(x.to(torch.bfloat16))
    assert y.dtype == torch.bfloat16
    assert y.equal(layer(x.to(torch.bfloat16).float()).to(torch.bfloat16))
    assert layer(torch.ones(1, 3, 3, 1, dtype=torch.uint8)).dtype == torch.float32
    assert layer.infer(Spec((3, 3, 1), "uint8")).dtype == "float32"


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.RandomFlip("horizontl"),
            "RandomFlip: mode='horizontl' is not known\n"
            "  need  mode one of 'horizontal', 'vertical', 'horizontal_and_vertical'\n"
            '  fix   did you mean "horizontal"?',
        ),
        (
            lambda: L.RandomRotation(0.1, "constnt"),
            "RandomRotation: fill_mode='constnt' is not known\n"
            "  need  fill_mode one of 'constant', 'nearest', 'reflect', 'wrap'\n"
            '  fix   did you mean "constant"?',
        ),
        (
            lambda: L.RandomZoom(0.1, interpolation="bicubic"),
            "RandomZoom: interpolation='bicubic' is not known\n"
            "  need  interpolation one of 'bilinear', 'nearest'",
        ),
        (
            lambda: L.RandomRotation(0.1, fill_value="0"),
            "RandomRotation: fill_value='0' cannot work\n"
            "  got   fill_value='0'\n"
            "  need  a finite number\n"
            "  fix   fill_value=0.0",
        ),
        (
            lambda: L.RandomRotation(30),
            "RandomRotation: factor=30 cannot work\n"
            "  got   factor=30\n"
            "  need  a number, -1 <= factor <= 1\n"
            "  fix   factor=0.1",
        ),
        (
            lambda: L.RandomTranslation((0.2, -0.2), 0.1),
            "RandomTranslation: height_factor=(0.2, -0.2) is not a range\n"
            "  need  a number, or (low, high) with low <= high\n"
            "  fix   height_factor=0.1",
        ),
        (
            lambda: L.RandomFlip(seed=-1),
            "RandomFlip: seed=-1 cannot work\n"
            "  got   seed=-1\n"
            "  need  a whole number, seed >= 0\n"
            "  fix   seed=0",
        ),
        (
            lambda: L.RandomCrop(4, 4)(torch.ones(1, 4, 3, 1)),
            "RandomCrop: axis W is smaller than the crop\n"
            "  got   input (4, 3, 1), axis W = 3\n"
            "  need  W >= 4\n"
            "  math  3 - 4 = -1\n"
            "  fix   a smaller crop, or L.Resizing(4, 4)",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message
