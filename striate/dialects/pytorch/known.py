"""Known: what has been found out about a network of a script, to be used at its next call."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import get_ident, main_thread
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.nn.modules.batchnorm import _BatchNorm

from ...engine.predictor import Predictor
from ...engine.taped import Taped
from ...engine.taped_plan import Within
from ...layers import foreign
from ...model import Model
from . import deferred

MAIN = main_thread().ident  # the thread of a script, whose calls may wait
LARGEST = 512  # samples of a call in training: more would take too much memory at once
MOST_TURNS, MOST_WAYS = 8, 64  # of a module: then its code is called as it is written
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
OF_ALL = [vars(torch_module).get(f"_global{kind}") for kind in HOOKS]  # hooks of all modules
WANTED: Any = Tensor.requires_grad.__get__  # type: ignore[attr-defined]
Again = Callable[[Tensor, dict[int, Tensor]], Tensor]


class Followed:
    """A module whose code could be followed for one shape of input: as a native model.

    `again`, in training: computes the output once more, by the module's own code.
    """

    def __init__(self, model: Model, again: Again | None, within: Within) -> None:
        self.model = model
        self.weights = list(model.parameters())
        self.predictor = Predictor(model, sure=True)  # scripts change weights through `.data`
        self.taped = Taped(model, again=again, within=within) if again else None
        alone = self.taped.foreign if self.taped else ()  # they count for themselves
        calls = [node.layer.module for node in model.graph.nodes
                 if isinstance(node.layer, foreign.TorchModule)
                 and all(node.layer is not one for one in alone)]  # fmt: skip
        self.norms = [one for one in calls if isinstance(one, _BatchNorm)]  # as often as called

    def train(self, x: Tensor) -> Tensor:
        """Return the output, in training; `view` finds it in memory as torch would lay it."""
        assert self.taped is not None
        for norm in self.norms:
            if norm.training and norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
        habit = self.taped.habit
        if habit is not None and habit.later and not x.requires_grad and get_ident() == MAIN:
            return deferred.output(self.taped, x, self.weights, habit.looked_at)
        return self.taped(x, self.weights).contiguous()

    def evaluate(self, x: Tensor) -> Tensor | None:
        """Return the output without a history, or None where there is no plan."""
        found = self.predictor([x.detach().numpy()])
        return None if found is None else torch.from_numpy(found[0].copy())


class Same:
    """A network as it was at a call: at the next one, most often, all of it is the same.

    Attributes that are set, and hooks, are told of (`patches`); a script may write into the
    dictionaries of parts and weights as well.
    """

    def __init__(self, followed: Followed, x: Tensor, parts: Sequence[nn.Module]) -> None:
        self.followed, self.shape = followed, x.shape[1:]
        self.training = parts[0].training
        within = [one for part in parts for one in (part._modules, part._parameters) if one]
        self.within = [one.values() for one in within]
        self.ids = [*map(id, itertools.chain.from_iterable(self.within))]
        several = [one for part in parts for one in part._parameters.values()]
        self.weights = [one for one in several if one is not None]
        self.wanted = [*map(WANTED, self.weights)]

    def holds(self, x: Tensor) -> bool:
        """Return whether this is such a call of the same network."""
        if torch.is_grad_enabled() is not self.training or x.shape[1:] != self.shape:
            return False
        if not plain(x) or (self.training and len(x) > LARGEST):
            return False
        if [*map(id, itertools.chain.from_iterable(self.within))] != self.ids:
            return False
        if [*map(WANTED, self.weights)] != self.wanted:
            return False
        return not hooked(()) and not torch.is_autocast_enabled("cpu")


@dataclass
class Known:
    """What is known of a module.

    Fields: `ways`, how it is computed, by the shape of its input, its parts and its weights;
    `turns`, how often its attributes have changed since it was followed; `last`, its last call.
    """

    ways: dict[Any, Followed | None] = field(default_factory=dict)
    turns: int = 0
    last: Same | None = None

    def settled(self) -> bool:
        """Return whether it is worth while to follow its code once more."""
        return self.turns < MOST_TURNS and len(self.ways) < MOST_WAYS


def hooked(parts: Sequence[nn.Module]) -> bool:
    """Return whether one of these modules, or every module, has hooks."""
    return any(OF_ALL) or any(
        part._forward_hooks
        or part._forward_pre_hooks
        or part._backward_hooks
        or part._backward_pre_hooks
        for part in parts
    )


def plain(x: Tensor) -> bool:
    """Return whether a plan reads such a batch as it lies."""
    usual = x.dtype is torch.float32 and x.device.type == "cpu" and x.is_contiguous()
    return usual and type(x) is Tensor and x.ndim in (2, 4) and len(x) > 0
