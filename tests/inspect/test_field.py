"""Receptive fields: sets are the support of gradients, the closed form is that of the papers."""

from __future__ import annotations

import pytest
import torch
from cases import told
from hypothesis import given, settings, strategies as st

from striate import layers as L
from striate.core.graph import Graph
from striate.core.symbol import Input
from striate.errors import ConfigError
from striate.inspect import receptive_field
from striate.inspect.sight import sights
from striate.model import Model, Sequential


def gradient_support(model, layer, unit, between=()):
    """Which inputs, and values of maps, change the unit: all are positive, so nothing cancels."""
    model = model.double()
    with torch.no_grad():
        for weight in model.weights:
            weight.copy_(torch.rand_like(weight) + 0.1)
    xs = [torch.rand(1, *s.spec.shape, dtype=torch.float64) + 0.1 for s in model.inputs]
    for x in xs:
        x.requires_grad_()
    kept = {}

    def call(node, values):
        out = node.layer(*values)
        kept[node.layer.name] = out
        return out

    model.graph.run(xs, call)
    asked = [*xs, *(kept[name] for name in between)]
    grads = torch.autograd.grad(kept[layer][0][unit], asked, allow_unused=True)
    return [
        torch.zeros_like(x[0]).numpy() != 0 if g is None else (g[0] != 0).numpy()
        for x, g in zip(asked, grads, strict=True)
    ]


@st.composite
def networks(draw):
    first = draw(st.sampled_from(["channels_last", "channels_first"]))
    size = (draw(st.integers(6, 12)), draw(st.integers(6, 12)))
    x = Input((*size, 2) if first == "channels_last" else (2, *size), data_format=first)
    h = x
    for _ in range(draw(st.integers(1, 5))):
        h = draw(st.sampled_from(STEPS))(draw, h)
    if draw(st.booleans()):
        h = draw(st.sampled_from([flat, pooled]))(h)
    return Model(x, h)


def conv(draw, h):
    groups = draw(st.sampled_from([1, 2]))
    strides, rate = draw(st.sampled_from([(1, 1), (2, 1), (3, 1), (1, 2)]))
    return L.Conv2D(
        2 * draw(st.integers(1, 2)),
        draw(st.sampled_from([1, 2, 3, (1, 3)])),
        strides,
        draw(st.sampled_from(["same", 1])) if min(h.spec.spatial) > 2 else "same",
        dilation_rate=rate,
        groups=groups,
    )(h)


def separable(draw, h):
    return L.DepthwiseConv2D(draw(st.integers(1, 3)), draw(st.integers(1, 2)), "same")(h)


def up(draw, h):
    if max(h.spec.spatial) > 16:
        return h
    return L.Conv2DTranspose(2, draw(st.integers(1, 3)), draw(st.integers(1, 2)), "same")(h)


def average(draw, h):
    return L.AveragePooling2D(2, draw(st.integers(1, 2)), "same")(h)


def residual(draw, h):
    other = L.Conv2D(h.spec.channels, draw(st.integers(1, 3)), padding="same")(h)
    return L.Add()([h, other])


def fork(draw, h):
    axis = -1 if h.spec.data_format == "channels_last" else 1
    other = L.Conv2D(2, 3, padding="same", groups=2)(h)
    return L.Concatenate(axis=axis)([h, other])


def nested(draw, h):
    x = Input(h.spec.shape, data_format=h.spec.data_format)
    return Model(x, residual(draw, L.AveragePooling2D(3, 1, "same")(x)))(h)


def padded(draw, h):
    return L.ZeroPadding2D(((0, 1), (2, 0)))(h)


def flat(h):
    return L.Dense(3)(L.Flatten()(h))


def pooled(h):
    return L.Dense(2)(L.GlobalAveragePooling2D()(h))


STEPS = [conv, separable, up, average, residual, fork, nested, padded]


def agrees(model, data):
    """Compare the sets of a random unit, on the input and on every map between."""
    node = data.draw(st.sampled_from(model.graph.nodes))
    shape = node.outputs[0].spec.shape
    unit = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
    found = receptive_field(model, node.layer, unit)
    between = {name: mask for name, mask in found.between if "/" not in name}
    wanted = gradient_support(model, node.layer.name, unit, between)
    for mask, want in zip((*found.masks, *between.values()), wanted, strict=True):
        assert (mask == want).all()


@settings(max_examples=300)
@given(networks(), st.data())
def test_the_set_is_the_support_of_the_gradient(model, data):
    agrees(model, data)


@pytest.mark.slow
@settings(max_examples=2000)
@given(networks(), st.data())
def test_the_set_is_the_support_of_the_gradient_in_2000_networks(model, data):
    agrees(model, data)


def test_two_inputs_each_have_their_set():
    a, b = Input((5, 5, 1), name="a"), Input((5, 5, 1), name="b")
    model = Model([a, b], L.Add()([L.Conv2D(1, 3, padding="same", name="wide")(a), b]))
    found = receptive_field(model, "add", (2, 2, 0))
    assert found.counts == (9, 1)
    assert receptive_field(model, "wide", (0, 0, 0)).counts == (4, 0)
    assert str(found) == (
        "add, unit (2, 2, 0):\n"
        "  sees 9 of 25 inputs, within (1..3, 1..3, 0..0)\n"
        "  sees 1 of 25 inputs, within (2..2, 2..2, 0..0)"
    )


def test_what_does_not_state_its_geometry_is_not_known():
    model = Sequential([L.Input((4, 4, 1)), L.Lambda(torch.square), L.Conv2D(1, 3)])
    found = receptive_field(model, "conv2d")
    assert found.masks == (None,) and found.counts == (None,) and found.boxes == (None,)
    assert str(found) == "conv2d, unit (1, 1, 0):\n  not known"


def test_the_closed_form_is_that_of_vgg16():
    h = x = Input((224, 224, 3))
    for count in (2, 2, 3, 3, 3):
        for _ in range(count):
            h = L.Conv2D(1, 3, padding="same")(h)
        h = L.MaxPooling2D(2)(h)
    field = sights(Graph((x,), (h,)))[id(h)][0]
    assert (field.size, field.step) == (212, 32)  # Araujo et al., table 1


@pytest.mark.parametrize(
    ("shape", "layer", "unit", "text"),
    [
        (
            (4, 4, 1),
            "conv",
            None,
            "net (Sequential): has no layer 'conv'\n  need  one of conv2d\n"
            '  fix   did you mean "conv2d"?',
        ),
        (
            (4, 4, 1),
            "conv2d",
            (2, 0, 0),
            "conv2d (Conv2D): has no such unit\n  got   unit (2, 0, 0)\n"
            "  need  a position in the output (2, 2, 1)",
        ),
        (
            (None, 4, 1),
            "conv2d",
            None,
            "conv2d (Conv2D): an exact receptive field needs known sizes\n"
            "  got   output (?, 2, 1)\n"
            "  need  an input shape without None",
        ),
    ],
)
def test_messages(shape, layer, unit, text):
    model = Sequential([L.Input(shape), L.Conv2D(1, 3)], name="net")
    assert told(lambda: receptive_field(model, layer, unit)) == text


def test_what_is_no_layer_is_told():
    model = Sequential([L.Input((6, 6, 1)), L.Conv2D(2, 3, name="conv")])
    with pytest.raises(ConfigError) as caught:
        receptive_field(model, torch.zeros(6, 6, 1))
    assert str(caught.value) == (
        "Sequential: a layer is asked for by its name, or by itself\n"
        "  got   Tensor\n  need  one of conv"
    )


@pytest.mark.parametrize("shape", [(9,), (3, 5)])
def test_a_row_of_a_table_sees_the_number_at_its_place(shape):
    numbers = Input(shape, dtype="int64")
    rows = L.Embedding(20, 4, name="rows")(numbers)
    wide = L.Conv1D if len(shape) == 1 else L.Conv2D
    model = Model(numbers, wide(2, 2, 2, name="conv")(rows))
    x = torch.randint(10, shape)
    for layer in ("rows", "conv"):
        seen = receptive_field(model, layer)
        changed = torch.zeros(shape, dtype=torch.bool)
        for place in torch.cartesian_prod(*map(torch.arange, shape)).reshape(-1, len(shape)):
            other = x.clone()
            other[tuple(place)] += 10
            one, two = (values_of(model, layer, batch)[seen.unit] for batch in (x, other))
            changed[tuple(place)] = bool(one != two)
        assert (seen.masks[0] == changed.numpy()).all(), layer
    assert receptive_field(model, "rows").counts == (1,)
    field = sights(model.graph)[id(model.graph.outputs[0])]
    assert [(one.size, one.step) for one in field] == [(2, 2)] * len(shape)


def values_of(model, layer, x):
    from striate.inspect import feature_maps

    return feature_maps(model, x.numpy())[layer].values
