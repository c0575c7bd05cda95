"""The table of the core API's layers: `bigdl.nn.layer`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from ... import layers as native
from ...core.layer import Layer
from ...core.spec import Spec
from ...errors import caller
from ...initializers import RandomUniform
from ...regularizers import L1L2
from ..table import DialectError
from .containers import sample_axis
from .kind import REQUIRED, Kind, Words
from .pooling import FIRST, average_pooling, layout_of, max_pooling

INIT = {"init_weight": None, "init_bias": None, "init_grad_weight": None, "init_grad_bias": None}
REGULAR = {"wRegularizer": None, "bRegularizer": None}


def weighted(words: Words, fan_in: int) -> Words:
    """Return native words: Torch 7 draws weight and bias from U(-1 / sqrt(n), 1 / sqrt(n))."""
    bound = 1 / math.sqrt(fan_in)
    return {
        "kernel_initializer": RandomUniform(-bound, bound),
        "bias_initializer": RandomUniform(-bound, bound),
        "kernel_regularizer": regularizer(words["wRegularizer"]),
        "bias_regularizer": regularizer(words["bRegularizer"]),
    }


def regularizer(given: Any) -> Any:
    """Return a penalty as it is natively: BigDL adds l2 * w to the gradient, not 2 * l2 * w."""
    return None if given is None else L1L2(given.l1, given.l2 / 2)


def _linear(words: Words, x: Spec) -> Sequence[Layer]:
    made = weighted(words, words["input_size"])
    return [native.Dense(words["output_size"], use_bias=words["with_bias"], **made)]


def padding_of(words: Words) -> Any:
    """Return the cells on each side; -1 is "same"."""
    sides = words["pad_h"], words["pad_w"]
    return "same" if -1 in sides else sides


def _convolution(words: Words, x: Spec) -> Sequence[Layer]:
    kernel = words["kernel_h"], words["kernel_w"]
    groups = words.get("n_group", 1)
    fan_in = words["n_input_plane"] // groups * math.prod(kernel)
    return [
        native.Conv2D(
            words["n_output_plane"], kernel, (words["stride_h"], words["stride_w"]),
            padding_of(words), (words.get("dilation_h", 1), words.get("dilation_w", 1)), groups,
            use_bias=words.get("with_bias", True), data_format=layout_of(words),
            **weighted(words, fan_in),
        )
    ]  # fmt: skip


def _transposed(words: Words, x: Spec) -> Sequence[Layer]:
    kernel, strides = (words["kh"], words["kw"]), (words["dh"], words["dw"])
    if words["n_group"] > 1:
        from .learned import full_convolution

        return [full_convolution(nn.ConvTranspose2d, words, kernel, strides, "hw")]
    fan_in = words["n_output_plane"] * math.prod(kernel)
    more = (words["adj_h"], words["adj_w"])
    return [
        native.Conv2DTranspose(
            words["n_output_plane"], kernel, strides, (words["pad_h"], words["pad_w"]), more,
            use_bias=not words["no_bias"], data_format=FIRST, **weighted(words, fan_in),
        )
    ]  # fmt: skip


def _batch_norm(words: Words, x: Spec) -> Sequence[Layer]:
    kinds = {1: nn.BatchNorm1d, 2: nn.BatchNorm1d, 3: nn.BatchNorm2d, 4: nn.BatchNorm3d}
    module = kinds[len(x.shape)](
        words["n_output"], words["eps"], words["momentum"], words["affine"]
    )
    if words["affine"]:
        nn.init.uniform_(module.weight)  # gamma from U(0, 1), as Torch 7
    if layout_of(words) == FIRST:
        return [native.TorchModule(module)]
    turns = native.Permute((3, 1, 2)), native.Permute((2, 3, 1))
    return [turns[0], native.TorchModule(module), turns[1]]


def _across(words: Words, x: Spec) -> Sequence[Layer]:
    norm = nn.LocalResponseNorm(words["size"], words["alpha"], words["beta"], words["k"])
    if layout_of(words) == FIRST:
        return [native.TorchModule(norm)]
    return [native.Lambda(lambda t: norm(t.movedim(-1, 1)).movedim(1, -1))]


def _named(name: str) -> Callable[[Words, Spec], Sequence[Layer]]:
    return lambda words, x: [native.Activation(name)]


def _softmax(words: Words, x: Spec) -> Sequence[Layer]:
    """As Torch 7: vectors by their last axis, maps by their channels; three axes are one map."""
    if words["pos"] == 1 and len(x.shape) == 1:
        return [native.Activation("softmax")]
    left = len(x.shape) + 1 - words["pos"]  # axes behind the one where counting begins
    axis = words["pos"] - 1 + left % 2
    return [native.Lambda(lambda t: torch.softmax(t, axis))]


def _function(act: Callable[..., Any], *names: str) -> Callable[[Words, Spec], Sequence[Layer]]:
    def make(words: Words, x: Spec) -> Sequence[Layer]:
        values = [words[name] for name in names]
        return [native.Lambda(lambda tensor: act(tensor, *values))]

    return make


def _power(x: Any, power: float, scale: float, shift: float) -> Any:
    return (shift + scale * x) ** power


def _reshape(words: Words, x: Spec) -> Sequence[Layer]:
    size: Any = words.get("size", words.get("sizes"))
    shape = tuple(int(n) for n in size) if isinstance(size, (list, tuple)) else (int(size),)
    if len(shape) > 1 and shape[0] == -1 and x.numel == math.prod(shape[1:]):
        shape = shape[1:]  # View([-1, 400]): -1 is the batch
    if words.get("batch_mode") is False:
        raise DialectError(
            "BigDL 0.7 Reshape",
            "batch_mode=False would take the batch apart",
            need="batch_mode=None or True: the first axis is the batch",
            fix="natively: L.Reshape(target_shape)",
            at=caller(),
        )
    return [native.Reshape(shape)]


def _infer_reshape(words: Words, x: Spec) -> Sequence[Layer]:
    """0 keeps a size, -1 is what is left; without batch_mode the first one is the batch's."""
    size = tuple(int(n) for n in words["size"])
    begin, rest = (-1, size) if words["batch_mode"] else (size[0], size[1:])
    kept = tuple(int(x.shape[at] or -1) if n == 0 else n for at, n in enumerate(rest))
    whole = -1 in kept or math.prod(kept) == x.numel
    if begin not in (-1, 0) or not whole or (not words["batch_mode"] and begin in kept):
        raise DialectError(
            "BigDL 0.7 InferReshape",
            "would take the batch apart",
            got=f"{list(size)} for samples of {x.shape}; the first size is the batch's",
            need="0 or -1 as the first size, and others that keep the number of values",
            fix=f"InferReshape({[0, *rest]}), or batch_mode=True",
            at=caller(),
        )
    return [native.Reshape(kept)]


def _squeeze(words: Words, x: Spec) -> Sequence[Layer]:
    dim = words["dim"]
    places = [dim - 1 if words["num_input_dims"] > 0 else sample_axis(dim) - 1] if dim else [
        at for at, size in enumerate(x.shape) if size == 1]  # fmt: skip
    rest = tuple(size for at, size in enumerate(x.shape) if at not in places)
    return [native.Reshape(rest)]  # type: ignore[arg-type]


def _unsqueeze(words: Words, x: Spec) -> Sequence[Layer]:
    batched = words["num_input_dims"] == len(x.shape)  # then positions count from a sample's axes
    at = words["pos"] - 1 if batched else sample_axis(words["pos"]) - 1
    return [native.Reshape((*x.shape[:at], 1, *x.shape[at:]))]  # type: ignore[arg-type]


def _transpose(words: Words, x: Spec) -> Sequence[Layer]:
    order = list(range(1, len(x.shape) + 1))
    for one, other in words["permutations"]:
        a, b = sample_axis(one) - 1, sample_axis(other) - 1
        order[a], order[b] = order[b], order[a]
    return [native.Permute(tuple(order))]


def _padded(words: Words, x: Spec) -> Sequence[Layer]:
    left = words["pad_left"]
    sides = [left if words[word] is None else words[word]
             for word in ("pad_top", "pad_bottom", "pad_right")]  # fmt: skip
    if min(left, *sides) < 0:  # cells are taken away
        cells = (left, sides[2], sides[0], sides[1])
        return [native.Lambda(lambda t: torch.nn.functional.pad(t, cells))]
    return [native.ZeroPadding2D(((sides[0], sides[1]), (left, sides[2])), data_format=FIRST)]


def _narrow(x: Any, dimension: int, offset: int, length: int) -> Any:
    axis = dimension if dimension < 0 else dimension - 1
    start = offset - 1 if offset > 0 else offset
    size = x.shape[axis] - (start % x.shape[axis]) + length + 1
    return x.narrow(axis, start, length if length >= 0 else size)


def _select(x: Any, dim: int, index: int) -> Any:
    return x.select(dim if dim < 0 else dim - 1, index - 1 if index > 0 else index)


def _planes(words: Words) -> Spec:
    shape = (words["n_input_plane"], None, None)
    return Spec(shape if layout_of(words) == FIRST else (*shape[1:], shape[0]), "float32", FIRST)


CONVOLUTION = {
    "n_input_plane": REQUIRED, "n_output_plane": REQUIRED, "kernel_w": REQUIRED,
    "kernel_h": REQUIRED, "stride_w": 1, "stride_h": 1, "pad_w": 0, "pad_h": 0, "n_group": 1,
    "propagate_back": True, **REGULAR, **INIT, "with_bias": True, "data_format": "NCHW",
}  # fmt: skip
DILATED = {
    "n_input_plane": REQUIRED, "n_output_plane": REQUIRED, "kw": REQUIRED, "kh": REQUIRED,
    "dw": 1, "dh": 1, "pad_w": 0, "pad_h": 0, "dilation_w": 1, "dilation_h": 1, **REGULAR,
}  # fmt: skip
FULL = {
    "n_input_plane": REQUIRED, "n_output_plane": REQUIRED, "kw": REQUIRED, "kh": REQUIRED,
    "dw": 1, "dh": 1, "pad_w": 0, "pad_h": 0, "adj_w": 0, "adj_h": 0, "n_group": 1,
    "no_bias": False, **REGULAR, **INIT,
}  # fmt: skip
WINDOW: Words = {"kw": REQUIRED, "kh": REQUIRED, "dw": 1, "dh": 1, "pad_w": 0, "pad_h": 0}
NORM = {"n_output": REQUIRED, "eps": 1e-5, "momentum": 0.1, "affine": True, **INIT,
        "data_format": "NCHW"}  # fmt: skip


def _dilated(words: Words, x: Spec) -> Sequence[Layer]:
    same = {"kernel_h": "kh", "kernel_w": "kw", "stride_h": "dh", "stride_w": "dw"}
    return _convolution({**words, **{new: words[old] for new, old in same.items()},
                         "data_format": "NCHW"}, x)  # fmt: skip


CORE: dict[str, Kind] = {
    "Linear": Kind(
        "L.Dense(units)",
        {"input_size": REQUIRED, "output_size": REQUIRED, "with_bias": True, **REGULAR, **INIT},
        _linear, lambda words: Spec((words["input_size"],)), 1,
    ),
    "SpatialConvolution": Kind("L.Conv2D(filters, kernel_size)", CONVOLUTION, _convolution,
                               _planes, 3),
    "SpatialShareConvolution": Kind("L.Conv2D(filters, kernel_size)", CONVOLUTION, _convolution,
                                    _planes, 3),
    "SpatialDilatedConvolution": Kind(
        "L.Conv2D(filters, kernel_size, dilation_rate=2)", DILATED, _dilated,
        lambda words: _planes({**words, "data_format": "NCHW"}), 3,
    ),
    "SpatialFullConvolution": Kind(
        "L.Conv2DTranspose(filters, kernel_size)", FULL, _transposed,
        lambda words: _planes({**words, "data_format": "NCHW"}), 3,
    ),
    "SpatialMaxPooling": Kind(
        "L.MaxPooling2D(pool_size)", {**WINDOW, "dw": REQUIRED, "dh": REQUIRED, "to_ceil": False,
                                "format": "NCHW"}, max_pooling,
        rank=3,
    ),
    "SpatialAveragePooling": Kind(
        "L.AveragePooling2D(pool_size)",
        {**WINDOW, "global_pooling": False, "ceil_mode": False, "count_include_pad": True,
         "divide": True, "format": "NCHW"},
        average_pooling, rank=3,
    ),
    "SpatialBatchNormalization": Kind(
        "L.BatchNormalization()", NORM, _batch_norm,
        lambda words: Spec((words["n_output"], None, None), "float32", FIRST)
        if layout_of(words) == FIRST else Spec((None, None, words["n_output"])),
    ),
    "BatchNormalization": Kind("L.BatchNormalization()", NORM, _batch_norm,
                               lambda words: Spec((words["n_output"],))),
    "SpatialCrossMapLRN": Kind(
        "L.TorchModule(torch.nn.LocalResponseNorm(size))",
        {"size": 5, "alpha": 1.0, "beta": 0.75, "k": 1.0, "data_format": "NCHW"},
        _across, rank=3,
    ),
    "Dropout": Kind("L.Dropout(rate)", {"init_p": 0.5, "inplace": False, "scale": True},
                    lambda words, x: [native.Dropout(words["init_p"])]),
    "SpatialDropout2D": Kind(
        "L.SpatialDropout2D(rate)", {"init_p": 0.5, "data_format": "NCHW"},
        lambda words, x: [native.SpatialDropout2D(words["init_p"], data_format=layout_of(words))],
    ),
    "ReLU": Kind("L.ReLU()", {"ip": False}, lambda words, x: [native.ReLU()]),
    "ReLU6": Kind('L.Activation("relu6")', {"inplace": False}, _named("relu6")),
    "Tanh": Kind("L.Tanh()", {}, lambda words, x: [native.Tanh()]),
    "Sigmoid": Kind("L.Sigmoid()", {}, lambda words, x: [native.Sigmoid()]),
    "SoftMax": Kind('L.Activation("softmax")', {"pos": 1}, _softmax, rank=1),
    "LogSoftMax": Kind('L.Activation("log_softmax")', {}, _named("log_softmax"), rank=1),
    "SoftPlus": Kind('L.Activation("softplus")', {"beta": 1.0},
                     _function(torch.nn.functional.softplus, "beta")),
    "SoftSign": Kind('L.Activation("softsign")', {}, _named("softsign")),
    "ELU": Kind("L.ELU()", {"alpha": 1.0, "inplace": False},
                lambda words, x: [native.ELU(words["alpha"])]),
    "LeakyReLU": Kind("L.LeakyReLU(0.01)", {"negval": 0.01, "inplace": False},
                      lambda words, x: [native.LeakyReLU(words["negval"])]),
    "PReLU": Kind(
        "L.PReLU(shared_axes=(2, 3))", {"n_output_plane": 0},
        lambda words, x: [native.TorchModule(nn.PReLU(words["n_output_plane"] or 1))],
        lambda words: Spec((words["n_output_plane"] or 1,)),
    ),
    "HardTanh": Kind('L.Activation("hard_tanh")',
                     {"min_value": -1.0, "max_value": 1.0, "inplace": False},
                     _function(torch.clamp, "min_value", "max_value")),
    "Clamp": Kind("L.Lambda(torch.clamp)", {"min": REQUIRED, "max": REQUIRED},
                  _function(torch.clamp, "min", "max")),
    "Threshold": Kind("L.ThresholdedReLU(theta)", {"th": 1e-6, "v": 0.0, "ip": False},
                      _function(torch.nn.functional.threshold, "th", "v")),
    "Power": Kind("L.Lambda", {"power": REQUIRED, "scale": 1.0, "shift": 0.0},
                  _function(_power, "power", "scale", "shift")),
    "Square": Kind("L.Lambda(torch.square)", {}, _function(torch.square)),
    "Sqrt": Kind("L.Lambda(torch.sqrt)", {}, _function(torch.sqrt)),
    "Abs": Kind("L.Lambda(torch.abs)", {}, _function(torch.abs)),
    "Exp": Kind('L.Activation("exponential")', {}, _named("exponential")),
    "Log": Kind("L.Lambda(torch.log)", {}, _function(torch.log)),
    "LogSigmoid": Kind('L.Activation("log_sigmoid")', {}, _named("log_sigmoid")),
    "MulConstant": Kind("L.Rescaling(scale)", {"scalar": REQUIRED, "inplace": False},
                        lambda words, x: [native.Rescaling(float(words["scalar"]))]),
    "AddConstant": Kind("L.Rescaling(1.0, offset)", {"constant_scalar": REQUIRED, "inplace": False},
                        lambda words, x: [native.Rescaling(1.0, float(words["constant_scalar"]))]),
    "Identity": Kind('L.Activation("linear")', {}, _named("linear")),
    "Echo": Kind('L.Activation("linear")', {}, _named("linear")),
    "Contiguous": Kind('L.Activation("linear")', {}, _named("linear")),
    "Reshape": Kind("L.Reshape(target_shape)", {"size": REQUIRED, "batch_mode": None}, _reshape),
    "InferReshape": Kind("L.Reshape(target_shape)", {"size": REQUIRED, "batch_mode": False},
                         _infer_reshape),
    "View": Kind("L.Reshape(target_shape)", {"sizes": REQUIRED, "num_input_dims": 0}, _reshape),
    "Squeeze": Kind("L.Reshape(target_shape)", {"dim": None, "num_input_dims": 0}, _squeeze),
    "Unsqueeze": Kind("L.Reshape(target_shape)", {"pos": REQUIRED, "num_input_dims": 0},
                      _unsqueeze),
    "Transpose": Kind("L.Permute(dims)", {"permutations": REQUIRED}, _transpose),
    "Narrow": Kind("L.Lambda(lambda x: x[:, :2])",
                   {"dimension": REQUIRED, "offset": REQUIRED, "length": 1},
                   _function(_narrow, "dimension", "offset", "length")),
    "Select": Kind("L.Lambda(lambda x: x[:, 0])", {"dim": REQUIRED, "index": REQUIRED},
                   _function(_select, "dim", "index")),
    "SpatialZeroPadding": Kind(
        "L.ZeroPadding2D(padding)",
        {"pad_left": REQUIRED, "pad_right": None, "pad_top": None, "pad_bottom": None}, _padded,
        rank=3,
    ),
    "GaussianNoise": Kind("L.GaussianNoise(stddev)", {"stddev": REQUIRED},
                          lambda words, x: [native.GaussianNoise(words["stddev"])]),
    "GaussianDropout": Kind("L.GaussianDropout(rate)", {"rate": REQUIRED},
                            lambda words, x: [native.GaussianDropout(words["rate"])]),
    "UpSampling2D": Kind(
        "L.UpSampling2D(size)", {"size": REQUIRED, "data_format": "NCHW"},
        lambda words, x: [native.UpSampling2D(tuple(words["size"]), data_format=layout_of(words))],
        rank=3,
    ),
}  # fmt: skip
