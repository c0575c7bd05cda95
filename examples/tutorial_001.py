"""The textbook network, written twice: as a stack of layers, and as calls on symbols.

Convolution and pooling take turns, so that each stage sees a larger part of the image at a lower
resolution. Both spellings give the same layers, shapes and numbers of weights: 121,930. The form
with 93,322, of Chollet's Deep Learning with Python, has a third convolution, `stack(third=64)`; it
has fewer, because the dense layer behind it sees 3 x 3 positions and no longer 5 x 5.
"""

from __future__ import annotations

import striate as st
from striate import layers as L


def stack(third: int = 0) -> st.Sequential:
    """Return the network as one layer after another; `third` filters before Flatten, or none."""
    return st.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(32, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(64, 3, activation="relu"),
            L.MaxPooling2D(2),
            *([L.Conv2D(third, 3, activation="relu")] if third else []),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )


def calls() -> st.Model:
    """Return the same network as calls: each layer takes a symbol and gives the next one."""
    image = L.Input((28, 28, 1))
    x = L.Rescaling(1 / 255)(image)
    for filters in (32, 64):
        x = L.Conv2D(filters, 3, activation="relu")(x)
        x = L.MaxPooling2D(2)(x)
    x = L.Dense(64, activation="relu")(L.Flatten()(x))
    return st.Model(image, L.Dense(10, activation="softmax")(x))


def build(third: int = 0) -> st.Model:
    """Return the compiled network."""
    model = stack(third)
    model.compile(optimizer="rmsprop", loss="crossentropy", metrics=["accuracy"])
    return model


def main(samples: int | None = None, epochs: int = 4, seed: int = 0, third: int = 0) -> float:
    """Train on the first `samples` digits (None: all); return the accuracy on the test set."""
    st.seed(seed)
    (x, y), (x_test, y_test) = st.datasets.mnist()
    model = build(third)
    model.fit(x[:samples], y[:samples], batch_size=64, epochs=epochs)
    _, accuracy = model.evaluate(x_test, y_test)
    return float(accuracy)


if __name__ == "__main__":
    build().summary()
    print(f"test accuracy {main():.4f}")
