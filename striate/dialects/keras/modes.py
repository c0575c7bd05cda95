"""Modes and masks that a call gives by their places: `layer(x, True)`, `layer(x, mask)`."""

from __future__ import annotations

import inspect
import types
from typing import Any

from torch import Tensor

USUAL = ("inputs", "training", "mask")
MASK_FIRST = ("inputs", "mask", "training")  # of Lambda, and of layers over steps
KINDS = ("Lambda", "FromFunction", "LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")


def names_of(layer: Any) -> tuple[str, ...]:
    """Return the names of what a layer takes by its place, the input first."""
    own = getattr(layer, "call", None)
    if isinstance(own, types.MethodType) and not own.__module__.startswith("striate."):
        return tuple(
            name
            for name, one in inspect.signature(own).parameters.items()
            if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        )
    return MASK_FIRST if type(layer).__name__ in KINDS else USUAL


def placed(layer: Any, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the inputs of a call, and the mode and the mask that stand behind them."""
    if len(args) < 2 or all(isinstance(one, (Tensor, list, tuple)) for one in args):
        return args, {}
    names, kept, told = names_of(layer), [*args], {}
    while len(kept) > 1 and len(kept) <= len(names):
        name, last = names[len(kept) - 1], kept[-1]
        taken = ("training",) if is_own(layer) else ("training", "mask")
        if name not in taken or (isinstance(last, Tensor) and name == "training"):
            break
        told[name] = kept.pop()
    return tuple(kept), told


def is_own(layer: Any) -> bool:
    """Return whether a script has written what a layer, or a network, computes."""
    own = getattr(layer, "call", None)
    return isinstance(own, types.MethodType) and not own.__module__.startswith("striate.")


def besides(
    layer: Any, args: tuple[Any, ...], words: dict[str, Any]
) -> tuple[tuple[Any, ...], Any]:
    """Return the tensors of a call of a script's own code, and what it takes besides, by names."""
    plain = all(isinstance(one, (Tensor, list, tuple)) for one in args)
    if not is_own(layer) or (plain and not words) or len(args) > len(names_of(layer)):
        return args, None
    values = {**dict(zip(names_of(layer), args, strict=False)), **words}
    first = next(iter(values))
    inputs = {key: one for key, one in values.items() if key == first or isinstance(one, Tensor)}
    others = {key: one for key, one in values.items() if key not in inputs}
    return tuple(inputs.values()), (tuple(inputs), others)


def computed(layer: Any, x: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """Return what a script's code gives for tensors, and for what the call gave besides."""
    names, others = vars(layer)["told"]
    several = [list(x)] if len(names) == 1 and len(x) > 1 else x
    given = dict(zip(names, several, strict=True))
    return layer.call(**given, **{**words, **others})
