"""Makes keras_dialect.json from real Keras 3: what networks in its words give for fixed weights.

KERAS_BACKEND=torch python tests/golden/make_keras_dialect.py  (in an environment with keras)
"""

import json
from pathlib import Path

import keras
import numpy as np

NETS = {
    "convolutions": """[
        layers.Conv2D(3, 3, strides=2, padding="same", activation="relu"),
        layers.DepthwiseConv2D(2, padding="same", depth_multiplier=2),
        layers.Conv2DTranspose(2, 3, strides=2, padding="same", activation="tanh")]""",
    "normalised": """[
        layers.Conv2D(4, 2), layers.BatchNormalization(momentum=0.9), layers.LeakyReLU(0.1),
        layers.MaxPooling2D(2, padding="same"), layers.GlobalAveragePooling2D()]""",
    "sized": """[
        layers.ZeroPadding2D(((1, 0), (2, 1))), layers.UpSampling2D(2),
        layers.Cropping2D(((1, 2), (0, 1))), layers.SeparableConv2D(3, 3), layers.ELU(0.5)]""",
    "classes": """[
        layers.Conv2D(2, 3, activation="relu"), layers.Flatten(), layers.Dense(5),
        layers.PReLU(), layers.Dense(3, activation="softmax")]""",
}
OPTIMIZERS = ("sgd", "rmsprop", "adam", "adagrad", "adadelta", "adamax", "nadam")


def numbers(*shape: int) -> np.ndarray:
    """Return the same numbers for a shape each time, in [-1, 1]."""
    count = int(np.prod(shape))
    return np.sin(np.arange(count) * 12.9898).reshape(shape).astype("float32")


def made(keras: object, text: str) -> object:
    """Return a network whose weights are those numbers."""
    layers = keras.layers
    net = keras.Sequential([keras.Input((7, 6, 2)), *eval(text, {"layers": layers})])
    values = [numbers(*w.shape) * 0.5 for w in net.get_weights()]
    net.set_weights([abs(v) if v.ndim == 1 else v for v in values])
    return net


def results(keras: object) -> dict[str, object]:
    """Return outputs, and the weights after one step of each optimizer."""
    x, found = numbers(4, 7, 6, 2), {}
    for name, text in NETS.items():
        net = made(keras, text)
        out = net.predict(x, verbose=0)
        y = numbers(*out.shape) ** 2
        net.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
        net.train_on_batch(x, y)
        net.train_on_batch(x, y)
        found[name] = {
            "out": out.ravel().tolist(),
            "after": [np.asarray(w).ravel().tolist() for w in net.get_weights()],
        }
    for word in OPTIMIZERS:
        net = made(keras, NETS["classes"])
        net.compile(word, "categorical_crossentropy")
        labels = np.eye(3, dtype="float32")[[0, 1, 2, 1]]
        loss = net.train_on_batch(x, labels)
        found[word] = {
            "loss": float(np.ravel(loss)[0]),
            "after": np.asarray(net.get_weights()[-2]).ravel().tolist(),
        }
    return found


if __name__ == "__main__":
    document = {"keras": keras.__version__, "results": results(keras)}
    Path(__file__).with_name("keras_dialect.json").write_text(json.dumps(document) + "\n")
