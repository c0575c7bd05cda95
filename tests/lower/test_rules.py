"""Which operations become one unit."""

import pytest

import striate as st
from striate import layers as L
from striate.core.symbol import Symbol
from striate.lower.rules import RULES, units
from striate.lower.trace import trace
from striate.lower.units.convolution import Convolution
from striate.lower.units.dense import Dense
from striate.lower.units.elementwise import Dropout, Function, Merging, Softmax
from striate.lower.units.foreign import Foreign
from striate.lower.units.layout import (
    Concatenation,
    Permutation,
    Placement,
    Repetition,
    Reshaping,
)
from striate.lower.units.norm import BatchNormalization, LayerNormalization, Scaling
from striate.lower.units.pooling import GlobalPooling, Pooling
from striate.lower.units.warp import Warping


def test_a_sum_of_two_normalisations_belongs_to_the_first():
    """A residual block with a projection: the second normalisation is the sum's addend."""
    x = L.Input((8, 8, 4))
    left = L.BatchNormalization(name="left")(L.Conv2D(6, 3, padding="same", use_bias=False)(x))
    right = L.BatchNormalization(name="right")(L.Conv2D(6, 1, use_bias=False)(x))
    model = st.Model(x, L.ReLU(name="relu")(L.Add(name="sum")([left, right])))
    found = units(trace(model.graph, training=True))
    names = [tuple(step.name for step in unit.steps) for unit in found]
    assert names == [("conv2d",), ("conv2d_1",), ("right",), ("left", "sum", "relu")]
    assert found[-1].inputs == (found[0].output, found[2].output)


def residual() -> st.Model:
    """A residual block whose second convolution is followed by a normalisation and a sum."""
    x = L.Input((8, 8, 4))
    y = L.Conv2D(4, 3, padding="same", activation="relu", name="first")(x)
    y = L.BatchNormalization(name="norm")(L.Conv2D(4, 3, padding="same", name="second")(y))
    return st.Model(x, L.ReLU(name="relu")(L.Add(name="sum")([y, x])))


def test_at_inference_a_sum_belongs_to_the_convolution_before_it():
    model = residual()
    found = units(trace(model.graph, training=False))
    names = [tuple(step.name for step in unit.steps) for unit in found]
    assert names == [("first", "first"), ("second", "norm", "sum", "relu")]
    assert found[1].inputs == (found[0].output, found[0].inputs[0])


def test_no_pooling_is_computed_with_a_sum():
    x = L.Input((8, 8, 4))
    y = L.Add(name="sum")([L.Conv2D(4, 3, padding="same", name="conv")(x), x])
    model = st.Model(x, L.MaxPooling2D(2, name="pool")(y))
    found = units(trace(model.graph, training=False))
    assert [tuple(s.name for s in unit.steps) for unit in found] == [("conv", "sum"), ("pool",)]


def image(channels: int = 4) -> Symbol:
    return L.Input((8, 8, channels))


def chain(*layers: L.Layer, x: Symbol | None = None) -> st.Model:
    """Return a network of layers one after the other."""
    first = y = image() if x is None else x
    for layer in layers:
        y = layer(y)
    return st.Model(first, y)


def two(layer: L.Layer) -> st.Model:
    """Return a network that merges two inputs."""
    left, right = image(), image()
    return st.Model([left, right], layer([left, right]))


TRAINED = {  # in training: what the network is, and the units with the operations in each
    "a convolution takes activation, maximum and dropout": (
        lambda: chain(L.Conv2D(6, 3), L.ReLU(), L.MaxPooling2D(2), L.Dropout(0.5)),
        [(Convolution, "Correlate Pointwise Pool Drop")],
    ),
    "a maximum and an increasing function change places": (
        lambda: chain(L.Conv2D(6, 3), L.MaxPooling2D(2), L.LeakyReLU(0.1)),
        [(Convolution, "Correlate Pool Pointwise")],
    ),
    "a convolution takes one activation": (
        lambda: chain(L.Conv2D(6, 3, activation="relu"), L.LeakyReLU(0.1)),
        [(Convolution, "Correlate Pointwise"), (Function, "Pointwise")],
    ),
    "a curved activation has a call of its own": (
        lambda: chain(L.Conv2D(6, 3, activation="tanh")),
        [(Convolution, "Correlate"), (Function, "Pointwise")],
    ),
    "the mean of activations is no part of a convolution that learns": (
        lambda: chain(L.Conv2D(6, 3, activation="relu"), L.AveragePooling2D(2)),
        [(Convolution, "Correlate Pointwise"), (Pooling, "Pool")],
    ),
    "dropout is no part of a convolution without a maximum": (
        lambda: chain(L.Conv2D(6, 3, activation="relu"), L.Dropout(0.5)),
        [(Convolution, "Correlate Pointwise"), (Dropout, "Drop")],
    ),
    "a pooling over the edge has a call of its own": (
        lambda: chain(L.Conv2D(6, 3), L.MaxPooling2D(3, 2, padding="same")),
        [(Convolution, "Correlate"), (Pooling, "Pool")],
    ),
    "a dense layer takes its activation": (
        lambda: chain(L.Dense(5, "relu"), x=L.Input((7,))),
        [(Dense, "Linear Pointwise")],
    ),
    "a normalisation takes its activation": (
        lambda: chain(L.Conv2D(6, 3), L.BatchNormalization(), L.ReLU()),
        [(Convolution, "Correlate"), (BatchNormalization, "BatchNorm Pointwise")],
    ),
    "functions of a number": (lambda: chain(L.Activation("gelu")), [(Function, "Pointwise")]),
    "a scale for each channel": (
        lambda: chain(L.Normalization(mean=[1.0] * 4, variance=[2.0] * 4)),
        [(Scaling, "Affine")],
    ),
    "layer normalisation": (
        lambda: chain(L.LayerNormalization()), [(LayerNormalization, "LayerNorm")],
    ),
    "softmax": (lambda: chain(L.Softmax()), [(Softmax, "Pointwise")]),
    "dropout": (lambda: chain(L.SpatialDropout2D(0.5)), [(Dropout, "Drop")]),
    "pooling": (lambda: chain(L.AveragePooling2D(3, 2, "same")), [(Pooling, "Pool")]),
    "global pooling": (lambda: chain(L.GlobalMaxPooling2D()), [(GlobalPooling, "GlobalPool")]),
    "merges": (lambda: two(L.Multiply()), [(Merging, "Merge")]),
    "flattening": (lambda: chain(L.Flatten()), [(Reshaping, "Reshape")]),
    "another order of axes": (lambda: chain(L.Permute((3, 1, 2))), [(Permutation, "Permute")]),
    "another order of a single row": (
        lambda: chain(L.GlobalAveragePooling2D(keepdims=True), L.Permute((3, 1, 2))),
        [(GlobalPooling, "GlobalPool"), (Reshaping, "Permute")],
    ),
    "padding": (lambda: chain(L.ZeroPadding2D(1)), [(Placement, "Pad")]),
    "cropping": (lambda: chain(L.Cropping2D(1)), [(Placement, "Crop")]),
    "repeating": (lambda: chain(L.UpSampling2D(2)), [(Repetition, "Repeat")]),
    "concatenation": (lambda: two(L.Concatenate()), [(Concatenation, "Concatenate")]),
    "moves of images": (lambda: chain(L.RandomFlip()), [(Warping, "Warp")]),
    "what has no kernel is left to torch": (lambda: chain(L.PReLU()), [(Foreign, "Opaque")]),
}  # fmt: skip
INFERRED = {  # the same at inference
    "a normalisation is part of the weights before it": (
        lambda: chain(L.Conv2D(6, 3), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(2)),
        [(Convolution, "Correlate BatchNorm Pointwise Pool")],
    ),
    "a normalisation by itself is a scale": (
        lambda: chain(L.BatchNormalization()), [(Scaling, "BatchNorm")],
    ),
    "the mean of activations is part of a convolution": (
        lambda: chain(L.Conv2D(6, 3, activation="relu"), L.AveragePooling2D(2)),
        [(Convolution, "Correlate Pointwise Pool")],
    ),
}  # fmt: skip


def made(model: st.Model, training: bool) -> list[tuple[type, str]]:
    """Return the units of a network, with the operations in each."""
    return [
        (type(unit), " ".join(type(step.operation).__name__ for step in unit.steps))
        for unit in units(trace(model.graph, training=training))
    ]


@pytest.mark.parametrize("rule", TRAINED)
def test_in_training(rule):
    network, want = TRAINED[rule]
    assert made(network(), training=True) == want


@pytest.mark.parametrize("rule", INFERRED)
def test_at_inference(rule):
    network, want = INFERRED[rule]
    assert made(network(), training=False) == want


def test_every_rule_of_the_table_is_tested():
    tested = {unit for _, want in (*TRAINED.values(), *INFERRED.values()) for unit, _ in want}
    assert {rule.unit for rule in RULES} <= tested


def test_a_value_that_two_layers_read_ends_a_unit():
    x = image()
    y = L.Conv2D(6, 3)(x)
    model = st.Model(x, [L.ReLU()(y), L.Activation("tanh")(y)])
    units_made = made(model, training=True)
    assert units_made == [(Convolution, "Correlate"), *[(Function, "Pointwise")] * 2]
