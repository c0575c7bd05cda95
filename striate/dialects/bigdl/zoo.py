"""Analytics Zoo's Keras-style API, `zoo.pipeline.api.keras`: BigDL's, with classes from 0 on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import judging, training
from .criterions import Criterion
from .judging import EvaluatedResult, judge, methods_of
from .kind import Words
from .methods import Method
from .real_spark import rdd_like
from .samples import arrays_of
from .session import BigdlSession
from .topology import Compiled, KerasModel, KerasSequential

OBJECTIVES: Mapping[str, tuple[str, Words]] = {
    "SparseCategoricalCrossEntropy": ("ClassNLLCriterion", {"logProbAsInput": False}),
    "CategoricalCrossEntropy": ("CategoricalCrossEntropy", {}),
    "BinaryCrossEntropy": ("BCECriterion", {}), "MeanSquaredError": ("MSECriterion", {}),
    "MeanAbsoluteError": ("AbsCriterion", {}), "Poisson": ("PoissonCriterion", {}),
    "MeanAbsolutePercentageError": ("MeanAbsolutePercentageCriterion", {}),
    "MeanSquaredLogarithmicError": ("MeanSquaredLogarithmicCriterion", {}),
    "CosineProximity": ("CosineProximityCriterion", {}), "Hinge": ("MarginCriterion", {}),
    "SquaredHinge": ("MarginCriterion", {"squared": True}),
    "KullbackLeiblerDivergence": ("KullbackLeiblerDivergenceCriterion", {}),
}  # fmt: skip
ACCURACIES = ("Accuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy", "BinaryAccuracy")


class FromZero(Compiled):
    """A network whose labels and predicted classes count from 0."""

    log: tuple[str, str] | None = None

    def _raised(self, y: Any) -> Any:
        """Return labels as BigDL's criterions take them: classes from 1 on."""
        criterion = self._setup("fit").criterion
        return y + 1 if y is not None and criterion.row.labels else y

    def fit(  # type: ignore[override]
        self, x: Any, y: Any = None, batch_size: int = 32, nb_epoch: int = 10,
        validation_split: float = 0, validation_data: Any = None, distributed: bool = True,
        **words: Any,
    ) -> None:  # fmt: skip
        """Train for so many epochs, on arrays or on an RDD of samples."""
        setup = self._setup("fit")
        features, labels = arrays_of(x, y)
        valid = None
        if validation_data is not None:
            given = validation_data
            valid = arrays_of(*(given if isinstance(given, (tuple, list)) else (given, None)))
        elif validation_split and labels is not None:
            kept = len(labels) - int(len(labels) * validation_split)
            valid = ([one[kept:] for one in features], labels[kept:])
            features, labels = [one[:kept] for one in features], labels[:kept]
        if valid is not None:
            valid = (valid[0], self._raised(valid[1]))
        training.fit(self, setup, features, self._raised(labels), batch_size, nb_epoch, valid)

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int = 32) -> Any:
        """Return a result for each metric; without data, leave training mode."""
        if x is None:
            return self.training(False)
        features, labels = arrays_of(x, y)
        methods = methods_of(self._setup("evaluate"))
        found = judge(self, features, self._raised(labels), methods, batch_size)
        return [EvaluatedResult(*one) for one in found]

    def predict(self, x: Any, batch_per_thread: int = 4, distributed: bool = True) -> Any:  # type: ignore[override]
        """Return the outputs: as an RDD, or as an array where it is not to be distributed."""
        out = self.predict_local(x)
        return rdd_like(x, out) if distributed else out

    def predict_classes(
        self, x: Any, batch_per_thread: int = 4, zero_based_label: bool = True
    ) -> Any:
        """Return classes as an RDD, from 0 on unless that is said otherwise."""
        chosen = np.argmax(self.predict_local(x), -1) + (0 if zero_based_label else 1)
        return rdd_like(x, map(int, chosen))

    predict_class = predict_classes  # type: ignore[assignment]

    def set_tensorboard(self, log_dir: str, app_name: str) -> None:
        """Note where TensorBoard's files were to be: the run's report has the curves."""
        self.log = log_dir, app_name
        self.session.note("set_tensorboard(): the run's report has the curves")

    def set_evaluate_status(self) -> Any:
        """Leave training mode."""
        return self.training(False)

    def get_layer(self, name: str) -> Any:
        """Return the layer of this name."""
        return next(one for one in self.layers if one.name() == name)

    def summary(self, line_length: int = 120, positions: Any = None) -> None:
        """Print the network."""
        self.native_model().summary()

    def to_model(self) -> Any:
        """Return the network itself."""
        return self


class ZooSequential(FromZero, KerasSequential):
    """One layer after another."""


class ZooModel(FromZero, KerasModel):
    """A network from inputs to outputs."""


def objectives(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `zoo.pipeline.api.keras.objectives`."""

    def made(kind: str, words: Words) -> Callable[..., Criterion]:
        def objective(*args: Any, **given: Any) -> Criterion:
            session.created(kind)
            return Criterion.of(kind, *args, **words, **given)

        return objective

    return {name: made(*row) for name, row in OBJECTIVES.items()}


def metrics() -> dict[str, Any]:
    """Return the names of `zoo.pipeline.api.keras.metrics`."""
    return {**dict.fromkeys(ACCURACIES, judging.Top1Accuracy), "MAE": judging.MAE,
            "Top5Accuracy": judging.Top5Accuracy}  # fmt: skip


def optimizers(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `zoo.pipeline.api.keras.optimizers`."""

    def adam(lr: float = 1e-3, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8,
             decay: float = 0.0, schedule: Any = None) -> Method:  # fmt: skip
        session.created("Adam")
        return Method.of("Adam", lr, decay, beta_1, beta_2, epsilon)

    return {"Adam": adam}


def topology(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `zoo.pipeline.api.keras.models`."""

    def sequential(name: str | None = None, **words: Any) -> ZooSequential:
        session.created("ZooKerasSequential")
        return ZooSequential(session, name)

    def model(input: Any, output: Any, name: str | None = None, **words: Any) -> ZooModel:
        session.created("ZooKerasModel")
        return ZooModel(session, input, output, name)

    return {"Sequential": sequential, "Model": model}
