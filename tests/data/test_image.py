"""Image files and pictures become samples of the model's size and channels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from striate.core.spec import Spec
from striate.data import image
from striate.errors import DataError

GREY, COLOUR = Spec((4, 6, 1)), Spec((4, 6, 3))


def pixels(channels):
    shape = (4, 6) if channels == 1 else (4, 6, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_what_an_image_is(tmp_path):
    picture = Image.new("L", (6, 4))
    assert image.is_image(picture) and image.is_image("a.png") and image.is_image([tmp_path])
    assert not image.is_image([]) and not image.is_image(np.zeros((4, 6)))
    assert not image.is_image([picture, 3])


def test_pixels_are_kept():
    grey, colour = pixels(1), pixels(3)
    assert np.array_equal(image.load(Image.fromarray(grey), GREY)[0, ..., 0], grey)
    assert np.array_equal(image.load(Image.fromarray(colour), COLOUR)[0], colour)
    first = Spec((3, 4, 6), data_format="channels_first")
    assert np.array_equal(image.load(Image.fromarray(colour), first)[0], colour.transpose(2, 0, 1))


def test_grey_and_colour_become_what_the_model_takes():
    colour = image.load(Image.fromarray(pixels(1)), COLOUR)
    assert np.array_equal(colour[..., 0], colour[..., 2])
    red = Image.new("RGB", (6, 4), (255, 0, 0))
    assert (image.load(red, GREY) == 76).all()  # 0.299 of 255


def test_transparent_pixels_are_black():
    picture = Image.new("RGBA", (6, 4), (255, 255, 255, 0))
    picture.putpixel((2, 1), (255, 255, 255, 255))
    loaded = image.load(picture, GREY)[0, ..., 0]
    assert loaded[1, 2] == 255 and loaded.sum() == 255


def test_the_upper_eight_of_sixteen_bits_are_kept(tmp_path):
    deep = np.linspace(0, 65535, 24).astype(np.uint16).reshape(4, 6)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    loaded = image.load(tmp_path / "deep.png", GREY)[0, ..., 0]
    assert np.array_equal(loaded, (deep >> 8).astype(np.uint8))


def test_the_size_is_the_models_and_an_unknown_one_the_images():
    picture = Image.new("L", (60, 40), 9)
    assert image.load(picture, GREY).shape == (1, 4, 6, 1)
    assert image.load(picture, Spec((None, None, 1))).shape == (1, 40, 60, 1)


def test_files_in_order_and_turned_as_they_say(tmp_path):
    grey = pixels(1)
    paths = []
    for index, name in enumerate(("a.png", "b.bmp", "c.tiff")):
        paths.append(tmp_path / name)
        Image.fromarray(grey + np.uint8(index)).save(paths[-1])
    loaded = image.load([str(paths[0]), *paths[1:]], GREY)
    assert all(np.array_equal(loaded[i, ..., 0], grey + np.uint8(i)) for i in range(3))
    turned = Image.fromarray(grey)
    exif = turned.getexif()
    exif[0x0112] = 3  # upside down
    turned.save(tmp_path / "d.png", exif=exif)
    assert np.array_equal(image.load(tmp_path / "d.png", GREY)[0, ..., 0], grey[::-1, ::-1])


def test_a_model_without_images():
    for spec in (Spec((4,)), Spec((4, 6, 5))):
        with pytest.raises(DataError) as error:
            image.load(Image.new("L", (6, 4)), spec)
        assert str(error.value) == (
            "image: the model does not take grey or colour images\n"
            f"  need  an array of shape {spec}\n"
            "  fix   model.predict(array)"
        )


def test_a_file_that_is_not_there(tmp_path):
    path = tmp_path / "no.png"
    with pytest.raises(DataError) as error:
        image.load(path, GREY)
    assert str(error.value) == f"{path}: there is no such image file\n  fix   check the path"


def test_a_file_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "MAX_BYTES", 1000)
    path = tmp_path / "large.png"
    path.write_bytes(bytes(1234))
    with pytest.raises(DataError) as error:
        image.load(path, GREY)
    assert str(error.value) == (
        f"{path}: the image file is too large\n  got   1,234 bytes\n  need  at most 1,000 bytes"
    )


def test_too_many_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "MAX_PIXELS", 1000)
    path = tmp_path / "wide.png"
    Image.new("L", (101, 10)).save(path)
    with pytest.raises(DataError) as error:
        image.load(path, GREY)
    assert str(error.value) == (
        f"{path}: has too many pixels\n  got   101 x 10\n  need  at most 1,000 pixels"
    )


def test_what_is_no_image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a short path, whole in the message
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(DataError) as error:
        image.load("text.png", GREY)
    assert str(error.value).replace(str(tmp_path) + "/", "") == (
        "text.png: is not an image that can be read\n"
        "  got   its bytes are of none of these formats\n"
        "  need  PNG, JPEG, BMP, WEBP, GIF, TIFF, PPM"
    )


def test_half_an_image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    Image.fromarray(picture).save("half.bmp")
    (tmp_path / "half.bmp").write_bytes((tmp_path / "half.bmp").read_bytes()[:400])
    with pytest.raises(DataError) as error:
        image.load("half.bmp", COLOUR)
    assert str(error.value) == (
        "half.bmp: is not an image that can be read\n"
        "  got   image file is truncated (74 bytes not processed)\n"
        "  need  PNG, JPEG, BMP, WEBP, GIF, TIFF, PPM"
    )
