"""IDX: reading the format of MNIST and its relatives, from files that may be broken or hostile.

A file is `0 0 type rank`, one big-endian uint32 per axis, then the values, big-endian, last axis
fastest. Nothing is allocated before the header has been held against the size of the file.
Source: the description of the format on the MNIST page of LeCun, Cortes and Burges.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, StoreError

_Stream: TypeAlias = io.BufferedReader | gzip.GzipFile

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_TYPE_NAMES = "08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64"
_MAX_RANK = 8
_LIMIT_BYTES = 2**30
# Deflate writes at most 258 bytes for two bits read, so no stream grows by more than this factor.
_DEFLATE_MAX_RATIO = 1032
_PIECE_BYTES = 2**17
_FETCH = "fetch the file again"


@dataclass(frozen=True)
class _Header:
    raw: bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def declared(self) -> int:
        """Bytes of values that the header announces."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def arithmetic(self) -> str:
        terms = " * ".join(str(n) for n in (*self.shape, self.dtype.itemsize))
        return f"{terms} = {self.declared}"


def read_idx(
    path: str | os.PathLike[str], *, sha256: str = "", limit_bytes: int = _LIMIT_BYTES
) -> NDArray[Any]:
    """Read one IDX file, plain or gzip-compressed, into an array of the machine's byte order.

    `sha256` is what the uncompressed file must hash to (empty: not checked); `limit_bytes` is the
    largest size accepted for the values.

    Raises: StoreError when the file is missing, is not IDX, is cut, has bytes left over, declares
    more than it can hold or more than the limit, or does not have the hash.
    """
    where = str(path)
    try:
        with Path(path).open("rb") as raw:
            if raw.peek(2)[:2] != b"\x1f\x8b":
                return _read(where, raw, sha256, limit_bytes)
            with gzip.GzipFile(fileobj=raw) as stream:
                return _read(where, stream, sha256, limit_bytes)
    except (EOFError, gzip.BadGzipFile, zlib.error) as broken:
        raise StoreError(
            where, "the gzip data are damaged or cut", got=broken, fix=_FETCH
        ) from None
    except OSError as refused:
        raise StoreError(where, "cannot be read", got=refused.strerror or refused) from None


def read_idx_pair(
    images: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    *,
    sha256: tuple[str, str] = ("", ""),
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read a file of images (N, ...) and a file of their labels (N,), and hold them to each other.

    Raises: what `read_idx` raises; DataError when the labels are not one per image.
    """
    x = read_idx(images, sha256=sha256[0])
    y = read_idx(labels, sha256=sha256[1])
    if y.shape != x.shape[:1]:
        raise DataError(
            str(labels),
            "the labels do not belong to the images",
            got=f"labels {y.shape}, images {x.shape}",
            need=f"labels {x.shape[:1]}",
            fix=f"take the labels that were published with {Path(images).name}",
        )
    return x, y


def _read(where: str, stream: _Stream, sha256: str, limit_bytes: int) -> NDArray[Any]:
    header = _header(where, stream)
    _check_size(where, stream, header, limit_bytes)
    values: NDArray[Any] = np.empty(header.shape, header.dtype)
    view = values.reshape(-1).view(np.uint8).data
    found = _fill(stream, view)
    if found < header.declared or stream.read(1):
        raise StoreError(
            where,
            "the values are not as many as the header declares",
            got=f"{found} bytes" if found < header.declared else f"more than {found} bytes",
            need=f"{header.declared} bytes",
            math=header.arithmetic,
            fix=_FETCH,
        )
    if sha256:
        _check_hash(where, header.raw, view, sha256)
    return values.astype(header.dtype.newbyteorder("="), copy=False)


def _header(where: str, stream: _Stream) -> _Header:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise StoreError(
            where,
            "is not an IDX file",
            got=f"it begins with {magic.hex(' ')}" if magic else "an empty file",
            need="it begins with 00 00, the type and the number of axes",
        )
    code, rank = magic[2], magic[3]
    if code not in _TYPES:
        raise StoreError(where, "unknown type of values", got=f"{code:02X}", need=_TYPE_NAMES)
    if not 1 <= rank <= _MAX_RANK:
        raise StoreError(where, "impossible number of axes", got=rank, need=f"1 to {_MAX_RANK}")
    sizes = stream.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise StoreError(
            where,
            "ends inside its header",
            got=f"{4 + len(sizes)} bytes",
            need=f"{4 + 4 * rank} bytes",
            math=f"4 + 4 * {rank} axes = {4 + 4 * rank}",
            fix=_FETCH,
        )
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    if 0 in shape:
        raise StoreError(where, "declares an empty axis", got=f"shape {shape}", need="sizes >= 1")
    return _Header(magic + sizes, shape, np.dtype(_TYPES[code]))


def _check_size(where: str, stream: _Stream, header: _Header, limit_bytes: int) -> None:
    """Refuse a header that announces more than the limit, or other than the file can hold."""
    if header.declared > limit_bytes:
        raise StoreError(
            where,
            "declares more than the limit",
            got=f"{header.declared} bytes",
            need=f"at most {limit_bytes} bytes",
            math=header.arithmetic,
            fix=f"limit_bytes={header.declared}, if that is what you expect",
        )
    size = os.fstat(stream.fileno()).st_size
    total = len(header.raw) + header.declared
    if isinstance(stream, gzip.GzipFile):
        most, got = size * _DEFLATE_MAX_RATIO, f"{size} bytes of gzip data"
        fits, need = total <= most, f"{total} bytes, gzip data hold at most {most}"
    else:
        fits, got, need = total == size, f"{size} bytes", f"{total} bytes"
    if not fits:
        raise StoreError(
            where,
            "its size is not what its header declares",
            got=got,
            need=need,
            math=f"{len(header.raw)} + {header.arithmetic.split(' = ')[0]} = {total}",
            fix=_FETCH,
        )


def _fill(stream: _Stream, view: memoryview) -> int:
    """Read into `view` until it is full or the stream ends; return how many bytes came."""
    found = 0
    # A piece at a time: pages of the array for which no bytes come are never touched.
    while count := stream.readinto(view[found : found + _PIECE_BYTES]):
        found += count
    return found


def _check_hash(where: str, header: bytes, values: memoryview, sha256: str) -> None:
    digest = hashlib.sha256(header)
    digest.update(values)
    if digest.hexdigest() != sha256:
        raise StoreError(
            where,
            "the content is not the published one",
            got=f"sha256 {digest.hexdigest()}",
            need=f"sha256 {sha256}",
            fix=_FETCH,
        )
