"""What pandas had: methods that it gave up, and changes of a column that reach its table."""

from __future__ import annotations

import datetime
import functools
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import caller
from .dialect import Patch
from .session import Script
from .surroundings_installed import Changes, lost, renamed, reworded
from .table import DialectError

MOVED = {
    "pandas.tools": "pandas",
    "pandas.tools.plotting": "pandas.plotting",
    "pandas.util.testing": "pandas.testing",
    "pandas.io.json.normalize": "pandas",
}
INPLACE = ("fillna", "replace", "clip", "ffill", "bfill", "where", "mask", "interpolate")
BY_PLACE = (
    "drop",
    "dropna",
    "drop_duplicates",
    "sort_values",
    "sort_index",
    "set_index",
    "reset_index",
    "replace",
    "any",
    "all",
)  # whose arguments have no places today
GONE = {
    "Panel": "xarray.DataArray, or a NumPy array of three axes",
    "ols": "numpy.linalg.lstsq, or statsmodels",
    "read_gbq": "pandas_gbq.read_gbq",
}


class Both:
    """`table.ix`: rows and columns by their labels, or by their numbers where no label fits."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def numbered(self, index: Any, key: Any) -> bool:
        """Return whether a key counts places: a number, where the labels are none."""
        parts = [key.start, key.stop] if isinstance(key, slice) else np.ravel(np.asarray(key))
        numbers = all(part is None or isinstance(part, (int, np.integer)) for part in parts)
        return numbers and index.dtype.kind not in "iu"

    def place(self, key: Any) -> tuple[Any, Any]:
        """Return the indexer for a key, and the key as this one takes it."""
        keys = key if isinstance(key, tuple) else (key,)
        pairs = list(zip((self.table.index, *self.table.axes[1:]), keys, strict=False))
        counted = [self.numbered(index, one) for index, one in pairs]
        if not any(counted):
            return self.table.loc, key
        made = [one if hit else _places(index, one)
                for (index, one), hit in zip(pairs, counted, strict=True)]  # fmt: skip
        return self.table.iloc, tuple(made)

    def __getitem__(self, key: Any) -> Any:
        indexer, key = self.place(key)
        return indexer[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        indexer, key = self.place(key)
        indexer[key] = value


def _places(index: Any, key: Any) -> Any:
    if isinstance(key, slice):
        return index.slice_indexer(key.start, key.stop, key.step)
    return index.get_indexer(key) if isinstance(key, (list, np.ndarray)) else index.get_loc(key)


def _common(pandas: Any) -> dict[str, Any]:
    """Return what tables and columns both had."""

    def append(self: Any, other: Any, ignore_index: bool = False, *args: Any, **words: Any) -> Any:
        """Return this and others, one below the other; a dictionary or a column is a row."""
        several = list(other) if isinstance(other, (list, tuple)) else [other]
        if self.ndim == 2:
            several = [pandas.DataFrame([one]) if isinstance(one, (dict, pandas.Series)) else one
                       for one in several]  # fmt: skip
        parts = [one for one in (self, *several) if len(one)] or [self]
        return pandas.concat(parts, ignore_index=ignore_index)

    def clip_lower(self: Any, threshold: Any, **words: Any) -> Any:
        """Return values that are at least this."""
        return self.clip(lower=threshold)

    def clip_upper(self: Any, threshold: Any, **words: Any) -> Any:
        """Return values that are at most this."""
        return self.clip(upper=threshold)

    return {
        "append": append,
        "as_matrix": lambda self, columns=None: (self if columns is None else self[columns]).values,
        "get_values": lambda self: self.values,
        "ix": property(Both),
        "iteritems": lambda self: self.items(),
        "get_value": lambda self, *key, **words: self.at[key if len(key) > 1 else key[0]],
        "mad": lambda self, axis=0: (self - self.mean()).abs().mean(),
        "clip_lower": clip_lower,
        "clip_upper": clip_upper,
        "convert_objects": lambda self, *args, **words: self.infer_objects(),
        "pad": lambda self, **words: self.ffill(**words),
        "backfill": lambda self, **words: self.bfill(**words),
    }


def _tables(pandas: Any) -> dict[str, Any]:
    """Return what tables alone had."""

    def sort(self: Any, columns: Any = None, **words: Any) -> Any:
        """Return rows in the order of some columns, or of their labels."""
        return self.sort_index(**words) if columns is None else self.sort_values(columns, **words)

    def set_value(self: Any, index: Any, column: Any, value: Any) -> Any:
        """Set one value."""
        self.at[index, column] = value
        return self

    def lookup(self: Any, row_labels: Any, col_labels: Any) -> Any:
        """Return the values at pairs of labels."""
        rows, columns = self.index.get_indexer(row_labels), self.columns.get_indexer(col_labels)
        return self.to_numpy()[rows, columns]

    return {
        "sort": sort,
        "set_value": set_value,
        "lookup": lookup,
        "applymap": lambda self, func, **words: self.map(func, **words),
        "get_dtype_counts": lambda self: self.dtypes.astype(str).value_counts(),
        "ftypes": property(lambda self: self.dtypes.astype(str) + ":dense"),
        "icol": lambda self, at: self.iloc[:, at],
        "irow": lambda self, at: self.iloc[at],
        "from_csv": classmethod(
            lambda cls, path, **words: pandas.read_csv(path, index_col=0, **words)
        ),
    }


def _module(pandas: Any) -> dict[str, Any]:
    """Return what the module had."""

    def rolling(word: str) -> Callable[..., Any]:
        def act(arg: Any, window: int, min_periods: int | None = None, **words: Any) -> Any:
            return getattr(arg.rolling(window, min_periods), word)()

        return act

    def refusal(name: str) -> Callable[..., Any]:
        def refuse(*args: Any, **words: Any) -> Any:
            raise DialectError(
                f"pandas.{name}",
                "pandas has given it up, and nothing takes its place",
                fix=GONE[name],
                at=caller(),
            )

        return refuse

    return {
        **{f"rolling_{word}": rolling(word) for word in ("mean", "std", "sum", "max", "min")},
        **{name: refusal(name) for name in GONE},
        "np": np,
        "datetime": datetime.datetime,
        "scatter_matrix": pandas.plotting.scatter_matrix,
        "ewma": lambda arg, **words: arg.ewm(**words).mean(),
        "Int64Index": pandas.Index,
        "Float64Index": pandas.Index,
        "TimeGrouper": pandas.Grouper,
    }


# ---- words of older versions ---------------------------------------------------------------------


def _filled(original: Any) -> Any:
    @functools.wraps(original)
    def fillna(self: Any, value: Any = None, method: str | None = None, **words: Any) -> Any:
        """Fill gaps with a value, or with the neighbour that `method` names."""
        if method is None:
            return original(self, value, **words)
        way = "ffill" if method in ("ffill", "pad") else "bfill"
        return getattr(self, way)(**words)

    return fillna


READING = dict.fromkeys(
    ("squeeze", "mangle_dupe_cols", "prefix", "error_bad_lines", "warn_bad_lines",
     "infer_datetime_format", "delim_whitespace"), "")  # fmt: skip


def _read(original: Any) -> Any:
    plain = renamed(original, READING)

    @functools.wraps(original)
    def read_csv(*args: Any, **words: Any) -> Any:
        """Read a table with the words of the time."""
        if words.get("delim_whitespace"):
            words.setdefault("sep", r"\s+")
        if words.get("error_bad_lines") is False:
            words["on_bad_lines"] = "skip"
        made = plain(*args, **words)
        return made.squeeze("columns") if words.get("squeeze") else made

    return read_csv


@contextmanager
def _texts_are_objects(pandas: Any) -> Iterator[None]:
    """Read texts as objects, as before 3.0, where pandas can."""
    option = "future.infer_string"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            before = pandas.get_option(option)
            pandas.set_option(option, False)
    except KeyError:
        yield
        return
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pandas.set_option(option, before)


def _by_place(verb: str, original: Any) -> Any:
    @functools.wraps(original)
    def take(self: Any, key: Any, *value: Any) -> Any:
        number = isinstance(key, (int, np.integer)) and not isinstance(key, bool)
        if number and self.index.dtype.kind not in "iuf" and key not in self.index:
            return getattr(self.iloc, verb)(key, *value)
        return original(self, key, *value)

    return take


def _reaching(pandas: Any, script: Script) -> Iterator[Patch]:
    """Yield rows by which `table["a"][0]` is a place, and a change of it one of the table."""
    table, column = pandas.DataFrame, pandas.Series
    getitem = table.__getitem__

    @functools.wraps(getitem)
    def get(self: Any, key: Any) -> Any:
        found = getitem(self, key)
        if isinstance(found, column):
            object.__setattr__(found, "_taken_from", (weakref.ref(self), key))
        return found

    def changing(original: Any, always: bool) -> Any:
        @functools.wraps(original)
        def change(self: Any, *args: Any, **words: Any) -> Any:
            changed = self if isinstance(self, column) else self.obj  # of `loc` and its kin
            out = original(self, *args, **words)  # pandas warns where nobody holds the column
            taken, key = vars(changed).get("_taken_from", (None, ""))
            whole = taken() if taken and (always or words.get("inplace")) else None
            if whole is not None and len(whole) == len(changed):
                script.note("a change of a table's column reaches the table, as before pandas 3")
                whole[key] = changed
            return out

        return change

    yield table, "__getitem__", get
    for verb in ("__getitem__", "__setitem__"):
        yield column, verb, _by_place(verb, getattr(column, verb))
    one = column(dtype=float)
    for kind in (column, *(type(getattr(one, word)) for word in ("loc", "iloc", "at", "iat"))):
        yield kind, "__setitem__", changing(kind.__setitem__, True)
    for word in INPLACE:
        yield column, word, changing(getattr(column, word), False)


def _in_bytes(original: Any) -> Any:
    """Return get_dummies of the time: columns of 0 and 1, so that `values` holds numbers."""

    @functools.wraps(original)
    def dummies(*args: Any, **words: Any) -> Any:
        return original(*args, **{"dtype": np.uint8, **words})

    return dummies


def changes(script: Script) -> Changes:
    """Return what is changed in pandas."""

    def rows(pandas: Any) -> Iterator[Any]:
        both = _common(pandas)
        yield _texts_are_objects(pandas)
        yield from lost(pandas, _module(pandas))
        yield from lost(pandas.DataFrame, both | _tables(pandas))
        yield from lost(pandas.Series, both | {"order": pandas.Series.sort_values})
        yield from lost(pandas.Index, {"get_values": lambda self: self.values})
        yield pandas, "read_csv", _read(pandas.read_csv)
        yield pandas, "get_dummies", _in_bytes(pandas.get_dummies)
        for kind in (pandas.DataFrame, pandas.Series):
            yield kind, "fillna", _filled(kind.fillna)
            yield from reworded(kind, dict.fromkeys(BY_PLACE, ()))
        yield from reworded(pandas, {"concat": ()})
        if int(pandas.__version__.partition(".")[0]) >= 3:
            yield from _reaching(pandas, script)

    return {"pandas": rows}
