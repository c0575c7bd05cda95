"""Evidence: what a run, its model and its data say, gathered once, before anything is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.operation import Correlate
from ..errors import StriateError
from ..inspect import feature_maps, grad_cams, health, kernels, map_layers, summary
from ..inspect.health import Health
from ..inspect.mistakes import Mistakes, told
from ..inspect.summary import Summary
from .pictures import Bytes, as_bytes

Pair = tuple[Any, Any]
Answer = TypeVar("Answer")
LOOKED_AT = 256  # test samples whose activations are looked at


@dataclass(frozen=True)
class Data:
    """Samples with labels: `train`, `validation` and `test`, each (x, y) or None; `classes`.

    `tested` is what the program called the samples that it is judged by.
    """

    classes: tuple[str, ...] = ()
    train: Pair | None = None
    validation: Pair | None = None
    test: Pair | None = None
    tested: str = "test"

    def parts(self) -> list[tuple[str, Any, NDArray[np.int64]]]:
        """Return name, samples and class numbers of the parts that there are."""
        named = zip(
            ("training", "validation", self.tested),
            (self.train, self.validation, self.test),
            strict=True,
        )
        return [(name, pair[0], numbers(pair[1])) for name, pair in named if pair is not None]


@dataclass(frozen=True)
class Evidence:
    """Everything that the sections tell.

    Fields: `name` of the run, and `place`, its folder; `results`, `history` (a row for each
    epoch), `environment`, `changes` (what was not committed) and `config`, as in its files;
    `model`; `data`; `began`, weights before training by name; `range_test`, what `find_lr` found
    before it; `previous`, the run of the same name before it: its name, results and configuration;
    `folder`, what was found in the folder of images that it was trained on;
    `steps`, rows between the ends of the epochs.
    """

    name: str
    results: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    changes: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    model: Any = None
    data: Data = field(default_factory=Data)
    began: Mapping[str, Any] = field(default_factory=dict)
    range_test: Mapping[str, Any] = field(default_factory=dict)
    previous: tuple[str, Mapping[str, Any], Mapping[str, Any]] | None = None
    place: str = ""
    folder: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Mapping[str, float]] = ()

    @property
    def tested(self) -> bool:
        """Whether the test set was touched."""
        return "confusion" in self.results

    @property
    def judged(self) -> str:
        """What the samples are called that the results are about."""
        return str(self.results.get("judged", "test"))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, each on one line."""
        given = self.results.get("classes") or self.data.classes
        return tuple(" ".join(str(name).split()) for name in given)

    @cached_property
    def matrix(self) -> NDArray[np.int64]:
        """The confusion matrix that the run wrote down."""
        return np.asarray(self.results["confusion"], dtype=np.int64)

    @cached_property
    def best(self) -> int | None:
        """The epoch with the least validation loss, None without validation."""
        losses = [
            (row["val_loss"], row["epoch"])
            for row in self.history
            if np.isfinite(row.get("val_loss", np.nan))
        ]
        return int(min(losses)[1]) if losses else None

    @cached_property
    def table(self) -> Summary | None:
        """The table of the model."""
        return self.asked(lambda: summary(self.model))

    @cached_property
    def mistakes(self) -> Mistakes | None:
        """What the model says about the test set now; None if it was not tested."""
        if not self.tested or self.data.test is None or self.model is None:
            return None
        x, y = self.data.test
        return self.asked(
            lambda: told(self.model.where, self.model.predict(x), numbers(y), self.classes)
        )

    @cached_property
    def pictures(self) -> Bytes | None:
        """The test samples as pictures; None if they are none."""
        return None if self.data.test is None else as_bytes(self.data.test[0], self.turned)

    @property
    def turned(self) -> bool:
        """Whether the model's samples have their channels first."""
        return self.asked(lambda: self.first_spec.data_format) == "channels_first"

    @property
    def first_spec(self) -> Any:
        """What the model takes."""
        return self.model.graph.inputs[0].spec

    @cached_property
    def health(self) -> Health | None:
        """Dead units and sizes of activations and gradients, over test or validation samples."""
        pair = self.data.test if self.tested else self.data.validation
        if pair is None or self.model is None:
            return None
        x, y = pair[0][:LOOKED_AT], numbers(pair[1])[:LOOKED_AT]
        return self.asked(lambda: health(self.model, x, y))

    @cached_property
    def maps_layer(self) -> str:
        """The layer whose maps Grad-CAM weighs; empty if the model takes no image."""
        known = self.asked(lambda: map_layers(self.model)) or ()
        spec = self.first_spec if self.model is not None else None
        return known[-1] if known and spec is not None and len(spec.shape) == 3 else ""

    def heats(self, samples: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """Return Grad-CAM of test samples for the classes that were said, (H, W), by sample."""
        if not self.maps_layer or self.data.test is None or self.mistakes is None or not samples:
            return {}
        x, said = self.data.test[0][list(samples)], self.mistakes.said[list(samples)]
        found = self.asked(lambda: grad_cams(self.model, x, said))
        return {} if found is None else dict(zip(samples, found, strict=True))

    def maps(self, sample: int) -> Any:
        """Return the feature maps of a test sample, layer by layer."""
        assert self.data.test is not None
        return self.asked(lambda: feature_maps(self.model, self.data.test[0][sample]))  # type: ignore[index]

    @cached_property
    def kernels(self) -> tuple[str, NDArray[np.float32], NDArray[np.float32] | None] | None:
        """Name of the first convolution, its kernels now and before training."""
        layer = first_convolution(self.model)
        if not layer:
            return None
        now = self.asked(lambda: kernels(self.model, layer).values)
        before = self.began.get(layer)
        if now is None or (before is not None and before.shape != now.shape):
            return None
        return layer, now, before

    def asked(self, question: Callable[[], Answer]) -> Answer | None:
        """Return the answer, or None where the model is of a kind that the question is not for."""
        if self.model is None:
            return None
        try:
            return question()
        except StriateError:
            return None


def first_convolution(model: Any) -> str:
    """Return the name of the first layer that slides kernels, empty if there is none."""
    try:
        nodes = model.graph.nodes if model is not None else ()
    except StriateError:
        return ""
    for node in nodes:
        chain = node.layer.operations(*(symbol.spec for symbol in node.inputs)) or ()
        if any(isinstance(one, Correlate) for one in chain):
            return str(node.layer.name)
    return ""


def numbers(y: Any) -> NDArray[np.int64]:
    """Return labels as class numbers."""
    labels = np.asarray(y)
    labels = labels.argmax(1) if labels.ndim == 2 and labels.shape[1] > 1 else labels.reshape(-1)
    found: NDArray[np.int64] = labels.astype(np.int64)
    return found


def fingerprint(values: Any) -> str:
    """Return the SHA-256 of an array's shape, type and values."""
    cells = np.ascontiguousarray(values)
    digest = hashlib.sha256(f"{cells.shape} {cells.dtype}".encode())
    digest.update(cells.tobytes())
    return digest.hexdigest()


def same_samples(one: Any, other: Any) -> int:
    """Return how many samples of `other` are, value for value, in `one` too."""
    first, second = (np.asarray(x) for x in (one, other))
    if first.shape[1:] != second.shape[1:]:
        return 0
    known = {hashlib.md5(row.tobytes(), usedforsecurity=False).digest() for row in first}
    return sum(
        hashlib.md5(row.tobytes(), usedforsecurity=False).digest() in known for row in second
    )
