"""A matplotlib backend that needs no screen: `plt.show()` saves numbered pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

FOLDER = "STRIATE_PICTURES"  # where they go, while a script runs


def __getattr__(name: str) -> Any:
    """Give matplotlib the canvas when it asks: the package need not be installed before that."""
    if name != "FigureCanvas":
        raise AttributeError(name)
    from importlib import import_module

    return import_module("matplotlib.backends.backend_agg").FigureCanvasAgg


def show(*args: Any, **words: Any) -> None:
    """Save every open figure as the next picture, and close it."""
    from importlib import import_module

    plt = import_module("matplotlib.pyplot")
    folder = Path(os.environ[FOLDER])
    for number in plt.get_fignums():
        taken = len(list(folder.glob("figure-*.png")))
        plt.figure(number).savefig(folder / f"figure-{taken + 1}.png")
        plt.close(number)
