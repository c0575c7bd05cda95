"""Feature maps: what every layer makes of one input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.graph import Graph
from ..core.spec import Spec, fits, sample_shape, show
from ..core.symbol import Node
from ..errors import DataError, ShapeError
from ..layers.wrap import inference
from .asked import about_model, numbers
from .drawing import DIVERGING, RISING, Drawable, tiles
from .field import inner, node_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 64  # maps on one picture


@dataclass(frozen=True)
class Maps(Drawable):
    """The output of one layer for one sample: `values` (..., channels), channels last."""

    layer: str
    values: NDArray[np.float32]

    def draw(self, figure: Figure) -> None:
        """Draw each channel as a map, a vector as bars; all on one scale, zero in its middle."""
        figure.suptitle(f"{self.layer} {show(self.values.shape)}")
        if self.values.ndim != 3:
            figure.subplots().bar(range(self.values.size), self.values.flatten())
            return
        peak = float(np.abs(self.values).max()) or 1.0
        signed = bool((self.values < 0).any())
        colours, low = (DIVERGING, -peak) if signed else (RISING, 0.0)
        count = min(SHOWN, self.values.shape[-1])
        for channel, axes in enumerate(tiles(figure, count)):
            axes.imshow(self.values[..., channel], cmap=colours, vmin=low, vmax=peak)


@dataclass(frozen=True)
class FeatureMaps(Drawable):
    """The outputs of the layers for one sample, in the order in which they are called."""

    maps: tuple[Maps, ...]

    def __getitem__(self, layer: str) -> Maps:
        return next(found for found in self.maps if found.layer == layer)

    def draw(self, figure: Figure) -> None:
        """Draw a row for each layer that has maps: its most active channels."""
        pictures = [found for found in self.maps if found.values.ndim == 3]
        columns = min(8, max((one.values.shape[-1] for one in pictures), default=1))
        figure.set_size_inches(columns + 1, max(len(pictures), 1) * 1.2)
        grid = figure.subplots(max(len(pictures), 1), columns, squeeze=False)
        for axes in grid.flatten():
            axes.set_axis_off()
        for row, found in zip(grid, pictures, strict=False):
            active = np.argsort(-np.abs(found.values).mean((0, 1)), kind="stable")[:columns]
            peak = float(np.abs(found.values).max()) or 1.0
            row[0].set_title(f"{found.layer} {show(found.values.shape)}", loc="left", fontsize=8)
            for axes, channel in zip(row, active, strict=False):
                axes.imshow(found.values[..., channel], cmap=DIVERGING, vmin=-peak, vmax=peak)


@about_model
def feature_maps(model: Any, x: Any, layers: Any = None) -> FeatureMaps:
    """Return what each layer (or each of `layers`, by name) gives for one sample.

    A layer that is called several times is shown at its last call.

    Raises: ConfigError if the model has no such layer, ShapeError if `x` is not one sample.
    """
    graph: Graph = model.graph
    values = activations(model, x)
    names = [layers] if isinstance(layers, str) else layers or graph.layers
    nodes = [node_of(model, name) for name in names]
    return FeatureMaps(
        tuple(
            Maps(node.layer.name, last(values[id(symbol)], symbol.spec))
            for node in nodes
            for symbol in node.outputs[:1]
        )
    )


def activations(model: Any, *x: Any) -> dict[int, torch.Tensor]:
    """Return the value of each symbol (by id) for one sample, in inference, as a batch of one."""
    graph: Graph = model.graph
    batch = [sample(model, symbol.spec, one) for symbol, one in zip(graph.inputs, x, strict=True)]
    kept: dict[int, torch.Tensor] = {}

    def keep(node: Node, out: tuple[torch.Tensor, ...]) -> None:
        kept.update((id(symbol), one) for symbol, one in zip(node.outputs, out, strict=True))

    with inference(model), torch.no_grad():
        walk(graph, batch, keep, kept)
    return kept


def walk(
    graph: Graph,
    x: Sequence[torch.Tensor],
    see: Callable[[Node, tuple[torch.Tensor, ...]], tuple[torch.Tensor, ...] | None],
    inputs: dict[int, torch.Tensor] | None = None,
    last: Node | None = None,
) -> tuple[torch.Tensor, ...]:
    """Run a network layer by layer, models inside it too, and return its outputs.

    `see` is given each call and its outputs, and may give others in their place; `inputs` takes the
    values that the network, and each model inside it, begins with. The call `last` is computed
    without its activation.
    """

    def call(node: Node, values: list[torch.Tensor]) -> Any:
        inside = inner(node.layer)
        end = node is last and bool(node.layer.activation_name)
        if inside is not None:
            out: Any = walk(inside, values, see, inputs, inside.outputs[0].node if end else None)
        else:
            own = [value.clone() for value in values]  # a torch module may write into what it gets
            given = node.layer.before_activation(*own) if end else node.layer(*own)
            out = given if isinstance(given, tuple) else (given,)
        seen = see(node, out)
        out = out if seen is None else seen
        return out if len(node.outputs) > 1 else out[0]

    if inputs is not None:
        inputs.update((id(symbol), one) for symbol, one in zip(graph.inputs, x, strict=True))
    return graph.run(x, call)


def as_batch(model: Any, x: Any) -> torch.Tensor:
    """Return samples as a batch for a model of one input, on its device.

    Raises: DataError if there are none, ShapeError if they have not the shape of its input.
    """
    spec: Spec = model.graph.inputs[0].spec
    value = torch.as_tensor(numbers(model.where, x))
    if not value.dim() or not len(value):
        raise DataError(model.where, "is asked about no samples", need="at least one")
    shape = sample_shape(spec, tuple(value.shape[1:]))
    if not fits(spec.shape, shape):
        alone = fits(spec.shape, sample_shape(spec, tuple(value.shape)))
        raise ShapeError(
            model.where,
            "is asked about a batch of samples",
            got=f"an array of shape {show(tuple(value.shape))}",
            need=f"samples {spec}",
            fix="x[None]" if alone else "",
        )
    return _placed(model, spec, value.reshape(-1, *shape))


def sample(model: Any, spec: Spec, x: Any) -> torch.Tensor:
    """Return one sample as a batch of one, on the model's device.

    Raises: ShapeError if it has not the shape of the model's input.
    """
    value = torch.as_tensor(numbers(model.where, x))
    sizes = tuple(value.shape)
    forms = [sample_shape(spec, own) for own in (sizes, sizes[1:])[: 1 + (sizes[:1] == (1,))]]
    shape = next((own for own in forms if fits(spec.shape, own)), None)
    if shape is None:
        several = fits(spec.shape, sample_shape(spec, sizes[1:]))
        raise ShapeError(
            model.where,
            "is looked into with one sample at a time",
            got=f"an array of shape {show(sizes)}",
            need=f"one sample {spec}",
            fix="x[0]" if several else "",
        )
    return _placed(model, spec, value.reshape(1, *shape))


def _placed(model: Any, spec: Spec, value: torch.Tensor) -> torch.Tensor:
    weight = next((one for one in model.weights if one.is_floating_point()), torch.empty(0))
    real = spec.dtype == "float32"  # in a model of doubles, weights say which floats are meant
    return value.to(weight.device, weight.dtype if real else value.dtype)


def last(value: torch.Tensor, spec: Spec) -> NDArray[np.float32]:
    """Return the only sample of a batch with its channels last."""
    array: NDArray[np.float32] = value[0].detach().cpu().float().numpy()
    return np.moveaxis(array, 0, -1) if spec.data_format == "channels_first" else array
