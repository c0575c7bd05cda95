"""What Keras's files say of a layer, in the words of Keras 1, 2 and 3, and Striate's own for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.layer import Layer
from ..core.spec import Spec
from ..errors import StoreError, nearest
from ..layers.activation import hard_sigmoid_of_keras_2
from .config import ROOMS, known_layers

Config = dict[str, Any]

CLASSES = {  # what a class was called, or what does the same
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
    "AtrousConvolution2D": "Conv2D", "AtrousConvolution1D": "Conv1D",
    "Deconvolution2D": "Conv2DTranspose", "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D", "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization", "SyncBatchNormalization": "BatchNormalization",
    "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU",
}  # fmt: skip
MERGES = {
    "sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate",
    "dot": "Dot",
}  # fmt: skip
WORDS = {  # of Keras 1, and of Keras 2 where Keras 3 has another
    "nb_filter": "filters", "border_mode": "padding", "subsample": "strides", "bias": "use_bias",
    "dim_ordering": "data_format", "output_dim": "units", "init": "kernel_initializer",
    "p": "rate", "sigma": "stddev", "atrous_rate": "dilation_rate", "stride": "strides",
    "filter_length": "kernel_size", "subsample_length": "strides", "pool_length": "pool_size",
    "length": "size", "concat_axis": "axis", "dot_axes": "axes", "gamma_init": "gamma_initializer",
    "beta_init": "beta_initializer", "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer", "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
}  # fmt: skip
_RECURRENT = {
    "inner_activation": "recurrent_activation", "inner_init": "recurrent_initializer",
    "U_regularizer": "recurrent_regularizer", "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
}  # fmt: skip
OF_CLASS = {
    "LeakyReLU": {"alpha": "negative_slope"},
    "PReLU": {"init": "alpha_initializer"},
    "MultiHeadAttention": {"output_shape": "width"},
    "Dense": {}, "Reshape": {"dims": "target_shape"},
    "Embedding": {"init": "embeddings_initializer", "W_regularizer": "embeddings_regularizer",
                  "W_constraint": "embeddings_constraint"},
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU", "ConvLSTM2D"), _RECURRENT),
}  # fmt: skip
CUDNN = "of_cudnn"  # of a configuration: of a layer that ran on graphics cards alone
SIDES = (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
LAYOUTS = {"th": "channels_first", "tf": "channels_last", "default": None}
WITHOUT_MEANING = {  # of the file's other fields, those that change no output
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape", "input_dim",
    "input_dtype", "input_length", "output_shape", "output_shape_type", "dot_axes", "concat_axis",
    "mode_type", "arguments", "mode", "fused", "renorm", "renorm_clipping", "renorm_momentum",
    "synchronized", "virtual_batch_size", "adjustment", "ragged", "sparse", "noise_shape",
    "implementation", "autocast", "quantization_config", "lora_rank", "lora_alpha",
    "consume_less", "forget_bias_init", "time_major", "unroll",
    "_keras_shape", "output_mask", "layers", "value_range", "batch_size",
}  # fmt: skip
OLD_NAMES = {"zero": "zeros", "one": "ones", "normal": "random_normal", "uniform": "random_uniform"}
OLD_NAMES |= {"maxnorm": "max_norm", "nonneg": "non_neg", "unitnorm": "unit_norm"}
ONE_AXIS = ("BatchNormalization", "Concatenate", "GroupNormalization")
CHANNELS = (*ONE_AXIS, "LayerNormalization", "RMSNormalization", "UnitNormalization", "Softmax")

# Layers of Keras 3 that only its scripts have here; a file holds what they were called with.
OF_SCRIPTS = ("CategoryEncoding", "Discretization", "EinsumDense", "Identity")
PENALTY = "ActivityRegularization"  # which scripts of Keras have, and no native network

# Layers that may be the activation of another: those without weights.
SHAPED = ("ReLU", "LeakyReLU", "ThresholdedReLU", "ELU", "Softmax", "Activation", "GELU", "SELU")


class Words:
    """Gives the layers of one file; `version` is Keras's, `notes` what the reader should know.

    `functions` are those of `keras.ops`, by their names, where there are some.
    """

    def __init__(self, where: str, version: int, custom: Mapping[str, Any],
                 functions: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        own = {kind: made for kind, made in custom.items() if getattr(made, "of_keras", False)}
        self.where, self.version = where, version
        self.custom = {kind: made for kind, made in custom.items() if kind not in own}
        self.functions = functions or {}
        self.notes: list[str] = []
        self.known = known_layers() | own

    def layer(self, kind: str, name: str, config: Config, x: Spec) -> Layer:
        """Return the layer that a class name and its configuration stand for, for this input."""
        kind = kind.rpartition(">")[2]  # "Custom>Scale"
        if kind in self.custom:
            kept = {k: v for k, v in config.items() if k not in ("dtype", "batch_input_shape")}
            return self._made(self.custom[kind], name, kept)
        if kind == "Merge":
            kind = MERGES.get(str(config.get("mode")), f"Merge(mode={config.get('mode')!r})")
        config = {**config, CUDNN: True} if kind.startswith("CuDNN") else config
        kind = CLASSES.get(kind, kind)
        if kind == PENALTY and kind not in self.known:
            self._left_out(name)
            return self._made(self.known["Activation"], name, {"activation": "linear"})
        if kind in ("Lambda", "TorchModule", "Layer") or kind not in self.known:
            raise self._unknown(kind, name)
        cls = self.known[kind]
        fields = self._fields(kind, name, config, {item.name for item in dataclasses.fields(cls)})
        if kind in CHANNELS and fields.get("axis", -1) == -1 and x.data_format != "channels_last":
            fields["axis"] = len(x.shape)  # the last one, whatever the layout
        made = self._made(cls, name, fields)
        if config.get("activity_regularizer"):
            penalty = self._setting("regularizer", name, config["activity_regularizer"])
            vars(made)["activity_regularizer"] = penalty
            if PENALTY not in self.known:
                self._left_out(name)
        return made

    def _left_out(self, name: str) -> None:
        self.notes.append(
            f"the penalty of {name} on what it gives is in the file, and left out of training"
        )

    def _made(self, cls: Any, name: str, fields: Config) -> Layer:
        fields = {key: value for key, value in fields.items() if key not in ("name", "trainable")}
        layer: Layer = cls(**fields)
        layer.name = name
        return layer

    def _fields(self, kind: str, name: str, config: Config, known: set[str]) -> Config:
        words = {**WORDS, **OF_CLASS.get(kind, {})}
        config = dict(config)
        for sides in SIDES:
            if sides[0] in config:
                config["kernel_size"] = [config.pop(side) for side in sides]
        fields: Config = {}
        if config.pop(CUDNN, False):
            config |= {"activation": "tanh", "recurrent_activation": "sigmoid"}
            config |= {"reset_after": True} if kind == "GRU" else {}
        if kind == "GRU" and self.version < 3:
            config.setdefault("reset_after", False)  # which GRU had no word for, up to Keras 2.1
        for word, value in config.items():
            field = word if word in known else words.get(word, word)
            if word in ("name", "trainable"):
                continue
            if field in known:
                fields[field] = self._value(kind, name, field, value)
            elif not _idle(word, value):
                raise StoreError(
                    self.where,
                    f"layer {name!r} ({kind}) has a field that has no meaning here",
                    got=f"{word}={value!r}",
                    need="fields of L." + kind + ": " + ", ".join(sorted(known - {"name"})),
                    fix=nearest(word, known),
                )
        return {key: value for key, value in fields.items() if value is not None or key == "axis"}

    def _value(self, kind: str, name: str, field: str, value: Any) -> Any:
        if isinstance(value, dict) and "value" in value:  # a number that was a NumPy array
            value = value["value"]
        if field == "cells":
            return [self._value(kind, name, "cell", one) for one in value]
        if field in ("layer", "cell") or field.endswith("_layer"):  # of a wrapper
            inner = value and value["config"]
            return value and self.layer(value["class_name"], inner.get("name", ""), inner, Spec(()))
        room = field.rpartition("_")[2]
        if room in ROOMS and value is not None:
            return self._setting(room, name, value)
        if field.endswith("activation"):
            return self._activation(name, value)
        if field == "data_format":
            return LAYOUTS.get(value, value)
        if field == "axis" and isinstance(value, list) and kind in ONE_AXIS:
            return value[0]
        if field == "padding" and isinstance(value, dict):  # Keras 1's {"top_pad": 1, ...}
            sides = ("top", "bottom"), ("left", "right")
            return tuple(tuple(value.get(f"{side}_pad", 0) for side in pair) for pair in sides)
        return plain(value)

    def _activation(self, name: str, value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == "function":
            value = value.get("config")
        if value is None or isinstance(value, str):
            return (
                hard_sigmoid_of_keras_2 if value == "hard_sigmoid" and self.version < 3 else value
            )
        kind = str(value.get("class_name")) if isinstance(value, dict) else ""
        if CLASSES.get(kind, kind) in SHAPED:
            return self.layer(kind, "", value["config"], Spec(()))
        raise StoreError(
            self.where,
            f"layer {name!r} has an activation that is no name",
            got=f"activation={value!r}"[:200],
            need='a name like "relu"',
            fix="save the network with the activation as a layer of its own",
        )

    def _setting(self, room: str, name: str, value: Any) -> Any:
        """Return an initializer, a regularizer or a constraint; one that is not known is noted."""
        given = {"class_name": value} if isinstance(value, str) else dict(value)
        kind = given.get("class_name", given.get("name", ""))
        fields = given.get("config", {key: v for key, v in given.items() if key != "name"})
        fields = {key: v for key, v in fields.items() if key not in ("name", "dtype", "class_name")}
        fields = {
            key: v for key, v in fields.items() if key not in ("input_axes", "output_axes") or v
        }
        if kind == "WeightRegularizer":
            kind = "l1_l2"
        kind = {**OLD_NAMES, "L1L2": "l1_l2"}.get(kind, kind)
        if room == "constraint" and "m" in fields:
            fields["max_value"] = fields.pop("m")
        try:
            return ROOMS[room][1]({"name": kind, **plain(fields)})
        except Exception:  # whatever a constructor raises for what is not its own
            self.notes.append(f"the {room} {kind!r} of {name} is not known, and left out")
            return None

    def _unknown(self, kind: str, name: str) -> StoreError:
        code = kind in ("Lambda", "TFOpLambda", "SlicingOpLambda", "TorchModuleWrapper")
        return StoreError(
            self.where,
            f"layer {name!r} ({kind}) is code, and no code is taken from a file"
            if code
            else f"layer {name!r} is of the unknown class {kind!r}",
            need="a layer of striate.layers, or a class that you name",
            fix=(("" if code else nearest(kind, self.known)) or "build the network in code")
            + f", or st.load(path, custom={{{kind!r}: YourLayer}})",
        )


def _idle(word: str, value: Any) -> bool:
    """Whether a field that has no counterpart changes no output."""
    of_training = word.rpartition("_")[2] in ROOMS
    return of_training or word in WITHOUT_MEANING or value in (None, False, [], {}, 1)


def plain(value: Any) -> Any:
    """Return lists as tuples, and numbers that were float32 as they were written: 0.01."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    if isinstance(value, float) and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value
