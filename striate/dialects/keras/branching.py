"""Networks of a script's own class whose code does something else while it trains."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ...core.graph import Graph
from ...core.symbol import Symbol
from ...layers.wrap import inference

MODE = "training"
NEAR = 4  # instructions from where the mode is read to the jump that it decides
SIDE = 64  # of noise, where a size is not known


def asks(kind: type, base: type) -> bool:
    """Return whether a method between a class and its base asks whether the network trains."""
    written = kind.__mro__[: kind.__mro__.index(base)]
    return any(_jumps(one) for cls in written for one in vars(cls).values())


def _jumps(function: Any) -> bool:
    if not inspect.isfunction(function) or MODE not in function.__code__.co_varnames:
        return False
    steps = list(dis.get_instructions(function))
    return any(
        MODE in (step.argval if isinstance(step.argval, tuple) else (step.argval,))
        and step.opname.startswith("LOAD_FAST")
        and any(
            "JUMP" in later.opname and "IF" in later.opname
            for later in steps[index + 1 : index + 1 + NEAR]
        )
        for index, step in enumerate(steps)
    )


def tells(graph: Graph, model: Any, call: Callable[[Sequence[Tensor]], Sequence[Any]]) -> bool:
    """Return whether a graph, in inference, gives for noise what the code gives there."""
    try:
        x = [_noise(symbol) for symbol in graph.inputs]
        with torch.random.fork_rng(devices=[]), torch.no_grad(), inference(model):
            outputs = [list(_again(run, x)) for run in (_walk(graph), call)]
    except Exception:  # code that does not run on noise of these sizes
        return False
    a, b = outputs
    return len(a) == len(b) and all(
        one.shape == other.shape and torch.allclose(one, other, 1e-4, 1e-5, equal_nan=True)
        for one, other in zip(a, b, strict=True)
    )


def _again(run: Callable[[Any], Any], x: list[Tensor]) -> Iterator[Tensor]:
    torch.manual_seed(0)
    yield from run(x)


def _walk(graph: Graph) -> Callable[[Sequence[Tensor]], Any]:
    return lambda x: graph.run(x, lambda node, values: node.layer(*values))


def _noise(symbol: Symbol) -> Tensor:
    sizes = [size or SIDE for size in symbol.spec.shape]
    return torch.rand(2, *sizes).to(getattr(torch, symbol.spec.dtype))
