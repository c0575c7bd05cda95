"""Whether the graph of a network written as code tells all that the code does at each call."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from ..core.symbol import Symbol
from .foreign import Line, lines
from .torch_operations import watched


def untold(module: nn.Module, written: Sequence[Line], inputs: tuple[Symbol, ...]) -> str:
    """Return what of the code of `module`, called on these inputs, its graph does not tell.

    `written` are the lines that the graph was made of. The code is followed again, in the mode of
    training and in that of use: both must give these lines, keep everything as it is, and draw no
    random numbers of their own. An empty string if the graph may stand for the code.
    """
    if not written:
        return "code that cannot be followed"
    if any(watched(part) for part in module.modules()):
        return "hooks of torch, which look at tensors on their way"
    modes = {part: part.training for part in module.modules()}
    try:
        found = []
        for training in (True, False):
            module.train(training)
            if any(part.training is not training for part in module.modules()):
                return "parts that keep to a mode of their own"
            before = _state(module), _draws()
            found.append(lines(module, inputs))
            if (_state(module), _draws()) != before:
                return "code that changes something, or draws random numbers, at each call"
    except Exception:  # whatever stops torch.fx, as when the graph was made
        return "code that cannot be followed"
    finally:
        for part, mode in modes.items():
            part.training = mode
    texts = [[line.text for line in written], *([line.text for line in one] for one in found)]
    if texts[0] != texts[1] or texts[0] != texts[2]:
        return "code that is not the same in training, or no longer"
    modes_given = {(one.training, two.training) for one, two in zip(*found, strict=True)}
    return "" if modes_given <= {(None, None), (True, False)} else "a mode that the code gives"


def written(module: nn.Module, inputs: tuple[Symbol, ...]) -> list[Line]:
    """Return the lines of a network's code, none if it cannot be followed."""
    try:
        return lines(module, inputs)
    except Exception:  # whatever stops torch.fx
        return []


def _state(module: nn.Module) -> list[Any]:
    """Return what the parts of a network hold, but for the values of their tensors."""
    return [
        (name, _seen(value))
        for part in module.modules()
        for name, value in vars(part).items()
        if name != "training"
    ]


def _seen(value: Any) -> Any:
    """Return what tells whether a value, or one in a collection, has been replaced."""
    if isinstance(value, dict):
        return [(key, id(one)) for key, one in value.items()]
    if isinstance(value, (list, tuple, set)):
        return [id(one) for one in value]
    return value if isinstance(value, (int, float, str)) else id(value)


def _draws() -> tuple[Any, ...]:
    """Return the states of the random generators that code may use."""
    numpy = np.random.get_state()  # noqa: NPY002  the one that old code draws from
    return random.getstate(), numpy[1].tobytes(), numpy[2:], torch.get_rng_state().numpy().tobytes()  # type: ignore[index]
