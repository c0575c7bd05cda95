"""Loops of ReNom: one pass or two, the weights are those of the parts one by one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from striate.dialects import installed
from striate.dialects.renom import native
from striate.dialects.renom.activations import ROWS, Row
from striate.dialects.renom.followed import followed
from striate.engine.taped import Call
from striate.lower.runtime import library

RNG = np.random.default_rng(0)
X = RNG.random((24, 2, 8, 8)).astype(np.float32)
WITHOUT = {"Softmax": "softmax", "HardSigmoid": "clamp", "HardTanh": "hardtanh",
           "Maxout": "reshape"}  # fmt: skip
T = np.eye(4, dtype=np.float32)[RNG.integers(0, 4, 24)]


@pytest.fixture
def rm() -> Iterator[Any]:
    assert library() is not None
    with installed("renom"):
        import renom  # type: ignore[import-not-found]

        yield renom


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each step was made in one pass."""
    made, original, of_loss = [], Call.step, Call.step_of_loss

    def step(self: Call, *args: Any) -> bool:
        made.append(original(self, *args))
        return made[-1]

    def whole(self: Call, *args: Any) -> float | None:
        loss = of_loss(self, *args)
        made.extend([True] if loss is not None else [])
        return loss

    monkeypatch.setattr(Call, "step", step)
    monkeypatch.setattr(Call, "step_of_loss", whole)
    return made


def network(rm: Any) -> Any:
    np.random.seed(3)  # noqa: NPY002  what ReNom draws from
    net = rm.Sequential(
        [
            rm.Conv2d(channel=16, filter=3, padding=1),
            rm.Relu(),
            rm.MaxPool2d(filter=2, stride=2),
            rm.Flatten(),
            rm.Dense(160),  # 256 -> 160: large enough to be used where it lies
            rm.Relu(),
            rm.Dense(4),
        ]
    )
    net(X[:1])  # makes the weights
    return net


def loss_of(rm: Any, net: Any, begin: int = 0, size: int = 8) -> Any:
    with net.train():
        part = slice(begin, begin + size)
        return rm.softmax_cross_entropy(net(X[part]), T[part])


def plain(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    loss_of(rm, net, 8 * (number % 3)).grad().update(optimizer)


def last_is_smaller(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    loss_of(rm, net, 8 * (number % 3), 8 - number % 4).grad().update(optimizer)


def rate_falls(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    optimizer._lr = 0.1 / (1 + number)
    plain(rm, net, optimizer, number)


def looked_at(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    gradients = loss_of(rm, net).grad()
    if number > 2:
        assert float(np.abs(gradients.get(net.l4.params.w)).max()) > 0
    gradients.update(optimizer)


def clipped(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    gradients = loss_of(rm, net).grad()
    for variable in net.variables() if number > 2 else ():
        gradients.set(variable, np.clip(gradients.get(variable), -0.01, 0.01))
    gradients.update(optimizer)


def some_models(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    loss_of(rm, net).grad().update(optimizer, models=[net.l4] if number % 2 else ())


def two_losses(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    first = loss_of(rm, net).grad()
    second = loss_of(rm, net, 8).grad()
    first.update(optimizer)
    second.update(optimizer)  # its gradients are those of the weights before


def penalty(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    with net.train():
        loss = rm.softmax_cross_entropy(net(X[:8]), T[:8]) + 0.01 * rm.sum(net.l4.params.w**2)
    loss.grad().update(optimizer)


def decayed(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    net.l4.params.w.weight_decay = 0.1
    plain(rm, net, optimizer, number)


def frozen(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    net.l0.set_auto_update(False)
    plain(rm, net, optimizer, number)


def other_optimizer_between(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    loss_of(rm, net).grad().update(rm.Sgd(0.02, 0.9) if number == 3 else optimizer)


def batch_grows(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    loss_of(rm, net, 0, 4 * (1 + number)).grad().update(optimizer)


def seen_by_other_code(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    copy.deepcopy(optimizer)
    plain(rm, net, optimizer, number)
    for variable in net.variables() if number % 2 else ():
        assert optimizer.kept(variable)[2] == number + 1


def replaced(rm: Any, net: Any, optimizer: Any, number: int) -> None:
    params, half = net.l4.params, rm.Variable(np.asarray(net.l4.params.w) / 2)
    if number == 2:
        params.w = half
    elif number == 3:
        params.update(w=half)
    elif number == 4:
        net.l4.params = {"w": half, "b": params["b"]}
    elif number == 5:
        part = rm.Dense(160)
        part(np.zeros((1, 256), np.float32))
        part.copy_params(net.l4)
        net[4] = part
    plain(rm, net, optimizer, number)
    assert net.l4.params.w.leaf is None  # what is new rests too, outside of `train`


LOOPS = (plain, replaced, last_is_smaller, rate_falls, looked_at, clipped, some_models, two_losses,
         penalty, decayed, frozen, other_optimizer_between, batch_grows,
         seen_by_other_code)  # fmt: skip


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("make", ["Sgd", "Sgd without Nesterov", "Adam"])
def test_weights_after_some_steps(
    rm: Any, monkeypatch: pytest.MonkeyPatch, loop: Callable[..., None], make: str
) -> None:
    def trained() -> list[Any]:
        net = network(rm)
        optimizer = {
            "Sgd": rm.Sgd, "Adam": rm.Adam,
            "Sgd without Nesterov": lambda: rm.Sgd(0.1, 0.9, nesterov=False),
        }[make]()  # fmt: skip
        for number in range(6):
            loop(rm, net, optimizer, number)
        return [np.array(one) for one in net.variables()]

    mine = trained()
    monkeypatch.setattr(native.Runner, "__call__", lambda self, parts, x: None)
    for here, there in zip(mine, trained(), strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-3, atol=2e-5)


def test_a_step_of_sgd_is_one_pass_from_the_second_on(rm: Any, steps: list[bool]) -> None:
    net, optimizer = network(rm), rm.Sgd()
    for number in range(4):
        plain(rm, net, optimizer, number)
    assert steps == [False, True, True, True]


@pytest.mark.parametrize("shared", [True, False])
def test_two_networks_may_have_one_optimizer(rm: Any, steps: list[bool], shared: bool) -> None:
    """What it keeps is each network's own, as if each had an optimizer of its own."""
    networks = [network(rm), network(rm)]
    optimizers = [rm.Sgd()] * 2 if shared else [rm.Sgd(), rm.Sgd()]
    for number in range(4):
        for net, optimizer in zip(networks, optimizers, strict=True):
            plain(rm, net, optimizer, number)
    assert steps == [False] * 2 + [True] * 6
    for one, other in zip(*(net.variables() for net in networks), strict=True):
        np.testing.assert_array_equal(np.array(one), np.array(other))


def test_a_network_may_have_two_optimizers(rm: Any, steps: list[bool]) -> None:
    """Each keeps its own; the last step of one does not see the steps of the other."""
    net, first, second = network(rm), rm.Sgd(0.1, 0.9), rm.Sgd(0.05, 0.9)
    for optimizer in (first, first, second, second, first):
        plain(rm, net, optimizer, 0)
    assert steps == [False, True, True, True, True]
    kept = [[slots[0].clone() for _, slots, _ in map(one.kept, net.variables())]
            for one in (first, second)]  # fmt: skip
    assert [first.kept(net.l0.params.w)[2], second.kept(net.l0.params.w)[2]] == [3, 2]
    assert not any(torch.equal(mine, other) for mine, other in zip(*kept, strict=True))


def test_a_reset_optimizer_begins_anew(rm: Any, steps: list[bool]) -> None:
    net, optimizer = network(rm), rm.Sgd()
    for number in range(3):
        plain(rm, net, optimizer, number)
    before = [np.array(one) for one in net.variables()]
    optimizer.reset()
    plain(rm, net, optimizer, 0)
    after = [np.array(one) for one in net.variables()]
    for variable, value in zip(net.variables(), before, strict=True):
        variable.value.copy_(torch.from_numpy(value))
    plain(rm, net, rm.Sgd(), 0)
    assert steps == [False, True, True, True, True]
    for mine, other in zip(after, net.variables(), strict=True):
        np.testing.assert_array_equal(mine, np.array(other))


def test_a_loop_that_looks_at_gradients_makes_them_once(rm: Any, steps: list[bool]) -> None:
    net, optimizer = network(rm), rm.Sgd()
    for number in range(8):
        looked_at(rm, net, optimizer, number)
    assert steps == [False, True, True]  # then they are made, and it goes on so


def test_a_history_that_a_step_has_used_is_gone(rm: Any) -> None:
    net, optimizer = network(rm), rm.Sgd()
    for number in range(3):
        plain(rm, net, optimizer, number)
    with net.train():
        scores = net(X[:8])
        first = rm.softmax_cross_entropy(scores, T[:8])
        second = rm.softmax_cross_entropy(scores, T[8:16])
    first.grad().update(optimizer)
    with pytest.raises(Exception, match="let go of by an earlier grad"):
        second.grad()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_each_activation_in_a_network_and_in_code(rm: Any, row: Row) -> None:
    class Code(rm.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            self.first, self.last = rm.Conv2d(channel=4, filter=3), rm.Dense(3)

        def forward(self, x: Any) -> Any:
            x = getattr(rm, row.name)(self.first(x))
            return self.last(rm.flatten(rm.average_pool2d(x, filter=2, stride=2)))

    network = rm.Sequential([rm.Dense(4), getattr(rm, row.title)(), rm.Dense(2)])
    x = RNG.random((5, 3)).astype(np.float32)
    network(x)  # makes the weights
    whole = np.array(network(x))
    for part in network:
        x = part(x)
    np.testing.assert_allclose(whole, np.array(x), rtol=1e-4, atol=1e-5)
    net = Code()
    net(X)
    made, why = followed(net, X.shape[1:])
    if made is None:
        assert why == f"there is no native layer for {WITHOUT[row.title]}"
    else:
        np.testing.assert_allclose(made.predict(X), np.array(net(X)), rtol=1e-4, atol=1e-5)
