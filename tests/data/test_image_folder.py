"""Folders of images: what is read, what is left out, how it is divided, and each refusal."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import striate as st
from striate import layers as L
from striate.core.spec import Spec
from striate.data import image, image_files
from striate.errors import ConfigError, DataError


def picture(seed, size=(8, 6), channels=3):
    shape = (*size, 3) if channels == 3 else size
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def folder(root, counts, size=(8, 6), channels=3, ending="png", seed=0):
    for label, (name, many) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for number in range(many):
            made = picture([seed, label, number], size, channels)
            made.save(root / name / f"{number:03}.{ending}")
    return root


def refused(call, kind=DataError):
    with pytest.raises(kind) as error:
        call()
    return str(error.value)


def test_images_are_arrays_with_their_classes(tmp_path):
    root = folder(tmp_path / "pets", {"dog": 20, "cat": 10})
    images = st.data.image_folder(root)
    assert images.classes == ("cat", "dog")
    assert (images.image_size, images.channels, images.resized) == ((8, 6), 3, 0)
    assert [len(x) for x, _ in (images.train, images.validation, images.test)] == [24, 3, 3]
    for part in (images.train, images.validation, images.test):
        assert part[0].shape[1:] == (8, 6, 3) and part[0].dtype == np.uint8
        assert set(part[1].tolist()) == {0, 1}  # of each class at least one
    x, y = (np.concatenate(both) for both in zip(images.train, images.validation, images.test,
                                                 strict=True))  # fmt: skip
    files = sorted(root.rglob("*.png"))
    wanted = {(np.asarray(Image.open(file)).tobytes(), file.parent.name) for file in files}
    assert {(one.tobytes(), images.classes[n]) for one, n in zip(x, y, strict=True)} == wanted
    assert images.train[1][:12].tolist() != sorted(images.train[1][:12])  # classes are mixed


def test_the_same_seed_divides_in_the_same_way(tmp_path):
    root = folder(tmp_path, {"a": 12, "b": 12})
    one, same, other = (st.data.image_folder(root, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.train[0], same.train[0])
    assert not np.array_equal(one.test[0], other.test[0])


def test_every_image_is_what_predict_reads(tmp_path):
    root = folder(tmp_path, {"a": 3, "b": 3}, size=(30, 17))
    picture(9, (20, 20), 1).save(root / "b" / "grey.jpg")
    images = st.data.image_folder(root, image_size=(12, 10), validation=0, test=0)
    assert images.resized == 7 and len(images.validation[0]) == 0
    read = {x.tobytes() for x in images.train[0]}
    files = [path for path in root.rglob("*") if path.is_file()]
    assert read == {x.tobytes() for x in image.load(files, Spec((12, 10, 3)))}


def test_grey_where_all_are_and_as_asked(tmp_path):
    grey = folder(tmp_path / "grey", {"a": 3, "b": 3}, channels=1)
    assert st.data.image_folder(grey).train[0].shape[1:] == (8, 6, 1)
    assert st.data.image_folder(grey, color_mode="rgb").channels == 3
    colour = folder(tmp_path / "colour", {"a": 3, "b": 3})
    assert st.data.image_folder(colour).channels == 3
    assert st.data.image_folder(colour, color_mode="grayscale").train[0].shape[-1] == 1


def test_parts_that_are_there_are_kept_and_the_others_are_cut_out_of_train(tmp_path):
    folder(tmp_path / "train", {"a": 10, "b": 10})
    folder(tmp_path / "val", {"a": 4, "b": 5}, seed=1)
    images = st.data.image_folder(tmp_path)
    assert [len(x) for x, _ in (images.train, images.validation, images.test)] == [18, 9, 2]
    names = {file.name for file in images.folder.files if file.part == "validation"}
    assert all(name.startswith("val/") for name in names) and len(names) == 9
    assert st.data.image_folder(tmp_path, test=0).folder.given == ("train", "validation")


def test_equal_files_stay_in_one_part_and_are_told(tmp_path):
    root = folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    for number in range(12):
        data = (root / "cat" / f"{number:03}.png").read_bytes()
        (root / "cat" / f"copy-{number}.png").write_bytes(data)
    (root / "dog" / "not.png").write_bytes((root / "cat" / "000.png").read_bytes())
    images = st.data.image_folder(root, validation=0.3, test=0.3)
    held = [{x.tobytes() for x in part[0]} for part in
            (images.train, images.validation, images.test)]  # fmt: skip
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])
    assert images.facts()["duplicates_total"] == 13
    assert (
        "note: cat/000.png and cat/copy-0.png and dog/not.png are the same image with different "
        "classes: delete the wrong one"
    ) in str(images)


def spoilt(root):
    """Put into a folder one file of each kind that cannot be learned from."""
    root = folder(root, {"cat": 3, "dog": 3})
    whole = BytesIO()
    picture(5, (20, 20)).save(whole, "JPEG")
    (root / "cat" / "half.jpg").write_bytes(whole.getvalue()[:700])
    (root / "cat" / "empty.png").write_bytes(b"")
    (root / "cat" / "text.png").write_text("no image")
    (root / "dog" / "notes.txt").write_text("fed")
    frames = [picture(n) for n in range(3)]
    frames[0].save(root / "dog" / "runs.gif", save_all=True, append_images=frames[1:])
    Image.new("F", (4, 4)).save(root / "dog" / "depth.tiff")
    Image.new("L", (30, 20)).save(root / "dog" / "wide.png")
    (root / "loose.png").write_bytes(b"x")
    (root / "cat" / ".hidden.png").write_bytes(b"x")
    (root / "__MACOSX").mkdir()
    return root


SPOILT = {
    "loose.png": "is not in the folder of a class",
    "dog/notes.txt": "is no image by its name (.txt)",
    "cat/empty.png": "is empty",
    "cat/text.png": "is not an image",
    "dog/runs.gif": "is animated, or several pictures in one",
    "dog/depth.tiff": "has floating-point pixels",
    "dog/wide.png": "has more than 500 pixels",
}


def test_what_cannot_be_read_is_told_by_name(tmp_path, monkeypatch):
    root = spoilt(tmp_path / "pets")
    decoded = []
    monkeypatch.setattr(image_files, "MAX_PIXELS", 500)
    monkeypatch.setattr(
        image_files, "decoded", lambda data, name: decoded.append(name) or image.decoded(data, name)
    )
    images = st.data.image_folder(root, image_size=(8, 6))
    why = {one.name: one.why for one in images.folder.skipped}
    assert why.pop("cat/half.jpg").startswith("cannot be read: image file is truncated")
    assert why == SPOILT
    assert len(images.folder.files) == 6 and "dog/wide.png" not in decoded
    text = str(images)
    assert all(f"left out: {name}: {why}" in text for name, why in SPOILT.items())
    assert "note: 8 files are left out: " in text
    facts = json.loads(json.dumps(images.facts()))
    assert facts["skipped_total"] == 8 and SPOILT.items() < dict(facts["skipped"]).items()


def test_the_check_tells_classes_sizes_and_what_to_look_at(tmp_path):
    root = folder(tmp_path / "pets", {"cat": 30, "dog": 2})
    picture(7, (9, 9)).save(root / "dog" / "other.png")
    assert str(st.data.check_folder(root)) == (
        f"{root}: 33 images of 2 classes, colour\n"
        "  class       train\n"
        "  cat            30\n"
        "  dog             3\n"
        "sizes (height x width): 8 x 6 (32), 9 x 9 (1)\n"
        "note: class 'dog' has 3 images, the largest class 30"
    )


def test_folders_that_are_no_data_set(tmp_path):
    check = st.data.check_folder
    need = "a folder for each class, with images in it: cat/1.jpg, dog/2.png"
    gone = tmp_path / "gone"
    assert refused(lambda: check(gone)) == (
        f"{gone}: there is no such folder\n"
        "  need  a folder that holds a folder of images for each class\n  fix   check the path"
    )
    gone.write_text("x")
    assert refused(lambda: check(gone)).startswith(f"{gone}: is not a folder\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(lambda: check(empty)) == f"{empty}: is empty\n  need  {need}"
    picture(0).save(empty / "a.png")
    assert refused(lambda: check(empty)) == (
        f"{empty}: has no folders of classes\n  got   1 files beside each other\n  need  {need}"
    )
    bare = tmp_path / "bare"
    (bare / "cat").mkdir(parents=True)
    (bare / "cat" / "a.txt").write_text("x")
    assert refused(lambda: check(bare)) == (
        f"{bare}: has no image that can be read\n"
        "  got   1 files; cat/a.txt is no image by its name (.txt)\n"
        f"  need  {need}; PNG, JPEG, BMP, WEBP, GIF, TIFF, PPM"
    )
    one = folder(tmp_path / "one", {"cat": 2})
    assert refused(lambda: check(one)) == (
        f"{one}: has one class, and there is nothing to tell it from\n  got   cat\n"
        f"  need  {need}\n"
        "  fix   a second folder beside it, of images that are something else"
    )
    (one / "dog").mkdir()
    assert refused(lambda: check(one)) == (
        f"{one}, class 'dog': has no image that can be read\n  got   an empty folder\n"
        "  fix   put images into it, or delete it"
    )


def test_folders_that_cannot_be_trained_on(tmp_path):
    mixed = folder(tmp_path / "mixed", {"cat": 3, "dog": 1}, size=(40, 40))
    picture(1, (30, 50)).save(mixed / "dog" / "b.png")
    assert refused(lambda: st.data.image_folder(mixed)) == (
        f"{mixed}: the images have 2 sizes, and a network takes one\n"
        "  got   40 x 40 (4), 30 x 50 (1)\n"
        "  need  image_size=(height, width), to which all are brought\n"
        "  fix   image_size=(32, 32)"
    )
    (mixed / "dog" / "b.png").unlink()
    assert refused(lambda: st.data.image_folder(mixed)) == (
        f"{mixed}, class 'dog': has one image, which cannot be both learned from and tested on\n"
        "  got   dog/000.png\n"
        "  need  at least 2 images, 3 for a part each\n"
        "  fix   more images of it, or validation=0, test=0, to train on all of them"
    )
    assert len(st.data.image_folder(mixed, validation=0, test=0).train[0]) == 4
    assert refused(lambda: st.data.image_folder(mixed, max_bytes=10_000)) == (
        f"{mixed}: the images do not fit into the memory that they may take\n"
        "  got   19,200 bytes\n  need  at most max_bytes=10,000\n"
        "  math  4 * 40 * 40 * 3 = 19,200\n"
        "  fix   image_size=(28, 28), or max_bytes=19200 where there is memory for twice as much"
    )
    parts = tmp_path / "parts"
    folder(parts / "train", {"a": 3, "b": 3})
    folder(parts / "test", {"a": 3, "c": 3})
    assert refused(lambda: st.data.image_folder(parts)) == (
        f"{parts / 'test'}: has classes that training does not see: c\n"
        f"  need  the classes of {parts / 'train'}: a, b\n"
        "  fix   name the folders alike in all parts"
    )


def test_arguments_that_cannot_be(tmp_path):
    root = folder(tmp_path, {"a": 2, "b": 2})
    assert refused(lambda: st.data.image_folder(root, image_size=64), ConfigError) == (
        "image_folder: image_size=64 is no size\n"
        "  need  (height, width) in pixels, two whole numbers above 0\n"
        "  fix   image_size=(64, 64)"
    )
    said = refused(lambda: st.data.image_folder(root, color_mode="grey"), ConfigError)
    assert said.splitlines()[1] == "  need  color_mode one of 'grayscale', 'rgb'"
    said = refused(lambda: st.data.image_folder(root, test=1.0), ConfigError)
    assert said.startswith("image_folder: test=1.0 cannot work\n")


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_both_engines_learn_from_a_folder(tmp_path, engine):
    for label, shade in (("dark", 40), ("light", 200)):
        (tmp_path / label).mkdir()
        for number in range(20):
            noise = np.asarray(picture([shade, number])).astype(int) // 8
            Image.fromarray((noise + shade).astype(np.uint8)).save(
                tmp_path / label / f"{number}.png"
            )
    images = st.data.image_folder(tmp_path)
    st.seed(0)
    model = st.Sequential(
        [L.Input((8, 6, 3)), L.Rescaling(1 / 255), L.Conv2D(4, 3, activation="relu"),
         L.Flatten(), L.Dense(2, activation="softmax")]
    )  # fmt: skip
    model.compile(st.optimizers.Adam(1e-2), "crossentropy", metrics=["accuracy"], engine=engine)
    model.fit(*images.train, epochs=20, validation_data=images.validation, verbose=0)
    assert model.evaluate(*images.test, verbose=0)[1] == 1.0
