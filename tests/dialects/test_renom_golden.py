"""Every row of ReNom's tables against its formula, and one step of each layer that learns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from striate.dialects import installed
from striate.dialects.renom import activations, losses, operations, served
from striate.dialects.renom.functional import FUNCTIONS as LAYERS_AS_FUNCTIONS

Formula = Callable[..., Any]
IMAGE, FLAT, CUBE = (4, 5, 6), (4,), (2, 3, 4, 5)


@pytest.fixture(scope="module")
def rm() -> Iterator[Any]:
    with installed("renom"):
        import renom

        yield renom


def numbers(*shape: int) -> Any:
    return np.sin(np.arange(int(np.prod(shape))) * 12.9898).reshape(shape).astype("float32")


def t(act: Callable[..., Any], *args: Any, **words: Any) -> Any:
    """Call a function of torch on arrays."""
    return act(*(torch.from_numpy(np.array(a)) if isinstance(a, np.ndarray) else a for a in args),
               **words).numpy()  # fmt: skip


def turned(w: Any) -> Any:
    return np.flip(np.asarray(w), tuple(range(2, w.ndim))).copy()


def folded(act: Formula, **words: Any) -> Formula:
    """Return a convolution with kernels that are turned by half a circle."""
    return lambda x, w, b: t(act, x, turned(w), np.asarray(b).reshape(-1), **words)


def centred(x: Any, axes: Any, eps: float = 1e-5) -> Any:
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + eps)


def directed(x: Any, w: Any, gain: Any, bias: Any) -> Any:
    return x @ (w / np.linalg.norm(w, axis=0, keepdims=True)) * gain + bias


LAYERS: dict[str, tuple[str, tuple[int, ...], Formula]] = {
    "Conv2d": ("Conv2d(3, (3, 2), 1, 2, 1)", IMAGE, folded(F.conv2d, padding=1, stride=2)),
    "GroupConv2d": ("GroupConv2d(4, 3, groups=2)", IMAGE, folded(F.conv2d, groups=2)),
    "Deconv2d": ("Deconv2d(3, 3, 1, 2)", IMAGE, folded(F.conv_transpose2d, padding=1, stride=2)),
    "ConvNd": ("ConvNd(3, 2)", CUBE, folded(F.conv3d)),
    "Conv3d": ("Conv3d(3, 2, 1)", CUBE, folded(F.conv3d, padding=1)),
    "DeconvNd": ("DeconvNd(3, 2)", CUBE, folded(F.conv_transpose3d)),
    "Dense": ("Dense(3)", FLAT, lambda x, w, b: x @ w + b),
    "BatchNormalize": ("BatchNormalize(mode='feature')", IMAGE,
                       lambda x, w, b: centred(x, (0, 2, 3)) * w + b),
    "LayerNormalize": ("LayerNormalize()", IMAGE,
                       lambda x, gain, bias: centred(x, (1, 2, 3)) * gain + bias),
    "GroupNormalize": ("GroupNormalize(2)", IMAGE, lambda x, w, b: centred(
        x.reshape(len(x), 2, -1), 2).reshape(x.shape) * w + b),
    "WeightNormalize": ("WeightNormalize(3)", FLAT, directed),
    "L2Norm": ("L2Norm(20)", IMAGE, lambda x, w: x / np.sqrt((x**2).sum(1, keepdims=True)) * w),
}  # fmt: skip
STILL: dict[str, tuple[str, tuple[int, ...], Formula]] = {  # layers without weights
    "Flatten": ("Flatten()", IMAGE, lambda x: x.reshape(len(x), -1)),
    "MaxPool2d": ("MaxPool2d(3, 1, 2)", IMAGE, lambda x: t(
        F.max_pool2d, np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), 3, 2)),
    "AveragePool2d": ("AveragePool2d((2, 3), 1, 2)", IMAGE,
                      lambda x: t(F.avg_pool2d, x, (2, 3), 2, 1)),
    "MaxPoolNd": ("MaxPoolNd(2)", CUBE, lambda x: t(F.max_pool3d, x, 2, 1)),
    "AveragePoolNd": ("AveragePoolNd(2)", CUBE, lambda x: t(F.avg_pool3d, x, 2, 1)),
    "Lrn": ("Lrn(3, 2, 0.5, 0.75)", IMAGE, lambda x: x / (2 + 0.5 * sum(
        np.pad(x**2, ((0, 0), (1, 1), (0, 0), (0, 0)))[:, i : i + 4] for i in range(3))) ** 0.75),
    "Relu": ("Relu()", FLAT, lambda x: x.clip(0)),
    "Relu6": ("Relu6()", FLAT, lambda x: x.clip(0, 6)),
    "LeakyRelu": ("LeakyRelu()", FLAT, lambda x: np.where(x > 0, x, 0.01 * x)),
    "Elu": ("Elu()", FLAT, lambda x: np.where(x > 0, x, 0.01 * np.expm1(x))),
    "Selu": ("Selu()", FLAT, lambda x: 1.0507009873554805 * np.where(
        x > 0, x, 1.6732632423543772 * np.expm1(x))),
    "Sigmoid": ("Sigmoid()", FLAT, lambda x: 1 / (1 + np.exp(-x))),
    "Tanh": ("Tanh()", FLAT, np.tanh),
    "Softmax": ("Softmax()", IMAGE, lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    "Softplus": ("Softplus()", FLAT, lambda x: np.log1p(np.exp(x))),
    "Softsign": ("Softsign()", FLAT, lambda x: x / (1 + abs(x))),
    "Swish": ("Swish(2.0)", FLAT, lambda x: x / (1 + np.exp(-2 * x))),
    "Mish": ("Mish()", FLAT, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    "HardSigmoid": ("HardSigmoid()", FLAT, lambda x: (0.2 * x + 0.5).clip(0, 1)),
    "HardTanh": ("HardTanh()", FLAT, lambda x: x.clip(-1, 1)),
    "Maxout": ("Maxout(2)", FLAT, lambda x: np.maximum(x[:, ::2], x[:, 1::2])),
}  # fmt: skip
OTHERWISE = {  # rows that are compared in a test of their own
    "Embedding": "rows chosen by numbers, below",
    "MaxUnPool2d": "test_renom.py::test_unpooling_puts_the_largest_back",
    **dict.fromkeys(
        ("MaxUnPoolNd", "AverageUnPool2d", "AverageUnPoolNd"),
        "test_renom.py::test_averages_are_spread_over_their_windows",
    ),
    "Dropout": "draws; test_renom.py::test_dropout_drops_outside_of_train_unless_inference_is_set",
    "SpatialDropout": "draws; below",
    **dict.fromkeys(("Lstm", "PeepholeLstm", "Gru"), "two steps, below"),
}


def weights_of(rm: Any, layer: Any) -> list[Any]:
    """Return the weights, other than their usual values."""
    shapes = {name: value.shape for name, value in layer.params.items()}
    layer.params = {name: rm.Variable(numbers(*shape) * 0.5 + 0.3)
                    for name, shape in shapes.items()}  # fmt: skip
    return [np.array(value) for value in layer.params.values()]


@pytest.mark.parametrize("name", [*LAYERS, *STILL])
def test_a_layer_gives_what_its_formula_says(rm: Any, name: str) -> None:
    text, shape, formula = (LAYERS | STILL)[name]
    layer, x = eval(f"rm.{text}", {"rm": rm}), numbers(3, *shape)
    layer(x)  # which makes the weights
    weights = weights_of(rm, layer) if name in LAYERS else []
    out, expected = np.array(layer(x)), formula(x, *weights)
    assert out.shape == expected.shape and out.dtype == np.float32
    np.testing.assert_allclose(out, expected, rtol=2e-4, atol=3e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_a_step_goes_down_the_slope_of_the_formula(rm: Any, name: str) -> None:
    text, shape, formula = LAYERS[name]
    layer, x = eval(f"rm.{text}", {"rm": rm}), numbers(3, *shape)
    layer(x)
    weights = weights_of(rm, layer)
    target = numbers(*formula(x, *weights).shape) ** 2
    with layer.train():
        loss = rm.mean_squared_error(layer(x), target)
    loss.grad().update()  # p -= g
    for index, (before, after) in enumerate(zip(weights, layer.params.values(), strict=True)):
        for place in {0, before.size // 2, before.size - 1}:

            def value(step: float, index: int = index, place: int = place) -> Any:
                moved = [w.copy() for w in weights]
                moved[index].ravel()[place] += step
                out = formula(x, *moved).astype("float64")
                return ((out - target) ** 2).sum() / (2 * len(x))

            slope = (value(1e-2) - value(-1e-2)) / 2e-2
            found = (before - np.array(after)).ravel()[place]
            assert found == pytest.approx(slope, rel=0.03, abs=2e-3), (index, place)


def test_rows_and_channels(rm: Any) -> None:
    layer = rm.Embedding(3, 5)
    picked = layer(np.array([[4], [0]]))
    np.testing.assert_allclose(picked, np.array(layer.params.w)[[4, 0]], rtol=1e-6)
    np.random.seed(0)  # noqa: NPY002  that is ReNom's generator
    dropped = np.array(rm.SpatialDropout(0.5)(np.ones((20, 10, 2, 2))))
    assert {tuple(np.unique(one)) for one in dropped.reshape(200, 4)} == {(0.0,), (2.0,)}


OPERATIONS: dict[str, tuple[Callable[[Any], Any], Formula]] = {
    "sum": (lambda rm: rm.sum, np.sum),
    "mean": (lambda rm: rm.mean, np.mean),
    "amax": (lambda rm: lambda x: rm.amax(x, axis=1), lambda x: x.max(1)),
    "amin": (lambda rm: lambda x: rm.amin(x, axis=0), lambda x: x.min(0)),
    "sqrt": (lambda rm: lambda x: rm.sqrt(x * x), np.abs),
    "square": (lambda rm: rm.square, np.square),
    "exp": (lambda rm: rm.exp, np.exp),
    "log": (lambda rm: lambda x: rm.log(x * x), lambda x: np.log(x * x)),
    "abs": (lambda rm: rm.abs, np.abs),
    "dot": (lambda rm: lambda x: rm.dot(x, x.T), lambda x: x @ x.T),
    "add": (lambda rm: lambda x: rm.add(x, x), lambda x: x + x),
    "sub": (lambda rm: lambda x: rm.sub(x, 2 * x), lambda x: -x),
    "mul": (lambda rm: lambda x: rm.mul(x, x), np.square),
    "div": (lambda rm: lambda x: rm.div(x, x + 3), lambda x: x / (x + 3)),
    "concat": (lambda rm: lambda x: rm.concat(x, x), lambda x: np.hstack([x, x])),
    "reshape": (lambda rm: lambda x: rm.reshape(x, (2, -1)), lambda x: x.reshape(2, -1)),
    "where": (lambda rm: lambda x: rm.where(x > 0, x, -x), np.abs),
    "transpose": (lambda rm: rm.transpose, np.transpose),
    "pad": (lambda rm: lambda x: rm.pad(x, ((1, 0), (0, 2))),
            lambda x: np.pad(x, ((1, 0), (0, 2)))),
    "invert": (lambda rm: lambda x: rm.operation.invert(x + 3), lambda x: 1 / (x + 3)),
    "clip": (lambda rm: lambda x: rm.clip(x, -0.5, 0.2), lambda x: x.clip(-0.5, 0.2)),
    "to_value": (lambda rm: rm.core.to_value, lambda x: x),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_that_of_numpy(rm: Any, name: str) -> None:
    make, formula = OPERATIONS[name]
    x = numbers(4, 6) + 0.05
    np.testing.assert_allclose(make(rm)(x), formula(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("row", activations.ROWS, ids=lambda row: row.name)
def test_a_function_is_its_class_called(rm: Any, row: Any) -> None:
    x = numbers(3, 4)
    words = {"slice_size": 2} if row.name == "maxout" else {}
    layer = getattr(rm, row.title)(**words)
    assert np.array_equal(getattr(rm, row.name)(x, **words), layer(x))


W, B = numbers(3, 4, 2, 2), numbers(1, 3, 1, 1)
CALLED: dict[str, tuple[tuple[Any, ...], str]] = {  # functions, by the layers that do the same
    "max_pool2d": ((3, 2, 1), "MaxPool2d(3, 1, 2)"),
    "average_pool2d": (((2, 3), 2, 1), "AveragePool2d((2, 3), 1, 2)"),
    "flatten": ((), "Flatten()"),
    "lrn": ((3, 2, 0.5, 0.75), "Lrn(3, 2, 0.5, 0.75)"),
}


def test_layers_as_functions(rm: Any) -> None:
    x = numbers(3, *IMAGE)
    for name, (args, text) in CALLED.items():
        layer = eval(f"rm.{text}", {"rm": rm})
        assert np.array_equal(getattr(rm, name)(x, *args), layer(x)), name
    np.testing.assert_allclose(rm.conv2d(x, W, B, 2, 2, 1), folded(
        F.conv2d, padding=1, stride=2)(x, W, B), rtol=1e-5, atol=1e-5)  # fmt: skip
    w = W.transpose(1, 0, 2, 3).copy()
    np.testing.assert_allclose(rm.deconv2d(x, w, B, 2, 2, 1), folded(
        F.conv_transpose2d, padding=1, stride=2)(x, w, B), rtol=1e-5, atol=1e-5)  # fmt: skip
    flat = numbers(5, 4)
    np.testing.assert_allclose(rm.dense(flat, flat.T, flat[:1, :1]), flat @ flat.T + flat[0, 0],
                               rtol=1e-5)  # fmt: skip
    assert np.array_equal(rm.dropout(x, inference=True), x)
    assert np.array_equal(rm.spatial_dropout(x, inference=True), x)
    pooled = rm.max_pool2d(x, 2, 2)
    assert np.array_equal(rm.max_unpool2d(pooled, pooled), rm.MaxUnPool2d()(pooled, pooled))


def test_two_more_optimizers(rm: Any) -> None:
    """Adamax by its formula; gradients of ClampedSgd stay in its limits."""
    w, u, m, expected = 1.0, 0.0, 0.0, []
    for step in range(1, 4):
        g = 2 * w
        m, u = 0.9 * m + 0.1 * g, max(0.999 * u, abs(g))
        w -= 0.002 / (1 - 0.9**step) * m / (u + 1e-8)
        expected.append(w)
    clamped = rm.ClampedSgd(0.1, 0.0, (-0.5, 0.5), False)
    for made, wanted in ((rm.Adamax(alpha=0.002), expected), (clamped, [0.95, 0.9, 0.85])):
        variable, found = rm.Variable(np.ones(1)), []
        for _ in range(3):
            rm.sum(variable * variable).grad().update(made)
            found.append(float(variable[0]))
        assert found == pytest.approx(wanted, rel=1e-5)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def gates(x: Any, h: Any, w: dict[str, Any], count: int) -> list[Any]:
    return np.split(x @ w["w"] + h @ w["wr"] + w["b"], count, 1)


def lstm(x: Any, h: Any, c: Any, w: dict[str, Any], seen: Any) -> tuple[Any, Any]:
    f, i, o = np.split(seen, 3, 1)
    candidate, forget, into, out = gates(x, h, w, 4)
    new = sigmoid(into + i * c) * np.tanh(candidate) + sigmoid(forget + f * c) * c
    return np.tanh(new) * sigmoid(out + o * new), new


def gru(x: Any, h: Any, w: dict[str, Any]) -> Any:
    assert set(w) == {"w", "u", "b"}
    z, r, _ = gates(x, h, {**w, "wr": w["u"]}, 3)
    wide = w["w"].shape[1] // 3 * 2
    inner = h @ w["u"][:, wide:]
    new = np.tanh(x @ w["w"][:, wide:] + w["b"][:, wide:] + sigmoid(r) * inner)
    return sigmoid(z) * h + (1 - sigmoid(z)) * new


@pytest.mark.parametrize("name", ["Lstm", "PeepholeLstm", "Gru"])
def test_steps_of_a_recurrent_layer_are_what_its_formula_says(rm: Any, name: str) -> None:
    layer, x = getattr(rm, name)(3), numbers(2, 4, 5)
    layer(x[0])
    layer.truncate()
    w = {key: np.array(value) for key, value in layer.params.items()}
    h = c = np.zeros((4, 3))
    for step in x:
        if name == "Gru":
            h = gru(step, h, w)
        else:
            h, c = lstm(step, h, c, w, w.get("wc", np.zeros((1, 9))))
        np.testing.assert_allclose(np.array(layer(step)), h, rtol=1e-4, atol=1e-6)


def test_every_row_is_compared() -> None:
    layers = {one.__name__ for one in served.LAYERS}
    titles = {row.title for row in activations.ROWS}
    assert layers | titles == {*LAYERS, *STILL, *OTHERWISE}
    assert set(operations.OPERATIONS) == set(OPERATIONS)
    called = {
        "conv2d",
        "deconv2d",
        "dense",
        "dropout",
        "spatial_dropout",
        "max_unpool2d",
        "average_unpool2d",
        *CALLED,
    }
    assert set(LAYERS_AS_FUNCTIONS) == called
    assert {name for name, _, _ in losses.ROWS} == {  # in test_renom.py, each by its formula
        "softmax_cross_entropy", "sigmoid_cross_entropy", "mean_squared_error",
        "clipped_mean_squared_error", "cross_entropy", "smoothed_l1",
    }  # fmt: skip
    rules = {one.__name__ for one in served.OPTIMIZERS} - {"Optimizer"}
    assert rules == {"Sgd", "Adam", "Rmsprop", "Adagrad", "Adadelta", "Adamax", "ClampedSgd"}
