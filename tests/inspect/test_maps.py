"""Feature maps equal what torch's own hooks see, for every form of model; pictures are equal."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from cases import told
from torch import nn

import striate as st
from striate import layers as L
from striate.inspect import feature_maps


def residual():
    x = L.Input((8, 8, 3))
    h = L.Conv2D(4, 3, padding="same", name="first")(x)
    y = L.ReLU(name="end")(L.Conv2D(4, 3, padding="same", name="second")(h) + h)
    return st.Model(x, L.Dense(3, name="classes")(L.Flatten()(y)))


def torch_model():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    return st.Model.from_torch(network, (3, 8, 8))


@pytest.mark.parametrize(("make", "shape"), [(residual, (8, 8, 3)), (torch_model, (3, 8, 8))])
def test_equal_to_hooks(make, shape):
    model, x = make(), np.random.default_rng(0).normal(size=shape).astype(np.float32)
    seen = {}
    for name, layer in model.graph.layers.items():
        layer.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    found = feature_maps(model, x)
    assert [one.layer for one in found.maps] == list(model.graph.layers)
    for one in found.maps:
        value = seen[one.layer][0].detach().numpy()
        first = model.graph.layers[one.layer].calls[-1].outputs[0].spec.data_format[9:] == "first"
        value = np.moveaxis(value, 0, -1) if first else value
        assert np.array_equal(one.values, value)
    with torch.no_grad():
        whole = model.eval()(torch.as_tensor(x)[None])[0].numpy()
    assert np.allclose(found.maps[-1].values, whole, atol=1e-6)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_same_picture_each_time(tmp_path, ending):
    found = feature_maps(residual(), np.ones((8, 8, 3)))
    first, again = (found.save(tmp_path / f"{n}.{ending}").read_bytes() for n in "ab")
    assert first == again
    assert len(first) > 1000
    assert found["classes"].save(tmp_path / "c.png").is_file()
    assert found["first"].save(tmp_path / "d.png").is_file()


def test_as_json():
    found = json.loads(json.dumps(feature_maps(residual(), np.ones((8, 8, 3))).as_json()))
    assert np.shape(found["maps"][0]["values"]) == (8, 8, 4)


def test_inspection_leaves_the_mode_as_it_is():
    model = residual().train()
    feature_maps(model, np.ones((8, 8, 3)), ["first"])
    assert model.training


def test_more_than_one_sample():
    assert told(lambda: feature_maps(residual(), np.ones((2, 8, 8, 3)))) == (
        "Model: is looked into with one sample at a time\n"
        "  got   an array of shape (2, 8, 8, 3)\n"
        "  need  one sample (8, 8, 3)\n"
        "  fix   x[0]"
    )
