"""The losses equal those of the package, with their gradients by the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from striate import losses
from striate.errors import TrainingError
from striate.lower.plan import ABSENT_VIEW, Over, Stage, round_up
from striate.lower.runtime import Engine, library

from .support import Array, Bench, Image, call, close, each_isa

Correct = Callable[[Tensor, Tensor], Tensor]


def same_class(true: Tensor, pred: Tensor) -> Tensor:
    labels = true.argmax(-1) if true.dim() > 1 else true
    return (pred.argmax(-1) == labels).float()


def same_sides(true: Tensor, pred: Tensor) -> Tensor:
    return ((pred > 0) == (true > 0.5)).float().mean(-1)


def never(true: Tensor, pred: Tensor) -> Tensor:
    return torch.zeros(len(true))


@dataclass(frozen=True)
class Case:
    kernel: str
    loss: Callable[[float], losses.Loss]
    correct: Correct
    outputs: str = "predictions"
    count: str = "count"
    smooths: bool = False


CASES = (
    Case(
        "softmax_crossentropy",
        lambda s: losses.Crossentropy(from_logits=True, label_smoothing=s),
        same_class,
        "logits",
        "classes",
        True,
    ),
    Case(
        "softmax_crossentropy_dense",
        lambda s: losses.CategoricalCrossentropy(from_logits=True, label_smoothing=s),
        same_class,
        "logits",
        "classes",
        True,
    ),
    Case(
        "sigmoid_crossentropy",
        lambda s: losses.BinaryCrossentropy(from_logits=True, label_smoothing=s),
        same_sides,
        "logits",
        "classes",
        True,
    ),
    Case("mean_squared_error", lambda s: losses.MeanSquaredError(), never),
    Case("mean_absolute_error", lambda s: losses.MeanAbsoluteError(), never),
)
BATCH = 9


@dataclass
class Outcome:
    engine: Engine
    gradient: int
    values: int
    probabilities: int
    sums: Array


def targets_of(case: Case, count: int, random: np.random.Generator) -> Array:
    if case.kernel == "softmax_crossentropy":
        return random.integers(0, count, BATCH).astype(np.int32)
    if case.kernel == "softmax_crossentropy_dense":
        return random.dirichlet(np.ones(count), BATCH).astype(np.float32) * 1.5
    if case.kernel == "sigmoid_crossentropy":
        return random.integers(0, 2, (BATCH, count)).astype(np.float32)
    return random.standard_normal((BATCH, count)).astype(np.float32)


def run(
    isa: str, case: Case, x: Array, targets: Array, weights: Array | None, smoothing: float,
    samples: int, threads: int = 1, packed: bool = False, training: bool = True,
    tiny: float = 0.0,
) -> Outcome:  # fmt: skip
    kernels = library(isa)
    assert kernels is not None
    bench = Bench(kernels, BATCH, 2)
    bench.plan.sums = 3
    image = Image(1, 1, x.shape[1], packed=packed)
    outputs = bench.image(image, x[:, None, None], junk=np.nan)
    gradient, probabilities = bench.image(image, junk=7), bench.image(image, junk=7)
    values = bench.plan.add(2, BATCH)
    fields = {
        case.outputs: image.view(outputs),
        case.count: x.shape[1],
        "gradient": image.view(gradient) if training else ABSENT_VIEW,
        "values": values,
    }
    if targets.ndim == 1:
        fields["labels"] = bench.plan.add(1, BATCH)
        bench.values[fields["labels"]] = targets[:, None].view(np.float32)
    else:
        fields["targets"] = image.view(bench.image(image, targets[:, None, None], junk=np.nan))
    if weights is not None:
        fields["weights"] = bench.plan.add(1, BATCH)
        bench.values[fields["weights"]] = weights[:, None]
    if case.smooths:
        fields["smoothing"] = smoothing
    if case.kernel.startswith("softmax"):
        fields |= {"probabilities": image.view(probabilities), "tiny": tiny}
    bench.over_samples(call(case.kernel, kernels, **fields))
    sums = call("add_sums", kernels, values=values, first=1)
    bench.plan.stages.append(Stage(Over.NOTHING, 1, [sums]))
    engine = bench.engine()
    return Outcome(engine, gradient, values, probabilities, engine.run(samples, threads=threads))


@each_isa
@pytest.mark.parametrize("case", CASES[:2], ids=lambda case: case.kernel)
@pytest.mark.parametrize("count", [2, 10, 50])
def test_a_tiny_number_in_the_logarithm(isa: str, case: Case, count: int) -> None:
    """The gradient is then that of shares that add up to one, whatever they are."""
    random, tiny = np.random.default_rng(count), 0.01
    x = random.standard_normal((BATCH, count)).astype(np.float32) * 4
    targets = targets_of(case, count, random)
    got = run(isa, case, x, targets, None, 0.0, BATCH, tiny=tiny)
    shares = np.eye(count)[targets] if targets.ndim == 1 else targets.astype(float)
    p = torch.from_numpy(x).double().softmax(1).numpy()
    gradient = got.engine.array(got.gradient)[:, :count]
    close(gradient, ((p - shares) / BATCH).astype(np.float32))
    want = -(shares * np.log(p + tiny)).sum(1)
    close(got.engine.array(got.values)[:, 0], want.astype(np.float32))


@each_isa
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kernel)
@pytest.mark.parametrize("count", [2, 10, 16, 50])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_value_gradient_and_correctness(
    isa: str, case: Case, count: int, weighted: bool, smoothing: float
) -> None:
    random = np.random.default_rng(count)
    x = random.standard_normal((BATCH, count)).astype(np.float32) * 4
    targets = targets_of(case, count, random)
    weights = random.random(BATCH).astype(np.float32) if weighted else None
    smoothing = smoothing if case.smooths else 0.0
    for samples, threads, packed in ((BATCH, 1, False), (BATCH, 2, True), (4, 2, False)):
        pred = torch.from_numpy(x[:samples]).double().requires_grad_()
        true = torch.from_numpy(targets[:samples])
        true = true.long() if true.dim() == 1 else true.double()
        each = case.loss(smoothing).values(true, pred)
        if weights is not None:
            each = each * torch.from_numpy(weights[:samples])
        each.mean().backward()
        got = run(isa, case, x, targets, weights, smoothing, samples, threads, packed)
        values = got.engine.array(got.values)[:samples]
        correct = case.correct(true, pred.detach())
        close(values[:, 0], each.detach().float().numpy())
        np.testing.assert_allclose(values[:, 1], correct.numpy(), rtol=1e-6)
        want = [0, each.sum().item(), correct.sum().item()]
        np.testing.assert_allclose(got.sums, want, rtol=1e-5)
        gradient = got.engine.array(got.gradient)
        assert pred.grad is not None
        close(gradient[:samples, :count], pred.grad.float().numpy())
        behind = gradient[:samples, count : round_up(count, 16)]
        assert (behind == (7 if packed and count % 16 else 0)).all()
        assert (gradient[samples:, :count] == 7).all()
        if case.kernel.startswith("softmax"):
            p = got.engine.array(got.probabilities)[:samples, :count]
            close(p, pred.detach().softmax(-1).float().numpy())


@each_isa
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kernel)
def test_without_a_gradient_the_values_are_the_same(isa: str, case: Case) -> None:
    random = np.random.default_rng(1)
    x = random.standard_normal((BATCH, 10)).astype(np.float32)
    targets = targets_of(case, 10, random)
    with_it, without = (
        run(isa, case, x, targets, None, 0.0, BATCH, training=training)
        for training in (True, False)
    )
    np.testing.assert_array_equal(with_it.sums, without.sums)
    assert (without.engine.array(without.gradient)[:, :10] == 7).all()


@each_isa
def test_large_logits_do_not_overflow(isa: str) -> None:
    x = np.zeros((BATCH, 3), np.float32)
    x[:, 0] = 1e4
    labels = np.array([0, 1, 2] * 3, np.int32)
    got = run(isa, CASES[0], x, labels, None, 0.0, BATCH)
    np.testing.assert_array_equal(got.engine.array(got.values)[:3, 0], [0, 1e4, 1e4])
    np.testing.assert_array_equal(got.sums[1:], [6e4, 3])


@each_isa
@pytest.mark.parametrize(
    ("kernel", "fields", "message"),
    [
        ("softmax_crossentropy", {"classes": 0}, "count = 0, need 1 to 1073741824"),
        ("softmax_crossentropy", {"labels": -1}, "labels is no buffer"),
        ("add_sums", {"first": 2}, "first = 2, need 0 to 1"),
        ("add_sums", {"values": 0}, "values has 1 x 64 bytes, needs 9 x 8"),
    ],
)
def test_a_call_that_would_leave_its_buffers_is_refused(
    isa: str, kernel: str, fields: dict[str, int], message: str
) -> None:
    kernels = library(isa)
    assert kernels is not None
    bench = Bench(kernels, BATCH)
    bench.plan.sums = 3
    bench.plan.add(16)
    image = Image(1, 1, 10)
    right = {
        "softmax_crossentropy": {
            "logits": image.view(bench.image(image)),
            "classes": 10,
            "labels": bench.plan.add(1, BATCH),
            "values": bench.plan.add(2, BATCH),
        },
        "add_sums": {"values": bench.plan.add(2, BATCH), "first": 0},
    }
    wrong = call(kernel, kernels, **right[kernel] | fields)
    bench.plan.stages.append(Stage(Over.NOTHING, 1, [wrong]))
    with pytest.raises(TrainingError) as error:
        bench.engine()
    assert str(error.value) == (
        "the native engine: refused a plan\n"
        f"  got   stage 0, {kernel}: {message}\n"
        '  fix   engine="torch"'
    )
