"""What outputs depend on, said and found, on layers small enough to write the answer down."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from striate.core.spec import Spec
from striate.core.window import EVERYTHING, MOVES, POINTWISE, UNKNOWN, Gone, Mix, Window
from striate.testing.support import claimed, influence, moves


def test_axes_combine_to_what_each_value_reads():
    said = claimed((Window(2), Window()), Spec((3, 2)), Spec((2, 2)))
    assert said.astype(int).tolist() == [
        [1, 0, 1, 0, 0, 0],
        [0, 1, 0, 1, 0, 0],
        [0, 0, 1, 0, 1, 0],
        [0, 0, 0, 1, 0, 1],
    ]
    assert claimed((Gone(), Mix()), Spec((3, 2)), Spec((2,))).all()
    assert claimed((Gone(), Window()), Spec((2, 2)), Spec((2,))).astype(int).tolist() == [
        [1, 0, 1, 0],
        [0, 1, 0, 1],
    ]


def test_words_about_all_axes():
    assert claimed(EVERYTHING, Spec((2,)), Spec((3,))).shape == (3, 2)
    assert np.array_equal(claimed(POINTWISE, Spec((2, 2)), Spec((2, 2))), np.eye(4))
    spread = claimed(POINTWISE, Spec((2, 1)), Spec((2, 2))).astype(int)
    assert spread.tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert claimed(UNKNOWN, Spec((2,)), Spec((2,))) is None
    assert claimed(MOVES, Spec((2,)), Spec((2,))) is None


class Running(nn.Module):
    def forward(self, *x):
        return x[0].cumsum(1) + x[-1].amax(1, keepdim=True)


def test_influence_is_found_by_pushing():
    x = torch.randn(1, 3, dtype=torch.float64)
    assert influence(Running(), [x, x], 0).astype(int).tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert influence(Running(), [x, x], 1).all()


class Shift(nn.Module):
    def forward(self, *x):
        return nn.functional.pad(torch.cat(x, 1), (1, -2))


def test_moved_values_are_where_the_index_went():
    x, y = torch.randn(2, 1, 3, dtype=torch.float64)
    want = [0, *x[0].tolist(), y[0, 0].item()]
    assert moves(Shift(), [x, y]).tolist() == [want]
