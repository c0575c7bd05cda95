"""Outputs and losses that wait for the step: what anyone finds in them is what torch has there."""

from __future__ import annotations

import contextlib
import copy
import gc
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from striate.dialects import installed
from striate.dialects.pytorch.deferred import Deferred
from striate.dialects.table import DialectError
from striate.engine.taped import Call

X = torch.rand(40, 1, 12, 12, generator=torch.Generator().manual_seed(0))
Y = torch.arange(40) * 7 % 5
STEPS, FIRST = 9, 4  # the first four tell what a loop does with outputs, losses and gradients
Look = Callable[["Loop"], Any]


class Loop:
    """A loop over the two halves of the samples; it keeps what is looked at."""

    norm = False  # with normalisations
    judge: Callable[..., Tensor] = staticmethod(F.cross_entropy)

    def __init__(self, rule: str = "SGD", **words: Look) -> None:
        torch.manual_seed(0)
        parts: list[nn.Module] = [nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                                  nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 5)]  # fmt: skip
        parts[1:1] = [nn.BatchNorm2d(16)] * self.norm
        parts += [nn.LogSoftmax(1)] * (self.judge is F.nll_loss)
        self.net = nn.Sequential(*parts)
        self.optimizer: optim.Optimizer = RULES[rule](self.net.parameters())
        self.looks, self.seen = words, list[Any]()
        self.loss: Any = None
        self.output: Any = None

    def look(self, when: str) -> None:
        if when in self.looks and self.number >= FIRST:
            self.seen.append(self.looks[when](self))

    def run(self) -> Loop:
        for self.number in range(STEPS):
            self.x, self.y = X[self.number % 2 :: 2].contiguous(), Y[self.number % 2 :: 2]
            self.output = self.net(self.x)
            self.look("called")
            self.loss = self.judge(self.output, self.y)
            self.look("judged")
            self.optimizer.zero_grad()
            self.loss.backward()
            self.look("backward")
            self.optimizer.step()
            self.look("stepped")
        return self

    def numbers(self) -> list[Tensor]:
        state = self.optimizer.state_dict()["state"].values()
        kept = [one for each in state for one in each.values() if torch.is_tensor(one)]
        several = (*self.net.state_dict().values(), *kept)
        return [*map(torch.clone, several), *map(_tensor, self.seen)]


class Normalized(Loop):
    """The same with a normalisation."""

    norm = True


class Logs(Loop):
    """The same with logarithms as output."""

    judge = staticmethod(F.nll_loss)


LOOPS = (Loop, Normalized, Logs)


def _tensor(seen: Any) -> Tensor:
    return seen.detach().clone() if torch.is_tensor(seen) else torch.tensor(seen)


RULES: dict[str, Callable[..., optim.Optimizer]] = {
    "SGD": lambda weights: optim.SGD(weights, 0.05),
    "Nesterov": lambda weights: optim.SGD(weights, 0.05, momentum=0.9, nesterov=True),
    "Adam": lambda weights: optim.Adam(weights, 1e-3, eps=1e-3),
    "AdamW": lambda weights: optim.AdamW(weights, 1e-3, (0.8, 0.9), 1e-3, weight_decay=0.3),
}


@contextlib.contextmanager
def dialect(*words: str) -> Iterator[None]:
    """Serve the dialect to a script that says these words."""
    with installed("pytorch") as session:
        session.script.words = [("name", word, "line 1") for word in ("backward", *words)]
        yield


def both(train: Callable[[], list[Tensor]]) -> None:
    """Train by torch alone and by the dialect, and compare all numbers that come out."""
    theirs = train()
    with dialect():
        mine = train()
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("rule", RULES)
def test_a_step_is_one_run(kind: type[Loop], rule: str, whole: list[bool]) -> None:
    both(lambda: kind(rule).run().numbers())
    assert whole == [True] * (STEPS - FIRST)


def _history(loop: Loop) -> float:
    assert not loop.loss.is_leaf
    assert loop.output.grad_fn is not None
    with pytest.raises(RuntimeError, match="requires grad"):
        loop.output.numpy()
    with pytest.raises(RuntimeError, match="second time"):
        loop.loss.backward()
    return float(loop.loss)


AFTER: dict[str, Look] = {
    "loss.item()": lambda loop: loop.loss.item(),
    "float(loss)": lambda loop: float(loop.loss),
    "f'{loss:.4f}'": lambda loop: float(f"{loop.loss:.4f}"),
    "loss.data": lambda loop: loop.loss.data,
    "loss.detach().cpu().numpy()": lambda loop: loop.loss.detach().cpu().numpy().copy(),
    "torch.tensor(loss)": lambda loop: torch.tensor(loop.loss),
    "loss > 1": lambda loop: bool(loop.loss > 1),
    "loss * 2": lambda loop: loop.loss * 2,
    "sum(losses)": lambda loop: sum([loop.loss, loop.loss]),
    "output.max(1)": lambda loop: loop.output.max(1)[1],
    "torch.max(output.data, 1)": lambda loop: torch.max(loop.output.data, 1)[0],
    "output.argmax(1)": lambda loop: (loop.output.argmax(1) == loop.y).float().mean(),
    "output.softmax(1)": lambda loop: loop.output.softmax(1),
    "np.asarray(output.detach())": lambda loop: np.asarray(loop.output.detach()).copy(),
    "output.tolist()": lambda loop: loop.output.tolist(),
    "torch.stack": lambda loop: torch.stack([loop.output, loop.output]),
    "a list of rows": lambda loop: [one.sum().item() for one in loop.output],
    "deepcopy of loss.data": lambda loop: copy.deepcopy(loop.loss.data),
    "history": _history,
}


TOLD = pytest.mark.filterwarnings(
    "ignore:Converting a tensor with requires_grad", "ignore:To copy construct from a tensor"
)


@TOLD
@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("name", AFTER)
def test_what_is_looked_at_after_the_step_is_that_of_torch(
    name: str, kind: type[Loop], whole: list[bool]
) -> None:
    both(lambda: kind("Adam", stepped=AFTER[name]).run().numbers())
    assert whole == [True] * (STEPS - FIRST)


def test_values_keep_their_numbers_when_later_steps_are_made(whole: list[bool]) -> None:
    def train() -> list[Tensor]:
        kept: list[Tensor] = []
        loop = Loop(stepped=lambda loop: kept.extend([loop.loss, loop.output]) or 0).run()
        return [*loop.numbers(), *(one.clone() for one in kept)]

    both(train)
    assert whole == [True] * (STEPS - FIRST)


def _halve(loop: Loop) -> int:
    with torch.no_grad():
        for one in loop.net.parameters():
            one.mul_(0.9)
    return 0


def _halve_data(loop: Loop) -> int:
    for one in loop.net.parameters():
        one.data *= 0.9
    return 0


def _other_optimizer(loop: Loop) -> int:
    other = optim.SGD([torch.ones(3, requires_grad=True)], 0.1)
    other.step()
    return 0


class _Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Tensor:
        return slopes[0] * 2


BEFORE: dict[str, Look] = {
    **{name: look for name, look in AFTER.items() if name not in ("history", "loss.data")},
    "the shape": lambda loop: [*loop.output.shape, loop.output.size(0), len(loop.output)],
    "weights changed": _halve,
    "data of weights changed": _halve_data,
    "another optimizer": _other_optimizer,
    "another call": lambda loop: loop.net(X[:7]),
    "evaluation": lambda loop: loop.net.eval()(X[:7]).sum().item() * bool(loop.net.train()),
    "a function of one's own": lambda loop: _Doubled.apply(loop.output).sum(),
    "the state": lambda loop: [one.sum().item() for one in loop.net.state_dict().values()],
    "gradients": lambda loop: torch.autograd.grad(loop.loss, loop.net[0].weight, retain_graph=True)[
        0
    ],
}
BEFORE_BACKWARD = {name: BEFORE[name] for name in BEFORE if "changed" not in name}


@TOLD
@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("name", BEFORE_BACKWARD)
def test_what_is_looked_at_before_backward_is_that_of_torch(
    name: str, kind: type[Loop], whole: list[bool]
) -> None:
    both(lambda: kind("Adam", judged=BEFORE[name]).run().numbers())


@TOLD
@pytest.mark.parametrize("name", [name for name in BEFORE if name != "gradients"])
def test_what_is_looked_at_between_backward_and_step_is_that_of_torch(
    name: str, whole: list[bool]
) -> None:
    both(lambda: Loop("Adam", backward=BEFORE[name]).run().numbers())


@pytest.mark.parametrize(
    "name", [name for name in BEFORE_BACKWARD if "loss" not in name and name != "gradients"]
)
def test_what_is_looked_at_before_there_is_a_loss_is_that_of_torch(
    name: str, whole: list[bool]
) -> None:
    both(lambda: Loop("Adam", called=BEFORE[name]).run().numbers())


def test_a_loop_that_looks_too_early_does_not_wait_any_more(whole: list[bool]) -> None:
    kinds: list[type] = []

    def look(loop: Loop) -> float:
        kinds.append(type(loop.output))
        return float(loop.output.sum())

    both(lambda: Loop(called=look).run().numbers())
    assert kinds[STEPS - FIRST :] == [Deferred, Deferred, Tensor, Tensor, Tensor]
    assert not any(whole)


OTHER: dict[str, Callable[[Loop], Tensor]] = {
    "weighted": lambda loop: F.cross_entropy(loop.output, loop.y, weight=torch.arange(1.0, 6)),
    "summed": lambda loop: F.cross_entropy(loop.output, loop.y, reduction="sum") / 20,
    "smoothed": lambda loop: F.cross_entropy(loop.output, loop.y, label_smoothing=0.1),
    "one left out": lambda loop: F.cross_entropy(
        loop.output, loop.y.masked_fill(loop.y == 2, -100)
    ),
    "shares": lambda loop: F.cross_entropy(loop.output, F.one_hot(loop.y, 5).float()),
    "by words": lambda loop: F.cross_entropy(input=loop.output, target=loop.y),
    "by a module": lambda loop: nn.CrossEntropyLoss()(loop.output, loop.y),
    "by another module": lambda loop: nn.CrossEntropyLoss(label_smoothing=0.1)(loop.output, loop.y),
    "of logarithms": lambda loop: F.nll_loss(loop.output, loop.y),
    "of logarithms, by a module": lambda loop: nn.NLLLoss()(loop.output, loop.y),
    "two": lambda loop: F.cross_entropy(loop.output, loop.y) + F.cross_entropy(
        loop.net(X[:7]), Y[:7]),
    "with a penalty": lambda loop: F.cross_entropy(loop.output, loop.y)
    + 0.1 * sum(one.pow(2).sum() for one in loop.net.parameters()),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("name", OTHER)
def test_another_loss_than_before(name: str, kind: type[Loop], whole: list[bool]) -> None:
    def other(loop: Loop) -> float:
        loop.loss = OTHER[name](loop)
        return 0.0

    both(lambda: kind("Adam", judged=other).run().numbers())


def test_a_class_that_is_none_is_torchs_error(whole: list[bool]) -> None:
    def judge(loop: Loop) -> int:
        loop.loss = F.cross_entropy(loop.output, loop.y + 1)
        return 0

    with dialect(), pytest.raises((IndexError, RuntimeError), match=r"[Tt]arget"):
        Loop(judged=judge).run()


@pytest.mark.parametrize("what", ["weights", "x"])
def test_what_a_view_has_changed_is_told(what: str, whole: list[bool]) -> None:
    def change(loop: Loop) -> int:
        (view if what == "weights" else loop.x.view(-1)).mul_(0.5)
        return 0

    with dialect():
        loop = Loop(judged=change)
        view = loop.net[4].weight.detach()
        with pytest.raises(DialectError, match=re.escape("STRIATE_GRADIENTS=kept")):
            loop.run()
    assert not whole


@pytest.mark.parametrize("word", ["type", "jit", "Function", "grad", "torch.func"])
def test_a_script_that_might_see_it_does_not_wait(word: str, whole: list[bool]) -> None:
    with dialect(word):
        Loop().run()
    assert not whole


def test_a_method_is_no_question_for_a_kind(whole: list[bool]) -> None:
    with dialect("labels", "labels.type", "type"):
        Loop().run()
    assert all(whole)
    assert whole


def test_classes_that_are_changed_after_the_loss_leave_it(whole: list[bool]) -> None:
    """Torch keeps the numbers of the classes: a change of them is an error of its backward."""

    def change(loop: Loop) -> int:
        loop.y.add_(1).remainder_(5)
        return 0

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        Loop(judged=change).run()
    Y.copy_(torch.arange(40) * 7 % 5)
    with dialect(), pytest.raises(DialectError, match=re.escape("STRIATE_GRADIENTS=kept")):
        Loop(judged=change).run()
    Y.copy_(torch.arange(40) * 7 % 5)


def test_an_output_that_is_dropped_is_not_computed(
    whole: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    original = Call.run
    monkeypatch.setattr(Call, "run", lambda self: runs.append(1) or original(self))
    with dialect():
        loop = Loop().run()
        before = len(runs)
        for _ in range(3):
            loop.net(X[:20])
        assert len(runs) == before
        assert loop.net(X[:20]).sum().item() == pytest.approx(loop.net(X[:20]).sum().item())


def test_an_output_that_is_dropped_counts_for_the_statistics(whole: list[bool]) -> None:
    def train() -> list[Tensor]:
        loop = Normalized("Adam").run()
        for size in (20, 7, 20):
            loop.net(X[:size])
        first = loop.net.state_dict()["1.running_mean"].clone()
        loop.net(X[20:])
        return [first, *loop.numbers(), loop.net.eval()(X).detach()]

    both(train)
    assert any(whole)


def test_a_network_that_is_gone_leaves_no_memory(whole: list[bool]) -> None:
    gc.disable()
    try:
        with installed("pytorch") as session:
            session.script.words = [("name", "backward", "line 1")]
            loop = Loop("Adam").run()
            made = loop.output.made
            engine = weakref.ref(made.call.plan.execution.engine)
            session.script.trained.clear()
            del loop, made
    finally:
        gc.enable()
    assert any(whole)
    assert engine() is None


def test_a_loss_that_is_kept_does_not_keep_its_batch(whole: list[bool]) -> None:
    batches: list[weakref.ref[Tensor]] = []

    def keep(loop: Loop) -> int:
        kept.append(loop.loss)
        batches.append(weakref.ref(loop.x))
        return 0

    kept: list[Tensor] = []
    with dialect():
        loop = Loop("Adam", stepped=keep).run()
        loop.x = torch.zeros(0)
        assert len(batches) == len(kept) == STEPS - FIRST
        assert [one() for one in batches] == [None] * len(batches)
        assert all(one.item() > 0 for one in kept)
    assert all(whole)


def test_a_thread_does_not_wait(whole: list[bool]) -> None:
    with dialect():
        thread = threading.Thread(target=lambda: Loop().run())
        thread.start()
        thread.join()
    assert not whole
