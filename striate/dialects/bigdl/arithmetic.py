"""Operators of variables: of nodes, which they make further nodes of, and of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

Act = Callable[..., Tensor]


class Arithmetic:
    """What has Analytics Zoo's operators; axis 0 is the batch."""

    def add(self, var: Any) -> Any:
        """Return the sum."""
        return _applied(torch.add, self, var)

    def sub(self, var: Any) -> Any:
        """Return the difference."""
        return _applied(torch.sub, self, var)

    __add__ = __radd__ = add
    __sub__ = sub

    def __rsub__(self, other: Any) -> Any:
        return _applied(torch.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return _applied(torch.mul, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return _applied(torch.div, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _applied(torch.div, other, self)

    def __neg__(self) -> Any:
        return _applied(torch.neg, self)

    def __abs__(self) -> Any:
        return _applied(torch.abs, self)

    def __pow__(self, power: float) -> Any:
        return _applied(lambda t: t.pow(power), self)

    def slice(self, dim: int, start_index: int, length: int) -> Any:
        """Return so many cells of an axis; a length of -1 is up to the last one."""

        def narrowed(t: Tensor) -> Tensor:
            count = t.shape[dim] - start_index + length + 1 if length < 0 else length
            return t.narrow(dim, start_index, count)

        return _applied(narrowed, self)

    def index_select(self, dim: int, index: int) -> Any:
        """Return one cell of an axis, which is gone."""
        return _applied(lambda t: t.select(dim, index), self)

    def squeeze(self, dim: int | None = None) -> Any:
        """Return it without an axis of 1 cell, or without all of them."""
        return _applied(lambda t: t.squeeze() if dim is None else t.squeeze(dim), self)


class Numbers(Arithmetic):
    """A tensor with the words of a variable: what a loss computes with."""

    def __init__(self, value: Tensor) -> None:
        self.tensor = value

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Its shape, None for the batch."""
        return (None, *self.tensor.shape[1:])

    get_output_shape = get_input_shape = lambda self: self.shape


def tensor(given: Any) -> Tensor:
    """Return numbers as a float32 tensor."""
    if isinstance(given, Numbers):
        return given.tensor
    if isinstance(given, Tensor):
        return given
    return torch.as_tensor(np.asarray(given), dtype=torch.float32)


def _applied(act: Act, *given: Any) -> Any:
    from .variables import applied  # nodes themselves are arithmetic

    return applied(act, *given)
