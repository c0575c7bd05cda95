"""What scripts draw with beside matplotlib: seaborn's maps and bars, and styles' older names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from .dialect import Patch
from .session import Script

TODAY = re.compile(r"^seaborn(?!-v)")
SETTINGS = ("set", "set_theme", "set_style", "set_context", "set_palette", "despine", "reset_orig")


def _nothing(*args: Any, **words: Any) -> None:
    """Do nothing: pictures look as matplotlib's."""


def _axes(ax: Any) -> Any:
    from matplotlib import pyplot

    return pyplot.gca() if ax is None else ax


def heatmap(data: Any, *, annot: Any = False, fmt: str = ".2g", cmap: Any = None, ax: Any = None,
            xticklabels: Any = "auto", yticklabels: Any = "auto", cbar: bool = True,
            vmin: Any = None, vmax: Any = None, linewidths: float = 0,
            **words: Any) -> Any:  # fmt: skip
    """Draw a matrix in colours, with its numbers where they are asked for; return the axes."""
    axes, values = _axes(ax), np.asarray(data)
    drawn = axes.pcolormesh(values, cmap=cmap or "magma", vmin=vmin, vmax=vmax,
                            linewidth=linewidths, edgecolor="white")  # fmt: skip
    axes.invert_yaxis()
    for axis, labels, size in (("x", xticklabels, values.shape[1]),
                               ("y", yticklabels, values.shape[0])):  # fmt: skip
        own = getattr(data, "columns" if axis == "x" else "index", None)
        names = labels if isinstance(labels, (list, tuple, np.ndarray)) else own
        shown = [str(one) for one in (range(size) if names is None else names)]
        if labels is not False:
            getattr(axes, f"set_{axis}ticks")(np.arange(size) + 0.5, shown)
    texts = values if annot is True else annot
    for (row, column), value in np.ndenumerate(values) if annot is not False else ():
        dark = drawn.norm(value) < 0.5
        text = np.asarray(texts)[row, column]
        axes.text(column + 0.5, row + 0.5, text if isinstance(text, str) else format(text, fmt),
                  ha="center", va="center", color="white" if dark else "black")  # fmt: skip
    if cbar:
        axes.figure.colorbar(drawn, ax=axes)
    return axes


def countplot(data: Any = None, *, x: Any = None, ax: Any = None, **words: Any) -> Any:
    """Draw how often each value is there; return the axes."""
    given = data[x] if isinstance(x, str) else x if x is not None else data
    kinds, counts = np.unique(np.asarray(given).ravel(), return_counts=True)
    axes = _axes(ax)
    axes.bar([str(kind) for kind in kinds], counts)
    axes.set_ylabel("count")
    return axes


def _xy(kind: str) -> Any:
    def draw(data: Any = None, *, x: Any = None, y: Any = None, ax: Any = None, label: Any = None,
             **words: Any) -> Any:  # fmt: skip
        """Draw y over x; return the axes."""
        across, up = (data[one] if isinstance(one, str) else one for one in (x, y))
        if up is None and across is None:
            up = data
        axes = _axes(ax)
        places = range(len(up)) if across is None else across
        getattr(axes, kind)(np.asarray(places), np.asarray(up), label=label)
        return axes

    return draw


def modules() -> dict[str, dict[str, Any]]:
    """Return a small seaborn."""
    return {
        "seaborn": {
            **dict.fromkeys(SETTINGS, _nothing),
            "heatmap": heatmap, "countplot": countplot, "lineplot": _xy("plot"),
            "barplot": _xy("bar"), "scatterplot": _xy("scatter"), "__version__": "0.9.0",
        }
    }  # fmt: skip


def patches(script: Script) -> Iterator[Patch]:
    """Give back the names of styles that matplotlib has renamed, to a script that says one."""
    texts = {word for kind, word, _ in script.words if kind == "text"}
    if find_spec("matplotlib") is None or not any(one.startswith("seaborn") for one in texts):
        return
    from matplotlib import style

    original = style.use

    def use(name: Any) -> None:
        """Use a style by its older name too."""
        several = [name] if isinstance(name, str) else name
        original([TODAY.sub("seaborn-v0_8", one) if isinstance(one, str) else one
                  for one in several])  # fmt: skip

    yield (style, "use", use)
