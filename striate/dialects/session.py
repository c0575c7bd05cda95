"""Session: what one script in a dialect has set, counted and asked for; nothing of it is global."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from ..data import ImageFolder
from ..engine.progress import say

LOOKED_AT = 1000  # samples whose values tell the range of a script's pictures
MOST_TRAINED = 8
PICTURES = "STRIATE_PICTURES"  # in the environment: where a script's pictures go


@dataclass(frozen=True)
class Version:
    """A version of a dialect: `name` as `--dialect` takes it, `title` as people say it.

    `typed`: its scripts know numbers of NumPy that are printed with their type, as NumPy 2 does.
    """

    name: str
    title: str
    typed: bool = field(default=False, kw_only=True)


class Looped(Protocol):
    """A network that a loop of a script trains."""

    @property
    def name(self) -> str:
        """Name of the network, or of its class."""

    def kept(self, run: Any, stem: str) -> Any:
        """Write its weights into a file of this stem; return its model, or None if it has none."""

    def seen_only(self, others: Sequence[Any]) -> bool:
        """Return whether it is a part of another network, called alone to be looked at."""


@dataclass
class Script:
    """What all dialects of one script share: what `striate run` was asked, and what came of it.

    Fields: `max_epochs` and `limit_samples` (None: as the script says); `run`, the folder that is
    written, if any; `fitted`, the model that was trained last, which the run keeps; `trained`, the
    networks that loops of the script's own have trained, the last one at the end;
    `seen`, the samples, labels and validation data of that training, where they are arrays;
    `images`, the folder of images that was read last;
    `span`, the smallest and the largest value of its first samples; `words`, what the script says
    (see evidence.words).
    """

    max_epochs: int | None = None
    limit_samples: int | None = None
    run: Any = None
    fitted: Any = None
    trained: dict[int, Looped] = field(default_factory=dict)
    seen: tuple[Any, Any, Any] | None = None
    images: ImageFolder | None = None
    span: tuple[float, float] | None = None
    words: list[tuple[str, str, str]] = field(default_factory=list)
    python2: bool = False  # whether a file of the script is of Python 2
    said: set[str] = field(default_factory=set)
    shape: tuple[int, ...] = ()  # of the samples that `span` is of
    left: int = 0  # samples that are still looked at for it
    threads: int = field(default_factory=torch.get_num_threads)  # torch's, where it has work
    by_torch: bool = False  # whether it trains a network, or layers of one

    def epochs(self, asked: int) -> int:
        """Return how many epochs are trained where the script asks for so many."""
        return min(asked, self.max_epochs or asked)

    def part(self, data: Any) -> Any:
        """Return the first samples of arrays (or of lists and dictionaries of arrays)."""
        if self.limit_samples is None or data is None:
            return data
        if isinstance(data, (list, tuple)):
            return type(data)(self.part(item) for item in data)
        if isinstance(data, dict):
            return {name: self.part(item) for name, item in data.items()}
        return data[: self.limit_samples] if hasattr(data, "shape") else data

    def trains(self, net: Any, looped: Looped) -> None:
        """Note that a loop trains a network; of very many, only the last ones are held."""
        self.trained.pop(id(net), None)
        self.trained[id(net)] = looped
        if len(self.trained) > MOST_TRAINED:
            del self.trained[next(iter(self.trained))]

    def saw(self, x: Any) -> None:
        """Note the range of the first samples that are trained on, of those of the last shape."""
        if not hasattr(x, "shape") or not len(x):
            return
        if tuple(x.shape[1:]) != self.shape:
            self.shape, self.left, self.span = tuple(x.shape[1:]), LOOKED_AT, None
        if self.left > 0:
            first = x[: self.left].detach() if isinstance(x, torch.Tensor) else x[: self.left]
            self.left -= len(first)
            ends = (float(first.min()), float(first.max()), *(self.span or ()))
            self.span = min(ends), max(ends)

    def native_is_running(self) -> None:
        """Leave the processors to the native engine: torch's threads would wait beside its own."""
        if not self.by_torch and torch.get_num_threads() > 1:
            torch.set_num_threads(1)

    def torch_is_running(self) -> None:
        """Let torch have its threads from now on: it trains a network, or layers of one."""
        if not self.by_torch:
            self.by_torch = True
            torch.set_num_threads(self.threads)

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.said:
            self.said.add(text)
            say(f"note: {text}")


def _alone() -> None:
    """Let torch compute on one thread in a forked process, which has none of its parent's."""
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone)


@dataclass
class Session:
    """The state of one dialect in one script; dialects add fields of their own.

    Fields: `counted`, how many things of each kind were named.
    """

    version: Version
    script: Script = field(default_factory=Script)
    counted: Counter[str] = field(default_factory=Counter)

    def note(self, text: str) -> None:
        """Say something once."""
        self.script.note(text)
