"""A Sequential of ReNom as a native network: for its speed in training, and to be kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import get_ident, main_thread
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ... import layers as L
from ...core.layer import Layer
from ...engine.taped import Taped
from ...engine.taped_plan import Lasting
from ...lower.moves import Shown, as_it_is
from ...model import Sequential as NativeSequential
from . import layers, pooling
from .activations import Activation
from .awaited import awaited
from .layers import each
from .node import Node, Output, Variable, precision, tensor_of
from .parts import PARTS

MAIN = main_thread().ident  # the thread of a script, whose calls may wait
PIECE = 64  # samples of a call that is not recorded
LARGEST = 512  # samples of one that is: more would take too much memory at once


def _convolution(layer: layers.Conv2d) -> Layer:
    pad = each(layer._padding, 2)
    return L.Conv2D(
        layer._channel,
        each(layer._kernel, 2),
        each(layer._stride, 2),
        pad,
        each(layer._dilation, 2),
        groups=getattr(layer, "_groups", 1),
        use_bias=not layer._ignore_bias,
    )


def _dense(layer: layers.Dense) -> Layer:
    return L.Dense(layer._output_size, use_bias=not layer._ignore_bias)


def _pooling(kind: Callable[..., Layer]) -> Callable[[pooling.MaxPool2d], Layer | None]:
    def make(layer: pooling.MaxPool2d) -> Layer | None:
        if any(each(layer._padding, 2)):
            return None  # zeros in a maximum
        return kind(each(layer._kernel, 2), each(layer._stride, 2))

    return make


MADE: tuple[tuple[type, Callable[[Any], Layer | None]], ...] = (
    (layers.Deconv2d, lambda layer: None),
    (layers.ConvNd, lambda layer: None),
    (layers.Conv2d, _convolution),
    (layers.Dense, _dense),
    (pooling.AveragePool2d, _pooling(L.AveragePooling2D)),
    (pooling.MaxPool2d, _pooling(L.MaxPooling2D)),
    (layers.SpatialDropout, lambda layer: None),
    (layers.Dropout, lambda layer: L.Dropout(0.0 if layer.inference else layer._dropout_ratio)),
    (layers.Flatten, lambda layer: L.Flatten()),
    (Activation, lambda layer: layer.row.layer(*layer.values)),
)


def native(parts: Sequence[Any], shape: tuple[int, ...]) -> NativeSequential | None:
    """Return the native network of these modules, without their weights; None if there is none."""
    made: list[Layer] = []
    for part in parts:
        make = next((make for kind, make in MADE if isinstance(part, kind)), None)
        layer = make(part) if make else None
        if layer is None or not type(part).__module__.startswith(__package__):
            return None  # no kernel, or a class of the script's own, which may do anything
        made.append(layer)
    return NativeSequential([L.Input(shape, data_format="channels_first"), *made])


def _turned(kernel: NDArray[Any]) -> NDArray[Any]:
    """Show a kernel of ReNom (out, in, H, W), which is turned around, as (H, W, in, out)."""
    return kernel[:, :, ::-1, ::-1].transpose(2, 3, 1, 0)


def _flat(bias: NDArray[Any]) -> NDArray[Any]:
    return bias.reshape(-1)


def weights(parts: Sequence[Any]) -> list[tuple[Variable, Shown]]:
    """Return the weights in the order of the native network, and how they are shown in it."""
    out: list[tuple[Variable, Shown]] = []
    for part in _learning(parts):
        shown = _turned if isinstance(part, layers.Conv2d) else as_it_is
        out.append((part.params.w, shown))
        if "b" in part.params:
            out.append((part.params.b, _flat))
    return out


def _learning(parts: Sequence[Any]) -> list[Any]:
    return [part for part in parts if isinstance(part, (layers.Conv2d, layers.Dense))]


class Found:
    """What a Sequential is natively, and the weights that it has now."""

    def __init__(self, taped: Taped, parts: Sequence[Any]) -> None:
        self.taped = taped
        self.places = [(part, word) for part in _learning(parts) for word in part.params]
        self.look()

    def look(self) -> None:
        """See what the weights are: `variables`, in the order of the native network."""
        self.variables: list[Variable] = [part.params[word] for part, word in self.places]
        self.numbers = Lasting(variable.numbers for variable in self.variables)


class Runner:
    """Runs a Sequential natively where every part has a kernel; a copy of it begins anew."""

    def __init__(self) -> None:
        self.known: dict[Any, Found | None] = {}
        self.last: tuple[int, tuple[int, ...], Found | None] = (-1, (), None)
        self.told = False  # that it runs

    def __deepcopy__(self, memo: Any) -> Runner:
        return Runner()

    def __reduce__(self) -> Any:
        return Runner, ()

    def __call__(self, parts: Sequence[Any], given: Any) -> Node | None:
        """Return the output for a batch, or None where it is to be computed part by part."""
        x = np.asarray(given)
        if x.ndim not in (2, 4):
            return None
        if isinstance(given, Node) and given.tensor.requires_grad:
            return None
        found = self._found(parts, x)
        if found is None:
            return None
        batch = x if x.dtype in (np.uint8, np.float32) else tensor_of(given).numpy()
        leaves = [variable.leaf for variable in found.variables]
        if leaves.count(None) < len(leaves):
            if len(batch) > LARGEST:
                return None
            habit = found.taped.habit
            if habit is not None and habit.later and get_ident() == MAIN and None not in leaves:
                waits: Node = awaited(found.taped, batch, found.numbers, found.variables, leaves)
                return waits
            call = found.taped.call(batch, found.numbers)
            node: Node = Node.of_output(Output(call, found.variables, leaves))
        else:
            begins = range(0, len(batch), PIECE)
            pieces = [batch[at : at + PIECE] for at in begins]
            outputs = [found.taped.call(piece, found.numbers).numbers for piece in pieces]
            node = Node.of(torch.from_numpy(np.concatenate(outputs)))
        return node

    def _found(self, parts: Sequence[Any], x: Any) -> Found | None:
        version, shape, known = self.last
        if version == PARTS.version and shape == x.shape[1:]:
            return known
        modes = tuple([getattr(part, "inference", False) for part in parts])
        key = (*map(id, parts), modes, x.shape[1:])
        if key not in self.known:
            if not _ready(parts):
                return None
            taped = self._made(parts, x.shape[1:])
            self.known[key] = None if taped is None else Found(taped, parts)
        found = self.known[key]
        if found is not None:
            found.look()
        self.last = PARTS.version, x.shape[1:], found
        return found

    def _made(self, parts: Sequence[Any], shape: tuple[int, ...]) -> Taped | None:
        model = native(parts, shape) if precision() is torch.float32 else None
        if model is None:
            return None
        taped = Taped(model, [shown for _, shown in weights(parts)])
        taped.seed = int(np.random.randint(2**31))  # noqa: NPY002  the generator of the script
        return None if taped.why_not else taped


def _ready(parts: Sequence[Any]) -> bool:
    learning = _learning(parts)
    return bool(learning) and all(part.params for part in learning)


def kept(parts: Sequence[Any], runner: Runner) -> NativeSequential | None:
    """Return the native network with the weights of these modules, if it has run natively."""
    shapes = [shape for (*_, shape), found in runner.known.items() if found is not None]
    model = native(parts, shapes[-1]) if shapes else None
    if model is not None:
        with torch.no_grad():
            for mine, (theirs, shown) in zip(model.parameters(), weights(parts), strict=True):
                np.copyto(mine.numpy(), shown(np.asarray(theirs)))
    return model
