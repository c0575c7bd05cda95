"""Layer: hyper-parameters as fields, and the few questions that every layer answers."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import Self, dataclass_transform

from ..errors import ConfigError, ShapeError, StriateError, caller
from ..settings import plain
from .arguments import check_arguments
from .operation import Chain, Told
from .spec import Shape, Spec, show, spatial_names
from .symbol import Node, Symbol, ancestors
from .window import UNKNOWN, Geometry, Window

Initializer = Callable[..., Tensor]
UNKNOWN_SIZES = (31, 37)  # tried in place of an unknown size; what differs in the output is unknown


@dataclass_transform(eq_default=False, field_specifiers=(dataclasses.field,))
@dataclasses.dataclass(eq=False, repr=False)
class Layer(nn.Module):
    """A step of a network.

    A layer is a class whose annotated attributes are its hyper-parameters; constructor, repr, saved
    configuration and documentation follow from them. It answers a closed set of questions, each
    with a safe default: `windows` (geometry), `build` (parameters), `infer` (output spec), `macs`
    (multiply-accumulates), `forward` (the computation, in plain torch operations), `operations`
    (the computation in a closed set of words), `told` (the same for people, in more words), and,
    where the layer ends in an activation, `activation_name` and `before_activation`.

    Called on tensors it computes; called on symbols it checks the shapes and records the call.

    Fields: `name`, unique in a model, made from the class's name if not given; `trainable`, whether
    training changes the weights.

    Example:
        >>> class Scale(Layer):
        ...     start: float = 1.0
        ...     def build(self, x):
        ...         shape = (x.channels,)
        ...         full = lambda s, **_: torch.full(s, self.start)
        ...         self.gain = self.add_weight("gain", shape, full)
        ...     def forward(self, x):
        ...         return x * self.gain
        >>> Scale(2.0)
        Scale(start=2.0)
    """

    name: str = dataclasses.field(default="", kw_only=True)
    trainable: bool = dataclasses.field(default=True, kw_only=True)
    written_init: ClassVar[bool] = (
        False  # whether the constructor is written out, not made of fields
    )
    activity_regularizer: ClassVar[Any] = None  # of Keras: a penalty on what the layer gives

    if TYPE_CHECKING:  # what every layer has besides its fields
        built: bool = dataclasses.field(init=False)
        specs: tuple[Spec, ...] = dataclasses.field(init=False)  # of the inputs it was built for
        regularizers: dict[str, Callable[[Tensor], Tensor]] = dataclasses.field(init=False)
        constraints: dict[str, Callable[[Tensor], Tensor]] = dataclasses.field(init=False)
        calls: list[Node] = dataclasses.field(init=False)
        auto_named: bool = dataclasses.field(init=False)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the annotated attributes of the subclass its constructor."""
        super().__init_subclass__(**kwargs)
        cls.written_init = cls.written_init and not inspect.get_annotations(cls)
        cls.written_init = cls.written_init or "__init__" in cls.__dict__
        dataclasses.dataclass(init=not cls.written_init, eq=False, repr=False)(cls)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Prepare the module before its fields are set, and name a misspelt field."""
        self = super().__new__(cls)
        nn.Module.__init__(self)
        object.__setattr__(self, "built", False)
        self.specs = ()
        self.regularizers = {}
        self.constraints = {}
        self.calls = []
        self.auto_named = False
        check_arguments(cls, args, kwargs)
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copy and unpickle without the constructor: its arguments are in the state already."""
        reduced: Any = super().__reduce_ex__(protocol)
        return (_unfilled, (type(self),), *reduced[2:])

    # ---- the questions ---------------------------------------------------------------------------

    def unfolded(self, *x: Symbol) -> Any:
        """Return the outputs as those of the layers that it calls; None if it is one piece."""
        return None

    def windows(self, *x: Spec) -> Geometry:
        """Return how the output reads each axis of the input, or `UNKNOWN`."""
        return UNKNOWN

    def build(self, *x: Spec) -> None:
        """Create the parameters for inputs of these specs."""

    def infer(self, *x: Spec) -> Any:
        """Return the spec of the output (a tuple of them where there are several)."""
        runs = [self._run_on_meta(x, size) for size in UNKNOWN_SIZES]
        if not isinstance(runs[0], tuple):
            return _common(x[0], *runs)
        return tuple(_common(x[0], *pair) for pair in zip(*runs, strict=True))

    def macs(self, *specs: Spec) -> int:
        """Return the multiply-accumulates for one sample; the last of `specs` is the output's."""
        from torch.utils.flop_counter import FlopCounterMode

        counter = FlopCounterMode(display=False)
        with counter:
            self._run_on_meta(specs[:-1], UNKNOWN_SIZES[0], batch=1)
        return int(counter.get_total_flops()) // 2

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Return the computation as a chain of operations, empty where there is nothing to do.

        None where it is no such chain. A class that changes what its parent computes answers anew.
        """
        return None

    def told(self, *x: Spec) -> Told | None:
        """Return the computation in inference as people are told it: operations and wider words."""
        return self.operations(*x)

    @property
    def activation_name(self) -> str:
        """Name of the activation that the layer ends with, or an empty string."""
        return ""

    def before_activation(self, *x: Tensor) -> Tensor:
        """Return what `forward` returns, without the activation that the layer ends with."""
        raise ConfigError(self.where, "does not end with an activation")

    # ---- what layers are written with ------------------------------------------------------------

    def add_weight(
        self,
        name: str,
        shape: Sequence[int],
        initializer: Initializer,
        *,
        trainable: bool = True,
        regularizer: Callable[[Tensor], Tensor] | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Create and return a weight of this logical shape.

        One that is not `trainable` is a buffer: it is saved, but no gradient changes it.
        """
        dtype = torch.get_default_dtype()
        value = initializer(tuple(shape), dtype=dtype)
        if not trainable:
            self.register_buffer(name, value)
            return value
        weight = nn.Parameter(value, requires_grad=self.trainable)
        self.register_parameter(name, weight)
        if regularizer is not None:
            self.regularizers[name] = regularizer
        if constraint is not None:
            self.constraints[name] = constraint
        return weight

    def slide(self, x: Spec) -> Shape:
        """Return the sizes of the spatial axes, or raise ShapeError with the arithmetic."""
        geometry = self.windows(x)
        assert isinstance(geometry, tuple), "only layers that state their windows slide"
        windows = geometry[:-1] if x.data_format == "channels_last" else geometry[1:]
        out: list[int | None] = []
        for letter, axis, size in zip(spatial_names(len(windows)), windows, x.spatial, strict=True):
            assert isinstance(axis, Window)
            places = axis.size(size)
            if places is not None and places < 1:
                raise ShapeError(
                    self.where,
                    f"the window does not fit axis {letter}",
                    got=f"input {x}, axis {letter} = {size}",
                    need=f"{letter} >= {axis.smallest()}",
                    math=axis.arithmetic(size),
                    fix='padding="same", a smaller window, a larger input, '
                    "or one pooling layer fewer",
                )
            out.append(places)
        return tuple(out)

    def expect_rank(self, x: Spec, rank: int) -> None:
        """Raise ShapeError unless a sample has `rank` axes, the channels included."""
        if len(x.shape) == rank:
            return
        axes = x.axes(tuple(spatial_names(rank - 1)), "C")
        fix = ""
        if len(x.shape) == rank - 1:
            shape = show(x.axes(x.shape, 1))  # type: ignore[arg-type]
            fix = f"L.Reshape({shape}) in front: the input has no channel axis"
        elif len(x.shape) == 1:
            fix = "the layer before L.Flatten(), not behind it"
        elif len(x.shape) > rank and rank <= 2:
            fix = "put L.Flatten() before it"
        raise ShapeError(
            self.where,
            f"takes samples of {rank} axes, not {len(x.shape)}",
            got=f"input {x}",
            need=f"({', '.join(map(str, axes))})",
            fix=fix,
        )

    # ---- names and weights -----------------------------------------------------------------------

    @property
    def where(self) -> str:
        """The layer as messages name it: `conv2d_3 (Conv2D)`."""
        kind = type(self).__name__
        return f"{self.name} ({kind})" if self.name else kind

    def rename(self, name: str) -> None:
        """Give the layer a name that its user did not choose."""
        self.name, self.auto_named = name, True

    @property
    def weights(self) -> list[Tensor]:
        """Weights in the order of Keras: trainable ones, then the others, layer by layer."""
        return _weights(self)

    @property
    def trainable_weights(self) -> list[Tensor]:
        """Weights that training changes."""
        return [weight for weight in self.weights if weight.requires_grad]

    @property
    def non_trainable_weights(self) -> list[Tensor]:
        """Weights that training does not change by gradient."""
        return [weight for weight in self.weights if not weight.requires_grad]

    def get_weights(self) -> list[Any]:
        """Return copies of the weights as NumPy arrays, in the order and layout of Keras."""
        return [weight.detach().cpu().numpy().copy() for weight in self.weights]

    def set_weights(self, values: Iterable[Any]) -> None:
        """Replace the weights by arrays in the order and layout of `get_weights`."""
        values, weights = list(values), self.weights
        if not weights and values and not self.built:
            raise ConfigError(
                self.where,
                "has no weights yet: its input shape is not known",
                fix="begin the model with L.Input(shape), or call model.build(shape)",
            )
        if len(values) != len(weights):
            raise ShapeError(
                self.where,
                "set_weights got another number of arrays than there are weights",
                got=f"{len(values)} arrays",
                need=f"{len(weights)} arrays: " + ", ".join(show(tuple(w.shape)) for w in weights),
            )
        tensors = [torch.as_tensor(value) for value in values]
        for position, (value, weight) in enumerate(zip(tensors, weights, strict=True)):
            if value.shape != weight.shape:
                raise ShapeError(
                    self.where,
                    f"set_weights got an array of another shape at position {position}",
                    got=show(tuple(value.shape)),
                    need=show(tuple(weight.shape)),
                )
        with torch.no_grad():
            for value, weight in zip(tensors, weights, strict=True):
                weight.copy_(value)

    def count_params(self) -> int:
        """Return the number of values in all weights."""
        return sum(weight.numel() for weight in self.weights)

    @property
    def input(self) -> Any:
        """Symbol that the layer was called on (a tuple of them where there are several)."""
        return one_or_all(self._only_call().inputs)

    @property
    def output(self) -> Any:
        """Symbol that the layer gave (a tuple of them where there are several)."""
        return one_or_all(self._only_call().outputs)

    def config(self) -> dict[str, Any]:
        """Return the hyper-parameters, by field name."""
        return {
            item.name: getattr(self, item.name) for item in dataclasses.fields(self) if item.init
        }

    def extra_repr(self) -> str:
        """Return the hyper-parameters that are not at their default."""
        return ", ".join(
            f"{item.name}={getattr(self, item.name)!r}"
            for item in sorted(dataclasses.fields(self), key=lambda item: bool(item.kw_only))
            if getattr(self, item.name) != item.default
            and not (item.name == "name" and self.auto_named)
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    # ---- calls -----------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute on tensors, or record the call on symbols."""
        if len(args) == 1 and isinstance(args[0], (list, tuple)):
            args = tuple(args[0])
        if not args and not kwargs:
            raise ConfigError(self.where, "was called without inputs", need="one input or more")
        if any(isinstance(arg, Symbol) for arg in args):
            return self._trace(args)
        args = self._taken(args)
        if not self.built and not _followed(args):
            self.ensure_built(tuple(Spec.of(arg) for arg in args))
        return super().__call__(*args, **kwargs)

    def _taken(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what the layer was called on as tensors."""
        return tuple(self._given(arg) for arg in args)

    def _given(self, arg: Any) -> Any:
        """Return an array as a tensor, and tensors as they are."""
        if isinstance(arg, np.ndarray):
            return as_tensor(arg)
        if isinstance(arg, (str, bytes, bool)) or arg is None:
            raise ConfigError(
                self.where,
                f"was called on {arg!r}",
                need="a symbol, a tensor or an array for each input",
                fix="x = L.Input((28, 28, 1)); y = layer(x)",
                at=caller(),
            )
        return arg

    def ensure_built(self, x: tuple[Spec, ...]) -> None:
        """Build the layer for these inputs, once."""
        if not self.built:
            with torch.no_grad():
                self.build(*x)
            self.specs = x
            object.__setattr__(self, "built", True)

    def _trace(self, args: tuple[Any, ...]) -> Any:
        at = caller()
        for arg in args:
            if not isinstance(arg, Symbol):
                raise ConfigError(
                    self.where,
                    "was called on symbols and other values together",
                    got=", ".join(type(arg).__name__ for arg in args),
                    need="symbols only",
                    at=at,
                )
        if not self.name:
            self.rename(free_name(self, (node.layer for node in ancestors(args))))
        specs = tuple(symbol.spec for symbol in args)
        try:
            self.ensure_built(specs)
            out = self.infer(*specs)
        except StriateError as error:
            if at:
                error.rows.setdefault("at", at)
            raise
        node = Node(self, args, at=at)
        several = out if isinstance(out, tuple) else (out,)
        node.outputs = tuple(
            Symbol(spec, node, index, self.name) for index, spec in enumerate(several)
        )
        self.calls.append(node)
        return one_or_all(node.outputs)

    def __setattr__(self, key: str, value: Any) -> None:
        """Keep a built layer's hyper-parameters as they are; let `trainable` reach the weights."""
        if key == "trainable" and "_parameters" in self.__dict__:
            self._set_trainable(bool(value))
        elif self.__dict__.get("built") and key != "name" and key in self.__dataclass_fields__:
            raise ConfigError(
                self.where,
                f"{key} cannot be changed any more: the weights are made for its value",
                got=f"{key}={value!r}",
                need=f"{key}={getattr(self, key)!r}",
                fix=f"make a new layer: {type(self).__name__}({key}={value!r}, ...)",
            )
        super().__setattr__(key, plain(value))
        if isinstance(value, nn.Module) and key in type(self).__dataclass_fields__:
            self.__dict__[key] = value  # else the default of the class would stand before it

    def _set_trainable(self, value: bool) -> None:
        for weight in self.parameters(recurse=False):
            weight.requires_grad_(value)
        for child in self.children():
            if isinstance(child, Layer):
                child.trainable = value
            else:
                child.requires_grad_(value)

    def _only_call(self) -> Node:
        if len(self.calls) != 1:
            raise ConfigError(
                self.where,
                f"was called {len(self.calls)} times, so it has no one input and output",
                fix="keep the symbol that the call returns",
            )
        return self.calls[0]

    def _run_on_meta(self, x: Sequence[Spec], unknown: int, batch: int = 2) -> Any:
        def empty(spec: Spec) -> Tensor:
            sizes = [unknown if size is None else size for size in spec.shape]
            return torch.empty(batch, *sizes, dtype=getattr(torch, spec.dtype), device="meta")

        state = {
            name: tensor.to("meta")
            for name, tensor in (*self.named_parameters(), *self.named_buffers())
        }
        with torch.no_grad():
            return torch.func.functional_call(self, state, tuple(empty(spec) for spec in x))


def as_tensor(array: Any, device: torch.device | None = None) -> Tensor:
    """Return an array or a list as a tensor; NumPy's usual float64 becomes torch's usual dtype."""
    given = torch.as_tensor(array, device=device)
    return given.to(torch.get_default_dtype()) if given.dtype == torch.float64 else given


def snake(name: str) -> str:
    """Return a class name in the form of layer names: `MaxPooling2D` gives `max_pooling2d`."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def free_name(layer: Layer, others: Iterable[Layer]) -> str:
    """Return the first of `conv2d`, `conv2d_1`, `conv2d_2`... that none of `others` has."""
    taken = {other.name for other in others}
    base = snake(type(layer).__name__)
    if base not in taken:
        return base
    number = 1
    while f"{base}_{number}" in taken:
        number += 1
    return f"{base}_{number}"


def _unfilled(cls: type[Layer]) -> Layer:
    """Return a layer that has nothing yet, not even its fields."""
    return object.__new__(cls)


def _weights(module: nn.Module) -> list[Tensor]:
    own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    below = [weight for child in module.children() for weight in _weights(child)]
    seen: dict[int, Tensor] = {id(weight): weight for weight in (*own, *below)}
    return list(seen.values())


def _followed(args: tuple[Any, ...]) -> bool:
    """Return whether the call is only being written down by torch.fx, on stand-ins for tensors."""
    return any(isinstance(arg, torch.fx.Proxy) for arg in args)


def one_or_all(items: tuple[Any, ...]) -> Any:
    """Return the only item, or all of several."""
    return items[0] if len(items) == 1 else items


def _common(x: Spec, first: Tensor, second: Tensor) -> Spec:
    shape = tuple(
        a if a == b else None for a, b in zip(first.shape[1:], second.shape[1:], strict=True)
    )
    return Spec(shape, str(first.dtype).removeprefix("torch."), x.data_format)
