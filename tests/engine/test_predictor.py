"""Predictions through native plans: from many threads, of any form, with today's weights."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import striate as st
from striate import layers as L
from striate.engine.predictor import MOST_FORMS
from striate.lower.runtime import library

pytestmark = pytest.mark.skipif(library() is None, reason="the native engine was not built")


def network(size: int | None = 12, channels: int = 1) -> st.Model:
    st.seed(1)
    return st.Sequential(
        [
            L.Input((size, size, channels)),
            L.Rescaling(1 / 255),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.GlobalAveragePooling2D(),
            L.Dense(10, activation="softmax"),
        ]
    )


def expected(model: st.Model, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model.eval()(torch.from_numpy(x)).numpy()


def test_many_threads_predict_at_once():
    model = network()
    x = np.random.default_rng(0).integers(0, 256, (200, 12, 12, 1), np.uint8)
    whole = expected(model, x)

    def one(number: int) -> float:
        if number % 10:
            return abs(model.predict_on_batch(x[number : number + 1]) - whole[number]).max()
        return abs(model.predict(x[number:]) - whole[number:]).max()

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(one, range(200))) < 1e-5


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
def test_any_numbers_with_or_without_the_axis_of_one_channel(samples, dtype):
    model = network()
    x = np.random.default_rng(0).integers(0, 256, (samples, 12, 12, 1)).astype(dtype)
    want = expected(model, x.astype(np.float32))
    np.testing.assert_allclose(model.predictor([x]), [want], atol=1e-6)
    np.testing.assert_allclose(model.predictor([x[..., 0]]), [want], atol=1e-6)


@pytest.mark.parametrize("samples", [1, 3])
def test_rows_of_pixels_with_or_without_an_axis_of_one(samples):
    st.seed(1)
    model = st.Sequential([L.Input((12, 12)), L.Flatten(), L.Dense(3)])
    x = np.random.default_rng(0).integers(0, 256, (samples, 12, 12), np.uint8)
    want = expected(model, x.astype(np.float32))
    for given in (x, x[..., None]):
        np.testing.assert_allclose(model.predictor([given]), [want], rtol=1e-5)


@pytest.mark.parametrize("samples", [1, 3])
def test_channels_first(samples):
    st.seed(1)
    x = L.Input((3, 8, 9), data_format="channels_first")
    y = L.Conv2D(5, 3, data_format="channels_first", activation="relu")(x)
    model = st.Model(x, y)
    given = np.random.default_rng(0).standard_normal((samples, 3, 8, 9), np.float32)
    np.testing.assert_allclose(model.predictor([given])[0], expected(model, given), atol=1e-5)


def test_predictions_are_those_of_the_weights_at_the_time():
    model = network()
    x = np.full((1, 12, 12, 1), 200, np.uint8)
    before = model.predict_on_batch(x)
    model.set_weights([-weight for weight in model.get_weights()])
    after = model.predict_on_batch(x)
    assert abs(after - before).max() > 1e-4
    np.testing.assert_allclose(after, expected(model, x), atol=1e-6)


@pytest.mark.parametrize("samples", [1, 5])
def test_weights_that_are_changed_behind_torchs_back_are_todays(samples):
    model = network()
    x = np.random.default_rng(0).integers(0, 256, (samples, 12, 12, 1), np.uint8)
    before = model.predict_on_batch(x)
    for change in (
        lambda weight: weight.data.mul_(2),
        lambda weight: setattr(weight, "data", weight.data * 2),
        lambda weight: np.multiply(weight.detach().numpy(), 0.5, weight.detach().numpy()),
    ):
        for weight in model.parameters():
            change(weight)
        after = model.predict_on_batch(x)
        assert abs(after - before).max() > 1e-4
        np.testing.assert_allclose(after, expected(model, x), atol=1e-6)
        before = after


def test_what_it_returns_is_the_callers():
    model = network()
    first = model.predict_on_batch(np.full((1, 12, 12, 1), 200, np.uint8))
    kept = first.copy()
    model.predict_on_batch(np.zeros((1, 12, 12, 1), np.uint8))
    np.testing.assert_array_equal(first, kept)


def test_plans_for_many_sizes_are_not_kept_for_ever():
    model = network(None)
    for size in range(3, MOST_FORMS + 8):
        model.predictor([np.zeros((1, size, 5, 1), np.uint8)])
    assert len(model.predictor.ways) < MOST_FORMS
    assert len(model.predictor.plans) < MOST_FORMS


def test_what_has_no_plan_is_left_to_torch():
    model = network()
    two = [np.zeros((1, 12, 12, 1), np.uint8)] * 2
    for x in (two, [two[0][:0]], [np.zeros((1, 11, 12, 1))], [np.zeros(())]):
        assert model.predictor(x) is None


def test_a_model_in_training_stays_so():
    model = network()
    model.train()
    model.predict(np.zeros((2, 12, 12, 1), np.uint8))
    assert all(module.training for module in model.modules())


def test_one_sample_beside_torch_operations_is_read_as_a_batch_of_one():
    inputs = L.Input((1, 12, 12), data_format="channels_first")
    x = L.Conv2D(4, 3, data_format="channels_first")(inputs)
    model = st.Model(inputs, L.Lambda(torch.sin)(x))
    one = np.random.default_rng(0).integers(0, 256, (1, 12, 12), np.uint8)
    np.testing.assert_allclose(
        model.predict(one), expected(model, one[None].astype(np.float32)), atol=1e-4
    )


def test_a_model_in_another_dtype_has_no_plan_of_the_one_before():
    model, x = network(), np.zeros((2, 12, 12, 1), np.uint8)
    assert model.predictor([x]) is not None
    assert model.double().predictor([x]) is None
    assert model.float().predictor([x]) is not None
