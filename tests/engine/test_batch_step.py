"""Batches that are given one by one: natively by the same plan, whatever happens between them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import striate as st
from striate import layers as L
from striate.engine.hooks import set_rate
from striate.engine.native import NativeStep

RNG = np.random.default_rng(0)
X = RNG.random((48, 8, 8, 1)).astype(np.float32)
Y = RNG.integers(0, 3, 48)


def compiled(engine: str = "auto") -> st.Model:
    st.seed(0)
    net = [L.Conv2D(8, 3, activation="relu"), L.BatchNormalization(), L.Flatten(), L.Dense(3)]
    model = st.Sequential([L.Input((8, 8, 1)), *net])
    model.compile("adam", "crossentropy", metrics=["accuracy"], engine=engine)
    return model


def nothing(model: st.Model) -> None:
    """Leave it as it is."""


def new_weights(model: st.Model) -> None:
    model.layers[0].set_weights([one * 0.5 for one in model.layers[0].get_weights()])


def frozen(model: st.Model) -> None:
    model.layers[0].trainable = False


def fitted(model: st.Model) -> None:
    model.fit(X, Y, batch_size=16, epochs=1, shuffle=False, verbose=0)


def slower(model: st.Model) -> None:
    set_rate(model, 1e-5)


BETWEEN: list[Callable[[st.Model], None]] = [
    nothing, new_weights, frozen, fitted, slower,
]  # fmt: skip


def trained(model: st.Model, between: Callable[[st.Model], None]) -> list[Any]:
    """Return the losses of batches, of some of other sizes, with something between them."""
    sizes = [slice(0, 16), slice(16, 32), slice(32, 48), slice(0, 5), slice(0, 48)]
    losses = [model.train_on_batch(X[one], Y[one]) for one in sizes[:3]]
    between(model)
    losses += [model.train_on_batch(X[one], Y[one]) for one in sizes]
    return [*losses, model.test_on_batch(X, Y)]


@pytest.mark.parametrize("between", BETWEEN)
def test_steps_are_those_of_torch(between: Callable[[st.Model], None]) -> None:
    natively, plain = compiled(), compiled("torch")
    np.testing.assert_allclose(trained(natively, between), trained(plain, between), rtol=2e-3)
    for one, other in zip(natively.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-2, atol=2e-4)


def test_a_plan_is_made_once() -> None:
    model = compiled("native")
    for _ in range(3):
        model.train_on_batch(X[:16], Y[:16])
    step = model.setup.steps[True]  # type: ignore[union-attr]
    assert isinstance(step, NativeStep)
    assert len(step.plans) == 1
    set_rate(model, 0.1)
    model.train_on_batch(X[:16], Y[:16])
    assert model.setup.steps[True] is step  # type: ignore[union-attr]


def test_a_copy_trains_for_itself() -> None:
    model = compiled()
    model.train_on_batch(X, Y)
    before = [one.clone() for one in model.parameters()]
    other = copy.deepcopy(model)
    other.train_on_batch(X, Y)
    assert all(map(torch.equal, before, model.parameters()))
    assert not any(map(torch.equal, before, other.parameters()))


def test_two_models_share_layers() -> None:
    def pair(engine: str) -> tuple[st.Model, st.Model]:
        inner = compiled(engine)
        judge = st.Sequential([L.Input((8, 8, 1)), L.Conv2D(1, 3, padding="same"), inner])
        judge.compile("sgd", "crossentropy", engine=engine)
        return inner, judge

    natively, plain = pair("auto"), pair("torch")
    for inner, judge in (natively, plain):
        for _ in range(3):
            inner.train_on_batch(X[:16], Y[:16])
            judge.train_on_batch(X[16:32], Y[16:32])
    for one, other in zip(natively[1].parameters(), plain[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-4)
