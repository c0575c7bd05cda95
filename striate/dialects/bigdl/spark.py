"""A stand-in for the part of pyspark that BigDL scripts use: lists that are computed when asked."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np


class RDD:
    """A list of elements; what is mapped over it is computed when an action asks for it."""

    def __init__(self, source: Iterable[Any] | Callable[[], Iterable[Any]], parts: int = 1) -> None:
        self.source, self.parts = source, max(1, parts)
        self.kept: list[Any] | None = None
        self.keeps = False

    def __iter__(self) -> Iterator[Any]:
        if self.kept is None and self.keeps:
            self.kept = list(self._elements())
        return self._elements()

    def _elements(self) -> Iterator[Any]:
        if self.kept is not None:
            return iter(self.kept)
        return iter(self.source() if callable(self.source) else self.source)

    def _then(self, act: Callable[[], Iterable[Any]], parts: int | None = None) -> RDD:
        return RDD(act, parts or self.parts)

    # ---- what gives another ----------------------------------------------------------------------

    def map(self, f: Callable[[Any], Any], preservesPartitioning: bool = False) -> RDD:  # noqa: N803
        """Return f of each element."""
        return self._then(lambda: map(f, self))

    def flatMap(self, f: Callable[[Any], Iterable[Any]]) -> RDD:  # noqa: N802
        """Return the elements of f of each."""
        return self._then(lambda: itertools.chain.from_iterable(map(f, self)))

    def filter(self, f: Callable[[Any], Any]) -> RDD:
        """Return the elements of which f is true."""
        return self._then(lambda: filter(f, self))

    def mapPartitions(self, f: Callable[[Iterator[Any]], Iterable[Any]]) -> RDD:  # noqa: N802
        """Return the elements of f of each part."""
        return self._then(lambda: itertools.chain.from_iterable(map(f, map(iter, self.glom()))))

    def mapValues(self, f: Callable[[Any], Any]) -> RDD:  # noqa: N802
        """Return pairs with f of each value."""
        return self.map(lambda pair: (pair[0], f(pair[1])))

    def zip(self, other: Iterable[Any]) -> RDD:
        """Return pairs."""
        return self._then(lambda: zip(self, other, strict=True))

    def zipWithIndex(self) -> RDD:  # noqa: N802
        """Return pairs of an element and its number."""
        return self._then(lambda: ((one, number) for number, one in enumerate(self)))

    def union(self, other: Iterable[Any]) -> RDD:
        """Return the elements of both."""
        return self._then(lambda: itertools.chain(self, other))

    def sample(self, withReplacement: bool, fraction: float, seed: int | None = None) -> RDD:  # noqa: N803
        """Return about this fraction of the elements."""
        rng = np.random.default_rng(seed)

        def drawn() -> Iterator[Any]:
            for one in self:
                times = rng.poisson(fraction) if withReplacement else rng.random() < fraction
                yield from itertools.repeat(one, int(times))

        return RDD(list(drawn()), self.parts)

    def sortBy(self, keyfunc: Callable[[Any], Any], ascending: bool = True) -> RDD:  # noqa: N802
        """Return the elements in the order of a key."""
        return self._then(lambda: sorted(self, key=keyfunc, reverse=not ascending))

    def repartition(self, numPartitions: int) -> RDD:  # noqa: N803
        """Return the same elements in another number of parts."""
        return self._then(lambda: self, numPartitions)

    coalesce = repartition

    def cache(self) -> RDD:
        """Keep the elements once they are computed."""
        self.keeps = True
        return self

    def persist(self, *level: Any) -> RDD:
        """Keep the elements once they are computed."""
        return self.cache()

    def unpersist(self) -> RDD:
        """Forget kept elements."""
        self.kept, self.keeps = None, False
        return self

    def setName(self, name: str) -> RDD:  # noqa: N802
        """Return the same."""
        return self

    def glom(self) -> list[list[Any]]:
        """Return the elements in parts."""
        items = list(self)
        places = np.array_split(np.arange(len(items)), self.parts)
        return [[items[at] for at in part] for part in places]

    def randomSplit(self, weights: list[float], seed: int | None = None) -> list[RDD]:  # noqa: N802
        """Return parts of about these shares; each element is in one of them."""
        items, shares = list(self), np.cumsum(weights) / sum(weights)
        places = np.searchsorted(shares, np.random.default_rng(seed).random(len(items)), "right")
        split: list[list[Any]] = [[] for _ in weights]
        for one, place in zip(items, places, strict=True):
            split[min(int(place), len(weights) - 1)].append(one)
        return [RDD(part, self.parts) for part in split]

    def distinct(self, numPartitions: int | None = None) -> RDD:  # noqa: N803
        """Return each element once."""
        return self._then(lambda: dict.fromkeys(self), numPartitions)

    def keys(self) -> RDD:
        """Return the first of each pair."""
        return self.map(lambda pair: pair[0])

    def values(self) -> RDD:
        """Return the second of each pair."""
        return self.map(lambda pair: pair[1])

    def groupByKey(self, numPartitions: int | None = None) -> RDD:  # noqa: N802, N803
        """Return pairs of a key and its values."""

        def grouped() -> Iterable[Any]:
            found: dict[Any, list[Any]] = {}
            for key, value in self:
                found.setdefault(key, []).append(value)
            return found.items()

        return self._then(grouped, numPartitions)

    def reduceByKey(self, func: Callable[[Any, Any], Any],  # noqa: N802
                    numPartitions: int | None = None) -> RDD:  # noqa: N803  # fmt: skip
        """Return pairs of a key and its values, combined."""
        return self.groupByKey(numPartitions).mapValues(
            lambda values: functools.reduce(func, values)
        )

    def groupBy(self, f: Callable[[Any], Any]) -> RDD:  # noqa: N802
        """Return pairs of a key and the elements that give it."""
        return self.map(lambda one: (f(one), one)).groupByKey()

    def sortByKey(self, ascending: bool = True) -> RDD:  # noqa: N802
        """Return pairs in the order of their keys."""
        return self.sortBy(lambda pair: pair[0], ascending)

    # ---- actions ---------------------------------------------------------------------------------

    def collect(self) -> list[Any]:
        """Return all elements."""
        return list(self)

    def toLocalIterator(self) -> Iterator[Any]:  # noqa: N802
        """Yield all elements."""
        return iter(self)

    def count(self) -> int:
        """Return their number."""
        return sum(1 for _ in self)

    def first(self) -> Any:
        """Return the first."""
        return self.take(1)[0]

    def take(self, num: int) -> list[Any]:
        """Return the first ones."""
        return list(itertools.islice(self._elements(), num))

    def foreach(self, f: Callable[[Any], Any]) -> None:
        """Call f on each."""
        for one in self:
            f(one)

    def reduce(self, f: Callable[[Any, Any], Any]) -> Any:
        """Return the elements put together, two at a time."""
        it = iter(self)
        result = next(it)
        for one in it:
            result = f(result, one)
        return result

    def sum(self) -> Any:
        """Return their sum."""
        return sum(self)

    def mean(self) -> Any:
        """Return their mean."""
        items = list(self)
        return sum(items) / len(items)

    def max(self, key: Any = None) -> Any:
        """Return the largest."""
        return max(self, key=key)

    def min(self, key: Any = None) -> Any:
        """Return the smallest."""
        return min(self, key=key)

    def countByValue(self) -> dict[Any, int]:  # noqa: N802
        """Return how often each element is there."""
        return dict(Counter(self))

    def collectAsMap(self) -> dict[Any, Any]:  # noqa: N802
        """Return pairs as a dictionary."""
        return dict(iter(self))

    def takeSample(self, withReplacement: bool, num: int, seed: int | None = None) -> list[Any]:  # noqa: N802, N803
        """Return some elements, drawn at random."""
        items, rng = list(self), np.random.default_rng(seed)
        count = num if withReplacement else min(num, len(items))
        return [items[at] for at in rng.choice(len(items), count, withReplacement)]

    def isEmpty(self) -> bool:  # noqa: N802
        """Whether there is no element."""
        return not self.take(1)

    def getNumPartitions(self) -> int:  # noqa: N802
        """Return the number of parts."""
        return self.parts


class SparkConf:
    """Settings; each setter returns the settings."""

    def __init__(self, loadDefaults: bool = True) -> None:  # noqa: N803
        self.settings: dict[str, str] = {}

    def set(self, key: str, value: Any) -> SparkConf:
        """Set a value."""
        self.settings[key] = str(value)
        return self

    def setMaster(self, value: str) -> SparkConf:  # noqa: N802
        """Set where to compute."""
        return self.set("spark.master", value)

    def setAppName(self, value: str) -> SparkConf:  # noqa: N802
        """Set the name."""
        return self.set("spark.app.name", value)

    def setAll(self, pairs: Iterable[tuple[str, Any]]) -> SparkConf:  # noqa: N802
        """Set several values."""
        for key, value in pairs:
            self.set(key, value)
        return self

    def get(self, key: str, defaultValue: str | None = None) -> str | None:  # noqa: N803
        """Return a value."""
        return self.settings.get(key, defaultValue)

    def getAll(self) -> list[tuple[str, str]]:  # noqa: N802
        """Return all values."""
        return list(self.settings.items())


class Broadcast:
    """A value that every part can read."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def unpersist(self) -> None:
        """Do nothing."""


class SparkContext:
    """Makes RDDs of lists; nothing is started."""

    version = "2.4.0"
    defaultParallelism = 1  # noqa: N815

    def __init__(self, master: Any = None, appName: str | None = None, conf: Any = None,  # noqa: N803
                 **words: Any) -> None:  # fmt: skip
        self.conf = conf if conf is not None else SparkConf()
        self.appName = appName or self.conf.get("spark.app.name", "bigdl")

    @classmethod
    def getOrCreate(cls, conf: Any = None) -> SparkContext:  # noqa: N802
        """Return a context."""
        return cls(conf=conf)

    def parallelize(self, c: Iterable[Any], numSlices: int | None = None) -> RDD:  # noqa: N803
        """Return the elements as an RDD."""
        return RDD(list(c), numSlices or 1)

    def range(self, start: int, end: int | None = None, step: int = 1) -> RDD:
        """Return whole numbers as an RDD."""
        return RDD(list(range(start) if end is None else range(start, end, step)))

    def textFile(self, name: str, minPartitions: int | None = None) -> RDD:  # noqa: N802, N803
        """Return the lines of a text file as an RDD."""
        path = Path(name.removeprefix("file://"))
        return RDD(lambda: path.read_text(encoding="utf-8").splitlines(), minPartitions or 1)

    def broadcast(self, value: Any) -> Broadcast:
        """Return the value as one that every part can read."""
        return Broadcast(value)

    def getConf(self) -> SparkConf:  # noqa: N802
        """Return the settings."""
        return self.conf

    @property
    def _conf(self) -> SparkConf:
        return self.conf

    @property
    def master(self) -> str:
        """Where it computes."""
        return self.conf.get("spark.master", "local[*]") or ""

    def setLogLevel(self, level: str) -> None:  # noqa: N802
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


class Builder:
    """Settings of a session, each setter returns them."""

    def __init__(self) -> None:
        self.conf = SparkConf()

    def appName(self, name: str) -> Builder:  # noqa: N802
        """Set the name."""
        self.conf.setAppName(name)
        return self

    def master(self, master: str) -> Builder:
        """Set where to compute."""
        self.conf.setMaster(master)
        return self

    def config(self, key: str | None = None, value: Any = None, conf: Any = None) -> Builder:
        """Set a value, or take settings."""
        self.conf.setAll(conf.getAll() if conf is not None else [(str(key), value)])
        return self

    def getOrCreate(self) -> SparkSession:  # noqa: N802
        """Return a session."""
        return SparkSession(SparkContext.getOrCreate(self.conf))


class SparkSession:
    """A context as a session, which makes data frames of rows."""

    builder = Builder()

    def __init__(self, sparkContext: Any, jsparkSession: Any = None) -> None:  # noqa: N803
        self.sparkContext = sparkContext

    def createDataFrame(self, data: Any, schema: Any = None, *args: Any) -> Any:  # noqa: N802
        """Return rows as a data frame."""
        from .frames import create

        return create(data, schema)

    @property
    def read(self) -> Any:
        """What reads files."""
        from .frames_files import Reader

        return Reader()

    @property
    def sparkSession(self) -> SparkSession:  # noqa: N802
        """The session itself."""
        return self

    def table(self, name: str) -> Any:
        """Return the rows that registerTempTable gave this name."""
        from .frames import VIEWS

        return VIEWS[name]

    @classmethod
    def getOrCreate(cls, sc: Any = None) -> Any:  # noqa: N802
        """Return a session."""
        return cls(sc or SparkContext.getOrCreate())

    def stop(self) -> None:
        """Do nothing."""


class SQLContext(SparkSession):
    """A context under its older name."""
