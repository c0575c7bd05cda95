"""What NumPy has removed: functions and words as rows, methods of arrays where they are called."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

METHOD = "__removed_method__"
_reshape, _fromstring = np.reshape, np.fromstring


def reshape(a: Any, shape: Any = None, order: Any = "C", *, newshape: Any = None,
            **words: Any) -> Any:  # fmt: skip
    """Return an array of another shape, which was called `newshape` up to NumPy 2.0."""
    return _reshape(a, newshape if shape is None else shape, order, **words)


def fromstring(string: Any, dtype: Any = float, count: int = -1, sep: str = "",
               **words: Any) -> Any:  # fmt: skip
    """Return the numbers of a text; without `sep`, those whose bytes these are, as up to 2.2."""
    if sep:
        return _fromstring(string, dtype, count, sep=sep, **words)
    data = string.encode("latin-1") if isinstance(string, str) else bytes(string)
    return np.frombuffer(data, dtype, count).copy()


def asfarray(a: Any, dtype: Any = np.float64) -> Any:
    """Return an array of floats."""
    kind = np.dtype(dtype)
    return np.asarray(a, kind if kind.kind in "fc" else np.float64)


CHANGED: tuple[tuple[Any, str, Any], ...] = (
    (np, "reshape", reshape), (np, "fromstring", fromstring),
)  # fmt: skip
REMOVED: tuple[tuple[Any, str, Any], ...] = (
    (np, "asfarray", asfarray), (np, "round_", np.round), (np, "mat", np.asmatrix),
    (np, "find_common_type", lambda arrays, scalars: np.result_type(*arrays, *scalars)),
    (np, "issubclass_", lambda one, other: isinstance(one, type) and issubclass(one, other)),
)  # fmt: skip
METHODS: dict[str, Any] = {
    "tostring": lambda array, order="C": array.tobytes(order),
    "ptp": np.ptp,
    "itemset": lambda array, *args: array.__setitem__(
        args[0] if len(args) == 2 else args[:-1], args[-1]),
}  # fmt: skip


def called(holder: Any, name: str, *args: Any, **words: Any) -> Any:
    """Call a method; of an array, one that NumPy has no more."""
    if isinstance(holder, (np.ndarray, np.generic)) and not hasattr(holder, name):
        return METHODS[name](holder, *args, **words)
    return getattr(holder, name)(*args, **words)


class _Calls(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Let `called` look what a call of such a method is of."""
        self.generic_visit(node)
        method = node.func
        if isinstance(method, ast.Attribute) and method.attr in METHODS:
            args = [method.value, ast.Constant(method.attr), *node.args]
            made = ast.Call(ast.Name(METHOD, ast.Load()), args, node.keywords)
            return ast.fix_missing_locations(ast.copy_location(made, node))
        return node


def with_methods(tree: ast.Module) -> ast.Module:
    """Return a tree whose calls of removed methods are answered."""
    changed: ast.Module = _Calls().visit(tree)
    return changed


def names() -> Mapping[str, Any]:
    """Return the functions that such a tree calls."""
    return {METHOD: called}
