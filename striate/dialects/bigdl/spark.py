"""A stand-in for the part of pyspark that BigDL scripts use: lists that are computed when asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
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

    def broadcast(self, value: Any) -> Broadcast:
        """Return the value as one that every part can read."""
        return Broadcast(value)

    def getConf(self) -> SparkConf:  # noqa: N802
        """Return the settings."""
        return self.conf

    def setLogLevel(self, level: str) -> None:  # noqa: N802
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""
