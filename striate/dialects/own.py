"""Scripts in the native vocabulary: their training is watched, so that their runs can be seen."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from .. import data
from ..engine.hooks.log import Log
from ..model import Model
from .session import Script


@contextmanager
def watched(script: Script) -> Iterator[None]:
    """Let every `fit` tell the script's run of its epochs and its data, and keep its limits.

    A folder of images that is read is told too.
    """
    original: Any = Model.fit
    read = data.image_folder

    @functools.wraps(read)
    def image_folder(*args: Any, **words: Any) -> data.ImageFolder:
        script.images = read(*args, **words)
        return script.images

    @functools.wraps(original)
    def fit(self: Model, x: Any = None, y: Any = None, **words: Any) -> Any:
        begin = words.get("initial_epoch", 0)
        words["epochs"] = begin + script.epochs(words.get("epochs", 1) - begin)
        x, y = script.part(x), script.part(y)
        words |= {name: script.part(words[name]) for name in ("validation_data", "sample_weight")
                  if name in words}  # fmt: skip
        words["callbacks"] = [*(words.get("callbacks") or ()), Log(script.run)]
        script.fitted, script.seen = self, _seen(x, y, words)
        script.saw(x)
        return original(self, x, y, **words)

    with patch.object(Model, "fit", fit), patch.object(data, "image_folder", image_folder):
        yield


def _seen(x: Any, y: Any, words: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return what is trained on, and what is validated on: data of its own, or the last part."""
    given, share = words.get("validation_data"), words.get("validation_split", 0.0)
    if given is not None or not share or not (hasattr(x, "shape") and hasattr(y, "shape")):
        return x, y, given
    begin = int(len(x) * (1 - share))
    return x[:begin], y[:begin], (x[begin:], y[begin:])
