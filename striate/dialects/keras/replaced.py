"""Gradients that a script writes for operations of TensorFlow 1, by the names of their kinds."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...errors import caller
from ..symbolic import lift, tensor
from ..table import DialectError
from .session import KerasSession
from .tf_objects import Anything

KINDS = {  # functions by their last names, and the operations that they are
    "identity": "Identity", "sign": "Sign", "round": "Round", "floor": "Floor", "ceil": "Ceil",
    "abs": "Abs", "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "square": "Square",
    "clip_by_value": "clip_by_value", "maximum": "Maximum", "minimum": "Minimum", "relu": "Relu",
    "relu6": "Relu6", "elu": "Elu", "softplus": "Softplus", "sigmoid": "Sigmoid", "tanh": "Tanh",
    "softmax": "Softmax", "py_func": "PyFunc", "argmax": "ArgMax",
}  # fmt: skip
LAYERS = ("Relu", "Elu", "Softplus", "Sigmoid", "Tanh", "Softmax")  # activations among them


@dataclass(frozen=True)
class Operation:
    """What a written gradient is given: the tensors that went in, and those that came out."""

    inputs: list[Tensor]
    outputs: list[Tensor]


class Written(torch.autograd.Function):
    """A function that goes back by what a script says."""

    @staticmethod
    def forward(ctx: Any, run: Any, gradient: Any, *x: Tensor) -> Any:
        """Run the function; keep what its gradient is given."""
        out = run(x)
        ctx.gradient, ctx.operation = gradient, Operation(list(x), [out])
        return out.clone() if any(out is one for one in x) else out

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Any:
        """Return the script's gradients, None for inputs that it gives none."""
        made = ctx.gradient(ctx.operation, *upstream)
        several = list(made) if isinstance(made, (list, tuple)) else [made]
        missing = len(ctx.operation.inputs) - len(several)
        return (None, None, *several[: len(ctx.operation.inputs)], *[None] * missing)


def _passed(operation: Operation, gradient: Tensor) -> Tensor:
    """Return the gradient as it came: that of the operation Identity."""
    return gradient


def with_gradient(function: Callable[..., Any], gradient: Callable[..., Any]) -> Any:
    """Return a function of tensors whose gradient is another."""

    @functools.wraps(function)
    def call(*args: Any, **words: Any) -> Any:
        listed = [one if isinstance(one, (list, tuple)) else [one] for one in args]
        x = [one for some in listed for one in some if isinstance(one, Tensor)]

        def run(values: Any) -> Any:
            left = iter(values)
            filled = [[next(left) if isinstance(one, Tensor) else one for one in some]
                      for some in listed]  # fmt: skip
            given = [new if isinstance(old, (list, tuple)) else new[0]
                     for old, new in zip(args, filled, strict=True)]  # fmt: skip
            return tensor(function(*given, **words))

        return Written.apply(run, gradient, *x)

    return call


def gradient_for(scope: KerasSession, kind: str) -> Callable[..., Any] | None:
    """Return the gradient that a script has put in the place of a kind's own; None where none."""
    name = scope.replaced.get(kind)
    if name is None or name == kind:
        return None
    found = {"Identity": _passed, **scope.written}.get(name)
    if found is None:
        raise DialectError(
            "gradient_override_map", f"no gradient of the name {name!r} is registered",
            got=f"{{{kind!r}: {name!r}}}", need=f"one of {', '.join(scope.written) or 'none'}",
            fix=f"@tf.RegisterGradient({name!r}) above the function, before the block", at=caller(),
        )  # fmt: skip
    return found


def replaceable(scope: KerasSession, functions: Mapping[str, Any]) -> dict[str, Any]:
    """Return functions whose gradients a script may replace while they are called."""

    def one(kind: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(plain)
        def call(*args: Any, **words: Any) -> Any:
            gradient = gradient_for(scope, kind) if scope.replaced else None
            chosen = plain if gradient is None else lift(with_gradient(plain, gradient))
            return chosen(*args, **words)

        return call

    made = {name: one(kind, functions[name]) for name, kind in KINDS.items() if name in functions}
    return {**functions, **made}


def replaced_activation(scope: KerasSession, value: Any) -> Any:
    """Return the activation of a layer made while its gradient is replaced; else the value."""
    word = getattr(value, "activation", None) or getattr(value, "__name__", value)
    kind = KINDS.get(word) if isinstance(word, str) else None
    gradient = gradient_for(scope, kind) if kind in LAYERS else None
    if gradient is None:
        return value
    return lift(with_gradient(getattr(torch, str(word), torch.nn.functional.relu), gradient))


class Overridden(Anything):
    """A graph of TensorFlow 1, which only carries settings, but for the gradients it replaces."""

    def __init__(self, scope: KerasSession) -> None:
        super().__init__()
        vars(self)["scope"] = scope

    def as_default(self) -> Overridden:
        """Return the graph."""
        return self

    @contextlib.contextmanager
    def gradient_override_map(self, op_type_map: Mapping[str, str]) -> Iterator[None]:
        """Replace the gradients of kinds of operations that are called within the block."""
        before = self.scope.replaced
        self.scope.replaced = {**before, **op_type_map}
        try:
            yield
        finally:
            self.scope.replaced = before


def names(scope: KerasSession) -> dict[str, Any]:
    """Return the names of `tensorflow` for graphs and their gradients."""

    def register(op_type: str) -> Callable[..., Any]:
        def keep(function: Callable[..., Any]) -> Callable[..., Any]:
            scope.written[op_type] = function
            return function

        return keep

    def graph() -> Overridden:
        return Overridden(scope)

    return {"RegisterGradient": register, "Graph": graph, "get_default_graph": graph}
