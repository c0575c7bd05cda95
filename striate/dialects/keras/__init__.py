"""Keras 0.3 to 3 and tf.keras: the versions, and the words that only scripts of one say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..dialect import Patch
from ..evidence import FROZEN_LATER
from ..session import Script
from .rows import REFUSED
from .session import KerasSession, KerasVersion


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
_MODERN["adamw"] = {"learning_rate": 0.001, "epsilon": 1e-7, "weight_decay": 0.004}
_MODERN |= {name: {"learning_rate": 0.001} for name in ("lion", "ftrl", "adafactor")}
_NEWEST = _MODERN | {name: {"learning_rate": 0.001} for name in ("lamb", "muon")}
_KERAS1_COLUMNS = (33, 55, 67, 100)

VERSIONS: dict[str, KerasVersion] = {
    version.name: version
    for version in (
        KerasVersion(
            "keras0", "Keras 0.3", "0.3.3", _optimizers(1e-6), "acc", 100, 128,
            summary=_KERAS1_COLUMNS, strict_wait=True, layout="channels_first", old=True,
            counts_weights=True,
        ),
        KerasVersion(
            "keras1", "Keras 1.2", "1.2.2", _optimizers(1e-8), "acc", 10, summary=_KERAS1_COLUMNS,
            strict_wait=True, old=True, counts_weights=True,
        ),
        KerasVersion(
            "keras2", "Keras 2.2", "2.2.4", _optimizers(1e-7), "acc", counts_weights=True,
        ),
        KerasVersion("keras23", "Keras 2.3", "2.3.1", _optimizers(1e-7), head=True),
        KerasVersion(
            "tf", "tf.keras 2", "2.15.0", _MODERN, first=0, head=True, folds=False, steps=True,
            by_shape=True, edits_layers=False,
        ),
        KerasVersion(
            "keras3", "Keras 3", "3.10.0", _NEWEST, first=0, head=True, folds=False, steps=True,
            words=("input_layer", "functional"), by_shape=True, latches=False,
            edits_layers=False, typed=True,
        ),
    )
}  # fmt: skip
NAME, DEFAULT, HIDES = "keras", "keras2", True

# Words that speak for a version only together with others, or where no others are.
TF2 = "tf2"  # of TensorFlow 2 without its keras: Keras is then the one inside of it
TF1 = "tf1"  # of TensorFlow's graphs and sessions: Keras is then beside it
THREE = "three"  # of Keras 3 alone, whatever else of tf.keras a script names
GONE = "gone"  # of what Keras 3 has no more, whatever is newer than Keras 2 beside it
CHOSEN = "chosen"  # a backend is named: Keras 3 has three, and so had Keras 1 and 2
THEANO = "theano"
MODERN = ("RandomFlip", "RandomRotation", "RandomZoom", "Rescaling", "Resizing", "StringLookup",
          "TextVectorization", "MultiHeadAttention", "image_dataset_from_directory")  # fmt: skip

# What only scripts of a version say. A word of a call counts where it is a keyword.
CLUES: tuple[tuple[str, str, str], ...] = (
    ("keyword", "show_accuracy", "keras0"), ("argument", "compile.class_mode", "keras0"),
    ("import", "keras.models.Graph", "keras0"), ("keyword", "poolsize", "keras0"),
    ("keyword", "stack_size", "keras0"),
    *(("numbers", word, "keras0") for word in (
        "Dense 2", "TimeDistributedDense 2", "LSTM 2", "GRU 2", "SimpleRNN 2", "Convolution2D 4")),
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
    *(("import", f"keras.{path}", THREE) for path in ("ops", "random")),
    ("name", "keras.ops", THREE), ("text", "KERAS_BACKEND", CHOSEN),
    ("text", "theano", THEANO), ("name", "theano", THEANO),
    *(("name", f"tf.{word}", TF1) for word in (
        "ConfigProto", "Session", "GPUOptions", "InteractiveSession", "placeholder", "contrib",
        "global_variables_initializer", "get_default_graph", "set_random_seed", "Print")),
    *(("name", word, TF1) for word in ("make_one_shot_iterator", "make_initializable_iterator")),
    *(("name", word, "keras3") for word in MODERN),
    *(("import", f"keras.{path}", "keras3") for path in (
        *(f"layers.{word}" for word in MODERN), "utils.image_dataset_from_directory",
        "utils.load_img", "utils.img_to_array", "optimizers.AdamW")),
    *(("name", f"keras.utils.{word}", "keras3") for word in ("load_img", "img_to_array")),
    *(("name", f"K.{word}", GONE) for word in (
        "abs", "batch_flatten", "cast", "concatenate", "dot", "exp", "flatten", "function",
        "get_session", "get_value", "gradients", "int_shape", "learning_phase", "log", "maximum",
        "mean", "permute_dimensions", "placeholder", "random_normal", "set_session", "set_value",
        "shape", "sqrt", "square", "sum", "variable")),
    *(("import", f"keras.{path}", GONE) for path in (
        "layers.core", "layers.convolutional", "layers.normalization", "layers.merge", "engine",
        "layers.advanced_activations", "layers.pooling", "utils.np_utils", "utils.vis_utils",
        "layers.recurrent", "preprocessing.image.ImageDataGenerator")),
    *(("name", word, GONE) for word in ("fit_generator", "predict_classes", "predict_generator")),
    ("habit", FROZEN_LATER, GONE),  # which waits for the next compile up to tf.keras
    *(("argument", f"{word}.lr", GONE) for word in ("SGD", "RMSprop", "Adam", "Adadelta")),
    *(("name", f"tf.{word}", TF2) for word in (
        "GradientTape", "data.Dataset", "random.set_seed", "config.list_physical_devices",
        "function", "config.experimental.list_physical_devices", "data.AUTOTUNE")),
    *(("argument", f"{word}.learning_rate", "keras23") for word in (
        "SGD", "RMSprop", "Adam", "Adagrad", "Adadelta", "Adamax", "Nadam")),
    ("import", "tensorflow.keras", "tf"), ("name", "tf.keras", "tf"),
    ("import", "tf_keras", "tf"), ("import", "keras_core", "keras3"),
    ("name", "tensorflow.keras", "tf"),
)  # fmt: skip
ROOTS = ("keras", "tensorflow", "tensorflow_addons", "tensorflow_datasets", "tf_keras",
         "keras_core", "keras_contrib", "keras_applications", "keras_preprocessing")  # fmt: skip
__all__ = ["REFUSED", "VERSIONS", "decide", "modules", "open_session", "patches"]
PRECEDENCE = ("tf", "keras3", "keras0", "keras2", "keras1")


def decide(found: Mapping[str, Sequence[str]]) -> str:
    """Return the version: that of the import, then that of the words, the newest that speaks."""
    version = next((name for name in PRECEDENCE if name in found), "")
    if version == "keras3" and GONE in found and not {THREE, CHOSEN} & set(found):
        alone = all(said.startswith("keras.Input ") for said in found["keras3"])
        version = "keras2" if alone else "tf"  # Keras 2.6 and later is that of TensorFlow
    if THREE in found or (
        CHOSEN in found and version in ("", "keras2") and not {THEANO, TF1} & set(found)
    ):
        return "keras3"
    if version in ("", "keras2", "keras23") and TF2 in found and TF1 not in found:
        return "tf"
    return "keras23" if version in ("", "keras2") and "keras23" in found else version or DEFAULT


def open_session(version: str, script: Script) -> KerasSession:
    """Return the state of a script of this version."""
    return KerasSession(VERSIONS[version], script)


def modules(session: KerasSession) -> Mapping[str, Mapping[str, Any]]:
    """Return every module of the dialect by its path."""
    from .paths import modules as made

    return made(session)


def patches(session: KerasSession) -> Sequence[Patch]:
    """Return what layers, symbols and tensors have besides, while a script runs."""
    from .attributes import patches as made

    return made(session)
