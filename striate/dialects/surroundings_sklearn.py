"""What scripts of networks take from scikit-learn, where it is absent, or has lost it since."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..data.datasets import mnist
from ..errors import ConfigError, caller
from .session import Script
from .table import DialectError


class Bunch(dict[str, Any]):
    """A dictionary whose keys are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


# ---- data sets -----------------------------------------------------------------------------------


def digits(script: Script, *, by_class: bool) -> tuple[Any, Any]:
    """Return 70,000 digits as rows and their classes: the training part first, then the test part.

    `by_class`: sorted by class inside of each part, as the file of mldata.org was. With a limit
    on samples, evenly spaced ones of each part.
    """
    rows, labels = [], []
    for (x, y), share in zip(mnist(), (6, 1), strict=True):
        order = np.argsort(y, kind="stable") if by_class else np.arange(len(y))
        if script.limit_samples is not None:
            count = min(max(script.limit_samples * share // 6, 10), len(y))
            order = order[np.linspace(0, len(y) - 1, count).astype(int)]
        rows.append(x.reshape(len(x), -1)[order])
        labels.append(y[order])
    return np.concatenate(rows), np.concatenate(labels)


def fetchers(script: Script) -> dict[str, Any]:
    """Return the functions that fetch data; those of MNIST take it from the package."""

    def fetch_mldata(dataname: str, *args: Any, **words: Any) -> Bunch:
        """Return the digits as mldata.org had them: sorted by class, targets of float64."""
        if "mnist" not in dataname.lower():
            raise _absent("fetch_mldata", dataname)
        x, y = digits(script, by_class=True)
        return Bunch(data=x, target=y.astype(np.float64), COL_NAMES=["label", "data"],
                     DESCR="mldata.org dataset: mnist-original")  # fmt: skip

    def fetch_openml(
        name: str | None = None,
        *args: Any,
        data_id: int | None = None,
        return_X_y: bool = False,  # noqa: N803  its own name
        as_frame: Any = "auto",
        **words: Any,
    ) -> Any:
        """Return the digits as openml.org has them: classes as texts, in the files' order."""
        if not (name and "mnist" in name.lower() and "fashion" not in name.lower()) and (
            data_id != 554
        ):
            raise _absent("fetch_openml", name or data_id)
        x, y = digits(script, by_class=False)
        data, target = x.astype(np.float64), y.astype(str).astype(object)
        if return_X_y:
            return data, target
        return Bunch(data=data, target=target, DESCR="mnist_784",
                     feature_names=[f"pixel{n + 1}" for n in range(784)])  # fmt: skip

    return {"fetch_mldata": fetch_mldata, "fetch_openml": fetch_openml}


def _absent(function: str, name: Any) -> DialectError:
    return DialectError(
        f"sklearn.datasets.{function}",
        "the data set is not on this machine, and nothing is fetched",
        got=repr(name),
        need='"MNIST original" or "mnist_784", which is shipped with the package',
        fix="np.load of your own copy",
        at=caller(),
    )


# ---- preparation ---------------------------------------------------------------------------------


class Transformer:
    """What is fitted to data, and then changes data."""

    def fit(self, x: Any, y: Any = None) -> Any:
        """Look at the data."""
        return self

    def transform(self, x: Any) -> Any:
        """Change data."""
        return x

    def fit_transform(self, x: Any, y: Any = None) -> Any:
        """Look at the data, and change them."""
        return self.fit(x).transform(x)


class LabelBinarizer(Transformer):
    """A column for each class; one column alone where there are two."""

    def __init__(self, neg_label: int = 0, pos_label: int = 1, sparse_output: bool = False) -> None:
        self.neg_label, self.pos_label = neg_label, pos_label

    def fit(self, x: Any, y: Any = None) -> Any:
        """Find the classes."""
        self.classes_ = np.unique(np.asarray(x))
        return self

    def transform(self, x: Any) -> Any:
        """Return the columns."""
        hit = np.asarray(x).reshape(-1, 1) == self.classes_
        hit = hit[:, 1:] if len(self.classes_) == 2 else hit
        return np.where(hit, self.pos_label, self.neg_label)

    def inverse_transform(self, x: Any) -> Any:
        """Return the class of each row: of its largest column."""
        rows = np.asarray(x)
        if rows.shape[1] == 1:
            middle = (self.neg_label + self.pos_label) / 2
            return self.classes_[(rows[:, 0] > middle).astype(int)]
        return self.classes_[rows.argmax(axis=1)]


def label_binarize(y: Any, *, classes: Any, **words: Any) -> Any:
    """Return a column for each of these classes."""
    made = LabelBinarizer(**words)
    made.classes_ = np.asarray(classes)
    return made.transform(y)


class LabelEncoder(Transformer):
    """Numbers from 0 on for classes."""

    def fit(self, x: Any, y: Any = None) -> Any:
        """Find the classes."""
        self.classes_ = np.unique(np.asarray(x))
        return self

    def transform(self, x: Any) -> Any:
        """Return the numbers."""
        return np.searchsorted(self.classes_, np.asarray(x))

    def inverse_transform(self, x: Any) -> Any:
        """Return the classes."""
        return self.classes_[np.asarray(x)]


class Dense:
    """An array where scikit-learn gives a sparse matrix: `toarray` and `todense` are there."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape = array, array.shape

    def toarray(self) -> Any:
        """Return the array."""
        return self.array

    todense = toarray

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array if dtype is None else self.array.astype(dtype)

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, key: Any) -> Any:
        return self.array[key]


class OneHotEncoder(Transformer):
    """For each column of the data, a column for each of its values."""

    def __init__(self, n_values: Any = None, categories: Any = "auto", sparse: bool = True,
                 sparse_output: bool | None = None, **words: Any) -> None:  # fmt: skip
        self.sparse = sparse if sparse_output is None else sparse_output

    def fit(self, x: Any, y: Any = None) -> Any:
        """Find the values of each column."""
        self.categories_ = [np.unique(column) for column in _two_axes("OneHotEncoder", x).T]
        return self

    def transform(self, x: Any) -> Any:
        """Return the columns."""
        columns = zip(_two_axes("OneHotEncoder", x).T, self.categories_, strict=True)
        parts = [column[:, None] == values for column, values in columns]
        array = np.concatenate(parts, axis=1).astype(np.float64)
        return Dense(array) if self.sparse else array

    def inverse_transform(self, x: Any) -> Any:
        """Return the values."""
        ends = np.cumsum([len(values) for values in self.categories_])[:-1]
        parts = np.split(np.asarray(x), ends, axis=1)
        chosen = zip(parts, self.categories_, strict=True)
        return np.stack([values[part.argmax(axis=1)] for part, values in chosen], axis=1)


class MinMaxScaler(Transformer):
    """Each column moved and scaled so that it fills a range."""

    def __init__(
        self, feature_range: tuple[float, float] = (0, 1), copy: bool = True, clip: bool = False
    ) -> None:
        self.feature_range = feature_range

    def fit(self, x: Any, y: Any = None) -> Any:
        """Find the range of each column."""
        rows = _two_axes("MinMaxScaler", x).astype(np.float64)
        self.data_min_, self.data_max_ = rows.min(axis=0), rows.max(axis=0)
        low, high = self.feature_range
        span = self.data_max_ - self.data_min_
        self.scale_ = (high - low) / np.where(span == 0, 1, span)
        self.min_ = low - self.data_min_ * self.scale_
        return self

    def transform(self, x: Any) -> Any:
        """Return the scaled columns."""
        return _two_axes("MinMaxScaler", x) * self.scale_ + self.min_

    def inverse_transform(self, x: Any) -> Any:
        """Return the columns as they were."""
        return (_two_axes("MinMaxScaler", x) - self.min_) / self.scale_


class StandardScaler(Transformer):
    """Each column with its mean and its deviation taken out."""

    def __init__(self, copy: bool = True, with_mean: bool = True, with_std: bool = True) -> None:
        self.with_mean, self.with_std = with_mean, with_std

    def fit(self, x: Any, y: Any = None) -> Any:
        """Find mean and deviation of each column."""
        rows = _two_axes("StandardScaler", x).astype(np.float64)
        std = rows.std(axis=0)
        self.mean_ = rows.mean(axis=0) if self.with_mean else np.zeros(rows.shape[1])
        self.scale_ = np.where(std == 0, 1, std) if self.with_std else np.ones(rows.shape[1])
        self.var_ = rows.var(axis=0)
        return self

    def transform(self, x: Any) -> Any:
        """Return the columns."""
        return (_two_axes("StandardScaler", x) - self.mean_) / self.scale_

    def inverse_transform(self, x: Any) -> Any:
        """Return the columns as they were."""
        return _two_axes("StandardScaler", x) * self.scale_ + self.mean_


def _two_axes(where: str, x: Any) -> Any:
    rows = np.asarray(x)
    if rows.ndim != 2:
        raise ConfigError(
            f"sklearn.preprocessing.{where}",
            "takes rows and columns",
            got=f"shape {rows.shape}",
            need="two axes",
            fix="x.reshape(-1, 1) for one column, x.reshape(len(x), -1) for images",
            at=caller(),
        )
    return rows


# ---- division ------------------------------------------------------------------------------------


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
    order = _generator(random_state).permutation(size) if shuffle else np.arange(size)
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


def _generator(random_state: Any) -> Any:
    if random_state is None:
        return np.random.mtrand._rand  # the generator that the script seeds
    return np.random.RandomState(random_state) if isinstance(random_state, int) else random_state


def _taken(array: Any, places: Any) -> Any:
    if isinstance(array, list):
        return [array[place] for place in places]
    return array[places]


def shuffle(*arrays: Any, random_state: Any = None, n_samples: int | None = None) -> Any:
    """Return the arrays in one new order."""
    order = _generator(random_state).permutation(len(arrays[0]))[:n_samples]
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
        order = _generator(self.random_state).permutation(len(x)) if self.shuffle else places
        for fold in np.array_split(order, self.n_splits):
            yield np.setdiff1d(places, fold), np.sort(fold)

    def get_n_splits(self, *args: Any) -> int:
        """Return the number of folds."""
        return self.n_splits


# ---- measures ------------------------------------------------------------------------------------


def accuracy_score(y_true: Any, y_pred: Any, normalize: bool = True, **words: Any) -> float:
    """Return the share, or the number, of right answers; of rows, those wholly right."""
    right = np.asarray(y_true) == np.asarray(y_pred)
    right = right.all(axis=1) if right.ndim > 1 else right
    return float(right.mean() if normalize else right.sum())


def confusion_matrix(y_true: Any, y_pred: Any, labels: Any = None, **words: Any) -> Any:
    """Return how many of each class (rows) were taken for each (columns)."""
    true, said = np.asarray(y_true).ravel(), np.asarray(y_pred).ravel()
    classes = np.unique(np.concatenate([true, said])) if labels is None else np.asarray(labels)
    matrix = np.zeros((len(classes),) * 2, int)
    for row, one in enumerate(classes):
        for column, other in enumerate(classes):
            matrix[row, column] = np.sum((true == one) & (said == other))
    return matrix


def _scores(matrix: Any) -> tuple[Any, Any, Any, Any]:
    """Return precision, recall, F1 and number of each class."""
    right, said, there = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    precision, recall = right / np.maximum(said, 1), right / np.maximum(there, 1)
    both = precision + recall
    return precision, recall, 2 * precision * recall / np.where(both == 0, 1, both), there


def _score(index: int) -> Any:
    def score(y_true: Any, y_pred: Any, average: str | None = "binary", pos_label: Any = 1,
              **words: Any) -> Any:  # fmt: skip
        """Return the measure of the positive class, or its mean over classes."""
        classes = np.unique(np.concatenate([np.ravel(y_true), np.ravel(y_pred)]))
        values = _scores(confusion_matrix(y_true, y_pred))
        if average is None:
            return values[index]
        if average == "binary":
            return float(values[index][list(classes).index(pos_label)])
        if average == "micro":
            return accuracy_score(y_true, y_pred)
        return float(
            np.average(values[index], weights=values[3] if average == "weighted" else None)
        )

    return score


def classification_report(
    y_true: Any,
    y_pred: Any,
    labels: Any = None,
    target_names: Sequence[str] | None = None,
    digits: int = 2,
    **words: Any,
) -> str:
    """Return precision, recall and F1 of each class, and their means, as a table."""
    true, said = np.ravel(y_true), np.ravel(y_pred)
    classes = np.unique(np.concatenate([true, said])) if labels is None else labels
    names = [str(one) for one in (target_names or classes)]
    columns = _scores(confusion_matrix(true, said, classes))
    width = max([len(name) for name in names] + [len("weighted avg"), digits])
    head = ("precision", "recall", "f1-score", "support")
    lines = [" " * width + " " + "".join(f" {one:>9}" for one in head), ""]

    def line(name: str, values: Sequence[float], count: int) -> str:
        numbers = "".join(f" {value:>9.{digits}f}" for value in values)
        return f"{name:>{width}} {numbers} {count:>9}"

    for row, name in enumerate(names):
        lines.append(line(name, [column[row] for column in columns[:3]], columns[3][row]))
    total, right = int(columns[3].sum()), accuracy_score(true, said)
    lines += ["", f"{'accuracy':>{width}} {'':>20} {right:>9.{digits}f} {total:>9}"]
    for name, weight in (("macro avg", None), ("weighted avg", columns[3])):
        means = [np.average(column, weights=weight) for column in columns[:3]]
        lines.append(line(name, means, total))
    return "\n".join(lines) + "\n"


def mean_squared_error(y_true: Any, y_pred: Any, **words: Any) -> float:
    """Return the mean of the squared differences."""
    return float(np.mean((np.asarray(y_true) - np.asarray(y_pred)) ** 2))


# ---- modules -------------------------------------------------------------------------------------


def _named(*things: Any) -> dict[str, Any]:
    return {one.__name__: one for one in things}


def modules(script: Script) -> dict[str, dict[str, Any]]:
    """Return the modules of a small scikit-learn by their paths."""
    division = _named(train_test_split, KFold)
    return {
        "sklearn": {"__version__": "0.19.2"},
        "sklearn.datasets": fetchers(script),
        "sklearn.datasets.base": _named(Bunch),
        "sklearn.preprocessing": _named(
            *(LabelBinarizer, label_binarize, LabelEncoder, OneHotEncoder),
            *(MinMaxScaler, StandardScaler),
        ),
        "sklearn.model_selection": division,
        "sklearn.cross_validation": division,
        "sklearn.metrics": {
            **_named(accuracy_score, confusion_matrix, classification_report, mean_squared_error),
            "precision_score": _score(0), "recall_score": _score(1), "f1_score": _score(2),
        },
        "sklearn.utils": {**_named(shuffle, Bunch)},
    }  # fmt: skip


REFUSED = {"load_digits": "fetch_mldata('MNIST original') or fetch_openml('mnist_784')"}
