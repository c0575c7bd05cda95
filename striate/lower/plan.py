"""Plan: buffers in one arena, stages, in each stage calls of kernels; native/plan.h reads it."""

from __future__ import annotations

import enum
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

ABSENT = -1  # in place of a buffer that a kernel can do without
ALIGNMENT = 64  # bytes
SLACK = 256  # bytes behind each buffer that may be read, never written
GROUP = 16  # channels are stored in groups of this many, the last one filled up with zeros


def round_up(number: int, step: int) -> int:
    """Return the smallest multiple of `step` that is at least `number`."""
    return -(-number // step) * step


class Over(enum.IntEnum):
    """What a stage is divided into."""

    SAMPLES = 0  # blocks of samples; each goes through all calls of the stage in order
    PARTS = 1  # the parts of every call; the calls do not depend on each other
    NOTHING = 2  # done by one thread while the others wait


@dataclass(frozen=True)
class View:
    """An image inside each piece of a buffer of float32.

    The value at row y, column x, channel c lies at `origin + y * row + x * pixel + c`. Where
    `pixel` is a multiple of 16, the channels behind the image's own are zero and stay so.
    """

    buffer: int
    origin: int = 0
    row: int = 0
    pixel: int = 0

    def moved(self, numbers: int) -> View:
        """Return the view that begins so many numbers later; none stays none."""
        return self if self.buffer == ABSENT else replace(self, origin=self.origin + numbers)


ABSENT_VIEW = View(ABSENT)
Value = int | float | View


@dataclass(frozen=True)
class Call:
    """A kernel and its fields, by name; `note` says in words what it does and why this kernel.

    `unit` is the number of the unit that asked for it; below 0, the plan itself.
    """

    kernel: str
    fields: Mapping[str, Value]
    note: str = ""
    unit: int = -1


@dataclass
class Stage:
    """Calls that no thread has to wait between; `block` is the samples of one task."""

    over: Over
    block: int = 1
    calls: list[Call] = field(default_factory=list)


@dataclass
class Buffer:
    """`count` pieces of `stride` bytes, at `offset` in the arena; `name` is for people.

    `place`: the buffer of the same size in whose place it lies, ABSENT for one of its own.
    """

    stride: int
    count: int = 1
    name: str = ""
    offset: int = -1
    place: int = ABSENT

    @property
    def bytes(self) -> int:
        """Bytes of all pieces and the slack behind them."""
        return round_up(self.stride * self.count + SLACK, ALIGNMENT)


@dataclass
class Plan:
    """What the native library runs, `batch` samples at a time; `sums` numbers are reported."""

    batch: int
    sums: int = 0
    buffers: list[Buffer] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)

    def add(self, floats: int, count: int = 1, name: str = "") -> int:
        """Add a buffer of `count` pieces of `floats` numbers; return its number."""
        stride = round_up(floats * 4, ALIGNMENT)
        self.buffers.append(Buffer(stride, count, name))
        return len(self.buffers) - 1

    def place(self) -> int:
        """Lay every buffer that has no place yet behind the others; return the arena's bytes."""
        placed = (buffer for buffer in self.buffers if buffer.offset >= 0)
        end = max((buffer.offset + buffer.bytes for buffer in placed), default=0)
        for buffer in self.buffers:
            if buffer.offset < 0 and buffer.place == ABSENT:
                buffer.offset = end
                end += buffer.bytes
        for buffer in self.buffers:
            if buffer.place != ABSENT:
                buffer.offset = self.buffers[buffer.place].offset
        return end

    def words(self, kernels: Mapping[str, tuple[int, Mapping[str, str]]]) -> list[int]:
        """Return the plan as the native library reads it; `kernels` are the library's."""
        out = [self.batch, self.place(), self.sums, len(self.buffers), len(self.stages)]
        for buffer in self.buffers:
            out += (buffer.offset, buffer.stride, buffer.count)
        for stage in self.stages:
            out += (stage.over, stage.block, len(stage.calls))
            for call in stage.calls:
                number, fields = kernels[call.kernel]
                words = _words(call, fields)
                out += (number, len(words), *words)
        return out


def _words(call: Call, fields: Mapping[str, str]) -> list[int]:
    if call.fields.keys() != fields.keys():
        raise KeyError(f"{call.kernel} has {sorted(fields)}, not {sorted(call.fields)}")
    out: list[int] = []
    for name, kind in fields.items():
        value = call.fields[name]
        if isinstance(value, View):
            out += (value.buffer, value.origin, value.row, value.pixel)
        elif kind == "real":
            out += struct.unpack("<q", struct.pack("<d", value))
        else:
            out.append(int(value))
    return out
