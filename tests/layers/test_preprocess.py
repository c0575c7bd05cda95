"""Scaling and normalizing: cases for the battery, statistics of data, messages."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import Case, each, told

from striate.core.spec import Spec
from striate.layers import preprocess as L

GIVEN = {"mean": [1.0, -2.0], "variance": [4.0, 0.25]}
CASES = [
    Case(L.Rescaling, {"scale": (0.5, 2.0), "offset": (1.0, -1.0)}, (3, 4, 2)),
    Case(
        L.Rescaling,
        {"scale": (0.5, 2.0)},
        (2, 3, 4),
        data_format="channels_first",
        keras=False,
        reference=lambda x: x * torch.tensor([0.5, 2.0])[:, None, None],
    ),
    Case(L.Normalization, {**GIVEN, "invert": True}, (3, 4, 2)),
    Case(L.Rescaling, {"scale": 0.5, "offset": -1.0}, (3, 4, 2), reference=lambda x: x / 2 - 1),
    Case(L.Rescaling, {"scale": 1 / 255}, (5,)),
    Case(L.Rescaling, {"scale": 1 / 255}, (3, 2, 1), dtype="uint8"),
    Case(
        L.Normalization,
        GIVEN,
        (3, 4, 2),
        reference=lambda x: (x - torch.tensor([1.0, -2.0])) / torch.tensor([2.0, 0.5]),
    ),
    Case(L.Normalization, {"axis": 1, **GIVEN}, (2, 3), data_format="channels_first"),
    Case(L.Normalization, {"axis": None, "mean": 3.0, "variance": 0.0}, (3,)),
]


@each(CASES)
def test_battery(case):
    case.check()


def images():
    return np.random.default_rng(0).integers(0, 256, (2500, 3, 2, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("axis", "over"), [(-1, (0, 1, 2)), (None, (0, 1, 2, 3)), ((1, 3), (0, 2)), (2, (0, 1, 3))]
)
def test_adapt_finds_mean_and_variance_over_the_other_axes(axis, over):
    data = images()
    layer = L.Normalization(axis)
    layer.adapt(data)
    mean, variance, count = layer.get_weights()
    np.testing.assert_allclose(mean, data.mean(over), rtol=1e-6)
    np.testing.assert_allclose(variance, data.var(over), rtol=1e-6)
    assert count == data.size // mean.size
    want = (data - data.mean(over, keepdims=True)) / data.std(over, keepdims=True)
    np.testing.assert_allclose(layer(torch.from_numpy(data)), want, rtol=1e-4, atol=1e-5)


def test_adapt_keeps_its_precision_far_from_0():
    data = np.random.default_rng(0).normal(1e6, 1.0, (5000, 1))
    layer = L.Normalization()
    layer.adapt(data)
    np.testing.assert_allclose(layer.get_weights()[1], data.var(0), rtol=1e-6)


def test_batches_give_what_the_whole_gives_and_each_adapt_begins_afresh():
    data = images()
    whole, parts = L.Normalization(), L.Normalization()
    whole.adapt(torch.from_numpy(data))
    parts.adapt(data[:7])
    parts.adapt((data[start : start + 600], None) for start in range(0, 2500, 600))
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_statistics_travel_with_the_weights():
    layer, twin = L.Normalization(), L.Normalization()
    layer.adapt(images())
    twin.ensure_built((Spec((3, 2, 3)),))
    twin.set_weights(layer.get_weights())
    x = torch.ones(1, 3, 2, 3)
    assert twin(x).equal(layer(x))


def test_an_adapted_layer_can_be_exported():
    layer = L.Normalization()
    layer.adapt(images())
    x = torch.ones(2, 3, 2, 3)
    exported = torch.export.export(layer.eval(), (x,)).module()
    assert torch.allclose(exported(2 * x), layer(2 * x))


def unlearned():
    layer = L.Normalization(name="norm")
    layer(torch.ones(1, 3))


def other_shape():
    layer = L.Normalization()
    layer.adapt(np.ones((4, 3)))
    layer.adapt(np.ones((4, 2)))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: L.Rescaling([]),
            "Rescaling: scale=[] cannot work\n"
            "  got   scale=[]\n"
            "  need  a finite number\n"
            "  fix   scale=0.00392156862745098",
        ),
        (
            lambda: L.Normalization(mean=0.5, variance=-1.0),
            "Normalization: variance=-1.0 cannot work\n"
            "  got   variance=-1.0\n"
            "  need  a number, variance >= 0\n"
            "  fix   variance=1.0",
        ),
        (
            lambda: L.Rescaling((0.5, 2.0)).build(Spec((8, 8, 3))),
            "Rescaling: scale does not fit the channels\n"
            "  got   2 numbers, input (8, 8, 3)\n"
            "  need  one number, or 3\n"
            "  fix   scale=0.5",
        ),
        (
            lambda: L.Rescaling("1/255"),
            "Rescaling: scale='1/255' cannot work\n"
            "  got   scale='1/255'\n"
            "  need  a finite number\n"
            f"  fix   scale={1 / 255!r}",
        ),
        (
            lambda: L.Rescaling(2.0, float("nan")),
            "Rescaling: offset=nan cannot work\n"
            "  got   offset=nan\n"
            "  need  a finite number\n"
            "  fix   offset=0.0",
        ),
        (
            unlearned,
            "norm (Normalization): has no mean and variance yet\n"
            "  fix   layer.adapt(images) before the first call, or mean=..., variance=...",
        ),
        (
            lambda: L.Normalization(mean=1.0),
            "Normalization: variance is missing\n"
            "  need  mean and variance together, or neither and layer.adapt(data)",
        ),
        (
            lambda: L.Normalization(axis=0),
            "Normalization: axis=0 cannot work\n"
            "  need  a whole number other than 0, which is the batch, several of them, or None\n"
            "  fix   axis=-1",
        ),
        (
            lambda: L.Normalization(axis=3)(torch.ones(1, 2)),
            "Normalization: there is no axis=3 of known size\n"
            "  got   input (2,)\n"
            "  need  axes from 1 to 1, or -1 to -1",
        ),
        (
            lambda: L.Normalization(mean=[1.0, 2.0], variance=1.0)(torch.ones(1, 3)),
            "Normalization: mean does not fit the input\n"
            "  got   mean of shape (2,), input (3,)\n"
            "  need  one number, or shape (3,)",
        ),
        (
            lambda: L.Normalization(mean=1.0, variance=1.0).adapt(np.ones((2, 3))),
            "Normalization: mean and variance are given: there is nothing to adapt",
        ),
        (
            lambda: L.Normalization().adapt(np.ones((0, 3))),
            "Normalization: there are no samples to adapt to",
        ),
        (
            other_shape,
            "Normalization: the data has another shape than the layer's input\n"
            "  got   samples (2,)\n"
            "  need  samples (3,)",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message
