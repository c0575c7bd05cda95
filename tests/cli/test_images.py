"""A folder of images on the command line: looked at, trained on, and shown without the folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from striate import cli
from striate.explorer import results
from striate.explorer.subject import Subject

COUNTS = {"circle": 12, "square": 14}


def call(*words: object) -> Any:
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def shapes(root: Path) -> Path:
    """Two classes of small images, one of them broken, one there twice."""
    for label, (name, many) in enumerate(COUNTS.items()):
        (root / name).mkdir(parents=True)
        for number in range(many):
            rng = np.random.default_rng([label, number])
            cells = rng.integers(0, 256, (20 + number % 2, 18, 3), dtype=np.uint8) // (
                1 + 3 * label
            )
            Image.fromarray(cells).save(root / name / f"{number:02}.png")
    shutil.copy(root / "circle" / "00.png", root / "circle" / "again.png")
    (root / "square" / "bad.png").write_bytes(b"no image")
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run that was trained on a folder, which is gone since."""
    place = tmp_path_factory.mktemp("images")
    folder = shapes(place / "My shapes")
    done = call("train", folder, "image_size=16", "epochs=2", "--runs", place / "runs")
    assert done.exit_code == 0, done.output
    shutil.rmtree(folder)
    return place / "runs" / "my-shapes", done.stderr


def test_the_check_prints_what_is_there(tmp_path: Path) -> None:
    folder = shapes(tmp_path / "shapes")
    done = call("data", "check", folder)
    assert done.exit_code == 0 and done.stderr == ""
    assert "27 images of 2 classes, colour" in done.stdout
    assert "left out: square/bad.png: is not an image" in done.stdout
    assert "equal: circle/00.png, circle/again.png" in done.stdout
    facts = json.loads(call("data", "check", folder, "--json").stdout)
    assert facts["counts"] == {"train": [13, 14]} and facts["skipped_total"] == 1
    done = call("data", "check", tmp_path / "no")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{tmp_path / 'no'}: there is no such folder\n")


def test_a_folder_is_trained_on_by_its_path(trained: tuple[Path, str]) -> None:
    run, said = trained
    assert "left out: square/bad.png: is not an image" in said
    assert "used as: 16 x 16 in colour, 27 images resized by bilinear filtering" in said
    told = json.loads((run / "results.json").read_text())
    assert told["classes"] == ["circle", "square"]
    assert told["samples"] == {"training": 23, "validation": 2, "test": 2}
    assert told["test_total"] == 2
    facts = json.loads((run / "data.json").read_text())
    assert facts["image_size"] == [16, 16] and facts["resized"] == 27
    assert "data.json" in (run / "MANIFEST.sha256").read_text()


def test_the_run_is_shown_without_its_folder(trained: tuple[Path, str]) -> None:
    run, _ = trained
    before = (run / "report.html").read_bytes()
    assert call("report", run).exit_code == 0
    assert (run / "report.html").read_bytes() == before
    assert "test accuracy" in call("evaluate", run).stdout
    page = before.decode()
    for said in (
        "sizes of the files", "20 x 18: 14", "1 file left out", "square/bad.png", "is not an image",
        "1 file there again", "circle/again.png", "27 images brought to 16 x 16",
    ):  # fmt: skip
        assert said in page, said
    subject = Subject(run)
    assert subject.classes == ["circle", "square"]
    assert subject.test is not None and len(subject.test.x) == 2
    found = results.data(subject)
    assert found["counts"]["train"] == [11, 12]


def test_a_recipe_that_lacks_its_folder(tmp_path: Path) -> None:
    done = call("train", "images", "--runs", tmp_path)
    assert done.stderr == (
        "train images: folder is missing\n  need  folder=...\n"
        "  fix   striate train images folder=FOLDER, which holds a folder for each class\n"
    )
    done = call("train", "images", f"folder={tmp_path}", "--runs", tmp_path / "runs")
    assert done.exit_code == 1 and done.stderr.startswith(f"{tmp_path}: is empty\n")
    assert not (tmp_path / "runs").exists()
