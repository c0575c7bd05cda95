"""Random changes of values: cases for the battery, the distribution of draws, messages."""

from __future__ import annotations

import pytest
import torch
from cases import Case, each, told

from striate import layers as L

CASES = [
    Case(L.RandomContrast, {"factor": 0.4}, (4, 5, 2), random=True),
    Case(L.RandomBrightness, {"factor": 0.4}, (4, 5, 2), random=True),
]


@each(CASES)
def test_battery(case):
    case.check()


def test_tones_are_uniform_and_clipped():
    x = torch.tensor([0.4, 0.6]).reshape(1, 1, 2, 1).expand(8000, -1, -1, -1)
    torch.manual_seed(0)
    y = L.RandomContrast(0.5, (0, 1))(x)[..., 0].flatten(1)
    contrast = (y[:, 1] - y[:, 0]) / 0.2
    assert torch.allclose(y.mean(1), torch.tensor(0.5))
    quarters = torch.tensor([0.75, 1.0, 1.25])
    assert torch.allclose(contrast.quantile(torch.tensor([0.25, 0.5, 0.75])), quarters, atol=0.02)
    assert 0.5 <= contrast.min() < 0.51
    assert 1.49 < contrast.max() <= 1.5001
    more = L.RandomBrightness((0.1, 0.3), (0, 2))(x)[:, 0, 0, 0] - 0.4
    assert torch.allclose(more.mean(), torch.tensor(0.4), atol=0.01)
    assert 0.2 <= more.min() + 1e-6 < 0.21
    assert L.RandomBrightness((1, 1), (0, 1))(x).eq(1).all()
    assert L.RandomContrast((0, 0), (0.5, 1))(x).min() == 0.5


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.RandomContrast(1.5),
            "RandomContrast: factor=1.5 cannot work\n"
            "  got   factor=1.5\n"
            "  need  a number, 0 <= factor <= 1\n"
            "  fix   factor=0.1",
        ),
        (
            lambda: L.RandomContrast((0.1, 0.2, 0.3)),
            "RandomContrast: factor=(0.1, 0.2, 0.3) is not a range\n"
            "  need  a number, or (less, more)\n"
            "  fix   factor=0.1",
        ),
        (
            lambda: L.RandomBrightness(0.1, (1, 0)),
            "RandomBrightness: value_range=(1, 0) is not a range\n"
            "  need  (smallest, largest) value of an image\n"
            "  fix   value_range=(0, 255)",
        ),
        (
            lambda: L.RandomBrightness(0.1, (0, "255")),
            "RandomBrightness: value_range=(0, '255') is not a range\n"
            "  need  (smallest, largest) value of an image\n"
            "  fix   value_range=(0, 255)",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message
