"""Names of nodes: almost every function of TensorFlow takes a `name`, which says nothing here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any


def nameless(names: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a module's names, whose functions take a `name` too."""
    return {word: _nameless(value) for word, value in names.items()}


def _nameless(function: Any) -> Any:
    if not inspect.isfunction(function):
        return function
    takes = inspect.signature(function).parameters.values()
    if any(one.name == "name" or one.kind is one.VAR_KEYWORD for one in takes):
        return function
    return _without(function)


def _without(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, name: Any = None, **words: Any) -> Any:
        return function(*args, **words)

    return call
