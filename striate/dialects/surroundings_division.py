"""scikit-learn's division of samples: into two parts, into folds, and the search over folds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def train_test_split(
    *arrays: Any,
    test_size: float | int | None = None,
    train_size: float | int | None = None,
    random_state: Any = None,
    shuffle: bool = True,
    stratify: Any = None,
) -> list[Any]:
    """Return both parts of each array, in turn: a quarter for testing unless it is said."""
    size = len(arrays[0])
    held = _held_out(size, test_size, train_size)
    used = _count(size, train_size) if train_size is not None else size - held
    order = generator(random_state).permutation(size) if shuffle else np.arange(size)
    if stratify is not None:
        order = _mixed(np.asarray(stratify), order, held / size)
    test, train = (order[:held], order[held : held + used]) if shuffle else (
        order[used : used + held], order[:used])  # fmt: skip
    parts = [(_taken(array, train), _taken(array, test)) for array in arrays]
    return [part for pair in parts for part in pair]


def _held_out(size: int, test: float | int | None, train: float | int | None) -> int:
    if test is None and train is not None:
        return size - _count(size, train)
    return _count(size, 0.25 if test is None else test, up=True)


def _count(size: int, part: float | int, up: bool = False) -> int:
    if isinstance(part, int):
        return part
    return math.ceil(size * part) if up else math.floor(size * part)


def _mixed(labels: Any, order: Any, share: float) -> Any:
    """Return the order with a like share of each class in front."""
    groups = [order[labels[order] == one] for one in np.unique(labels)]
    edges = [round(len(group) * share) for group in groups]
    front = [group[:edge] for group, edge in zip(groups, edges, strict=True)]
    return np.concatenate([*front, *(g[e:] for g, e in zip(groups, edges, strict=True))])


def generator(random_state: Any) -> Any:
    """Return the generator of a seed, or the one that the script seeds."""
    if random_state is None:
        return np.random.mtrand._rand
    return np.random.RandomState(random_state) if isinstance(random_state, int) else random_state


def _taken(array: Any, places: Any) -> Any:
    if isinstance(array, list):
        return [array[place] for place in places]
    return array[places]


def shuffle(*arrays: Any, random_state: Any = None, n_samples: int | None = None) -> Any:
    """Return the arrays in one new order."""
    order = generator(random_state).permutation(len(arrays[0]))[:n_samples]
    out = [_taken(array, order) for array in arrays]
    return out[0] if len(out) == 1 else out


class KFold:
    """Divides samples into folds; `split` yields the places of the others and of the fold."""

    def __init__(
        self, n_splits: int = 5, *, shuffle: bool = False, random_state: Any = None
    ) -> None:
        self.n_splits, self.shuffle, self.random_state = n_splits, shuffle, random_state

    def split(self, x: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Yield the places."""
        places = np.arange(len(x))
        order = generator(self.random_state).permutation(len(x)) if self.shuffle else places
        for fold in np.array_split(order, self.n_splits):
            yield np.setdiff1d(places, fold), np.sort(fold)

    def get_n_splits(self, *args: Any) -> int:
        """Return the number of folds."""
        return self.n_splits


class StratifiedKFold(KFold):
    """Folds with a like share of each class."""

    def split(self, x: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Yield the places."""
        _, first, numbers = np.unique(np.ravel(y), return_index=True, return_inverse=True)
        numbers = np.argsort(np.argsort(first))[numbers]  # classes in the order they appear in
        ordered, fold_of = np.sort(numbers), np.empty(len(numbers), int)
        counts = [np.bincount(ordered[fold :: self.n_splits], minlength=len(first))
                  for fold in range(self.n_splits)]  # fmt: skip
        draw = generator(self.random_state)
        for number in range(len(first)):
            folds = np.arange(self.n_splits).repeat([count[number] for count in counts])
            if self.shuffle:
                draw.shuffle(folds)
            fold_of[numbers == number] = folds
        for fold in range(self.n_splits):
            yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)


class ShuffleSplit:
    """Divides samples into two parts, anew `n_splits` times."""

    stratified = False

    def __init__(self, n_splits: int = 10, *, test_size: Any = 0.1, train_size: Any = None,
                 random_state: Any = None) -> None:  # fmt: skip
        self.n_splits, self.test_size, self.train_size = n_splits, test_size, train_size
        self.random_state = random_state

    def split(self, x: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Yield the places of both parts."""
        draw = generator(self.random_state)
        words = {"test_size": self.test_size, "train_size": self.train_size, "random_state": draw}
        for _ in range(self.n_splits):
            kinds = y if self.stratified else None
            train, test = train_test_split(np.arange(len(x)), stratify=kinds, **words)
            yield train, test


class StratifiedShuffleSplit(ShuffleSplit):
    """The same with a like share of each class."""

    stratified = True


# ---- estimators over folds -----------------------------------------------------------------------


def clone(estimator: Any, **changed: Any) -> Any:
    """Return an estimator of the same settings that has not been fitted."""
    return type(estimator)(**{**estimator.get_params(), **changed})


def _folds(cv: Any, estimator: Any) -> Any:
    if cv is None or isinstance(cv, int):
        classifies = hasattr(estimator, "predict_proba") or "Classifier" in type(estimator).__name__
        return (StratifiedKFold if classifies else KFold)(cv or 5)
    return cv


def cross_val_score(estimator: Any, x: Any, y: Any = None, *, cv: Any = None,
                    **words: Any) -> Any:  # fmt: skip
    """Return the score of each fold, of an estimator that is fitted on the others."""
    found = []
    for train, test in _folds(cv, estimator).split(x, np.ravel(y)):
        fresh = clone(estimator)
        fresh.fit(x[train], y[train])
        found.append(float(fresh.score(x[test], y[test])))
    return np.array(found)


class GridSearchCV:
    """Tries every combination of settings over folds, and fits the best one on all."""

    def __init__(self, estimator: Any, param_grid: Mapping[str, Sequence[Any]], *, cv: Any = None,
                 refit: bool = True, **words: Any) -> None:  # fmt: skip
        self.estimator, self.param_grid, self.cv, self.refit = estimator, param_grid, cv, refit

    def fit(self, x: Any, y: Any = None, **words: Any) -> GridSearchCV:
        """Try them; return the search."""
        names = sorted(self.param_grid)
        every = itertools.product(*(self.param_grid[name] for name in names))
        grid = [dict(zip(names, values, strict=True)) for values in every]
        scores = [cross_val_score(clone(self.estimator, **one), x, y, cv=self.cv) for one in grid]
        means = np.array([score.mean() for score in scores])
        self.best_index_ = int(means.argmax())
        self.best_score_, self.best_params_ = float(means.max()), grid[self.best_index_]
        self.cv_results_ = {
            "params": grid, "mean_test_score": means,
            "std_test_score": np.array([score.std() for score in scores]),
        }  # fmt: skip
        if self.refit:
            self.best_estimator_ = clone(self.estimator, **self.best_params_)
            self.best_estimator_.fit(x, y)
        return self

    def predict(self, x: Any) -> Any:
        """Return what the best one says."""
        return self.best_estimator_.predict(x)

    def score(self, x: Any, y: Any) -> float:
        """Return the score of the best one."""
        return float(self.best_estimator_.score(x, y))


class Pipeline:
    """Steps that transform, and an estimator at the end."""

    def __init__(self, steps: Sequence[tuple[str, Any]], **words: Any) -> None:
        self.steps, self.named_steps = list(steps), dict(steps)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings."""
        return {"steps": self.steps}

    def _through(self, x: Any, y: Any, *, fits: bool) -> Any:
        for _, step in self.steps[:-1]:
            x = step.fit_transform(x, y) if fits else step.transform(x)
        return x

    def fit(self, x: Any, y: Any = None, **words: Any) -> Pipeline:
        """Fit every step on what the one before gives."""
        self.steps[-1][1].fit(self._through(x, y, fits=True), y)
        return self

    def predict(self, x: Any) -> Any:
        """Return what the last step says."""
        return self.steps[-1][1].predict(self._through(x, None, fits=False))

    def score(self, x: Any, y: Any) -> float:
        """Return the score of the last step."""
        return float(self.steps[-1][1].score(self._through(x, None, fits=False), y))


# ---- weights of classes --------------------------------------------------------------------------


def compute_class_weight(class_weight: Any, classes: Any, y: Any) -> Any:
    """Return the weight of each class: "balanced", from a dictionary, or 1."""
    kinds = np.asarray(classes)
    if class_weight == "balanced":
        counts = np.array([np.sum(np.asarray(y) == kind) for kind in kinds])
        return len(y) / (len(kinds) * counts)
    given = class_weight or {}
    return np.array([float(given.get(kind, 1.0)) for kind in kinds.tolist()])


def compute_sample_weight(class_weight: Any, y: Any, **words: Any) -> Any:
    """Return the weight of each sample, by its class."""
    kinds, numbers = np.unique(np.asarray(y), return_inverse=True)
    return compute_class_weight(class_weight, kinds, y)[numbers]


def resample(*arrays: Any, replace: bool = True, n_samples: int | None = None,
             random_state: Any = None, stratify: Any = None) -> Any:  # fmt: skip
    """Return arrays of samples that are drawn, with replacement unless it is said."""
    size = len(arrays[0])
    count, draw = n_samples or size, generator(random_state)
    places = draw.randint(0, size, count) if replace else draw.permutation(size)[:count]
    out = [_taken(array, places) for array in arrays]
    return out[0] if len(out) == 1 else out
