"""A matplotlib backend that needs no screen: `plt.show()` saves numbered pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

from .session import PICTURES

__all__ = ["FigureCanvas", "show"]


def show(*args: Any, **words: Any) -> None:
    """Save every open figure as the next picture, and close it."""
    folder = Path(os.environ[PICTURES])
    for number in plt.get_fignums():
        taken = len(list(folder.glob("figure-*.png")))
        plt.figure(number).savefig(folder / f"figure-{taken + 1}.png")
        plt.close(number)
