"""conv and conv_backward against torch: values and gradients, over shapes and instruction sets."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from striate.errors import TrainingError
from striate.lower.plan import Call, View
from striate.lower.runtime import Engine, library

from .support import ISAS, Array, Bench, Image, call, close, each_isa, filled, master_of

LINEAR, RELU, LEAKY = 0, 1, 2
NO_POOL, MAX, AVERAGE = 0, 1, 2


@dataclass(frozen=True)
class Case:
    """A convolution and what follows it."""

    size: tuple[int, int] = (8, 8)
    channels: int = 3
    filters: int = 16
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    activation: int = LINEAR
    slope: float = 0.0
    pool: int = NO_POOL
    window: tuple[int, int] = (2, 2)
    step: tuple[int, int] = (2, 2)
    bias: bool = True
    packed: bool = False
    batch: int = 3
    block: int = 2

    @property
    def places(self) -> tuple[int, int]:
        """Places that the pool's windows read."""
        all_places = [
            (n + before + after - (k - 1) * d - 1) // s + 1
            for n, before, after, k, s, d in zip(
                self.size, self.pad[::2], self.pad[1::2], self.kernel, self.stride, self.dilation,
                strict=True,
            )
        ]  # fmt: skip
        if self.pool == NO_POOL:
            return all_places[0], all_places[1]
        height, width = (
            (n - k) // s * s + k for n, k, s in zip(all_places, self.window, self.step, strict=True)
        )
        return height, width

    @property
    def pooled(self) -> tuple[int, int]:
        if self.pool == NO_POOL:
            return self.places
        height, width = (
            (n - k) // s + 1 for n, k, s in zip(self.places, self.window, self.step, strict=True)
        )
        return height, width

    def fields(self) -> dict[str, Any]:
        pooling = self.pool != NO_POOL
        return {
            "channels": self.channels, "height": self.places[0], "width": self.places[1],
            "filters": self.filters, "kernel_height": self.kernel[0],
            "kernel_width": self.kernel[1], "stride_y": self.stride[0],
            "stride_x": self.stride[1], "dilation_y": self.dilation[0],
            "dilation_x": self.dilation[1], "groups": self.groups,
            "activation": self.activation, "slope": self.slope, "pool": self.pool,
            "pool_height": self.window[0] if pooling else 1,
            "pool_width": self.window[1] if pooling else 1,
            "pool_stride_y": self.step[0] if pooling else 1,
            "pool_stride_x": self.step[1] if pooling else 1,
        }  # fmt: skip


CASES = {
    "conv1 of tutorial 001": Case((28, 28), 1, 32, activation=RELU, pool=MAX),
    "conv2 of tutorial 001": Case((13, 13), 32, 64, activation=RELU, pool=MAX),
    "conv1 of tutorial 000": Case((28, 28), 1, 20, (5, 5), activation=RELU, pool=MAX),
    "conv2 of tutorial 000": Case((12, 12), 20, 50, (5, 5), activation=RELU, pool=MAX, packed=True),
    "conv1 of tutorial 004": Case(
        (28, 28), 1, 6, (5, 5), pad=(2, 2, 2, 2), activation=RELU, pool=MAX
    ),
    "conv2 of tutorial 004": Case((14, 14), 6, 16, (5, 5), activation=RELU, pool=MAX, packed=True),
    "same padding": Case((28, 28), 32, 64, pad=(1, 1, 1, 1), activation=RELU, batch=2),
    "ResNet 16": Case((32, 32), 16, 16, pad=(1, 1, 1, 1), bias=False),
    "ResNet down": Case((17, 17), 16, 32, stride=(2, 2), pad=(1, 1, 1, 1), bias=False),
    "ResNet shortcut": Case((16, 16), 16, 32, (1, 1), stride=(2, 2), bias=False),
    "ResNet 64": Case((8, 8), 64, 64, pad=(1, 1, 1, 1), bias=False, batch=5, block=4),
    "three channels": Case((9, 7), 3, 6, packed=True),
    "one place": Case((3, 3), 5, 50),
    "one row": Case(
        (1, 40), 6, 20, (1, 5), stride=(1, 2), pad=(0, 0, 2, 1), activation=LEAKY, slope=0.1
    ),
    "uneven": Case((11, 14), 7, 33, (2, 4), stride=(3, 2), dilation=(2, 3), pad=(1, 2, 3, 0)),
    "stride above kernel": Case((13, 13), 4, 20, (2, 1), stride=(3, 4)),
    "even kernel": Case((6, 6), 16, 48, (4, 4), pad=(1, 2, 1, 2), activation=RELU),
    "groups": Case((9, 9), 12, 20, pad=(1, 1, 1, 1), groups=2),
    "groups, packed": Case((9, 9), 20, 36, pad=(1, 1, 1, 1), groups=4, packed=True, stride=(2, 2)),
    "wide groups": Case((5, 5), 32, 64, pad=(1, 1, 1, 1), groups=2),
    "depthwise": Case((10, 9), 20, 20, pad=(1, 1, 1, 1), groups=20, activation=RELU),
    "depthwise, packed": Case((10, 9), 6, 6, stride=(2, 1), dilation=(1, 2), groups=6, packed=True),
    "depthwise, two filters each": Case((7, 7), 10, 20, pad=(1, 1, 1, 1), groups=10),
    "overlapping windows": Case((12, 12), 3, 20, activation=RELU, pool=MAX, window=(3, 3)),
    "gaps between windows": Case((12, 12), 3, 20, pool=MAX, window=(2, 1), step=(3, 2)),
    "leaky behind a pool": Case((9, 9), 3, 6, activation=LEAKY, slope=0.2, pool=MAX, packed=True),
    "mean": Case((10, 10), 3, 20, pool=AVERAGE, window=(3, 2), step=(2, 2)),
    "many filters": Case((5, 5), 48, 112, batch=2),
}  # fmt: skip
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


class Numbers:
    """Random numbers for a case, and what torch makes of them in float64."""

    def __init__(self, case: Case, samples: int | None = None, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        shape = (case.filters, case.channels // case.groups, *case.kernel)
        self.case, self.samples = case, samples or case.batch
        self.x = rng.standard_normal((case.batch, *case.size, case.channels), np.float32)
        self.weight = rng.standard_normal(shape, np.float32) / np.float32(np.prod(shape[1:]) ** 0.5)
        self.bias = rng.standard_normal(case.filters, np.float32) * np.float32(case.bias)
        self.gradient = rng.standard_normal((case.batch, *case.pooled, case.filters), np.float32)

    def torch(self) -> dict[str, Array]:
        case, n = self.case, self.samples
        x, weight, bias, gradient = (
            torch.tensor(values, dtype=torch.float64, requires_grad=True)
            for values in (self.x[:n], self.weight, self.bias, self.gradient[:n])
        )
        top, bottom, left, right = case.pad
        padded = F.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom))
        sums = F.conv2d(
            padded, weight, bias, case.stride, dilation=case.dilation, groups=case.groups
        )[:, :, : case.places[0], : case.places[1]]
        y = sums if case.activation == LINEAR else F.leaky_relu(sums, case.slope)
        if case.pool != NO_POOL:
            pool = F.max_pool2d if case.pool == MAX else F.avg_pool2d
            y = pool(y, case.window, case.step)
        y = y.permute(0, 2, 3, 1)
        y.backward(gradient)
        assert x.grad is not None and weight.grad is not None and bias.grad is not None
        return {
            "sums": sums.permute(0, 2, 3, 1).detach().numpy(),
            "output": y.detach().numpy(),
            "input": x.grad.numpy(),
            "weight": weight.grad.numpy(),
            "bias": bias.grad.numpy(),
        }


class Both:
    """A bench with the forward and the backward call of a case."""

    def __init__(self, case: Case, isa: str, numbers: Numbers, **fields: Any) -> None:
        kernels = library(isa)
        assert kernels is not None
        self.case, self.numbers = case, numbers
        self.bench = bench = Bench(kernels, case.batch, case.block)
        self.input = Image(*case.size, case.channels, case.pad, case.packed)
        self.output = Image(*case.pooled, case.filters, packed=case.packed)
        self.gradient = Image(*case.size, case.channels, packed=case.packed)
        depthwise = case.groups == case.channels == case.filters
        self.channels = case.channels // case.groups
        master = self.master = bench.weight(master_of(numbers.weight))
        packed = bench.plan.add(master_of(numbers.weight.transpose(1, 0, 2, 3)).size)
        self.x = bench.image(self.input, numbers.x)
        self.y = bench.image(self.output)
        self.dy = bench.image(self.output, numbers.gradient, junk=0 if case.packed else 7)
        self.dx = bench.image(self.gradient)
        bench.values[self.dx] += np.float32(np.nan)
        self.dw = bench.slotted(master_of(numbers.weight).size)
        self.db = bench.slotted(filled(numbers.bias).size)
        self.index = -1
        if case.pool == MAX:
            self.index = bench.plan.add(case.pooled[0] * case.pooled[1] * self.lanes, case.batch)
        shared = case.fields() | {
            "input": self.input.view(self.x, halo=True), "output": self.output.view(self.y),
            "index": self.index,
        } | fields  # fmt: skip
        bias = bench.weight(filled(numbers.bias)) if case.bias else -1
        self.forward = call("conv", kernels, weight=master, bias=bias, **shared)
        self.pack = call(
            "pack_transposed", kernels, master=master, packed=packed, channels=self.channels,
            filters=case.filters, taps=case.kernel[0] * case.kernel[1],
        )  # fmt: skip
        shared.pop("statistics", None)
        shared.pop("key", None)
        self.backward = call(
            "conv_backward", kernels, weight=master if depthwise else packed,
            output_gradient=self.output.view(self.dy), input_gradient=self.gradient.view(self.dx),
            in_height=case.size[0], in_width=case.size[1], pad_y=case.pad[0], pad_x=case.pad[2],
            weight_gradient=self.dw, bias_gradient=self.db, **shared,
        )  # fmt: skip

    @property
    def lanes(self) -> int:
        return filled(self.numbers.bias).size

    def run(self, threads: int = 1, **options: Any) -> Engine:
        self.bench.over_parts(self.pack)
        self.bench.over_samples(self.forward, self.backward)
        return self.bench.run(self.numbers.samples, threads, **options)

    def summed(self, engine: Engine, buffer: int) -> Array:
        """Return the sum of the slots that the run used."""
        floats = self.bench.values[buffer].shape[1]
        slots = engine.array(buffer)[: self.bench.used_slots(self.numbers.samples), :floats]
        total: Array = slots.astype(np.float64).sum(axis=0)
        return total

    def weight_gradient(self, engine: Engine) -> Array:
        """Return the gradient as torch has it, with the padding behind the filters last."""
        master = self.summed(engine, self.dw).reshape(*self.case.kernel, self.channels, -1)
        return master.transpose(3, 2, 0, 1)


@each_isa
@each_case
def test_values_and_gradients(case: Case, isa: str) -> None:
    numbers = Numbers(case)
    want, both = numbers.torch(), Both(case, isa, numbers)
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
@pytest.mark.parametrize("samples", [1, 2, 5])
def test_threads_and_short_batches(samples: int, isa: str) -> None:
    case = Case((9, 9), 6, 20, pad=(1, 1, 1, 1), activation=RELU, pool=MAX, batch=5)
    numbers = Numbers(case, samples)
    want, one, two = numbers.torch(), Both(case, isa, numbers), Both(case, isa, numbers)
    alone, shared = one.run(), two.run(threads=2)
    close(one.output.inner(alone.array(one.y))[:samples], want["output"])
    close(one.weight_gradient(alone)[: case.filters], want["weight"])
    for buffer in (one.y, one.dx, one.dw, one.db):
        np.testing.assert_array_equal(alone.array(buffer), shared.array(buffer))


@each_isa
def test_dropout_is_the_same_forward_and_backward(isa: str) -> None:
    case = Case((21, 21), 3, 40, activation=RELU, pool=MAX, batch=4)
    numbers = Numbers(case)
    want, both = numbers.torch(), Both(case, isa, numbers, drop=0.25, key=7)
    engine = both.run(seed=3, number=5)
    output = both.output.inner(engine.array(both.y))
    positive, kept = want["output"] > 1e-4, output > 0
    close(output, np.where(kept, want["output"] / 0.75, 0))
    assert abs(kept[positive].mean() - 0.75) < 0.02
    numbers.gradient = np.where(kept, numbers.gradient / 0.75, 0).astype(np.float32)
    want = numbers.torch()
    close(both.gradient.inner(engine.array(both.dx)), want["input"])
    close(both.weight_gradient(engine)[: case.filters], want["weight"])
    close(both.summed(engine, both.db)[: case.filters], want["bias"])


@each_isa
def test_statistics(isa: str) -> None:
    case = Case((10, 7), 3, 20, pad=(1, 1, 1, 1), batch=5, block=2)
    numbers = Numbers(case)
    both = Both(case, isa, numbers)
    buffer = both.bench.slotted(2 * both.lanes)
    both.forward = Call("conv", {**both.forward.fields, "statistics": buffer})
    sums, squares = both.summed(both.run(), buffer).reshape(2, -1)[:, : case.filters]
    want = numbers.torch()["sums"]
    close(sums, want.sum(axis=(0, 1, 2)))
    close(squares, (want**2).sum(axis=(0, 1, 2)))


@each_isa
@pytest.mark.parametrize("packed", [False, True])
def test_an_addend_comes_before_the_activation(packed: bool, isa: str) -> None:
    case = Case((9, 7), 6, 20, pad=(1, 1, 1, 1), activation=LEAKY, slope=0.1, packed=packed)
    numbers = Numbers(case)
    both = Both(case, isa, numbers)
    added = {"addend": both.output.view(both.dy)}  # with junk behind the channels
    both.forward = Call("conv", {**both.forward.fields, **added})
    sums = numbers.torch()["sums"] + numbers.gradient
    output = both.run().array(both.y)
    close(both.output.inner(output), np.where(sums > 0, sums, 0.1 * sums))
    assert not both.output.cells(output)[..., case.filters :].any()


WRONG = {
    "channels = 0, need 1 to 1048576": {"channels": 0},
    "filters = 1048577, need 1 to 1048576": {"filters": 1 << 20 | 1},
    "groups are unequal": {"groups": 4},
    "kernel_height = 256, need 1 to 255": {"kernel_height": 256},
    "kernel_width = 0, need 1 to 255": {"kernel_width": 0},
    "stride or dilation = 0, need 1 to 32768": {"stride_x": 0},
    "activation = 3, need 0 to 2": {"activation": 3},
    "pool = -1, need 0 to 2": {"pool": -1},
    "pool_height = 7, need 1 to 6": {"pool_height": 7},
    "pool_width = 0, need 1 to 6": {"pool_width": 0},
    "input has 3 x 4096 bytes, needs 3 x 5120": {"dilation_y": 2},
}


@pytest.mark.parametrize("name", ["forward", "backward"])
@pytest.mark.parametrize("message", WRONG)
def test_refused(message: str, name: str) -> None:
    assert message in refusal(name, WRONG[message])


ONLY_FORWARD = {
    "height = 0, need 1 to 32768": {"height": 0},
    "the activation must not fall": {"activation": LEAKY, "slope": -0.1},
    "no index for such a pool": {"pool": AVERAGE},
    "dropout needs an index": {"index": -1, "drop": 0.5},
    "statistics are taken of plain sums": {"statistics": 0},
    "what is added is added to plain sums": {"addend": View(0, 0, 64, 32)},
    "addend has 1 x 6912 bytes, needs 3 x 2048": {
        "addend": View(0, 0, 64, 32),
        "pool": NO_POOL,
        "index": -1,
    },
    "bias is no buffer": {"bias": 99},
}
ONLY_BACKWARD = {
    "a side = 32769, need 1 to 32768": {"in_height": 1 << 15 | 1},
    "padding = -1, need 0 to 32768": {"pad_y": -1},
    "the mean hides the signs that the activation's gradient needs": {"pool": AVERAGE},
    "index is no buffer": {"index": -1},
    "drop is no share": {"drop": 1.0},
    "output is no buffer": {"activation": LEAKY, "output": View(-1, 0, 1024, 32)},
    "the image is too large": {"pad_y": 1 << 15, "pad_x": 1 << 15},
    "weight is no buffer": {"weight": -1},
}


@pytest.mark.parametrize("message", ONLY_FORWARD)
def test_refused_forward(message: str) -> None:
    assert message in refusal("forward", ONLY_FORWARD[message])


@pytest.mark.parametrize("message", ONLY_BACKWARD)
def test_refused_backward(message: str) -> None:
    assert message in refusal("backward", ONLY_BACKWARD[message])


def refusal(name: str, fields: dict[str, Any]) -> str:
    """Return the message about a plan with one wrong call."""
    case = Case((8, 8), 6, 20, activation=RELU, pool=MAX)
    both = Both(case, ISAS[-1], Numbers(case))
    right: Call = getattr(both, name)
    setattr(both, name, Call(right.kernel, {**right.fields, **fields}))
    with pytest.raises(TrainingError) as caught:
        both.run()
    assert f", {right.kernel}: " in str(caught.value)
    return str(caught.value)


def test_any_fields_are_refused_or_safe() -> None:
    """Plans with wrong numbers never touch memory outside (the sanitizers see to that)."""
    rng = np.random.default_rng(1)
    values = [-1, 0, 1, 2, 3, 5, 8, 16, 40, 255, 1 << 15, 1 << 31, 1 << 40, -(1 << 62), 1 << 62]
    ran = 0

    def other(value: Any) -> Any:
        number = values[rng.integers(len(values))]
        if isinstance(value, View):
            part = ("origin", "row", "pixel", "buffer")[rng.integers(4)]
            return replace(value, **{part: number})
        return float(number % 7 - 2) if isinstance(value, float) else number

    for seed in range(300):
        case = list(CASES.values())[seed % len(CASES)]
        both = Both(case, ISAS[-1], Numbers(case))
        name = ("forward", "backward")[seed // 2 % 2]
        good: Call = getattr(both, name)
        wrong = str(rng.choice(list(good.fields)))
        setattr(both, name, Call(good.kernel, {**good.fields, wrong: other(good.fields[wrong])}))
        with contextlib.suppress(TrainingError):
            both.run()
            ran += 1
    assert 30 < ran < 250
