"""IDX files: values as written, and every broken file refused with its reason, in little memory."""

from __future__ import annotations

import gzip
import hashlib
import random
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from striate.data.idx import read_idx, read_idx_pair
from striate.errors import DataError, StoreError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
PIXELS = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)


def header(*shape: int, code: int = 0x08, rank: int | None = None) -> bytes:
    count = len(shape) if rank is None else rank
    return bytes([0, 0, code, count]) + struct.pack(f">{len(shape)}I", *shape)


def idx(values: np.ndarray) -> bytes:
    big_endian = values.astype(values.dtype.newbyteorder(">"))
    return header(*values.shape, code=CODES[values.dtype.str[1:]]) + big_endian.tobytes()


def refusal(file: Path) -> str:
    with pytest.raises(StoreError) as error:
        read_idx(file)
    return str(error.value)


GOOD = idx(PIXELS)
GZ = gzip.compress(GOOD, mtime=0)

NOT_IDX = "is not an IDX file"
BEGINS = "  need  it begins with 00 00, the type and the number of axes"
TYPES = "  need  08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64"
SIZE = "its size is not what its header declares"
VALUES = "the values are not as many as the header declares"
LIMIT = "declares more than the limit"
FETCH = "  fix   fetch the file again"


def not_idx(got: str) -> list[str]:
    return [NOT_IDX, f"  got   {got}", BEGINS]


def wrong_type(code: str) -> list[str]:
    return ["unknown type of values", f"  got   {code}", TYPES]


def wrong_rank(rank: int) -> list[str]:
    return ["impossible number of axes", f"  got   {rank}", "  need  1 to 8"]


def short_header(got: int, rank: int, need: int) -> list[str]:
    rows = [
        f"  got   {got} bytes",
        f"  need  {need} bytes",
        f"  math  4 + 4 * {rank} axes = {need}",
    ]
    return ["ends inside its header", *rows, FETCH]


def wrong_size(got: int, need: int, math: str) -> list[str]:
    return [
        SIZE,
        f"  got   {got} bytes",
        f"  need  {need} bytes",
        f"  math  {math} = {need}",
        FETCH,
    ]


def wrong_values(got: str, need: int, math: str) -> list[str]:
    return [VALUES, f"  got   {got}", f"  need  {need} bytes", f"  math  {math} = {need}", FETCH]


def over_limit(declared: int, math: str) -> list[str]:
    return [
        LIMIT,
        f"  got   {declared} bytes",
        "  need  at most 1073741824 bytes",
        f"  math  {math} = {declared}",
        f"  fix   limit_bytes={declared}, if that is what you expect",
    ]


# name: (content, the message after "<file>: "); a single line is the headline of a message whose
# other rows are zlib's own words
BROKEN: dict[str, tuple[bytes, list[str]]] = {
    "empty file": (b"", not_idx("an empty file")),
    "one byte": (b"\0", not_idx("it begins with 00")),
    "three bytes": (b"\0\0\x08", not_idx("it begins with 00 00 08")),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(40), not_idx("it begins with 89 50 4e 47")),
    "html page": (b"<html><body>404</body></html>", not_idx("it begins with 3c 68 74 6d")),
    "zip": (b"PK\x03\x04" + bytes(40), not_idx("it begins with 50 4b 03 04")),
    "little-endian magic": (b"\x03\x08\0\0" + GOOD[4:], not_idx("it begins with 03 08 00 00")),
    "first byte set": (b"\x01" + GOOD[1:], not_idx("it begins with 01 00 08 03")),
    "second byte set": (b"\0\x01" + GOOD[2:], not_idx("it begins with 00 01 08 03")),
    "type 00": (header(3, 4, 4, code=0) + bytes(48), wrong_type("00")),
    "type 0A": (header(3, 4, 4, code=0x0A) + bytes(48), wrong_type("0A")),
    "type 0F": (header(3, 4, 4, code=0x0F) + bytes(48), wrong_type("0F")),
    "type FF": (header(3, 4, 4, code=0xFF) + bytes(48), wrong_type("FF")),
    "no axis": (header() + b"\x05", wrong_rank(0)),
    "nine axes": (header(*[1] * 9) + b"\x05", wrong_rank(9)),
    "255 axes": (header(*[1] * 255) + b"\x05", wrong_rank(255)),
    "magic only": (GOOD[:4], short_header(4, 3, 16)),
    "inside an axis": (GOOD[:10], short_header(10, 3, 16)),
    "an axis missing": (GOOD[:12], short_header(12, 3, 16)),
    "no images": (
        header(0, 4, 4),
        ["declares an empty axis", "  got   shape (0, 4, 4)", "  need  sizes >= 1"],
    ),
    "images of no width": (
        header(3, 4, 0),
        ["declares an empty axis", "  got   shape (3, 4, 0)", "  need  sizes >= 1"],
    ),
    "header only": (GOOD[:16], wrong_size(16, 64, "16 + 3 * 4 * 4 * 1")),
    "last byte missing": (GOOD[:-1], wrong_size(63, 64, "16 + 3 * 4 * 4 * 1")),
    "half of the values": (GOOD[:40], wrong_size(40, 64, "16 + 3 * 4 * 4 * 1")),
    "one trailing byte": (GOOD + b"\0", wrong_size(65, 64, "16 + 3 * 4 * 4 * 1")),
    "a trailing megabyte": (GOOD + bytes(2**20), wrong_size(1048640, 64, "16 + 3 * 4 * 4 * 1")),
    "two files in one": (GOOD + GOOD, wrong_size(128, 64, "16 + 3 * 4 * 4 * 1")),
    "one image more declared": (
        header(4, 4, 4) + GOOD[16:],
        wrong_size(64, 80, "16 + 4 * 4 * 4 * 1"),
    ),
    "one image fewer declared": (
        header(2, 4, 4) + GOOD[16:],
        wrong_size(64, 48, "16 + 2 * 4 * 4 * 1"),
    ),
    "bytes declared as int16": (
        header(3, 4, 4, code=0x0B) + GOOD[16:],
        wrong_size(64, 112, "16 + 3 * 4 * 4 * 2"),
    ),
    "bytes declared as float64": (
        header(3, 4, 4, code=0x0E) + GOOD[16:],
        wrong_size(64, 400, "16 + 3 * 4 * 4 * 8"),
    ),
    "an axis taken as a value": (
        header(3, 4, rank=2) + GOOD[12:],
        wrong_size(64, 24, "12 + 3 * 4 * 1"),
    ),
    "a gigabyte declared": (
        header(2**30) + bytes(48),
        wrong_size(56, 1073741832, "8 + 1073741824 * 1"),
    ),
    "count 2**32 - 1": (
        header(2**32 - 1, 4, 4) + GOOD[16:],
        over_limit(68719476720, "4294967295 * 4 * 4 * 1"),
    ),
    "sizes that wrap to 0 in 32 bits": (
        header(65536, 65536),
        over_limit(4294967296, "65536 * 65536 * 1"),
    ),
    "sizes that wrap to 0 in 64 bits": (
        header(65536, 65536, 65536, 65536),
        over_limit(18446744073709551616, "65536 * 65536 * 65536 * 65536 * 1"),
    ),
    "sizes that wrap to 48 in 64 bits": (
        header(3, 2**32 - 1, 2**32 - 1, 16, code=0x08) + bytes(48),
        over_limit(48 * (2**32 - 1) ** 2, "3 * 4294967295 * 4294967295 * 16 * 1"),
    ),
    "eight axes of 2**32 - 1": (
        header(*[2**32 - 1] * 8, code=0x0E),
        over_limit(8 * (2**32 - 1) ** 8, " * ".join(["4294967295"] * 8 + ["8"])),
    ),
    "gzip: its magic only": (GZ[:2], ["the gzip data are damaged or cut"]),
    "gzip: cut in its header": (GZ[:8], ["the gzip data are damaged or cut"]),
    "gzip: cut in the data": (GZ[: len(GZ) // 2], ["the gzip data are damaged or cut"]),
    "gzip: checksum missing": (
        GZ[:-8],
        [
            "the gzip data are damaged or cut",
            "  got   Compressed file ended before the end-of-stream marker was reached",
            FETCH,
        ],
    ),
    "gzip: last byte missing": (GZ[:-1], ["the gzip data are damaged or cut"]),
    "gzip: wrong checksum": (
        GZ[:-8] + b"\0\0\0\0" + GZ[-4:],
        ["the gzip data are damaged or cut"],
    ),
    "gzip: wrong length": (GZ[:-4] + b"\0\0\0\1", ["the gzip data are damaged or cut"]),
    "gzip: unknown method": (GZ[:2] + b"\x09" + GZ[3:], ["the gzip data are damaged or cut"]),
    "gzip: invalid block": (GZ[:10] + b"\xff" * 20 + GZ[30:], ["the gzip data are damaged or cut"]),
    "gzip: text after the end": (GZ + b"end of file", ["the gzip data are damaged or cut"]),
    "gzip: nothing inside": (gzip.compress(b""), not_idx("an empty file")),
    "gzip: text inside": (gzip.compress(b"P5 28 28 255"), not_idx("it begins with 50 35 20 32")),
    "gzip: gzip inside": (gzip.compress(GZ), not_idx("it begins with 1f 8b 08 00")),
    "gzip: one value fewer": (
        gzip.compress(GOOD[:-1]),
        wrong_values("47 bytes", 48, "3 * 4 * 4 * 1"),
    ),
    "gzip: one value more": (
        gzip.compress(GOOD + b"\0"),
        wrong_values("more than 48 bytes", 48, "3 * 4 * 4 * 1"),
    ),
    "gzip: a second file behind": (
        GZ + GZ,
        wrong_values("more than 48 bytes", 48, "3 * 4 * 4 * 1"),
    ),
    "gzip: 16 MB behind the values": (
        gzip.compress(GOOD + bytes(2**24)),
        wrong_values("more than 48 bytes", 48, "3 * 4 * 4 * 1"),
    ),
    "gzip: declares more than the limit": (
        gzip.compress(header(2**31) + bytes(1000)),
        over_limit(2147483648, "2147483648 * 1"),
    ),
    "gzip: declares more than gzip can hold": (
        gzip.compress(header(2**20) + b"\x01", compresslevel=0),
        [
            SIZE,
            "  got   32 bytes of gzip data",
            "  need  1048584 bytes, gzip data hold at most 33024",
            "  math  8 + 1048576 * 1 = 1048584",
            FETCH,
        ],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_is_refused_with_its_reason_in_little_memory(name: str, tmp_path: Path) -> None:
    content, lines = BROKEN[name]
    file = tmp_path / "broken-idx3-ubyte"
    file.write_bytes(content)
    tracemalloc.start()
    message = refusal(file)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2_000_000
    if len(lines) == 1:
        assert message.startswith(f"{file}: {lines[0]}\n  got   ")
        assert message.endswith(FETCH)
    else:
        assert message == f"{file}: " + "\n".join(lines)


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(BROKEN) >= 40
    assert len({content for content, _ in BROKEN.values()}) == len(BROKEN)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_thousand_mutations_are_refused_or_read_correctly(zipped: bool, tmp_path: Path) -> None:
    """With the published hash in hand a changed file is refused, or holds the same values still."""
    file = tmp_path / "mutated"
    sha256 = hashlib.sha256(GOOD).hexdigest()
    rng = random.Random(1998)
    refused = 0
    for _ in range(500):
        content = bytearray(GZ if zipped else GOOD)
        for _ in range(rng.randint(1, 3)):
            position = rng.randrange(len(content))
            match rng.choice(["flip", "set", "delete", "insert", "cut"]):
                case "flip":
                    content[position] ^= 1 << rng.randrange(8)
                case "set":
                    content[position] = rng.randrange(256)
                case "delete":
                    del content[position]
                case "insert":
                    content.insert(position, rng.randrange(256))
                case "cut":
                    del content[max(position, 1) :]
        file.write_bytes(content)
        try:
            values = read_idx(file, sha256=sha256)
        except StoreError:
            refused += 1
        else:
            np.testing.assert_array_equal(values, PIXELS)
    assert refused > 400


@given(
    values=st.sampled_from(sorted(CODES)).flatmap(
        lambda dtype: hnp.arrays(
            np.dtype(dtype),
            hnp.array_shapes(max_dims=8, max_side=4),
            elements={"allow_nan": False} if dtype[0] == "f" else None,
        )
    ),
    zipped=st.booleans(),
)
def test_every_type_and_rank_is_read_as_written(
    values: np.ndarray, zipped: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("idx") / "values"
    content = idx(values)
    file.write_bytes(gzip.compress(content) if zipped else content)
    read = read_idx(file, sha256=hashlib.sha256(content).hexdigest())
    assert read.dtype == values.dtype and read.dtype.isnative
    np.testing.assert_array_equal(read, values)


def test_published_hash_is_compared(tmp_path: Path) -> None:
    file = tmp_path / "changed"
    file.write_bytes(GOOD[:-1] + b"\x00")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    expected = hashlib.sha256(GOOD).hexdigest()
    with pytest.raises(StoreError) as error:
        read_idx(file, sha256=expected)
    assert str(error.value) == (
        f"{file}: the content is not the published one\n"
        f"  got   sha256 {found}\n"
        f"  need  sha256 {expected}\n"
        "  fix   fetch the file again"
    )


def test_limit_can_be_raised_and_lowered(tmp_path: Path) -> None:
    file = tmp_path / "values"
    file.write_bytes(GOOD)
    np.testing.assert_array_equal(read_idx(file, limit_bytes=48), PIXELS)
    with pytest.raises(StoreError, match="declares more than the limit"):
        read_idx(file, limit_bytes=47)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert refusal(missing) == f"{missing}: cannot be read\n  got   No such file or directory"
    assert refusal(tmp_path) == f"{tmp_path}: cannot be read\n  got   Is a directory"


def test_pair_of_images_and_labels(tmp_path: Path) -> None:
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.write_bytes(GOOD)
    labels.write_bytes(idx(np.array([7, 2, 1], np.uint8)))
    x, y = read_idx_pair(images, labels)
    np.testing.assert_array_equal(x, PIXELS)
    assert y.tolist() == [7, 2, 1]


@pytest.mark.parametrize("values", [np.zeros(4, np.uint8), np.zeros((3, 1), np.uint8)])
def test_labels_that_are_not_one_per_image_are_refused(values: np.ndarray, tmp_path: Path) -> None:
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.write_bytes(GOOD)
    labels.write_bytes(idx(values))
    with pytest.raises(DataError) as error:
        read_idx_pair(images, labels)
    assert str(error.value) == (
        f"{labels}: the labels do not belong to the images\n"
        f"  got   labels {values.shape}, images (3, 4, 4)\n"
        "  need  labels (3,)\n"
        "  fix   take the labels that were published with images"
    )


def test_gzip_ratio_is_a_true_bound(tmp_path: Path) -> None:
    """The most compressible file there is can still be read."""
    zeros = header(2**24) + bytes(2**24)
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    file = tmp_path / "zeros"
    file.write_bytes(compressor.compress(zeros) + compressor.flush())
    assert len(zeros) / file.stat().st_size > 1000
    assert not read_idx(file).any()
