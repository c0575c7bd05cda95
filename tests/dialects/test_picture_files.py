"""Pictures that programs read are checked, and mean what Pillow gives."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.data import image
from striate.dialects.keras.image_files import load_img
from striate.dialects.keras.tf_files import decode_image
from striate.dialects.picture_files import PictureError, picture
from striate.dialects.pytorch.datasets_folders import default_loader
from striate.dialects.pytorch.image_files import read_image
from striate.dialects.surroundings_images import imread
from striate.errors import DataError

READERS: dict[str, Any] = {
    "load_img": load_img,
    "default_loader": default_loader,
    "read_image": read_image,
    "decode_image": lambda path: decode_image(Path(path).read_bytes()),
    "imread": imread,
}


@pytest.fixture
def lying(tmp_path: Path) -> Path:
    """A photograph that a camera has marked as lying on its side."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "photo.png", exif=turned)
    return tmp_path / "photo.png"


@pytest.mark.parametrize("name", READERS)
def test_the_pixels_are_those_of_the_file_as_they_lie_there(name: str, lying: Path) -> None:
    found = np.asarray(READERS[name](str(lying)))
    found = found.transpose(1, 2, 0) if name == "read_image" else found
    with Image.open(lying) as original:
        assert np.array_equal(found, np.asarray(original))
    assert image.decoded(lying, "photo").size == (6, 9)  # those that Striate reads are upright


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_pixel_becomes_what_pillow_makes_of_it(mode: str, tmp_path: Path) -> None:
    grey = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 4), np.uint8))
    file = tmp_path / ("one.tif" if mode == "CMYK" else "one.png")
    (grey.convert("I").convert(mode) if mode == "I;16" else grey.convert(mode)).save(file)
    with Image.open(file) as original:
        assert default_loader(str(file)).tobytes() == original.convert("RGB").tobytes()
        grown = load_img(file, color_mode="grayscale", target_size=(10, 8))
        assert grown.tobytes() == original.convert("L").resize((8, 10), 0).tobytes()


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_picture_is_told(name: str, lying: Path) -> None:
    cut = lying.with_name("cut.png")
    cut.write_bytes(lying.read_bytes()[:80])
    with pytest.raises(OSError, match="is not an image that can be read") as caught:
        READERS[name](str(cut))
    where = "the picture" if name == "decode_image" else str(cut)
    assert isinstance(caught.value, DataError)
    assert str(caught.value).startswith(f"{where}: is not an image that can be read\n  got   ")


def test_a_picture_with_too_many_pixels_is_not_decoded(
    lying: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "MAX_PIXELS", 53)
    with pytest.raises(PictureError) as caught:
        picture(BytesIO(lying.read_bytes()))
    assert str(caught.value) == (
        "the picture: has too many pixels\n  got   9 x 6\n  need  at most 53 pixels"
    )


def test_a_file_with_too_many_bytes_is_not_read(
    lying: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "MAX_BYTES", 10)
    with pytest.raises(PictureError) as caught:
        picture(lying)
    size = lying.stat().st_size
    assert str(caught.value) == (
        f"{lying}: the image file is too large\n  got   {size} bytes\n  need  at most 10 bytes"
    )


def test_a_file_that_is_not_there_is_what_it_was() -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
        load_img("nowhere.png")
