"""What scripts of networks take from scikit-learn, where it is absent, or has lost it since."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.datasets import mnist
from ..errors import ConfigError, caller
from .session import Script
from .surroundings_division import (
    GridSearchCV,
    KFold,
    Pipeline,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
    clone,
    compute_class_weight,
    compute_sample_weight,
    cross_val_score,
    generator,
    resample,
    shuffle,
    train_test_split,
)
from .surroundings_measures import MEASURES
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


class OrdinalEncoder(Transformer):
    """The kinds of each column as numbers from 0 on, sorted."""

    def fit(self, x: Any, y: Any = None) -> Any:
        """Find the kinds."""
        self.categories_ = [np.unique(column) for column in _two_axes("OrdinalEncoder", x).T]
        return self

    def transform(self, x: Any) -> Any:
        """Return the numbers."""
        columns = _two_axes("OrdinalEncoder", x).T
        pairs = zip(self.categories_, columns, strict=True)
        return np.stack([np.searchsorted(kinds, one) for kinds, one in pairs], 1).astype(float)


class PCA(Transformer):
    """The directions in which rows differ most, the first ones of them."""

    def __init__(self, n_components: Any = None, whiten: bool = False, **words: Any) -> None:
        self.n_components, self.whiten = n_components, whiten

    def fit(self, x: Any, y: Any = None) -> Any:
        """Find mean and directions."""
        rows = _two_axes("PCA", x).astype(float)
        self.mean_ = rows.mean(axis=0)
        _, sizes, right = np.linalg.svd(rows - self.mean_, full_matrices=False)
        right *= np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])[:, None]
        spread = sizes**2 / (len(rows) - 1)
        shares = spread / spread.sum()
        wanted = self.n_components
        if isinstance(wanted, float):
            wanted = int(np.searchsorted(np.cumsum(shares), wanted)) + 1
        self.components_, self.explained_variance_ = right[:wanted], spread[:wanted]
        self.explained_variance_ratio_ = shares[:wanted]
        self.n_components_ = len(self.components_)
        return self

    def transform(self, x: Any) -> Any:
        """Return the rows in these directions."""
        out = (np.asarray(x) - self.mean_) @ self.components_.T
        return out / np.sqrt(self.explained_variance_) if self.whiten else out

    def inverse_transform(self, x: Any) -> Any:
        """Return rows as they were, as far as the directions go."""
        scale = np.sqrt(self.explained_variance_) if self.whiten else 1.0
        return np.asarray(x) * scale @ self.components_ + self.mean_


def normalize(x: Any, norm: str = "l2", axis: int = 1, **words: Any) -> Any:
    """Return rows of length 1; a row of zeros stays."""
    order = {"l1": 1, "l2": 2, "max": np.inf}[norm]
    length = np.linalg.norm(np.asarray(x, float), order, axis=axis, keepdims=True)
    return np.asarray(x) / np.where(length == 0, 1, length)


def scale(x: Any, **words: Any) -> Any:
    """Return columns of mean 0 and deviation 1."""
    return StandardScaler().fit_transform(x)


def minmax_scale(x: Any, feature_range: Any = (0, 1), **words: Any) -> Any:
    """Return columns between two numbers."""
    return MinMaxScaler(feature_range).fit_transform(x)


# ---- toys ----------------------------------------------------------------------------------------


def _toy(x: Any, y: Any, shuffle: bool, noise: float | None, draw: Any) -> tuple[Any, Any]:
    order = draw.permutation(len(x)) if shuffle else np.arange(len(x))
    x, y = x[order], y[order]
    return (x if noise is None else x + draw.normal(scale=noise, size=x.shape)), y


def make_moons(n_samples: int = 100, *, shuffle: bool = True, noise: float | None = None,
               random_state: Any = None) -> tuple[Any, Any]:  # fmt: skip
    """Return the points of two half circles that reach into each other, and which one it is."""
    outer, inner = (np.linspace(0, np.pi, n) for n in (n_samples // 2, n_samples - n_samples // 2))
    x = np.r_[np.c_[np.cos(outer), np.sin(outer)], np.c_[1 - np.cos(inner), 0.5 - np.sin(inner)]]
    y = np.repeat([0, 1], [len(outer), len(inner)])
    return _toy(x, y, shuffle, noise, generator(random_state))


def make_circles(n_samples: int = 100, *, shuffle: bool = True, noise: float | None = None,
                 random_state: Any = None, factor: float = 0.8) -> tuple[Any, Any]:  # fmt: skip
    """Return the points of a circle and of a smaller one in it, and which one it is."""
    sizes = n_samples // 2, n_samples - n_samples // 2
    turns = [np.linspace(0, 2 * np.pi, size, endpoint=False) for size in sizes]
    rings = [np.c_[np.cos(turn), np.sin(turn)] for turn in turns]
    y = np.repeat([0, 1], sizes)
    return _toy(np.r_[rings[0], rings[1] * factor], y, shuffle, noise, generator(random_state))


def make_blobs(n_samples: int = 100, n_features: int = 2, *, centers: Any = None,
               cluster_std: float = 1.0, shuffle: bool = True,
               random_state: Any = None) -> tuple[Any, Any]:  # fmt: skip
    """Return points around some centers, and which one it is."""
    draw = generator(random_state)
    count = 3 if centers is None else centers
    middles = np.asarray(count) if np.ndim(count) else draw.uniform(-10, 10, (count, n_features))
    y = np.sort(np.arange(n_samples) % len(middles))
    x = middles[y] + draw.normal(scale=cluster_std, size=(n_samples, middles.shape[1]))
    return _toy(x, y, shuffle, None, draw)


# ---- modules -------------------------------------------------------------------------------------


def _named(*things: Any) -> dict[str, Any]:
    return {one.__name__: one for one in things}


def modules(script: Script) -> dict[str, dict[str, Any]]:
    """Return the modules of a small scikit-learn by their paths."""
    division = _named(
        *(train_test_split, KFold, StratifiedKFold, ShuffleSplit, StratifiedShuffleSplit),
        *(cross_val_score, GridSearchCV),
    )
    weights = _named(compute_class_weight, compute_sample_weight)
    return {
        "sklearn": {"__version__": "0.19.2", "clone": clone},
        "sklearn.base": {**_named(clone), **dict.fromkeys(
            ("BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin"), object)},
        "sklearn.datasets": {**fetchers(script), **_named(make_moons, make_circles, make_blobs)},
        "sklearn.datasets.base": _named(Bunch),
        "sklearn.decomposition": _named(PCA),
        "sklearn.preprocessing": _named(
            *(LabelBinarizer, label_binarize, LabelEncoder, OneHotEncoder, OrdinalEncoder),
            *(MinMaxScaler, StandardScaler, normalize, scale, minmax_scale),
        ),
        "sklearn.model_selection": division,
        "sklearn.cross_validation": division,
        "sklearn.grid_search": division,
        "sklearn.pipeline": _named(Pipeline),
        "sklearn.metrics": MEASURES,
        "sklearn.utils": {**_named(shuffle, resample, Bunch), "check_random_state": generator},
        "sklearn.utils.class_weight": weights,
    }  # fmt: skip


_MNIST = "fetch_mldata('MNIST original') or fetch_openml('mnist_784')"
REFUSED = {
    **dict.fromkeys(("load_digits", "load_iris", "load_wine", "load_breast_cancer",
                     "load_diabetes", "load_boston", "fetch_olivetti_faces", "fetch_lfw_people",
                     "fetch_california_housing"), _MNIST),
}  # fmt: skip
