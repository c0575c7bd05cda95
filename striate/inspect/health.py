"""Health: units that never answer, sizes of activations and gradients, layer by layer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from ..core.symbol import Node
from ..layers.wrap import inference
from .asked import about_model, class_numbers
from .drawing import Drawable
from .field import inner, paths
from .maps import as_batch, walk

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOOKED_AT = 256  # samples: enough to call a unit dead, few enough to be quick
YOUNG = 0.05  # share of a moving average that is still its first value
TINY, HUGE = 1e-7, 1e3  # a gradient, relative to its weights, that is too small or too large


@dataclass(frozen=True)
class LayerHealth:
    """What a layer's outputs and gradients are like over some samples.

    Fields: `layer`, `type`; `units`, channels of its output, and `dead`, those of them that are 0
    for every sample and place; `zeros`, the share of values that are 0; `mean` and `spread` (the
    standard deviation) of the values; `gradient`, the length of the gradient of its weights divided
    by the length of the weights (None: no weights, or no labels were given); `finite`.
    """

    layer: str
    type: str
    units: int
    dead: tuple[int, ...]
    zeros: float
    mean: float
    spread: float
    gradient: float | None = None
    finite: bool = True


@dataclass(frozen=True)
class Health(Drawable):
    """The health of each layer, in the order of calls, over `samples` samples."""

    layers: tuple[LayerHealth, ...]
    samples: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not well, with what helps."""
        found = []
        for one in self.layers:
            if not one.finite:
                found.append(f"{one.layer}: values are not finite; try a lower learning rate")
            elif one.units > 1 and len(one.dead) == one.units:
                found.append(
                    f"{one.layer}: every unit is 0 for every sample, so nothing passes; "
                    "try a lower learning rate or leaky_relu"
                )
            elif len(one.dead) > one.units / 2:
                found.append(
                    f"{one.layer}: {len(one.dead)} of {one.units} units are 0 for every sample; "
                    "fewer of them would do, or try a lower learning rate"
                )
            if one.gradient is not None and one.gradient < TINY:
                found.append(f"{one.layer}: its gradient is nearly 0; batch normalisation helps")
            if one.gradient is not None and one.gradient > HUGE:
                found.append(f"{one.layer}: its gradient is very large; clipnorm=1.0 helps")
        return tuple(found)

    def __str__(self) -> str:
        lines = [f"{'layer':<24}{'dead':>12}{'zeros':>9}{'mean':>11}{'spread':>11}{'gradient':>11}"]
        for one in self.layers:
            slope = "" if one.gradient is None else f"{one.gradient:.2g}"
            dead = f"{len(one.dead)}/{one.units}"
            lines.append(
                f"{one.layer:<24}{dead:>12}{one.zeros:>8.0%} {one.mean:>10.3g} "
                f"{one.spread:>10.3g} {slope:>10}"
            )
        return "\n".join([*lines, *self.notes])

    def draw(self, figure: Figure) -> None:
        """Draw the share of dead units and the spread of the values, layer by layer."""
        figure.set_size_inches(7, 0.28 * len(self.layers) + 1.2)
        left, right = figure.subplots(1, 2, sharey=True)
        names = [one.layer for one in self.layers]
        left.barh(names, [len(one.dead) / max(one.units, 1) for one in self.layers])
        left.set_xlim(0, 1)
        left.set_title("share of dead units")
        right.barh(names, [one.spread for one in self.layers])
        right.set_title("spread of the values")
        left.invert_yaxis()


@about_model
def health(model: Any, x: Any, y: Any = None) -> Health:
    """Return what each layer's outputs are like over samples, and its gradients if given labels.

    At most 256 samples are looked at. Gradients are those of the cross-entropy of the classes `y`
    (numbers or one-hot), in inference; those that the model holds stay as they are.
    """
    batch = as_batch(model, x[:LOOKED_AT])
    names = {id(path[-1].outputs[0]): name for name, path in paths(model.graph).items()}
    found: dict[str, LayerHealth] = {}

    def see(node: Node, out: tuple[torch.Tensor, ...]) -> None:
        name = names.get(id(node.outputs[0]))
        if name is not None and inner(node.layer) is None:
            axis = node.outputs[0].spec.channel_axis
            found[name] = _of(name, type(node.layer).__name__, out[0].detach(), axis)

    slopes = {}
    with inference(model):
        if y is None:
            with torch.no_grad():
                walk(model.graph, [batch], see)
        else:
            slopes = _slopes(model, batch, y[:LOOKED_AT], see)
    ordered = [found[name] for name in names.values() if name in found]
    layers = [dataclasses.replace(one, gradient=slopes.get(one.layer)) for one in ordered]
    return Health(tuple(layers), len(batch))


def _of(name: str, kind: str, values: torch.Tensor, axis: int) -> LayerHealth:
    values = values.float()
    channels = values.movedim(axis, -1).reshape(-1, values.shape[axis])
    active = (channels != 0).any(0)
    dead = tuple(torch.nonzero(~active).flatten().tolist())
    return LayerHealth(
        name,
        kind,
        len(active),
        dead,
        float((values == 0).float().mean()),
        float(values.mean()),
        float(values.std(correction=0)),
        None,
        bool(torch.isfinite(values).all()),
    )


def _slopes(model: Any, batch: torch.Tensor, y: Any, see: Any) -> dict[str, float]:
    """Return, by layer, the length of its weights' gradient divided by that of the weights."""
    weights = {
        name: [one for one in path[-1].layer.parameters() if one.requires_grad]
        for name, path in paths(model.graph).items()
        if inner(path[-1].layer) is None
    }
    flat = [one for several in weights.values() for one in several]
    with torch.enable_grad():
        scores = walk(model.graph, [batch], see, last=model.graph.outputs[0].node)[0]
        labels = class_numbers(model.where, y, len(batch), max(scores.shape[-1], 2))
        target = torch.as_tensor(labels, device=batch.device)
        if scores.shape[-1] == 1:
            loss = functional.binary_cross_entropy_with_logits(scores[:, 0], target.to(scores))
        else:
            loss = functional.cross_entropy(scores, target)
        slopes = torch.autograd.grad(loss, flat, allow_unused=True) if flat else ()
    lengths = {id(w): g for w, g in zip(flat, slopes, strict=True)}
    return {
        name: _length([lengths[id(w)] for w in several]) / max(_length(several), 1e-12)
        for name, several in weights.items()
        if several
    }


def _length(tensors: Any) -> float:
    return math.sqrt(sum(float(one.detach().square().sum()) for one in tensors if one is not None))


def unsettled(model: Any, steps: int) -> Iterator[str]:
    """Say that after so many steps the averages of a batch normalization are still young."""
    for layer in model.modules():
        momentum = getattr(layer, "momentum", 0) if hasattr(layer, "moving_mean") else 0
        if (old := momentum**steps) > YOUNG:
            yield (
                f"{layer.where} has seen {steps} batches: {momentum:g}**{steps} = {old:.0%} "
                "of its moving mean and variance are still what they began with, so validation "
                "tells little yet; train longer, or a smaller momentum"
            )
            return
