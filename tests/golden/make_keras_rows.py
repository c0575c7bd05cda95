"""Makes keras_rows.json from real Keras 3: every layer of the dialect's tables, in its words.

KERAS_BACKEND=torch python tests/golden/make_keras_rows.py  (in an environment with keras)

For each case: the shapes of the weights, what the network gives for fixed weights, and all of its
weights after one step of SGD, with the averages of BatchNormalization among them. A dense layer in
front of the layer shows what slope comes out of it. Numbers are rounded to 5 places.
"""

import json
from pathlib import Path

import keras
import numpy as np

IMAGE, ROW, VOLUME, FLAT = (5, 6, 2), (7, 2), (3, 2, 5, 2), (5,)
ONE = {  # the layer, and the shape of its input
    "Dense": ("Dense(3, activation='tanh')", FLAT),
    "Activation": ("Activation('softplus')", FLAT),
    "Activation gelu": ("Activation('gelu')", FLAT),
    "Activation hard_sigmoid": ("Activation('hard_sigmoid')", FLAT),
    "Activation selu": ("Activation('selu')", FLAT),
    "Flatten": ("Flatten()", IMAGE),
    "Flatten channels first": ("Flatten(data_format='channels_first')", IMAGE),
    "Reshape": ("Reshape((6, -1))", IMAGE),
    "Permute": ("Permute((3, 1, 2))", IMAGE),
    "RepeatVector": ("RepeatVector(3)", FLAT),
    "Lambda": ("Lambda(lambda x: x * x)", FLAT),
    "Conv1D": ("Conv1D(3, 4, strides=2, padding='same', activation='tanh')", ROW),
    "Conv1D causal": ("Conv1D(3, 3, padding='causal', dilation_rate=2)", ROW),
    "Conv2D": ("Conv2D(3, (3, 2), strides=2, padding='same')", IMAGE),
    "Conv2D dilated": ("Conv2D(3, 2, dilation_rate=(2, 3), use_bias=False)", IMAGE),
    "Conv2D of groups": ("Conv2D(4, 3, groups=2)", IMAGE),
    "Conv3D": ("Conv3D(2, (2, 1, 3), strides=(1, 2, 2), padding='same')", VOLUME),
    "Conv1DTranspose": ("Conv1DTranspose(3, 4, strides=3, padding='same')", ROW),
    "Conv2DTranspose": ("Conv2DTranspose(3, (3, 4), strides=2, padding='same')", IMAGE),
    "Conv2DTranspose valid": ("Conv2DTranspose(2, 2, strides=3)", IMAGE),
    "Conv3DTranspose": ("Conv3DTranspose(2, 3, strides=2)", (3, 2, 3, 2)),
    "SeparableConv1D": ("SeparableConv1D(3, 3, depth_multiplier=2)", ROW),
    "SeparableConv2D": ("SeparableConv2D(3, 3, strides=2, padding='same')", IMAGE),
    "DepthwiseConv1D": ("DepthwiseConv1D(3, depth_multiplier=2)", ROW),
    "DepthwiseConv2D": ("DepthwiseConv2D(3, strides=2, padding='same')", IMAGE),
    "UpSampling1D": ("UpSampling1D(3)", ROW),
    "UpSampling2D": ("UpSampling2D((2, 3))", IMAGE),
    "UpSampling2D bilinear": ("UpSampling2D(2, interpolation='bilinear')", IMAGE),
    "UpSampling3D": ("UpSampling3D((2, 1, 2))", (3, 2, 3, 2)),
    "ZeroPadding1D": ("ZeroPadding1D((2, 1))", ROW),
    "ZeroPadding2D": ("ZeroPadding2D(((1, 0), (2, 3)))", IMAGE),
    "ZeroPadding3D": ("ZeroPadding3D((1, 0, 2))", (3, 2, 3, 2)),
    "Cropping1D": ("Cropping1D((2, 1))", ROW),
    "Cropping2D": ("Cropping2D(((1, 0), (2, 3)))", IMAGE),
    "Cropping3D": ("Cropping3D((1, 0, 1))", (3, 2, 4, 2)),
    "MaxPooling1D": ("MaxPooling1D(2, padding='same')", ROW),
    "MaxPooling2D": ("MaxPooling2D(3, strides=2, padding='same')", IMAGE),
    "MaxPooling3D": ("MaxPooling3D(2)", (2, 4, 5, 2)),
    "AveragePooling1D": ("AveragePooling1D(2)", ROW),
    "AveragePooling2D": ("AveragePooling2D(2, padding='valid')", IMAGE),
    "AveragePooling3D": ("AveragePooling3D((2, 1, 2))", VOLUME),
    **{f"Global{kind}Pooling{rank}D": (f"Global{kind}Pooling{rank}D()", shape)
       for kind in ("Max", "Average") for rank, shape in ((1, ROW), (2, IMAGE), (3, VOLUME))},
    "BatchNormalization": ("BatchNormalization(momentum=0.8)", IMAGE),
    "BatchNormalization flat": ("BatchNormalization(scale=False, epsilon=0.01)", FLAT),
    "LayerNormalization": ("LayerNormalization()", IMAGE),
    "GroupNormalization": ("GroupNormalization(2)", IMAGE),
    "UnitNormalization": ("UnitNormalization()", IMAGE),
    "RMSNormalization": ("RMSNormalization()", IMAGE),
    "LeakyReLU": ("LeakyReLU(0.2)", FLAT),
    "PReLU": ("PReLU(shared_axes=[1, 2])", IMAGE),
    "ELU": ("ELU(0.7)", FLAT),
    "ReLU": ("ReLU(max_value=0.4, negative_slope=0.1, threshold=0.1)", FLAT),
    "Softmax": ("Softmax(axis=1)", ROW),
    "Rescaling": ("Rescaling(0.5, offset=-1.0)", IMAGE),
    "Normalization": ("Normalization(mean=[0.5, -0.2], variance=[2.0, 0.5])", IMAGE),
    "Resizing": ("Resizing(4, 5)", IMAGE),
    "CenterCrop": ("CenterCrop(4, 3)", IMAGE),
}  # fmt: skip
STILL = {  # layers that draw numbers: what they give where they draw none
    "Dropout": ("Dropout(0.4)", FLAT),
    **{f"SpatialDropout{rank}D": (f"SpatialDropout{rank}D(0.4)", shape)
       for rank, shape in ((1, ROW), (2, IMAGE), (3, VOLUME))},
    "GaussianNoise": ("GaussianNoise(0.4)", FLAT),
    "GaussianDropout": ("GaussianDropout(0.4)", FLAT),
    "AlphaDropout": ("AlphaDropout(0.4)", FLAT),
    "RandomFlip": ("RandomFlip()", IMAGE),
    "RandomRotation": ("RandomRotation(0.2)", IMAGE),
    "RandomZoom": ("RandomZoom(0.2)", IMAGE),
    "RandomTranslation": ("RandomTranslation(0.2, 0.2)", IMAGE),
    "RandomContrast": ("RandomContrast(0.2)", (5, 6, 3)),
    "RandomBrightness": ("RandomBrightness(0.2)", (5, 6, 3)),
}  # fmt: skip
TWO = {  # layers of two inputs
    **{name: f"{name}()" for name in ("Add", "Subtract", "Multiply", "Average", "Maximum",
                                      "Minimum")},
    "Concatenate": "Concatenate(axis=1)",
    "Dot": "Dot(axes=1)",
    "Dot normalized": "Dot(axes=2, normalize=True)",
}  # fmt: skip

OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw", "adagrad", "adadelta", "adamax", "nadam", "lion",
              "ftrl", "adafactor", "lamb", "muon")  # fmt: skip
MADE = {"lamb": "Lamb", "muon": "Muon"}  # which have no name as a text


def numbers(*shape: int) -> np.ndarray:
    """Return the same numbers for a shape each time, in [-1, 1]."""
    return np.sin(np.arange(int(np.prod(shape))) * 12.9898).reshape(shape).astype("float32")


def rounded(values: object) -> list[float]:
    """Return numbers as a list, rounded."""
    return np.round(np.asarray(values, "float64").ravel(), 5).tolist()


def given(net: object) -> object:
    """Give a network those numbers as weights; variances are positive."""
    values = [numbers(*w.shape) * 0.5 for w in net.get_weights()]
    net.set_weights([abs(v) + 0.1 if v.ndim == 1 else v for v in values])
    return net


def results(keras: object) -> dict[str, dict[str, object]]:
    """Return what each case gives."""
    layers, found = keras.layers, {}
    for name, (text, shape) in {**ONE, **STILL}.items():
        layer = eval(f"layers.{text}", {"layers": layers})
        front = [] if name in STILL else [layers.Dense(shape[-1], use_bias=False)]
        net = keras.Sequential([keras.Input(shape), *front, layer])
        found[name] = of(keras, net, numbers(3, *shape), steps=name not in STILL)
    for name, text in TWO.items():
        start = keras.Input(ROW)
        halves = [layers.Dense(3)(start), layers.Dense(3, activation="tanh")(start)]
        net = keras.Model(start, eval(f"layers.{text}", {"layers": layers})(halves))
        found[name] = of(keras, net, numbers(3, *ROW), steps=True)
    for word in OPTIMIZERS:
        net = given(keras.Sequential([keras.Input(FLAT), keras.layers.Dense(2)]))
        net.compile(getattr(keras.optimizers, MADE[word])() if word in MADE else word, "mse")
        for _ in range(3):
            net.train_on_batch(numbers(3, *FLAT), numbers(3, 2) ** 2)
        found[word] = {"after": [rounded(w) for w in net.get_weights()]}
    return found


def of(keras: object, net: object, x: np.ndarray, steps: bool) -> dict[str, object]:
    """Return the weights' shapes, the output, and the weights after a step, if one is done."""
    given(net)
    out = np.asarray(net.predict(x, verbose=0))
    made = {"shapes": [list(w.shape) for w in net.get_weights()], "size": list(out.shape),
            "out": rounded(out), "after": []}  # fmt: skip
    if steps:
        net.compile(keras.optimizers.SGD(0.1), "mse")
        net.train_on_batch(x, numbers(*out.shape) ** 2)
        made["after"] = [rounded(w) for w in net.get_weights()]
    return made


if __name__ == "__main__":
    document = {"keras": keras.__version__, "results": results(keras)}
    Path(__file__).with_name("keras_rows.json").write_text(json.dumps(document) + "\n")
