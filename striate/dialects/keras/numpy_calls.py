"""NumPy's functions and arrays beside tensors: functions call methods of the same names, with words
that torch has not; of an array and a tensor, operators make a tensor.

`np.min(tensor)` calls `tensor.min(axis=None, out=None)`; with such words it is NumPy's own method.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import Parameter

from ..dialect import Patch
from ..symbolic import tensor

WORDS = frozenset(("out", "order", "kind", "mode", "decimals"))
METHODS = ("min", "max", "sum", "mean", "std", "var", "prod", "any", "all", "argmax", "argmin",
           "cumsum", "cumprod", "round", "clip", "reshape", "argsort", "take", "squeeze", "ptp",
           "repeat", "transpose")  # fmt: skip

OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")


def operator(name: str) -> Callable[[Tensor, Any], Any]:
    """Return an operator of a tensor that also takes arrays."""
    plain = getattr(Tensor, name)

    def act(self: Tensor, other: Any) -> Any:
        return plain(self, tensor(other) if isinstance(other, np.ndarray) else other)

    return functools.wraps(plain)(act)


def _called(name: str) -> Callable[..., Any]:
    plain = getattr(Tensor, name, None)

    def method(self: Tensor, *args: Any, **words: Any) -> Any:
        """Return what torch gives, or NumPy where it asks."""
        if plain is None or WORDS & set(words) or _of_numpy(name, self, args, words):
            return getattr(np.asarray(self), name)(*args, **words)
        return plain(self, *args, **words)

    return functools.wraps(plain)(method) if plain else method


def _of_numpy(name: str, x: Tensor, args: tuple[Any, ...], words: dict[str, Any]) -> bool:
    """Return whether a call has the form of NumPy's, without a word that says so."""
    if name == "repeat":
        return "axis" in words
    if name == "transpose":  # np.transpose(x, axes)
        return len(args) == 1 or (not args and not words)
    return False


def patches(printed: bool) -> list[Patch]:
    """Return the methods; `printed`, whether tensors print as TensorFlow's."""
    shown: list[Patch] = [
        (Tensor, "__repr__", _repr), (Tensor, "__str__", _str), (Tensor, "__format__", _format),
    ]  # fmt: skip
    operators = [f"__{side}{name}__" for name in OPERATORS for side in ("", "r")]
    operators += [f"__{name}__" for name in ("gt", "ge", "lt", "le")]
    return [
        *((Tensor, name, operator(name)) for name in operators),
        *((Tensor, name, _called(name)) for name in METHODS), *(shown if printed else ()),
    ]  # fmt: skip


def _told(x: Tensor) -> tuple[str, str]:
    """Return the numbers, and shape and dtype, as TensorFlow says them."""
    array = np.asarray(x)
    return str(array), f"shape={tuple(x.shape)}, dtype={array.dtype}"


def _str(self: Tensor) -> str:
    if self.is_meta or isinstance(self, Parameter):
        return _repr(self)
    text, about = _told(self)
    return f"tf.Tensor({chr(10) if chr(10) in text else ''}{text}, {about})"


def _repr(self: Tensor, **words: Any) -> str:
    if self.is_meta:
        return f"<tf.Tensor: shape={tuple(self.shape)}>"
    _, about = _told(self)
    numbers = repr(np.asarray(self)) if self.dim() else str(np.asarray(self))
    if isinstance(self, Parameter):
        name = vars(self).get("word") or "Variable:0"
        return f"<tf.Variable {name!r} {about.replace(', d', ' d')}, numpy={numbers}>"
    return f"<tf.Tensor: {about}, numpy={numbers}>"


def _format(self: Tensor, spec: str) -> str:
    if self.is_meta:
        return _repr(self)
    array = np.asarray(self)
    return format(array[()] if not array.ndim else array, spec)
