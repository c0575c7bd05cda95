"""The data sets that Striate knows by name: MNIST is shipped, others are fetched once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import StoreError, one_of
from ..idx import read_idx_pair
from .fetch import cifar10, cifar100, fashion_mnist

__all__ = ["cifar10", "cifar100", "class_names", "fashion_mnist", "mnist"]

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]

_CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot",
    ),
    "cifar10": (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ),
}  # fmt: skip
_MNIST = Path(__file__).parent / "mnist"
# SHA-256 of the four published files, after decompression.
_MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def mnist() -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """Return MNIST's 60,000 training and 10,000 test digits, the real files, without a network.

    Each image is 28 x 28 pixels with one channel, 0 (paper) to 255 (ink); each label is its digit.
    Keras leaves the channel axis out; here it is there, as `L.Input((28, 28, 1))` asks for it.

    Shape: ((60000, 28, 28, 1), (60000,)), ((10000, 28, 28, 1), (10000,)), all uint8

    Raises: StoreError when a shipped file is missing or not the published one (checked each time).

    Example:
        >>> (x_train, y_train), (x_test, y_test) = mnist()
        >>> x_train.shape, y_train[:5].tolist()
        ((60000, 28, 28, 1), [5, 0, 4, 1, 9])

    Source: LeCun, Cortes and Burges, CC BY-SA 3.0; see mnist/ATTRIBUTION.md.
    """
    return _mnist_part("train"), _mnist_part("t10k")


def class_names(dataset: str) -> tuple[str, ...]:
    """Return the names of a data set's classes, in the order of its labels.

    Example:
        >>> class_names("mnist")
        ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')
    """
    one_of("class_names", "dataset", dataset, _CLASSES)
    return _CLASSES[dataset]


def _mnist_part(part: str) -> tuple[Images, Labels]:
    names = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    images, labels = (_MNIST / f"{name}.gz" for name in names)
    try:
        x, y = read_idx_pair(
            images, labels, sha256=(_MNIST_SHA256[names[0]], _MNIST_SHA256[names[1]])
        )
    except StoreError as damaged:
        rows = damaged.rows | {"fix": "pip install --force-reinstall striate"}
        raise StoreError(damaged.where, damaged.what, **rows) from None
    return x[..., np.newaxis], y  # (N, 28, 28) -> (N, 28, 28, 1)
