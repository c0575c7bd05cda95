"""Analytics Zoo's Keras-style API, `zoo.pipeline.api.keras`: BigDL's, with classes from 0 on."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import caller
from ..table import DialectError
from . import judging, training
from .criterions import Criterion
from .judging import EvaluatedResult, judge, methods_of
from .kind import Words
from .methods import Method
from .real_spark import rdd_like
from .samples import arrays_of
from .session import BigdlSession
from .summaries import TrainSummary, ValidationSummary
from .topology import Compiled, KerasModel, KerasSequential
from .triggers import EveryEpoch
from .variables import CustomLoss

OBJECTIVES: Mapping[str, tuple[str, Words]] = {
    "CategoricalCrossEntropy": ("CategoricalCrossEntropy", {}),
    "BinaryCrossEntropy": ("BCECriterion", {}), "MeanSquaredError": ("MSECriterion", {}),
    "MeanAbsoluteError": ("AbsCriterion", {}), "Poisson": ("PoissonCriterion", {}),
    "MeanAbsolutePercentageError": ("MeanAbsolutePercentageCriterion", {}),
    "MeanSquaredLogarithmicError": ("MeanSquaredLogarithmicCriterion", {}),
    "CosineProximity": ("CosineProximityCriterion", {}), "Hinge": ("MarginCriterion", {}),
    "SquaredHinge": ("MarginCriterion", {"squared": True}),
    "KullbackLeiblerDivergence": ("KullbackLeiblerDivergenceCriterion", {}),
}  # fmt: skip
ZOO_WORDS = {"log_prob_as_input": "logProbAsInput"}
SHORT = {short: name for name, shorts in (
    ("MeanSquaredError", ("mse", "MSE")), ("MeanAbsoluteError", ("mae", "MAE")),
    ("MeanAbsolutePercentageError", ("mape", "MAPE")),
    ("MeanSquaredLogarithmicError", ("msle", "MSLE"))) for short in shorts}  # fmt: skip
ACCURACIES = ("Accuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy", "BinaryAccuracy")


class FromZero(Compiled):
    """A network whose labels and predicted classes count from 0."""

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        self.beside: dict[str, Any] = {}  # what happens beside the steps

    log: tuple[TrainSummary, ValidationSummary] | None = None

    def compile(self, optimizer: Any, loss: Any, metrics: Any = None) -> None:
        """Choose how the network is trained; labels of BigDL's own criterions count from 1.

        A loss may be a function of targets and outputs, too.
        """
        if callable(loss):
            loss = CustomLoss(loss)
        several = metrics if isinstance(metrics, (list, tuple)) else [metrics] if metrics else []
        known = [METRICS[one]() if one in METRICS else one for one in several]
        super().compile(optimizer, loss, known)
        if isinstance(loss, str):
            self._setup("compile").criterion.from_zero = True

    def set_constant_gradient_clipping(self, min: float, max: float) -> None:
        """Cut each gradient to a range."""
        self.beside["clip"] = {"clipvalue": builtins.max(abs(min), abs(max))}

    def set_gradient_clipping_by_l2_norm(self, clip_norm: float) -> None:
        """Shorten all gradients together."""
        self.beside["clip"] = {"global_clipnorm": clip_norm}

    def clear_gradient_clipping(self) -> None:
        """Leave the gradients as they are."""
        self.beside["clip"] = {}

    def _raised(self, y: Any) -> Any:
        """Return labels as BigDL's criterions take them: classes from 1 on."""
        criterion = self._setup("fit").criterion
        return y + 1 if y is not None and criterion.row.labels and criterion.from_zero else y

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
        logs = dict(zip(("train", "valid"), self.log or (), strict=False))
        training.fit(self, setup, features, self._raised(labels), batch_size, nb_epoch, valid,
                     {**self.beside, **logs})  # fmt: skip

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
        """Keep the numbers of each iteration and validation."""
        self.log = TrainSummary(log_dir, app_name), ValidationSummary(log_dir, app_name)

    def get_train_summary(self, tag: str) -> Any:
        """Return rows of iteration, number and time: of "Loss", "LearningRate" or "Throughput"."""
        return self._kept(0, tag)

    def get_validation_summary(self, tag: str) -> Any:
        """Return rows of iteration, number and time, of a metric."""
        return self._kept(1, tag)

    def _kept(self, which: int, tag: str) -> Any:
        if self.log is None:
            raise DialectError(
                "Analytics Zoo", "nothing is kept of training",
                fix="model.set_tensorboard(log_dir, app_name) before fit", at=caller(),
            )  # fmt: skip
        return self.log[which].read_scalar(tag)

    def set_checkpoint(self, path: str, over_write: bool = True) -> None:
        """Keep the network in a folder after each epoch."""
        self.beside = {**self.beside, "path": path, "over_write": over_write, "keep": EveryEpoch()}

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
            counts = given.pop("zero_based_label", True)
            given = {ZOO_WORDS.get(word, word): value for word, value in given.items()}
            found = Criterion.of(kind, *args, **{**words, **given})
            found.from_zero = counts and found.row.labels
            return found

        return objective

    def sparse(log_prob_as_input: bool = False, zero_based_label: bool = True, weights: Any = None,
               size_average: bool = True, **more: Any) -> Criterion:  # fmt: skip
        session.created("ClassNLLCriterion")
        found = Criterion.of("ClassNLLCriterion", weights, size_average, log_prob_as_input)
        found.from_zero = zero_based_label
        return found

    found: dict[str, Any] = {name: made(*row) for name, row in OBJECTIVES.items()}
    found["SparseCategoricalCrossEntropy"] = sparse
    return {**found, **{short: found[name] for short, name in SHORT.items()}}


METRICS: dict[str, Any] = {
    "acc": judging.Top1Accuracy, "accuracy": judging.Top1Accuracy, "mae": judging.MAE,
    "top5acc": judging.Top5Accuracy, "top5accuracy": judging.Top5Accuracy, "auc": judging.AUC,
    "loss": judging.Loss,
}  # fmt: skip


def metrics() -> dict[str, Any]:
    """Return the names of `zoo.pipeline.api.keras.metrics`."""

    def accuracy(zero_based_label: bool = True, **words: Any) -> judging.Top1Accuracy:
        return judging.Top1Accuracy()

    def top5(zero_based_label: bool = True, **words: Any) -> judging.Top5Accuracy:
        return judging.Top5Accuracy()

    return {**dict.fromkeys(ACCURACIES, accuracy), "MAE": judging.MAE, "Top5Accuracy": top5,
            "AUC": judging.AUC}  # fmt: skip


def optimizers(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `zoo.pipeline.api.keras.optimizers`."""

    def adam(lr: float = 1e-3, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8,
             decay: float = 0.0, schedule: Any = None, weight_decay: float = 0.0,
             **words: Any) -> Method:  # fmt: skip
        session.created("ZooKerasAdam")
        if not schedule:
            session.created("Default")
        made = Method.of("Adam", lr, decay, beta_1, beta_2, epsilon)
        made.words["weight_decay"] = weight_decay
        return made.follow(schedule)

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
