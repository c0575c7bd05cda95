"""Files of records, `.tfrecord`: each has its length and its bytes, and a checksum of both.

Format: length (uint64), its checksum, bytes, their checksum; all little-endian. The checksum is
CRC-32C (Castagnoli), turned by 15 bits, plus a constant. Source: TensorFlow's page on TFRecord.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from .tf_texts import Text, text

POLYNOMIAL, MASK = 0x82F63B78, 0xA282EAD8
LANE = 256  # bytes of a part: all parts of a record are worked through side by side
HEAD, TAIL = 12, 4


@cache
def _tables() -> tuple[NDArray[np.uint32], list[int], list[list[int]]]:
    """Return what a byte does to a checksum, and `LANE` bytes of 0 to each of its four."""
    one = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        one = np.where(one & 1, (one >> 1) ^ np.uint32(POLYNOMIAL), one >> 1)
    moved = np.arange(256, dtype=np.uint32)[None] << np.arange(0, 32, 8, dtype=np.uint32)[:, None]
    for _ in range(LANE):
        moved = one[moved & 255] ^ (moved >> 8)
    return one, one.tolist(), moved.tolist()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    table, steps, moved = _tables()
    count = len(data) // LANE
    lanes = np.frombuffer(data, np.uint8, count * LANE).reshape(count, LANE)
    parts = np.zeros(count, np.uint32)
    for column in lanes.T:
        parts = table[(parts ^ column) & 255] ^ (parts >> 8)
    state = 0xFFFFFFFF
    first, second, third, fourth = moved
    for part in parts.tolist():
        state = part ^ (first[state & 255] ^ second[state >> 8 & 255]
                        ^ third[state >> 16 & 255] ^ fourth[state >> 24])  # fmt: skip
    for byte in data[count * LANE :]:
        state = steps[(state ^ byte) & 255] ^ (state >> 8)
    return state ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    """Return the checksum of bytes as a file has it."""
    crc = crc32c(data)
    turned = (crc >> 15 | crc << 17) & 0xFFFFFFFF
    return struct.pack("<I", (turned + MASK) & 0xFFFFFFFF)


def compression(options: Any) -> str:
    """Return "", "GZIP" or "ZLIB" for what a script says of it."""
    return str(getattr(options, "compression_type", options) or "")


class Options:
    """How a file of records is compressed."""

    def __init__(self, compression_type: Any = None, **words: Any) -> None:
        self.compression_type = compression(compression_type)


class Writer:
    """Writes a file of records."""

    def __init__(self, path: Any, options: Any = None) -> None:
        self.kind = compression(options)
        self.file: Any = Path(text(path)).open("wb")  # noqa: SIM115  closed by `close`
        self.packed = zlib.compressobj() if self.kind == "ZLIB" else None
        self.out = gzip.GzipFile(fileobj=self.file, mode="wb") if self.kind == "GZIP" else self.file

    def write(self, record: Any) -> None:
        """Write one record."""
        data = record.numpy() if hasattr(record, "numpy") else record
        data = data.encode() if isinstance(data, str) else bytes(data)
        length = struct.pack("<Q", len(data))
        whole = b"".join((length, masked(length), data, masked(data)))
        self.out.write(self.packed.compress(whole) if self.packed else whole)

    def flush(self) -> None:
        """Write what is still in memory."""
        self.out.flush()

    def close(self) -> None:
        """End the file."""
        if self.file.closed:
            return
        if self.packed:
            self.out.write(self.packed.flush())
        if self.out is not self.file:
            self.out.close()
        self.file.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def records(path: Any, options: Any = None) -> Iterator[Text]:
    """Yield the records of a file.

    Raises: DataError for a file that is damaged or ends within a record.
    """
    name, kind = text(path), compression(options)
    with Path(name).open("rb") as raw:
        if kind == "ZLIB":
            data = zlib.decompress(raw.read())
            yield from _cut(name, iter_of(data))
            return
        with gzip.GzipFile(fileobj=raw) if kind == "GZIP" else raw as file:
            yield from _cut(name, file.read)


def iter_of(data: bytes) -> Any:
    """Return a function that gives the next bytes."""
    import io

    return io.BytesIO(data).read


def _cut(name: str, read: Any) -> Iterator[Text]:
    number = 0
    while head := read(HEAD):
        length = int.from_bytes(head[:8], "little")
        if len(head) < HEAD or masked(head[:8]) != head[8:]:
            raise _damaged(name, number, "its length is not what its checksum says")
        data, check = read(length), read(TAIL)
        if len(data) < length or len(check) < TAIL:
            raise _damaged(name, number, f"the file ends within its {length} bytes")
        if masked(data) != check:
            raise _damaged(name, number, "its bytes are not what their checksum says")
        yield Text.of(data)
        number += 1


def _damaged(name: str, number: int, what: str) -> DataError:
    return DataError(
        name,
        f"record {number} cannot be read: {what}",
        need="a file of records: length, checksum, bytes, checksum",
        fix='compression_type="GZIP" where it is compressed, or another copy of the file',
    )
