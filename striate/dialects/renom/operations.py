"""Functions of ReNom on nodes and arrays: reductions, elementwise functions, joining, choosing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .node import Node, tensor_of, to_value


def elementwise(function: Callable[..., Tensor]) -> Callable[..., Any]:
    """Return the function on nodes: a tensor function of operands of one shape."""

    def of_nodes(*operands: Any) -> Any:
        return Node.of(function(*(tensor_of(x) for x in operands)))

    return of_nodes


def reduction(function: Callable[..., Tensor]) -> Callable[..., Any]:
    """Return the reduction on nodes: over all axes, or over one."""

    def of_node(arg: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        x = tensor_of(arg)
        axes = tuple(range(x.ndim)) if axis is None else axis
        return Node.of(function(x, dim=axes, keepdim=keepdims))

    return of_node


def concat(*args: Any, axis: int = 1) -> Any:
    """Return the nodes joined along an axis; they come one by one or in a list."""
    parts = args[0] if len(args) == 1 and isinstance(args[0], (list, tuple)) else args
    return Node.of(torch.cat([tensor_of(part) for part in parts], dim=axis))


def reshape(array: Any, shape: Any) -> Any:
    """Return the numbers in another shape."""
    sizes = (shape,) if isinstance(shape, int) else shape
    return Node.of(tensor_of(array).reshape(tuple(int(size) for size in sizes)))


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return the numbers of `a` where the condition holds, else those of `b`."""
    return Node.of(torch.where(tensor_of(condition) != 0, tensor_of(a), tensor_of(b)))


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Return the numbers with the axes in another order; without one, the reverse."""
    return Node(x).transpose(*(axes or ()))


def pad(x: Any, pad_width: Any, mode: str = "constant") -> Any:
    """Return the numbers with zeros around them; the widths are those of NumPy."""
    widths = [(one, one) if isinstance(one, int) else one for one in pad_width]
    flat = [width for pair in reversed(widths) for width in pair]
    return Node.of(torch.nn.functional.pad(tensor_of(x), flat, mode))


def invert(x: Any) -> Any:
    """Return one divided by the numbers."""
    return Node.of(tensor_of(x).reciprocal())


def clip(x: Any, min: float, max: float) -> Any:
    """Return the numbers, none outside of the limits."""
    return Node.of(tensor_of(x).clamp(min, max))


OPERATIONS: Mapping[str, Any] = {
    "sum": reduction(torch.sum),
    "mean": reduction(torch.mean),
    "amax": reduction(torch.amax),
    "amin": reduction(torch.amin),
    "sqrt": elementwise(torch.sqrt),
    "square": elementwise(torch.square),
    "exp": elementwise(torch.exp),
    "log": elementwise(torch.log),
    "abs": elementwise(torch.abs),
    "dot": elementwise(torch.matmul),
    "add": elementwise(torch.add),
    "sub": elementwise(torch.sub),
    "mul": elementwise(torch.mul),
    "div": elementwise(torch.true_divide),
    "concat": concat,
    "reshape": reshape,
    "where": where,
    "transpose": transpose,
    "pad": pad,
    "invert": invert,
    "clip": clip,
    "to_value": to_value,
}
