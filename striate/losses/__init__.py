"""How wrong an output is: the losses of Keras 3, by name, and any function of (y_true, y_pred)."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigError
from ..settings import resolve
from .classification import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Crossentropy,
    Entropy,
    Hinge,
    KLDivergence,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    classes,
    one_output,
)
from .loss import UNKNOWN, Elementwise, Function, Loss, paired
from .regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
)

__all__ = [
    "UNKNOWN",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Crossentropy",
    "Elementwise",
    "Entropy",
    "Function",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "classes",
    "get",
    "one_output",
    "paired",
]

NAMES: dict[str, type[Loss]] = {
    "crossentropy": Crossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "bce": BinaryCrossentropy,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "mape": MeanAbsolutePercentageError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "msle": MeanSquaredLogarithmicError,
    "huber": Huber,
    "log_cosh": LogCosh,
    "kl_divergence": KLDivergence,
    "kld": KLDivergence,
    "poisson": Poisson,
    "hinge": Hinge,
    "squared_hinge": SquaredHinge,
    "categorical_hinge": CategoricalHinge,
    "cosine_similarity": CosineSimilarity,
}


def get(given: Any) -> Loss:
    """Return the loss that a name ("mse"), class, description or function stands for."""
    found = resolve("losses", "loss", given, NAMES)
    if isinstance(found, Loss):
        return found
    if not callable(found):
        raise ConfigError(
            "losses",
            "a loss is a name or a function of (y_true, y_pred)",
            got=repr(given),
            need="one of " + ", ".join(NAMES) + ", or a callable",
            fix='"crossentropy"',
        )
    return Function(found)
