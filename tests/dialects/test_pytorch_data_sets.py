"""Data sets of torchvision that are read from their published files, written small here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.dialects import pytorch
from striate.dialects.importer import serving
from striate.dialects.pytorch import datasets_listed
from striate.dialects.session import Script
from striate.dialects.surroundings_coco import COCO
from striate.errors import DataError


@pytest.fixture
def sets() -> Iterator[Any]:
    """Serve torchvision, and return its data sets."""
    with serving(pytorch, pytorch.open_session("pytorch", Script())):
        from torchvision import datasets  # type: ignore[import-not-found]

        yield datasets


def photo(path: Path, red: int = 0, mode: str = "RGB") -> None:
    """Write a small picture, whose first number tells it from others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((4, 6, 3), red, np.uint8) if mode == "RGB" else np.full((4, 6), red, np.uint8)
    Image.fromarray(pixels).save(path)


def write(path: Path, *lines: str) -> None:
    """Write a file of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def _caltech(at: Path) -> None:
    for folder, name in (("caltech101/101_ObjectCategories", "image_0001"),
                         ("caltech256/256_ObjectCategories", "001_0001")):  # fmt: skip
        for number, kind in enumerate(("BACKGROUND_Google", "ant", "bee")):
            photo(at / folder / kind / f"{name}.jpg", number * 50)


def _flowers(at: Path) -> None:
    from scipy.io import savemat

    folder = at / "flowers-102"
    for number in (1, 2, 3):
        photo(folder / "jpg" / f"image_{number:05d}.jpg", number * 50)
    savemat(folder / "imagelabels.mat", {"labels": np.array([[7, 1, 102]])})
    savemat(folder / "setid.mat", {"trnid": [[3, 1]], "valid": [[2]], "tstid": [[2]]})


def _food(at: Path) -> None:
    for name in ("pie/1", "cake/2"):
        photo(at / "food-101" / "images" / f"{name}.jpg")
    write(at / "food-101/meta/test.json", json.dumps({"pie": ["pie/1"], "cake": ["cake/2"]}))


def _textures(at: Path) -> None:
    for name in ("dotted/dotted_1.jpg", "lined/lined_1.jpg"):
        photo(at / "dtd/dtd/images" / name)
    write(at / "dtd/dtd/labels/val2.txt", "lined/lined_1.jpg", "dotted/dotted_1.jpg")


def _aircraft(at: Path) -> None:
    folder = at / "fgvc-aircraft-2013b/data"
    photo(folder / "images/0034309.jpg")
    write(folder / "families.txt", "A300", "Boeing 737")
    write(folder / "images_family_test.txt", "0034309 Boeing 737")


def _signs(at: Path) -> None:
    photo(at / "gtsrb/GTSRB/Training/00000/a.ppm")
    photo(at / "gtsrb/GTSRB/Training/00001/b.ppm")
    photo(at / "gtsrb/GTSRB/Final_Test/Images/00000.ppm")
    write(at / "gtsrb/GT-final_test.csv", "Filename;Width;ClassId", "00000.ppm;6;16")


def _scenes(at: Path) -> None:
    photo(at / "SUN397/a/abbey/sun_1.jpg")
    photo(at / "SUN397/b/bar/indoor/sun_2.jpg")
    write(at / "SUN397/ClassName.txt", "/b/bar/indoor", "/a/abbey")


def _folders(at: Path) -> None:
    for folder in ("eurosat/2750", "country211/valid", "rendered-sst2/valid", "train",
                   "imagenette2-160/val"):  # fmt: skip
        photo(at / folder / "n01440764/1.jpg")
        photo(at / folder / "n03888257/2.jpg")


LISTED: dict[str, tuple[Callable[[Path], None], dict[str, Any], list[int]]] = {
    "Caltech101": (_caltech, {}, [0, 1]),
    "Caltech256": (_caltech, {}, [0, 1, 2]),
    "Flowers102": (_flowers, {}, [101, 6]),
    "Food101": (_food, {"split": "test"}, [1, 0]),
    "DTD": (_textures, {"split": "val", "partition": 2}, [1, 0]),
    "FGVCAircraft": (_aircraft, {"split": "test", "annotation_level": "family"}, [1]),
    "GTSRB": (_signs, {"split": "test"}, [16]),
    "SUN397": (_scenes, {}, [1, 0]),
    "EuroSAT": (_folders, {}, [0, 1]),
    "Country211": (_folders, {"split": "valid"}, [0, 1]),
    "RenderedSST2": (_folders, {"split": "val"}, [0, 1]),
    "ImageNet": (_folders, {}, [0, 1]),
    "Imagenette": (_folders, {"split": "val", "size": "160px"}, [0, 1]),
}


@pytest.mark.parametrize("name", LISTED)
def test_photographs_have_the_classes_of_their_lists(name: str, tmp_path: Path, sets: Any) -> None:
    make, words, targets = LISTED[name]
    make(tmp_path)
    found = getattr(sets, name)(tmp_path, target_transform=lambda y: y * 10, **words)
    assert [y for _, y in (found[k] for k in range(len(found)))] == [10 * y for y in targets]
    assert all(image.size == (6, 4) and image.mode == "RGB" for image, _ in [found[0], found[-1]])


def test_every_listed_set_is_tried() -> None:
    assert {one.__name__ for one in datasets_listed.LISTED} == set(LISTED)


def test_classes_have_names(tmp_path: Path, sets: Any) -> None:
    for make in (_food, _scenes, _folders, _caltech, _signs):
        make(tmp_path)
    assert sets.Food101(tmp_path, split="test").classes == ["cake", "pie"]
    assert sets.SUN397(tmp_path).class_to_idx == {"bar/indoor": 0, "abbey": 1}
    assert sets.Caltech101(tmp_path).categories == ["ant", "bee"]
    small = sets.Imagenette(tmp_path, split="val", size="160px")
    assert small.classes[1] == ("parachute", "chute") and small.class_to_idx["tench"] == 0
    assert small.wnids == ["n01440764", "n03888257"]
    assert len(sets.GTSRB(tmp_path)) == 2


def test_what_is_not_there_is_told(tmp_path: Path, sets: Any) -> None:
    for name in LISTED:
        with pytest.raises(DataError):
            getattr(sets, name)(tmp_path / "nowhere", download=True) if name != "ImageNet" else (
                sets.ImageNet(tmp_path / "nowhere")
            )
    with pytest.raises(DataError) as error:
        sets.Flowers102(tmp_path, split="valid")
    assert str(error.value) == (
        "datasets.Flowers102: there is no such part\n"
        "  got   split='valid'\n"
        "  need  train, val, test\n"
        f"  at    test_pytorch_data_sets.py:{_line('split=' + chr(34) + 'valid' + chr(34) + ')')}"
    )


def _line(text: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(text))


def test_faces_have_marks(tmp_path: Path, sets: Any) -> None:
    folder = tmp_path / "celeba"
    names = ["000001.jpg", "000002.jpg", "000003.jpg"]
    for number, name in enumerate(names):
        photo(folder / "img_align_celeba" / name, number * 40)
    write(folder / "list_eval_partition.txt", *(f"{one} {k % 2}" for k, one in enumerate(names)))
    write(folder / "identity_CelebA.txt", *(f"{one} {9 - k}" for k, one in enumerate(names)))
    write(folder / "list_attr_celeba.txt", "3", "Bald Smiling ",
          "000001.jpg -1  1", "000002.jpg  1  1", "000003.jpg  1 -1")  # fmt: skip
    write(folder / "list_bbox_celeba.txt", "3", "image_id x_1 y_1 width height",
          *(f"{one}  {k} 2 3 4" for k, one in enumerate(names)))  # fmt: skip
    train = sets.CelebA(tmp_path, split="train", transform=np.array)
    assert len(train) == 2 and train.attr_names == ["Bald", "Smiling"]
    image, marks = train[1]
    assert (
        marks.tolist() == [1, 0] and image.shape == (4, 6, 3) and abs(int(image[0, 0, 0]) - 80) < 3
    )
    both = sets.CelebA(tmp_path, "valid", ["identity", "bbox"], target_transform=list)
    assert both[0][1][0] == 8 and both[0][1][1].tolist() == [1, 2, 3, 4]
    assert len(sets.CelebA(tmp_path, "all")) == 3


def test_pets_have_breeds_and_outlines(tmp_path: Path, sets: Any) -> None:
    folder = tmp_path / "oxford-iiit-pet"
    for number, name in enumerate(("Abyssinian_10", "saint_bernard_2")):
        photo(folder / "images" / f"{name}.jpg")
        photo(folder / "annotations/trimaps" / f"{name}.png", number + 1, "L")
    write(folder / "annotations/trainval.txt", "saint_bernard_2 2 2 7", "Abyssinian_10 1 1 1")
    pets = sets.OxfordIIITPet(tmp_path, target_types=["category", "segmentation"])
    assert pets.class_to_idx == {"Abyssinian": 0, "Saint Bernard": 1}
    image, (breed, outline) = pets[0]
    assert image.mode == "RGB" and breed == 1 and np.array(outline).max() == 2
    kinds = sets.OxfordIIITPet(tmp_path, target_types="binary-category")
    assert [kinds[k][1] for k in range(2)] == [1, 0]
    turned = sets.OxfordIIITPet(tmp_path, target_types="segmentation",
                                transforms=lambda x, y: (np.array(x), np.array(y)))  # fmt: skip
    assert turned[1][0].shape == (4, 6, 3) and turned[1][1].tolist() == [[1] * 6] * 4


def test_objects_have_pixels_and_boxes(tmp_path: Path, sets: Any) -> None:
    folder = tmp_path / "VOCdevkit" / "VOC2012"
    photo(folder / "JPEGImages/2007_1.jpg")
    photo(folder / "SegmentationClass/2007_1.png", 5, "L")
    box = "<object><name>{}</name><bndbox><xmin>1</xmin></bndbox></object>"
    write(folder / "Annotations/2007_1.xml",
          f"<annotation><folder>VOC</folder>{box.format('cat')}</annotation>")  # fmt: skip
    for name in ("Segmentation", "Main"):
        write(folder / "ImageSets" / name / "train.txt", "2007_1")
    image, mask = sets.VOCSegmentation(tmp_path, image_set="train", target_transform=np.array)[0]
    assert image.size == (6, 4) and (mask == 5).all()
    found = sets.VOCDetection(tmp_path, year="2012", image_set="train")[0][1]
    cat = {"name": "cat", "bndbox": {"xmin": "1"}}
    assert found == {"annotation": {"folder": "VOC", "object": [cat]}}


ANNOTATIONS = {
    "images": [{"id": 4, "file_name": "b.jpg", "width": 6, "height": 4},
               {"id": 2, "file_name": "a.jpg", "width": 6, "height": 4}],
    "categories": [{"id": 1, "name": "cat", "supercategory": "animal"},
                   {"id": 3, "name": "bus", "supercategory": "vehicle"}],
    "annotations": [
        {"id": 10, "image_id": 4, "category_id": 1, "area": 6, "iscrowd": 0, "caption": "a cat",
         "segmentation": [[0, 0, 2, 0, 2, 1, 0, 1]]},
        {"id": 11, "image_id": 4, "category_id": 3, "area": 2, "iscrowd": 1, "caption": "a bus",
         "segmentation": {"size": [4, 6], "counts": [4, 2, 18]}},
        {"id": 12, "image_id": 2, "category_id": 3, "area": 9, "iscrowd": 0, "caption": "two",
         "segmentation": []},
    ],
}  # fmt: skip


def test_annotations_of_coco_belong_to_their_images(tmp_path: Path, sets: Any) -> None:
    photo(tmp_path / "a.jpg", 0)
    photo(tmp_path / "b.jpg", 200)
    file = tmp_path / "instances.json"
    file.write_text(json.dumps(ANNOTATIONS))
    from striate.dialects.surroundings import surrounded

    with surrounded(Script()):
        found = sets.CocoDetection(tmp_path, str(file))
        said = sets.CocoCaptions(tmp_path, str(file))
        image, marks = found[1]
        assert np.array(image)[0, 0, 0] > 150 and [one["id"] for one in marks] == [10, 11]
        assert [said[k][1] for k in range(2)] == [["two"], ["a cat", "a bus"]]


def test_annotations_of_coco_are_found_by_what_they_say(tmp_path: Path) -> None:
    file = tmp_path / "instances.json"
    file.write_text(json.dumps(ANNOTATIONS))
    coco = COCO(file)
    assert coco.getCatIds(catNms=["bus"]) == [3] and coco.getCatIds(supNms="animal") == [1]
    assert sorted(coco.getImgIds(catIds=3)) == [2, 4] and coco.getImgIds(catIds=[1, 3]) == [4]
    assert coco.getImgIds() == [4, 2] and coco.loadImgs(2)[0]["file_name"] == "a.jpg"
    assert coco.getAnnIds(imgIds=4, iscrowd=0) == [10] and coco.getAnnIds(catIds=[3]) == [11, 12]
    assert coco.getAnnIds(imgIds=[4], areaRng=[3, 8]) == [10]
    assert coco.loadCats([1])[0]["name"] == "cat"
    polygon, runs = (coco.annToMask(one) for one in coco.loadAnns([10, 11]))
    assert polygon.tolist() == [[1] * 3 + [0] * 3] * 2 + [[0] * 6] * 2
    assert runs.sum() == 2 and runs[:2, 1].tolist() == [1, 1]  # columns first
