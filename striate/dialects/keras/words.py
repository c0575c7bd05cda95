"""Words of a Keras script for activations, initial values, penalties and limits."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ... import constraints, initializers, regularizers
from ...core.layer import Layer
from ...layers.activation import FUNCTIONS, hard_sigmoid_of_keras_2
from .. import tensor_nn as nn
from ..symbolic import lift, tensor
from ..tensor_nn import hard_sigmoid
from ..tensor_numpy import glu, sparsemax
from .replaced import replaced_activation
from .session import KerasSession

SPELLINGS = {  # of initial values
    "zero": "zeros", "one": "ones", "normal": "random_normal", "uniform": "random_uniform",
}  # fmt: skip
HALF_TENTH = {
    "random_normal": {"stddev": 0.05},
    "random_uniform": {"minval": -0.05, "maxval": 0.05},
}
PLAIN = {  # Keras 1's normal distributions are not cut
    "he_normal": (2.0, "fan_in"), "glorot_normal": (1.0, "fan_avg"),
    "lecun_normal": (1.0, "fan_in"),
}  # fmt: skip
UNUSED = ("dtype", "input_axes", "output_axes")  # of initial values: axes say what is usual
CLASSES = {
    "Zeros": "Zeros", "Ones": "Ones", "Constant": "Constant", "RandomNormal": "RandomNormal",
    "RandomUniform": "RandomUniform", "TruncatedNormal": "TruncatedNormal", "Identity": "Identity",
    "Orthogonal": "Orthogonal", "VarianceScaling": "VarianceScaling",
    "GlorotUniform": "GlorotUniform", "GlorotNormal": "GlorotNormal", "HeNormal": "HeNormal",
    "HeUniform": "HeUniform", "LecunNormal": "LecunNormal", "LecunUniform": "LecunUniform",
}  # fmt: skip


class Own:
    """What a script derives its own initializers, penalties and limits from."""

    def __call__(self, *args: Any, **words: Any) -> Any:
        """Return what the script's own class says."""
        raise TypeError(f"{type(self).__name__} does not define __call__")

    def get_config(self) -> dict[str, Any]:
        """Return nothing: a script's own class says what it was made with."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return an object of this configuration."""
        return cls(**config)


def initializer(session: KerasSession, value: Any) -> Any:
    """Return an initial value in native words."""
    if isinstance(value, dict):
        config = dict(value.get("config", {}))
        return initializer(session, str(value.get("class_name", value.get("name")))) if not config \
            else _of_class(str(value["class_name"]), config)  # fmt: skip
    if isinstance(value, str):
        word = SPELLINGS.get(value, value)
        if session.version.old and word in PLAIN:
            return initializers.VarianceScaling(*PLAIN[word], "untruncated_normal")
        if word in HALF_TENTH:
            return initializers.NAMES[word](**HALF_TENTH[word])
        return word
    if isinstance(value, type) and issubclass(value, (Own, initializers.Initializer)):
        value = value()
    if isinstance(value, initializers.Initializer) or not callable(value):
        return value
    return initializers.FromFunction(_accepting(value))


def _of_class(name: str, config: dict[str, Any]) -> Any:
    made = getattr(initializers, name)
    known = inspect.signature(made).parameters
    return made(**{key: item for key, item in config.items() if key in known})


def _accepting(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """Return a function of a shape; a script's is given only the words it takes."""
    names = inspect.signature(function).parameters
    words: dict[str, Any] = {"dtype": "float32"} if "dtype" in names else {}
    words |= {"dim_ordering": "tf"} if "dim_ordering" in names else {}
    words |= {"name": None} if "name" in names else {}  # of the weight, in Keras 1

    def draw(shape: Any, **other: Any) -> Tensor:
        made: Tensor = tensor(function(tuple(shape), **words)).detach().float()
        return made

    return draw


class Given:
    """Begins with numbers that are given, such as the vectors of words."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, shape: Any, **words: Any) -> Tensor:
        """Return them in a shape."""
        return torch.as_tensor(np.asarray(self.value), dtype=torch.float32).reshape(tuple(shape))


def initializer_names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.initializers`."""

    def maker(name: str) -> Callable[..., Any]:
        made = getattr(initializers, name)
        known = tuple(inspect.signature(made).parameters)
        defaults = HALF_TENTH.get(name and _snake(name), {})

        def make(*args: Any, **words: Any) -> Any:
            words = {key: one for key, one in words.items() if key not in UNUSED}
            given = {**defaults, **dict(zip(known, args, strict=False)), **words}
            if name == "Constant" and np.ndim(given.get("value", 0)):
                return Given(given["value"])
            return made(**given)

        make.__name__ = name
        return make

    classes = {name: maker(native) for name, native in CLASSES.items()}
    small = {_snake(name): classes[name] for name in classes}
    functions = {word: small[SPELLINGS.get(word, word)] for word in (*small, *SPELLINGS)}
    return {
        **functions, **classes, "Initializer": Own, **{
            f"{name}Initializer": classes[name] for name in ("Identity", "Orthogonal")},
        "get": lambda identifier: initializers.get(initializer(session, identifier)),
    }  # fmt: skip


def initializations(session: KerasSession) -> dict[str, Any]:
    """Return Keras 1's functions, which draw a variable of a shape."""

    def drawn(word: str) -> Callable[..., Tensor]:
        def draw(shape: Any, scale: float = 0.05, name: Any = None, **words: Any) -> Tensor:
            if word == "normal":
                value = torch.randn(tuple(shape)) * scale
            elif word == "uniform":
                value = (torch.rand(tuple(shape)) * 2 - 1) * scale
            else:
                value = initializers.get(initializer(session, word))(tuple(shape))
            return torch.nn.Parameter(value)  # a variable, which a layer may keep as a weight

        draw.__name__ = word
        return draw

    words = ("zero", "one", "normal", "uniform", "identity", "orthogonal", "glorot_uniform",
             "glorot_normal", "he_uniform", "he_normal", "lecun_uniform")  # fmt: skip
    made = {word: drawn(word) for word in words}
    return {**made, "get": lambda identifier: made.get(identifier, identifier)}


def _snake(name: str) -> str:
    from ...core.layer import snake

    return snake(name)


# ---- activations ---------------------------------------------------------------------------------


def activation(session: KerasSession, value: Any) -> Any:
    """Return an activation in native words: the name of a function that is one."""
    value = replaced_activation(session, value) if session.replaced else value
    if isinstance(value, str):
        word = {"swish": "silu"}.get(value.lower(), value.lower())
        if word == "glu":
            return glu
        return (
            hard_sigmoid_of_keras_2
            if word == "hard_sigmoid" and session.version.name != "keras3"
            else word
        )
    return value if isinstance(value, Layer) else getattr(value, "activation", value)


def activation_names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.activations`, as functions."""
    made = {name: named_activation(name, function) for name, function in FUNCTIONS.items()}
    if session.version.name != "keras3":
        made["hard_sigmoid"] = lift(hard_sigmoid)
    return {
        **made, "relu": relu,
        "get": lambda identifier: (
            made["linear"] if identifier is None else made.get(identifier, identifier)),
        "serialize": lambda activation: getattr(activation, "activation", activation),
        "deserialize": lambda config, custom_objects=None: (custom_objects or {}).get(
            config, made.get(config)),
    }  # fmt: skip


SHAPED: dict[str, Callable[..., Tensor]] = {  # functions with arguments of their own
    "softmax": lambda x, axis=-1: x.softmax(axis), "elu": nn.elu,
    "log_softmax": lambda x, axis=-1: x.log_softmax(axis), "sparsemax": sparsemax,
    "leaky_relu": lambda x, negative_slope=0.2: functional.leaky_relu(x, negative_slope),
    "gelu": nn.gelu, "celu": lambda x, alpha=1.0: functional.celu(x, alpha),
    "hard_shrink": lambda x, threshold=0.5: functional.hardshrink(x, threshold),
    "soft_shrink": lambda x, threshold=0.5: functional.softshrink(x, threshold),
    "squareplus": lambda x, b=4: (x + (x * x + b).sqrt()) / 2,
}  # fmt: skip


def named_activation(word: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of tensors and symbols that layers take by its name."""

    def act(x: Any, *args: Any, name: Any = None, dim: Any = None, **words: Any) -> Any:
        """Compute; `name` is one of TensorFlow's nodes, `dim` its older word for the axis."""
        x = tensor(x)
        x = x if x.is_floating_point() else x.float()
        words |= {} if dim is None else {"axis": dim}
        words = {key: value for key, value in words.items() if value is not None}
        return (SHAPED.get(word, function) if args or words else function)(x, *args, **words)

    act.__name__ = word
    made = lift(act, lambda *args, **words: _layer(word) if not (args or words) else None)
    made.activation = word  # type: ignore[attr-defined]
    return made


def _layer(name: str) -> Any:
    from ...layers import Activation

    return Activation(name)


def _relu() -> Callable[..., Any]:
    from ..tensor_nn import relu as plain

    def native(*args: Any, **words: Any) -> Any:
        from ...layers import ReLU

        names = ("negative_slope", "max_value", "threshold")
        given = dict(zip(names, args, strict=False))
        given |= {"negative_slope" if key == "alpha" else key: item for key, item in words.items()}
        if not any(given.values()):
            return _layer("relu")
        return ReLU(**{key: item for key, item in given.items() if item is not None})

    made = lift(plain, native)
    made.activation = "relu"  # type: ignore[attr-defined]
    return made


relu = _relu()


# ---- penalties and limits ------------------------------------------------------------------------


def penalties() -> dict[str, Any]:
    """Return the names of `keras.regularizers`."""

    def both(l1: float = 0.01, l2: float = 0.01) -> Any:
        return regularizers.L1L2(l1, l2)

    def one(name: str) -> Callable[..., Any]:
        def make(factor: float = 0.01, l: float | None = None, **words: float) -> Any:  # noqa: E741
            value = words.get(name.lower(), factor if l is None else l)
            return getattr(regularizers, name)(float(value))

        return make

    def weight(l1: float = 0.0, l2: float = 0.0) -> Any:
        return regularizers.L1L2(l1, l2)

    l1, l2 = one("L1"), one("L2")
    return {
        "l1": l1, "l2": l2, "L1": l1, "L2": l2, "l1_l2": both, "l1l2": both, "L1L2": weight,
        "WeightRegularizer": weight, "activity_l1": l1, "activity_l2": l2, "activity_l1l2": both,
        "ActivityRegularizer": weight, "Regularizer": Own,
        "OrthogonalRegularizer": regularizers.OrthogonalRegularizer,
        "orthogonal_regularizer": regularizers.OrthogonalRegularizer,
        "get": regularizers.get,
    }  # fmt: skip


def limits() -> dict[str, Any]:
    """Return the names of `keras.constraints`."""

    def max_norm(max_value: float = 2, axis: Any = 0, m: float | None = None) -> Any:
        return constraints.MaxNorm(max_value if m is None else m, axis)

    def min_max(min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0,
                axis: Any = 0) -> Any:  # fmt: skip
        return constraints.MinMaxNorm(min_value, max_value, rate, axis)

    non_neg, unit = constraints.NonNeg, constraints.UnitNorm
    return {
        "max_norm": max_norm, "maxnorm": max_norm, "MaxNorm": max_norm,
        "non_neg": non_neg, "nonneg": non_neg, "NonNeg": non_neg,
        "unit_norm": unit, "unitnorm": unit, "UnitNorm": unit,
        "min_max_norm": min_max, "MinMaxNorm": min_max, "Constraint": Own,
        "get": constraints.get,
    }  # fmt: skip


def array(value: Any) -> Any:
    """Return a NumPy array of a tensor, or of what is none."""
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
