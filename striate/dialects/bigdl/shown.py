"""Weights as BigDL shows them: a native one each, or the gates of several in its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ...core.layer import Layer
from .layouts import Array, inside, outside

if TYPE_CHECKING:
    from .kind import Words


@dataclass(frozen=True)
class Piece:
    """Gates of a native weight, in the order in which BigDL has them behind one another.

    Fields: `weight`, the number of the native one; `gates`, their numbers; `count`, how many it
    has, along the first axis if `first` (as torch has them), else the last; `lead`, whether BigDL
    has a group of 1 in front, as in convolutions.
    """

    weight: int
    gates: tuple[int, ...]
    count: int
    first: bool = False
    lead: bool = False

    @property
    def axis(self) -> int:
        """The axis of the gates."""
        return 0 if self.first else -1

    def outside(self, array: Array) -> Array:
        """Return BigDL's: outputs and inputs come first."""
        parts = np.split(array, self.count, self.axis)
        chosen = np.concatenate([parts[gate] for gate in self.gates], self.axis)
        if self.first:
            return chosen[None] if self.lead else chosen.reshape(-1) if chosen.ndim < 3 else chosen
        turned = np.ascontiguousarray(chosen.transpose(_turn(chosen.ndim)))
        return turned[None] if self.lead else turned

    def inside(self, array: Array, given: Array) -> Array:
        """Return the native weight, of which these gates have the given values."""
        parts = np.split(array, self.count, self.axis)
        shape = list(parts[0].shape)
        shape[self.axis] *= len(self.gates)
        if self.first:
            turned = given.reshape(shape)
        else:
            turn = _turn(len(shape))
            turned = given.reshape([shape[axis] for axis in turn]).transpose(np.argsort(turn))
        chosen = np.split(turned, len(self.gates), self.axis)
        for gate, part in zip(self.gates, chosen, strict=True):
            parts[gate] = part
        return np.concatenate(parts, self.axis)


def _turn(dims: int) -> tuple[int, ...]:
    """Return the axes of a native weight as BigDL has them: outputs, inputs, and the sides."""
    return (dims - 1, *([dims - 2] if dims > 1 else []), *range(dims - 2))


@dataclass(frozen=True)
class Shown:
    """One weight of a leaf, as BigDL shows it; `part` tells those of one inner layer apart."""

    layer: Layer
    value: Tensor
    kind: str
    piece: Piece | None = None
    part: int = 0

    def read(self, value: Tensor | None = None) -> Array:
        """Return it, or another tensor of its form such as its gradient."""
        value = self.value if value is None else value
        if self.piece is None:
            return outside(self.layer, value, self.kind)
        return self.piece.outside(value.detach().cpu().numpy().copy())

    def grad(self) -> Array:
        """Return its gradient, zeros if there is none."""
        grad = self.value.grad
        return self.read(torch.zeros_like(self.value) if grad is None else grad)

    def write(self, given: Array) -> None:
        """Give it values."""
        if self.piece is None:
            inside(self.layer, self.value, given, self.kind)
            return
        made = self.piece.inside(self.value.detach().cpu().numpy(), np.asarray(given, "float32"))
        with torch.no_grad():
            self.value.copy_(torch.from_numpy(np.ascontiguousarray(made)))


SEES = {0: 0, 1: 1, 3: 2}  # gates that see the memory, and the rows of their weights for it
FORGET_FIRST = (1, 0, 2, 3)
Parts = Sequence[Sequence[Piece]]  # of each inner layer its weight, and its bias if there is one


def _simple(words: Words) -> Parts:
    inputs, hidden = [Piece(0, (0,), 1)], [Piece(1, (0,), 1)]
    at = 2
    for has, part in ((words["isInputWithBias"], inputs), (words["isHiddenWithBias"], hidden)):
        if has:
            part.append(Piece(at, (0,), 1))
            at += 1
    return [inputs, hidden]


def _gated(words: Words) -> Parts:
    order = (0, 2, 1, 3)  # Keras has the candidate behind the forget gate
    return [[Piece(0, order, 4), Piece(2, order, 4)], [Piece(1, order, 4)]]


def _reset_and_update(words: Words) -> Parts:
    order = (1, 0, 2)  # Keras has the update first
    return [[Piece(0, order, 3), Piece(2, order, 3)], [Piece(1, order[:2], 3)], [Piece(1, (2,), 3)]]


def _peephole(words: Words) -> Parts:
    found: list[Sequence[Piece]] = [[Piece(0, (0, 1, 2, 3), 4), Piece(2, (0, 1, 2, 3), 4)]]
    for gate in FORGET_FIRST:
        found += [[Piece(3, (SEES[gate],), 3, True)]] if gate in SEES else []
        found += [[Piece(1, (gate,), 4)]]
    return found


def _images(lead: bool) -> Callable[[Words], Parts]:
    """Return the parts of a memory of images; `lead` as in Piece, which volumes have not."""

    def parts(words: Words) -> Parts:
        sees = SEES if words["with_peephole"] else {}
        begin = 1 if sees else 0
        found: list[Sequence[Piece]] = []
        for gate in FORGET_FIRST:
            kernel = Piece(begin, (gate,), 4, True, lead)
            found += [[kernel, Piece(begin + 1, (gate,), 4, True)]]
            found += [[Piece(begin + 2, (gate,), 4, True, lead)]]
            found += [[Piece(0, (sees[gate],), 3, True)]] if gate in sees else []
        return found

    return parts


def _convolved(words: Words) -> Parts:
    """Return the parts of the Keras-style API's, whose native kernels have the gates last."""
    return [
        part
        for gate in FORGET_FIRST
        for part in ([Piece(0, (gate,), 4, lead=True), Piece(2, (gate,), 4)],
                     [Piece(1, (gate,), 4, lead=True)])
    ]  # fmt: skip


def _both(words: Words) -> Parts:
    """Return the parts of a layer, and those of its twin that reads backwards."""
    inner = words["layer"]
    there = PARTS[inner.kind](inner.words)
    count = 1 + max(piece.weight for part in there for piece in part)
    back = [[replace(piece, weight=piece.weight + count) for piece in part] for part in there]
    return [*there, *back]


PARTS: Mapping[str, Callable[[Words], Parts]] = {
    "RnnCell": _simple, "LSTM": _gated, "GRU": _reset_and_update, "LSTMPeephole": _peephole,
    "ConvLSTMPeephole": _images(True), "ConvLSTMPeephole3D": _images(False),
    "SimpleRNN": lambda words: [[Piece(0, (0,), 1)], [Piece(1, (0,), 1), Piece(2, (0,), 1)]],
    "ConvLSTM2D": _convolved, "Bidirectional": _both,
}  # fmt: skip


def shown(kind: str, words: Words, weights: Sequence[tuple[Layer, Tensor]]) -> list[Shown]:
    """Return the weights of a leaf of this kind as BigDL shows them."""
    if kind not in PARTS or not weights:
        return [Shown(layer, value, kind) for layer, value in weights]
    return [
        Shown(*weights[piece.weight], kind, piece, number)
        for number, part in enumerate(PARTS[kind](words))
        for piece in part
    ]
