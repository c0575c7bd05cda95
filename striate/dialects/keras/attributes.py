"""What layers, symbols and tensors have besides, while a Keras script runs: rows of attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...core.layer import Layer
from ...core.spec import Spec
from ...core.symbol import Symbol
from ...engine import loop
from ...engine.native import make_step
from ...layers.kernel import Kernelled
from ...model import Model
from ...regularizers import get as penalty_of
from ..dialect import Patch
from ..symbolic import Bare, found, item_of, keep_told, lift, record, tensor, told_as
from . import about, builds, closing, fitted, initial, judging, keyed, numpy_calls, theano_words
from .custom import takes_mask
from .layers import put_weights
from .modes import besides, placed
from .ops import Policy
from .order import of_code
from .penalised import Added
from .printed import printed
from .session import KerasSession
from .sizes import Shape
from .tapes import Caller

_CALL, _NUMPY, _ARRAY = Layer.__call__, Tensor.numpy, Tensor.__array__
_ONLY = Layer._only_call  # where training calls a layer anew, the script's own call stays it
_FORWARD = Kernelled.forward
_FLOAT, _INT = Tensor.__float__, Tensor.__int__
_GET, _SET, _SETATTR = Layer.get_weights, Layer.set_weights, Layer.__setattr__


@contextmanager
def inference_or(training: bool | None, layer: nn.Module) -> Iterator[None]:
    """Hold a layer in the mode that a call asks for."""
    if training is None or all(part.training == training for part in layer.modules()):
        yield
        return
    modes = {part: part.training for part in layer.modules()}
    layer.train(bool(training))
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def _call(session: KerasSession) -> Callable[..., Any]:
    natively = Caller(session)

    def call(self: Layer, *args: Any, training: Any = None, mask: Any = None, **words: Any) -> Any:
        """Call a layer; inputs and outputs of a model may be in dictionaries."""
        if not isinstance(self, Model):
            return calls(self, *args, training=training, mask=mask, **words)
        if args and isinstance(args[0], Mapping):
            args = (keyed.listed(self, args[0]), *args[1:])
        return keyed.called(self, calls(self, *args, training=training, mask=mask, **words))

    def calls(self: Layer, *args: Any, training: Any = None, mask: Any = None, **words: Any) -> Any:
        """Call a layer as Keras does: in inference mode, unless told otherwise or within fit."""
        args = args or (words.pop("inputs"),) if "inputs" in words else args
        if any(True for _ in found(args)):
            closing.gather(self, args)
            out = _CALL(self, *args, **words)
            put_weights(session, self)
            return out
        args = tuple(_value(arg) for arg in args)
        args, told = placed(self, args)
        training, mask = told.get("training", training), told.get("mask", mask)
        args, others = besides(self, args, words)
        if others:
            words, training = {}, others[1].get("training", training)
        if isinstance(mask, Tensor) and takes_mask(self):
            vars(self)["told_mask"] = mask
        if training is None and not session.inside:
            training = bool(session.phase)
        before = session.inside, session.nested
        session.inside = session.nested = True
        known = vars(self).get("told")
        vars(self)["told"] = others
        try:
            with inference_or(None if training is None else bool(training), self):
                whole = not before[1] and not words and others is None
                out = natively(self, args) if whole else None
                if out is None:
                    graph = getattr(self, "_graph", None)
                    out = _penalised(session, self, _CALL(self, *args, **words))
                    if whole and graph is None:  # as the next call gives it
                        out = natively.asked(self, args, out)
                return out
        finally:
            session.inside, session.nested = before
            vars(self)["told"] = known

    return call


def _penalised(session: KerasSession, layer: Layer, out: Any) -> Any:
    """Return what a layer gives; its penalty on that is among `losses`."""
    penalty = penalty_of(session.of(layer).activity)
    if penalty is not None and isinstance(out, Tensor):
        averaged = session.version.name not in ("keras2", "keras23")
        vars(layer)["added"] = Added([penalty(out) / (len(out) if averaged else 1)])
    return out


def _value(x: Any) -> Any:
    """Return an input as a tensor; numbers are float32, as everywhere in Keras."""
    if isinstance(x, np.ndarray):
        return tensor(x)
    if isinstance(x, Tensor) and x.dtype == torch.float64:
        return x.float()
    if isinstance(x, (list, tuple)):
        return [_value(item) for item in x]
    return x


def _numpy(self: Tensor, *args: Any, **words: Any) -> Any:
    return _NUMPY(self.detach().cpu(), *args, **words)


def _array(self: Tensor, *args: Any, **words: Any) -> Any:
    return _ARRAY(self.detach().cpu(), *args, **words)


@torch.no_grad()
def _assign(self: Tensor, value: Any, **words: Any) -> Tensor:
    self.copy_(tensor(value))
    return self


@torch.no_grad()
def _assign_add(self: Tensor, value: Any, **words: Any) -> Tensor:
    self.add_(tensor(value))
    return self


@torch.no_grad()
def _assign_sub(self: Tensor, value: Any, **words: Any) -> Tensor:
    self.sub_(tensor(value))
    return self


def _kernels(session: KerasSession, layer: Layer) -> bool:
    """Return whether weights of kernels are (out, in, rows, columns) to the script."""
    return (
        session.version.old and session.layout == "channels_first" and not hasattr(layer, "_graph")
    )


def _get_weights(session: KerasSession) -> Callable[..., Any]:
    def get_weights(self: Layer) -> list[Any]:
        """Return copies of the weights in the order and layout of the version."""
        arrays = _GET(self)
        if _kernels(session, self):
            arrays = [np.transpose(a, (3, 2, 0, 1)) if a.ndim == 4 else a for a in arrays]
        return arrays

    return get_weights


def _set_weights(session: KerasSession) -> Callable[..., Any]:
    def set_weights(self: Layer, weights: Any) -> None:
        """Replace the weights by arrays in the order and layout of the version."""
        arrays = [np.asarray(_value(a).detach() if isinstance(a, Tensor) else a) for a in weights]
        if _kernels(session, self):
            arrays = [np.transpose(a, (2, 3, 1, 0)) if a.ndim == 4 else a for a in arrays]
        _SET(self, arrays)

    return set_weights


def _config(session: KerasSession) -> Callable[..., Any]:
    def get_config(self: Layer) -> dict[str, Any]:
        """Return the hyper-parameters of a layer."""
        fields = {key: value for key, value in self.config().items() if key != "trainable"}
        return {"name": self.name, "trainable": self.trainable, **fields}

    return get_config


def _shape(side: str) -> property:
    def shape(self: Layer) -> Any:
        """Return the shape with the batch, of the first call."""
        symbols = getattr(self.calls[0], side) if self.calls else ()
        if not symbols and side == "inputs":
            return (None, *self.specs[0].shape) if self.specs else None
        shapes = [symbol.shape for symbol in symbols]
        return shapes[0] if len(shapes) == 1 else shapes

    return property(shape)


class Placed:
    """A weight by its place, unless the layer has something of its own under the name."""

    def __init__(self, name: str, index: int) -> None:
        self.name, self.index = name, index

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        for held in (layer._parameters, layer._buffers, layer._modules):
            if self.name in held:
                return held[self.name]
        weights = [] if hasattr(layer, "call") else layer.weights
        if self.index >= len(weights):
            raise AttributeError(self.name)
        return weights[self.index]


def _item(self: Symbol, index: Any) -> Any:
    return item_of(self, index)


OPERATIONS = {  # of Keras 3, which lists them in the summary but not among the layers
    "add": "add", "radd": "add", "sub": "subtract", "rsub": "subtract", "mul": "multiply",
    "rmul": "multiply", "truediv": "true_divide", "rtruediv": "true_divide", "pow": "power",
}  # fmt: skip


TOLD_AS = {"__gt__": "greater", "__lt__": "less", "__ge__": "greater_equal",
           "__le__": "less_equal", "__floordiv__": "floor_divide", "__mod__": "mod"}  # fmt: skip


def _pairs(
    session: KerasSession, name: str, native: Callable[..., Any], function: Callable[..., Any]
) -> Callable[..., Any]:
    """Return an operator of symbols that also takes arrays and tensors."""
    lifted = lift(function)

    def act(a: Symbol, b: Any) -> Any:
        plain = isinstance(b, (int, float, np.number)) and not isinstance(b, bool)
        same = isinstance(b, Symbol) and len(b.spec.shape) == len(a.spec.shape) > 0
        if plain or same:
            out = native(a, float(b) if isinstance(b, np.number) else b)
        else:
            out = lifted(a, b)
            pair = (b, a) if name.startswith("__r") else (a, b)
            keep_told(out, OPERATIONS[name.strip("_")], pair, {})
        if session.version.name == "keras3" and isinstance(out, Symbol):
            return of_code(out, session.name(OPERATIONS[name.strip("_")]))
        return out

    act.__name__ = name
    return act


def _operators(session: KerasSession) -> list[Patch]:
    table: dict[str, Callable[[Any, Any], Any]] = {
        "__add__": lambda a, b: tensor(a) + tensor(b),
        "__radd__": lambda a, b: tensor(b) + tensor(a),
        "__sub__": lambda a, b: tensor(a) - tensor(b),
        "__rsub__": lambda a, b: tensor(b) - tensor(a),
        "__mul__": lambda a, b: tensor(a) * tensor(b),
        "__rmul__": lambda a, b: tensor(b) * tensor(a),
        "__truediv__": lambda a, b: tensor(a) / tensor(b),
        "__rtruediv__": lambda a, b: tensor(b) / tensor(a),
        "__pow__": lambda a, b: tensor(a) ** tensor(b),
    }
    made: list[Patch] = [
        (Symbol, name, _pairs(session, name, getattr(Symbol, name), function))
        for name, function in table.items()
    ]
    compared: dict[str, Callable[[Any, Any], Any]] = {
        "__gt__": lambda a, b: tensor(a) > tensor(b),
        "__lt__": lambda a, b: tensor(a) < tensor(b),
        "__ge__": lambda a, b: tensor(a) >= tensor(b),
        "__le__": lambda a, b: tensor(a) <= tensor(b),
    }
    whole: dict[str, Callable[[Any, Any], Any]] = {
        "__floordiv__": lambda a, b: tensor(a) // tensor(b),
        "__rfloordiv__": lambda a, b: tensor(b) // tensor(a),
        "__mod__": lambda a, b: tensor(a) % tensor(b),
    }
    negate = Symbol.__neg__

    def negative(a: Symbol) -> Any:
        """Return -a, which Keras 3 does not list among the layers."""
        out = negate(a)
        return of_code(out, session.name("negative")) if session.version.name == "keras3" else out

    made.append((Symbol, "__neg__", negative))
    lifted = ((Symbol, name, told_as(TOLD_AS.get(name, name), lift(function)))
              for name, function in {**compared, **whole}.items())  # fmt: skip
    return [*made, *lifted]


def _in_floats(self: Kernelled, *x: Tensor) -> Tensor:
    """Compute a layer with a kernel of whole numbers too, as Keras does."""
    return _FORWARD(self, *(one if one.is_floating_point() else one.float() for one in x))


def _seen(session: KerasSession) -> Callable[..., Any]:
    def seen(model: Any, setup: Any, *, training: bool = False) -> Any:
        """Make the engine's step, and keep it in view: callbacks read numbers at each batch."""
        step = judging.heard(session, make_step(model, setup, training=training))
        session.step = step if training else session.step
        return step

    return seen


def _set(self: Layer, key: str, value: Any) -> None:
    """Set an attribute; what a layer was made with can be another one later, as in Keras."""
    if key == "built" and isinstance(self, Model) and self._graph is None:
        return  # a script's word that its network needs no shapes
    if key != "trainable" and self.__dict__.get("built") and key in self.__dataclass_fields__:
        object.__setattr__(self, key, value)
    else:
        _SETATTR(self, key, value)


def _torch(cls: type, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Call a function of torch on symbols too: `tensor + symbol`."""
    kwargs = kwargs or {}
    return record(func, args, kwargs, list(found(args, kwargs)))


def _losses(self: Layer) -> list[Any]:
    """Return what layers have added to the loss in their last run, and penalties on weights."""
    out: list[Any] = []
    for part in self.modules():
        out += getattr(part, "added", [])
        if isinstance(part, Layer):
            pairs = [(getattr(part, name), one) for name, one in part.regularizers.items()]
            frozen = getattr(self, "counts_frozen", True)
            out += [one(weight) for weight, one in pairs if frozen or weight.requires_grad]
    return out


def patches(session: KerasSession) -> list[Patch]:
    """Return the rows: object, attribute, value."""
    weights, value = property(lambda self: self.weights), property(lambda self: self)
    return [
        (loop, "make_step", _seen(session)),
        (Layer, "__call__", _call(session)),
        (Layer, "get_weights", _get_weights(session)),
        (Layer, "set_weights", _set_weights(session)),
        (Layer, "get_config", _config(session)),
        (Layer, "trainable_variables", property(lambda self: self.trainable_weights)),
        (Layer, "non_trainable_variables", property(lambda self: self.non_trainable_weights)),
        (Layer, "variables", weights),
        (Layer, "input_shape", _shape("inputs")),
        (Layer, "output_shape", _shape("outputs")),
        (Layer, "losses", property(_losses)),
        (Layer, "dtype_policy", property(lambda self: Policy())),
        *(
            (Layer, name, property(lambda self: "float32"))
            for name in ("compute_dtype", "variable_dtype")
        ),
        *fitted.PATCHES,
        *about.PATCHES,
        *builds.patches(session),
        (Kernelled, "forward", _in_floats),
        (Layer, "W", Placed("W", 0)),
        (Layer, "b", Placed("b", 1)),
        (Layer, "_only_call", lambda self: self.calls[0] if self.calls else _ONLY(self)),
        (Layer, "get_output_at", lambda self, index: self.calls[index].outputs[0]),
        (Layer, "get_input_at", lambda self, index: self.calls[index].inputs[0]),
        (Layer, "compute_output_shape", _output_shape),
        (Layer, "__setattr__", _set),
        (Symbol, "__torch_function__", classmethod(_torch)),
        (Symbol, "__getitem__", _item),
        (Symbol, "__iter__", None),
        (Symbol, "__repr__", printed(session)),
        (Symbol, "get_shape", lambda self: Shape(self.shape)),
        (Symbol, "_keras_shape", property(lambda self: self.shape)),
        (Tensor, "_keras_shape", property(lambda self: (None, *self.shape[1:]))),
        (Symbol, "ndim", property(lambda self: len(self.shape))),
        *_operators(session),
        (Symbol, "shape", property(lambda self: Shape(_sizes(self.spec)))),
        *(
            (
                Tensor,
                f"__i{name}__",
                numpy_calls.operator(f"__{name}__"),
            )  # x += y makes a new tensor
            for name in ("add", "sub", "mul", "truediv")
        ),
        *numpy_calls.patches(session.version.name == "tf"),
        (Tensor, "numpy", _numpy),
        (Tensor, "__array__", _array),
        (Tensor, "__float__", lambda self: _FLOAT(self.detach())),  # that of losses too
        (Tensor, "__int__", lambda self: _INT(self.detach())),
        (Tensor, "assign", _assign),
        (Tensor, "assign_add", _assign_add),
        (Tensor, "assign_sub", _assign_sub),
        (Tensor, "value", value if session.version.name == "keras3" else lambda self: self),
        (Tensor, "eval", lambda self, **words: _numpy(self)),
        (Tensor, "get_shape", lambda self: Shape(self.shape)),
        (Tensor, "set_shape", lambda self, shape: None),
        (Symbol, "set_shape", lambda self, shape: None),
        *initial.PATCHES,
        *(theano_words.patches() if session.version.old else ()),
        (Tensor, "shape", property(lambda self: Shape(_size(self)))),
        (
            Tensor,
            "name",
            property(
                about.last_word
                if session.version.name == "keras3"
                else lambda self: vars(self).get("word"),
                _set_word,
            ),
        ),
        (Tensor, "path", property(lambda self: vars(self).get("word"))),
        (Layer, "weights", property(_named_weights(session))),
    ]


_size = Tensor.size
_WEIGHTS: Any = Layer.weights.fget  # type: ignore[attr-defined]
OLD_WORDS = {
    "kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std",
}  # fmt: skip


def _set_word(self: Tensor, word: Any) -> None:
    vars(self)["word"] = word


def _named_weights(session: KerasSession) -> Callable[..., Any]:
    def weights(self: Layer) -> list[Tensor]:
        """Return the weights, each with the name that the version gives it."""
        assert _WEIGHTS is not None
        found: list[Tensor] = _WEIGHTS(self)
        if any("word" not in vars(weight) for weight in found):
            about.name_weights(self, lambda place, key: _word(session, place, key),
                               nested=session.version.name == "keras3")  # fmt: skip
        return found

    return weights


def _word(session: KerasSession, layer: str, weight: str) -> str:
    if session.version.old:
        return f"{layer}_{OLD_WORDS.get(weight, weight)}"
    return f"{layer}/{weight}" + (":0" if session.version.name != "keras3" else "")


def _sizes(spec: Spec) -> tuple[Any, ...]:
    return spec.full if isinstance(spec, Bare) else (None, *spec.shape)


def _output_shape(self: Layer, input_shape: Any) -> tuple[Any, ...]:
    """Return the shape of the output, with the batch, for one of the input."""
    spec = Spec(tuple(input_shape[1:]))
    self.ensure_built((spec,))
    return (None, *self.infer(spec).shape)
