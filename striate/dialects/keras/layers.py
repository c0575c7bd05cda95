"""Layers of a Keras script: calls in the words of any version give native layers."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import layers as native
from ...core.layer import Layer, snake
from ...core.symbol import Input, Symbol
from ...errors import caller, nearest
from ...layers.norm import BATCH
from ...regularizers import get as penalty_of
from ...store.keras_words import OF_SCRIPTS
from ..symbolic import kind, record
from ..table import DialectError, Row, translate
from . import (
    applications_newest,
    augment,
    augment_mixed,
    custom as keras_custom,
    extra as keras_extra,
    lookups,
    newer,
    oldest,
    small,
    spectral,
)
from .bound import bind
from .layouts import guess_layout
from .order import Inputs, InputSpec
from .recurrent_rows import rows as recurrent_rows
from .rows import FAMILIES, FUNCTIONS, LAYERS, MERGES
from .session import LAYOUTS, Given, KerasSession
from .words import activation, initializer

OF_INPUT = ("input_shape", "batch_input_shape", "input_dim", "weights", "dtype", "input_dtype",
            "batch_size", "activity_regularizer")  # fmt: skip
WHOLE = ("filters", "units", "kernel_size", "strides", "pool_size", "dilation_rate", "n", "size",
         "target_shape", "dims", "depth_multiplier")  # fmt: skip
SEQUENCES = ("LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU", "Bidirectional", "Conv1D",
             "TimeDistributed", "MaxPooling1D", "LocallyConnected1D", "Masking")  # fmt: skip
SIDES = ("kernel_size", "strides", "dilation_rate", "pool_size")
PADDING_WORDS = (("top_pad", "bottom_pad"), ("left_pad", "right_pad"))


class Alias:
    """A layer class of a dialect: called, it gives the native layer."""

    def __init__(
        self, session: KerasSession, row: Row, name: str, target: type[Layer] | None = None
    ) -> None:
        self.session, self.row, self.__name__ = session, row, name
        self.native: type[Layer] = target or getattr(native, row.target)
        self.known = tuple(inspect.signature(self.native.__init__).parameters)[1:]
        self.__doc__ = self.native.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Layer:
        """Return the native layer for a call in the dialect's words."""
        words, given, named = self.read(args, kwargs)
        layer = self.native(**words)
        self.name(layer, named)
        self.session.given[layer] = given
        if given.activity is not None:  # where files look for it
            vars(layer)["activity_regularizer"] = penalty_of(given.activity)
        if self.row.target in OF_SCRIPTS:
            order = zip(self.row.order, given.config["args"], strict=False)
            told = {key: one for key, one in given.config.items() if key != "args"}
            vars(layer)["called_with"] = {**dict(order), **told}
        return layer

    def of_file(self, **words: Any) -> Layer:
        """Return the layer of a file, which says also what it was not told."""
        return self(**{key: value for key, value in words.items() if value is not None})

    def read(self, args: Any, kwargs: dict[str, Any]) -> tuple[dict[str, Any], Given, str | None]:
        """Return native words for a call, what belongs elsewhere natively, and the name."""
        session, row = self.session, self.row
        if session.version.old:
            args, kwargs, told = oldest.without_input(row, args, kwargs)
            kwargs = {**told, **kwargs}
        length = self._length(kwargs)
        own = self.known if self.row.target == "Embedding" else ()  # it has an input_dim itself
        about_input = {
            word: kwargs.pop(word) for word in OF_INPUT if word in kwargs and word not in own
        }
        about_input |= length
        named = kwargs.pop("name", None)
        said = dict(kwargs)
        args, kwargs = self._sides(args, kwargs)
        if self.__name__.startswith("Lambda"):
            args, kwargs = _bound(args, kwargs, session.version.old)
        old = session.version.old and row.old_order
        order = row.old_order if old else row.order
        if "weights" in order[: len(args)]:
            about_input["weights"] = args[order.index("weights")]
        row = (
            Row(**{**vars(row), "order": order, "dropped": (*row.dropped, "weights")})
            if old
            else row
        )
        words = translate(
            session.version.title, row, self.__name__, args, kwargs, self.known, session.note
        )
        words = {word: self._value(word, value) for word, value in words.items()}
        if words.get("padding") == "full":  # every place where kernel and image meet
            sides = words["kernel_size"]
            words["padding"] = (
                sides - 1 if isinstance(sides, int) else tuple(side - 1 for side in sides)
            )
        words |= self._ranked(words)
        explicit = words.get("data_format")
        given = _given(about_input, explicit or "", {**said, "args": args}, self.__name__)
        if row.spatial and "data_format" in self.known:
            self._guess_layout(given, explicit)
            steps = row.target.endswith("1D") and session.version.name != "keras3"
            words["data_format"] = explicit or ("channels_last" if steps else session.layout)
        said = {w: value for w, value in words.items() if value is not None or w in row.meant}
        return said, given, named

    def _ranked(self, words: Mapping[str, Any]) -> dict[str, Any]:
        """Return sizes of windows as scripts read them of a layer: one number for each axis."""
        rank = int(self.row.target[-2]) if self.row.target[-2:] in ("1D", "2D", "3D") else 0
        fields = inspect.signature(self.native.__init__).parameters
        sizes = {word: words.get(word, fields[word].default) for word in SIDES if word in fields}
        if sizes.get("strides", 0) is None:
            sizes["strides"] = sizes["pool_size"]
        return {word: (size,) * rank for word, size in sizes.items()
                if rank and isinstance(size, int)}  # fmt: skip

    def _length(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the shape of a sequence, of which only `input_length` and `input_dim` are said."""
        length, width = kwargs.get("input_length"), kwargs.get("input_dim")
        if self.row.target == "Embedding":
            said = "input_shape" in kwargs or "batch_input_shape" in kwargs
            deferred = self.session.version.name == "keras3" and length is None
            length = tuple(length) if isinstance(length, (list, tuple)) else (length,)
            return {} if said or deferred else {"input_shape": length}
        if width is None or not (self.row.target in SEQUENCES or length is not None):
            return {}
        return {"input_shape": (length, width), "input_dim": None}

    def name(self, layer: Layer, named: str | None) -> None:
        """Name a layer as the script does, or count it as the version does."""
        if named:
            layer.name = named
        else:
            layer.rename(self.session.name(self._prefix()))

    def from_config(self, config: Mapping[str, Any]) -> Layer:
        """Return a layer for what `get_config` gave."""
        return self(**config)

    def __instancecheck__(self, item: Any) -> bool:
        return isinstance(item, self.native)

    def __subclasscheck__(self, item: type) -> bool:
        return issubclass(item, self.native)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (keras_custom.derived(self),)

    def _prefix(self) -> str:
        if not self.session.version.old:
            return snake(self.native.__name__)
        name = self.__name__.replace("Conv1D", "Convolution1D").replace("Conv2D", "Convolution2D")
        return name.lower()

    def _sides(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return a call such as Conv2D(64, 3, 3) with its two numbers as one kernel."""
        names = self.row.folds.get("kernel_size", ())
        count, old = len(names), self.session.version.old
        if not names or not self.session.version.folds:
            return args, kwargs
        sides = args[1 : 1 + count]
        if len(sides) < count or not all(isinstance(side, (int, np.integer)) for side in sides):
            if (
                old and len(args) > 1 and not isinstance(args[1], (int, np.integer))
            ):  # Conv2D(32, (3, 3))
                kwargs = {**kwargs, **dict(zip(("kernel_size", *self.row.order[2:]), args[1:],
                                               strict=False))}  # fmt: skip
                args = args[:1]
            return args, kwargs
        rest = args[1 + count :]
        if rest and not old:
            raise DialectError(
                f"{self.session.version.title} {self.__name__}",
                "arguments after the kernel's sides must be named",
                got=", ".join(map(repr, args)),
                need=f"{self.__name__}(filters, {', '.join(names)}, name=value, ...)",
                fix='init="glorot_uniform", activation="relu"',
                at=caller(),
            )
        return (args if old else (args[0], sides)), kwargs

    def _value(self, word: str, value: Any) -> Any:
        """Return a value in native words."""
        if word == "data_format":
            return None if value == "default" else LAYOUTS.get(value, value)
        if word in ("padding", "cropping"):
            return value.lower() if isinstance(value, str) else _frame(value)
        if word.endswith("_initializer"):
            return initializer(self.session, value)
        if word.endswith("activation"):
            return activation(self.session, value)
        if word in WHOLE:
            return _whole(value)
        if word == "axis" and isinstance(value, (list, tuple)) and len(value) == 1:
            return int(value[0])
        return tuple(value) if isinstance(value, list) else value

    def _guess_layout(self, given: Given, explicit: Any) -> None:
        """Take an input such as (1, 28, 28) as channels first where nothing says otherwise."""
        session, shape = self.session, given.shape
        if session.chose_layout or explicit or shape is None or len(shape) != 3:
            return
        guess_layout(session, shape)


def _bound(args: Any, kwargs: dict[str, Any], old: bool) -> tuple[Any, dict[str, Any]]:
    """Return the call of a Lambda whose `arguments` are bound to its function."""
    at = 2 if old else 3
    more = args[at] if len(args) > at else kwargs.pop("arguments", None)
    args, kwargs = args[:1], {key: v for key, v in kwargs.items() if key != "arguments"}
    function = args[0] if args else kwargs.pop("function")
    if more:
        plain = function

        def function(x: Any) -> Any:
            return plain(x, **more)

    return (function,), kwargs


def _whole(value: Any) -> Any:
    """Return numbers of NumPy, and those that Python 2's division left whole, as int."""
    if isinstance(value, (list, tuple)):
        return tuple(_whole(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return operator.index(value)
    except TypeError:
        return value


def _frame(value: Any) -> Any:
    """Return the frame of ZeroPadding or Cropping, of which Keras 1 has two more forms."""
    if isinstance(value, Mapping):
        return tuple(tuple(value.get(side, 0) for side in pair) for pair in PADDING_WORDS)
    if isinstance(value, (list, tuple)):
        value = tuple(_frame(item) for item in value)
        if len(value) == 4 and all(isinstance(item, int) for item in value):
            return value[:2], value[2:]
    return _whole(value)


def _given(words: Mapping[str, Any], layout: str, config: Any, name: str) -> Given:
    shape = words.get("input_shape")
    if words.get("batch_input_shape") is not None:
        shape = words["batch_input_shape"][1:]
    elif words.get("input_dim") is not None:
        shape = (words["input_dim"],)
    shape = (shape,) if isinstance(shape, int) else shape
    return Given(
        None if shape is None else tuple(_whole(size) for size in shape),
        layout, words.get("weights"), words.get("activity_regularizer"), config, name,
    )  # fmt: skip


def first_input(session: KerasSession, layer: Any) -> Symbol | None:
    """Return the input that the first layer of a Sequential asks for, if it does."""
    given = session.of(layer)
    if given.shape is not None:
        return Input(given.shape, data_format=given.layout or session.layout,
                     name=f"{layer.name}_input")  # fmt: skip
    learned = isinstance(layer, native.Normalization) and layer.adapted and layer.specs
    if learned and session.version.name == "tf":  # of data, whose shape it knows
        return Input(layer.specs[0].shape, data_format=session.layout, name=f"{layer.name}_input")
    graph: Any = getattr(layer, "_graph", None)  # of a model
    if graph is not None:
        spec = graph.inputs[0].spec
        return Input(spec.shape, spec.dtype, data_format=spec.data_format,
                     name=f"{layer.name}_input")  # fmt: skip
    return None


def put_weights(session: KerasSession, layer: Any) -> None:
    """Give a layer the weights that its constructor was given, once."""
    given = session.of(layer)
    if given.weights is not None and layer.built:
        layer.set_weights(given.weights)
        session.given[layer] = Given(**{**vars(given), "weights": None})


def _merge(session: KerasSession, aliases: Mapping[str, Any]) -> Callable[..., Any]:
    def merge(inputs: Any, mode: Any = "sum", concat_axis: int = -1, dot_axes: Any = -1,
              output_shape: Any = None, output_mask: Any = None, arguments: Any = None,
              name: str | None = None) -> Any:  # fmt: skip
        """Return Keras 1's merge of symbols."""
        if callable(mode):
            name = name or session.name("merge")
            return aliases["Lambda"](mode, arguments=arguments or {}, name=name)(inputs)
        if mode not in MERGES:
            raise DialectError(
                f"{session.version.title} merge",
                f"there is no mode {mode!r}",
                need="one of " + ", ".join(MERGES),
                fix=nearest(mode, MERGES) or "natively: L.Lambda(function)([a, b])",
                at=caller(),
            )
        words: dict[str, Any] = {"axis": concat_axis} if mode == "concat" else {}
        words |= {"axes": dot_axes} if mode in ("dot", "cos") else {}
        words |= {"normalize": True} if mode == "cos" else {}
        return kinds[MERGES[mode]](**words, name=name)(inputs)

    kinds = {name: Alias(session, aliases[name].row, "Merge") for name in MERGES.values()}
    return merge


def _function(alias: Alias) -> Callable[..., Any]:
    def merged(inputs: Any, *args: Any, **words: Any) -> Any:
        return alias(*args, **words)(inputs)

    return merged


def make_input(session: KerasSession) -> Callable[..., Symbol]:
    """Return the function of `Input`, in the words of any version."""

    def keras_input(shape: Any = None, batch_size: Any = None, name: str | None = None,
                    dtype: Any = None, sparse: bool = False, tensor: Any = None,
                    batch_shape: Any = None, batch_input_shape: Any = None,
                    input_shape: Any = None, **words: Any) -> Symbol:  # fmt: skip
        """Return the symbol where a network begins."""
        if tensor is not None:
            return bind(session, tensor, name or session.name(session.version.words[0]))
        if isinstance(batch_size, (tuple, list)):  # Input(shape, batch_shape) of Keras 1 and 2
            batch_shape = batch_size
        whole = batch_shape if batch_shape is not None else batch_input_shape
        shape = shape if shape is not None else input_shape
        shape = whole[1:] if shape is None and whole is not None else shape
        shape = (shape,) if isinstance(shape, int) else _whole(tuple(shape or ()))
        if not session.chose_layout and len(shape) == 3:
            guess_layout(session, shape)
        if str(dtype) == "string":
            raise lookups.no_texts("Input", f"dtype={dtype!r}")
        dtype = str(kind(dtype or "float32")).removeprefix("torch.")
        fixed = whole[0] if whole is not None else batch_size
        session.batch = fixed if isinstance(fixed, int) else session.batch
        name = name or session.name(session.version.words[0])
        steps = session.version.old and len(shape) < 3  # which Keras 1 has before the channels
        layout = "channels_last" if steps else session.layout
        return Input(shape, dtype, data_format=layout, name=name)

    return keras_input


def families(session: KerasSession) -> dict[str, dict[str, Any]]:
    """Return the names of `keras.layers` and, by their names, of the modules below it."""
    custom = keras_custom.make_classes(session)
    kinds = {"BatchNormalization": Normal}
    aliases: dict[str, Any] = {
        name: kinds.get(row.target, Alias)(session, row, name, custom.get(row.target))
        for row in LAYERS
        for name in row.names
    }
    for name in next(row for row in LAYERS if row.target == "BatchNormalization").names:
        alone = Alias(session, aliases["LayerNormalization"].row, name)
        aliases[name].alone = alone if session.version.old else None
    found = keras_extra.make(session, custom["Layer"])
    changes = augment.rows(session, custom["Layer"])
    changes |= augment_mixed.rows(session, custom["Layer"], changes)
    more_rows = {"normalization": spectral.rows(session, custom["Layer"]),
                 "core": small.rows(session, custom["Layer"]),
                 "preprocessing": changes | newer.rows(session, custom["Layer"]),
                 "merge": applications_newest.rows(session, custom["Layer"])}  # fmt: skip
    for family, more in (*recurrent_rows(session).items(), *more_rows.items()):
        found[family] = {**found.get(family, {}), **more}
    extra = {
        family: {name: Alias(session, row, name, made) for name, (row, made) in rows.items()}
        for family, rows in found.items()
    }
    session.readable |= {
        made.__name__: made for rows in found.values() for _, made in rows.values()
        if getattr(made, "of_keras", False)
    }  # fmt: skip
    session.readable |= {
        name: alias.of_file for rows in extra.values() for name, alias in rows.items()
        if name in OF_SCRIPTS
    }  # fmt: skip
    functions = {word: _function(aliases[name]) for word, name in FUNCTIONS.items()}
    merge = _merge(session, aliases)
    old = {"merge": merge, "Merge": keras_extra.merge_class(merge)} if session.version.old else {}
    begin = make_input(session)
    base = {
        "Layer": custom["Layer"],
        "Input": begin,
        "InputLayer": Inputs(begin),
        "InputSpec": InputSpec,
        **lookups.NAMES,
    }
    made = {
        family: {**base, **{name: aliases[name] for row in rows for name in row.names},
                 **extra.get(family, {})}
        for family, rows in FAMILIES.items()
    }  # fmt: skip
    made["merge"] |= functions | old
    made |= {family: {**base, **rows} for family, rows in extra.items() if family not in FAMILIES}
    every = {name: value for names in made.values() for name, value in names.items()}
    made["core"] |= old
    return {"": every, **made}


class Normal(Alias):
    """BatchNormalization, of which Keras 1 has two more kinds.

    That of mode=1 looks at each sample alone; that of mode=2 normalises by the batch in tests too.
    """

    alone: Alias | None = None  # the layer for it

    def __call__(self, *args: Any, **kwargs: Any) -> Layer:
        """Return the native layer; with mode=1, the one that normalises samples."""
        if self.alone is None:
            return super().__call__(*args, **kwargs)
        args, kwargs, told = oldest.without_input(self.row, args, kwargs)
        named = {**told, **dict(zip(self.row.old_order, args, strict=False)), **kwargs}
        mode = named.pop("mode", 0)
        if mode != 1:
            layer = super().__call__(**named, **({"mode": mode} if mode != 2 else {}))
            vars(layer).update({"tested_by": BATCH} if mode == 2 else {})
            return layer
        known = {"epsilon": 1e-3} | {
            self.row.renamed.get(word, word): value for word, value in named.items()
            if word not in ("axis", "momentum", "weights")
        }  # fmt: skip
        return self.alone(**known, axis=-1)


__all__ = ["Alias", "families", "first_input", "make_input", "put_weights", "record"]
