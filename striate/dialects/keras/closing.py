"""Layers of a script whose code uses symbols of the network besides its inputs, for the loss.

Such code, as of variational autoencoders of Keras 2, is run on the symbols themselves: what it adds
to the loss becomes a part of the network, which the engine trains.
"""

from __future__ import annotations

import inspect
from typing import Any

from ...core.layer import Layer
from ...core.symbol import Symbol
from ..symbolic import found


def closes(layer: Layer) -> bool:
    """Return whether code of a layer's class names symbols that are not its own inputs."""
    own = [one for one in vars(type(layer)).values() if inspect.isfunction(one)]
    if not any("add_loss" in one.__code__.co_names for one in own):
        return False
    held = [inspect.getclosurevars(one) for one in own]
    return any(True for _ in found(*((dict(one.nonlocals), dict(one.globals)) for one in held)))


def gather(layer: Any, args: tuple[Any, ...]) -> None:
    """Run a layer's code on symbols, and keep what it adds to the loss.

    `layer.passes` then says which of its inputs such a layer gives on; None where it is another
    value, so that its code runs for that.
    """
    if not closes(layer):
        return
    object.__setattr__(layer, "added_symbols", [])
    out = layer.call(*args)
    inputs = [one for one in found(args) if isinstance(one, Symbol)]
    place = next((at for at, one in enumerate(inputs) if one is out), None)
    object.__setattr__(layer, "passes", place if layer.added_symbols else None)
