"""The table of the Keras-style API's layers: `bigdl.nn.keras.layer`, Keras 1's words on Torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from ... import layers as native
from ...core.layer import Layer
from ...core.spec import Spec
from ...errors import caller, nearest
from ...initializers import RandomNormal, RandomUniform
from ...layers.activation import hard_sigmoid_of_keras_2 as hard_sigmoid
from ..table import DialectError
from .core import regularizer
from .kind import REQUIRED, Kind, Words

LAYOUTS = {"th": "channels_first", "tf": "channels_last"}
ACTIVATIONS: dict[str, Any] = {
    "tanh": "tanh", "sigmoid": "sigmoid", "relu": "relu", "softmax": "softmax",
    "softplus": "softplus", "softsign": "softsign", "hard_sigmoid": hard_sigmoid,
    **{name: name for name in ("relu6", "tanh_shrink", "log_sigmoid", "log_softmax", "linear")},
}  # fmt: skip
INITS: dict[str, Any] = {
    "glorot_uniform": "glorot_uniform", "one": "ones", "zero": "zeros",
    "uniform": RandomUniform(-0.05, 0.05), "normal": RandomNormal(0.0, 0.05),
}  # fmt: skip
SHAPE = {"input_shape": None}
ENDS = {"W_regularizer": None, "b_regularizer": None, "bias": True, **SHAPE}
BEGINS = {"init": "glorot_uniform", "activation": None}
RANKED = {1: "channels_last", 2: "", 3: ""}  # 1-D layers see (steps, channels)


def looked_up(what: str, given: Any, table: Mapping[str, Any]) -> Any:
    """Return what a word of BigDL stands for; objects stay as they are.

    Raises: DialectError, which is a TypeError as BigDL's own, for a word that is not known.
    """
    if not isinstance(given, str):
        return given
    if given.lower() not in table:
        raise UnsupportedError(
            "BigDL 0.7",
            f"there is no {what} {given!r}",
            need="one of " + ", ".join(table),
            fix=nearest(given, table)
            or (f"natively: L.Activation({given!r})" if what == "activation" else ""),
            at=caller(),
        )
    return table[given.lower()]


class UnsupportedError(DialectError, TypeError):
    """A word that BigDL does not support: it raises TypeError there."""


def _layout(words: Words, rank: int) -> str:
    if rank == 1:
        return "channels_last"
    return str(looked_up("dim_ordering", words["dim_ordering"], LAYOUTS))


def _kernelled(words: Words, x: Spec) -> Words:
    return {
        "activation": looked_up("activation", words["activation"], ACTIVATIONS),
        "use_bias": words["bias"],
        "kernel_initializer": looked_up("initialiser", words["init"], INITS),
        "kernel_regularizer": regularizer(words["W_regularizer"]),
        "bias_regularizer": regularizer(words["b_regularizer"]),
    }


def _dense(words: Words, x: Spec) -> Sequence[Layer]:
    return [native.Dense(words["output_dim"], **_kernelled(words, x))]


def _convolution(rank: int, sides: tuple[str, ...]) -> Callable[[Words, Spec], Sequence[Layer]]:
    made: dict[int, Any] = {1: native.Conv1D, 2: native.Conv2D, 3: native.Conv3D}

    def make(words: Words, x: Spec) -> Sequence[Layer]:
        kernel = tuple(words[side] for side in sides)
        strides = words.get("subsample", words.get("subsample_length"))
        return [
            made[rank](
                words["nb_filter"], kernel, strides, words["border_mode"],
                words.get("atrous_rate", 1), data_format=_layout(words, rank),
                **_kernelled(words, x),
            )
        ]  # fmt: skip

    return make


def _transposed(words: Words, x: Spec) -> Sequence[Layer]:
    return [
        native.Conv2DTranspose(
            words["nb_filter"], (words["nb_row"], words["nb_col"]), words["subsample"],
            words["border_mode"], data_format=_layout(words, 2), **_kernelled(words, x),
        )
    ]  # fmt: skip


def _separable(words: Words, x: Spec) -> Sequence[Layer]:
    ends = _kernelled({**words, "W_regularizer": None}, x)
    init = ends.pop("kernel_initializer")
    del ends["kernel_regularizer"]
    for part in ("depthwise", "pointwise"):
        ends[f"{part}_regularizer"] = regularizer(words[f"{part}_regularizer"])
    return [
        native.SeparableConv2D(
            words["nb_filter"], (words["nb_row"], words["nb_col"]), words["subsample"],
            words["border_mode"], depth_multiplier=words["depth_multiplier"],
            data_format=_layout(words, 2), depthwise_initializer=init, pointwise_initializer=init,
            **ends,
        )
    ]  # fmt: skip


def _pooling(kind: Any, rank: int) -> Callable[[Words, Spec], Sequence[Layer]]:
    def make(words: Words, x: Spec) -> Sequence[Layer]:
        size = words.get("pool_size", words.get("pool_length"))
        strides = words.get("strides", words.get("stride"))
        return [kind(size, strides, words["border_mode"], data_format=_layout(words, rank))]

    return make


def _batch_norm(words: Words, x: Spec) -> Sequence[Layer]:
    kinds = {1: nn.BatchNorm1d, 3: nn.BatchNorm2d}
    if len(x.shape) not in kinds:
        raise DialectError(
            "BigDL 0.7 BatchNormalization",
            "takes samples of 1 or 3 axes",
            got=str(x),
            fix="natively: L.BatchNormalization()",
            at=caller(),
        )
    last = words["dim_ordering"] == "tf" and len(x.shape) == 3
    channels = x.shape[-1 if last else 0]
    # momentum is the weight of the new value, though Keras's default of 0.99 means the old one
    module = kinds[len(x.shape)](int(channels or 0), words["epsilon"], words["momentum"])
    nn.init.constant_(module.weight, 0.0 if words["gamma_init"] == "zero" else 1.0)
    nn.init.constant_(module.bias, 1.0 if words["beta_init"] == "one" else 0.0)
    return [native.Permute((3, 1, 2)), native.TorchModule(module), native.Permute((2, 3, 1))] if (
        last) else [native.TorchModule(module)]  # fmt: skip


def _plain(kind: Any, *names: str, rank: int = 0) -> Callable[[Words, Spec], Sequence[Layer]]:
    """Return the maker of a layer whose arguments are these words, in this order."""

    def make(words: Words, x: Spec) -> Sequence[Layer]:
        more = {"data_format": _layout(words, rank)} if "dim_ordering" in words or rank == 1 else {}
        values = (words[name] for name in names)
        return [kind(*(tuple(v) if isinstance(v, list) else v for v in values), **more)]

    return make


def _activation(words: Words, x: Spec) -> Sequence[Layer]:
    return [native.Activation(looked_up("activation", words["activation"], ACTIVATIONS))]


TH = {"dim_ordering": "th"}
WINDOW: Words = {"pool_size": (2, 2), "strides": None, "border_mode": "valid", **TH, **SHAPE}
CONV = {"border_mode": "valid", "subsample": (1, 1), **TH}
SIDES = {"nb_filter": REQUIRED, "nb_row": REQUIRED, "nb_col": REQUIRED}
DEPTHS = {f"kernel_dim{n}": REQUIRED for n in (1, 2, 3)}

KERAS: dict[str, Kind] = {
    "Dense": Kind("L.Dense(units)", {
        "output_dim": REQUIRED, **BEGINS, "W_regularizer": None, "b_regularizer": None,
        "bias": True, "input_dim": None, **SHAPE}, _dense),
    "Convolution1D": Kind("L.Conv1D(filters, kernel_size)", {
        "nb_filter": REQUIRED, "filter_length": REQUIRED, **BEGINS, "border_mode": "valid",
        "subsample_length": 1, **ENDS}, _convolution(1, ("filter_length",))),
    "Convolution2D": Kind("L.Conv2D(filters, kernel_size)", {**SIDES, **BEGINS, **CONV, **ENDS},
                          _convolution(2, ("nb_row", "nb_col"))),
    "Convolution3D": Kind("L.Conv3D(filters, kernel_size)", {
        "nb_filter": REQUIRED, **DEPTHS, **BEGINS, "border_mode": "valid",
        "subsample": (1, 1, 1), **TH, **ENDS}, _convolution(3, tuple(DEPTHS))),
    "AtrousConvolution2D": Kind("L.Conv2D(filters, kernel_size, dilation_rate=2)", {
        **SIDES, **BEGINS, "border_mode": "valid", "subsample": (1, 1), "atrous_rate": (1, 1),
        **TH, **ENDS}, _convolution(2, ("nb_row", "nb_col"))),
    "AtrousConvolution1D": Kind("L.Conv1D(filters, kernel_size, dilation_rate=2)", {
        "nb_filter": REQUIRED, "filter_length": REQUIRED, **BEGINS, "border_mode": "valid",
        "subsample_length": 1, "atrous_rate": 1, **ENDS}, _convolution(1, ("filter_length",))),
    "Deconvolution2D": Kind("L.Conv2DTranspose(filters, kernel_size)", {
        **SIDES, "output_shape": None, **BEGINS, **CONV, **ENDS}, _transposed),
    "SeparableConvolution2D": Kind("L.SeparableConv2D(filters, kernel_size)", {
        **SIDES, **BEGINS, "border_mode": "valid", "subsample": (1, 1), "depth_multiplier": 1,
        **TH, "depthwise_regularizer": None, "pointwise_regularizer": None,
        "b_regularizer": None, "bias": True, **SHAPE}, _separable),
    "MaxPooling2D": Kind("L.MaxPooling2D(pool_size)", WINDOW, _pooling(native.MaxPooling2D, 2)),
    "AveragePooling2D": Kind("L.AveragePooling2D(pool_size)", WINDOW,
                             _pooling(native.AveragePooling2D, 2)),
    **{name: Kind(f"L.{name}(pool_size)",
                  {"pool_length": 2, "stride": None, "border_mode": "valid", **SHAPE},
                  _pooling(getattr(native, name), 1))
       for name in ("MaxPooling1D", "AveragePooling1D")},
    **{name: Kind(f"L.{name}(pool_size)",
                  {"pool_size": (2, 2, 2), "strides": None, "border_mode": "valid", **TH, **SHAPE},
                  _pooling(getattr(native, name), 3))
       for name in ("MaxPooling3D", "AveragePooling3D")},
    **{name: Kind(f"L.{name}()", {**(TH if rank > 1 else {}), **SHAPE},
                  _plain(getattr(native, name), rank=rank))
       for rank in (1, 2, 3) for word in ("Max", "Average")
       for name in [f"Global{word}Pooling{rank}D"]},
    "BatchNormalization": Kind("L.BatchNormalization()", {
        "epsilon": 1e-3, "mode": 0, "axis": 1, "momentum": 0.99, "beta_init": "zero",
        "gamma_init": "one", **TH, **SHAPE}, _batch_norm),
    "Dropout": Kind("L.Dropout(rate)", {"p": REQUIRED, **SHAPE}, _plain(native.Dropout, "p")),
    "SpatialDropout1D": Kind("L.SpatialDropout1D(rate)", {"p": 0.5, **SHAPE},
                             _plain(native.SpatialDropout1D, "p", rank=1)),
    "SpatialDropout2D": Kind("L.SpatialDropout2D(rate)", {"p": 0.5, **TH, **SHAPE},
                             _plain(native.SpatialDropout2D, "p", rank=2)),
    "SpatialDropout3D": Kind("L.SpatialDropout3D(rate)", {"p": 0.5, **TH, **SHAPE},
                             _plain(native.SpatialDropout3D, "p", rank=3)),
    "GaussianNoise": Kind("L.GaussianNoise(stddev)", {"sigma": REQUIRED, **SHAPE},
                          _plain(native.GaussianNoise, "sigma")),
    "GaussianDropout": Kind("L.GaussianDropout(rate)", {"p": REQUIRED, **SHAPE},
                            _plain(native.GaussianDropout, "p")),
    "Flatten": Kind("L.Flatten()", {**SHAPE}, _plain(native.Flatten)),
    "Reshape": Kind("L.Reshape(target_shape)", {"target_shape": REQUIRED, **SHAPE},
                    _plain(native.Reshape, "target_shape")),
    "Permute": Kind("L.Permute(dims)", {"dims": REQUIRED, **SHAPE},
                    _plain(native.Permute, "dims")),
    "RepeatVector": Kind("L.RepeatVector(n)", {"n": REQUIRED, "input_dim": None, **SHAPE},
                         _plain(native.RepeatVector, "n")),
    "Activation": Kind("L.Activation(activation)", {"activation": REQUIRED, **SHAPE}, _activation),
    "SoftMax": Kind('L.Activation("softmax")', {**SHAPE},
                    lambda words, x: [native.Activation("softmax")]),
    "ELU": Kind("L.ELU()", {"alpha": 1.0, **SHAPE}, _plain(native.ELU, "alpha")),
    "LeakyReLU": Kind("L.LeakyReLU(0.01)", {"alpha": 0.01, **SHAPE},
                      _plain(native.LeakyReLU, "alpha")),
    "ThresholdedReLU": Kind("L.ThresholdedReLU(theta)", {"theta": 1.0, **SHAPE},
                            _plain(native.ThresholdedReLU, "theta")),
    "ZeroPadding1D": Kind("L.ZeroPadding1D(padding)", {"padding": 1, **SHAPE},
                          _plain(native.ZeroPadding1D, "padding", rank=1)),
    "ZeroPadding2D": Kind("L.ZeroPadding2D(padding)", {"padding": (1, 1), **TH, **SHAPE},
                          _plain(native.ZeroPadding2D, "padding", rank=2)),
    "UpSampling1D": Kind("L.UpSampling1D(size)", {"length": 2, **SHAPE},
                         _plain(native.UpSampling1D, "length", rank=1)),
    "UpSampling2D": Kind("L.UpSampling2D(size)", {"size": (2, 2), **TH, **SHAPE},
                         _plain(native.UpSampling2D, "size", rank=2)),
    "UpSampling3D": Kind("L.UpSampling3D(size)", {"size": (2, 2, 2), **TH, **SHAPE},
                         _plain(native.UpSampling3D, "size", rank=3)),
    "Cropping1D": Kind("L.Cropping1D(cropping)", {"cropping": (1, 1), **SHAPE},
                       _plain(native.Cropping1D, "cropping", rank=1)),
    "Cropping2D": Kind("L.Cropping2D(cropping)",
                       {"cropping": ((0, 0), (0, 0)), **TH, **SHAPE},
                       lambda words, x: [native.Cropping2D(
                           tuple(map(tuple, words["cropping"])),
                           data_format=_layout(words, 2))]),
}  # fmt: skip
SPELLINGS = {
    "Conv1D": "Convolution1D", "Conv2D": "Convolution2D", "Conv3D": "Convolution3D",
    "Deconv2D": "Deconvolution2D", "AtrousConv2D": "AtrousConvolution2D",
    "AtrousConv1D": "AtrousConvolution1D",
    "SeparableConv2D": "SeparableConvolution2D",
}  # fmt: skip
MERGES = {
    "sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate",
    "dot": "Dot", "cos": "Dot",
}  # fmt: skip


def merging(mode: str, concat_axis: int) -> Layer:
    """Return the layer of Keras 1's merge in a mode."""
    name = looked_up("mode of merge", mode, MERGES)
    if name == "Concatenate":
        return native.Concatenate(concat_axis if concat_axis > 0 else -1)
    if name == "Dot":
        return native.Dot(-1, mode == "cos")
    made: Layer = getattr(native, name)()
    return made
