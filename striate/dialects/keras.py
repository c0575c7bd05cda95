"""Keras 0.3 to 3 and tf.keras as tables: versions, layers, words, and the paths of modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .dialect import Patch
from .keras_session import KerasSession, KerasVersion
from .session import Script
from .table import Row


def _optimizers(epsilon: float, **changed: float) -> dict[str, dict[str, Any]]:
    """Return the defaults of Keras up to 2.3; `changed` are learning rates of later versions."""
    adaptive = {"epsilon": epsilon}
    rates = {"adagrad": 0.01, "adadelta": 1.0, "adamax": 0.002, "nadam": 0.002} | changed
    made = {name: {"learning_rate": rate, **adaptive} for name, rate in rates.items()}
    made["adagrad"]["initial_accumulator_value"] = 0.0
    return {
        "sgd": {"learning_rate": 0.01},
        "rmsprop": {"learning_rate": 0.001, **adaptive},
        "adam": {"learning_rate": 0.001, **adaptive},
        **made,
    }


_MODERN = _optimizers(1e-7, adagrad=0.001, adadelta=0.001, adamax=0.001, nadam=0.001)
_MODERN["adagrad"]["initial_accumulator_value"] = 0.1
_KERAS1_COLUMNS = (33, 55, 67, 100)

VERSIONS: dict[str, KerasVersion] = {
    version.name: version
    for version in (
        KerasVersion(
            "keras0", "Keras 0.3", _optimizers(1e-6), "acc", 100, 128, summary=_KERAS1_COLUMNS,
            strict_wait=True, layout="channels_first", old=True,
        ),
        KerasVersion(
            "keras1", "Keras 1.2", _optimizers(1e-8), "acc", 10, summary=_KERAS1_COLUMNS,
            strict_wait=True, old=True,
        ),
        KerasVersion("keras2", "Keras 2.2", _optimizers(1e-7), "acc"),
        KerasVersion("keras23", "Keras 2.3", _optimizers(1e-7), head=True),
        KerasVersion("tf", "tf.keras 2", _MODERN, first=0, head=True, folds=False),
        KerasVersion("keras3", "Keras 3", _MODERN, first=0, head=True, folds=False),
    )
}  # fmt: skip
NAME, DEFAULT, HIDES = "keras", "keras2", True

_WORDS = {  # Keras 1's words for arguments that most layers have
    "init": "kernel_initializer", "bias": "use_bias", "border_mode": "padding",
    "subsample": "strides", "dim_ordering": "data_format", "nb_filter": "filters",
    "output_dim": "units", "p": "rate", "sigma": "stddev", "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer", "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint", "atrous_rate": "dilation_rate",
    "filter_length": "kernel_size", "subsample_length": "strides", "pool_length": "pool_size",
    "stride": "strides", "length": "size", "dilation": "dilation_rate",
}  # fmt: skip
_LATER = ("activity_regularizer", "input_length", "sparse", "ragged", "synchronized")
_CONV: tuple[str, ...] = (
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
)
_CONV += ("activation", "use_bias", "kernel_initializer", "bias_initializer")
_POOL = ("pool_size", "strides", "padding", "data_format")
_SIDES = {"kernel_size": ("nb_row", "nb_col")}


def _row(
    target: str,
    *names: str,
    order: tuple[str, ...] = (),
    renamed: Mapping[str, str] | None = None,
    folds: Mapping[str, tuple[str, ...]] | None = None,
    dropped: tuple[str, ...] = (),
    defaults: Mapping[str, Any] | None = None,
    spatial: bool = False,
) -> Row:
    return Row(
        target, (target, *names), order, {**_WORDS, **(renamed or {})}, folds or {},
        (*_LATER, *dropped), defaults or {}, spatial,
    )  # fmt: skip


LAYERS: tuple[Row, ...] = (
    _row("Dense", order=("units", "activation", "use_bias", "kernel_initializer")),
    _row("Activation", order=("activation",)),
    _row("Dropout", order=("rate", "noise_shape", "seed")),
    _row("Flatten", order=("data_format",)),
    _row("Reshape", order=("target_shape",), renamed={"dims": "target_shape"}),
    _row("Permute", order=("dims",)),
    _row("RepeatVector", order=("n",)),
    _row("Lambda", order=("function",), dropped=("output_shape", "mask")),
    _row("Conv1D", "Convolution1D", order=_CONV, spatial=True),
    _row("Conv2D", "Convolution2D", "AtrousConvolution2D", order=_CONV, folds=_SIDES, spatial=True),
    _row(
        "Conv3D", "Convolution3D", order=_CONV, spatial=True,
        folds={"kernel_size": ("kernel_dim1", "kernel_dim2", "kernel_dim3")},
    ),
    _row(
        "Conv2DTranspose", "Deconvolution2D", "Convolution2DTranspose", order=_CONV, folds=_SIDES,
        dropped=("output_shape",), spatial=True,
    ),
    _row("SeparableConv2D", "SeparableConvolution2D", order=_CONV[:-2], folds=_SIDES, spatial=True),
    _row(
        "DepthwiseConv2D", spatial=True,
        order=("kernel_size", "strides", "padding", "depth_multiplier", "data_format"),
    ),
    *(
        _row(f"{kind}Pooling{rank}D", *spelt, order=_POOL, spatial=True)
        for kind, short in (("Max", "Max"), ("Average", "Avg"))
        for rank in (1, 2, 3)
        for spelt in [(f"{short}Pool{rank}D",)]
    ),
    *(
        _row(
            f"Global{kind}Pooling{rank}D", f"Global{short}Pool{rank}D", order=("data_format",),
            spatial=True,
        )
        for kind, short in (("Max", "Max"), ("Average", "Avg"))
        for rank in (1, 2, 3)
    ),
    _row("UpSampling1D", order=("size",), spatial=True),
    _row("UpSampling2D", order=("size", "data_format", "interpolation"), spatial=True),
    _row("ZeroPadding1D", order=("padding",), spatial=True),
    _row("ZeroPadding2D", order=("padding", "data_format"), spatial=True),
    _row("Cropping2D", order=("cropping", "data_format"), spatial=True),
    _row("SpatialDropout1D", order=("rate",), spatial=True),
    _row("SpatialDropout2D", order=("rate", "data_format"), spatial=True),
    _row("GaussianNoise", order=("stddev",)),
    _row("GaussianDropout", order=("rate",)),
    _row("AlphaDropout", order=("rate",)),
    _row(
        "BatchNormalization", order=("axis", "momentum", "epsilon", "center", "scale"),
        renamed={
            "beta_init": "beta_initializer", "gamma_init": "gamma_initializer",
        },
        dropped=("mode", "fused", "renorm"),
    ),
    _row("LayerNormalization", order=("axis", "epsilon")),
    _row("LeakyReLU", order=("negative_slope",), renamed={"alpha": "negative_slope"}),
    _row("PReLU", order=("alpha_initializer",), renamed={"init": "alpha_initializer"}),
    _row("ELU", order=("alpha",)),
    _row("ThresholdedReLU", order=("theta",)),
    _row("ReLU", order=("max_value", "negative_slope", "threshold")),
    _row("Softmax", order=("axis",)),
    *(_row(name) for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")),
    _row("Concatenate", order=("axis",), renamed={"concat_axis": "axis"}),
    _row("Dot", order=("axes", "normalize"), renamed={"dot_axes": "axes"}),
    _row("Rescaling", order=("scale", "offset")),
    _row("RandomFlip", order=("mode",)),
    _row("RandomRotation", order=("factor",)),
    _row("Resizing", order=("height", "width", "interpolation")),
)  # fmt: skip

_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "Bidirectional", "ConvLSTM2D")
REFUSED: dict[str, str] = {
    **dict.fromkeys(_RECURRENT, "a network of convolutions: there are no recurrent layers"),
    "Merge": "merge(inputs, mode), or natively L.Add, L.Concatenate... in the functional form",
    "Embedding": "natively, torch.nn.Embedding in L.TorchModule",
    "ImageDataGenerator": "natively, L.RandomFlip, L.RandomRotation, L.RandomZoom... in the model",
}
MERGES = {  # modes of Keras 1's merge
    "sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum",
    "concat": "Concatenate", "dot": "Dot",
}  # fmt: skip
FUNCTIONS = {  # Keras 2's functions of the merging layers
    name.lower(): name
    for name in (
        "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot",
    )
}  # fmt: skip

INITIALIZERS = {  # words of Keras 1 and their native ones
    "zero": "zeros", "one": "ones", "normal": "random_normal", "uniform": "random_uniform",
}  # fmt: skip
LOSSES = {
    "kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh", "MSE": "mse",
    "MAE": "mae", "KLD": "kld",
}  # fmt: skip
ACTIVATIONS = {"swish": "silu", "exponential": "exponential"}

# What only scripts of a version say. A word of a call counts where it is a keyword.
CLUES: tuple[tuple[str, str, str], ...] = (
    *(("keyword", word, "keras0") for word in ("show_accuracy", "class_mode")),
    *(
        ("keyword", word, "keras1")
        for word in (
            "nb_epoch", "border_mode", "nb_filter", "nb_row", "nb_col", "subsample", "output_dim",
            "samples_per_epoch", "dim_ordering", "W_regularizer", "nb_val_samples", "dropout_W",
            "nb_classes", "init", "concat_axis",
        )
    ),
    *(
        ("keyword", word, "keras2")
        for word in ("epochs", "filters", "kernel_size", "units", "steps_per_epoch", "data_format")
    ),
    *(("import", path, "keras1") for path in ("keras.initializations", "keras.objectives")),
    ("import", "keras.utils.visualize_util", "keras1"),
    *(("text", word, "keras23") for word in ("val_accuracy",)),
    *(("import", path, "keras3") for path in ("keras.ops", "keras.random", "keras.saving")),
    *(("name", path, "keras3") for path in ("keras.ops", "keras.random", "keras.Input")),
    ("text", "KERAS_BACKEND", "keras3"),
    ("import", "tensorflow.keras", "tf"), ("name", "tf.keras", "tf"),
    ("name", "tensorflow.keras", "tf"),
)  # fmt: skip
ROOTS = ("keras", "tensorflow")
PRECEDENCE = ("tf", "keras3", "keras0", "keras2", "keras1")


def decide(found: Mapping[str, Sequence[str]]) -> str:
    """Return the version: that of the import, then that of the words, the newest that speaks."""
    version = next((name for name in PRECEDENCE if name in found), "keras2")
    return "keras23" if version == "keras2" and "keras23" in found else version


def open_session(version: str, script: Script) -> KerasSession:
    """Return the state of a script of this version."""
    return KerasSession(VERSIONS[version], script)


def modules(session: KerasSession) -> Mapping[str, Mapping[str, Any]]:
    """Return every module of the dialect by its path."""
    from .keras_modules import modules as made

    return made(session)


def patches(session: KerasSession) -> Sequence[Patch]:
    """Return no patches."""
    return ()
