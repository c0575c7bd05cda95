"""Attribution: how much each value of the input speaks for a class, by captum's methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import ConfigError, one_of
from .drawing import DIVERGING, Drawable
from .maps import last, sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("integrated_gradients", "saliency", "occlusion")


@dataclass(frozen=True)
class Attribution(Drawable):
    """What speaks for a class (positive) and against it: `values` in the input's shape.

    `image` is the input; both have their channels last. `target` is the index of the class.
    """

    method: str
    target: int
    image: NDArray[np.float32]
    values: NDArray[np.float32]

    def draw(self, figure: Figure) -> None:
        """Draw the input, and beside it what each of its places adds to the class."""
        figure.set_size_inches(6, 3.2)
        left, right = figure.subplots(1, 2)
        low, high = self.image.min(), self.image.max()
        shown = (self.image - low) / max(high - low, 1e-12)
        left.imshow(shown if shown.shape[-1] == 3 else shown.mean(-1), cmap="gray")
        left.set_title("input")
        total = self.values.sum(-1)
        peak = float(np.abs(total).max()) or 1.0
        drawn = right.imshow(total, cmap=DIVERGING, vmin=-peak, vmax=peak)
        right.set_title(f"{self.method.replace('_', ' ')} for class {self.target}")
        figure.colorbar(drawn, ax=right, shrink=0.8)
        for axes in (left, right):
            axes.set_axis_off()


def attribution(
    model: Any, x: Any, target: int | None = None, method: str = "integrated_gradients"
) -> Attribution:
    """Return how much each value of an image speaks for a class: the likeliest, or `target`.

    The class is followed before the network's last activation. `method`: "integrated_gradients"
    (from black to the image; the values add up to what the image changes), "saliency" (absolute
    slopes), "occlusion" (what covering a square of a ninth of the image's side with black takes
    away).

    Raises: ConfigError for another method, a class that is not there, or an input that is no image.
    Source: Sundararajan 2017, Simonyan 2013, Zeiler and Fergus 2014, as captum computes them.
    """
    one_of("attribution", "method", method, METHODS)
    spec = model.graph.inputs[0].spec
    if len(spec.shape) != 3 or len(model.graph.inputs) != 1:
        raise ConfigError(model.where, "does not take one image", got=f"input {spec}")
    value = sample(model, spec, x).requires_grad_()
    score = model.before_activation if model.activation_name else model
    training = model.training
    model.eval()
    try:
        outputs = score(value)[0]
        chosen = int(outputs.argmax()) if target is None else target
        if not 0 <= chosen < len(outputs):
            raise ConfigError(
                model.where, f"has no class {chosen}", need=f"0 to {len(outputs) - 1}"
            )
        found = _follow(method, score, value, chosen, spec.channel_axis)
    finally:
        model.train(training)
    return Attribution(method, chosen, last(value, spec), last(found, spec))


def _follow(method: str, score: Any, x: torch.Tensor, target: int, channels: int) -> torch.Tensor:
    from captum import attr  # type: ignore[import-untyped]

    if method == "integrated_gradients":
        found = attr.IntegratedGradients(score).attribute(x, target=target, n_steps=64)
    elif method == "saliency":
        found = attr.Saliency(score).attribute(x, target=target)
    else:
        window = [max(size // 9, 1) for size in x.shape[1:]]
        window[channels] = x.shape[1:][channels]
        strides = tuple(max(size // 2, 1) for size in window)
        with torch.no_grad():
            found = attr.Occlusion(score).attribute(x, tuple(window), strides, target=target)
    attributed: torch.Tensor = found
    return attributed
