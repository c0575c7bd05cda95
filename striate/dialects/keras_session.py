"""What differs between the versions of Keras, and what one script in it has set."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.layer import Layer
from .session import Session, Version


@dataclass(frozen=True)
class KerasVersion(Version):
    """What differs between the versions of Keras.

    Fields: `optimizers`, the defaults of each; `accuracy`, the key in the history ("" as written);
    `epochs` and `batch_size`, defaults of fit; `first`, the number of the first layer of a kind in
    its name (0: no number); `summary`, column positions; `head`, whether summary begins with the
    model's name; `folds`, whether two whole numbers after the filters are the kernel's sides;
    `strict_wait`, whether early stopping waits one epoch more; `layout`, the default order of axes;
    `old`, older than Keras 2.
    """

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


@dataclass(frozen=True)
class Given:
    """What a layer of a dialect is given that natively belongs elsewhere."""

    batch: int | None = None
    shape: tuple[Any, ...] | None = None
    layout: str = ""
    weights: Any = None


@dataclass
class KerasSession(Session):
    """The state of one script.

    Fields: `layout`, the order of axes that layers have unless told otherwise, and whether the
    script `chose` it; `given`, see `Given`.
    """

    version: KerasVersion
    layout: str = ""
    chose_layout: bool = False
    epsilon: float = 1e-7
    given: weakref.WeakKeyDictionary[Layer, Given] = field(
        default_factory=weakref.WeakKeyDictionary
    )

    def __post_init__(self) -> None:
        """Begin with the layout of the version, unless the script speaks of layouts itself."""
        self.layout = self.layout or self.version.layout
        self.chose_layout = any(
            word.endswith(("dim_ordering", "image_data_format")) for _, word, _ in self.script.words
        )

    def name(self, prefix: str) -> str:
        """Return the next name of a kind, counted as the version counts."""
        number = self.counted[prefix] + self.version.first
        self.counted[prefix] += 1
        return f"{prefix}_{number}" if number else prefix
