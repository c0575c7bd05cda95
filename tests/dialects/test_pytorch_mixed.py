"""Networks in PyTorch's loops of which torch computes some layers: natively around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from striate.dialects import installed
from striate.dialects.pytorch.native import Caller
from striate.engine import taped
from striate.lower.runtime import library

X = torch.rand(24, 3, 10, 10, generator=torch.Generator().manual_seed(0))
Y = torch.arange(24) * 5 % 4

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "a transposed convolution": lambda: nn.ConvTranspose2d(8, 8, 4, 2, 1),
    "groups of channels": lambda: nn.GroupNorm(2, 8),
    "each image for itself": lambda: nn.InstanceNorm2d(8, affine=True, track_running_stats=True),
    "slopes that are learned": lambda: nn.PReLU(8),
    "slopes that are drawn": nn.RReLU,
    "another form": lambda: nn.Sequential(nn.Flatten(), nn.Unflatten(1, (8, 10, 10))),
    "channels that are pixels": lambda: nn.PixelShuffle(2),
    "a mirror": lambda: nn.ReflectionPad2d(1),
    "neighbours": lambda: nn.LocalResponseNorm(3),
    "two of them": lambda: nn.Sequential(nn.GroupNorm(4, 8), nn.Conv2d(8, 8, 1), nn.Softmax2d()),
}


@pytest.fixture(autouse=True)
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small networks be worth it."""
    monkeypatch.setattr(taped, "WORTH", 0)


@pytest.fixture
def natively(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each call of a network went through a plan."""
    assert library() is not None
    calls, original = [], Caller._native

    def native(self: Caller, module: nn.Module, x: Tensor) -> Any:
        out = original(self, module, x)
        calls.append(out is not None)
        return out

    monkeypatch.setattr(Caller, "_native", native)
    return calls


def network(middle: nn.Module) -> nn.Module:
    ends = nn.Conv2d(3, 8, 3, padding=1), nn.LazyLinear(4)
    net = nn.Sequential(ends[0], nn.BatchNorm2d(8), nn.ReLU(), middle, nn.Flatten(), ends[1])
    with torch.no_grad():
        net(X[:2])
    return net


def in_turn(net: nn.Module, number: int) -> Tensor:
    return F.cross_entropy(net(X[:16]), Y[:16])


def one_between(net: nn.Module, number: int) -> Tensor:
    """Call it twice before the gradients, which belong to both calls."""
    first, second = net(X[:16]), net(X[16:])
    return F.cross_entropy(first, Y[:16]) + 0.5 * F.cross_entropy(second, Y[16:])


def behind_another(net: nn.Module, number: int) -> Tensor:
    size = torch.full((1, 3, 1, 1), 1.5, requires_grad=True)
    score = F.cross_entropy(net(X[:16] * size), Y[:16])
    (slope,) = torch.autograd.grad(score, size)
    return F.cross_entropy(net(X[:16] * (size + slope).detach()), Y[:16])


@pytest.mark.parametrize("loss", [in_turn, one_between, behind_another])
@pytest.mark.parametrize("name", LAYERS)
def test_weights_and_statistics_are_those_of_torch(
    name: str, loss: Callable[[nn.Module, int], Tensor], natively: list[bool]
) -> None:
    def trained() -> list[Tensor]:
        torch.manual_seed(3)
        net = network(LAYERS[name]())
        optimizer = optim.SGD(net.parameters(), 0.05, momentum=0.9)
        for number in range(4):
            optimizer.zero_grad()
            loss(net, number).backward()
            optimizer.step()
        return [one.detach().clone() for one in net.state_dict().values()]

    with installed("pytorch"):
        mine = trained()
    assert any(natively)
    for here, there in zip(mine, trained(), strict=True):
        torch.testing.assert_close(here, there, rtol=2e-3, atol=5e-5)


def test_what_torch_draws_between_is_drawn_as_ever(natively: list[bool]) -> None:
    def drawn() -> list[float]:
        torch.manual_seed(0)
        net = network(nn.RReLU())
        values = []
        for _ in range(3):
            one_between(net, 0).backward()
            values.append(float(torch.rand(())))
        return values

    with installed("pytorch"):
        mine = drawn()
    assert any(natively)
    assert mine == drawn()


@pytest.mark.parametrize("mode", [True, False, None])
def test_a_mode_that_the_code_gives_counts(mode: bool | None) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(300, 50), nn.Linear(50, 4)

        def forward(self, x: Tensor) -> Tensor:
            dropping = self.training if mode is None else mode
            return self.last(F.dropout(self.first(x.flatten(1)), training=dropping))

    with installed("pytorch"), torch.no_grad():
        net = Net()
        varies = []
        for training in (True, False):
            net.train(training)
            varies.append(not torch.equal(net(X), net(X)))
    assert varies == ([True, False] if mode is None else [mode, mode])


class Halved(nn.Module):
    """Each sample is two of half its numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(200, 4)

    def forward(self, x: Tensor) -> Tensor:
        halves = torch.sin(self.conv(x)).view(-1, 200)
        return self.last(halves).view(-1, 2, 4).mean(1)


class Viewed(Halved):
    """A view takes numbers in the order of channels, rows and columns."""

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.sin(self.conv(x)).view(x.size(0), 2, 200)).mean(1)


@pytest.mark.parametrize("kind", [Halved, Viewed])
def test_forms_that_code_gives(kind: Callable[[], nn.Module]) -> None:
    def slopes() -> list[Tensor]:
        torch.manual_seed(0)
        net = kind()
        in_turn(net, 0).backward()
        return [one.grad for one in net.parameters() if one.grad is not None]

    with installed("pytorch"):
        mine = slopes()
    for here, there in zip(mine, slopes(), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-5)


def test_an_output_may_be_changed_in_place(natively: list[bool]) -> None:
    with installed("pytorch"):
        net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 5, 1))
        out = net(X[:4])
        out += 1
        out.sum().backward()
    assert natively == [True]
    assert float(net[1].bias.grad.sum()) == 20  # type: ignore[union-attr]


def test_torch_has_its_threads_where_it_trains_a_network() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with installed("pytorch"):
            native, by_torch = nn.Sequential(nn.Linear(4, 4)), nn.Sequential(nn.LSTM(4, 4))
            seen = []
            for net, x in (
                (native, X[:, 0, 0, :4]),
                (by_torch, X[:, 0, :, :4]),
                (native, X[0, 0, :, :4]),
            ):
                net(x.contiguous())
                seen.append(torch.get_num_threads())
    finally:
        torch.set_num_threads(before)
    assert seen == [1, 3, 3]
