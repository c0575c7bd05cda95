"""What each operation does for one output: the stages of its arithmetic, in double precision.

One function for each word of `core/operation.py`. Each is given the operation, what it reads (a
`Source` for each input), the index of the output in channels-last order, and the weights by name;
it gives its stages in order. The next operation reads the value of the last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.operation import (
    Affine,
    BatchNorm,
    Concatenate,
    Correlate,
    Crop,
    GlobalPool,
    LayerNorm,
    Linear,
    Merge,
    Pad,
    Permute,
    Pointwise,
    Pool,
    PowerPool,
    Repeat,
    Reshape,
    Standardize,
)  # fmt: skip
from ..core.window import Window
from .formulas import apply, formula, number_text
from .stage import Axes, Source, Stage, Values, listed, product_sum, ranked, short

Index = tuple[int, ...]
Weight = Callable[[str], Values | None]


def _affine(op: Affine, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    before = x[0].at(at)
    channel = at[-1] if at else 0
    scale, offset = (n[channel] if len(n) > 1 else n[0] for n in (op.scale, op.offset))
    text = f"{short(before)} * {short(scale)} + {short(offset)}"
    python = f"({{}} * {scale!r} + {offset!r})"
    numbers = {"scale": scale, "offset": offset}
    return [Stage("scale", "scale and shift", before * scale + offset, text, python, numbers)]


def _correlate(op: Correlate, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
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


def _linear(op: Linear, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
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


def _pool(op: Pool, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    rows = [_taps(w, o, n) for w, o, n in zip(op.windows, at, x[0].shape, strict=False)]
    return [_reduced(op.kind, rows, at[-1], x[0], op.counts_padding)]


def _global_pool(op: GlobalPool, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
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


def _power_pool(op: PowerPool, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
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


def _pointwise(op: Pointwise, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    if op.function in ACROSS:
        return [ACROSS[op.function](x[0], at)]
    before = x[0].at(at)
    text = formula(op.function, op.parameters)
    name = op.function.replace("_", " ")
    shown = text.replace("{0}", short(before))
    python = text.replace("{0}", "v") if text.count("{0}") > 1 else text.replace("{0}", "{}")
    python = f"(lambda v: {python})({{}})" if text.count("{0}") > 1 else python
    numbers = {f"parameter {n}": value for n, value in enumerate(op.parameters)}
    return [Stage("function", name, apply(text, before), shown, python, numbers)]


def _softmax(x: Source, at: Index) -> Stage:
    axes = (*((place,) for place in at[:-1]), tuple(range(x.shape[-1])))
    values = x.block(axes).flatten()
    raised = np.exp(values - values.max())
    own, total = float(raised[at[-1]]), float(raised.sum())
    parts = (x.part("exponents", axes, values, total=total, products=raised),)
    text = f"exp({short(values[at[-1]])} - {short(values.max())}) / {short(total)}"
    numbers = {"largest": float(values.max()), "exponential": own, "sum": total}
    python = _over_all(values, at[-1], "exp(v[{i}] - max(v)) / sum(exp(a - max(v)) for a in v)")
    return Stage("softmax", "softmax", own / total, text, python, numbers, parts)


def _log_softmax(x: Source, at: Index) -> Stage:
    found = _softmax(x, at)
    n, values = found.numbers, found.parts[0].x
    text = f"{short(x.at(at))} - {short(n['largest'])} - log({short(n['sum'])})"
    own = float(values[at[-1]] - values.max())
    python = _over_all(values, at[-1], "v[{i}] - max(v) - log(sum(exp(a - max(v)) for a in v))")
    value = own - math.log(found.numbers["sum"])
    return Stage("softmax", "log softmax", value, text, python, found.numbers, found.parts)


def _sparsemax(x: Source, at: Index) -> Stage:
    axes = (*((place,) for place in at[:-1]), tuple(range(x.shape[-1])))
    values = x.block(axes).flatten()
    falling = np.sort(values)[::-1]
    sums = np.cumsum(falling) - 1
    kept = int((np.arange(1, len(values) + 1) * falling > sums).sum())
    threshold = float(sums[kept - 1] / kept)
    value = max(float(values[at[-1]]) - threshold, 0.0)
    part = x.part("all values", axes, values, total=float(values.sum()))
    text = f"max({short(values[at[-1]])} - {short(threshold)}, 0)"
    python = f"max({{}} - {threshold!r}, 0)"
    numbers = {"threshold": threshold, "kept": float(kept)}
    return Stage("softmax", "sparsemax", value, text, python, numbers, (part,))


def _over_all(values: Values, own: int, expression: str) -> str:
    """Return an expression of all values `v`, the one at `own` being that of the stage before."""
    texts = [number_text(float(value)) for value in values]
    texts[own] = "{}"
    return f"(lambda v: {expression.replace('{i}', str(own))})([{', '.join(texts)}])"


def _batch_norm(op: BatchNorm, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    before, channel = x[0].at(at), at[-1]
    found = {name: weight(getattr(op, name)) for name in ("mean", "variance", "gamma", "beta")}
    n = {name: float(one[channel]) for name, one in found.items() if one is not None}
    value, text, python = _standard(before, n, op.epsilon)
    return [Stage("batch_norm", "batch normalisation", value, text, python, n)]


def _standard(before: float, n: dict[str, float], epsilon: float) -> tuple[float, str, str]:
    """Return (x - mean) / sqrt(variance + epsilon) * gamma + beta, as value, text and Python."""
    gamma, beta = n.get("gamma", 1.0), n.get("beta", 0.0)
    n["epsilon"] = epsilon
    value = (before - n["mean"]) / math.sqrt(n["variance"] + epsilon) * gamma + beta
    text = f"({short(before)} - {short(n['mean'])}) / sqrt({short(n['variance'])} + {epsilon:g})"
    text += f" * {short(gamma)}" * ("gamma" in n) + f" + {short(beta)}" * ("beta" in n)
    python = (
        f"(({{}} - {n['mean']!r}) / sqrt({n['variance']!r} + {epsilon!r}) * {gamma!r} + {beta!r})"
    )
    return value, text, python


def _layer_norm(op: LayerNorm, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    last = (len(at) - 1,)
    wide = Standardize("moments", last, last, op.gamma, op.beta, op.epsilon)
    return _standardize(wide, x, at, weight)


def _standardize(op: Standardize, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    axes: Axes = tuple(
        tuple(range(length)) if n in op.axes else (place,)
        for n, (place, length) in enumerate(zip(at, x[0].shape, strict=True))
    )
    if op.groups > 1:
        (grouped,) = op.weighted
        size = x[0].shape[grouped] // op.groups
        group = range(at[grouped] // size * size, (at[grouped] // size + 1) * size)
        axes = (*axes[:grouped], tuple(group), *axes[grouped + 1 :])
    values, before = x[0].block(axes), x[0].at(at)
    own = tuple(at[axis] for axis in op.weighted)
    found = {name: weight(getattr(op, name)) for name in ("gamma", "beta")}
    n = {name: float(one[own]) for name, one in found.items() if one is not None}
    part = x[0].part(f"{values.size:,} values", axes, values, total=float(values.sum()))
    if op.kind == "moments":
        n |= {"mean": float(values.mean()), "variance": float(values.var())}
        value, text, python = _standard(before, n, op.epsilon)
        title = f"normalise by the mean and variance of {values.size:,}"
    elif op.kind == "square":
        n["mean square"] = float(np.square(values).mean())
        root, gamma = math.sqrt(n["mean square"] + op.epsilon), n.get("gamma", 1.0)
        value, title = before / root * gamma, f"divide by the root mean square of {values.size:,}"
        text = (
            f"{short(before)} / sqrt({short(n['mean square'])} + {op.epsilon:g}) * {short(gamma)}"
        )
        python = f"({{}} / {root!r} * {gamma!r})"
    else:
        n["length"] = max(float(np.sqrt(np.square(values).sum())), op.epsilon)
        value, title = before / n["length"], f"divide by the length of {values.size:,}"
        text, python = f"{short(before)} / {short(n['length'])}", f"({{}} / {n['length']!r})"
    return [Stage("standardize", title, value, text, python, n, (part,))]


def _merge(op: Merge, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    parts, values = [], []
    for number, one in enumerate(x):
        own = at[len(at) - len(one.shape) :]
        index = tuple(0 if n == 1 else i for i, n in zip(own, one.shape, strict=True))
        values.append(one.at(index))
        cell, axes = np.array(values[-1:]), tuple((i,) for i in index)
        parts.append(one.part(f"input {number}", axes, cell, total=values[-1]))
    sign, reduce, wrapped = MERGES[op.kind]
    value = float(reduce(values))
    texts, words = [short(v) for v in values], [number_text(v) for v in values]
    text, python = (
        f"{wrapped[0]}{sign.join(each)}{wrapped[1].format(len(x))}" for each in (texts, words)
    )
    return [Stage("merge", MERGE_TITLES[op.kind], value, text, f"({python})", {}, tuple(parts))]


MERGES: dict[str, tuple[str, Callable[[list[float]], Any], tuple[str, str]]] = {
    "add": (" + ", sum, ("", "")),
    "subtract": (" - ", lambda v: v[0] - v[1], ("", "")),
    "multiply": (" * ", math.prod, ("", "")),
    "average": (" + ", lambda v: sum(v) / len(v), ("(", ") / {}")),
    "maximum": (", ", max, ("max(", ")")),
    "minimum": (", ", min, ("min(", ")")),
}
MERGE_TITLES = {
    "add": "sum of the inputs", "subtract": "first input less the second",
    "multiply": "product of the inputs", "average": "mean of the inputs",
    "maximum": "largest of the inputs", "minimum": "smallest of the inputs",
}  # fmt: skip


# ---- what only moves values: where an output is in the input, None where it is padding -----------


def _concatenate(op: Concatenate, at: Index, shapes: Sequence[Index]) -> tuple[int, Index]:
    place, number = at[op.axis], 0
    while place >= shapes[number][op.axis]:
        place -= shapes[number][op.axis]
        number += 1
    return number, (*at[: op.axis], place, *at[op.axis + 1 :])


def _permute(op: Permute, at: Index, shapes: Sequence[Index]) -> tuple[int, Index]:
    return 0, tuple(at[op.axes.index(axis)] for axis in range(len(at)))


def _frame(op: Pad | Crop, at: Index, shapes: Sequence[Index]) -> tuple[int, Index] | None:
    sign = 1 if isinstance(op, Pad) else -1
    index = (*(i - sign * low for i, (low, _) in zip(at, op.amounts, strict=False)), at[-1])
    inside = all(0 <= i < n for i, n in zip(index, shapes[0], strict=True))
    return (0, index) if inside else None


def _repeat(op: Repeat, at: Index, shapes: Sequence[Index]) -> tuple[int, Index]:
    return 0, (*(i // n for i, n in zip(at, op.factors, strict=False)), at[-1])


STAGES: dict[type, Callable[..., list[Stage]]] = {
    Affine: _affine,
    BatchNorm: _batch_norm,
    Correlate: _correlate,
    GlobalPool: _global_pool,
    LayerNorm: _layer_norm,
    Linear: _linear,
    Merge: _merge,
    Pointwise: _pointwise,
    Pool: _pool,
    PowerPool: _power_pool,
    Standardize: _standardize,
}
KEEPS_PLACE = (Affine, BatchNorm, LayerNorm, Pointwise, Standardize)
MOVED: dict[type, Callable[..., tuple[int, Index] | None]] = {
    Concatenate: _concatenate,
    Crop: _frame,
    Pad: _frame,
    Permute: _permute,
    Repeat: _repeat,
}
ACROSS: dict[str, Callable[[Source, Index], Stage]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "sparsemax": _sparsemax,
}


def moved(op: Any, at: Index, shapes: Sequence[Index], after: Index) -> tuple[int, Index] | None:
    """Return the input and the place there that an output is, or None for padding."""
    if isinstance(op, Reshape):
        flat = int(np.ravel_multi_index(at, after)) if at else 0
        return 0, tuple(int(i) for i in np.unravel_index(flat, shapes[0]))
    return MOVED[type(op)](op, at, shapes)


def after(op: Any, shapes: Sequence[Index], weight: Weight) -> Index:
    """Return the shape that an operation gives from inputs of these shapes."""
    x = shapes[0]
    if isinstance(op, (Correlate, Pool, PowerPool)):
        sizes = [w.size(n) or 1 for w, n in zip(op.windows, x, strict=False)]
        return (*sizes, _filters(op, x[-1], weight) if isinstance(op, Correlate) else x[-1])
    if isinstance(op, Linear):
        kernel = weight(op.kernel)
        assert kernel is not None
        return (*x[:-1], kernel.shape[0 if op.layout == "torch" else 1])
    if isinstance(op, GlobalPool):
        return (*(1,) * ((len(x) - 1) * op.keepdims), x[-1])
    if isinstance(op, Permute):
        return tuple(x[axis] for axis in op.axes)
    if isinstance(op, Reshape):
        left = math.prod(x) // max(math.prod(n for n in op.shape if n != -1), 1)
        return tuple(left if n == -1 else n for n in op.shape)
    if isinstance(op, Repeat):
        return (*(n * times for n, times in zip(x, op.factors, strict=False)), x[-1])
    if isinstance(op, (Pad, Crop)):
        sign = 1 if isinstance(op, Pad) else -1
        sides = zip(x, op.amounts, strict=False)
        return (*(n + sign * (low + high) for n, (low, high) in sides), x[-1])
    if isinstance(op, Concatenate):
        total = sum(shape[op.axis] for shape in shapes)
        return (*x[: op.axis], total, *x[op.axis + 1 :])
    if isinstance(op, Merge):
        rank = max(map(len, shapes))
        padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
        return tuple(max(sizes) for sizes in zip(*padded, strict=True))
    return x


def _filters(op: Correlate, inputs: int, weight: Weight) -> int:
    kernel = weight(op.kernel)
    assert kernel is not None
    if op.layout == "torch":
        return int(kernel.shape[1] * op.groups if op.transposed else kernel.shape[0])
    if op.transposed:
        return int(kernel.shape[-2])
    return int(kernel[(0,) * len(op.windows)].size * op.groups // inputs)
