"""conv_bf16 against torch in float64 on the rounded numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from striate.errors import TrainingError
from striate.lower.plan import Call
from striate.lower.runtime import Engine, library

from .support import Array, call, close, filled
from .test_conv import CASES, MAX, RELU, Both, Case, Numbers

ISA = "avx512bf16"
pytestmark = pytest.mark.skipif(library(ISA) is None, reason="no library with bfloat16 was built")
DENSE = {name: case for name, case in CASES.items() if case.groups == 1}
each_case = pytest.mark.parametrize("case", DENSE.values(), ids=DENSE)


def rounded(values: Array) -> Array:
    array: Array = torch.tensor(values).bfloat16().float().numpy()
    return array


class BothBf16(Both):
    """The calls of a case with bfloat16 products."""

    def __init__(self, case: Case, numbers: Numbers, **fields: Any) -> None:
        super().__init__(case, ISA, numbers, **fields)
        taps = case.kernel[0] * case.kernel[1]
        self.packs = []
        for backward, name in enumerate(("forward", "backward")):
            summands, lanes = (case.channels, case.filters)[:: 1 - 2 * backward]
            packed = self.bench.plan.add(taps * -(-summands // 2) * filled(np.zeros(lanes)).size)
            self.packs.append(
                call(
                    "pack_bf16", self.bench.library, master=self.master, packed=packed, taps=taps,
                    channels=case.channels, filters=case.filters, backward=backward,
                )
            )  # fmt: skip
            old: Call = getattr(self, name)
            setattr(self, name, Call(f"{old.kernel}_bf16", {**old.fields, "weight": packed}))

    def run(self, threads: int = 1, **options: Any) -> Engine:
        self.bench.over_parts(*self.packs)
        self.bench.over_samples(self.forward, self.backward)
        return self.bench.run(self.numbers.samples, threads, **options)


@each_case
def test_values_and_gradients(case: Case) -> None:
    numbers = Numbers(case)
    both = BothBf16(case, numbers)
    engine = both.run()
    numbers.x, numbers.weight = rounded(numbers.x), rounded(numbers.weight)
    exact = case.activation == RELU and case.pool == MAX and case.step == case.window
    numbers.gradient = rounded(numbers.gradient) if exact else numbers.gradient
    want = numbers.torch()
    close(both.output.inner(engine.array(both.y)), want["output"])
    tolerance = 1e-5 if exact else 5e-3
    close(both.gradient.inner(engine.array(both.dx)), want["input"], tolerance)
    weight = both.weight_gradient(engine)
    close(weight[: case.filters], want["weight"], tolerance)
    assert not weight[case.filters :].any()
    assert not both.output.cells(engine.array(both.y))[..., case.filters :].any()
    assert not both.gradient.cells(engine.array(both.dx))[..., case.channels :].any()


@pytest.mark.parametrize("name", ["forward", "backward"])
def test_groups_are_refused(name: str) -> None:
    case = Case(channels=6, filters=6)
    both = BothBf16(case, Numbers(case))
    right: Call = getattr(both, name)
    setattr(both, name, Call(right.kernel, {**right.fields, "groups": 2}))
    with pytest.raises(TrainingError) as caught:
        both.run()
    assert f", {right.kernel}: bfloat16 has no groups" in str(caught.value)
