"""Arithmetic of nodes, `zoo.pipeline.api.autograd`: expressions as layers and as losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ... import layers as native
from ...core.symbol import Input, Symbol
from ...errors import caller
from ..table import DialectError
from .arithmetic import Act, Numbers, tensor
from .containers import Graph, Table
from .criterions import Criterion, Row
from .kind import Signature
from .leaf import Leaf
from .module import LAYOUT, Module, Node
from .session import BigdlSession
from .topology import place


def applied(act: Act, *given: Any) -> Any:
    """Return what a function gives for values, of which some may be nodes, and some numbers."""
    nodes = [one for one in given if isinstance(one, Node)]
    if not nodes:
        return Numbers(act(*(tensor(one) for one in given)))
    places = [at for at, one in enumerate(given) if isinstance(one, Node)]
    fixed = [None if isinstance(one, Node) else tensor(one) for one in given]

    def filled(*x: Tensor) -> Tensor:
        whole = list(fixed)
        for at, value in zip(places, x, strict=True):
            whole[at] = value
        return act(*whole)

    table = Table(nodes[0].module.session, "Lambda", lambda x: native.Lambda(filled)(*x))
    node = Node(table, nodes)
    place(node, *(one.symbol for one in nodes))
    return node


def _reduced(act: Act) -> Callable[..., Any]:
    def function(x: Any, axis: Any = 0, keepDims: bool = False) -> Any:  # noqa: N803
        """Reduce along an axis, 0 being the batch."""
        return applied(lambda t: act(t, dim=axis, keepdim=keepDims), x)

    return function


def _batch_dot(x: Tensor, y: Tensor, axes: Any, normalize: bool = False) -> Tensor:
    first, second = [axes] * 2 if isinstance(axes, int) else axes
    if normalize:
        x, y = functional.normalize(x, dim=first), functional.normalize(y, dim=second)
    if x.dim() == 2 and y.dim() == 2:
        return (x * y).sum(-1, keepdim=True)
    return x.movedim(first, -1) @ y.movedim(second, -2)


def _mm(x: Tensor, y: Tensor, axes: Any = None) -> Tensor:
    first, second = axes or (x.dim() - 1, y.dim() - 2 if y.dim() > 1 else 0)
    return x.movedim(first, -1) @ y.movedim(second, -2)


def _clip(x: Any, min: float, max: float) -> Any:
    return applied(lambda t: t.clamp(min, max), x)


def _stack(inputs: Sequence[Any], axis: int = 1) -> Any:
    return applied(lambda *t: torch.stack(t, axis), *inputs)


def _unary(act: Act) -> Callable[..., Any]:
    return lambda x: applied(act, x)


EPSILON = 1e-7
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "mean": _reduced(torch.mean), "sum": _reduced(torch.sum),
    **{name: _unary(getattr(torch, name)) for name in
       ("abs", "square", "sqrt", "exp", "log", "neg", "erf")},
    "softsign": _unary(functional.softsign), "softplus": _unary(functional.softplus),
    "contiguous": _unary(lambda t: t.contiguous()),
    "maximum": lambda x, y: applied(torch.maximum, x, y),
    "pow": lambda x, a: applied(lambda t: t.pow(a), x),
    "clip": _clip,
    "expand_dims": lambda x, axis: applied(lambda t: t.unsqueeze(axis), x),
    "l2_normalize": lambda x, axis: applied(lambda t: functional.normalize(t, dim=axis), x),
    "batch_dot": lambda x, y, axes=1, normalize=False: applied(
        lambda a, b: _batch_dot(a, b, axes, normalize), x, y),
    "mm": lambda x, y, axes=None: applied(lambda a, b: _mm(a, b, axes), x, y),
    "stack": _stack, "epsilon": lambda: EPSILON,
}  # fmt: skip
FUNCTIONS["dot"] = FUNCTIONS["batch_dot"]


class Expression(Module):
    """A function of variables as a layer: it is called once, for the shapes that come first."""

    kind = "Lambda"

    def __init__(self, session: BigdlSession, function: Callable[..., Any],
                 input_shape: Any = None) -> None:  # fmt: skip
        super().__init__(session)
        self.function = function
        self.graph: Graph | None = None
        self.words = {"input_shape": input_shape}

    def connect(self, *x: Symbol) -> tuple[Symbol, ...]:
        """Compute the expression of these."""
        if self.graph is None:
            begins = [begun(self.session, one.spec.shape) for one in x]
            self.graph = Graph(self.session, begins, self.function(*begins))
        out: tuple[Symbol, ...] = self.graph.connect(*x)
        return out

    def leaves(self) -> Iterator[Leaf]:
        """Yield the layers of the expression."""
        return iter(()) if self.graph is None else self.graph.leaves()

    def __call__(self, x: Any = None) -> Node:
        """Return the node of this call."""
        node = super().__call__(x)
        place(node, *(one.symbol for one in node.before))
        return node


def begun(session: BigdlSession, shape: Any) -> Node:
    """Return a variable of a shape, without the batch."""
    node = Node(Table(session, "Input", lambda x: x))
    node.symbol = Input(tuple(shape), data_format=LAYOUT)
    return node


class CustomLoss(Criterion):
    """The mean of an expression of targets and outputs."""

    def __init__(self, loss_func: Callable[[Any, Any], Any], y_pred_shape: Any = None,
                 y_true_shape: Any = None) -> None:  # fmt: skip
        def compare(words: Any, x: Tensor, y: Tensor) -> Tensor:
            found = loss_func(Numbers(y), Numbers(x))
            if not isinstance(found, Numbers):
                raise DialectError(
                    "Analytics Zoo CustomLoss", "the function does not give a variable",
                    got=type(found).__name__, need="an expression of y_true and y_pred",
                    fix="return mean(abs(y_true - y_pred), axis=1)", at=caller(),
                )  # fmt: skip
            return found.tensor.mean()

        self.kind, self.words, self.output = "CustomLoss", {}, 0.0
        self.row = Row(Signature("loss=function"), compare)

    def forward(self, input: Any, target: Any) -> float:
        """Return the mean for targets and outputs: in this order, unlike other criterions."""
        return super().forward(target, input)

    def backward(self, input: Any, target: Any) -> Any:
        """Return the gradient of the outputs, for targets and outputs."""
        return super().backward(target, input)


def names(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `zoo.pipeline.api.autograd`."""

    def variable(input_shape: Any, node: Any = None, jvalue: Any = None, name: Any = None) -> Node:
        session.created("ZooKerasVariable")
        return node if node is not None else begun(session, input_shape)

    def expression(function: Any, input_shape: Any = None, **words: Any) -> Expression:
        return Expression(session, function, input_shape)

    def constant(data: Any, name: Any = None, **words: Any) -> Numbers:
        session.created("ZooKerasConstant")
        return Numbers(tensor(data))

    return {**FUNCTIONS, "Variable": variable, "Lambda": expression, "Constant": constant,
            "CustomLoss": CustomLoss}  # fmt: skip
