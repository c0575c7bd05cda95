"""Names of Keras 3 and of TensorFlow's further modules mean what they mean there."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from striate.dialects import installed

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = json.loads((GOLDEN / "keras_newer.json").read_text())["results"]


@pytest.fixture(scope="module")
def found() -> Any:
    with installed("keras3"):
        import keras

        spec = importlib.util.spec_from_file_location("newer", GOLDEN / "make_keras_newer.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.results(keras)


@pytest.mark.parametrize("name", EXPECTED)
def test_cases_are_those_of_keras(found: Any, name: str) -> None:
    several = (found[name], EXPECTED[name]) if isinstance(found[name], list) else (
        [found[name]], [EXPECTED[name]])  # fmt: skip
    for value, wanted in zip(*several, strict=True):
        np.testing.assert_allclose(value, wanted, atol=2e-4)


def test_windows_over_a_series_begin_where_the_target_is_read() -> None:
    with installed("keras3"):
        from keras.utils import timeseries_dataset_from_array

        series = np.arange(20)
        far = timeseries_dataset_from_array(series, series[3:], 3, sequence_stride=2,
                                            sampling_rate=3, batch_size=4)  # fmt: skip
        batches = [(x.numpy().tolist(), y.numpy().tolist()) for x, y in far]
    assert batches[0] == ([[0, 3, 6], [2, 5, 8], [4, 7, 10], [6, 9, 12]], [3, 5, 7, 9])
    assert batches[1][1] == [11, 13, 15] and len(batches) == 2
    with installed("tf"):
        from tensorflow.keras.preprocessing.sequence import TimeseriesGenerator

        made = TimeseriesGenerator(series, series, length=4, sampling_rate=2, batch_size=8)
        assert len(made) == 2
        x, y = made[1]
        assert x.tolist()[0] == [8, 10] and y.tolist()[0] == 12 and len(made[1][0]) == 8


def test_tensorflow_has_what_programs_ask_of_devices_and_of_errors() -> None:
    with installed("tf"):
        import tensorflow as tf

        try:
            strategy = tf.distribute.cluster_resolver.TPUClusterResolver()
        except ValueError:
            strategy = tf.distribute.get_strategy()
        with strategy.scope():
            assert strategy.num_replicas_in_sync == 1
        tf.config.experimental.enable_op_determinism()
        tf.debugging.assert_near(tf.ones(2), 1.0)
        with pytest.raises(tf.errors.InvalidArgumentError, match="not equal"):
            tf.debugging.assert_equal(tf.ones(2), tf.zeros(2), message="not equal")
        rows = iter(tf.data.Dataset.range(1))
        next(rows)
        with pytest.raises(tf.errors.OutOfRangeError):
            next(rows)


def test_functions_of_matrices_windows_and_segments_mean_what_tensorflow_says() -> None:
    with installed("tf"):
        import tensorflow as tf

        x = torch.arange(12.0).reshape(3, 4)
        np.testing.assert_array_equal(tf.linalg.band_part(x, 0, -1), np.triu(x))
        np.testing.assert_array_equal(tf.linalg.band_part(x, 1, 0), np.tril(np.triu(x, -1)))
        assert tf.linalg.set_diag(x[:, :3], [7.0, 8.0, 9.0]).numpy().diagonal().tolist() == [
            7,
            8,
            9,
        ]
        a = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
        torch.testing.assert_close(tf.linalg.sqrtm(a) @ tf.linalg.sqrtm(a), a)
        torch.testing.assert_close(a @ tf.linalg.solve(a, a), a)
        means = tf.math.segment_mean(x, [0, 0, 1])
        np.testing.assert_allclose(means, [[2, 3, 4, 5], [8, 9, 10, 11]])
        best = tf.math.unsorted_segment_max(x, [1, 0, 1], num_segments=2)
        np.testing.assert_allclose(best, [[4, 5, 6, 7], [8, 9, 10, 11]])
        turned = tf.reverse_sequence(x, [2, 4, 1], seq_axis=1)
        np.testing.assert_allclose(turned[:2], [[1, 0, 2, 3], [7, 6, 5, 4]])
        assert tf.unique_with_counts([3, 1, 3, 2])[2].numpy().tolist() == [2, 1, 1]
        assert tf.math.polyval([1.0, 2.0, 3.0], 2.0).numpy() == 11
        picture = torch.randn(2, 5, 6, 3)
        out, places = tf.nn.max_pool_with_argmax(picture, 2, 2, "SAME")
        assert out.shape == (2, 3, 3, 3)
        flat = picture.flatten(1).gather(1, places.flatten(1))
        torch.testing.assert_close(flat.reshape(out.shape), out)
        grown = tf.nn.dilation2d(picture, torch.zeros(3, 3, 3), [1, 1, 1, 1], "SAME", "NHWC",
                                 [1, 1, 1, 1])  # fmt: skip
        wanted = functional.max_pool2d(picture.movedim(-1, 1), 3, 1, 1).movedim(1, -1)
        torch.testing.assert_close(grown, wanted)
        shrunk = tf.nn.erosion2d(picture, torch.zeros(3, 3, 3), [1, 1, 1, 1], "VALID", "NHWC",
                                 [1, 1, 1, 1])  # fmt: skip
        wanted = -functional.max_pool2d(-picture.movedim(-1, 1), 3, 1).movedim(1, -1)
        torch.testing.assert_close(shrunk, wanted)
        torch.testing.assert_close(tf.image.yiq_to_rgb(tf.image.rgb_to_yiq(picture)), picture)
        costs = tf.nn.ctc_loss(torch.tensor([[1, 2]]), torch.zeros(4, 1, 3), [2], [4])
        assert costs.shape == (1,) and costs[0] > 0


def test_layers_of_the_last_tf_keras_change_sizes_while_training() -> None:
    with installed("tf"):
        import tensorflow as tf

        wide = tf.keras.layers.RandomWidth((0.5, 0.5))
        assert wide(tf.ones((1, 4, 4, 3)), training=True).shape == (1, 4, 6, 3)
        assert wide(tf.ones((1, 4, 4, 3))).shape == (1, 4, 4, 3)
        high = tf.keras.layers.RandomHeight(0.2)
        assert 3 <= high(tf.ones((1, 10, 4, 3)), training=True).shape[1] - 5 <= 7


@pytest.mark.parametrize(
    ("name", "whole", "weights"),
    [("MobileNetV3Small", 2_554_968, 210), ("EfficientNetV2B0", 7_200_312, 361)],
)
def test_networks_have_the_weights_that_keras_counts(name: str, whole: int, weights: int) -> None:
    with installed("keras3"):
        import keras

        model = getattr(keras.applications, name)(weights=None)
        assert (model.count_params(), len(model.weights)) == (whole, weights)
        assert model.output_shape == (None, 1000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "whole"),
    [("MobileNetV3Large", 5_507_432), ("ConvNeXtTiny", 28_589_128),
     ("EfficientNetV2S", 21_612_360), ("InceptionResNetV2", 55_873_736)],
)  # fmt: skip
def test_large_networks_have_the_weights_that_keras_counts(name: str, whole: int) -> None:
    with installed("keras3"):
        import keras

        assert getattr(keras.applications, name)(weights=None).count_params() == whole
