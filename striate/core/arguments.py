"""What the constructors of layers are given, checked before they run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from ..errors import ConfigError, caller, nearest
from ..settings import check_truth

P = ParamSpec("P")
R = TypeVar("R")

RENAMED = {  # what other versions and tools call the arguments of fit and compile
    "nb_epoch": "epochs",
    "samples_per_epoch": "steps_per_epoch",
    "hooks": "callbacks",
}


def check_arguments(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise ConfigError for arguments that the constructor does not take, or that are missing."""
    signature = inspect.signature(cls.__init__)  # type: ignore[misc]
    names = [name for name in signature.parameters if name != "self"]
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError as error:
        open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        word = next((word for word in kwargs if word not in names and not open_ended), "")
        raise ConfigError(
            cls.__name__,
            f"there is no argument {word!r}" if word else str(error),
            need="one of " + ", ".join(names) if word else f"{cls.__name__}{_call(signature)}",
            fix=nearest(word, names) if word else "",
            at=caller(),
        ) from None
    name = kwargs.get("name")
    if name is not None and not isinstance(name, str):
        raise ConfigError(
            cls.__name__,
            f"name={name!r} is not a text",
            need="a name of its own for each layer of a model",
            fix=f'name="{cls.__name__.lower()}_{name}"',
            at=caller(),
        )
    for word, value in bound.arguments.items():
        if signature.parameters[word].annotation in ("bool", bool):
            check_truth(cls.__name__, word, value, at=caller())


def verb(function: Callable[P, R]) -> Callable[P, R]:
    """Return a method of models that names a misspelt argument instead of Python's TypeError."""
    names = [name for name in inspect.signature(function).parameters if name != "model"]

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for word in kwargs:
            if word not in names:
                today = RENAMED.get(word, "")
                raise ConfigError(
                    function.__name__.removesuffix("_model"),
                    f"there is no argument {word!r}",
                    need="one of " + ", ".join(names),
                    fix=f"{today}={kwargs[word]!r}" if today in names else nearest(word, names),
                    at=caller(),
                )
        return function(*args, **kwargs)

    return checked


def required(cls: type) -> str:
    """Return a call with the arguments that must be given: `Conv2D(filters, kernel_size)`."""
    return f"{cls.__name__}({', '.join(_must(inspect.signature(cls.__init__)))})"  # type: ignore[misc]


def _call(signature: inspect.Signature) -> str:
    """Return the arguments that must be given, as in a call: `(filters, kernel_size, ...)`."""
    return f"({', '.join([*_must(signature), '...'])})"


def _must(signature: inspect.Signature) -> list[str]:
    given = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    return [p.name for p in given[1:] if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
