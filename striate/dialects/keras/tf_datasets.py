"""`tensorflow_datasets`: the data sets of Striate's store, as `tf.data` takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.datasets import class_names, fetch, mnist
from ...errors import caller, nearest
from ..table import DialectError
from .tf_data import Dataset
from .tf_elements import Arrays
from .tf_objects import Anything

SOURCES: Mapping[str, Callable[[], Any]] = {
    "mnist": mnist, "fashion_mnist": fetch.fashion_mnist, "cifar10": fetch.cifar10,
    "cifar100": fetch.cifar100,
}  # fmt: skip
PARTS = ("train", "test")
SLICE = re.compile(r"(\w+)(?:\[(-?\d*%?):(-?\d*%?)\])?")


@dataclass(frozen=True)
class Label:
    """The classes of a data set."""

    names: list[str]

    @property
    def num_classes(self) -> int:
        """Return how many there are."""
        return len(self.names)

    def int2str(self, number: Any) -> str:
        """Return the name of a class."""
        return self.names[int(number)]

    def str2int(self, name: str) -> int:
        """Return the number of a class."""
        return self.names.index(name)


class Builder:
    """A data set by its name."""

    def __init__(self, name: str, **words: Any) -> None:
        self.name = name.partition(":")[0].partition("/")[0]
        if self.name not in SOURCES:
            raise DialectError(
                "tensorflow_datasets",
                f"{self.name} is not in Striate's store",
                need=f"one of {', '.join(SOURCES)}",
                fix=nearest(self.name, SOURCES)
                or "tf.keras.utils.image_dataset_from_directory, of a folder with your own copy",
                at=caller(),
            )
        self.parts = dict(zip(PARTS, SOURCES[self.name](), strict=True))
        shape = self.parts["train"][0].shape[1:]
        classes = map(str, range(100)) if self.name == "cifar100" else class_names(self.name)
        self.info = Anything(
            name=self.name, full_name=self.name, version="3.0.1",
            supervised_keys=("image", "label"),
            features={"image": Anything(shape=shape), "label": Label([*classes])},
            splits={part: Anything(num_examples=len(x)) for part, (x, _) in self.parts.items()},
        )  # fmt: skip

    def download_and_prepare(self, **words: Any) -> None:
        """Do nothing: the data are there."""

    def as_dataset(self, split: Any = None, batch_size: int | None = None,
                   shuffle_files: bool = False, as_supervised: bool = False,
                   **words: Any) -> Any:  # fmt: skip
        """Return the data set of a split, and of several ones as they are given."""
        made = partial(self.as_dataset, batch_size=batch_size, as_supervised=as_supervised)
        if split is None:
            return {part: made(part) for part in PARTS}
        if isinstance(split, (list, tuple)):
            return type(split)(map(made, split))
        x, y = self._cut(str(split))
        both = (x, y) if as_supervised else {"image": x, "label": y}
        if batch_size == -1:
            return next(iter(Dataset.from_tensors(both)))
        dataset = Dataset.from_tensor_slices(both)
        return dataset.batch(batch_size) if batch_size else dataset

    def _cut(self, split: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the samples of `train[:80%]+test`, and of its like."""
        chosen = [self._part(part.strip(), split) for part in split.split("+")]
        return (
            np.concatenate([x for x, _ in chosen]),
            np.concatenate([y for _, y in chosen]).astype("int64"),
        )

    def _part(self, part: str, split: str) -> tuple[NDArray[Any], NDArray[Any]]:
        found = SLICE.fullmatch(part)
        if not found or found[1] not in (*PARTS, "all"):
            raise DialectError(
                "tensorflow_datasets",
                f"{self.name} has no such split",
                got=f"split={split!r}",
                need='"train" or "test", a part such as "train[:80%]" or "train[1000:]", or '
                'several with "+"',
                at=caller(),
            )
        names = PARTS if found[1] == "all" else (found[1],)
        several = zip(*(self.parts[name] for name in names), strict=True)
        x, y = (np.concatenate(arrays) for arrays in several)
        ends = slice(*(_place(end, len(x)) for end in found.groups()[1:]))
        return x[ends], y[ends]


def _place(end: str | None, count: int) -> int | None:
    if not end:
        return None
    return round(int(end[:-1]) * count / 100) if end.endswith("%") else int(end)


def load(name: str, *, split: Any = None, with_info: bool = False, **words: Any) -> Any:
    """Return the data set of each split, and what is known of them."""
    builder = Builder(name)
    made = builder.as_dataset(split, **words)
    return (made, builder.info) if with_info else made


def as_numpy(dataset: Any) -> Any:
    """Return the elements as arrays; of several data sets, each."""
    if isinstance(dataset, dict):
        return {name: as_numpy(one) for name, one in dataset.items()}
    if isinstance(dataset, (list, tuple)):
        return type(dataset)(map(as_numpy, dataset))
    return Elements(dataset) if isinstance(dataset, Dataset) else dataset.numpy()


class Elements:
    """The elements of a data set as arrays, again and again."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __iter__(self) -> Iterator[Any]:
        return iter(Arrays(self.dataset))

    def __len__(self) -> int:
        return len(self.dataset)


NAMES = {
    "load": load, "builder": Builder, "as_numpy": as_numpy, "__version__": "4.9.0",
    "list_builders": lambda **words: [*SOURCES], "disable_progress_bar": lambda: None,
    "Split": Anything(TRAIN="train", TEST="test", ALL="all"),
}  # fmt: skip
