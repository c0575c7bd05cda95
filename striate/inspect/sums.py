"""The stages of an output that reads many cells: sums of products, the bias, pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.operation import Correlate, GlobalPool, Linear, Pool, PowerPool
from ..core.window import Window
from .formulas import number_text
from .stage import Index, Source, Stage, Values, Weight, listed, product_sum, ranked, short


def correlate(op: Correlate, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Slide kernels: one part for each channel; the bias."""
    channels, kernel = _kernel_of(op, x[0].shape[-1], at[-1], weight)
    rows = [_taps(w, o, n) for w, o, n in zip(op.windows, at, x[0].shape, strict=False)]
    if all(len(row) == 1 and row[0] >= 0 for row in rows):
        axes = (*map(tuple, rows), tuple(channels))
        values = x[0].block(axes).flatten()
        weights = kernel.reshape(len(channels), -1)[:, 0]
        terms = ranked(x[0], axes, len(axes) - 1, values, weights, "channels")
        return _summed(terms, product_sum(values, weights), len(values), op.bias, at[-1], weight)
    parts, patches = [], []
    for channel, taps in zip(channels, kernel, strict=True):
        axes = (*map(tuple, rows), (channel,))
        padding = np.array([min(i) < 0 for i in _places(rows)]).reshape(taps.shape)
        patch = x[0].block(axes)[..., 0]
        products = patch * taps
        cells = {"weights": taps, "products": products, "padding": padding}
        total = float(products.sum())
        parts.append(x[0].part(f"channel {channel}", axes, patch, total=total, **cells))
        patches.append(patch)
    python = product_sum(np.stack(patches), kernel)
    return _summed(tuple(parts), python, kernel.size, op.bias, at[-1], weight)


def _kernel_of(op: Correlate, inputs: int, output: int, weight: Weight) -> tuple[list[int], Values]:
    """Return the channels that an output reads, and their taps: (channels, *kernel)."""
    kernel = weight(op.kernel)
    assert kernel is not None
    rank, size = len(op.windows), inputs // op.groups
    if op.layout == "torch":
        filters = kernel.shape[1] * op.groups if op.transposed else kernel.shape[0]
        group = output * op.groups // filters
        channels = list(range(group * size, (group + 1) * size))
        if op.transposed:
            taps = kernel[channels, output - group * kernel.shape[1]]
        else:
            taps = kernel[output]
    elif op.transposed:
        channels = list(range(inputs))
        taps = np.moveaxis(kernel[..., output, :], -1, 0)
    else:
        taps = kernel.reshape(*kernel.shape[:rank], size, -1)
        group = output * op.groups // taps.shape[-1]
        channels = list(range(group * size, (group + 1) * size))
        taps = np.moveaxis(taps[..., output], -1, 0)
    return channels, np.flip(taps, tuple(range(1, rank + 1))) if op.transposed else taps


def _taps(window: Window, output: int, inputs: int) -> list[int]:
    """Return the input at each tap of a window, -1 where there is none."""
    out = []
    for tap in range(window.kernel):
        place, rest = divmod(output * window.stride - window.low + tap * window.dilation, window.up)
        out.append(place if not rest and 0 <= place < inputs else -1)
    return out


def _places(rows: Sequence[Sequence[int]]) -> list[Index]:
    return [tuple(rows[n][i] for n, i in enumerate(at)) for at in np.ndindex(*map(len, rows))]


def linear(op: Linear, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Weigh all values of the last axis: the largest terms, and the rest; the bias."""
    kernel = weight(op.kernel)
    assert kernel is not None
    weights = kernel[at[-1]] if op.layout == "torch" else kernel[:, at[-1]]
    axes = (*((place,) for place in at[:-1]), tuple(range(len(weights))))
    values = x[0].block(axes).flatten()
    parts = ranked(x[0], axes, len(axes) - 1, values, weights, "terms")
    return _summed(parts, product_sum(values, weights), len(values), op.bias, at[-1], weight)


def _summed(
    parts: Any, python: str, count: int, bias: str, output: int, weight: Weight
) -> list[Stage]:
    """Return the stages of a sum of products, and of the bias where there is one."""
    total = float(sum(part.total for part in parts))
    text = " + ".join(short(part.total) for part in parts[:6]).replace("+ -", "- ")
    text += f" + ... ({len(parts)} sums)" if len(parts) > 6 else ""
    title = f"sum of {count:,} products"
    stages = [Stage("sum", title, total, text, python, parts=tuple(parts))]
    offsets = weight(bias)
    if offsets is not None:
        added = float(offsets[output])
        text = f"{short(total)} + {short(added)}"
        python = f"({{}} + {number_text(added)})"
        stages.append(Stage("bias", "plus the bias", total + added, text, python, {"bias": added}))
    return stages


def pool(op: Pool, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Reduce a window of one channel."""
    rows = [_taps(w, o, n) for w, o, n in zip(op.windows, at, x[0].shape, strict=False)]
    return [_reduced(op.kind, rows, at[-1], x[0], op.counts_padding)]


def global_pool(op: GlobalPool, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Reduce all places of one channel."""
    rows = [list(range(size)) for size in x[0].shape[:-1]]
    return [_reduced(op.kind, rows, at[-1], x[0], counts_padding=False)]


def _reduced(
    kind: str, rows: Sequence[list[int]], channel: int, x: Source, counts_padding: bool
) -> Stage:
    """Return the maximum or the mean of the cells of a window on one channel."""
    axes = (*map(tuple, rows), (channel,))
    padding = np.array([min(i) < 0 for i in _places(rows)]).reshape([len(row) for row in rows])
    values = x.block(axes)[..., 0]
    real = values[~padding]
    if kind == "max":
        best = int(np.where(padding, -np.inf, values).argmax())
        value = float(values.flatten()[best])
        numbers = {"winner": float(best)}
        where = ", ".join(str(n) for n in _places(rows)[best])
        words = ("maximum", f"the largest of {real.size:,}", f"cell ({where}) wins", "max")
    else:
        count = values.size if counts_padding else real.size
        value, numbers = float(real.sum() / count), {"cells": float(count)}
        words = ("mean", f"mean of {count:,}", f"{short(real.sum())} / {count}", "sum")
    part = x.part(f"channel {channel}", axes, values, total=value, padding=padding)
    python = f"{words[3]}({listed(real)})" + (f" / {count}" if kind != "max" else "")
    return Stage(words[0], words[1], value, words[2], f"({python})", numbers, (part,))


def power_pool(op: PowerPool, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Take the norm of a window of one channel."""
    rows = [_taps(w, o, n) for w, o, n in zip(op.windows, at, x[0].shape, strict=False)]
    axes, p = (*map(tuple, rows), (at[-1],)), op.power
    values = x[0].block(axes)[..., 0]
    padding = np.array([min(i) < 0 for i in _places(rows)]).reshape(values.shape)
    powers = np.abs(values) ** p
    total = float(powers.sum())
    cells = {"products": powers, "padding": padding}
    part = x[0].part(f"channel {at[-1]}", axes, values, total=total, **cells)
    text = f"({' + '.join(map(short, powers.flatten()[:6]))}{' + ...' * (powers.size > 6)})"
    python = f"(sum(abs(v) ** {p!r} for v in {listed(values)}) ** (1 / {p!r}))"
    title = f"root of the sum of powers, p = {p:g}"
    formula_ = f"{text} ^ (1 / {p:g})"
    return [Stage("norm", title, total ** (1 / p), formula_, python, {"p": p}, (part,))]
