"""Calls of torch's functions as layers that a file can hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from cases import told
from torch import Tensor, nn
from torch.nn import functional as F

import striate as st
from striate import layers as L
from striate.core.window import Whole
from striate.layers.torch_function import decoded, encoded
from striate.layers.wrap import Batch, Held, Place


def halves(net: Any, x: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=1)
    return first * second[:, :, ::2].repeat_interleave(2, -2)


def shuffled(net: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.size()
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


def placed(net: Any, x: Tensor) -> Tensor:
    rows = x.flatten(2).transpose(1, 2)
    token = net.token.expand(len(x), -1, -1)
    return torch.cat((token, rows), dim=1)[:, 1:].clamp(min=-0.5)


def summed(net: Any, x: Tensor) -> Tensor:
    return torch.einsum("nchw,c->nhw", [x, net.scale]) + x.amax((1, 2, 3))[:, None, None]


def unit(net: Any, x: Tensor) -> Tensor:
    return F.normalize(x, p=2, dim=1).pow(2) - F.interpolate(x, size=(4, 4))


def convolved(net: Any, x: Tensor) -> Tensor:
    return F.conv2d(x, net.conv.weight, padding=1, groups=4)


class Net(nn.Module):
    def __init__(self, middle: Any) -> None:
        super().__init__()
        self.conv, self.middle = nn.Conv2d(1, 4, 3), middle
        self.token = nn.Parameter(torch.randn(1, 1, 4))
        self.register_buffer("scale", torch.rand(4))

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.middle(self, self.conv(x))
        return made


@pytest.mark.parametrize("middle", [halves, shuffled, placed, summed, unit, convolved])
def test_a_file_holds_calls_of_functions(middle: Any, tmp_path: Path) -> None:
    net, x = Net(middle), torch.rand(3, 1, 6, 6)
    model = st.Model.from_torch(net, (1, 6, 6))
    model.save(tmp_path / "net.striate")
    same = st.load(tmp_path / "net.striate")
    assert torch.allclose(torch.from_numpy(same.predict(x.numpy())), net(x).detach(), atol=1e-6)
    trained = {id(one) for one in net.parameters()}
    used = {id(one) for one in model.in_layers().parameters()}
    assert used <= trained  # they are the weights themselves


def test_templates_are_plain_values_and_back() -> None:
    places = {"a": 0}
    made = (Place(1), Batch(2), Held("a"), slice(None, -1), ..., torch.float32, [1, (2.5, "x")])
    plain = encoded(made, places)
    assert json.loads(json.dumps(plain))[0] == {"input": 1}
    assert decoded(plain) == (*made[:2], Held("tensor_0"), *made[3:])
    with pytest.raises(TypeError, match="no plain value"):
        encoded((torch.ones(1),), places)


def test_other_functions_are_refused() -> None:
    assert told(lambda: L.TorchFunction("torch.load")).splitlines()[:3] == [
        "TorchFunction: function='torch.load' is none of those that a file may call",
        "  need  a function of torch that only computes: Tensor.view, Tensor.view_as, "
        "Tensor.reshape...",
        '  fix   did you mean "torch.float"?',
    ]


def test_arguments_may_be_called_as_templates_are() -> None:
    x = torch.randn(3, 4, 5, 5)
    made = L.TorchFunction("Tensor.sum", ({"input": 0}, 1), {"dtype": {"dtype": "float64"}})
    assert made(x).dtype is torch.float64
    assert torch.equal(L.TorchFunction("functional.relu", (), {"input": {"input": 0}})(x), x.relu())


def test_a_dtype_is_one_and_nothing_else_of_torch() -> None:
    read = "TorchFunction: 'load' is no dtype\n  need  float32, int64, bool..."
    words = {"dtype": {"dtype": "load"}}
    assert (
        told(lambda: L.TorchFunction("Tensor.sum", ({"input": 0},), words)(torch.ones(2))) == read
    )
    assert told(lambda: L.TorchFunction("Tensor.sum", held=(((1,), "load", True),))) == read


def test_what_it_reads_and_counts_is_what_the_call_says() -> None:
    x = L.Input((4, 6, 6), data_format="channels_first")
    half = L.TorchFunction("operator.getitem", ({"input": 0}, ({"slice": (None,) * 3}, 1)))
    assert half(x).shape == (None, 6, 6)
    assert half.windows(x.spec) is Whole.MOVES
    relu = L.TorchFunction("functional.relu", ({"input": 0},))
    assert relu(x).shape == (None, 4, 6, 6)
    assert relu.operations(x.spec)
