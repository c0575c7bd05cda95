"""Layers of Keras 0.3 to 3 and tf.keras, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..table import Row

WORDS = {  # Keras 1's words for arguments that most layers have
    "init": "kernel_initializer", "bias": "use_bias", "border_mode": "padding",
    "subsample": "strides", "dim_ordering": "data_format", "nb_filter": "filters",
    "output_dim": "units", "p": "rate", "sigma": "stddev", "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer", "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint", "atrous_rate": "dilation_rate",
    "filter_length": "kernel_size", "subsample_length": "strides", "pool_length": "pool_size",
    "stride": "strides", "length": "size", "dilation": "dilation_rate", "pool_stride": "strides",
    "weight_init": "kernel_initializer", "weight_regularizer": "kernel_regularizer",
    "poolsize": "pool_size",
}  # fmt: skip
UNSEEN = (
    "input_length",
    "sparse",
    "ragged",
    "synchronized",
    "dynamic",
    "autocast",
    "ignore_border",
)

_ADAPTED = dict.fromkeys(("lora_rank", "lora_alpha", "quantization_config"), (None,))

_SEEDS: tuple[str, ...] = ("kernel_initializer", "bias_initializer")
_CONV: tuple[str, ...] = ("filters", "kernel_size", "strides", "padding", "data_format")
_TAIL: tuple[str, ...] = ("activation", "use_bias", *_SEEDS)
_POOL = ("pool_size", "strides", "padding", "data_format")
_OLD_TAIL = ("kernel_initializer", "activation", "weights", "padding", "strides", "data_format")
_SIDES = {"kernel_size": ("nb_row", "nb_col")}
_CUBE = {"kernel_size": ("kernel_dim1", "kernel_dim2", "kernel_dim3")}
_NORM = ("axis", "momentum", "epsilon", "center", "scale", "beta_initializer", "gamma_initializer")
_NORM_WORDS = {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"}
_SHAPE = {"output_shape": "the size follows from strides and padding"}
_KINDS = (("Max", "Max"), ("Average", "Avg"))


def _row(
    target: str,
    *names: str,
    order: tuple[str, ...] = (),
    old_order: tuple[str, ...] = (),
    renamed: Mapping[str, str] | None = None,
    folds: Mapping[str, tuple[str, ...]] | None = None,
    dropped: tuple[str, ...] = (),
    defaults: Mapping[str, Any] | None = None,
    spatial: bool = False,
    harmless: Mapping[str, tuple[Any, ...]] | None = None,
    noted: Mapping[str, str] | None = None,
    meant: tuple[str, ...] = (),
) -> Row:
    return Row(
        target, (target, *names), order, {**WORDS, **(renamed or {})}, folds or {},
        (*UNSEEN, *dropped, *(harmless or {})), defaults or {}, spatial, old_order,
        harmless or {}, noted or {}, meant,
    )  # fmt: skip


def _old_conv(*sides: str) -> tuple[str, ...]:
    return ("filters", *sides, *_OLD_TAIL)


_CONVOLUTIONS = (
    _row(
        "Conv1D", "Convolution1D", "AtrousConvolution1D", "AtrousConv1D", spatial=True,
        order=(*_CONV, "dilation_rate", *_TAIL), old_order=_old_conv("kernel_size"),
    ),
    _row(
        "Conv2D", "Convolution2D", "AtrousConvolution2D", "AtrousConv2D", folds=_SIDES,
        order=(*_CONV, "dilation_rate", *_TAIL), old_order=_old_conv("nb_row", "nb_col"),
        spatial=True,
    ),
    _row(
        "Conv3D", "Convolution3D", folds=_CUBE, spatial=True,
        order=(*_CONV, "dilation_rate", *_TAIL), old_order=_old_conv(*_CUBE["kernel_size"]),
    ),
    _row("Conv1DTranspose", "Convolution1DTranspose", order=_CONV[:4], spatial=True),
    _row(
        "Conv2DTranspose", "Deconvolution2D", "Deconv2D", "Convolution2DTranspose", folds=_SIDES,
        order=(*_CONV[:4], "output_padding", "data_format", "dilation_rate", *_TAIL),
        old_order=("filters", "nb_row", "nb_col", "output_shape", *_OLD_TAIL),
        dropped=("output_shape",), noted=_SHAPE, spatial=True,
    ),
    _row("Conv3DTranspose", "Deconvolution3D", "Deconv3D", "Convolution3DTranspose",
         order=_CONV[:4], dropped=("output_shape",), noted=_SHAPE, spatial=True),
    _row("SeparableConv1D", "SeparableConvolution1D", spatial=True,
         order=(*_CONV, "dilation_rate", "depth_multiplier", "activation", "use_bias")),
    _row(
        "SeparableConv2D", "SeparableConvolution2D", folds=_SIDES, spatial=True,
        order=(*_CONV, "dilation_rate", "depth_multiplier", "activation", "use_bias"),
        old_order=("filters", "nb_row", "nb_col", "depthwise_initializer", "activation"),
        renamed={
            "init": "depthwise_initializer", "depthwise_init": "depthwise_initializer",
            "pointwise_init": "pointwise_initializer",
        },
    ),
    _row("DepthwiseConv1D", spatial=True,
         order=("kernel_size", "strides", "padding", "depth_multiplier", "data_format")),
    _row("DepthwiseConv2D", spatial=True,
         order=("kernel_size", "strides", "padding", "depth_multiplier", "data_format"),
         renamed={"kernel_initializer": "depthwise_initializer",
                  "kernel_regularizer": "depthwise_regularizer",
                  "kernel_constraint": "depthwise_constraint"}),
)  # fmt: skip
_POOLING = (
    *(
        _row(f"{kind}Pooling{rank}D", f"{short}Pool{rank}D", order=_POOL, spatial=True)
        for kind, short in _KINDS
        for rank in (1, 2, 3)
    ),
    *(
        _row(f"Global{kind}Pooling{rank}D", f"Global{short}Pool{rank}D",
             order=("data_format", "keepdims"), spatial=True)
        for kind, short in _KINDS
        for rank in (1, 2, 3)
    ),
)  # fmt: skip
_CORE = (
    _row("Dense", "TimeDistributedDense", order=("units", *_TAIL),
         old_order=("units", *_OLD_TAIL[:3]), harmless=_ADAPTED),
    _row("Activation", order=("activation",), meant=("activation",)),
    _row("Dropout", order=("rate", "noise_shape", "seed")),
    _row("Flatten", order=("data_format",)),
    _row("Reshape", order=("target_shape",), renamed={"dims": "target_shape"}),
    _row("Permute", order=("dims",)),
    _row("RepeatVector", order=("n",)),
    _row("Lambda", order=("function", "output_shape", "mask", "arguments"),
         old_order=("function", "output_shape", "arguments"), dropped=("output_shape", "mask")),
)  # fmt: skip
_SIZED = (
    *(_row(f"UpSampling{rank}D", order=("size", "data_format", "interpolation"), spatial=True)
      for rank in (1, 2, 3)),
    *(_row(f"ZeroPadding{rank}D", order=("padding", "data_format"), spatial=True)
      for rank in (1, 2, 3)),
    *(_row(f"Cropping{rank}D", order=("cropping", "data_format"), spatial=True)
      for rank in (1, 2, 3)),
)  # fmt: skip
_NOISE = (
    *(_row(f"SpatialDropout{rank}D", order=("rate", "data_format"), spatial=True)
      for rank in (1, 2, 3)),
    _row("GaussianNoise", order=("stddev",)),
    _row("GaussianDropout", order=("rate",)),
    _row("AlphaDropout", order=("rate", "noise_shape", "seed"), harmless={"noise_shape": (None,)}),
)  # fmt: skip
_NORMALS = (
    _row(
        "BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2", order=_NORM,
        old_order=("epsilon", "mode", "axis", "momentum", "weights", *_NORM[5:]),
        renamed=_NORM_WORDS,
        dropped=("fused", "renorm_clipping", "renorm_momentum"),
        harmless={"mode": (0,), "renorm": (False,), "virtual_batch_size": (None,)},
    ),
    _row("LayerNormalization", order=("axis", "epsilon", "center", "scale"),
         harmless={"rms_scaling": (False,)}),
    _row("GroupNormalization", order=("groups", "axis", "epsilon")),
    _row("UnitNormalization", order=("axis",)),
    _row("RMSNormalization", order=("axis", "epsilon")),
)  # fmt: skip
_ACTIVATIONS = (
    _row("LeakyReLU", order=("negative_slope",), renamed={"alpha": "negative_slope"}),
    _row("PReLU", order=("alpha_initializer", "alpha_regularizer", "alpha_constraint",
                         "shared_axes"),
         old_order=("alpha_initializer", "weights", "shared_axes"),
         renamed={"init": "alpha_initializer"}),
    _row("ELU", order=("alpha",)),
    _row("ThresholdedReLU", order=("theta",)),
    _row("ReLU", order=("max_value", "negative_slope", "threshold")),
    _row("Softmax", order=("axis",)),
)  # fmt: skip
_MERGES = (
    *(_row(name) for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")),
    _row("Concatenate", order=("axis",), renamed={"concat_axis": "axis"}),
    _row("Dot", order=("axes", "normalize"), renamed={"dot_axes": "axes"}),
)
_IMAGES = (
    _row("Rescaling", order=("scale", "offset")),
    _row("Normalization", order=("axis", "mean", "variance", "invert"), meant=("axis",)),
    _row("Resizing", order=("height", "width", "interpolation", "crop_to_aspect_ratio")),
    _row("CenterCrop", order=("height", "width")),
    _row("RandomFlip", order=("mode",)),
    _row("RandomRotation", order=("factor", "fill_mode", "interpolation")),
    _row("RandomZoom", order=("height_factor", "width_factor", "fill_mode", "interpolation")),
    _row("RandomTranslation",
         order=("height_factor", "width_factor", "fill_mode", "interpolation")),
    _row("RandomCrop", order=("height", "width")),
    _row("RandomContrast", order=("factor",)),
    _row("RandomBrightness", order=("factor", "value_range")),
)  # fmt: skip

# The modules of Keras 0.3 to 2 below keras.layers, and the rows in each.
FAMILIES: dict[str, tuple[Row, ...]] = {
    "core": _CORE, "convolutional": _CONVOLUTIONS + _SIZED, "pooling": _POOLING,
    "normalization": _NORMALS, "advanced_activations": _ACTIVATIONS, "noise": _NOISE,
    "merge": _MERGES, "preprocessing": _IMAGES,
}  # fmt: skip
LAYERS: tuple[Row, ...] = tuple(row for rows in FAMILIES.values() for row in rows)

MERGES = {  # modes of Keras 1's merge
    "sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum",
    "concat": "Concatenate", "dot": "Dot", "cos": "Dot",
}  # fmt: skip
FUNCTIONS = {row.target.lower(): row.target for row in _MERGES}  # Keras 2's functions of merging

REFUSED: dict[str, str] = {
    "lite": "no files of TensorFlow Lite: model.save('model.keras'), which TensorFlow converts",
    **dict.fromkeys(
        ("contrib", "tensorflow.contrib"),
        "tf.contrib is gone from TensorFlow too: tf.keras.layers, tf.keras.datasets, tf.data",
    ),
    "placeholder": "the graph of TensorFlow 1: write the network with tf.keras layers",
    "estimator": "tf.estimator is gone from TensorFlow too: model.compile, model.fit",
    "Estimator": "tf.estimator is gone from TensorFlow too: model.compile, model.fit",
    "get_variable": "the graph of TensorFlow 1: tf.Variable, or add_weight of a layer",
    "ragged": "tensors of one shape: tf.stack, or keras.preprocessing.sequence.pad_sequences",
    "RaggedTensor": "tensors of one shape: tf.stack, or keras.preprocessing.sequence.pad_sequences",
    "train": "the graph of TensorFlow 1: model.compile(optimizer, loss), model.fit",
}
