"""pycocotools.coco where it is not installed: what a file of annotations says, by numbers."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..errors import caller
from .table import DialectError

Rows = dict[int, dict[str, Any]]


def several(value: Any) -> list[Any]:
    """Return a list; of one number or word, the list of it."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


class COCO:
    """Images, categories and annotations of a JSON file, and which belong together."""

    def __init__(self, annotation_file: Any = None) -> None:
        self.dataset: dict[str, Any] = {}
        if annotation_file is not None:
            self.dataset = json.loads(Path(annotation_file).read_text(encoding="utf-8"))
        self.createIndex()

    def createIndex(self) -> None:  # noqa: N802
        """Find what belongs together."""
        read = [self.dataset.get(word, []) for word in ("annotations", "images", "categories")]
        self.anns, self.imgs, self.cats = ({one["id"]: one for one in rows} for rows in read)
        self.imgToAnns: dict[int, list[Any]] = defaultdict(list)
        self.catToImgs: dict[int, list[int]] = defaultdict(list)
        for one in self.anns.values():
            self.imgToAnns[one["image_id"]].append(one)
            if "category_id" in one:
                self.catToImgs[one["category_id"]].append(one["image_id"])

    def info(self) -> None:
        """Print what the file says of itself."""
        for key, value in self.dataset.get("info", {}).items():
            print(f"{key}: {value}")  # noqa: T201  the script's own output

    def getAnnIds(self, imgIds: Any = (), catIds: Any = (), areaRng: Any = (),  # noqa: N802, N803
                  iscrowd: Any = None) -> list[int]:  # fmt: skip
        """Return the annotations of images and categories, of an area, of crowds or not."""
        images, categories = several(imgIds), several(catIds)
        rows = [one for image in images for one in self.imgToAnns.get(image, [])]
        return [
            one["id"]
            for one in (rows if images else self.anns.values())
            if (not categories or one["category_id"] in categories)
            and (not len(areaRng) or areaRng[0] < one["area"] < areaRng[1])
            and (iscrowd is None or one["iscrowd"] == iscrowd)
        ]

    def getCatIds(self, catNms: Any = (), supNms: Any = (), catIds: Any = ()) -> list[int]:  # noqa: N802, N803
        """Return the categories of names, of wider names, or of these numbers."""
        asked = {"name": several(catNms), "supercategory": several(supNms), "id": several(catIds)}
        return [
            one["id"]
            for one in self.cats.values()
            if all(not known or one.get(word) in known for word, known in asked.items())
        ]

    def getImgIds(self, imgIds: Any = (), catIds: Any = ()) -> list[int]:  # noqa: N802, N803
        """Return the images that have every one of these categories."""
        images, categories = several(imgIds), several(catIds)
        if not images and not categories:
            return list(self.imgs)
        found = set(images) if images else set(self.imgs)
        for one in categories:
            found &= set(self.catToImgs.get(one, []))
        return list(found)

    def loadAnns(self, ids: Any = ()) -> list[Any]:  # noqa: N802
        """Return annotations by their numbers."""
        return [self.anns[one] for one in several(ids)]

    def loadCats(self, ids: Any = ()) -> list[Any]:  # noqa: N802
        """Return categories by their numbers."""
        return [self.cats[one] for one in several(ids)]

    def loadImgs(self, ids: Any = ()) -> list[Any]:  # noqa: N802
        """Return images by their numbers."""
        return [self.imgs[one] for one in several(ids)]

    def annToMask(self, ann: dict[str, Any]) -> NDArray[np.uint8]:  # noqa: N802
        """Return 1 where an annotation is, drawn from its polygons or its lengths of runs."""
        image, marks = self.imgs[ann["image_id"]], ann["segmentation"]
        size = (image["width"], image["height"])
        if isinstance(marks, list):
            drawn = Image.new("L", size)
            for corners in marks:
                ImageDraw.Draw(drawn).polygon([float(one) for one in corners], fill=1, outline=1)
            return np.array(drawn, np.uint8)
        if not isinstance(marks["counts"], list):
            raise DialectError(
                "pycocotools is not installed, and its stand-in", "reads no packed runs",
                fix="pip install pycocotools", at=caller(),
            )  # fmt: skip
        values = np.arange(len(marks["counts"])) % 2  # without, with, without ...
        runs = np.repeat(values, marks["counts"]).astype(np.uint8)
        return runs.reshape(marks["size"], order="F")


def modules() -> dict[str, dict[str, Any]]:
    """Return the module by its path."""
    return {"pycocotools": {}, "pycocotools.coco": {"COCO": COCO}}
