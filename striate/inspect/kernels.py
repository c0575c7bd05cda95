"""Kernels: the weights that a convolution slides over its input, as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.operation import Correlate
from ..errors import ConfigError
from .asked import about_model
from .drawing import DIVERGING, Drawable, tiles
from .field import node_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 64  # kernels on one picture


@dataclass(frozen=True)
class Kernels(Drawable):
    """The kernels of one layer: `values` (*kernel_size, inputs, outputs), Keras's order."""

    layer: str
    values: NDArray[np.float32]

    def draw(self, figure: Figure) -> None:
        """Draw one square a kernel, the sum over its inputs, zero in the middle of the scale."""
        figure.suptitle(f"{self.layer} {self.values.shape}")
        squares = self.values.sum(-2).reshape(self.values.shape[0], -1, self.values.shape[-1])
        peak = float(np.abs(squares).max()) or 1.0
        count = min(SHOWN, squares.shape[-1])
        for output, axes in enumerate(tiles(figure, count)):
            axes.imshow(squares[..., output], cmap=DIVERGING, vmin=-peak, vmax=peak)


@about_model
def kernels(model: Any, layer: Any) -> Kernels:
    """Return the kernels of a convolution, those of a torch module in Keras's order too.

    Raises: ConfigError if the model has no such layer, or the layer slides no kernels.
    """
    node = node_of(model, layer)
    chain = node.layer.operations(*(symbol.spec for symbol in node.inputs)) or ()
    found = [one for one in chain if isinstance(one, Correlate)]
    if not found:
        raise ConfigError(node.layer.where, "slides no kernels", need="a convolution")
    weights = dict((*node.layer.named_parameters(), *node.layer.named_buffers()))
    values: NDArray[np.float32] = weights[found[0].kernel].detach().cpu().numpy().copy()
    if found[0].layout == "torch":  # (outputs, inputs, *k)
        values = np.moveaxis(values, (1, 0), (-2, -1))
    return Kernels(node.layer.name, values)
