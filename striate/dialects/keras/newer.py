"""Names that Keras 3 and the last versions of tf.keras have, made of what is there already."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ... import initializers
from ...core.spec import Spec
from ...core.symbol import Symbol
from ..symbolic import lift, tensor
from ..table import Row
from ..tensor_math import floating
from ..tensor_sequences import ctc_loss
from . import tf_image
from .backend import variable
from .session import KerasSession

Made = dict[str, tuple[Row, Any]]


@contextlib.contextmanager
def block(*args: Any, **words: Any) -> Iterator[None]:
    """Change nothing inside a block: a device, a scope of names."""
    yield


def Variable(initializer: Any, shape: Any = None, dtype: Any = None,  # noqa: N802
             trainable: bool = True, autocast: bool = True, aggregation: Any = None,
             name: Any = None, **words: Any) -> Tensor:  # fmt: skip
    """Return a variable that begins with a value, or with what an initializer gives."""
    value = initializer
    if isinstance(value, str):
        value = initializers.get(value)
    if callable(value) and not isinstance(value, Tensor):
        value = value(tuple(shape or ()))
    made = variable(value, dtype, name)
    return made if trainable else made.requires_grad_(False)


def top(inner: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the names right in `keras` that the modules below it have; `inner` are those."""
    places = {"losses": "Loss", "metrics": "Metric", "optimizers": "Optimizer",
              "initializers": "Initializer", "regularizers": "Regularizer"}  # fmt: skip
    found = {name: inner[path][name] for path, name in places.items()}
    policy = inner["mixed_precision"]["Policy"]
    return {
        **found, "InputSpec": inner["layers"]["InputSpec"], "KerasTensor": Symbol,
        "DTypePolicy": policy, "FloatDTypePolicy": policy, "device": block, "name_scope": block,
        "version": lambda: "3.10.0", "remat": lambda function: function,
        "StatelessScope": block, "RematScope": block,
    }  # fmt: skip


def modules(inner: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return modules that have the names of others; `inner` are those."""
    precision, ops = inner["mixed_precision"], inner["ops"]
    return {
        "dtype_policies": dict.fromkeys(("DTypePolicy", "FloatDTypePolicy", "get"),
                                        precision["Policy"]),
        "mixed_precision.experimental": precision, "optimizers.experimental": {
            **inner["optimizers"]}, "experimental": {}, "utils.experimental": {},
        "_tf_keras": {}, "export": {}, "activations": {
            **inner["activations"], "glu": ops["glu"], "threshold": ops["threshold"]},
    }  # fmt: skip


def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """Return the loss (N,) of labels (N, most labels), 0 behind them, and logits (N, steps, ...).

    Class 0 is the blank.
    """
    labels, logits = tensor(y_true).long(), floating(y_pred)
    steps = torch.full((len(logits),), logits.shape[1])
    return ctc_loss(labels, logits, (labels != 0).sum(-1), steps)


class R2Score:
    """One minus the squared errors over the squared distances from the mean, of each output."""

    sums: Tensor

    def __init__(self, class_aggregation: Any = "uniform_average", num_regressors: int = 0,
                 **words: Any) -> None:  # fmt: skip
        self.way, self.others, self.name = class_aggregation, num_regressors, "r2_score"
        self.reset()

    def update(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any = None) -> None:
        """Take a batch in."""
        said = y_pred.detach().float()
        true = tensor(y_true).float().reshape(said.shape)
        weight = torch.ones(len(said), 1) if sample_weight is None else tensor(
            sample_weight).float().reshape(-1, 1)  # fmt: skip
        parts = (weight.expand_as(true), weight * true, weight * true**2,
                 weight * (true - said) ** 2)  # fmt: skip
        self.sums = self.sums + torch.stack([one.sum(0) for one in parts])
        self.count += len(said)

    def compute(self) -> Tensor:
        """Return the score."""
        weight, total, squares, errors = self.sums
        spread = squares - total**2 / weight
        scores = 1 - torch.where(spread == 0, 0.0, errors / spread)
        if self.way == "variance_weighted_average":
            found = (scores * spread).sum() / spread.sum()
        else:
            found = scores if self.way is None else scores.mean()
        if self.others:
            found = 1 - (1 - found) * (self.count - 1) / (self.count - self.others - 1)
        return found

    def reset(self) -> None:
        """Forget all batches."""
        self.sums, self.count = torch.zeros(4, 1), 0


def rows(session: KerasSession, base: Any) -> Made:
    """Return rows and classes of layers by the names that a script knows them by."""

    class Sized(base):  # type: ignore[misc]
        """Pictures of another height or width by chance, while training."""

        axis = 0

        def __init__(self, factor: Any, interpolation: str = "bilinear") -> None:
            base.__init__(self)
            low, high = factor if isinstance(factor, (tuple, list)) else (-factor, factor)
            self.ends, self.interpolation = (float(low), float(high)), interpolation

        def call(self, inputs: Any, training: Any = None) -> Any:
            """Resize."""
            if not training:
                return inputs
            low, high = self.ends
            sizes = [int(side) for side in tensor(inputs).shape[-3:-1]]
            share = 1 + low + float(torch.rand(())) * (high - low)
            sizes[self.axis] = max(int(sizes[self.axis] * share), 1)
            return tf_image.resize(inputs, sizes, self.interpolation)

        def infer(self, *x: Spec) -> Spec:
            """Return the shape of the pictures, one side of which is not known."""
            sides = [None if axis == self.axis else side for axis, side in enumerate(x[0].spatial)]
            return x[0].replace(tuple(sides))

    class Wrapper(base):  # type: ignore[misc]
        """A layer around another, from which scripts derive their own."""

        def __init__(self, layer: Any = None, **words: Any) -> None:
            base.__init__(self, **words)
            self.layer = layer

        def call(self, inputs: Any) -> Any:
            """Call the layer inside."""
            return self.layer(inputs)

    class Pipeline(base):  # type: ignore[misc]
        """Layers one after the other."""

        def __init__(self, layers: Any, **words: Any) -> None:
            base.__init__(self, **words)
            self.parts = list(layers)

        def call(self, inputs: Any, training: Any = None) -> Any:
            """Call them."""
            for part in self.parts:
                inputs = part(inputs, training=training)
            return inputs

    def row(name: str, made: type, *order: str, **body: Any) -> tuple[Row, type]:
        kind = type(name, (made,), {**body, "__doc__": made.__doc__})
        return Row(name, (name,), order, dropped=("seed", "fill_mode")), kind

    return {
        "RandomHeight": row("RandomHeight", Sized, "factor", "interpolation", axis=0),
        "RandomWidth": row("RandomWidth", Sized, "factor", "interpolation", axis=1),
        "Wrapper": row("Wrapper", Wrapper, "layer"),
        "Pipeline": row("Pipeline", Pipeline, "layers"),
    }  # fmt: skip


def pad_images(images: Any, top_padding: Any = None, left_padding: Any = None,
               bottom_padding: Any = None, right_padding: Any = None, target_height: Any = None,
               target_width: Any = None, data_format: Any = None) -> Tensor:  # fmt: skip
    """Return pictures with rows and columns of zeros around them."""
    x = tensor(images)
    x = x.movedim(-3, -1) if data_format == "channels_first" else x
    high, wide = x.shape[-3:-1]
    top, bottom = _frame(high, top_padding, bottom_padding, target_height)
    left, right = _frame(wide, left_padding, right_padding, target_width)
    out = torch.nn.functional.pad(x, (0, 0, left, right, top, bottom))
    return out.movedim(-1, -3) if data_format == "channels_first" else out


def crop_images(images: Any, top_cropping: Any = None, left_cropping: Any = None,
                bottom_cropping: Any = None, right_cropping: Any = None, target_height: Any = None,
                target_width: Any = None, data_format: Any = None) -> Tensor:  # fmt: skip
    """Return the middle of pictures."""
    top, left, bottom, right = map(
        _less, (top_cropping, left_cropping, bottom_cropping, right_cropping)
    )
    return pad_images(images, top, left, bottom, right, target_height, target_width, data_format)


def _less(value: Any) -> int | None:
    return None if value is None else -int(value)


def _frame(size: int, before: Any, behind: Any, target: Any) -> tuple[int, int]:
    """Return what is put before and behind a side, of which two of three numbers are given."""
    if before is None:
        before = 0 if behind is None and target is None else int(target) - size - int(behind or 0)
    if behind is None:
        behind = 0 if target is None else int(target) - size - int(before)
    return int(before), int(behind)


def map_coordinates(inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant",
                    fill_value: float = 0) -> Tensor:  # fmt: skip
    """Return values between the places of an array, one axis of `coordinates` for each of its."""
    x, points = floating(inputs), floating(coordinates)
    low = points.round() if order == 0 else points.floor()
    out = torch.zeros(points.shape[1:])
    for corner in range(1 if order == 0 else 2 ** len(points)):
        moved = torch.tensor([corner >> axis & 1 for axis in range(len(points))])
        places = low + moved.reshape(-1, *(1,) * (points.dim() - 1))
        share = torch.ones(()) if order == 0 else (1 - (points - places).abs()).prod(0)
        out = out + share * _read(x, places.long(), fill_mode, fill_value)
    return out


def _read(x: Tensor, places: Tensor, fill: str, value: float) -> Tensor:
    sizes = torch.tensor(x.shape).reshape(-1, *(1,) * (places.dim() - 1))
    inside = ((places >= 0) & (places < sizes)).all(0)
    if fill == "wrap":
        places = places % sizes
    elif fill == "mirror":
        around = (2 * (sizes - 1)).clamp(min=1)
        places = (places % around).minimum((-places) % around)
    elif fill == "reflect":
        places = places % (2 * sizes)
        places = places.minimum(2 * sizes - 1 - places)
    else:
        places = places.clamp(min=0).minimum(sizes - 1)
    taken = x[tuple(places)]
    return torch.where(inside, taken, value) if fill == "constant" else taken


def affine_transform(images: Any, transform: Any, interpolation: str = "bilinear",
                     fill_mode: str = "constant", fill_value: float = 0,
                     data_format: Any = None) -> Tensor:  # fmt: skip
    """Return pictures, each pixel (x, y) of which is taken from a linear function of its place.

    The eight numbers of `transform` give ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) with
    k = c0 x + c1 y + 1, of which Keras's affine transforms leave c0 = c1 = 0.
    """
    x, given = floating(images), floating(transform)
    single = x.dim() == 3
    x, given = (x[None], given.reshape(1, -1)) if single else (x, given.expand(len(x), -1))
    x = x.movedim(1, -1) if data_format == "channels_first" else x
    rows, columns = torch.meshgrid(
        *(torch.arange(side, dtype=x.dtype) for side in x.shape[1:3]), indexing="ij")  # fmt: skip
    made = []
    for picture, (a0, a1, a2, b0, b1, b2, c0, c1) in zip(x, given, strict=True):
        k = c0 * columns + c1 * rows + 1
        places = torch.stack([(b0 * columns + b1 * rows + b2) / k,
                              (a0 * columns + a1 * rows + a2) / k])  # fmt: skip
        made.append(torch.stack([
            map_coordinates(channel, places, int(interpolation == "bilinear"), fill_mode,
                            fill_value) for channel in picture.unbind(-1)], -1))  # fmt: skip
    out = torch.stack(made)
    out = out.movedim(-1, 1) if data_format == "channels_first" else out
    return out[0] if single else out


OF_PICTURES = {
    made.__name__: lift(made)
    for made in (pad_images, crop_images, map_coordinates, affine_transform)
}
