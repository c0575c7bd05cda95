"""A program computes what the model computes: in inference, in training, and its gradients."""

import copy
import dataclasses
import random

import pytest
import torch
from cases import each, every
from torch import nn

import striate as st
from striate import layers as L
from striate.core.graph import Graph
from striate.core.layer import Layer
from striate.core.operation import (
    BatchNorm,
    Correlate,
    Drop,
    GlobalPool,
    Linear,
    Opaque,
    Permute,
    Pointwise,
    Pool,
    Reshape,
)
from striate.core.spec import Spec
from striate.core.symbol import Input
from striate.core.window import Window
from striate.errors import StriateError
from striate.lower.reference import compute
from striate.lower.trace import Value, answer, reference, trace

FIRST = "channels_first"
# Layers that are no chain of operations, whatever their arguments are in the cases.
OPAQUE = {
    *("AdditiveAttention", "Attention", "MultiHeadAttention", "Embedding", "Masking"),
    *("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed"),
    *(f"Adaptive{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3)),
    "Arithmetic",
    "Dot",
    "GroupNormalization",
    "L2Pooling1D",
    "L2Pooling2D",
    "L2Pooling3D",
    "Lambda",
    "LpPooling1D",
    "LpPooling2D",
    "LpPooling3D",
    "PReLU",
    "RMSNormalization",
    "Resizing",
    "TorchFunction",
    "UnitNormalization",
}
OPAQUE_IN_TRAINING = {
    "AlphaDropout",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
}


def batch(spec, size=3):
    """Random values of a spec, in the layout of the user."""
    sizes = (size, *(5 if n is None else n for n in spec.shape))
    dtype = getattr(torch, spec.dtype)
    if not dtype.is_floating_point:
        return torch.randint(0, 200, sizes).to(dtype)
    return torch.randn(sizes, dtype=torch.float64).to(dtype)


def scatter(module):
    """Move weights and statistics off their first values."""
    with torch.no_grad():
        for weight in (*module.parameters(), *module.buffers()):
            if weight.is_floating_point():
                weight.uniform_(0.2, 0.9)


def built(layer, *specs):
    """A graph of one call."""
    inputs = [Input(spec.shape, spec.dtype, data_format=spec.data_format) for spec in specs]
    out = layer(*inputs)
    scatter(layer)
    return Graph(inputs, out if isinstance(out, tuple) else (out,))


def operations(program):
    return [step.operation for step in program.steps]


def is_opaque(program):
    return any(isinstance(step.operation, Opaque) for step in program.steps)


def state(module):
    """Weights and statistics; the batches that torch counts change no value."""
    return {k: v for k, v in module.state_dict().items() if "num_batches" not in k}


def close(got, want, tolerance=1e-6):
    assert got.dtype == want.dtype
    torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


def compare(graph, module, x, training):
    """Run the program and, on a copy, the module; compare values, gradients and statistics."""
    module.train(training)
    twin = copy.deepcopy(module)
    specs = [
        dataclasses.replace(symbol.spec, dtype=Spec.of(one).dtype)
        for symbol, one in zip(graph.inputs, x, strict=True)
    ]
    program = trace(graph, training, specs)
    runs = []
    for run, owner in ((lambda *x: reference(program, *x), module), (twin, twin)):
        given = [one.clone().requires_grad_(one.is_floating_point()) for one in x]
        out = run(*given)
        outputs = out if isinstance(out, tuple) else (out,)
        torch.manual_seed(1)
        total = sum((y.double() * torch.randn(y.shape)).sum() for y in outputs)
        leaves = [one for one in (*given, *owner.parameters()) if one.requires_grad]
        gradients = []
        if leaves and total.requires_grad:
            gradients = torch.autograd.grad(total, leaves, allow_unused=True)
        runs.append((outputs, gradients))
    for pair in zip(*(run[0] for run in runs), strict=True):
        close(*pair)
    for one, other in zip(*(run[1] for run in runs), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            close(one, other, 1e-5)
    for one, other in zip(state(module).values(), state(twin).values(), strict=True):
        close(one, other)
    return program


# ---- every layer ---------------------------------------------------------------------------------


@each(list(every().values()))
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_the_program_of_a_layer_computes_what_the_layer_does(case, training):
    layer = case.make()
    graph = built(layer, *case.specs)
    if not (case.random and training):
        x = [(case.domain or (lambda x: x))(batch(spec)) for spec in case.specs]
        compare(graph, layer, x, training)
    program = trace(graph, training)
    known = {at: batch(Spec(program.values[at].shape)) for at in program.inputs}
    for step in program.steps if not is_opaque(program) else []:
        known[step.output] = compute(step.operation, [known[at] for at in step.inputs], step.weight)
        assert len(known[step.output]) == 3
        for size, said in zip(
            known[step.output].shape[1:], program.values[step.output].shape, strict=True
        ):
            assert said in (size, None)
    for step in program.steps:
        assert step.layer is layer
        assert step.name == layer.name


def spoken(training):
    """Names of the layers that some case has operations for, and of those that none has."""
    some, none = set(), set()
    for case in every().values():
        layer = case.make()
        program = trace(built(layer, *case.specs), training)
        (none if is_opaque(program) else some).add(type(layer).__name__)
    return some, none - some


def test_the_layers_that_are_no_chain_of_operations_are_these():
    public = {
        name
        for name in L.__all__
        if isinstance(getattr(L, name), type) and getattr(L, name) is not Layer
    }
    some, none = spoken(training=False)
    assert (some | none) & public == public
    assert none & public == OPAQUE
    some, none = spoken(training=True)
    assert none & public == OPAQUE | OPAQUE_IN_TRAINING


# ---- random networks -----------------------------------------------------------------------------


def random_layer(dice, rank, flat):
    """A layer for samples of `rank` spatial axes, or for vectors."""
    word = dice.choice(["relu", "tanh", "softmax", "leaky_relu", "elu", None])
    if flat:
        return dice.choice(
            [
                lambda: L.Dense(dice.randint(1, 5), activation=word),
                L.BatchNormalization,
                L.LayerNormalization,
                lambda: L.Reshape((-1, 1)),
                lambda: L.RepeatVector(2),
            ]
        )()
    size, stride = dice.randint(1, 3), dice.randint(1, 2)
    padding = dice.choice(["valid", "same", 1])
    kinds = [
        lambda: named("Conv{}D", rank)(dice.choice([2, 4]), size, stride, padding, activation=word),
        lambda: named("Conv{}D", rank)(2, 2, dilation_rate=2, use_bias=False),
        lambda: named("Conv{}DTranspose", rank)(3, size, stride, "same", activation=word),
        lambda: named("MaxPooling{}D", rank)(2, stride, dice.choice(["valid", "same"])),
        lambda: named("AveragePooling{}D", rank)(3, stride, "same"),
        lambda: named("ZeroPadding{}D", rank)(1),
        lambda: named("Cropping{}D", rank)(1),
        lambda: named("UpSampling{}D", rank)(2),
        lambda: named("SpatialDropout{}D", rank)(0.0),
        lambda: named("GlobalAveragePooling{}D", rank)(keepdims=dice.random() < 0.5),
        named("GlobalMaxPooling{}D", rank),
        lambda: named("L2Pooling{}D", rank)(2),
        lambda: L.BatchNormalization(axis=dice.choice([-1, 1])),
        L.LayerNormalization,
        lambda: L.Activation(word),
        lambda: L.ReLU(dice.choice([None, 1.0]), dice.choice([0.0, 0.1]), dice.choice([0.0, 0.2])),
        lambda: L.Softmax(axis=1),
        lambda: L.Dense(3, activation=word),
        lambda: L.Permute(tuple(dice.sample(range(1, rank + 2), rank + 1))),
        lambda: L.Rescaling(0.5, 0.1),
        L.Flatten,
    ]
    if rank < 3:
        kinds += [
            lambda: named("DepthwiseConv{}D", rank)(size, stride, padding, activation=word),
            lambda: named("SeparableConv{}D", rank)(2, size, stride, padding, activation=word),
        ]
    return dice.choice(kinds)()


def named(form, rank):
    return getattr(L, form.format(rank))


def random_network(dice):
    """Layers after each other, forks that join again, shared layers and models in models."""
    rank = dice.choice([1, 2, 2, 2, 3])
    sizes, channels = [dice.randint(4, 7) for _ in range(rank)], dice.choice([2, 3, 4])
    layout = dice.choice(["channels_last", FIRST])
    shape = (*sizes, channels) if layout == "channels_last" else (channels, *sizes)
    x = y = Input(shape, data_format=layout)
    for _ in range(dice.randint(1, 7)):
        try:
            y = random_part(dice, y)
        except StriateError:
            continue
    return st.Model(x, y)


def random_part(dice, x):
    """The output of a random part of a network on `x`."""
    rank = len(x.spec.shape) - 1
    layer = random_layer(dice, rank, flat=rank == 0)
    kind = dice.choice(["plain", "plain", "plain", "fork", "shared", "nested"])
    if kind == "fork":
        one = layer(x)
        other = dice.choice([lambda y: y, L.Activation("tanh")])(one)
        merge = dice.choice([L.Add, L.Multiply, L.Average, L.Subtract, L.Maximum, L.Concatenate])
        return merge()(one, other)
    if kind == "shared":
        return L.Add()(layer(x), layer(L.Activation("tanh")(x)))
    if kind == "nested":
        inner = Input(x.spec.shape, data_format=x.spec.data_format)
        return st.Model(inner, L.Activation("relu")(layer(inner)))(x)
    return layer(x)


@pytest.mark.parametrize("start", range(0, 300, 20))
def test_the_program_of_a_random_network_computes_what_it_does(start):
    for number in range(start, start + 20):
        dice = random.Random(number)
        torch.manual_seed(number)
        model = random_network(dice).double()
        if not model.graph.nodes:
            continue
        scatter(model)
        x = batch(Spec(model.inputs[0].spec.shape, "float64"))
        for training in (False, True):
            program = compare(model.graph, model, [x], training)
            names = dict(model.named_parameters())
            for step in program.steps:
                for name, weight in step.layer.named_parameters():
                    assert names[f"{step.name}.{name}"] is weight


# ---- modules of torch ----------------------------------------------------------------------------

MODULES = [
    nn.Conv2d(4, 6, 3, 2, 1, groups=2),
    nn.Conv2d(4, 2, (2, 3), padding="same", dilation=2, bias=False),
    nn.ConvTranspose2d(4, 2, 3, 2, 1, 1),
    nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2, dilation=2),
    nn.MaxPool2d(3, 2, 1),
    nn.MaxPool2d(3, 2, 1, 2),
    nn.AvgPool2d(3, 2, 1),
    nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    nn.AdaptiveAvgPool2d(1),
    nn.AdaptiveAvgPool2d((2, None)),
    nn.AdaptiveMaxPool2d((2, 3)),
    nn.BatchNorm2d(4),
    nn.BatchNorm2d(4, affine=False, momentum=0.3),
    nn.LayerNorm(6),
    nn.Linear(6, 3),
    *(nn.MaxPool2d(4, 3, ceil_mode=True), nn.MaxPool2d(2, 3, 1, ceil_mode=True)),
    nn.Flatten(),
    nn.Identity(),
    nn.Softmax(1),
    nn.Softmax(-1),
    nn.LogSoftmax(2),
    nn.Upsample(scale_factor=2),
    nn.ZeroPad2d((1, 2, 0, 3)),
    *(nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.1), nn.ELU(0.3), nn.SELU(), nn.SiLU(), nn.Mish()),
    *(nn.GELU(), nn.GELU("tanh"), nn.Sigmoid(), nn.LogSigmoid(), nn.Tanh(), nn.Softplus()),
    *(nn.Softsign(), nn.Hardsigmoid(), nn.Hardswish(), nn.Hardtanh(), nn.Threshold(0.2, 0)),
]
OPAQUE_MODULES = [
    nn.PReLU(),
    nn.BatchNorm2d(4, track_running_stats=False),
    nn.Flatten(2),
    nn.AdaptiveAvgPool2d(4),
    nn.AvgPool2d(2, divisor_override=3),
    nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"),
    nn.Upsample(scale_factor=1.5),
    nn.Upsample(scale_factor=2, mode="bilinear"),
    nn.LayerNorm((6, 6)),
    nn.Softplus(2.0),
    nn.Threshold(0.2, 1.0),
    nn.Hardtanh(-2, 2),
]
LOOKS = [("", FIRST), (FIRST, "channels_last"), ("", "channels_last")]


@pytest.mark.parametrize("module", MODULES, ids=str)
@pytest.mark.parametrize(("inside", "layout"), LOOKS)
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_a_module_of_torch_says_what_it_computes(module, inside, layout, training):
    layer = L.TorchModule(copy.deepcopy(module), data_format=inside or None)
    spec = Spec((6, 6, 4) if inside else (4, 6, 6), data_format=layout)
    program = compare(built(layer, spec), layer, [batch(spec)], training)
    assert not is_opaque(program)


@pytest.mark.parametrize("module", OPAQUE_MODULES, ids=str)
def test_a_module_of_torch_that_is_none_of_the_operations_says_nothing(module):
    layer = L.TorchModule(copy.deepcopy(module))
    spec = Spec((4, 6, 6), data_format=FIRST)
    program = compare(built(layer, spec), layer, [batch(spec)], training=False)
    assert operations(program) == [Opaque()]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        y = torch.relu(self.norm(self.conv(x)))
        return self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(y, 1), 1))


@pytest.mark.parametrize("training", [False, True])
def test_a_network_of_torch_becomes_a_program(training):
    model = st.Model.from_torch(Block(), (3, 8, 8))
    scatter(model)
    program = compare(model.graph, model, [torch.randn(5, 3, 8, 8)], training)
    kinds = [type(operation) for operation in operations(program)]
    assert kinds[:2] == [Correlate, BatchNorm]
    assert kinds[-1] is Linear
    assert program.steps[0].weight("module.weight") is model.module.conv.weight


class Called(nn.Module):
    """A network of one line."""

    def __init__(self, line):
        super().__init__()
        self.line = line

    def forward(self, x):
        return self.line(x, self.training)


F = nn.functional
CALLS = {
    "relu": lambda x, training: F.relu(x),
    "relu in place": lambda x, training: F.relu(x + x.tanh(), inplace=True),
    "a method": lambda x, training: x.sigmoid(),
    "leaky relu": lambda x, training: F.leaky_relu(x, 0.3),
    "elu": lambda x, training: F.elu(x, alpha=0.3),
    "gelu": lambda x, training: F.gelu(x, approximate="tanh"),
    "softmax of channels": lambda x, training: F.softmax(x, dim=1),
    "log softmax": lambda x, training: torch.log_softmax(x, -1),
    "flatten": lambda x, training: torch.flatten(x, 1),
    "view": lambda x, training: x.view(x.size(0), -1),
    "view to maps": lambda x, training: x.view(x.size(0), 2, -1, 3),
    "reshape": lambda x, training: x.reshape(-1, 4 * 6 * 5),
    "sum": lambda x, training: torch.relu(x) + torch.tanh(x),
    "difference": lambda x, training: torch.sub(torch.relu(x), torch.tanh(x)),
    "the other way round": lambda x, training: (lambda a, b: b - a)(x.relu(), x.tanh()),
    "product": lambda x, training: torch.relu(x) * torch.tanh(x),
    "maximum": lambda x, training: torch.maximum(torch.relu(x), torch.tanh(x)),
    "squeezed": lambda x, training: x * x.mean((2, 3), keepdim=True),
    "mean": lambda x, training: x.mean([-1, -2]),
    "cat": lambda x, training: torch.cat([torch.relu(x), torch.tanh(x)], 1),
    "cat of columns": lambda x, training: torch.cat((torch.relu(x), torch.tanh(x)), dim=-1),
    "dropout": lambda x, training: F.dropout(x, 0.0, training=training),
    "pool": lambda x, training: F.max_pool2d(x, 2),
}
OPAQUE_CALLS = {
    "twice the same": lambda x, training: x + x,
    "a number": lambda x, training: x * 2.0,
    "weighted": lambda x, training: torch.add(x.relu(), x.tanh(), alpha=2),
    "flatten some": lambda x, training: torch.flatten(x, 2),
    "mean of channels": lambda x, training: x.mean(1),
    "mean of rows": lambda x, training: x.mean((2,)),
    "in another type": lambda x, training: F.softmax(x, dim=1, dtype=torch.float64),
    "square": lambda x, training: x.square(),
}


@pytest.mark.parametrize("line", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("layout", [FIRST, "channels_last"])
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_a_call_of_torch_says_what_it_computes(line, layout, training):
    model = st.Model.from_torch(Called(line), (4, 6, 5), data_format=layout)
    program = compare(model.graph, model, [torch.randn(3, 4, 6, 5)], training)
    assert not is_opaque(program) or (layout != FIRST and "mean" in line.__code__.co_names)


@pytest.mark.parametrize("line", OPAQUE_CALLS.values(), ids=OPAQUE_CALLS)
def test_a_call_of_torch_that_is_none_of_the_operations_says_nothing(line):
    model = st.Model.from_torch(Called(line), (4, 6, 5))
    program = compare(model.graph, model, [torch.randn(3, 4, 6, 5)], training=False)
    assert is_opaque(program)


@torch.fx.wrap
def relu(x):
    return x + 1


def test_a_function_that_only_has_the_name_of_one_of_torchs_is_not_taken_for_it():
    model = st.Model.from_torch(Called(lambda x, training: relu(x)), (4, 6, 5))
    program = compare(model.graph, model, [torch.randn(3, 4, 6, 5)], training=False)
    assert operations(program) == [Opaque()]


# ---- what a program says -------------------------------------------------------------------------


def test_a_program_names_values_layers_and_weights():
    model = st.Sequential(
        [
            L.Input((8, 8, 1), "uint8"),
            L.Rescaling(1 / 255, name="scale"),
            L.Conv2D(4, 3, activation="relu", name="conv"),
            L.MaxPooling2D(2, name="pool"),
            L.Dropout(0.5, name="drop"),
            L.Flatten(name="flat"),
            L.Dense(3, activation="softmax", name="head"),
        ]
    )
    program = trace(model.graph)
    names = [step.name for step in program.steps]
    assert names == ["scale", "conv", "conv", "pool", "flat", "head", "head"]
    assert operations(program)[1:] == [
        Correlate(model.get_layer("conv").windows(Spec((8, 8, 1)))[:-1], 1, "kernel", "bias"),
        Pointwise("relu"),
        Pool("max", model.get_layer("pool").windows(Spec((6, 6, 4)))[:-1]),
        Reshape((-1,)),
        Linear("kernel", "bias"),
        Pointwise("softmax"),
    ]
    assert [(v.shape, v.dtype) for v in program.values] == [
        ((8, 8, 1), "uint8"),
        ((8, 8, 1), "float32"),
        ((6, 6, 4), "float32"),
        ((6, 6, 4), "float32"),
        ((3, 3, 4), "float32"),
        ((36,), "float32"),
        ((3,), "float32"),
        ((3,), "float32"),
    ]
    assert program.inputs == (0,)
    assert program.outputs == (7,)
    assert program.steps[1].weight("kernel") is model.get_layer("conv").kernel
    assert program.steps[2].weight("") is None
    assert Drop(0.5) in operations(trace(model.graph, training=True))


def test_what_does_nothing_vanishes():
    x = Input((4, 4, 2))
    y = L.RandomFlip()(L.GaussianNoise(0.1)(L.Dropout(0.5)(L.Activation(None)(x))))
    program = trace(Graph([x], [y]))
    assert program.steps == []
    assert program.inputs == program.outputs == (0,)


def test_a_frozen_normalisation_uses_its_moving_values_in_training():
    layer = L.BatchNormalization(trainable=False)
    graph = built(layer, Spec((4, 3)))
    (norm,) = operations(trace(graph, training=True))
    assert norm.frozen
    layer.trainable = True
    (norm,) = operations(trace(graph, training=True))
    assert not norm.frozen


def test_a_channels_first_network_is_flattened_in_the_users_order():
    x = L.Input((3, 4, 5), data_format=FIRST)
    program = trace(Graph([x], [L.Flatten()(L.ReLU()(x))]))
    assert operations(program)[1:] == [Permute((2, 0, 1)), Reshape((-1,))]
    assert program.values[0] == Value((4, 5, 3), channels_first=True)
    assert program.values[2] == Value((3, 4, 5))


def test_an_input_that_is_only_reshaped_is_taken_in_the_users_order():
    x = L.Input((3, 4, 5), data_format=FIRST)
    flat = L.Flatten()(x)
    program = trace(Graph([x], [flat]))
    assert operations(program) == [Reshape((-1,))]
    assert program.values[0] == Value((3, 4, 5))
    images = torch.arange(60.0).reshape(1, 3, 4, 5)
    assert torch.equal(program.values[0].from_user(images), images)
    other = trace(Graph([x], [flat, L.ReLU()(x)]))
    assert other.values[0] == Value((4, 5, 3), channels_first=True)
    assert Permute((2, 0, 1)) in operations(other)


def test_a_layer_that_works_in_the_other_layout_turns_its_input():
    layer = L.Conv2D(2, 3, data_format=FIRST)
    spec = Spec((4, 6, 5))
    program = compare(built(layer, spec), layer, [batch(spec)], training=False)
    assert operations(program)[0] == Permute((1, 2, 0))
    assert program.values[-1] == Value((4, 3, 2), channels_first=True)


def test_an_opaque_layer_may_have_several_outputs():
    layer = L.Lambda(lambda x: (x + 1, x * 2))
    spec = Spec((3, 4, 5), data_format=FIRST)
    program = compare(built(layer, spec), layer, [batch(spec)], training=False)
    (step,) = program.steps
    assert step.outputs == program.outputs == (1, 2)
    assert program.values[2] == Value((4, 5, 3), channels_first=True)


def test_sizes_that_the_graph_leaves_open_may_be_given():
    layer = L.Conv2D(2, 3, 2, "same")
    graph = built(layer, Spec((None, None, 1)))
    assert operations(trace(graph)) == [Opaque()]
    program = trace(graph, specs=[Spec((7, 8, 1))])
    assert program.values[-1] == Value((4, 4, 2))
    x = torch.randn(2, 7, 8, 1)
    close(reference(program, x)[0], layer(x))


@pytest.mark.parametrize(("kind", "words"), [("Average", "average"), ("Max", "max")])
def test_adaptive_pooling_is_pooling_where_the_sizes_divide(kind, words):
    layer = getattr(L, f"Adaptive{kind}Pooling2D")((2, 3))
    spec = Spec((4, 9, 2))
    program = compare(built(layer, spec), layer, [batch(spec)], training=False)
    assert operations(program) == [Pool(words, (Window(2, 2), Window(3, 3)))]
    assert operations(trace(built(layer, spec), specs=[Spec((4, 8, 2))])) == [Opaque()]


def test_adaptive_averages_of_everything_are_global():
    layer = L.AdaptiveAveragePooling2D(1)
    program = trace(built(layer, Spec((None, None, 2))))
    assert operations(program) == [GlobalPool("average", keepdims=True)]


def test_unknown_sizes_stay_unknown():
    program = trace(built(L.Flatten(), Spec((None, 4, 2), data_format=FIRST)))
    assert [value.shape for value in program.values] == [(None, 4, 2), (None, 4, 2), (None,)]


# ---- whose word counts ---------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [L.GaussianNoise(0.1), L.GaussianDropout(0.1)], ids=str)
def test_noise_is_opaque_only_where_there_is_some(layer):
    graph = built(layer, Spec((4, 3)))
    assert operations(trace(graph, training=True)) == [Opaque()]
    assert operations(trace(graph)) == []


def test_dropout_says_what_it_draws_once():
    spec = Spec((4, 5, 3), data_format=FIRST)
    cases = {
        L.Dropout(0.5): [Drop(0.5)],
        L.Dropout(0.5, seed=3): [Drop(0.5, seed=3)],
        L.Dropout(0.5, noise_shape=(None, 4, 1, 1)): [Drop(0.5, shared=(0, 1))],
        L.Dropout(0.5, noise_shape=(None, 1, 5, 3)): [Drop(0.5, shared=(2,))],
        L.Dropout(0.5, noise_shape=(1, 4, 5, 3)): [Opaque()],
        L.SpatialDropout2D(0.5): [Drop(0.5, shared=(0, 1))],
        L.SpatialDropout2D(0.5, data_format="channels_last"): [Drop(0.5, shared=(0, 2))],
    }
    for layer, said in cases.items():
        assert operations(trace(built(layer, spec), training=True)) == said


def test_dropping_keeps_the_mean_and_drops_shared_axes_together():
    program = trace(built(L.SpatialDropout2D(0.25), Spec((4, 5, 50))), training=True)
    (y,) = reference(program, torch.ones(40, 4, 5, 50))
    assert y.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (y == y[:, :1, :1]).all()
    assert y[:, 0, 0].mean() == pytest.approx(1, abs=0.05)


class Doubled(L.Conv2D):
    def before_activation(self, *x):
        return 2 * super().before_activation(*x)


class Renamed(L.Conv2D):
    """Changes nothing."""


@pytest.mark.parametrize(("kind", "kernels"), [(Doubled, 0), (Renamed, 1)])
def test_a_subclass_that_computes_something_else_is_not_taken_for_its_parent(kind, kernels):
    layer, spec = kind(2, 3), Spec((5, 5, 1))
    program = compare(built(layer, spec), layer, [batch(spec)], training=False)
    assert [isinstance(one, Correlate) for one in operations(program)].count(True) == kernels


def test_a_hook_still_sees_the_tensors():
    layer, spec, seen = L.Conv2D(2, 3), Spec((5, 5, 1)), []
    graph = built(layer, spec)
    handle = layer.register_forward_hook(lambda _, x, y: seen.append(y.shape))
    reference(trace(graph), batch(spec))
    assert seen == [(3, 3, 3, 2)]
    handle.remove()
    assert not is_opaque(trace(graph))
    layer.register_full_backward_hook(lambda *_: None)
    assert is_opaque(trace(graph))


def test_a_hook_of_a_nested_model_or_of_a_module_still_sees_the_tensors():
    inner, seen = st.Sequential([L.Input((4,)), L.Dense(3)]), []
    linear = nn.Linear(3, 2)
    model = st.Sequential([L.Input((4,)), inner, L.TorchModule(linear)])
    for one in (inner, linear):
        one.register_forward_hook(lambda _, x, y: seen.append(tuple(y.shape)))
    program = trace(model.graph)
    assert operations(program) == [Opaque(), Opaque()]
    seen.clear()  # sizes are found by running modules on no data
    reference(program, torch.zeros(2, 4))
    assert seen == [(2, 3), (2, 2)]


def test_a_weight_made_from_others_is_made_at_each_call():
    layer, spec = L.Dense(3), Spec((4,))
    graph = built(layer, spec)
    nn.utils.parametrizations.weight_norm(layer, "kernel")
    assert answer(layer, [spec], training=False) is None
    x = batch(spec)
    close(reference(trace(graph), x)[0], layer(x))


def test_a_function_of_the_users_own_is_run_as_it_is():
    layer, spec = L.Dense(3, activation=torch.sin), Spec((4,))
    assert operations(trace(built(layer, spec))) == [Opaque()]


def test_a_layer_may_be_the_activation_of_another():
    layer, spec = L.Activation(L.ReLU(max_value=1.0)), Spec((4, 4, 2))
    program = compare(built(layer, spec), layer, [batch(spec)], training=False)
    assert operations(program) == [Pointwise("relu", (1.0, 0.0, 0.0))]
