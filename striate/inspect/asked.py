"""What is asked about: a model of Striate, samples, labels; what is none of these is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..errors import ConfigError, DataError, ShapeError

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
NUMBERS = "biuf"  # kinds of NumPy's types


def about_model(question: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """Make a question, whose first argument is a model, refuse what is no model of Striate."""
    first = question.__code__.co_varnames[0]

    @wraps(question)
    def asked(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        model = args[0] if args else kwargs.get(first)
        if not hasattr(model, "graph"):
            torch = isinstance(model, nn.Module)
            raise ConfigError(
                question.__name__,
                "is asked about a model of Striate",
                got=f"{type(model).__module__}.{type(model).__qualname__}",
                fix="striate.Model.from_torch(module, ...)" if torch else "",
            )
        return question(*args, **kwargs)

    return asked


def numbers(where: str, x: Any) -> NDArray[Any]:
    """Return samples as an array of numbers, or raise DataError."""
    array = np.asarray(x)
    if array.dtype.kind not in NUMBERS:
        raise DataError(
            where,
            "looks at arrays of numbers",
            got=f"{x!r:.60}" if array.ndim == 0 else f"an array of {array.dtype}",
            fix="np.asarray(PIL.Image.open(path))" if isinstance(x, str) else "",
        )
    return array


def labels_of(where: str, y: Any, samples: int) -> NDArray[Any]:
    """Return labels, numbers or one-hot rows, as a number for each sample, or raise ShapeError."""
    labels = numbers(where, y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(1)
    labels = labels.reshape(-1)
    if len(labels) != samples:
        what = "there is not one label for each sample"
        raise ShapeError(where, what, got=f"{len(labels):,} for {samples:,} samples")
    return labels


def class_numbers(where: str, y: Any, samples: int, classes: int) -> NDArray[np.int64]:
    """Return labels (numbers, or one-hot rows) as the class of each sample.

    Raises: ShapeError if there is not one label for each sample, DataError if one is no class.
    """
    labels = labels_of(where, y, samples)
    beyond = (labels < 0) | (labels >= classes) | (labels != labels.astype(np.int64))
    if beyond.any():
        raise DataError(
            where,
            f"{int(beyond.sum()):,} of {samples:,} labels are none of the classes",
            got=f"class {labels[beyond][0]}",
            need=f"whole numbers from 0 to {classes - 1}",
        )
    found: NDArray[np.int64] = labels.astype(np.int64)
    return found
