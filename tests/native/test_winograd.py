"""conv_winograd and conv_backward_winograd against torch: values and gradients over shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.errors import TrainingError
from striate.lower.plan import Call, round_up
from striate.lower.runtime import Engine

from .support import ISAS, call, close, each_isa
from .test_conv import AVERAGE, LEAKY, MAX, RELU, Both, Case, Numbers

SAME = (1, 1, 1, 1)
CASES = {
    "conv2 of tutorial 001": Case((13, 13), 32, 64, activation=RELU, pool=MAX, batch=5, block=5),
    "conv2 of tutorial 003": Case((28, 28), 32, 64, pad=SAME, activation=RELU, pool=MAX, batch=2),
    "ResNet 16": Case((32, 32), 16, 16, pad=SAME, bias=False, batch=2),
    "ResNet 32": Case((16, 16), 32, 32, pad=SAME, bias=False),
    "ResNet 64": Case((8, 8), 64, 64, pad=SAME, bias=False, batch=9, block=4),
    "one channel": Case((9, 10), 1, 20, pad=SAME, activation=RELU),
    "three channels, packed": Case((9, 7), 3, 6, packed=True),
    "packed": Case((11, 8), 20, 50, pad=SAME, activation=RELU, pool=MAX, packed=True),
    "one place": Case((3, 3), 6, 16),
    "one row": Case((3, 20), 5, 33, batch=4, block=4),
    "uneven padding": Case((7, 9), 16, 48, pad=(2, 0, 1, 2), activation=LEAKY, slope=0.1),
    "overlapping windows": Case((12, 11), 6, 20, activation=RELU, pool=MAX, window=(3, 3)),
    "mean": Case((10, 10), 20, 16, pool=AVERAGE, window=(2, 2)),
    "wide": Case((5, 140), 3, 16, pad=SAME, batch=2),
    "many filters": Case((6, 5), 50, 112, pad=SAME, batch=2),
    "conv2 of tutorial 002b": Case(
        (14, 14), 32, 64, (5, 5), pad=(2, 2, 2, 2), activation=RELU, pool=MAX, batch=2
    ),
    "5x5, uneven": Case((9, 12), 20, 33, (5, 5), pad=(1, 4, 0, 2), batch=4, block=4),
    "5x5, one place": Case((5, 5), 6, 16, (5, 5)),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


class Winograd(Both):
    """The calls of a case by Winograd's transforms."""

    def __init__(self, case: Case, isa: str, numbers: Numbers, **fields: Any) -> None:
        super().__init__(case, isa, numbers, **fields)
        add, lanes = self.bench.plan.add, round_up(case.channels, 16)
        kernel, turned = add(36 * case.channels * self.lanes), add(36 * case.filters * lanes)
        self.packs = [
            call(
                "pack_winograd", self.bench.library, master=self.pack.fields["master"],
                packed=packed, side=case.kernel[0], channels=case.channels, filters=case.filters,
                backward=backward,
            )
            for backward, packed in enumerate((kernel, turned))
        ]  # fmt: skip
        self.forward = Call("conv_winograd", {**self.forward.fields, "weight": kernel})
        self.backward = Call("conv_backward_winograd", {**self.backward.fields, "weight": turned})

    def run(self, threads: int = 1, **options: Any) -> Engine:
        self.bench.over_parts(*self.packs)
        self.bench.over_samples(self.forward, self.backward)
        return self.bench.run(self.numbers.samples, threads, **options)


@each_isa
@each_case
def test_values_and_gradients(case: Case, isa: str) -> None:
    numbers = Numbers(case)
    want, both = numbers.torch(), Winograd(case, isa, numbers)
    engine = both.run()
    close(both.output.inner(engine.array(both.y)), want["output"])
    close(both.gradient.inner(engine.array(both.dx)), want["input"])
    weight = both.weight_gradient(engine)
    close(weight[: case.filters], want["weight"])
    bias = both.summed(engine, both.db)
    close(bias[: case.filters], want["bias"])
    for behind in (
        both.output.cells(engine.array(both.y))[..., case.filters :],
        both.gradient.cells(engine.array(both.dx))[..., case.channels :],
        weight[case.filters :],
        bias[case.filters :],
    ):
        assert not behind.any()


@each_isa
@pytest.mark.parametrize("samples", [1, 4, 7])
def test_threads_and_short_batches(samples: int, isa: str) -> None:
    case = Case((9, 9), 6, 20, pad=SAME, activation=RELU, pool=MAX, batch=7, block=3)
    numbers = Numbers(case, samples)
    want, one, two = numbers.torch(), Winograd(case, isa, numbers), Winograd(case, isa, numbers)
    alone, shared = one.run(), two.run(threads=2)
    close(one.output.inner(alone.array(one.y))[:samples], want["output"])
    close(one.weight_gradient(alone)[: case.filters], want["weight"])
    for buffer in (one.y, one.dx, one.dw, one.db):
        np.testing.assert_array_equal(alone.array(buffer), shared.array(buffer))


@each_isa
def test_dropout_and_the_index_are_those_of_the_direct_convolution(isa: str) -> None:
    case = Case((12, 12), 6, 20, activation=RELU, pool=MAX)
    numbers = Numbers(case)
    direct, ours = (kind(case, isa, numbers, drop=0.25, key=7) for kind in (Both, Winograd))
    want, got = direct.run(seed=3), ours.run(seed=3)
    np.testing.assert_array_equal(
        got.array(ours.index, np.uint8), want.array(direct.index, np.uint8)
    )
    for buffer in (ours.y, ours.dx, ours.dw, ours.db):
        close(got.array(buffer), want.array(buffer))


@each_isa
@pytest.mark.parametrize("pad", [SAME, (0, 0, 0, 0)])
def test_statistics(isa: str, pad: tuple[int, int, int, int]) -> None:
    case = Case((10, 7), 3, 20, pad=pad, batch=5, block=2)
    numbers = Numbers(case)
    both = Winograd(case, isa, numbers)
    buffer = both.bench.slotted(2 * both.lanes)
    both.forward = Call("conv_winograd", {**both.forward.fields, "statistics": buffer})
    sums, squares = both.summed(both.run(), buffer).reshape(2, -1)[:, : case.filters]
    want = numbers.torch()["sums"]
    close(sums, want.sum(axis=(0, 1, 2)))
    close(squares, (want**2).sum(axis=(0, 1, 2)))


@each_isa
def test_an_addend_comes_before_the_activation(isa: str) -> None:
    case = Case((9, 7), 6, 20, pad=SAME, activation=RELU)
    numbers = Numbers(case)
    both = Winograd(case, isa, numbers)
    added = {"addend": both.output.view(both.dy)}
    both.forward = Call("conv_winograd", {**both.forward.fields, **added})
    want = np.maximum(numbers.torch()["sums"] + numbers.gradient, 0)
    close(both.output.inner(both.run().array(both.y)), want)


@each_isa
def test_the_first_layer_has_no_input_gradient(isa: str) -> None:
    case = Case((9, 8), 3, 20, pad=SAME)
    numbers = Numbers(case)
    want, both = numbers.torch(), Winograd(case, isa, numbers)
    absent = {"input_gradient": call("conv_backward", both.bench.library).fields["input_gradient"]}
    both.backward = Call("conv_backward_winograd", {**both.backward.fields, **absent, "weight": -1})
    engine = both.run()
    close(both.weight_gradient(engine)[: case.filters], want["weight"])
    assert np.isnan(engine.array(both.dx)).all()


NEED = "Winograd's transforms are for kernels of 3x3 and 5x5 without stride, dilation or groups"
WRONG = {
    ("forward", "kernel_height", 2): NEED,
    ("forward", "groups", 2): NEED,
    ("forward", "dilation_x", 2): "input has 3 x 4096 bytes, needs 3 x 4224",
    ("forward", "weight", 99): "weight is no buffer",
    ("backward", "kernel_width", 1): NEED,
    ("backward", "groups", 2): NEED,
    ("backward", "weight", 99): "weight is no buffer",
    ("pack", "side", 4): NEED,
    ("pack", "channels", 0): "channels = 0, need 1 to 1048576",
    ("pack", "filters", 0): "filters = 0, need 1 to 1048576",
    ("pack", "backward", 2): "backward = 2, need 0 to 1",
    ("pack", "channels", 7): "master has 1 x 6912 bytes, needs 1 x 8064",
    ("pack", "packed", 99): "packed is no buffer",
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: " ".join(map(str, wrong)))
def test_refused(wrong: tuple[str, str, int]) -> None:
    role, name, value = wrong
    both = Winograd(case := Case((8, 8), 6, 20), ISAS[-1], Numbers(case))
    calls = {"forward": both.forward, "backward": both.backward, "pack": both.packs[0]}
    right = calls[role]
    calls[role] = Call(right.kernel, {**right.fields, name: value})
    both.forward, both.backward, both.packs = calls["forward"], calls["backward"], [calls["pack"]]
    with pytest.raises(TrainingError) as caught:
        both.run()
    assert f", {right.kernel}: {WRONG[wrong]}" in str(caught.value)
