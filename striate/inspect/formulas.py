"""The functions of activations as people and Python write them, with the number put in."""

from __future__ import annotations

import math

# {0} is the argument, {1}, {2}... the parameters; Python's math names are at hand
FORMULAS: dict[str, str] = {
    "celu": "max({0}, 0) + min(exp(min({0}, 0)) - 1, 0)",
    "elu": "({0} if {0} > 0 else {1} * (exp({0}) - 1))",
    "exponential": "exp({0})",
    "gelu": "{0} * (1 + erf({0} / sqrt(2))) / 2",
    "gelu_tanh": "{0} * (1 + tanh(sqrt(2 / pi) * ({0} + 0.044715 * {0} ** 3))) / 2",
    "hard_shrink": "({0} if abs({0}) > 0.5 else 0)",
    "hard_sigmoid": "min(max({0} / 6 + 0.5, 0), 1)",
    "hard_silu": "{0} * min(max({0} / 6 + 0.5, 0), 1)",
    "hard_tanh": "min(max({0}, -1), 1)",
    "leaky_relu": "({0} if {0} >= 0 else {1} * {0})",
    "linear": "{0}",
    "log_sigmoid": "(min({0}, 0) - log1p(exp(-abs({0}))))",
    "mish": "{0} * tanh(max({0}, 0) + log1p(exp(-abs({0}))))",
    "relu": "max({0}, 0)",
    "relu6": "min(max({0}, 0), 6)",
    "selu": "1.0507009873554805 * ({0} if {0} > 0 else 1.6732632423543772 * (exp({0}) - 1))",
    "sigmoid": "1 / (1 + exp(-{0}))",
    "silu": "{0} / (1 + exp(-{0}))",
    "soft_shrink": "(max(abs({0}) - 0.5, 0) * (1 if {0} > 0 else -1))",
    "softplus": "(max({0}, 0) + log1p(exp(-abs({0}))))",
    "softsign": "{0} / (1 + abs({0}))",
    "sparse_plus": "((min(max({0}, -1), 1) + 1) ** 2 / 4 if {0} < 1 else {0})",
    "sparse_sigmoid": "(min(max({0}, -1), 1) + 1) / 2",
    "squareplus": "({0} + sqrt({0} ** 2 + 4)) / 2",
    "tanh": "tanh({0})",
    "tanh_shrink": "{0} - tanh({0})",
}
BOUNDED = "min({0} if {0} > {3} else {2} * ({0} - {3}), {1})"  # relu with all its parameters
NAMES = {
    name: getattr(math, name)
    for name in ("erf", "exp", "inf", "log", "log1p", "nan", "pi", "sqrt", "tanh")
}
BEGIN = f"from math import {', '.join(NAMES)}; "


def formula(function: str, parameters: tuple[float, ...] = ()) -> str:
    """Return the expression of a function of `{0}`, its parameters put in."""
    text = BOUNDED if function == "relu" and parameters else FORMULAS[function]
    for number, value in enumerate(parameters, start=1):
        text = text.replace(f"{{{number}}}", number_text(value))
    return text


def apply(expression: str, value: float) -> float:
    """Return the value of an expression of this file at a number.

    A sigmoid of a large negative number is 0, where exp is too large for Python's floats.
    """
    try:
        return float(eval(expression.replace("{0}", f"({value!r})"), {**NAMES}))
    except OverflowError:
        return 0.0


def number_text(value: float) -> str:
    """Return a number as Python reads it, with the nine digits that a float32 has."""
    return f"{value:.9g}"
