"""A network as plain values: what is described, and what cannot be."""

from __future__ import annotations

import json

import pytest
import torch
from cases import told
from torch import nn

import striate as st
from striate import layers as L
from striate.core.layer import Layer
from striate.model import make
from striate.store import config


def test_the_description_of_a_small_network():
    layer = L.Dense(3, activation="relu", name="first")
    model = st.Sequential([L.Input((4,)), layer, L.Dropout(0.5)], name="net")
    described = config.describe(model)
    fields = described["layers"]["first"].pop("config")
    assert fields["units"] == 3
    assert fields["activation"] == "relu"
    assert fields["name"] == "first"
    assert "name" not in described["layers"]["dropout"].pop("config")
    assert described == {
        "kind": "Sequential",
        "name": "net",
        "trainable": True,
        "inputs": [{"shape": (4,), "dtype": "float32", "data_format": "channels_last", "name": ""}],
        "layers": {"first": {"class": "Dense"}, "dropout": {"class": "Dropout"}},
        "calls": [
            {"layer": "first", "inputs": [["input", 0]]},
            {"layer": "dropout", "inputs": [[0, 0]]},
        ],
        "outputs": [[1, 0]],
    }


def test_every_layer_of_the_package_is_in_the_table():
    known = config.known_layers()
    assert known["Conv2D"] is L.Conv2D
    assert all(issubclass(item, Layer) for item in known.values())
    assert "Input" not in known


def test_a_description_is_json_and_builds_the_same_description_again():
    x = L.Input((8, 8, 2))
    y = L.Add()([L.Conv2D(2, 1, kernel_initializer=st.initializers.Constant(0.5))(x), x])
    described = json.loads(json.dumps(config.describe(st.Model(x, y))))
    assert json.loads(json.dumps(config.describe(config.build(described, make)))) == described


def saved(layer, shape=(4,)):
    return config.describe(st.Sequential([L.Input(shape), layer]))


def test_an_activation_that_is_a_function():
    assert told(lambda: saved(L.Dense(2, activation=torch.relu))) == (
        "dense (Dense): activation holds code, which a file cannot\n"
        f"  got   activation={torch.relu!r}\n"
        "  need  names and numbers\n"
        "  fix   model.save_weights(path), and build the network in code again"
    )


def test_an_initializer_that_is_a_function():
    message = told(
        lambda: saved(L.Dense(2, kernel_initializer=lambda shape, **_: torch.ones(shape)))
    )
    assert message.startswith(
        "dense (Dense): kernel_initializer holds code, which a file cannot\n"
        "  got   kernel_initializer=<function "
    )


def test_a_custom_class_with_the_name_of_one_of_ours():
    class Dense(L.Dense):
        pass

    assert told(lambda: saved(Dense(2))) == (
        "dense (Dense): a layer of this package is called 'Dense' too: a file would give that one\n"
        f"  got   {__name__}.{Dense.__qualname__}\n"
        "  fix   give the class a name of its own"
    )


def test_a_custom_class_whose_constructor_takes_what_is_no_field():
    class Power(Layer):
        def __init__(self, exponent):
            super().__init__()
            self.exponent = exponent

        def forward(self, x):
            return x**self.exponent

    assert told(lambda: saved(Power(3))) == (
        "power (Power): its constructor takes what is not a field, so a file cannot hold it\n"
        "  got   exponent\n"
        "  need  an annotated attribute for each argument, and no __init__\n"
        "  fix   class Power(Layer): exponent: float = 1.0"
    )


def test_a_torch_module_that_forgets_its_arguments():
    layer = L.TorchModule(nn.TransformerEncoderLayer(4, 2, batch_first=True))
    assert told(lambda: saved(layer, (5, 4))) == (
        "torch_module (TorchModule): torch.nn.TransformerEncoderLayer does not keep its argument "
        "d_model, so a file cannot hold it\n"
        "  fix   model.save_weights(path), and build the network in code again"
    )


def test_torch_names_that_are_no_module():
    for name in ("factory_kwargs", "Parameter", "init"):
        described = json.loads(json.dumps(saved(L.TorchModule(nn.ReLU()))))
        described["layers"]["torch_module"]["config"]["module"]["torch"]["class"] = name
        assert told(lambda item=described: config.build(item, make)) == (
            f"model: holds a torch module of the unknown class {name!r}\n"
            "  need  a class of torch.nn, or one that you name\n"
            f"  fix   st.load(path, custom={{{name!r}: {name}}})"
        )


def test_the_first_names_of_a_list():
    assert config.names(["a", "b"]) == "a, b"
    assert config.names(list("abcdef")) == "a, b, c, d and 2 more"


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(2, 4, (3, 1), stride=2, padding=1, groups=2, bias=False),
        nn.Conv2d(2, 4, 3, padding="same", padding_mode="circular"),
        nn.ConvTranspose2d(2, 4, 3, 2, output_padding=1),
        nn.Linear(4, 2, bias=False),
        nn.BatchNorm2d(2, affine=False),
        nn.BatchNorm2d(2, eps=0.1, track_running_stats=False),
        nn.LayerNorm((4, 2), bias=False),
        nn.GroupNorm(2, 4),
        nn.Upsample(scale_factor=2.0, mode="bilinear"),
        nn.Hardtanh(-2, 2),
        nn.GELU("tanh"),
        nn.Embedding(5, 3),
        nn.Identity(),
        nn.ConstantPad2d((1, 2, 0, 1), 3.0),
        nn.AdaptiveAvgPool2d((3, None)),
        nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.ReLU(), nn.Dropout(0.1))),
    ],
    ids=repr,
)
def test_a_torch_module_from_its_attributes(module):
    described = config.describe_layer(L.TorchModule(module), [])["config"]["module"]
    made = config._Builder(make, {}, "m").value(json.loads(json.dumps(described)))
    assert repr(made) == repr(module)
    assert {name: value.shape for name, value in made.state_dict().items()} == {
        name: value.shape for name, value in module.state_dict().items()
    }
