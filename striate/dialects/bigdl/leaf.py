"""Leaf: a layer of BigDL, of native layers that are made where its input is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ...core.layer import Layer
from ...core.spec import Spec
from ...core.symbol import Symbol
from ...initializers import Initializer, get as initializer
from .kind import Kind, Words
from .layouts import Array, inside
from .module import Module, unknown
from .session import BigdlSession
from .shown import Shown, shown

REPEATED = {"TimeDistributed": ("model", "layer"), "Bottle": ("module",)}


class Leaf(Module):
    """A module that is made of native layers, one after the other."""

    def __init__(
        self, session: BigdlSession, kind: str, row: Kind, words: Words, name: str | None = None
    ) -> None:
        self.kind = kind
        super().__init__(session, name)
        self.row, self.words = row, words
        self.natives: tuple[Layer, ...] = ()
        self.shapes: tuple[Any, Any] = (None, None)  # of the last input and output, as symbols
        self.init_methods: tuple[Any, Any] = (None, None)
        start = row.starts(words)
        if start is not None:
            self._make(start[0] if isinstance(start, tuple) else start)

    def connect(self, *x: Symbol) -> tuple[Symbol, ...]:
        """Call the native layers."""
        if not self.natives:
            self._make(x[0].spec)
        out: Any = x
        for layer in self.natives:
            out = layer(*(out if isinstance(out, tuple) else (out,)))
        self.shapes = x[0].shape, (out[0] if isinstance(out, tuple) else out).shape
        return out if isinstance(out, tuple) else (out,)

    def leaves(self) -> Iterator[Leaf]:
        """Yield the module itself, or those of the one that it repeats."""
        inner = next((self.words[w] for w in REPEATED.get(self.kind, ()) if w in self.words), None)
        if isinstance(inner, Module):
            yield from inner.leaves()
        else:
            yield self

    def is_sample(self, x: Tensor) -> bool:
        """Whether it has as many axes as the row says, or as many values as Reshape asks for."""
        size = self.words.get("size", self.words.get("sizes"))
        if isinstance(size, (list, tuple)) and -1 not in size:
            return x.numel() == math.prod(size) and x.shape[0] != 1
        return x.dim() == self.row.rank or (not self.row.rank and x.dim() == 1)

    def weights(self) -> list[tuple[Layer, Tensor]]:
        """Return weights that are trained, with the layers that have them, inner ones too."""
        return [
            (owners.get(id(w), layer), w)
            for layer in self.natives
            for owners in [{id(w): part for part in layer.modules() if isinstance(part, Layer)
                            for w in part.parameters(recurse=False)}]
            for w in layer.weights
            if isinstance(w, torch.nn.Parameter)
        ]  # fmt: skip

    def shown(self) -> list[Shown]:
        """Return the weights as BigDL shows them."""
        return shown(self.kind, self.words, self.weights())

    def described(self) -> dict[str, dict[str, Array]]:
        """Return weight, bias and their gradients by name, of each layer of BigDL that has some."""
        parts: dict[int, list[Shown]] = {}
        for one in self.shown():
            parts.setdefault(one.part, []).append(one)
        names = {part: self.label if not number else f"{self.label}_{number}"
                 for number, part in enumerate(parts)}  # fmt: skip
        return {names[part]: self._words(held) for part, held in parts.items()}

    def _words(self, held: list[Shown]) -> dict[str, Array]:
        biases = {id(w) for one in held for name, w in one.layer.named_parameters()
                  if name.rpartition(".")[2] == "bias"}  # fmt: skip
        words = ("bias",) if len(held) == 1 and id(held[0].value) in biases else ("weight", "bias")
        found: dict[str, Array] = {}
        for word, one in zip(words, held, strict=False):
            found[word] = one.read()
            found[f"grad{word.capitalize()}"] = one.grad()
        return found

    def set_init_method(self, weight_init_method: Any = None, bias_init_method: Any = None) -> Leaf:
        """Draw the weights again, by other rules."""
        methods = (weight_init_method, bias_init_method)
        self.init_methods = methods
        for method, (_, value) in zip(methods, self.weights(), strict=False):
            if method is not None:
                rule: Initializer = initializer(method)
                with torch.no_grad():
                    value.copy_(rule(tuple(value.shape), dtype=value.dtype))
        return self

    def ceil(self) -> Leaf:
        """Let the last window of a pooling begin inside and end outside."""
        return self._rounding(True)

    def floor(self) -> Leaf:
        """Let every window of a pooling end inside."""
        return self._rounding(False)

    def _rounding(self, up: bool) -> Leaf:
        if "to_ceil" not in self.words:
            raise unknown(f"BigDL 0.7 {self.kind}", self, "ceil" if up else "floor")
        self.words, self.natives = {**self.words, "to_ceil": up}, ()
        return self

    def set_seed(self, seed: int = 123) -> Leaf:
        """Draw the weights again, from this seed."""
        torch.manual_seed(seed)
        return self

    def reset(self) -> Leaf:
        """Draw the weights again, by the layer's own rules or those of set_init_method."""
        start = self.row.starts(self.words)
        if start is not None:
            fresh = Leaf(self.session, self.kind, self.row, self.words)
            with torch.no_grad():
                for (_, mine), (_, drawn) in zip(self.weights(), fresh.weights(), strict=True):
                    mine.copy_(drawn)
            self.set_init_method(*self.init_methods)
        return self

    def _make(self, x: Spec) -> None:
        self.natives = tuple(self.row.make(self.words, x))
        start = self.row.starts(self.words)
        for number, layer in enumerate(self.natives):
            layer.rename(self.label if not number else f"{self.label}_{number}")
        if start is not None:
            self.natives[0].ensure_built(start if isinstance(start, tuple) else (start,))
        for word, (layer, value) in zip(("init_weight", "init_bias"), self.weights(), strict=False):
            if self.words.get(word) is not None:
                inside(layer, value, self.words[word], self.kind)
