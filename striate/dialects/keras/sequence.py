"""`keras.utils.Sequence`: what a script derives its own batches from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Sequence:
    """Batches by number; `len` of them make an epoch."""

    def __init__(self, *args: Any, **words: Any) -> None:
        pass

    def __getitem__(self, index: int) -> Any:
        raise IndexError(index)

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} does not define __len__")

    def on_epoch_end(self) -> None:
        """An epoch has ended."""

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]
