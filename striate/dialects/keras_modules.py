"""The modules of a Keras script, by the paths of all versions, with the names in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .. import constraints, initializers, losses, regularizers
from ..data.datasets import mnist
from ..engine import hooks
from ..engine.seed import seed
from ..errors import caller
from . import keras_layers, keras_models, keras_optimizers
from .keras_session import KerasSession
from .table import DialectError

LAYER_PATHS = (
    "core", "convolutional", "pooling", "normalization", "advanced_activations", "noise", "merge",
)  # fmt: skip
ABSENT = ("fashion_mnist", "cifar10", "cifar100", "imdb", "reuters", "boston_housing")


def to_categorical(y: Any, num_classes: int | None = None, nb_classes: int | None = None) -> Any:
    """Return labels from 0 on as one-hot rows; a last axis of 1 is dropped."""
    labels = np.asarray(y, dtype="int64")
    labels = labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels
    count = num_classes or nb_classes or int(labels.max()) + 1
    one_hot: NDArray[np.float32] = np.eye(count, dtype="float32")[labels]
    return one_hot


def _load_mnist(path: str = "mnist.npz") -> Any:
    (x_train, y_train), (x_test, y_test) = mnist()
    return (x_train[..., 0], y_train), (x_test[..., 0], y_test)  # Keras has no channel axis


def _absent(name: str) -> Callable[..., Any]:
    def load_data(*args: Any, **words: Any) -> Any:
        raise DialectError(
            f"keras.datasets.{name}",
            "the data set is not on this machine, and nothing is fetched",
            need="mnist, which is shipped with the package",
            fix="from keras.datasets import mnist, or np.load of your own copy",
            at=caller(),
        )

    return load_data


def _backend(session: KerasSession) -> dict[str, Any]:
    short = {"channels_first": "th", "channels_last": "tf"}

    def set_layout(layout: str) -> None:
        session.layout = keras_layers.LAYOUTS.get(layout, layout)
        session.chose_layout = True

    def layout() -> str:
        session.chose_layout = True
        return session.layout

    def set_value(variable: Any, value: Any) -> None:
        variable.assign(value)

    return {
        "image_data_format": layout,
        "set_image_data_format": set_layout,
        "image_dim_ordering": lambda: short[layout()],
        "set_image_dim_ordering": set_layout,
        "backend": lambda: "tensorflow",
        "floatx": lambda: "float32",
        "epsilon": lambda: session.epsilon,
        "clear_session": session.counted.clear,
        "get_value": float,
        "eval": float,
        "set_value": set_value,
        "mean": _reduced(torch.mean),
        "sum": _reduced(torch.sum),
        "square": torch.square,
        "sqrt": torch.sqrt,
        "exp": torch.exp,
        "log": torch.log,
        "abs": torch.abs,
        "clip": torch.clamp,
        "maximum": torch.maximum,
        "minimum": torch.minimum,
        "round": torch.round,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
    }


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x) if axis is None else function(x, dim=axis, keepdim=keepdims)

    return reduce


def _callbacks(session: KerasSession) -> dict[str, Any]:
    late = 1 if session.version.strict_wait else 0

    def early_stopping(monitor: str = "val_loss", min_delta: float = 0, patience: int = 0,
                       verbose: int = 0, mode: str = "auto", **words: Any) -> Any:  # fmt: skip
        """Return the hook; Keras 1 stops one epoch later."""
        return hooks.EarlyStopping(monitor, min_delta, patience + late, mode, **words)

    def checkpoint(filepath: str, monitor: str = "val_loss", verbose: int = 0,
                   save_best_only: bool = False, save_weights_only: bool = False,
                   mode: str = "auto", period: int = 1) -> Any:  # fmt: skip
        """Return the hook, which writes Striate's own files."""
        session.note(f"{filepath} is written in Striate's own format")
        return hooks.ModelCheckpoint(filepath, monitor, save_best_only, mode, save_weights_only)

    def plateau(monitor: str = "val_loss", factor: float = 0.1, patience: int = 10,
                verbose: int = 0, mode: str = "auto", epsilon: float = 1e-4,
                **words: Any) -> Any:  # fmt: skip
        """Return the hook; Keras 1 calls min_delta epsilon."""
        words.setdefault("min_delta", epsilon)
        return hooks.ReduceLROnPlateau(monitor, factor, patience, mode, **words)

    return {
        "Callback": hooks.Hook, "History": hooks.History, "EarlyStopping": early_stopping,
        "ModelCheckpoint": checkpoint, "ReduceLROnPlateau": plateau,
        "LearningRateScheduler": hooks.LearningRateScheduler, "CSVLogger": hooks.CSVLogger,
        "TensorBoard": hooks.TensorBoard, "TerminateOnNaN": hooks.TerminateOnNaN,
        "LambdaCallback": hooks.LambdaCallback,
    }  # fmt: skip


def _public(room: Any) -> dict[str, Any]:
    return {word: value for word, value in vars(room).items() if not word.startswith("_")}


def modules(session: KerasSession) -> Mapping[str, Mapping[str, Any]]:
    """Return every module by its path."""
    layers, models = keras_layers.names(session), keras_models.names(session)
    utils = {"to_categorical": to_categorical, "set_random_seed": seed}
    penalties = {**_public(regularizers), "l1l2": regularizers.L1L2}
    limits = {**_public(constraints), "maxnorm": constraints.MaxNorm, "nonneg": constraints.NonNeg}
    inner: dict[str, Mapping[str, Any]] = {
        "layers": layers,
        **{f"layers.{path}": layers for path in LAYER_PATHS},
        "models": models,
        "engine": {**models, "Input": layers["Input"], "Layer": layers["Layer"]},
        "optimizers": keras_optimizers.names(session),
        "losses": _public(losses),
        "regularizers": penalties,
        "constraints": limits,
        "initializers": _public(initializers),
        "callbacks": _callbacks(session),
        "backend": _backend(session),
        "utils": {**utils},
        "utils.np_utils": utils,
        "datasets": {},
        "datasets.mnist": {"load_data": _load_mnist},
        **{f"datasets.{name}": {"load_data": _absent(name)} for name in ABSENT},
    }
    top = {**models, "Input": layers["Input"], "__version__": session.version.title.split()[-1]}
    if session.version.name == "tf":
        tensorflow = {"__version__": "2.0.0"}
        return {"tensorflow": tensorflow, **_below("tensorflow.keras", top, inner)}
    return _below("keras", top, inner)


def _below(
    root: str, top: Mapping[str, Any], inner: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    return {root: top, **{f"{root}.{path}": content for path, content in inner.items()}}
