"""The pictures of the documentation, from real runs: scripts/pictures.

Trains three runs and a folder of images, serves them with `striate explore`, and photographs every
tab and the report in headless Chromium. `--runs FOLDER` takes runs that were trained before.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from seen import draw_seven

import striate as st

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
WIDE, PHONE, PAPER = (1280, 860), (390, 844), (885, 1072)
SIZES = {"phone": PHONE, "mistakes": (1280, 1060), "data": (1280, 1060)}  # of pictures; else WIDE
BRANCHED = """
import striate as st
from striate import layers as L
(x, y), (x_test, y_test) = st.datasets.mnist()
image = L.Input((28, 28, 1))
one = L.Rescaling(1 / 255)(image)
one = L.Conv2D(8, 5, 2, padding="same", activation="relu", name="first")(one)
two = L.Conv2D(8, 3, padding="same", activation="relu", name="left")(one)
two = L.BatchNormalization(name="norm")(L.Conv2D(8, 3, padding="same", name="right")(two))
sum_ = L.ReLU(name="relu")(L.Add(name="add")([one, two]))
out = L.Dense(10, activation="softmax", name="dense")(L.Flatten(name="flat")(sum_))
model = st.Model(image, out, name="branches")
model.compile("adam", "crossentropy", metrics=["accuracy"])
model.fit(x[:20000], y[:20000], epochs=3, batch_size=128, validation_data=(x_test, y_test))
"""


def striate(*words: str) -> None:
    """Run a command of Striate."""
    program = "from striate.cli import main; main()"
    subprocess.run([sys.executable, "-c", program, *words], check=True)


def folder(root: Path) -> None:
    """Write digits as files of several sizes, with what goes wrong in folders of images."""
    (x, y), _ = st.datasets.mnist()
    sizes = np.random.default_rng(0).choice([28, 28, 28, 32, 36, 40, 48], (10, 60, 2))
    for label in range(10):
        (root / str(label)).mkdir(parents=True)
        for at, size in zip(np.flatnonzero(y == label)[:60], sizes[label], strict=True):
            image = Image.fromarray(x[at, ..., 0]).resize(tuple(map(int, size)))
            image.save(root / str(label) / f"{at:05}.png")
    first, second = sorted((root / "3").iterdir())[:2]
    (root / "3" / "cut.png").write_bytes(first.read_bytes()[:150])
    (root / "7" / "copy.png").write_bytes(second.read_bytes())
    (root / "5" / "notes.txt").write_text("written in pencil")


def train(runs: Path) -> None:
    """Train what the pictures show."""
    striate("train", "mnist", "epochs=6", "--runs", str(runs))
    striate("train", "mnist", "epochs=2", "seed=1", "--runs", str(runs))
    with tempfile.TemporaryDirectory() as place:
        folder(Path(place) / "digits")
        striate("train", f"{place}/digits", "image_size=28", "epochs=12", "--runs", str(runs))
        (Path(place) / "branches.py").write_text(BRANCHED)
        striate("run", f"{place}/branches.py", "--seed", "0", "--runs", str(runs))


@contextmanager
def served(runs: Path) -> Iterator[str]:
    """Give the address of the page."""
    program = "from striate.cli import main; main()"
    command = [sys.executable, "-c", program, "explore", "mnist", "--runs", str(runs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def drawn(page: Page) -> None:
    """Draw a seven, and choose a unit of the second convolution that sees its stroke."""
    draw_seven(page)
    page.locator("#column-8 canvas").scroll_into_view_if_needed()
    page.locator("#column-8 canvas").click(position={"x": 26, "y": 16})
    page.mouse.move(640, 5)


def missed(page: Page) -> None:
    """Open a mistake, and bring what spoke for both classes into view."""
    page.locator(".gallery-part .card").first.click()
    page.wait_for_timeout(1500)
    page.locator(".overlays").scroll_into_view_if_needed()


def earlier(page: Page) -> None:
    """Go back to the network after its first epoch."""
    page.locator(".epoch-answer[data-epoch='1']").click()


def taught(page: Page) -> None:
    """Begin the lessons."""
    page.locator(".lessons button").nth(1).click()
    page.click("#tab-learn")


def nothing(page: Page) -> None:
    """Leave the page as the link shows it."""


EXPLORER: dict[str, tuple[str, Callable[[Page], None]]] = {  # picture: the view, what is done to it
    "unit": ("run=mnist&tab=unit", drawn),
    "curves": ("run=mnist&sample=4&tab=curves", nothing),
    "mistakes": ("run=mnist&tab=mistakes", missed),
    "kernels": ("run=mnist&sample=4&tab=kernels", nothing),
    "epochs": ("run=mnist&sample=9&tab=epochs", earlier),
    "compare": ("run=mnist&with=mnist-2&sample=4&unit=3.8.8.conv2d&tab=compare", nothing),
    "data": ("run=digits&sample=3&tab=data", nothing),
    "learn": ("run=mnist&sample=4&tab=learn", taught),
    "dark": ("run=branches&sample=0&unit=2.6.6.right&tab=unit", nothing),
    "phone": ("run=mnist&sample=4", nothing),
}


def explore(browser: Any, address: str, names: list[str]) -> None:
    """Photograph the views of the explorer."""
    for name in names:
        view, act = EXPLORER[name]
        width, height = SIZES.get(name, WIDE)
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if name == "dark" else "light",
            device_scale_factor=1.5 if name == "phone" else 1,
        )
        page.goto(f"{address}#{view}")
        page.wait_for_selector(".bars li")
        page.wait_for_timeout(4000)  # the data, and which maps are dead, are looked through
        act(page)
        page.wait_for_timeout(1500)
        taken(page, f"explorer-{name}")


def report(browser: Any, runs: Path) -> None:
    """Photograph the head of a report."""
    for scheme in ("light", "dark"):
        page = browser.new_page(
            viewport={"width": PAPER[0], "height": PAPER[1]}, color_scheme=scheme
        )
        page.goto((runs / "mnist" / "report.html").resolve().as_uri())
        taken(page, f"report-{scheme}")


def taken(page: Page, name: str) -> None:
    """Keep a picture of the page, as small as it gets without loss."""
    file = HERE / f"{name}.png"
    page.screenshot(path=file)
    with Image.open(file) as image:
        image.convert("RGB").save(file, optimize=True)
    page.close()


def main() -> None:
    """Train where no runs are given, and make the pictures."""
    parser = argparse.ArgumentParser(prog="scripts/pictures", description=__doc__)
    parser.add_argument("names", nargs="*", help="of pictures: unit, curves, report...; else all")
    parser.add_argument("--runs", type=Path, help="a folder of runs that were trained before")
    given = parser.parse_args()
    names = given.names or [*EXPLORER, "report"]
    with tempfile.TemporaryDirectory() as place:
        runs = given.runs or Path(place)
        if not (runs / "mnist").is_dir():
            train(runs)
        with served(runs) as address, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            explore(browser, address, [name for name in names if name in EXPLORER])
            if "report" in names:
                report(browser, runs)
            browser.close()


if __name__ == "__main__":
    main()
