"""What the tests of the native kernels have in common: images in buffers, calls, runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from striate.lower.plan import ABSENT, ABSENT_VIEW, GROUP, Call, Over, Plan, Stage, View, round_up
from striate.lower.runtime import Engine, Library, library

Array = NDArray[Any]
ISAS = [isa for isa in ("baseline", "avx2", "avx512", "avx512bf16") if library(isa) is not None]
each_isa = pytest.mark.parametrize("isa", ISAS)


@dataclass(frozen=True)
class Image:
    """An image of each sample in a buffer; `pad` cells of zeros at its top, bottom, left, right.

    `packed` pixels follow each other; otherwise they are filled up with zeros to whole groups.
    """

    height: int
    width: int
    channels: int
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    packed: bool = False

    @property
    def pixel(self) -> int:
        return self.channels if self.packed else round_up(self.channels, GROUP)

    @property
    def row(self) -> int:
        return (self.pad[2] + self.width + self.pad[3]) * self.pixel

    @property
    def floats(self) -> int:
        return (self.pad[0] + self.height + self.pad[1]) * self.row

    def view(self, buffer: int, *, halo: bool = False) -> View:
        """Return the view of the image, or with its halo: from the first cell of the padding."""
        origin = 0 if halo else self.pad[0] * self.row + self.pad[2] * self.pixel
        return View(buffer, origin, self.row, self.pixel)

    def cells(self, pieces: Array) -> Array:
        """Return the cells of a buffer (samples, H, W, pixel) with the halo, sharing its memory."""
        height = self.pad[0] + self.height + self.pad[1]
        return pieces[:, : self.floats].reshape(len(pieces), height, -1, self.pixel)

    def inner(self, pieces: Array) -> Array:
        """Return the image (samples, H, W, channels) in a buffer, sharing its memory."""
        top, _, left, _ = self.pad
        rows = self.cells(pieces)[:, top : top + self.height, left : left + self.width]
        return rows[..., : self.channels]


@dataclass
class Bench:
    """A plan under construction, the values of its buffers, and its engine."""

    library: Library
    batch: int
    block: int = 1
    plan: Plan = field(init=False)
    values: dict[int, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan = Plan(self.batch)

    @property
    def slots(self) -> int:
        return -(-self.batch // self.block)

    def weight(self, values: Array) -> int:
        """Add a buffer of one piece with these values."""
        buffer = self.plan.add(values.size)
        self.values[buffer] = values.reshape(1, -1)
        return buffer

    def image(self, image: Image, values: Array | None = None, junk: float = 0) -> int:
        """Add a buffer with an image of each sample; `junk` is everywhere outside the values."""
        buffer = self.plan.add(image.floats, self.batch)
        pieces = np.full((self.batch, round_up(image.floats, GROUP)), junk, np.float32)
        if values is not None:
            image.inner(pieces)[...] = values
        self.values[buffer] = pieces
        return buffer

    def slotted(self, floats: int) -> int:
        """Add a buffer with a piece for each block of samples, full of what must be overwritten."""
        buffer = self.plan.add(floats, self.slots)
        self.values[buffer] = np.full((self.slots, floats), np.nan, np.float32)
        return buffer

    def over_samples(self, *calls: Call) -> None:
        self.plan.stages.append(Stage(Over.SAMPLES, self.block, list(calls)))

    def over_parts(self, *calls: Call) -> None:
        self.plan.stages.append(Stage(Over.PARTS, 1, list(calls)))

    def engine(self) -> Engine:
        """Return the plan's engine with the values of its buffers."""
        engine = Engine(self.plan, self.library)
        for buffer, values in self.values.items():
            engine.array(buffer)[:, : values.shape[1]] = values
        return engine

    def run(self, samples: int | None = None, threads: int = 1, **options: Any) -> Engine:
        engine = self.engine()
        engine.run(samples or self.batch, threads=threads, **options)
        return engine

    def used_slots(self, samples: int) -> int:
        return -(-samples // self.block)


def master_of(weight: Array) -> Array:
    """Return weights (filters, channels, kh, kw) as (kh, kw, channels, co16)."""
    out = np.ascontiguousarray(weight.transpose(2, 3, 1, 0))
    return filled(out)


def filled(values: Array) -> Array:
    """Return the values with the last axis filled up with zeros to whole groups."""
    more = round_up(values.shape[-1], GROUP) - values.shape[-1]
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, more)]).astype(np.float32)


def call(kernel: str, kernels: Library, **fields: Any) -> Call:
    """Return a call; fields that are not given are absent, 0, or 1 for sizes."""
    kinds: Mapping[str, str] = kernels.kernels[kernel][1]
    unknown = fields.keys() - kinds.keys()
    assert not unknown, f"{kernel} has no {unknown}"
    plain: dict[str, Any] = {"view": ABSENT_VIEW, "buffer": ABSENT, "int": 0, "real": 0.0}
    sizes = ("height", "width", "stride", "dilation", "groups")
    values = {
        name: 1 if kind == "int" and any(size in name for size in sizes) else plain[kind]
        for name, kind in kinds.items()
    }
    return Call(kernel, {**values, **fields})


def close(got: Array, want: Array, tolerance: float = 1e-5) -> None:
    """Assert that the largest difference is small beside the largest number."""
    assert got.shape == want.shape
    scale = max(float(np.abs(want).max(initial=0)), 1e-3)
    assert float(np.abs(got - want).max(initial=0)) <= tolerance * scale
