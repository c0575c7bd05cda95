"""drop: which numbers go, what becomes of the others, and the gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from striate.errors import TrainingError

from .images import BATCH, LAYOUTS, SIZES, Images, random
from .support import each_isa


@each_isa
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("per_channel", [0, 1])
def test_layout_does_not_matter(
    isa: str, layout: str, size: tuple[int, int, int], per_channel: int
) -> None:
    """The mask comes from a run on packed ones; in every layout it multiplies x and dy alike."""
    fields = dict(zip(("height", "width", "channels"), size, strict=True))
    fields |= {"rate": 0.4, "key": 3, "per_channel": per_channel}
    ones = Images(isa)
    output = ones.wanted(*size)
    ones.call("drop", input=ones.given(torch.ones(BATCH, *size)), output=output, **fields)
    engine = ones.engine()
    engine.run(BATCH)
    mask = torch.from_numpy(ones.image_of(engine, output, BATCH)).double()

    x, dy = random(BATCH, *size), random(BATCH, *size, seed=1)
    images = Images(isa)
    read, write = LAYOUTS[layout]
    y, dx = images.wanted(*size, write), images.wanted(*size, write)
    images.call("drop", input=images.given(x, read), output=y, **fields)
    images.call("drop", input=images.given(dy, read), output=dx, **fields)
    images.expect(lambda n: {y: (x * mask)[:n], dx: (dy * mask)[:n]})


def dropped(isa: str, shape: tuple[int, int, int], **options: int) -> np.ndarray:
    """Return which of the ones of 64 samples are dropped."""
    images = Images(isa, batch=64)
    output = images.wanted(*shape)
    fields = dict(zip(("height", "width", "channels"), shape, strict=True))
    fields |= {"rate": 0.3, "key": options.pop("key", 1), "per_channel": options.pop("shared", 0)}
    images.call("drop", input=images.given(torch.ones(64, *shape)), output=output, **fields)
    engine = images.engine()
    engine.run(64, **options)
    return images.image_of(engine, output, 64) == 0


@each_isa
def test_the_share_is_the_rate(isa: str) -> None:
    zeros = dropped(isa, (8, 8, 20))
    assert abs(zeros.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / zeros.size)
    assert np.abs(zeros.mean((1, 2, 3)) - 0.3).max() < 5 * np.sqrt(0.3 * 0.7 / zeros[0].size)


@each_isa
def test_draws_depend_on_seed_step_key_and_sample(isa: str) -> None:
    shape = (8, 8, 20)
    first = dropped(isa, shape)
    assert (dropped(isa, shape, threads=2) == first).all()
    others = [dropped(isa, shape, **{name: 9}) for name in ("seed", "number", "key")]
    for other in [*others, np.roll(first, 1, 0)]:  # 0.3 * 0.7 * 2 of independent draws differ
        assert abs((other != first).mean() - 0.42) < 0.01


@each_isa
def test_whole_channels(isa: str) -> None:
    zeros = dropped(isa, (4, 5, 50), shared=1)
    assert (zeros == zeros[:, :1, :1]).all()
    assert abs(zeros.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / (64 * 50))


@each_isa
@pytest.mark.parametrize("rate", [1.0, -0.1, float("nan")])
def test_no_such_rate(isa: str, rate: float) -> None:
    images = Images(isa)
    view = images.wanted(1, 1, 16)
    images.call("drop", input=view, output=view, channels=16, rate=rate)
    with pytest.raises(TrainingError, match=r"drop: the rate of a dropout is in \[0, 1\)"):
        images.engine()
