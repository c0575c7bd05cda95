"""The table of the core API's layers without weights: functions, reductions, moves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ... import layers as native
from ...core.layer import Layer
from ...core.spec import Spec
from .containers import sample_axis
from .core import CORE
from .kind import REQUIRED, Kind, Words
from .pooling import FIRST

Make = Callable[[Words, Spec], Sequence[Layer]]


def _function(act: Callable[..., Any], *names: str) -> Make:
    def make(words: Words, x: Spec) -> Sequence[Layer]:
        values = [words[name] for name in names]
        return [native.Lambda(lambda tensor: act(tensor, *values))]

    return make


def axis_of(dimension: int, dims: int, x: Spec) -> int:
    """Return the axis of a batch that a dimension from 1 on means; `dims` are those of a sample."""
    if dimension < 0:
        return dimension
    return dimension if dims == len(x.shape) else sample_axis(dimension)


def _reduced(act: Callable[[Tensor, int], Tensor], dimension: str, dims: str) -> Make:
    def make(words: Words, x: Spec) -> Sequence[Layer]:
        axis = axis_of(words[dimension], words[dims] or -1, x)
        keeps = not words.get("squeeze", True)
        return [native.Lambda(
            lambda t: act(t, axis).unsqueeze(axis) if keeps else act(t, axis))]  # fmt: skip

    return make


def _sum(words: Words, x: Spec) -> Sequence[Layer]:
    """Add, or take the mean: BigDL's Python gives `squeeze` in the place of `size_average`."""
    act: Any = torch.mean if words["squeeze"] else torch.sum
    swapped = {**words, "squeeze": words["size_average"]}
    return _reduced(act, "dimension", "n_input_dims")(swapped, x)


def _padding(words: Words, x: Spec) -> Sequence[Layer]:
    pad, value, dims = words["pad"], words["value"], words["n_input_dim"]
    axis = axis_of(words["dim"], dims, x)

    def padded(t: Tensor) -> Tensor:
        shape = list(t.shape)
        shape[axis] = abs(pad)
        more = t.new_full(shape, value)
        return torch.cat([more, t] if pad < 0 else [t, more], axis)

    return [native.Lambda(padded)]


def _masked(x: Tensor, value: float) -> Tensor:
    return x * (x != value).any(-1, keepdim=True)


def _repeated(words: Words, x: Spec) -> Sequence[Layer]:
    batched = words["n_dim"] is not None and len(x.shape) + 1 > words["n_dim"]
    axis, times = words["dim"] if batched else sample_axis(words["dim"]), words["n_features"]
    return [native.Lambda(lambda t: t.unsqueeze(axis).repeat_interleave(times, axis))]


def _tiled(words: Words, x: Spec) -> Sequence[Layer]:
    axis, times = sample_axis(words["dim"]), words["copies"]
    return [native.Lambda(lambda t: torch.cat([t] * times, axis))]


def _resized(words: Words, x: Spec) -> Sequence[Layer]:
    last = str(words["data_format"]).upper() == "NHWC"
    sides = [(words["output_height"], 1 if last else 2), (words["output_width"], 2 if last else 3)]
    corners = words["align_corner"]

    def resized(t: Tensor) -> Tensor:
        for size, axis in sides:
            t = _between(t, size, axis, corners)
        return t

    return [native.Lambda(resized)]


def _between(x: Tensor, size: int, axis: int, corners: bool) -> Tensor:
    """Return an axis at another size: cell i lies at i * old / new, as in TensorFlow 1."""
    old = x.shape[axis]
    step = (old - 1) / (size - 1) if corners and size > 1 else old / size
    places = torch.arange(size, device=x.device) * step
    low = places.long().clamp(max=old - 1)
    part = (places - low).reshape(-1, *[1] * (x.dim() - axis - 1)).to(x.dtype)
    high = (low + 1).clamp(max=old - 1)
    return x.index_select(axis, low) * (1 - part) + x.index_select(axis, high) * part


def _temporal_pooling(words: Words, x: Spec) -> Sequence[Layer]:
    width, step = words["k_w"], words["d_w"]
    return [native.MaxPooling1D(width, width if step in (None, -1) else step,
                                data_format="channels_last")]  # fmt: skip


def _upsampled(words: Words, x: Spec) -> Sequence[Layer]:
    return [native.UpSampling2D((words["scale"],) * 2, data_format=FIRST)]


def _bilinear(words: Words, x: Spec) -> Sequence[Layer]:
    return [native.TorchModule(nn.UpsamplingBilinear2d(scale_factor=words["scale"]))]


def _normalized(x: Tensor, p: float, eps: float) -> Tensor:
    if p >= LARGEST:
        return x / (x.abs().amax(1, True) + eps)
    return x / (x.abs().pow(p).sum(1, True) + eps) ** (1 / p)


def _binary(x: Tensor, threshold: float) -> Tensor:
    passed = (x > threshold).to(x.dtype)
    return passed * (1 + x - x.detach())  # a gradient passes where 1 does


def _cropped(words: Words, x: Spec) -> Sequence[Layer]:
    layout = "channels_last" if words["data_format"] in ("NHWC", "channel_last") else FIRST
    sides = tuple(tuple(words[word]) for word in words if word.endswith("Crop"))
    kind: Any = native.Cropping2D if len(sides) == 2 else native.Cropping3D
    return [kind(sides, data_format=layout)]


def _expanded(words: Words, x: Spec) -> Sequence[Layer]:
    sizes = [int(n) for n in words["sizes"]][1:]
    return [native.Lambda(lambda t: t.expand(-1, *sizes))]


HALF = {"the_lambda": 0.5}
LARGEST = sys.float_info.max
FUNCTIONS: dict[str, Kind] = {
    "Cropping2D": Kind("L.Cropping2D(cropping)", {
        "heightCrop": REQUIRED, "widthCrop": REQUIRED, "data_format": "NCHW"}, _cropped, rank=3),
    "Cropping3D": Kind("L.Cropping3D(cropping)", {
        "dim1Crop": REQUIRED, "dim2Crop": REQUIRED, "dim3Crop": REQUIRED,
        "data_format": "channel_first"}, _cropped, rank=4),
    "ExpandSize": Kind("L.Lambda(function)", {"sizes": REQUIRED}, _expanded),
    "HardSigmoid": Kind("L.Lambda(function)", {},
                        _function(lambda x: (0.2 * x + 0.5).clamp(0, 1))),
    "SoftMin": Kind("L.Lambda(torch.nn.functional.softmin)", {},
                    lambda w, x: [native.Lambda(torch.neg),
                                  *CORE["SoftMax"].make({"pos": 1}, x)]),
    "TanhShrink": Kind("L.Lambda(torch.nn.functional.tanhshrink)", {},
                       _function(functional.tanhshrink)),
    "HardShrink": Kind("L.Lambda(torch.nn.functional.hardshrink)", HALF,
                       _function(functional.hardshrink, "the_lambda")),
    "SoftShrink": Kind("L.Lambda(torch.nn.functional.softshrink)", HALF,
                       _function(functional.softshrink, "the_lambda")),
    "Negative": Kind("L.Lambda(torch.neg)", {"inplace": False}, _function(torch.neg)),
    "BinaryThreshold": Kind("L.Lambda(function)", {"th": 1e-6, "ip": False},
                            _function(_binary, "th")),
    "RReLU": Kind("L.LeakyReLU()", {"lower": 1 / 8, "upper": 1 / 3, "inplace": False},
                  lambda w, x: [native.TorchModule(nn.RReLU(w["lower"], w["upper"]))]),
    "Masking": Kind("L.Lambda(function)", {"mask_value": REQUIRED},
                    _function(_masked, "mask_value")),
    "Normalize": Kind("L.UnitNormalization()", {"p": REQUIRED, "eps": 1e-10},
                      _function(_normalized, "p", "eps")),
    "Max": Kind("L.Lambda(torch.amax)", {"dim": REQUIRED, "num_input_dims": None},
                _reduced(torch.amax, "dim", "num_input_dims")),
    "Min": Kind("L.Lambda(torch.amin)", {"dim": 1, "num_input_dims": None},
                _reduced(torch.amin, "dim", "num_input_dims")),
    "Mean": Kind("L.Lambda(torch.mean)", {"dimension": 1, "n_input_dims": -1, "squeeze": True},
                 _reduced(torch.mean, "dimension", "n_input_dims")),
    "Sum": Kind("L.Lambda(torch.sum)", {"dimension": 1, "n_input_dims": -1,
                "size_average": False, "squeeze": True}, _sum),
    "Padding": Kind("L.ZeroPadding2D(padding)", {"dim": REQUIRED, "pad": REQUIRED,
                    "n_input_dim": REQUIRED, "value": 0.0, "n_index": 1}, _padding),
    "Replicate": Kind("L.RepeatVector(n)", {"n_features": REQUIRED, "dim": 1, "n_dim": None},
                      _repeated),
    "Tile": Kind("L.Lambda(function)", {"dim": 1, "copies": 2}, _tiled),
    "Reverse": Kind("L.Lambda(torch.flip)", {"dimension": 1, "is_inplace": False},
                    _function(lambda x, dim: x.flip(sample_axis(dim)), "dimension")),
    "SpatialUpSamplingNearest": Kind("L.UpSampling2D(size)", {"scale": REQUIRED}, _upsampled,
                                     rank=3),
    "SpatialUpSamplingBilinear": Kind('L.UpSampling2D(size, "bilinear")', {"scale": REQUIRED},
                                      _bilinear, rank=3),
    "ResizeBilinear": Kind("L.Resizing(height, width)", {
        "output_height": REQUIRED, "output_width": REQUIRED, "align_corner": False,
        "data_format": "NCHW"}, _resized, rank=3),
    "UpSampling1D": Kind("L.UpSampling1D(size)", {"length": REQUIRED},
                         lambda w, x: [native.UpSampling1D(w["length"],
                                                           data_format="channels_last")], rank=2),
    "UpSampling3D": Kind("L.UpSampling3D(size)", {"size": REQUIRED},
                         lambda w, x: [native.UpSampling3D(tuple(w["size"]), data_format=FIRST)],
                         rank=4),
    "TemporalMaxPooling": Kind("L.MaxPooling1D(pool_size)", {"k_w": REQUIRED, "d_w": None},
                               _temporal_pooling, rank=2),
    "SpatialDropout1D": Kind("L.SpatialDropout1D(rate)", {"init_p": 0.5},
                             lambda w, x: [native.SpatialDropout1D(
                                 w["init_p"], data_format="channels_last")]),
    "SpatialDropout3D": Kind("L.SpatialDropout3D(rate)", {"init_p": 0.5, "data_format": "NCHW"},
                             lambda w, x: [native.SpatialDropout3D(
                                 w["init_p"], data_format=FIRST)]),
}  # fmt: skip
