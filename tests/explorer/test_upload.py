"""Files that are given to the page."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explored import Visitor, keep, lenet, residual
from PIL import Image

from striate.data.image import load
from striate.errors import DataError
from striate.explorer import upload
from striate.explorer.grid import Grid


def file(image: Any, form: str = "PNG") -> bytes:
    out = BytesIO()
    image.save(out, form)
    return out.getvalue()


def noise(height: int, width: int, mode: str = "RGB") -> Any:
    shape = (height, width, {"L": 1, "RGB": 3, "RGBA": 4}[mode])
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return Image.fromarray(pixels if mode != "L" else pixels[..., 0])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(28, 28), (100, 40)])
@pytest.mark.parametrize("model", [lenet, residual])
def test_the_page_prepares_an_image_as_predict_does(
    tmp_path: Path, model: Any, mode: str, size: tuple[int, int]
) -> None:
    spec = model().graph.inputs[0].spec
    path = tmp_path / "image.png"
    path.write_bytes(file(noise(*size, mode)))
    grid = Grid.of(spec)
    assert grid is not None
    last = upload.prepare(path.read_bytes(), grid)[-1]
    assert np.array_equal(grid.sample(last.picture), load(path, spec)[0])


def test_each_step_is_told() -> None:
    grid = Grid.of(lenet().graph.inputs[0].spec)
    assert grid is not None
    steps = upload.prepare(file(noise(60, 80)), grid, invert=True, centre=True)
    assert [(step.name, step.told) for step in steps] == [
        ("file", "80 x 60, RGB"),
        ("grey", "L: 1 per pixel"),
        ("invert", "255 - value"),
        ("centre", "the ink in the middle, with a margin"),
        ("resize", "28 x 28, bilinear"),
    ]


def test_what_is_in_a_corner_comes_to_the_middle() -> None:
    page = np.zeros((100, 100), np.uint8)
    page[5:15, 80:86] = 255
    grid = Grid.of(lenet().graph.inputs[0].spec)
    assert grid is not None
    steps = upload.prepare(file(Image.fromarray(page)), grid, centre=True)
    rows, columns, _ = np.nonzero(steps[-1].picture > 128)
    assert abs(rows.mean() - 13.5) < 1
    assert abs(columns.mean() - 13.5) < 1


def test_a_picture_with_too_many_pixels_is_refused_by_its_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = file(Image.new("L", (5000, 4000)))

    def decoded(*_: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", decoded)
    with pytest.raises(DataError) as error:
        upload.decode(data)
    assert str(error.value) == (
        "the image: has too many pixels\n  got   5,000 x 4,000\n  need  at most 16,000,000 pixels"
    )


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_BYTES", 100)
    with pytest.raises(DataError) as error:
        upload.decode(b"x" * 101)
    assert str(error.value) == (
        "the image: is too large\n  got   101 bytes\n  need  at most 100 bytes"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg onload=alert(1)>",
        file(noise(8, 8), "GIF"),
        file(noise(8, 8), "TIFF"),
        file(noise(8, 8), "PPM"),
        file(noise(64, 64))[:200],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    ],
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(DataError) as error:
        upload.decode(data)
    first, *rows = str(error.value).splitlines()
    assert first == "the image: is not an image that can be read"
    assert rows[-1] == "  need  PNG, JPEG, WEBP, BMP"


def test_the_page_takes_a_file(tmp_path: Path) -> None:
    keep(tmp_path, "lenet", lenet())
    answer = Visitor(tmp_path).ask(
        "POST",
        "/api/upload",
        data={"run": "lenet", "invert": "true"},
        files={"file": ("a.png", file(noise(30, 30)))},
    )
    assert [step["name"] for step in answer.json()["steps"]] == ["file", "grey", "invert", "resize"]
