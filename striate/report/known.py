"""Known: what a program's own training tells of its data, so that its report has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.spec import fits, sample_shape
from ..errors import StriateError
from .evidence import Data, Pair, numbers

MOST = 10_000  # validation samples that are judged


def known(
    model: Any, x: Any, y: Any, validation: Any = None, names: Sequence[str] = ()
) -> tuple[Data | None, dict[str, Any]]:
    """Return the data of a classifier's training, and what is to be said of them in its results.

    `names` are those of the classes, numbers without them. (None, {}) where `x` is not one array
    of samples, or `y` not classes: numbers or one-hot rows.
    """
    train = _pair(x, y)
    try:
        count = int(model.graph.outputs[0].spec.shape[-1] or 0)
    except (StriateError, IndexError, AttributeError):
        count = 0
    if train is None or not count:
        return None, {}
    classes = tuple(map(str, range(max(count, 2))))
    classes = tuple(names) if len(names) == len(classes) else classes
    valid = _pair(*validation[:2]) if validation is not None and len(validation) > 1 else None
    if _beyond(train, classes) or (valid is not None and _beyond(valid, classes)):
        return None, {}
    told: dict[str, Any] = {"classes": list(classes), "samples": {"training": len(train[0])}}
    if valid is None:
        return Data(classes, train), told
    told["samples"]["validation"] = len(valid[0])
    valid = valid[0][:MOST], valid[1][:MOST]
    data = Data(classes, train, test=valid, tested="validation")
    try:
        outputs = np.asarray(model.predict(valid[0]))
    except StriateError:
        return Data(classes, train, validation=valid), told
    said = (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(-1)
    matrix = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(matrix, (numbers(valid[1]), said), 1)
    right = float(np.trace(matrix) / max(matrix.sum(), 1))
    return data, told | {
        "judged": "validation",
        "validation_accuracy": right,
        "confusion": matrix.tolist(),
    }


def images(model: Any, x: Any, validation: Any = None) -> dict[str, tuple[Any, None]]:
    """Return the samples of a training whose labels are no classes, by part: what fits the model.

    For samples without labels, as of an autoencoder, or with numbers, boxes or maps.
    """
    given = {"train": x, "test": validation[0] if validation else None}
    found: dict[str, tuple[Any, None]] = {}
    try:
        spec = model.graph.inputs[0].spec
    except (StriateError, AttributeError):  # code, of which no call has been traced
        return found
    for name, array in ((name, _only(one)) for name, one in given.items()):
        sizes = getattr(array, "shape", (0,))
        if sizes[:1] != (0,) and fits(spec.shape, sample_shape(spec, tuple(sizes[1:]))):
            found[name] = (np.asarray(array), None)
    return found


def _pair(x: Any, y: Any) -> Pair | None:
    """Return samples and class numbers, or None where the two are something else."""
    x, y = _only(x), _only(y)
    if not (hasattr(x, "shape") and hasattr(y, "shape")) or not len(x) or len(x) != len(y):
        return None
    labels: NDArray[Any] = np.asarray(y)
    hot = labels.ndim == 2 and labels.shape[1] > 1
    if hot and not (np.isin(labels, (0, 1)).all() and (labels.sum(1) == 1).all()):
        return None
    if not hot and (labels.size != len(labels) or (labels != np.round(labels)).any()):
        return None
    return np.asarray(x), numbers(labels)


def _only(given: Any) -> Any:
    """Return the one array of a list or dictionary of one, anything else as it is."""
    if isinstance(given, (list, tuple, dict)) and len(given) == 1:
        return next(iter(given.values() if isinstance(given, dict) else given))
    return given


def _beyond(pair: Pair, classes: tuple[str, ...]) -> bool:
    """Return whether labels are no numbers of the classes."""
    return bool(pair[1].min() < 0 or pair[1].max() >= len(classes))
