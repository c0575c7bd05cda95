"""Which operations become one unit."""

import striate as st
from striate import layers as L
from striate.lower.rules import units
from striate.lower.trace import trace


def test_a_sum_of_two_normalisations_belongs_to_the_first():
    """A residual block with a projection: the second normalisation is the sum's addend."""
    x = L.Input((8, 8, 4))
    left = L.BatchNormalization(name="left")(L.Conv2D(6, 3, padding="same", use_bias=False)(x))
    right = L.BatchNormalization(name="right")(L.Conv2D(6, 1, use_bias=False)(x))
    model = st.Model(x, L.ReLU(name="relu")(L.Add(name="sum")([left, right])))
    made = units(trace(model.graph, training=True))
    names = [tuple(step.name for step in unit.steps) for unit in made]
    assert names == [("conv2d",), ("conv2d_1",), ("right",), ("left", "sum", "relu")]
    assert made[-1].inputs == (made[0].output, made[2].output)


def residual() -> st.Model:
    """A residual block whose second convolution is followed by a normalisation and a sum."""
    x = L.Input((8, 8, 4))
    y = L.Conv2D(4, 3, padding="same", activation="relu", name="first")(x)
    y = L.BatchNormalization(name="norm")(L.Conv2D(4, 3, padding="same", name="second")(y))
    return st.Model(x, L.ReLU(name="relu")(L.Add(name="sum")([y, x])))


def test_at_inference_a_sum_belongs_to_the_convolution_before_it():
    model = residual()
    made = units(trace(model.graph, training=False))
    names = [tuple(step.name for step in unit.steps) for unit in made]
    assert names == [("first", "first"), ("second", "norm", "sum", "relu")]
    assert made[1].inputs == (made[0].output, made[0].inputs[0])


def test_no_pooling_is_computed_with_a_sum():
    x = L.Input((8, 8, 4))
    y = L.Add(name="sum")([L.Conv2D(4, 3, padding="same", name="conv")(x), x])
    model = st.Model(x, L.MaxPooling2D(2, name="pool")(y))
    made = units(trace(model.graph, training=False))
    assert [tuple(s.name for s in unit.steps) for unit in made] == [("conv", "sum"), ("pool",)]
