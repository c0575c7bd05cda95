"""What Keras 3 says of layers, models and weights besides what they compute: rows of attributes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...core.layer import Layer
from ..dialect import Patch


class Path:
    """The place of a layer: its name, as no layer here knows what holds it."""

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        return layer.name


class Reported:
    """Metrics and ways of running, as scripts ask a model for them."""

    run_eagerly, jit_compile = False, False

    def reset_metrics(self: Any) -> None:
        """Forget what the metrics have seen."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self: Any) -> dict[str, Any]:
        """Return the values of the metrics by their names."""
        return {metric.name: metric.result() for metric in self.metrics}

    def make_train_function(self: Any, force: bool = False) -> Any:
        """Return what makes a step for a batch of an iterator."""
        return lambda iterator: self.train_step(next(iter(iterator)))

    def make_test_function(self: Any, force: bool = False) -> Any:
        """Return what judges a batch of an iterator."""
        return lambda iterator: self.test_step(next(iter(iterator)))


PATCHES: tuple[Patch, ...] = (
    (Tensor, "trainable", property(lambda self: self.requires_grad)),
    (Layer, "dtype", "float32"), (Layer, "input_dtype", "float32"),
    (Layer, "supports_masking", True), (Layer, "input_spec", None), (Layer, "path", Path()),
)  # fmt: skip
