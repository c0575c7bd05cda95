"""Cells: what a recurrent layer does at one step, with its weights in Keras's order."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from ..core.spec import Spec, checked_count
from ..errors import ShapeError
from . import activation as activations
from .kernel import Activation
from .words import Initial, Limit, Penalty, Worded

States = Sequence[Tensor]


class RecurrentWords(Worded):
    """The fields of everything that carries a state from step to step."""

    kernel_initializer: Initial = dataclasses.field(default="glorot_uniform", kw_only=True)
    recurrent_initializer: Initial = dataclasses.field(default="orthogonal", kw_only=True)
    bias_initializer: Initial = dataclasses.field(default="zeros", kw_only=True)
    kernel_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    recurrent_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    bias_regularizer: Penalty = dataclasses.field(default=None, kw_only=True)
    kernel_constraint: Limit = dataclasses.field(default=None, kw_only=True)
    recurrent_constraint: Limit = dataclasses.field(default=None, kw_only=True)
    bias_constraint: Limit = dataclasses.field(default=None, kw_only=True)
    dropout: float = dataclasses.field(default=0.0, kw_only=True)
    recurrent_dropout: float = dataclasses.field(default=0.0, kw_only=True)

    def ended(self, x: Tensor, words: str = "activation") -> Tensor:
        """Apply an activation."""
        return activations.apply(self.where, self.config()[words], x)


class CellWords(RecurrentWords):
    """The fields that all cells have, and the layers that are made of them."""

    units: int
    activation: Activation = "tanh"
    use_bias: bool = dataclasses.field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        """Check the number of units, and look every word up."""
        checked_count(self.where, "units", self.units)
        activations.get(self.where, self.config()["activation"])
        super().__post_init__()


class GatedWords(CellWords):
    """The fields of cells with gates."""

    recurrent_activation: Activation = "sigmoid"


class LSTMWords(GatedWords):
    """The fields of an LSTM."""

    unit_forget_bias: bool = dataclasses.field(default=True, kw_only=True)


class GRUWords(GatedWords):
    """The fields of a GRU; `reset_after`, whether the reset is behind the product, as in cuDNN."""

    reset_after: bool = dataclasses.field(default=True, kw_only=True)


class Cell(CellWords, ABC):
    """One step. `prepare` is what can be done for all steps at once, `step` the rest.

    Shape: (features,) and the states -> (units,) and the new states.
    """

    gates: ClassVar[int] = 1
    count: ClassVar[int] = 1  # of states

    def build(self, *x: Spec) -> None:
        """Create the kernels (inputs, gates * units), (units, gates * units) and the bias."""
        width = x[0].shape[-1]
        if width is None:
            raise ShapeError(
                self.where,
                "the number of features of a step must be known",
                got=f"input {x[0]}",
                need="a number on the last axis",
                fix="Input((steps, features)), or input_shape=(steps, features)",
            )
        wide = self.gates * self.units
        self.kernel = self.add_worded("kernel", (width, wide))
        self.recurrent_kernel = self.add_worded("recurrent_kernel", (self.units, wide), "recurrent")
        self.bias = self.add_bias(wide) if self.use_bias else None

    def add_bias(self, wide: int) -> Tensor:
        """Create the bias."""
        return self.add_worded("bias", (wide,))

    def infer(self, *x: Spec) -> Any:
        """Return the specs of the output and of the new states."""
        out = Spec((self.units,))
        return (out,) * (1 + self.count)

    def macs(self, *specs: Spec) -> int:
        """Return the products of one step."""
        return self.gates * self.units * ((specs[0].shape[-1] or 0) + self.units)

    @property
    def state_size(self) -> Any:
        """Number of values of the state, or of each."""
        return self.units if self.count == 1 else [self.units] * self.count

    output_size = property(lambda self: self.units)

    def begin(self, x: Tensor) -> list[Tensor]:
        """Return the states before the first step of a batch."""
        return [x.new_zeros(len(x), self.units) for _ in range(self.count)]

    def kept(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the input (N, steps, features) and a factor for the state, by dropout.

        What is dropped is the same at all steps of a sample.
        """
        if self.training and self.dropout:
            x = x * functional.dropout(torch.ones_like(x[:, :1]), self.dropout)
        if not (self.training and self.recurrent_dropout):
            return x, None
        return x, functional.dropout(x.new_ones(len(x), self.units), self.recurrent_dropout)

    def prepare(self, x: Tensor) -> Tensor:
        """Return x @ kernel + bias for all steps."""
        return functional.linear(x, self.kernel.mT, self.bias)

    @abstractmethod
    def step(self, given: Tensor, states: States, kept: Tensor | None) -> list[Tensor]:
        """Return the new states, the first of which is the output."""

    def forward(self, *x: Any) -> Any:
        """Make one step: of x (N, features) and the states."""
        inputs, *rest = x
        states = rest[0] if rest and isinstance(rest[0], (list, tuple)) else rest
        one, kept = self.kept(inputs.unsqueeze(1))
        new = self.step(self.prepare(one)[:, 0], states or self.begin(inputs), kept)
        return new[0], new


class SimpleRNNCell(Cell):
    """h' = activation(x @ kernel + h @ recurrent_kernel + bias)."""

    def step(self, given: Tensor, states: States, kept: Tensor | None) -> list[Tensor]:
        """Return the new state."""
        before = states[0] if kept is None else states[0] * kept
        return [self.ended(given + before @ self.recurrent_kernel)]


class LSTMCell(Cell, LSTMWords):
    """Gates in the order of Keras: input, forget, candidate, output.

    Source: Hochreiter and Schmidhuber, Long Short-Term Memory, 1997.
    """

    gates: ClassVar[int] = 4
    count: ClassVar[int] = 2

    def add_bias(self, wide: int) -> Tensor:
        """Create the bias, 1 for the forget gates where the field says so."""
        bias = super().add_bias(wide)
        if self.unit_forget_bias:
            bias.data[self.units : 2 * self.units] = 1.0
        return bias

    def step(self, given: Tensor, states: States, kept: Tensor | None) -> list[Tensor]:
        """Return the new output and the new memory."""
        before = states[0] if kept is None else states[0] * kept
        into, forget, candidate, out = (given + before @ self.recurrent_kernel).chunk(4, -1)
        memory = self.ended(forget, "recurrent_activation") * states[1]
        memory = memory + self.ended(into, "recurrent_activation") * self.ended(candidate)
        return [self.ended(out, "recurrent_activation") * self.ended(memory), memory]

    def plain(self) -> bool:
        """Whether torch's own LSTM computes the same."""
        words = self.config()
        return (words["activation"], words["recurrent_activation"]) == ("tanh", "sigmoid")

    def fused(self, x: Tensor, states: States) -> tuple[Tensor, list[Tensor]]:
        """Return all outputs and the last states, by torch's own LSTM."""
        bias = x.new_zeros(4 * self.units) if self.bias is None else self.bias
        weights = [self.kernel.mT, self.recurrent_kernel.mT, bias, torch.zeros_like(bias)]
        first = [state.unsqueeze(0) for state in states]
        out, h, c = torch.lstm(
            x, first, weights, True, 1, 0.0, self.training, False, batch_first=True
        )
        return out, [h[0], c[0]]


class GRUCell(Cell, GRUWords):
    """Gates in the order of Keras: update, reset, candidate; h' = z h + (1 - z) candidate.

    Source: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.
    """

    gates: ClassVar[int] = 3

    def add_bias(self, wide: int) -> Tensor:
        """Create the bias; with the reset behind the product, one of the state too."""
        return self.add_worded("bias", (2, wide) if self.reset_after else (wide,))

    def prepare(self, x: Tensor) -> Tensor:
        """Return x @ kernel and the bias of the input, for all steps."""
        return functional.linear(x, self.kernel.mT, self.biases()[0])

    def biases(self) -> tuple[Any, Any]:
        """Return the bias of the input and that of the state."""
        if self.bias is None:
            return None, None
        return (self.bias[0], self.bias[1]) if self.reset_after else (self.bias, None)

    def step(self, given: Tensor, states: States, kept: Tensor | None) -> list[Tensor]:
        """Return the new state."""
        before = states[0] if kept is None else states[0] * kept
        units = self.units
        if self.reset_after:
            inner = functional.linear(before, self.recurrent_kernel.mT, self.biases()[1])
            gates = given[:, : 2 * units] + inner[:, : 2 * units]
        else:
            gates = given[:, : 2 * units] + before @ self.recurrent_kernel[:, : 2 * units]
        update, reset = self.ended(gates, "recurrent_activation").chunk(2, -1)
        if self.reset_after:
            mixed = reset * inner[:, 2 * units :]
        else:
            mixed = (reset * before) @ self.recurrent_kernel[:, 2 * units :]
        candidate = self.ended(given[:, 2 * units :] + mixed)
        return [update * states[0] + (1 - update) * candidate]
