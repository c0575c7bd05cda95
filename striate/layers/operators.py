"""The operators of symbols: each is a call of a layer, so that `x + y` is a part of a network."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import torch
from torch import Tensor

from ..core.layer import Layer
from ..core.spec import Spec, show
from ..core.symbol import Symbol
from ..errors import ConfigError, ShapeError, caller, one_of
from ..settings import check_range
from .merge import Add, Dot, Maximum, Multiply, Placewise, Subtract
from .preprocess import Rescaling
from .resize import floating, floating_spec

FUNCTIONS: dict[str, Callable[[Any, Any], Tensor]] = {
    "/": torch.true_divide,
    "//": torch.floor_divide,
    "%": torch.remainder,
    "**": torch.pow,
}


class Arithmetic(Placewise):
    """Compute `a operator b` place by place, where one of the two may be a number.

    Fields: `operator`, one of "/", "//", "%" and "**"; `left` or `right`, a number in the place of
    an input. Whole-numbered inputs become float32.

    Shape: that of the inputs.
    Raises: ConfigError for another operator, ShapeError for another number of inputs.

    Example:
        >>> Arithmetic("/", left=1.0)(torch.tensor([4.0]))
        tensor([0.2500])
    """

    operator: str
    left: float | None = None
    right: float | None = None

    def __post_init__(self) -> None:
        """Check every hyper-parameter."""
        one_of(self.where, "operator", self.operator, FUNCTIONS)
        for field in ("left", "right"):
            if getattr(self, field) is not None:
                check_range(self.where, field, getattr(self, field), "(-inf, inf)", 1.0)

    def infer(self, *x: Spec) -> Spec:
        """Return the common spec of the inputs, in floating point."""
        inputs = (self.left is None) + (self.right is None)
        if len(x) != inputs:
            raise ShapeError(
                self.where,
                f"takes {inputs} inputs, not {len(x)}",
                got=f"inputs {' and '.join(map(str, x))}",
                need=" ".join(
                    "input" if side is None else str(side) for side in (self.left, self.right)
                ).replace(" ", f" {self.operator} "),
            )
        return floating_spec(super().infer(*x))

    def combine(self, *x: Tensor) -> Tensor:
        """Return the result of the operator."""
        a, b = self.left, self.right
        given = list(map(floating, x))
        return FUNCTIONS[self.operator](
            given.pop(0) if a is None else a, given.pop(0) if b is None else b
        )


def add(a: Symbol, b: Any) -> Symbol:
    """Return a + b, where b is a symbol or a number."""
    return _operate("+", a, b, Add, lambda number: Rescaling(1.0, number))


def subtract(a: Symbol, b: Any) -> Symbol:
    """Return a - b, where b is a symbol or a number."""
    return _operate("-", a, b, Subtract, lambda number: Rescaling(1.0, -number))


def subtract_from(a: Symbol, b: Any) -> Symbol:
    """Return b - a, where b is a number."""
    return _operate("-", a, b, Subtract, lambda number: Rescaling(-1.0, number))


def multiply(a: Symbol, b: Any) -> Symbol:
    """Return a * b, where b is a symbol or a number."""
    return _operate("*", a, b, Multiply, Rescaling)


def divide(a: Symbol, b: Any) -> Symbol:
    """Return a / b, where b is a symbol or a number that is not 0."""
    _not_by_zero("/", a, b)
    return _operate("/", a, b, partial(Arithmetic, "/"), lambda number: Rescaling(1 / number))


def negate(a: Symbol) -> Symbol:
    """Return -a."""
    return multiply(a, -1.0)


def absolute(a: Symbol) -> Symbol:
    """Return |a|, the larger of a and -a."""
    larger: Symbol = Maximum()(a, negate(a))
    return larger


def matrix_product(a: Symbol, b: Any) -> Symbol:
    """Return a @ b for samples that are matrices."""
    if isinstance(b, Symbol) and len(a.spec.shape) == len(b.spec.shape) == 2:
        product: Symbol = Dot((2, 1))(a, b)
        return product
    raise ConfigError(
        "@",
        "only samples that are matrices can be multiplied",
        got=f"{show(a.spec.shape)} @ {show(b.spec.shape) if isinstance(b, Symbol) else b}",
        need="(rows, n) @ (n, columns)",
        fix="L.Dot(axes)(a, b), or L.Dense(units)(a)",
        at=caller(),
    )


def refuse_index(a: Symbol, index: Any) -> NoReturn:
    """Raise ConfigError: parts of a symbol are taken by layers."""
    raise ConfigError(
        "[]",
        "a symbol cannot be indexed: it has a shape but no values",
        got=f"{show(a.spec.shape)}[{index!r}]",
        need="a layer that takes the part",
        fix="L.Lambda(lambda x: x[:, :2])(x), where axis 0 is the batch, or L.Cropping2D",
        at=caller(),
    )


def _right(operator: str) -> Callable[[Symbol, Any], Symbol]:
    """Return the function of `a operator b`."""

    def act(a: Symbol, b: Any) -> Symbol:
        if operator != "**":
            _not_by_zero(operator, a, b)
        pair = partial(Arithmetic, operator)
        return _operate(operator, a, b, pair, lambda number: pair(right=number))

    return act


def _left(operator: str) -> Callable[[Symbol, Any], Symbol]:
    """Return the function of `b operator a`, where b is a number."""

    def act(a: Symbol, b: Any) -> Symbol:
        pair = partial(Arithmetic, operator)
        return _operate(operator, a, b, pair, lambda number: pair(left=number))

    return act


def _operate(
    sign: str, a: Symbol, b: Any, pair: Callable[[], Layer], scale: Callable[[float], Layer]
) -> Symbol:
    if isinstance(b, Symbol):
        result: Symbol = pair()(a, b)
    elif isinstance(b, numbers.Real):
        result = scale(float(b))(a)
    else:
        raise ConfigError(
            sign,
            f"a symbol does not go together with a {type(b).__name__}",
            got=f"{show(a.spec.shape)} and {type(b).__name__}",
            need="another symbol, or a number",
            fix=f"L.Lambda(lambda x: x {sign} constant)(x), or an L.Input for the values",
            at=caller(),
        )
    return result


def _not_by_zero(sign: str, a: Symbol, b: Any) -> None:
    if isinstance(b, numbers.Real) and b == 0:
        raise ConfigError(
            sign,
            "a symbol is divided by 0",
            got=f"{show(a.spec.shape)} {sign} {b}",
            need="a number that is not 0",
            at=caller(),
        )


Symbol.__add__ = Symbol.__radd__ = add
Symbol.__sub__, Symbol.__rsub__ = subtract, subtract_from
Symbol.__mul__ = Symbol.__rmul__ = multiply
Symbol.__truediv__, Symbol.__rtruediv__ = divide, _left("/")
Symbol.__floordiv__, Symbol.__rfloordiv__ = _right("//"), _left("//")
Symbol.__mod__, Symbol.__rmod__ = _right("%"), _left("%")
Symbol.__pow__, Symbol.__rpow__ = _right("**"), _left("**")
Symbol.__matmul__ = matrix_product
Symbol.__neg__, Symbol.__abs__ = negate, absolute
Symbol.__getitem__ = refuse_index
