"""Files of records and examples of TensorFlow: written, read, parsed, and refused where damaged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed
from striate.dialects.keras.tf_records import crc32c
from striate.errors import DataError

GOAT = (  # what TensorFlow's guide on TFRecord prints of this example
    b"\nR\n\x11\n\x08feature0\x12\x05\x1a\x03\n\x01\x00\n\x11\n\x08feature1\x12\x05\x1a\x03\n\x01"
    b"\x04\n\x14\n\x08feature2\x12\x08\n\x06\n\x04goat\n\x14\n\x08feature3\x12\x08\x12\x06\n\x04"
    b"[\xd3|?"
)


@pytest.fixture(scope="module")
def tf() -> Iterator[Any]:
    with installed("tf"):
        import tensorflow

        yield tensorflow


def features(tf: Any, **values: Any) -> Any:
    kinds = {bytes: ("bytes_list", tf.train.BytesList), float: ("float_list", tf.train.FloatList),
             int: ("int64_list", tf.train.Int64List)}  # fmt: skip
    made = {}
    for name, value in values.items():
        several = value if isinstance(value, list) else [value]
        word, kind = kinds[type(several[0])]
        made[name] = tf.train.Feature(**{word: kind(value=several)})
    return tf.train.Example(features=tf.train.Features(feature=made))


def goat(tf: Any) -> Any:
    return features(tf, feature0=0, feature1=4, feature2=b"goat", feature3=0.9876)


def test_checksums_are_castagnoli() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA and crc32c(b"\xff" * 32) == 0x62A8AB43  # RFC 3720
    long, state = bytes(range(256)) * 5 + b"end", 0xFFFFFFFF
    for byte in long:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    assert crc32c(long) == state ^ 0xFFFFFFFF


def test_an_example_is_written_read_and_printed_as_in_tensorflow(tf: Any) -> None:
    assert goat(tf).SerializeToString() == GOAT
    same = tf.train.Example()
    same.ParseFromString(GOAT)
    kinds = {name: one.WhichOneof("kind") for name, one in same.features.feature.items()}
    assert kinds == {"feature0": "int64_list", "feature1": "int64_list",
                     "feature2": "bytes_list", "feature3": "float_list"}  # fmt: skip
    assert same == goat(tf) and "value: 0.9876\n" in str(same)
    text = str(features(tf, a=[-1, 300], b=b'say "hi"\n\xff'))
    assert "value: -1\n" in text and r'value: "say \"hi\"\n\xff"' in text
    filled = tf.train.Example()
    filled.features.feature["n"].int64_list.value.extend([7, -(2**63)])
    assert tf.train.Example.FromString(filled.SerializeToString()) == filled


@pytest.mark.parametrize("kind", ["", "GZIP", "ZLIB"])
def test_records_are_read_as_written(tf: Any, tmp_path: Path, kind: str) -> None:
    pictures = [np.random.default_rng(n).integers(0, 256, 700, np.uint8) for n in range(5)]
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord"), kind) as file:
        for number, one in enumerate(pictures):
            file.write(features(tf, raw=one.tobytes(), n=number).SerializeToString())
    description = {"raw": tf.io.FixedLenFeature([], tf.string),
                   "n": tf.io.FixedLenFeature([], tf.int64),
                   "gone": tf.io.FixedLenFeature([2], tf.float32, [1.0, 2.0]),
                   "many": tf.io.VarLenFeature(tf.int64)}  # fmt: skip
    dataset = tf.data.TFRecordDataset([str(tmp_path / "a.tfrecord")], kind).map(
        lambda one: tf.io.parse_single_example(one, description))  # fmt: skip
    found = list(dataset)
    for number, one in enumerate(found):
        assert (tf.io.decode_raw(one["raw"], tf.uint8).numpy() == pictures[number]).all()
        assert one["n"].numpy() == number and one["gone"].tolist() == [1, 2]
        assert tf.sparse.to_dense(one["many"]).shape == (0,)
    batch = next(iter(dataset.batch(3)))
    assert batch["n"].tolist() == [0, 1, 2] and batch["raw"].shape == (3,)


def test_several_files_are_read_in_turn(tf: Any, tmp_path: Path) -> None:
    for name in "ab":
        with tf.io.TFRecordWriter(str(tmp_path / f"{name}.tfrecord")) as file:
            for number in range(3):
                file.write(f"{name}{number}".encode())
    files = tf.data.Dataset.list_files(str(tmp_path / "*.tfrecord"), shuffle=False)
    found = [one.numpy() for one in files.interleave(tf.data.TFRecordDataset, cycle_length=2)]
    assert found == [b"a0", b"b0", b"a1", b"b1", b"a2", b"b2"]
    assert [one.numpy() for one in files.interleave(tf.data.TFRecordDataset, 1, 2)] == [
        b"a0", b"a1", b"a2", b"b0", b"b1", b"b2"]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data: data[:-6], "the file ends within its 5 bytes"),
        (lambda data: data[:9] + b"x" + data[10:], "its length is not what its checksum says"),
        (lambda data: data[:12] + b"x" + data[13:], "its bytes are not what their checksum says"),
    ],
)
def test_a_damaged_file_is_refused(tf: Any, tmp_path: Path, change: Any, what: str) -> None:
    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as file:
        file.write(b"bytes")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=re.escape(f"{path}: record 0 cannot be read: {what}")):
        list(tf.data.TFRecordDataset(str(path)))


def test_what_is_no_message_is_refused(tf: Any) -> None:
    with pytest.raises(DataError) as told:
        tf.train.Example.FromString(b"\x0a\x50abc")
    assert str(told.value).splitlines() == [
        "tf.train.Example: the bytes are no message of protocol buffers",
        "  got   5 bytes, wrong at 2",
        "  need  what SerializeToString of an Example gives",
        "  fix   parse what TFRecordDataset gives, before it is decoded",
    ]


@pytest.mark.parametrize(
    ("how", "got", "need"),
    [
        ("FixedLenFeature([2], tf.int64)", "1 values", "2, of shape (2,)"),
        ("FixedLenFeature([], tf.string)", "int64_list", "a dtype of numbers as its dtype"),
    ],
)
def test_a_feature_that_is_not_as_described_is_refused(
    tf: Any, how: str, got: str, need: str
) -> None:
    feature = eval(f"tf.io.{how}", {"tf": tf})
    with pytest.raises(DataError) as told:
        tf.io.parse_single_example(GOAT, {"feature1": feature})
    assert str(told.value).splitlines() == [
        "parse_example: feature 'feature1' is not as the description says",
        f"  got   {got}",
        f"  need  {need}",
        "  fix   VarLenFeature, where numbers differ; default_value, where examples lack it",
    ]


def test_lines_pieces_and_cells_of_files_are_read(tf: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,x,n\nfirst,0.5,3\nsecond,,4\n")
    lines = tf.data.TextLineDataset(str(tmp_path / "a.csv")).skip(1)
    rows = list(lines.map(lambda line: tuple(tf.io.decode_csv(line, [["?"], [9.5], [0]]))))
    assert [(a.numpy(), float(b), int(c)) for a, b, c in rows] == [
        (b"first", 0.5, 3), (b"second", 9.5, 4)]  # fmt: skip
    (tmp_path / "raw.bin").write_bytes(b"head" + bytes(range(6)) + b"!")
    pieces = tf.data.FixedLengthRecordDataset(str(tmp_path / "raw.bin"), 3, 4, 1)
    assert [tf.io.decode_raw(one, tf.uint8).tolist() for one in pieces] == [[0, 1, 2], [3, 4, 5]]


def test_a_tensor_goes_through_bytes(tf: Any) -> None:
    x = tf.constant(np.arange(6).reshape(2, 3), tf.float32)
    assert (tf.io.parse_tensor(tf.io.serialize_tensor(x), tf.float32) == x).all()


def test_a_data_set_is_saved_and_read_again(tf: Any, tmp_path: Path) -> None:
    dataset = tf.data.Dataset.from_tensor_slices(({"x": np.eye(3)}, ["a", "b", "c"]))
    dataset.save(str(tmp_path / "kept"))
    again = tf.data.Dataset.load(str(tmp_path / "kept"))
    assert len(again) == 3
    assert [(x["x"].tolist(), y.numpy()) for x, y in again] == [
        ([1, 0, 0], b"a"), ([0, 1, 0], b"b"), ([0, 0, 1], b"c")]  # fmt: skip
    with pytest.raises(DataError, match="holds no data set that is read here"):
        tf.data.Dataset.load(str(tmp_path))


def test_sparse_tensors_are_put_together_and_compared(tf: Any) -> None:
    sparse = tf.sparse.from_dense([[1, 2, 0], [3, 0, 0]])
    assert sparse.indices.tolist() == [[0, 0], [0, 1], [1, 0]] and sparse.shape == (2, 3)
    assert tf.sparse.to_dense(tf.cast(sparse, tf.float32)).tolist() == [[1, 2, 0], [3, 0, 0]]
    true = tf.sparse.from_dense([[1, 3, 2, 2], [3, 0, 0, 0]])
    assert tf.edit_distance(sparse, true, normalize=False).tolist() == [2, 0]
    assert tf.edit_distance(sparse, true).tolist() == [0.5, 0]


def test_labels_that_are_no_classes_end_a_row_of_the_loss(tf: Any) -> None:
    """TensorFlow reads labels up to the first that is too large; scripts fill rows up with it."""
    logits = tf.constant(np.random.default_rng(0).normal(size=(2, 6, 5)), tf.float32)
    likely = tf.nn.softmax(logits)
    lengths = [[6], [6]]
    cost = tf.keras.backend.ctc_batch_cost
    filled = cost([[1, 2, 99, 99], [3, 0, 2, 99]], likely, lengths, [[4], [4]])
    short = cost([[1, 2, 0, 0], [3, 0, 2, 0]], likely, lengths, [[2], [3]])
    np.testing.assert_allclose(filled.numpy(), short.numpy())
