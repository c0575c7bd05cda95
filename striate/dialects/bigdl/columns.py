"""Columns of a data frame as expressions: `pyspark.sql.functions`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import caller
from ..table import DialectError

SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "=": operator.eq, "!=": operator.ne, "<>": operator.ne,
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
}  # fmt: skip


class Column:
    """A value for each row: of a column, or of what is made of some."""

    def __init__(self, of: Callable[[Any], Any], name: str) -> None:
        self.of, self.name = of, name

    def alias(self, name: str, *args: Any, **words: Any) -> Column:
        """Return the same under another name."""
        return Column(self.of, name)

    def cast(self, kind: Any) -> Column:
        """Return the values in another type."""
        word = (kind if isinstance(kind, str) else type(kind).__name__).lower()
        word = word.removesuffix("type")
        if word not in CASTS:
            raise DialectError("Column.cast", f"there is no type {word!r} here",
                               need="one of " + ", ".join(CASTS), at=caller())  # fmt: skip
        return Column(lambda row: CASTS[word](self.of(row)), self.name)

    astype = cast

    def getField(self, name: str) -> Column:  # noqa: N802
        """Return a part of each value."""
        return Column(lambda row: self.of(row)[name], f"{self.name}.{name}")

    __getitem__ = getField

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.getField(name)

    def __invert__(self) -> Column:
        return Column(lambda row: not self.of(row), f"(NOT {self.name})")

    __hash__ = object.__hash__


CASTS: Mapping[str, Callable[[Any], Any]] = {
    "double": float, "float": float, "int": int, "integer": int, "long": int, "string": str,
    "boolean": bool,
}  # fmt: skip


def _operation(act: Callable[[Any, Any], Any], sign: str, turned: bool = False) -> Any:
    def method(self: Column, other: Any) -> Column:
        right = other if isinstance(other, Column) else lit(other)
        one, two = (right, self) if turned else (self, right)
        return Column(lambda row: act(one.of(row), two.of(row)), f"({one.name} {sign} {two.name})")

    return method


for word, sign in (("eq", "="), ("ne", "!="), ("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="),
                   ("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("mod", "%"),
                   ("and", "AND"), ("or", "OR")):  # fmt: skip
    found = getattr(operator, f"__{word}__")
    setattr(Column, f"__{word}__", _operation(found, sign))
    if word in ("add", "sub", "mul", "truediv"):
        setattr(Column, f"__r{word}__", _operation(found, sign, True))


def col(name: str) -> Column:
    """Return a column by its name; with points, a part of one."""
    parts = name.split(".")

    def of(row: Any) -> Any:
        value = row[parts[0]]
        for part in parts[1:]:
            value = value[part]
        return value

    return Column(of, name)


def lit(value: Any) -> Column:
    """Return a column of one value."""
    return Column(lambda row: value, str(value))


def udf(f: Any = None, returnType: Any = None) -> Any:  # noqa: N803
    """Return a function of columns."""
    if not callable(f):
        return lambda function: udf(function, f)
    name = getattr(f, "__name__", "f")

    def called(*columns: Any) -> Column:
        given = [one if isinstance(one, Column) else col(one) for one in columns]
        words = ", ".join(one.name for one in given)
        return Column(lambda row: f(*(one.of(row) for one in given)), f"{name}({words})")

    return called


def condition(text: str) -> Column:
    """Return a comparison that is written as in SQL: `label = 1`."""
    found = re.fullmatch(r"\s*([\w.]+)\s*(==|=|!=|<>|<=|>=|<|>)\s*(.+?)\s*", text)
    if found is None:
        raise DialectError(
            "DataFrame.filter",
            "takes one comparison here",
            got=repr(text),
            need="'label = prediction', or an expression of col('label')",
            fix="df.rdd.filter(lambda row: ...) for others",
            at=caller(),
        )
    name, sign, right = found.groups()
    if re.fullmatch(r"[-+]?\d*\.?\d+(e[-+]?\d+)?", right, re.I):
        other = lit(float(right))
    elif right[0] in "'\"":
        other = lit(right[1:-1])
    else:
        other = col(right)
    return Column(lambda row: SIGNS[sign](col(name).of(row), other.of(row)), text)


FUNCTIONS: dict[str, Any] = {"col": col, "column": col, "lit": lit, "udf": udf}
