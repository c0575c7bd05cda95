"""`tf.layers` of TensorFlow 1: a call makes a layer and applies it; its classes are Keras's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MADE = {  # a function of tf.layers: the layer of Keras that it makes
    "conv1d": "Conv1D", "conv2d": "Conv2D", "conv3d": "Conv3D", "dense": "Dense",
    "separable_conv2d": "SeparableConv2D", "conv2d_transpose": "Conv2DTranspose",
    "max_pooling1d": "MaxPooling1D", "max_pooling2d": "MaxPooling2D",
    "max_pooling3d": "MaxPooling3D", "average_pooling1d": "AveragePooling1D",
    "average_pooling2d": "AveragePooling2D", "average_pooling3d": "AveragePooling3D",
    "flatten": "Flatten", "dropout": "Dropout", "batch_normalization": "BatchNormalization",
}  # fmt: skip
CLASSES = ("Conv1D", "Conv2D", "Conv3D", "Dense", "SeparableConv2D", "Conv2DTranspose", "Flatten",
           "Dropout", "BatchNormalization", "MaxPooling2D", "AveragePooling2D",
           "Layer")  # fmt: skip
OF_GRAPHS = ("reuse", "fused", "renorm")  # words that a network of layers has no use for


def names(layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names of `tf.layers`, made of those of `tf.keras.layers`."""
    functions = {word: _function(layers[kind]) for word, kind in MADE.items()}
    return {**functions, **{kind: layers[kind] for kind in CLASSES}}


def _function(kind: Any) -> Callable[..., Any]:
    def apply(inputs: Any, *args: Any, training: Any = None, **words: Any) -> Any:
        """Make the layer and apply it."""
        layer = kind(*args, **{key: one for key, one in words.items() if key not in OF_GRAPHS})
        return layer(inputs) if training is None else layer(inputs, training=training)

    return apply
