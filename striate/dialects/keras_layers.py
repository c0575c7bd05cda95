"""Layers of a Keras script: calls in the words of any version give native layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from .. import layers as native
from ..core.layer import Layer, snake
from ..core.symbol import Input, Symbol
from ..errors import caller, nearest
from ..initializers import HeNormal, RandomNormal, RandomUniform
from .keras import ACTIVATIONS, FUNCTIONS, INITIALIZERS, LAYERS, MERGES
from .keras_session import Given, KerasSession
from .table import DialectError, Row, translate

LAYOUTS = {"th": "channels_first", "tf": "channels_last"}
OF_INPUT = ("input_shape", "batch_input_shape", "input_dim", "weights", "dtype", "input_dtype")


class Alias:
    """A layer class of a dialect: called, it gives the native layer."""

    def __init__(self, session: KerasSession, row: Row, name: str) -> None:
        self.session, self.row, self.__name__ = session, row, name
        self.native: type[Layer] = getattr(native, row.target)
        self.known = tuple(inspect.signature(self.native.__init__).parameters)[1:]

    def __call__(self, *args: Any, **kwargs: Any) -> Layer:
        """Return the native layer for a call in the dialect's words."""
        session, row = self.session, self.row
        about_input = {word: kwargs.pop(word) for word in OF_INPUT if word in kwargs}
        named = kwargs.pop("name", None)
        args, kwargs = self._sides(args, kwargs)
        words = translate(session.version.title, row, self.__name__, args, kwargs, self.known)
        words = {word: self._value(word, value) for word, value in words.items()}
        explicit = words.get("data_format")
        given = _given(about_input, explicit or "")
        if row.spatial and "data_format" in self.known:
            self._guess_layout(given, explicit)
            words["data_format"] = explicit or session.layout
        words = {word: value for word, value in words.items() if value is not None}
        layer = self.native(**words)
        if named:
            layer.name = named
        else:
            layer.rename(session.name(self._prefix()))
        session.given[layer] = given
        return layer

    def __instancecheck__(self, item: Any) -> bool:
        return isinstance(item, self.native)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (self.native,)

    def _prefix(self) -> str:
        old = self.session.version.old
        return self.__name__.lower() if old else snake(self.native.__name__)

    def _sides(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return a call such as Conv2D(64, 3, 3) with its two numbers as one kernel."""
        names = self.row.folds.get("kernel_size", ())
        count = len(names)
        if not names or not self.session.version.folds:
            return args, kwargs
        sides = args[1 : 1 + count]
        if len(sides) == count and all(isinstance(side, int) for side in sides):
            if len(args) > 1 + count:
                raise DialectError(
                    f"{self.session.version.title} {self.__name__}",
                    "arguments after the kernel's sides must be named",
                    got=", ".join(map(repr, args)),
                    need=f"{self.__name__}(filters, {', '.join(names)}, name=value, ...)",
                    fix='init="glorot_uniform", activation="relu"',
                    at=caller(),
                )
            args = (args[0], sides)
        return args, kwargs

    def _value(self, word: str, value: Any) -> Any:
        """Return a value in native words."""
        if word == "data_format":
            return None if value == "default" else LAYOUTS.get(value, value)
        if word == "padding" and isinstance(value, str):
            return value.lower()
        if word.endswith("_initializer"):
            return self._initializer(value)
        if word == "activation" or word == "function":
            return activation(self.session, value)
        return value

    def _initializer(self, value: Any) -> Any:
        plain = {"normal": RandomNormal(0.0, 0.05), "uniform": RandomUniform(-0.05, 0.05)}
        if not isinstance(value, str):
            return value
        if value in plain:
            return plain[value]
        return HeNormal() if value == "he_normal" else INITIALIZERS.get(value, value)

    def _guess_layout(self, given: Given, explicit: Any) -> None:
        """Take an input such as (1, 28, 28) as channels first where nothing says otherwise."""
        session, shape = self.session, given.shape
        if session.chose_layout or explicit or shape is None or len(shape) != 3:
            return
        session.chose_layout = True
        looks_first = shape[0] in (1, 3) and all(size and size > 3 for size in shape[1:])
        if looks_first and session.layout == "channels_last":
            session.layout = "channels_first"
            session.note(f"input {shape} is read as channels first: nothing in the script says so")


def _given(words: Mapping[str, Any], layout: str) -> Given:
    shape = words.get("input_shape")
    if "batch_input_shape" in words:
        shape = words["batch_input_shape"][1:]
    elif words.get("input_dim") is not None:
        shape = (words["input_dim"],)
    shape = (shape,) if isinstance(shape, int) else shape
    return Given(shape=None if shape is None else tuple(shape), layout=layout,
                 weights=words.get("weights"))  # fmt: skip


def hard_sigmoid(x: Tensor) -> Tensor:
    """Return clip(0.2 x + 0.5, 0, 1): Keras's up to 2; Keras 3's is clip(x / 6 + 0.5, 0, 1)."""
    return torch.clamp(0.2 * x + 0.5, 0, 1)


def activation(session: KerasSession, value: Any) -> Any:
    """Return an activation in native words."""
    if value == "hard_sigmoid" and session.version.name != "keras3":
        return hard_sigmoid
    return ACTIVATIONS.get(value, value) if isinstance(value, str) else value


def first_input(session: KerasSession, layer: Any) -> Symbol | None:
    """Return the input that the first layer of a Sequential asks for, if it does."""
    given = session.given.get(layer) if isinstance(layer, Layer) else None
    if given is None or given.shape is None:
        return None
    return Input(given.shape, data_format=given.layout or session.layout)


def put_weights(session: KerasSession, layer: Any) -> None:
    """Give a layer the weights that its constructor was given."""
    given = session.given.get(layer) if isinstance(layer, Layer) else None
    if given is not None and given.weights is not None and layer.built:
        layer.set_weights(given.weights)


def _merge(aliases: Mapping[str, Alias], title: str) -> Callable[..., Any]:
    def merge(inputs: Any, mode: str = "sum", **words: Any) -> Any:
        """Return Keras 1's merge of symbols."""
        if mode not in MERGES:
            raise DialectError(
                f"{title} merge",
                f"there is no mode {mode!r}",
                need="one of " + ", ".join(MERGES),
                fix=nearest(mode, MERGES) or "natively: L.Lambda(function)([a, b])",
                at=caller(),
            )
        return aliases[MERGES[mode]](**words)(inputs)

    return merge


def _function(alias: Alias) -> Callable[..., Any]:
    def merged(inputs: Any, **words: Any) -> Any:
        return alias(**words)(inputs)

    return merged


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.layers`."""
    aliases = {name: Alias(session, row, name) for row in LAYERS for name in row.names}
    functions = {word: _function(aliases[name]) for word, name in FUNCTIONS.items()}
    old = {"merge": _merge(aliases, session.version.title)} if session.version.old else {}

    def keras_input(
        shape: Any = None, batch_shape: Any = None, name: str | None = None, dtype: Any = None
    ) -> Symbol:
        """Return the symbol where a network begins."""
        shape = batch_shape[1:] if shape is None else shape
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        name = name or session.name("input")
        return Input(shape, dtype or "float32", data_format=session.layout, name=name)

    def input_layer(input_shape: Any = None, **words: Any) -> Symbol:
        """Return the same, in the words of InputLayer."""
        return keras_input(input_shape, **words)

    return {
        **aliases, **functions, **old, "Input": keras_input, "InputLayer": input_layer,
        "Layer": Layer,
    }  # fmt: skip
