"""Two padded convolutions, one pooling, dropout, and a look at what the first layer has learned.

With a border of one cell a 3 x 3 kernel keeps the size of the image. Every kernel of the first
layer is a 3 x 3 picture; `kernels` returns them, and `feature_maps` what they make of one digit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import striate as st
from striate import layers as L


def build() -> st.Sequential:
    """Return the compiled network."""
    model = st.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(32, 3, padding=1, name="conv1"),  # (28, 28, 32)
            L.ReLU(),
            L.Conv2D(64, 3, padding=1, name="conv2"),  # (28, 28, 64)
            L.ReLU(),
            L.MaxPooling2D(2),  # (14, 14, 64)
            L.Dropout(0.5),
            L.Flatten(),  # 14 * 14 * 64 = 12544
            L.Dense(128),
            L.ReLU(),
            L.Dense(10),  # logits: the loss applies the softmax
        ]
    )
    model.compile(st.optimizers.SGD(learning_rate=0.001), loss="crossentropy", metrics=["accuracy"])
    return model


def kernels(model: st.Model) -> NDArray[np.float32]:
    """Return the first layer's kernels as pictures, (32, 3, 3)."""
    kernel, _ = model.get_layer("conv1").get_weights()  # (3, 3, 1, 32): row, column, input, filter
    return np.asarray(kernel[:, :, 0, :].transpose(2, 0, 1))


def feature_maps(model: st.Model, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the first layer makes of one image, (32, 28, 28)."""
    first = st.Model(model.inputs, model.get_layer("conv1").output)
    return np.asarray(first.predict(image[np.newaxis], verbose=0)[0].transpose(2, 0, 1))


def main(samples: int | None = None, epochs: int = 10, seed: int = 0) -> float:
    """Train on the first `samples` digits (None: all); return the accuracy on the test set."""
    st.seed(seed)
    (x, y), (x_test, y_test) = st.datasets.mnist()
    model = build()
    model.fit(x[:samples], y[:samples], batch_size=64, epochs=epochs)
    _, accuracy = model.evaluate(x_test, y_test)
    print("kernels", kernels(model).shape, "maps", feature_maps(model, x_test[0]).shape)
    print("the first kernel", np.round(kernels(model)[0], 2), sep="\n")
    return float(accuracy)


if __name__ == "__main__":
    print(f"test accuracy {main():.4f}")
