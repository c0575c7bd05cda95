"""What loops of a script have trained, and how the folder of a run keeps it."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...core.layer import snake
from ...core.symbol import Input, Symbol
from ...errors import StriateError
from ...layers import foreign
from ...layers.in_layers import in_layers, same
from ...model import Model
from ...store import model_file
from ..session import Script
from .port import ported


def start(shape: tuple[int, ...]) -> Symbol:
    """Return the input of a network for samples of this shape."""
    return Input(shape, data_format="channels_first") if len(shape) == 3 else Input(shape)


class Trained:
    """An outermost module that a loop of the script's own has trained.

    `shape`: of a sample; () for a network of several inputs.
    """

    def __init__(self, module: nn.Module, shape: tuple[int, ...], script: Script) -> None:
        self.module, self.shape, self.script = module, shape, script
        self.calls, self.began = 1, _changes(module)

    @property
    def name(self) -> str:
        """Name of the class."""
        return snake(type(self.module).__name__)

    def seen_only(self, others: Sequence[Any]) -> bool:
        """Return whether it was called once, and never changed but as a part of another one."""
        if self.calls > 1:
            return False
        nets = [one.module for one in others if one is not self and isinstance(one, Trained)]
        same = self.began == _changes(self.module)
        idle = same and all(weight.grad is None for weight in self.module.parameters())
        return idle or any(self.module in net.modules() for net in nets)

    def kept(self, run: Any, stem: str) -> Model | None:
        """Write the weights into the folder of a run; return the network where it can be kept."""
        file = f"{stem or 'state_dict'}.safetensors"
        run.write(file, model_file.pack(self.module.state_dict()))
        if not self.shape:
            kind = type(self.module).__name__
            self.script.note(f"the run keeps the weights alone, {file}: {kind} has several inputs")
        if len(self.shape) not in (1, 2, 3):
            return None
        try:
            alone: Any = self.module.module if parallel(self.module) else self.module
            alone = _of_parts(copy.deepcopy(alone).eval().cpu().float())
            return self._in_layers(_listed(alone, self.shape))
        except (StriateError, RuntimeError, TypeError, ValueError) as error:
            why = f"{error.where} {error.what}" if isinstance(error, StriateError) else str(error)
            why = why.partition("\n")[0].partition(". ")[0]
            self.script.note(f"the run keeps the weights alone, {file}: {why}")
            return None

    def _in_layers(self, module: nn.Module) -> Model:
        """Return the network in native layers, or else in those of torch."""
        symbol = start(self.shape)
        with quiet(), contextlib.suppress(StriateError, RuntimeError, TypeError, ValueError):
            outputs = foreign.trace(module, (symbol,))
            found = ported(Model(symbol, outputs), start(self.shape))
            if found is not None:
                return found
        try:
            with quiet():
                return Model.from_torch(module, self.shape).in_layers()
        except StriateError:
            found = self._in_use(module)
            if found is None:
                raise
            self.script.note(
                "the run keeps the network as it is in evaluation; in training its code does more"
            )
            return found

    def _in_use(self, module: nn.Module) -> Model | None:
        """Return the layers that a network has in evaluation, where that gives the same."""
        symbol = start(self.shape)
        with quiet(), contextlib.suppress(Exception):  # whatever its code does there
            network = Model(symbol, foreign.followed(module, (symbol,)))
            made = Model(*in_layers(network.where, network.graph))
            return made if same(network, made, network.inputs) else None
        return None


def trained(module: nn.Module, shape: tuple[int, ...], script: Script, before: Any) -> Trained:
    """Return what a loop has trained, after one more call of it; `before`: what was known."""
    if not isinstance(before, Trained) or before.module is not module:
        return Trained(module, shape, script)
    before.shape = shape
    before.calls += 1
    return before


def _changes(module: nn.Module) -> int:
    """Return how often the weights of a network have been changed in place."""
    return sum(weight._version for weight in module.parameters())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Follow a network inside a block without the warnings of its code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Listed(nn.Module):
    """A network whose outputs, which are in a dictionary, come one after the other."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the tensors of the dictionary."""
        return tuple(self.module(x).values())


def _listed(module: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """Return a network that gives tensors, where it gives a dictionary of them."""
    with quiet(), contextlib.suppress(Exception), torch.no_grad():  # whatever its code does
        found = module(torch.zeros(2, *shape))
        if isinstance(found, Mapping) and all(isinstance(one, Tensor) for one in found.values()):
            return Listed(module)
    return module


def _of_parts(module: nn.Module) -> nn.Module:
    """Return a network that is one layer of torch as a sequence of it, which is followed to it."""
    one = type(module).__module__.startswith("torch.nn.") and not any(module.children())
    return nn.Sequential(module) if one else module


def parallel(module: nn.Module) -> bool:
    """Return whether a module only says that another one is run in parts."""
    return isinstance(module, nn.DataParallel)
