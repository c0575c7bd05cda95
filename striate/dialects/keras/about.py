"""What Keras 3 says of layers, models and weights besides what they compute: rows of attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ...core.layer import Layer, snake
from ...model import Model
from ..dialect import Patch


class Path:
    """The place of a layer: its name, as no layer here knows what holds it."""

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        return layer.name


def name_weights(layer: Layer, word: Callable[[str, str], str], *, nested: bool) -> None:
    """Give weights without a name the one that a layer's place and their key make.

    With `nested`, as in Keras 3, the place of a layer has the names of what holds it, but for those
    of networks of symbols.
    """

    def walk(part: Any, place: str) -> None:
        if isinstance(part, Layer):
            told = part.name if part.name != "cell" else snake(type(part).__name__)
            place = "/".join(filter(None, (place if nested else "", told)))
        for key, weight in (*part._parameters.items(), *part._buffers.items()):
            if weight is not None and isinstance(part, Layer):
                vars(weight).setdefault("word", word(place, key))
        graph = isinstance(part, Model) and part.runs_graph and not hasattr(part, "adopt")
        for child in part.children():
            walk(child, "" if graph else place)

    walk(layer, "")


def last_word(weight: Any) -> Any:
    """Return the name of a weight without its place."""
    word = vars(weight).get("word")
    return word.rpartition("/")[2] if isinstance(word, str) else word


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
