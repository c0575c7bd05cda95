"""The table of a model: its numbers are the model's, its text is kept as it is."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from striate import layers as L
from striate.core.symbol import Input
from striate.inspect import summary
from striate.model import Model, Sequential

TUTORIAL = """\
first (Sequential)
================================================================================
layer (type)                   output           parameters       MACs field/step
--------------------------------------------------------------------------------
input (Input)                  (28, 28, 1)                                   1/1
conv2d (Conv2D)                (26, 26, 32)            320    194,688        3/1
    H, W = (28 + 0 - 3) // 1 + 1 = 26   3*3*1*32 + 32 = 320
max_pooling2d (MaxPooling2D)   (13, 13, 32)                                  4/2
    H, W = (26 + 0 - 2) // 2 + 1 = 13
conv2d_1 (Conv2D)              (11, 11, 64)         18,496  2,230,272        8/2
    H, W = (13 + 0 - 3) // 1 + 1 = 11   3*3*32*64 + 64 = 18,496
max_pooling2d_1 (MaxPooling2D) (5, 5, 64)                                   10/4
    H, W = (11 + 0 - 2) // 2 + 1 = 5
flatten (Flatten)              (1600,)                                        10
dense (Dense)                  (64,)               102,464    102,400         26
    1600*64 + 64 = 102,464
dense_1 (Dense)                (10,)                   650        640         26
    64*10 + 10 = 650
================================================================================
parameters 121,930 (476.3 KiB): 121,930 trainable
MACs       2,528,000 for one sample"""

BRANCHES = """\
branches (Model)
================================================================================
layer (type)                   output           parameters       MACs field/step
--------------------------------------------------------------------------------
image (Input)                  (9, 12, 3)                                    1/1
conv2d (Conv2D)                (9, 12, 8)              224     23,328        3/1
    H = (9 + 2 - 3) // 1 + 1 = 9   W = (12 + 2 - 3) // 1 + 1 = 12
    3*3*3*8 + 8 = 224
block (Model)                  (9, 12, 8)              584     62,208        5/1
  twice (Conv2D)               (9, 12, 8)              584     62,208        5/1
      H = (9 + 2 - 3) // 1 + 1 = 9   W = (12 + 2 - 3) // 1 + 1 = 12
      3*3*8*8 + 8 = 584
  add (Add)                    (9, 12, 8)                                    5/1
      reads twice, input
block (Model)                  (9, 12, 8)           shared     62,208        7/1
  twice (Conv2D)               (9, 12, 8)           shared     62,208        7/1
      H = (9 + 2 - 3) // 1 + 1 = 9   W = (12 + 2 - 3) // 1 + 1 = 12
  add (Add)                    (9, 12, 8)                                    7/1
      reads twice, input
conv2d_1 (Conv2D)              (5, 6, 4)                36        960        7/2
    H = (9 + 0 - 1) // 2 + 1 = 5   W = (12 + 0 - 1) // 2 + 1 = 6
    1*1*8*4 + 4 = 36   not trained
a_name_that_does_not_fit_its_column (GlobalAveragePooling2D)
                               (4,)                                          all
lambda (Lambda)                (4,)                                            ?
================================================================================
parameters 844 (3.3 KiB): 808 trainable, 36 not
MACs       148,704 for one sample"""


def tutorial():
    return Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(32, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(64, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dense(10, activation="softmax"),
        ],
        name="first",
    )


def branches():
    inside = Input((9, 12, 8))
    twice = L.Conv2D(8, 3, padding="same", name="twice")(inside)
    block = Model(inside, L.Add()([twice, inside]), name="block")
    x = Input((9, 12, 3), name="image")
    h = block(block(L.Conv2D(8, 3, padding="same")(x)))
    h = L.Conv2D(4, 1, 2, trainable=False)(h)
    h = L.GlobalAveragePooling2D(name="a_name_that_does_not_fit_its_column")(h)
    return Model(x, L.Lambda(torch.square)(h), name="branches")


@pytest.mark.parametrize(("make", "text"), [(tutorial, TUTORIAL), (branches, BRANCHES)])
def test_the_text(make, text):
    assert str(summary(make())) == text
    assert max(map(len, text.splitlines())) == 80


def test_the_numbers():
    model = branches()
    told = summary(model)
    assert told.parameters == model.count_params() == 844
    assert (told.trainable, told.non_trainable, told.bytes) == (808, 36, 4 * 844)
    assert told.macs == model.macs(model.inputs[0].spec, model.outputs[0].spec)
    row = next(row for row in told.rows if row.name == "conv2d_1")
    assert row.inputs == ("block",) and not row.trainable


def test_as_dict_is_json():
    data = summary(tutorial()).as_dict()
    assert json.loads(json.dumps(data))["rows"][1]["parameter_arithmetic"] == "3*3*1*32 + 32 = 320"


def test_print_summary(capsys):
    tutorial().summary()
    assert capsys.readouterr().out == TUTORIAL + "\n"
    lines: list[str] = []
    branches().summary(print_fn=lines.append, expand_nested=False)
    assert "twice" not in lines[0] and "block (Model)" in lines[0]


def test_unknown_sizes_have_no_cost():
    x = Input((None, None, 3))
    told = summary(Model(x, L.GlobalAveragePooling2D()(L.Conv2D(2, 3)(x))))
    assert told.macs is None
    assert [(row.output, row.macs, row.field) for row in told.rows[1:]] == [
        ("(?, ?, 2)", None, "3"),
        ("(2,)", None, "all"),
    ]


def test_where_steps_disagree_the_field_is_that_of_the_set():
    x = Input((8, 8, 1))
    coarse = L.UpSampling2D(2)(L.AveragePooling2D(2)(x))
    model = Model(x, L.Add()([x, coarse]))
    assert summary(model).rows[-1].field == "2"


def test_a_torch_network_that_squeezes():
    class Squeezes(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3)

        def forward(self, x):
            return torch.squeeze(self.conv(x)[:, :, :1, :1])

    told = summary(Model.from_torch(Squeezes(), (1, 8, 8)))
    assert [(row.name, row.output, row.field) for row in told.rows[1:]] == [
        ("conv", "(4, 6, 6)", "3"),
        ("getitem", "(4, 1, 1)", "3"),
        ("squeeze", "(4,)", "3"),
    ]


def test_a_torch_network():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    told = summary(Model.from_torch(net, (1, 8, 8)))
    assert [(row.name, row.output, row.parameters, row.field) for row in told.rows] == [
        ("input", "(1, 8, 8)", 0, "1"),
        ("0", "(4, 6, 6)", 40, "3"),
        ("1", "(4, 6, 6)", 0, "3"),
        ("2", "(144,)", 0, "3"),
        ("3", "(2,)", 290, "all"),
    ]
