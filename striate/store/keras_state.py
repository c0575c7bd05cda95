"""The state of an optimizer in Keras's files: the steps made, and what is kept of each weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.layer import Layer, snake
from ..optimizers.rules import NADAM_PRODUCTS
from . import keras_weights
from .hdf5 import Archive, Array

TREE, GROUP = "optimizer/vars", "optimizer_weights"  # in `.keras` and `.weights.h5`, and in `.h5`
LOST = "the state of the optimizer is not read: training begins anew"
PAIR = (("momentum", "velocity"),)
SLOTS = {  # what Keras has of each weight; slots of one group lie weight by weight
    "SGD": (("momentum",),),
    "RMSprop": (("velocity",), ("momentum",), ("average_gradient",)),
    "Adagrad": (("accumulator",),),
    "Adadelta": (("accumulated_grad", "accumulated_delta"),),
    "Adam": (*PAIR, ("velocity_hat",)), "AdamW": (*PAIR, ("velocity_hat",)),
    "Nadam": PAIR, "Lamb": PAIR, "Adamax": (("momentum", "norm"),),
    "Ftrl": (("accumulator", "linear"),), "Lion": (("momentum",),),
}  # fmt: skip
BEFORE = (("average",), ("accumulated",))  # of any optimizer


@dataclass(frozen=True)
class State:
    """The arrays of a file in their order; `apart`, whether each slot's lie together (Keras 2)."""

    arrays: list[Array]
    apart: bool


def find(archive: Archive, version: int) -> State | None:
    """Return what a file has of an optimizer, written by this version of Keras; None for nothing.

    What Theano and Keras 1 wrote has kernels in another layout, and counts as nothing; so does an
    optimizer before its first step.
    """
    names = archive.texts(GROUP, "weight_names")
    if names is not None:
        paths = [f"{GROUP}/{name}" for name in names]
    else:
        count = len([path for path in archive.arrays if path.startswith(f"{TREE}/")])
        paths = [f"{TREE}/{index}" for index in range(count)]
    arrays = [archive.arrays[path] for path in paths if path in archive.arrays]
    if not arrays or len(arrays) < len(paths) or version < 2:
        return None
    begun = any(one.any() for one in arrays if one.ndim or one.dtype.kind in "iu")
    if archive.text("", "backend") == "theano" or not begun:
        return None
    rates = [one for one in arrays if one.ndim == 0 and one.dtype.kind == "f"]
    return State(arrays, names is not None and version < 3 and not rates)


def restore(state: State, model: Layer, trained: Any) -> bool:
    """Let a compiled model go on from a state; return whether it fits.

    `trained` is what has the setup: the model, or another one of its weights.
    """
    rule = trained.setup.optimizer
    names = {id(one): name for name, one in trained.named_parameters() if one.requires_grad}
    weights = [one for one in _in_order(model) if id(one) in names]
    if type(rule).__name__ not in SLOTS or len(weights) != len(names):
        return False
    made = rule.init(weights)
    if not _filled(made, state, _groups(rule, made), len(weights)):
        return False
    at = {id(one): index for index, one in enumerate(weights)}
    order = [at[one] for one in names]
    trained.setup.state = {slot: [kept[at] for at in order] if isinstance(kept, list) else kept
                           for slot, kept in made.items()}  # fmt: skip
    trained.setup.names = list(names.values())
    return True


def _filled(made: dict[str, Any], state: State, groups: list[list[str]], count: int) -> bool:
    """Put the arrays of a file into a new state; return whether they fit."""
    arrays = [one for one in state.arrays if one.ndim or one.size != 1]
    for way in (_apart,) if state.apart else (_together, _apart):
        places = list(way(groups, count))
        fits = len(places) <= len(arrays) if state.apart else len(places) == len(arrays)
        pairs = [(made[slot][at], one) for (slot, at), one in zip(places, arrays, strict=False)]
        if fits and all(mine.shape == one.shape for mine, one in pairs):
            break
    else:
        return False
    for mine, one in pairs:
        mine.copy_(torch.from_numpy(np.array(one)))
    counts = [one for one in state.arrays if one.ndim == 0 and one.dtype.kind in "iu"]
    made["step"] = int(counts[0]) if counts else 0
    return True


def arrays(model: Layer, trained: Any) -> dict[str, Array]:
    """Return the state of a model's optimizer by Keras's names; nothing before its first step."""
    setup: Any = getattr(trained, "setup", None)
    rule: Any = getattr(setup, "optimizer", None)
    state = getattr(setup, "state", None)
    kind = type(rule).__name__
    if not state or kind not in SLOTS:
        return {}
    held = dict(trained.named_parameters())
    places = {id(held[name]): at for at, name in enumerate(setup.names) if name in held}
    weights = [one for one in _in_order(model) if id(one) in places]
    if not len(weights) == len(places) == len(setup.names):
        return {}
    title = snake(kind)
    found = {f"{title}/iteration": np.array(state["step"], dtype="int32")}
    if isinstance(rule.learning_rate, float):
        found[f"{title}/learning_rate"] = np.array(rule.learning_rate, dtype="float32")
    for slot, at in _together(_groups(rule, state), len(weights)):
        kept = state[slot][places[id(weights[at])]]
        found[f"{title}/{at}_{slot}"] = kept.detach().cpu().numpy()
    if kind == "Nadam":
        found["variable"] = np.array(_product(rule.beta_1, state["step"]), dtype="float32")
    return found


def order(rule: Any, state: dict[str, Any]) -> list[tuple[str, int]]:
    """Return slots and numbers of weights in Keras 3's order; of other rules, weight by weight."""
    slots = [slot for slot, kept in state.items() if isinstance(kept, list)]
    known = type(rule).__name__ in SLOTS
    groups = _groups(rule, state) if known else [slots]
    return list(_together(groups, len(state[slots[0]]) if slots else 0))


def _product(beta: float, step: int) -> float:
    """Return what Nadam has multiplied its corrections of the mean by."""
    return float(beta**step * NADAM_PRODUCTS[min(step, len(NADAM_PRODUCTS)) - 1] if step else 1)


def _groups(rule: Any, state: Any) -> list[list[str]]:
    groups = [[slot for slot in group if slot in state]
              for group in (*BEFORE, *SLOTS[type(rule).__name__])]  # fmt: skip
    return [group for group in groups if group]


def _together(groups: list[list[str]], count: int) -> Iterator[tuple[str, int]]:
    """Yield slots and numbers of weights in the order of today."""
    for group in groups:
        for at in range(count):
            yield from ((slot, at) for slot in group)


def _apart(groups: list[list[str]], count: int) -> Iterator[tuple[str, int]]:
    """Yield them in the order of Keras up to TensorFlow 2.10."""
    return _together([[slot] for group in groups for slot in group], count)


def _in_order(model: Layer) -> list[Tensor]:
    """Return the weights of a model in Keras's order, each once."""
    several = [one for leaf in keras_weights.innermost(model) for one in leaf.weights]
    return list({id(one): one for one in several}.values())
