"""`tensorflow.examples.tutorials.mnist.input_data`: MNIST as the first tutorials read it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...data.datasets import mnist


class DataSet:
    """Images from 0 to 1 and their labels, in batches without end."""

    def __init__(self, images: Any, labels: Any) -> None:
        self.images, self.labels = images, labels
        self.num_examples, self.epochs_completed, self.at = len(images), 0, 0
        self.order = np.arange(len(images))

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> Any:
        """Return the next images and labels; each pass is in another order."""
        if self.at == 0 and shuffle:
            self.order = np.random.permutation(self.order)  # noqa: NPY002  a script's seed
        places = self.order[self.at : self.at + batch_size]
        self.at += batch_size
        if self.at >= self.num_examples:
            self.at, self.epochs_completed = 0, self.epochs_completed + 1
        return self.images[places], self.labels[places]


class Datasets(NamedTuple):
    """The parts of MNIST."""

    train: DataSet
    validation: DataSet
    test: DataSet


def read_data_sets(train_dir: Any = None, fake_data: bool = False, one_hot: bool = False,
                   dtype: Any = None, reshape: bool = True, validation_size: int = 5000,
                   seed: Any = None, **words: Any) -> Datasets:  # fmt: skip
    """Return MNIST: images as rows of 784 numbers, unless `reshape` is false."""

    def part(x: Any, y: Any) -> DataSet:
        images = x.reshape(len(x), -1) if reshape else x
        return DataSet(images.astype("float32") / 255, np.eye(10)[y] if one_hot else y)

    (x, y), test = mnist()
    for name in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            print(f"Extracting {train_dir}/{name}-{kind}-ubyte.gz")  # noqa: T201
    held = validation_size
    return Datasets(part(x[held:], y[held:]), part(x[:held], y[:held]), part(*test))


NAMES = {"read_data_sets": read_data_sets}
