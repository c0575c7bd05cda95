"""Outputs and losses of ReNom that wait for the step: whoever looks at them finds the nodes."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed
from striate.dialects.renom import native
from striate.dialects.renom.awaited import Awaited
from striate.lower.runtime import library

RNG = np.random.default_rng(0)
X = RNG.random((24, 1, 8, 8)).astype(np.float32)
T = np.eye(4, dtype=np.float32)[RNG.integers(0, 4, 24)]
STEPS, FIRST = 8, 3  # the first makes the weights, two more tell how a loop steps
Look = Callable[["Loop"], Any]


@pytest.fixture
def rm() -> Iterator[Any]:
    assert library() is not None
    with installed("renom"):
        import renom  # type: ignore[import-not-found]

        yield renom


class Loop:
    """A loop over three batches; it keeps what is looked at."""

    def __init__(self, rm: Any, **looks: Look) -> None:
        np.random.seed(3)  # noqa: NPY002  what ReNom draws from
        self.rm, self.looks, self.seen = rm, looks, list[Any]()
        self.net = rm.Sequential([
            rm.Conv2d(channel=16, filter=3, padding=1), rm.Relu(), rm.MaxPool2d(filter=2, stride=2),
            rm.Flatten(), rm.Dense(32), rm.Relu(), rm.Dense(4),
        ])  # fmt: skip
        self.optimizer = rm.Sgd(0.1)
        self.targets = T

    def look(self, when: str) -> None:
        if when in self.looks and self.number >= FIRST:
            self.seen.append(self.looks[when](self))

    def run(self) -> Loop:
        for self.number in range(STEPS):
            part = slice(8 * (self.number % 3), 8 * (self.number % 3) + 8)
            with self.net.train():
                self.z = self.net(X[part])
                self.look("called")
                self.loss = self.rm.softmax_cross_entropy(self.z, self.targets[part])
            self.look("judged")
            self.grads = self.loss.grad()
            self.look("grad")
            self.grads.update(self.optimizer)
            self.look("updated")
        return self

    def numbers(self) -> list[Any]:
        weights = [np.array(one) for one in self.net.variables()]
        return [*weights, *(np.array(one, np.float64) for one in self.seen)]


def both(monkeypatch: pytest.MonkeyPatch, train: Callable[[], Loop]) -> None:
    """Compare what a loop makes natively and part by part."""
    mine = train().numbers()
    with monkeypatch.context() as patch:
        patch.setattr(native.Runner, "__call__", lambda self, parts, x: None)
        theirs = train().numbers()
    assert len(mine) == len(theirs)
    for here, there in zip(mine, theirs, strict=True):
        assert here.shape == there.shape
        np.testing.assert_allclose(here, there, rtol=1e-3, atol=2e-5)


def test_a_step_is_one_run(rm: Any, whole: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    both(monkeypatch, lambda: Loop(rm).run())
    assert whole == [True] * (STEPS - FIRST)


def test_targets_that_do_not_add_up_to_one(
    rm: Any, whole: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train() -> Loop:
        loop = Loop(rm, updated=lambda loop: loop.loss.as_ndarray())
        loop.targets = (T * 2 + 0.25).astype(np.float32)
        return loop.run()

    both(monkeypatch, train)
    assert whole == [True] * (STEPS - FIRST)


LOSS: dict[str, Look] = {
    "as_ndarray": lambda loop: loop.loss.as_ndarray(),
    "float": lambda loop: float(loop.loss),
    "asarray": lambda loop: np.asarray(loop.loss),
    "sum": lambda loop: np.sum([loop.loss, loop.loss]),
    "format": lambda loop: float(f"{float(loop.loss):.4f}"),
    "str": lambda loop: round(float(str(loop.loss)), 4),
    "arithmetic": lambda loop: 2 * loop.loss + np.float32(1) - loop.loss / 3,
    "an array on the left": lambda loop: np.ones(3, np.float32) * loop.loss,
    "compared": lambda loop: bool(loop.loss > 0.5),
    "deepcopy": lambda loop: copy.deepcopy(loop.loss),
    "pickle": lambda loop: pickle.loads(pickle.dumps(loop.loss)),
    "kind": lambda loop: [isinstance(loop.loss, np.ndarray), isinstance(loop.loss, loop.rm.Node)],
    "shape": lambda loop: [*loop.loss.shape, loop.loss.ndim, loop.loss.size],
}
OUTPUT: dict[str, Look] = {
    "as_ndarray": lambda loop: loop.z.as_ndarray(),
    "argmax": lambda loop: np.argmax(loop.z, axis=1),
    "its argmax": lambda loop: loop.z.argmax(1),
    "asarray": lambda loop: np.array(loop.z),
    "softmax": lambda loop: loop.rm.softmax(loop.z).as_ndarray(),
    "a row": lambda loop: loop.z[1].as_ndarray(),
    "length": lambda loop: [len(loop.z), *loop.z.shape],
    "concatenated": lambda loop: np.concatenate([loop.z, np.ones((8, 1))], 1),
    "rows": lambda loop: [float(one.sum()) for one in loop.z],
    "reshaped": lambda loop: loop.z.reshape(-1).as_ndarray(),
}
WHEN = {"called": OUTPUT, "judged": LOSS | {f"z {name}": look for name, look in OUTPUT.items()}}
WHEN |= {"grad": WHEN["judged"], "updated": WHEN["judged"]}
LOOKS = [(when, name) for when, looks in WHEN.items() for name in looks]


@pytest.mark.parametrize(("when", "name"), LOOKS)
def test_what_is_looked_at_is_what_the_parts_give(
    rm: Any, when: str, name: str, whole: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    both(monkeypatch, lambda: Loop(rm, **{when: WHEN[when][name]}).run())
    if when == "updated":
        assert whole == [True] * (STEPS - FIRST)


def _clip(loop: Loop) -> int:
    for variable in loop.net.variables():
        loop.grads.set(variable, np.clip(loop.grads.get(variable), -0.01, 0.01))
    return 0


def _other_loss(loop: Loop) -> int:
    with loop.net.train():
        other = loop.rm.softmax_cross_entropy(loop.net(X[:4]), T[:4])
    other.grad().update(loop.optimizer)
    return 0


def _kept_open(loop: Loop) -> Any:
    return np.array(loop.loss.grad(detach_graph=False).get(loop.net.l0.params.w))


def _in_training(loop: Loop) -> Any:
    with loop.net.train():
        return loop.net(X[:5])


MORE: dict[str, tuple[str, Look]] = {
    "gradients changed": ("grad", _clip),
    "a gradient": ("grad", lambda loop: np.array(loop.grads.get(loop.net.l0.params.w))),
    "another step": ("grad", _other_loss),
    "another call": ("called", _in_training),
    "another call before grad": ("judged", _in_training),
    "another call before update": ("grad", _in_training),
    "evaluation": ("judged", lambda loop: loop.net(X[:5]).as_ndarray()),
    "history kept": ("judged", _kept_open),
    "weights set": ("judged", lambda loop: float(loop.net.l6.params.w.value.mul_(0.9).sum())),
    "squared": ("judged", lambda loop: np.array(loop.rm.mean_squared_error(loop.z, T[:8]))),
}


@pytest.mark.parametrize("name", MORE)
def test_what_else_happens_within_a_step(
    rm: Any, name: str, whole: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    when, look = MORE[name]
    both(monkeypatch, lambda: Loop(rm, **{when: look}).run())


def test_a_loop_that_looks_too_early_does_not_wait_any_more(rm: Any, whole: list[bool]) -> None:
    kinds: list[bool] = []

    def look(loop: Loop) -> Any:
        kinds.append(type(loop.z).__mro__[1] is Awaited)
        return loop.z.as_ndarray()

    Loop(rm, called=look).run()
    assert kinds == [True, True, False, False, False]
    assert not any(whole)


def test_values_keep_their_numbers_when_later_steps_are_made(
    rm: Any, whole: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train() -> Loop:
        kept: list[Any] = []
        loop = Loop(rm, updated=lambda loop: kept.extend([loop.loss, loop.z]) or 0).run()
        loop.seen += kept
        return loop

    both(monkeypatch, train)
    assert whole == [True] * (STEPS - FIRST)


def test_a_thread_does_not_wait(rm: Any, whole: list[bool]) -> None:
    loop = Loop(rm)
    thread = threading.Thread(target=loop.run)
    thread.start()
    thread.join()
    assert loop.number == STEPS - 1
    assert not whole
