"""Keras 2's layers on a GPU, CuDNNLSTM and CuDNNGRU: two biases; Keras 3 has no such classes."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from ...layers.cells import Cell, GRUCell, LSTMCell
from ...layers.recurrent import GRU, LSTM


class CuDNNLSTMCell(LSTMCell):
    """An LSTM with cuDNN's two biases in one weight."""

    def add_bias(self, wide: int) -> Tensor:
        """Create the biases of the inputs, then those of the states."""
        bias = Cell.add_bias(self, 2 * wide)
        if self.unit_forget_bias:
            bias.data[5 * self.units : 6 * self.units] = 1.0
        return bias

    def prepare(self, x: Tensor) -> Tensor:
        """Return x @ kernel and both biases."""
        both: Any = self.bias
        return functional.linear(x, self.kernel.mT, both.unflatten(0, (2, -1)).sum(0))

    def plain(self) -> bool:
        """Compute step by step."""
        return False


class CuDNNGRUCell(GRUCell):
    """A GRU with cuDNN's two biases in one row."""

    def add_bias(self, wide: int) -> Tensor:
        """Create the biases of the inputs, then those of the states."""
        return self.add_worded("bias", (2 * wide,))

    def biases(self) -> tuple[Any, Any]:
        """Return the bias of the input and that of the state."""
        both: Any = self.bias
        inputs, states = both.unflatten(0, (2, -1))
        return inputs, states


class CuDNNLSTM(LSTM):
    """Keras 2's LSTM on a GPU: two biases."""

    cell_class: ClassVar[type[Cell]] = CuDNNLSTMCell


class CuDNNGRU(GRU):
    """Keras 2's GRU on a GPU: two biases in one row."""

    cell_class: ClassVar[type[Cell]] = CuDNNGRUCell
