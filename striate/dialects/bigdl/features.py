"""Columns that are made of columns, `pyspark.ml.feature`, and vectors, `pyspark.ml.linalg`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from .frames import DataFrame, Settings
from .layouts import Array


class DenseVector(np.ndarray[Any, Any]):
    """Numbers of Spark, which are an array."""

    def __new__(cls, values: Any) -> DenseVector:
        """Make one of numbers."""
        return np.asarray(values, float).view(cls)

    def toArray(self) -> Array:  # noqa: N802
        """Return the numbers as an array."""
        return np.asarray(self)

    @property
    def values(self) -> Array:
        """The numbers as an array."""
        return np.asarray(self)

    def __repr__(self) -> str:
        return f"DenseVector({self.toArray().tolist()})"

    def __str__(self) -> str:
        return str(self.toArray().tolist())


class Vectors:
    """Makes vectors."""

    @staticmethod
    def dense(*values: Any) -> DenseVector:
        """Return the numbers as a vector."""
        return DenseVector(values[0] if len(values) == 1 and np.ndim(values[0]) else values)

    @staticmethod
    def sparse(size: int, *given: Any) -> DenseVector:
        """Return a vector of zeros but for some places."""
        pairs = given[0].items() if isinstance(given[0], dict) else (
            zip(*given, strict=True) if len(given) == 2 else given[0])  # fmt: skip
        made = np.zeros(size)
        for at, value in pairs:
            made[at] = value
        return DenseVector(made)

    @staticmethod
    def zeros(size: int) -> DenseVector:
        """Return zeros."""
        return DenseVector(np.zeros(size))


class Made(Settings):
    """Settings that may be given by name; `fit` returns the object itself, which has then seen."""

    def __init__(self, **words: Any) -> None:
        super().__init__()
        self.values |= {name[0].upper() + name[1:]: value for name, value in words.items()}

    def fit(self, dataset: DataFrame) -> Any:
        """Look at the rows; return what transforms them."""
        return self

    def column(self, dataset: DataFrame) -> list[Any]:
        """Return the values of the input."""
        return dataset.column(self.values["InputCol"])

    def put(self, dataset: DataFrame, values: Any) -> DataFrame:
        """Return the rows with the output."""
        return dataset.with_values(self.values["OutputCol"], values)


class VectorAssembler(Made):
    """Joins columns of numbers and vectors to one vector."""

    known = (("InputCols", None), ("OutputCol", "features"), ("HandleInvalid", "error"))

    def transform(self, dataset: DataFrame) -> DataFrame:
        """Return the rows with the vectors."""
        names = self.values["InputCols"]
        return self.put(dataset, [
            DenseVector(np.concatenate([np.atleast_1d(np.asarray(row[n], float)) for n in names]))
            for row in dataset.held
        ])  # fmt: skip


class Scaled(Made):
    """Shifts and stretches each place of vectors by what it has seen."""

    shift: Any = 0.0
    by: Any = 1.0

    def fit(self, dataset: DataFrame) -> Any:
        """Look at the vectors."""
        self.see(np.stack([np.asarray(one, float) for one in self.column(dataset)]))
        return self

    def see(self, x: Array) -> None:
        """Find the shift and the factor."""

    def transform(self, dataset: DataFrame) -> DataFrame:
        """Return the rows with the scaled vectors."""
        return self.put(dataset, [DenseVector((np.asarray(one, float) - self.shift) * self.by)
                                  for one in self.column(dataset)])  # fmt: skip


INPUT = (("InputCol", None), ("OutputCol", "output"))


class MinMaxScaler(Scaled):
    """Each place between two numbers, 0 and 1 unless they are given; one value in the middle."""

    known = (*INPUT, ("Min", 0.0), ("Max", 1.0))

    def see(self, x: Array) -> None:
        """Find the least and the most."""
        least, wide = x.min(0), np.ptp(x, 0)
        low, high = self.values["Min"], self.values["Max"]
        self.by = np.where(wide > 0, (high - low) / np.where(wide > 0, wide, 1), 0.0)
        middle = np.where(wide > 0, low, (high + low) / 2)
        self.shift = least - np.where(wide > 0, middle / np.where(wide > 0, self.by, 1), 0.0)
        self.rest = np.where(wide > 0, 0.0, middle)

    def transform(self, dataset: DataFrame) -> DataFrame:
        """Return the rows with the scaled vectors."""
        made = super().transform(dataset)
        name = self.values["OutputCol"]
        return self.put(made, [DenseVector(one + self.rest) for one in made.column(name)])


class StandardScaler(Scaled):
    """Each place divided by its standard deviation, and around 0 if `withMean`."""

    known = (*INPUT, ("WithMean", False), ("WithStd", True))

    def see(self, x: Array) -> None:
        """Find mean and deviation: of samples, as Spark has it."""
        away = x.std(0, ddof=1)
        self.shift = x.mean(0) if self.values["WithMean"] else 0.0
        if self.values["WithStd"]:
            self.by = np.where(away > 0, 1 / np.where(away > 0, away, 1), 0.0)


class StringIndexer(Made):
    """Numbers the values of a column from 0 on, the most frequent one first."""

    known = (*INPUT, ("HandleInvalid", "error"))
    labels: tuple[Any, ...] = ()

    def fit(self, dataset: DataFrame) -> StringIndexer:
        """Count the values."""
        counts = Counter(map(str, self.column(dataset)))
        self.labels = tuple(sorted(counts, key=lambda one: (-counts[one], one)))
        return self

    def transform(self, dataset: DataFrame) -> DataFrame:
        """Return the rows with the numbers."""
        numbers = {label: float(at) for at, label in enumerate(self.labels)}
        return self.put(dataset, [numbers[str(one)] for one in self.column(dataset)])


NAMES: dict[str, Any] = {
    cls.__name__: cls for cls in (VectorAssembler, MinMaxScaler, StandardScaler, StringIndexer)
}
VECTORS: dict[str, Any] = {"Vectors": Vectors, "DenseVector": DenseVector}
