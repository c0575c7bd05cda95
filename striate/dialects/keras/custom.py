"""Layers that a Keras script writes itself: `build(input_shape)`, `call`, `get_config`; Lambda."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ... import constraints, initializers, layers as native, regularizers
from ...core.layer import Layer, snake
from ...core.spec import Spec
from ...core.symbol import Symbol
from ...errors import ShapeError
from ...layers.activation import FUNCTIONS
from ..symbolic import found, kind
from . import own_names
from .fixed_batch import methods, on_zeros
from .layouts import guess_layout
from .modes import computed
from .penalised import Added
from .session import Given, KerasSession
from .sizes import Shape
from .twin import follow
from .words import initializer, named_activation

MODES = ("training", "mask")  # arguments of `call` that are no inputs


@contextmanager
def phase(session: KerasSession, training: bool) -> Iterator[None]:
    """Let `K.learning_phase()` be that of a layer while its code runs."""
    before, session.phase = session.phase, training
    try:
        yield
    finally:
        session.phase = before


OF_TORCH = frozenset(vars(nn.Module())) | {"own_names"}


def contained(value: Any) -> Any:
    """Return lists and dictionaries of layers as such that torch finds the weights in."""
    if isinstance(value, list) and value and all(isinstance(item, nn.Module) for item in value):
        return nn.ModuleList(value)
    if isinstance(value, dict) and value and all(isinstance(v, nn.Module) for v in value.values()):
        return nn.ModuleDict(value)
    return value


def track(layer: nn.Module) -> None:
    """Let torch know the layers and variables in lists that a script has filled by itself."""
    known = {id(part) for part in (*layer.modules(), *layer.parameters())}
    own = vars(layer).get("own_names", {})
    for key, value in [*vars(layer).items(), *own.items()]:
        if isinstance(value, (list, tuple, dict)) and key not in OF_TORCH:
            for name, item in _inside(key, value):
                held = layer._modules if isinstance(item, nn.Module) else layer._parameters
                if id(item) not in known:
                    held[name] = item


def _inside(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield layers and variables in lists and dictionaries, with names for them."""
    if isinstance(value, (nn.Module, nn.Parameter)):
        yield name, value
    elif isinstance(value, (list, tuple, dict)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from _inside(f"{name}_{key}".replace(".", "_"), item)


def given(args: tuple[Tensor, ...], function: Any) -> tuple[Any, ...]:
    """Return inputs as `call` takes them: one list of several, or one after the other."""
    if len(args) < 2:
        return args
    names = [
        name
        for name, one in inspect.signature(function).parameters.items()
        if (name not in MODES or one.default is one.empty)  # which the call must give
        and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    starred = any(
        p.kind is p.VAR_POSITIONAL for p in inspect.signature(function).parameters.values()
    )
    return args if starred or len(names) >= len(args) else (list(args),)


def untrained(layer: nn.Module, weight: Tensor) -> None:
    """Let a variable be one that no gradient changes, under its name, as natively."""
    names = [name for name, one in layer._parameters.items() if one is weight]
    for name in names:
        del layer._parameters[name]
    if all(one is not weight for one in layer.buffers()):
        weight.requires_grad_(False)
        layer.register_buffer(names[0] if names else f"buffer_{len(layer._buffers)}", weight)


def build_for(session: KerasSession, layer: Any, x: tuple[Spec, ...]) -> None:
    """Run a script's `build` for shapes that begin with the batch."""
    made = Shape if session.version.name == "tf" else tuple
    shapes = [made((None, *spec.shape)) for spec in x]
    with torch.no_grad():
        layer.build(shapes[0] if len(shapes) == 1 else shapes)
    track(layer)
    object.__setattr__(layer, "built", True)


def takes_mask(layer: Any) -> bool:
    """Return whether a script's own layer has a mask as an argument."""
    own: Any = getattr(layer, "call", None)
    written = isinstance(own, types.MethodType) and not own.__module__.startswith("striate.")
    return written and "mask" in inspect.signature(own).parameters


def words_of_mode(function: Any, training: bool) -> dict[str, Any]:
    """Return `training=...` for a function that takes it."""
    names = inspect.signature(function).parameters
    return {"training": training} if "training" in names else {}


def adding(scope: KerasSession) -> Callable[..., Any]:
    """Return the method by which a script's layer creates a weight."""

    def add_weight(self: Layer, *args: Any, **words: Any) -> Any:
        """Create a weight; the order of arguments is that of any version."""
        names: tuple[str, ...] = ("dtype", "initializer", "regularizer", "trainable")
        rest = []
        for value in args:
            if isinstance(value, str) and "name" not in words and "shape" not in words:
                words["name"] = value
            elif isinstance(value, (tuple, list, int)) and "shape" not in words:
                words["shape"] = value
            else:
                rest.append(value)
        if rest and not isinstance(rest[0], torch.dtype) and rest[0] not in ("float32", None):
            names = names[1:]
        words |= dict(zip(names, rest, strict=False))
        shape = words.get("shape") or ()
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        name = str(words.get("name") or f"weight_{len(list(self.parameters(False)))}")
        made: Any = Layer.add_weight(
            self,
            name.replace(".", "_").replace("/", "_"),
            shape,
            initializers.get(initializer(scope, words.get("initializer") or "glorot_uniform")),
            trainable=words.get("trainable", True) is not False,
            regularizer=regularizers.get(words.get("regularizer")),
            constraint=constraints.get(words.get("constraint")),
        )
        if words.get("dtype") not in (None, "float32", torch.float32):
            made.data = made.data.to(kind(words["dtype"]))
        return made

    return add_weight


class Word(str):
    """The name of an activation, which a script may call."""

    def __call__(self, x: Any) -> Any:
        """Return the activation of a tensor or a symbol."""
        return named_activation(str(self), FUNCTIONS[str(self)])(x)


def count(session: KerasSession, layer: Layer, named: Any) -> None:
    """Name a layer of a script's own class as the version counts them, unless the script does."""
    kind = type(layer)
    if not named and not kind.__module__.startswith("striate."):
        layer.rename(session.name(kind.__name__.lower() if session.version.old
                                  else snake(kind.__name__)))  # fmt: skip


def derived(alias: Any) -> type[Layer]:
    """Return what a script's own class comes from where it is derived from a layer of the table."""
    parent: Any = alias.native

    class Derived(parent):  # type: ignore[misc]
        """The native layer, made by the words of the dialect, with `call`."""

        def __init__(self, *args: Any, **words: Any) -> None:
            made, given_words, named = alias.read(args, words)
            if isinstance(made.get("activation"), str):
                made["activation"] = Word(made["activation"])
            parent.__init__(self, **made)
            alias.session.given[self] = given_words
            if named:
                self.name = named
            count(alias.session, self, named)

        def ensure_built(self, x: tuple[Spec, ...]) -> None:
            """Build for shapes that begin with the batch, where the script says how."""
            if type(self).build is parent.build:
                parent.ensure_built(self, x)
            elif not self.built:
                self.specs = x
                build_for(alias.session, self, x)

        add_weight = adding(alias.session)
        add_variable = add_weight

        def call(self, inputs: Any, *more: Any) -> Any:
            """Compute what the layer of the table computes."""
            return parent.forward(self, inputs, *more)

        def forward(self, *x: Tensor) -> Any:
            """Run the script's `call`."""
            with phase(alias.session, self.training):
                if vars(self).get("told"):
                    return computed(self, x, words_of_mode(self.call, self.training))
                return self.call(*given(x, self.call), **words_of_mode(self.call, self.training))

        @property
        def _own(self) -> bool:
            """Whether the script computes something else."""
            return type(self).call is not Derived.call

        def infer(self, *x: Spec) -> Any:
            """Return the layer's own answer, or that of a run on zeros."""
            return Layer.infer(self, *x) if self._own else parent.infer(self, *x)

        def operations(self, *x: Spec, training: bool = False) -> Any:
            """Return the layer's own answer, none where the script computes something else."""
            return None if self._own else parent.operations(self, *x, training=training)

        @property
        def activation_name(self) -> str:
            """Name of the activation at the end, if it is that of the table."""
            return "" if self._own else parent.activation_name.fget(self)

    if hasattr(parent, "call"):  # written as a script writes its own
        Derived.call, Derived.forward = parent.call, parent.forward  # type: ignore[method-assign]
    Derived.__name__ = Derived.__qualname__ = alias.__name__
    return Derived


def make_classes(scope: KerasSession) -> dict[str, Any]:
    """Return the classes that a script derives its own layers from."""

    class KerasLayer(Layer):
        """A layer with Keras's methods. What it computes is a run of its `call` on zeros."""

        changes_weights: ClassVar[bool | None] = None  # see `changing`: not known yet

        def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None,
                     **words: Any) -> None:  # fmt: skip
            Layer.__init__(self, name=name or "", trainable=trainable)
            count(scope, self, name)
            shape = words.pop("input_shape", words.pop("batch_input_shape", (None,))[1:]) or None
            if words.get("input_dim"):
                shape = (words["input_dim"],)
            shape = (shape,) if isinstance(shape, int) else shape
            if shape is not None and len(shape) == 3 and not scope.chose_layout:
                guess_layout(scope, tuple(shape))
            scope.given[self] = Given(None if shape is None else tuple(shape))
            self.activity = regularizers.get(words.get("activity_regularizer"))
            scope.adds_loss |= self.activity is not None
            self.added: list[Any] = Added()
            self.waiting: list[Any] = []  # updates for the end of a call
            self.added_symbols: list[Any] = []
            self.passes: int | None = None  # the input that is the output, see `closing`
            self.dtype_name = dtype or "float32"

        def __init_subclass__(cls, **words: Any) -> None:
            cls.written_init = True
            super().__init_subclass__(**words)
            own_names.share(KerasLayer, cls)

        def build(self, input_shape: Any) -> None:  # type: ignore[override]
            """Create weights; a script's own layer says which."""

        def call(self, inputs: Any) -> Any:
            """Return the input; a script's own layer says what it computes."""
            return inputs

        def ensure_built(self, x: tuple[Spec, ...]) -> None:
            """Build for shapes that begin with the batch."""
            if not self.built or not self.specs:
                self.specs = x
                build_for(scope, self, x)

        def forward(self, *x: Tensor) -> Any:
            """Run the script's `call`."""
            self.added = Added()
            if self.passes is not None:
                return x[self.passes]
            words = words_of_mode(self.call, self.training)
            if "told_mask" in vars(self):
                words["mask"] = vars(self).pop("told_mask")
            with phase(scope, self.training):
                if vars(self).get("told"):
                    out = computed(self, x, words)
                else:
                    out = self.call(*given(x, self.call), **words)
            for variable, value in self.waiting:
                variable.data.copy_(value.detach())
            self.waiting = []
            if self.activity is not None:
                averaged = scope.version.name not in ("keras2", "keras23")
                self.added.append(self.activity(out) / (len(out) if averaged else 1))
            return tuple(out) if isinstance(out, list) else out

        def unfolded(self, *x: Symbol) -> Any:
            """Return what `call` gives on symbols, where it only calls layers."""
            own = (*self.parameters(recurse=False), *self.buffers(recurse=False))
            if self.activity is not None or own:  # what a call may change
                return None
            before = list(self.added_symbols)
            try:
                out = self.call(*given(x, self.call), **words_of_mode(self.call, True))  # type: ignore[arg-type]
            except Exception:  # code that wants numbers
                return None
            finally:
                self.added_symbols = before  # what it adds to the loss is that of other symbols
            return out if isinstance(out, Symbol) else None

        def _run_on_meta(self, x: Any, unknown: int, batch: int = 2) -> Any:
            return on_zeros(self, scope, x, unknown, methods(type(self)))

        add_weight = adding(scope)
        add_variable = add_weight

        def add_loss(self, losses: Any, inputs: Any = None) -> None:
            """Add a number to the loss of the model, or a symbol of it."""
            several = losses if isinstance(losses, (list, tuple)) else [losses]
            if any(True for _ in found(several)):
                self.added_symbols += several
                return
            told = [one() if callable(one) and not isinstance(one, Tensor) else one
                    for one in several]  # fmt: skip
            whole = Tensor.sum if scope.version.name == "keras3" else Tensor.mean  # of samples
            self.added += [whole(one) if isinstance(one, Tensor) and one.dim() else one
                           for one in told]  # fmt: skip
            scope.adds_loss = True

        def add_update(self, updates: Any = (), inputs: Any = None, **words: Any) -> None:
            """Make updates: pairs of a variable and its next value; others are made already."""
            several = updates if isinstance(updates, list) else [updates]
            pairs = [one for one in several if isinstance(one, tuple) and len(one) == 2]
            self.waiting += pairs if self.training and torch.is_grad_enabled() else []

        def add_metric(self, value: Any, name: Any = None, aggregation: Any = None,
                       **words: Any) -> None:  # fmt: skip
            """Follow the mean of a number, or of a symbol of the network."""
            follow(self, scope, value, name)

        def get_config(self) -> dict[str, Any]:
            """Return what the layer was made with, as far as the base knows it."""
            return {"name": self.name, "trainable": self.trainable}

        @classmethod
        def from_config(cls, config: Mapping[str, Any]) -> Any:
            """Return a layer of this configuration."""
            return cls(**config)

        def __setattr__(self, key: str, value: Any) -> None:
            if key in ("trainable_weights", "non_trainable_weights", "_trainable_weights"):
                for weight in value:
                    if key == "non_trainable_weights":
                        untrained(self, weight)
                    elif id(weight) not in set(map(id, self.parameters())):
                        count = len(list(self.parameters(recurse=False)))
                        self.register_parameter(f"weight_{count}", weight)
            elif key == "updates":  # which Keras 1 reads after a call
                self.add_update(list(value))
            elif not own_names.put(KerasLayer, self, key, kept := contained(value)):
                super().__setattr__(key, kept)

    class Lambda(native.Lambda):
        """Keras's Lambda: a list of inputs is one argument; shapes are those of a run on zeros."""

        def forward(self, *x: Tensor) -> Any:
            """Call the function."""
            with phase(scope, self.training):
                out = self.function(x[0] if len(x) == 1 else list(x))
            return tuple(out) if isinstance(out, list) else out

        def __call__(self, *args: Any, **words: Any) -> Any:
            """Call the function on symbols themselves where it does not run on zeros."""
            try:
                return native.Lambda.__call__(self, *args, **words)
            except ShapeError:
                given_args = list(args[0]) if isinstance(args[0], (list, tuple)) else list(args)
                if not all(isinstance(one, Symbol) for one in given_args):
                    raise
                try:
                    out = self.function(given_args[0] if len(given_args) == 1 else given_args)
                except Exception:  # what it says of zeros is nearer to the script
                    out = None
                several = out if isinstance(out, (list, tuple)) else [out]
                if not all(isinstance(one, Symbol) for one in several):
                    raise
                return several[0] if len(several) == 1 else out

        def _run_on_meta(self, x: Any, unknown: int, batch: int = 2) -> Any:
            return on_zeros(self, scope, x, unknown, [self.function])

    return {"Layer": KerasLayer, "Lambda": Lambda}
