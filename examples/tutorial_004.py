"""A small network with dropout, and its numbers of weights counted by hand.

A convolution has one kernel cell for each input channel and filter, and one bias for each filter:
3 * 3 * 1 * 6 + 6 = 60, then 3 * 3 * 6 * 16 + 16 = 880. The first dense layer, with 400 * 128 + 128,
holds more than nine tenths of all weights. `model.summary()` prints the same figures.
"""

from __future__ import annotations

import striate as st
from striate import layers as L


def build() -> st.Sequential:
    """Return the compiled network."""
    model = st.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(6, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(128, activation="relu"),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="crossentropy", metrics=["accuracy"])
    return model


def main(samples: int | None = None, epochs: int = 10, seed: int = 123) -> float:
    """Train on the first `samples` digits (None: all); return the accuracy on the test set."""
    st.seed(seed)
    (x, y), (x_test, y_test) = st.datasets.mnist()
    model = build()
    model.fit(x[:samples], y[:samples], batch_size=32, epochs=epochs)
    _, accuracy = model.evaluate(x_test, y_test)
    return float(accuracy)


if __name__ == "__main__":
    build().summary()
    print(f"test accuracy {main():.4f}")
