"""What scikit-learn had: modules and names it gave up, words of older versions, MNIST's digits."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..data.datasets import mnist
from ..errors import caller
from .dialect import Patch
from .session import Script
from .surroundings_installed import Changes, lost, renamed, reworded
from .table import DialectError

MOVED = {
    **dict.fromkeys(
        ("sklearn.cross_validation", "sklearn.grid_search", "sklearn.learning_curve"),
        "sklearn.model_selection",
    ),
    "sklearn.externals.joblib": "joblib",
    "sklearn.datasets.base": "sklearn.utils",
    "sklearn.datasets.samples_generator": "sklearn.datasets",
    "sklearn.utils.linear_assignment_": "scipy.optimize",
    "sklearn.decomposition.pca": "sklearn.decomposition",
    "sklearn.manifold.t_sne": "sklearn.manifold",
    "sklearn.cluster.k_means_": "sklearn.cluster",
    "sklearn.linear_model.logistic": "sklearn.linear_model",
    **{f"sklearn.preprocessing.{word}": "sklearn.preprocessing"
       for word in ("data", "label", "imputation")},
    **{f"sklearn.metrics.{word}": "sklearn.metrics"
       for word in ("classification", "ranking", "regression", "scorer")},
    **{f"sklearn.ensemble.{word}": "sklearn.ensemble"
       for word in ("forest", "gradient_boosting", "weight_boosting")},
}  # fmt: skip
DATA_TABLE = {"iloc", "loc", "to_numpy", "values", "head", "columns", "describe"}
SAYS_NOTHING = {"n_jobs": "", "iid": "", "fit_params": "", "multi_class": "", "presort": ""}
FOREST = {"max_features": {"auto": "sqrt"}}
LINEAR = ({"n_iter": "max_iter", "normalize": "", **SAYS_NOTHING}, {"loss": {"log": "log_loss"}})
WORDS: dict[str, dict[str, Any]] = {
    "sklearn.metrics": {
        "classification_report": (), "confusion_matrix": (), "log_loss": (), "roc_auc_score": (),
    },
    "sklearn.datasets": {"make_moons": (), "make_circles": (), "make_blobs": ()},
    "sklearn.model_selection": {
        "KFold": (), "StratifiedKFold": (), "ShuffleSplit": ({"n_iter": "n_splits"},),
        "StratifiedShuffleSplit": ({"n_iter": "n_splits"},),
        "GridSearchCV": (SAYS_NOTHING,), "RandomizedSearchCV": (SAYS_NOTHING,),
        "cross_val_score": ({"fit_params": "params"},),
    },
    "sklearn.manifold": {"TSNE": ({"n_iter": "max_iter"},)},
    "sklearn.cluster": {"KMeans": ({**SAYS_NOTHING, "precompute_distances": ""},)},
    "sklearn.linear_model": {
        "LogisticRegression": LINEAR, "LinearRegression": LINEAR, "Ridge": LINEAR,
        "SGDClassifier": LINEAR, "Perceptron": LINEAR,
    },
    "sklearn.ensemble": {
        name: ({"min_impurity_split": "", "base_estimator": "estimator", **SAYS_NOTHING}, FOREST)
        for name in ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier",
                     "GradientBoostingClassifier", "BaggingClassifier", "AdaBoostClassifier")
    },
}  # fmt: skip


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


def _data_sets(sklearn: Any, script: Script) -> Iterator[Patch]:
    bunch, original = importlib.import_module("sklearn.utils").Bunch, sklearn.fetch_openml

    def fetch_mldata(dataname: str, *args: Any, **words: Any) -> Any:
        """Return the digits as mldata.org had them: sorted by class, targets of float64."""
        if "mnist" not in dataname.lower():
            raise DialectError(
                "sklearn.datasets.fetch_mldata",
                "mldata.org is closed, and of its data sets only the digits are here",
                got=repr(dataname),
                need='"MNIST original"',
                fix="fetch_openml, where openml.org has the data set",
                at=caller(),
            )
        x, y = digits(script, by_class=True)
        return bunch(data=x, target=y.astype(np.float64), COL_NAMES=["label", "data"],
                     DESCR="mldata.org dataset: mnist-original")  # fmt: skip

    def fetch_openml(
        name: str | None = None,
        version: Any = "active",
        *,
        data_id: int | None = None,
        return_X_y: bool = False,  # noqa: N803  its own name
        as_frame: Any = "auto",
        **words: Any,
    ) -> Any:
        """Return the digits as openml.org has them: classes as texts, in the files' order."""
        if data_id != 554 and str(name).lower() not in ("mnist_784", "mnist 784", "mnist"):
            given = {"data_id": data_id, "return_X_y": return_X_y, "as_frame": as_frame, **words}
            return original(name, version=version, **given)
        x, y = digits(script, by_class=False)
        names = [f"pixel{number + 1}" for number in range(784)]
        data, target, frame = x.astype(np.float64), y.astype(str).astype(object), None
        if as_frame == "auto":
            said = {part for kind, word, _ in script.words if kind == "name"
                    for part in word.split(".")}  # fmt: skip
            as_frame = bool(said & DATA_TABLE)
            kind = "tables" if as_frame else "arrays"
            script.note(f"fetch_openml gives {kind}; as_frame=True or False says which are meant")
        if as_frame:
            pandas = importlib.import_module("pandas")
            data = pandas.DataFrame(x.astype(np.int64), columns=names)
            target = pandas.Series(y.astype(str), name="class", dtype="category")
            frame = pandas.concat([data, target], axis=1)
        if return_X_y:
            return data, target
        return bunch(data=data, target=target, frame=frame, DESCR="mnist_784",
                     feature_names=names, target_names=["class"])  # fmt: skip

    yield sklearn, "fetch_mldata", fetch_mldata
    yield sklearn, "fetch_openml", fetch_openml


# ---- names that are gone -------------------------------------------------------------------------


class Folds:
    """Folds as they were: of a number of samples, or of labels, and gone through themselves."""

    def __init__(self, kind: Any, given: Any, parts: int, **words: Any) -> None:
        count = isinstance(given, (int, np.integer))
        self.made, self.labels = kind(parts, **words), np.zeros(given) if count else given

    def __iter__(self) -> Iterator[Any]:
        return iter(self.made.split(np.zeros(len(self.labels)), self.labels))

    def __len__(self) -> int:
        return int(self.made.get_n_splits())


def _folds(module: Any) -> Iterator[Patch]:
    def of(kind: Any, word: str, usual: int) -> Callable[..., Folds]:
        def folds(given: Any = None, parts: int = usual, **words: Any) -> Folds:
            """Return folds of a number of samples `n`, or of labels `y`."""
            given = words.pop("n", words.pop("y", given))
            return Folds(kind, given, words.pop(word, parts), **words)

        return folds

    for name in ("KFold", "StratifiedKFold"):
        yield module, name, of(getattr(module, name), "n_folds", 3)
    for name in ("ShuffleSplit", "StratifiedShuffleSplit"):
        yield module, name, of(getattr(module, name), "n_iter", 10)


def _encoder(preprocessing: Any) -> Iterator[Patch]:
    kind = preprocessing.OneHotEncoder
    original = kind.__init__

    def init(self: Any, *args: Any, categorical_features: Any = None, **words: Any) -> None:
        """Take the words of the time; some columns alone are a ColumnTransformer today."""
        sparse = words.pop("sparse", words.pop("sparse_output", True))
        words = {key: v for key, v in words.items() if key not in ("n_values", "active_features_")}
        if categorical_features is None or isinstance(categorical_features, str):
            original(self, *args, sparse_output=sparse, **words)
            return
        columns = np.asarray(categorical_features)
        columns = np.flatnonzero(columns) if columns.dtype == bool else columns
        compose = importlib.import_module("sklearn.compose")
        hot = kind(*args, sparse_output=sparse, **words)
        self.__class__ = compose.ColumnTransformer
        self.__init__([("hot", hot, list(columns))], remainder="passthrough",
                      sparse_threshold=float(sparse))  # fmt: skip

    vars(init)["__wrapped__"] = original  # whose words `get_params` gives
    yield kind, "__init__", init
    yield from lost(kind, {"get_feature_names": kind.get_feature_names_out})

    def imputer(missing_values: Any = np.nan, strategy: str = "mean", axis: int = 0,
                **words: Any) -> Any:  # fmt: skip
        """Return a SimpleImputer."""
        missing = np.nan if missing_values == "NaN" else missing_values
        simple = importlib.import_module("sklearn.impute").SimpleImputer
        return simple(missing_values=missing, strategy=strategy)

    yield from lost(preprocessing, {"Imputer": imputer})


def _measures(metrics: Any) -> Iterator[Patch]:
    squares = metrics.mean_squared_error

    def mean_squared_error(y_true: Any, y_pred: Any, *, squared: bool = True, **words: Any) -> Any:
        """Return the mean of squares, or its root."""
        return (squares if squared else metrics.root_mean_squared_error)(y_true, y_pred, **words)

    yield metrics, "mean_squared_error", mean_squared_error
    drawn = {
        "plot_confusion_matrix": metrics.ConfusionMatrixDisplay.from_estimator,
        "plot_roc_curve": metrics.RocCurveDisplay.from_estimator,
        "plot_precision_recall_curve": metrics.PrecisionRecallDisplay.from_estimator,
        "jaccard_similarity_score": metrics.accuracy_score,
        "calinski_harabaz_score": metrics.calinski_harabasz_score,
    }
    yield from lost(metrics, drawn)


def _weights(module: Any) -> Iterator[Patch]:
    original = renamed(module.compute_class_weight)

    def compute_class_weight(class_weight: Any, classes: Any, y: Any, **words: Any) -> Any:
        """Return the weight of each class; the classes may be a list."""
        return original(class_weight, np.asarray(classes), y, **words)

    yield module, "compute_class_weight", compute_class_weight


def _pairs(module: Any) -> Iterator[Patch]:
    def linear_assignment(x: Any) -> Any:
        """Return the pairs (row, column) that cost least."""
        return np.stack(module.linear_sum_assignment(x), axis=1)

    yield module, "linear_assignment", linear_assignment


def changes(script: Script) -> Changes:
    """Return what is changed in each module."""

    def worded(path: str) -> Callable[[Any], Iterator[Patch]]:
        return lambda module: reworded(module, WORDS[path])

    def data_sets(module: Any) -> Iterator[Patch]:
        yield from _data_sets(module, script)
        yield from reworded(module, WORDS["sklearn.datasets"])

    def metrics(module: Any) -> Iterator[Patch]:
        yield from reworded(module, WORDS["sklearn.metrics"])
        yield from _measures(module)

    return {
        **{path: worded(path) for path in WORDS},
        "sklearn.datasets": data_sets,
        "sklearn.metrics": metrics,
        "sklearn.preprocessing": _encoder,
        "sklearn.utils.class_weight": _weights,
        "sklearn.cross_validation": _folds,
        "sklearn.utils.linear_assignment_": _pairs,
    }
