"""Plans of whole networks with wrong words: refused, or run without touching memory outside.

What they touch is seen by the sanitizers: scripts/sanitize address tests/native/test_fuzz.py --slow
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from graphs import random_model
from native_steps import SHOWS_GRADIENTS

from striate.errors import TrainingError
from striate.lower.lower import Head, Lowered, lower
from striate.lower.plan import Plan
from striate.lower.runtime import Engine, Library, library
from striate.lower.trace import trace

from .support import ISAS, Array

BATCH, NETWORKS = 3, 20
QUICK, ALL = 150, 1000
HEADER = 5  # words: batch, arena bytes, sums, buffers, stages


@dataclass
class Mutant(Plan):
    """A plan that gives other words than its own."""

    changed: tuple[int, ...] = ()

    def words(self, kernels: Any) -> list[int]:
        return list(self.changed)


@functools.cache
def original(number: int) -> Lowered:
    """Return the plan of a random network: for training, for the loss, for outputs, for one."""
    model = random_model(number)
    kind = number % 4
    program = trace(model.graph, training=kind == 0)
    flat = model.outputs[0].spec.shape[-1] or 1
    head = Head("softmax_crossentropy", labels=True) if flat > 1 and kind < 2 else None
    update = SHOWS_GRADIENTS if kind == 0 and head is not None else None
    assert not isinstance(update, str)
    batch = 1 if kind == 3 else BATCH
    return lower(
        program, batch, ["float32"] * len(program.inputs), head=head, update=update, shares=2
    )


def sources(lowered: Lowered, rng: np.random.Generator) -> list[Array]:
    """Return arrays for a run: inputs, then labels of which some are no classes, or outputs."""
    program = lowered.program
    sizes = [int(np.prod(program.values[at].shape)) for at in program.inputs]  # type: ignore[arg-type]
    given: list[Array] = [rng.standard_normal((BATCH, size), np.float32) for size in sizes]
    if lowered.plan.sums:
        return [*given, rng.integers(-5, 50, (BATCH, 1), np.int32)]
    outputs = [program.values[at].shape for at in program.outputs]
    return [*given, *(np.zeros((BATCH, *shape), np.float32) for shape in outputs)]  # type: ignore[arg-type]


def mutated(words: list[int], rng: np.random.Generator) -> tuple[int, ...]:
    """Return words of which one to three are others."""
    words = list(words)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(words)))
        near = words[at] + int(rng.integers(-2, 3)) * int(rng.choice((1, 4, 16, 64)))
        other = words[int(rng.integers(len(words)))]
        far = int(rng.choice((-1, 0, 1, 2, 17, 255, 4096, 1 << 40, -(1 << 62), 1 << 62)))
        words[at] = (near, other, far)[int(rng.integers(3))]
    return tuple(words)


def runs(seed: int, native: Library) -> bool:
    """Run a plan with wrong words; return whether it was not refused."""
    rng = np.random.default_rng(seed)
    lowered = original(seed % NETWORKS)
    words = mutated(lowered.plan.words(native.kernels), rng)
    if not 0 <= words[2] < 4096 or not 0 <= words[4] < 4096:
        words = (*words[:2], 2, words[3], len(lowered.plan.stages), *words[HEADER:])
    plan = Mutant(words[0], words[2], changed=words)
    given = sources(lowered, rng)
    with contextlib.suppress(TrainingError):
        engine = Engine(plan, native)
        stages = (0, words[4])
        engine.run(min(BATCH, max(words[0], 1)), given, stages=stages, rates=np.ones(8), threads=1)
        return True
    return False


def test_wrong_words_are_refused_or_safe() -> None:
    native = library(ISAS[-1])
    assert native is not None
    ran = sum(runs(seed, native) for seed in range(QUICK))
    assert QUICK // 20 < ran < QUICK


@pytest.mark.slow
@pytest.mark.parametrize("isa", ISAS)
def test_a_thousand_plans_with_wrong_words_are_refused_or_safe(isa: str) -> None:
    native = library(isa)
    assert native is not None
    ran = sum(runs(seed, native) for seed in range(ALL))
    assert ALL // 20 < ran < ALL


def test_right_words_run() -> None:
    native = library(ISAS[-1])
    assert native is not None
    for number in range(NETWORKS):
        lowered = original(number)
        given = sources(lowered, np.random.default_rng(0))
        if lowered.plan.sums:
            given[-1] %= 1  # class 0
        engine = Engine(lowered.plan, native)
        engine.run(lowered.plan.batch, given, rates=np.ones(1), threads=1)
