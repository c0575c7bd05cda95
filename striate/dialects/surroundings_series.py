"""A column as pandas has it, as far as scripts of networks use it: a NumPy array with names."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import caller, nearest
from .table import DialectError


class LacksError(DialectError, AttributeError):
    """The stand-in for pandas has no such word; `hasattr` gives False."""


def lacks(kind: str, word: str, words: Sequence[str]) -> AttributeError:
    """Return the error for a word that the stand-in has not."""
    if word.startswith("_"):
        return AttributeError(word)
    near = nearest(word, words)
    return LacksError(
        f"pandas.{kind}.{word}",
        "pandas is not installed, and its stand-in has no such word",
        got=word,
        fix=" or ".join(filter(None, (near, "pip install pandas"))),
        at=caller(),
    )


class Index(list[Any]):
    """Names of rows or columns."""

    @property
    def values(self) -> Any:
        """The names as an array."""
        return np.array(self)

    def tolist(self) -> list[Any]:
        """Return the names as a list."""
        return list(self)

    def __repr__(self) -> str:
        return f"Index({list(self)!r})"


class Places:
    """Rows (and columns) by number, or by name; a slice of names has its end."""

    def __init__(self, table: Any, *, named: bool) -> None:
        self.table, self.named = table, named

    def __getitem__(self, key: Any) -> Any:
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        table = self.table
        rows = self._numbers(rows, table.index)
        if isinstance(table, Series):
            return table.values[rows] if np.ndim(rows) == 0 else table._rows(rows)
        columns = self._numbers(columns, table.columns)
        if np.ndim(rows) == 0 and np.ndim(columns) == 0:
            return table[table.columns[columns]].values[rows]
        names = [table.columns[at] for at in np.atleast_1d(columns)]
        if np.ndim(columns) == 0:
            return table[names[0]]._rows(rows)
        if np.ndim(rows) == 0:
            line = [table[name].values[rows] for name in names]
            return Series(np.array(line), index=names, name=table.index[rows])
        return table[names]._rows(rows)

    def _numbers(self, key: Any, names: Sequence[Any]) -> Any:
        places = np.arange(len(names))
        if self.named and isinstance(key, slice):
            begin = 0 if key.start is None else list(names).index(key.start)
            end = len(names) if key.stop is None else list(names).index(key.stop) + 1
            return places[begin : end : key.step]
        if isinstance(key, slice):
            return places[key]
        array = np.asarray(key.values if isinstance(key, Series) else key)
        if array.dtype == bool or not self.named:
            return places[array] if array.ndim else int(places[array])
        if array.ndim == 0:
            return list(names).index(array.item())
        return np.array([list(names).index(one) for one in array.tolist()], int)


class Shared:
    """What tables and columns share."""

    index: Index

    @property
    def iloc(self) -> Places:
        """By number."""
        return Places(self, named=False)

    @property
    def loc(self) -> Places:
        """By name."""
        return Places(self, named=True)

    def head(self, n: int = 5) -> Any:
        """Return the first rows."""
        return self.iloc[:n]

    def tail(self, n: int = 5) -> Any:
        """Return the last rows."""
        return self.iloc[-n:] if n else self.iloc[:0]

    def to_numpy(self, dtype: Any = None, **words: Any) -> Any:
        """Return the numbers as an array."""
        return np.array(self.values, dtype)

    def sample(self, n: int | None = None, frac: float | None = None, random_state: Any = None,
               **words: Any) -> Any:  # fmt: skip
        """Return rows that are drawn, each once."""
        size = len(self.index)
        draw = np.random if random_state is None else np.random.RandomState(random_state)
        count = round(size * frac) if frac is not None else n or 1
        return self.iloc[draw.permutation(size)[:count]]

    @property
    def values(self) -> Any:
        """The numbers."""
        raise TypeError("a subclass says which")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values, dtype)

    def __len__(self) -> int:
        return len(self.index)


def _each(act: Callable[[Any, Any], Any]) -> Any:
    def apply(self: Any, other: Any) -> Any:
        """Combine value by value."""
        return self._like(act(self.values, other.values if isinstance(other, Shared) else other))

    return apply


def _number(word: str) -> Any:
    def reduce(self: Series, *args: Any, **words: Any) -> Any:
        """Return the number of all values that are there."""
        values = self.values[~_absent(self.values)]
        extra = {"ddof": 1} if word in ("std", "var") else {}  # of a sample, as pandas does
        return getattr(np, word)(values, **extra)

    return reduce


def _absent(values: Any) -> Any:
    if values.dtype.kind == "f":
        return np.isnan(values)
    return np.array([one is None or one != one for one in values.tolist()], bool)


class Series(Shared):
    """A column."""

    __module__ = "pandas"

    def __init__(self, data: Any = (), index: Any = None, name: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        if isinstance(data, dict):
            index, data = list(data), list(data.values())
        values = np.asarray(data.values if isinstance(data, Shared) else data, dtype)
        vars(self)["_values"] = values.astype(object) if values.dtype.kind in "US" else values
        self.index = Index(range(len(values)) if index is None else index)
        self.name = name

    @property
    def values(self) -> Any:
        """The numbers."""
        return vars(self)["_values"]

    def __getattr__(self, word: str) -> Any:
        raise lacks("Series", word, dir(type(self)))

    @property
    def dtype(self) -> Any:
        """The kind of the values."""
        return self.values.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """How many there are."""
        return tuple(self.values.shape)

    def _like(self, values: Any) -> Series:
        return Series(values, self.index, self.name)

    def _rows(self, places: Any) -> Series:
        return Series(self.values[places], [self.index[at] for at in places], self.name)

    def __getitem__(self, key: Any) -> Any:
        simple = np.ndim(key) == 0 and not isinstance(key, slice)
        return self.loc[key] if simple or isinstance(key, Series) else self.iloc[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values.tolist())

    __eq__, __ne__ = _each(operator.eq), _each(operator.ne)
    __lt__, __le__, __gt__, __ge__ = map(
        _each, (operator.lt, operator.le, operator.gt, operator.ge)
    )
    __add__, __sub__, __mul__, __truediv__ = map(
        _each, (operator.add, operator.sub, operator.mul, operator.truediv)
    )
    __and__, __or__, __mod__, __pow__ = map(
        _each, (operator.and_, operator.or_, operator.mod, operator.pow)
    )
    __radd__, __rmul__ = __add__, __mul__
    __hash__ = None  # type: ignore[assignment]
    mean, std, var, sum, min, max, median = map(
        _number, ("mean", "std", "var", "sum", "min", "max", "median")
    )

    def __invert__(self) -> Series:
        return self._like(~self.values)

    def any(self) -> bool:
        """Return whether one is true."""
        return bool(self.values.any())

    def all(self) -> bool:
        """Return whether all are true."""
        return bool(self.values.all())

    def count(self) -> int:
        """Return how many are there."""
        return int((~_absent(self.values)).sum())

    def tolist(self) -> list[Any]:
        """Return the values as a list."""
        values: list[Any] = self.values.tolist()
        return values

    to_list = tolist

    def astype(self, dtype: Any) -> Series:
        """Return values of another kind."""
        return self._like(self.values.astype(dtype))

    def copy(self) -> Series:
        """Return a copy."""
        return self._like(self.values.copy())

    def isnull(self) -> Series:
        """Return where nothing is."""
        return self._like(_absent(self.values))

    isna = isnull

    def isin(self, values: Any) -> Series:
        """Return which are among these."""
        return self._like(np.isin(self.values, list(values)))

    def unique(self) -> Any:
        """Return each value once, in the order in which they appear."""
        return np.array(list(dict.fromkeys(self.values.tolist())), self.dtype)

    def nunique(self) -> int:
        """Return how many different ones there are."""
        return len(self.unique())

    def value_counts(self, normalize: bool = False, **words: Any) -> Series:
        """Return how often each value is there, the most frequent first."""
        counts = {value: self.tolist().count(value) for value in self.unique().tolist()}
        ordered = dict(sorted(counts.items(), key=lambda pair: -pair[1]))
        found = Series(ordered, name="proportion" if normalize else "count")
        return found / len(self) if normalize else found

    def apply(self, how: Any) -> Series:
        """Return what a function or a dictionary makes of each value."""
        change = how.get if isinstance(how, dict) else how
        return self._like([change(one) for one in self.values.tolist()])

    map = apply

    def fillna(self, value: Any) -> Series:
        """Return the values, with another one where nothing is."""
        return self._like(np.where(_absent(self.values), value, self.values))

    def reset_index(self, drop: bool = False) -> Series:
        """Return the values with numbers as names."""
        return Series(self.values, None, self.name)

    def plot(self, **words: Any) -> Any:
        """Draw it; return the axes."""
        from .surroundings_pandas import DataFrame

        return DataFrame({self.name or "": self.values}, index=self.index).plot(**words)

    def hist(self, bins: int = 10, **words: Any) -> Any:
        """Draw how often values are there; return the axes."""
        from matplotlib import pyplot

        axes = pyplot.gca()
        axes.hist(self.values, bins=bins)
        return axes

    def __repr__(self) -> str:
        texts = shown(self.values)
        rows = [[str(name), one] for name, one in zip(self.index, texts, strict=True)]
        name = f"Name: {self.name}, " if self.name is not None else ""
        return "\n".join((*aligned(rows, left=True), f"{name}dtype: {self.dtype}"))


def shown(values: Any) -> list[str]:
    """Return a column as texts; floats with as many decimals as they need, up to six."""
    if values.dtype.kind != "f":
        return [str(one) for one in values.tolist()]
    there = values[np.isfinite(values)]
    places = next((n for n in range(1, 6) if np.allclose(there, there.round(n), 0, 1e-9)), 6)
    return ["NaN" if one != one else f"{one:.{places}f}" for one in values.tolist()]


def aligned(rows: list[list[str]], *, left: bool) -> list[str]:
    """Return lines of columns of one width; the first one may be at the left."""
    if len(rows) > 60:
        rows = [*rows[:5], ["..."] * len(rows[0]), *rows[-5:]]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) if left and not at else cell.rjust(width)
                      for at, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip()
            for row in rows]  # fmt: skip
