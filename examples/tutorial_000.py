"""Two convolutions and 512 hidden units on handwritten digits, with the channels in front.

An image is (1, 28, 28): channel, row, column. `data_format` says so once, at the input, and every
layer behind it follows. A batch of 8 makes 7,500 small steps, so that SGD gets far in one epoch.
"""

from __future__ import annotations

import striate as st
from striate import layers as L


def build() -> st.Sequential:
    """Return the compiled network."""
    model = st.Sequential(
        [
            L.Input((1, 28, 28), data_format="channels_first"),
            L.Rescaling(1 / 255),
            L.Conv2D(20, 3, activation="relu"),  # (20, 26, 26)
            L.MaxPooling2D(),
            L.Conv2D(50, 3, activation="relu", name="conv2"),  # (50, 11, 11)
            L.MaxPooling2D(),
            L.Flatten(),  # 50 * 5 * 5 = 1250
            L.Dense(512, activation="relu", name="fc1"),
            L.Dense(10, activation="softmax", name="fc2"),
        ]
    )
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(samples: int | None = None, epochs: int = 1, seed: int = 0) -> float:
    """Train on the first `samples` digits (None: all); return the accuracy on the test set."""
    st.seed(seed)
    (x, y), (x_test, y_test) = st.datasets.mnist()
    x, x_test = x.transpose(0, 3, 1, 2), x_test.transpose(0, 3, 1, 2)  # (N, 1, 28, 28)
    model = build()
    model.fit(x[:samples], y[:samples], batch_size=8, epochs=epochs)
    _, accuracy = model.evaluate(x_test, y_test)
    return float(accuracy)


if __name__ == "__main__":
    print(f"test accuracy {main():.4f}")
