"""Names of tf.keras 2.15 and Keras 3 around CNNs: sound, tables, groups, boxes, pictures."""

from __future__ import annotations

import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from striate.dialects import installed

RNG = np.random.default_rng(0)


def sound(path: Path, length: int, pitch: float) -> None:
    """Write a tone of 8,000 samples a second."""
    samples = np.round(16384 * np.sin(pitch * np.arange(length))).astype("int16")
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())


def test_sounds_in_folders_become_spectrograms(tmp_path: Path) -> None:
    for number in range(4):
        sound(tmp_path / "low" / f"{number}.wav", 600 + number, 0.1)
        sound(tmp_path / "high" / f"{number}.wav", 700, 1.5)
    with installed("tf"):
        import tensorflow as tf

        audio, rate = tf.audio.decode_wav(
            tf.io.read_file(str(tmp_path / "low" / "0.wav")), desired_samples=610
        )
        found = tf.keras.utils.audio_dataset_from_directory(
            str(tmp_path), batch_size=3, output_sequence_length=640, shuffle=False
        )
        pictures = found.map(lambda x, y: (tf.abs(tf.signal.stft(x[..., 0], 128, 64)), y))
        shapes = [tuple(x.shape) for x, _ in pictures]
        again = tf.audio.decode_wav(tf.audio.encode_wav(audio, rate)).audio
    assert (tuple(audio.shape), int(rate)) == ((610, 1), 8000)
    assert float(audio[3]) == round(16384 * math.sin(0.3)) / 32768
    assert float(audio[600:].abs().max()) == 0
    assert found.class_names == ["high", "low"]
    assert shapes == [(3, 9, 65), (3, 9, 65), (2, 9, 65)]
    torch.testing.assert_close(again, audio)


def test_mel_bands_are_triangles_between_their_neighbours() -> None:
    with installed("tf"):
        import tensorflow as tf

        bands = tf.signal.linear_to_mel_weight_matrix(4, 33, 8000, 100.0, 3900.0)
        whole = tf.signal.mfccs_from_log_mel_spectrograms(tf.ones((2, 4)))
    assert tuple(bands.shape) == (33, 4)
    assert float(bands.min()) == 0
    assert float(bands.max()) <= 1
    assert (bands.argmax(0).diff() > 0).all()
    np.testing.assert_allclose(whole.numpy()[0], [8 / math.sqrt(8), 0, 0, 0], atol=1e-5)


def test_tables_look_keys_up(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("cat\ndog\n")
    with installed("tf"):
        import tensorflow as tf

        lookup = tf.lookup
        numbers = lookup.KeyValueTensorInitializer(
            tf.constant(["cat", "dog"]), tf.constant([3, 5], dtype=tf.int64)
        )
        table = lookup.StaticHashTable(numbers, default_value=-1)
        assert table.lookup(tf.constant(["dog", "cow", "cat"])).tolist() == [5, -1, 3]
        labels = tf.data.Dataset.from_tensor_slices(["cat", "cow"]).map(table.lookup)
        assert [int(one) for one in labels] == [3, -1]
        lines = lookup.TextFileInitializer(
            str(tmp_path / "words.txt"), tf.string, lookup.TextFileIndex.WHOLE_LINE,
            tf.int64, lookup.TextFileIndex.LINE_NUMBER,
        )  # fmt: skip
        words = lookup.StaticVocabularyTable(lines, num_oov_buckets=1)
        assert words.lookup(tf.constant(["dog", "cow"])).tolist() == [1, 2]


def test_elements_are_grouped_by_what_they_are() -> None:
    with installed("tf"):
        import tensorflow as tf

        data = tf.data.Dataset.range(7)
        pairs = data.group_by_window(lambda x: x % 2, lambda key, part: part.batch(2), 2)
        assert sorted(one.tolist() for one in pairs) == [[0, 2], [1, 3], [4, 6], [5]]
        lengths = tf.data.Dataset.from_generator(lambda: ([1] * n for n in (1, 4, 2, 5)))
        buckets = lengths.apply(
            tf.data.experimental.bucket_by_sequence_length(len, [3], [2, 2])  # below 3, and others
        )
        assert [tuple(one.shape) for one in buckets] == [(2, 2), (2, 5)]
        sums = data.scan(0, lambda total, x: (total + x, total + x))
        assert [int(one) for one in sums] == [0, 1, 3, 6, 10, 15, 21]
        assert [int(one) for one in data.map(lambda x: x // 3).unique()] == [0, 1, 2]
        chosen = tf.data.Dataset.choose_from_datasets(
            [data, data.skip(4)], tf.data.Dataset.range(2).repeat(2)
        )
        assert [int(one) for one in chosen] == [0, 4, 1, 5]
        kept = data.map(lambda x: 1 // (int(x) % 2)).apply(tf.data.experimental.ignore_errors())
        assert len(list(kept)) < 7


BOXES = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [0.0, 0.5, 0.5, 1.0]]


def test_boxes_over_better_ones_are_left_out_or_count_less() -> None:
    with installed("tf"):
        import tensorflow as tf

        scores = tf.constant([0.9, 0.8, 0.7])
        hard, _ = tf.image.non_max_suppression_with_scores(tf.constant(BOXES), scores, 3, 0.5)
        soft, values = tf.image.non_max_suppression_with_scores(
            tf.constant(BOXES), scores, 3, soft_nms_sigma=0.5
        )
        both = tf.image.combined_non_max_suppression(
            tf.constant(BOXES)[None, :, None], tf.stack([scores, scores / 2], -1)[None], 2, 3,
            iou_threshold=0.5, score_threshold=0.4,
        )  # fmt: skip
    assert hard.tolist() == [0, 2]
    assert soft.tolist() == [0, 2, 1]
    near, far = 0.8 * math.exp(-(0.9**2)), 0.7 * math.exp(-(0.25**2))
    shared = 0.2 / 0.95  # of the two that are left
    np.testing.assert_allclose(values, [0.9, far, near * math.exp(-(shared**2))], rtol=1e-5)
    assert both.valid_detections.tolist() == [3]
    np.testing.assert_allclose(both.nmsed_scores, [[0.9, 0.7, 0.45]])
    assert both.nmsed_classes.tolist() == [[0.0, 0.0, 1.0]]


def test_tensors_are_put_apart_and_together() -> None:
    x = RNG.normal(size=(2, 4, 6, 3)).astype("float32")
    with installed("tf"):
        import tensorflow as tf

        apart = tf.space_to_batch(x, [2, 3], [[0, 0], [0, 0]])
        again = tf.batch_to_space(apart, [2, 3], [[0, 0], [0, 0]])
        heaps = tf.dynamic_partition(tf.constant([1, 2, 3, 4]), tf.constant([0, 1, 0, 1]), 2)
        whole = tf.dynamic_stitch([tf.constant([0, 2]), tf.constant([1, 3])], heaps)
        assert bool(tf.math.is_non_decreasing(tf.constant([1, 1, 2])))
        assert not bool(tf.math.is_strictly_increasing(tf.constant([1, 1, 2])))
        assert tf.bitwise.bitwise_xor(tf.constant([6]), tf.constant([3])).tolist() == [5]
    assert tuple(apart.shape) == (12, 2, 2, 3)
    np.testing.assert_array_equal(apart[2].numpy(), x[0, ::2, 1::3])
    np.testing.assert_array_equal(again.numpy(), x)
    assert [one.tolist() for one in heaps] == [[1, 3], [2, 4]]
    assert whole.tolist() == [1, 2, 3, 4]


def test_one_picture_is_changed_by_chance() -> None:
    x = RNG.uniform(0, 255, (6, 6, 3)).astype("float32")
    axes = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
    with installed("tf"):
        from tensorflow.keras.preprocessing import image

        turned = image.apply_affine_transform(x, theta=90, **axes)
        np.random.seed(1)  # noqa: NPY002
        first = image.random_shift(x, 0.5, 0.5, **axes)
        np.random.seed(1)  # noqa: NPY002
        second = image.random_shift(x, 0.5, 0.5, **axes)
        dark = image.apply_brightness_shift(x, 0.5, scale=False)
        shifted = image.apply_channel_shift(x, 300.0)
        zoomed = image.random_zoom(x, (1, 1), **axes)
    np.testing.assert_allclose(turned, np.rot90(x, -1), atol=1e-3)
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, x)
    np.testing.assert_array_equal(dark, np.floor(np.floor(x) / 2))
    assert (shifted == x.max()).all()
    np.testing.assert_array_equal(zoomed, x)


def test_a_loop_of_a_script_tells_its_callbacks() -> None:
    seen: list[Any] = []
    with installed("tf"):
        import tensorflow as tf

        class Heard(tf.keras.callbacks.Callback):  # type: ignore[misc, name-defined]
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                seen.append((batch, logs["loss"], self.model))

        model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
        several = tf.keras.callbacks.CallbackList([Heard()], add_history=True, model=model)
        several.on_train_begin()
        several.on_train_batch_end(0, {"loss": 2.0})
        several.on_epoch_end(0, {"loss": 1.0})
        several.on_train_end()
        assert seen == [(0, 2.0, model)]
        assert model.history.history == {"loss": [1.0]}


def test_averages_follow_variables() -> None:
    with installed("tf"):
        import tensorflow as tf

        weight = tf.Variable([1.0])
        averages = tf.train.ExponentialMovingAverage(0.75)
        averages.apply([weight])
        weight.assign([5.0])
        averages.apply([weight])
        assert averages.average(weight).tolist() == [2.0]


def test_thresholds_of_metrics_have_names() -> None:
    with installed("keras3"):
        import keras

        metric = keras.metrics.PrecisionAtRecall(recall=0.5)
        metric.update_state([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
        assert float(metric.result()) == 1.0
        assert metric.get_config()["recall"] == 0.5
        best = keras.metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
        best.update_state([1, 2], [[3, 1, 2], [0, 1, 2]])
        assert float(best.result()) == 0.5


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Dense", {"units": 2, "lora_rank": None, "quantization_config": None}),
        ("BatchNormalization", {"renorm": False, "renorm_momentum": 0.99}),
        ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 2, "bias_axes": "c",
                         "bias_regularizer": "l2", "kernel_constraint": "non_neg"}),
    ],
)  # fmt: skip
def test_words_of_keras_3_that_change_nothing_are_taken(kind: str, words: dict[str, Any]) -> None:
    with installed("keras3"):
        import keras

        out = getattr(keras.layers, kind)(**words)(np.ones((3, 4), "float32"))
        assert len(out) == 3


def test_structures_keep_their_form() -> None:
    with installed("keras3"):
        import keras

        form = {"b": [1, 2], "a": (3,)}
        flat = keras.tree.flatten(form)
        assert keras.tree.pack_sequence_as(form, [10 * one for one in flat]) == {
            "b": [10, 20], "a": (30,)}  # fmt: skip
        assert keras.tree.lists_to_tuples(form) == {"b": (1, 2), "a": (3,)}
        with pytest.raises(ValueError, match="the structures differ"):
            keras.tree.assert_same_structure(form, {"b": [1]})
