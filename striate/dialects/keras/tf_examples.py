"""`tf.train.Example`: named lists of numbers or bytes, written and read as protocol buffers.

Source: the messages of TensorFlow's example.proto and feature.proto, and the wire format of
protocol buffers. A closed reader: fields of other numbers are passed over.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np

from ...errors import DataError
from .tf_texts import raw

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
KINDS = ("bytes_list", "float_list", "int64_list")  # the first has number 1


def varint(number: int) -> bytes:
    """Return a whole number, seven bits to a byte, the lowest first; negative ones as 64 bits."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, data: bytes) -> bytes:
    """Return a field of bytes: a text, or a message within a message."""
    return varint(number << 3 | LENGTH) + varint(len(data)) + data


def varint_at(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the number and the value of each field: a whole number, or bytes.

    Raises: DataError for what is no message.
    """
    at = 0
    try:
        while at < len(data):
            tag, at = varint_at(data, at)
            wire = tag & 7
            if wire == VARINT:
                value, at = varint_at(data, at)
                yield tag >> 3, value
                continue
            size = {FIXED64: 8, FIXED32: 4}.get(wire, -1)
            if wire == LENGTH:
                size, at = varint_at(data, at)
            if size < 0 or at + size > len(data):
                raise IndexError
            yield tag >> 3, data[at : at + size]
            at += size
    except IndexError:
        raise DataError(
            "tf.train.Example",
            "the bytes are no message of protocol buffers",
            got=f"{len(data)} bytes, wrong at {at}",
            need="what SerializeToString of an Example gives",
            fix="parse what TFRecordDataset gives, before it is decoded",
        ) from None


class Values:
    """A list of one kind of values: `value`."""

    kind = ""

    def __init__(self, value: Iterable[Any] = ()) -> None:
        self.value: list[Any] = list(value)

    def packed(self) -> bytes:
        """Return the message."""
        if self.kind == "bytes_list":
            return b"".join(field(1, raw(one)) for one in self.value)
        if self.kind == "float_list":
            return field(1, struct.pack(f"<{len(self.value)}f", *map(float, self.value)))
        return field(1, b"".join(varint(int(one)) for one in self.value))

    def read(self, data: bytes) -> None:
        """Take the values of a message in."""
        for number, part in fields(data):
            if number != 1:
                continue
            if self.kind == "bytes_list":
                self.value.append(bytes(part))
            elif self.kind == "float_list":
                self.value += struct.unpack(f"<{len(part) // 4}f", part)
            elif isinstance(part, int):
                self.value.append(_signed(part))
            else:
                at = 0
                while at < len(part):
                    value, at = varint_at(part, at)
                    self.value.append(_signed(value))

    def lines(self) -> list[str]:
        """Return the values as protocol buffers are printed."""
        return [f"value: {_said(one)}" for one in self.value]


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _said(value: Any) -> str:
    if isinstance(value, (str, bytes)):
        inner = repr(raw(value))[2:-1].replace('"', '\\"').replace("\\'", "'")
        return f'"{inner}"'
    return str(np.float32(value)) if isinstance(value, float) else str(int(value))


class BytesList(Values):
    """Bytes, or texts."""

    kind = "bytes_list"


class FloatList(Values):
    """Numbers with a point, of 32 bits."""

    kind = "float_list"


class Int64List(Values):
    """Whole numbers of 64 bits."""

    kind = "int64_list"


def _block(name: str, lines: list[str]) -> list[str]:
    return [f"{name} {{", *(f"  {line}" for line in lines), "}"]


class Message(ABC):
    """What is written as bytes, read from them, and printed."""

    @abstractmethod
    def lines(self) -> list[str]:
        """Return the message as protocol buffers are printed."""

    @abstractmethod
    def packed(self) -> bytes:
        """Return the message."""

    @abstractmethod
    def read(self, data: bytes) -> None:
        """Take a message in."""

    def SerializeToString(self, **words: Any) -> bytes:  # noqa: N802
        """Return the message as bytes."""
        return self.packed()

    def ParseFromString(self, serialized: Any) -> int:  # noqa: N802
        """Read the message from bytes; return how many."""
        self.__init__()  # type: ignore[misc]
        self.read(raw(serialized))
        return len(raw(serialized))

    @classmethod
    def FromString(cls, serialized: Any) -> Any:  # noqa: N802
        """Return the message that bytes are."""
        made = cls()
        made.read(raw(serialized))
        return made

    def CopyFrom(self, other: Any) -> None:  # noqa: N802
        """Become a copy of another."""
        self.ParseFromString(other.packed())

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in self.lines())

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.lines() == other.lines()

    __hash__ = object.__hash__


class Feature(Message):
    """One list, of one of three kinds."""

    def __init__(self, bytes_list: Any = None, float_list: Any = None,
                 int64_list: Any = None) -> None:  # fmt: skip
        given = (bytes_list, float_list, int64_list)
        self.kind = next((k for k, one in zip(KINDS, given, strict=True) if one is not None), "")
        self.bytes_list = BytesList() if bytes_list is None else bytes_list
        self.float_list = FloatList() if float_list is None else float_list
        self.int64_list = Int64List() if int64_list is None else int64_list

    def WhichOneof(self, group: str = "kind") -> str | None:  # noqa: N802
        """Return which of the lists there is."""
        filled = (kind for kind in KINDS if getattr(self, kind).value)
        return self.kind or next(filled, None)

    @property
    def values(self) -> list[Any]:
        """The values, of whatever kind."""
        kind = self.WhichOneof()
        found: list[Any] = getattr(self, kind).value if kind else []
        return found

    def packed(self) -> bytes:
        """Return the message."""
        kind = self.WhichOneof()
        return field(KINDS.index(kind) + 1, getattr(self, kind).packed()) if kind else b""

    def read(self, data: bytes) -> None:
        """Take a message in."""
        for number, part in fields(data):
            if 1 <= number <= len(KINDS):
                self.kind = KINDS[number - 1]
                getattr(self, self.kind).read(part)

    def lines(self) -> list[str]:
        """Return the message as protocol buffers are printed."""
        kind = self.WhichOneof()
        return _block(kind, getattr(self, kind).lines()) if kind else []


class Named(dict[str, Any]):
    """Messages by name; one that is asked for and is not there is made."""

    def __init__(self, kind: type[Message], given: Any = ()) -> None:
        super().__init__(given)
        self.kind = kind

    def __missing__(self, name: str) -> Any:
        self[name] = made = self.kind()
        return made

    def packed(self, number: int) -> bytes:
        """Return the entries of a message's field."""
        return b"".join(
            field(number, field(1, raw(name)) + field(2, one.packed()))
            for name, one in self.items()
        )

    def read(self, data: bytes) -> None:
        """Take one entry in."""
        parts = dict(fields(data))
        self[bytes(parts.get(1, b"")).decode()] = self.kind.FromString(parts.get(2, b""))

    def lines(self, name: str) -> list[str]:
        """Return the entries as protocol buffers are printed."""
        return [
            line for key in sorted(self)
            for line in _block(name, [f"key: {_said(key)}", *_block("value", self[key].lines())])
        ]  # fmt: skip


class FeatureList(Message):
    """Features of the steps of a sequence."""

    def __init__(self, feature: Iterable[Feature] = ()) -> None:
        self.feature = list(feature)

    def packed(self) -> bytes:
        """Return the message."""
        return b"".join(field(1, one.packed()) for one in self.feature)

    def read(self, data: bytes) -> None:
        """Take a message in."""
        self.feature += [Feature.FromString(part) for number, part in fields(data) if number == 1]

    def lines(self) -> list[str]:
        """Return the message as protocol buffers are printed."""
        return [line for one in self.feature for line in _block("feature", one.lines())]


class Mapped(Message):
    """Messages by name, in one field."""

    word: ClassVar[str] = ""
    kind: ClassVar[type[Message]]

    def __init__(self, **given: Any) -> None:
        setattr(self, self.word, Named(self.kind, given.get(self.word) or {}))

    @property
    def named(self) -> Named:
        """The messages."""
        found: Named = getattr(self, self.word)
        return found

    def packed(self) -> bytes:
        """Return the message."""
        return self.named.packed(1)

    def read(self, data: bytes) -> None:
        """Take a message in."""
        for number, part in fields(data):
            if number == 1:
                self.named.read(part)

    def lines(self) -> list[str]:
        """Return the message as protocol buffers are printed."""
        return self.named.lines(self.word)


class Features(Mapped):
    """Features by name."""

    word, kind = "feature", Feature


class FeatureLists(Mapped):
    """Lists of features by name."""

    word, kind = "feature_list", FeatureList


class Parts(Message):
    """Messages in fields 1, 2, ... each of a kind of its own."""

    kinds: ClassVar[dict[str, type[Message]]] = {}

    def __init__(self, **given: Any) -> None:
        for word, kind in self.kinds.items():
            setattr(self, word, given.get(word) or kind())

    def packed(self) -> bytes:
        """Return the message."""
        parts = (getattr(self, word).packed() for word in self.kinds)
        return b"".join(field(number, part) for number, part in enumerate(parts, 1))

    def read(self, data: bytes) -> None:
        """Take a message in."""
        for number, part in fields(data):
            if number <= len(self.kinds):
                getattr(self, [*self.kinds][number - 1]).read(part)

    def lines(self) -> list[str]:
        """Return the message as protocol buffers are printed."""
        return [line for word in self.kinds for line in _block(word, getattr(self, word).lines())]


class Example(Parts):
    """One sample: features by name."""

    kinds: ClassVar[dict[str, type[Message]]] = {"features": Features}


class SequenceExample(Parts):
    """One sequence: features of all of it, and lists of features of its steps."""

    kinds: ClassVar[dict[str, type[Message]]] = {"context": Features,
                                                 "feature_lists": FeatureLists}  # fmt: skip


MESSAGES = {
    made.__name__: made
    for made in (BytesList, FloatList, Int64List, Feature, Features, FeatureList, FeatureLists,
                 Example, SequenceExample)
}  # fmt: skip
