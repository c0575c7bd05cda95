"""Two convolutions without pooling, on pixels as they are: 0 to 255.

Nothing scales the images, so that training begins with a loss far above ln(10) = 2.3, that of
guessing. Adam recovers; the other examples begin with Rescaling and need no recovery. Targets are
one-hot rows here, and class numbers there: `loss="crossentropy"` takes both.
"""

from __future__ import annotations

import numpy as np

import striate as st
from striate import layers as L


def build() -> st.Sequential:
    """Return the compiled network."""
    model = st.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(64, kernel_size=3, activation="relu"),
            L.Conv2D(32, kernel_size=3, activation="relu"),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def main(samples: int | None = None, epochs: int = 3, seed: int = 0) -> float:
    """Train on the first `samples` digits (None: all); return the accuracy on the test set."""
    st.seed(seed)
    (x, y), (x_test, y_test) = st.datasets.mnist()
    one_hot = np.eye(10, dtype="float32")  # row i is the target of digit i
    model = build()
    model.fit(x[:samples], one_hot[y[:samples]], epochs=epochs)
    _, accuracy = model.evaluate(x_test, one_hot[y_test])
    print("first four digits:", model.predict(x_test[:4]).argmax(1), "labels:", y_test[:4])
    return float(accuracy)


if __name__ == "__main__":
    print(f"test accuracy {main():.4f}")
