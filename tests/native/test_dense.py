"""The dense kernels equal torch: values, gradients, and updates made on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from striate import optimizers
from striate.errors import TrainingError
from striate.lower.plan import Call, round_up
from striate.lower.runtime import library

from .support import Array, Bench, Image, call, close, each_isa, filled

ACTIVATIONS = {0: lambda z: z, 1: torch.relu, 2: lambda z: torch.where(z > 0, z, z * 0.3)}

# samples, features, units, activation, packed output
CASES = [
    (1, 1, 1, 0, True),
    (1, 37, 10, 1, False),
    (2, 64, 10, 0, True),
    (3, 16, 33, 2, False),
    (5, 50, 20, 1, True),
    (6, 400, 16, 2, True),
    (7, 1250, 50, 1, False),
    (9, 2500, 3, 0, False),
    (70, 100, 36, 1, True),
]
each_case = pytest.mark.parametrize(("samples", "features", "units", "activation", "packed"), CASES)


def draws(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


class Layer:
    """A dense layer in a plan: input, weights and output, with junk where nothing may be read."""

    def __init__(self, isa: str, case: tuple[int, int, int, int, bool], block: int = 4) -> None:
        self.samples, self.features, self.units, self.activation, packed = case
        kernels = library(isa)
        assert kernels is not None
        self.bench = Bench(kernels, self.samples, block)
        self.x, self.w = draws(self.samples, self.features), draws(self.units, self.features) / 8
        self.b = draws(self.units)
        self.source = Image(1, 1, self.features, packed=True)
        self.target = Image(1, 1, self.units, packed=packed)
        self.input = self.bench.image(self.source, self.x[:, None, None], junk=np.nan)
        self.output = self.bench.image(self.target, junk=7)
        self.weight = self.bench.weight(filled(self.w))
        self.bias = self.bench.weight(filled(self.b))

    def forward(self, kernel: str) -> None:
        fields = {
            "input": self.source.view(self.input),
            "features": self.features,
            "output": self.target.view(self.output),
            "units": self.units,
            "weight": self.weight,
            "bias": self.bias,
            "activation": self.activation,
            "slope": 0.3,
        }
        one = call(kernel, self.bench.library, **fields)
        if kernel == "dense":
            self.bench.over_samples(one)
        else:
            self.bench.over_parts(one)

    def torch(self, samples: int) -> tuple[list[torch.Tensor], torch.Tensor]:
        leaves = [
            torch.from_numpy(a.astype(np.float64)) for a in (self.x[:samples], self.w, self.b)
        ]
        x, w, b = (leaf.requires_grad_() for leaf in leaves)
        return leaves, ACTIVATIONS[self.activation](x @ w.T + b)

    def master(self, gradient: torch.Tensor) -> Array:
        return filled(gradient.numpy().astype(np.float32)).reshape(-1)


@each_isa
@pytest.mark.parametrize("kernel", ["dense", "dense_parts"])
@each_case
def test_forward(
    isa: str, kernel: str, samples: int, features: int, units: int, activation: int, packed: bool
) -> None:
    layer = Layer(isa, (samples, features, units, activation, packed))
    layer.forward(kernel)
    for count, threads in ((samples, 1), (samples, 2), (max(samples - 2, 1), 2)):
        engine = layer.bench.run(count, threads)
        out = engine.array(layer.output)
        want = layer.torch(count)[1].detach().numpy().astype(np.float32)
        close(out[:count, :units], want)
        pads = out[:count, units : round_up(units, 16)]
        assert (pads == (7 if packed and units % 16 else 0)).all()
        assert (out[count:, :units] == 7).all()


def backward_fields(
    layer: Layer, gradient: Array, input_gradient: int, junk: float
) -> dict[str, object]:
    at = layer.bench.image(layer.target, gradient[:, None, None], junk=junk)
    return {
        "input": layer.source.view(layer.input),
        "features": layer.features,
        "units": layer.units,
        "weight": layer.weight,
        "output_gradient": layer.target.view(at),
        "input_gradient": layer.source.view(input_gradient),
    }


@each_isa
@each_case
def test_backward(
    isa: str, samples: int, features: int, units: int, activation: int, packed: bool
) -> None:
    layer = Layer(isa, (samples, features, units, activation, packed), block=19)
    layer.forward("dense")
    bench, gradient = layer.bench, draws(samples, units)
    input_gradient = bench.image(layer.source, junk=7)
    weight_gradient = bench.slotted(units * round_up(features, 16))
    bias_gradient = bench.slotted(round_up(units, 16))
    fields = backward_fields(layer, gradient, input_gradient, np.nan) | {
        "output": layer.target.view(layer.output),
        "activation": activation,
        "slope": 0.3,
        "weight_gradient": weight_gradient,
        "bias_gradient": bias_gradient,
    }
    bench.plan.stages[-1].calls.append(call("dense_backward", bench.library, **fields))
    for count, threads in ((samples, 1), (samples, 2), (max(samples - 2, 1), 2)):
        engine = bench.run(count, threads)
        leaves, y = layer.torch(count)
        y.backward(torch.from_numpy(gradient[:count].astype(np.float64)))
        dx, dw, db = (leaf.grad for leaf in leaves)
        assert dx is not None and dw is not None and db is not None
        slots = bench.used_slots(count)
        close(engine.array(weight_gradient)[:slots].sum(0), layer.master(dw))
        close(engine.array(bias_gradient)[:slots].sum(0), layer.master(db))
        close(engine.array(input_gradient)[:count, :features], dx.numpy().astype(np.float32))
        behind = engine.array(input_gradient)[:count, features : round_up(features, 16)]
        assert (behind == 7).all()


def parts_layer(
    isa: str, samples: int, features: int, units: int
) -> tuple[Layer, dict[str, object]]:
    layer = Layer(isa, (samples, features, units, 0, True))
    gradient = draws(samples, units)
    input_gradient = layer.bench.image(layer.source, junk=7)
    fields = backward_fields(layer, gradient, input_gradient, np.nan)
    fields["bias"] = layer.bias
    return layer, fields


def wanted(layer: Layer, count: int) -> list[torch.Tensor]:
    leaves, y = layer.torch(count)
    y.backward(torch.from_numpy(draws(layer.samples, layer.units)[:count].astype(np.float64)))
    gradients = [leaf.grad for leaf in leaves]
    assert all(g is not None for g in gradients)
    return [g for g in gradients if g is not None]


@each_isa
@each_case
def test_backward_in_parts(
    isa: str, samples: int, features: int, units: int, activation: int, packed: bool
) -> None:
    gradients_in_parts(isa, samples, features, units)


@each_isa
def test_the_gradient_of_weights_that_no_cache_holds(isa: str) -> None:
    gradients_in_parts(isa, 3, 1100, 1000)


def gradients_in_parts(isa: str, samples: int, features: int, units: int) -> None:
    layer, fields = parts_layer(isa, samples, features, units)
    bench = layer.bench
    weight_gradient = bench.plan.add(units * round_up(features, 16))
    bias_gradient = bench.plan.add(round_up(units, 16))
    fields |= {"weight_gradient": weight_gradient, "bias_gradient": bias_gradient}
    bench.over_parts(call("dense_backward_parts", bench.library, **fields))
    for count, threads in ((samples, 1), (samples, 2), (max(samples - 2, 1), 2)):
        engine = bench.run(count, threads)
        dx, dw, db = wanted(layer, count)
        close(engine.array(weight_gradient)[0], layer.master(dw))
        close(engine.array(bias_gradient)[0], layer.master(db))
        out = engine.array(fields["input_gradient"].buffer)  # type: ignore[attr-defined]
        close(out[:count, :features], dx.numpy().astype(np.float32))


@each_isa
@each_case
def test_update_on_the_way(
    isa: str, samples: int, features: int, units: int, activation: int, packed: bool
) -> None:
    layer, fields = parts_layer(isa, samples, features, units)
    bench = layer.bench
    kept = {
        name: bench.weight(np.zeros(size, np.float32))
        for name, size in (
            *((slot, units * round_up(features, 16)) for slot in ("first", "second")),
            *((slot, round_up(units, 16)) for slot in ("bias_first", "bias_second")),
        )
    }
    fields |= kept | {"optimizer": 4, "momentum": 0.9, "second_decay": 0.999, "epsilon": 1e-3}
    fields |= {"weight_decay": 0.1, "bias_l2": 0.05}
    bench.over_parts(call("dense_backward_parts", bench.library, **fields))
    dx, dw, db = wanted(layer, samples)
    w, b = torch.from_numpy(layer.w).double(), torch.from_numpy(layer.b).double()
    for weight, gradient, decay in ((w, dw, 0.1), (b, db + 2 * 0.05 * b, 0.0)):
        rule = optimizers.Adam(epsilon=1e-3, weight_decay=decay)
        rule.update([weight], [gradient], rule.init([weight]), 0.01)
    for threads in (1, 2):
        engine = bench.run(threads=threads, rates=np.array([0.01]))
        close(engine.array(layer.weight)[0], layer.master(w))
        close(engine.array(layer.bias)[0], layer.master(b))
        out = engine.array(fields["input_gradient"].buffer)  # type: ignore[attr-defined]
        close(out[:, :features], dx.numpy().astype(np.float32))


@each_isa
def test_threads_give_the_same_bits(isa: str) -> None:
    layer, fields = parts_layer(isa, 33, 200, 50)
    layer.forward("dense_parts")
    fields |= {"optimizer": 1}
    layer.bench.over_parts(call("dense_backward_parts", layer.bench.library, **fields))
    one, two = (layer.bench.run(threads=threads, rates=np.array([0.1])) for threads in (1, 2))
    for buffer in range(len(layer.bench.plan.buffers)):
        np.testing.assert_array_equal(one.array(buffer), two.array(buffer))


@each_isa
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("features", 0, "features = 0, need 1 to 1073741824"),
        ("features", 160, "input has 8 x 384 bytes, needs 8 x 640"),
        ("units", 2000, "output has 8 x 64 bytes, needs 8 x 8000"),
        ("activation", 3, "activation = 3, need 0 to 2"),
        ("bias", 900, "bias is no buffer"),
    ],
)
def test_a_call_that_would_leave_its_buffers_is_refused(
    isa: str, field: str, value: int, message: str
) -> None:
    layer = Layer(isa, (8, 90, 10, 0, True))
    layer.forward("dense")
    (right,) = layer.bench.plan.stages[0].calls
    wrong = Call(right.kernel, {**right.fields, field: value})
    layer.bench.plan.stages[0].calls[:] = [wrong]
    with pytest.raises(TrainingError) as error:
        layer.bench.engine()
    assert str(error.value) == (
        "the native engine: refused a plan\n"
        f"  got   stage 0, dense: {message}\n"
        '  fix   engine="torch"'
    )
