"""Layers of Keras that have no native twin, written as a script would write its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...errors import caller
from ...layers import activation as activations
from ...layers.recurrent import TimeDistributed
from ...model import Model
from ..table import DialectError, Row
from .penalised import ActivityRegularization
from .rows import UNSEEN, WORDS
from .session import Given, KerasSession

Made = dict[str, dict[str, tuple[Row, Any]]]


class Merging:
    """Keras 1's Merge: layers or models whose outputs are combined."""

    def __init__(self, merge: Callable[..., Any], layers: Iterable[Any], words: dict[str, Any]):
        self.merge, self.layers, self.words = merge, list(layers), words

    def __call__(self, inputs: Any) -> Any:
        """Combine symbols."""
        return self.merge(inputs, **self.words)


def merge_class(merge: Callable[..., Any]) -> Callable[..., Merging]:
    """Return what a script knows as the class Merge."""

    def Merge(layers: Any = (), mode: Any = "sum", concat_axis: int = -1, dot_axes: Any = -1,  # noqa: N802
              output_shape: Any = None, **words: Any) -> Merging:  # fmt: skip
        given = {"mode": mode, "concat_axis": concat_axis, "dot_axes": dot_axes, **words}
        return Merging(merge, layers or (), given)

    return Merge


def make(session: KerasSession, base: Any) -> Made:
    """Return rows and classes by the module and the name that a script knows them by."""
    of = _activation(session)

    class Local(base):  # type: ignore[misc]
        """A convolution with a kernel of its own at each place."""

        rank = 2

        def __init__(self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
                     data_format: Any = None, activation: Any = None, use_bias: bool = True,
                     kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
                     kernel_regularizer: Any = None, **words: Any) -> None:  # fmt: skip
            base.__init__(self, **words)
            self.filters, self.ended, self.biased = filters, of(activation), use_bias
            self.sides, self.steps = _sizes(kernel_size, self.rank), _sizes(strides, self.rank)
            self.first = (data_format or session.layout) == "channels_first"
            self.words = (kernel_initializer, bias_initializer, kernel_regularizer)

        def build(self, input_shape: Any) -> None:
            """Create a kernel for each place."""
            sizes = input_shape[2:] if self.first else input_shape[1:-1]
            channels = input_shape[1] if self.first else input_shape[-1]
            pairs = zip(sizes, self.sides, self.steps, strict=True)
            self.places = [(size - side) // step + 1 for size, side, step in pairs]
            count = int(torch.tensor(self.places).prod())
            cells = channels * int(torch.tensor(self.sides).prod())
            first, bias, penalty = self.words
            shape = (count, cells, self.filters)
            self.kernel = self.add_weight("kernel", shape, initializer=first, regularizer=penalty)
            if self.biased:
                self.bias = self.add_weight("bias", (*self.places, self.filters), initializer=bias)

        def call(self, inputs: Tensor) -> Tensor:
            """Multiply each window with its own kernel."""
            x = inputs if self.first else inputs.movedim(-1, 1)
            x = x if self.rank == 2 else x.unsqueeze(-1)
            sides, steps = (*self.sides, 1)[:2], (*self.steps, 1)[:2]
            windows = functional.unfold(x, sides, stride=steps)  # (N, C * k, places)
            out = torch.einsum("ncp,pcf->npf", windows, self.kernel)
            out = out.unflatten(1, self.places)
            out = self.ended(out + self.bias if self.biased else out)
            return out.movedim(-1, 1) if self.first else out

    class LocallyConnected1D(Local):
        """Along one axis."""

        rank = 1

    class LocallyConnected2D(Local):
        """Over images."""

    class MaxoutDense(base):  # type: ignore[misc]
        """The largest of several linear functions."""

        def __init__(self, units: int, nb_feature: int = 4,
                     kernel_initializer: Any = "glorot_uniform", **words: Any) -> None:  # fmt: skip
            base.__init__(self, **words)
            self.units, self.parts, self.first = units, nb_feature, kernel_initializer

        def build(self, input_shape: Any) -> None:
            """Create the functions."""
            shape = (self.parts, input_shape[-1], self.units)
            self.kernel = self.add_weight("kernel", shape, initializer=self.first)
            self.bias = self.add_weight("bias", (self.parts, self.units), initializer="zeros")

        def call(self, inputs: Tensor) -> Tensor:
            """Return the largest."""
            return (torch.einsum("ni,piu->npu", inputs, self.kernel) + self.bias).amax(1)

    class Highway(base):  # type: ignore[misc]
        """A dense layer and its input, mixed by a gate."""

        def __init__(self, transform_bias: float = -2, activation: Any = None,
                     kernel_initializer: Any = "glorot_uniform", **words: Any) -> None:  # fmt: skip
            base.__init__(self, **words)
            self.start, self.ended, self.first = transform_bias, of(activation), kernel_initializer

        def build(self, input_shape: Any) -> None:
            """Create the layer and the gate."""
            size = input_shape[-1]
            self.kernel = self.add_weight("kernel", (size, size), initializer=self.first)
            self.gate = self.add_weight("gate", (size, size), initializer=self.first)
            self.bias = self.add_weight("bias", (size,), initializer="zeros")
            shift = self.add_weight("shift", (size,), initializer="zeros")
            shift.data.fill_(self.start)

        def call(self, inputs: Tensor) -> Tensor:
            """Mix."""
            part = torch.sigmoid(inputs @ self.gate + self.shift)
            return self.ended(inputs @ self.kernel + self.bias) * part + (1 - part) * inputs

    class AutoEncoder(base):  # type: ignore[misc]
        """An encoder, and a decoder behind it."""

        def __init__(self, encoder: Any, decoder: Any, output_reconstruction: bool = True,
                     **words: Any) -> None:  # fmt: skip
            base.__init__(self, **words)
            if not output_reconstruction:
                raise DialectError(
                    "AutoEncoder",
                    "its output is the decoder's in training and in tests",
                    got="output_reconstruction=False",
                    need="output_reconstruction=True, and the encoder called for itself",
                    fix="output_reconstruction=True",
                    at=caller(),
                )
            self.encoder, self.decoder = encoder, decoder
            first = encoder.inputs[0].spec if isinstance(encoder, Model) else session.of(encoder)
            session.given[self] = Given(first.shape)

        def call(self, inputs: Tensor) -> Any:
            """Encode, and decode."""
            return self.decoder(self.encoder(inputs))

    class TimeDistributedMerge(base):  # type: ignore[misc]
        """The sum, mean or product of all steps."""

        def __init__(self, mode: str = "sum", **words: Any) -> None:
            base.__init__(self, **words)
            ways: dict[str, Any] = {"sum": torch.sum, "ave": torch.mean, "mul": torch.prod}
            self.whole = ways[mode]

        def call(self, inputs: Tensor) -> Any:
            """Merge."""
            return self.whole(inputs, dim=1)

    class _Merge(base):  # type: ignore[misc]
        """Inputs that become one by what a script writes."""

        def _merge_function(self, inputs: Any) -> Any:
            raise DialectError(
                type(self).__name__,
                "does not say how its inputs become one",
                need="def _merge_function(self, inputs): in the class",
                fix="keras.layers.add([a, b]), or concatenate, multiply, maximum...",
                at=caller(),
            )

        def call(self, inputs: Any) -> Any:
            """Merge."""
            return self._merge_function(inputs)

    class SReLU(base):  # type: ignore[misc]
        """Linear in three parts, all learned."""

        def build(self, input_shape: Any) -> None:
            """Create the four numbers of each unit."""
            shape = tuple(input_shape[1:])
            names = ("low", "low_slope", "high", "high_slope")
            firsts = ("zeros", "zeros", "glorot_uniform", "ones")
            for name, first in zip(names, firsts, strict=True):
                setattr(self, name, self.add_weight(name, shape, initializer=first))

        def call(self, inputs: Tensor) -> Tensor:
            """Return x between two thresholds, and lines beyond."""
            high = self.low + self.high.abs()
            up, down = (inputs - high).relu(), (self.low - inputs).relu()
            middle = torch.minimum(torch.maximum(inputs, self.low), high)
            return middle + self.high_slope * up - self.low_slope * down

    class ParametricSoftplus(base):  # type: ignore[misc]
        """alpha log(1 + exp(beta x)), both learned."""

        def __init__(self, alpha_init: float = 0.2, beta_init: float = 5.0, **words: Any) -> None:
            base.__init__(self, **words)
            self.firsts = (alpha_init, beta_init)

        def build(self, input_shape: Any) -> None:
            """Create both numbers of each unit."""
            shape = tuple(input_shape[1:])
            for name, first in zip(("alpha", "beta"), self.firsts, strict=True):
                weight = self.add_weight(name, shape, initializer="zeros")
                weight.data.fill_(first)

        def call(self, inputs: Tensor) -> Tensor:
            """Return the function."""
            return self.alpha * functional.softplus(self.beta * inputs)

    def row(made: type, *order: str) -> tuple[Row, type]:
        return Row(made.__name__, (made.__name__,), order, WORDS), made

    sides = ("filters", "kernel_size", "strides", "padding", "data_format", "activation")
    return {
        "wrappers": {
            "TimeDistributed": (
                Row("TimeDistributed", ("TimeDistributed",), ("layer",), WORDS, {}, UNSEEN),
                TimeDistributed,
            )
        },
        "local": {
            "LocallyConnected1D": row(LocallyConnected1D, *sides),
            "LocallyConnected2D": row(LocallyConnected2D, *sides),
        },
        "core": {
            "AutoEncoder": row(AutoEncoder, "encoder", "decoder", "output_reconstruction"),
            "MaxoutDense": row(MaxoutDense, "units", "nb_feature"),
            "TimeDistributedMerge": row(TimeDistributedMerge, "mode"),
            "Highway": row(Highway, "transform_bias", "activation"),
            "ActivityRegularization": row(ActivityRegularization, "l1", "l2"),
        },
        "merge": {"_Merge": row(_Merge)},
        "advanced_activations": {
            "SReLU": row(SReLU),
            "ParametricSoftplus": row(ParametricSoftplus, "alpha_init", "beta_init"),
        },
    }


def _sizes(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _activation(session: KerasSession) -> Callable[[Any], Callable[[Tensor], Tensor]]:
    from .words import activation

    return lambda given: activations.get("activation", activation(session, given))
