"""Gradients that wait for the step which uses them: what comes out is what plain torch gives."""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn, optim

from striate.dialects import installed
from striate.dialects.pytorch.waiting import Waiting, only_call
from striate.dialects.session import Script
from striate.dialects.table import DialectError
from striate.lower.runtime import library

X = torch.rand(40, 1, 12, 12, generator=torch.Generator().manual_seed(0))
Y = torch.arange(40) * 7 % 5
STEPS = 8


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 32, 5), nn.BatchNorm2d(32)
        self.fc1, self.fc2 = nn.Linear(512, 96), nn.Linear(96, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class Loop:
    """A loop over one batch; `between` happens after `backward`, `after` after the step."""

    def __init__(self, make: Callable[..., optim.Optimizer]) -> None:
        torch.manual_seed(0)
        self.net = Net()
        self.optimizer = make(self.net.parameters())
        self.loss = torch.zeros(())
        self.scheduler = optim.lr_scheduler.StepLR(self.optimizer, 3, 0.5)

    def run(
        self,
        steps: int = STEPS,
        loss: Callable[..., torch.Tensor] = F.cross_entropy,
        between: Callable[[Loop], object] = lambda loop: None,
    ) -> Loop:
        for number in range(steps):
            self.optimizer.zero_grad()
            self.loss = loss(self.net(X[:24]), Y[:24])
            self.loss.backward()
            if number >= steps - 2:
                between(self)
            self.optimizer.step()
            self.scheduler.step()
        return self

    def numbers(self) -> list[torch.Tensor]:
        """Return the weights, and what the optimizer keeps."""
        kept = self.optimizer.state_dict()["state"].values()
        several = [one for state in kept for one in state.values() if torch.is_tensor(one)]
        return [one.detach().clone() for one in (*self.net.state_dict().values(), *several)]


RULES: dict[str, Callable[..., optim.Optimizer]] = {
    "Adam": lambda weights: optim.Adam(weights, 1e-3, eps=1e-3),
    "Adam with decay": lambda weights: optim.Adam(weights, 1e-3, eps=1e-3, weight_decay=0.1),
    "AMSGrad": lambda weights: optim.Adam(weights, 1e-3, eps=1e-3, amsgrad=True),
    "AdamW": lambda weights: optim.AdamW(weights, 1e-3, (0.8, 0.9), 1e-3, weight_decay=0.3),
    "SGD": lambda weights: optim.SGD(weights, 0.05),
    "SGD with decay": lambda weights: optim.SGD(weights, 0.05, weight_decay=0.1),
    "Nesterov": lambda weights: optim.SGD(weights, 0.05, momentum=0.9, nesterov=True),
    "damped": lambda weights: optim.SGD(weights, 0.05, momentum=0.5, dampening=0.3),
}


Between = Callable[[Loop], object]


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a step was made of gradients that waited, for each time that there were such."""
    assert library() is not None
    steps: list[bool] = []
    original = Waiting.step

    def step(self: Waiting, optimizer: Any) -> bool:
        steps.append(original(self, optimizer))
        return steps[-1]

    monkeypatch.setattr(Waiting, "step", step)
    return steps


@contextlib.contextmanager
def dialect(*words: str) -> Iterator[Script]:
    """Serve the dialect to a script that says these words."""
    with installed("pytorch") as session:
        session.script.words = [("name", word, "line 1") for word in ("backward", *words)]
        yield session.script


def both(train: Callable[[], list[torch.Tensor]]) -> None:
    """Train by torch alone and by the dialect, and compare all numbers that come out."""
    theirs = train()
    with dialect():
        mine = train()
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=2e-4, atol=2e-5)


def alike(make: Callable[..., optim.Optimizer], **words: Any) -> None:
    """Compare a loop by torch alone and by the dialect."""
    both(lambda: Loop(make).run(**words).numbers())


@pytest.mark.parametrize("rule", RULES)
def test_weights_and_what_is_kept_are_those_of_torch(rule: str, waited: list[bool]) -> None:
    alike(RULES[rule])
    assert waited == [True] * (STEPS - 3)  # the first three tell what is done with gradients


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "summed": lambda y, t: F.cross_entropy(y, t, reduction="sum") / 24,
    "weighted": lambda y, t: F.cross_entropy(y, t, weight=torch.arange(1.0, 6)),
    "one class ignored": lambda y, t: F.cross_entropy(y, t, ignore_index=2),
    "one left out": lambda y, t: F.cross_entropy(y, t.masked_fill(t == 2, -100)),
    "one left out near": lambda y, t: F.cross_entropy(
        y, t.masked_fill(t == 2, -2), ignore_index=-2
    ),
    "smoothed": lambda y, t: F.cross_entropy(y, t, label_smoothing=0.2),
    "scaled": lambda y, t: 0.5 * F.cross_entropy(y, t),
    "log_softmax": lambda y, t: F.nll_loss(F.log_softmax(y, -1), t),
    "softmax over the samples": lambda y, t: F.nll_loss(F.log_softmax(y[:5], 0), t[:5]),
    "softmax over as many samples": lambda y, t: F.nll_loss(F.log_softmax(y, 0), t),
    "squares": lambda y, t: F.mse_loss(y, F.one_hot(t, 5).float()),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_of_the_output_is_that_of_its_loss(name: str, waited: list[bool]) -> None:
    alike(RULES["SGD"], loss=LOSSES[name])
    assert waited == [True] * (STEPS - 3)


def halve(loop: Loop) -> None:
    with torch.no_grad():
        for one in loop.net.parameters():
            one.mul_(0.5)


def change_memory(loop: Loop) -> None:
    loop.net.fc2.weight.detach().numpy()[0] *= 0.5


def change_data(loop: Loop) -> None:
    loop.net.fc1.weight.data = loop.net.fc1.weight.data * 0.5


def train_more(loop: Loop) -> None:
    loop.net(X[24:]).pow(2).mean().backward()


BETWEEN: dict[str, Between] = {
    "clipped by norm": lambda loop: nn.utils.clip_grad_norm_(loop.net.parameters(), 0.01),
    "clipped by value": lambda loop: nn.utils.clip_grad_value_(loop.net.parameters(), 0.001),
    "another backward": train_more,
    "another call": lambda loop: loop.net(X[:7]),
    "weights changed": halve,
    "memory of weights changed": change_memory,
    "data of weights changed": change_data,
    "gradients forgotten": lambda loop: loop.optimizer.zero_grad(),
    "forgotten by the module": lambda loop: loop.net.zero_grad(),
    "kept": lambda loop: torch.save(loop.optimizer.state_dict(), io.BytesIO()),
    "another rate": lambda loop: loop.optimizer.param_groups[0].update(lr=1e-3),
    "another rule": lambda loop: loop.optimizer.param_groups[0].update(weight_decay=0.2),
    "loaded": lambda loop: loop.optimizer.load_state_dict(loop.optimizer.state_dict()),
}


@pytest.mark.parametrize("name", BETWEEN)
@pytest.mark.parametrize("rule", ["Adam", "Nesterov"])
def test_what_happens_before_the_step_sees_the_gradients(
    rule: str, name: str, waited: list[bool]
) -> None:
    alike(RULES[rule], between=BETWEEN[name])
    assert waited[: STEPS - 5] == [True] * (STEPS - 5)


@pytest.mark.parametrize("rule", ["Adam", "Nesterov", "SGD"])
def test_each_optimizer_keeps_its_own(rule: str, waited: list[bool]) -> None:
    def train() -> list[torch.Tensor]:
        loop = Loop(RULES[rule]).run()
        before = loop.optimizer
        loop.optimizer = RULES[rule](loop.net.parameters())
        loop.run()
        loop.optimizer, after = before, loop.numbers()
        return [*loop.numbers(), *after]

    both(train)
    assert waited[: STEPS - 3] == [True] * (STEPS - 3)


@pytest.mark.parametrize("rule", ["Adam", "Nesterov"])
def test_a_state_that_is_loaded_counts_from_there(rule: str, waited: list[bool]) -> None:
    def train() -> list[torch.Tensor]:
        loop = Loop(RULES[rule]).run(4)
        saved = copy.deepcopy(loop.optimizer.state_dict())
        loop.run(4)
        loop.optimizer.load_state_dict(saved)
        return loop.run(3).numbers()

    both(train)
    assert waited == [True] * 8


@pytest.mark.parametrize("rule", ["Adam", "Nesterov"])
def test_weights_that_are_frozen_keep_the_number_of_their_steps(
    rule: str, waited: list[bool]
) -> None:
    def train() -> list[torch.Tensor]:
        loop = Loop(RULES[rule]).run(2)
        loop.net.conv.requires_grad_(False)
        loop.run(6)
        kept = [*loop.numbers()]
        loop.net.conv.requires_grad_(True)
        return [*kept, *loop.run(2).numbers()]

    both(train)
    assert any(waited)


@pytest.mark.parametrize("rule", RULES)
def test_images_of_several_sizes_have_one_optimizer(rule: str, waited: list[bool]) -> None:
    """A network is another plan for each of them; what is kept goes from one to the other."""

    def train() -> list[torch.Tensor]:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                            nn.Linear(8, 5))  # fmt: skip
        optimizer = RULES[rule](net.parameters())
        for number in range(24):
            size = (12, 9)[number // 4 % 2]
            optimizer.zero_grad()
            F.cross_entropy(net(X[:, :, :size, :size].contiguous()), Y).backward()
            optimizer.step()
        return [*net.parameters()]

    both(train)
    assert waited.count(True) > 12


def test_a_network_that_is_gone_leaves_no_memory(waited: list[bool]) -> None:
    """Also without a collection of garbage, for which some large arrays are no reason."""
    gc.disable()
    try:
        with dialect() as script:
            loop = Loop(optim.Adam).run()
            engine = weakref.ref(only_call(loop.loss).call.plan.execution.engine)
            script.trained.clear()  # the run keeps the last networks
            del loop
    finally:
        gc.enable()
    assert any(waited)
    assert engine() is None


def test_threads_leave_each_others_gradients_alone(waited: list[bool]) -> None:
    def train() -> list[torch.Tensor]:
        first, second = Loop(RULES["Adam"]), Loop(RULES["SGD"])

        def beside(loop: Loop) -> None:
            thread = threading.Thread(target=second.run, args=(2,))
            thread.start()
            thread.join()

        return [*first.run(between=beside).numbers(), *second.numbers()]

    both(train)
    assert waited == [True] * (STEPS - 3)


def test_gradients_are_there_between_backward_and_step(waited: list[bool]) -> None:
    found: list[torch.Tensor] = []

    def look(loop: Loop) -> None:
        found.extend(getattr(one, "gr" + "ad").clone() for one in loop.net.parameters())

    Loop(RULES["SGD"]).run(between=look)
    with dialect():
        Loop(RULES["SGD"]).run(between=look)
    assert waited == [True] * (STEPS - 5)
    mine, theirs = found[len(found) // 2 :], found[: len(found) // 2]
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_a_script_that_speaks_of_gradients_keeps_them_after_the_step(waited: list[bool]) -> None:
    with dialect("grad"):
        loop = Loop(RULES["Adam"]).run()
    assert not waited
    assert all(one.grad is not None for one in loop.net.parameters())


def test_gradients_that_are_added_up_do_not_wait(waited: list[bool]) -> None:
    def train() -> list[torch.Tensor]:
        loop = Loop(RULES["SGD"])
        for number in range(STEPS):
            if number % 2 == 0:
                loop.optimizer.zero_grad()
            F.cross_entropy(loop.net(X[:24]), Y[:24]).backward()
            loop.optimizer.step()
        return loop.numbers()

    both(train)
    assert not waited


def test_a_step_by_gradients_that_are_used_up_is_refused(waited: list[bool]) -> None:
    with dialect():
        loop = Loop(RULES["SGD"]).run()
        with pytest.raises(DialectError, match=re.escape("STRIATE_GRADIENTS=kept")):
            loop.optimizer.step()
    assert waited


def test_a_script_runs_as_it_is_where_gradients_are_to_be_kept(
    waited: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train() -> list[torch.Tensor]:
        loop = Loop(RULES["Adam"]).run()
        loop.optimizer.step()
        return loop.numbers()

    monkeypatch.setenv("STRIATE_GRADIENTS", "kept")
    both(train)
    assert not waited


def test_weights_that_a_view_has_changed_are_told(waited: list[bool]) -> None:
    with dialect():
        loop = Loop(RULES["SGD"])
        view = loop.net.fc1.weight.detach()
        with pytest.raises(DialectError, match="a view"):
            loop.run(between=lambda loop: view.mul_(0.5))
    assert waited
