"""Writes models with real Keras, and what they predict: keras_files/*.keras, *.h5, *.npz.

With Keras 3:  KERAS_BACKEND=torch python make_keras_files.py       (pip install keras h5py torch)
With Keras 2:  python make_keras_files.py keras2                    (pip install tf-keras)

Every file has the version of the Keras that wrote it inside. The weights are small whole numbers
over 16, so that the files compress and the numbers are exact.
"""

import sys
from pathlib import Path

import numpy as np

if sys.argv[1:] == ["keras2"]:
    import tf_keras as keras

    SUFFIXES = {"": ".h5", "_weights": ".h5"}
    TAG = "keras2_"
else:
    import keras

    SUFFIXES = {"": ".keras", "_old": ".h5", "_weights": ".weights.h5"}
    TAG = "keras3_"
L = keras.layers
FOLDER = Path(__file__).parent / "keras_files"


def plain():
    return keras.Sequential(
        [
            keras.Input((10, 10, 3)) if TAG == "keras3_" else L.InputLayer(input_shape=(10, 10, 3)),
            L.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="stem",
                     kernel_regularizer=keras.regularizers.l2(0.01)),
            L.BatchNormalization(momentum=0.9, epsilon=0.01),
            L.MaxPooling2D(2, padding="same"),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(5, activation="tanh", kernel_constraint=keras.constraints.MaxNorm(3)),
            L.Dense(3, activation="softmax", name="answer"),
        ],
        name="plain",
    )  # fmt: skip


def branches():
    image, vector = keras.Input((8, 8, 2), name="image"), keras.Input((4,), name="vector")
    shared = L.Conv2D(2, 3, padding="same", activation="elu", name="twice")
    inner = keras.Sequential(
        [
            L.InputLayer(**{"shape" if TAG == "keras3_" else "input_shape": (8, 8, 2)}),
            L.Conv2D(3, 3),
            L.BatchNormalization(scale=False),
            L.GlobalAveragePooling2D(),
        ],
        name="inner",
    )
    start = keras.Input((3,), name="start")
    head = keras.Model(start, [L.Dense(2, name="left")(start), L.Dense(3, name="right")(start)],
                       name="head")  # fmt: skip
    a = shared(image)
    b = shared(L.Activation("relu")(a))
    features = inner(L.Add()([a, b]))
    again = inner(image)
    left, right = head(L.Maximum()([features, again]))
    both = L.Concatenate(name="both")([left, L.Dense(3, activation="sigmoid")(vector)])
    return keras.Model([image, vector], [L.Dense(2, name="one")(both), right], name="branches")


def first():
    layout = {"data_format": "channels_first"}
    x = keras.Input((2, 7, 9), name="x")
    y = L.Conv2D(4, (2, 3), padding="same", **layout)(x)
    y = L.BatchNormalization(axis=1)(y)
    y = L.AveragePooling2D((2, 2), padding="same", **layout)(y)
    y = L.BatchNormalization(axis=-1)(y)
    y = L.Concatenate(axis=1)([y, L.LeakyReLU()(y)])
    y = L.ZeroPadding2D(((1, 0), (0, 2)), **layout)(y)
    z = L.Dense(3)(L.Flatten(data_format="channels_first")(y))
    w = L.Dense(2)(L.Flatten()(y))
    return keras.Model(x, [z, w, L.GlobalMaxPooling2D(**layout)(y)], name="first")


def many():
    x = keras.Input((8, 8, 4), name="x")
    ends = [
        L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", strides=2)(x),
        L.SeparableConv2D(3, 3, depth_multiplier=2, activation="relu")(x),
        L.Conv2DTranspose(3, 3, strides=2, padding="same")(x),
        L.Conv2D(4, 3, dilation_rate=2, use_bias=False, activation="softplus")(x),
        L.Conv2D(4, 3, groups=2, activation="selu")(x),
        L.PReLU(shared_axes=[1, 2])(x),
        L.LayerNormalization()(x),
        L.GroupNormalization(2)(x),
        L.Conv1D(3, 3, padding="causal")(L.Reshape((16, 16))(x)),
        L.Conv1DTranspose(2, 3, strides=2)(L.Reshape((16, 16))(x)),
        L.Conv3D(2, 2)(L.Reshape((4, 4, 4, 4))(x)),
        L.UpSampling2D(2, interpolation="bilinear")(x),
        L.Cropping2D(((1, 2), (0, 1)))(x),
        L.Permute((3, 1, 2))(x),
        L.Rescaling(1 / 127.5, offset=-1)(x),
        L.RepeatVector(3)(L.GlobalMaxPooling2D()(x)),
        L.ReLU(max_value=1.0, negative_slope=0.125, threshold=0.25)(x),
        L.Softmax(axis=1)(x),
        L.Multiply()([x, L.SpatialDropout2D(0.5)(L.GaussianNoise(0.5)(x))]),
        L.Average()([x, L.Minimum()([x, L.ELU(0.5)(x)])]),
        L.Dot(axes=-1)([L.Reshape((16, 16))(x), L.Reshape((16, 16))(x)]),
        L.Subtract()([x, L.ZeroPadding2D(1)(L.Cropping2D(1)(x))]),
        L.Normalization(mean=[1.0, 0.0, 0.5, 0.25], variance=[1.0, 4.0, 0.25, 1.0])(x),
    ]
    if TAG == "keras3_":
        ends += [2.0 * x - 1.0, 1.0 / (x * x + 1.0), L.Activation("hard_sigmoid")(x),
                 L.RMSNormalization()(x)]  # fmt: skip
    else:
        ends += [L.Activation("hard_sigmoid")(x), L.ThresholdedReLU(0.5)(x)]
    return keras.Model(x, ends, name="many")


def transfer():
    image = keras.Input((8, 8, 1), name="image")
    y = L.BatchNormalization(name="norm_a")(L.Conv2D(2, 3, name="conv_a")(image))
    y = L.BatchNormalization(name="norm_b")(L.Conv2D(3, 3, name="conv_b")(y))
    base = keras.Model(image, y, name="base")
    base.trainable = False
    return keras.Sequential([base, L.Flatten(), L.Dense(2)], name="transfer")


def write(make):
    model = make()
    rng = np.random.default_rng(0)
    # variances must be positive; all others may be anything
    model.set_weights(
        [
            abs(w) + 0.5 if "variance" in getattr(weight, "path", weight.name) else w
            for weight in model.weights
            for w in [rng.integers(-8, 9, tuple(weight.shape)).astype("float32") / 16]
        ]
    )  # fmt: skip
    if make is plain:
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    inputs = [rng.integers(-16, 17, (2, *x.shape[1:])).astype("float32") / 16 for x in model.inputs]
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    name = f"{TAG}{make.__name__}"
    for word, suffix in SUFFIXES.items():
        if word == "_weights" and make not in (plain, branches):
            continue
        save = model.save_weights if word == "_weights" else model.save
        save(FOLDER / f"{name}{word}{suffix}")
    arrays = {f"x{n}": a for n, a in enumerate(inputs)} | {
        f"y{n}": a for n, a in enumerate(outputs)
    }
    np.savez_compressed(FOLDER / f"{name}.npz", **arrays, version=keras.__version__)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for make in (plain, branches, first, many, transfer):
        if make is first and TAG == "keras2_":
            continue  # TensorFlow on a processor has no channels-first convolution
        write(make)
