"""Data frames from and to files: `spark.read` and `df.write`."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np

from ...errors import caller
from ..table import DialectError
from .frames import DataFrame, create

KINDS = ("parquet", "csv", "json")


def _local(path: str) -> Path:
    """Return where a path is on this machine: one of another scheme is looked for here too."""
    parts = urlparse(str(path))
    return Path(parts.path if len(parts.scheme) > 1 else str(path))


def _plain(value: Any) -> Any:
    """Return arrays as lists, as Spark has them."""
    return [_plain(one) for one in value.tolist()] if isinstance(value, np.ndarray) else value


class Options:
    """Options by setters that return the object; `format` is one of KINDS."""

    def __init__(self) -> None:
        self.kind, self.words = "parquet", dict[str, Any]()

    def format(self, source: str) -> Any:
        """Choose the kind of file."""
        self.kind = source.lower().rpartition(".")[2]
        if self.kind not in KINDS:
            raise DialectError("spark", f"there are no files of {source!r} here",
                               need="one of " + ", ".join(KINDS), at=caller())  # fmt: skip
        return self

    def option(self, key: str, value: Any) -> Any:
        """Set an option."""
        self.words[key] = value
        return self

    def options(self, **words: Any) -> Any:
        """Set options."""
        self.words |= words
        return self

    def said(self, key: str) -> bool:
        """Return whether an option is on."""
        return str(self.words.get(key, False)).lower() == "true"


class Reader(Options):
    """Reads files."""

    names: list[str] | None = None

    def schema(self, schema: Any) -> Reader:
        """Give the columns their names."""
        self.names = list(getattr(schema, "names", schema))
        return self

    def load(self, path: str, format: str | None = None, schema: Any = None,
             **words: Any) -> DataFrame:  # fmt: skip
        """Return the rows of a file, or of all files in a folder."""
        import pandas  # type: ignore[import-untyped]

        if format is not None:
            self.format(format)
        if schema is not None:
            self.schema(schema)
        self.options(**words)
        place = _local(path)
        files = sorted(place.glob(f"*.{self.kind}")) if place.is_dir() else [place]
        if not files or not files[0].exists():
            raise DialectError("spark.read", "there is no such file", got=str(path),
                               need=f"a {self.kind} file, or a folder of them",
                               at=caller())  # fmt: skip
        table = pandas.concat([self._read(file) for file in files])
        rows = [[_plain(one) for one in row] for row in table.itertuples(index=False, name=None)]
        return create(rows, self.names or list(table.columns))

    def _read(self, file: Path) -> Any:
        import pandas

        if self.kind == "csv":
            typed = {} if self.said("inferSchema") else {"dtype": str}
            mark = self.words.get("sep", self.words.get("delimiter", ","))
            made = pandas.read_csv(file, sep=mark,
                                   header=0 if self.said("header") else None, **typed)  # fmt: skip
            return made if self.said("header") else made.rename(columns=lambda n: f"_c{n}")
        if self.kind == "json":
            return pandas.read_json(file, lines=True)
        _needs_arrow()
        return pandas.read_parquet(file)

    def csv(self, path: str, schema: Any = None, **words: Any) -> DataFrame:
        """Return the rows of a text file with columns."""
        return self.load(path, "csv", schema, **words)

    def parquet(self, path: str) -> DataFrame:
        """Return the rows of a parquet file."""
        return self.load(path, "parquet")

    def json(self, path: str, schema: Any = None, **words: Any) -> DataFrame:
        """Return the rows of a file with an object in each line."""
        return self.load(path, "json", schema, **words)


class Writer(Options):
    """Writes the rows of a data frame to a folder, as Spark does."""

    def __init__(self, frame: DataFrame) -> None:
        super().__init__()
        self.frame, self.how = frame, "error"

    def mode(self, saveMode: str) -> Writer:  # noqa: N803
        """Choose what happens where the folder is there: "overwrite", "append", "ignore"."""
        self.how = saveMode.lower()
        return self

    def save(self, path: str, format: str | None = None, mode: str | None = None,
             **words: Any) -> None:  # fmt: skip
        """Write the rows.

        Raises: DialectError where the folder is there, unless the mode says what to do.
        """
        if format is not None:
            self.format(format)
        self.options(**words)
        place, how = _local(path), (mode or self.how).lower()
        if self.kind == "parquet":
            _needs_arrow()
        if place.exists() and how == "ignore":
            return
        if place.exists() and how == "overwrite":
            shutil.rmtree(place)
        elif place.exists() and how != "append":
            raise DialectError(str(path), "is there already", fix='df.write.mode("overwrite")',
                               at=caller())  # fmt: skip
        place.mkdir(parents=True, exist_ok=True)
        count = len(list(place.glob(f"part-*.{self.kind}")))
        file, table = place / f"part-{count:05d}.{self.kind}", self.frame.toPandas()
        if self.kind == "csv":
            table.to_csv(file, index=False, header=self.said("header"),
                         sep=self.words.get("sep", ","))  # fmt: skip
        elif self.kind == "json":
            table.to_json(file, orient="records", lines=True)
        else:
            table.to_parquet(file)

    def csv(self, path: str, mode: str | None = None, **words: Any) -> None:
        """Write text with columns."""
        self.save(path, "csv", mode, **words)

    def parquet(self, path: str, mode: str | None = None) -> None:
        """Write a parquet file."""
        self.save(path, "parquet", mode)

    def json(self, path: str, mode: str | None = None) -> None:
        """Write an object in each line."""
        self.save(path, "json", mode)


def _needs_arrow() -> None:
    if importlib.util.find_spec("pyarrow") is None:
        raise DialectError("spark", "files of parquet need pyarrow", need="pip install pyarrow",
                           fix='format("csv") or format("json")', at=caller())  # fmt: skip
