"""Data sets of the files in the folders of a folder: pictures, or texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import caller
from ..table import DialectError
from . import tf_image
from .image_files import img_to_array, load_img
from .image_sources import Files
from .tf_data import Dataset
from .tf_texts import Text

Read = Callable[[int], Any]
SHAPES = ("crop_to_aspect_ratio", "pad_to_aspect_ratio")


class Pictures(Files):
    """Pictures that are resized as `tf.image.resize` does it, without smoothing."""

    shaped = ""

    def sized(self, path: Path) -> NDArray[Any]:
        """Read a picture; its middle, or with black around it, where its proportions are kept."""
        x = torch.from_numpy(img_to_array(load_img(path, False, self.mode)).copy())
        height, width = x.shape[:2]
        share = self.size[0] / self.size[1]  # height of the new picture for its width
        if self.shaped:
            sides = (width * share, height / share)
            wanted = min if self.shaped == "crop_to_aspect_ratio" else max
            x = tf_image.resize_with_crop_or_pad(
                x, wanted(height, int(sides[0])), wanted(width, int(sides[1]))
            )
        if tuple(x.shape[:2]) == tuple(self.size):
            return x.numpy()
        return tf_image.resize(x, self.size, self.method).numpy()


class TextFiles(Files):
    """Texts in the folders of a folder."""

    suffixes = (".txt",)

    def text(self, index: int) -> Text:
        """Read a text."""
        return Text((self.root / self.filenames[index]).read_text(encoding="utf-8"))


def datasets_of(
    files: Files, read: Read, batch_size: int | None, shuffle: bool, seed: int | None,
    validation_split: float | None, subset: Any,
) -> Any:  # fmt: skip
    """Return the files as a data set, or a part of them, or both parts."""
    order = np.arange(len(files))
    if shuffle and validation_split and seed is None:
        raise DialectError(
            "keras.utils",
            "validation_split takes parts of files in an order by chance, which each call draws",
            got="shuffle=True, seed=None",
            need="the same seed in both calls, or shuffle=False",
            at=caller(),
        )
    if shuffle:  # the order of TensorFlow for the same seed
        np.random.RandomState(seed).shuffle(order)
    cut = len(order) - int(len(order) * (validation_split or 0))
    parts = {"training": order[:cut], "validation": order[cut:]} if validation_split else {}
    if validation_split and subset not in (*parts, "both"):
        raise DialectError(
            "keras.utils",
            "validation_split asks for one of its parts",
            got=f"subset={subset!r}",
            need='"training", "validation" or "both"',
            at=caller(),
        )
    print(f"Found {len(files)} files belonging to {len(files.class_indices)} classes.")  # noqa: T201
    for name, places in parts.items():
        if subset in (name, "both"):
            print(f"Using {len(places)} files for {name}.")  # noqa: T201

    def made(places: Any, mixes: bool) -> Dataset:
        def walk() -> Iterator[Any]:
            for place in np.random.default_rng(seed).permutation(places) if mixes else places:
                x, given = read(int(place)), files.labels(np.array([place]))
                yield x if given is None else (x, torch.as_tensor(given)[0])

        dataset = Dataset(walk, len(places))
        dataset = dataset.batch(batch_size) if batch_size else dataset
        dataset.class_names = list(files.class_indices)  # type: ignore[attr-defined]
        return dataset

    if subset == "both" and parts:
        return [made(places, shuffle and name == "training") for name, places in parts.items()]
    return made(parts.get(subset, order), shuffle and subset != "validation")


def kind_of(labels: Any, label_mode: Any) -> Any:
    """Return the form of labels, in the word of generators; none where there are none."""
    return {"int": "sparse"}.get(label_mode, label_mode) if labels is not None else None


def image_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: Any = "int", class_names: Any = None,
    color_mode: str = "rgb", batch_size: int | None = 32, image_size: Any = (256, 256),
    shuffle: bool = True, seed: int | None = None, validation_split: float | None = None,
    subset: Any = None, interpolation: str = "bilinear", **words: Any,
) -> Any:  # fmt: skip
    """Return the pictures in the folders of a folder as a data set."""
    kind = kind_of(labels, label_mode)
    files = Pictures(Path(directory), image_size, color_mode, class_names, kind, interpolation)
    files.shaped = next((word for word in SHAPES if words.get(word)), "")
    return datasets_of(files, lambda place: torch.from_numpy(files.picture(place).copy()),
                     batch_size, shuffle, seed, validation_split, subset)  # fmt: skip


def text_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: Any = "int", class_names: Any = None,
    batch_size: int | None = 32, max_length: int | None = None, shuffle: bool = True,
    seed: int | None = None, validation_split: float | None = None, subset: Any = None,
    **words: Any,
) -> Any:  # fmt: skip
    """Return the texts in the folders of a folder as a data set."""
    files = TextFiles(Path(directory), (0, 0), "", class_names, kind_of(labels, label_mode), "")
    return datasets_of(files, lambda place: Text(files.text(place)[:max_length]),
                     batch_size, shuffle, seed, validation_split, subset)  # fmt: skip
