"""Layers of the core API that combine a table of values, take parts of it, or make one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ... import layers as native
from ...core.layer import Layer
from .containers import Values, sample_axis
from .core_functions import axis_of

Act = Callable[[Values], Any]

MERGES: dict[str, Callable[[], Layer]] = {
    "CAddTable": native.Add, "CSubTable": native.Subtract, "CMulTable": native.Multiply,
    "CMaxTable": native.Maximum, "CMinTable": native.Minimum, "CAveTable": native.Average,
    "CDivTable": lambda: native.Arithmetic("/"),
}  # fmt: skip


def _called(act: Callable[..., Any]) -> Act:
    return lambda x: native.Lambda(act)(*x)


def _merged(name: str) -> Callable[..., Act]:
    return lambda inplace=False: lambda x: MERGES[name]()(*x)


def _join(dimension: int, n_input_dims: int = 0) -> Act:
    """Join along a dimension; of samples, where they have as many as `n_input_dims`."""
    if n_input_dims <= 0:
        axis = sample_axis(dimension)
        return lambda x: native.Concatenate(axis)(*x)
    return lambda x: native.Concatenate(axis_of(dimension, n_input_dims, x[0].spec))(*x)


def _select(index: int) -> Act:
    return lambda x: (x[index - 1 if index > 0 else index],)


def _narrow(offset: int, length: int = 1) -> Act:
    return lambda x: x[offset - 1 : offset - 1 + length if length > 0 else len(x) + length + 1]


def _split(dimension: int, n_input_dims: int = -1) -> Act:
    def act(x: Values) -> Any:
        axis = axis_of(dimension, n_input_dims, x[0].spec)
        return native.Lambda(lambda t: tuple(t.unbind(axis)))(x[0])

    return act


def _pack(dimension: int) -> Act:
    return _called(lambda *x: torch.stack(x, sample_axis(dimension)))


def _product(trans_a: bool = False, trans_b: bool = False) -> Act:
    def product(a: Tensor, b: Tensor) -> Tensor:
        return (a.mT if trans_a else a) @ (b.mT if trans_b else b)

    return _called(product)


def _vector(trans: bool = False) -> Act:
    return _called(lambda m, v: ((m.mT if trans else m) @ v[..., None])[..., 0])


def _distance(norm: int = 2) -> Act:
    return _called(lambda a, b: torch.linalg.vector_norm(a - b, norm, -1))


def _cosine() -> Act:
    return _called(lambda a, b: functional.cosine_similarity(a, b, -1))


def _dot() -> Act:
    return _called(lambda a, b: (a * b).sum(-1))


def _halves(dimension: int) -> Act:
    axis = sample_axis(dimension)
    return lambda x: native.Lambda(lambda t: tuple(t.tensor_split(2, axis)))(x[0])


def _crossed(numTensor: int = 0, embeddingSize: int = 0) -> Act:  # noqa: N803
    """The dot product of each pair."""

    def crossed(*x: Tensor) -> Tensor:
        pairs = [(a * b).sum(-1) for at, a in enumerate(x) for b in x[at + 1 :]]
        return torch.stack(pairs, -1)

    return _called(crossed)


def _mixed(dim: int = 0) -> Act:
    """Weigh what experts say, in a table or along the axis 2, by the first value."""

    def mixed(gate: Tensor, *experts: Tensor) -> Tensor:
        several = torch.stack(experts, 1) if len(experts) > 1 else experts[0]
        return (several * gate.reshape(*gate.shape, *[1] * (several.dim() - 2))).sum(1)

    return _called(mixed)


def _spread(operation_layer: Any) -> Act:
    """Give a table to a layer, the smaller values repeated to the size of the largest."""

    def act(x: Values) -> Any:
        sizes = np.broadcast_shapes(*(one.spec.shape for one in x))  # type: ignore[arg-type]
        return operation_layer.connect(
            *(native.Lambda(lambda t: t.expand(-1, *sizes))(one) for one in x)
        )

    return act


def _sampled() -> Act:
    return _called(lambda mean, log: mean + torch.randn_like(mean) * (0.5 * log).exp())


TABLES: dict[str, Callable[..., Act]] = {
    **{name: _merged(name) for name in MERGES},
    "JoinTable": _join, "SelectTable": _select, "NarrowTable": _narrow,
    "FlattenTable": lambda: lambda x: x, "SplitTable": _split, "Pack": _pack, "MM": _product,
    "MV": _vector, "PairwiseDistance": _distance, "CosineDistance": _cosine,
    "GaussianSampler": _sampled, "DotProduct": _dot, "BifurcateSplitTable": _halves,
    "CrossProduct": _crossed, "MixtureTable": _mixed, "TableOperation": _spread,
}  # fmt: skip
