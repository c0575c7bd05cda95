"""Layers: fields, questions with their defaults, weights, calls and messages."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch
from cases import told

from striate.core.layer import Layer, free_name, snake
from striate.core.spec import Spec
from striate.core.symbol import Input
from striate.core.window import UNKNOWN, Window
from striate.layers import Conv2D, Dense
from striate.optimizers import Adam


class Scale(Layer):
    """y = gain * x: a layer that says nothing but what it must."""

    start: float = 1.0

    def build(self, *x):
        def full(shape, **_):
            return torch.full(shape, self.start)

        self.gain = self.add_weight("gain", (x[0].channels,), full)
        self.seen = self.add_weight("seen", (), lambda s, **_: torch.zeros(s), trainable=False)

    def forward(self, *x):
        return x[0] * self.gain


class Must(Layer):
    """A layer that cannot do without an argument."""

    size: int

    def forward(self, *x):
        return x[0] * self.size


class Slider(Layer):
    """What `slide` and `expect_rank` need of a layer."""

    def windows(self, *x):
        return x[0].axes((Window(3, 2),) * 2, Window())

    def infer(self, *x):
        self.expect_rank(x[0], 3)
        return x[0].replace(self.slide(x[0]))


def test_annotated_attributes_are_the_constructor():
    assert Scale(2.0).start == Scale(start=2.0).start == 2.0
    assert repr(Scale(2.0, name="big")) == "Scale(start=2.0, name='big')"
    assert repr(Scale()) == "Scale()"
    assert Scale(2.0).config() == {"start": 2.0, "name": "", "trainable": True}


def test_layers_are_compared_by_identity():
    assert Scale() != Scale()
    assert len({Scale(), Scale()}) == 2


def test_what_a_layer_does_not_say_is_found_by_running_or_unknown():
    layer = Scale()
    y = layer(Input((None, 3)))
    assert y.spec == Spec((None, 3))
    assert layer.windows(y.spec) is UNKNOWN
    assert layer.macs(Spec((5, 3)), Spec((5, 3))) == 0
    assert layer.activation_name == ""


def test_unsaid_macs_are_those_that_torch_counts():
    class Mix(Layer):
        def forward(self, *x):
            return x[0] @ torch.ones(3, 7, device=x[0].device)

    assert Mix().macs(Spec((5, 3)), Spec((5, 7))) == 5 * 3 * 7


def test_several_outputs_are_inferred_by_running():
    class Halves(Layer):
        def forward(self, *x):
            return x[0][..., :2], x[0][..., 2:]

    left, right = Halves()(Input((None, 5)))
    assert left.shape == (None, None, 2)
    assert right.shape == (None, None, 3)
    assert left.node is right.node


def test_a_call_on_tensors_builds_once():
    layer = Scale()
    layer(torch.ones(2, 4, 3))
    gain = layer.gain
    assert torch.equal(layer(torch.ones(1, 3)), torch.ones(1, 3))
    assert layer.gain is gain
    assert layer.specs == (Spec((4, 3)),)


def test_inputs_may_be_given_in_a_list():
    class Sum(Layer):
        def infer(self, *x):
            return x[0]

        def forward(self, *x):
            return sum(x)

    one = torch.ones(1, 2)
    assert torch.equal(Sum()([one, one]), Sum()(one, one))
    x = Input((2,))
    assert len(Sum()([x, x]).node.inputs) == 2


def test_weights_are_trainable_ones_then_the_others_layer_by_layer():
    class Pair(Layer):
        def build(self, *x):
            self.seen = self.add_weight("seen", (), lambda s, **_: torch.zeros(s), trainable=False)
            self.left, self.right = Scale(1.0), Scale(2.0)
            self.shift = self.add_weight("shift", (1,), lambda s, **_: torch.zeros(s))

        def forward(self, *x):
            return self.right(self.left(x[0])) + self.shift

    layer = Pair()
    layer(torch.ones(1, 3))
    left, right = layer.left, layer.right
    want = [layer.shift, layer.seen, left.gain, left.seen, right.gain, right.seen]
    assert list(map(id, layer.weights)) == list(map(id, want))
    assert list(map(id, layer.trainable_weights)) == [id(want[i]) for i in (0, 2, 4)]
    assert len(layer.non_trainable_weights) == 3
    assert layer.count_params() == 1 + 1 + 3 + 1 + 3 + 1
    layer.trainable = False
    assert layer.trainable_weights == []
    assert left.trainable is False


def test_a_weight_shared_by_two_layers_is_one_weight():
    class Twice(Layer):
        def build(self, *x):
            self.inner = Scale()
            self.again = self.inner

        def forward(self, *x):
            return self.again(self.inner(x[0]))

    layer = Twice()
    layer(torch.ones(1, 3))
    assert layer.count_params() == 4


def test_a_layer_made_untrainable_has_untrainable_weights():
    layer = Scale(trainable=False)
    layer(torch.ones(1, 3))
    assert layer.trainable_weights == []
    layer.trainable = True
    assert len(layer.trainable_weights) == 1


def test_weights_travel_as_arrays():
    layer, other = Scale(2.0), Scale(3.0)
    layer(torch.ones(1, 3)), other(torch.ones(1, 3))
    arrays = layer.get_weights()
    other.set_weights(arrays)
    arrays[0][:] = 9  # a copy
    assert layer.gain.tolist() == other.gain.tolist() == [2, 2, 2]


def test_copies_and_pickles_keep_fields_and_weights():
    layer = Scale(2.0, name="big")
    layer(torch.ones(1, 3))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(twin) == repr(layer)
        assert torch.equal(twin(torch.ones(1, 3)), layer(torch.ones(1, 3)))
        assert twin.gain is not layer.gain


def test_copies_and_pickles_need_no_arguments():
    for twin in (copy.copy(Must(3)), copy.deepcopy(Must(3)), pickle.loads(pickle.dumps(Must(3)))):
        assert twin(torch.ones(1, 2)).tolist() == [[3, 3]]


def test_names_are_made_from_the_type():
    words = ["MaxPooling2D", "Conv2DTranspose", "ReLU", "Dense", "GlobalAveragePooling1D"]
    assert [snake(word) for word in words] == [
        "max_pooling2d",
        "conv2d_transpose",
        "re_lu",
        "dense",
        "global_average_pooling1d",
    ]
    x = Input((3,))
    layers = [Scale(), Scale(), Scale(name="mine"), Scale()]
    for layer in layers:
        x = layer(x)
    assert [layer.name for layer in layers] == ["scale", "scale_1", "mine", "scale_2"]
    assert free_name(Scale(), layers) == "scale_3"
    assert repr(layers[0]) == "Scale()"
    assert layers[2].where == "mine (Scale)"


def test_a_call_is_recorded_with_its_line():
    x, layer = Input((3,)), Scale()
    line = inspect.currentframe().f_lineno + 1
    y = layer(x)
    assert y.node.at == f"test_layer.py:{line}"
    assert (y.node.layer, y.node.inputs, y.node.outputs) == (layer, (x,), (y,))
    assert layer.input is x
    assert layer.output is y


def test_regularizers_and_constraints_are_kept_by_weight():
    class Held(Scale):
        def build(self, *x):
            one = {"regularizer": torch.sum, "constraint": torch.relu}
            self.gain = self.add_weight("gain", (3,), lambda s, **_: torch.ones(s), **one)

    layer = Held()
    layer(torch.ones(1, 3))
    assert layer.regularizers == {"gain": torch.sum}
    assert layer.constraints == {"gain": torch.relu}


def built():
    layer = Scale(2.0, name="big")
    layer(torch.ones(1, 3))
    return layer


def change_field():
    built().start = 3.0


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: Scale(begin=2.0),
            "Scale: there is no argument 'begin'\n"
            "  need  one of start, name, trainable\n"
            "  at    test_layer.py:{line}",
        ),
        (
            lambda: Scale(strat=2.0),
            "Scale: there is no argument 'strat'\n"
            "  need  one of start, name, trainable\n"
            '  fix   did you mean "start"?\n'
            "  at    test_layer.py:{line}",
        ),
        (
            lambda: Scale(2.0, 3.0),
            "Scale: too many positional arguments\n"
            "  need  Scale(...)\n"
            "  at    test_layer.py:{line}",
        ),
        (
            lambda: [Must()],
            "Must: missing a required argument: 'size'\n"
            "  need  Must(size, ...)\n"
            "  at    test_layer.py:{line}",
        ),
        (
            lambda: Scale(name=3),
            "Scale: name=3 is not a text\n"
            "  need  a name of its own for each layer of a model\n"
            '  fix   name="scale_3"\n'
            "  at    test_layer.py:{line}",
        ),
        (
            lambda: Scale(trainable="False"),
            "Scale: trainable='False' is neither True nor False\n"
            "  fix   trainable=False\n"
            "  at    test_layer.py:{line}",
        ),
        (
            change_field,
            "big (Scale): start cannot be changed any more: the weights are made for its value\n"
            "  got   start=3.0\n"
            "  need  start=2.0\n"
            "  fix   make a new layer: Scale(start=3.0, ...)",
        ),
        (
            lambda: built().before_activation(torch.ones(1, 3)),
            "big (Scale): does not end with an activation",
        ),
        (
            lambda: Scale(name="big").set_weights([np.ones(3), np.ones(())]),
            "big (Scale): has no weights yet: its input shape is not known\n"
            "  fix   begin the model with L.Input(shape), or call model.build(shape)",
        ),
        (
            lambda: built().set_weights([np.ones(3)]),
            "big (Scale): set_weights got another number of arrays than there are weights\n"
            "  got   1 arrays\n"
            "  need  2 arrays: (3,), ()",
        ),
        (
            lambda: built().set_weights([np.ones(3), np.ones(2)]),
            "big (Scale): set_weights got an array of another shape at position 1\n"
            "  got   (2,)\n"
            "  need  ()",
        ),
        (
            lambda: built().input,
            "big (Scale): was called 0 times, so it has no one input and output\n"
            "  fix   keep the symbol that the call returns",
        ),
        (
            lambda: Scale(name="big")(Input((3,)), torch.ones(3)),
            "big (Scale): was called on symbols and other values together\n"
            "  got   Symbol, Tensor\n"
            "  need  symbols only\n"
            "  at    test_layer.py:{line}",
        ),
        (
            lambda: Slider(name="s")(Input((8, 2, 1))),
            "s (Slider): the window does not fit axis W\n"
            "  got   input (8, 2, 1), axis W = 2\n"
            "  need  W >= 3\n"
            "  math  (2 + 0 - 3) // 2 + 1 = 0\n"
            '  fix   padding="same", a smaller window, a larger input, or one pooling layer fewer\n'
            "  at    test_layer.py:{line}",
        ),
        (
            lambda: Slider()(Input((28, 28))),
            "slider (Slider): takes samples of 3 axes, not 2\n"
            "  got   input (28, 28)\n"
            "  need  (H, W, C)\n"
            "  fix   L.Reshape((28, 28, 1)) in front: the input has no channel axis\n"
            "  at    test_layer.py:{line}",
        ),
        (
            lambda: Slider().infer(Spec((28, 28), data_format="channels_first")),
            "Slider: takes samples of 3 axes, not 2\n"
            "  got   input (28, 28)\n"
            "  need  (C, H, W)\n"
            "  fix   L.Reshape((1, 28, 28)) in front: the input has no channel axis",
        ),
        (
            lambda: Slider().infer(Spec((4, 28, 28, 1))),
            "Slider: takes samples of 3 axes, not 4\n"
            "  got   input (4, 28, 28, 1)\n"
            "  need  (H, W, C)",
        ),
        (
            lambda: Slider().expect_rank(Spec((28, 28, 1)), 1),
            "Slider: takes samples of 1 axes, not 3\n"
            "  got   input (28, 28, 1)\n"
            "  need  (C)\n"
            "  fix   put L.Flatten() before it",
        ),
    ],
)
def test_messages(act, message):
    assert told(act) == message.format(line=act.__code__.co_firstlineno)


def test_numbers_of_numpy_are_numbers():
    layer = Conv2D(np.int64(4), (np.int32(3), 3), use_bias=np.bool_(False), strides=np.int16(1))
    assert layer.config() == Conv2D(4, (3, 3), use_bias=False, strides=1).config()
    assert type(layer.filters) is int
    assert Input((np.int64(8), 8, 1)).shape == (None, 8, 8, 1)
    assert Adam(np.float32(0.5)).get_config() == Adam(0.5).get_config()


def test_an_array_of_float64_is_computed_in_the_precision_of_the_weights():
    assert Dense(3)(np.zeros((2, 4))).dtype == torch.float32
