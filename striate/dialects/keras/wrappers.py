"""`keras.wrappers.scikit_learn`: a Keras model with the methods of scikit-learn's estimators."""

from __future__ import annotations

import copy
import importlib
import inspect
from typing import Any

import numpy as np

VERBS = ("fit", "predict", "predict_classes", "predict_proba", "evaluate")


class Wrapper:
    """Builds a model with the arguments that `build_fn` takes, and trains it with the others."""

    kind = ""

    def __init__(self, build_fn: Any = None, model: Any = None, **words: Any) -> None:
        self.build_fn, self.words = build_fn or model, words

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments."""
        return {**copy.copy(self.words), "build_fn": self.build_fn}

    def set_params(self, **words: Any) -> Wrapper:
        """Change arguments."""
        self.build_fn = words.pop("build_fn", self.build_fn)
        self.words |= words
        return self

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks of an estimator."""
        utils = importlib.import_module("sklearn.utils")
        own = getattr(utils, f"{self.kind.title()}Tags")()
        parts = {f"{self.kind}_tags": own, "target_tags": utils.TargetTags(required=True)}
        return utils.Tags(estimator_type=self.kind, **parts)

    @property
    def _estimator_type(self) -> str:
        """The same, as older versions ask it."""
        return self.kind

    def of(self, function: Any, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments that a function takes."""
        takes = inspect.signature(function).parameters
        return {key: v for key, v in {**self.words, **given}.items() if key in takes}

    def fit(self, x: Any, y: Any, **words: Any) -> Any:
        """Build the model and train it."""
        self.model = self.build_fn(**self.of(self.build_fn, {}))
        own = inspect.signature(self.build_fn).parameters
        rest = {key: value for key, value in self.words.items() if key not in own}
        self.history = self.model.fit(x, self.labels(np.asarray(y)), **{**rest, **words})
        return self.history

    def labels(self, y: Any) -> Any:
        """Return labels as the model takes them."""
        return y

    def predict(self, x: Any, **words: Any) -> Any:
        """Return the outputs."""
        return np.squeeze(self.model.predict(x), -1)


class KerasClassifier(Wrapper):
    """Of classes."""

    kind = "classifier"

    def labels(self, y: Any) -> Any:
        """Return one-hot labels where the loss asks for them; remember the classes."""
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
            return y
        self.classes_, numbers = np.unique(y, return_inverse=True)
        numbers = numbers.reshape(-1)
        hot = "Categorical" in type(self.model.setup.losses[0]).__name__ and "Sparse" not in type(
            self.model.setup.losses[0]).__name__  # fmt: skip
        return np.eye(len(self.classes_), dtype="float32")[numbers] if hot else numbers

    def predict(self, x: Any, **words: Any) -> Any:
        """Return the classes."""
        return self.classes_[self.model.predict_classes(x).reshape(-1)]

    def predict_proba(self, x: Any, **words: Any) -> Any:
        """Return the probability of each class."""
        out = self.model.predict(x)
        return np.hstack([1 - out, out]) if out.shape[1] == 1 else out

    def score(self, x: Any, y: Any, **words: Any) -> float:
        """Return the part of samples that are right."""
        true = np.asarray(y)
        true = true.argmax(-1) if true.ndim == 2 and true.shape[1] > 1 else true.reshape(-1)
        return float(np.mean(self.predict(x) == true))


class KerasRegressor(Wrapper):
    """Of numbers."""

    kind = "regressor"

    def score(self, x: Any, y: Any, **words: Any) -> float:
        """Return minus the loss."""
        loss = self.model.evaluate(x, y, verbose=0)
        return -float(loss[0] if isinstance(loss, list) else loss)


def names() -> dict[str, Any]:
    """Return the names of `keras.wrappers.scikit_learn`."""
    return {"KerasClassifier": KerasClassifier, "KerasRegressor": KerasRegressor}


def _new(kind: type[Wrapper]) -> type[Wrapper]:
    """Return a wrapper in the words of Keras 3, which builds with `X` and `y` as well."""

    def start(self: Any, model: Any, warm_start: bool = False, model_kwargs: Any = None,
              fit_kwargs: Any = None) -> None:  # fmt: skip
        kind.__init__(self, model, **(fit_kwargs or {}))
        self.given = (model, dict(model_kwargs or {}))

    def fit(self: Any, X: Any, y: Any, **words: Any) -> Any:  # noqa: N803  scikit-learn's word
        model, more = self.given
        self.build_fn = (
            (lambda: model(X, y, **more)) if inspect.isfunction(model) else lambda: model
        )
        kind.fit(self, X, y, **words)
        return self

    return type(kind.__name__.replace("Keras", "SKLearn"), (kind,), {"__init__": start, "fit": fit})


NEW = {made.__name__: made for made in map(_new, (KerasClassifier, KerasRegressor))}
