"""Functions, torch modules and networks written as code, as layers."""

from __future__ import annotations

import pytest
import torch
from cases import Case, each, told
from torch import nn
from torch.nn import functional

from striate import layers as L
from striate.core.graph import Graph
from striate.core.symbol import Input
from striate.layers.foreign import trace

FIRST = "channels_first"
CASES = [
    Case(L.Lambda, {"function": torch.square}, (4, 3), keras=False, reference=torch.square),
    Case(L.TorchModule, {"module": nn.ReLU()}, (4, 3), keras=False),
    Case(L.TorchModule, {"module": nn.Linear(3, 2)}, (3,), keras=False),
    Case(L.TorchModule, {"module": nn.Softmax(-1)}, (3,), keras=False),
    Case(
        L.TorchFunction,
        {"function": "torch.square", "args": ({"input": 0},)},
        (4, 3),
        keras=False,
        reference=torch.square,
    ),
]
MODULES = [
    nn.Conv2d(4, 6, 3, 2, 1, groups=2),
    nn.Conv2d(4, 2, (2, 3), padding="same", dilation=2),
    nn.ConvTranspose2d(4, 2, 3, 2, 1, 1),
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, 2, 1, 1),
    nn.AvgPool2d(2, 1),
    nn.AdaptiveAvgPool2d((3, None)),
    nn.BatchNorm2d(4),
    nn.Dropout(0.5),
    nn.GroupNorm(2, 4),
    nn.InstanceNorm2d(4),
    nn.InstanceNorm2d(4, track_running_stats=True),
    nn.LayerNorm([5, 7]),
    nn.RMSNorm([4, 5, 7]),
    nn.Upsample(scale_factor=2),
    nn.Upsample((15, 14)),
    nn.Upsample(scale_factor=(3, 2), mode="bilinear"),
    nn.GELU(),
    nn.Identity(),
]


@each(CASES)
def test_battery(case):
    case.check()


@pytest.mark.parametrize("module", MODULES, ids=str)
@pytest.mark.parametrize("turned", [False, True])
def test_a_torch_module_computes_and_reads_what_it_says(module, turned):
    from striate.core.spec import Spec
    from striate.testing.support import claimed, influence

    module = module.double().eval()
    spec = Spec((5, 7, 4)) if turned else Spec((4, 5, 7), data_format=FIRST)
    layer = L.TorchModule(module, data_format=FIRST)
    layer.ensure_built((spec,))
    x = torch.rand(1, *spec.shape, dtype=torch.float64) + 0.5
    own = x.movedim(-1, 1) if turned else x
    want = module(own).movedim(1, -1) if turned else module(own)
    got = layer.eval()(x)
    assert torch.equal(got, want)
    said = claimed(layer.windows(spec), spec, Spec.of(want))
    assert said is not None
    assert (influence(layer, [x], 0) <= said).all()


def test_circular_padding_is_not_stated():
    x = Input((4, 5, 7), data_format=FIRST)
    layer = L.TorchModule(nn.Conv2d(4, 2, 3, padding=1, padding_mode="circular"))
    layer(x)
    assert layer.windows(x.spec).name == "UNKNOWN"


@pytest.mark.parametrize(
    "module",
    [
        nn.Upsample(scale_factor=1.5),
        nn.Upsample(scale_factor=2, mode="bicubic"),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
    ],
    ids=str,
)
def test_an_enlargement_that_rounds_or_reads_further_is_not_stated(module):
    x = Input((4, 5, 7), data_format=FIRST)
    layer = L.TorchModule(module)
    layer(x)
    assert layer.windows(x.spec).name == "UNKNOWN"


def test_norms_and_enlargements_of_a_traced_network_are_stated():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.Upsample(scale_factor=2))
    x = Input((1, 8, 8), data_format=FIRST)
    graph = Graph((x,), trace(network, (x,)))
    said = [layer.windows(*layer.specs) for layer in graph.layers.values()]
    assert len(said) == 3
    assert all(isinstance(geometry, tuple) for geometry in said)


def test_endings():
    x = torch.rand(2, 3)
    for module, name in [(nn.Softmax(1), "softmax"), (nn.Sigmoid(), "sigmoid"), (nn.ReLU(), "")]:
        layer = L.TorchModule(module)
        layer(x)
        assert layer.activation_name == name
    assert torch.equal(L.TorchModule(nn.Sigmoid()).before_activation(x), x)
    maps = L.TorchModule(nn.Softmax(1))
    maps(torch.rand(2, 3, 4))
    assert maps.activation_name == ""


class Net(nn.Module):
    """Calls of every kind: modules, functions, methods, sizes, a weight of its own, two names."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, padding=1)
        self.own = L.Conv2D(4, 3, padding="same")
        self.relu = nn.ReLU()
        self.gain = nn.Parameter(torch.rand(4, 1, 1))
        self.parts = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
        self.last = nn.Linear(4 * 9, 5)

    def forward(self, x, more=None):
        if more is not None:
            x = x + more
        y = self.relu(self.first(x))
        y = functional.max_pool2d(y + self.second(y) * self.gain, 2)
        a, b = torch.chunk(y, 2, 1)
        y = self.relu(self.own(torch.cat([b, a], 1)))
        y = functional.dropout(self.parts(y), 0.5, training=self.training)
        y = functional.adaptive_avg_pool2d(y, 3)
        batch, channels = y.shape[0], y.size(1)
        return torch.softmax(self.last(y.view(batch, channels * 9)), dim=1)


def follow(module, *inputs):
    return Graph(inputs, trace(module, inputs))


def run(graph, *x):
    with torch.no_grad():
        return graph.run(x, lambda node, values: node.layer(*values))


def test_code_becomes_a_graph_of_the_same_values():
    net, x = Net(), Input((1, 20, 20), data_format=FIRST)
    graph = follow(net, x)
    assert list(graph.layers) == [
        "first", "relu", "second", "mul", "add", "max_pool2d", "chunk", "cat", "own", "parts.0",
        "parts.1", "dropout", "adaptive_avg_pool2d", "view", "last", "softmax",
    ]  # fmt: skip
    assert sum(node.layer.name == "relu" for node in graph.nodes) == 2
    assert graph.outputs[0].shape == (None, 5)
    assert graph.nodes[-1].layer.activation_name == "softmax"
    net.eval()
    for layer in graph.layers.values():
        layer.eval()
    for batch in (1, 7):
        images = torch.rand(batch, 1, 20, 20)
        assert torch.equal(run(graph, images)[0], net(images))
    assert {id(w) for layer in graph.layers.values() for w in layer.parameters()} == {
        id(w) for w in net.parameters()
    }


def test_dropout_follows_the_mode_of_its_network():
    net = Net().eval()
    layer = follow(net, Input((1, 20, 20), data_format=FIRST)).layers["dropout"]
    x = torch.ones(2, 4, 9, 9)
    assert torch.equal(layer(x), x)
    net.train()
    assert not torch.equal(layer(x), x)


def test_dropout_made_again_from_its_fields_follows_its_own_mode():
    layer = follow(Net(), Input((1, 20, 20), data_format=FIRST)).layers["dropout"]
    again = type(layer)(**layer.config())
    x = torch.ones(2, 4, 9, 9)
    assert torch.equal(again.eval()(x), x)
    assert not torch.equal(again.train()(x), x)


def test_statistics_of_batches_are_no_obstacle_and_stay_as_they_are():
    norm = nn.BatchNorm1d(4)
    layer = L.TorchModule(norm)
    y = layer(Input((4,)))
    assert layer.macs(y.spec, y.spec) == 0
    assert norm.training
    assert int(norm.num_batches_tracked) == 0


def test_unknown_sizes_stay_unknown():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.last = nn.Conv2d(1, 3, 3), nn.Linear(3, 2)

        def forward(self, x):
            return self.last(self.conv(x).mean((2, 3)).view(x.size(0), -1))

    graph = follow(Plain(), Input((1, None, 9), data_format=FIRST))
    assert graph.nodes[0].outputs[0].shape == (None, 3, None, 7)
    assert graph.outputs[0].shape == (None, 2)


def test_what_functions_read():
    class Moves(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("order", torch.tensor([2, 0]))

        def forward(self, x):
            y = x.flatten(1)[:, :12].view(-1, 12, 1).squeeze().reshape(-1, 4, 3)
            return torch.sigmoid(y[:, self.order].sum(1))

    net = Moves()
    graph = follow(net, Input((4, 5)))
    said = {name: layer.windows(*layer.specs) for name, layer in graph.layers.items()}
    assert {name: word.name for name, word in said.items()} == {
        "flatten": "MOVES",
        "getitem": "MOVES",
        "view": "MOVES",
        "squeeze": "MOVES",
        "reshape": "MOVES",
        "getitem_1": "UNKNOWN",
        "sum_1": "UNKNOWN",
        "sigmoid": "POINTWISE",
    }
    assert graph.nodes[-1].layer.activation_name == "sigmoid"
    x = torch.rand(6, 4, 5)
    assert torch.equal(run(graph, x)[0], net(x).detach())


def test_what_cannot_be_followed_is_one_node():
    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = [L.Dense(3)]

        def forward(self, x):
            return self.dense[0](x if x.sum() > 0 else -x)

    net = Branches()
    graph = follow(net, Input((4,)))
    assert list(graph.layers) == ["opaque"]
    assert graph.outputs[0].shape == (None, 3)
    x = torch.rand(5, 4)
    assert torch.equal(run(graph, x)[0], net(x).detach())


def test_messages():
    assert told(lambda: L.Lambda(3)) == (
        "Lambda: function=3 cannot be called\n  need  a function of tensors\n"
        "  fix   L.Lambda(lambda x: x * 2)"
    )
    assert told(lambda: L.TorchModule(3)) == (
        "TorchModule: 3 is not a torch.nn.Module\n  fix   L.TorchModule(torch.nn.ReLU())"
    )
    x = Input((5,))
    error = told(lambda: L.TorchModule(nn.Linear(4, 3))(x)).splitlines()
    assert error[:5] == [
        "torch_module (TorchModule): cannot take an input of this shape",
        "  got   input (5,)",
        "  need  4 on the last axis",
        "  math  a and b must have same reduction dim, but got [2, 5] X [4, 3].",
        "  fix   nn.Linear(5, 3)",
    ]
    assert error[5].startswith("  at    test_foreign.py:")


def test_code_that_does_not_take_the_shape():
    error = told(lambda: trace(nn.Sequential(nn.Linear(4, 3)), (Input((5,)),))).splitlines()
    assert error[0] == "0 (TorchModule): cannot take an input of this shape"

    class Bad(nn.Module):
        def forward(self, x):
            if x.shape[1] == 5 and x.sum() == 0:
                raise RuntimeError("five is too many")
            return x

    error = told(lambda: trace(Bad(), (Input((5,)),))).splitlines()
    assert error[:4] == [
        "opaque (Opaque): cannot take an input of this shape",
        "  got   input (5,)",
        "  need  code that runs on a batch of such samples",
        "  math  five is too many",
    ]
