"""Small data frames of Spark, and BigDL's estimators over them, `bigdl.dlframes`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import caller, nearest
from ..table import DialectError
from . import columns
from .columns import Column, col
from .optimizer import Optimizer
from .session import BigdlSession
from .spark import RDD
from .triggers import MaxEpoch


class Row(tuple[Any, ...]):
    """A row: a tuple whose values have names."""

    names: tuple[str, ...]

    def __new__(cls, *values: Any, **named: Any) -> Row:
        """Make a row of values by name, or of names that a call gives values to."""
        made = super().__new__(cls, named.values() if named else values)
        made.names = tuple(named or map(str, values))
        return made

    def __call__(self, *values: Any) -> Row:
        """Return a row with these values, under the values of this one as names."""
        return Row(**dict(zip(map(str, self), values, strict=True)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.names:
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)

    def __repr__(self) -> str:
        return f"Row({', '.join(f'{n}={v!r}' for n, v in zip(self.names, self, strict=True))})"

    def asDict(self) -> dict[str, Any]:  # noqa: N802
        """Return the values by name."""
        return dict(zip(self.names, self, strict=True))


class Kind:
    """A type of a column; nothing is converted."""

    def __init__(self, *args: Any, **words: Any) -> None:
        self.args = args


class StructField(Kind):
    """A column's name and type."""

    def __init__(self, name: str, dataType: Any = None, nullable: bool = True,  # noqa: N803
                 metadata: Any = None) -> None:  # fmt: skip
        super().__init__()
        self.name, self.dataType = name, dataType


class StructType(Kind):
    """The columns of a data frame."""

    def __init__(self, fields: Sequence[StructField] | None = None) -> None:
        super().__init__()
        self.fields = list(fields or [])

    def add(self, field: Any, *more: Any, **words: Any) -> StructType:
        """Append a column."""
        self.fields.append(field if isinstance(field, StructField) else StructField(field, *more))
        return self

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [field.name for field in self.fields]


TYPES: dict[str, type] = {
    "StructType": StructType, "StructField": StructField,
    **{name: type(name, (Kind,), {}) for name in (
        "ArrayType", "MapType", "DoubleType", "FloatType", "IntegerType", "LongType", "ShortType",
        "StringType", "BooleanType", "BinaryType", "ByteType", "DateType", "TimestampType")},
}  # fmt: skip


VIEWS: dict[str, DataFrame] = {}  # by the names that scripts gave them


class DataFrame:
    """Rows under named columns."""

    def __init__(self, rows: Iterable[Any], columns: Sequence[str]) -> None:
        self.columns = list(columns)
        self.held = [Row(**dict(zip(self.columns, row, strict=True))) for row in rows]

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"DataFrame has no {name!r} here: rdd, collect() and select() give "
                             "its rows as Python has them")  # fmt: skip

    @property
    def rdd(self) -> RDD:
        """The rows."""
        return RDD(self.held)

    def collect(self) -> list[Row]:
        """Return the rows."""
        return list(self.held)

    def take(self, num: int) -> list[Row]:
        """Return the first rows."""
        return self.held[:num]

    head = take

    def first(self) -> Row:
        """Return the first row."""
        return self.held[0]

    def count(self) -> int:
        """Return the number of rows."""
        return len(self.held)

    def column(self, name: str) -> list[Any]:
        """Return the values of a column."""
        if name not in self.columns:
            raise DialectError(
                "DataFrame",
                f"has no column {name!r}",
                need="one of " + ", ".join(self.columns),
                fix=nearest(name, self.columns),
                at=caller(),
            )
        return [row[name] for row in self.held]

    def select(self, *names: Any) -> DataFrame:
        """Return some of the columns, or what is made of them."""
        wanted = list(names[0]) if names and isinstance(names[0], (list, tuple)) else list(names)
        wanted = self.columns if wanted == ["*"] else wanted
        made = [one.name if isinstance(one, Column) else one for one in wanted]
        return DataFrame(zip(*map(self.values_of, wanted), strict=True), made)

    def values_of(self, one: Any) -> list[Any]:
        """Return the values of a column, or of what is made of some."""
        if not isinstance(one, Column):
            return self.column(one)
        return [one.of(row) for row in self.held]

    def __getitem__(self, name: str) -> Column:
        self.column(name)
        return col(name)

    def withColumn(self, colName: str, col: Column) -> DataFrame:  # noqa: N802, N803
        """Return the rows with one more column."""
        return self.with_values(colName, self.values_of(col))

    def withColumnRenamed(self, existing: str, new: str) -> DataFrame:  # noqa: N802
        """Return the rows with another name for a column."""
        return DataFrame(self.held, [new if one == existing else one for one in self.columns])

    def filter(self, condition: Any) -> DataFrame:
        """Return the rows of which a condition is true."""
        wanted = columns.condition(condition) if isinstance(condition, str) else condition
        return DataFrame([row for row in self.held if wanted.of(row)], self.columns)

    def where(self, condition: Any) -> DataFrame:
        """Return the rows of which a condition is true."""
        return self.filter(condition)

    def drop(self, *names: str) -> DataFrame:
        """Return the rows without some columns."""
        return self.select([one for one in self.columns if one not in names])

    def union(self, other: DataFrame) -> DataFrame:
        """Return the rows of both."""
        return DataFrame([*self.held, *other.held], self.columns)

    unionAll = union  # noqa: N815

    def repartition(self, *args: Any) -> DataFrame:
        """Return the same."""
        return self

    coalesce = repartition

    def with_values(self, name: str, values: Iterable[Any]) -> DataFrame:
        """Return the rows with one more column."""
        rows = (
            (*(v for k, v in row.asDict().items() if k != name), value)
            for row, value in zip(self.held, values, strict=True)
        )
        return DataFrame(rows, [*(one for one in self.columns if one != name), name])

    def sample(self, withReplacement: Any = None, fraction: Any = None,  # noqa: N803
               seed: int | None = None) -> DataFrame:  # fmt: skip
        """Return about this fraction of the rows; the first argument may be left out."""
        if not isinstance(withReplacement, bool) and withReplacement is not None:
            withReplacement, fraction, seed = False, withReplacement, fraction or seed  # noqa: N806
        drawn = self.rdd.sample(bool(withReplacement), float(fraction), seed)
        return DataFrame(drawn, self.columns)

    def join(self, other: DataFrame, on: Any = None, how: str = "inner") -> DataFrame:
        """Return the rows of both that have the same values in some columns: inner, left or outer.

        Raises: DialectError for another kind, and for conditions that are no names.
        """
        keys = [on] if isinstance(on, str) else list(on or ())
        kind = str(how).removesuffix("_outer").removesuffix("outer") or "outer"
        if not keys or kind not in ("inner", "left") or not all(isinstance(k, str) for k in keys):
            raise DialectError("DataFrame.join", "is of columns by their names here",
                               got=f"on={on!r}, how={how!r}", need="how='inner' or 'left'",
                               fix="df.join(other, 'name', 'inner')", at=caller())  # fmt: skip
        rest = [one for one in other.columns if one not in keys]
        found: dict[Any, list[Any]] = {}
        for row in other.held:
            found.setdefault(tuple(row[k] for k in keys), []).append([row[one] for one in rest])
        mine = [one for one in self.columns if one not in keys]
        nothing = [[None] * len(rest)] if kind == "left" else []
        rows = [
            (*values, *(row[one] for one in mine), *more)
            for row in self.held
            for values in [tuple(row[k] for k in keys)]
            for more in found.get(values, nothing)
        ]
        return DataFrame(rows, [*keys, *mine, *rest])

    def orderBy(self, *names: Any, ascending: bool = True) -> DataFrame:  # noqa: N802
        """Return the rows in the order of some columns."""
        keys = [self.values_of(one) for one in names]
        order = sorted(range(len(self.held)), key=lambda at: [key[at] for key in keys],
                       reverse=not ascending)  # fmt: skip
        return DataFrame([self.held[at] for at in order], self.columns)

    sort = orderBy

    def distinct(self) -> DataFrame:
        """Return each row once."""
        return DataFrame(dict.fromkeys(self.held), self.columns)

    def dropna(self, *args: Any, **words: Any) -> DataFrame:
        """Return the rows in which nothing is missing."""
        whole = [row for row in self.held if not any(v is None or v != v for v in row)]
        return DataFrame(whole, self.columns)

    def registerTempTable(self, name: str) -> None:  # noqa: N802
        """Give the rows a name, by which `table(name)` returns them."""
        VIEWS[name] = self

    createOrReplaceTempView = createTempView = registerTempTable  # noqa: N815

    def toPandas(self) -> Any:  # noqa: N802
        """Return the rows as a data frame of pandas."""
        import pandas  # type: ignore[import-untyped]

        return pandas.DataFrame([list(row) for row in self.held], columns=self.columns)

    @property
    def write(self) -> Any:
        """What writes the rows to files."""
        from .frames_files import Writer

        return Writer(self)

    def limit(self, num: int) -> DataFrame:
        """Return the first rows as a data frame."""
        return DataFrame(self.held[:num], self.columns)

    def cache(self) -> DataFrame:
        """Return the same: it is in memory."""
        return self

    persist = cache

    def randomSplit(self, weights: list[float], seed: int | None = None) -> list[DataFrame]:  # noqa: N802
        """Return parts of about these shares."""
        return [DataFrame(part, self.columns) for part in self.rdd.randomSplit(weights, seed)]

    def show(self, n: int = 20, truncate: Any = True) -> None:
        """Print the first rows."""
        cells = [self.columns, *([str(v) for v in row] for row in self.held[:n])]
        cells = [[one[:17] + "..." if truncate and len(one) > 20 else one for one in row]
                 for row in cells]  # fmt: skip
        widths = [max(len(row[at]) for row in cells) for at in range(len(self.columns))]
        rule = "+" + "+".join("-" * width for width in widths) + "+"
        lines = ["|" + "|".join(v.rjust(w) for v, w in zip(row, widths, strict=True)) + "|"
                 for row in cells]  # fmt: skip
        print("\n".join([rule, lines[0], rule, *lines[1:], rule]))  # noqa: T201  Spark's own table

    def printSchema(self) -> None:  # noqa: N802
        """Print the names of the columns."""
        print("\n".join(["root", *(f" |-- {name}" for name in self.columns)]))  # noqa: T201


def create(data: Any, schema: Any = None, *args: Any, **words: Any) -> DataFrame:
    """Return rows, or what an RDD holds, as a data frame."""
    if hasattr(data, "itertuples"):  # of pandas
        return DataFrame(data.itertuples(index=False, name=None), schema or list(data.columns))
    rows = list(data.collect() if hasattr(data, "collect") else data)
    first = rows[0] if rows else ()
    columns = getattr(schema, "names", schema) or getattr(first, "names", None) or (
        list(first) if isinstance(first, Mapping) else [f"_{n + 1}" for n in range(len(first))]
    )  # fmt: skip
    return DataFrame((row.values() if isinstance(row, Mapping) else row for row in rows), columns)


class Settings:
    """Settings by setters that return the object, each with its getter."""

    known: tuple[tuple[str, Any], ...] = ()

    def __init__(self) -> None:
        self.values = dict(self.known)

    def __getattr__(self, name: str) -> Any:
        verb, word = name[:3], name[3:]
        if verb not in ("set", "get") or word not in dict(self.known):
            names = [f"{verb}{one}" for one, _ in self.known for verb in ("set", "get")]
            raise AttributeError(f"{type(self).__name__} has no {name!r}: it has {names}")

        def put(value: Any) -> Settings:
            self.values[word] = value
            return self

        return put if verb == "set" else lambda: self.values[word]

    def explainParams(self) -> str:  # noqa: N802
        """Return the settings and their values as lines."""
        return "\n".join(f"{name[0].lower()}{name[1:]}: {self.values[name]}"
                         for name, _ in self.known)  # fmt: skip


COLUMNS = (("FeaturesCol", "features"), ("PredictionCol", "prediction"), ("BatchSize", 1),
           ("FeatureSize", None))  # fmt: skip


class DLModel(Settings):
    """A trained network that adds a column of predictions."""

    known = COLUMNS
    counts = False

    def __init__(self, model: Any, featureSize: Any, *args: Any, **words: Any) -> None:  # noqa: N803
        super().__init__()
        self.model, self.values["FeatureSize"] = model, featureSize

    def transform(self, dataset: DataFrame) -> DataFrame:
        """Return the rows with the predictions: numbers, or a class from 1 on."""
        x = shaped(dataset.column(self.values["FeaturesCol"]), self.values["FeatureSize"])
        out = self.model.predict_local(x).reshape(len(x), -1)
        found: Any = (out.argmax(-1) + 1.0).tolist() if self.counts else out.tolist()
        return dataset.with_values(self.values["PredictionCol"], found)


class DLClassifierModel(DLModel):
    """A trained network that adds a column of classes."""

    counts = True


class DLEstimator(Settings):
    """Trains a network on the rows of a data frame."""

    session: BigdlSession
    known: tuple[tuple[str, Any], ...] = (
             *COLUMNS, ("LabelCol", "label"), ("MaxEpoch", 50), ("LearningRate", 1e-3),
             ("OptimMethod", None), ("LearningRateDecay", 0.0), ("EndWhen", None))  # fmt: skip
    gives: type[DLModel] = DLModel

    def __init__(self, model: Any, criterion: Any, feature_size: Any, label_size: Any = (1,),
                 *args: Any, **words: Any) -> None:  # fmt: skip
        super().__init__()
        self.model, self.criterion, self.label_size = model, criterion, label_size
        self.values["FeatureSize"] = feature_size

    def fit(self, df: DataFrame) -> DLModel:
        """Train; return the network as a transformer."""
        from .methods import Method

        words = self.values
        x = shaped(df.column(words["FeaturesCol"]), words["FeatureSize"])
        y = shaped(df.column(words["LabelCol"]), self.label_size)
        method = words["OptimMethod"] or Method.of(
            "SGD", learningrate=words["LearningRate"], learningrate_decay=words["LearningRateDecay"]
        )
        end = words["EndWhen"] or MaxEpoch(words["MaxEpoch"])
        Optimizer(self.session, self.model, (x, y), self.criterion, end, words["BatchSize"],
                  method).optimize()  # fmt: skip
        made = self.gives(self.model, words["FeatureSize"])
        made.values |= {name: words[name] for name, _ in COLUMNS}
        return made


class DLClassifier(DLEstimator):
    """Trains a network that tells classes apart, whose labels count from 1."""

    gives = DLClassifierModel


class PipelineModel:
    """Transformers, one after the other."""

    def __init__(self, stages: Sequence[Any]) -> None:
        self.stages = list(stages)

    def transform(self, dataset: DataFrame) -> DataFrame:
        """Return what the last one gives."""
        for one in self.stages:
            dataset = one.transform(dataset)
        return dataset


class Pipeline:
    """Transformers and estimators: each is fitted on what those before it give."""

    def __init__(self, stages: Sequence[Any] = ()) -> None:
        self.stages = list(stages)

    def setStages(self, value: Sequence[Any]) -> Pipeline:  # noqa: N802
        """Choose the parts."""
        self.stages = list(value)
        return self

    def fit(self, dataset: DataFrame) -> PipelineModel:
        """Train; return the parts as transformers."""
        made = []
        for one in self.stages:
            made.append(one.fit(dataset) if hasattr(one, "fit") else one)
            dataset = made[-1].transform(dataset)
        return PipelineModel(made)


class MulticlassClassificationEvaluator(Settings):
    """Tells how many predictions are right."""

    known = (("LabelCol", "label"), ("PredictionCol", "prediction"), ("MetricName", "f1"))

    def __init__(self, **words: Any) -> None:
        super().__init__()
        self.values |= {name[0].upper() + name[1:]: value for name, value in words.items()}

    def evaluate(self, dataset: DataFrame) -> float:
        """Return the share of right ones, or another measure, weighted by class."""
        columns = (self.values["LabelCol"], self.values["PredictionCol"])
        pairs = [*zip(*map(dataset.column, columns), strict=True)]
        if self.values["MetricName"] in ("accuracy", "weightedRecall"):
            return len([1 for one, other in pairs if one == other]) / len(pairs)
        total = 0.0
        for label in {one for one, _ in pairs}:
            right = sum(one == other == label for one, other in pairs)
            told = sum(other == label for _, other in pairs) or 1
            there = sum(one == label for one, _ in pairs)
            precise, found = right / told, right / there
            both = 2 * precise * found / (precise + found) if right else 0.0
            total += there * (both if self.values["MetricName"] == "f1" else precise)
        return total / len(pairs)


def shaped(values: Sequence[Any], size: Any) -> Any:
    """Return the values of a column as samples of this shape."""
    array = np.asarray([np.asarray(one, dtype="float32") for one in values])
    return array.reshape(len(values), *(int(n) for n in size))


def estimators(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `bigdl.dlframes.dl_classifier`."""
    of = {"session": session}
    made = [type(cls.__name__, (cls,), of) for cls in (DLEstimator, DLClassifier)]
    return {cls.__name__: cls for cls in (*made, DLModel, DLClassifierModel)}
