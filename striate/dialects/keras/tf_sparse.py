"""`tf.sparse`: tensors of which only some places are told, and what is computed of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..symbolic import kind, tensor
from .tf_texts import Text, Texts


class Sparse:
    """A tensor of zeros, and of `values` at `indices` (one row for each)."""

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.indices = tensor(indices).long()
        self.values: Any = values if isinstance(values, Texts) else tensor(values)
        self.dense_shape = tensor(dense_shape).long()
        self.indices = self.indices.reshape(-1, len(self.dense_shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""
        return tuple(self.dense_shape.tolist())

    get_shape = property(lambda self: lambda: self.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return "string" if isinstance(self.values, Texts) else self.values.dtype

    def to(self, dtype: Any) -> Sparse:
        """Return the same with values of another dtype, as `tf.cast` does."""
        return Sparse(self.indices, self.values.to(kind(dtype)), self.dense_shape)

    @staticmethod
    def stacked(items: Sequence[Sparse]) -> Sparse:
        """Return several with one axis, one below the other."""
        rows = [torch.cat([torch.full((len(one.indices), 1), row), one.indices], 1)
                for row, one in enumerate(items)]  # fmt: skip
        words = isinstance(items[0].values, Texts)
        values = (Texts(word for one in items for word in one.values) if words
                  else torch.cat([one.values for one in items]))  # fmt: skip
        sizes = torch.stack([one.dense_shape for one in items]).amax(0).tolist()
        return Sparse(torch.cat(rows), values, [len(items), *sizes])


def to_dense(sp_input: Any, default_value: Any = None, validate_indices: bool = True,
             name: Any = None) -> Any:  # fmt: skip
    """Return the whole tensor."""
    if isinstance(sp_input.values, Texts):
        return sp_input.values
    out = torch.full(sp_input.shape, default_value or 0, dtype=sp_input.values.dtype)
    out[tuple(sp_input.indices.T)] = sp_input.values
    return out


def from_dense(tensor_: Any, name: Any = None) -> Sparse:
    """Return the places that are not 0."""
    x = tensor(tensor_)
    places = x.nonzero()
    return Sparse(places, x[tuple(places.T)], x.shape)


def reorder(sp_input: Sparse, name: Any = None) -> Sparse:
    """Return the same with its places in order."""
    flat = torch.zeros(len(sp_input.indices), dtype=torch.long)
    for column, size in zip(sp_input.indices.T, sp_input.shape, strict=True):
        flat = flat * size + column
    order = flat.argsort()
    return Sparse(sp_input.indices[order], sp_input.values[order], sp_input.dense_shape)


def matmul(sp_a: Sparse, b: Any, adjoint_a: bool = False, adjoint_b: bool = False,
           name: Any = None) -> Tensor:  # fmt: skip
    """Return the product of a sparse matrix and a dense one."""
    a, other = to_dense(sp_a), tensor(b)
    found: Tensor = (a.mT if adjoint_a else a) @ (other.mT if adjoint_b else other)
    return found


def edit_distance(hypothesis: Sparse, truth: Sparse, normalize: bool = True,
                  name: Any = None) -> Tensor:  # fmt: skip
    """Return how many insertions, deletions and changes lead from each row to the true one."""
    rows = [(_row(hypothesis, at), _row(truth, at)) for at in range(hypothesis.shape[0])]
    steps = [_distance(*pair) / (len(pair[1]) if normalize else 1) for pair in rows]
    return torch.tensor(steps, dtype=torch.float32)


def _row(x: Sparse, at: int) -> list[Any]:
    chosen = x.indices[:, 0] == at
    values = x.values
    found = values[chosen.nonzero().flatten()] if isinstance(values, Texts) else values[chosen]
    return [str(one) if isinstance(one, Text) else float(one) for one in found]


def _distance(first: list[Any], second: list[Any]) -> int:
    """Return the Levenshtein distance."""
    line = list(range(len(second) + 1))
    for number, one in enumerate(first, 1):
        before, line[0] = line[0], number
        for at, other in enumerate(second, 1):
            least = min(line[at] + 1, line[at - 1] + 1, before + (one != other))
            before, line[at] = line[at], least
    return line[-1]


FUNCTIONS = {
    "SparseTensor": Sparse, "to_dense": to_dense, "from_dense": from_dense, "reorder": reorder,
    "sparse_dense_matmul": matmul, "eye": lambda rows, columns=None, **words: from_dense(
        torch.eye(rows, columns or rows)),
    "reduce_sum": lambda sp_input, axis=None, **words: to_dense(sp_input).sum() if axis is None
    else to_dense(sp_input).sum(axis),
    "concat": lambda axis, sp_inputs, **words: from_dense(
        torch.cat([to_dense(one) for one in sp_inputs], axis)),
}  # fmt: skip
