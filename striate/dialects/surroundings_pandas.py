"""Tables as pandas has them, as far as scripts of networks use them: columns of NumPy arrays."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .surroundings_series import Index, Series, Shared, aligned, lacks, shown


def _per_column(word: str) -> Any:
    def reduce(self: DataFrame, *args: Any, **words: Any) -> Series:
        """Return the number of each column that has numbers."""
        names = [name for name in self.columns if self[name].dtype.kind in "biuf"]
        return Series([getattr(self[name], word)() for name in names], index=names)

    return reduce


class DataFrame(Shared):
    """Columns of one length, by name."""

    __module__ = "pandas"

    def __init__(self, data: Any = None, index: Any = None, columns: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        table = _columns({} if data is None else data, columns)
        length = max((len(one) for one in table.values() if np.ndim(one)), default=1)
        own = getattr(next(iter(table.values()), None), "index", None)
        names = own if index is None and isinstance(own, Index) else index
        self.index = Index(range(length if table else 0) if names is None else names)
        vars(self)["_table"] = {
            name: Series(np.full(len(self.index), one) if np.ndim(one) == 0 else one, self.index,
                         name, dtype).values
            for name, one in table.items()
        }  # fmt: skip

    @property
    def _data(self) -> dict[Any, Any]:
        table: dict[Any, Any] = vars(self)["_table"]
        return table

    def __getattr__(self, word: str) -> Any:
        if not word.startswith("_") and word in self._data:
            return self[word]
        raise lacks("DataFrame", word, [*dir(type(self)), *map(str, self._data)])

    @property
    def columns(self) -> Index:
        """The names of the columns."""
        return Index(self._data)

    @columns.setter
    def columns(self, names: Any) -> None:
        vars(self)["_table"] = dict(zip(names, self._data.values(), strict=True))

    @property
    def values(self) -> Any:
        """The numbers: rows and columns."""
        return np.stack(list(self._data.values()), 1) if self._data else np.empty((0, 0))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.index), len(self._data)

    @property
    def dtypes(self) -> Series:
        """The kind of each column."""
        return Series([str(one.dtype) for one in self._data.values()], index=self.columns)

    T = property(lambda self: DataFrame(self.values.T, index=self.columns, columns=self.index))

    def _rows(self, places: Any) -> DataFrame:
        names = [self.index[at] for at in places]
        return DataFrame({name: one[places] for name, one in self._data.items()}, names)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self.iloc[key]
        if isinstance(key, (list, Index)) and not all(isinstance(one, bool) for one in key):
            return DataFrame({name: self._data[name] for name in key}, self.index)
        if isinstance(key, (Series, np.ndarray, list)):
            return self.iloc[np.asarray(key)]
        return Series(self._data[key], self.index, key)

    def __setitem__(self, name: Any, values: Any) -> None:
        given = values.values if isinstance(values, Shared) else values
        whole = np.full(len(self.index), given) if np.ndim(given) == 0 else given
        if not self._data:
            self.index = Index(range(len(whole)))
        self._data[name] = Series(whole).values

    def __iter__(self) -> Iterator[Any]:
        return iter(self.columns)

    def __contains__(self, name: Any) -> bool:
        return name in self._data

    def items(self) -> Iterator[tuple[Any, Series]]:
        """Yield the columns."""
        return ((name, self[name]) for name in self.columns)

    def iterrows(self) -> Iterator[tuple[Any, Series]]:
        """Yield the rows."""
        return ((name, self.iloc[at]) for at, name in enumerate(self.index))

    mean, std, sum, min, max, median, count = map(
        _per_column, ("mean", "std", "sum", "min", "max", "median", "count")
    )

    def drop(self, labels: Any = None, axis: Any = 0, columns: Any = None, index: Any = None,
             inplace: bool = False) -> DataFrame | None:  # fmt: skip
        """Return the table without some rows or columns."""
        across = columns is not None or axis in (1, "columns")
        given = labels if labels is not None else columns if columns is not None else index
        gone = list(given) if isinstance(given, (list, tuple, Index, np.ndarray)) else [given]
        if across:
            out: DataFrame = self[[name for name in self.columns if name not in gone]]
        else:
            out = self._rows([at for at, name in enumerate(self.index) if name not in gone])
        if not inplace:
            return out
        vars(self)["_table"], self.index = out._data, out.index
        return None

    def dropna(self, **words: Any) -> DataFrame:
        """Return the rows in which everything is there."""
        return self._rows(np.flatnonzero(~self.isnull().values.any(axis=1)))

    def fillna(self, value: Any, **words: Any) -> DataFrame:
        """Return the table, with another value where nothing is."""
        return self._mapped(lambda one: one.fillna(value))

    def isnull(self) -> DataFrame:
        """Return where nothing is."""
        return self._mapped(lambda one: one.isnull())

    isna = isnull

    def any(self, **words: Any) -> Series:
        """Return of which columns a value is true."""
        return Series([self[name].any() for name in self.columns], index=self.columns)

    def astype(self, dtype: Any) -> DataFrame:
        """Return values of another kind."""
        return self._mapped(lambda one: one.astype(dtype))

    def copy(self, **words: Any) -> DataFrame:
        """Return a copy."""
        return self._mapped(lambda one: one.copy())

    def _mapped(self, act: Callable[[Series], Series]) -> DataFrame:
        return DataFrame({name: act(one) for name, one in self.items()}, self.index)

    def __truediv__(self, other: Any) -> DataFrame:
        return self._mapped(lambda one: one / other)

    def rename(self, columns: Any = None, **words: Any) -> DataFrame:
        """Return the table with other names of columns."""
        return DataFrame({(columns or {}).get(name, name): one for name, one in self._data.items()},
                         self.index)  # fmt: skip

    def reset_index(self, drop: bool = False, **words: Any) -> DataFrame:
        """Return the table with numbers as names of rows."""
        first = {} if drop else {"index": list(self.index)}
        return DataFrame({**first, **self._data})

    def sort_values(self, by: Any, ascending: bool = True, **words: Any) -> DataFrame:
        """Return the rows in the order of a column."""
        order = np.argsort(self._data[by[0] if isinstance(by, list) else by], kind="stable")
        return self._rows(order if ascending else order[::-1])

    def describe(self) -> DataFrame:
        """Return number, mean, deviation, and quarters of each column that has numbers."""
        rows = ("count", "mean", "std", "min", "25%", "50%", "75%", "max")
        table = {}
        for name in self.mean().index:
            one = self[name]
            cuts = np.percentile(one.values, (25, 50, 75))
            table[name] = [one.count(), one.mean(), one.std(), one.min(), *cuts, one.max()]
        return DataFrame(table, index=rows)

    def info(self, **words: Any) -> None:
        """Print the columns and their kinds."""
        print(f"{len(self)} rows, {len(self._data)} columns")  # noqa: T201  the script's own
        print(self.dtypes)  # noqa: T201

    def to_csv(self, path: Any = None, index: bool = True, header: bool = True,
               sep: str = ",") -> None:  # fmt: skip
        """Write it to a file."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file, delimiter=sep, lineterminator="\n")
            if header:
                out.writerow([*([""] if index else []), *self.columns])
            columns = [one.tolist() for one in self._data.values()]
            for name, row in zip(self.index, zip(*columns, strict=True), strict=True):
                out.writerow([*([name] if index else []), *row])

    def plot(self, kind: str = "line", x: Any = None, y: Any = None, ax: Any = None,
             figsize: Any = None, title: str | None = None, grid: Any = None,
             **words: Any) -> Any:  # fmt: skip
        """Draw its columns; return the axes."""
        from matplotlib import pyplot

        axes = pyplot.subplots(figsize=figsize)[1] if ax is None else ax
        names = [name for name in self.columns if name != x] if y is None else np.ravel(y).tolist()
        across = list(self.index) if x is None else self._data[x]
        draw = getattr(axes, {"line": "plot", "scatter": "scatter", "bar": "bar"}[kind])
        for name in names:
            draw(across, self._data[name], label=str(name))
        axes.set_title(title or "")
        axes.grid(bool(grid))
        axes.legend()
        return axes

    def __repr__(self) -> str:
        cells = [shown(column) for column in self._data.values()]
        body = [list(map(str, row)) for row in zip(self.index, *cells, strict=True)]
        return "\n".join(aligned([["", *map(str, self.columns)], *body], left=False))


def _columns(data: Any, names: Any) -> dict[Any, Any]:
    """Return columns by name, of what a table can be made of."""
    if isinstance(data, DataFrame):
        data = {name: data[name] for name in data.columns}
    if isinstance(data, dict):
        return data if names is None else {name: data.get(name, np.nan) for name in names}
    if isinstance(data, (list, tuple)) and data and isinstance(data[0], dict):
        keys = list(dict.fromkeys(key for row in data for key in row))
        return {key: [row.get(key, np.nan) for row in data] for key in (names or keys)}
    if isinstance(data, (list, tuple)) and data and np.ndim(data[0]) == 1:
        columns: Any = list(zip(*data, strict=True))
    else:
        array = np.asarray(data)
        columns = array.T if array.ndim == 2 else [array]
    labels = range(len(columns)) if names is None else names
    return {name: list(one) for name, one in zip(labels, columns, strict=True)}


# ---- functions -----------------------------------------------------------------------------------


def _typed(column: list[str]) -> Any:
    """Return texts as whole numbers, as numbers with NaN for nothing, or as they are."""
    for kind in (int, float):
        try:
            return np.array([kind(one) if one or kind is int else np.nan for one in column])
        except ValueError:
            continue
    return np.array([one or np.nan for one in column], object)


def read_csv(path: Any, sep: str = ",", header: Any = "infer", names: Any = None,
             nrows: int | None = None, delimiter: str | None = None, usecols: Any = None,
             index_col: int | None = None, **words: Any) -> DataFrame:  # fmt: skip
    """Return the table of a file."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file, delimiter=delimiter or sep) if row]
    own = header is not None and (names is None or header == 0)
    first = rows.pop(0) if own else None
    labels: Any = names or first or range(len(rows[0]) if rows else 0)
    cut = rows[:nrows]
    table = {name: _typed([row[at] for row in cut]) for at, name in enumerate(labels)}
    if usecols is not None:
        table = {name: one for at, (name, one) in enumerate(table.items())
                 if name in usecols or at in usecols}  # fmt: skip
    index = table.pop(list(table)[index_col]) if index_col is not None else None
    return DataFrame(table, None if index is None else index.tolist())


def concat(objs: Sequence[Any], axis: int = 0, ignore_index: bool = False,
           **words: Any) -> Any:  # fmt: skip
    """Return tables one below the other, or side by side."""
    parts = list(objs)
    if axis == 1:
        columns: dict[Any, Any] = {}
        for one in parts:
            columns |= dict(one.items()) if isinstance(one, DataFrame) else {one.name: one}
        return DataFrame(columns)
    index = None if ignore_index else [name for one in parts for name in one.index]
    if isinstance(parts[0], Series):
        return Series(np.concatenate([one.values for one in parts]), index, parts[0].name)
    table = {name: np.concatenate([one[name].values for one in parts])
             for name in parts[0].columns}  # fmt: skip
    return DataFrame(table, index)


def get_dummies(data: Any, **words: Any) -> DataFrame:
    """Return a column of 0 and 1 for each kind of value."""
    column = data if isinstance(data, Series) else Series(data)
    kinds = sorted(column.unique().tolist())
    return DataFrame({kind: (column == kind).values for kind in kinds}, column.index)


def modules() -> dict[str, dict[str, Any]]:
    """Return a small pandas."""
    functions = {one.__name__: one for one in (read_csv, concat, get_dummies)}
    tables = {"DataFrame": DataFrame, "Series": Series, "Index": Index}
    missing = {"isnull": lambda one: one is None or one != one}
    nothing = {"set_option": lambda *args, **words: None}
    return {"pandas": {**functions, **tables, **missing, **nothing, "__version__": "1.0.0"}}
