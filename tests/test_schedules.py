"""Schedules against those of Keras and of torch, and their messages."""

from __future__ import annotations

import json

import pytest
import torch
from cases import told
from golden.make_keras_optimizers import FILE, SCHEDULES, STEPS, key

from striate.optimizers import schedules
from striate.optimizers.schedules import (
    Constant,
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    OneCycle,
    PiecewiseConstantDecay,
    Schedule,
    WarmUp,
)

KERAS = json.loads(FILE.read_text())["schedules"]


@pytest.mark.parametrize(("name", "fields"), SCHEDULES, ids=str)
def test_values_are_those_of_keras(name, fields):
    schedule = getattr(schedules, name)(**fields)
    ours = [schedule(step) for step in STEPS]
    assert ours == pytest.approx(KERAS[key(name, fields)], rel=1e-5, abs=1e-8)
    assert {type(rate) for rate in ours} == {float}


@pytest.mark.parametrize(("name", "fields"), SCHEDULES, ids=str)
def test_a_description_gives_the_same_schedule_back(name, fields):
    schedule = getattr(schedules, name)(**fields)
    assert schedules.get(json.loads(json.dumps(schedule.get_config()))) == schedule


def test_restarts_begin_again_at_the_top():
    schedule = CosineDecayRestarts(1.0, 10, t_mul=2.0, m_mul=0.5)
    assert [schedule(step) for step in (0, 10, 30, 70)] == [1.0, 0.5, 0.25, 0.125]


def test_one_cycle_is_that_of_torch():
    optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=40)
    schedule = OneCycle(0.5, total_steps=40)
    for step in range(40):
        assert schedule(step) == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
        if step < 39:
            optimizer.step()
            theirs.step()
    assert schedule(1000) == schedule(39) == pytest.approx(0.5 / 25 / 1e4)


def test_warm_up_rises_and_then_begins_the_schedule():
    schedule = WarmUp(PiecewiseConstantDecay([3], [1.0, 0.5]), steps=4, start=0.2)
    rates = [schedule(step) for step in range(9)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0, 1.0, 0.5])
    assert WarmUp(0.1, steps=10)(5) == 0.05


def test_get_takes_numbers_schedules_descriptions_and_functions():
    assert schedules.get(0.5) == Constant(0.5)
    assert schedules.get(0.5)(7) == 0.5
    assert schedules.get({"name": "cosine_decay", "initial_learning_rate": 1, "decay_steps": 2})(
        1
    ) == pytest.approx(0.5)
    twice = CosineDecay(0.1, 10)
    assert schedules.get(twice) is twice
    assert schedules.get(abs) is abs


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: PiecewiseConstantDecay([1, 2], [0.1, 0.2]),
            "PiecewiseConstantDecay: values and boundaries do not fit each other\n"
            "  got   2 boundaries, 2 values\n"
            "  need  one value more than there are boundaries\n"
            "  math  2 + 1 = 3\n"
            "  fix   give a value before the first boundary and one after each",
        ),
        (
            lambda: PiecewiseConstantDecay(10, [0.1, 0.2]),
            "PiecewiseConstantDecay: boundaries=10 is not a list of numbers\n"
            "  fix   PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])",
        ),
        (
            lambda: PiecewiseConstantDecay([10], [0.1, "low"]),
            "PiecewiseConstantDecay: values='low' cannot work\n"
            "  got   values='low'\n"
            "  need  a number, values >= 0\n"
            "  fix   give values a number of at least 0",
        ),
        (
            lambda: PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]),
            "PiecewiseConstantDecay: the boundaries do not rise\n"
            "  got   boundaries=[2, 1]\n"
            "  need  each boundary above the one before\n"
            "  fix   boundaries=[1, 2]",
        ),
        (
            lambda: CosineDecay(0.1, 10, warmup_steps=5),
            "CosineDecay: warmup_steps have no learning rate to rise to\n"
            "  got   warmup_steps=5, warmup_target=None\n"
            "  need  warmup_target, the learning rate at the end of the warm-up\n"
            "  fix   initial_learning_rate=0.0, warmup_target=0.1",
        ),
        (
            lambda: ExponentialDecay(0.1, 0, 0.5),
            "ExponentialDecay: decay_steps=0 cannot work\n"
            "  got   decay_steps=0\n"
            "  need  a number, decay_steps > 0\n"
            "  fix   give decay_steps a number greater than 0",
        ),
        (
            lambda: OneCycle(0.1, 10, pct_start=1.0),
            "OneCycle: pct_start=1.0 cannot work\n"
            "  got   pct_start=1.0\n"
            "  need  a number, 0 < pct_start < 1\n"
            "  fix   pct_start=0.3",
        ),
        (
            lambda: schedules.get({"name": "cosine"}),
            "schedules: unknown schedule 'cosine'\n"
            "  need  one of constant, cosine_decay, cosine_decay_restarts, exponential_decay, "
            "inverse_time_decay, one_cycle, piecewise_constant_decay, polynomial_decay, warm_up\n"
            '  fix   did you mean "cosine_decay"?',
        ),
        (
            lambda: schedules.get("fast"),
            "learning_rate: is neither a number nor a schedule\n"
            "  got   learning_rate='fast'\n"
            "  need  a number >= 0, a schedule, or a function from the step to a number\n"
            "  fix   learning_rate=0.001, or "
            "optimizers.schedules.CosineDecay(0.001, decay_steps=1000)",
        ),
    ],
)
def test_messages(make, message):
    assert told(make) == message


def test_a_schedule_must_be_defined():
    with pytest.raises(TypeError, match=r"^Schedule does not define __call__$"):
        Schedule()(0)
