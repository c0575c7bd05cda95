"""Where pictures in batches come from: arrays, folders, and tables of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import caller
from ..table import DialectError
from .image_files import array_to_img, img_to_array, load_img

Array = NDArray[Any]
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff", ".gif", ".webp")
OF_CLASSES = ("categorical", "binary", "sparse")
FRAME_MODES = (*OF_CLASSES, "input", "raw", "other", "multi_output", None)


class Arrays:
    """Pictures that are in memory."""

    def __init__(self, x: Array, y: Any, weight: Any) -> None:
        self.x, self.y, self.weight = x, y, weight

    def __len__(self) -> int:
        return len(self.x)

    def picture(self, index: int) -> Array:
        """Return a picture as it is."""
        return np.array(self.x[index], dtype="float32")

    def labels(self, places: Array) -> Any:
        """Return the labels at these places, None where there are none."""
        return None if self.y is None else self.y[places]

    def weights(self, places: Array) -> Any:
        """Return the weights at these places, None where there are none."""
        return None if self.weight is None else self.weight[places]


class Files:
    """Pictures in the folders of a folder."""

    suffixes: tuple[str, ...] = SUFFIXES

    def __init__(self, root: Path, size: Any, mode: str, classes: Any, labels: Any, method: str):
        inside = sorted(path.name for path in root.iterdir() if path.is_dir())
        folders = inside if classes is None else list(classes)
        self.root, self.size, self.mode, self.kind, self.method = root, size, mode, labels, method
        self.class_indices = {name: number for number, name in enumerate(folders)}
        found = [
            (path.relative_to(root).as_posix(), number)
            for name, number in self.class_indices.items()
            for path in sorted((root / name).rglob("*"))
            if path.suffix.lower() in self.suffixes
        ]
        self.filenames = [name for name, _ in found]
        self.classes = np.array([number for _, number in found], dtype="int32")

    def choose(self, subset: Any, split: float) -> None:
        """Keep the part of each class that is for training, or for validation."""
        if subset is None:
            return
        keep: list[int] = []
        for number in self.class_indices.values():
            places = np.flatnonzero(self.classes == number)
            cut = int(len(places) * split)
            keep += list(places[:cut] if subset == "validation" else places[cut:])
        self.filenames = [self.filenames[index] for index in keep]
        self.classes = self.classes[keep]

    def __len__(self) -> int:
        return len(self.filenames)

    def picture(self, index: int) -> Array:
        """Read a picture."""
        return self.sized(self.root / self.filenames[index])

    def sized(self, path: Path) -> Array:
        """Read a picture in the size that was asked for."""
        return img_to_array(load_img(path, False, self.mode, self.size, self.method))

    def labels(self, places: Array) -> Any:
        """Return the labels in the form that was asked for."""
        numbers = self.classes[places]
        if self.kind == "categorical":
            return np.eye(len(self.class_indices), dtype="float32")[numbers]
        if self.kind == "binary":
            return numbers.astype("float32")
        return numbers if self.kind == "sparse" else None

    def weights(self, places: Array) -> Any:
        """Return no weights."""
        return None


class Keeps:
    """Where changed pictures are also written, if asked for."""

    def __init__(self, folder: Any, prefix: str, suffix: str) -> None:
        self.folder, self.prefix, self.suffix = folder, prefix, suffix
        self.written = 0

    def write(self, batch: Array, layout: str) -> None:
        """Write a batch."""
        if self.folder is None:
            return
        for one in batch:
            name = f"{self.prefix}_{self.written}_{id(self) % 10000}.{self.suffix}"
            array_to_img(one, layout).save(Path(self.folder) / name)
            self.written += 1


class Frame(Files):
    """Pictures whose names, and labels, are columns of a table."""

    def __init__(self, frame: Any, root: Any, columns: tuple[Any, Any, Any], size: Any, mode: str,
                 classes: Any, labels: Any, method: str, checks: bool = True,
                 suffix: str = "") -> None:  # fmt: skip
        name, label, weight = columns
        self.root, self.size, self.mode = Path(root or ""), size, mode
        self.kind, self.method = "raw" if labels == "other" else labels, method
        self.filenames = [f"{one}{suffix}" for one in frame[name]]
        self.class_indices: dict[Any, int] = {}
        self.values = None if label is None else frame[label]
        self.weighs = None if weight is None else np.asarray(frame[weight], dtype="float32")
        keep = np.array([not checks or self._known(one) for one in self.filenames], dtype=bool)
        self.invalid = int((~keep).sum())
        if labels in OF_CLASSES:
            given = [
                list(map(str, one)) if isinstance(one, (list, tuple)) else [str(one)]
                for one in self.values  # type: ignore[union-attr]
            ]
            names = sorted({one for several in given for one in several}) if classes is None \
                else list(map(str, classes))  # fmt: skip
            self.class_indices = {one: number for number, one in enumerate(names)}
            keep &= [all(one in self.class_indices for one in several) for several in given]
            self.several = [[self.class_indices.get(one, 0) for one in one_] for one_ in given]
        self._keep(np.flatnonzero(keep))

    def _known(self, name: str) -> bool:
        return name.lower().endswith(SUFFIXES) and (self.root / name).is_file()

    def _keep(self, places: Array) -> None:
        """Keep the rows at these places."""
        self.filenames = [self.filenames[place] for place in places]
        if self.values is not None:
            kept = np.asarray(self.values)[places]
            self.values = kept
        self.weighs = None if self.weighs is None else self.weighs[places]
        if self.class_indices:
            self.several = [self.several[place] for place in places]
            first = [one[0] for one in self.several]
            self.classes = np.array(first, dtype="int32")

    def choose(self, subset: Any, split: float) -> None:
        """Keep the first part of the rows for validation, or the rest for training."""
        if subset is not None:
            cut, places = int(len(self) * split), np.arange(len(self))
            self._keep(places[:cut] if subset == "validation" else places[cut:])

    def labels(self, places: Array) -> Any:
        """Return the labels in the form that was asked for."""
        if self.kind == "categorical":
            out = np.zeros((len(places), len(self.class_indices)), dtype="float32")
            for row, place in zip(out, places, strict=True):
                row[self.several[place]] = 1.0
            return out
        if self.kind in OF_CLASSES:
            return super().labels(places)
        if self.kind == "multi_output":
            columns = np.asarray(self.values)[places]
            return [np.array(list(column)) for column in columns.T]
        if self.kind != "raw":
            return None
        given = np.asarray(self.values)[places]
        return np.stack(list(given)) if given.dtype == object and np.ndim(given[0]) else given

    def weights(self, places: Array) -> Any:
        """Return the weights at these places, None where there are none."""
        return None if self.weighs is None else self.weighs[places]

    @property
    def told(self) -> str:
        """How many there are, as Keras says it."""
        known = f"Found {len(self)} validated image filenames"
        if self.kind in OF_CLASSES:
            return f"{known} belonging to {len(self.class_indices)} classes."
        return f"{known}."


def frame_of(title: str, dataframe: Any, words: Mapping[str, Any]) -> Frame:
    """Return the pictures of a table; the words are those of `flow_from_dataframe`."""
    mode, label = words["class_mode"], words["y_col"]
    if mode not in FRAME_MODES:
        raise DialectError(
            title,
            f"there is no class_mode {mode!r}",
            need="one of " + ", ".join(map(repr, FRAME_MODES)),
            fix='class_mode="categorical", which goes with categorical_crossentropy',
            at=caller(),
        )
    missing = [one for one in (words["x_col"], *([] if mode in (None, "input") else [label]))
               if not isinstance(one, list) and one not in dataframe]  # fmt: skip
    if missing:
        raise DialectError(
            title,
            f"the table has no column {missing[0]!r}",
            got="columns " + ", ".join(map(str, dataframe)),
            fix="x_col and y_col of that table",
            at=caller(),
        )
    columns = (words["x_col"], label if mode not in (None, "input") else None, words["weight_col"])
    suffix = ".png" if words.get("has_ext") is False else ""
    return Frame(dataframe, words["directory"], columns, words["target_size"], words["color_mode"],
                 words["classes"], mode, words["interpolation"],
                 words.get("validate_filenames", True), suffix)  # fmt: skip
