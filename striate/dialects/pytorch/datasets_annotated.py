"""torchvision's data sets with marks on photographs: faces, pets, objects and their pixels."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np
import torch
from PIL import Image

from ..picture_files import picture
from .datasets import Change, absent
from .datasets_folders import VisionDataset
from .datasets_listed import Listed, lines, parts


class CelebA(VisionDataset):
    """Faces of known people, from celeba in `root`: img_align_celeba and lists of what is seen.

    `target_type`: one, or several, of attr (40 numbers, 0 or 1), identity, bbox, landmarks.
    """

    limit: ClassVar[int | None] = None
    tables: ClassVar = {  # file, and the line that names what is in it
        "identity": ("identity_CelebA.txt", None), "bbox": ("list_bbox_celeba.txt", 1),
        "landmarks": ("list_landmarks_align_celeba.txt", 1), "attr": ("list_attr_celeba.txt", 1),
    }  # fmt: skip

    def __init__(self, root: Any, split: str = "train", target_type: Any = "attr",
                 transform: Change = None, target_transform: Change = None,
                 download: bool = False) -> None:  # fmt: skip
        super().__init__(root, None, transform, target_transform)
        self.split, self.folder = split, Path(root) / "celeba"
        self.target_type = [target_type] if isinstance(target_type, str) else list(target_type)
        known = ("train", "valid", "test", "all")
        number = known.index(parts("CelebA", split.lower(), known))
        part = self._table("list_eval_partition.txt", None)
        files = part.index if split == "all" else part.index[part.iloc[:, 0] == number]
        self.filename = list(files[: self.limit])
        for word in self.target_type:
            name, header = self.tables[parts("CelebA", word, list(self.tables))]
            table = self._table(name, header).loc[self.filename]
            values = torch.tensor(table.to_numpy(np.int64))
            setattr(self, word, (values + 1).div(2, rounding_mode="floor")
                    if word == "attr" else values)  # fmt: skip
            if word == "attr":
                self.attr_names = lines(self.folder / name, "CelebA")[1].split()

    def _table(self, name: str, header: int | None) -> Any:
        pandas = importlib.import_module("pandas")

        if not (self.folder / name).is_file():
            raise absent("CelebA", self.folder, name)
        before = 0 if header is None else header + 1
        return pandas.read_csv(self.folder / name, sep=r"\s+", header=None, index_col=0,
                               skiprows=before)  # fmt: skip

    def __len__(self) -> int:
        return len(self.filename)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = picture(self.folder / "img_align_celeba" / self.filename[index])
        rows = [getattr(self, word)[index] for word in self.target_type]
        found = [row[0] if word == "identity" else row
                 for word, row in zip(self.target_type, rows, strict=True)]  # fmt: skip
        target: Any = tuple(found) if len(found) > 1 else next(iter(found), None)
        image = image if self.transform is None else self.transform(image)
        if target is None or self.target_transform is None:
            return image, target
        return image, self.target_transform(target)


class OxfordIIITPet(Listed):
    """Cats and dogs of 37 breeds, from oxford-iiit-pet in `root`: images and annotations.

    `target_types`: one, or several, of category, binary-category (a cat or a dog), segmentation
    (1: the animal, 2: around it, 3: its border).
    """

    def __init__(self, root: Any, split: str = "trainval", target_types: Any = "category",
                 transforms: Change = None, transform: Change = None,
                 target_transform: Change = None, download: bool = False) -> None:  # fmt: skip
        super().__init__(root, transforms, transform, target_transform)
        folder = Path(root) / "oxford-iiit-pet"
        wanted = [target_types] if isinstance(target_types, str) else list(target_types)
        known = ("category", "binary-category", "segmentation")
        self._target_types = [parts("OxfordIIITPet", one, known) for one in wanted]
        part = parts("OxfordIIITPet", split, ("trainval", "test"))
        rows = [line.split() for line in lines(folder / "annotations" / f"{part}.txt",
                                               "OxfordIIITPet")]  # fmt: skip
        breeds = {int(row[1]): row[0].rpartition("_")[0] for row in rows}
        self._named([" ".join(word.title() for word in breeds[number].split("_"))
                     for number in sorted(breeds)])  # fmt: skip
        self.bin_classes = ["Cat", "Dog"]
        masks = folder / "annotations" / "trimaps"
        items = [(folder / "images" / f"{name}.jpg",
                  {"category": int(label) - 1, "binary-category": int(species) - 1,
                   "segmentation": masks / f"{name}.png"})
                 for name, label, species, *_ in rows]  # fmt: skip
        self._begin(items, folder, "images and annotations")

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, targets = self._items[index]
        found = [picture(targets[word]) if word == "segmentation" else targets[word]
                 for word in self._target_types]  # fmt: skip
        target: Any = tuple(found) if len(found) > 1 else next(iter(found), None)
        image = picture(path).convert("RGB")
        return (image, target) if target is None else self.transforms(image, target)


class Marked(Listed):
    """Photographs of PASCAL VOC by the names in a list; each has a file of what is seen in it."""

    where: ClassVar[tuple[str, str, str]]  # folder of the lists, folder and ending of the marks

    def __init__(self, root: Any, year: str = "2012", image_set: str = "train",
                 download: bool = False, transform: Change = None,
                 target_transform: Change = None, transforms: Change = None) -> None:  # fmt: skip
        super().__init__(root, transforms, transform, target_transform)
        listed, marks, end = self.where
        begin = Path(root) / "TrainVal" if year == "2011" else Path(root)
        folder = begin / "VOCdevkit" / f"VOC{year.removesuffix('-test')}"
        name = type(self).__name__
        named = lines(folder / "ImageSets" / listed / f"{image_set}.txt", name)
        items = [(folder / "JPEGImages" / f"{one.strip()}.jpg",
                  folder / marks / f"{one.strip()}{end}") for one in named]  # fmt: skip
        self._begin(items, folder, "JPEGImages")
        self.images = [str(path) for path, _ in self._items]
        self.targets = [str(mark) for _, mark in self._items]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, mark = self._items[index]
        return self.transforms(picture(path).convert("RGB"), self.mark(mark))

    mark: Callable[[Path], Any]


class VOCSegmentation(Marked):
    """Photographs of PASCAL VOC with the class of each pixel, from VOCdevkit in `root`."""

    where = ("Segmentation", "SegmentationClass", ".png")

    @property
    def masks(self) -> list[str]:
        """Return the files of the classes."""
        return self.targets

    def mark(self, file: Path) -> Any:
        """Return the picture whose pixels are classes."""
        return picture(file)


class VOCDetection(Marked):
    """Photographs of PASCAL VOC with boxes around what is seen, from VOCdevkit in `root`."""

    where = ("Main", "Annotations", ".xml")

    @property
    def annotations(self) -> list[str]:
        """Return the files of the boxes."""
        return self.targets

    def mark(self, file: Path) -> Any:
        """Return what a file says, as dictionaries."""
        return self.parse_voc_xml(ElementTree.parse(file).getroot())

    @staticmethod
    def parse_voc_xml(node: Any) -> dict[str, Any]:
        """Return an element as a dictionary; what an annotation has as `object` is a list."""
        if not len(node):
            return {node.tag: (node.text or "").strip()}
        found: dict[str, list[Any]] = defaultdict(list)
        for child in node:
            found[child.tag].append(VOCDetection.parse_voc_xml(child)[child.tag])
        always = {"object"} if node.tag == "annotation" else set()
        for word in always:
            found.setdefault(word, [])
        return {node.tag: {word: values if word in always or len(values) > 1 else values[0]
                           for word, values in found.items()}}  # fmt: skip


class CocoDetection(VisionDataset):
    """Photographs of COCO, each with the annotations of a JSON file as dictionaries."""

    limit: ClassVar[int | None] = None

    def __init__(self, root: Any, annFile: str, transform: Change = None,  # noqa: N803
                 target_transform: Change = None, transforms: Change = None) -> None:  # fmt: skip
        super().__init__(root, transforms, transform, target_transform)
        if not Path(annFile).is_file():
            raise absent(type(self).__name__, Path(annFile).parent, Path(annFile).name)
        self.coco = importlib.import_module("pycocotools.coco").COCO(annFile)
        self.ids = sorted(self.coco.imgs)[: self.limit]

    def __len__(self) -> int:
        return len(self.ids)

    def _load_image(self, id: int) -> Image.Image:
        path = Path(self.root) / self.coco.loadImgs(id)[0]["file_name"]
        image: Image.Image = picture(path).convert("RGB")
        return image

    def _load_target(self, id: int) -> Any:
        return self.coco.loadAnns(self.coco.getAnnIds(id))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        number = self.ids[index]
        return self.transforms(self._load_image(number), self._load_target(number))


class CocoCaptions(CocoDetection):
    """Photographs of COCO, each with sentences that describe it."""

    def _load_target(self, id: int) -> Any:
        return [one["caption"] for one in super()._load_target(id)]


ANNOTATED = (CelebA, OxfordIIITPet, VOCSegmentation, VOCDetection, CocoDetection, CocoCaptions)
