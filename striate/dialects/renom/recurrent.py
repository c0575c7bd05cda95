"""Layers of ReNom that carry a state from call to call: one call is one step."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import ShapeError, caller
from .initializers import GlorotNormal
from .model import Parametrized
from .node import Node, Variable, tensor_of


class Lstm(Parametrized):
    """One step of an LSTM: weights `w` (in, 4 out), `wr` (out, 4 out) and `b` (1, 4 out).

    The gates are in the order candidate, forget, input, output; forget begins with a bias of 1.
    `truncate()` forgets the state, which the next call else goes on from.
    """

    gates, around = 4, "wr"  # and the name of the weights of what comes around
    carries = True

    def __init__(self, output_size: int, input_size: Any = None, ignore_bias: bool = False,
                 initializer: Any = None, weight_decay: float = 0.0) -> None:  # fmt: skip
        self._output_size, self._ignore_bias = output_size, ignore_bias
        self._initializer, self._weight_decay = initializer or GlorotNormal(), weight_decay
        self._carried: tuple[Tensor, ...] = ()
        super().__init__(input_size)

    def drawn(self, *shape: int) -> Variable:
        """Return weights of this shape."""
        made: Variable = Variable(self._initializer(shape), weight_decay=self._weight_decay)
        return made

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights, then the bias."""
        size = self._output_size
        wide = self.gates * size
        weights = {"w": self.drawn(int(size_i[0]), wide), self.around: self.drawn(size, wide)}
        if not self._ignore_bias:
            bias = np.zeros((1, wide))
            bias[:, size : 2 * size] = 1 if self.gates == 4 else 0
            weights["b"] = Variable(bias)
        self.params = weights

    def __call__(self, x: Any, *args: Any, **words: Any) -> Any:
        """Make one step; make the weights in the first call."""
        shape = np.shape(x)
        if len(shape) != 2:
            raise ShapeError(
                f"rm.{type(self).__name__}",
                "takes one step of each sequence at a time",
                got=f"shape {shape}",
                need="(N, features)",
                fix="for t in range(x.shape[1]): z = model(x[:, t])",
                at=caller(),
            )
        return super().__call__(x, *args, **words)

    def forward(self, x: Any) -> Any:
        """Make one step from the state of the one before, or from zeros."""
        given = tensor_of(x)
        zeros = given.new_zeros(len(given), self._output_size)
        if not self._carried or len(self._carried[0]) != len(given):
            self._carried = (zeros, zeros)
        self._carried = self.step(given, *self._carried)
        return Node.of(self._carried[0])

    def mixed(self, x: Tensor, before: Tensor) -> Tensor:
        """Return what all gates see."""
        weights = self.params
        seen: Tensor = x @ weights.w.tensor + before @ weights.wr.tensor
        bias: Tensor | float = 0.0 if self._ignore_bias else weights.b.tensor
        return seen + bias

    def step(self, x: Tensor, before: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """Return the output and the memory."""
        candidate, forget, into, out = self.mixed(x, before).chunk(4, 1)
        state = into.sigmoid() * candidate.tanh() + forget.sigmoid() * state
        return state.tanh() * out.sigmoid(), state

    def truncate(self) -> None:
        """Forget the state."""
        self._carried = ()

    def carry_on(self) -> None:
        """Begin with the state, without its history."""
        self._carried = tuple(one.detach() for one in getattr(self, "_carried", ()))


class PeepholeLstm(Lstm):
    """An LSTM whose gates see the memory, through weights `wc` (1, 3 out)."""

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights of the memory too."""
        super().weight_initiallize(size_i)
        self.params = {**self.params, "wc": self.drawn(1, 3 * self._output_size)}

    def step(self, x: Tensor, before: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """Return the output and the memory."""
        candidate, forget, into, out = self.mixed(x, before).chunk(4, 1)
        f, i, o = self.params.wc.tensor.chunk(3, 1)
        new = (into + i * state).sigmoid() * candidate.tanh()
        new = new + (forget + f * state).sigmoid() * state
        return new.tanh() * (out + o * new).sigmoid(), new


class Gru(Lstm):
    """One step of a GRU: weights `w` (in, 3 out), `u` (out, 3 out) and `b` (1, 3 out).

    The gates are update, reset, candidate; h' = z h + (1 - z) tanh(w x + r (u h) + b).
    """

    gates, around = 3, "u"

    def step(self, x: Tensor, before: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """Return the output, twice."""
        weights = self.params
        given = x @ weights.w.tensor
        given = given if self._ignore_bias else given + weights.b.tensor
        inner = before @ weights.u.tensor
        (z, r, h), (z_inner, r_inner, h_inner) = given.chunk(3, 1), inner.chunk(3, 1)
        z, r = (z + z_inner).sigmoid(), (r + r_inner).sigmoid()
        out = z * before + (1 - z) * torch.tanh(h + r * h_inner)
        return out, out
