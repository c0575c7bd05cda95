"""A model as one operation of autograd: values and gradients are torch's, in any order of calls."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import striate as st
from striate import layers as L
from striate.engine import taped
from striate.engine.taped import Taped
from striate.engine.taped_plan import Form, Slots, Step
from striate.lower.lower import Head
from striate.lower.moves import as_it_is
from striate.lower.optimizer import update_of
from striate.lower.runtime import library


def network(*middle: Any, channels_first: bool = True) -> Any:
    shape = (2, 12, 12) if channels_first else (12, 12, 2)
    st.seed(0)
    first = "channels_first" if channels_first else "channels_last"
    return st.Sequential(
        [
            L.Input(shape, data_format=first),
            L.Conv2D(8, 3, padding=1),
            L.ReLU(),
            L.MaxPooling2D(2),
            *middle,
            L.Flatten(),
            L.Dense(300, activation="relu"),  # its weights are shared out among threads
            L.Dense(4),
        ]
    )


def gradients(out: torch.Tensor, labels: torch.Tensor, weights: list[torch.Tensor]) -> Any:
    return torch.autograd.grad(F.cross_entropy(out, labels), weights)


@pytest.fixture(autouse=True)
def needs_the_library() -> None:
    assert library() is not None


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_values_and_gradients_are_those_of_torch(channels_first: bool, dtype: torch.dtype) -> None:
    model = network(L.BatchNormalization(axis=1 if channels_first else -1),
                    channels_first=channels_first)  # fmt: skip
    model.train()
    taped, weights = Taped(model), list(model.parameters())
    assert taped.why_not == ""
    labels = torch.arange(6) % 4
    for size in (6, 3):  # a smaller batch goes through the plan of the larger one
        x = torch.rand(size, *model.input_shape[1:])
        x = (x * 255).to(torch.uint8) if dtype is torch.uint8 else x
        before = [buffer.clone() for buffer in model.buffers()]
        out = taped(x, weights)
        moved = [buffer.clone() for buffer in model.buffers()]
        for buffer, value in zip(model.buffers(), before, strict=True):
            buffer.copy_(value)
        expected = model(x.float())
        torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-4)
        for mine, theirs in zip(moved, model.buffers(), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
        found = gradients(out, labels[:size], weights)
        for mine, theirs in zip(found, gradients(expected, labels[:size], weights), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4)


def test_calls_may_come_between_a_call_and_its_gradients() -> None:
    model = network(L.Dropout(0.5))
    taped, weights = Taped(model), list(model.parameters())
    x, labels = torch.rand(5, 2, 12, 12), torch.arange(5) % 4
    alone = gradients(taped(x, weights), labels, weights)
    taped.calls = 0  # the same dropout once more
    first = taped(x, weights)
    taped(torch.rand(5, 2, 12, 12), weights)
    for mine, theirs in zip(gradients(first, labels, weights), alone, strict=True):
        assert torch.equal(mine, theirs)


def test_dropout_is_drawn_anew_in_each_call() -> None:
    taped = Taped(network(L.Dropout(0.5)))
    weights, x = list(taped.model.parameters()), torch.rand(5, 2, 12, 12)
    assert not torch.equal(taped(x, weights), taped(x, weights))


def test_weights_may_be_others_that_autograd_knows() -> None:
    model = network()
    taped, scale = Taped(model), torch.tensor(2.0, requires_grad=True)
    x = torch.rand(3, 2, 12, 12)
    taped(x, [weight.detach() * scale for weight in model.parameters()]).sum().backward()
    copy = [weight.detach().clone() for weight in model.parameters()]
    with torch.no_grad():
        for weight, one in zip(model.parameters(), copy, strict=True):
            weight.copy_(2 * one)
    model(x).sum().backward()
    slope = sum(
        float((w.grad * one).sum()) for w, one in zip(model.parameters(), copy, strict=True)
    )  # type: ignore[operator]
    assert float(scale.grad) == pytest.approx(slope, rel=1e-4)  # type: ignore[arg-type]


def test_frozen_weights_get_no_gradient() -> None:
    model = network()
    model.layers[0].kernel.requires_grad_(False)
    taped, weights = Taped(model), list(model.parameters())
    taped(torch.rand(3, 2, 12, 12), weights).sum().backward()
    assert weights[0].grad is None and all(weight.grad is not None for weight in weights[1:])


def test_what_no_kernel_computes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(L.Lambda(torch.sin))
    large = [L.Conv2D(64, 7, padding=3), L.ReLU(), L.Lambda(torch.sin), L.Conv2D(8, 5)]
    assert Taped(network(*large)).why_not == ""  # torch computes it, in its turn
    assert Taped(model).why_not == "a layer that no kernel computes"  # for so little it is not
    monkeypatch.setattr(taped, "WORTH", 0)
    assert Taped(model).why_not == ""
    shown = [as_it_is for _ in model.parameters()]
    assert Taped(model, shown).why_not == "a layer that no kernel computes"
    alone = st.Sequential([L.Input((3,)), L.Lambda(torch.sin)])
    assert Taped(alone).why_not == "a layer that no kernel computes"
    x = L.Input((3,))
    assert Taped(st.Model(x, [L.Dense(2)(x), L.Dense(2)(x)])).why_not == "several inputs or outputs"


def test_arrays_of_a_loop_of_ones_own_learn() -> None:
    (x, y), _ = st.datasets.mnist()
    images = torch.from_numpy(np.ascontiguousarray(x[:256])).float() / 255
    st.seed(1)
    model = st.Sequential([L.Input((28, 28, 1)), L.Conv2D(8, 3, activation="relu"),
                           L.MaxPooling2D(4), L.Flatten(), L.Dense(10)])  # fmt: skip
    taped, weights = Taped(model), list(model.parameters())
    optimizer, labels = torch.optim.Adam(weights, 0.01), torch.from_numpy(y[:256]).long()
    losses = []
    for _ in range(25):
        loss = F.cross_entropy(taped(images, weights), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 < losses[0]


def lent() -> tuple[Taped, list[Any], Any]:
    """A network whose first dense kernel lies as in a plan: 288 numbers for each unit."""
    model = network()
    weights = list(model.parameters())
    place = next(at for at, one in enumerate(weights) if one.numel() == 300 * 288)
    weights[place] = torch.nn.Parameter(weights[place].detach().T.contiguous().T)
    return Taped(model), weights, weights[place]


def test_large_weights_and_their_gradients_are_used_where_they_lie() -> None:
    taped, weights, kernel = lent()
    x = torch.rand(3, 2, 12, 12)
    taped(x, weights).sum().backward()
    plan = taped.plan(3, Form(np.dtype("float32")))
    loan = next(loan for (weight, _), loan in zip(plan.weights, plan.loans.loans, strict=True)
                if weight.count == kernel.numel())  # fmt: skip
    assert loan.outside is not None and loan.outside[1] == kernel.data_ptr()
    kernel.data = kernel.data.clone()  # elsewhere now
    before = taped(x, weights)
    assert loan.outside[1] == kernel.data_ptr()
    with torch.no_grad():
        kernel.mul_(0)
    assert not torch.equal(before, taped(x, weights))


def test_a_gradient_that_is_kept_is_not_written_again() -> None:
    taped, weights, kernel = lent()
    kept: list[Any] = []
    for number in range(4):
        kernel.grad = None
        (taped(torch.rand(3, 2, 12, 12), weights).sum() * number).backward()
        kept.append((kernel.grad, kernel.grad.clone()))
    assert all(torch.equal(one, copy) for one, copy in kept)
    assert len({one.data_ptr() for one, _ in kept}) == 4
    places = set()
    kernel.grad = None
    del kept
    for _ in range(4):
        kernel.grad = None
        taped(torch.rand(3, 2, 12, 12), weights).sum().backward()
        places.add(kernel.grad.data_ptr())
    assert len(places) <= 2  # memory that nobody holds is used again


def test_gradients_of_several_calls_add_up() -> None:
    taped, weights, _ = lent()
    x = torch.rand(4, 2, 12, 12)
    for part in (x[:2], x[2:]):
        taped(part, weights).sum().backward()
    several = [weight.grad.clone() for weight in weights]
    whole = torch.autograd.grad(taped(x, weights).sum(), weights)
    for mine, theirs in zip(several, whole, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_a_weight_that_lies_otherwise_is_copied() -> None:
    taped, weights, kernel = lent()
    x, place = torch.rand(3, 2, 12, 12), [id(w) for w in weights].index(id(kernel))
    expected = taped(x, weights)
    whole = torch.cat([torch.zeros(1), kernel.detach().T.reshape(-1)])
    off = whole[1:].view(300, 288).T  # by 4 bytes
    for other in (kernel.detach().contiguous(), off):
        weights[place] = torch.nn.Parameter(other)
        assert torch.equal(taped(x, weights), expected)


def test_only_whole_buffers_at_aligned_addresses_are_placed() -> None:
    model = network()
    plan = Taped(model).plan(2, Form(np.dtype("float32")))
    engine = plan.execution.engine
    weight = next(one for one, _ in plan.weights if one.exact)
    with pytest.raises(st.errors.TrainingError, match="cannot place a buffer") as caught:
        engine.place(weight.buffer, 68)
    assert caught.value.rows["got"].startswith(f"buffer {weight.buffer} (")
    images = next(n for n, one in enumerate(engine.plan.buffers) if one.count > 1)
    with pytest.raises(st.errors.TrainingError, match="cannot place a buffer"):
        engine.place(images, 64)


ADAM = update_of(st.optimizers.Adam(1e-2, epsilon=1e-3))
BY_LABELS = Head("softmax_crossentropy", labels=True, bytes=8)
BY_SHARES = Head("softmax_crossentropy_dense", labels=False)


def stepping(head: Head | None) -> tuple[Taped, list[torch.Tensor], Step]:
    """A network, its weights, and the first step of Adam on them."""
    model = network(L.BatchNormalization(axis=1), L.Dropout(0.5))
    weights = list(model.parameters())
    taped = Taped(model)
    assert not isinstance(ADAM, str)
    taped.expect(ADAM, head)
    taped.seed = 7
    slots = Slots([[torch.zeros_like(one) for _ in ADAM.slots] for one in weights])
    return taped, weights, Step(ADAM, 1e-2, 1, slots)


@pytest.mark.parametrize("head", [BY_LABELS, BY_SHARES])
def test_a_step_of_a_loss_is_that_of_its_gradient(head: Head) -> None:
    x, labels = np.random.default_rng(0).random((5, 2, 12, 12), np.float32), np.arange(5) % 4
    shares = np.eye(4, dtype=np.float32)[labels]
    found = []
    for whole in (True, False):
        taped, weights, step = stepping(head)
        for number in (1, 2):
            call = taped.call(x, weights, later=whole)
            now = dataclasses.replace(step, number=number)
            if whole:
                loss = call.step_of_loss(labels if head.labels else shares, now)
                assert loss is not None
            else:
                out = torch.from_numpy(call.numbers).requires_grad_()
                crossentropy = F.cross_entropy(out, torch.from_numpy(labels))
                (slope,) = torch.autograd.grad(crossentropy, out)
                assert call.step(slope.numpy(), now)
                loss = crossentropy.item()
            found.append([torch.tensor(loss), torch.from_numpy(call.numbers)])
        step.slots.home()
        found[-1] += [
            *weights,
            *taped.model.buffers(),
            *(s for one in step.slots.tensors for s in one),
        ]
    for pair in zip(found[:2], found[2:], strict=True):
        for mine, theirs in zip(*pair, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


def test_a_call_that_has_run_is_no_step_of_a_loss() -> None:
    taped, weights, step = stepping(BY_LABELS)
    x, labels = np.zeros((5, 2, 12, 12), np.float32), np.arange(5) % 4
    call = taped.call(x, weights, later=True)
    assert np.isfinite(call.numbers).all()
    assert call.step_of_loss(labels, step) is None
    other = dataclasses.replace(step, update=update_of(st.optimizers.SGD(0.1)))
    assert taped.call(x, weights, later=True).step_of_loss(labels, other) is None
    alone, weights, step = stepping(None)
    assert alone.call(x, weights, later=True).step_of_loss(labels, step) is None


@pytest.mark.parametrize("without", [range(1), range(1, 99), range(5, 7)])
def test_only_stages_between_others_are_left_out(without: range) -> None:
    taped, _, _ = stepping(BY_LABELS)
    plan = taped.plan(2, Form(np.dtype("float32")))
    run = plan.execution.engine.repeated((0, 3), plan.sources, without=without)
    with pytest.raises(st.errors.TrainingError, match="do not lie between others"):
        run(2)
