"""Plans of whole networks: one training step and the outputs, against torch in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from graphs import random_model
from native_steps import Native
from torch import Tensor

import striate as st
from striate import layers as L
from striate.core.layer import Layer
from striate.core.spec import Spec
from striate.lower.execution import Execution
from striate.lower.lower import Head, lower
from striate.lower.optimizer import update_of
from striate.lower.rules import covered
from striate.lower.runtime import library
from striate.lower.trace import trace

pytestmark = pytest.mark.skipif(library() is None, reason="the native engine was not built")
QUICK, ALL = 80, 500


def faults(seed: int) -> list[str]:
    model = random_model(seed)
    assert covered(trace(model.graph, training=True)) == ""
    samples = (5, 3, 5, 1)[seed % 4]  # a full batch, or a short one
    try:
        return Native(model, batch=5, samples=samples, threads=1 + seed % 2, seed=seed).faults()
    except RuntimeError as error:  # torch's own gradient of some transposed convolutions in float64
        if "grad_weight" in str(error) and "contiguous" in str(error):
            return []
        raise
    except ValueError as error:  # torch normalises no single number
        if "more than 1 value per channel" in str(error):
            return []
        raise


@pytest.mark.parametrize("begin", range(0, QUICK, 10))
def test_gradients_of_random_networks_are_those_of_autograd(begin):
    assert [(seed, fault) for seed in range(begin, begin + 10) for fault in faults(seed)] == []


@pytest.mark.slow
@pytest.mark.parametrize("begin", range(QUICK, ALL, 20))
def test_gradients_of_500_random_networks_are_those_of_autograd(begin):
    assert [(seed, fault) for seed in range(begin, begin + 20) for fault in faults(seed)] == []


@pytest.mark.parametrize("begin", range(0, 40, 10))
def test_outputs_of_random_networks_are_those_of_torch(begin):
    for seed in range(begin, begin + 10):
        model = random_model(seed)
        model.eval()
        draw = torch.Generator().manual_seed(seed)
        x = [torch.randn(3, *s.spec.shape, generator=draw) for s in model.inputs]
        with torch.no_grad():
            expected = model(*x).numpy()
        (got,) = model.predictor([one.numpy() for one in x])
        scale = max(1e-3, abs(expected).max())
        np.testing.assert_allclose(got / scale, expected / scale, atol=1e-5, err_msg=str(seed))


def outputs(model: st.Model, x: list[np.ndarray], shares: int, threads: int) -> np.ndarray:
    """Return the output for one sample, cut into parts."""
    lowered = lower(trace(model.graph, training=False), 1, ["float32"] * len(x), shares=shares)
    execution = Execution(lowered, library())
    execution.push()
    out = np.empty((1, *model.outputs[0].spec.shape), np.float32)
    execution.run(1, [*x, out], threads=threads)
    return out


@pytest.mark.parametrize("begin", range(0, 60, 20))
def test_a_lone_image_gives_the_same_cut_into_parts(begin, monkeypatch):
    monkeypatch.setattr("striate.lower.lower.SHARED_FROM", 0)
    monkeypatch.setattr("striate.lower.units.convolution.SHARED_FROM", 0)
    for seed in range(begin, begin + 20):
        model = random_model(seed)
        draw = np.random.default_rng(seed)
        x = [draw.standard_normal((1, *s.spec.shape), np.float32) for s in model.inputs]
        whole = outputs(model, x, shares=1, threads=1)
        for shares in (2, 3):
            cut = outputs(model, x, shares, threads=2)
            np.testing.assert_allclose(cut, whole, rtol=1e-5, atol=1e-5, err_msg=str(seed))


def test_every_batch_reaches_its_place_where_torch_does_a_part():
    st.seed(0)
    model = st.Sequential(
        [L.Input((6, 6, 2)), L.Conv2D(4, 3), L.PReLU("glorot_uniform"), L.Flatten(), L.Dense(3)]
    )
    x = np.random.default_rng(0).normal(size=(200, 6, 6, 2)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(model.predict(x, batch_size=200), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        pytest.param((20, 20, 2), lambda: [L.MaxPooling2D(17)], id="a pooling beside a kernel"),
        pytest.param((300, 2), lambda: [L.Conv1D(3, 260)], id="a window of 260"),
        pytest.param((300, 2), lambda: [L.DepthwiseConv1D(257)], id="a window of each channel"),
        pytest.param((33000, 1), lambda: [L.Conv1D(2, 9, strides=500)], id="a long sound"),
        pytest.param((34000, 1), lambda: [L.Conv1D(2, 2, strides=33000)], id="a long way"),
        pytest.param((300, 1), lambda: [L.Conv1D(2, 3), L.MaxPooling1D(280)], id="pooled at once"),
    ],
)
def test_windows_that_no_kernel_takes_are_computed_all_the_same(shape, layers):
    st.seed(0)
    model = st.Sequential([L.Input(shape), *layers(), L.Flatten(), L.Dense(3)])
    assert Native(model, batch=3, samples=3, threads=1, seed=0).faults() == []


class Halved(Layer):
    """What it is given, and a half as wide."""

    def infer(self, *x: Spec) -> Any:
        height, width, channels = x[0].shape
        return Spec((height, width, channels)), Spec((height // 2, width // 2, channels))

    def forward(self, *x: Tensor) -> Any:
        return x[0], x[0][:, ::2, ::2]


def test_each_output_of_a_layer_has_the_cells_of_zeros_that_its_readers_need():
    st.seed(0)
    inputs = L.Input((8, 8, 16))
    whole, half = Halved()(inputs)
    model = st.Model(inputs, [L.Conv2D(16, 3, padding="same")(half), L.Conv2D(4, 1)(whole)])
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 16)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(x))
    for value, wanted in zip(model.predict(x), expected, strict=True):
        np.testing.assert_allclose(value, wanted.numpy(), atol=1e-4)


def digits() -> st.Sequential:
    st.seed(3)
    return st.Sequential(
        [
            L.Input((12, 12, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(8, 3, padding="same", use_bias=False),
            L.BatchNormalization(),
            L.ReLU(),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Dropout(0.2),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ]
    )


def smooth() -> st.Sequential:
    """Without a kink or a maximum, where one unit in the last place can decide for another way."""
    st.seed(3)
    return st.Sequential(
        [
            L.Input((12, 12, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(8, 3, padding="same", use_bias=False),
            L.BatchNormalization(),
            L.Activation("tanh"),
            L.AveragePooling2D(2),
            L.Conv2D(16, 3, activation="sigmoid"),
            L.Flatten(),
            L.Dense(80, activation="softplus"),
            L.Dense(10, activation="softmax"),
        ]
    )


def images(count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 12, 12, 1), np.uint8), rng.integers(0, 10, count)


def test_any_number_of_threads_gives_the_same_bytes(monkeypatch):
    x, y = images()
    found = []
    for threads in (1, 2, 3):
        monkeypatch.setattr("striate.lower.runtime.cores", lambda threads=threads: threads)
        model = digits()
        model.compile("adam", "crossentropy", engine="native")
        model.fit(x, y, batch_size=32, epochs=3, verbose=0)
        found.append([weight.tobytes() for weight in model.get_weights()])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    "optimizer",
    [
        st.optimizers.SGD(0.05),
        st.optimizers.SGD(0.05, momentum=0.9),
        st.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        st.optimizers.RMSprop(1e-3, epsilon=1e-3),
        st.optimizers.Adam(1e-3, epsilon=1e-3),
        st.optimizers.AdamW(1e-3, epsilon=1e-3, weight_decay=0.05),
        st.optimizers.Adam(1e-3, epsilon=1e-3, amsgrad=True),
        st.optimizers.RMSprop(1e-3, epsilon=1e-3, momentum=0.9),
        st.optimizers.Adagrad(1e-2, epsilon=1e-3),
        st.optimizers.Adadelta(0.5, epsilon=1e-3),
        st.optimizers.Adamax(1e-3, epsilon=1e-3),
        st.optimizers.Nadam(1e-3, epsilon=1e-3),
        st.optimizers.SGD(st.optimizers.schedules.CosineDecay(0.05, 100)),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_a_hundred_steps_follow_torch(optimizer):
    x, y = images(320)
    found = []
    for engine in ("torch", "native"):
        model = smooth()
        model.compile(optimizer, "crossentropy", ["accuracy"], engine=engine)
        history = model.fit(x, y, batch_size=32, epochs=10, verbose=0).history
        found.append((history, model.get_weights()))
    np.testing.assert_allclose(found[0][0]["loss"], found[1][0]["loss"], rtol=1e-4)
    np.testing.assert_allclose(found[0][0]["accuracy"], found[1][0]["accuracy"], atol=0.01)
    for torch_weight, weight in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(weight, torch_weight, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("calls", "frozen", "fused"),
    [(1, "", True), (2, "", False), (1, "bias", False), (1, "kernel", False)],
)
def test_weights_that_a_kernel_may_not_change_itself_follow_torch_too(calls, frozen, fused):
    """Of a dense layer that the threads share out: where it is called again, or partly frozen."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 200)).astype(np.float32), rng.integers(0, 3, 64)
    found = []
    for engine in ("torch", "native"):
        st.seed(2)
        layer, out = L.Dense(200, activation="tanh"), L.Input((200,))
        inputs = out
        for _ in range(calls):
            out = layer(out)
        model = st.Model(inputs, L.Dense(3, activation="softmax")(out))
        if frozen:
            getattr(layer, frozen).requires_grad_(False)
        optimizer = st.optimizers.SGD(0.05, momentum=0.9)
        model.compile(optimizer, "crossentropy", engine=engine)
        before = model.get_weights()
        model.fit(x, y, batch_size=16, epochs=3, verbose=0)
        found.append(model.get_weights())
    head, update = Head("softmax_crossentropy", labels=True), update_of(optimizer)
    lowered = lower(trace(model.graph, training=True), 16, ["float32"], head=head, update=update)
    made = [call for stage in lowered.plan.stages for call in stage.calls]
    backward = [call.fields for call in made if call.kernel == "dense_backward_parts"]
    assert [fields["optimizer"] != 0 for fields in backward] == [fused] * calls
    for expected, weight, start in zip(*found, before, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5)
        still = frozen and start.shape == getattr(layer, frozen).shape
        assert np.array_equal(weight, start) == bool(still)


@pytest.mark.skipif(
    library() is None or "conv_bf16" not in library().kernels, reason="no products of bfloat16"
)
def test_bfloat16_products_follow_float32_loosely_and_weights_stay_float32():
    x, y = images()
    losses = []
    for precision in ("float32", "bfloat16"):
        st.seed(0)
        model = st.Sequential(
            [
                L.Input((12, 12, 1)),
                L.Rescaling(1 / 255),
                L.Conv2D(16, 3, activation="relu"),
                L.Conv2D(32, 3, padding="same", activation="relu"),
                L.Conv2D(16, 3, activation="relu"),
                L.MaxPooling2D(2),
                L.Flatten(),
                L.Dense(10, activation="softmax"),
            ]
        )
        model.compile("sgd", "crossentropy", engine="native", precision=precision)
        losses.append(model.fit(x, y, epochs=3, verbose=0).history["loss"])
        assert all(weight.dtype == np.float32 for weight in model.get_weights())
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-3)
