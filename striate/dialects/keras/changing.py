"""Layers whose own code changes what is trained: the engine has copies, so it must not run them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any

import torch

from ...core.layer import Layer
from ...core.spec import Spec

WORDS = frozenset((
    "assign", "assign_add", "assign_sub", "update", "update_add", "update_sub", "copy_", "data",
    "moving_average_update", "set_weights", "set_value",
))  # fmt: skip
SIDE = 8  # of axes that are not known


def changes(layer: Any) -> bool:
    """Return whether a run of a script's layer changes its trained weights; it is tried out once.

    Where that fails on zeros, and before the layer has weights, code that says so is believed.
    """
    known = layer.changes_weights
    if known is None:
        known = _suspicious(type(layer)) and (not layer.built or _tried(layer))
        if layer.built:
            vars(layer)["changes_weights"] = known
    return bool(known)


def _suspicious(kind: type) -> bool:
    """Return whether code of a class has words by which weights are changed."""
    own = [one for one in kind.__mro__ if not one.__module__.startswith(("striate", "torch"))]
    functions = [one for cls in own for one in vars(cls).values() if inspect.isfunction(one)]
    return any(WORDS & set(_names(one.__code__)) for one in functions)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _tried(layer: Layer) -> bool:
    trained = [weight for weight in layer.parameters() if weight.requires_grad]
    if not trained:
        return False
    kept = [(one, one.detach().clone()) for one in (*layer.parameters(), *layer.buffers())]
    state, mode = torch.get_rng_state(), layer.training
    before = [weight._version for weight in trained]
    layer.train()
    try:
        with torch.no_grad():
            layer.forward(*map(_zeros, layer.specs))
    except Exception:  # code that wants other values, or more than its inputs
        return True
    finally:
        changed = before != [weight._version for weight in trained]
        with torch.no_grad():
            for weight, value in kept:
                weight.copy_(value)
        layer.train(mode)
        torch.set_rng_state(state)
    return changed


def _zeros(spec: Spec) -> torch.Tensor:
    sizes = [SIDE if size is None else size for size in spec.shape]
    return torch.zeros(2, *sizes, dtype=getattr(torch, spec.dtype))
