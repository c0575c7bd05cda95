"""Samples and labels come into the arena as they are, or moved as the draws say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.errors import TrainingError
from striate.lower.runtime import library

from .support import Array, Bench, Image, call, each_isa

BATCH = 5
NUMBERS = np.array([3, 0, 6, 2, 2, 5, 1], np.int32)
KINDS = {"uint8": 1, "float32": 4}


def samples(dtype: str, *shape: int) -> Array:
    values = np.random.default_rng(len(shape)).integers(0, 256, (7, *shape))
    return np.ascontiguousarray(values.astype(dtype))


def load(
    isa: str, kernel: str, source: Array, image: Image, order: Array | None, **fields: Any
) -> tuple[Array, Array]:
    """Return what the kernel writes for a whole batch, and for the partial one behind it."""
    kernels = library(isa)
    assert kernels is not None
    bench = Bench(kernels, BATCH, 2)
    output = bench.image(image)
    size = {"height": image.height, "width": image.width, "channels": image.channels}
    fields = {"bytes": KINDS[str(source.dtype)], "output": image.view(output), **size, **fields}
    bench.over_samples(call(kernel, kernels, **fields))
    out = []
    for count in (BATCH, BATCH + 2):
        engine = bench.engine()
        engine.run(count, [source], order=order, threads=2, seed=11)
        cells = image.cells(engine.array(output))
        assert not cells[..., image.channels :].any()
        out.append(image.inner(engine.array(output)).copy())
    return out[0], out[1]


@each_isa
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 16, 20])
@pytest.mark.parametrize("packed", [False, True])
def test_samples_are_gathered_and_scaled(
    isa: str, dtype: str, ordered: bool, channels: int, packed: bool
) -> None:
    source = samples(dtype, 4, 5, channels)
    order = NUMBERS if ordered else None
    image = Image(4, 5, channels, pad=(1, 2, 1, 0), packed=packed)
    whole, partial = load(isa, "load", source, image, order, scale=0.5, offset=-3.0)
    numbers = NUMBERS if ordered else np.arange(7)
    want = source[numbers].astype(np.float32) * 0.5 - 3
    np.testing.assert_array_equal(whole, want[:BATCH])
    np.testing.assert_array_equal(partial[:2], want[BATCH:])


@each_isa
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_labels_become_int32(isa: str, dtype: str) -> None:
    kernels = library(isa)
    assert kernels is not None
    bench = Bench(kernels, BATCH, 2)
    output = bench.plan.add(1, BATCH)
    labels = np.array([7, 0, 255, 3, 100, 9, 1], dtype)
    fields = {"source": 1, "bytes": labels.itemsize, "output": output}
    bench.over_samples(call("load_labels", kernels, **fields))
    engine = bench.engine()
    engine.run(BATCH, [np.zeros((7, 1), np.uint8), labels[:, None]], order=NUMBERS)
    np.testing.assert_array_equal(engine.array(output, np.int32)[:, 0], labels[NUMBERS[:BATCH]])


MODES: dict[int, dict[str, Any]] = {
    0: {"mode": "constant", "constant_values": 9},
    1: {"mode": "symmetric"},
    2: {"mode": "edge"},
}
SHIFT = (2, 3)


def every_way(
    source: Array, size: tuple[int, int], shift: tuple[int, int], edge: int
) -> dict[bytes, str]:
    """Return all that can be cut out of an image, by its bytes, with the way that it is cut."""
    wide = np.pad(source, [(shift[0],) * 2, (shift[1],) * 2, (0, 0)], **MODES[edge])
    out = {}
    for y in range(wide.shape[0] - size[0] + 1):
        for x in range(wide.shape[1] - size[1] + 1):
            part = wide[y : y + size[0], x : x + size[1]]
            for name, flipped in (
                ("-", part),
                ("h", part[:, ::-1]),
                ("v", part[::-1]),
                ("hv", part[::-1, ::-1]),
            ):
                out[flipped.astype(np.float32).tobytes()] = f"{name} {y} {x}"
    return out


def ways(
    isa: str,
    dtype: str,
    size: tuple[int, int],
    shift: tuple[int, int],
    edge: int,
    flip: int,
    steps: int = 1,
) -> list[str]:
    """Return the ways in which the samples of one batch were cut."""
    source = samples(dtype, 8, 9, 3)
    fields = {"source_height": 8, "source_width": 9, "shift_y": shift[0], "shift_x": shift[1]}
    fields |= {"flip": flip, "edge": edge, "fill": 9.0, "scale": 1.0, "key": steps}
    whole, _ = load(isa, "load_augmented", source, Image(*size, 3), None, **fields)
    found = zip(source[:BATCH], whole, strict=True)
    return [every_way(s, size, shift, edge)[out.tobytes()] for s, out in found]


@each_isa
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("edge", MODES)
@pytest.mark.parametrize("size", [(8, 9), (5, 7)])
@pytest.mark.parametrize("flip", [0, 3])
def test_images_are_cut_in_one_of_all_ways(
    isa: str, dtype: str, edge: int, size: tuple[int, int], flip: int
) -> None:
    found = ways(isa, dtype, size, SHIFT, edge, flip)
    assert len(set(found)) > 2
    assert flip or all(way.startswith("- ") for way in found)


@each_isa
def test_each_flip_and_each_place_comes_up(isa: str) -> None:
    found = [way for key in range(40) for way in ways(isa, "uint8", (7, 9), (0, 0), 0, 3, key)]
    assert {way.split()[0] for way in found} == {"-", "h", "v", "hv"}
    assert {way.split()[1] for way in found} == {"0", "1"}
    share = np.mean(["h" in way.split()[0] for way in found])
    assert 0.35 < share < 0.65


@each_isa
@pytest.mark.parametrize(("flip", "names"), [(1, {"-", "h"}), (2, {"-", "v"})])
def test_one_axis_is_flipped(isa: str, flip: int, names: set[str]) -> None:
    found = [way for key in range(20) for way in ways(isa, "uint8", (8, 9), (0, 0), 0, flip, key)]
    assert {way.split()[0] for way in found} == names


@each_isa
@pytest.mark.parametrize(
    ("kernel", "fields", "message"),
    [
        ("load", {"source": 64}, "source = 64, need 0 to 63"),
        ("load", {"bytes": 2}, "values have 1 or 4 bytes"),
        ("load", {"width": 99}, "output has 2 x 1024 bytes, needs 2 x 7104"),
        ("load_augmented", {"flip": 4}, "flip = 4, need 0 to 3"),
        ("load_augmented", {"edge": 3}, "edge = 3, need 0 to 2"),
        ("load_augmented", {"shift_y": -1}, "shift_y = -1, need 0 to 1048576"),
        ("load_augmented", {"source_width": 3}, "the image is larger than what it is cut out of"),
        ("load_labels", {"bytes": 2}, "labels have 1, 4 or 8 bytes"),
    ],
)
def test_a_call_that_would_leave_its_buffers_is_refused(
    isa: str, kernel: str, fields: dict[str, int], message: str
) -> None:
    kernels = library(isa)
    assert kernels is not None
    bench = Bench(kernels, 2)
    image = Image(4, 4, 3)
    sizes = {"height": 4, "width": 4, "channels": 3}
    right: dict[str, Any] = {"bytes": 1, "output": image.view(bench.image(image)), **sizes}
    if kernel == "load_augmented":
        right |= {"source_height": 4, "source_width": 4}
    if kernel == "load_labels":
        right = {"bytes": 1, "output": bench.plan.add(1, 2)}
    bench.over_samples(call(kernel, kernels, **right | fields))
    with pytest.raises(TrainingError) as error:
        bench.engine()
    assert str(error.value) == (
        "the native engine: refused a plan\n"
        f"  got   stage 0, {kernel}: {message}\n"
        '  fix   engine="torch"'
    )
