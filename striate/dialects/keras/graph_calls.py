"""Values of symbols for arrays: `K.function`, and the sessions of TensorFlow 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...core.graph import Graph
from ...core.symbol import Symbol
from ..symbolic import found, replace, tensor
from .bound import unfed
from .replaced import Overridden
from .session import KerasSession
from .words import array


class Function:
    """What `K.function` gives: called on arrays for its inputs, it gives arrays."""

    def __init__(self, session: KerasSession, inputs: Sequence[Any], outputs: Any, updates: Any):
        self.session, self.inputs = session, list(inputs)
        self.single = not isinstance(outputs, (list, tuple))
        self.outputs = [outputs] if self.single else list(outputs)

    def __call__(self, values: Any, *more: Any) -> Any:
        """Run the network from the inputs to the outputs."""
        values = list(values) if isinstance(values, (list, tuple)) and not more else [values, *more]
        pairs = [
            (symbol, value)
            for symbol, value in zip(self.inputs, values, strict=False)
            if isinstance(symbol, Symbol)
        ]
        others = [v for s, v in zip(self.inputs, values, strict=False) if not isinstance(s, Symbol)]
        training = bool(others and others[0])
        begin = [symbol for symbol, _ in pairs]
        given = [tensor(value).float() for _, value in pairs]
        symbols = [one for one in self.outputs if isinstance(one, Symbol)]
        for one in unfed(self.session, symbols, begin):
            begin.append(one)
            given.append(self.session.bound[id(one)][1])
        inside, self.session.inside = self.session.inside, True
        try:
            with torch.no_grad():
                found_ = iter(run(begin, symbols, given, training)) if symbols else iter(())
        finally:
            self.session.inside = inside
        out = [array(next(found_) if isinstance(one, Symbol) else one) for one in self.outputs]
        return out[0] if self.single else out


def in_mode(layer: Any, training: bool, values: Sequence[Tensor]) -> Any:
    """Return what a layer gives in a mode, and leave it in the one that it had."""
    mode = layer.training
    layer.train(training)
    try:
        return layer(*values)
    finally:
        layer.train(mode)


def run(begin: list[Symbol], outputs: list[Symbol], values: list[Tensor], training: bool) -> Any:
    """Return the values of symbols, each layer in the mode that is asked for."""
    return Graph(begin, outputs).run(values, lambda node, x: in_mode(node.layer, training, x))


class Session:
    """A session of TensorFlow 1: it gives the values of symbols for what it is fed."""

    scope: KerasSession
    graph: Any

    def __init__(self, *args: Any, **words: Any) -> None:
        pass

    def run(self, fetches: Any = None, feed_dict: Any = None, **words: Any) -> Any:
        """Return values as arrays, in the form of what is asked for; None for what is done."""
        fed: Mapping[Any, Any] = feed_dict or {}
        begin = [key for key in fed if isinstance(key, Symbol)]
        phases = [value for key, value in fed.items() if isinstance(key, int)]
        symbols = list({id(one): one for one in found(fetches)}.values())
        call = Function(self.scope, [*begin, *(0 for _ in phases)], symbols, None)
        values = call([*(fed[key] for key in begin), *phases]) if symbols else []
        made = {id(symbol): value for symbol, value in zip(symbols, values, strict=True)}
        return _fetched(replace(fetches, lambda symbol: made[id(symbol)]))

    def close(self) -> None:
        """Do nothing."""

    def as_default(self) -> Session:
        """Return the session."""
        return self

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        return None


def _fetched(value: Any) -> Any:
    """Return arrays in place of tensors, and nothing for what has no value."""
    if isinstance(value, (list, tuple)):
        return [_fetched(one) for one in value]
    if isinstance(value, dict):
        return {key: _fetched(one) for key, one in value.items()}
    return array(value) if isinstance(value, Tensor) or hasattr(value, "ndim") else None


def sessions(scope: KerasSession) -> type[Session]:
    """Return the class of the sessions of a script."""
    return type("Session", (Session,), {"scope": scope, "graph": Overridden(scope)})
