"""softmax, layer normalisation and affine against torch."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from striate.errors import TrainingError
from striate.lower.plan import ABSENT, ABSENT_VIEW, round_up

from .images import BATCH, BLOCK, LAYOUTS, SIZES, Images, gradients, random, same
from .support import each_isa

EPSILON = 1e-3


def sizes_of(size: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("height", "width", "channels"), size, strict=True))


@each_isa
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("level", [0.0, 500.0])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(
    isa: str, size: tuple[int, int, int], layout: str, level: float, name: str
) -> None:
    read, write = LAYOUTS[layout]
    x = (random(BATCH, *size).detach() * 4 - level).float().double().requires_grad_()
    dy = random(BATCH, *size, seed=1)
    images = Images(isa)
    y, dx = images.wanted(*size, write), images.wanted(*size, write)
    images.call(name, input=images.given(x, read), output=y, **sizes_of(size))
    images.call(
        f"{name}_backward",
        output=y,
        output_gradient=images.given(dy, read),
        input_gradient=dx,
        **sizes_of(size),
    )
    value = getattr(F, name)(x, -1)
    slope = gradients(value, dy, x)[0]
    floor = 1e-6  # of one channel the gradient is 0, a difference of equal numbers
    images.expect(lambda n: {y: value[:n]})
    engine = images.engine()
    engine.run(BATCH)
    got = torch.from_numpy(images.image_of(engine, dx, BATCH))
    assert bool(((got - slope).abs() <= 1e-5 * slope.abs() + floor).all())


@each_isa
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
def test_affine(isa: str, size: tuple[int, int, int], layout: str) -> None:
    read, write = LAYOUTS[layout]
    x, scale, offset = random(BATCH, *size), random(size[2], seed=1), random(size[2], seed=2)
    images = Images(isa)
    source, times = images.given(x, read), images.vector(scale)
    y, scaled = images.wanted(*size, write), images.wanted(*size, write)
    fields = {"input": source, **sizes_of(size), "scale": times}
    images.call("affine", **fields, output=y, offset=images.vector(offset))
    images.call("affine", **fields, output=scaled, offset=ABSENT)
    images.expect(lambda n: {y: (x * scale + offset)[:n], scaled: (x * scale)[:n]})


@each_isa
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [size for size in SIZES if size[2] > 1])
@pytest.mark.parametrize("affine", [True, False])
def test_layer_norm(isa: str, size: tuple[int, int, int], layout: str, affine: bool) -> None:
    read, write = LAYOUTS[layout]
    x, dy = random(BATCH, *size), random(BATCH, *size, seed=1)
    x = (x.detach() * 2 + 1).float().double().requires_grad_()
    gamma, beta = random(size[2], seed=2), random(size[2], seed=3)
    row = round_up(size[2], 16)
    images = Images(isa)
    source, y, dx = images.given(x, read), images.wanted(*size, write), images.wanted(*size, write)
    weight = images.vector(gamma) if affine else ABSENT
    fields = {"input": source, **sizes_of(size), "gamma": weight, "epsilon": EPSILON}
    images.call("layer_norm", **fields, output=y, beta=images.vector(beta) if affine else ABSENT)
    slots = [images.bench.slotted(row) if affine else ABSENT for _ in range(2)]
    images.call(
        "layer_norm_backward",
        **fields,
        output_gradient=images.given(dy, read),
        input_gradient=dx,
        gamma_gradient=slots[0],
        beta_gradient=slots[1],
    )
    value = F.layer_norm(x, size[2:], gamma if affine else None, beta if affine else None, EPSILON)
    slope = gradients(value, dy, x)[0]
    images.expect(lambda n: {y: value[:n], dx: slope[:n]}, tolerance=3e-5)
    if not affine:
        return
    for samples in (BATCH, 3):
        engine = images.engine()
        engine.run(samples, threads=2)
        want = gradients(value[:samples], dy[:samples], gamma, beta)
        for slot, gradient in zip(slots, want, strict=True):
            pieces = engine.array(slot)[: -(-samples // BLOCK)]
            same(pieces.sum(0)[: size[2]], gradient.numpy())
            assert not pieces[:, size[2] : row].any()


@each_isa
def test_the_first_layer_has_no_input_gradient(isa: str) -> None:
    x, dy = random(BATCH, 2, 2, 20), random(BATCH, 2, 2, 20, seed=1)
    images = Images(isa)
    slots = images.bench.slotted(32)
    images.call(
        "layer_norm_backward",
        input=images.given(x),
        output_gradient=images.given(dy),
        input_gradient=ABSENT_VIEW,
        **sizes_of((2, 2, 20)),
        beta_gradient=slots,
        epsilon=EPSILON,
    )
    engine = images.engine()
    engine.run(BATCH)
    same(engine.array(slots).sum(0)[:20], dy.sum((0, 1, 2)).detach().numpy())


BROKEN = {
    ("softmax", "channels", 0): "channels = 0, need 1",
    ("softmax", "height", 9): "input has",
    ("softmax_backward", "height", 9): "output has",
    ("affine", "scale", 99): "scale is no buffer",
    ("affine", "offset", 99): "offset is no buffer",
    ("layer_norm", "gamma", 99): "gamma is no buffer",
    ("layer_norm", "beta", 99): "beta is no buffer",
    ("layer_norm_backward", "gamma_gradient", 99): "gradient is no buffer",
    ("layer_norm_backward", "height", 9): "input has",
}


@each_isa
@pytest.mark.parametrize(("kernel", "field", "value"), BROKEN)
def test_refusals(isa: str, kernel: str, field: str, value: int) -> None:
    images = Images(isa)
    kinds = images.kernels.kernels[kernel][1]
    fields: dict[str, object] = {"height": 2, "width": 3, "channels": 16, field: value}
    fields |= {name: images.wanted(2, 3, 16) for name, kind in kinds.items() if kind == "view"}
    images.call(kernel, **fields)
    with pytest.raises(TrainingError, match=f"{kernel}: {BROKEN[kernel, field, value]}"):
        images.engine()
