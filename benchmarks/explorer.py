"""How fast the explorer answers: scripts/bench explorer.

Serves a LeNet and a ResNet-18 with `striate explore`, draws on them in headless Chromium as a hand
does, and writes what the page itself measured (User Timing) to results/explorer.md: from a pen
stroke to new bars, and to all maps; from a click on a unit to its arithmetic; the first paint; the
frames while drawing; the memory of the page after a long use; and the bytes of the page's own
scripts and styles. As root, server and browser run at real-time priority.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

import striate as st
from striate import layers as L
from striate.store.run import Run

from .machine import ROOT
from .process import alone
from .results import Results, header, keep, origins, table

CHROMIUM = "/usr/bin/chromium"
STATIC = ROOT / "striate" / "explorer" / "static"
STROKES, CLICKS, LARGE_STROKES = 100, 40, 15
USED_S = 60  # that the page is drawn on, with each tab open in turn, before memory is read
GOALS = {  # by figure: the unit, and what the 95th percentile shall be at most
    "pen stroke to probabilities": ("ms", 50),
    "pen stroke to all maps": ("ms", 100),
    "unit click to arithmetic": ("ms", 100),
    "first contentful paint": ("ms", 1000),
    "pen stroke to all maps, ResNet-18 at 224 x 224": ("ms", 1000),
    "between two frames while drawing": ("ms", 17),
    "page memory after a minute of drawing and every tab": ("MB", 300),
    "scripts and styles": ("kB", 400),
}
TABS = ("unit", "curves", "mistakes", "kernels", "epochs", "compare", "data", "learn")
FRAMES = """() => { window.frames_ = []; let last = performance.now();
const look = (now) => {
  frames_.push(now - last); last = now; window.looks && requestAnimationFrame(look); };
window.looks = true; requestAnimationFrame(look); }"""


def lenet() -> st.Sequential:
    """LeNet-5 with rectifiers and max-pooling."""
    return st.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(6, 5, padding="same", activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(16, 5, activation="relu"),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dense(120, activation="relu"),
            L.Dense(84, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )


def resnet18(size: int = 224, classes: int = 1000) -> st.Model:
    """ResNet-18 of He et al. 2015: 11.7 million weights."""

    def block(x: Any, filters: int, stride: int) -> Any:
        y = L.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
        y = L.ReLU()(L.BatchNormalization()(y))
        y = L.BatchNormalization()(L.Conv2D(filters, 3, padding="same", use_bias=False)(y))
        if stride > 1:
            x = L.BatchNormalization()(L.Conv2D(filters, 1, stride, use_bias=False)(x))
        return L.ReLU()(L.Add()([x, y]))

    image = L.Input((size, size, 3))
    x = L.Conv2D(64, 7, 2, padding="same", use_bias=False)(L.Rescaling(1 / 255)(image))
    x = L.MaxPooling2D(3, 2, padding="same")(L.ReLU()(L.BatchNormalization()(x)))
    for filters, first in ((64, 1), (128, 2), (256, 2), (512, 2)):
        x = block(block(x, filters, first), filters, 1)
    x = L.Dense(classes, activation="softmax")(L.GlobalAveragePooling2D()(x))
    return st.Model(image, x, name="resnet18")


@contextmanager
def served(root: str) -> Iterator[str]:
    """Give the address of a page that shows the LeNet, and a ResNet-18 beside it."""
    run = Run.create(root, "lenet")
    run.write("config.json", {"recipe": "mnist", "settings": {}})
    run.finish(lenet())
    large = Run.create(root, "resnet18")
    large.write("config.json", {"script": "resnet18.py"})
    large.finish(resnet18())
    program = "from striate.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "explore", "lenet", "--runs", root],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def measured(page: Page, name: str) -> list[float]:
    """Return the milliseconds of all measures of a name."""
    found: list[float] = page.evaluate(
        f"performance.getEntriesByName('{name}', 'measure').map((one) => one.duration)"
    )
    return found


def draw(page: Page, strokes: int = STROKES, pause_ms: int = 16) -> None:
    """Move a pen over the sheet, at the pace of a hand."""
    sheet: Any = page.locator(".sheet").bounding_box()
    page.keyboard.press("c")
    page.mouse.move(sheet["x"] + 60, sheet["y"] + 60)
    page.mouse.down()
    for step in range(strokes):
        across, down = divmod(step, 10)
        page.mouse.move(sheet["x"] + 50 + 10 * across, sheet["y"] + 50 + 10 * down)
        page.wait_for_timeout(pause_ms)
    page.mouse.up()
    page.wait_for_timeout(500)


def frames(page: Page) -> list[float]:
    """Return the milliseconds between two frames while a pen is moved."""
    page.evaluate(FRAMES)
    draw(page)
    between: list[float] = page.evaluate("() => { window.looks = false; return frames_; }")
    return between[1:]


def use(page: Page) -> None:
    """Draw for a while, with every tab open in turn."""
    end = time.monotonic() + USED_S
    for tab in itertools.cycle(TABS):
        page.click(f"#tab-{tab}")
        page.wait_for_timeout(300)
        draw(page)
        if time.monotonic() > end:
            return


def memory(browser: Any) -> float:
    """Return the megabytes of the page's process: its own, and its part of what is shared."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = []
    for process in found:
        rollup = Path(f"/proc/{process['id']}/smaps_rollup")
        if process["type"] == "renderer" and rollup.is_file():
            line = next(one for one in rollup.read_text().splitlines() if one.startswith("Pss:"))
            sizes.append(float(line.split()[1]) / 1000)
    return max(sizes)


def click(page: Page) -> None:
    """Click on units of the second convolution."""
    maps = page.locator("#column-4 canvas")
    for step in range(CLICKS):
        box: Any = maps.bounding_box()  # the first click opens the arithmetic, and moves the maps
        page.mouse.click(box["x"] + 3 + step % 8 * 4, box["y"] + 3 + step // 8 * 4)
        page.wait_for_timeout(150)


def pace(values: list[float]) -> dict[str, float]:
    """Return median and 95th percentile."""
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "median": statistics.median(ordered),
        "p95": ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)],
    }


def measure() -> dict[str, dict[str, float]]:
    """Return the figures in milliseconds, and the kilobytes of the page."""
    with tempfile.TemporaryDirectory() as root, served(root) as address, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_selector(".bars li")
        page.wait_for_timeout(4000)  # the server reads the training pictures once
        page.reload()
        page.wait_for_selector(".bars li")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        page.evaluate("performance.clearMeasures()")
        draw(page)
        answers, maps = measured(page, "answer"), measured(page, "maps")
        click(page)
        units = measured(page, "unit")
        page.keyboard.press("Escape")
        shown = frames(page)
        use(page)
        used = memory(browser)
        page.goto("about:blank")
        page.goto(f"{address}#run=resnet18")
        page.wait_for_selector(".bars li")
        page.wait_for_timeout(5000)
        page.evaluate("performance.clearMeasures()")
        draw(page, LARGE_STROKES, 400)
        page.wait_for_timeout(2000)
        large = measured(page, "maps")
        browser.close()
    files = [*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *STATIC.rglob("*.html")]
    size = sum(path.stat().st_size for path in files) / 1000
    return {
        "pen stroke to probabilities": pace(answers),
        "pen stroke to all maps": pace(maps),
        "unit click to arithmetic": pace(units[1:]),
        "first contentful paint": pace([paint]),
        "pen stroke to all maps, ResNet-18 at 224 x 224": pace(large),
        "between two frames while drawing": pace(shown),
        "page memory after a minute of drawing and every tab": pace([used]),
        "scripts and styles": pace([size]),
    }


def page(results: Results) -> str:
    """Return the results as Markdown."""
    part = results["explorer"]
    rows = [["", "median", "95th percentile", "goal", "unit", "n"]]
    rows += [
        [
            name, f"{one['median']:.1f}", f"{one['p95']:.1f}", f"{GOALS[name][1]}",
            GOALS[name][0], f"{one['n']:.0f}",
        ]
        for name, one in part["figures"].items()
    ]  # fmt: skip
    lines = [
        "# The explorer", "",
        "LeNet (61,706 weights) on MNIST, served by `striate explore`; headless Chromium at "
        "1280 x 800, a move of the pen every 16 ms. The page measures itself (User Timing): from "
        "the change of the picture to new bars, and to the frame in which every map is drawn; from "
        "the choice of a unit to its arithmetic. ResNet-18 (11.7 million weights) is drawn on with "
        "a move every 0.4 s. Memory is the proportional set size of the page's process. A screen "
        "of 60 Hz shows a frame every 16.7 ms. The goal is for the 95th percentile. A shared "
        "machine.",
        "",
        *table(rows), *origins(results),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and keep the page."""
    parser = argparse.ArgumentParser(prog="scripts/bench explorer", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="print the page and keep nothing")
    given = parser.parse_args()
    described = header("explorer")
    with alone():
        with suppress(PermissionError):  # server and browser inherit it
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        results: Results = {"explorer": {"header": described, "figures": measure()}}
    print(page(results))
    if not given.dry:
        keep("explorer", results, page)


if __name__ == "__main__":
    main()
