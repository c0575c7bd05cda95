"""What every answer can do: be drawn, saved as a picture, and be told as plain numbers."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Names of classes are words, never formulas; the same answer gives the same bytes.
STYLE: Any = {"text.parse_math": False, "svg.hashsalt": "striate", "font.size": 9}
DIVERGING, RISING = "RdBu", "viridis"  # blue is above zero; both are read by people of every vision


class Drawable(ABC):
    """An answer that matplotlib can draw; a notebook shows it by itself."""

    @abstractmethod
    def draw(self, figure: Figure) -> None:
        """Draw the answer on an empty figure."""

    def save(self, path: str | Path) -> Path:
        """Write the picture; the ending of the name (.png, .svg, .pdf) says in which form."""
        path = Path(path)
        path.write_bytes(self._picture(path.suffix.lstrip(".") or "png"))
        return path

    def show(self) -> None:
        """Open the picture in a window, or below the cell of a notebook."""
        from matplotlib import pyplot, rc_context

        with rc_context(STYLE):
            self.draw(pyplot.figure(layout="constrained"))
            pyplot.show()

    def as_json(self) -> dict[str, Any]:
        """Return numbers, texts, lists and dictionaries only."""
        found: dict[str, Any] = plain(self)
        return found

    def _repr_png_(self) -> bytes:
        return self._picture("png")

    def _picture(self, form: str) -> bytes:
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        out = BytesIO()
        with rc_context(STYLE):
            figure = Figure(layout="constrained")
            self.draw(figure)
            dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
            figure.savefig(out, format=form, dpi=150, metadata=dates.get(form))
        return out.getvalue()


def plain(value: Any) -> Any:
    """Return a value as JSON has it: arrays become lists, dataclasses dictionaries."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (tuple, list)) else value


def tiles(figure: Figure, number: int, size: float = 0.9) -> list[Axes]:
    """Return `number` empty squares, laid out nearly as a square."""
    columns = int(np.ceil(np.sqrt(number)))
    rows = -(-number // columns)
    figure.set_size_inches(max(size * columns, 3), max(size * rows, 1) + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes in grid:
        axes.set_axis_off()
    return list(grid[:number])
