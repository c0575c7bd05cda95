"""Functions of tensors that also take arrays and symbols: on a symbol, the call becomes a layer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ..core.layer import Layer
from ..core.spec import Spec
from ..core.symbol import Symbol
from ..errors import ShapeError, StriateError
from ..layers.wrap import Place, TorchCall, inference
from ..store.keras_operations import TOLD

Function = Callable[..., Any]
NOWHERE = -1  # in place of an input that the call is not given


SIZES = ((2, 31), (3, 37))  # of the batch, and of axes that are not known, in runs on zeros
LARGER = ((12, 31), (18, 37))  # for code that looks at, say, the third sample of a batch


@dataclass(frozen=True, slots=True)
class Bare(Spec):
    """The spec of a value that has no axis for the batch, such as a mean over all; `full` shape.

    `runs` are the whole numbers that the runs on zeros gave, by their sizes: those of a size that
    is not known say how large it is in what is made of it.
    """

    full: tuple[int, ...] = ()
    runs: tuple[tuple[tuple[int, int], Any], ...] = ()

    def value(self, sizes: tuple[int, int]) -> Tensor:
        """Return what a run on zeros of these sizes gave, or zeros."""
        dtype, known = getattr(torch, self.dtype), dict(self.runs)
        if sizes in known:
            return torch.tensor(known[sizes], dtype=dtype)
        return torch.zeros(self.full, dtype=dtype)


class Computed(TorchCall):
    """A call of a function on symbols. Its shapes are those of two runs on zeros, because such
    functions make tensors of their own, and look at sizes.
    """

    def infer(self, *x: Spec) -> Any:
        """Return the specs of what the function gives; what has no batch is `Bare`."""
        used = SIZES
        try:
            first, second = (self.on_zeros(x, *sizes) for sizes in used)
        except ShapeError:
            used = LARGER
            first, second = (self.on_zeros(x, *sizes) for sizes in used)
        if isinstance(first, (int, float)):
            first, second = tensor(first), tensor(second)
        if isinstance(first, tuple):
            return tuple(_spec(x, *pair, used) for pair in zip(first, second, strict=True))
        return _spec(x, first, second, used)

    def on_zeros(self, x: Sequence[Spec], batch: int, unknown: int) -> Any:
        """Run on zeros, where a size that is not known is `unknown`."""
        zeros = []
        for spec in x:
            if isinstance(spec, Bare):
                zeros.append(spec.value((batch, unknown)))
                continue
            sizes = [unknown if size is None else size for size in spec.shape]
            zeros.append(torch.zeros((batch, *sizes), dtype=getattr(torch, spec.dtype)))
        try:
            with inference(self), torch.no_grad():
                return self.forward(*zeros)
        except StriateError:
            raise
        except Exception as error:
            raise ShapeError(
                self.where,
                "cannot take an input of this shape",
                got="input " + ", ".join(map(str, x)),
                need="code that runs on a batch of such samples",
                math=(str(error) or type(error).__name__).splitlines()[0],
            ) from None

    def macs(self, *specs: Spec) -> int:
        """Return the multiply-accumulates for one sample, of a run on zeros."""
        counter, batch = FlopCounterMode(display=False), 2
        with counter:
            self.on_zeros(specs[:-1], batch, 31)
        return int(counter.get_total_flops()) // (2 * batch)

    def forward(self, *x: Tensor) -> Any:
        """Call the function; a list that it gives is several outputs."""
        out = super().forward(*x)
        if isinstance(out, (list, tuple)):
            return tuple(one if isinstance(one, Tensor) else tensor(one) for one in out)
        return tensor(out) if isinstance(out, (int, float)) else out


def _spec(x: Sequence[Spec], first: Tensor, second: Tensor, used: Any) -> Spec:
    """Return the spec that two runs, of batches of these sizes, agree on."""
    first, second = tensor(first), tensor(second)
    dtype = str(first.dtype).removeprefix("torch.")
    if first.dim() == 0 or first.shape[0] == second.shape[0]:
        full = tuple(first.shape)
        counts = not first.is_floating_point() and len(full) < 2 and full == tuple(second.shape)
        runs = zip(used, (first.tolist(), second.tolist()), strict=True) if counts else ()
        return Bare(full[1:], dtype, x[0].data_format, full, tuple(runs))
    pairs = zip(first.shape[1:], second.shape[1:], strict=True)
    return Spec(tuple(a if a == b else None for a, b in pairs), dtype, x[0].data_format)


def tensor(x: Any, dtype: Any = None) -> Tensor:
    """Return a tensor for an array, a number or a list of them; numbers with a point are float32.

    What is a tensor stays the same one.
    """
    if isinstance(x, Tensor):
        return x if dtype is None else x.to(kind(dtype))
    if isinstance(x, (list, tuple)) and any(isinstance(item, Tensor) for item in x):
        made = torch.stack([tensor(item) for item in x])
    else:
        array = np.asarray(x)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        if array.dtype.kind == "u" and array.dtype.itemsize > 1:
            array = array.astype(np.int64)
        made = torch.as_tensor(array.copy() if not array.flags.writeable else array)
    return made if dtype is None else made.to(kind(dtype))


def kind(dtype: Any) -> torch.dtype:
    """Return torch's dtype for a name, a NumPy dtype or torch's own."""
    if isinstance(dtype, torch.dtype):
        return dtype
    name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    found = getattr(torch, {"float": "float32", "int": "int64"}.get(name, name))
    assert isinstance(found, torch.dtype)
    return found


def lift(function: Function, native: Callable[..., Layer | None] | None = None) -> Function:
    """Return a function of tensors that also takes symbols.

    `native` may give a layer that does the same for arguments after the first, or None.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        symbols = list(found(args, kwargs))
        if not symbols:
            return function(*args, **kwargs)
        layer = native(*args[1:], **kwargs) if native else None
        if layer is not None and (len(symbols) == 1 or isinstance(args[0], (list, tuple))):
            vars(layer)["of_code"] = True
            return layer(args[0])
        return record(function, args, kwargs, symbols)

    return call


def record(function: Function, args: Any, kwargs: Any, symbols: list[Symbol]) -> Any:
    """Return the symbols of a call on symbols, as one node of the network."""
    inputs = list({id(symbol): symbol for symbol in symbols}.values())
    places = {id(symbol): index for index, symbol in enumerate(inputs)}
    filled = replace((args, kwargs), lambda symbol: Place(places[id(symbol)]))
    layer = Computed(function, *filled)
    word = getattr(function, "__name__", "").strip("_")
    if word and word != "<lambda>":
        layer.rename(word)
    return layer(*inputs)


def told_as(name: str, function: Function) -> Function:
    """Return a function whose calls on symbols keep, for files, its name and its arguments."""
    if not callable(function):
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        out = function(*args, **kwargs)
        keep_told(out, name, args, kwargs)
        return out

    return call


def keep_told(out: Any, name: str, args: Any, kwargs: Any) -> None:
    """Keep what a node of the network was called with, where it is one node of these symbols."""
    first = out[0] if isinstance(out, (list, tuple)) and out else out
    node = getattr(first, "node", None) if isinstance(first, Symbol) else None
    if node is None or not isinstance(node.layer, Computed) or TOLD in vars(node.layer):
        return
    places = {id(symbol): index for index, symbol in enumerate(node.given)}
    if {id(symbol) for symbol in found(args, kwargs)} == places.keys():
        filled = replace((args, kwargs), lambda symbol: Place(places[id(symbol)]))
        vars(node.layer)[TOLD] = (name, *filled)


def found(*values: Any) -> Iterator[Symbol]:
    """Yield the symbols in lists, tuples, dictionaries and slices."""
    for value in values:
        if isinstance(value, Symbol):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from found(*value)
        elif isinstance(value, Mapping):
            yield from found(*value.values())
        elif isinstance(value, slice):
            yield from found(value.start, value.stop, value.step)


def replace(value: Any, make: Callable[[Symbol], Any]) -> Any:
    """Return a value with something else in the place of each symbol."""
    if isinstance(value, Symbol):
        return make(value)
    if isinstance(value, (list, tuple)):
        items = [replace(item, make) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {key: replace(item, make) for key, item in value.items()}
    if isinstance(value, slice):
        return slice(*(replace(end, make) for end in (value.start, value.stop, value.step)))
    return value


def table(functions: Iterable[Function]) -> dict[str, Function]:
    """Return functions by their names, taking symbols too."""
    return {function.__name__.rstrip("_"): lift(function) for function in functions}


def item_of(x: Symbol, index: Any) -> Any:
    """Return `x[index]`, where axis 0 is the batch."""
    out = record(_item, (x, index), {}, list(found(x, index)))
    keep_told(out, "get_item", (x, index), {})
    return out


def _item(x: Tensor, index: Any) -> Any:
    return x[tuple(index) if isinstance(index, list) else index]


def spec_of(shape: Any) -> Spec:
    """Return the spec of a shape that begins with the batch."""
    return Spec(tuple(shape[1:]))
