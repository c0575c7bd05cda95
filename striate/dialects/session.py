"""Session: what one script in a dialect has set, counted and asked for; nothing of it is global."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.layer import Layer
from ..engine.progress import say

PICTURES = "STRIATE_PICTURES"  # in the environment: where a script's pictures go


@dataclass(frozen=True)
class Version:
    """What differs between the versions of a dialect.

    Fields: `name` as `--dialect` takes it, `title` as people say it; `optimizers`, the defaults of
    each; `accuracy`, the key in the history ("" as written); `epochs` and `batch_size`, defaults
    of fit; `first`, the number of the first layer of a kind in its name (0: no number); `summary`,
    column positions; `head`, whether summary begins with the model's name; `folds`, whether two
    whole numbers after the filters are the kernel's sides; `strict_wait`, whether early stopping
    waits one epoch more; `layout`, the default order of axes; `old`, older than Keras 2.
    """

    name: str
    title: str
    optimizers: Mapping[str, Mapping[str, Any]]
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
class Session:
    """The state of one script.

    Fields: `layout`, the order of axes that layers have unless told otherwise, and whether the
    script `chose` it; `max_epochs`, `limit_samples` and `run`, what `striate run` was asked;
    `given`, see `Given`; `fitted`, the model that was trained last.
    """

    version: Version
    layout: str = ""
    chose_layout: bool = False
    epsilon: float = 1e-7
    max_epochs: int | None = None
    limit_samples: int | None = None
    run: Any = None
    fitted: Any = None
    given: weakref.WeakKeyDictionary[Layer, Given] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    counted: Counter[str] = field(default_factory=Counter)
    said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin with the layout of the version."""
        self.layout = self.layout or self.version.layout

    def name(self, prefix: str) -> str:
        """Return the next name of a kind, counted as the version counts."""
        number = self.counted[prefix] + self.version.first
        self.counted[prefix] += 1
        return f"{prefix}_{number}" if number else prefix

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.said:
            self.said.add(text)
            say(f"note: {text}")
