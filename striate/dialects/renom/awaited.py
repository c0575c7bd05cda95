"""Awaited: what stands for the output of a native network, and for its loss, until they are used.

A loop that looks at neither before `loss.grad().update(...)` has all of that step in one native
run. Whatever else is done with them finds the nodes that it expects.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ...engine.taped import Taped
from ...lower.lower import Head
from .node import HERE, Array, Leaf, Node, Output, Variable, grads_class, settle

TINY = 1e-8  # inside of every logarithm
SHARES = Head("softmax_crossentropy_dense", labels=False, tiny=TINY)
OPERATORS = (
    "add", "radd", "iadd", "sub", "rsub", "isub", "mul", "rmul", "imul", "truediv", "rtruediv",
    "itruediv", "pow", "rpow", "ipow", "matmul", "rmatmul", "neg", "abs", "pos", "floordiv",
    "rfloordiv", "mod", "rmod", "lt", "le", "gt", "ge", "eq", "ne", "getitem", "setitem", "len",
    "iter", "contains", "float", "int", "bool", "complex", "index", "array", "deepcopy", "copy",
    "reduce", "repr", "str", "format",
)  # fmt: skip


class Awaited:
    """Stands for a node, which is made when it is used."""

    __array_priority__ = 1000.0  # the operators are the node's also with an array on the left
    __hash__ = None  # type: ignore[assignment]  # as of every array
    _made: Node | None = None

    def _make(self) -> Node:
        raise NotImplementedError

    @property
    def node(self) -> Node:
        """The node."""
        if self._made is None:
            self._made = self._make()
        return self._made

    __class__ = property(lambda self: Node)  # what scripts ask for

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)


def _operator(name: str) -> Callable[..., Any]:
    def method(self: Awaited, *args: Any, **words: Any) -> Any:
        return getattr(self.node, name)(*args, **words)

    return method


for _name in OPERATORS:
    if hasattr(Node, f"__{_name}__"):
        setattr(Awaited, f"__{_name}__", _operator(f"__{_name}__"))


class AwaitedOutput(Awaited):
    """The output of a network that was called."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.shape = output.call.memory.shape

    def run(self) -> None:
        """Compute it, before the step."""
        call = self.output.call
        if not call.ran:
            call.taped.habit.looked_at()
            call.run()

    def _make(self) -> Node:
        self.run()
        node: Node = Node.of_output(self.output)
        return node


class AwaitedLoss(Awaited):
    """The crossentropy of an output with the softmax, for targets that are shares of the classes.

    `judged` returns it as a node.
    """

    def __init__(
        self, scores: AwaitedOutput, targets: Array, judged: Callable[[Any, Array], Node]
    ) -> None:
        self.scores, self.targets, self.judged = scores, targets, judged
        self.value: float | None = None  # once the step has found it
        self.let_go = False  # of the history, by `grad`

    @property
    def waits(self) -> bool:
        """Whether nothing is computed yet, and no gradient was asked for."""
        return self._made is None and not self.let_go and not self.scores.output.call.ran

    def _make(self) -> Node:
        if self.value is not None:
            node: Node = Node.plain(np.asarray(self.value, np.float32))
            return node
        node = self.judged(self.scores.node, self.targets)
        if self.let_go:
            node.detach_graph()
        return node

    def as_ndarray(self) -> Any:
        """Return the number as an array of no axes of its own."""
        if self.value is not None:
            return np.asarray(self.value, np.float32)
        return self.node.as_ndarray()

    def slope(self) -> Array:
        """Return the gradient of the output."""
        made = self.judged(self.scores.node, self.targets)
        assert made.slope is not None
        return made.slope[1]

    def history(self) -> Tensor:
        """Return the loss as a tensor, with its history."""
        made = self.judged(self.scores.node, self.targets)
        return made.tensor

    def grad(
        self, initial: Any = None, detach_graph: bool = True, weight_decay: float | None = None
    ) -> Any:
        """Return the gradients, as nodes do; they wait too."""
        if initial is not None or not detach_graph or not self.waits:
            return self.node.grad(initial, detach_graph, weight_decay)
        grads = grads_class().of_awaited(self, weight_decay)
        self.let_go = True
        return grads


def awaited(
    taped: Taped, x: Array, numbers: Sequence[Tensor], variables: Sequence[Variable],
    leaves: Sequence[Leaf | None],
) -> Any:  # fmt: skip
    """Return the output of a network for a batch, which is computed later if it can be."""
    settle()
    call = taped.call(x, numbers, later=True)
    output = Output(call, variables, leaves)
    if call.plan.whole is None:
        call.run()
        return Node.of_output(output)
    made = AwaitedOutput(output)
    HERE.pending = weakref.ref(made)
    return made


def loss_of(x: Any, y: Any, judged: Callable[[Any, Array], Node]) -> Any:
    """Return the loss of an output that is still awaited, or None where it is to be computed."""
    if type(x) is not AwaitedOutput or x.output.call.ran or type(y) is not np.ndarray:
        return None
    if y.dtype.kind not in "fiub" or y.shape != x.shape:
        return None
    return AwaitedLoss(x, y.astype(np.float32), judged)
