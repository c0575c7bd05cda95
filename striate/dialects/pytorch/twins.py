"""Modules that are followed: twins of them, so that following changes nothing for anybody else.

A twin holds the same weights in modules of its own. Its mode may be changed, and its code run on
stand-ins for tensors, while other threads use the module.
"""

from __future__ import annotations

import contextlib
import io
import random
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LISTED = {list, tuple}
NAMED = {dict, OrderedDict}
LONGEST = 1000  # of a list that is a part of a network; others are data


class Twin:
    """A twin of a module, and whether its code changes anything beside its output.

    It does if it gives the module values, draws at random, or prints.
    """

    def __init__(self, module: nn.Module) -> None:
        self.made: dict[int, Any] = {}
        self.module: nn.Module = self._of(module)
        self.before = [(one, _contents(one)) for one in self.made.values()]
        self.changed = False

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Find out inside a block, in which the code is run, whether it changes anything."""
        kept = [(one, one._version, one.clone()) for one in self._tensors()]
        draws, said = _draws(), _Said(sys.stdout)
        with contextlib.redirect_stdout(said):
            try:
                yield
            finally:
                self.changed = bool(said.text) or draws != _draws()
                self.changed |= any(_contents(one) != before for one, before in self.before)
                for tensor, version, values in kept:
                    if tensor._version != version:
                        self.changed = True
                        tensor.copy_(values)

    def _of(self, value: Any) -> Any:
        """Return the twin of a value: of a module, or of a list of some."""
        kind = type(value)
        if id(value) in self.made:
            return self.made[id(value)]
        if isinstance(value, nn.Module):
            made = self.made[id(value)] = object.__new__(kind)
            vars(made).update({word: self._of(one) for word, one in vars(value).items()})
            return made
        if kind not in LISTED | NAMED or len(value) > LONGEST:
            return value
        if kind is tuple:
            return tuple(map(self._of, value))
        made = self.made[id(value)] = kind()
        if kind is list:
            made.extend(map(self._of, value))
        else:
            made.update({key: self._of(one) for key, one in value.items()})
        return made

    def _tensors(self) -> list[Tensor]:
        """Return the tensors that are plain attributes of the module and of those in it."""
        modules = [one for one in self.made.values() if isinstance(one, nn.Module)]
        return [one for part in modules for one in vars(part).values() if type(one) is Tensor]


def _contents(value: Any) -> list[tuple[Any, int]]:
    """Return which objects something holds, and under which names."""
    named = vars(value) if isinstance(value, nn.Module) else value
    pairs = named.items() if isinstance(named, dict) else enumerate(named)
    return [(key, id(one)) for key, one in pairs]


def _draws() -> tuple[Any, ...]:
    """Return where the generators are."""
    numpy = np.random.get_state()  # noqa: NPY002  what scripts draw from
    return random.getstate(), numpy[1].tobytes(), numpy[2], torch.get_rng_state().numpy().tobytes()  # type: ignore[index]


class _Said(io.TextIOBase):
    """Holds back what this thread prints; what others print goes on."""

    def __init__(self, onward: Any) -> None:
        self.onward, self.here, self.text = onward, threading.get_ident(), ""

    def write(self, text: str) -> int:
        """Take a text."""
        if threading.get_ident() != self.here:
            return int(self.onward.write(text))
        self.text += text
        return len(text)
