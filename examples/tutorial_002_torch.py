"""A plain torch.nn module, trained, judged and inspected by Striate without a change to it.

The module ends in logits and knows nothing of Striate; `Model.from_torch` takes it with the shape
of one image, and from there on it has fit, evaluate and summary like any other model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

import striate as st

MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels, scaled to 0..1


class ConvNet(nn.Module):
    """Two 5 x 5 convolutions that keep the size, each halved by pooling, and two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (32, 14, 14)
            nn.Conv2d(32, 64, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (64, 7, 7)
            nn.Flatten(),  # 64 * 7 * 7 = 3136
        )
        self.classify = nn.Sequential(nn.Dropout(), nn.Linear(3136, 1000), nn.Linear(1000, 10))

    def forward(self, x: Tensor) -> Tensor:
        """Return one logit for each digit."""
        out: Tensor = self.classify(self.features(x))
        return out


def normalize(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (N, 28, 28, 1) pixels as (N, 1, 28, 28) numbers of mean 0 and variance 1."""
    scaled = images.transpose(0, 3, 1, 2).astype("float32") / 255
    return (scaled - np.float32(MEAN)) / np.float32(STD)


def build() -> st.Model:
    """Return the compiled network."""
    model = st.Model.from_torch(ConvNet(), (1, 28, 28))
    model.compile(st.optimizers.Adam(learning_rate=1e-3), loss="crossentropy", metrics=["accuracy"])
    return model


def main(samples: int | None = None, epochs: int = 5, seed: int = 0) -> float:
    """Train on the first `samples` digits (None: all); return the accuracy on the test set."""
    st.seed(seed)
    (x, y), (x_test, y_test) = st.datasets.mnist()
    model = build()
    model.fit(normalize(x[:samples]), y[:samples], batch_size=100, epochs=epochs)
    _, accuracy = model.evaluate(normalize(x_test), y_test)
    return float(accuracy)


if __name__ == "__main__":
    print(f"test accuracy {main():.4f}")
