"""Activations of ReNom: a table of functions, and the class of each that a network is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ... import layers as L
from ...core.layer import Layer
from ..strict import refused
from .node import Node, tensor_of


def _softmax(x: Tensor) -> Tensor:
    return x.softmax(dim=1 if x.ndim > 1 else 0)


def _maxout(x: Tensor, slice_size: int, axis: int) -> Tensor:
    sizes = list(x.shape)
    sizes[axis : axis + 1] = [sizes[axis] // slice_size, slice_size]
    return x.reshape(sizes).amax(dim=axis + 1)


@dataclass(frozen=True)
class Row:
    """An activation: its class, its function, the native one, and its arguments with defaults.

    `native`: the class of a layer, the word of one of `L.Activation`, or nothing.
    """

    title: str
    name: str
    function: Callable[..., Tensor]
    native: str = ""
    arguments: tuple[tuple[str, float], ...] = ()

    def layer(self, *values: Any) -> Layer | None:
        """Return the native layer, if there is one."""
        if not self.native:
            return None
        if self.native.islower():
            return L.Activation(self.native)
        made: Layer = getattr(L, self.native)(*values)
        return made

    def written(self) -> str:
        """Return what a new program writes."""
        if not self.native:
            return ""
        return f'L.Activation("{self.native}")' if self.native.islower() else f"L.{self.native}()"


ROWS = (
    Row("Relu", "relu", torch.relu, "ReLU"),
    Row("Relu6", "relu6", F.relu6, "relu6"),
    Row("LeakyRelu", "leaky_relu", F.leaky_relu, "LeakyReLU", (("slope", 0.01),)),
    Row("Elu", "elu", F.elu, "ELU", (("alpha", 0.01),)),
    Row("Selu", "selu", F.selu, "SELU"),
    Row("Sigmoid", "sigmoid", torch.sigmoid, "Sigmoid"),
    Row("Tanh", "tanh", torch.tanh, "Tanh"),
    Row("Softmax", "softmax", _softmax),
    Row("Softplus", "softplus", F.softplus, "softplus"),
    Row("Softsign", "softsign", F.softsign, "softsign"),
    Row("Swish", "swish", lambda x, beta: x * torch.sigmoid(beta * x), "", (("beta", 1.0),)),
    Row("Mish", "mish", F.mish, "mish"),
    Row("HardSigmoid", "hard_sigmoid", lambda x: (0.2 * x + 0.5).clamp(0, 1)),
    Row("HardTanh", "hard_tanh", F.hardtanh),
    Row("Maxout", "maxout", _maxout, "", (("slice_size", 1), ("axis", 1))),
)


def _function(row: Row) -> Callable[..., Any]:
    def activation(x: Any, *values: Any, **words: Any) -> Any:
        return Node.of(row.function(tensor_of(x), *_filled(row, values, words)))

    activation.__name__ = row.name
    return activation


def _filled(row: Row, values: tuple[Any, ...], words: dict[str, Any]) -> list[Any]:
    """Return the values of all arguments, given by place, by name, or by default."""
    names = [name for name, _ in row.arguments]
    unknown = [name for name in words if name not in names]
    if unknown:
        raise refused(f"ReNom 2.7 {row.title}", unknown[0], names, row.written())
    if len(values) > len(names):
        raise TypeError(f"rm.{row.title}({', '.join(names)}) has no argument {[*values]}")
    given = {**dict(row.arguments), **dict(zip(names, values, strict=False)), **words}
    return list(given.values())


class Activation:
    """An activation with its arguments, to be called on nodes."""

    row: Row

    def __init__(self, *values: Any, **words: Any) -> None:
        self.values = _filled(self.row, values, words)

    def __call__(self, x: Any) -> Any:
        """Return the activation of the numbers."""
        return Node.of(self.row.function(tensor_of(x), *self.values))


FUNCTIONS = {row.name: _function(row) for row in ROWS}
CLASSES = {row.title: type(row.title, (Activation,), {"row": row}) for row in ROWS}
