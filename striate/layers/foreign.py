"""Layers made of what is not a layer: functions, torch modules, and networks written as code."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.layer import UNKNOWN_SIZES, Layer
from ..core.spec import Spec, checked_layout
from ..core.symbol import Symbol
from ..core.window import MOVES, POINTWISE, UNKNOWN, Geometry, Mix, Window
from ..errors import ConfigError, ShapeError, StriateError
from .torch_windows import geometry

ENDINGS = {nn.Softmax: "softmax", nn.Sigmoid: "sigmoid"}
IN_PLACE = frozenset(
    "add iadd radd sub isub rsub mul imul rmul truediv itruediv div neg abs exp log sqrt square pow "
    "relu relu_ relu6 leaky_relu elu selu gelu silu mish sigmoid tanh softplus hardtanh hardswish "
    "hardsigmoid clamp maximum minimum dropout dropout2d contiguous clone detach float double".split()
)
MOVING = frozenset(
    "view flatten reshape permute transpose movedim cat concat concatenate stack unsqueeze squeeze "
    "chunk split getitem flip roll expand repeat".split()
)
AS_MODULES: dict[Any, type[nn.Module]] = {
    getattr(functional, f"{snake}{rank}d"): getattr(nn, f"{camel}{rank}d")
    for rank in (1, 2, 3)
    for snake, camel in (
        ("max_pool", "MaxPool"),
        ("avg_pool", "AvgPool"),
        ("adaptive_avg_pool", "AdaptiveAvgPool"),
        ("adaptive_max_pool", "AdaptiveMaxPool"),
    )
}


class Foreign(Layer):
    """A layer around code that does not speak in specs: its shapes are those of a run on no data."""

    def infer(self, *x: Spec) -> Any:
        """Return the output's spec, or raise ShapeError with torch's own words."""
        try:
            return super().infer(*x)
        except StriateError:
            raise
        except Exception as error:
            raise ShapeError(
                self.where,
                "cannot take an input of this shape",
                got="input " + ", ".join(map(str, x)),
                math=(str(error) or type(error).__name__).splitlines()[0],
            ) from None


class Lambda(Foreign):
    """Apply a function of tensors: y = function(x).

    Field: `function`, of batches; with several inputs it is given several.
    Shape: whatever the function gives, found by running it on tensors without data.

    Example:
        >>> Lambda(torch.square)(torch.tensor([[3.0]]))
        tensor([[9.]])
    """

    function: Callable[..., Any]

    def __post_init__(self) -> None:
        """Check that the function can be called."""
        if not callable(self.function):
            raise ConfigError(
                self.where,
                f"function={self.function!r} cannot be called",
                need="a function of tensors",
                fix="L.Lambda(lambda x: x * 2)",
            )

    def forward(self, *x: Tensor) -> Any:
        """Call the function."""
        return self.function(*x)


class TorchModule(Foreign):
    """Use any torch.nn.Module as a layer.

    Fields: `module`, used as it is: its weights are trained in place; `data_format`, the layout that
    the module works in: "channels_first" in a channels-last model turns the axes on the way in and
    out; None leaves them as they are.

    Shape: whatever the module gives, found by running it on tensors without data.

    Example:
        >>> from striate.core.symbol import Input
        >>> x = Input((28, 28, 1))
        >>> TorchModule(torch.nn.Conv2d(1, 8, 3), data_format="channels_first")(x).shape
        (None, 26, 26, 8)
    """

    module: nn.Module
    data_format: str | None = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check that it is a module."""
        checked_layout(self.where, self.data_format)
        if not isinstance(self.module, nn.Module):
            raise ConfigError(
                self.where,
                f"{self.module!r} is not a torch.nn.Module",
                fix="L.TorchModule(torch.nn.ReLU())",
            )

    def windows(self, *x: Spec) -> Geometry:
        """Return what the table of torch modules says; UNKNOWN for others."""
        turned = self._turns(x[0])
        shape = (x[0].shape[-1], *x[0].shape[:-1]) if turned else x[0].shape
        answer = geometry(self.module, shape)
        if turned and isinstance(answer, tuple):
            return (*answer[1:], answer[0])
        return UNKNOWN if turned and answer is MOVES and len(x[0].shape) > 1 else answer

    def forward(self, *x: Tensor) -> Any:
        """Call the module, in its own layout."""
        given = [
            _first(one) if self._turns(spec) else one
            for one, spec in zip(x, self.specs, strict=True)
        ]
        out = self.module(*given)
        return _last(out) if self._turns(self.specs[0]) and isinstance(out, Tensor) else out

    def before_activation(self, *x: Tensor) -> Tensor:
        """Return the input: the module is nothing but the activation."""
        return x[0] if self.activation_name else super().before_activation(*x)

    @property
    def activation_name(self) -> str:
        """The name of the module, if it is a softmax over the last axis or a sigmoid."""
        dim = getattr(self.module, "dim", None)
        over_last = dim == -1 or (self.built and dim == len(self.specs[0].shape))
        if isinstance(self.module, nn.Softmax) and not over_last:
            return ""
        return ENDINGS.get(type(self.module), "")

    def _turns(self, x: Spec) -> bool:
        return self.data_format == "channels_first" and x.data_format == "channels_last"


class TorchCall(Foreign):
    """One call of a torch function inside a traced network.

    Fields: `function`; `args` and `kwargs`, what it was called with, where `Place(i)` stands for
    input i, `Batch(k)` for k times the batch's size and `Held(name)` for a tensor of the network.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    word: str = ""

    def windows(self, *x: Spec) -> Geometry:
        """Return what the function's name says."""
        if self.activation_name == "softmax":
            return (*(Window(),) * (len(x[0].shape) - 1), Mix())
        if self.word in IN_PLACE and len({len(spec.shape) for spec in x}) == 1:
            return POINTWISE
        return MOVES if self.word in MOVING else UNKNOWN

    def forward(self, *x: Tensor) -> Any:
        """Call the function."""
        args, kwargs = _fill((self.args, self.kwargs), x, self)
        if "training" in kwargs:
            kwargs["training"] = self.training
        return self.function(*args, **kwargs)

    def before_activation(self, *x: Tensor) -> Tensor:
        """Return the input: the function is nothing but the activation."""
        return x[0] if self.activation_name else super().before_activation(*x)

    @property
    def activation_name(self) -> str:
        """The name of the function, if it is a softmax over the last axis or a sigmoid."""
        if self.word == "softmax" and self.built:
            dim = self.kwargs.get("dim", self.args[1] if len(self.args) > 1 else None)
            return "softmax" if dim in (-1, len(self.specs[0].shape)) else ""
        return "sigmoid" if self.word == "sigmoid" else ""


class Opaque(Foreign):
    """A whole network whose code cannot be followed: one node, and nothing is said of its inside."""

    module: nn.Module

    def build(self, *x: Spec) -> None:
        """Run the code once on zeros, so that every layer in it is built."""
        sizes = [[UNKNOWN_SIZES[0] if n is None else n for n in spec.shape] for spec in x]
        zeros = [
            torch.zeros(2, *size, dtype=getattr(torch, spec.dtype))
            for size, spec in zip(sizes, x, strict=True)
        ]
        try:
            self.module.forward(*zeros)
        except StriateError:
            raise
        except Exception as error:
            raise ShapeError(
                f"{self.where} around {type(self.module).__name__}",
                "its forward does not take a batch of this shape",
                got="input " + ", ".join(map(str, x)),
                math=(str(error) or type(error).__name__).splitlines()[0],
            ) from None

    def forward(self, *x: Tensor) -> Any:
        """Run the code."""
        return self.module.forward(*x)


# ---- following the code of a network ----------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Place:
    """Stands for input `index` of a call."""

    index: int


@dataclasses.dataclass(frozen=True)
class Batch:
    """Stands for `times` the size of the batch."""

    times: int


@dataclasses.dataclass(frozen=True)
class Held:
    """Stands for a tensor that the network holds under this name."""

    name: str


@dataclasses.dataclass(frozen=True)
class Traced:
    """What a line of code gives: its values in runs of two batch sizes, and its symbols if tensors."""

    runs: tuple[Any, Any]
    symbol: Any = None
    held: str = ""


class CannotFollowError(Exception):
    """The code cannot be followed; the network becomes one opaque node."""


BATCHES = (2, 3)


def trace(module: nn.Module, inputs: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """Return the outputs of a network written as code, with a node for each call in it.

    Layers are called on the symbols; torch modules become `TorchModule`, functions `TorchCall`. A
    network whose code depends on values, or does what torch.fx cannot follow, becomes one node.
    """
    from torch import fx

    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            return isinstance(m, Layer) or super().is_leaf_module(m, module_qualified_name)

    try:
        graph = Tracer().trace(module)
        return Follower(module, inputs).follow(graph)
    except StriateError:
        raise
    except Exception:  # whatever stops torch.fx: control flow on values, layers in plain lists...
        out = Opaque(module)(*inputs)
        return out if isinstance(out, tuple) else (out,)


class Follower:
    """Walks the lines that torch.fx has written down, on symbols and on tensors without data."""

    def __init__(self, module: nn.Module, inputs: tuple[Symbol, ...]) -> None:
        self.module = module
        self.waiting = list(inputs)
        self.found: dict[Any, Traced] = {}
        self.wrapped: dict[int, TorchModule] = {}

    def follow(self, graph: Any) -> tuple[Symbol, ...]:
        """Return the symbols of the outputs."""
        for line in graph.nodes:
            if line.op == "output":
                out = self.symbols(line.args[0])
                if self.waiting or not out:
                    raise CannotFollowError
                return out
            self.found[line] = getattr(self, line.op)(line)
        raise CannotFollowError

    def symbols(self, args: Any) -> tuple[Symbol, ...]:
        """Return the symbols of lines; all of them must be tensors."""
        several = args if isinstance(args, (tuple, list)) else (args,)
        out: list[Symbol] = []
        for line in several:
            symbol = self.found[line].symbol
            out += symbol if isinstance(symbol, tuple) else (symbol,)
        if None in out:
            raise CannotFollowError
        return tuple(out)

    def placeholder(self, line: Any) -> Traced:
        """An argument of forward."""
        if not self.waiting:
            return Traced((line.args[0], line.args[0]))
        symbol = self.waiting.pop(0)
        return Traced(tuple(_empty(symbol.spec, *at) for at in _sizes()), symbol)  # type: ignore[arg-type]

    def get_attr(self, line: Any) -> Traced:
        """A tensor that the network holds."""
        tensor = operator.attrgetter(line.target)(self.module)
        if not isinstance(tensor, Tensor):
            raise CannotFollowError
        return Traced((tensor.to("meta"),) * 2, held=line.target)

    def call_module(self, line: Any) -> Traced:
        """A call of a layer or of a torch module."""
        part = self.module.get_submodule(line.target)
        if line.kwargs:
            raise CannotFollowError
        if not isinstance(part, Layer):
            part = self.wrapped.setdefault(id(part), TorchModule(part, name=line.target))
        elif not part.name:
            part.rename(line.target)
        return self.call(part, line.args)

    def call(self, layer: Layer, args: Any) -> Traced:
        """Call a layer on symbols, and find out its sizes in both runs."""
        inputs = self.symbols(list(args))
        symbol = layer(*inputs)
        runs = []
        for run, at in enumerate(_sizes()):
            given = [self.found[line].runs[run] for line in args]
            specs = [
                dataclasses.replace(Spec.of(value), data_format=one.spec.data_format)
                for value, one in zip(given, inputs, strict=True)
            ]
            out = layer.infer(*specs)
            several = tuple(_empty(spec, *at) for spec in (out if _many(out) else (out,)))
            runs.append(several if _many(out) else several[0])
        return Traced((runs[0], runs[1]), symbol)

    def call_method(self, line: Any) -> Traced:
        """A call of a tensor's method."""
        return self.apply(line, getattr(Tensor, line.target), line.target)

    def call_function(self, line: Any) -> Traced:
        """A call of a function."""
        if line.target in AS_MODULES:
            made = AS_MODULES[line.target](
                *line.args[1:],
                **{key: value for key, value in line.kwargs.items() if key != "return_indices"},
            )
            return self.call(TorchModule(made, name=line.name), line.args[:1])
        if line.target is operator.getitem and _many(self.found[line.args[0]].symbol):
            whole, index = self.found[line.args[0]], line.args[1]
            return Traced((whole.runs[0][index], whole.runs[1][index]), whole.symbol[index])
        return self.apply(line, line.target, getattr(line.target, "__name__", line.name))

    def apply(self, line: Any, function: Callable[..., Any], word: str) -> Traced:
        """Call a function on the tensors without data; if it gives tensors, record a `TorchCall`."""
        from torch.fx.node import map_arg

        runs = []
        for run in range(len(BATCHES)):
            args, kwargs = map_arg((line.args, line.kwargs), lambda n: self.found[n].runs[run])  # noqa: B023
            with torch.no_grad():
                runs.append(function(*args, **kwargs))
        parts = runs[0] if _many(runs[0]) else (runs[0],)
        if not all(isinstance(part, Tensor) for part in parts):
            return Traced((runs[0], runs[1]))
        lines = [one for one in line.all_input_nodes if self.found[one].symbol is not None]
        places = {one: Place(index) for index, one in enumerate(lines)}
        args, kwargs = map_arg(
            (line.args, line.kwargs), lambda n: places.get(n) or _constant(self.found[n])
        )
        layer = TorchCall(function, args, dict(kwargs), word, name=line.name)
        for one in line.all_input_nodes:
            if self.found[one].held:
                tensor = operator.attrgetter(self.found[one].held)(self.module)
                setattr(layer, _plain(self.found[one].held), tensor)
        return Traced((runs[0], runs[1]), layer(*self.symbols(lines)))


def _constant(value: Traced) -> Any:
    return Held(_plain(value.held)) if value.held else _common(*value.runs)


def _common(first: Any, second: Any) -> Any:
    """Return what stands for a value in both runs: itself, or a multiple of the batch's size."""
    if isinstance(first, tuple):
        return tuple(_common(one, other) for one, other in zip(first, second, strict=True))
    if first is second or (type(first) is type(second) and first == second):
        return first
    if isinstance(first, int) and first * BATCHES[1] == second * BATCHES[0]:
        return Batch(first // BATCHES[0])
    raise CannotFollowError


def _fill(template: Any, x: tuple[Tensor, ...], holder: nn.Module) -> Any:
    """Return the template with inputs, sizes and tensors in their places."""
    if isinstance(template, Place):
        return x[template.index]
    if isinstance(template, Batch):
        return template.times * x[0].shape[0]
    if isinstance(template, Held):
        return getattr(holder, template.name)
    if isinstance(template, slice):
        ends = (template.start, template.stop, template.step)
        return slice(*(_fill(end, x, holder) for end in ends))
    if isinstance(template, dict):
        return {key: _fill(value, x, holder) for key, value in template.items()}
    if isinstance(template, (tuple, list)):
        return type(template)(_fill(value, x, holder) for value in template)
    return template


def _sizes() -> zip[tuple[int, int]]:
    """Return, for each of the two runs, the size of the batch and what stands for an unknown size."""
    return zip(BATCHES, UNKNOWN_SIZES, strict=True)


def _empty(spec: Spec, batch: int, unknown: int) -> Tensor:
    sizes = [unknown if size is None else size for size in spec.shape]
    return torch.empty(batch, *sizes, dtype=getattr(torch, spec.dtype), device="meta")


def _many(value: Any) -> bool:
    return isinstance(value, tuple) and not isinstance(value, torch.Size)


def _plain(path: str) -> str:
    return "held_" + path.replace(".", "_")


def _first(x: Tensor) -> Tensor:
    return x.movedim(-1, 1) if x.dim() > 2 else x  # (N, H, W, C) -> (N, C, H, W)


def _last(x: Tensor) -> Tensor:
    return x.movedim(1, -1) if x.dim() > 2 else x  # (N, C, H, W) -> (N, H, W, C)
