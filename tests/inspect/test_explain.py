"""One layer at length: the text of a few layers, whole."""

from __future__ import annotations

from cases import told

from striate import layers as L
from striate.inspect import explain
from striate.model import Sequential

CONV = """\
conv2d_1 (Conv2D)
  layer       Conv2D(filters=8, kernel_size=3, strides=2, padding='same', groups=2, \
activation='relu')
  input       (10, 9, 4) from conv2d (Conv2D)
  output      (5, 5, 8)
  size        H = (10 + 1 - 3) // 2 + 1 = 5
              W = (9 + 2 - 3) // 2 + 1 = 5
  reads       H: window of 3, stride 2, padding 0 before, 1 after
              W: window of 3, stride 2, padding 1 before, 1 after
              C: its own of 2 groups
  activation  relu
  parameters  3*3*2*8 + 8 = 152
              kernel (3, 3, 2, 8)
              bias (8,)
  MACs        200 outputs * 3*3*2 = 3,600
  field       H: 5 wide, 2 from one unit to the next
              W: 5 wide, 2 from one unit to the next
  exact field unit (2, 2, 4):
              sees 25 of 132 inputs, within (4..8, 3..7, 0..0)"""

FLATTEN = """\
flatten (Flatten)
  layer       Flatten()
  input       (5, 5, 8) from conv2d_1 (Conv2D)
  output      (200,)
  reads       outputs are inputs in other places; where, the layer itself shows
  parameters  none
  MACs        0
  exact field unit (100,):
              sees 25 of 132 inputs, within (4..8, 3..7, 0..0)"""


def model():
    return Sequential(
        [
            L.Input((12, 11, 1)),
            L.Conv2D(4, 3),
            L.Conv2D(8, 3, 2, "same", groups=2, activation="relu"),
            L.Flatten(),
        ],
        name="net",
    )


def without_place(text):
    return "\n".join(line for line in text.splitlines() if not line.startswith("  defined at"))


def test_a_convolution():
    net = model()
    assert without_place(str(explain(net, "conv2d_1"))) == CONV
    assert without_place(repr(net.explain(net.layers[1]))) == CONV


def test_a_layer_that_moves_values():
    explanation = explain(model(), "flatten")
    assert without_place(str(explanation)) == FLATTEN
    assert explanation.as_dict()["parameters"] == ["none"]


def test_a_name_that_is_not_there():
    assert told(lambda: explain(model(), "flaten")) == (
        "net (Sequential): has no layer 'flaten'\n"
        "  need  one of conv2d, conv2d_1, flatten\n"
        '  fix   did you mean "flatten"?'
    )
