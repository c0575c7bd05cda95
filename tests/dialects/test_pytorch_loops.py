"""Loops of PyTorch as scripts write them: natively, the weights are those of plain torch."""

from __future__ import annotations

import contextlib
import copy
import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset

from striate.dialects import installed
from striate.dialects.pytorch import loading
from striate.dialects.pytorch.native import Caller
from striate.lower.runtime import library

X = torch.rand(40, 1, 12, 12, generator=torch.Generator().manual_seed(0))
Y = torch.arange(40) * 7 % 5
PARTS = (slice(0, 16), slice(16, 32), slice(32, 40))  # the last one is smaller


@pytest.fixture
def vision() -> Iterator[Any]:
    assert library() is not None
    with installed("pytorch"):
        import torchvision  # type: ignore[import-not-found]

        yield torchvision


@pytest.fixture
def natively(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each call of a network went through a plan."""
    calls, original = [], Caller._native

    def native(self: Caller, module: nn.Module, x: torch.Tensor) -> Any:
        out = original(self, module, x)
        calls.append(out is not None)
        return out

    monkeypatch.setattr(Caller, "_native", native)
    return calls


class Net(nn.Module):
    """512 numbers go into a dense layer of 96: large enough to be used where they lie."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 32, 5)
        self.norm = nn.BatchNorm2d(32)
        self.fc1, self.fc2 = nn.Linear(512, 96), nn.Linear(96, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        return F.log_softmax(self.fc2(F.relu(self.fc1(x.flatten(1)))), dim=1)


def step(net: nn.Module, optimizer: Any, part: slice = PARTS[0]) -> None:
    optimizer.zero_grad()
    F.nll_loss(net(X[part]), Y[part]).backward()
    optimizer.step()


def plain(net: nn.Module, optimizer: Any, number: int) -> None:
    step(net, optimizer, PARTS[number % 3])


def zeroed_late(net: nn.Module, optimizer: Any, number: int) -> None:
    loss = F.nll_loss(net(X[:16]), Y[:16])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def zeroed_in_place(net: nn.Module, optimizer: Any, number: int) -> None:
    optimizer.zero_grad(set_to_none=False)
    F.nll_loss(net(X[:16]), Y[:16]).backward()
    optimizer.step()


def accumulated(net: nn.Module, optimizer: Any, number: int) -> None:
    for part in PARTS:
        (F.nll_loss(net(X[part]), Y[part]) / 3).backward()
    optimizer.step()
    optimizer.zero_grad()


def clipped(net: nn.Module, optimizer: Any, number: int) -> None:
    optimizer.zero_grad()
    F.nll_loss(net(X[:16]), Y[:16]).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.05)
    optimizer.step()


def changed_gradients(net: nn.Module, optimizer: Any, number: int) -> None:
    optimizer.zero_grad()
    F.nll_loss(net(X[:16]), Y[:16]).backward()
    for weight in net.parameters():
        weight.grad.mul_(0.5).add_(weight.detach(), alpha=0.01)  # type: ignore[union-attr]
    optimizer.step()


def kept_gradients(net: nn.Module, optimizer: Any, number: int) -> None:
    kept = getattr(net, "kept", None)
    step(net, optimizer, PARTS[number % 2])
    if kept is not None:  # of the step before: still what they were
        assert all(torch.equal(one, value) for one, value in kept)
    net.kept = [(w.grad, w.grad.clone()) for w in net.parameters()]  # type: ignore[union-attr, assignment]


def weights_in_place(net: nn.Module, optimizer: Any, number: int) -> None:
    step(net, optimizer)
    for weight in net.parameters():
        weight.data.mul_(0.99)
    with torch.no_grad():
        next(net.parameters()).add_(0.001)


def weights_elsewhere(net: nn.Module, optimizer: Any, number: int) -> None:
    step(net, optimizer)
    for weight in net.parameters():
        weight.data = weight.data.clone()


def weights_loaded(net: nn.Module, optimizer: Any, number: int) -> None:
    if number == 0:
        net.first = copy.deepcopy(net.state_dict())  # type: ignore[assignment]
    step(net, optimizer)
    if number == 3:
        net.load_state_dict(net.first)  # type: ignore[arg-type]


def evaluated_between(net: nn.Module, optimizer: Any, number: int) -> None:
    step(net, optimizer)
    net.eval()
    with torch.no_grad():
        net(X[20:])
    net.train()


def two_losses(net: nn.Module, optimizer: Any, number: int) -> None:
    optimizer.zero_grad()
    first, second = F.nll_loss(net(X[:16]), Y[:16]), F.nll_loss(net(X[16:32]), Y[16:32])
    first.backward()
    second.backward()
    optimizer.step()


def backward_twice(net: nn.Module, optimizer: Any, number: int) -> None:
    optimizer.zero_grad()
    loss = F.nll_loss(net(X[:16]), Y[:16])
    loss.backward(retain_graph=True)
    loss.backward()
    optimizer.step()


def penalty(net: nn.Module, optimizer: Any, number: int) -> None:
    optimizer.zero_grad()
    weight_loss = sum(weight.pow(2).sum() for weight in net.parameters())
    (F.nll_loss(net(X[:16]), Y[:16]) + 0.01 * weight_loss).backward()
    optimizer.step()


def own_loss(net: nn.Module, optimizer: Any, number: int) -> None:
    optimizer.zero_grad()
    scores = net(X[:16])
    (-(scores * F.one_hot(Y[:16], 5)).sum(1) * torch.linspace(0, 1, 16)).mean().backward()
    optimizer.step()


def frozen(net: nn.Module, optimizer: Any, number: int) -> None:
    next(net.parameters()).requires_grad_(number % 3 == 0)
    step(net, optimizer)


def gradients_asked(net: nn.Module, optimizer: Any, number: int) -> None:
    weights = list(net.parameters())
    found = torch.autograd.grad(F.nll_loss(net(X[:16]), Y[:16]), weights)
    for weight, gradient in zip(weights, found, strict=True):
        weight.grad = gradient
    optimizer.step()


def scaled(net: nn.Module, optimizer: Any, number: int) -> None:
    optimizer.zero_grad()
    with torch.autocast("cpu", enabled=False):
        loss = F.nll_loss(net(X[:16]), Y[:16])
    (loss * 1024).backward()
    for weight in net.parameters():
        weight.grad.div_(1024)  # type: ignore[union-attr]
    optimizer.step()


def scheduled(net: nn.Module, optimizer: Any, number: int) -> None:
    scheduler = getattr(net, "scheduler", None) or optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    net.scheduler = scheduler
    step(net, optimizer)
    scheduler.step()


def compiled(net: nn.Module, optimizer: Any, number: int) -> None:
    step(torch.compile(net, backend="eager"), optimizer)


def plain_first(net: nn.Module, optimizer: Any, number: int) -> None:
    step(net, optimizer)


def norm_frozen(net: nn.Module, optimizer: Any, number: int) -> None:
    net.train()
    net.norm.eval()  # type: ignore[union-attr]
    step(net, optimizer)


def in_parts(net: nn.Module, optimizer: Any, number: int) -> None:
    step(nn.DataParallel(net, device_ids=[]), optimizer)


def several_optimizers(net: nn.Module, optimizer: Any, number: int) -> None:
    other = optim.Adam(net.fc2.parameters(), 0.001, eps=1e-4)  # type: ignore[union-attr]
    optimizer.zero_grad()
    other.zero_grad()
    step(net, optimizer, PARTS[1])
    other.step()


def gradient_scaler(net: nn.Module, optimizer: Any, number: int) -> None:
    scaler = torch.amp.GradScaler("cpu")
    optimizer.zero_grad()
    scaler.scale(F.nll_loss(net(X[:16]), Y[:16])).backward()
    scaler.unscale_(optimizer)
    nn.utils.clip_grad_value_(net.parameters(), 0.01)
    scaler.step(optimizer)
    scaler.update()


def saved(net: nn.Module, optimizer: Any, number: int) -> None:
    kept = io.BytesIO()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, kept)
    step(net, optimizer)
    kept.seek(0)
    before = torch.load(kept)
    if number % 2:
        net.load_state_dict(before["net"])
        optimizer.load_state_dict(before["optimizer"])


def attacked(net: nn.Module, optimizer: Any, number: int) -> None:
    x = X[:16].clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(F.nll_loss(net(x), Y[:16]), x)
    optimizer.zero_grad()
    F.nll_loss(net(X[:16] + 0.1 * slope.sign()), Y[:16]).backward()
    optimizer.step()


def behind_another(net: nn.Module, optimizer: Any, number: int) -> None:
    size = torch.full((1,), 1.5, requires_grad=True)
    optimizer.zero_grad()
    (F.nll_loss(net(X[:16] * size), Y[:16]) + F.nll_loss(net(X[16:32]), Y[16:32])).backward()
    assert size.grad is not None
    optimizer.param_groups[0]["lr"] = 0.01 + 0.01 * float(size.grad.abs().clamp(max=1))
    optimizer.step()


LOOPS = (attacked, behind_another, plain, zeroed_late, zeroed_in_place, accumulated, clipped,
         changed_gradients, kept_gradients, weights_in_place, weights_elsewhere, weights_loaded,
         evaluated_between,
         two_losses, backward_twice, penalty, own_loss, frozen, gradients_asked, scaled,
         scheduled, in_parts, several_optimizers, gradient_scaler, saved)  # fmt: skip


def trained(loop: Callable[..., None], make: Callable[[Any], Any]) -> list[torch.Tensor]:
    torch.manual_seed(1)
    net = Net()
    optimizer = make(net.parameters())
    for number in range(6):
        loop(net, optimizer, number)
    return [one.detach().clone() for one in net.state_dict().values()]


def sgd(weights: Any) -> Any:
    return optim.SGD(weights, 0.02, momentum=0.9)


@pytest.mark.parametrize("loop", LOOPS)
def test_weights_after_some_steps(loop: Callable[..., None], natively: list[bool]) -> None:
    with installed("pytorch"):
        mine = trained(loop, sgd)
    assert natively and all(natively)
    for here, there in zip(mine, trained(loop, sgd), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda weights: optim.SGD(weights, 0.05),
        lambda weights: optim.SGD(weights, 0.02, momentum=0.8, nesterov=True, weight_decay=0.01),
        lambda weights: optim.Adam(weights, 0.001, eps=1e-4),
        lambda weights: optim.AdamW(weights, 0.001, eps=1e-4),
        lambda weights: optim.Adadelta(weights, 0.5),
        lambda weights: optim.RMSprop(weights, 0.0005, eps=1e-3),
        lambda weights: optim.Adagrad(weights, 0.001, eps=1e-3),
    ],
)
def test_weights_after_steps_of_each_optimizer(make: Callable[[Any], Any]) -> None:
    with installed("pytorch"):
        mine = trained(plain, make)
    for here, there in zip(mine, trained(plain, make), strict=True):
        torch.testing.assert_close(here, there, rtol=2e-3, atol=1e-4)


def test_a_compiled_network_runs_natively(natively: list[bool]) -> None:
    with installed("pytorch"):
        mine = trained(compiled, sgd)
    assert natively and all(natively)
    for here, there in zip(mine, trained(plain_first, sgd), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-3, atol=2e-5)


def test_a_frozen_normalisation_keeps_its_numbers(natively: list[bool]) -> None:
    with installed("pytorch"):
        mine = trained(norm_frozen, sgd)
    assert not any(natively)
    for here, there in zip(mine, trained(norm_frozen, sgd), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-3, atol=2e-5)


def test_threads_train_networks_of_their_own(natively: list[bool]) -> None:
    def weights(several: bool) -> list[torch.Tensor]:
        torch.manual_seed(1)
        nets = [Net() for _ in range(3)]
        optimizers = [sgd(net.parameters()) for net in nets]
        threads = [
            threading.Thread(target=step, args=pair) for pair in zip(nets, optimizers, strict=True)
        ]
        for thread in threads:
            thread.start()
            if not several:
                thread.join()
        for thread in threads:
            thread.join()
        return [weight.detach() for net in nets for weight in net.parameters()]

    with installed("pytorch"):
        mine = weights(several=True)
    assert len(natively) == 3 and all(natively)
    for here, there in zip(mine, weights(several=False), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-5)


def test_the_slopes_of_an_input_may_be_punished() -> None:
    def trained() -> list[torch.Tensor]:
        torch.manual_seed(1)
        net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Tanh(), nn.Flatten(), nn.Linear(800, 1))
        optimizer = sgd(net.parameters())
        for _ in range(3):
            x = (X[:8] * 1.1).requires_grad_(True)
            slopes = torch.autograd.grad(net(x).sum(), x, create_graph=True)[0]
            loss = net(X[8:16]).mean() + 10 * ((slopes.flatten(1).norm(dim=1) - 1) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [weight.detach().clone() for weight in net.parameters()]

    with installed("pytorch"):
        mine = trained()
    for here, there in zip(mine, trained(), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-5)


def test_two_networks_teach_each_other(natively: list[bool]) -> None:
    def taught() -> list[torch.Tensor]:
        torch.manual_seed(1)
        nets = Net(), Net()
        optimizers = [optim.SGD(net.parameters(), 0.05) for net in nets]
        for _ in range(3):
            scores = [net(X[:16]) for net in nets]
            for number, optimizer in enumerate(optimizers):
                optimizer.zero_grad()
                target = scores[1 - number].detach().exp()
                (F.nll_loss(scores[number], Y[:16])
                 + F.kl_div(scores[number], target, reduction="batchmean")).backward()  # fmt: skip
                optimizer.step()
        return [weight.detach().clone() for net in nets for weight in net.parameters()]

    with installed("pytorch"):
        mine = taught()
    assert all(natively)
    for here, there in zip(mine, taught(), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-5)


# ---- loaders -------------------------------------------------------------------------------------


def batches(data: Any, **words: Any) -> list[Any]:
    torch.manual_seed(5)
    return list(DataLoader(data, batch_size=7, shuffle=True, **words))


def kinds(vision: Any) -> dict[str, Any]:
    t = vision.transforms
    change = t.Compose([t.ToTensor(), t.Normalize((0.1307,), (0.3081,))])
    digits = vision.datasets.MNIST("data", train=False, transform=change)

    class Own(vision.datasets.MNIST):  # type: ignore[misc]
        def __getitem__(self, index: int) -> Any:
            image, label = super().__getitem__(index)
            return image, label, index

    drawn = t.Compose([t.RandomRotation(10), t.ToTensor()])
    few = range(20)
    return {
        "digits": Subset(digits, few),
        "a part of a part": Subset(Subset(digits, [*few]), torch.tensor([3, 1, 4, 15, 9, 2, 6])),
        "from the end": Subset(digits, [-1, 3, -20, 0]),
        "other targets": Subset(
            vision.datasets.MNIST("data", train=False, transform=change,
                                  target_transform=lambda label: label % 2), few),
        "without a change": Subset(vision.datasets.MNIST("data", train=False,
                                                         transform=t.ToTensor()), few),
        "drawn": Subset(vision.datasets.MNIST("data", train=False, transform=drawn), few),
        "own samples": Subset(Own("data", train=False, transform=change), few),
        "two": ConcatDataset([Subset(digits, few), Subset(digits, [100, 101])]),
        "tensors": TensorDataset(X, Y, Y.float()),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["digits", "a part of a part", "from the end", "other targets", "without a change", "drawn",
     "own samples", "two", "tensors"],
)  # fmt: skip
def test_what_a_loader_gives_is_what_it_stacks(
    vision: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = kinds(vision)[name]
    mine = batches(data)
    monkeypatch.setattr(loading, "gathered", lambda data, places: None)
    monkeypatch.setattr(vision.datasets.MNIST, "batch", lambda self, indices: None)
    expected = batches(data)
    assert len(mine) == len(expected)
    for here, there in zip(mine, expected, strict=True):
        assert type(here) is type(there) and len(here) == len(there)
        for one, other in zip(here, there, strict=True):
            assert one.dtype is other.dtype and one.stride() == other.stride()
            assert torch.equal(one, other)


def test_a_collate_function_of_ones_own_gets_samples(vision: Any) -> None:
    data = kinds(vision)["digits"]
    (first, *_) = batches(data, collate_fn=lambda samples: samples)
    assert type(first) is list and len(first) == 7
    assert first[0][0].shape == (1, 28, 28) and type(first[0][1]) is int


# ---- processes -----------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_process_trains_after_its_parent_has_used_threads() -> None:
    with installed("pytorch"):
        threads, wide = torch.get_num_threads(), torch.rand(2**20)
        torch.set_num_threads(2)
        try:
            wide.exp()  # torch's threads are there
            child = os.fork()
            if child == 0:
                with contextlib.suppress(BaseException):
                    wide.exp()
                    trained(plain, sgd)
                    os._exit(7)
                os._exit(1)
        finally:
            torch.set_num_threads(threads)
        until = time.monotonic() + 30
        done, status = 0, 0
        while not done and time.monotonic() < until:
            time.sleep(0.02)
            done, status = os.waitpid(child, os.WNOHANG)
        if not done:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert done, "it waits for threads that it does not have"
    assert os.waitstatus_to_exitcode(status) == 7
