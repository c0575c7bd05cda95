"""Kernels on images in every layout: what may be read, what must be written, what must stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from striate.lower.plan import Over, Stage, View
from striate.lower.runtime import Engine, library

from .support import Array, Bench, Image, call, filled

BATCH, BLOCK = 5, 2
JUNK = 7.0  # where a kernel must not write
RUNS = ((BATCH, 1), (BATCH, 2), (3, 2))  # samples, threads


@dataclass(frozen=True)
class Layout:
    """How an image lies in its buffer."""

    packed: bool = False
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)

    def image(self, height: int, width: int, channels: int) -> Image:
        return Image(height, width, channels, self.pad, self.packed)


PADDED, PACKED = Layout(), Layout(packed=True)
HALO, PACKED_HALO = Layout(pad=(1, 2, 2, 1)), Layout(packed=True, pad=(2, 1, 1, 2))
# of what is read, of what is written
LAYOUTS = {
    "padded": (PADDED, PADDED),
    "packed": (PACKED, PACKED),
    "packed to padded": (PACKED, PADDED),
    "padded to packed": (PADDED, PACKED),
    "halo": (HALO, HALO),
    "packed with halo": (PACKED_HALO, PACKED_HALO),
    "packed to halo": (PACKED, HALO),
}
SIZES = (
    (1, 1, 10),
    (4, 5, 1),
    (3, 7, 3),
    (5, 4, 6),
    (4, 4, 16),
    (3, 3, 20),
    (2, 3, 50),
    (3, 2, 64),
)


class Images:
    """A plan with calls on images of `batch` samples, and what they should give."""

    def __init__(self, isa: str, batch: int = BATCH, block: int = BLOCK) -> None:
        kernels = library(isa)
        assert kernels is not None
        self.kernels = kernels
        self.bench = Bench(kernels, batch, block)
        self._images: dict[View, Image] = {}

    def given(self, values: Tensor, layout: Layout = PADDED) -> View:
        """Add an image that holds (samples, H, W, C); outside of it nothing is a number."""
        image = layout.image(*values.shape[1:])
        buffer = self.bench.image(image, junk=np.nan)
        pieces = self.bench.values[buffer]
        whole = Image(image.height, image.width, image.pixel, image.pad, image.packed)
        whole.inner(pieces)[...] = 0
        image.inner(pieces)[...] = values.detach().numpy()
        return self._view(image, buffer)

    def wanted(self, height: int, width: int, channels: int, layout: Layout = PADDED) -> View:
        """Add an image to be written."""
        image = layout.image(height, width, channels)
        return self._view(image, self.bench.image(image, junk=JUNK))

    def vector(self, values: Tensor) -> int:
        """Add one number per channel."""
        return self.bench.weight(filled(values.detach().numpy()))

    def numbers(self, count: int) -> int:
        """Add a buffer of one piece to be written."""
        return self.bench.weight(np.full(count, JUNK, np.float32))

    def call(self, kernel: str, over: Over = Over.SAMPLES, **fields: Any) -> None:
        """Add a call to the last stage, or a stage if that is over something else."""
        stages = self.bench.plan.stages
        if not stages or stages[-1].over is not over:
            stages.append(Stage(over, self.bench.block if over is Over.SAMPLES else 1))
        repeats = {name: 1 for name in self.kernels.kernels[kernel][1] if name.startswith("repeat")}
        stages[-1].calls.append(call(kernel, self.kernels, **repeats | fields))

    def engine(self) -> Engine:
        return self.bench.engine()

    def expect(
        self, want: Callable[[int], Mapping[Any, Tensor]], *, tolerance: float = 1e-5
    ) -> None:
        """Run batches, whole and partial, on one thread and two; compare views and buffers.

        `want` gives, for a number of samples, what is to be in views (samples, H, W, C) and in
        buffers of one piece.
        """
        kept: dict[int, list[Array]] = {}
        for samples, threads in RUNS:
            engine = self.engine()
            engine.run(samples, threads=threads)
            for place, values in want(samples).items():
                if isinstance(place, View):
                    got = self.image_of(engine, place, samples)
                else:
                    got = engine.array(place)[0, : values.numel()]
                same(got, values.detach().numpy(), tolerance)
                kept.setdefault(samples, []).append(got)
        whole = len(kept[BATCH]) // 2
        for one, two in zip(kept[BATCH][:whole], kept[BATCH][whole:], strict=True):
            assert one.tobytes() == two.tobytes()  # the same bits on one thread and on two

    def image_of(self, engine: Engine, view: View, samples: int) -> Array:
        """Return an image; assert zeros behind its channels and nothing else written."""
        image = self._images[view]
        pieces = engine.array(view.buffer).copy()
        whole = Image(image.height, image.width, image.pixel, image.pad, image.packed)
        values = whole.inner(pieces)
        found = values[:samples].copy()
        assert not found[..., image.channels :].any()
        values[:samples] = JUNK
        assert (image.cells(pieces) == JUNK).all()
        return found[..., : image.channels]

    def _view(self, image: Image, buffer: int) -> View:
        view = image.view(buffer)
        self._images[view] = image
        return view


def random(*shape: int, seed: int = 0) -> Tensor:
    """Return normal numbers as float32 has them, in float64 and with a gradient."""
    generator = torch.Generator().manual_seed(seed + 1000 * len(shape) + sum(shape))
    return torch.randn(shape, generator=generator).double().requires_grad_()


def gradients(y: Tensor, weights: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """Return the gradients of sum(y * weights)."""
    return torch.autograd.grad((y * weights).sum(), inputs, retain_graph=True)


def same(got: Array, want: Array, tolerance: float = 1e-5) -> None:
    """Assert that numbers differ by little, relative to their size or to the usual size of all."""
    want = want.reshape(got.shape)
    usual = float(np.sqrt(np.square(want).mean())) if want.size else 0.0
    assert not np.isnan(got).any()
    assert (np.abs(got - want) <= tolerance * (np.abs(want) + usual) + 1e-30).all()
