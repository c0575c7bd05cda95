"""conv_backward_sparse against torch: gradients behind max-pooling over shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.errors import TrainingError
from striate.lower.plan import ABSENT_VIEW, Call, View, round_up
from striate.lower.runtime import Engine

from .support import ISAS, Array, close, each_isa
from .test_conv import AVERAGE, LEAKY, LINEAR, MAX, RELU, Both, Case, Numbers

SAME = (1, 1, 1, 1)
CASES = {
    "conv2 of tutorial 001": Case((13, 13), 32, 64, activation=RELU, pool=MAX),
    "conv2 of tutorial 000": Case((12, 12), 20, 50, (5, 5), activation=RELU, pool=MAX, packed=True),
    "conv2 of tutorial 003": Case((28, 28), 32, 64, pad=SAME, activation=RELU, pool=MAX, batch=2),
    "conv2 of tutorial 004": Case((14, 14), 6, 16, (5, 5), activation=RELU, pool=MAX, packed=True),
    "linear": Case((11, 14), 16, 30, pool=MAX),
    "48 channels": Case((9, 9), 48, 48, pad=SAME, activation=RELU, pool=MAX),
    "64 channels": Case((7, 9), 64, 20, pad=SAME, activation=RELU, pool=MAX),
    "one channel": Case((10, 10), 1, 6, (5, 5), activation=RELU, pool=MAX, packed=True),
    "one channel, padded": Case((10, 10), 1, 16, activation=RELU, pool=MAX),
    "three channels": Case((9, 12), 3, 33, pad=SAME, activation=RELU, pool=MAX, packed=True),
    "uneven": Case((9, 12), 5, 20, (2, 4), pad=(1, 0, 3, 2), activation=RELU, pool=MAX),
    "wide kernel": Case((4, 30), 3, 16, (1, 11), pad=(0, 0, 5, 5), activation=RELU, pool=MAX),
    "overlapping windows": Case((12, 11), 6, 20, activation=RELU, pool=MAX, window=(3, 3)),
    "overlapping, first": Case((12, 11), 3, 20, pool=MAX, window=(3, 3), packed=True),
    "gaps between windows": Case((12, 12), 3, 20, pool=MAX, window=(2, 1), step=(3, 2)),
    "everything in one window": Case((6, 6), 16, 16, activation=RELU, pool=MAX, window=(4, 4)),
}  # fmt: skip
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


class Sparse(Both):
    """The calls of a case; the gradients are sparse, the values from the direct convolution."""

    def __init__(self, case: Case, isa: str, numbers: Numbers, **fields: Any) -> None:
        super().__init__(case, isa, numbers, **fields)
        taps = case.kernel[0] * case.kernel[1]
        packed = self.bench.plan.add(taps * case.filters * round_up(case.channels, 16))
        self.pack = Call("pack_taps", {**self.pack.fields, "packed": packed})
        self.backward = Call("conv_backward_sparse", {**self.backward.fields, "weight": packed})

    def without_input_gradient(self) -> None:
        absent = {"input_gradient": ABSENT_VIEW, "weight": -1}
        self.backward = Call(self.backward.kernel, {**self.backward.fields, **absent})

    def check_parameters(self, engine: Engine, want: dict[str, Array]) -> None:
        weight, bias = self.weight_gradient(engine), self.summed(engine, self.db)
        close(weight[: self.case.filters], want["weight"])
        close(bias[: self.case.filters], want["bias"])
        assert not weight[self.case.filters :].any() and not bias[self.case.filters :].any()


@each_isa
@each_case
def test_gradients(case: Case, isa: str) -> None:
    numbers = Numbers(case)
    want, both = numbers.torch(), Sparse(case, isa, numbers)
    engine = both.run()
    both.check_parameters(engine, want)
    close(both.gradient.inner(engine.array(both.dx)), want["input"])
    assert not both.gradient.cells(engine.array(both.dx))[..., case.channels :].any()


@each_isa
@each_case
def test_gradients_of_a_first_layer(case: Case, isa: str) -> None:
    numbers = Numbers(case)
    want, both = numbers.torch(), Sparse(case, isa, numbers)
    both.without_input_gradient()
    engine = both.run()
    both.check_parameters(engine, want)
    assert np.isnan(engine.array(both.dx)).all()


@each_isa
def test_pixels_far_apart(isa: str) -> None:
    """A convolution of some channels of a wider image."""
    case = Case((8, 9), 16, 20, activation=RELU, pool=MAX)
    numbers = Numbers(case)
    want, both = numbers.torch(), Sparse(case, isa, numbers)
    wide = both.bench.plan.add(8 * 9 * 48, case.batch)
    values = np.full((case.batch, 8, 9, 48), 7, np.float32)
    values[..., 16:32] = numbers.x
    both.bench.values[wide] = values.reshape(case.batch, -1)
    for role in ("forward", "backward"):
        old: Call = getattr(both, role)
        setattr(both, role, Call(old.kernel, {**old.fields, "input": View(wide, 16, 9 * 48, 48)}))
    engine = both.run()
    both.check_parameters(engine, want)
    close(both.gradient.inner(engine.array(both.dx)), want["input"])


@each_isa
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("samples", [1, 4, 7])
def test_threads_and_short_batches(samples: int, first: bool, isa: str) -> None:
    case = Case((9, 9), 3, 20, pad=SAME, activation=RELU, pool=MAX, batch=7, block=3, packed=True)
    numbers = Numbers(case, samples)
    want, one, two = numbers.torch(), Sparse(case, isa, numbers), Sparse(case, isa, numbers)
    if first:
        one.without_input_gradient()
        two.without_input_gradient()
    alone, shared = one.run(), two.run(threads=2)
    one.check_parameters(alone, want)
    for buffer in (one.dx, one.dw, one.db):
        np.testing.assert_array_equal(alone.array(buffer), shared.array(buffer))


@each_isa
@pytest.mark.parametrize("first", [False, True])
def test_dropped_values_have_no_gradient(first: bool, isa: str) -> None:
    case = Case((12, 12), 3, 40, activation=RELU, pool=MAX, packed=True)
    numbers = Numbers(case)
    both = Sparse(case, isa, numbers, drop=0.25, key=7)
    if first:
        both.without_input_gradient()
    engine = both.run(seed=3)
    kept = both.output.inner(engine.array(both.y)) > 0
    numbers.gradient = np.where(kept, numbers.gradient / 0.75, 0).astype(np.float32)
    both.check_parameters(engine, numbers.torch())


PLACES = "only the winners of max-pooling behind relu or nothing have sparse gradients"
PLAIN = "sparse gradients are for kernels without stride, dilation or groups"
WRONG = {
    ("backward", "pool", AVERAGE): PLACES,
    ("backward", "activation", LEAKY): PLACES,
    ("backward", "groups", 2): PLAIN,
    ("backward", "index", -1): "index is no buffer",
    ("backward", "weight", -1): "weight is no buffer",
    ("backward", "pad_y pad_x", 1 << 15): "the image is too large",
    ("pack", "taps", 0): "taps = 0, need 1 to 65536",
    ("pack", "channels", 0): "channels = 0, need 1 to 1048576",
    ("pack", "filters", 0): "filters = 0, need 1 to 1048576",
    ("pack", "taps", 10): "master has 1 x 6912 bytes, needs 1 x 7680",
    ("pack", "packed", 99): "packed is no buffer",
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: " ".join(map(str, wrong)))
def test_refused(wrong: tuple[str, str, int]) -> None:
    role, name, value = wrong
    case = Case((8, 8), 6, 20, activation=LINEAR, pool=MAX)
    both = Sparse(case, ISAS[-1], Numbers(case))
    right: Call = getattr(both, role)
    setattr(both, role, Call(right.kernel, {**right.fields, **dict.fromkeys(name.split(), value)}))
    with pytest.raises(TrainingError) as caught:
        both.run()
    assert f", {right.kernel}: {WRONG[wrong]}" in str(caught.value)
