"""What differs between the versions of Keras, and what one script in it has set."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...core.layer import Layer
from ..session import Session, Version

LAYOUTS = {"th": "channels_first", "tf": "channels_last"}


@dataclass(frozen=True)
class KerasVersion(Version):
    """What differs between the versions of Keras.

    Fields: `number`, as scripts read it; `optimizers`, the defaults of each; `accuracy`, the key in
    the history ("" as written); `epochs` and `batch_size`, defaults of fit; `first`, the number of
    the first layer of a kind in its name (0: no number); `summary`, column positions; `head`,
    whether summary begins with the model's name; `folds`, whether two whole numbers after the
    filters are the kernel's sides; `strict_wait`, whether early stopping waits one epoch more;
    `layout`, the default order of axes; `old`, older than Keras 2; `steps`, whether progress counts
    steps, not samples; `words`, names that differ: of inputs and of models; `by_shape`, whether
    the outputs alone, and not the loss, say which accuracy is meant; `counts_weights`, whether a
    weighted loss is the mean over what has a weight; `latches`, whether what is set trainable waits
    for the next compile; `edits_layers`, whether `model.layers.pop()` changes the model.
    """

    number: str = ""
    optimizers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    accuracy: str = ""
    epochs: int = 1
    batch_size: int = 32
    first: int = 1
    summary: tuple[int, ...] = (29, 55, 65)
    head: bool = False
    folds: bool = True
    strict_wait: bool = False
    layout: str = "channels_last"
    old: bool = False
    steps: bool = False
    words: tuple[str, str] = ("input_1", "model")
    by_shape: bool = False
    counts_weights: bool = False
    latches: bool = True
    edits_layers: bool = True


@dataclass(frozen=True)
class Given:
    """What a layer of a dialect is given that natively belongs elsewhere."""

    shape: tuple[Any, ...] | None = None
    layout: str = ""
    weights: Any = None
    activity: Any = None  # a penalty on what the layer gives
    config: Mapping[str, Any] = field(default_factory=dict)  # the call, in the words of the version
    kind: str = ""  # the class, in the words of the version


READS = ("image_dim_ordering", "image_data_format")


@dataclass
class KerasSession(Session):
    """The state of one script.

    Fields: `layout`, the order of axes that layers have unless told otherwise, and whether the
    script `chose` it; `given`, see `Given`; `phase`, whether the code of a layer runs for training;
    `inside`, whether a call comes from within a call or from fit, and `nested`, whether from within
    a call; `batch`, the size that inputs fix, for runs on zeros; `adds_loss`, whether a layer's own
    code adds to the loss; `step`, the engine's step that trains now; `listeners`, callbacks that
    hear of tests; `custom`, classes by name that files may speak of; `readable`, the dialect's own
    among them; `functions`, those of `keras.ops`; `classes`, those of models; `kept`, models that
    no file can hold, by the path they were saved under; `training`, what saved models were compiled
    with; `bound`, inputs that are tensors, by the ids of their symbols, and targets, by those of
    models; `recall`, what the code of an optimizer has made; `written`, gradients that the script
    registers by name, and `replaced`, the kinds of operations that now have them.
    """

    version: KerasVersion
    layout: str = ""
    chose_layout: bool = False
    epsilon: float = 1e-7
    phase: bool | None = None
    inside: bool = False
    nested: bool = False
    batch: int = 2
    adds_loss: bool = False
    step: Any = None
    listeners: list[Any] = field(default_factory=list)
    custom: dict[str, Any] = field(default_factory=dict)
    readable: dict[str, Any] = field(default_factory=dict)
    classes: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    bound: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    recall: Any = None
    written: dict[str, Any] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)
    given: weakref.WeakKeyDictionary[Layer, Given] = field(
        default_factory=weakref.WeakKeyDictionary
    )

    def __post_init__(self) -> None:
        """Begin with the layout of the version, unless the script speaks of layouts itself."""
        self.layout = self.layout or self.version.layout
        self.chose_layout = any(
            word.endswith(("dim_ordering", "image_data_format"))
            and word.rpartition(".")[2] not in READS  # which choose at the moment of reading
            for _, word, _ in self.script.words
        )

    def name(self, prefix: str) -> str:
        """Return the next name of a kind, counted as the version counts."""
        stem, _, first = prefix.partition("_") if prefix.endswith("_1") else (prefix, "", "")
        number = self.counted[prefix] + (int(first) if first else self.version.first)
        self.counted[prefix] += 1
        return f"{stem}_{number}" if number else stem

    def of(self, layer: Any) -> Given:
        """Return what a layer was given; nothing for one that is not of the dialect."""
        if not isinstance(layer, Layer):
            return Given()
        given, penalty = self.given.get(layer, Given()), layer.activity_regularizer
        return given if penalty is None else replace(given, activity=penalty)
