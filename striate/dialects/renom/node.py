"""Node and Variable: arrays that remember how they came about, as torch remembers it underneath."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...engine.taped import Call
from ...errors import caller
from ..table import DialectError

Array = NDArray[Any]
PLAIN = (int, slice, type(None), type(Ellipsis))  # keys that torch takes too


class Awaiting(Protocol):
    """What is computed later, unless `run` is called before."""

    def run(self) -> None:
        """Compute it."""


class _Here(threading.local):
    pending: weakref.ref[Awaiting] | None = None  # what a thread may still compute


HERE = _Here()


def settle(but: Awaiting | None = None) -> None:
    """Compute what is still awaited: something that it depends on may change."""
    if HERE.pending is not None:
        one, HERE.pending = HERE.pending(), None
        if one is not None and one is not but:
            one.run()


def precision() -> torch.dtype:
    """Return the type of all numbers: float64 where RENOM_PRECISION is 64, else float32."""
    return torch.float64 if os.environ.get("RENOM_PRECISION") == "64" else torch.float32


def tensor_of(x: Any) -> Tensor:
    """Return what is behind a node, or an array, a number or a list as numbers of the precision."""
    if isinstance(x, Node):
        return x.tensor
    if isinstance(x, Tensor):
        return x
    array = np.asarray(x)
    if not array.flags.writeable or min(array.strides, default=0) < 0:
        array = array.copy()  # torch shares neither
    if array.dtype.kind not in "fiub":
        raise DialectError(
            "rm.Node",
            "holds numbers",
            got=f"an array of {array.dtype}",
            fix="x.astype(np.float32) where every element is a number",
            at=caller(),
        )
    return torch.from_numpy(array).to(precision())


def operator(function: Callable[..., Tensor]) -> Callable[[Any, Any], Any]:
    """Return a method of two operands that computes on the tensors."""

    def method(self: Node, other: Any) -> Any:
        return Node.of(function(self.tensor, tensor_of(other)))

    return method


def reflected(function: Callable[..., Tensor]) -> Callable[[Any, Any], Any]:
    """Return the method for the node on the right of the sign."""

    def method(self: Node, other: Any) -> Any:
        return Node.of(function(tensor_of(other), self.tensor))

    return method


def without_history(name: str) -> Callable[..., Any]:
    """Return the method of a plain array."""

    def method(self: Node, *args: Any, **words: Any) -> Any:
        return getattr(np.asarray(self), name)(*args, **words)

    return method


def _plain(x: Any) -> Any:
    """Return nodes, wherever they are in lists and tables, as plain arrays."""
    if isinstance(x, (list, tuple)):
        return type(x)(_plain(one) for one in x)
    if isinstance(x, dict):
        return {key: _plain(one) for key, one in x.items()}
    return np.asarray(x) if isinstance(x, Node) else x


class Node(np.ndarray[Any, Any]):
    """A read-only array with a history; NumPy sees the numbers, `grad` follows the history.

    Raises: ValueError where an element is assigned.
    """

    _tensor: Tensor | None = None
    made: Callable[[], Tensor] | None = None  # makes the tensor with its history when it is needed
    output: Output | None = None  # of a native network, which it is
    slope: tuple[Output, Array] | None = None  # what it is made of, and its gradient for that

    def __new__(cls, value: Any) -> Any:
        """Return a node of these numbers."""
        return cls.of(tensor_of(value))

    @classmethod
    def of(cls, tensor: Tensor) -> Any:
        """Return the node that shares the numbers of a tensor."""
        node = cls.plain(tensor.detach().numpy())
        node._tensor = tensor
        return node

    @classmethod
    def of_output(cls, output: Output) -> Any:
        """Return the node of what a native network has given."""
        node = cls.plain(output.call.numbers)
        node.made, node.output = output.tensor, output
        return node

    @classmethod
    def plain(cls, array: Array) -> Any:
        """Return the node that shares the numbers of an array."""
        node = array.view(cls)
        node.flags.writeable = False
        return node

    def __array_finalize__(self, source: Any) -> None:
        self._tensor = None  # what NumPy has made of a node is another array

    def __array_ufunc__(self, ufunc: Any, method: Any, *inputs: Any, **kwargs: Any) -> Any:
        """Compute on plain arrays: NumPy's functions leave no history."""
        return getattr(ufunc, method)(*_plain(inputs), **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Compute on plain arrays."""
        return func(*_plain(args), **_plain(kwargs))

    @property
    def tensor(self) -> Tensor:
        """The tensor behind the numbers."""
        if self._tensor is None:
            made = self.made or (lambda: torch.from_numpy(np.array(self)).to(precision()))
            self._tensor = made()
        return self._tensor

    @property
    def numbers(self) -> Tensor:
        """The tensor without a history."""
        return torch.from_numpy(np.array(self)) if self.made is not None else self.tensor.detach()

    # ---- arithmetic with a history ---------------------------------------------------------------

    __add__ = __iadd__ = operator(torch.add)
    __sub__ = __isub__ = operator(torch.sub)
    __mul__ = __imul__ = operator(torch.mul)
    __truediv__ = __itruediv__ = operator(torch.true_divide)
    __pow__ = __ipow__ = operator(torch.pow)  # type: ignore[assignment]
    __matmul__ = operator(torch.matmul)
    __radd__, __rsub__ = reflected(torch.add), reflected(torch.sub)
    __rmul__, __rpow__ = reflected(torch.mul), reflected(torch.pow)  # type: ignore[assignment]
    __rtruediv__ = reflected(torch.true_divide)
    __rmatmul__ = reflected(torch.matmul)

    def __neg__(self) -> Any:
        return Node.of(-self.tensor)

    def __abs__(self) -> Any:
        return Node.of(self.tensor.abs())

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if all(isinstance(one, PLAIN) and _forward(one) for one in keys):
            return Node.of(self.tensor[key])
        places = np.arange(self.size).reshape(self.shape)[key]  # any key that NumPy has
        return Node.of(self.tensor.reshape(-1)[torch.from_numpy(np.array(places))])

    def reshape(self, *shape: Any, **words: Any) -> Any:
        """Return the numbers in another shape."""
        sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return Node.of(self.tensor.reshape(tuple(int(size) for size in np.atleast_1d(sizes))))

    def transpose(self, *axes: Any) -> Any:
        """Return the numbers with the axes in another order; without one, the reverse."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return Node.of(self.tensor.permute(tuple(order or range(self.ndim)[::-1])))

    @property
    def T(self) -> Any:  # noqa: N802
        """The numbers with the axes in reverse order."""
        return self.transpose()

    # ---- without a history -----------------------------------------------------------------------

    argmax, argmin = without_history("argmax"), without_history("argmin")
    argsort, astype = without_history("argsort"), without_history("astype")
    sum, mean, prod = without_history("sum"), without_history("mean"), without_history("prod")
    max, min = without_history("max"), without_history("min")
    std, var = without_history("std"), without_history("var")
    flatten, ravel = without_history("flatten"), without_history("ravel")
    squeeze, round = without_history("squeeze"), without_history("round")
    clip, dot = without_history("clip"), without_history("dot")

    def as_ndarray(self) -> Any:
        """Return the numbers as a plain array of their own; of a loss, one of no axes."""
        return self.view(np.ndarray).copy()

    def to_cpu(self) -> None:
        """Do nothing: the numbers are in memory."""

    to_gpu = release_gpu = to_cpu

    def new_array(self) -> Any:
        """Return the numbers as a plain array of their own."""
        return np.array(self)

    def detach_graph(self) -> None:
        """Forget the history."""
        if self._tensor is not None:
            self._tensor = self._tensor.detach()
        self.made = self.output = self.slope = None

    def copy(self, order: Any = "C") -> Any:
        """Return a node of the same kind that can be written to and has no history."""
        node = type(self).of(torch.from_numpy(np.array(self, order=order)))
        node.auto_update, node.flags.writeable = False, True
        return node

    def __deepcopy__(self, memo: Any = None) -> Any:
        return type(self).of(self.tensor.detach().clone())

    def __reduce__(self) -> Any:
        return _restored, (np.array(self),)

    def __repr__(self) -> str:
        body = np.array2string(np.asarray(self), separator=", ", prefix=f"{type(self).__name__}(")
        return f"{type(self).__name__}({body}, dtype={self.dtype})"

    def __str__(self) -> str:
        return str(np.asarray(self))

    # ---- backwards -------------------------------------------------------------------------------

    def grad(
        self, initial: Any = None, detach_graph: bool = True, weight_decay: float | None = None
    ) -> Any:
        """Return the gradients of the sum of this node, or of its product with `initial`.

        `detach_graph`: afterwards nothing can be asked of this history again. `weight_decay` is
        for the `w` of each layer that has none of its own.
        """
        return grads_class()(self, initial, detach_graph, weight_decay)


class Leaf:
    """A variable in one history: its tensor there is made when something asks for it."""

    __slots__ = ("made", "variable")

    def __init__(self, variable: Variable) -> None:
        self.variable = variable
        self.made: Tensor | None = None

    @property
    def tensor(self) -> Tensor:
        """The tensor, which knows its variable."""
        if self.made is None:
            self.made = self.variable.numbers.detach().requires_grad_()
            self.made.variable = self.variable  # type: ignore[attr-defined]
        return self.made


class Output:
    """What a native network has given where all its variables were recorded.

    Autograd hears of it when something asks for its tensor. Its history is `claimed` by the
    gradients that let go of it.
    """

    def __init__(
        self, call: Call, variables: Sequence[Variable], leaves: Sequence[Leaf | None]
    ) -> None:
        self.call, self.variables, self.leaves = call, variables, leaves
        self.claimed = False

    def tensor(self) -> Tensor:
        """Return the output with its history."""
        pairs = zip(self.leaves, self.variables, strict=True)
        given = [one.numbers if leaf is None else leaf.tensor for leaf, one in pairs]
        recorded = self.call.recorded(given)
        recorded.grad_fn.output = self  # type: ignore[union-attr]
        return recorded


class Variable(Node):
    """A node that training changes: weights, or any array whose gradient is wanted.

    One that belongs to a layer is recorded inside of `model.train()` alone, others always.

    Raises: ValueError for anything else than an array or a number.
    """

    auto_update = True
    weight_decay: float | None = None
    leaf: Leaf | None = None  # stands for the numbers in what is recorded

    def __new__(
        cls, value: Any, auto_update: bool = True, weight_decay: float | None = None
    ) -> Any:
        """Return a variable of a copy of these numbers."""
        if not isinstance(value, (np.ndarray, np.generic, int, float)):
            raise DialectError(
                "rm.Variable",
                "Invalid Node value",
                got=f"a {type(value).__name__}",
                need="an array or a number",
                fix="rm.Variable(np.array(value))",
                at=caller(),
            )
        node = cls.of(tensor_of(value).detach().clone())
        node.auto_update, node.weight_decay = bool(auto_update), weight_decay
        node.record()
        return node

    @property
    def tensor(self) -> Tensor:
        """The numbers: where they are recorded, what stands for them there."""
        return self.leaf.tensor if self.leaf is not None else super().tensor

    @property
    def numbers(self) -> Tensor:
        """The numbers, whether they are recorded or not."""
        return super().tensor

    @property
    def value(self) -> Tensor:
        """The numbers, to be changed in place: what was recorded with them stays valid."""
        settle()
        return super().tensor.data

    def record(self) -> None:
        """Begin a new history, unless the variable is not to be updated."""
        self.leaf = Leaf(self) if self.auto_update else None

    def rest(self) -> None:
        """Let what follows have no history."""
        self.leaf = None

    _auto_update = property(
        lambda self: self.auto_update, lambda self, value: self.set_auto_update(value)
    )

    def set_auto_update(self, value: bool) -> None:
        """Say whether training changes it."""
        self.auto_update = value
        if not value:
            self.rest()


@functools.cache
def grads_class() -> Any:
    """Return the class of gradients, whose module imports this one."""
    from .grads import Grads

    return Grads


def _forward(key: Any) -> bool:
    return not isinstance(key, bool) and (not isinstance(key, slice) or (key.step or 1) > 0)


def _restored(array: Any) -> Node:
    node: Node = Node(array)
    return node


def to_value(x: Any) -> Any:
    """Return the numbers of a node as a plain array, or the argument itself."""
    return x.as_ndarray() if isinstance(x, Node) else x
