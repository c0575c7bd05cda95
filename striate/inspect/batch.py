"""Samples and training as pictures: a batch before training, curves after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, ShapeError
from .asked import class_numbers, labels_of, numbers
from .drawing import Drawable, tiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

APART = ("epoch", "seconds")  # columns of a history that are no curves


@dataclass(frozen=True)
class Batch(Drawable):
    """Samples with their channels last, and what is written above each."""

    images: NDArray[Any]
    captions: tuple[str, ...]

    def draw(self, figure: Figure) -> None:
        """Draw the samples on one scale, so that a wrong one is seen."""
        low, high = float(self.images.min()), float(self.images.max())
        figure.suptitle(f"{len(self.images)} samples, values {low:.3g} to {high:.3g}")
        for image, caption, axes in zip(
            self.images, self.captions, tiles(figure, len(self.images), 1.1), strict=True
        ):
            shown = (image.astype(float) - low) / max(high - low, 1e-12)
            axes.imshow(
                shown if shown.shape[-1] == 3 else shown.mean(-1), cmap="gray", vmin=0, vmax=1
            )
            axes.set_title(caption, fontsize=7)


@dataclass(frozen=True)
class Curves(Drawable):
    """The numbers of a training by epoch: {"loss": ..., "val_loss": ...}."""

    values: Mapping[str, tuple[float, ...]]

    @property
    def best(self) -> int | None:
        """The epoch, from 1, with the least validation loss; None without one."""
        losses = self.values.get("val_loss", ())
        return 1 + int(np.nanargmin(losses)) if len(losses) and np.isfinite(losses).any() else None

    def draw(self, figure: Figure) -> None:
        """Draw one picture for each number, validation dashed, the best epoch marked."""
        names = dict.fromkeys(name.removeprefix("val_") for name in self.values)
        figure.set_size_inches(4.2 * max(len(names), 1), 3)
        for name, axes in zip(
            names, np.atleast_1d(figure.subplots(1, max(len(names), 1))), strict=False
        ):
            for key, line in ((name, "-"), (f"val_{name}", "--")):
                if key in self.values:
                    count = len(self.values[key])
                    axes.plot(range(1, count + 1), self.values[key], line, marker=".", label=key)
            if self.best is not None:
                axes.axvline(self.best, color="gray", linewidth=0.8)
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.set_title(name)
            axes.legend()


def show_batch(
    x: Any, y: Any = None, classes: Sequence[str] | None = None, count: int = 16
) -> Batch:
    """Return the first samples of an array as pictures, with the names of their classes.

    Samples (H, W), (H, W, C) and, with 1 or 3 channels in front, (C, H, W) are taken.
    """
    where = "show_batch"
    images = numbers(where, x)[:count]
    images = images[..., None] if images.ndim == 3 else images
    if images.ndim != 4 or not len(images):
        raise ShapeError(
            where,
            "shows images",
            got=f"an array {np.shape(x)}",
            need="(N, H, W), (N, H, W, C) or (N, C, H, W)",
        )
    if images.shape[1] in (1, 3) and images.shape[-1] not in (1, 3):
        images = np.moveaxis(images, 1, -1)
    captions = ("",) * len(images)
    if y is not None:
        y = y[:count]
        captions = (
            tuple(classes[n] for n in class_numbers(where, y, len(images), len(classes)))
            if classes
            else tuple(map(str, labels_of(where, y, len(images))))
        )
    return Batch(images, captions)


def plot_history(history: Any) -> Curves:
    """Return the curves of what `fit` returned, or of rows of numbers, one for each epoch."""
    values = getattr(history, "history", history)
    if not isinstance(values, (Mapping, Sequence)) or isinstance(values, str) or not values:
        raise ConfigError(
            "plot_history",
            "draws what fit returned",
            got="no epochs" if isinstance(values, (Mapping, list)) else type(history).__name__,
            need="a History, its dictionary of lists, or one row of numbers for each epoch",
        )
    if not isinstance(values, Mapping):
        names = dict.fromkeys(name for row in values for name in row)
        values = {name: [row.get(name, np.nan) for row in values] for name in names}
    return Curves({name: tuple(map(float, v)) for name, v in values.items() if name not in APART})
