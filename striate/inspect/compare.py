"""Two models on the same samples: where they agree, and who is right where they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError
from .asked import about_model, class_numbers
from .drawing import DIVERGING, Drawable
from .maps import FeatureMaps, feature_maps
from .mistakes import probabilities

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 6  # maps of each model on one picture


@dataclass(frozen=True)
class Comparison(Drawable):
    """What two models say about the same samples.

    Fields: `one` and `other`, probabilities (n, classes); `disagree`, the samples of which they say
    another class, the surest first; where labels are given, `only_one` and `only_other`, those that
    one of them alone has right, and `neither`.
    """

    one: NDArray[np.float64]
    other: NDArray[np.float64]
    disagree: tuple[int, ...]
    only_one: tuple[int, ...] = ()
    only_other: tuple[int, ...] = ()
    neither: tuple[int, ...] = ()

    @property
    def agreement(self) -> float:
        """The share of samples of which they say the same class."""
        return 1 - len(self.disagree) / max(len(self.one), 1)

    def draw(self, figure: Figure) -> None:
        """Draw how sure each is of its answers, sample by sample."""
        figure.set_size_inches(4, 4)
        axes = figure.subplots()
        same = self.one.argmax(1) == self.other.argmax(1)
        for chosen, name in ((same, "same class"), (~same, "another class")):
            axes.scatter(self.one[chosen].max(1), self.other[chosen].max(1), s=8, label=name)
        axes.set_xlabel("the first is so sure")
        axes.set_ylabel("the second is so sure")
        axes.legend()


@dataclass(frozen=True)
class TwoMaps(Drawable):
    """The maps that two models make of the same sample, for the layers that both have."""

    one: FeatureMaps
    other: FeatureMaps

    def draw(self, figure: Figure) -> None:
        """Draw a row for each layer: the first model's most active channels, then the second's."""
        rows = [
            (a, b)
            for a, b in zip(self.one.maps, self.other.maps, strict=True)
            if a.values.ndim == b.values.ndim == 3
        ]
        figure.set_size_inches(2 * COLUMNS, max(len(rows), 1) * 1.2)
        grid = figure.subplots(max(len(rows), 1), 2 * COLUMNS, squeeze=False)
        for axes in grid.flatten():
            axes.set_axis_off()
        for row, pair in zip(grid, rows, strict=False):
            for found, cells in zip(pair, (row[:COLUMNS], row[COLUMNS:]), strict=True):
                active = np.argsort(-np.abs(found.values).mean((0, 1)), kind="stable")[:COLUMNS]
                peak = float(np.abs(found.values).max()) or 1.0
                cells[0].set_title(found.layer, loc="left", fontsize=8)
                for axes, channel in zip(cells, active, strict=False):
                    axes.imshow(found.values[..., channel], cmap=DIVERGING, vmin=-peak, vmax=peak)


@about_model
def compare(one: Any, other: Any, x: Any, y: Any = None) -> Comparison:
    """Return what two models say about samples, and who is right where labels are given.

    Raises: ShapeError where they do not know the same number of classes.
    """
    first, second = (probabilities(model.predict(x)) for model in (one, other))
    if first.shape != second.shape:
        raise ShapeError(
            f"{one.where} and {other.where}",
            "do not know the same classes",
            got=f"{first.shape[1]} and {second.shape[1]} classes",
        )
    says, said = first.argmax(1), second.argmax(1)
    differ = np.flatnonzero(says != said)
    sure = first.max(1) + second.max(1)
    differ = differ[np.argsort(-sure[differ], kind="stable")]
    right: dict[str, tuple[int, ...]] = {}
    if y is not None:
        labels = class_numbers(one.where, y, *first.shape)
        right = {
            "only_one": tuple(np.flatnonzero((says == labels) & (said != labels)).tolist()),
            "only_other": tuple(np.flatnonzero((says != labels) & (said == labels)).tolist()),
            "neither": tuple(np.flatnonzero((says != labels) & (said != labels)).tolist()),
        }
    return Comparison(first, second, tuple(differ.tolist()), **right)


@about_model
def compare_maps(one: Any, other: Any, x: Any) -> TwoMaps:
    """Return what the layers that both models have, by name, make of one sample."""
    shared = [name for name in one.graph.layers if name in other.graph.layers]
    return TwoMaps(feature_maps(one, x, shared), feature_maps(other, x, shared))
