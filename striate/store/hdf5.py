"""HDF5 files of strangers: numbers and texts that lie in the file itself, and nothing else."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from ..errors import StoreError

Array = NDArray[Any]
MAX_OBJECTS = 100_000
MAX_DEPTH = 32
MAX_TEXT_BYTES = 64 * 2**20


class Archive:
    """What an HDF5 file holds: `arrays` by path, `attributes` by path and name, `groups` in order.

    The whole file is looked through before a number is read. Links to other places or files,
    storage outside of the file, virtual and compressed data, and more numbers than the file has
    bytes are refused.
    """

    def __init__(self, where: str, data: bytes) -> None:
        self.where, self.left = where, len(data)
        self.arrays: dict[str, Array] = {}
        self.attributes: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, list[str]] = {}
        self.seen: set[Any] = set()
        try:
            with h5py.File(io.BytesIO(data), "r") as file:
                self._walk("", file, 0)
        except StoreError:
            raise
        except Exception as error:  # h5py has no class of its own for what is no HDF5
            raise StoreError(
                where,
                "is not an HDF5 file, or is damaged",
                got=str(error).splitlines()[0][:120] if str(error) else type(error).__name__,
                fix="use an intact copy",
            ) from None

    def array(self, path: str) -> Array:
        """Return the numbers at a path, or raise StoreError."""
        if path not in self.arrays:
            raise self.refused(path or "/", "is missing", "an array of numbers")
        return self.arrays[path]

    def text(self, path: str, name: str) -> str:
        """Return an attribute as text; empty where there is none."""
        value = self.attributes.get(path, {}).get(name, "")
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def texts(self, path: str, name: str) -> list[str] | None:
        """Return an attribute that is a list of texts, put together from `name0`, `name1`..."""
        found = self.attributes.get(path, {})
        parts = [found[name]] if name in found else []
        while f"{name}{len(parts)}" in found and name not in found:
            parts.append(found[f"{name}{len(parts)}"])
        if not parts:
            return None
        items = [item for part in parts for item in np.asarray(part).reshape(-1).tolist()]
        return [i.decode("utf-8", "replace") if isinstance(i, bytes) else str(i) for i in items]

    def refused(self, path: str, what: str, need: str, got: object = "") -> StoreError:
        """Return the error for an object of the file."""
        fix = "save the file again with Keras, or use an intact copy"
        return StoreError(self.where, f"{path} {what}", got=got, need=need, fix=fix)

    def _walk(self, path: str, group: Any, depth: int) -> None:
        self._attributes(path, group)
        if depth > MAX_DEPTH or len(group) + len(self.seen) > MAX_OBJECTS:
            raise self.refused(path or "/", "holds too much", f"{MAX_OBJECTS} objects at most")
        self.groups[path] = []
        for name in group:
            inner = f"{path}/{name}" if path else name
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise self.refused(inner, "is a link to another place", "the data themselves")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in self.seen:
                raise self.refused(inner, "is in the file under two names", "one name")
            self.seen.add(address)
            if isinstance(item, h5py.Group):
                self.groups[path].append(name)
                self._walk(inner, item, depth + 1)
            elif isinstance(item, h5py.Dataset):
                self._dataset(inner, item)

    def _dataset(self, path: str, item: Any) -> None:
        if item.is_virtual or item.external:
            raise self.refused(path, "lies in another file", "the data themselves")
        if item.id.get_create_plist().get_nfilters():
            raise self.refused(path, "is compressed", "plain data, as Keras writes them")
        text = h5py.check_string_dtype(item.dtype) is not None
        if not text and item.dtype.kind not in "fiub":
            raise self.refused(path, "is not an array of numbers", "numbers", item.dtype)
        size = item.dtype.itemsize * math.prod(item.shape or ())
        self.left -= size
        if self.left < 0:
            raise self.refused(path, "is larger than the file", "its numbers", f"{size} bytes")
        self._attributes(path, item)
        if text:
            self.attributes[path][""] = item[()]
        else:
            self.arrays[path] = np.asarray(item[()])

    def _attributes(self, path: str, item: Any) -> None:
        found = self.attributes[path] = {}
        for name in item.attrs:
            kind = item.attrs.get_id(name)
            if kind.dtype.itemsize * math.prod(kind.shape) > MAX_TEXT_BYTES:
                raise self.refused(path or "/", f"attribute {name} is too large", "64 MB at most")
            if kind.dtype.kind in "SUOfiub" and h5py.check_ref_dtype(kind.dtype) is None:
                found[name] = item.attrs[name]


def pack(arrays: Mapping[str, Array], attributes: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return the bytes of an HDF5 file with these arrays, and attributes of its groups."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, values in attributes.items():
            group = file.require_group(path) if path else file
            for name, value in values.items():
                _put(group, name, value)
        for path, array in arrays.items():
            file.create_dataset(path, data=array)
    return buffer.getvalue()


def _put(group: Any, name: str, value: Any) -> None:
    """Write an attribute; a list that is too long for one is written in parts, as Keras does."""
    if isinstance(value, str):
        group.attrs[name] = value
        return
    items = [text.encode() for text in value]
    room = 60_000 // max([len(item) for item in items], default=1)
    parts: list[Sequence[bytes]] = [items[i : i + room] for i in range(0, len(items), room)]
    if len(parts) <= 1:
        group.attrs[name] = np.array(items, dtype=bytes) if items else np.array([], dtype="S1")
        return
    for index, part in enumerate(parts):
        group.attrs[f"{name}{index}"] = np.array(part, dtype=bytes)
