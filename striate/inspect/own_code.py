"""The arithmetic of a unit whose layer does not state it: by the slopes of the layer's own code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..core.layer import Layer
from .formulas import number_text
from .stage import EARLIER, Part, Stage, Values, product_sum, short

CLOSE = 1e-6  # of the sum of absolute terms


def own_code(
    layer: Layer, x: Sequence[torch.Tensor], unit: tuple[int, ...], output: int = 0
) -> Stage:
    """Return the one stage of a unit: a weighted sum where the layer is one, else what it reads.

    `x` are batches of one, as the layer is called on them. What the unit reads, and how strongly,
    is the gradient of the layer's own forward; that the sum holds is tried at half the inputs too.
    """
    given = [one.detach().clone().requires_grad_(one.is_floating_point()) for one in x]
    value, slopes = _slopes(layer, given, unit, output)
    sums = [n for n, one in enumerate(given) if one.requires_grad]
    for several in dict.fromkeys((len(sums), 1)) if sums else ():  # of two factors, the first is
        held = sums[:several]  # a weighted sum
        offset = value - _along(given, slopes, held)
        half = [one.detach() / 2 if n in held else one.detach() for n, one in enumerate(given)]
        halved = _run(layer, half, unit, output)
        size = abs(value) + sum(float(np.abs(_array(given[n]) * slopes[n]).sum()) for n in held)
        if abs(halved - (value + offset) / 2) <= CLOSE * max(size, 1e-30):
            small = abs(offset) <= CLOSE * size
            return _weighted(given, slopes, held, 0.0 if small else offset)
    parts = [_part(n, given[n], slopes[n]) for n in range(len(given))]
    title = f"computed by the code of {type(layer).__name__}"
    text = f"reads {sum(part.x.size for part in parts):,} values" if sums else "reads whole numbers"
    return Stage("own code", title, value, text, number_text(value), {}, tuple(parts))


def _run(layer: Layer, x: Sequence[Any], unit: tuple[int, ...], output: int) -> float:
    with torch.no_grad():
        return float(_value(layer, x, unit, output))


def _value(layer: Layer, x: Sequence[Any], unit: tuple[int, ...], output: int) -> torch.Tensor:
    out = layer(*x)
    one: torch.Tensor = (out if isinstance(out, tuple) else (out,))[output][0]
    return one[unit]


def _slopes(
    layer: Layer, x: list[torch.Tensor], unit: tuple[int, ...], output: int
) -> tuple[float, list[Values]]:
    with torch.enable_grad():
        value = _value(layer, x, unit, output)
    found: list[torch.Tensor | None] = [None] * len(x)
    asked = [n for n, one in enumerate(x) if one.requires_grad]
    if value.requires_grad and asked:
        for n, slope in zip(
            asked, torch.autograd.grad(value, [x[n] for n in asked], allow_unused=True), strict=True
        ):
            found[n] = slope
    arrays = [
        np.zeros(one.shape[1:]) if slope is None else slope[0].double().cpu().numpy()
        for one, slope in zip(x, found, strict=True)
    ]
    return float(value.detach()), arrays


def _array(x: torch.Tensor) -> Values:
    return x.detach()[0].double().cpu().numpy()


def _along(x: Sequence[torch.Tensor], slopes: Sequence[Values], held: Sequence[int]) -> float:
    return float(sum((_array(x[n]) * slopes[n]).sum() for n in held))


def _weighted(
    x: Sequence[torch.Tensor], slopes: Sequence[Values], held: Sequence[int], offset: float
) -> Stage:
    parts = [_part(n, x[n], slopes[n]) for n in held]
    terms = [part for part in parts if part.x.size]
    total = float(sum(part.total for part in parts)) + offset
    cells = np.concatenate([part.x for part in terms] or [np.zeros(0)])
    weights = np.concatenate([np.asarray(part.weights) for part in terms] or [np.zeros(0)])
    python = product_sum(cells, weights)
    text = " + ".join(
        f"{short(w)} * {short(v)}" for v, w in list(zip(cells, weights, strict=True))[:6]
    )
    text += " + ..." * (len(cells) > 6)
    if offset:
        python, text = f"({python} + {offset!r})", f"{text} + {short(offset)}"
    title = f"weighted sum of {len(cells):,}"
    numbers = {"offset": offset} if offset else {}
    return Stage("sum", title, total, text or "0", python, numbers, tuple(parts))


def _part(number: int, x: torch.Tensor, slopes: Values) -> Part:
    """Return the cells of an input that have a slope, the strongest first where they are many."""
    values, places = _array(x), np.flatnonzero(slopes)
    cells, weights = values.flatten()[places], slopes.flatten()[places]
    products = cells * weights
    axes: Any = ()
    if len(places) == 1:
        axes = tuple((int(i),) for i in np.unravel_index(places[0], slopes.shape))
    name = f"input {number}, {len(places):,} of {values.size:,} values"
    total = float(products.sum())
    return Part(name, number if axes else EARLIER, axes, cells, total, weights, products)
