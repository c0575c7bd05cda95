"""pointwise and pointwise_backward against torch."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from striate.errors import TrainingError

from .images import BATCH, LAYOUTS, SIZES, Images, gradients, random
from .support import each_isa

# number of the function: a, b, the function in torch
FUNCTIONS = {
    1: (0.0, 0.0, F.relu),
    2: (0.3, 0.0, lambda x: F.leaky_relu(x, 0.3)),
    3: (1.5, 0.1, lambda x: F.leaky_relu(x, 0.1).clamp(max=1.5)),
    4: (0.7, 0.0, lambda x: F.elu(x, 0.7)),
    5: (0.0, 0.0, F.selu),
    6: (0.0, 0.0, torch.sigmoid),
    7: (0.0, 0.0, torch.tanh),
    8: (0.0, 0.0, F.softplus),
    9: (0.0, 0.0, F.softsign),
    10: (0.0, 0.0, torch.exp),
    11: (0.0, 0.0, F.gelu),
    12: (0.0, 0.0, functools.partial(F.gelu, approximate="tanh")),
    13: (0.0, 0.0, F.silu),
    14: (0.0, 0.0, F.mish),
    15: (0.0, 0.0, F.hardsigmoid),
    16: (0.0, 0.0, F.hardswish),
    17: (-0.8, 0.3, lambda x: -0.8 * x + 0.3),
    18: (0.0, 0.0, torch.abs),
    19: (0.0, 0.0, torch.square),
    20: (0.0, 0.0, torch.sqrt),
    21: (0.0, 0.0, torch.neg),
}
OF_THE_OUTPUT = (1, 6, 7, 10, 17, 20, 21)  # the derivative needs the value alone
ROOT = 20


def input_for(function: int, *shape: int) -> Tensor:
    x = random(*shape).detach() * 3
    return (x.abs() + 0.1 if function == ROOT else x).requires_grad_()


@each_isa
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_function_and_derivative(isa: str, function: int, layout: str) -> None:
    a, b, meaning = FUNCTIONS[function]
    read, write = LAYOUTS[layout]
    fields = {"function": function, "a": a, "b": b}
    for size in SIZES[function % 2 :: 2]:
        x, dy = input_for(function, BATCH, *size), random(BATCH, *size, seed=1)
        y = meaning(x)
        images = Images(isa)
        shape = dict(zip(("height", "width", "channels"), size, strict=True))
        source, gradient = images.given(x, read), images.given(dy, read)
        output, back = images.wanted(*size, write), images.wanted(*size, write)
        images.call("pointwise", input=source, output=output, **shape, **fields)
        images.call(
            "pointwise_backward",
            input=output if function in OF_THE_OUTPUT else source,
            output=output,
            output_gradient=gradient,
            input_gradient=back,
            **shape,
            **fields,
        )
        dx = gradients(y, dy, x)[0]
        images.expect(lambda n, y=y, dx=dx, o=output, b=back: {o: y[:n], b: dx[:n]})  # type: ignore[misc]


@each_isa
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_few_units_in_the_last_place(isa: str, function: int) -> None:
    """Relative errors over a wide range, where the function is not near a zero of its own."""
    a, b, meaning = FUNCTIONS[function]
    x = torch.cat([torch.linspace(-30, 30, 4001), torch.linspace(-0.1, 0.1, 4001)]).double()
    x = (x.abs() if function == ROOT else x).float().double()
    images = Images(isa, batch=1)
    source = images.given(x.reshape(1, 1, 1, -1))
    output = images.wanted(1, 1, len(x))
    images.call(
        "pointwise", input=source, output=output, channels=len(x), function=function, a=a, b=b
    )
    engine = images.engine()
    engine.run(1)
    y = torch.from_numpy(images.image_of(engine, output, 1)).double().flatten()
    want = meaning(x).flatten()
    # gelu's share below x cancels far to the left, in torch too; straight lines near their zero
    floor = 1.0 if function in (11, 12, 17) else 1e-30
    assert bool(((y - want).abs() <= 1.2e-6 * want.abs().clamp(min=floor)).all())


@each_isa
def test_a_derivative_may_take_the_place_of_the_gradient(isa: str) -> None:
    x, dy = random(BATCH, 3, 4, 20), random(BATCH, 3, 4, 20, seed=1)
    images = Images(isa)
    gradient = images.given(dy)
    shape = {"height": 3, "width": 4, "channels": 20}
    images.call(
        "pointwise_backward",
        input=images.given(F.relu(x)),
        output=images.given(F.relu(x)),
        output_gradient=gradient,
        input_gradient=gradient,
        **shape,
        function=1,
    )
    engine = images.engine()
    engine.run(BATCH, threads=2)
    got = engine.array(gradient.buffer).reshape(BATCH, 3, 4, 32)[..., :20]
    assert (torch.from_numpy(got) == gradients(F.relu(x), dy, x)[0]).all()


@each_isa
@pytest.mark.parametrize("function", [0, 22, -1])
def test_no_such_function(isa: str, function: int) -> None:
    images = Images(isa)
    view = images.wanted(1, 1, 16)
    images.call("pointwise", input=view, output=view, channels=16, function=function)
    with pytest.raises(TrainingError, match=f"function = {function}, need 1 to 21"):
        images.engine()


@each_isa
@pytest.mark.parametrize("field", ["input", "output", "output_gradient", "input_gradient"])
def test_an_image_outside_its_buffer(isa: str, field: str) -> None:
    images = Images(isa)
    views = dict.fromkeys(("input", "output", "output_gradient", "input_gradient"))
    for name in views:
        views[name] = images.wanted(2 if name == field else 3, 3, 16)
    images.call("pointwise_backward", **views, height=3, width=3, channels=16, function=1)
    with pytest.raises(TrainingError, match=f"pointwise_backward: {field} has"):
        images.engine()
