"""torchvision's data sets of photographs, where their published files are in `root`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ...errors import DataError, caller
from ..picture_files import picture
from ..strict import Strict
from .datasets import Change, absent
from .datasets_files import read_mat
from .datasets_folders import ImageFolder, VisionDataset, default_loader, make_dataset

Item = tuple[Path, Any]  # file of a photograph, and its target


class Listed(VisionDataset, metaclass=Strict):
    """Photographs by their files, each with a target."""

    limit: ClassVar[int | None] = None
    _items: list[Item]

    def _begin(self, items: Iterable[Item], folder: Path, files: str) -> None:
        every = list(items)
        if not every:
            raise absent(type(self).__name__, folder, files)
        step = 1 if self.limit is None else max(1, len(every) // self.limit)  # some of every class
        self._items = every[::step][: self.limit]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self._items[index]
        return self.transforms(picture(path).convert("RGB"), target)

    def _named(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}


def parts(name: str, split: str, known: Sequence[str]) -> str:
    """Return a part of a data set if there is such a one."""
    if split not in known:
        raise DataError(f"datasets.{name}", "there is no such part", got=f"split={split!r}",
                        need=", ".join(known), at=caller())  # fmt: skip
    return split


def lines(path: Path, name: str) -> list[str]:
    """Return the lines of a file of a data set, without empty ones."""
    if not path.is_file():
        raise absent(name, path.parent, path.name)
    return [line for line in path.read_text().splitlines() if line.strip()]


class Caltech101(Listed):
    """Objects of 101 kinds, from caltech101/101_ObjectCategories in `root`."""

    def __init__(self, root: Any, target_type: Any = "category", transform: Change = None,
                 target_transform: Change = None, download: bool = False) -> None:  # fmt: skip
        super().__init__(Path(root) / "caltech101", None, transform, target_transform)
        wanted = [target_type] if isinstance(target_type, str) else list(target_type)
        if wanted != ["category"]:
            raise DataError("datasets.Caltech101", "has the category alone as target here",
                            got=f"target_type={target_type!r}", at=caller())  # fmt: skip
        folder = Path(self.root) / "101_ObjectCategories"
        found = sorted(one.name for one in folder.glob("*") if one.is_dir())
        self.categories = [name for name in found if name != "BACKGROUND_Google"]
        items = [(path, number) for number, name in enumerate(self.categories)
                 for path in sorted((folder / name).glob("*.jpg"))]  # fmt: skip
        self._begin(items, folder, "a folder for each category")
        self.y = [number for _, number in self._items]


class Caltech256(Listed):
    """Objects of 256 kinds, from caltech256/256_ObjectCategories in `root`."""

    def __init__(self, root: Any, transform: Change = None, target_transform: Change = None,
                 download: bool = False) -> None:  # fmt: skip
        super().__init__(Path(root) / "caltech256", None, transform, target_transform)
        folder = Path(self.root) / "256_ObjectCategories"
        self.categories = sorted(one.name for one in folder.glob("*") if one.is_dir())
        items = [(path, number) for number, name in enumerate(self.categories)
                 for path in sorted((folder / name).glob("*.jpg"))]  # fmt: skip
        self._begin(items, folder, "a folder for each category")
        self.y = [number for _, number in self._items]


class Flowers102(Listed):
    """Flowers of 102 kinds, from flowers-102 in `root`: jpg/, setid.mat and imagelabels.mat."""

    sets: ClassVar = {"train": "trnid", "val": "valid", "test": "tstid"}

    def __init__(self, root: Any, split: str = "train", transform: Change = None,
                 target_transform: Change = None, download: bool = False) -> None:  # fmt: skip
        super().__init__(Path(root) / "flowers-102", None, transform, target_transform)
        folder = Path(self.root)
        key = self.sets[parts("Flowers102", split, list(self.sets))]
        for name in ("setid.mat", "imagelabels.mat"):
            if not (folder / name).is_file():
                raise absent("Flowers102", folder, name)
        numbers = read_mat(folder / "setid.mat")[key].reshape(-1).tolist()
        labels = read_mat(folder / "imagelabels.mat")["labels"].reshape(-1)
        items = [(folder / "jpg" / f"image_{number:05d}.jpg", int(labels[number - 1]) - 1)
                 for number in numbers]  # fmt: skip
        self._begin(items, folder, "jpg, setid.mat and imagelabels.mat")


class Food101(Listed):
    """Dishes of 101 kinds, from food-101 in `root`: images/ and meta/`split`.json."""

    def __init__(self, root: Any, split: str = "train", transform: Change = None,
                 target_transform: Change = None, download: bool = False) -> None:  # fmt: skip
        super().__init__(Path(root) / "food-101", None, transform, target_transform)
        folder = Path(self.root)
        listed = folder / "meta" / f"{parts('Food101', split, ('train', 'test'))}.json"
        found = json.loads("\n".join(lines(listed, "Food101")))
        self._named(sorted(found))
        items = [(folder / "images" / f"{one}.jpg", self.class_to_idx[name])
                 for name, files in found.items() for one in files]  # fmt: skip
        self._begin(items, folder, "images and meta")


class DTD(Listed):
    """Textures of 47 kinds, from dtd/dtd in `root`: images/ and labels/`split``partition`.txt."""

    def __init__(self, root: Any, split: str = "train", partition: int = 1,
                 transform: Change = None, target_transform: Change = None,
                 download: bool = False) -> None:  # fmt: skip
        super().__init__(root, None, transform, target_transform)
        folder = Path(root) / "dtd" / "dtd"
        name = f"{parts('DTD', split, ('train', 'val', 'test'))}{partition}.txt"
        found = lines(folder / "labels" / name, "DTD")
        self._named(sorted({line.partition("/")[0] for line in found}))
        items = [(folder / "images" / line, self.class_to_idx[line.partition("/")[0]])
                 for line in found]  # fmt: skip
        self._begin(items, folder, "images and labels")


class FGVCAircraft(Listed):
    """Aircraft, from fgvc-aircraft-2013b/data in `root`; `annotation_level`: how finely told."""

    levels: ClassVar = {"variant": "variants", "family": "families",
                        "manufacturer": "manufacturers"}  # fmt: skip

    def __init__(self, root: Any, split: str = "trainval", annotation_level: str = "variant",
                 transform: Change = None, target_transform: Change = None,
                 download: bool = False) -> None:  # fmt: skip
        super().__init__(root, None, transform, target_transform)
        folder = Path(root) / "fgvc-aircraft-2013b" / "data"
        parts("FGVCAircraft", split, ("train", "val", "trainval", "test"))
        level = self.levels[parts("FGVCAircraft", annotation_level, list(self.levels))]
        self._named([line.strip() for line in lines(folder / f"{level}.txt", "FGVCAircraft")])
        found = lines(folder / f"images_{annotation_level}_{split}.txt", "FGVCAircraft")
        items = [(folder / "images" / f"{number}.jpg", self.class_to_idx[name.strip()])
                 for number, _, name in (line.partition(" ") for line in found)]  # fmt: skip
        self._begin(items, folder, "images, and their lists")


class GTSRB(Listed):
    """Traffic signs of 43 kinds, from gtsrb in `root`: GTSRB/Training, or GTSRB/Final_Test."""

    def __init__(self, root: Any, split: str = "train", transform: Change = None,
                 target_transform: Change = None, download: bool = False) -> None:  # fmt: skip
        super().__init__(root, None, transform, target_transform)
        base = Path(root) / "gtsrb"
        if parts("GTSRB", split, ("train", "test")) == "train":
            folder = base / "GTSRB" / "Training"
            found = make_dataset(folder, extensions=(".ppm",))
            items: list[Item] = [(Path(path), number) for path, number in found]
        else:
            folder = base / "GTSRB" / "Final_Test" / "Images"
            rows = csv.DictReader(lines(base / "GT-final_test.csv", "GTSRB"), delimiter=";")
            items = [(folder / row["Filename"], int(row["ClassId"])) for row in rows]
        self._begin(items, folder, "pictures (*.ppm)")


class SUN397(Listed):
    """Scenes of 397 kinds, from SUN397 in `root`, with ClassName.txt."""

    def __init__(self, root: Any, transform: Change = None, target_transform: Change = None,
                 download: bool = False) -> None:  # fmt: skip
        super().__init__(root, None, transform, target_transform)
        folder = Path(root) / "SUN397"
        self._named([line.strip()[3:] for line in lines(folder / "ClassName.txt", "SUN397")])
        found = sorted(folder.rglob("sun_*.jpg"))
        names = ["/".join(path.relative_to(folder).parts[1:-1]) for path in found]
        items = [(path, self.class_to_idx[name]) for path, name in zip(found, names, strict=True)]
        self._begin(items, folder, "a folder for each letter")


# ---- a folder for each class ---------------------------------------------------------------------


class EuroSAT(ImageFolder):
    """Land seen by a satellite, of ten kinds, from eurosat/2750 in `root`."""

    def __init__(self, root: Any, transform: Change = None, target_transform: Change = None,
                 download: bool = False) -> None:  # fmt: skip
        super().__init__(Path(root) / "eurosat" / "2750", transform, target_transform)


class Country211(ImageFolder):
    """Photographs by country, from country211/`split` in `root`."""

    def __init__(self, root: Any, split: str = "train", transform: Change = None,
                 target_transform: Change = None, download: bool = False) -> None:  # fmt: skip
        part = parts("Country211", split, ("train", "valid", "test"))
        super().__init__(Path(root) / "country211" / part, transform, target_transform)


class RenderedSST2(ImageFolder):
    """Sentences as pictures, from rendered-sst2 in `root`."""

    def __init__(self, root: Any, split: str = "train", transform: Change = None,
                 target_transform: Change = None, download: bool = False) -> None:  # fmt: skip
        part = parts("RenderedSST2", split, ("train", "val", "test")).replace("val", "valid")
        super().__init__(Path(root) / "rendered-sst2" / part, transform, target_transform)


class ImageNet(ImageFolder):
    """Photographs of ImageNet, from `split` in `root`, a folder for each synset."""

    def __init__(self, root: Any, split: str = "train", transform: Change = None,
                 target_transform: Change = None,
                 loader: Callable[[str], Any] = default_loader) -> None:  # fmt: skip
        part = parts("ImageNet", split, ("train", "val"))
        super().__init__(Path(root) / part, transform, target_transform, loader)
        self.split, self.wnids, self.wnid_to_idx = split, self.classes, self.class_to_idx


IMAGENETTE = {
    "n01440764": ("tench", "Tinca tinca"), "n02102040": ("English springer",
    "English springer spaniel"), "n02979186": ("cassette player",), "n03000684": ("chain saw",
    "chainsaw"), "n03028079": ("church", "church building"), "n03394916": ("French horn", "horn"),
    "n03417042": ("garbage truck", "dustcart"), "n03425413": ("gas pump", "gasoline pump",
    "petrol pump", "island dispenser"), "n03445777": ("golf ball",), "n03888257": ("parachute",
    "chute"),
}  # fmt: skip


class Imagenette(ImageFolder):
    """Ten kinds of ImageNet that are easily told, from imagenette2 in `root`."""

    def __init__(self, root: Any, split: str = "train", size: str = "full", download: bool = False,
                 transform: Change = None, target_transform: Change = None,
                 loader: Callable[[str], Any] = default_loader) -> None:  # fmt: skip
        part = parts("Imagenette", split, ("train", "val"))
        ends = {"full": "", "320px": "-320", "160px": "-160"}
        folder = f"imagenette2{ends[parts('Imagenette', size, list(ends))]}"
        super().__init__(Path(root) / folder / part, transform, target_transform, loader)
        self.split, self.wnids, self.wnid_to_idx = split, self.classes, self.class_to_idx
        self.classes = [IMAGENETTE.get(one, (one,)) for one in self.wnids]  # type: ignore[misc]
        self.class_to_idx = {
            name: number for number, names in enumerate(self.classes) for name in names
        }


LISTED = (Caltech101, Caltech256, Flowers102, Food101, DTD, FGVCAircraft, GTSRB, SUN397, EuroSAT,
          Country211, RenderedSST2, ImageNet, Imagenette)  # fmt: skip
