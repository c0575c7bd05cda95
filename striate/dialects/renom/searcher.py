"""Searchers of ReNom: which of some values of hyper-parameters give the least result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

Values = dict[str, Any]


class Searcher:
    """Values to be tried for each hyper-parameter, and what has come of those that were."""

    def __init__(self, parameters: Mapping[str, Sequence[Any]]) -> None:
        self.parameters = {name: list(parameters[name]) for name in sorted(parameters)}
        self.results: list[tuple[Values, float]] = []
        self.current: Values = {}

    def __len__(self) -> int:
        return int(np.prod([len(values) for values in self.parameters.values()]))

    def _all(self) -> list[Values]:
        """Return all combinations; the first name changes fastest."""
        names = list(self.parameters)[::-1]
        every = product(*(self.parameters[name] for name in names))
        return [dict(zip(names[::-1], values[::-1], strict=True)) for values in every]

    def set_result(self, result: float, params: Values | None = None) -> None:
        """Take the result of the values that were suggested last, or of others."""
        self.results.append((dict(params or self.current), result))

    def best(self, num: int = 3) -> list[tuple[Values, float]]:
        """Return the values with the least results, and those."""
        return sorted(self.results, key=lambda pair: pair[1])[:num]


class GridSearcher(Searcher):
    """All combinations, one after the other."""

    def suggest(self) -> Iterator[Values]:
        """Yield each."""
        for values in self._all():
            self.current = values
            yield values


class RandomSearcher(Searcher):
    """Combinations that were not tried, drawn from NumPy's generator."""

    def suggest(self, max_iter: int = 10) -> Iterator[Values]:
        """Yield at most so many."""
        for _ in range(min(max_iter, len(self))):
            tried = [values for values, _ in self.results]
            left = [values for values in self._all() if values not in tried]
            self.current = left[np.random.choice(len(left))]  # noqa: NPY002  seeded there
            yield self.current
