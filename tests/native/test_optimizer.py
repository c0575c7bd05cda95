"""The update kernel follows the optimizers of the package: a hundred steps of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from striate import optimizers
from striate.errors import TrainingError
from striate.lower.plan import Over, Stage, round_up
from striate.lower.runtime import Engine, library

from .support import Array, Bench, call, close, each_isa

STEPS = 100
SLOTS = ("first", "second", "third")
BETAS = {"momentum": 0.9, "second_decay": 0.999, "epsilon": 1e-7}
RHO = {"momentum": 0.9, "epsilon": 1e-7}

# the optimizer, its number and its fields, and what its slots are called there
RULES: dict[str, tuple[optimizers.Optimizer, dict[str, float], tuple[str, ...]]] = {
    "sgd": (optimizers.SGD(), {"optimizer": 1}, ()),
    "momentum": (
        optimizers.SGD(momentum=0.9),
        {"optimizer": 2, "momentum": 0.9},
        ("momentum",),
    ),
    "nesterov": (
        optimizers.SGD(momentum=0.9, nesterov=True),
        {"optimizer": 2, "momentum": 0.9, "nesterov": 1},
        ("momentum",),
    ),
    "decay": (optimizers.SGD(weight_decay=0.2), {"optimizer": 1, "weight_decay": 0.2}, ()),
    "rmsprop": (optimizers.RMSprop(), {"optimizer": 3, **RHO}, ("velocity",)),
    "rmsprop_all": (
        optimizers.RMSprop(momentum=0.5, centered=True),
        {"optimizer": 3, **RHO, "second_decay": 0.5},
        ("velocity", "momentum", "average_gradient"),
    ),
    "adam": (optimizers.Adam(), {"optimizer": 4, **BETAS}, ("momentum", "velocity")),
    "amsgrad": (
        optimizers.Adam(amsgrad=True),
        {"optimizer": 4, **BETAS},
        ("momentum", "velocity", "velocity_hat"),
    ),
    "adamw": (
        optimizers.AdamW(weight_decay=0.1),
        {"optimizer": 5, **BETAS, "weight_decay": 0.1},
        ("momentum", "velocity"),
    ),
    "adagrad": (optimizers.Adagrad(), {"optimizer": 6, "epsilon": 1e-7}, ("accumulator",)),
    "adadelta": (
        optimizers.Adadelta(rho=0.9),
        {"optimizer": 7, **RHO},
        ("accumulated_grad", "accumulated_delta"),
    ),
    "adamax": (optimizers.Adamax(), {"optimizer": 8, **BETAS}, ("momentum", "norm")),
    "nadam": (optimizers.Nadam(), {"optimizer": 9, **BETAS}, ("momentum", "velocity")),
}


def bench_of(isa: str, weight: Array, samples: int = 1, block: int = 0) -> tuple[Bench, int, int]:
    """Return a plan's beginning, its weight and its gradient, with a piece per block of samples."""
    kernels = library(isa)
    assert kernels is not None
    bench = Bench(kernels, samples, block or 1)
    gradient = bench.plan.add(weight.size, bench.slots if block else 1)
    return bench, bench.weight(weight), gradient


def add_update(bench: Bench, weight: int, gradient: int, count: int, **fields: Any) -> None:
    update = call("update", bench.library, weight=weight, gradient=gradient, count=count, **fields)
    bench.plan.stages.append(Stage(Over.PARTS, 1, [update]))


def padded(values: Array) -> Array:
    more = round_up(values.size, 16) - values.size
    return np.pad(values, (0, more)).astype(np.float32)


@each_isa
@pytest.mark.parametrize("name", RULES)
def test_a_hundred_steps(isa: str, name: str) -> None:
    optimizer, fields, slots = RULES[name]
    count, random = 5003, np.random.default_rng(3)  # two parts, the second not filled
    start = random.standard_normal(count).astype(np.float32)
    bench, weight, gradient = bench_of(isa, padded(start))
    tensor = torch.from_numpy(start.copy())
    state = optimizer.init([tensor])
    kept = {
        slot: bench.weight(padded(state[own][0].numpy()))
        for slot, own in zip(SLOTS, slots, strict=False)
    }
    add_update(bench, weight, gradient, count, **fields, **kept)
    engine = bench.engine()
    for step in range(STEPS):
        g = random.standard_normal(count).astype(np.float32)
        rate = 0.01 / (1 + step / 50)
        engine.array(gradient)[0, :count] = g
        engine.run(1, rates=np.array([rate]), update=step + 1, threads=1 + step % 2)
        optimizer.update([tensor], [torch.from_numpy(g)], state, rate)
    close(engine.array(weight)[0, :count], tensor.numpy())
    assert not engine.array(weight)[0, count:].any()
    for slot, own in zip(SLOTS, slots, strict=False):
        close(engine.array(kept[slot])[0, :count], state[own][0].numpy())


@each_isa
def test_regularizers_add_their_gradients(isa: str) -> None:
    w = np.array([0.5, -0.25, 0.0, 2.0] * 4, np.float32)
    bench, weight, gradient = bench_of(isa, w)
    add_update(bench, weight, gradient, 16, optimizer=1, l1=0.125, l2=0.25)
    engine = bench.run(rates=np.array([1.0]))
    want = w - (0.125 * np.sign(w) + 2 * 0.25 * w)
    np.testing.assert_array_equal(engine.array(weight)[0], want)


def run_slots(isa: str, samples: int, **fields: float) -> tuple[Engine, int, int, Array]:
    bench, weight, gradient = bench_of(isa, np.zeros(304, np.float32), samples=10, block=3)
    pieces = np.random.default_rng(0).standard_normal((4, 304)).astype(np.float32)
    bench.values[gradient] = pieces
    add_update(bench, weight, gradient, 304, slots_block=3, **fields)
    return bench.run(samples, rates=np.array([1.0])), weight, gradient, pieces


@each_isa
@pytest.mark.parametrize(("samples", "pieces"), [(10, 4), (9, 3), (7, 3), (1, 1)])
def test_the_pieces_of_a_gradient_are_added_in_order(isa: str, samples: int, pieces: int) -> None:
    engine, weight, _, slots = run_slots(isa, samples, optimizer=1)
    want = slots[0].copy()
    for slot in slots[1:pieces]:
        want += slot
    np.testing.assert_array_equal(engine.array(weight)[0], -want)


@each_isa
def test_without_an_optimizer_the_sum_is_left_in_the_first_piece(isa: str) -> None:
    engine, weight, gradient, slots = run_slots(isa, 10)
    want = ((slots[0] + slots[1]) + slots[2]) + slots[3]
    np.testing.assert_array_equal(engine.array(gradient)[0], want)
    assert not engine.array(weight).any()


@each_isa
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"optimizer": 12}, "optimizer = 12, need 0 to 11"),
        ({"optimizer": 4}, "first is no buffer"),
        ({"optimizer": 1, "count": 33}, "weight has 1 x 128 bytes, needs 1 x 192"),
        ({"optimizer": 1, "count": -1}, "count = -1, need 1 to 68719476736"),
        ({"optimizer": 1, "slots_block": 1}, "gradient has 1 x 128 bytes, needs 2 x 128"),
    ],
)
def test_a_call_that_would_leave_its_buffers_is_refused(
    isa: str, fields: dict[str, int], message: str
) -> None:
    bench, weight, gradient = bench_of(isa, np.zeros(32, np.float32), samples=2)
    add_update(bench, weight, gradient, **{"count": 32, **fields})
    with pytest.raises(TrainingError) as error:
        bench.engine()
    assert str(error.value) == (
        "the native engine: refused a plan\n"
        f"  got   stage 0, update: {message}\n"
        '  fix   engine="torch"'
    )


def row(weight: Array, *others: Array) -> Any:
    places = [one.ctypes.data for one in (weight, *others)]
    return (*places, *[None] * (5 - len(places)), weight.size)


@each_isa
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("size", [1, 13, 16, 37])
def test_weights_of_any_number_are_changed_in_one_pass(isa: str, name: str, size: int) -> None:
    optimizer, fields, slots = RULES[name]
    kernels, rng = library(isa), np.random.default_rng(0)
    assert kernels is not None
    if fields.get("weight_decay"):
        optimizer = type(optimizer)(weight_decay=0.0)  # it is another part's
        fields = {**fields, "weight_decay": 0.0}
    memory = rng.random((2 + 3, size + 1)).astype(np.float32)  # the last of each is not theirs
    memory[2:, :-1] = 0
    before = memory[:, -1].copy()
    weight, gradient, *kept = memory[:, :-1]
    places = dict(zip(slots, kept, strict=False))
    expected = torch.tensor(weight)
    state = {slot: [torch.zeros(size)] for slot in slots}
    for step in (1, 2, 3):
        gradient[:] = rng.normal(size=size)
        kernels.update({**fields, "rate": 0.1, "step": step},
                       [row(weight, gradient, *(places[slot] for slot in slots))])  # fmt: skip
        optimizer.rule([expected], [torch.tensor(gradient)], state, 0.1, step)
    close(weight, expected.numpy())
    for slot in slots:
        close(places[slot], state[slot][0].numpy())
    assert np.array_equal(memory[:, -1], before)


@each_isa
@pytest.mark.parametrize("fields", [{"dampening": 0.3}, {"nesterov": True}])
def test_a_heavy_ball_is_what_torch_calls_a_momentum(isa: str, fields: dict[str, Any]) -> None:
    kernels, rng = library(isa), np.random.default_rng(0)
    assert kernels is not None
    expected = torch.tensor(rng.normal(size=37).astype(np.float32))
    weight = expected.numpy().copy()
    optimizer = torch.optim.SGD([expected], 0.1, momentum=0.9, weight_decay=0.01, **fields)
    expected.grad = torch.zeros_like(expected)
    optimizer.step()  # the first one keeps the gradient as it is
    kept = optimizer.state[expected]["momentum_buffer"].numpy().copy()
    weight[:] = expected.numpy()
    rule = {"optimizer": 10, "momentum": 0.9, "second_decay": fields.get("dampening", 0.0),
            "nesterov": "nesterov" in fields, "l2": 0.005, "rate": 0.1, "step": 1}  # fmt: skip
    for _ in range(5):
        gradient = rng.normal(size=37).astype(np.float32)
        expected.grad = torch.tensor(gradient)
        optimizer.step()
        kernels.update(rule, [row(weight, gradient, kept)])
    close(weight, expected.numpy())
    close(kept, optimizer.state[expected]["momentum_buffer"].numpy())


@each_isa
def test_weights_that_threads_share_are_changed_as_by_one(isa: str) -> None:
    kernels, rng = library(isa), np.random.default_rng(0)
    assert kernels is not None
    sizes = (3, 500_001, 1, 16384, 90_000)  # enough to be shared, in parts that end anywhere
    arrays = [rng.random((4, size)).astype(np.float32) for size in sizes]
    several = {threads: [one.copy() for one in arrays] for threads in (1, 2, 3)}
    for threads, copies in several.items():
        for step in (1, 2, 3):
            kernels.update({"optimizer": 4, **BETAS, "rate": 0.01, "step": step},
                           [row(*one) for one in copies], threads)  # fmt: skip
    for before, one, two, three in zip(arrays, *several.values(), strict=True):
        assert (one[0] != before[0]).all()
        np.testing.assert_array_equal(two, one)
        np.testing.assert_array_equal(three, one)
