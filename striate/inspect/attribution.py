"""Attribution: how much each place of the input speaks for a class, by captum's methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..core.spec import Spec
from ..core.symbol import Node
from ..errors import ConfigError, one_of
from ..layers.wrap import inference
from .asked import about_model, class_numbers
from .drawing import DIVERGING, RISING, Drawable
from .field import inner, path_of, paths
from .maps import as_batch, last, sample, walk

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("integrated_gradients", "saliency", "occlusion", "grad_cam")
FINE = 64  # pixels of a side up to which occlusion moves in steps of half a window
AT_ONCE = 16  # covered images that are computed together


@dataclass(frozen=True)
class Attribution(Drawable):
    """What speaks for a class (positive) and against it: `values` in the size of the input.

    `image` is the input; both have their channels last, Grad-CAM's values one channel. `target` is
    the index of the class; `layer` the layer whose maps Grad-CAM weighs, `coarse` their weighted
    sum before it was enlarged; `window` the (height, width) that occlusion covers at a time, `step`
    how far it moves on.
    """

    method: str
    target: int
    image: NDArray[np.float32]
    values: NDArray[np.float32]
    layer: str = ""
    coarse: NDArray[np.float32] | None = None
    window: tuple[int, int] | None = None
    step: tuple[int, int] | None = None

    @property
    def how(self) -> str:
        """The method in words: of which layer, or what was covered at a time."""
        name = self.method.replace("_", " ")
        if self.window and self.step:
            sizes = (f"{one} x {other}" for one, other in (self.window, self.step))
            return f"{name} of {next(sizes)} pixels, in steps of {next(sizes)}"
        return f"{name} of {self.layer}" if self.layer else name

    def draw(self, figure: Figure) -> None:
        """Draw the input, and beside it what each of its places adds to the class."""
        figure.set_size_inches(6, 3.2)
        left, right = figure.subplots(1, 2)
        low, high = self.image.min(), self.image.max()
        shown = _flat((self.image - low) / max(high - low, 1e-12), np.mean)
        left.imshow(shown, cmap="gray")
        left.set_title("input")
        total = _flat(self.values, np.sum)
        peak = float(np.abs(total).max()) or 1.0
        if self.layer:
            right.imshow(shown if shown.ndim == 2 else shown.mean(-1), cmap="gray")
            drawn = right.imshow(total, cmap=RISING, vmin=0, vmax=peak, alpha=0.65)
        else:
            drawn = right.imshow(total, cmap=DIVERGING, vmin=-peak, vmax=peak)
        right.set_title(f"{self.how}\nfor class {self.target}", fontsize=9)
        figure.colorbar(drawn, ax=right, shrink=0.8)
        for axes in (left, right):
            axes.set_axis_off()


@about_model
def attribution(
    model: Any,
    x: Any,
    target: int | None = None,
    method: str = "integrated_gradients",
    layer: str = "",
) -> Attribution:
    """Return how much each place of an image speaks for a class: the likeliest, or `target`.

    The class is followed before the network's last activation; a network of one output has two
    classes: the output speaks for class 1, and against class 0. `method`: "integrated_gradients"
    (from black to the image; the values add up to what the image changes), "saliency" (absolute
    slopes), "occlusion" (what covering a part of a ninth of the image's sides with black takes
    away, in steps of half of it, or of all of it where a side has more than 64 pixels), "grad_cam"
    (the maps of `layer`, weighted by their mean slopes, negative sums cut; "": the last maps before
    they are flattened or pooled away; see `map_layers`).

    Raises: ConfigError for another method, a class that is not there, an input that is no image, or
    a layer without maps.
    Source: Sundararajan 2017, Simonyan 2013, Zeiler and Fergus 2014, Selvaraju 2017, as captum
    computes them.
    """
    one_of("attribution", "method", method, METHODS)
    spec = model.graph.inputs[0].spec
    known = methods(model)
    if method not in known:
        raise ConfigError(
            model.where,
            f"cannot be asked by {method}",
            got=f"inputs {_specs(model.graph.inputs)}, outputs {_specs(model.graph.outputs)}",
            need="one input of real values and a row of outputs for each sample; for "
            "occlusion and grad_cam, an image",
            fix=f'method="{known[0]}"' if known else "",
        )
    if layer and method != "grad_cam":
        what = f"{method} is about the input, not about a layer"
        raise ConfigError("attribution", what, got=f"layer={layer!r}", fix='method="grad_cam"')
    layer = _chosen(model, layer) if method == "grad_cam" else ""
    value = sample(model, spec, x).requires_grad_()
    coarse, window, step = None, None, None
    with inference(model):
        score = _Score(model, layer)
        chosen = _class(model, _scores(score, value), target)
        if layer:
            maps = _grad_cam(score, value, torch.tensor([chosen]))
            coarse, found = maps[0], _enlarged(maps, value, spec)[0][..., None]
        elif method == "occlusion":
            window, step = covered(spec, value)
            found = last(_occluded(score, value, chosen, spec, window, step), spec)
        else:
            found = last(_follow(method, score, value, chosen), spec)
    return Attribution(method, chosen, last(value, spec), found, layer, coarse, window, step)


def methods(model: Any) -> tuple[str, ...]:
    """Return the methods by which a model can be asked: all where images become classes."""
    inputs, output = model.graph.inputs, model.graph.outputs[0].spec
    spec = inputs[0].spec
    if len(inputs) != 1 or len(output.shape) != 1 or spec.dtype.startswith("int"):
        return ()
    if len(spec.shape) != 3:
        return METHODS[:2]
    return METHODS if any(map(_has_maps, _output_specs(model))) else METHODS[:3]


@about_model
def grad_cams(model: Any, x: Any, targets: Any, layer: str = "") -> NDArray[np.float32]:
    """Return Grad-CAM of many images at once, each for its own class: (n, H, W)."""
    layer, spec = _chosen(model, layer), model.graph.inputs[0].spec
    batch = as_batch(model, x)
    batch = batch if batch.is_floating_point() else batch.float()
    with inference(model):
        score = _Score(model, layer)
        labels = class_numbers(model.where, targets, len(batch), len(_scores(score, batch)))
        maps = _grad_cam(score, batch.requires_grad_(), torch.as_tensor(labels))
    return _enlarged(maps, batch, spec)


@about_model
def map_layers(model: Any) -> tuple[str, ...]:
    """Return the names of the layers that give maps of more than one place, in order of calls."""
    return tuple(
        name for name, path in paths(model.graph).items() if _has_maps(path[-1].outputs[0].spec)
    )


class _Score(nn.Module):
    """The network up to its classes, before the last activation; `maps` passes a layer's maps on.

    Captum looks at the output of a module, channels first; so that is how the maps pass it.
    """

    def __init__(self, model: Any, layer: str) -> None:
        super().__init__()
        self.maps = nn.Identity()
        self.graph = model.graph
        self.node = path_of(model, layer)[-1] if layer else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the score of each class, of a single output that of class 0 and of class 1."""
        scores = walk(self.graph, [x], self._see, last=self.graph.outputs[0].node)[0]
        return scores if scores.shape[-1] > 1 else torch.cat([-scores, scores], -1)

    def _see(self, node: Node, out: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        if node is not self.node:
            return None
        if node.outputs[0].spec.data_format == "channels_first":
            return (self.maps(out[0]), *out[1:])
        return (self.maps(out[0].movedim(-1, 1)).movedim(1, -1), *out[1:])


def _flat(values: NDArray[np.float32], joined: Any) -> NDArray[np.float32]:
    """Return a picture: colours as they are where they are averaged, a vector as one row."""
    if values.ndim < 3:
        return np.atleast_2d(values)
    colours = values.shape[-1] == 3 and joined is np.mean
    flat: NDArray[np.float32] = values if colours else joined(values, -1)
    return flat


def _specs(symbols: Any) -> str:
    return ", ".join(str(symbol.spec) for symbol in symbols)


def _output_specs(model: Any) -> list[Spec]:
    return [path[-1].outputs[0].spec for path in paths(model.graph).values()]


def _has_maps(spec: Spec) -> bool:
    return len(spec.shape) == 3 and any(size is None or size > 1 for size in spec.spatial)


def _chosen(model: Any, layer: str) -> str:
    """Return the layer whose maps are weighed, or raise ConfigError if it has none."""
    known = map_layers(model)
    if layer:
        path = path_of(model, layer)
        if layer in known:
            return layer
        where, got = path[-1].layer.where, f"output {path[-1].outputs[0].spec}"
    else:
        plain = [name for name in known if inner(path_of(model, name)[-1].layer) is None]
        if plain:
            return plain[-1]
        where, got = model.where, ""
    raise ConfigError(where, "has no maps to weigh", got=got, need="one of " + ", ".join(known))


def _scores(score: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the scores of the first image's classes."""
    with torch.no_grad():
        first: torch.Tensor = score(x[:1])[0]
    return first


def _class(model: Any, scores: torch.Tensor, target: int | None) -> int:
    """Return the class that is followed, or raise ConfigError if it is not there."""
    if target is None:
        return int(scores.argmax())
    classes = f"0 to {len(scores) - 1}"
    if isinstance(target, bool) or not isinstance(target, (int, np.integer)):
        what = "a class is asked for by its number"
        raise ConfigError(model.where, what, got=f"target={target!r}", need=classes)
    if not 0 <= target < len(scores):
        raise ConfigError(model.where, f"has no class {target}", need=classes)
    return int(target)


def _grad_cam(score: _Score, x: torch.Tensor, targets: torch.Tensor) -> NDArray[np.float32]:
    """Return the weighted sums of the maps, (n, H, W)."""
    from captum import attr  # type: ignore[import-untyped]

    cam = attr.LayerGradCam(score, score.maps)
    found = cam.attribute(x, target=targets.to(x.device), relu_attributions=True)
    values: NDArray[np.float32] = found[:, 0].detach().cpu().float().numpy()
    return values


def _enlarged(coarse: NDArray[np.float32], x: torch.Tensor, spec: Spec) -> NDArray[np.float32]:
    """Return maps in the size of the input, interpolated: (n, H, W)."""
    from captum import attr

    sizes = x.shape[1:3] if spec.data_format == "channels_last" else x.shape[2:4]
    maps = torch.as_tensor(coarse)[:, None]
    large = attr.LayerAttribution.interpolate(maps, tuple(sizes), "bilinear")
    values: NDArray[np.float32] = large[:, 0].numpy()
    return values


def _follow(method: str, score: Any, x: torch.Tensor, target: int) -> torch.Tensor:
    from captum import attr

    if method == "integrated_gradients":
        found = attr.IntegratedGradients(score).attribute(x, target=target, n_steps=64)
    else:
        found = attr.Saliency(score).attribute(x, target=target)
    attributed: torch.Tensor = found
    return attributed


def covered(spec: Spec, x: torch.Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the (height, width) that occlusion covers of a batch's images, and its steps."""
    first = 1 if spec.data_format == "channels_last" else 2
    height, width = x.shape[first : first + 2]
    window = max(height // 9, 1), max(width // 9, 1)
    part = 1 if max(height, width) > FINE else 2
    return window, (max(window[0] // part, 1), max(window[1] // part, 1))


def _occluded(
    score: Any,
    x: torch.Tensor,
    target: int,
    spec: Spec,
    window: tuple[int, int],
    step: tuple[int, int],
) -> torch.Tensor:
    from captum import attr

    channels = x.shape[1:][spec.channel_axis]
    shape, strides = (
        (*pair, channels) if spec.data_format == "channels_last" else (channels, *pair)
        for pair in (window, step)
    )
    with torch.no_grad():
        found: torch.Tensor = attr.Occlusion(score).attribute(
            x, shape, strides, target=target, perturbations_per_eval=AT_ONCE
        )
    return found
