"""Inputs that are tensors: a constant, or what an iterator of TensorFlow 1 gives at each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ...core.symbol import Input, Symbol, ancestors
from ...errors import caller
from ..table import DialectError
from .session import KerasSession
from .tf_elements import flat


def bind(session: KerasSession, x: Any, name: str) -> Symbol:
    """Return the symbol of an input that is a tensor; what is a symbol stays the same one."""
    if isinstance(x, Symbol):
        return x
    kind = str(x.dtype).removeprefix("torch.")
    symbol = Input(tuple(x.shape[1:]), kind, data_format=session.layout, name=name)
    session.bound[id(symbol)] = (symbol, x)
    return symbol


def unfed(session: KerasSession, outputs: list[Any], begin: list[Any]) -> list[Any]:
    """Return the symbols that outputs need, that are given no values and are tensors."""
    fed = {id(one) for one in begin}
    found = [*outputs, *(one for node in ancestors(tuple(outputs)) for one in node.inputs)]
    missing = {id(one): one for one in found if one.node is None and id(one) not in fed}
    return [one for key, one in missing.items() if key in session.bound]


def batches(model: Any) -> Iterator[Any] | None:
    """Return batches without end for a model whose inputs are what an iterator gives; else None."""
    bound = model.session.bound
    if model._graph is None or any(id(one) not in bound for one in model.inputs):
        return None
    inputs = [bound[id(one)][1] for one in model.inputs]
    targets = bound.get(id(model), (model, ()))[1]
    sides = (inputs, list(targets) if isinstance(targets, (list, tuple)) else [targets])
    if not all(hasattr(one, "drawn") for side in sides for one in side):
        raise DialectError(
            f"{model.session.version.title} fit",
            "the input is a tensor, which holds one batch alone",
            need="inputs and target_tensors as iterator.get_next() gives them, not changed",
            fix="model.fit(dataset), where dataset.map makes the change",
            at=caller(),
        )
    return _walk(sides)


def _walk(sides: tuple[list[Tensor], ...]) -> Iterator[Any]:
    while True:
        now: dict[int, list[Any]] = {}
        parts: list[Any] = []
        for side in sides:
            made = []
            for one in side:
                source, place = vars(one)["drawn"]
                if id(source) not in now:
                    now[id(source)] = flat(next(source))
                made.append(now[id(source)][place])
            parts.append(made[0] if len(made) == 1 else made)
        yield tuple(part for part in parts if not isinstance(part, list) or part)
