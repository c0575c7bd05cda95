"""The stages of an output that changes one value: scales, activations, normalisation, merges."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.operation import Affine, BatchNorm, LayerNorm, Lookup, Merge, Pointwise, Standardize
from .formulas import apply, formula, number_text
from .stage import EARLIER, Axes, Index, Part, Source, Stage, Values, Weight, listed, short


def affine(op: Affine, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Scale and shift."""
    before = x[0].at(at)
    channel = at[-1] if at else 0
    scale, offset = (n[channel] if len(n) > 1 else n[0] for n in (op.scale, op.offset))
    text = f"{short(before)} * {short(scale)} + {short(offset)}"
    python = f"({{}} * {scale!r} + {offset!r})"
    numbers = {"scale": scale, "offset": offset}
    return [Stage("scale", "scale and shift", before * scale + offset, text, python, numbers)]


def pointwise(op: Pointwise, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Apply a function, with its formula."""
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


def batch_norm(op: BatchNorm, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Normalise by the moving mean and variance."""
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


def layer_norm(op: LayerNorm, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Normalise along the last axis."""
    last = (len(at) - 1,)
    wide = Standardize("moments", last, last, op.gamma, op.beta, op.epsilon)
    return standardize(wide, x, at, weight)


def standardize(op: Standardize, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Divide by the spread along axes."""
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


def lookup(op: Lookup, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Take one value of the row that a number stands for."""
    table = weight(op.table)
    assert table is not None
    cell, column = np.array([x[0].at(at[:-1])]), at[-1]
    number = int(cell[0])
    row, value = table[number], float(table[number, column])
    parts = (
        x[0].part("the number", [(i,) for i in at[:-1]], cell, total=float(number)),
        Part(f"row {number} of {len(table):,}", EARLIER, (), row, value),
    )
    text, python = f"row {number}, place {column}", f"{listed(row)}[{column}]"
    numbers = {"row": float(number), "place": float(column)}
    return [Stage("row", "a row of the table", value, text, python, numbers, parts)]


def merge(op: Merge, x: Sequence[Source], at: Index, weight: Weight) -> list[Stage]:
    """Combine the inputs at one place."""
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


ACROSS: dict[str, Callable[[Source, Index], Stage]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "sparsemax": _sparsemax,
}
