"""Samples and tensors as scripts hold them, and data of all kinds as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import caller
from ..table import DialectError

Array = NDArray[Any]
Arrays = list[Array]


class JTensor:
    """An array as BigDL sends it to the JVM."""

    def __init__(self, storage: Any, shape: Any, bigdl_type: str = "float", indices: Any = None):
        self.storage = np.asarray(storage, dtype="float32")
        self.shape = tuple(int(n) for n in np.atleast_1d(shape))

    @classmethod
    def from_ndarray(cls, a_ndarray: Any, bigdl_type: str = "float") -> JTensor | None:
        """Return an array as a JTensor; a number has the shape (1,)."""
        if a_ndarray is None:
            return None
        array = np.atleast_1d(np.asarray(a_ndarray, dtype="float32"))
        return cls(array.reshape(-1), array.shape)

    def __repr__(self) -> str:
        return f"JTensor: storage: {self.storage}, shape: {list(self.shape)}, float"

    def to_ndarray(self) -> Array:
        """Return the array."""
        return self.storage.reshape(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.to_ndarray() if dtype is None else self.to_ndarray().astype(dtype)

    def __getitem__(self, at: Any) -> Any:
        return self.to_ndarray()[at]

    def __len__(self) -> int:
        return self.shape[0]


class Sample:
    """Features and labels of one thing to learn from."""

    def __init__(self, features: Sequence[JTensor], labels: Sequence[JTensor],
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.features, self.labels = list(features), list(labels)
        self.feature = self.features[0]
        self.label = self.labels[0] if self.labels else None

    def __repr__(self) -> str:
        return f"Sample: features: {self.features}, labels: {self.labels}"

    @classmethod
    def from_ndarray(cls, features: Any, labels: Any, bigdl_type: str = "float") -> Sample:
        """Return a sample of arrays, or of lists of them."""
        return cls(_tensors(features), _tensors(labels))

    @classmethod
    def from_jtensor(cls, features: Any, labels: Any, bigdl_type: str = "float") -> Sample:
        """Return a sample of JTensors, or of lists of them."""
        feature, label = ([one] if isinstance(one, JTensor) else list(one)
                          for one in (features, labels))  # fmt: skip
        return cls(feature, label)


def _tensors(given: Any) -> list[JTensor]:
    several = given if isinstance(given, list) else [given]
    found = [JTensor.from_ndarray(one) for one in several]
    return [one for one in found if one is not None]


def arrays_of(x: Any, y: Any) -> tuple[Arrays, Any]:
    """Return features and labels as arrays: of arrays, of samples, or of pairs of both.

    Labels are a list of arrays where a sample has several.
    """
    if hasattr(x, "collect") or hasattr(x, "samples"):
        return _of_elements(list(getattr(x, "samples", x).collect()))
    if isinstance(x, (list, tuple)) and x and isinstance(x[0], Sample):
        return _of_elements(list(x))
    several = [np.asarray(one) for one in x] if isinstance(x, (list, tuple)) else [np.asarray(x)]
    table = isinstance(y, list) and bool(y) and all(np.ndim(one) > 0 for one in y)
    if table and all(len(one) == len(several[0]) for one in y):
        return several, [np.asarray(one) for one in y]
    return several, None if y is None else np.asarray(y)


def _of_elements(elements: list[Any]) -> tuple[Arrays, Any]:
    if not elements:
        raise DialectError(
            "BigDL 0.7", "the data hold no samples", need="at least one", at=caller()
        )
    first = elements[0]
    if isinstance(first, Sample):
        features = [np.stack([one.features[at].to_ndarray() for one in elements])
                    for at in range(len(first.features))]  # fmt: skip
        labels = [np.stack([one.labels[at].to_ndarray() for one in elements])
                  for at in range(len(first.labels))]  # fmt: skip
        return features, (labels if len(labels) > 1 else labels[0]) if labels else None
    if hasattr(first, "feature"):  # a Sample of the real package
        features = [np.stack([np.asarray(one.feature.to_ndarray()) for one in elements])]
        return features, np.stack([np.asarray(one.label.to_ndarray()) for one in elements])
    if isinstance(first, tuple) and len(first) == 2:
        return [np.stack([np.asarray(one[0]) for one in elements])], np.stack(
            [np.atleast_1d(one[1]) for one in elements]
        )
    return [np.stack([np.asarray(one) for one in elements])], None


def float_tensor(given: Any) -> torch.Tensor:
    """Return numbers as a float32 tensor."""
    return torch.as_tensor(np.asarray(given), dtype=torch.float32)
