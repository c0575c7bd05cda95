"""A network of ReNom that is code, in native layers: what it computes, followed call by call."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ... import layers as L
from ...core.layer import Layer
from ...core.symbol import Input, Symbol
from ...errors import StriateError
from ...model import Model as NativeModel
from .activations import ROWS
from .node import Node, tensor_of

SAMPLES = 3  # of noise: what is followed, and what both networks must agree on
SIZES = ("to", "zeros_like", "ones_like")  # calls that take no more than the form of a tensor
TINY = 1e-3  # BatchNormalization's epsilon, which its variance makes up for


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor: a symbol, or its products with a kernel, times `scale`, plus `shift`.

    Fields: `make` returns the layer of the products, with a bias or without one; the last axis of
    `kernel` is that of the outputs; scale and shift are a number, or one for each channel.
    """

    symbol: Symbol
    make: Callable[[bool], Layer] | None = None
    kernel: Tensor | None = None
    scale: Tensor | None = None
    shift: Tensor | None = None


class UnknownCallError(Exception):
    """A call has no native layer."""


class Follower(TorchFunctionMode):
    """Puts a native layer in the place of each call that is computed while it is there."""

    def __init__(self, x: Tensor, symbol: Symbol) -> None:
        super().__init__()
        self.values = {id(x): (x, Value(symbol))}
        self.weights: list[tuple[Layer, list[Tensor]]] = []
        self.unknown: dict[int, tuple[Tensor, str]] = {}  # and the call that has no layer

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Compute, and note what it is natively."""
        words = dict(kwargs or {})
        out = func(*args, **words)
        given = args[0] if args and isinstance(args[0], (list, tuple)) else args
        name = getattr(func, "__name__", "").strip("_")
        if not isinstance(out, Tensor) or name in SIZES:
            return out
        lost = next((self.unknown[id(one)][1] for one in given if id(one) in self.unknown), "")
        known = any(id(one) in self.values for one in given)
        try:
            if known and not lost:
                self.values[id(out)] = (out, CALLS[name](self, out, *args, **words))
        except (KeyError, TypeError, UnknownCallError, StriateError):
            lost = name
        if lost:
            self.unknown[id(out)] = (out, lost)
        return out

    def value(self, x: Any) -> Value:
        """Return what is known of a tensor."""
        if id(x) not in self.values:
            _, name = self.unknown.get(id(x), (x, "what it gives"))
            raise UnknownCallError(f"there is no native layer for {name}")
        return self.values[id(x)][1]

    def symbol(self, x: Any) -> Symbol:
        """Return the symbol of a tensor, behind a layer for what is known of it."""
        made = self._made(self.value(x))
        self.values[id(x)] = (x, Value(made))
        return made

    def _made(self, value: Value) -> Symbol:
        scale, shift = value.scale, value.shift
        if value.make is not None and value.kernel is not None:
            layer = value.make(shift is not None)
            kernel = value.kernel if scale is None else value.kernel * scale
            spreads = isinstance(layer, L.Conv2DTranspose)  # its last axis is that of the inputs
            numbers = [kernel.transpose(-1, -2) if spreads else kernel]
            numbers += [] if shift is None else [shift.expand(value.kernel.shape[-1])]
        elif scale is None and shift is None:
            return value.symbol
        elif all(one is None or one.numel() == 1 for one in (scale, shift)):
            factor = 1.0 if scale is None else float(scale)
            layer, numbers = L.Rescaling(factor, 0.0 if shift is None else float(shift)), []
        else:
            layer = L.BatchNormalization(axis=1, epsilon=TINY)
            given = (scale, 1.0), (shift, 0.0), (None, 0.0), (None, 1 - TINY)
            numbers = [torch.tensor(plain) if one is None else one for one, plain in given]
        self.weights.append((layer, numbers))
        made: Symbol = layer(value.symbol)
        return made


def followed(model: Any, shape: tuple[int, ...] | None) -> tuple[NativeModel | None, str]:
    """Return the native network of a model for samples of this shape, or why there is none."""
    if shape is None:
        return None, "of which no call was seen"
    symbol = Input(shape, data_format="channels_first") if len(shape) == 3 else Input(shape)
    x = torch.rand(SAMPLES, *shape).requires_grad_()  # so that no part of it runs as a whole
    before = [(part, part.inference) for part in model.iter_models()]
    model.set_models(inference=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()), Follower(x, symbol) as follower:
            expected = tensor_of(model(Node.of(x)))
        made = NativeModel(symbol, follower.symbol(expected))
    except StriateError as error:
        return None, error.what
    except Exception as error:  # the script's own code, which may do anything
        return None, str(error).partition("\n")[0]
    finally:
        for part, inference in before:
            part.inference = inference
    made.eval()
    with torch.no_grad():
        for layer, numbers in follower.weights:
            for mine, number in zip(_weights(layer), numbers, strict=True):
                mine.copy_(number)
        if not torch.allclose(made(x.detach()), expected, rtol=1e-3, atol=1e-4):
            return None, "and its layers give something else"
    return made, ""


def _weights(layer: Layer) -> list[Tensor]:
    return [*layer.parameters(), *layer.buffers()]


# ---- calls ---------------------------------------------------------------------------------------


def _layer(make: Callable[..., Any]) -> Callable[..., Value]:
    def call(follower: Follower, out: Tensor, x: Any, *values: Any, **words: Any) -> Value:
        words.pop("inplace", None)
        return Value(make(*values, *words.values())(follower.symbol(x)))

    return call


def _conv2d(follower: Follower, out: Tensor, x: Any, w: Tensor, bias: Any = None, stride: Any = 1,
            padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Value:  # fmt: skip
    def make(use_bias: bool) -> Layer:
        sizes = tuple(w.shape[2:])
        return L.Conv2D(len(w), sizes, stride, padding, dilation, groups=groups, use_bias=use_bias)

    return Value(follower.symbol(x), make, w.detach().permute(2, 3, 1, 0), None, _vector(bias))


def _transposed(follower: Follower, out: Tensor, x: Any, w: Tensor, bias: Any = None,
                stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
                dilation: Any = 1) -> Value:  # fmt: skip
    if groups != 1:
        raise UnknownCallError

    def make(use_bias: bool) -> Layer:
        sizes = tuple(w.shape[2:])
        return L.Conv2DTranspose(w.shape[1], sizes, stride, padding, output_padding,
                                 dilation_rate=dilation, use_bias=use_bias)  # fmt: skip

    return Value(follower.symbol(x), make, w.detach().permute(2, 3, 0, 1), None, _vector(bias))


def _linear(follower: Follower, out: Tensor, x: Any, w: Tensor, bias: Any = None) -> Value:
    def make(use_bias: bool) -> Layer:
        return L.Dense(len(w), use_bias=use_bias)

    return Value(follower.symbol(x), make, w.detach().t(), None, _vector(bias))


def _matmul(follower: Follower, out: Tensor, x: Any, w: Tensor) -> Value:
    return _linear(follower, out, x, w.t())


def _vector(number: Any, like: Tensor | None = None) -> Tensor | None:
    """Return a constant as a number, or one for each channel."""
    if number is None:
        return None
    constant = torch.as_tensor(number, dtype=torch.float32).detach()
    if like is not None and constant.numel() > 1:
        lined = constant.reshape((1,) * (like.ndim - constant.ndim) + tuple(constant.shape))
        if lined.shape[1] != constant.numel():
            raise UnknownCallError
    return constant.reshape(-1)


def _affine(times: bool, back: bool) -> Callable[..., Value]:
    """Return the call of a sum (or product) with a constant; `back` takes it away (divides)."""

    def call(follower: Follower, out: Tensor, x: Any, y: Any) -> Value:
        both = all(id(one) in follower.values for one in (x, y))
        if both and not back:
            kind = L.Multiply if times else L.Add
            return Value(kind()([follower.symbol(x), follower.symbol(y)]))
        if both or (back and id(y) in follower.values):
            raise UnknownCallError
        x, y = (x, y) if id(x) in follower.values else (y, x)
        constant, value = _vector(y, x), follower.value(x)
        assert constant is not None
        if not times:
            constant = -constant if back else constant
            shift = constant if value.shift is None else value.shift + constant
            return dataclasses.replace(value, shift=shift)
        constant = 1 / constant if back else constant
        return dataclasses.replace(
            value,
            scale=constant if value.scale is None else value.scale * constant,
            shift=None if value.shift is None else value.shift * constant,
        )

    return call


def _flat(follower: Follower, out: Tensor, x: Any, *sizes: Any, **words: Any) -> Value:
    if out.shape == x.shape:
        return follower.value(x)
    if out.shape != (len(x), math.prod(x.shape[1:])):
        raise UnknownCallError
    return Value(L.Flatten()(follower.symbol(x)))


def _pool(kind: type[Layer]) -> Callable[..., Value]:
    def call(follower: Follower, out: Tensor, x: Any, size: Any, stride: Any = None,
             padding: Any = 0, **words: Any) -> Value:  # fmt: skip
        if padding not in (0, (0, 0)) or words.get("return_indices"):
            raise UnknownCallError
        return Value(kind(size, stride)(follower.symbol(x)))  # type: ignore[call-arg]

    return call


def _pad(follower: Follower, out: Tensor, x: Any, pad: Any, mode: str = "constant",
         value: float | None = None) -> Value:  # fmt: skip
    left, right, top, bottom = pad
    if mode != "constant" or value:
        raise UnknownCallError
    return Value(L.ZeroPadding2D(((top, bottom), (left, right)))(follower.symbol(x)))


def _cat(follower: Follower, out: Tensor, parts: Any, dim: int = 0) -> Value:
    if dim != 1:
        raise UnknownCallError
    return Value(L.Concatenate(axis=1)([follower.symbol(part) for part in parts]))


def _part(follower: Follower, out: Tensor, x: Any, key: Any) -> Value:
    """Follow slices of rows and columns: all of them, or those in the middle."""
    if out.shape == x.shape:
        return follower.value(x)
    keys = key if isinstance(key, tuple) else (key,)
    plain = all(isinstance(one, slice) and one.step in (None, 1) for one in keys)
    if not plain or x.ndim != 4 or out.shape[:2] != x.shape[:2]:
        raise UnknownCallError
    ends = [slice(*one.indices(size)) for one, size in zip(keys[2:], x.shape[2:], strict=False)]
    sides = [(one.start, size - one.stop) for one, size in zip(ends, x.shape[2:], strict=False)]
    sides += [(0, 0)] * (2 - len(sides))
    return Value(L.Cropping2D(tuple(sides))(follower.symbol(x)))


def _mean(follower: Follower, out: Tensor, x: Any, dim: Any = None, keepdim: bool = False) -> Value:
    if x.ndim != 4 or tuple(dim) != (2, 3):
        raise UnknownCallError
    return Value(L.GlobalAveragePooling2D(keepdims=keepdim)(follower.symbol(x)))


def _softmax(follower: Follower, out: Tensor, x: Any, dim: int) -> Value:
    if dim not in (1, -1) or x.ndim != 2:
        raise UnknownCallError
    return Value(L.Activation("softmax")(follower.symbol(x)))


CALLS: dict[str, Callable[..., Value]] = {
    **{row.function.__name__: _layer(row.layer) for row in ROWS if row.native},
    "conv2d": _conv2d,
    "conv_transpose2d": _transposed,
    "getitem": _part,
    "linear": _linear,
    "matmul": _matmul,
    "add": _affine(times=False, back=False),
    "sub": _affine(times=False, back=True),
    "mul": _affine(times=True, back=False),
    "true_divide": _affine(times=True, back=True),
    "truediv": _affine(times=True, back=True),
    "div": _affine(times=True, back=True),
    "flatten": _flat,
    "reshape": _flat,
    "max_pool2d": _pool(L.MaxPooling2D),
    "avg_pool2d": _pool(L.AveragePooling2D),
    "pad": _pad,
    "cat": _cat,
    "mean": _mean,
    "softmax": _softmax,
    "detach": _flat,
}
