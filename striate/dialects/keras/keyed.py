"""Inputs and outputs of models in dictionaries: values in a fixed order inside, by name outside."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor

SIDES = {"inputs": "keys_in", "outputs": "keys_out"}


def is_code(model: Any) -> bool:
    """Return whether a script has written what the model computes."""
    return bool(getattr(model, "_own", False))


def speaks(model: Any) -> bool:
    """Return whether a model takes or gives dictionaries by an order of its own."""
    held = vars(model)
    return is_code(model) or any(held.get(place) is not None for place in SIDES.values())


def ordered(model: Any, item: Any) -> Any:
    """Return a batch of a data set with lists for dictionaries, where a model speaks of them."""
    if not speaks(model):
        return item
    if isinstance(item, Mapping):
        return (listed(model, item),)
    if (
        not isinstance(item, (tuple, list))
        or not item
        or not any(isinstance(part, Mapping) for part in item)
    ):
        return item
    parts = [listed(model, item[0]), *(targets(model, part) for part in item[1:])]
    return tuple(parts)


def taken(model: Any, ends: dict[str, Any]) -> dict[str, Any]:
    """Return what a model is made of, with lists for dictionaries, whose keys the model keeps."""
    out = dict(ends)
    for side, place in SIDES.items():
        if isinstance(out.get(side), Mapping):
            object.__setattr__(model, place, [*out[side]])
            out[side] = [*out[side].values()]
    return out


def listed(model: Any, x: Any) -> Any:
    """Return inputs of a dictionary in a model's order; other inputs stay as they are.

    A model that is code takes the first dictionary's order.
    """
    if not isinstance(x, Mapping):
        return x
    keys = vars(model).get("keys_in")
    if keys is None and model._graph is not None and not is_code(model):
        names = [one.name for one in model.inputs]
        if not set(names) <= set(x):
            return x
        keys = names
    if keys is None:
        keys = [*x]
        object.__setattr__(model, "keys_in", keys)
    several = [x[key] for key in keys]
    return several if len(several) > 1 else several[0]


def keyed(model: Any, x: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return inputs as the `call` of a model takes them: by name, where it was given names."""
    keys = vars(model).get("keys_in")
    return x if keys is None or len(keys) != len(x) else (dict(zip(keys, x, strict=True)),)


def named(model: Any, out: Any) -> Any:
    """Return outputs by name, where a model has names for them."""
    keys, shape = vars(model).get("keys_out"), vars(model).get("shape_out")
    if shape is not None and isinstance(out, (tuple, list)) and len(out) == len(leaves(shape)):
        return filled(shape, iter(out))
    if keys is None:
        return out
    several = out if isinstance(out, (tuple, list)) else [out]
    return dict(zip(keys, several, strict=True)) if len(several) == len(keys) else out


@contextmanager
def in_order(model: Any) -> Iterator[None]:
    """Let calls of a model give its outputs in order, as the engine takes them."""
    before = vars(model).get("keys_kept", False)
    object.__setattr__(model, "keys_kept", True)
    try:
        yield
    finally:
        object.__setattr__(model, "keys_kept", before)


def called(model: Any, out: Any) -> Any:
    """Return what a call of a model gives: outputs by name, unless the engine has called."""
    return out if vars(model).get("keys_kept") else named(model, out)


def leaves(value: Any) -> list[Any]:
    """Return what is in dictionaries and lists, one after the other."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def filled(shape: Any, values: Iterator[Any]) -> Any:
    """Return values in dictionaries and lists like these."""
    if isinstance(shape, Mapping):
        return {key: filled(item, values) for key, item in shape.items()}
    if isinstance(shape, (list, tuple)):
        return [filled(item, values) for item in shape]
    return next(values)


def plain(model: Any, out: Any) -> Any:
    """Return what a `call` gives as a tuple, where it is a list or dictionaries."""
    inside = list(out.values()) if isinstance(out, Mapping) else out
    if isinstance(inside, (list, tuple)) and any(
        isinstance(one, (Mapping, list, tuple)) for one in inside
    ):
        object.__setattr__(model, "shape_out", filled(out, itertools.repeat(None)))
        return tuple(leaves(out))
    if isinstance(out, Mapping):
        object.__setattr__(model, "keys_out", [*out])
        out = tuple(out.values())
    return tuple(out) if isinstance(out, list) else out


def targets(model: Any, y: Any) -> Any:
    """Return labels, losses or their like of a dictionary in the order of a model's outputs."""
    keys = vars(model).get("keys_out")
    if keys is None or not isinstance(y, Mapping) or isinstance(y, Tensor):
        return y
    return [y.get(key) for key in keys]
