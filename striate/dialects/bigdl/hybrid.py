"""Keras models under BigDL's verbs: `bigdl.keras.backend`."""

from __future__ import annotations

from typing import Any

from .real_spark import rdd_like
from .samples import arrays_of


class KerasModelWrapper:
    """A compiled Keras model with the verbs of BigDL: it is the same model, trained in place."""

    def __init__(self, kmodel: Any) -> None:
        self.model = kmodel

    def fit(self, x: Any, y: Any = None, batch_size: int = 32, nb_epoch: int = 10, verbose: int = 1,
            callbacks: Any = None, validation_split: float = 0.0, validation_data: Any = None,
            shuffle: bool = True, class_weight: Any = None, sample_weight: Any = None,
            initial_epoch: int = 0, is_distributed: bool = False) -> None:  # fmt: skip
        """Train on arrays, or on an RDD of samples."""
        x, y = _given(x, y)
        valid = validation_data
        if valid is not None and not isinstance(valid, (tuple, list)):
            valid = _given(valid, None)
        self.model.fit(
            x, y, batch_size=batch_size, epochs=nb_epoch, verbose=verbose, callbacks=callbacks,
            validation_split=validation_split, validation_data=valid, shuffle=shuffle,
            class_weight=class_weight, sample_weight=sample_weight, initial_epoch=initial_epoch,
        )  # fmt: skip

    def evaluate(self, x: Any, y: Any = None, batch_size: int = 32, sample_weight: Any = None,
                 is_distributed: bool = False, verbose: Any = None) -> Any:  # fmt: skip
        """Return the metrics."""
        return self.model.evaluate(*_given(x, y), batch_size=batch_size, verbose=0)

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | None = None,
                is_distributed: bool = False) -> Any:  # fmt: skip
        """Return the outputs: an array, or an RDD of them for an RDD."""
        out = self.model.predict(_given(x, None)[0])
        return rdd_like(x, out) if hasattr(x, "collect") else out


def with_bigdl_backend(kmodel: Any) -> KerasModelWrapper:
    """Return a compiled Keras model under BigDL's verbs."""
    return KerasModelWrapper(kmodel)


def _given(x: Any, y: Any) -> tuple[Any, Any]:
    if not hasattr(x, "collect"):
        return x, y
    features, labels = arrays_of(x, y)
    return (features if len(features) > 1 else features[0]), labels
