"""warp: where images are read, in every layout and beyond every edge; how the draws fall."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

import striate as st
from striate import layers as L
from striate.core.operation import Warp
from striate.core.symbol import Input
from striate.errors import TrainingError
from striate.layers.warp import warped
from striate.lower.rules import units
from striate.lower.trace import trace
from striate.lower.units.warp import EDGES, fields_of

from .images import BATCH, LAYOUTS, Images, random
from .support import Array, each_isa

SIZES = ((1, 1, 1), (4, 5, 1), (5, 4, 3), (3, 3, 20))
TURNED = Warp(angle=(0.4, 0.4), tall=(1.3, 1.3), wide=(0.8, 0.8), down=(0.3, 0.3))
MAPS = (
    Warp(),
    TURNED,
    Warp(tall=(0.6, 0.6), wide=None, right=(0.9, 0.9)),
    Warp(angle=(2.0, 2.0), down=(-1.7, -1.7), right=(0.23, 0.23)),
)


def fixed(bounds: Any) -> torch.Tensor:
    raise AssertionError(f"{bounds} is no draw")


@each_isa
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
def test_layout_does_not_matter(isa: str, layout: str, size: tuple[int, int, int]) -> None:
    x, (read, write) = random(BATCH, *size).detach(), LAYOUTS[layout]
    images = Images(isa)
    y = images.wanted(*size, write)
    images.call("warp", input=images.given(x, read), output=y, **fields_of(TURNED, size), key=1)
    want = warped(x.movedim(-1, 1), TURNED, fixed).movedim(1, -1)
    images.expect(lambda n: {y: want[:n]}, tolerance=1e-4)


@each_isa
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("nearest", [False, True])
def test_what_is_read_is_what_torch_reads(isa: str, edge: str, nearest: bool) -> None:
    x = random(BATCH, 5, 6, 2).detach()
    for plain in MAPS:
        warp = dataclasses.replace(plain, edge=edge, nearest=nearest, fill=0.7)
        images = Images(isa)
        y = images.wanted(5, 6, 2)
        images.call("warp", input=images.given(x), output=y, **fields_of(warp, (5, 6, 2)), key=1)
        want = warped(x.movedim(-1, 1), warp, fixed).movedim(1, -1)
        images.expect(lambda n, y=y, want=want: {y: want[:n]}, tolerance=1e-4)


def places(isa: str, warp: Warp, samples: int = 4000, **options: int) -> Array:
    """Return where (0, 0), (1, 0) and (0, 1) are read by each sample: (samples, 3, x and y)."""
    steps = torch.arange(9.0) - 4
    ramps = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1)  # of x, of y
    images = Images(isa, batch=samples, block=64)
    y = images.wanted(9, 9, 2)
    fields = fields_of(warp, (9, 9, 2)) | {"key": options.pop("key", 1)}
    images.call("warp", input=images.given(ramps.expand(samples, -1, -1, -1)), output=y, **fields)
    engine = images.engine()
    engine.run(samples, **{"threads": 2, **options})
    return images.image_of(engine, y, samples)[:, [4, 4, 5], [4, 5, 4]].astype(np.float64)


def even(values: Array, low: float, high: float) -> None:
    """Assert that numbers are spread evenly between two bounds."""
    share, _ = np.histogram((values - low) / (high - low), 8, (-1e-4, 1 + 1e-4))
    assert share.sum() == len(values)
    assert np.abs(share / len(values) - 1 / 8).max() < 0.03


@each_isa
def test_draws_are_even_and_independent(isa: str) -> None:
    warp = Warp((-0.3, 0.8), (0.7, 1.1), (0.9, 1.4), (-0.1, 0.2), (-0.2, 0.1))
    at = places(isa, warp)
    x, y = at[:, 1] - at[:, 0], at[:, 2] - at[:, 0]
    wide, tall = np.hypot(x[:, 0], y[:, 0]), np.hypot(x[:, 1], y[:, 1])
    angle = np.arctan2(x[:, 1] / tall, x[:, 0] / wide)
    drawn = [angle, tall, wide, -at[:, 0, 1] / 9, -at[:, 0, 0] / 9]
    for values, bounds in zip(drawn, dataclasses.astuple(warp)[:5], strict=True):
        even(values, *bounds)
    assert np.abs(np.corrcoef(drawn) - np.eye(5)).max() < 0.07
    other = places(isa, dataclasses.replace(warp, angle=(0.0, 0.0), wide=None))
    np.testing.assert_allclose(other[:, 1, 0] - other[:, 0, 0], tall, atol=1e-5)
    np.testing.assert_allclose(other[:, 2, 1] - other[:, 0, 1], tall, atol=1e-5)


@each_isa
def test_half_of_the_samples_are_mirrored_along_each_axis(isa: str) -> None:
    for rows, columns in ((True, False), (False, True), (True, True)):
        at = places(isa, Warp(mirror=(rows, columns), nearest=True))
        x, y = at[:, 1, 0], at[:, 2, 1]
        assert set(x) == ({-1.0, 1.0} if columns else {1.0})
        assert set(y) == ({-1.0, 1.0} if rows else {1.0})
        assert abs(x.mean()) < 0.06 or not columns
        assert abs(y.mean()) < 0.06 or not rows
        assert abs((x * y).mean()) < 0.06


@each_isa
def test_draws_depend_on_seed_step_key_and_sample(isa: str) -> None:
    warp = Warp(right=(-0.3, 0.3))
    first = places(isa, warp)[:, 0, 0]
    assert (places(isa, warp, threads=1)[:, 0, 0] == first).all()
    others = [places(isa, warp, **{name: 9})[:, 0, 0] for name in ("seed", "number", "key")]
    for other in [*others, np.roll(first, 1)]:
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.06


@each_isa
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"edge": 4}, "edge = 4, need 0 to 3"),
        ({"mirror": 4}, "mirror = 4, need 0 to 3"),
        ({"right_high": float("nan")}, "the bounds of a draw are no numbers of a usual size"),
        ({"angle_low": -1e30}, "the bounds of a draw are no numbers of a usual size"),
        ({"height": 9}, "input has 5 x 1280 bytes, needs 5 x 2880"),
    ],
)
def test_what_is_refused(isa: str, wrong: dict[str, Any], message: str) -> None:
    images = Images(isa)
    view = images.given(torch.zeros(BATCH, 4, 5, 2))
    fields = fields_of(TURNED, (4, 5, 2)) | {"key": 1} | wrong
    images.call("warp", input=view, output=images.wanted(4, 5, 2), **fields)
    with pytest.raises(TrainingError, match="warp: ") as told:
        images.engine()
    assert message in str(told.value)


def network(engine: str) -> st.Sequential:
    st.seed(0)
    model = st.Sequential(
        [
            L.Input((8, 9, 1)),
            L.Rescaling(1 / 255),
            L.RandomRotation((0.05, 0.05)),
            L.RandomZoom((0.2, 0.2), fill_mode="wrap"),
            L.Conv2D(4, 3, activation="relu"),
            L.Flatten(),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(st.optimizers.SGD(0.1), "crossentropy", engine=engine)
    return model


def test_a_network_learns_what_it_learns_by_torch() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (40, 8, 9, 1), np.uint8), rng.integers(0, 3, 40)
    trained = []
    for engine in ("native", "torch"):
        model = network(engine)
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
        trained.append(np.concatenate([one.ravel() for one in model.get_weights()]))
    np.testing.assert_allclose(*trained, atol=1e-5)


def test_behind_what_learns_torch_does_it() -> None:
    x = Input((8, 8, 1))
    y = L.RandomFlip(name="second")(L.Conv2D(2, 3)(L.RandomFlip(name="first")(x)))
    made = units(trace(st.Model(x, y).graph, training=True))
    names = {step.name: unit.name for unit in made for step in unit.steps}
    assert names == {"first": "warp", "conv2d": "convolution", "second": "torch"}
