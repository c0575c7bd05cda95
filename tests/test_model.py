"""Models made in every way: their structure, weights, names and messages."""

import copy
import inspect

import numpy as np
import pytest
import torch
from cases import told
from torch import nn

import striate as st
from striate import layers as L


def small():
    return [
        L.Input((8, 8, 1)),
        L.Conv2D(4, 3, activation="relu"),
        L.MaxPooling2D(2),
        L.Flatten(),
        L.Dense(3, activation="softmax"),
    ]


def batch(*shape):
    return torch.rand(*shape)


def test_a_sequential_checks_each_layer_when_it_is_added():
    model = st.Sequential([L.Input((5, 5, 1)), L.Conv2D(4, 3)])
    line = inspect.currentframe().f_lineno + 1
    message = told(lambda: model.add(L.Conv2D(8, 5)))
    assert message == (
        "conv2d_1 (Conv2D): the window does not fit axis H\n"
        "  got   input (3, 3, 4), axis H = 3\n"
        "  need  H >= 5\n"
        "  math  (3 + 0 - 5) // 1 + 1 = -1\n"
        '  fix   padding="same", a smaller window, a larger input, or one pooling layer fewer\n'
        f"  at    test_model.py:{line}"
    )
    assert [layer.name for layer in model.layers] == ["conv2d"]
    assert model.output_shape == (None, 3, 3, 4)


def test_a_sequential_without_input_takes_the_shape_of_its_data():
    model = st.Sequential(small()[1:])
    assert told(lambda: model.graph) == (
        "Sequential: the input's shape is not known yet\n"
        "  fix   begin with L.Input((28, 28, 1)), or call model.build((None, 28, 28, 1))"
    )
    assert model(batch(2, 8, 8, 1)).shape == (2, 3)
    assert model.input_shape == (None, 8, 8, 1)
    assert model.count_params() == 3 * 3 * 4 + 4 + 36 * 3 + 3


def test_pop_takes_the_last_layer_away():
    model = st.Sequential(small())
    popped = model.pop()
    assert isinstance(popped, L.Dense)
    assert model.output_shape == (None, 36)
    assert "dense" not in model.state_dict()
    model.add(L.Dense(2))
    assert model.output_shape == (None, 2)


def test_what_is_no_layer_is_told():
    line = inspect.currentframe().f_lineno + 1
    assert told(lambda: st.Sequential([L.Input((4,)), L.Dense])) == (
        "Sequential: <class 'striate.layers.dense.Dense'> is not a layer\n"
        "  need  a layer, a torch.nn.Module or L.Input(shape)\n"
        "  fix   Dense(units)\n"
        f"  at    test_model.py:{line}"
    )


def test_functional_and_sequential_networks_of_the_same_layers_agree():
    model = st.Sequential(small())
    x = L.Input((8, 8, 1))
    y = x
    for layer in model.layers:
        y = layer(y)
    twin = st.Model(x, y)
    data = batch(3, 8, 8, 1)
    assert torch.equal(model(data), twin(data))
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]


def test_branches_shared_layers_and_several_outputs():
    a, b = L.Input((6, 6, 2), name="a"), L.Input((6, 6, 2), name="b")
    conv = L.Conv2D(3, 3, padding="same", name="shared")
    joined = L.Add()([conv(a), conv(b)])
    residual = joined + conv(a)
    head = L.GlobalAveragePooling2D()(residual)
    model = st.Model([a, b], [L.Dense(2, name="first")(head), L.Dense(4, name="second")(head)])
    first, second = model([batch(2, 6, 6, 2), batch(2, 6, 6, 2)])
    assert first.shape == (2, 2)
    assert second.shape == (2, 4)
    assert model.output_shape == ((None, 2), (None, 4))
    assert model.count_params() == (3 * 3 * 2 * 3 + 3) + (3 * 2 + 2) + (3 * 4 + 4)
    assert told(lambda: conv.output) == (
        "shared (Conv2D): was called 3 times, so it has no one input and output\n"
        "  fix   keep the symbol that the call returns"
    )


def test_features_of_a_layer_make_a_model():
    model = st.Sequential(small())
    features = st.Model(model.inputs, model.get_layer("conv2d").output)
    assert features(batch(2, 8, 8, 1)).shape == (2, 6, 6, 4)


def test_an_unknown_layer_is_told():
    model = st.Sequential(small())
    assert told(lambda: model.get_layer("conv2")) == (
        "Sequential: has no layer 'conv2'\n"
        "  need  one of conv2d, max_pooling2d, flatten, dense\n"
        '  fix   did you mean "conv2d"?'
    )


class Net(st.Model):
    def __init__(self, width):
        super().__init__()
        self.conv = L.Conv2D(width, 3, activation="relu")
        self.flat = L.Flatten()
        self.out = L.Dense(2)

    def forward(self, x):
        return self.out(self.flat(self.conv(x)) * 2)


def test_a_subclass_learns_its_shapes_from_the_first_call():
    model = Net(3)
    assert model(batch(2, 5, 5, 1)).shape == (2, 2)
    assert [node.layer.name for node in model.graph.nodes][:2] == ["conv", "flat"]
    assert model.count_params() == 3 * 3 * 3 + 3 + 27 * 2 + 2


class Named(st.Model):
    """A model that only adds a method."""


class Wide(st.Model):
    width: int = 2

    def forward(self, x):
        return x * self.width


def test_a_subclass_without_a_constructor_has_that_of_its_parent():
    x = L.Input((4,))
    assert Named(x, L.Dense(2)(x)).output_shape == (None, 2)


def test_a_subclass_with_fields_has_a_constructor_of_them():
    assert torch.equal(Wide(3)(torch.ones(2, 4)), torch.full((2, 4), 3.0))


def test_a_model_inside_a_model():
    inner = st.Sequential([L.Input((6, 6, 1)), L.Conv2D(2, 3), L.Flatten()], name="eyes")
    x = L.Input((6, 6, 1))
    model = st.Model(x, L.Dense(2)(inner(x)))
    assert model(batch(2, 6, 6, 1)).shape == (2, 2)
    assert "eyes.conv2d.kernel" in model.state_dict()
    assert model.macs(*[s.spec for s in (*model.inputs, *model.outputs)]) == 4 * 4 * 9 * 2 + 32 * 2


def test_a_torch_module_becomes_a_model():
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))
    model = st.Model.from_torch(module, (1, 8, 8))
    data = batch(2, 1, 8, 8)
    assert torch.equal(model(data), module(data))
    assert model.count_params() == sum(p.numel() for p in module.parameters())
    assert model.output_shape == (None, 5)


def test_a_torch_module_of_float64_is_refused():
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).double()
    assert told(lambda: st.Model.from_torch(net, (1, 2, 2))).splitlines()[:4] == [
        "TorchModel: the weights of the module are float64, and a model's inputs are float32",
        "  got   Sequential of torch.float64",
        "  need  weights of torch.float32",
        "  fix   from_torch(net.float(), input_shape)",
    ]


def test_a_torch_module_is_a_layer_of_a_sequential():
    model = st.Sequential([L.Input((4,)), nn.Linear(4, 3), L.Dense(2)])
    assert model(batch(5, 4)).shape == (5, 2)


def test_weights_have_the_order_and_layout_of_keras():
    model = st.Sequential([L.Input((8, 8, 3)), L.Conv2D(4, (3, 5)), L.BatchNormalization(),
                           L.Flatten(), L.Dense(2)])  # fmt: skip
    shapes = [array.shape for array in model.get_weights()]
    assert shapes == [(3, 5, 3, 4), (4,), (4,), (4,), (4,), (4,), (6 * 4 * 4, 2), (2,)]
    values = [np.full(shape, index, np.float32) for index, shape in enumerate(shapes)]
    model.set_weights(values)
    for before, after in zip(values, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert told(lambda: model.set_weights(values[:-1])).startswith(
        "Sequential: set_weights got another number of arrays than there are weights\n"
        "  got   7 arrays\n"
        "  need  8 arrays: (3, 5, 3, 4), (4,),"
    )


def test_freezing_reaches_every_weight_below():
    model = st.Sequential(small())
    assert len(model.trainable_weights) == 4
    model.get_layer("conv2d").trainable = False
    assert len(model.trainable_weights) == 2
    model.trainable = False
    assert model.trainable_weights == []
    assert len(model.non_trainable_weights) == 4


def test_a_deep_copy_is_a_model_of_its_own():
    model = st.Sequential(small())
    twin = copy.deepcopy(model)
    data = batch(2, 8, 8, 1)
    assert torch.equal(model(data), twin(data))
    with torch.no_grad():
        twin.weights[0].zero_()
    assert not torch.equal(model(data), twin(data))


@pytest.mark.parametrize(
    ("shape", "fix"),
    [
        (
            (4, 1, 8, 8),
            "the channels are first, the model takes them last: x.transpose(0, 2, 3, 1)",
        ),
        ((8, 8, 1), "this is one sample without the batch axis: x[None]"),
        ((4, 64), "the images are flat: x.reshape(-1, 8, 8, 1)"),
        ((4, 9, 9, 1), "resize the images: L.Resizing(8, 8)(x), or put the layer in front"),
        ((4, 8, 8, 3), "the model takes 1 channel, the batch has 3: x.mean(-1, keepdims=True)"),
    ],
)
def test_a_batch_that_does_not_fit_is_explained(shape, fix):
    model = st.Sequential(small())
    message = told(lambda: model(np.zeros(shape, np.float32)))
    assert message.splitlines()[0] == "Sequential: the batch does not fit the model's input"
    assert message.splitlines()[-1] == f"  fix   {fix}"


def test_grey_images_without_a_channel_axis_fit_a_model_of_one_channel():
    model = st.Sequential(small())
    data = np.random.default_rng(0).random((2, 8, 8), np.float32)
    torch.testing.assert_close(model(data), model(data[..., None]))


def test_inputs_and_outputs_must_be_symbols():
    x = L.Input((4,))
    line = inspect.currentframe().f_lineno + 1
    assert told(lambda: st.Model(x, np.zeros(3))) == (
        "Model: ndarray is not an input or output of a network\n"
        "  got   array([0., 0., 0.])\n"
        "  need  symbols: what L.Input and calls of layers return\n"
        "  fix   x = L.Input((28, 28, 1)); y = layer(x); st.Model(x, y)\n"
        f"  at    test_model.py:{line}"
    )


def test_a_path_is_for_predict():
    model = st.Sequential(small())
    line = inspect.currentframe().f_lineno + 1
    assert told(lambda: model("digit.png")) == (
        "Sequential: was called on the text 'digit.png'\n"
        "  need  a tensor or an array, batch first\n"
        "  fix   model.predict('digit.png'), which reads image files\n"
        f"  at    test_model.py:{line}"
    )


def test_code_that_cannot_be_followed_is_said_once(capsys):
    class Choosing(torch.nn.Module):
        def forward(self, x):
            return x if float(x.sum()) > 0 else -x

    model = st.Model.from_torch(Choosing(), (4,))
    assert capsys.readouterr().err == (
        "note: the code of Choosing cannot be followed, so that its layers are shown as one; "
        "it trains all the same\n"
    )
    model.predict(np.ones((2, 4)))
    assert capsys.readouterr().err == ""
