"""The arithmetic of units: it comes to what the model computes, for every kind of layer."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
import torch
from cases import every, told
from torch import nn

import striate as st
from striate import layers as L
from striate.core.symbol import Input
from striate.inspect import unit
from striate.inspect.unit import close
from striate.model import Model, Sequential

CASES = {
    name: case
    for name, case in every().items()
    if all(None not in spec.shape for spec in case.specs)
}


def network(case, seed):
    """Return a model of one layer with positive random weights, and inputs for it."""
    torch.manual_seed(seed)
    layer = case.make()
    symbols = [Input(s.shape, s.dtype, data_format=s.data_format) for s in case.specs]
    model = Model(symbols, layer(*symbols))
    with torch.no_grad():
        for weight in model.weights:
            if weight.is_floating_point():
                weight.copy_(torch.rand_like(weight) * 0.9 + 0.05)
    given = []
    for spec in case.specs:
        value = torch.randn(spec.shape)
        value = case.domain(value) if case.domain else value
        value = torch.randint(0, 255, spec.shape) if "int" in spec.dtype else value
        given.append(value.numpy())
    return model, layer, tuple(given)


def printed(line, **names):
    """Return the number that a line of Python prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(line, dict(names))
    return float(out.getvalue())


def check(case, units, rng):
    model, layer, given = network(case, int(rng.integers(1 << 30)))
    shape = layer.calls[0].outputs[0].spec.shape
    for _ in range(units):
        found = unit(model, given, layer.name, [int(rng.integers(size)) for size in shape])
        assert found.agrees, (found.value, str(found))
        line = printed(found.python, model=model, x=given)
        assert close(line, found.value, found.stages)
        for part in (part for stage in found.stages for part in stage.parts if part.axes):
            if part.input >= 0 and part.padding is None:  # the cells are those of the input
                own = given[part.input][np.ix_(*part.axes)]
                assert np.allclose(np.sort(part.x.flatten()), np.sort(own.flatten()))


@pytest.mark.parametrize("case", CASES.values(), ids=str)
def test_the_total_is_the_activation(case):
    check(case, 2, np.random.default_rng(0))


@pytest.mark.slow
def test_the_total_is_the_activation_of_ten_thousand_units():
    rng = np.random.default_rng(1)
    for _ in range(-(-10_000 // (10 * len(CASES)))):
        for case in CASES.values():
            check(case, 10, rng)


CODE_ONLY = {
    "Lambda", "TorchFunction", "Arithmetic", "Dot", "TimeDistributed",
    "SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional",
    "SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells",
    "Attention", "AdditiveAttention", "MultiHeadAttention",
}  # fmt: skip


def test_only_code_without_words_is_told_by_its_reads():
    rng = np.random.default_rng(2)
    for case in CASES.values():
        model, layer, given = network(case, 0)
        shape = layer.calls[0].outputs[0].spec.shape
        found = unit(model, given, layer.name, [int(rng.integers(size)) for size in shape])
        assert found.stages[-1].kind != "own code" or type(layer).__name__ in CODE_ONLY


def lenet():
    return Sequential(
        [
            L.Input((10, 9, 2)),
            L.Rescaling(1 / 255),
            L.Conv2D(4, 3, padding="same", name="conv"),
            L.BatchNormalization(name="norm"),
            L.Activation("relu", name="act"),
            L.MaxPooling2D(2, name="pool"),
            L.Flatten(name="flat"),
            L.Dense(10, activation="softmax", name="dense"),
        ]
    )


def image():
    return np.random.default_rng(0).integers(0, 255, (10, 9, 2)).astype("uint8")


def test_an_embedding_is_the_row_of_its_table():
    numbers = np.array([3, 0, 19, 7])
    model = Sequential([L.Input((4,), dtype="int64"), L.Embedding(20, 5, name="table")])
    found = unit(model, numbers, "table", (2, 1))
    (stage,) = found.stages
    number, row = stage.parts
    assert number.axes == ((2,),) and number.x.tolist() == [19]
    assert row.name == "row 19 of 20"
    assert row.x.tolist() == model.get_layer("table").embeddings[19].tolist()
    assert found.total == found.value == row.x[1] and found.agrees
    assert str(stage).startswith("a row of the table: row 19, place 1 = ")
    assert printed(found.python) == pytest.approx(found.value, rel=1e-8)


def test_a_convolution_is_patches_kernels_products_and_sums():
    model, x = lenet(), image()
    found = unit(model, x, "conv", (0, 3, 1))
    total, bias = found.stages
    assert (total.kind, bias.kind) == ("sum", "bias") and len(total.parts) == 2
    first = total.parts[0]
    assert first.name == "channel 0" and first.axes == ((-1, 0, 1), (2, 3, 4), (0,))
    assert first.padding.tolist() == [[True] * 3, [False] * 3, [False] * 3]
    kernel = model.get_layer("conv").kernel.detach().numpy()
    assert np.allclose(first.weights, kernel[:, :, 0, 1])
    assert np.allclose(first.x[1:], x[:2, 2:5, 0] / 255) and not first.x[0].any()
    assert np.allclose(first.products, first.x * first.weights)
    assert bias.value == pytest.approx(found.value, rel=1e-5)


def test_a_maximum_has_a_winner_and_a_flattened_value_a_place():
    model, x = lenet(), image()
    pool = unit(model, x, "pool", (1, 1, 2))
    maps = st.inspect.feature_maps(model, x)["act"].values
    assert pool.total == pytest.approx(maps[2:4, 2:4, 2].max())
    assert "wins" in str(pool)
    flat = unit(model, x, "flat", (21,))
    assert "input at (1, 1, 1), place (1 * 4 + 1) * 4 + 1 = 21" in str(flat)


def test_a_softmax_is_exponents_a_sum_and_a_quotient():
    model, x = lenet(), image()
    found = unit(model, x, "dense", (3,))
    assert [stage.kind for stage in found.stages] == ["sum", "bias", "softmax"]
    top, rest = found.stages[0].parts
    assert top.name == "the largest 20 of 80 terms" and rest.name == "the other 60"
    last = found.stages[-1]
    assert last.numbers["exponential"] / last.numbers["sum"] == pytest.approx(found.value, rel=1e-5)
    assert len(last.parts[0].products) == 10


def test_a_unit_says_what_it_sees_of_every_map_between():
    found = unit(lenet(), image(), "pool", (1, 1, 2))
    between = dict(found.field.between)
    assert list(between) == ["rescaling", "conv", "norm", "act"]
    assert np.argwhere(between["act"]).tolist() == [[2, 2, 2], [2, 3, 2], [3, 2, 2], [3, 3, 2]]
    assert found.field.boxes == ((slice(1, 5), slice(1, 5), slice(0, 2)),)
    whole = json.loads(json.dumps(found.as_json()))
    assert whole["field"]["inputs"][0]["box"] == [[1, 5], [1, 5], [0, 2]]
    assert whole["agrees"] and whole["total"] == found.total


def test_models_inside_models_and_torch_networks_are_told_alike():
    torch.manual_seed(0)
    block = Sequential([L.Input((8, 8, 3)), L.Conv2D(3, 3, padding="same", name="c")], name="block")
    x = Input((8, 8, 3))
    model = Model(x, L.Add(name="add")([x, block(x)]))
    sample = np.random.default_rng(0).normal(size=(8, 8, 3)).astype("float32")
    for name in ("block", "block/c"):
        found = unit(model, sample, name, (1, 2, 0))
        assert found.layer == "block/c" and found.agrees
        assert found.field.counts == (27,)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.GroupNorm(2, 4))
    model = Model.from_torch(net, (3, 8, 8))
    for name in model.graph.layers:
        found = unit(model, sample.transpose(2, 0, 1), name, (1, 2, 3))
        assert found.agrees, name
        assert printed(found.python, model=model, x=sample.transpose(2, 0, 1)) == pytest.approx(
            found.value, rel=1e-4, abs=1e-6
        )


class Residual(nn.Module):
    """A branch, functions of torch, and activations that write into what they are given."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.relu, self.last = nn.ReLU(inplace=True), nn.Linear(4, 3)

    def forward(self, x):
        h = self.relu(self.first(x))
        h = h + nn.functional.relu(self.second(h), inplace=True)
        return self.last(h.mean((2, 3)))


class Written(st.Model):
    """A network that is code of the user's."""

    def __init__(self):
        super().__init__()
        self.conv, self.flat, self.dense = L.Conv2D(4, 3), L.Flatten(), L.Dense(3)

    def forward(self, x):
        return self.dense(self.flat(torch.relu(self.conv(x))))


def written():
    model = Written()
    model(np.zeros((1, 12, 12, 1), np.float32))
    return model


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: Model.from_torch(Residual(), (1, 12, 12)), (1, 12, 12)),
        (written, (12, 12, 1)),
    ],
    ids=["torch", "subclass"],
)
def test_every_question_is_answered_for_networks_that_are_code(make, shape):
    torch.manual_seed(0)
    model, rng = make(), np.random.default_rng(0)
    x, y = rng.normal(size=(12, *shape)).astype("float32"), np.arange(12) % 3
    for name in model.graph.layers:
        found = unit(model, x[0], name)
        assert found.agrees, (name, str(found))
        assert printed(found.python, model=model, x=x[0]) == pytest.approx(
            found.value, rel=1e-4, abs=1e-5
        )
    inspect = st.inspect
    cam = inspect.attribution(model, x[0], 1, "grad_cam")
    assert np.allclose(inspect.grad_cams(model, x[:1], [1])[0], cam.values[..., 0], atol=1e-6)
    assert inspect.sanity(model, x[0], 1, "grad_cam").layer == cam.layer
    assert inspect.mistakes(model, x, y).confusion.sum() == 12
    assert inspect.health(model, x, y).samples == 12
    assert inspect.nearest(model, x, x[3]).samples[0] == 3
    assert len(inspect.likes(model, x, next(iter(model.graph.layers)), 0, 3).found) == 3
    assert inspect.compare(model, model, x, y).agreement == 1.0
    assert len(inspect.plot_model(model).boxes) == 1 + len(model.graph.nodes)


def test_asking_changes_nothing():
    model = lenet()
    model.train()
    model.get_layer("norm").eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.get_rng_state()
    for name in model.graph.layers:
        unit(model, image(), name)
    assert model.training and not model.get_layer("norm").training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_unit_is_drawn_and_told():
    found = unit(lenet(), image(), "conv", (0, 3, 1))
    assert found._repr_png_().startswith(b"\x89PNG")
    assert str(found).startswith("conv, unit (0, 3, 1) = ")
    assert unit(lenet(), image(), "dense")._repr_png_().startswith(b"\x89PNG")


def test_a_unit_that_is_not_there():
    assert told(lambda: unit(lenet(), image(), "conv", (10, 0, 0))) == (
        "conv (Conv2D): has no such unit\n"
        "  got   unit (10, 0, 0)\n"
        "  need  a position in the output (10, 9, 4)"
    )
